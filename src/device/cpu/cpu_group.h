/* cpu_group.h - one group of a launch on one thread: a kernel's text compiled as C, its lanes as fibers. */
#ifndef MOHO_DEVICE_CPU_GROUP_H
#define MOHO_DEVICE_CPU_GROUP_H

#include "moho/kernel.h"

enum { MOHO_CPU_MAX_LANES = 1024, MOHO_CPU_GROUP_MEMORY = 65536 };

/* A launch as each of its groups sees it. */
typedef struct moho_group_launch {
  const char *name; /* of the kernel, for messages */
  moho_c_function function;
  void *const *buffers;
  const void *parameters;
  uint32_t groups[2], lanes;
  size_t group_memory;
} moho_group_launch;

/* Stacks for the lanes of a group, kept and used again. */
typedef struct moho_crew moho_crew;

moho_status moho_crew_create(uint32_t lanes, moho_crew **out);
void moho_crew_destroy(moho_crew *crew);
uint32_t moho_crew_lanes(const moho_crew *crew);

/* Before the groups of a launch. */
moho_status moho_crew_begin(moho_crew *crew, const moho_group_launch *launch);
/* MOHO_ERROR_DEVICE: lanes that should meet at a barrier or SIMD operation do not; names kernel, group, lanes and lines. */
moho_status moho_crew_run(moho_crew *crew, uint32_t x, uint32_t y);
/* After them. MOHO_ERROR_DEVICE: a lane used more stack than it has. */
moho_status moho_crew_end(moho_crew *crew);

/* A group of a kernel whose lanes never meet: one after another, no fibers. MOHO_ERROR_DEVICE: they did meet. */
moho_status moho_group_run_plain(const moho_group_launch *launch, uint32_t x, uint32_t y);

#endif
