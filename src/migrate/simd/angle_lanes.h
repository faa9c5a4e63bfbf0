/* angle_lanes.h - cosines of the opening angle of a block of samples for straight rays, as floats with a bound on their error
 * (../angle_runs.h). Included by the file of each instruction set, whose compiler makes vectors of it.
 *
 * a^2 = d^2 (v_int s2 dt)^2 / t^2 for each leg; numbers are rounded ten times at most: a^2 errs by 6e-7 of itself, the product
 * under the root by 1.2e-6, and the root by that over twice its value, or by 1.1e-3 where it vanishes.
 */
#include "migrate/angle_kernel.h"

void LANES_NAME(moho_angle_cosines)(void *const *buffers, const void *parameters_pointer) {
  const moho_angle_parameters p = *(const moho_angle_parameters *)parameters_pointer;
  const float *restrict base = (const float *)buffers[0] + p.first, *restrict s2 = (const float *)buffers[1] + p.first,
                        *restrict steepness = (const float *)buffers[2] + p.first;
  float *restrict cosines = buffers[3], *restrict errors = buffers[4];
  for (int32_t i = 0; i < p.n; i++) {
    float source = base[i] + p.source2 * s2[i], receiver = base[i] + p.receiver2 * s2[i], inverse = 1.0f / (source * receiver);
    float a2 = steepness[i] * p.source2 * receiver * inverse, b2 = steepness[i] * p.receiver2 * source * inverse;
    a2 = a2 < 1.0f ? a2 : 1.0f, b2 = b2 < 1.0f ? b2 : 1.0f;
    float root = __builtin_sqrtf((1.0f - a2) * (1.0f - b2));
    cosines[i] = root + p.cosine * __builtin_sqrtf(a2 * b2);
    errors[i] = 2e-6f / (root > 1.4e-3f ? root : 1.4e-3f) + 2e-6f;
  }
}
