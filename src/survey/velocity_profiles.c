/* velocity_profiles.c - v_rms of knots in closed form, and its interpolation between functions in 1/v^2. */
#include "survey/velocity_profiles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/velocity_between.h"
#include "survey/velocity_model.h"
#include "survey/velocity_pieces.h"

void moho_profiles_release(moho_profiles *profiles) {
  free(profiles->start), free(profiles->time_s), free(profiles->v_mps), free(profiles->cube_mps), free(profiles->integral);
  *profiles = (moho_profiles){0};
}

/* ---- checking ---- */

static int in_range(double v, double min_mps, double max_mps) {
  return v >= min_mps && v <= max_mps;
}

/* Interval velocities of a piece between two averages may leave the range by a rounding error only. */
static int check_implied(const moho_piece *p, double length, double min_mps, double max_mps, double *bad) {
  double ends[2] = {p->v, p->v + p->slope * length};
  for (int e = 0; e < 2; e++)
    if (!in_range(ends[e], min_mps * (1 - 1e-12), max_mps * (1 + 1e-12))) {
      *bad = ends[e];
      return 0;
    }
  return 1;
}

static moho_status prepare_one(moho_profiles *p, size_t profile, double min_mps, double max_mps, moho_bad_knot *bad) {
  moho_knots f = moho_knots_of(p, profile);
  size_t first = p->start ? p->start[profile] : profile * p->n_shared;
  for (size_t k = 0; k < f.n; k++) {
    double v = moho_knot_value(&f, k);
    if (!in_range(v, min_mps, max_mps)) {
      *bad = (moho_bad_knot){profile, k, v, 0};
      return MOHO_ERROR_RANGE;
    }
    p->low_mps = fmin(p->low_mps, v), p->high_mps = fmax(p->high_mps, v);
  }
  if (!p->integral) return MOHO_OK;
  double sum = 0, from = 0;
  for (size_t k = 0; k < f.n; k++) {
    moho_piece here = moho_piece_of(&f, k, p->kind);
    sum += moho_piece_square(&here, f.t[k] - from);
    p->integral[first + k] = sum;
    if (p->kind == MOHO_VELOCITY_AVERAGE && !check_implied(&here, f.t[k] - from, min_mps, max_mps, &bad->v_mps)) {
      bad->profile = profile, bad->knot = k ? k - 1 : 0, bad->implied = 1;
      return MOHO_ERROR_RANGE;
    }
    from = f.t[k];
  }
  return MOHO_OK;
}

moho_status moho_profiles_prepare(moho_profiles *p, double min_mps, double max_mps, moho_bad_knot *bad) {
  size_t total = 0;
  if (p->start) total = p->start[p->n];
  else MOHO_TRY(moho_multiply(p->n, p->n_shared, "velocity functions", &total));
  if (p->kind == MOHO_VELOCITY_INTERVAL || p->kind == MOHO_VELOCITY_AVERAGE)
    MOHO_TRY(moho_allocate(total, sizeof *p->integral, "velocity functions", &p->integral));
  p->low_mps = INFINITY, p->high_mps = -INFINITY;
  for (size_t i = 0; i < p->n; i++) {
    moho_status status = prepare_one(p, i, min_mps, max_mps, bad);
    if (status) return status;
  }
  return MOHO_OK;
}

/* ---- evaluating ---- */

/* The loops below count in int: its conversion to double is one vector instruction, that of size_t is not. */
static double time_of(double first_s, double step_s, int k) {
  return first_s + (double)k * step_s;
}

static void add_rms_piece(const moho_piece *p, double weight, double first_s, double step_s, int from, int to, double *sum) {
  double v0 = p->v, slope = p->slope, a = p->a;
  for (int k = from; k < to; k++) {
    double v = v0 + slope * (time_of(first_s, step_s, k) - a);
    sum[k] += weight / (v * v);
  }
}

/* 1/v_rms^2 = t / (integral to a + integral from a to t); the quotient is taken by hand where a = 0, since t may be 0 too. */
static void add_integral_piece(const moho_piece *p, double before, double weight, double first_s, double step_s, int from, int to,
                               double *sum) {
  double a = p->a, square = p->v * p->v, product = p->v * p->slope, third = p->slope * p->slope / 3;
  if (a == 0) {
    for (int k = from; k < to; k++) {
      double t = time_of(first_s, step_s, k);
      sum[k] += weight / (square + t * (product + t * third));
    }
    return;
  }
  for (int k = from; k < to; k++) {
    double t = time_of(first_s, step_s, k), s = t - a;
    sum[k] += weight * t / (before + s * (square + s * (product + s * third)));
  }
}

/* First k whose time is at or after t. */
static int first_at(double t, double first_s, double step_s, int from, int n) {
  double guess = (t - first_s) / step_s;
  int k = guess > (double)from ? (guess < (double)n ? (int)guess : n) : from;
  while (k > from && time_of(first_s, step_s, k - 1) >= t) k--;
  while (k < n && time_of(first_s, step_s, k) < t) k++;
  return k;
}

