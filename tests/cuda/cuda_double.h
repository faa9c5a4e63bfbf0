/* cuda_double.h - a strict double of libcuda and NVRTC for machines without a GPU: moves memory, keeps time, runs no kernel.
 *
 * MOHO_CUDA_LIBRARY and MOHO_NVRTC name the library. It notes what the driver API forbids or leaves undefined (no current
 * context, ranges outside an allocation, handles that are not alive, timing of events without it), what is left over at the
 * end, and lets any call fail. Commands take effect when they are handed over; a stream only remembers until when it is busy.
 * The kernel `spin` takes its parameter n in steps of 2.5 ns; `wild` kills the context.
 * MOHO_CUDA_DOUBLE_VERSION=11000, MOHO_CUDA_DOUBLE_DEVICES=0 change what it tells; MOHO_CUDA_DOUBLE_STRICT=1: a program that
 * leaves something or breaks a rule exits with 3.
 */
#ifndef MOHO_TEST_CUDA_DOUBLE_H
#define MOHO_TEST_CUDA_DOUBLE_H

#include <stddef.h>

#include "device/cuda/cuda_driver.h"
#include "device/cuda/cuda_nvrtc.h"

#define CUDA_DOUBLE_EXPORT __attribute__((visibility("default")))

#define CUDA_DOUBLE_DECLARE(name, parameters) CUDA_DOUBLE_EXPORT moho_cu_result name parameters;
MOHO_CUDA_DRIVER_TABLE(CUDA_DOUBLE_DECLARE)
MOHO_CUDA_DRIVER_OPTIONAL_TABLE(CUDA_DOUBLE_DECLARE)
MOHO_NVRTC_TABLE(CUDA_DOUBLE_DECLARE)
CUDA_DOUBLE_EXPORT const char *nvrtcGetErrorString(moho_nvrtc_result result);

/* 0: nothing is left and no rule was broken; else it prints what. */
CUDA_DOUBLE_EXPORT int moho_cuda_double_verdict(void);
/* The nth call from now that may fail (1: the next) fails with `result`; 0: none. Giving back never fails. */
CUDA_DOUBLE_EXPORT void moho_cuda_double_fail(int nth, moho_cu_result result);
/* Calls that may fail since the last moho_cuda_double_fail(). */
CUDA_DOUBLE_EXPORT int moho_cuda_double_calls(void);
/* After a fault that killed the context: a new life, as a new process has. What lived in a context that was destroyed is gone
 * with it. */
CUDA_DOUBLE_EXPORT void moho_cuda_double_revive(void);

/* ---- between its two files ---- */

/* What the double's NVRTC makes: this, then the text. */
#define CUDA_DOUBLE_MAGIC \
  "\x7f"                  \
  "ELF double of a cubin\n"

/* KERNEL(name, lanes, ...) as read from a text. */
typedef struct double_kernel {
  char name[64];
  int lanes, n_parameters;
  size_t parameter_bytes; /* of the PARAM struct; 0: it has none */
} double_kernel;
/* 1: `text` has a kernel of this name. */
int double_kernel_read(const char *text, const char *name, double_kernel *out);
/* An NVRTC call counts as one that may fail. */
int double_fails(moho_cu_result *result);

#endif
