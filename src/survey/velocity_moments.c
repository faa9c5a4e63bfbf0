/* velocity_moments.c - what travel-time laws need of a velocity besides v_rms: v_int, and the fourth moment of it.
 *
 *   mu2 = (1/t0) integral of v_int^2 dt,   mu4 = (1/t0) integral of v_int^4 dt,   S = mu4/mu2^2 >= 1 (1 where v_int is constant)
 * in closed form between knots. Both moments are of one v_int, so S is at least 1 however the picks were made.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "survey/velocity_model.h"
#include "survey/velocity_pieces.h"

/* ---- one function ---- */

/* A walk down a function: piece `number` begins with these integrals over [0, its start]. */
typedef struct walk {
  moho_knots f;
  moho_velocity_kind kind;
  size_t number;
  moho_piece piece;
  double square, fourth;
} walk;

static walk begin(const moho_profiles *p, size_t profile) {
  walk w = {.f = moho_knots_of(p, profile), .kind = p->kind};
  w.piece = moho_interval_piece_of(&w.f, 0, p->kind);
  return w;
}

static void go_to(walk *w, double t) {
  while (w->number < w->f.n && w->f.t[w->number] <= t) {
    double length = w->f.t[w->number] - w->piece.a;
    w->square += moho_piece_square(&w->piece, length);
    w->fourth += moho_piece_fourth(&w->piece, length);
    w->piece = moho_interval_piece_of(&w->f, ++w->number, w->kind);
  }
}

void moho_profiles_add_interval(const moho_profiles *p, size_t profile, double weight, double first_s, double step_s, size_t n,
                                double *slowness2, double *ratio) {
  walk w = begin(p, profile);
  double before = 0;
  for (size_t k = 0; k < n; k++) {
    double t = fmax(first_s + (double)k * step_s, 0);
    if (t < before) w = begin(p, profile); /* times that do not ascend */
    before = t;
    go_to(&w, t);
    double s = t - w.piece.a, v = w.piece.v + w.piece.slope * s;
    if (slowness2) slowness2[k] += weight / (v * v);
    if (!ratio) continue;
    double square = w.square + moho_piece_square(&w.piece, s), fourth = w.fourth + moho_piece_fourth(&w.piece, s);
    ratio[k] += weight * (t > 0 ? fmax(fourth * t / (square * square), 1) : 1);
  }
}

void moho_profiles_add_value(const moho_profiles *p, size_t profile, double weight, double first_s, double step_s, size_t n,
                             double *sum) {
  moho_knots f = moho_knots_of(p, profile);
  for (size_t k = 0; k < n; k++) {
    double t = fmax(first_s + (double)k * step_s, 0);
    moho_piece piece = moho_piece_of(&f, moho_piece_at(&f, t), MOHO_VELOCITY_RMS);
    sum[k] += weight * (piece.v + piece.slope * (t - piece.a));
  }
}

int moho_profiles_find_bad_interval(const moho_profiles *p, double min_mps, double max_mps, moho_bad_knot *bad) {
  if (p->kind != MOHO_VELOCITY_RMS) return 0; /* the numbers given are in range, and so is what is between them */
  for (size_t profile = 0; profile < p->n; profile++) {
    moho_knots f = moho_knots_of(p, profile);
    for (size_t k = 1; k < f.n; k++) {
      double square = moho_dix_squared(&f, k);
      if (square >= min_mps * min_mps && square <= max_mps * max_mps) continue;
      *bad = (moho_bad_knot){profile, k, square < 0 ? square : sqrt(square), 1};
      return 1;
    }
  }
  return 0;
}

/* ---- the velocity object ---- */

static moho_status check_times(double x_m, double y_m, double first_s, double step_s, size_t n) {
  if (!isfinite(x_m) || !isfinite(y_m) || !isfinite(first_s) || !isfinite(step_s))
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocity asked for at x %g, y %g, time %g + k * %g; expected finite numbers", x_m, y_m,
                     first_s, step_s);
  if (n > INT32_MAX) return moho_fail(MOHO_ERROR_ARGUMENT, "velocity asked for at %zu times, expected fewer than 2^31", n);
  return MOHO_OK;
}

