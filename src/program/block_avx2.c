/* block_avx2.c - the loops of the vectorised execution for avx2. */
#include "program/block_loops.h"

#if defined(__x86_64__)
#define BLOCK_LOOPS moho_block_loops_avx2
#include "program/block_lanes.h"
#endif
