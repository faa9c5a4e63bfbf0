/* block_scalar.c - the loops of the vectorised execution for any processor; on arm64 compilers make NEON of them. */
#define BLOCK_LOOPS moho_block_loops_scalar
#include "program/block_lanes.h"

const moho_block_loops *moho_block_loops_of(moho_simd simd) {
#if defined(__x86_64__)
  if (simd == MOHO_SIMD_AVX512) return &moho_block_loops_avx512;
  if (simd == MOHO_SIMD_AVX2) return &moho_block_loops_avx2;
#endif
  (void)simd;
  return &moho_block_loops_scalar;
}
