/* tile_run.h - a batch of prepared traces into one tile of the image.
 *
 * A tile is a block of columns. Within it, blocks of traces (that stay in the second-level cache) pass over groups of
 * columns (that stay in the first): for each the runs are found, then the native loop launched. Every column adds its
 * traces in ascending number whatever the blocks.
 */
#ifndef MOHO_MIGRATE_TILE_RUN_H
#define MOHO_MIGRATE_TILE_RUN_H

#include "device/device_internal.h"
#include "migrate/angle_runs.h"
#include "migrate/loop_tables.h"
#include "migrate/sample_mask.h"
#include "migrate/tile_plan.h"
#include "migrate/trace_prepare.h"

/* A trace as the tiles see it: positions relative to the grid's origin, in double. */
typedef struct moho_batch_trace {
  double source[2], receiver[2], midpoint[2]; /* x, y */
  moho_trace_window window;
  float shift;   /* time of the first sample, in refined samples */
  float spacing; /* antialias: factor * spacing of its offset class */
  int32_t row;   /* of the prepared rows */
  int32_t bin;   /* of the gathers */
  int32_t live;
} moho_batch_trace;

typedef struct moho_batch {
  size_t n;
  const moho_batch_trace *traces; /* [n] by bin, ascending trace number within each */
  float *rows;                    /* [n, stride] in input order; migration reads them, its adjoint adds to them */
  uint8_t *used;                  /* [n] set to 1 by any tile that has work for the row's trace */
} moho_batch;

/* A column: position relative to the grid's origin, and the directions in which antialias slopes are resolved. */
typedef struct moho_column {
  double position[2], along[2], across[2]; /* across = 0, 0 on a line */
} moho_column;

/* What is counted of a column's bins. Of bins by opening angle the fold of bin b is what row b + 1 counts less what row b does:
 * an edge between two bins is counted once, in the row of its number. */
static inline size_t moho_fold_rows(size_t n_bins, int has_angles) {
  return has_angles ? n_bins + 1 : n_bins;
}

/* Everything that does not change from tile to tile. */
typedef struct moho_tile_frame {
  const moho_grid *grid;     /* whole */
  const moho_window *window; /* whose columns these are */
  const moho_travel_law *law;
  const moho_migration_options *options;
  const moho_time_axis *axis;
  const moho_column_table *shared_table;  /* NULL: a table a column */
  const moho_loop_tables *shared_loops;   /* the same for the loops */
  const moho_angle_search *angles;        /* bins that samples, not traces, fall into; NULL: none */
  const moho_angle_column *shared_angles; /* with them, like shared_table */
  const moho_column *columns;             /* [columns] */
  const moho_sample_mask *mask;           /* samples to compute; NULL: all */
  moho_prepared_layout layout;
  moho_native_function migrate;
  moho_migrate_parameters parameters;
  const float *sinc;
  size_t n_bins;  /* of the gathers; 1: none */
  float *image;   /* [columns, bins, parameters.image_stride] */
  int32_t *steps; /* [columns, moho_fold_rows(), n + 1] fold as differences along time; NULL: it is not counted */
} moho_tile_frame;

/* A tile's columns: which they are, and where the velocity varies sideways their tables. Read by any number of workers. */
typedef struct moho_tile_columns moho_tile_columns;
moho_status moho_tile_columns_create(const moho_tile_frame *frame, const moho_tile_plan *plan, moho_tile_columns **out);
void moho_tile_columns_destroy(moho_tile_columns **columns);
size_t moho_tile_columns_bytes(const moho_travel_law *law, const moho_tile_plan *plan, int has_angles);
/* @return status of reading the velocity. */
moho_status moho_tile_columns_enter(moho_tile_columns *columns, const moho_tile_frame *frame, const moho_tile *tile);

/* Scratch of one worker, with columns of its own. angle_bins: 0 but of bins by opening angle. */
typedef struct moho_tile_worker moho_tile_worker;
moho_status moho_tile_worker_create(const moho_tile_frame *frame, const moho_tile_plan *plan, moho_tile_worker **out);
void moho_tile_worker_destroy(moho_tile_worker **worker);
size_t moho_tile_worker_bytes(const moho_travel_law *law, const moho_tile_plan *plan, size_t angle_bins);

/* A batch over columns that were entered; *contributions grows by the pairs. Each trace meets the columns in their order. */
void moho_tile_pass(moho_tile_worker *worker, const moho_tile_columns *columns, const moho_tile_frame *frame,
                    const moho_batch *batch, uint64_t *contributions);
/* Enter, then pass, with the worker's own columns. @return status of reading the velocity. */
moho_status moho_tile_run(moho_tile_worker *worker, const moho_tile_frame *frame, const moho_tile *tile, const moho_batch *batch,
                          uint64_t *contributions);

#endif
