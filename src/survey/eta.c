/* eta.c - eta of the vti laws: a constant, a table or a cube, effective or interval values made effective.
 *
 *   eta_eff(t0) = 1/8 {[1/(v^4 t0)] integral of v_int^4 (1 + 8 eta_int) dt - 1}                  docs/physics.md
 *             = (S - 1)/8 + [1/(v^4 t0)] integral of v_int^4 eta_int dt,   v^4 = (mu2)^2 of the same v_int
 * Tables and cubes are read as velocities are; the numbers are interpolated as they are.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/velocity_model.h"
#include "survey/velocity_tables.h"

struct moho_eta {
  moho_eta_kind kind;
  double constant;
  moho_velocity *numbers; /* NULL: constant */
  char describe[300];
};

static const char *kind_name(moho_eta_kind kind) {
  return kind == MOHO_ETA_INTERVAL ? "interval" : "effective";
}

static moho_status check_kind(moho_eta_kind kind) {
  if (kind == MOHO_ETA_EFFECTIVE || kind == MOHO_ETA_INTERVAL) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "eta.type"}, NULL, MOHO_ERROR_ARGUMENT, "eta kind %d, expected effective or interval",
                      (int)kind);
}

static moho_status create(moho_eta_kind kind, moho_eta **out) {
  *out = NULL;
  MOHO_TRY(check_kind(kind));
  MOHO_TRY(moho_allocate(1, sizeof **out, "eta", out));
  (*out)->kind = kind;
  return MOHO_OK;
}

moho_status moho_eta_create_constant(moho_eta_kind kind, double eta, moho_eta **out) {
  *out = NULL;
  if (!(eta >= MOHO_ETA_MIN && eta <= MOHO_ETA_MAX))
    return moho_fail_at((moho_place){.key = "eta.constant"}, "eta has no unit: 0 is isotropic, shales have 0.05 to 0.25",
                        MOHO_ERROR_RANGE, "eta is %g, expected %g to %g", eta, MOHO_ETA_MIN, MOHO_ETA_MAX);
  MOHO_TRY(create(kind, out));
  (*out)->constant = eta;
  snprintf((*out)->describe, sizeof(*out)->describe, "%s eta %g", kind_name(kind), eta);
  return MOHO_OK;
}

static moho_status read_numbers(const char *path, moho_eta_kind kind, const moho_velocity_options *options,
                                moho_status (*read)(const char *, const moho_velocity_options *, moho_velocity **),
                                moho_eta **out) {
  moho_velocity_options own = options ? *options : moho_velocity_options_default();
  own.kind = MOHO_VELOCITY_ETA, own.min_mps = MOHO_ETA_MIN, own.max_mps = MOHO_ETA_MAX;
  MOHO_TRY(create(kind, out));
  moho_status status = read(path, &own, &(*out)->numbers);
  if (status) {
    moho_eta_destroy(out);
    return status;
  }
  snprintf((*out)->describe, sizeof(*out)->describe, "%s eta, %s", kind_name(kind), moho_velocity_describe((*out)->numbers));
  return MOHO_OK;
}

moho_status moho_eta_read_table(const char *path, moho_eta_kind kind, const moho_velocity_options *options, moho_eta **out) {
  return read_numbers(path, kind, options, moho_velocity_read_table, out);
}

moho_status moho_eta_read_cube(const char *path, moho_eta_kind kind, const moho_velocity_options *options, moho_eta **out) {
  return read_numbers(path, kind, options, moho_velocity_read_cube, out);
}

void moho_eta_destroy(moho_eta **eta) {
  if (!eta || !*eta) return;
  moho_velocity_destroy(&(*eta)->numbers);
  free(*eta);
  *eta = NULL;
}

int moho_eta_is_uniform(const moho_eta *eta) {
  return !eta->numbers || moho_velocity_is_uniform(eta->numbers);
}

const char *moho_eta_describe(const moho_eta *eta) {
  return eta->describe;
}

/* ---- values ---- */

static void values_at(const moho_eta *eta, double x_m, double y_m, double first_s, double step_s, size_t n, double *out) {
  if (eta->numbers) eta->numbers->evaluate(eta->numbers, x_m, y_m, first_s, step_s, n, out);
  else
    for (size_t k = 0; k < n; k++) out[k] = eta->constant;
}

