/* warp.c - taking back what steps in time do to frequencies; see warp.h. */
#include "warp.h"

#include <math.h>
#include <stdlib.h>

#include "earth.h"

#define PI 3.14159265358979323846

static float *floats(size_t n) {
  float *array = calloc(n, sizeof *array);
  if (!array) stop("out of memory: %zu numbers", n);
  return array;
}

/* matrix[k][n] = dt dw'/pi * sum over w' of cos(w' t_k - w(w') t_n): one row of cosines and sines a frequency. */
warp warp_create(size_t n_in, double dt_in, double delay, size_t n_out, double dt_out, double highest) {
  warp w = {.n_in = n_in, .n_out = n_out, .matrix = floats(n_in * n_out)};
  double length = 2 * ((double)n_in * dt_in + (double)n_out * dt_out), step = 2 * PI / length;
  size_t n_frequencies = (size_t)(1.2 * highest * length);
  float *rows = floats(n_frequencies * n_in * 2);
#pragma omp parallel for schedule(static)
  for (size_t m = 0; m < n_frequencies; m++) {
    double wanted = (double)m * step, at = 2 / dt_in * asin(0.5 * wanted * dt_in), beyond = wanted / (2 * PI * highest) - 1;
    double pass = beyond <= 0 ? 1 : 0.5 + 0.5 * cos(PI * beyond / 0.2), scale = (m ? 1 : 0.5) * pass * dt_in * step / PI;
    for (size_t n = 0; n < n_in; n++) {
      double phase = at * ((double)(n + 1) * dt_in - delay);
      rows[2 * m * n_in + n] = (float)(scale * cos(phase)), rows[(2 * m + 1) * n_in + n] = (float)(scale * sin(phase));
    }
  }
#pragma omp parallel for schedule(static)
  for (size_t k = 0; k < n_out; k++)
    for (size_t m = 0; m < n_frequencies; m++) {
      double phase = (double)m * step * (double)k * dt_out;
      const float *cosines = rows + 2 * m * n_in, *sines = cosines + n_in;
      float c = (float)cos(phase), s = (float)sin(phase), *out = w.matrix + k * n_in;
      for (size_t n = 0; n < n_in; n++) out[n] += c * cosines[n] + s * sines[n];
    }
  free(rows);
  return w;
}

void warp_release(warp *w) {
  free(w->matrix);
  *w = (warp){0};
}

void warp_apply(const warp *w, const float *record, size_t n, float *traces) {
  float *sums = floats(n);
  for (size_t k = 0; k < w->n_out; k++) {
    for (size_t r = 0; r < n; r++) sums[r] = 0;
    for (size_t i = 0; i < w->n_in; i++) {
      float factor = w->matrix[k * w->n_in + i];
      for (size_t r = 0; r < n; r++) sums[r] += factor * record[i * n + r];
    }
    for (size_t r = 0; r < n; r++) traces[r * w->n_out + k] = sums[r];
  }
  free(sums);
}
