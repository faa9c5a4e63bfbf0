/* semblance.h - panels of semblance: how alike the traces of gathers are along the move-out of every factor and time.
 *
 *   S(T0, f) = sum_w (sum_h a)^2 / (sum_w n_h sum_h a^2 + floor)        a: amplitude along the curve, w: samples of a window
 * (Neidell & Taner 1971). The sums of neighbouring gathers, each with its own velocity, are added before the quotient.
 */
#ifndef MOHO_MIGRATE_SEMBLANCE_H
#define MOHO_MIGRATE_SEMBLANCE_H

#include "moho/velocity_scan.h"
#include "migrate/residual_moveout.h"

typedef struct moho_semblance_axes {
  size_t n_factors, n_times; /* of the panel */
  double factor_first, factor_step;
  size_t first_sample, every; /* panel time k is image sample first_sample + k*every */
  size_t half_window;         /* samples to each side */
  size_t n_samples, n_offsets;
  const double *half_offset_m; /* [n_offsets] */
  double stretch, floor;       /* floor: of the strongest window's power */
} moho_semblance_axes;

typedef struct moho_semblance moho_semblance; /* sums of one panel and the rows to make them; one a thread */

moho_status moho_semblance_create(const moho_semblance_axes *axes, moho_semblance **out);
void moho_semblance_destroy(moho_semblance **panel);
void moho_semblance_clear(moho_semblance *panel);
/* Add a gather [offset, time]; NaN marks what is missing. used [n_offsets]: 0 leaves a bin out. */
void moho_semblance_add(moho_semblance *panel, const moho_moveout_column *column, const float *gather, const uint8_t *used);
/* The panel [factor, time] of what was added, and the power of its stack in the window (may be NULL). */
void moho_semblance_finish(const moho_semblance *panel, float *semblance, float *power);

#endif
