/* least_squares.h - least-squares migration: the image whose demigration fits the traces best.
 *
 *   minimise |L x - d|^2 + lambda <x, x/P>        L: demigration, d: traces, P = 1/(fold * w^2), w the zero-offset weight
 *
 * by conjugate gradients on (L* L + lambda/P) x = L* d, preconditioned by P (Hestenes & Stiefel 1952; Nemeth, Wu & Schuster
 * 1999 for migration). A migration adds traces as they lie; where they lie sparsely or irregularly its image carries their
 * footprint, which the iterations take out as far as the data tell. A step takes one demigration and one migration of all
 * traces in one pass; nothing as large as the data is kept.
 */
#ifndef MOHO_LEAST_SQUARES_H
#define MOHO_LEAST_SQUARES_H

#include "moho/demigration.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_least_squares_options {
  int iterations; /* at least 1; each the cost of a migration and a demigration. The first is a scaled migration */
  double damping; /* lambda as a fraction of the curvature along the first direction; 0: none, 0.01: a little */
} moho_least_squares_options;

/* After each iteration; the first entry is before any. */
typedef struct moho_least_squares_step {
  double residual; /* |L x - d| / |d|, d tapered by its mutes */
  double gradient; /* preconditioned, over the first one's */
  double seconds;  /* since the beginning, wall */
} moho_least_squares_step;

/* Traces [first, first + n) into traces [n, n_samples]; the same ones whenever they are asked for. */
typedef moho_status (*moho_traces_source)(void *user, size_t first, size_t n, float *traces);

typedef struct moho_least_squares_counts {
  moho_migration_counts migration; /* of the first pass */
  uint64_t contributions;          /* of all passes, migrations and demigrations */
  double kernel_seconds;
  int iterations; /* made: fewer when the gradient vanished */
} moho_least_squares_counts;

/**
 * Solve from x = 0. Traces are asked for once before and once during each iteration, in batches, ascending.
 *
 * @param options  as for moho_demigration_create(); normalise must be none
 * @param image    made by moho_image_create() on the grid: gets the solution as stack, and the fold
 * @param steps    [iterations + 1] history
 * @return errors of moho_demigration_create() and moho_migration_add(), those of the source; MOHO_ERROR_RANGE (iterations or
 *         damping); MOHO_ERROR_NOT_AVAILABLE (normalise fold)
 * Accuracy: the residuals come from the recurrence; they are those of the image to 1e-4 of |d|
 * (tests/physics/test_least_squares.c)
 */
MOHO_API moho_status moho_least_squares_migrate(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                                const moho_migration_options *options,
                                                const moho_least_squares_options *least_squares, const moho_geometry *geometry,
                                                size_t n_samples, double dt_s, moho_traces_source source, void *source_user,
                                                moho_image *image, moho_least_squares_step *steps,
                                                moho_least_squares_counts *counts, moho_progress_function progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
