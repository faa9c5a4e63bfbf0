/* expected_rate.c - contributions a second, reckoned without measuring the job. */
#include "job/expected_rate.h"

#include <string.h>

enum { MULTIPLY_ADDS_A_CONTRIBUTION = 30 };

/*
 * Contributions per second and core that the time is reckoned with: round figures of a 2.8 GHz server core, linear interpolation,
 * no weights. `moho bench migrate` measures those of the machine at hand.
 */
static double native_rate(const moho_run_inputs *in) {
  const char *simd = in->device_report.simd;
  double rate = strcmp(simd, "avx512") == 0 ? 2.0e9
                : strcmp(simd, "avx2") == 0 ? 0.8e9
                : strcmp(simd, "neon") == 0 ? 0.5e9
                                            : 0.15e9;
  return rate * in->device_report.threads;
}

/*
 * On a GPU: multiply-adds a second as they are measured here, over those of a contribution. A kernel's text run as C on the
 * processor is for tests.
 */
static moho_status device_rate(const moho_run_inputs *in, double *rate) {
  moho_device_rates rates;
  *rate = 1e7 * in->device_report.threads;
  if (in->device_report.has_native) return MOHO_OK;
  MOHO_TRY(moho_device_measure(in->device, &rates));
  *rate = rates.fma_per_s / MULTIPLY_ADDS_A_CONTRIBUTION;
  return MOHO_OK;
}

moho_status moho_expected_rate(const moho_run_inputs *in, double *out) {
  double rate = native_rate(in);
  if (strcmp(in->plan.kernel, "native") != 0) MOHO_TRY(device_rate(in, &rate));
  if (in->options.weight == MOHO_WEIGHT_TRUE_AMPLITUDE) rate *= 0.55;
  else if (in->options.weight != MOHO_WEIGHT_NONE) rate *= 0.75;
  if (in->options.antialias != MOHO_ANTIALIAS_NONE) rate *= 0.35;
  if (in->options.interpolation == MOHO_INTERPOLATION_CUBIC) rate *= 0.5;
  if (in->options.interpolation == MOHO_INTERPOLATION_SINC8) rate *= 0.25;
  *out = rate;
  return MOHO_OK;
}

/* No device is faster than this: few contributions are done in no time, without measuring. */
static const double largest_rate = 2e12, few_seconds = 1;

moho_status moho_expected_seconds(const moho_run_inputs *in, double *seconds) {
  double rate;
  *seconds = in->plan.contributions / largest_rate;
  if (*seconds < few_seconds && strcmp(in->plan.kernel, "native") != 0) return MOHO_OK;
  MOHO_TRY(moho_expected_rate(in, &rate));
  *seconds = in->plan.contributions / rate;
  return MOHO_OK;
}
