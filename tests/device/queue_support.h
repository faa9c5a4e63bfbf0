/* queue_support.h - a device with the kernels of stir.k and a queue, for the tests of queues, kernels and streams. */
#ifndef MOHO_TEST_QUEUE_SUPPORT_H
#define MOHO_TEST_QUEUE_SUPPORT_H

#include "device_support.h"
#include "moho/queue.h"
#include "stir.h"

extern const char moho_text_stir[];

typedef struct rig {
  moho_device *device;
  moho_queue *queue;
  moho_kernel *stir, *in_place;
} rig;

/* Registers the kernels of stir.k: for devices that bring no compiler. */
void rig_register(void);
/* On the device given, which it closes at the end. */
rig rig_begin(moho_device *device);
void rig_end(rig *r);
moho_kernel *rig_kernel(rig *r, const char *name);
/* Floats. */
moho_buffer *rig_buffer(rig *r, size_t n, moho_memory memory);

/* Records b = factor*a + add, `rounds` times, of n floats. */
moho_status record_stir(moho_queue *queue, const moho_kernel *stir, moho_buffer *a, moho_buffer *b, stir_parameters p);
/* Records x = factor*x + add. */
moho_status record_in_place(moho_queue *queue, const moho_kernel *in_place, moho_buffer *x, stir_parameters p);
/* Submit and wait. */
void finish(moho_queue *queue);

#endif
