/* matmul_neon.c - the blocked matrix product of matmul_lanes.h by NEON: 8 by 8 sums. */
#if defined(__aarch64__)
#define LANES 4
#define ROWS 8
#define NAME matmul_block_neon
#include "tensor/simd/matmul_lanes.h"
#endif
