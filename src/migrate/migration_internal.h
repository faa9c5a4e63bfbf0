/* migration_internal.h - a migration as its methods see it.
 *
 * migration.c keeps the public functions and what all methods share: grid, classes, axis, preparation of traces. A method is
 * how batches become an image: native_run.c on the cpu's own loops, device_run.c by kernels on any device. kernel_choice.c
 * says which method and kernel does which options.
 */
#ifndef MOHO_MIGRATE_MIGRATION_INTERNAL_H
#define MOHO_MIGRATE_MIGRATION_INTERNAL_H

#include "migrate/column_table.h"
#include "migrate/kernel_choice.h"
#include "migrate/live_classes.h"
#include "migrate/migration_setup.h"
#include "migrate/trace_prepare.h"

/* Whom to tell how far an add or finish is, and who may stop it. */
typedef struct moho_reporter {
  moho_progress_function function; /* may be NULL */
  void *user;
  double begin;
  const char *stage; /* NULL: "migrating" */
} moho_reporter;

/* 1 when the caller wants the work to stop. done: contributions. */
int moho_reporter_stops(const moho_reporter *reporter, double done);

struct moho_migration {
  const moho_migration_method *method;
  void *run; /* the method's own */
  moho_device *device;
  moho_device_report report;
  moho_grid grid;     /* whole: origin, classes and bins are its */
  moho_window window; /* the columns that are computed; a column's number counts these */
  const moho_velocity *velocity;
  moho_migration_options options;
  moho_offset_classes classes;
  moho_travel_law law;
  moho_live_classes live;         /* for true amplitudes without gathers of their classes */
  moho_travel_column live_travel; /* for them, where the law is uniform */
  moho_time_axis axis;
  moho_prepared_layout layout;
  moho_trace_preparer *preparer;
  int threads, is_line, t_part; /* t_part: the weight's part that the loops compute (weight.h) */
  int has_mask;                 /* it was created with one */
  double input_dt_s;
  size_t input_samples, capacity; /* of a recorded trace; traces a batch */
  size_t n_columns;
  moho_gather_bins bins;      /* options.gathers points here */
  size_t n_bins;              /* rows of the image a column: 1 without gathers */
  uint64_t n_traces;          /* of the survey */
  moho_migration_setup setup; /* law and classes in it are aliases of these */
  char *constants;            /* options.constants points here */
  uint8_t *used;              /* moho_migration_watch_used(); or NULL */
  size_t used_from;           /* traces that were added before */
  moho_migration_counts counts;
  int is_broken; /* an add failed: the image is not complete */
};

static inline void moho_migration_node(const moho_migration *m, size_t column, double *x_m, double *y_m) {
  moho_window_node(&m->grid, &m->window, column, x_m, y_m);
}

/* A migration that is never fed, for a demigration: without what only batches of traces want on a device. */
moho_status moho_migration_create_adjoint(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                          const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                          double dt_s, moho_migration **out);

struct moho_migration_method {
  /* Sizes: s->capacity, bytes, device_bytes and the method's own plan. */
  moho_status (*size)(moho_migration_setup *s, const moho_migration_size_query *query);
  /* m->run; what it made is destroyed by the caller after an error too. */
  moho_status (*create)(moho_migration *m, const moho_migration_setup *s);
  /* At most m->capacity traces, checked. */
  moho_status (*add)(moho_migration *m, const moho_geometry *geometry, const float *traces, const moho_reporter *reporter);
  /* Until all traces added are migrated. */
  moho_status (*wait)(moho_migration *m, const moho_reporter *reporter);
  /* After wait. */
  moho_status (*finish)(moho_migration *m, moho_image *image);
  /* What the method counts itself, into *counts. */
  void (*count)(const moho_migration *m, moho_migration_counts *counts);
  void (*destroy)(moho_migration *m);
};

/* Columns of an unfinished image: row k, a column's number flat[k] in the grid, which is returned; `read` gives the sums
 * (pointer) and the fold (into fold [n_time]) of one of its bins. */
typedef struct moho_unfinished {
  size_t n;
  const void *from;
  size_t (*read)(const moho_migration *m, const void *from, size_t k, size_t bin, const float **sums, int32_t *fold);
} moho_unfinished;

/* Traces of a batch that fall into the bins: bin of each [n], 0 without gathers and for angles; -1 outside all bins. */
static inline long moho_migration_bin_of(const moho_migration *m, const moho_geometry *geometry, size_t trace) {
  if (m->n_bins == 1 && m->bins.kind == MOHO_GATHERS_NONE) return 0;
  return m->bins.kind == MOHO_GATHERS_ANGLE ? 0 : moho_gather_bin_of_trace(&m->bins, &m->grid, geometry, trace);
}

/* c(x, t0) of a column, what its sums are multiplied by: the weight's part that no trace changes, and for true amplitudes one
 * over the live classes. weight [n_time]. */
moho_status moho_migration_column_weights(const moho_migration *m, size_t column, double *weight);

/* Column weights and normalisation, in parallel, into the image's stack and fold, and into its gathers where it has them.
 * *contributions grows by the fold. */
moho_status moho_migration_finish_columns(const moho_migration *m, const moho_unfinished *columns, moho_image *image,
                                          uint64_t *contributions);

#endif
