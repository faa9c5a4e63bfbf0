/* matmul_avx2.c - the blocked matrix product of matmul_lanes.h by AVX2: 6 by 16 sums. */
#if defined(__x86_64__)
#define LANES 8
#define ROWS 6
#define NAME matmul_block_avx2
#include "tensor/simd/matmul_lanes.h"
#endif
