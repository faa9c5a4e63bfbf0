/* rows.h - operations on whole rows along an axis: softmax, log_softmax, layer_norm, rms_norm, cross_entropy. */
#ifndef MOHO_TENSOR_ROWS_H
#define MOHO_TENSOR_ROWS_H

#include "tensor/operation_table.h"

moho_status moho_plan_rows(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out);
/* Cross-entropy of each row into `out`, f32 where it is a temporary. */
moho_status moho_plan_row_losses(const moho_operation_entry *entry, const moho_tensor_call *call, const moho_tensor *losses,
                                 moho_prepared *out);

#endif
