/* tensor_avx512.c - the loops of tensors for avx512. */
#include "tensor/simd/tensor_native.h"

#if defined(__x86_64__)
#define TENSOR_LOOPS moho_tensor_loops_avx512
#include "tensor/simd/tensor_loops.h"
#endif
