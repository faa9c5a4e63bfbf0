/* adjoint_run.h - batches of traces from an image: what a demigration keeps, and how the cpu's own loops do it.
 *
 * A method is how an image becomes sums of taps: the native loops here, kernels on a device in device_adjoint.c. What is done
 * with the sums, the transpose of the traces' preparation, both share.
 *
 * The image lies in the native run of a migration that is never fed, all of it or (adjoint_pieces.h) one slab at a time. Slabs of
 * tiles pass in order (adjoint_slabs.h); within a slab slices of traces are dealt to the workers, each of which sums its traces
 * into copies of their rows (scatter_copies.h) and at the slab's end adds them to the traces' sums in double. What a trace
 * receives, and in which order, does not depend on workers or batches.
 */
#ifndef MOHO_MIGRATE_ADJOINT_RUN_H
#define MOHO_MIGRATE_ADJOINT_RUN_H

#include "migrate/adjoint_pieces.h"
#include "migrate/adjoint_slabs.h"
#include "migrate/native_run.h"
#include "migrate/trace_prepare_adjoint.h"
#include "moho/demigration.h"

typedef struct moho_device_adjoint moho_device_adjoint;

/* create: what is allocated beside the migration; set_image: with a fold to divide by, or NULL; run: at most d->capacity traces,
 * checked; destroy: also after an error of create. */
typedef struct moho_adjoint_method {
  moho_status (*create)(moho_demigration *d, const moho_geometry *geometry);
  moho_status (*set_image)(moho_demigration *d, const float *image, const int32_t *fold);
  moho_status (*run)(moho_demigration *d, const moho_geometry *geometry, const float *like, float *traces,
                     const moho_reporter *reporter);
  void (*destroy)(moho_demigration *d);
} moho_adjoint_method;

extern const moho_adjoint_method moho_native_adjoint_method, moho_device_adjoint_method;

/* An image that is read slab by slab: m's window, its columns and live classes are those of the slab in hand. */
typedef struct moho_adjoint_pieces {
  moho_piece_reader read; /* NULL: the image is in memory */
  void *user;
  size_t memory_bytes, caller_trace_bytes;
  moho_live_classes live;   /* of all columns; n 0: none are counted */
  double least[2], most[2]; /* midpoints of the batch in hand, from the grid's origin; least > most: none is live */
} moho_adjoint_pieces;

struct moho_demigration {
  const moho_adjoint_method *method;
  moho_migration *m;           /* grid, tables, columns, options; its image holds the model */
  moho_device_adjoint *device; /* of the method on a device */
  moho_window whole;           /* the columns that are modelled */
  moho_tile_plan plan;         /* of them */
  moho_tile_frame frame;       /* of the adjoint's loops */
  moho_adjoint_slabs slabs;
  size_t slab;                 /* tiles a slab, at most */
  moho_tile_columns **columns; /* [slab] */
  moho_adjoint_pieces pieces;
  moho_trace_unpreparer *unpreparer;
  double *weights; /* [threads, time] scratch */
  float *column;   /* [threads, axis.stride] scratch */
  double *sums;    /* [capacity, layout.stride] */
  float *copies;   /* [threads, slice, row_stride] */
  size_t capacity; /* traces a batch */
  moho_demigration_counts counts;
  int has_image;
};

/* c(x, t0) I / N of a column, fold NULL: N = 1; out [time], weight: scratch [time]. @return MOHO_ERROR_RANGE: NaN or Inf. */
moho_status moho_demigration_column(const moho_migration *m, size_t column, const float *image, const int32_t *fold,
                                    double *weight, float *out);

/* What both kinds of create do; pieces NULL: the image will be in memory. */
moho_status moho_demigration_build(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                   const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                   double dt_s, const moho_adjoint_pieces *pieces, moho_demigration **out);

/* ---- adjoint_pieces.c ---- */

/* The largest slab that there may be, and columns along a tile's side: fixed, for they fix the order of sums. */
enum { MOHO_SLAB_TILES = 32, MOHO_ADJOINT_TILE_SIDE = 8 };

/* Batches as large as memory allows, in place of those of m. fixed_bytes: all else. */
moho_status moho_adjoint_pieces_size(moho_demigration *d, size_t fixed_bytes);
/* Where the batch's midpoints lie: r->traces. */
void moho_adjoint_pieces_place(moho_demigration *d, size_t traces);
int moho_adjoint_pieces_reach(const moho_demigration *d, const moho_window *window);
/* The slab's image, weighed, its places and classes. */
moho_status moho_adjoint_pieces_enter(moho_demigration *d, const moho_window *window);
/* Rows of m's window, weighed, into the native run. */
moho_status moho_adjoint_weigh(moho_demigration *d, const float *image, const int32_t *fold);

#endif
