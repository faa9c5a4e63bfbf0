/* library_call.h - what a device computes by a library of its maker, launched as if it were a kernel.
 *
 * A definition of the name below, without text, makes a moho_kernel where moho_device_library() says that there is one; its
 * launch has one group of one lane.
 */
#ifndef MOHO_DEVICE_LIBRARY_CALL_H
#define MOHO_DEVICE_LIBRARY_CALL_H

#include "moho/device.h"

/* C := alpha op(A) op(B) + beta C, row-major, of each of a batch, added up in f32. Buffers a, b, c; `*_first` in elements from
 * their bindings. A and B have one type; C has it too, or is f32. */
#define MOHO_LIBRARY_SGEMM "library_sgemm"

/* moho_dtype's numbers. */
enum { MOHO_LIBRARY_F32, MOHO_LIBRARY_F16, MOHO_LIBRARY_BF16 };

typedef struct moho_sgemm_call {
  uint32_t m, n, k, batches;
  uint32_t transpose_a, transpose_b;
  uint32_t lda, ldb, ldc;
  uint32_t a_first, b_first, c_first;
  uint32_t a_batch, b_batch, c_batch;
  float alpha, beta;
  uint32_t type, type_c;
} moho_sgemm_call;

/* "cuBLAS 13.0"; NULL: there is none, *why says why. Looks for it at the first call. */
const char *moho_device_library(const moho_device *device, const char *name, const char **why);

#endif
