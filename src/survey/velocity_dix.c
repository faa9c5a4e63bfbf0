/* velocity_dix.c - rms, interval and average velocities into each other, exactly as velocity_profiles.c reads them.
 *
 * A function is taken apart into pieces of linear interval velocity: one a layer for rms picks (constant, Dix 1955), as the
 * knots say for interval and average velocities; from the pieces its knots of the new kind follow:
 *   v_rms^2(t) = (1/t) integral of v_int^2,  v_avg(t) = (1/t) integral of v_int
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/velocity_functions_inside.h"
#include "survey/velocity_tables.h"

/* ---- errors name the pick ---- */

static size_t function_of_knot(const moho_velocity_functions *f, size_t knot) {
  size_t p = 0;
  while (p + 1 < f->n && f->start[p + 1] <= knot) p++;
  return p;
}

moho_status(moho_functions_fail)(const moho_velocity_functions *f, size_t knot, const char *hint, moho_status code,
                                 const char *format, ...) {
  char what[300], where[120] = "";
  size_t p = function_of_knot(f, knot);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  const char *file = f->file ? f->file : "velocity functions";
  if (f->line)
    return moho_fail_at((moho_place){.file = f->file, .line = f->line[knot]}, hint, code, "%s:%d: %s", file, (int)f->line[knot],
                        what);
  if (f->number) snprintf(where, sizeof where, "trace %zu, ", f->number[p]);
  else if (f->x_m) snprintf(where, sizeof where, "function %zu at x %.2f m, y %.2f m, ", p + 1, f->x_m[p], f->y_m[p]);
  else snprintf(where, sizeof where, "function %zu, ", p + 1);
  return moho_fail_at((moho_place){.file = f->file, .trace = f->number ? (int64_t)f->number[p] : 0}, hint, code,
                      "%s: %stime %.6g s: %s", file, where, f->time_s[knot], what);
}

/* ---- pieces ---- */

/* Interval velocity v0 at t0 to v1 at t1, linear. The knot of the source that the piece ends at, for errors. */
typedef struct piece {
  double t0, t1, v0, v1;
  size_t knot;
} piece;

static double integral_v(const piece *p) {
  return (p->t1 - p->t0) * (p->v0 + p->v1) / 2;
}

static double integral_v2(const piece *p) {
  return (p->t1 - p->t0) * (p->v0 * p->v0 + p->v0 * p->v1 + p->v1 * p->v1) / 3;
}

static moho_status layer_velocity(const moho_velocity_functions *f, size_t k, double *v) {
  double t0 = f->time_s[k - 1], t1 = f->time_s[k], v0 = f->v_mps[k - 1], v1 = f->v_mps[k];
  double square = (t1 * v1 * v1 - t0 * v0 * v0) / (t1 - t0);
  if (!(square > 0))
    return moho_functions_fail(
        f, k, "the pick falls too steeply: v_rms may fall no faster than as 1/sqrt(t); correct it or the one before",
        MOHO_ERROR_RANGE, "v_rms %.6g m/s at %.6g s after %.6g m/s at %.6g s: v_int^2 would be %.6g (m/s)^2, negative", v1, t1,
        v0, t0, square);
  *v = sqrt(square);
  return MOHO_OK;
}

/* The piece that ends at knot k of the function that begins at knot `first`. */
static moho_status piece_to_knot(const moho_velocity_functions *f, size_t first, size_t k, piece *out) {
  double t1 = f->time_s[k], v1 = f->v_mps[k];
  *out = (piece){0, t1, v1, v1, k};
  if (k == first) return MOHO_OK; /* constant above the first knot */
  double t0 = f->time_s[k - 1], v0 = f->v_mps[k - 1], slope = (v1 - v0) / (t1 - t0);
  out->t0 = t0;
  if (f->kind == MOHO_VELOCITY_INTERVAL) out->v0 = v0;
  if (f->kind == MOHO_VELOCITY_AVERAGE) out->v0 = v0 + slope * t0, out->v1 = v1 + slope * t1;
  if (f->kind == MOHO_VELOCITY_RMS) {
    MOHO_TRY(layer_velocity(f, k, &out->v0));
    out->v1 = out->v0;
  }
  return MOHO_OK;
}

/* ---- knots ---- */

typedef struct maker {
  const moho_velocity_functions *from;
  const moho_velocity_options *options;
  moho_velocity_kind kind;
  double *time_s, *v_mps; /* growing */
  size_t n, capacity;
  size_t first; /* of the function that is being made */
} maker;

