/* trace_cells.c - a sparse lattice of cells: surveys are skewed, and one wild midpoint must not cost a table as wide as the wild.
 */
#include "survey/trace_cells.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SAMPLED_TRACES = 1 << 18 };

/* Headers beyond 1e12 m have no position already; files without headers may hold anything. */
int moho_trace_is_stored(const moho_geometry *geometry, size_t trace) {
  return !(geometry->flags[trace] & (MOHO_TRACE_NOT_SEISMIC | MOHO_TRACE_NO_POSITION)) &&
         fabs(moho_midpoint_x(geometry, trace)) <= 1e12 && fabs(moho_midpoint_y(geometry, trace)) <= 1e12;
}

size_t moho_trace_count_stored(const moho_geometry *geometry) {
  size_t n = 0;
  for (size_t i = 0; i < geometry->n; i++) n += (size_t)moho_trace_is_stored(geometry, i);
  return n;
}

/* ---- a set of cells ---- */

typedef struct cell_set {
  moho_trace_cell *list;
  size_t n, most;
  uint32_t *slots; /* [n_slots] index into list, MOHO_NO_CELL: free */
  size_t n_slots;  /* a power of two, at least twice `most` */
  uint32_t last;   /* neighbours in the file mostly lie in one cell */
} cell_set;

static size_t slots_for(size_t most) {
  size_t n = 16;
  while (n < 2 * most) n *= 2;
  return n;
}

static void set_clear(cell_set *set) {
  set->n = 0;
  set->last = MOHO_NO_CELL;
  for (size_t i = 0; i < set->n_slots; i++) set->slots[i] = MOHO_NO_CELL;
}

static moho_status set_create(size_t most, cell_set *set) {
  *set = (cell_set){.most = most, .n_slots = slots_for(most)};
  MOHO_TRY(moho_allocate(most, sizeof *set->list, "cells of midpoints", &set->list));
  MOHO_TRY(moho_allocate(set->n_slots, sizeof *set->slots, "cells of midpoints", &set->slots));
  set_clear(set);
  return MOHO_OK;
}

/* The cell, added where it is new; MOHO_NO_CELL: the set is full. */
static uint32_t set_add(cell_set *set, int64_t ix, int64_t iy) {
  if (set->last != MOHO_NO_CELL && set->list[set->last].ix == ix && set->list[set->last].iy == iy) return set->last;
  uint64_t key = (uint64_t)ix * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)iy * UINT64_C(0xc2b2ae3d27d4eb4f);
  size_t slot = (size_t)(key ^ key >> 32) & (set->n_slots - 1);
  for (; set->slots[slot] != MOHO_NO_CELL; slot = (slot + 1) & (set->n_slots - 1)) {
    const moho_trace_cell *cell = &set->list[set->slots[slot]];
    if (cell->ix == ix && cell->iy == iy) return set->last = set->slots[slot];
  }
  if (set->n == set->most) return MOHO_NO_CELL;
  set->list[set->n] = (moho_trace_cell){.ix = ix, .iy = iy};
  set->slots[slot] = (uint32_t)set->n;
  return set->last = (uint32_t)set->n++;
}

/* ---- the side of a cell ---- */

typedef struct midpoint_box {
  double x0, x1, y0, y1;
} midpoint_box;

static midpoint_box find_box(const moho_geometry *g) {
  midpoint_box box = {INFINITY, -INFINITY, INFINITY, -INFINITY};
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_trace_is_stored(g, i)) continue;
    double x = moho_midpoint_x(g, i), y = moho_midpoint_y(g, i);
    box.x0 = fmin(box.x0, x), box.x1 = fmax(box.x1, x);
    box.y0 = fmin(box.y0, y), box.y1 = fmax(box.y1, y);
  }
  return box;
}

static uint32_t cell_at(cell_set *set, const moho_trace_cells *cells, const moho_geometry *g, size_t trace) {
  return set_add(set, (int64_t)floor((moho_midpoint_x(g, trace) - cells->origin_x) / cells->cell_m),
                 (int64_t)floor((moho_midpoint_y(g, trace) - cells->origin_y) / cells->cell_m));
}

