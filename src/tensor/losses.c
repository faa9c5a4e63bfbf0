/* losses.c - losses: terms by the element or by the row, then their mean, their sum, or themselves.
 *
 * Terms that are added up are f32, whatever the dtypes: they are rounded once, as the result.
 */
#include "tensor/losses.h"

#include <string.h>

#include "tensor/elementwise.h"
#include "tensor/reduce.h"
#include "tensor/rows.h"
#include "tensor/tensor_inside.h"

/* The terms' shape: that of x, without the axis of cross_entropy. */
static moho_status terms_like(const moho_operation_entry *entry, const moho_tensor_call *call, moho_tensor *terms) {
  *terms = *call->inputs[0];
  if (call->operation != MOHO_OPERATION_CROSS_ENTROPY) return MOHO_OK;
  if (call->axis < 0 || call->axis >= terms->rank)
    return moho_fail(MOHO_ERROR_RANGE, "%s: axis %d, operand x has axes 0 to %d", entry->name, call->axis, terms->rank - 1);
  for (int i = call->axis; i + 1 < terms->rank; i++) terms->shape[i] = terms->shape[i + 1];
  terms->rank--;
  return MOHO_OK;
}

static moho_status check_output(const moho_operation_entry *entry, const moho_tensor_call *call, const moho_tensor *terms) {
  const moho_tensor *out = call->output;
  char text[128], want[128];
  if ((unsigned)call->loss > MOHO_LOSS_NONE)
    return moho_fail(MOHO_ERROR_ARGUMENT, "%s: unknown loss %d, expected MOHO_LOSS_MEAN, _SUM or _NONE", entry->name,
                     (int)call->loss);
  if (call->loss != MOHO_LOSS_NONE && moho_tensor_elements(out) == 1) return MOHO_OK;
  int same = call->loss == MOHO_LOSS_NONE && out->rank == terms->rank;
  for (int i = 0; same && i < out->rank; i++) same = out->shape[i] == terms->shape[i];
  if (same) return MOHO_OK;
  return moho_fail(MOHO_ERROR_SHAPE, "%s: operand out has shape %s, expected %s", entry->name,
                   moho_shape_text(out->rank, out->shape, text),
                   call->loss == MOHO_LOSS_NONE ? moho_shape_text(terms->rank, terms->shape, want) : "one element");
}

static moho_status plan_terms(const moho_operation_entry *entry, const moho_tensor_call *call, const moho_tensor *terms,
                              moho_prepared *out) {
  if (call->operation == MOHO_OPERATION_CROSS_ENTROPY) return moho_plan_row_losses(entry, call, terms, out);
  moho_tensor_call one = *call;
  one.output = terms;
  return moho_plan_elementwise(entry, &one, out);
}

moho_status moho_plan_loss(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out) {
  moho_tensor terms;
  MOHO_TRY(terms_like(entry, call, &terms));
  MOHO_TRY(check_output(entry, call, &terms));
  if (call->loss == MOHO_LOSS_NONE) return plan_terms(entry, call, call->output, out);
  moho_tensor_set_shape(&terms, terms.rank, terms.shape);
  terms.dtype = MOHO_DTYPE_F32;
  terms.offset = 0;
  size_t bytes = moho_tensor_bytes(&terms);
  MOHO_TRY(moho_prepared_temporary(out, bytes ? bytes : 16, &terms.buffer));
  MOHO_TRY(plan_terms(entry, call, &terms, out));
  moho_operation operation = call->loss == MOHO_LOSS_SUM ? MOHO_OPERATION_SUM : MOHO_OPERATION_MEAN;
  moho_tensor_call sum = {.operation = operation, .inputs = {&terms}, .output = call->output, .axis = MOHO_ALL_AXES};
  return moho_plan_reduce(moho_operation_entry_of(operation), &sum, out);
}
