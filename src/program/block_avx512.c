/* block_avx512.c - the loops of the vectorised execution for avx512. */
#include "program/block_loops.h"

#if defined(__x86_64__)
#define BLOCK_LOOPS moho_block_loops_avx512
#include "program/block_lanes.h"
#endif
