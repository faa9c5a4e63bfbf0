/* msl_watch.h - every load and store of a launch looked at: bounds, alignment, races, group memory read before it is written. */
#ifndef MOHO_METAL_MSL_WATCH_H
#define MOHO_METAL_MSL_WATCH_H

#include "msl.h"

#include <stdint.h>

/* Barriers with MSL_FLAG_DEVICE order device memory, those with MSL_FLAG_GROUP group memory. */
enum { MSL_FLAG_DEVICE = 1, MSL_FLAG_GROUP = 2 };

/* MOHO_METAL_DOUBLE_WATCH=1: kernels are compiled to be watched, and run on one thread. */
bool msl_watch_wanted(void);
void msl_watch_begin(const msl_dispatch *dispatch);
/* A group begins: its memory holds nothing yet. */
void msl_watch_group(void *const *group_memory);
void msl_watch_barrier(unsigned flags);
void msl_watch_simd_barrier(unsigned simd_group, unsigned flags);
/* `stack`: the lane's own, `bytes` of it. */
void msl_watch_access(const msl_position *lane, const void *stack, size_t stack_bytes, const void *address, unsigned bytes,
                      int how);
void msl_watch_end(void);

#endif
