/* angle_lanes.h - bins of the opening angle of a block of samples for straight rays, in floats with a bound on their error
 * (../angle_runs.h). Included after migrate_lanes.h; what is written
 * without vectors the compiler makes vectors of.
 *
 * a^2 = d^2 (v_int s2 dt)^2 / t^2 for each leg; numbers are rounded ten times at most: a^2 errs by 6e-7 of itself, the product
 * under the root by 1.2e-6, and the root by that over twice its value, or by 1.1e-3 where it vanishes.
 */
#include "migrate/angle_kernel.h"

/* Lower and upper bounds of the cosines; past the block's end copies of its last sample. Tables are padded by a block. */
INLINE void angle_bounds(void *const *buffers, const moho_angle_parameters *p, float *restrict low, float *restrict high) {
  const float *base = (const float *)buffers[0] + p->first, *s2 = (const float *)buffers[1] + p->first,
              *steepness = (const float *)buffers[2] + p->first;
  const vfloat source2 = lanes_set(p->source2), receiver2 = lanes_set(p->receiver2), between = lanes_set(p->cosine);
  for (int32_t i = 0; i < p->n; i += LANES) {
    vfloat source = leg_squared_straight(lanes_load(base + i), source2, lanes_load(s2 + i));
    vfloat receiver = leg_squared_straight(lanes_load(base + i), receiver2, lanes_load(s2 + i));
    vfloat share = lanes_load(steepness + i) * lanes_reciprocal(source * receiver);
    vfloat a2 = MIN(share * source2 * receiver, R(1.0)), b2 = MIN(share * receiver2 * source, R(1.0));
    vfloat root = lanes_sqrt(MAX((R(1.0) - a2) * (R(1.0) - b2), R(1e-12)));
    vfloat cosine = FMA(between, lanes_sqrt(MAX(a2 * b2, R(1e-24))), root);
    vfloat error = FMA(lanes_reciprocal(MAX(root, R(1.4e-3))), R(2e-6), R(2e-6));
    lanes_store(low + i, cosine - error);
    lanes_store(high + i, cosine + error);
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
  int32_t above = 0;
  for (int32_t k = 0; k < n; k++) above += limits[k] >= value;
  return above;
}

void LANES_NAME(moho_angle_bins)(void *const *buffers, const void *parameters_pointer) {
  const moho_angle_parameters *p = parameters_pointer;
  const float *limits = buffers[3];
  moho_angle_block *block = buffers[4];
  _Alignas(64) float low[MOHO_ANGLE_BLOCK], high[MOHO_ANGLE_BLOCK];
  float least, most;
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
