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

/* Running mean over 2*half + 1 bins, fewer at the ends. */
static void smooth(const double *power, size_t bins, size_t half, double *out) {
  for (size_t k = 0; k < bins; k++) {
    size_t first = k > half ? k - half : 0, last = k + half < bins ? k + half : bins - 1;
    double sum = 0;
    for (size_t i = first; i <= last; i++) sum += power[i];
    out[k] = sum / (double)(last - first + 1);
  }
}

/*
 * Highest frequency whose amplitude exceeds a tenth of the peak's (a hundredth in power) and stands clear of white noise
 * (four times the lowest power of the spectrum, smoothed over a thirty-second of it): noise is not worth refining. A
 * spectrum that nowhere stands clear counts up to Nyquist. 0 for traces of zeros.
 */
static double highest_frequency(const double *power, size_t length, double dt_s, double *smoothed) {
  size_t bins = length / 2 + 1;
  smooth(power, bins, bins / 64 + 1, smoothed);
  double peak = 0, floor_power = smoothed[0];
  for (size_t k = 0; k < bins; k++) {
    peak = smoothed[k] > peak ? smoothed[k] : peak;
    floor_power = smoothed[k] < floor_power ? smoothed[k] : floor_power;
  }
  double limit = 0.01 * peak;
  if (peak > 4 * floor_power && 4 * floor_power > limit) limit = 4 * floor_power;
  size_t k = bins - 1;
  while (k > 0 && !(smoothed[k] > limit)) k--;
  return (double)k / ((double)length * dt_s);
}

/* Without memory for the spectra the data count as needing no refinement, f_max 0. */
int moho_migration_refine_factor(moho_interpolation interpolation, const float *traces, size_t n, size_t n_samples, double dt_s,
                                 double *f_max_hz) {
  double *power = NULL, f_max = 0;
  size_t length = moho_filter_length(n_samples), bins = length / 2 + 1;
  if (n && n_samples && !moho_allocate(2 * bins, sizeof *power, "trace spectrum", &power) &&
      !mean_power(traces, n, n_samples, length, power))
    f_max = highest_frequency(power, length, dt_s, power + bins);
  free(power);
  if (f_max_hz) *f_max_hz = f_max;
  int factor = 1;
  if (interpolation == MOHO_INTERPOLATION_LINEAR)
    while (factor < 8 && dt_s * f_max / factor > 0.1 * (1 + 1e-9)) factor *= 2;
  return factor;
}
