/* synth_wavelet.c - wavelets as finely sampled tables, evaluated at exact times.
 *
 * Three shapes of a zero-phase wavelet g with g(0) = 1 (docs/physics.md "Rho filter"): g itself (reflectors, plain
 * diffractors); dg/dt (a small reflector element in 3D: the migration's -d/dt makes it -g''); and the causal half-derivative,
 * sqrt(i*omega) G (the same in 2D: the anticausal half-derivative makes it |omega| G). All come out zero-phase, positive.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/synth_plan.h"

#define PI 3.14159265358979323846

/* Six-point interpolation at 32 steps a period errs by 3e-7 at the highest frequency. */
enum { TAPS = 6, LEFT = 2, RIGHT = 3, STEPS_A_PERIOD = 32 };

static const double NOTHING = 1e-6; /* of the peak: where the half-derivative's slow tail is cut */

/* ---- g and its derivative in closed form ---- */

static double ricker(double hz, double t) {
  double a = PI * hz * t;
  return (1 - 2 * a * a) * exp(-a * a);
}

static double ricker_derivative(double hz, double t) {
  double a = PI * hz * t;
  return PI * hz * (4 * a * a - 6) * a * exp(-a * a);
}

/* pi*f^2*sinc^2(f*t), the transform of a triangle that reaches to f. */
static double triangle_spectrum(double hz, double t) {
  double a = PI * hz * t;
  double sinc = fabs(a) < 1e-6 ? 1 - a * a / 6 : sin(a) / a;
  return PI * hz * hz * sinc * sinc;
}

static double ormsby_half_length(const double f[4]) {
  return 4 / fmin(f[1] - f[0], f[3] - f[2]);
}

/* A trapezoid spectrum with corners f; its 1/t^2 tails are brought to nothing by a cosine-squared window. */
static double ormsby(const double f[4], double t) {
  double length = ormsby_half_length(f);
  if (fabs(t) >= length) return 0;
  double high = (triangle_spectrum(f[3], t) - triangle_spectrum(f[2], t)) / (f[3] - f[2]);
  double low = (triangle_spectrum(f[1], t) - triangle_spectrum(f[0], t)) / (f[1] - f[0]);
  double window = cos(0.5 * PI * t / length);
  return (high - low) / (PI * (f[3] + f[2] - f[1] - f[0])) * window * window;
}

/* Sixth-order central difference; its error is 1e-8 at the highest frequency. */
static double ormsby_derivative(const double f[4], double t) {
  double h = 1 / (64 * f[3]), d[3];
  for (int i = 0; i < 3; i++) d[i] = ormsby(f, t + (i + 1) * h) - ormsby(f, t - (i + 1) * h);
  return (45 * d[0] - 9 * d[1] + d[2]) / (60 * h);
}

static double wavelet_value(const moho_synth_options *o, double t) {
  return o->wavelet == MOHO_WAVELET_RICKER ? ricker(o->peak_hz, t) : ormsby(o->ormsby_hz, t);
}

static double wavelet_derivative(const moho_synth_options *o, double t) {
  return o->wavelet == MOHO_WAVELET_RICKER ? ricker_derivative(o->peak_hz, t) : ormsby_derivative(o->ormsby_hz, t);
}

/* Beyond it g is 0 (Ricker: below 1e-15). */
static double wavelet_half_length(const moho_synth_options *o) {
  return o->wavelet == MOHO_WAVELET_RICKER ? 2 / o->peak_hz : ormsby_half_length(o->ormsby_hz);
}

/* Above it the spectrum is below 1e-8 of its peak (Ormsby: plus the window's width). */
static double wavelet_highest_hz(const moho_synth_options *o) {
  return o->wavelet == MOHO_WAVELET_RICKER ? 5 * o->peak_hz : o->ormsby_hz[3] + 8 / ormsby_half_length(o->ormsby_hz);
}

double moho_wavelet_dominant_hz(const moho_synth_options *o) {
  return o->wavelet == MOHO_WAVELET_RICKER ? o->peak_hz : 0.5 * (o->ormsby_hz[1] + o->ormsby_hz[2]);
}

/* ---- interpolation ---- */

/* Lagrange weights of the values at -2 ... 3 for the place f in [0, 1). */
static void lagrange_weights(double f, double weights[TAPS]) {
  for (int i = 0; i < TAPS; i++) {
    weights[i] = 1;
    for (int j = 0; j < TAPS; j++)
      if (j != i) weights[i] *= (f + LEFT - j) / (i - j);
  }
}

static double weigh(const double weights[TAPS], const double *around) {
  double sum = 0;
  for (int i = 0; i < TAPS; i++) sum += weights[i] * around[i - LEFT];
  return sum;
}

static double table_value(const moho_wavelet_table *table, double t) {
  double weights[TAPS], place = (t - table->first_s) / table->step_s, whole = floor(place);
  if (whole < LEFT || whole + RIGHT >= (double)table->n) return 0;
  lagrange_weights(place - whole, weights);
  return weigh(weights, table->values + (size_t)whole);
}

