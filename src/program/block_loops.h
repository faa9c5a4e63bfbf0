/* block_loops.h - the loops of the vectorised cpu execution: one instruction over the lanes of a block, by operation and type, in
 * every instruction set (block_lanes.h is their one text).
 *
 * A register of a block is an array of its declared type, a predicate one of bytes 0 or 1. Sources may be the destination itself.
 * Where there is no loop of f16 and bf16 the operands are widened to f32 and the result rounded.
 */
#ifndef MOHO_PROGRAM_BLOCK_LOOPS_H
#define MOHO_PROGRAM_BLOCK_LOOPS_H

#include "device/device_internal.h"
#include "program/program_core.h"

/* d[i] = op(a[i], b[i], c[i]) for i < n; what an operation does not have is NULL. */
typedef void (*moho_block_loop)(void *d, const void *a, const void *b, const void *c, size_t n);

enum { MOHO_BLOCK_WIDTHS = 4 }; /* elements of 1, 2, 4, 8 bytes: index log2 */

typedef struct moho_block_loops {
  moho_block_loop arithmetic[MOHO_PROGRAM_OPERATIONS][MOHO_PROGRAM_TYPES];
  moho_block_loop compare[MOHO_PROGRAM_CONDITIONS][MOHO_PROGRAM_TYPES]; /* bytes = a ? b */
  moho_block_loop convert[MOHO_PROGRAM_TYPES][MOHO_PROGRAM_TYPES];      /* [from][to] */
  moho_block_loop select[MOHO_BLOCK_WIDTHS];                            /* d = a (bytes) ? b : c */
  moho_block_loop fill[MOHO_BLOCK_WIDTHS];                              /* d = *a */
  moho_block_loop is_zero[MOHO_PROGRAM_TYPES];                          /* bytes = a == 0, of integers */
  moho_block_loop count_up[MOHO_PROGRAM_TYPES];                         /* d = *(uint32_t *)a + i, of 4 and 8 bytes */
  moho_block_loop address[MOHO_PROGRAM_TYPES];                          /* u64 d = extended a + *(uint64_t *)b */
  moho_block_loop still;                                                /* bytes = a & (b > *(uint64_t *)c), of b's u64 */
  /* predicates and masks */
  moho_block_loop both, either, opposite, without;    /* a & b, a | b, !a, a & !b */
  size_t (*count)(const uint8_t *mask, size_t n);     /* of ones */
  int (*is_run)(const uint64_t *addresses, size_t n); /* addresses[i] == addresses[0] + i */
} moho_block_loops;

extern const moho_block_loops moho_block_loops_scalar;
#if defined(__x86_64__)
extern const moho_block_loops moho_block_loops_avx2, moho_block_loops_avx512;
#endif

/* Those of the best instruction set that the device may use. */
const moho_block_loops *moho_block_loops_of(moho_simd simd);

#endif
