/* metal_device.h - a Metal device as the files of this folder share it. */
#ifndef MOHO_DEVICE_METAL_DEVICE_H
#define MOHO_DEVICE_METAL_DEVICE_H

#include <pthread.h>

#include "device/backend.h"
#include "device/metal/metal_runtime.h"

typedef struct metal_queue metal_queue; /* metal_queue.h */

/* Kernels of the backend's own (metal_builtin.c). */
typedef struct metal_builtin {
  metal_id fill, copy_bytes; /* MTLComputePipelineState */
  bool has_simd;             /* SIMD votes and shuffles compile */
  uint32_t max_lanes;        /* of a pipeline without launch bounds */
  uint32_t lanes;            /* of a group of either kernel */
} metal_builtin;

typedef struct metal_device {
  metal_id device;
  metal_builtin builtin;
  size_t page, largest_buffer, working_set, group_memory;
  pthread_mutex_t lock; /* of the list of queues */
  metal_queue *queues;
  pthread_mutex_t lost_lock; /* of the setting of what follows */
  int lost;                  /* atomic; the rest is set before it */
  double lost_at;            /* moho_seconds() */
  char lost_words[400];
} metal_device;

/* ---- metal_device.c ---- */
size_t moho_metal_count(char *reason, size_t capacity);
moho_status moho_metal_open(const moho_device_uri *uri, void **state, moho_device_report *report);
void moho_metal_close(void *state);
void moho_metal_refresh(void *state, moho_device_report *report);
/* The device does not come back: every later call says so. The first words stay. */
void moho_metal_lose(metal_device *device, const char *words);
/* MOHO_OK, or MOHO_ERROR_LOST with the device's words. */
moho_status moho_metal_check_lost(metal_device *device);

/* ---- metal_memory.c ---- */
/* An MTLBuffer in shared storage, contents and length checked; to be released. */
moho_status moho_metal_buffer_create(metal_device *device, size_t bytes, metal_id *out);
moho_status moho_metal_allocate(void *state, size_t bytes, moho_memory memory, moho_block *out);
moho_status moho_metal_wrap(void *state, void *host, size_t bytes, moho_block *out);
void moho_metal_free_block(void *state, moho_block *block);

/* ---- metal_compile.c ---- */
/* *library belongs to the caller. */
moho_status moho_metal_compile_text(metal_device *device, const char *name, const char *text, metal_id *library);
/* *pipeline belongs to the caller. */
moho_status moho_metal_make_pipeline(metal_device *device, metal_id library, const char *name, metal_id *pipeline);
moho_status moho_metal_compile(void *state, const moho_unit *unit, moho_pipeline *out);
void moho_metal_free_pipeline(void *state, moho_pipeline *pipeline);

/* ---- metal_builtin.c ---- */
moho_status moho_metal_builtin_create(metal_device *device);
void moho_metal_builtin_destroy(metal_device *device);

#endif
