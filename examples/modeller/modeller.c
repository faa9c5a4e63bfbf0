/* modeller.c - a 2D seismic survey by finite differences, written as SEG-Y: an independent check of the migration.
 *
 *   modeller MODEL.txt SURVEY.sgy [VELOCITY.txt]
 *
 * MODEL.txt: earth.h tells its words. VELOCITY.txt, if named, gets the model's r.m.s. velocities for a job's velocity.table.
 * Shots run side by side, a thread each. Nothing of the migration is used: the library only writes the traces.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <moho/traces.h>

#include "earth.h"
#include "warp.h"
#include "waves.h"

#define PI 3.14159265358979323846

static void check(moho_status status) {
  const moho_error *error = moho_last_error();
  if (status) stop("%s%s%s", error->message, error->hint[0] ? "\n  " : "", error->hint);
}

/* Everything that shots share. */
typedef struct studio {
  earth earth;
  survey survey;
  medium medium, background;
  warp warp;
  double *source;
  size_t n_steps;
} studio;

/* ---- the source ---- */

static double ricker(double hz, double t) {
  double a = PI * hz * t;
  return (1 - 2 * a * a) * exp(-a * a);
}

/* Half an integration: 2/sqrt(pi) * integral of g(t - s^2) ds, s > 0. */
static double half_integral(double hz, double t) {
  double sum = 0, ds = 0.02 / sqrt(hz), last = sqrt(fmax(0, t + 1.5 / hz)), first = t > 1.5 / hz ? sqrt(t - 1.5 / hz) : 0;
  ds = fmin(ds, 0.02 / (hz * fmax(last, 1e-9)));
  for (double s = first; s < last; s += ds) sum += (s > 0 ? 1.0 : 0.5) * ricker(hz, t - s * s);
  return 2 / sqrt(PI) * ds * sum;
}

/* ---- set up ---- */

static int on_node(const survey *s, double x) {
  return fabs(x / s->spacing - nearbyint(x / s->spacing)) < 1e-6;
}

static void check_survey(const survey *s) {
  if (!on_node(s, s->shot_first) || !on_node(s, s->shot_step) || !on_node(s, s->offset_first) || !on_node(s, s->offset_step))
    stop("shots (%g, every %g m) and receivers (%g, every %g m) must lie on the grid of %g m", s->shot_first, s->shot_step,
         s->offset_first, s->offset_step, s->spacing);
  if (0.5 / s->dt < 3 * s->peak_hz)
    stop("a sample interval of %g s holds %g Hz, a Ricker wavelet of %g Hz needs %g", s->dt, 0.5 / s->dt, s->peak_hz,
         3 * s->peak_hz);
}

static void set_up(studio *st, const char *model) {
  survey *s = &st->survey;
  earth_read(model, &st->earth, s);
  check_survey(s);
  double delay = 1.5 / s->peak_hz, dt = waves_step(&st->earth, s), length = (double)s->n_samples * s->dt + 2 * delay;
  st->n_steps = (size_t)ceil(length / dt);
  st->source = calloc(st->n_steps, sizeof *st->source);
  if (!st->source) stop("out of memory");
  for (size_t k = 0; k < st->n_steps; k++)
    st->source[k] = half_integral(s->peak_hz, ((double)k + 0.5) * dt - delay) / st->earth.density;
  st->medium = medium_create(&st->earth, s->spacing, dt, s->peak_hz);
  if (s->subtract_direct) {
    earth smooth = earth_background(&st->earth);
    st->background = medium_create(&smooth, s->spacing, dt, s->peak_hz);
  }
  st->warp = warp_create(st->n_steps, dt, delay, s->n_samples, s->dt, fmin(4 * s->peak_hz, 0.5 / s->dt / 1.2));
  fprintf(stderr, "modeller: %zu x %zu nodes, %zu steps of %.3g ms, %zu shots\n", st->medium.nx, st->medium.nz, st->n_steps,
          1000 * dt, s->n_shots);
}

