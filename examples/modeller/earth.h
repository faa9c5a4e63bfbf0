/* earth.h - what the modeller's waves run through, and the survey shot over it: read from a few lines of text.
 *
 *   size 4800 1800             width and depth, m
 *   velocity 1700 0.6          m/s at the surface, growth with depth 1/s
 *   density 2000               kg/m3 above the first layer
 *   layer 400 450 2300 100     top of a layer: depth at the left and right end, m; density below; velocity step below (0), m/s
 *   fault 2400 60 80           x at the surface, m; dip to the right, degrees; layers to its right lie so many metres deeper
 *   diffractor 1200 600 12 3000  x, z, radius, m; density
 *   shots 0 80 60              x of the first, step, m; how many
 *   receivers -2000 2000 20    offsets: first, last, step, m; those off the line's ends are left out
 *   record 0.004 500           sample interval, s; samples
 *   wavelet 25                 Ricker, peak Hz
 *   grid 6                     spacing of the finite differences, m
 *   direct subtract            subtract: what the earth without layers and diffractors gives is taken away; keep
 */
#ifndef MODELLER_EARTH_H
#define MODELLER_EARTH_H

#include <stddef.h>

enum { MOST_LAYERS = 32, MOST_FAULTS = 8, MOST_DIFFRACTORS = 64 };

typedef struct layer {
  double left, right, density, step;
} layer;

typedef struct fault {
  double x, dip_deg, throw;
} fault;

typedef struct diffractor {
  double x, z, radius, density;
} diffractor;

typedef struct earth {
  double width, depth, v0, gradient, density;
  layer layers[MOST_LAYERS];
  fault faults[MOST_FAULTS];
  diffractor diffractors[MOST_DIFFRACTORS];
  size_t n_layers, n_faults, n_diffractors;
} earth;

typedef struct survey {
  double shot_first, shot_step, offset_first, offset_last, offset_step, dt, peak_hz, spacing;
  size_t n_shots, n_samples;
  int subtract_direct;
} survey;

/* Exits with a message that names file, line and what was expected. */
void earth_read(const char *path, earth *earth, survey *survey);

typedef struct rock {
  double velocity, density;
} rock;

rock earth_at(const earth *earth, double x, double z);
/* The same without layers and diffractors. */
earth earth_background(const earth *earth);
/* Largest velocity anywhere, smallest anywhere. */
void earth_range(const earth *earth, double *slowest, double *fastest);

/* Text for moho's velocity.table: r.m.s. velocity of two-way time, a function every `step` metres along the line, or
 * one where velocity does not change along it. */
void earth_write_velocity(const earth *earth, const char *path, double step, double latest_s);

/* Says what is wrong and exits. */
void stop(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
