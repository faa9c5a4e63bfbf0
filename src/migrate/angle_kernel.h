/* angle_kernel.h - the fast pass of angle_runs.h, for every instruction set: cosines of a block of samples. Shared by host and
 * loops.
 */
#ifndef MOHO_MIGRATE_ANGLE_KERNEL_H
#define MOHO_MIGRATE_ANGLE_KERNEL_H

#include "device/device_internal.h"

enum { MOHO_ANGLE_BLOCK = 64 };
/* Buffers 0 base, 1 s2, 2 steepness (IN) [n], 3 cosines, 4 bounds of their errors (OUT) [MOHO_ANGLE_BLOCK]. */
typedef struct moho_angle_parameters {
  int32_t first, n;
  float source2, receiver2, cosine;
} moho_angle_parameters;

extern const moho_native_kernel moho_angle_cosines;

#endif