/* 1 when traces sampled over the file lie in at most `wanted` cells of this side. */
static int few_enough(cell_set *set, const moho_trace_cells *cells, const moho_geometry *g, size_t wanted) {
  size_t step = g->n / SAMPLED_TRACES + 1;
  set_clear(set);
  for (size_t i = 0; i < g->n; i += step)
    if (moho_trace_is_stored(g, i) && (cell_at(set, cells, g, i) == MOHO_NO_CELL || set->n > wanted)) return 0;
  return 1;
}

/* Halved from the whole survey on, so that a survey of dense places far apart gets cells as fine as its places need. */
static void choose_side(cell_set *set, const moho_geometry *g, double extent, size_t wanted, moho_trace_cells *cells) {
  cells->cell_m = fmax(extent * 1.001, MOHO_TRACE_CELL_LEAST_M);
  while (cells->cell_m > MOHO_TRACE_CELL_LEAST_M) {
    double larger = cells->cell_m;
    cells->cell_m = fmax(larger / 2, MOHO_TRACE_CELL_LEAST_M);
    if (few_enough(set, cells, g, wanted)) continue;
    cells->cell_m = larger;
    return;
  }
}

/* ---- sorting ---- */

/* 0: more cells than there may be. */
static int assign(cell_set *set, const moho_geometry *g, moho_trace_cells *cells) {
  set_clear(set);
  cells->n_stored = 0;
  for (size_t i = 0; i < g->n; i++) {
    cells->of_trace[i] = MOHO_NO_CELL;
    if (!moho_trace_is_stored(g, i)) continue;
    uint32_t cell = cell_at(set, cells, g, i);
    if (cell == MOHO_NO_CELL) return 0;
    cells->of_trace[i] = cell;
    set->list[cell].n++;
    cells->n_stored++;
  }
  return 1;
}

static int by_place(const void *a, const void *b) {
  const moho_trace_cell *p = a, *q = b;
  if (p->iy != q->iy) return p->iy < q->iy ? -1 : 1;
  return p->ix < q->ix ? -1 : p->ix > q->ix;
}

/* Cells in the order of their places; of_trace follows. */
static moho_status sort_cells(cell_set *set, const moho_geometry *g, moho_trace_cells *cells) {
  uint32_t *place;
  MOHO_TRY(moho_allocate(set->n, sizeof *place, "cells of midpoints", &place));
  for (size_t i = 0; i < set->n; i++) set->list[i].first = i; /* where it was */
  qsort(set->list, set->n, sizeof *set->list, by_place);
  uint64_t first = 0;
  for (size_t i = 0; i < set->n; i++) {
    place[set->list[i].first] = (uint32_t)i;
    set->list[i].first = first;
    first += set->list[i].n;
  }
  for (size_t i = 0; i < g->n; i++)
    if (cells->of_trace[i] != MOHO_NO_CELL) cells->of_trace[i] = place[cells->of_trace[i]];
  free(place);
  return MOHO_OK;
}

moho_status moho_trace_cells_create(const moho_geometry *g, double cell_m, size_t wanted, size_t most, moho_trace_cells *out) {
  cell_set set;
  *out = (moho_trace_cells){.cell_m = cell_m};
  if (most < 1) most = 1;
  moho_status status = set_create(most, &set);
  if (!status) status = moho_allocate(g->n, sizeof *out->of_trace, "cells of traces", &out->of_trace);
  if (!status && g->n) {
    midpoint_box box = find_box(g);
    if (box.x0 <= box.x1) out->origin_x = box.x0, out->origin_y = box.y0;
    double extent = box.x0 <= box.x1 ? fmax(box.x1 - box.x0, box.y1 - box.y0) : 0;
    if (cell_m <= 0) choose_side(&set, g, extent, moho_smaller(wanted, most), out);
    while (!assign(&set, g, out)) out->cell_m *= 2; /* ends: at twice the extent one cell holds all */
    status = sort_cells(&set, g, out);
  }
  free(set.slots);
  out->list = set.list, out->n = set.n;
  if (status) moho_trace_cells_release(out);
  return status;
}

void moho_trace_cells_release(moho_trace_cells *cells) {
  free(cells->list);
  free(cells->of_trace);
  *cells = (moho_trace_cells){0};
}

size_t moho_trace_cells_memory(size_t n, size_t most) {
  return n * sizeof(uint32_t) + most * (sizeof(moho_trace_cell) + sizeof(uint32_t)) + slots_for(most) * sizeof(uint32_t);
}