static moho_status grow(maker *m) {
  size_t capacity = 2 * m->capacity + 256;
  double *time_s = realloc(m->time_s, capacity * sizeof *time_s), *v_mps = realloc(m->v_mps, capacity * sizeof *v_mps);
  if (time_s) m->time_s = time_s;
  if (v_mps) m->v_mps = v_mps;
  if (!time_s || !v_mps) return moho_fail(MOHO_ERROR_MEMORY, "velocity functions: out of memory");
  m->capacity = capacity;
  return MOHO_OK;
}

static moho_status add_knot(maker *m, double t, double v, size_t knot) {
  if (!(v >= m->options->min_mps * (1 - 1e-9) && v <= m->options->max_mps * (1 + 1e-9)))
    return moho_functions_fail(m->from, knot, "correct the pick, or widen the accepted range", MOHO_ERROR_RANGE,
                               "the %s velocity at %.6g s would be %.6g m/s, expected %g to %g m/s",
                               m->kind == MOHO_VELOCITY_RMS        ? "rms"
                               : m->kind == MOHO_VELOCITY_INTERVAL ? "interval"
                                                                   : "average",
                               t, v, m->options->min_mps, m->options->max_mps);
  if (m->n == m->capacity) MOHO_TRY(grow(m));
  m->time_s[m->n] = t, m->v_mps[m->n++] = v;
  return MOHO_OK;
}

/* A piece within the boundary between two layers, as interval knots have them. */
static int is_step(const maker *m, const piece *p) {
  return m->n > m->first && p->t1 - p->t0 < 1.5 * MOHO_VELOCITY_STEP_S;
}

/* Interval: the lower end of a piece, and its upper end when the layer above ends with another velocity. */
static moho_status add_interval(maker *m, const piece *p) {
  if (is_step(m, p)) return MOHO_OK;
  int is_first = m->n == m->first;
  double step = p->t0 + MOHO_VELOCITY_STEP_S;
  if (!is_first && fabs(m->v_mps[m->n - 1] - p->v0) > 1e-9 * p->v0 && step < p->t1) MOHO_TRY(add_knot(m, step, p->v0, p->knot));
  return add_knot(m, p->t1, p->v1, p->knot);
}

/* v_rms off by at most this because the average velocity is linear between knots. */
static const double average_slack_mps = 0.1;

/* Between a knot and the next, v_int^2 of a linear average is too large by (v_avg1 - v_avg0)^2/3 on the mean: so many knots
 * between that the change from one to the next stays small. */
static moho_status add_average(maker *m, const piece *p, double before) {
  double after = before + integral_v(p), slowest = fmin(p->v0, p->v1);
  double change = p->t0 > 0 ? fabs(after / p->t1 - before / p->t0) : fabs(p->v1 - p->v0) / 2;
  double most = sqrt(6 * average_slack_mps * slowest) / 2;
  int parts = (int)fmin(ceil(change / most) + 1, 1000);
  if (is_step(m, p)) return MOHO_OK;
  if (p->t0 == 0 && m->n > m->first && m->v_mps[m->n - 1] != p->v0 && MOHO_VELOCITY_STEP_S < p->t1) /* after a pick at 0 */
    MOHO_TRY(add_knot(m, MOHO_VELOCITY_STEP_S, p->v0, p->knot));
  for (int i = 1; i <= parts; i++) {
    double t = i == parts ? p->t1 : p->t0 + (p->t1 - p->t0) * i / parts, s = t - p->t0;
    double slope = (p->v1 - p->v0) / (p->t1 - p->t0);
    double v = i == parts ? after / p->t1 : (before + s * (p->v0 + slope * s / 2)) / t;
    MOHO_TRY(add_knot(m, t, v, p->knot));
  }
  return MOHO_OK;
}

static moho_status add_function(maker *m, size_t first, size_t end) {
  double sum_v = 0, sum_v2 = 0;
  m->first = m->n;
  for (size_t k = first; k < end; k++) {
    piece p;
    MOHO_TRY(piece_to_knot(m->from, first, k, &p));
    double before = sum_v;
    sum_v += integral_v(&p), sum_v2 += integral_v2(&p);
    if (p.t1 == 0) MOHO_TRY(add_knot(m, 0, p.v1, k)); /* at time 0 all kinds are one */
    else if (m->kind == MOHO_VELOCITY_INTERVAL) MOHO_TRY(add_interval(m, &p));
    else if (m->kind == MOHO_VELOCITY_AVERAGE) MOHO_TRY(add_average(m, &p, before));
    else if (!is_step(m, &p)) MOHO_TRY(add_knot(m, p.t1, sqrt(sum_v2 / p.t1), k));
  }
  return MOHO_OK;
}

