/* cpu_state.h - the cpu as a device, shared by the files of its backend. */
#ifndef MOHO_DEVICE_CPU_STATE_H
#define MOHO_DEVICE_CPU_STATE_H

#include <pthread.h>

#include "device/backend.h"
#include "device/cpu/cpu_group.h"

/* Address and length of wrapped memory: a cache line, as all memory that the backend allocates. */
enum { MOHO_CPU_ALIGNMENT = 64 };

typedef struct moho_cpu_state {
  int threads;
  moho_simd simd;
  pthread_mutex_t lock; /* of the crews that rest */
  moho_crew *crews[64];
  int n_crews;
} moho_cpu_state;

/* cpu_launch.c: run a launch to its end, its groups on the device's threads. */
moho_status moho_cpu_launch(moho_cpu_state *cpu, const moho_command *command);
void moho_cpu_crews_destroy(moho_cpu_state *cpu);

/* cpu_queue.c */
moho_status moho_cpu_queue_create(void *state, void **queue);
void moho_cpu_queue_destroy(void *queue);
moho_status moho_cpu_queue_submit(void *queue, const moho_submission *submission);
moho_status moho_cpu_queue_wait(void *queue, uint64_t ticket, double timeout_s);
void moho_cpu_queue_collect(void *queue, uint64_t ticket, moho_outcome *outcome);

#endif
