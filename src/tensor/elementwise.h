/* elementwise.h - operations that compute each element of the output from the same element of the inputs. */
#ifndef MOHO_TENSOR_ELEMENTWISE_H
#define MOHO_TENSOR_ELEMENTWISE_H

#include "tensor/operation_table.h"

moho_status moho_plan_elementwise(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out);

#endif
