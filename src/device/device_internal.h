/* device_internal.h - what the rooms above may ask of a device; not public. */
#ifndef MOHO_DEVICE_INTERNAL_H
#define MOHO_DEVICE_INTERNAL_H

#include "moho/queue.h"

typedef enum { MOHO_SIMD_SCALAR, MOHO_SIMD_NEON, MOHO_SIMD_AVX2, MOHO_SIMD_AVX512, MOHO_SIMD_COUNT } moho_simd;

int moho_device_threads(const moho_device *device);
moho_simd moho_device_simd(const moho_device *device);

/* The ticket that what is recorded now will have. */
moho_status moho_queue_next_ticket(moho_queue *queue, moho_ticket *ticket);

/* A native cpu function of a kernel: buffers in the order of the kernel's parameters (IN then INOUT), one PARAM struct of
 * 4-byte members, at most 4096 bytes. The room that launches the kernel owns it and keeps one per instruction set. */
typedef void (*moho_native_function)(void *const *buffers, const void *parameters);

/* A kernel's native functions; slots without one are NULL, scalar is always there. */
typedef struct moho_native_kernel {
  const char *name;
  moho_native_function by_simd[MOHO_SIMD_COUNT];
} moho_native_kernel;

/* The best function that the device's instruction set may run. */
moho_native_function moho_native_pick(const moho_native_kernel *kernel, moho_simd simd);

#endif
