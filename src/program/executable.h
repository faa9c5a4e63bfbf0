/* executable.h - a program made ready for one device, and a launch of it under way, as the files of this room see them.
 *
 *   executable.c        what a device supports; made, shared, given back
 *   executable_gpu.c    kernel text compiled; one launch as a kernel's
 *   executable_launch.c bindings checked, recorded, waited for; faults told
 */
#ifndef MOHO_PROGRAM_EXECUTABLE_H
#define MOHO_PROGRAM_EXECUTABLE_H

#include <pthread.h>

#include "program/block.h"
#include "program/program_core.h"

/* Where kernel text is compiled: for few or many lanes a group, for grids along a line or of any shape, for groups one by one or
 * abreast. */
enum { MOHO_GPU_FEW_LANES = 256, MOHO_GPU_VARIANTS = 8 };

struct moho_program_executable {
  uint32_t users; /* atomic: who made it, and runs */
  moho_device *device;
  moho_device_report report;
  moho_program *program;     /* a copy of what executions need */
  moho_kernel *block_kernel; /* the cpu's: the vectorised execution as a native function */
  char *text;                /* elsewhere: kernel text, compiled on demand */
  moho_kernel *kernels[MOHO_GPU_VARIANTS];
  pthread_mutex_t lock; /* of kernels[] */
};

struct moho_program_run {
  moho_program_executable *executable;
  moho_queue *queue;
  moho_ticket ticket;
  /* the cpu's: read and written by the native function */
  moho_block_launch block;
  uint64_t fault_key;
  moho_status status;
  moho_error error;
  /* elsewhere */
  moho_buffer *faults; /* [fault places] lowest ids */
};

void moho_executable_release(moho_program_executable *executable);

/* executable_launch.c: its native function, registered under this name when first needed. */
#define MOHO_BLOCK_KERNEL "moho_program_block"
moho_status moho_block_kernel_create(moho_device *device, moho_kernel **out);

/* ---- executable_gpu.c ---- */

/* Compile the variant that most launches need. */
moho_status moho_executable_prepare_gpu(moho_program_executable *executable);
moho_status moho_executable_record_gpu(moho_program_run *run, const moho_binding *bindings);
/* Launches of at least so many groups run abreast where they may; 0: the number that suits GPUs. For tests. */
void moho_executable_abreast_from(uint64_t groups);
/* The smallest fault key of a run that is done. */
moho_status moho_executable_read_faults(moho_program_run *run, uint64_t *key);

#endif
