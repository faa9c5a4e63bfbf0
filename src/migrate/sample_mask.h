/* sample_mask.h - which samples of an image are computed, as ranges of each column. */
#ifndef MOHO_MIGRATE_SAMPLE_MASK_H
#define MOHO_MIGRATE_SAMPLE_MASK_H

#include "migrate/runs.h"

typedef struct moho_sample_mask {
  size_t *first;         /* [columns + 1] of each column's ranges */
  moho_interval *ranges; /* ascending, never touching */
} moho_sample_mask;

/* From samples [columns, n], 1: computed. */
moho_status moho_sample_mask_create(const uint8_t *samples, size_t columns, size_t n, moho_sample_mask *out);
void moho_sample_mask_release(moho_sample_mask *mask);

static inline int moho_sample_mask_is_empty(const moho_sample_mask *mask, size_t column) {
  return mask->first[column] == mask->first[column + 1];
}

/* What of a column's intervals [count], ascending, lies inside, into out; as many at most as half the samples. */
size_t moho_sample_mask_clip(const moho_sample_mask *mask, size_t column, const moho_interval *intervals, size_t count,
                             moho_interval *out);

#endif
