/* tensor_scalar.c - the loops of tensors as any processor runs them. */
#define TENSOR_LOOPS moho_tensor_loops_scalar
#include "tensor/simd/tensor_loops.h"
