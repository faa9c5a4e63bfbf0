/* image_check.h - an image of a fast path against the double reference (docs/physics.md "What must hold" 10). */
#ifndef MOHO_CLI_IMAGE_CHECK_H
#define MOHO_CLI_IMAGE_CHECK_H

#include "moho/moho.h"

typedef struct image_check {
  size_t n_columns;
  double error, tolerance; /* relative L2 */
  size_t fold_differs;     /* samples */
  int passed;
} image_check;

/* Relative L2 that a kernel's image may be away: 2e-8 per sample of a trace, triangle 1e-4; leg-time tables (v3) and storage as
 * halves 1e-3. */
double image_tolerance(const moho_migration_options *options, const char *kernel, size_t n_samples);

/* columns [n_columns]: where in the image the reference's columns [n_columns, n_time] lie; NULL: all, in order. */
void image_compare(const moho_image *image, size_t n_time, const size_t *columns, size_t n_columns, const double *expected,
                   const int32_t *fold, double tolerance, image_check *out);

#endif
