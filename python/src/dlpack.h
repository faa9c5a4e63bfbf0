/* dlpack.h - the structs of DLPack (https://dmlc.github.io/dlpack), versions 0 and 1, and its dtypes.
 *
 * Order on a device: Moho's calls have ended when they return, so that what is handed out may be used on any stream. What comes
 * in on CUDA is asked for on the default stream (stream=1): its library makes that stream wait for what it still does, and
 * moho_buffer_wrap_device() waits for the stream.
 */
#ifndef MOHO_PYTHON_DLPACK_H
#define MOHO_PYTHON_DLPACK_H

#include "buffer.h"

enum { DL_CPU = 1, DL_CUDA = 2, DL_CUDA_HOST = 3 };
enum { DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BFLOAT = 4 };
enum { DL_READ_ONLY = 1, DL_COPIED = 2 };

typedef struct dl_tensor {
  void *data;
  int32_t device_type, device_id;
  int32_t rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides; /* elements; strides NULL: contiguous */
  uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed { /* "dltensor" */
  dl_tensor tensor;
  void *context;
  void (*deleter)(struct dl_managed *self);
} dl_managed;

typedef struct dl_versioned { /* "dltensor_versioned" */
  uint32_t major, minor;
  void *context;
  void (*deleter)(struct dl_versioned *self);
  uint64_t flags;
  dl_tensor tensor;
} dl_versioned;

/* A dtype as DLPack says it. */
typedef struct dl_dtype {
  moho_python_dtype dtype;
  uint8_t code, bits;
} dl_dtype;
enum { DL_DTYPES = 12 };
extern const dl_dtype moho_python_dl_dtypes[DL_DTYPES];

#endif
