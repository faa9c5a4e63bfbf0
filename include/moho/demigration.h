/* demigration.h - the adjoint of the migration: from an image to traces at given places.
 *
 *   D_k(t) = rho^T sum over (x,t0) with t_s + t_r = t of w_k(x,t0) T(|x-m|) I(x,t0) / N                docs/physics.md "Image"
 *
 * The transpose of moho_migration, step by step, to rounding: for images m and traces d |<L m, d> - <m, L* d>| is at most 1e-6
 * of |L m| |d| for every law, interpolation, antialias and weight (tests/physics/test_adjoint.c). So it models the traces that
 * an image explains, and with the migration it solves the least-squares problem (job key migration.iterations).
 *
 * Use: create as a migration, set an image, run for batches of traces. The cpu's own loops sum each trace in a fixed order,
 * kernel v3 on any device in integers: any batch, thread count and schedule gives bitwise the same traces.
 */
#ifndef MOHO_DEMIGRATION_H
#define MOHO_DEMIGRATION_H

#include "moho/migration.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_demigration moho_demigration;

typedef struct moho_demigration_counts {
  uint64_t traces, traces_live, traces_reached; /* made; of them live; of them with a contribution from the image */
  uint64_t contributions;
  double kernel_seconds;   /* in the loops, wall; of kernels on a device, what it measured */
  double prepare_seconds;  /* transposed rho filter and the like, wall */
  double transfer_seconds; /* to and from a device, wall */
  double compile_seconds;  /* of kernels on a device, wall */
  size_t memory_bytes;     /* held now */
} moho_demigration_counts;

/** Arguments and errors of moho_migration_create(); besides MOHO_ERROR_NOT_AVAILABLE for a kernel other than native
 *  and v3, for gathers, half storage, on a device a mask. velocity must outlive it. */
MOHO_API moho_status moho_demigration_create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                             const moho_migration_options *options, const moho_geometry *geometry,
                                             size_t n_samples, double dt_s, moho_demigration **out);
/** The image to be modelled, [inline, crossline, time] (COPY). fold, of the same shape: needed with normalise fold, whose
 *  adjoint divides by it; else NULL.
 *  @return MOHO_ERROR_ARGUMENT (fold missing), MOHO_ERROR_RANGE (NaN or Inf: names the place) */
MOHO_API moho_status moho_demigration_set_image(moho_demigration *demigration, const float *image, const int32_t *fold);
/** Traces [geometry->n, n_samples] at a geometry, overwritten. like [geometry->n, n_samples]: recorded traces, whose leading
 *  zeros mute a trace and whose zeros alone make it dead, as in a migration; NULL: the geometry's flags and mutes decide. */
MOHO_API moho_status moho_demigration_run(moho_demigration *demigration, const moho_geometry *geometry, const float *like,
                                          float *traces, moho_progress_function progress, void *user);
MOHO_API moho_demigration_counts moho_demigration_get_counts(const moho_demigration *demigration);
/** Traces that one run call should ask for. */
MOHO_API size_t moho_demigration_batch_traces(const moho_demigration *demigration);
MOHO_API void moho_demigration_destroy(moho_demigration **demigration);

/** Can it be done with these options on this device? @return MOHO_OK, MOHO_ERROR_NOT_AVAILABLE naming what cannot. */
MOHO_API moho_status moho_demigration_supports(const moho_device *device, const moho_migration_options *options);

#ifdef __cplusplus
}
#endif
#endif