static moho_status convert(maker *m, moho_velocity_functions *out) {
  const moho_velocity_functions *f = m->from;
  for (size_t p = 0; p < f->n; p++) {
    MOHO_TRY(add_function(m, f->start[p], f->start[p + 1]));
    out->start[p + 1] = m->n;
  }
  free(out->time_s), free(out->v_mps);
  out->time_s = m->time_s, out->v_mps = m->v_mps;
  m->time_s = m->v_mps = NULL;
  return MOHO_OK;
}

moho_status moho_velocity_functions_convert(const moho_velocity_functions *f, moho_velocity_kind kind,
                                            const moho_velocity_options *options, moho_velocity_functions *out) {
  moho_velocity_options defaults = moho_velocity_options_default();
  maker m = {.from = f, .options = options ? options : &defaults, .kind = kind};
  *out = (moho_velocity_functions){0};
  MOHO_TRY(moho_velocity_check_options(m.options));
  if (kind != MOHO_VELOCITY_RMS && kind != MOHO_VELOCITY_INTERVAL && kind != MOHO_VELOCITY_AVERAGE)
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocity kind %d, expected rms, interval or average", (int)kind);
  size_t knots = f->start[f->n];
  MOHO_TRY(moho_velocity_functions_create(f->n, kind == f->kind ? knots : 0, out));
  out->kind = kind;
  moho_status status = moho_functions_copy_places(f, out);
  if (!status && kind == f->kind) {
    memcpy(out->start, f->start, (f->n + 1) * sizeof *f->start);
    memcpy(out->time_s, f->time_s, knots * sizeof *f->time_s);
    memcpy(out->v_mps, f->v_mps, knots * sizeof *f->v_mps);
  } else if (!status) {
    status = convert(&m, out);
  }
  free(m.time_s), free(m.v_mps);
  if (status) moho_velocity_functions_release(out);
  return status;
}

/* ---- on an even axis ---- */

/* The sample at knot k of v_rms samples [first, first + n): `sum` is the integral of v_int to it. At time 0 all kinds are one. */
static moho_status turn_sample(const moho_velocity_functions *f, size_t first, size_t n, size_t k, moho_velocity_kind kind,
                               double *sum, double *v) {
  piece above, below;
  MOHO_TRY(piece_to_knot(f, first, first + k, &above));
  *sum += integral_v(&above);
  if (above.t1 == 0 || n == 1) *v = f->v_mps[first];
  else if (kind == MOHO_VELOCITY_AVERAGE) *v = *sum / above.t1;
  else if (k + 1 == n) *v = above.v1;
  else {
    MOHO_TRY(piece_to_knot(f, first, first + k + 1, &below));
    *v = sqrt((above.v1 * above.v1 + below.v0 * below.v0) / 2);
  }
  return MOHO_OK;
}

static moho_status turn_samples(const moho_velocity_functions *f, size_t first, size_t n, moho_velocity_kind kind,
                                const moho_velocity_options *options, double *v) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) {
    MOHO_TRY(turn_sample(f, first, n, k, kind, &sum, &v[k]));
    if (!(v[k] >= options->min_mps * (1 - 1e-9) && v[k] <= options->max_mps * (1 + 1e-9)))
      return moho_functions_fail(f, first + k, "correct the pick, or widen the accepted range", MOHO_ERROR_RANGE,
                                 "the %s velocity would be %.6g m/s, expected %g to %g m/s",
                                 kind == MOHO_VELOCITY_INTERVAL ? "interval" : "average", v[k], options->min_mps,
                                 options->max_mps);
  }
  return MOHO_OK;
}

moho_status moho_velocity_functions_sample(const moho_velocity_functions *f, moho_velocity_kind kind,
                                           const moho_velocity_options *options, double first_s, double step_s, size_t n,
                                           moho_velocity_functions *out) {
  moho_velocity_options defaults = moho_velocity_options_default();
  double *v;
  if (!options) options = &defaults;
  MOHO_TRY(moho_functions_sample_rms(f, first_s, step_s, n, out));
  if (kind == MOHO_VELOCITY_RMS) return MOHO_OK;
  moho_status status = moho_allocate(out->n * n, sizeof *v, "velocity samples", &v);
  if (!status && f->file && !(out->file = strdup(f->file))) status = moho_fail(MOHO_ERROR_MEMORY, "velocities: out of memory");
  for (size_t p = 0; !status && p < out->n; p++) status = turn_samples(out, p * n, n, kind, options, v + p * n);
  if (status) {
    free(v);
    moho_velocity_functions_release(out);
    return status;
  }
  free(out->v_mps);
  out->v_mps = v, out->kind = kind;
  return MOHO_OK;
}
