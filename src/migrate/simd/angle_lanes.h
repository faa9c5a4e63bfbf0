/* angle_lanes.h - bins of the opening angle of a block of samples for straight rays, in floats with a bound on their error
 * (../angle_runs.h). Included by the file of each instruction set, whose compiler makes vectors of the loops.
 *
 * a^2 = d^2 (v_int s2 dt)^2 / t^2 for each leg; numbers are rounded ten times at most: a^2 errs by 6e-7 of itself, the product
 * under the root by 1.2e-6, and the root by that over twice its value, or by 1.1e-3 where it vanishes.
 */
#include "migrate/angle_kernel.h"

/* Lower and upper bounds of the cosines; past the block's end copies of its last sample. */
INLINE void angle_bounds(void *const *buffers, const moho_angle_parameters *p, float *restrict low, float *restrict high) {
  const float *restrict base = (const float *)buffers[0] + p->first, *restrict s2 = (const float *)buffers[1] + p->first,
                        *restrict steepness = (const float *)buffers[2] + p->first;
  const float source2 = p->source2, receiver2 = p->receiver2, between = p->cosine;
  for (int32_t i = 0; i < p->n; i++) {
    float source = base[i] + source2 * s2[i], receiver = base[i] + receiver2 * s2[i], inverse = 1.0f / (source * receiver);
    float a2 = steepness[i] * source2 * receiver * inverse, b2 = steepness[i] * receiver2 * source * inverse;
    a2 = a2 < 1.0f ? a2 : 1.0f, b2 = b2 < 1.0f ? b2 : 1.0f;
    float root = __builtin_sqrtf((1.0f - a2) * (1.0f - b2)), cosine = root + between * __builtin_sqrtf(a2 * b2);
    float error = 2e-6f / (root > 1.4e-3f ? root : 1.4e-3f) + 2e-6f;
    low[i] = cosine - error, high[i] = cosine + error;
  }
  for (int32_t i = p->n; i < MOHO_ANGLE_BLOCK; i++) low[i] = low[p->n - 1], high[i] = high[p->n - 1];
}

/* The least of low and the most of high: halves, so that vectors do it. */
INLINE void angle_extremes(const float *restrict low, const float *restrict high, float *least, float *most) {
  float a[MOHO_ANGLE_BLOCK / 2], b[MOHO_ANGLE_BLOCK / 2];
  for (int i = 0; i < MOHO_ANGLE_BLOCK / 2; i++) {
    a[i] = low[i] < low[i + MOHO_ANGLE_BLOCK / 2] ? low[i] : low[i + MOHO_ANGLE_BLOCK / 2];
    b[i] = high[i] > high[i + MOHO_ANGLE_BLOCK / 2] ? high[i] : high[i + MOHO_ANGLE_BLOCK / 2];
  }
  for (int half = MOHO_ANGLE_BLOCK / 4; half >= 1; half /= 2)
    for (int i = 0; i < half; i++) {
      a[i] = a[i] < a[i + half] ? a[i] : a[i + half];
      b[i] = b[i] > b[i + half] ? b[i] : b[i + half];
    }
  *least = a[0], *most = b[0];
}

/* How many limits, which descend, are at least `value`. */
INLINE int32_t angle_limits_above(const float *limits, int32_t n, float value) {
  int32_t low = 0, high = n;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (limits[middle] >= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

void LANES_NAME(moho_angle_bins)(void *const *buffers, const void *parameters_pointer) {
  const moho_angle_parameters *p = parameters_pointer;
  const float *limits = buffers[3];
  moho_angle_block *block = buffers[4];
  float low[MOHO_ANGLE_BLOCK], high[MOHO_ANGLE_BLOCK], least, most;
  angle_bounds(buffers, p, low, high);
  angle_extremes(low, high, &least, &most);
  int32_t within = angle_limits_above(limits, p->n_limits, most), near = angle_limits_above(limits, p->n_limits, least);
  block->edges = within;
  block->is_whole = within == near;
  if (within == near) return;
  int32_t *restrict edges = block->of_sample, *restrict doubtful = block->is_doubtful;
  for (int i = 0; i < MOHO_ANGLE_BLOCK; i++) edges[i] = within, doubtful[i] = 0;
  for (int32_t k = within; k < near; k++) {
    const float limit = limits[k];
    for (int i = 0; i < MOHO_ANGLE_BLOCK; i++) {
      int32_t is_above = limit >= high[i], is_not_below = limit >= low[i];
      edges[i] += is_above;
      doubtful[i] |= is_not_below ^ is_above;
    }
  }
}
