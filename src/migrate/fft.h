/* fft.h - real Fourier transforms in float (kissfft). A plan owns scratch: one plan a thread at a time. */
#ifndef MOHO_MIGRATE_FFT_H
#define MOHO_MIGRATE_FFT_H

#include "base/fail.h"

typedef struct moho_fft moho_fft;

/* Interleaved spectrum: bin k is {spectrum[2k], spectrum[2k+1]}, k = 0 .. length/2. length: even. */
moho_status moho_fft_create(size_t length, int inverse, moho_fft **out);
void moho_fft_destroy(moho_fft **fft);
/* U[k] = sum_j u[j] e^{-2 pi i jk/length} */
void moho_fft_forward(moho_fft *fft, const float *time, float *spectrum);
/* u[j] = sum_k U[k] e^{+2 pi i jk/length} over all k (the negative ones by symmetry): not scaled */
void moho_fft_inverse(moho_fft *fft, const float *spectrum, float *time);

#endif
