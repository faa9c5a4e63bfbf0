/* weight.h - the amplitude weight in its three parts: of the trace, of the sample, and of both (docs/physics.md "Weights").
 *
 *   w(trace, sample) = trace factor * column weight * t-part
 *
 * The t-part is what loops compute, from leg times in refined samples: t^(-power/2), or one of the true amplitudes of
 * kernels/physics.h. The column weight c(x, t0) makes the unit good, once a sample when the sums are finished. The trace
 * factor multiplies the prepared trace.
 */
#ifndef MOHO_MIGRATE_WEIGHT_H
#define MOHO_MIGRATE_WEIGHT_H

#include "migrate/offset_class.h"
#include "moho/migration.h"

/* The t-part; 0 .. 4: t^(-power/2). Raw: multiplied by t. */
enum {
  MOHO_T_PART_POWERS = 5,
  MOHO_T_PART_TRUE_3D = MOHO_T_PART_POWERS, /* true_amplitude_3d() */
  MOHO_T_PART_TRUE_3D_RAW,
  MOHO_T_PART_TRUE_2D, /* true_amplitude_2d() */
  MOHO_T_PART_TRUE_2D_RAW,
  MOHO_T_PARTS
};

/* True amplitudes of a line want its rho filter, those of an area theirs: MOHO_ERROR_RANGE for 2d on an area. A line with 3d is
 * one inline of an areal survey. */
moho_status moho_weight_check(const moho_migration_options *options, int is_line);

/* 1 when amplitudes are those of a 2D line. */
int moho_weight_is_2d(const moho_migration_options *options, int is_line);

/* The classes whose spacings and areas these options want. */
moho_status moho_weight_classes(const moho_migration_options *options, const moho_geometry *geometry, const moho_grid *grid,
                                moho_offset_classes *out);

int moho_weight_t_part(const moho_migration_options *options, int is_line);

/* 1 when a stack is the mean over the classes that are live at a sample. Where gathers sort traces into the classes their bins
 * show which are; else live_classes.h. */
int moho_weight_counts_classes(const moho_migration_options *options);
int moho_weight_counts_bins(const moho_migration_options *options);

/* The t-part in double. Times in refined samples; each counts as at least `shortest`, one input sample. */
double moho_weight_of_times(int t_part, double t_s, double t_r, double shortest);

/* c(x, t0) for t-parts in samples of dt_s; v at t0 and v0 at the surface (used by true amplitudes only). */
double moho_weight_of_column(const moho_migration_options *options, int is_line, double dt_s, double t0_s, double v_mps,
                             double v0_mps);

/* Midpoint area of a trace in its offset class, along a line its spacing, for true amplitudes; else 1. */
double moho_weight_of_trace(const moho_migration_options *options, const moho_offset_classes *classes,
                            const moho_geometry *geometry, size_t trace);

#endif
