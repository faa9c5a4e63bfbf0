/* matmul_avx512.c - the blocked matrix product of matmul_lanes.h by AVX-512: 8 by 32 sums. */
#if defined(__x86_64__)
#define LANES 16
#define ROWS 8
#define NAME matmul_block_avx512
#include "tensor/simd/matmul_lanes.h"
#endif