/* Times first_s + k*step_s, from <= k < n, ascending and none before 0. */
static void add_ascending(const moho_profiles *p, const moho_knots *f, double weight, double first_s, double step_s, int from,
                          int n, double *sum) {
  int k = from;
  for (size_t number = moho_piece_at(f, time_of(first_s, step_s, from)); number <= f->n && k < n; number++) {
    int end = number < f->n ? first_at(f->t[number], first_s, step_s, k, n) : n;
    if (end == k) continue;
    moho_piece here = moho_piece_of(f, number, p->kind);
    if (p->kind == MOHO_VELOCITY_RMS) add_rms_piece(&here, weight, first_s, step_s, k, end, sum);
    else add_integral_piece(&here, number ? f->integral[number - 1] : 0, weight, first_s, step_s, k, end, sum);
    k = end;
  }
}

void moho_profiles_add_slowness2(const moho_profiles *p, size_t profile, double weight, double first_s, double step_s, int n,
                                 double *sum) {
  moho_knots f = moho_knots_of(p, profile);
  int k = step_s > 0 ? first_at(0, first_s, step_s, 0, n) : n;
  for (int early = 0; early < k; early++) /* one by one: before 0, or times that do not ascend */
    add_ascending(p, &f, weight, fmax(time_of(first_s, step_s, early), 0), 1, 0, 1, sum + early);
  if (k < n) add_ascending(p, &f, weight, first_s, step_s, k, n, sum);
}

/* ---- functions at places ---- */

typedef struct placed {
  moho_velocity base;
  moho_profiles profiles;
  moho_between *between;
} placed;

static void evaluate(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n, double *v) {
  const placed *p = (const placed *)velocity;
  moho_weights w = moho_between_at(p->between, x, y);
  for (size_t k = 0; k < n; k++) v[k] = 0;
  for (size_t i = 0; i < w.n; i++)
    if (w.weight[i] > 0) moho_profiles_add_slowness2(&p->profiles, w.index[i], w.weight[i], first_s, step_s, (int)n, v);
  for (size_t k = 0; k < n; k++) v[k] = 1 / sqrt(v[k]);
}

static void evaluate_interval(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                              double *v, double *ratio) {
  const placed *p = (const placed *)velocity;
  moho_weights w = moho_between_at(p->between, x, y);
  for (size_t k = 0; k < n; k++) {
    if (v) v[k] = 0;
    if (ratio) ratio[k] = 0;
  }
  for (size_t i = 0; i < w.n; i++)
    if (w.weight[i] > 0) moho_profiles_add_interval(&p->profiles, w.index[i], w.weight[i], first_s, step_s, n, v, ratio);
  for (size_t k = 0; k < n; k++) {
    if (v) v[k] = 1 / sqrt(v[k]);
    if (ratio) ratio[k] = fmax(ratio[k], 1);
  }
}

static moho_weights support(const moho_velocity *velocity, double x, double y) {
  return moho_between_at(((const placed *)velocity)->between, x, y);
}

static void function_interval(const moho_velocity *velocity, size_t function, double first_s, double step_s, size_t n,
                              double *v) {
  for (size_t k = 0; k < n; k++) v[k] = 0;
  moho_profiles_add_interval(&((const placed *)velocity)->profiles, function, 1, first_s, step_s, n, v, NULL);
  for (size_t k = 0; k < n; k++) v[k] = 1 / sqrt(v[k]);
}

/* Numbers that are no velocities (eta): interpolated as they are. */
static void evaluate_number(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                            double *v) {
  const placed *p = (const placed *)velocity;
  moho_weights w = moho_between_at(p->between, x, y);
  for (size_t k = 0; k < n; k++) v[k] = 0;
  for (size_t i = 0; i < w.n; i++) moho_profiles_add_value(&p->profiles, w.index[i], w.weight[i], first_s, step_s, n, v);
}

static void destroy(moho_velocity *velocity) {
  placed *p = (placed *)velocity;
  moho_profiles_release(&p->profiles);
  moho_between_destroy(&p->between);
  free(p);
}

moho_status moho_profiles_make_velocity(moho_profiles *profiles, moho_between **between, const char *describe,
                                        const moho_velocity_options *options, moho_velocity **out) {
  placed *p;
  *out = NULL;
  moho_status status = moho_allocate(1, sizeof *p, "velocity", &p);
  if (status) {
    moho_profiles_release(profiles);
    moho_between_destroy(between);
    return status;
  }
  p->profiles = *profiles, p->between = *between;
  *profiles = (moho_profiles){0}, *between = NULL;
  p->base.evaluate = p->profiles.kind == MOHO_VELOCITY_ETA ? evaluate_number : evaluate, p->base.destroy = destroy;
  p->base.interval = evaluate_interval;
  p->base.n_functions = p->profiles.n, p->base.support = support, p->base.function_interval = function_interval;
  p->base.uniform = p->profiles.n == 1;
  /* The numbers lie in the range, so what is interpolated between them does; rounding alone must not make an error. */
  double slack = 1e-9 * fmax(fabs(options->min_mps), fabs(options->max_mps));
  p->base.min_mps = options->min_mps - slack, p->base.max_mps = options->max_mps + slack;
  snprintf(p->base.describe, sizeof p->base.describe, "%s", describe);
  *out = &p->base;
  return MOHO_OK;
}
