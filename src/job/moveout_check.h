/* moveout_check.h - do the input's events look as if their move-out had been taken off already? Measured, not guessed.
 *
 * Gathers of traces about common midpoints are stacked twice: as they are, and along the move-out of the velocity,
 * t^2 = t0^2 + x^2/v^2. What lines up is the semblance sum_t (sum_i x_i)^2 / sum_t n sum_i x_i^2 of all gathers: 1 where traces
 * are alike, 1/n where they have nothing in common. Only times count where the move-out between near and far traces exceeds two
 * periods of the data, so that a wrong velocity, up to twice the true one or half of it, does not look like a flat event; and
 * only traces whose t is less than 1.5 t0.
 */
#ifndef MOHO_JOB_MOVEOUT_CHECK_H
#define MOHO_JOB_MOVEOUT_CHECK_H

#include "job/run_inputs.h"

/* Few gathers, or little range of offsets: gathers = 0, nothing can be said. Reads up to 768 traces. */
moho_status moho_moveout_check_measure(moho_run_inputs *in, moho_moveout_check *out);

/* Flat events outdo those along the move-out: twice the semblance, and 0.08 above that of noise (ordinary data: less than 0.02,
 * tests/cli/test_nmo.py). */
int moho_moveout_check_is_flat(const moho_moveout_check *check);

#endif
