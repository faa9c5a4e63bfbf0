/* view_range.c - clipping: a symmetric percentile for amplitudes, the extremes for counts. */
#include "survey/view_range.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define MOST_SAMPLES ((size_t)4 << 20)

typedef struct survey {
  double min, max;
  size_t finite;
  int whole;
} survey;

static survey look_at_all(const moho_view_data *data) {
  survey s = {.min = INFINITY, .max = -INFINITY, .whole = 1};
  for (size_t a = 0; a < data->n_across; a++)
    for (size_t d = 0; d < data->n_down; d++) {
      double value = data->values[a * data->stride_across + d * data->stride_down];
      if (!isfinite(value)) continue;
      s.finite++;
      s.min = fmin(s.min, value), s.max = fmax(s.max, value);
      if (value != rint(value)) s.whole = 0;
    }
  return s;
}

static int compare_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* |value| that `percentile` of the finite samples do not exceed. */
static moho_status find_percentile(const moho_view_data *data, size_t finite, double percentile, double *out) {
  size_t every = (finite - 1) / MOST_SAMPLES + 1, seen = 0, n = 0;
  float *sizes;
  MOHO_TRY(moho_allocate(finite / every + 1, sizeof *sizes, "samples for the clip", &sizes));
  for (size_t a = 0; a < data->n_across; a++)
    for (size_t d = 0; d < data->n_down; d++) {
      float value = data->values[a * data->stride_across + d * data->stride_down];
      if (isfinite(value) && seen++ % every == 0) sizes[n++] = fabsf(value);
    }
  qsort(sizes, n, sizeof *sizes, compare_floats);
  size_t rank = (size_t)ceil(percentile / 100 * (double)n);
  *out = sizes[rank < 1 ? 0 : rank > n ? n - 1 : rank - 1];
  free(sizes);
  return MOHO_OK;
}

moho_status moho_view_find_range(const moho_view_data *data, const moho_view_options *options, moho_view_range *out) {
  survey s = look_at_all(data);
  *out = (moho_view_range){.low = 0, .high = 1, .any = s.finite > 0, .whole = s.finite > 0 && s.whole};
  if (options->symmetric) {
    double clip = options->clip_value;
    if (!(clip > 0) && s.finite) MOHO_TRY(find_percentile(data, s.finite, options->clip_percentile, &clip));
    if (!(clip > 0) && s.finite) clip = fmax(fabs(s.min), fabs(s.max)); /* mostly zeros: what there is must show */
    if (!(clip > 0)) clip = 1;
    out->low = -clip, out->high = clip;
  } else if (s.finite) {
    out->low = s.min, out->high = options->clip_value > s.min ? options->clip_value : s.max;
    if (!(out->high > out->low)) { /* constant: the value in the middle of the scale */
      double half = out->whole ? 1 : fmax(fabs(s.min) / 2, 1e-30);
      out->low = s.min - half, out->high = s.min + half;
    }
  }
  return MOHO_OK;
}
