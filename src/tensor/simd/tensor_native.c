/* tensor_native.c - which loops this build has. */
#include "tensor/simd/tensor_native.h"

#include "device/device_internal.h"

const moho_tensor_loops *moho_tensor_loops_of(uint32_t simd) {
#if defined(__x86_64__)
  if (simd == MOHO_SIMD_AVX512) return &moho_tensor_loops_avx512;
  if (simd == MOHO_SIMD_AVX2) return &moho_tensor_loops_avx2;
#elif defined(__aarch64__)
  if (simd == MOHO_SIMD_NEON) return &moho_tensor_loops_neon;
#endif
  (void)simd;
  return &moho_tensor_loops_scalar;
}
