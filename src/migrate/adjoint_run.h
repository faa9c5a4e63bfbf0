/* adjoint_run.h - batches of traces from an image: what a demigration keeps, and how the cpu's own loops do it.
 *
 * A method is how an image becomes sums of taps: the native loops here, kernels on a device in device_adjoint.c. What is done
 * with the sums, the transpose of the traces' preparation, both share.
 *
 * The image lies in the native run of a migration that is never fed. Slabs of tiles pass in order; within a slab slices of
 * traces are dealt to the workers, each of which sums its traces into copies of their rows (scatter_copies.h) and at the
 * slab's end adds them to the traces' sums in double. What a trace receives, and in which order, does not depend on workers
 * or batches.
 */
#ifndef MOHO_MIGRATE_ADJOINT_RUN_H
#define MOHO_MIGRATE_ADJOINT_RUN_H

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

struct moho_demigration {
  const moho_adjoint_method *method;
  moho_migration *m;           /* grid, tables, columns, options; its image holds the model */
  moho_device_adjoint *device; /* of the method on a device */
  moho_tile_plan plan;
  moho_tile_frame frame;       /* of the adjoint's loops */
  size_t slab;                 /* tiles a slab */
  moho_tile_columns **columns; /* [slab] */
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

#endif
