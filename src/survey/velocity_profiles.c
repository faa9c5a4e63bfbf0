/* velocity_profiles.c - v_rms of knots in closed form, and its interpolation between functions in 1/v^2. */
#include "survey/velocity_profiles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/velocity_between.h"
#include "survey/velocity_model.h"

void moho_profiles_release(moho_profiles *profiles) {
  free(profiles->start), free(profiles->time_s), free(profiles->v_mps), free(profiles->cube_mps), free(profiles->integral);
  *profiles = (moho_profiles){0};
}

/* ---- one function ---- */

typedef struct knots {
  size_t n;
  const double *t, *v, *integral;
  const float *cube;
} knots;

static knots knots_of(const moho_profiles *p, size_t profile) {
  size_t first = p->start ? p->start[profile] : profile * p->n_shared;
  return (knots){.n = p->start ? p->start[profile + 1] - first : p->n_shared,
                 .t = p->start ? p->time_s + first : p->time_s,
                 .v = p->v_mps ? p->v_mps + first : NULL,
                 .cube = p->cube_mps ? p->cube_mps + first : NULL,
                 .integral = p->integral ? p->integral + first : NULL};
}

static double value(const knots *f, size_t k) {
  return f->cube ? (double)f->cube[k] : f->v[k];
}

/* v at time a and its slope, valid from time a on: of rms the given velocity, of interval and average v_int. */
typedef struct piece {
  double a, v, slope;
} piece;

/* Piece k of n + 1: before the first knot, between knots k - 1 and k, after the last. */
static piece piece_of(const knots *f, size_t k, moho_velocity_kind kind) {
  if (k == 0) return (piece){0, value(f, 0), 0};
  double t = f->t[k - 1], v = value(f, k - 1);
  if (k == f->n) return (piece){t, v, 0};
  double slope = (value(f, k) - v) / (f->t[k] - t);
  /* v_avg = b + slope*t gives v_int = d(t*v_avg)/dt = b + 2*slope*t */
  if (kind == MOHO_VELOCITY_AVERAGE) return (piece){t, v + slope * t, 2 * slope};
  return (piece){t, v, slope};
}

/* Integral of (v + slope*s)^2 over s from 0 to s. */
static double integral_of(const piece *p, double s) {
  return s * (p->v * p->v + s * (p->v * p->slope + s * (p->slope * p->slope / 3)));
}

/* ---- checking ---- */

static int in_range(double v, double min_mps, double max_mps) {
  return v >= min_mps && v <= max_mps;
}

/* Interval velocities of a piece between two averages may leave the range by a rounding error only. */
static int check_implied(const piece *p, double length, double min_mps, double max_mps, double *bad) {
  double ends[2] = {p->v, p->v + p->slope * length};
  for (int e = 0; e < 2; e++)
    if (!in_range(ends[e], min_mps * (1 - 1e-12), max_mps * (1 + 1e-12))) {
      *bad = ends[e];
      return 0;
    }
  return 1;
}

static moho_status prepare_one(moho_profiles *p, size_t profile, double min_mps, double max_mps, moho_bad_knot *bad) {
  knots f = knots_of(p, profile);
  size_t first = p->start ? p->start[profile] : profile * p->n_shared;
  for (size_t k = 0; k < f.n; k++) {
    double v = value(&f, k);
    if (!in_range(v, min_mps, max_mps)) {
      *bad = (moho_bad_knot){profile, k, v, 0};
      return MOHO_ERROR_RANGE;
    }
    p->low_mps = fmin(p->low_mps, v), p->high_mps = fmax(p->high_mps, v);
  }
  if (!p->integral) return MOHO_OK;
  double sum = 0, from = 0;
  for (size_t k = 0; k < f.n; k++) {
    piece here = piece_of(&f, k, p->kind);
    sum += integral_of(&here, f.t[k] - from);
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
  if (p->kind != MOHO_VELOCITY_RMS) MOHO_TRY(moho_allocate(total, sizeof *p->integral, "velocity functions", &p->integral));
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

static void add_rms_piece(const piece *p, double weight, double first_s, double step_s, int from, int to, double *sum) {
  double v0 = p->v, slope = p->slope, a = p->a;
  for (int k = from; k < to; k++) {
    double v = v0 + slope * (time_of(first_s, step_s, k) - a);
    sum[k] += weight / (v * v);
  }
}

/* 1/v_rms^2 = t / (integral to a + integral from a to t); the quotient is taken by hand where a = 0, since t may be 0 too. */
static void add_integral_piece(const piece *p, double before, double weight, double first_s, double step_s, int from, int to,
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

/* Number of knots at or before time t: the piece that t is in. */
static size_t piece_at(const knots *f, double t) {
  size_t low = 0, high = f->n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (f->t[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Times first_s + k*step_s, from <= k < n, ascending and none before 0. */
static void add_ascending(const moho_profiles *p, const knots *f, double weight, double first_s, double step_s, int from, int n,
                          double *sum) {
  int k = from;
  for (size_t number = piece_at(f, time_of(first_s, step_s, from)); number <= f->n && k < n; number++) {
    int end = number < f->n ? first_at(f->t[number], first_s, step_s, k, n) : n;
    if (end == k) continue;
    piece here = piece_of(f, number, p->kind);
    if (p->kind == MOHO_VELOCITY_RMS) add_rms_piece(&here, weight, first_s, step_s, k, end, sum);
    else add_integral_piece(&here, number ? f->integral[number - 1] : 0, weight, first_s, step_s, k, end, sum);
    k = end;
  }
}

void moho_profiles_add_slowness2(const moho_profiles *p, size_t profile, double weight, double first_s, double step_s, int n,
                                 double *sum) {
  knots f = knots_of(p, profile);
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
  p->base.evaluate = evaluate, p->base.destroy = destroy;
  p->base.uniform = p->profiles.n == 1;
  /* The numbers lie in the range, so what is interpolated between them does; rounding alone must not make an error. */
  p->base.min_mps = options->min_mps * (1 - 1e-9), p->base.max_mps = options->max_mps * (1 + 1e-9);
  snprintf(p->base.describe, sizeof p->base.describe, "%s", describe);
  *out = &p->base;
  return MOHO_OK;
}
