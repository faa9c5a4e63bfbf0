/* bitnet_native.h - the cpu's functions of the kernels of ternary weights. */
#ifndef MOHO_TENSOR_BITNET_NATIVE_H
#define MOHO_TENSOR_BITNET_NATIVE_H

#include <stdint.h>

/* moho_native_launch of kernels/ternary.k; the parameters say all. */
void moho_native_ternary_activations(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);
void moho_native_ternary_linear(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);

#endif
