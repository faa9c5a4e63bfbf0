/* physics_support.h - small surveys, wavelets and migrations for the physics tests (docs/physics.md "What must hold").
 *
 * Nothing here comes from the library's synthetics: times and wavelets are plain formulas, so that a mistake made twice in
 * the library does not pass.
 */
#ifndef MOHO_PHYSICS_SUPPORT_H
#define MOHO_PHYSICS_SUPPORT_H

#include "moho/migration.h"
#include "test_support.h"

#define PI 3.14159265358979323846

/* The device under test: MOHO_DEVICE, else the cpu with two threads. */
const char *physics_device(void);
/* MOHO_TEST_SMALL is set: on a device that runs a lane after another (Metal's test double) each migration has at most 10^7
 * contributions, and the shapes that show nothing new are left out. */
int physics_is_small(void);
enum { PHYSICS_SMALL_CONTRIBUTIONS = 10000000 };

/* A survey in memory. */
typedef struct survey {
  moho_geometry geometry;
  float *samples; /* [n, n_samples] */
  size_t n, n_samples;
  double dt_s;
} survey;

survey survey_create(size_t n, size_t n_samples, double dt_s);
void survey_release(survey *s);
/* Source and receiver of trace k around a midpoint; azimuth clockwise from north. */
void survey_place(survey *s, size_t k, double x, double y, double offset, double azimuth_deg);
/* Turned clockwise about (0, 0), then moved. */
void survey_move(survey *s, double turn_deg, double x, double y);

/* A wavelet as a function of time. */
typedef double (*wavelet_function)(double hz, double t);
double ricker(double hz, double t);
double ricker_derivative(double hz, double t);
/* The causal half-derivative, from a fine table made once for one frequency. */
double ricker_half_derivative(double hz, double t);
/* Trace k += amplitude * w(t - time). */
void survey_add(survey *s, size_t k, wavelet_function w, double hz, double time, double amplitude);
/* Every trace a sum of Ricker wavelets of random times, signs and frequencies below max_hz/3. */
void survey_fill_with_events(survey *s, double max_hz, uint64_t seed);

/* Distance in 3D from a surface point. */
double distance_to(double x, double y, double point_x, double point_y, double point_z);

/* Node (0, 0) at (x, y), inlines along `azimuth_deg`, every spacing metres. */
moho_grid grid_of(double x, double y, double azimuth_deg, size_t n_inline, size_t n_crossline, double spacing, size_t n_time,
                  double dt_s);
void grid_move(moho_grid *grid, double turn_deg, double x, double y);

/* Aperture wide open, nothing weighted, muted, tapered or filtered: radius_m at all times. */
moho_migration_options plain_options(double radius_m);

/* Migrate a survey in batches (0: at once), with the options' gathers. The image is released by the caller. counts may be
 * NULL. Small, kernel auto is v3: its trial of v2 would take longer than the work, and the double's times say nothing. */
moho_image migrate_counted(const char *uri, const moho_grid *grid, const moho_velocity *velocity,
                           const moho_migration_options *options, const survey *s, size_t batch, moho_migration_counts *counts);
moho_image migrate(const char *uri, const moho_grid *grid, const moho_velocity *velocity, const moho_migration_options *options,
                   const survey *s, size_t batch);
/* The same at constant velocity on the device under test. */
moho_image migrate_constant(const moho_grid *grid, double v_mps, const moho_migration_options *options, const survey *s);

size_t image_size(const moho_image *image);
const float *image_column(const moho_image *image, size_t i, size_t j);

/* Where |column| is largest: sample with the fraction from the parabola through three samples; *value the sample. */
double pick_peak(const float *column, size_t n, double *value);

double relative_difference(const float *a, const float *b, size_t n);

#endif
