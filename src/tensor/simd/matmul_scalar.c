/* matmul_scalar.c - the blocked matrix product of matmul_lanes.h by what every processor of the architecture has. */
#define LANES 4
#define ROWS 4
#define NAME matmul_block_scalar
#include "tensor/simd/matmul_lanes.h"
