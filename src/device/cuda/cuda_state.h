/* cuda_state.h - an open CUDA device as its backend sees it; contexts and failures.
 *
 * The primary context is retained and made current around each entry, so that the process may share it with others (PyTorch,
 * CuPy): we never create, reset or configure a context.
 */
#ifndef MOHO_CUDA_STATE_H
#define MOHO_CUDA_STATE_H

#include <pthread.h>

#include "device/backend.h"
#include "device/cuda/cuda_compile.h"
#include "device/cuda/cuda_driver.h"

typedef struct moho_cuda_state {
  const moho_cuda_driver *cu;
  moho_cu_device device;
  moho_cu_context context;
  int ordinal;
  moho_nvrtc nvrtc;
  moho_cuda_target target;
  size_t group_memory_limit; /* of a group that asks for it */
  uint32_t groups_y_limit;
  pthread_mutex_t lock;    /* of what follows */
  int lost;                /* an error that ends the context was seen */
  int blamed;              /* and a ticket took it as its own */
  char lost_words[200];    /* the driver's */
  struct cuda_queue *idle; /* queues that were let go of, for those who ask next: making a stream takes a millisecond */
  int n_idle;
  pthread_mutex_t blas_lock;   /* of what follows, and around each call of cuBLAS */
  struct moho_cuda_blas *blas; /* NULL until it is looked for */
} moho_cuda_state;

/* Make the context current; each enter that returned MOHO_OK is followed by one leave. MOHO_ERROR_LOST on a lost device. */
moho_status moho_cuda_enter(moho_cuda_state *state);
/* For giving things back: also on a lost device. 1: current, leave it. */
int moho_cuda_enter_quietly(moho_cuda_state *state);
void moho_cuda_leave(moho_cuda_state *state);

/* Record the failure of a driver call: "cuda:0: <what>: CUDA_ERROR_...: words". Out of memory is MOHO_ERROR_MEMORY; errors
 * after which the driver refuses every further call mark the device lost and are MOHO_ERROR_LOST; others MOHO_ERROR_DEVICE. */
moho_status moho_cuda_fail(moho_cuda_state *state, moho_cu_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* MOHO_ERROR_LOST with the driver's words from when the device was lost. */
moho_status moho_cuda_lost(moho_cuda_state *state, const char *what);
/* Does this result mean that the context is dead? */
int moho_cuda_is_fatal(moho_cu_result result);
int moho_cuda_is_lost(moho_cuda_state *state);
/* 1 for the first caller after the device was lost: the ticket that takes the error as its own. */
int moho_cuda_take_blame(moho_cuda_state *state);

/* ---- cuda_memory.c, cuda_module.c, cuda_queue.c: the backend's functions ---- */
moho_status moho_cuda_allocate(void *state, size_t bytes, moho_memory memory, moho_block *out);
moho_status moho_cuda_wrap(void *state, void *host, size_t bytes, moho_block *out);
moho_status moho_cuda_wrap_device(void *state, uint64_t address, size_t bytes, moho_block *out);
void moho_cuda_release(void *state, moho_block *block);
size_t moho_cuda_free_bytes(moho_cuda_state *state); /* 0 where the driver does not tell */

/* A kernel that was loaded: moho_pipeline.handle. */
typedef struct moho_cuda_kernel {
  moho_cu_module module;
  moho_cu_function function;
  int n_parameters;       /* -1: the driver does not tell */
  size_t parameter_bytes; /* of the last one */
  /* Not NULL: a library's call in place of a function. */
  moho_status (*call)(moho_cuda_state *state, moho_cu_stream stream, const moho_command *command);
} moho_cuda_kernel;
moho_status moho_cuda_load(void *state, const moho_unit *unit, moho_pipeline *out);
void moho_cuda_unload(void *state, moho_pipeline *pipeline);

moho_status moho_cuda_queue_create(void *state, void **queue);
void moho_cuda_queue_destroy(void *queue);
void moho_cuda_queues_close(moho_cuda_state *state); /* those that are kept; the device is closed */
moho_status moho_cuda_submit(void *queue, const moho_submission *submission);
moho_status moho_cuda_wait(void *queue, uint64_t ticket, double timeout_s);
void moho_cuda_collect(void *queue, uint64_t ticket, moho_outcome *outcome);

/* ---- cuda_launch.c ---- */
moho_status moho_cuda_launch(moho_cuda_state *state, moho_cu_stream stream, const moho_command *command);

#endif
