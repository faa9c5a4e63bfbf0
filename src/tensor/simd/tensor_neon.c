/* tensor_neon.c - the loops of tensors for neon. */
#include "tensor/simd/tensor_native.h"

#if defined(__aarch64__)
#define TENSOR_LOOPS moho_tensor_loops_neon
#include "tensor/simd/tensor_loops.h"
#endif
