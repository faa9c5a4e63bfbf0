/* ternary_parts.h - what the files of ternary weights share. */
#ifndef MOHO_TENSOR_TERNARY_PARTS_H
#define MOHO_TENSOR_TERNARY_PARTS_H

#include "tensor/ternary_kernel.h"

/* Group and number of inputs are what can be computed with. */
moho_status ternary_check_scaling(moho_ternary_scaling scaling, size_t group, size_t k);
/* How many inputs of a row share a scale. */
size_t ternary_group_length(moho_ternary_scaling scaling, size_t group, size_t k);
/* One row of activations: its s. */
float ternary_quantize_row(const ternary_kernel *kernel, const float *x, size_t k, int8_t *xq, int32_t *sum);

#endif