/* ---- shots ---- */

static double shot_x(const studio *st, size_t shot) {
  return st->survey.shot_first + (double)shot * st->survey.shot_step;
}

/* Receivers of a shot that lie on the line, into x; NULL: count them. */
static size_t receivers_of(const studio *st, size_t shot, double *x) {
  const survey *s = &st->survey;
  size_t n = 0, all = (size_t)floor((s->offset_last - s->offset_first) / s->offset_step + 1e-6) + 1;
  for (size_t r = 0; r < all; r++) {
    double at = shot_x(st, shot) + s->offset_first + (double)r * s->offset_step;
    if (at < -1e-6 || at > st->earth.width + 1e-6) continue;
    if (x) x[n] = at;
    n++;
  }
  return n;
}

static void *memory(size_t n, size_t size) {
  void *block = calloc(n + 1, size);
  if (!block) stop("out of memory: %zu times %zu bytes", n, size);
  return block;
}

/* The traces of a shot [n, n_samples]; the caller frees them. */
static float *record_shot(const studio *st, size_t shot, const double *x, size_t n) {
  float *record = memory(st->n_steps * n, sizeof(float)), *traces = memory(n * st->survey.n_samples, sizeof(float));
  waves_shoot(&st->medium, shot_x(st, shot), x, n, st->source, st->n_steps, record);
  if (st->survey.subtract_direct) {
    float *direct = memory(st->n_steps * n, sizeof(float));
    waves_shoot(&st->background, shot_x(st, shot), x, n, st->source, st->n_steps, direct);
    for (size_t k = 0; k < st->n_steps * n; k++) record[k] -= direct[k];
    free(direct);
  }
  warp_apply(&st->warp, record, n, traces);
  free(record);
  return traces;
}

static void write_shot(const studio *st, size_t shot, const double *x, size_t n, const float *traces,
                       moho_traces_writer *writer) {
  moho_geometry geometry;
  check(moho_geometry_create(n, &geometry));
  for (size_t r = 0; r < n; r++) geometry.source_x[r] = shot_x(st, shot), geometry.receiver_x[r] = x[r];
  check(moho_traces_writer_append(writer, &geometry, traces));
  moho_geometry_release(&geometry);
  fprintf(stderr, "\rmodeller: shot %zu of %zu%s", shot + 1, st->survey.n_shots, shot + 1 == st->survey.n_shots ? "\n" : "");
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    fputs("usage: modeller MODEL.txt SURVEY.sgy [VELOCITY.txt]\n", stderr);
    return 2;
  }
  studio st = {.n_steps = 0};
  set_up(&st, argv[1]);
  const survey *s = &st.survey;
  if (argc == 4) earth_write_velocity(&st.earth, argv[3], 50, (double)s->n_samples * s->dt);
  size_t n_traces = 0;
  moho_traces_writer *writer;
  for (size_t shot = 0; shot < s->n_shots; shot++) n_traces += receivers_of(&st, shot, NULL);
  if (!n_traces) stop("no shot has a receiver on the line");
  check(moho_traces_writer_create(argv[2], n_traces, s->n_samples, s->dt,
                                  "2D acoustic finite differences, line source, absorbing surface", &writer));
#pragma omp parallel for schedule(dynamic, 1) ordered
  for (size_t shot = 0; shot < s->n_shots; shot++) {
    size_t n = receivers_of(&st, shot, NULL);
    double *x = memory(n, sizeof *x);
    receivers_of(&st, shot, x);
    float *traces = record_shot(&st, shot, x, n);
#pragma omp ordered
    write_shot(&st, shot, x, n, traces, writer);
    free(traces);
    free(x);
  }
  check(moho_traces_writer_finish(&writer));
  medium_release(&st.medium), medium_release(&st.background), warp_release(&st.warp), free(st.source);
  return 0;
}
