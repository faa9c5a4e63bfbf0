/* trace_cells.h - traces sorted into square cells by their midpoints: which cell a trace lies in, and where a cell begins.
 */
#ifndef MOHO_SURVEY_TRACE_CELLS_H
#define MOHO_SURVEY_TRACE_CELLS_H

#include "moho/traces.h"

/* Cell (ix, iy) of a lattice: midpoints x in [origin_x + ix*cell_m, origin_x + (ix + 1)*cell_m), y alike. In files: 32 bytes. */
typedef struct moho_trace_cell {
  int64_t ix, iy;
  uint64_t first, n; /* traces of the store */
} moho_trace_cell;

typedef struct moho_trace_cells {
  double origin_x, origin_y, cell_m;
  size_t n;
  moho_trace_cell *list; /* [n] that hold a trace, by iy, then ix */
  uint32_t *of_trace;    /* [geometry.n] index into list; MOHO_NO_CELL: the trace is not stored */
  size_t n_stored;
} moho_trace_cells;

enum { MOHO_TRACE_CELL_LEAST_M = 1 };
#define MOHO_NO_CELL UINT32_MAX

/* 1 when a trace is stored: seismic and with a position. */
int moho_trace_is_stored(const moho_geometry *geometry, size_t trace);
size_t moho_trace_count_stored(const moho_geometry *geometry);

static inline double moho_midpoint_x(const moho_geometry *g, size_t i) {
  return 0.5 * (g->source_x[i] + g->receiver_x[i]);
}

static inline double moho_midpoint_y(const moho_geometry *g, size_t i) {
  return 0.5 * (g->source_y[i] + g->receiver_y[i]);
}

/* cell_m 0: chosen, so that about `wanted` cells hold traces; no more than `most` in any case, with a larger cell_m if need be.
 */
moho_status moho_trace_cells_create(const moho_geometry *geometry, double cell_m, size_t wanted, size_t most,
                                    moho_trace_cells *out);
void moho_trace_cells_release(moho_trace_cells *cells);
/* Bytes that sorting n traces into at most `most` cells takes. */
size_t moho_trace_cells_memory(size_t n, size_t most);

#endif