moho_status moho_velocity_set_problem(moho_velocity *velocity, moho_place place, const char *format, ...) {
  moho_velocity_problem *problem;
  MOHO_TRY(moho_allocate(1, sizeof *problem, "velocity", &problem));
  va_list values;
  va_start(values, format);
  vsnprintf(problem->message, sizeof problem->message, format, values);
  va_end(values);
  snprintf(problem->file, sizeof problem->file, "%s", place.file ? place.file : "");
  problem->line = place.line, problem->trace = place.trace;
  velocity->problem = problem;
  return MOHO_OK;
}

moho_status moho_velocity_check_interval(const moho_velocity *velocity) {
  if (!velocity->problem) return MOHO_OK;
  return moho_fail_at(
      (moho_place){.file = velocity->problem->file, .line = velocity->problem->line, .trace = velocity->problem->trace},
      "check this pick and the one before, smooth the picks, or widen velocity.min_mps and max_mps", MOHO_ERROR_RANGE, "%s",
      velocity->problem->message);
}

static moho_status fail_out_of_range(const moho_velocity *velocity, double x_m, double y_m, double time_s, double v_mps) {
  return moho_fail_at((moho_place){.key = "velocity"},
                      "change the law so that v_int stays in range, or use migration.traveltime straight", MOHO_ERROR_RANGE,
                      "%s: v_int at x %.2f m, y %.2f m, time %.4g s is %.6g m/s, expected %g to %g m/s", velocity->describe, x_m,
                      y_m, time_s, v_mps, velocity->min_mps, velocity->max_mps);
}

moho_status moho_velocity_interval(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s, size_t n,
                                   double *v_mps) {
  MOHO_TRY(check_times(x_m, y_m, first_s, step_s, n));
  MOHO_TRY(moho_velocity_check_interval(velocity));
  velocity->interval(velocity, x_m, y_m, first_s, step_s, n, v_mps, NULL);
  for (size_t k = 0; k < n; k++) /* a law may leave the range, or imply none at all (linear_t0 falling) */
    if (!(v_mps[k] >= velocity->min_mps) || !(v_mps[k] <= velocity->max_mps))
      return fail_out_of_range(velocity, x_m, y_m, first_s + (double)k * step_s, v_mps[k]);
  return MOHO_OK;
}

moho_status moho_velocity_heterogeneity(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s,
                                        size_t n, double *ratio) {
  MOHO_TRY(check_times(x_m, y_m, first_s, step_s, n));
  MOHO_TRY(moho_velocity_check_interval(velocity));
  velocity->interval(velocity, x_m, y_m, first_s, step_s, n, NULL, ratio);
  for (size_t k = 0; k < n; k++)
    if (!(ratio[k] >= 1)) return fail_out_of_range(velocity, x_m, y_m, first_s + (double)k * step_s, NAN);
  return MOHO_OK;
}

moho_status moho_velocity_fourth_moment(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s,
                                        size_t n, double *mu4) {
  enum { AT_ONCE = 256 };
  MOHO_TRY(moho_velocity_heterogeneity(velocity, x_m, y_m, first_s, step_s, n, mu4));
  for (size_t first = 0; first < n; first += AT_ONCE) {
    double v[AT_ONCE];
    size_t count = n - first < AT_ONCE ? n - first : AT_ONCE;
    MOHO_TRY(moho_velocity_rms(velocity, x_m, y_m, first_s + (double)first * step_s, step_s, count, v));
    for (size_t k = 0; k < count; k++) mu4[first + k] *= v[k] * v[k] * v[k] * v[k];
  }
  return MOHO_OK;
}

moho_status moho_velocity_surface(const moho_velocity *velocity, double x_m, double y_m, double *v0_mps) {
  return moho_velocity_interval(velocity, x_m, y_m, 0, 0, 1, v0_mps);
}

int moho_velocity_get_linear_z(const moho_velocity *velocity, double *v0_mps, double *gradient_per_s) {
  if (!velocity->is_linear_z) return 0;
  *v0_mps = velocity->v0_mps, *gradient_per_s = velocity->gradient_per_s;
  return 1;
}
