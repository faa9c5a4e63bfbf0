/* sample_mask.c - which samples of an image are computed, as ranges of each column. */
#include "migrate/sample_mask.h"

#include <stdlib.h>

#include "base/memory.h"

static size_t count_ranges(const uint8_t *samples, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += samples[i] && (i == 0 || !samples[i - 1]);
  return count;
}

moho_status moho_sample_mask_create(const uint8_t *samples, size_t columns, size_t n, moho_sample_mask *out) {
  *out = (moho_sample_mask){0};
  MOHO_TRY(moho_allocate(columns + 1, sizeof *out->first, "the mask", &out->first));
  for (size_t c = 0; c < columns; c++) out->first[c + 1] = out->first[c] + count_ranges(samples + c * n, n);
  moho_status status = moho_allocate(out->first[columns], sizeof *out->ranges, "the mask", &out->ranges);
  if (status) {
    moho_sample_mask_release(out);
    return status;
  }
  for (size_t c = 0, k = 0; c < columns; c++)
    for (size_t i = 0; i < n; i++) {
      const uint8_t *at = samples + c * n + i;
      if (*at && (i == 0 || !at[-1])) out->ranges[k].first = (int32_t)i;
      if (*at && (i + 1 == n || !at[1])) out->ranges[k++].end = (int32_t)i + 1;
    }
  return MOHO_OK;
}

void moho_sample_mask_release(moho_sample_mask *mask) {
  free(mask->first), free(mask->ranges);
  *mask = (moho_sample_mask){0};
}

size_t moho_sample_mask_clip(const moho_sample_mask *mask, size_t column, const moho_interval *intervals, size_t count,
                             moho_interval *out) {
  size_t range = mask->first[column], last = mask->first[column + 1], kept = 0;
  for (size_t i = 0; i < count && range < last;) {
    moho_interval inside = mask->ranges[range];
    if (inside.first < intervals[i].first) inside.first = intervals[i].first;
    if (inside.end > intervals[i].end) inside.end = intervals[i].end;
    if (inside.first < inside.end) out[kept++] = inside;
    if (mask->ranges[range].end <= intervals[i].end) range++;
    else i++;
  }
  return kept;
}
