/* synth_plan.h - what the synthetic-survey sources share: the checked survey, its wavelet tables, its events.
 *
 * Traces are ordered by planes of one azimuth and one offset: azimuth slowest, then offset, then the midpoint's inline,
 * then its crossline fastest.
 */
#ifndef MOHO_SURVEY_SYNTH_PLAN_H
#define MOHO_SURVEY_SYNTH_PLAN_H

#include "base/fail.h"
#include "moho/synth.h"

/* ---- the wavelet: a finely sampled table whose step divides dt, so that one set of weights serves a whole trace ---- */

typedef enum { MOHO_SHAPE_PLAIN, MOHO_SHAPE_DERIVATIVE, MOHO_SHAPE_HALF_DERIVATIVE } moho_wavelet_shape;

typedef struct moho_wavelet_table {
  double first_s, step_s; /* time of values[0]; step = dt / per_sample */
  size_t n, per_sample;
  double *values;
  double peak; /* largest |value| */
} moho_wavelet_table;

moho_status moho_wavelet_table_create(const moho_synth_options *options, moho_wavelet_shape shape, moho_wavelet_table *out);
void moho_wavelet_table_release(moho_wavelet_table *table);
/* samples[j] += amplitude * w(first_sample_s + j*dt_s - time_s), j < n; only where w is not zero. */
void moho_wavelet_add(const moho_wavelet_table *table, double time_s, double amplitude, double first_sample_s, double dt_s,
                      size_t n, float *samples);
/* The frequency that stands for the wavelet's length scale: the Ricker peak, the middle of Ormsby's flat part. */
double moho_wavelet_dominant_hz(const moho_synth_options *options);

/* ---- travel times ---- */

typedef struct moho_point {
  double x, y, z;
} moho_point;

typedef struct moho_medium {
  double v0_mps, gradient_per_s;
} moho_medium; /* v(z) = v0 + k*z */

/* A leg from a surface point: time, its first and second derivatives by the lower point, spreading length. */
typedef struct moho_leg {
  double time_s;
  double gradient[3]; /* x, y, z: s/m */
  double hessian[3][3];
  double spreading_m; /* l of the Green's function 1/(4*pi*l) at constant density */
} moho_leg;

moho_leg moho_leg_from_surface(moho_medium medium, double surface_x, double surface_y, moho_point lower);
/* One-way vertical time, and r.m.s. velocity down to depth z. */
double moho_medium_vertical_time(moho_medium medium, double z_m);
double moho_medium_rms(moho_medium medium, double z_m);

/* What one event puts into one trace: amplitude * wavelet(t - time_s). amplitude 0: nothing. */
typedef struct moho_arrival {
  double time_s, amplitude;
} moho_arrival;

/* A trace's geometry as the events see it. */
typedef struct moho_shot {
  double source_x, source_y, receiver_x, receiver_y;
} moho_shot;

moho_arrival moho_diffractor_arrival(const moho_synth_options *options, int two_d, const moho_synth_diffractor *diffractor,
                                     moho_shot shot);
/* found = 0: no reflection point could be found although there must be one. */
moho_arrival moho_reflector_arrival(const moho_synth_options *options, const moho_synth_reflector *reflector, moho_shot shot,
                                    int *found);

/* ---- the survey ---- */

typedef struct moho_synth_plan {
  const moho_synth_options *options; /* BORROW */
  int two_d;
  size_t n_inline, n_crossline, n_offsets, n_traces;
  moho_wavelet_table reflector_wavelet, diffractor_wavelet;
  double noise_rms;
  float *noise_quantiles; /* table of the noise generator */
} moho_synth_plan;

moho_status moho_synth_check(const moho_synth_options *options);
moho_status moho_synth_plan_create(const moho_synth_options *options, moho_synth_plan *out);
void moho_synth_plan_release(moho_synth_plan *plan);
moho_status moho_synth_plan_generate(const moho_synth_plan *plan, size_t first, size_t n, moho_geometry *geometry,
                                     float *samples);

/* Whole steps in a length, checked: the count of nodes, or MOHO_ERROR_RANGE naming the two nearest lengths. */
moho_status moho_synth_nodes(const char *key, double length_m, double step_m, size_t *nodes);

/* ---- noise: normal numbers from (seed, trace, sample) alone ---- */

moho_status moho_noise_table_create(float **quantiles);
void moho_noise_add(const float *quantiles, uint64_t seed, uint64_t trace, double rms, size_t n, float *samples);

#endif
