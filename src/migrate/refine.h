/* refine.h - band-limited refinement: a spectrum of `length` samples continued with zeros to refine*length. */
#ifndef MOHO_MIGRATE_REFINE_H
#define MOHO_MIGRATE_REFINE_H

#include "moho/migration.h"

/* Samples after refinement: sample j of the input is sample j*refine of the output. */
static inline size_t moho_refined_samples(size_t n_samples, int refine) {
  return n_samples ? (n_samples - 1) * (size_t)refine + 1 : 0;
}

/* Continue an interleaved half-spectrum [length/2 + 1 bins] in place to [refine*length/2 + 1]. The bin at the old Nyquist
 * frequency is halved: it now stands for both of its signs. */
void moho_refine_spectrum(float *spectrum, size_t length, int refine);

#endif
