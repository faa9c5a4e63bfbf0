/* amplitude_mask.c - where an image computed on a coarse grid has anything, as a mask of the fine grid's samples. */
#include "job/amplitude_mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { CELL_TIMES = 4 };

typedef struct cell {
  float amplitude, energy;
} cell;

/* Cells of a coarse image: [inline, crossline, time]. */
typedef struct cells {
  size_t n[3], count;
  cell *all;
  uint8_t *in, *other;
} cells;

static void measure(const moho_image *coarse, cells *c) {
  size_t n_time = coarse->grid.n_time;
  for (size_t column = 0; column < c->n[0] * c->n[1]; column++)
    for (size_t k = 0; k < n_time; k++) {
      float value = coarse->stack[column * n_time + k];
      cell *at = &c->all[column * c->n[2] + k / CELL_TIMES];
      at->amplitude = fmaxf(at->amplitude, fabsf(value));
      at->energy += value * value;
    }
}

static int weaker_first(const void *a, const void *b) {
  float x = ((const cell *)a)->amplitude, y = ((const cell *)b)->amplitude;
  return (x > y) - (x < y);
}

/* The amplitude down to which cells hold the share of all energy. */
static moho_status find_threshold(const cells *c, double energy, moho_amplitude_mask *out) {
  cell *sorted;
  double sum = 0, left = 0;
  MOHO_TRY(moho_allocate(c->count, sizeof *sorted, "the mask", &sorted));
  memcpy(sorted, c->all, c->count * sizeof *sorted);
  qsort(sorted, c->count, sizeof *sorted, weaker_first);
  for (size_t i = 0; i < c->count; i++) sum += (double)sorted[i].energy;
  size_t first = 0;
  while (first + 1 < c->count && (left += (double)sorted[first].energy) <= (1 - energy) * sum) first++;
  out->threshold = (double)sorted[first].amplitude, out->largest = (double)sorted[c->count - 1].amplitude;
  free(sorted);
  return MOHO_OK;
}

/* Along one axis: a cell is in when any within `by` of it is. */
static void dilate_axis(cells *c, int axis, size_t by) {
  size_t stride = axis == 2 ? 1 : axis == 1 ? c->n[2] : c->n[1] * c->n[2], n = c->n[axis];
  memset(c->other, 0, c->count);
  for (size_t i = 0; i < c->count; i++) {
    if (!c->in[i]) continue;
    size_t at = i / stride % n, first = at < by ? 0 : at - by, last = at + by < n ? at + by : n - 1;
    for (size_t k = first; k <= last; k++) c->other[i - at * stride + k * stride] = 1;
  }
  uint8_t *swap = c->in;
  c->in = c->other, c->other = swap;
}

/* The coarse node nearest to a fine one. */
static size_t nearest(size_t fine, size_t every, size_t n) {
  size_t at = (fine + every / 2) / every;
  return at < n ? at : n - 1;
}

static double spread(const cells *c, const moho_grid *grid, size_t columns, size_t times, uint8_t *samples) {
  size_t inside = 0;
  for (size_t i = 0; i < grid->n_inline; i++)
    for (size_t j = 0; j < grid->n_crossline; j++) {
      const uint8_t *column = c->in + (nearest(i, columns, c->n[0]) * c->n[1] + nearest(j, columns, c->n[1])) * c->n[2];
      uint8_t *to = samples + (i * grid->n_crossline + j) * grid->n_time;
      for (size_t k = 0; k < grid->n_time; k++) {
        size_t at = k / (times * CELL_TIMES);
        inside += to[k] = column[at < c->n[2] ? at : c->n[2] - 1];
      }
    }
  return (double)inside / ((double)grid->n_inline * (double)grid->n_crossline * (double)grid->n_time);
}

moho_status moho_amplitude_mask_make(const moho_image *coarse, const moho_grid *grid, size_t columns, size_t times, double energy,
                                     size_t dilate, moho_amplitude_mask *out) {
  cells c = {.n = {coarse->grid.n_inline, coarse->grid.n_crossline, (coarse->grid.n_time - 1) / CELL_TIMES + 1}};
  c.count = c.n[0] * c.n[1] * c.n[2];
  *out = (moho_amplitude_mask){0};
  moho_status status = moho_allocate(c.count, sizeof *c.all, "the mask", &c.all);
  if (!status) status = moho_allocate(c.count, 1, "the mask", &c.in);
  if (!status) status = moho_allocate(c.count, 1, "the mask", &c.other);
  if (!status) status = moho_allocate(grid->n_inline * grid->n_crossline * grid->n_time, 1, "the mask", &out->samples);
  if (!status) {
    measure(coarse, &c);
    status = find_threshold(&c, energy, out);
  }
  if (!status) {
    for (size_t i = 0; i < c.count; i++) c.in[i] = c.all[i].amplitude >= (float)out->threshold && c.all[i].amplitude > 0;
    for (int axis = 0; axis < 3 && dilate; axis++) dilate_axis(&c, axis, dilate);
    out->share = spread(&c, grid, columns, times, out->samples);
  }
  free(c.all), free(c.in), free(c.other);
  if (status) moho_amplitude_mask_release(out);
  return status;
}

void moho_amplitude_mask_release(moho_amplitude_mask *mask) {
  free(mask->samples);
  *mask = (moho_amplitude_mask){0};
}
