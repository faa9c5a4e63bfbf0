/* reduce.h - reductions: sum, mean, prod, least, most, argmax over one axis or all elements, in one fixed tree. */
#ifndef MOHO_TENSOR_REDUCE_H
#define MOHO_TENSOR_REDUCE_H

#include "tensor/operation_table.h"

moho_status moho_plan_reduce(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out);

/* The axis of a call and the output's shape against the input's: *rows and *kept are input and output without the axis. With
 * MOHO_ALL_AXES the input must be contiguous and *rows is one row. */
moho_status moho_check_reduced(const moho_operation_entry *entry, const moho_tensor_call *call, moho_tensor *rows,
                               moho_tensor *kept, size_t *n, size_t *axis_stride);

#endif
