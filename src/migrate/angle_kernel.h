/* angle_kernel.h - the fast pass of angle_runs.h, for every instruction set: bins of a block of samples. Shared by host and
 * loops.
 */
#ifndef MOHO_MIGRATE_ANGLE_KERNEL_H
#define MOHO_MIGRATE_ANGLE_KERNEL_H

#include "device/device_internal.h"

enum { MOHO_ANGLE_BLOCK = 64 };

/* What the fast pass makes of a block. A sample has so many edges at or above its cosine, or is too near one to tell. */
typedef struct moho_angle_block {
  int32_t is_whole; /* all samples have `edges`: the arrays are not filled */
  int32_t edges;
  int32_t of_sample[MOHO_ANGLE_BLOCK], is_doubtful[MOHO_ANGLE_BLOCK];
} moho_angle_block;

/* Buffers 0 base, 1 s2, 2 steepness (IN) [samples], 3 limits (IN) [n_limits] cosines, descending, 4 moho_angle_block (OUT). */
typedef struct moho_angle_parameters {
  int32_t first, n; /* samples [first, first + n), n <= MOHO_ANGLE_BLOCK; first: whole vectors */
  int32_t n_limits;
  float source2, receiver2, cosine;
} moho_angle_parameters;

extern const moho_native_kernel moho_angle_bins;

#endif
