/* view_resample.c - resampling for the eye: each axis has, for every pixel, the samples that it shows and their weights. */
#include "survey/view_resample.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct taps {
  size_t first, n; /* samples first .. first + n - 1 */
  size_t nearest;
  float weights[4]; /* of the cubic; unused where cells are averaged */
  double low, high; /* cells covered, in samples */
} taps;

/* Catmull-Rom: goes through the samples. */
static void cubic_weights(float t, float w[4]) {
  w[0] = t * (-0.5f + t * (1 - 0.5f * t));
  w[1] = 1 + t * t * (-2.5f + 1.5f * t);
  w[2] = t * (0.5f + t * (2 - 1.5f * t));
  w[3] = t * t * (-0.5f + 0.5f * t);
}

static moho_status make_taps(size_t samples, int pixels, int smooth, taps **out) {
  MOHO_TRY(moho_allocate((size_t)pixels, sizeof **out, "picture axis", out));
  double step = (double)samples / pixels;
  for (int p = 0; p < pixels; p++) {
    taps *t = &(*out)[p];
    double centre = (p + 0.5) * step, at = centre - 0.5;
    t->low = p * step, t->high = (p + 1) * step;
    t->nearest = centre < (double)samples ? (size_t)centre : samples - 1;
    t->first = t->nearest, t->n = 1, t->weights[0] = 1;
    if (step > 1) {
      t->first = (size_t)t->low;
      size_t end = (size_t)ceil(t->high - 1e-9);
      t->n = (end < samples ? end : samples) - t->first;
    } else if (smooth && samples > 1) {
      double base = floor(at);
      float w[4];
      cubic_weights((float)(at - base), w);
      t->first = base < 1 ? 0 : (size_t)base - 1;
      size_t end = base + 3 > (double)samples ? samples : (size_t)(base + 3);
      t->n = end - t->first;
      for (size_t k = 0; k < 4; k++) t->weights[k] = 0;
      for (int k = 0; k < 4; k++) { /* beyond the ends the outermost sample goes on */
        double sample = base - 1 + k;
        size_t index = sample < 0 ? 0 : sample >= (double)samples ? samples - 1 : (size_t)sample;
        t->weights[index - t->first] += w[k];
      }
    }
  }
  return MOHO_OK;
}

static float tap_weight(const taps *t, size_t k, int averaged) {
  if (!averaged) return t->weights[k];
  double sample = (double)(t->first + k);
  return (float)(fmin(sample + 1, t->high) - fmax(sample, t->low));
}

static float value_at(const moho_view_data *data, size_t a, size_t d) {
  return data->values[a * data->stride_across + d * data->stride_down];
}

/* Missing samples are left out of averages; beside one, the cubic gives way to the nearest sample. */
static float pixel_value(const moho_view_data *data, const taps *across, const taps *down, int average_across, int average_down) {
  float sum = 0, weights = 0;
  int missing = 0;
  for (size_t i = 0; i < across->n; i++) {
    float w = tap_weight(across, i, average_across);
    for (size_t j = 0; j < down->n; j++) {
      float value = value_at(data, across->first + i, down->first + j), weight = w * tap_weight(down, j, average_down);
      if (isfinite(value)) sum += weight * value, weights += weight;
      else missing = 1;
    }
  }
  if (!missing) return sum / weights;
  if (average_across && average_down) return weights > 0 ? sum / weights : NAN;
  float nearest = value_at(data, across->nearest, down->nearest);
  return isfinite(nearest) ? nearest : NAN;
}

moho_status moho_view_resample(const moho_view_data *data, int smooth, int width, int height, float *out) {
  taps *across = NULL, *down = NULL;
  int average_across = data->n_across > (size_t)width, average_down = data->n_down > (size_t)height;
  moho_status status = make_taps(data->n_across, width, smooth, &across);
  if (!status) status = make_taps(data->n_down, height, smooth, &down);
  if (!status) {
#pragma omp parallel for schedule(static)
    for (int x = 0; x < width; x++) /* columns outside: down is the fast axis of the data */
      for (int y = 0; y < height; y++)
        out[(size_t)y * (size_t)width + (size_t)x] = pixel_value(data, &across[x], &down[y], average_across, average_down);
  }
  free(across);
  free(down);
  return status;
}
