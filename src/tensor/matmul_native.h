/* matmul_native.h - the cpu's function of the matrix products' kernels. */
#ifndef MOHO_TENSOR_MATMUL_NATIVE_H
#define MOHO_TENSOR_MATMUL_NATIVE_H

#include <stdint.h>

/* moho_native_launch of kernels/matmul.k; the parameters say all. */
void moho_native_matmul(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);

#endif