void moho_wavelet_add(const moho_wavelet_table *table, double time_s, double amplitude, double first_sample_s, double dt_s,
                      size_t n, float *samples) {
  double begin = (time_s + table->first_s - first_sample_s) / dt_s; /* of the table, in samples */
  double first = ceil(begin + (double)LEFT / (double)table->per_sample);
  if (first < 0) first = 0;
  if (!(first < (double)n)) return;
  double place = (first - begin) * (double)table->per_sample, whole = floor(place), weights[TAPS];
  if (whole + RIGHT >= (double)table->n) return;
  lagrange_weights(place - whole, weights);
  for (int i = 0; i < TAPS; i++) weights[i] *= amplitude;
  const size_t from = (size_t)first, at = (size_t)whole, most = (table->n - 1 - RIGHT - at) / table->per_sample + 1;
  const size_t count = n - from < most ? n - from : most;
  for (size_t j = 0; j < count; j++) samples[from + j] += (float)weigh(weights, table->values + at + j * table->per_sample);
}

/* ---- the half-derivative ---- */

/* D^1/2 g(t) = 1/sqrt(pi) * integral of g'(t-u)/sqrt(u) du = 2/sqrt(pi) * integral of g'(t - s^2) ds, s > 0: without the
 * singularity, and even and band-limited in s, so that the trapezoid rule is exact below its aliasing step. */
static double half_derivative(const moho_wavelet_table *derivative, double length, double highest_hz, double t) {
  if (t <= -length) return 0;
  double last = sqrt(t + length), first = t > length ? sqrt(t - length) : 0;
  double step = 1 / (4 * highest_hz * last), sum = 0;
  size_t steps = (size_t)((last - first) / step);
  for (size_t i = 0; i <= steps; i++) {
    double s = first + (double)i * step;
    sum += (s > 0 ? 1.0 : 0.5) * table_value(derivative, t - s * s);
  }
  return 2 / sqrt(PI) * step * sum;
}

/* ---- tables ---- */

/* Values at step*(-before) ... step*after, and room for the taps around. */
static moho_status table_allocate(double step_s, size_t per_sample, double before_s, double after_s, moho_wavelet_table *out) {
  double before = ceil(before_s / step_s) + TAPS, after = ceil(after_s / step_s) + TAPS;
  *out = (moho_wavelet_table){
      .first_s = -before * step_s, .step_s = step_s, .per_sample = per_sample, .n = (size_t)(before + after) + 1};
  return moho_allocate(out->n, sizeof(double), "wavelet table", &out->values);
}

static double table_time(const moho_wavelet_table *table, size_t i) {
  return table->first_s + (double)i * table->step_s;
}

static void find_peak(moho_wavelet_table *table) {
  for (size_t i = 0; i < table->n; i++) table->peak = fmax(table->peak, fabs(table->values[i]));
}

static void cut_tail(moho_wavelet_table *table) {
  while (table->n > 2 * TAPS && fabs(table->values[table->n - 1 - TAPS]) < NOTHING * table->peak) table->n--;
}

static moho_status fill_half_derivative(const moho_synth_options *o, const moho_wavelet_table *derivative,
                                        moho_wavelet_table *out) {
  double length = wavelet_half_length(o), highest = wavelet_highest_hz(o);
  MOHO_TRY(table_allocate(derivative->step_s, derivative->per_sample, length, length + 64 / moho_wavelet_dominant_hz(o), out));
#pragma omp parallel for schedule(dynamic, 256)
  for (size_t i = 0; i < out->n; i++) out->values[i] = half_derivative(derivative, length, highest, table_time(out, i));
  find_peak(out);
  cut_tail(out);
  return MOHO_OK;
}

moho_status moho_wavelet_table_create(const moho_synth_options *o, moho_wavelet_shape shape, moho_wavelet_table *out) {
  double length = wavelet_half_length(o), per_sample = ceil(o->dt_s * STEPS_A_PERIOD * wavelet_highest_hz(o));
  moho_wavelet_table table;
  MOHO_TRY(table_allocate(o->dt_s / per_sample, (size_t)per_sample, length, length, &table));
  for (size_t i = 0; i < table.n; i++) {
    double t = table_time(&table, i);
    table.values[i] = shape == MOHO_SHAPE_PLAIN ? wavelet_value(o, t) : wavelet_derivative(o, t);
  }
  find_peak(&table);
  if (shape != MOHO_SHAPE_HALF_DERIVATIVE) return *out = table, MOHO_OK;
  moho_status status = fill_half_derivative(o, &table, out);
  moho_wavelet_table_release(&table);
  if (status) moho_wavelet_table_release(out);
  return status;
}

void moho_wavelet_table_release(moho_wavelet_table *table) {
  free(table->values);
  *table = (moho_wavelet_table){0};
}
