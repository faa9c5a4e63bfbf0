/* fft.c - real Fourier transforms in float (kissfft). */
#include "migrate/fft.h"

#include <kiss_fftr.h>
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"

struct moho_fft {
  kiss_fftr_cfg plan;
};

_Static_assert(sizeof(kiss_fft_cpx) == 2 * sizeof(float), "kissfft must be built for float");

moho_status moho_fft_create(size_t length, int inverse, moho_fft **out) {
  *out = NULL;
  if (length < 2 || length % 2 || length > INT_MAX)
    return moho_fail(MOHO_ERROR_RANGE, "Fourier transform of %zu samples, expected an even number up to %d", length, INT_MAX);
  moho_fft *fft;
  MOHO_TRY(moho_allocate(1, sizeof *fft, "Fourier transform", &fft));
  fft->plan = kiss_fftr_alloc((int)length, inverse, NULL, NULL);
  if (!fft->plan) {
    free(fft);
    return moho_fail(MOHO_ERROR_MEMORY, "Fourier transform of %zu samples: out of memory", length);
  }
  *out = fft;
  return MOHO_OK;
}

void moho_fft_destroy(moho_fft **fft) {
  if (!*fft) return;
  kiss_fftr_free((*fft)->plan);
  free(*fft);
  *fft = NULL;
}

void moho_fft_forward(moho_fft *fft, const float *time, float *spectrum) {
  kiss_fftr(fft->plan, time, (kiss_fft_cpx *)(void *)spectrum);
}

void moho_fft_inverse(moho_fft *fft, const float *spectrum, float *time) {
  kiss_fftri(fft->plan, (const kiss_fft_cpx *)(const void *)spectrum, time);
}
