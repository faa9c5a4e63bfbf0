/* losses.h - losses: terms, and what is made of them. */
#ifndef MOHO_TENSOR_LOSSES_H
#define MOHO_TENSOR_LOSSES_H

#include "tensor/operation_table.h"

moho_status moho_plan_loss(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out);

#endif
