/* image_check.c - an image of a fast path against the double reference. */
#include "image_check.h"

#include <math.h>
#include <string.h>

double image_tolerance(const moho_migration_options *options, const char *kernel, size_t n_samples) {
  if (strcmp(kernel, "v3") == 0 || options->storage == MOHO_STORAGE_HALF) return 1e-3;
  return options->antialias == MOHO_ANTIALIAS_TRIANGLE ? 1e-4 : 2e-8 * (double)n_samples;
}

void image_compare(const moho_image *image, size_t n_time, const size_t *columns, size_t n_columns, const double *expected,
                   const int32_t *fold, double tolerance, image_check *out) {
  double difference = 0, norm = 0;
  *out = (image_check){.n_columns = n_columns, .tolerance = tolerance};
  for (size_t c = 0; c < n_columns; c++)
    for (size_t k = 0; k < n_time; k++) {
      size_t here = c * n_time + k, there = (columns ? columns[c] : c) * n_time + k;
      double d = (double)image->stack[there] - expected[here];
      difference += d * d;
      norm += expected[here] * expected[here];
      out->fold_differs += image->fold[there] != fold[here];
    }
  out->error = norm > 0 ? sqrt(difference / norm) : INFINITY; /* an empty reference proves nothing */
  out->passed = out->error <= tolerance && !out->fold_differs;
}
