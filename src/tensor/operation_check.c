/* operation_check.c - a call against the table: what is wrong is said with operation, operand, expected and actual. */
#include <stdio.h>

#include "device/device_core.h"
#include "tensor/operation_table.h"
#include "tensor/tensor_inside.h"

/* "f32, f16 or i32" */
static const char *set_text(unsigned set, char text[96]) {
  int n = 0;
  for (int i = 0; i < MOHO_DTYPE_COUNT; i++) {
    if (!(set & MOHO_SET(i))) continue;
    set &= ~MOHO_SET(i);
    n += snprintf(text + n, 96 - (size_t)n, "%s%s", n ? set ? ", " : " or " : "", moho_dtype_name((moho_dtype)i));
  }
  return text;
}

static moho_status check_dtype(const char *what, const char *operand, moho_dtype dtype, unsigned allowed) {
  char text[96] = "none";
  if ((unsigned)dtype < MOHO_DTYPE_COUNT && (allowed & MOHO_SET(dtype))) return MOHO_OK;
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "%s: operand %s is %s, expected %s", what, operand, moho_dtype_name(dtype),
                   set_text(allowed, text));
}

static unsigned outputs_of(const moho_operation_entry *entry, moho_dtype input) {
  return entry->output == MOHO_OUTPUT_SAME ? MOHO_SET(input) : entry->outputs;
}

static moho_status not_in_table(moho_operation operation) {
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "%s: this operation is not yet available", moho_operation_name(operation));
}

moho_status moho_tensor_supports(const moho_device *device, moho_operation operation, moho_dtype input, moho_dtype output) {
  const moho_operation_entry *entry = moho_operation_entry_of(operation);
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  if (!entry) return not_in_table(operation);
  if (entry->operands[0]) MOHO_TRY(check_dtype(entry->name, entry->operands[0], input, entry->inputs));
  return check_dtype(entry->name, "out", output, outputs_of(entry, input));
}

/* ---- operands ---- */

static moho_status check_tensor(const char *what, const char *operand, const moho_tensor *tensor, moho_device **device) {
  moho_device *own;
  if (!tensor) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: operand %s is missing, got NULL", what, operand);
  MOHO_TRY(moho_tensor_device(tensor, &own));
  if (*device && own != *device)
    return moho_fail(MOHO_ERROR_ARGUMENT, "%s: operand %s is on %s, expected %s as the operands before it", what, operand,
                     own->report.uri, (*device)->report.uri);
  *device = own;
  return MOHO_OK;
}

moho_status moho_operand_check(const char *what, const char *operand, const moho_tensor *tensor, unsigned dtypes,
                               moho_device **device) {
  MOHO_TRY(check_tensor(what, operand, tensor, device));
  return check_dtype(what, operand, tensor->dtype, dtypes);
}

static moho_status check_inputs(const moho_operation_entry *entry, const moho_tensor_call *call, moho_device **device,
                                moho_dtype *dtype) {
  int n = 0;
  for (int i = 0; i < MOHO_CALL_INPUTS; i++) {
    const moho_tensor *tensor = call->inputs[i];
    const char *operand = i < MOHO_CALL_INPUTS ? entry->operands[i] : NULL;
    if (!operand) {
      if (tensor) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: got an input %d, it takes %d", entry->name, i + 1, i);
      continue;
    }
    if (!tensor && ((entry->number_may_stand && call->inputs[!i]) || (entry->optional >> i & 1u))) continue;
    MOHO_TRY(check_tensor(entry->name, operand, tensor, device));
    if (i == 1 && entry->second) {
      MOHO_TRY(check_dtype(entry->name, operand, tensor->dtype, entry->second));
      continue;
    }
    MOHO_TRY(check_dtype(entry->name, operand, tensor->dtype, n ? MOHO_SET(*dtype) : entry->inputs));
    *dtype = tensor->dtype;
    n++;
  }
  return MOHO_OK;
}

/* ---- overlap ---- */

int moho_tensor_is_same_view(const moho_tensor *a, const moho_tensor *b) {
  int same = a->offset == b->offset && a->rank == b->rank && moho_dtype_bits(a->dtype) == moho_dtype_bits(b->dtype);
  for (int i = 0; same && i < a->rank; i++)
    same = a->shape[i] == b->shape[i] && (a->stride[i] == b->stride[i] || a->shape[i] == 1);
  return same;
}

/* Two views that lie within each other's reach may still share no element; telling costs too much, they are refused. */
int moho_tensor_may_overlap(const moho_tensor *a, const moho_tensor *b) {
  size_t bits_a = moho_dtype_bits(a->dtype), bits_b = moho_dtype_bits(b->dtype);
  if (a->buffer != b->buffer || !moho_tensor_elements(a) || !moho_tensor_elements(b)) return 0;
  return a->offset * bits_a < (b->offset + moho_tensor_reach(b)) * bits_b &&
         b->offset * bits_b < (a->offset + moho_tensor_reach(a)) * bits_a;
}

static moho_status check_overlap(const moho_operation_entry *entry, const moho_tensor_call *call) {
  const moho_tensor *out = call->output;
  for (int i = 0; i < out->rank; i++)
    if (out->shape[i] > 1 && out->stride[i] == 0)
      return moho_fail(MOHO_ERROR_ARGUMENT, "%s: out repeats its elements along axis %d (stride 0)", entry->name, i);
  for (int i = 0; i < MOHO_CALL_INPUTS; i++) {
    const moho_tensor *in = call->inputs[i];
    if (!in || !moho_tensor_may_overlap(in, out) || (entry->in_place && moho_tensor_is_same_view(in, out))) continue;
    return moho_fail_at((moho_place){0}, "write to another tensor, then copy", MOHO_ERROR_ARGUMENT,
                        "%s: out overlaps operand %s, expected %s", entry->name, entry->operands[i],
                        entry->in_place ? "the same view or none of its memory" : "none of its memory");
  }
  return MOHO_OK;
}

moho_status moho_operation_check(const moho_tensor_call *call, const moho_operation_entry **entry, moho_device **device) {
  moho_dtype dtype = MOHO_DTYPE_F32;
  if (!call) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: no call, got NULL");
  const moho_operation_entry *found = moho_operation_entry_of(call->operation);
  if (!found) return not_in_table(call->operation);
  *device = NULL;
  MOHO_TRY(check_inputs(found, call, device, &dtype));
  MOHO_TRY(check_tensor(found->name, "out", call->output, device));
  MOHO_TRY(check_dtype(found->name, "out", call->output->dtype, outputs_of(found, dtype)));
  MOHO_TRY(check_overlap(found, call));
  *entry = found;
  return MOHO_OK;
}
