/* synth_noise.c - repeatable normal noise: a counter-based generator, so that any slicing of a survey gives the same bits.
 *
 * A 64-bit hash of (seed, trace, counter) gives two numbers; each is the sum of two quantiles of the normal distribution
 * picked by 12 bits (sums of normals are normal; the tails reach 4.9 standard deviations). No logarithm or sine a sample.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/synth_plan.h"

enum { QUANTILES = 4096 };

/* splitmix64's finaliser (Steele, Lea & Flood 2014) */
static inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* x with P(normal > x) = q, by Newton from a crude start: q in (0, 0.5]. */
static double upper_quantile(double q) {
  double x = sqrt(-2.0 * log(2.0 * q));
  for (int i = 0; i < 60; i++) {
    double excess = 0.5 * erfc(x / sqrt(2.0)) - q;
    double step = excess / (exp(-0.5 * x * x) / sqrt(6.283185307179586));
    x += fmax(-0.5, fmin(0.5, step));
    if (fabs(step) < 1e-14) break;
  }
  return x;
}

/* Midpoints of 4096 equally probable bins, scaled so that the sum of two has a variance of exactly one. */
moho_status moho_noise_table_create(float **quantiles) {
  double upper[QUANTILES / 2], variance = 0;
  MOHO_TRY(moho_allocate(QUANTILES, sizeof(float), "noise table", quantiles));
  for (int i = 0; i < QUANTILES / 2; i++) {
    upper[i] = upper_quantile((i + 0.5) / QUANTILES);
    variance += 2 * upper[i] * upper[i] / QUANTILES;
  }
  for (int i = 0; i < QUANTILES / 2; i++) {
    (*quantiles)[i] = (float)(upper[i] / sqrt(2 * variance));
    (*quantiles)[QUANTILES - 1 - i] = -(*quantiles)[i];
  }
  return MOHO_OK;
}

void moho_noise_add(const float *quantiles, uint64_t seed, uint64_t trace, double rms, size_t n, float *samples) {
  const uint64_t golden = 0x9e3779b97f4a7c15u;
  uint64_t key = mix(mix(seed + golden) ^ mix((trace + 1) * golden));
  float scale = (float)rms;
  for (size_t j = 0; j < n; j += 2) {
    uint64_t bits = mix(key + (j / 2 + 1) * golden);
    samples[j] += scale * (quantiles[bits & 4095] + quantiles[bits >> 12 & 4095]);
    if (j + 1 < n) samples[j + 1] += scale * (quantiles[bits >> 24 & 4095] + quantiles[bits >> 36 & 4095]);
  }
}
