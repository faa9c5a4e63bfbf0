/* refine.c - band-limited refinement of traces, and the factor that an interpolation needs. */
#include "migrate/refine.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/fft.h"
#include "migrate/rho_filter.h"

void moho_refine_spectrum(float *spectrum, size_t length, int refine) {
  if (refine <= 1) return;
  size_t nyquist = length / 2, bins = (size_t)refine * length / 2 + 1;
  spectrum[2 * nyquist] *= 0.5f;
  spectrum[2 * nyquist + 1] *= 0.5f;
  memset(spectrum + 2 * (nyquist + 1), 0, (bins - nyquist - 1) * 2 * sizeof(float));
}

enum { SPECTRUM_TRACES = 256 }; /* of the survey are looked at, evenly spread */

/* Mean power of up to SPECTRUM_TRACES traces at each frequency. */
static moho_status mean_power(const float *traces, size_t n, size_t n_samples, size_t length, double *power) {
  moho_fft *fft = NULL;
  float *time = NULL, *spectrum = NULL;
  moho_status status = moho_fft_create(length, 0, &fft);
  if (!status) status = moho_allocate(length, sizeof *time, "trace spectrum", &time);
  if (!status) status = moho_allocate(length + 2, sizeof *spectrum, "trace spectrum", &spectrum);
  size_t used = n < SPECTRUM_TRACES ? n : SPECTRUM_TRACES;
  for (size_t i = 0; !status && i < used; i++) {
    memcpy(time, traces + i * n / used * n_samples, n_samples * sizeof *time);
    moho_fft_forward(fft, time, spectrum);
    for (size_t k = 0; k <= length / 2; k++) {
      double re = spectrum[2 * k], im = spectrum[2 * k + 1];
      power[k] += re * re + im * im;
    }
  }
  moho_fft_destroy(&fft);
  free(time), free(spectrum);
  return status;
}

/* Highest frequency whose amplitude exceeds a tenth of the peak's (a hundredth in power); 0 for traces of zeros. */
static double highest_frequency(const double *power, size_t length, double dt_s) {
  double peak = 0;
  for (size_t k = 0; k <= length / 2; k++) peak = power[k] > peak ? power[k] : peak;
  size_t k = length / 2;
  while (k > 0 && !(power[k] > 0.01 * peak)) k--;
  return (double)k / ((double)length * dt_s);
}

/* Without memory for the spectra the data count as needing no refinement, f_max 0. */
int moho_migration_refine_factor(moho_interpolation interpolation, const float *traces, size_t n, size_t n_samples, double dt_s,
                                 double *f_max_hz) {
  double *power = NULL, f_max = 0;
  size_t length = moho_filter_length(n_samples);
  if (n && n_samples && !moho_allocate(length / 2 + 1, sizeof *power, "trace spectrum", &power) &&
      !mean_power(traces, n, n_samples, length, power))
    f_max = highest_frequency(power, length, dt_s);
  free(power);
  if (f_max_hz) *f_max_hz = f_max;
  int factor = 1;
  if (interpolation == MOHO_INTERPOLATION_LINEAR)
    while (factor < 8 && dt_s * f_max / factor > 0.1 * (1 + 1e-9)) factor *= 2;
  return factor;
}
