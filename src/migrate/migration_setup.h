/* migration_setup.h - what a migration will need, worked out before anything large is allocated. */
#ifndef MOHO_MIGRATE_MIGRATION_SETUP_H
#define MOHO_MIGRATE_MIGRATION_SETUP_H

#include "migrate/device_plan.h"
#include "migrate/kernel_choice.h"
#include "migrate/offset_class.h"
#include "migrate/tile_plan.h"
#include "migrate/travel_time.h"
#include "moho/migration.h"

typedef struct moho_migration_setup {
  moho_offset_classes classes;
  moho_travel_law law;
  double v_min;       /* m/s, the smallest that any column sees */
  int is_adjoint;     /* for a demigration: nothing will be fed */
  int is_uniform;     /* velocity and eta depend on t0 only: one column table serves all */
  int k_max, threads; /* antialias: largest half-width, refined samples */
  moho_kernel_choice choice;
  moho_tile_plan plan;      /* native */
  moho_device_plan device;  /* kernels on a device */
  moho_window window;       /* of the grid */
  size_t columns, capacity; /* of the window; capacity: traces a batch */
  size_t bins;              /* of the gathers; 1 without */
  size_t batch_trace_bytes; /* that one trace more of a batch takes on the host */
  size_t batch_trace_device_bytes;
  size_t bytes, device_bytes;     /* on the host; on a device with memory of its own */
  double contributions_a_trace;   /* on a device, expected: for progress */
  size_t allowed, device_allowed; /* of them */
} moho_migration_setup;

/* What a method's sizes follow from, besides the setup so far. */
typedef struct moho_migration_size_query {
  const moho_device_report *report;
  const moho_grid *grid;
  const moho_window *window; /* that is computed */
  const moho_migration_options *options;
  const moho_geometry *geometry; /* of the survey */
  size_t n_samples;              /* of a recorded trace */
} moho_migration_size_query;

/* Checks all arguments; `out` must be released, also after an error. */
moho_status moho_migration_set_up(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                  double dt_s, int is_adjoint, moho_migration_setup *out);
/* Once more for options->window alone: sizes, in a setup that was made with other windows. */
moho_status moho_migration_size_window(const moho_device_report *report, const moho_grid *grid,
                                       const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                       moho_migration_setup *s);
void moho_migration_setup_release(moho_migration_setup *setup);

/* Live traces lie at finite places and begin at a time that a float counts in samples; the first of `geometry` is trace
 * `first` of the survey. Elsewhere indices into a record cannot be trusted. */
moho_status moho_migration_check_geometry(const moho_geometry *geometry, uint64_t first, double refined_dt_s);

/* Contributions of the whole survey to a window's columns, estimated from up to so many traces and columns. */
moho_status moho_migration_estimate(const moho_grid *grid, const moho_window *window, const moho_travel_law *law,
                                    const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                    size_t sampled_traces, size_t sampled_columns, double *contributions);

#endif