/* The integrals of v_int^2, v_int^4 and v_int^4 eta from 0, at cell edges; midpoints of cells of at most CELL seconds. */
static const double CELL = 0.0005;

typedef struct integrals {
  size_t n; /* cells */
  double cell_s;
  double *square, *fourth, *weighted; /* [n + 1] */
} integrals;

static moho_status integrate(const moho_eta *eta, const moho_velocity *velocity, double x_m, double y_m, double last_s,
                             double *scratch, integrals *g) {
  double *v = scratch, *value = scratch + g->n;
  g->cell_s = last_s / (double)g->n;
  MOHO_TRY(moho_velocity_interval(velocity, x_m, y_m, g->cell_s / 2, g->cell_s, g->n, v));
  values_at(eta, x_m, y_m, g->cell_s / 2, g->cell_s, g->n, value);
  g->square[0] = g->fourth[0] = g->weighted[0] = 0;
  for (size_t k = 0; k < g->n; k++) {
    double square = v[k] * v[k], fourth = square * square;
    g->square[k + 1] = g->square[k] + square * g->cell_s;
    g->fourth[k + 1] = g->fourth[k] + fourth * g->cell_s;
    g->weighted[k + 1] = g->weighted[k] + fourth * value[k] * g->cell_s;
  }
  return MOHO_OK;
}

static double between(const double *sums, double place, size_t n) {
  size_t k = place < (double)(n - 1) ? (size_t)place : n - 1;
  return sums[k] + (place - (double)k) * (sums[k + 1] - sums[k]);
}

static moho_status effective_of_interval(const moho_eta *eta, const moho_velocity *velocity, double x_m, double y_m,
                                         double first_s, double step_s, size_t n, double *out) {
  double last = fmax(first_s, first_s + (double)(n - 1) * step_s), *scratch = NULL;
  values_at(eta, x_m, y_m, 0, 0, 1, &out[0]);
  double at_zero = out[0];
  if (!(last > 0)) {
    for (size_t k = 0; k < n; k++) out[k] = at_zero;
    return MOHO_OK;
  }
  integrals g = {.n = (size_t)ceil(last / CELL)};
  MOHO_TRY(moho_allocate(5 * g.n + 3, sizeof *scratch, "eta", &scratch));
  g.square = scratch + 2 * g.n, g.fourth = g.square + g.n + 1, g.weighted = g.fourth + g.n + 1;
  moho_status status = integrate(eta, velocity, x_m, y_m, last, scratch, &g);
  for (size_t k = 0; !status && k < n; k++) {
    double t = first_s + (double)k * step_s, place = t / g.cell_s;
    double square = between(g.square, fmax(place, 0), g.n), fourth = between(g.fourth, fmax(place, 0), g.n);
    double weighted = between(g.weighted, fmax(place, 0), g.n);
    out[k] = t > 0 ? ((fourth + 8 * weighted) * t / (square * square) - 1) / 8 : at_zero;
  }
  free(scratch);
  return status;
}

moho_status moho_eta_effective(const moho_eta *eta, const moho_velocity *velocity, double x_m, double y_m, double first_s,
                               double step_s, size_t n, double *eta_eff) {
  if (!n) return MOHO_OK;
  if (eta->kind == MOHO_ETA_INTERVAL) MOHO_TRY(effective_of_interval(eta, velocity, x_m, y_m, first_s, step_s, n, eta_eff));
  else values_at(eta, x_m, y_m, first_s, step_s, n, eta_eff);
  for (size_t k = 0; k < n; k++)
    if (!(eta_eff[k] >= MOHO_ETA_MIN - 1e-9 && eta_eff[k] <= MOHO_ETA_MAX + 1e-9))
      return moho_fail_at((moho_place){.key = "eta"},
                          eta->kind == MOHO_ETA_INTERVAL ? "interval values give these effective ones with the velocity's v_int"
                                                         : "eta has no unit: 0 is isotropic, shales have 0.05 to 0.25",
                          MOHO_ERROR_RANGE, "%s: effective eta at x %.2f m, y %.2f m, time %.4g s is %.6g, expected %g to %g",
                          eta->describe, x_m, y_m, first_s + (double)k * step_s, eta_eff[k], MOHO_ETA_MIN, MOHO_ETA_MAX);
  return MOHO_OK;
}
