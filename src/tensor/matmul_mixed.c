/* matmul_mixed.c - matrices of f16 and bf16: brought to f32 by a launch, multiplied and added up there, rounded once into C. */
#include "tensor/matmul_mixed.h"

#include "tensor/operation_table.h"
#include "tensor/tensor_inside.h"

static moho_status convert(const moho_tensor *from, const moho_tensor *to, moho_prepared *prepared) {
  const moho_operation_entry *entry = moho_operation_entry_of(MOHO_OPERATION_CONVERT);
  moho_tensor_call call = {.operation = MOHO_OPERATION_CONVERT, .inputs = {from}, .output = to};
  return moho_tensor_elements(from) ? entry->plan(entry, &call, prepared) : MOHO_OK;
}

static void swap_last(moho_tensor *x) {
  size_t n = x->shape[1];
  int64_t stride = x->stride[1];
  x->shape[1] = x->shape[2], x->shape[2] = n;
  x->stride[1] = x->stride[2], x->stride[2] = stride;
}

/* Memory for x as f32, in the order of x's own; what stride 0 shares among a batch is there once. */
static moho_status make_wide(const moho_tensor *x, moho_prepared *prepared, moho_tensor *from, moho_tensor *wide) {
  *from = *x;
  for (int i = 0; i < from->rank; i++)
    if (from->stride[i] == 0) from->shape[i] = from->shape[i] ? 1 : 0;
  *wide = (moho_tensor){.dtype = MOHO_DTYPE_F32};
  moho_tensor_set_shape(wide, from->rank, from->shape);
  size_t bytes = moho_tensor_bytes(wide);
  return moho_prepared_temporary(prepared, bytes ? bytes : 16, &wide->buffer);
}

static void repeat_again(const moho_tensor *x, moho_tensor *wide) {
  for (int i = 0; i < x->rank; i++)
    if (wide->shape[i] != x->shape[i]) wide->shape[i] = x->shape[i], wide->stride[i] = 0;
}

moho_status matmul_widen(moho_tensor *x, moho_prepared *prepared) {
  moho_tensor from, wide;
  if (!x->buffer || x->dtype == MOHO_DTYPE_F32) return MOHO_OK;
  int is_transposed = x->rank == 3 && x->shape[1] > 1 && x->stride[1] > 0 && x->stride[1] < x->stride[2];
  if (is_transposed) swap_last(x);
  MOHO_TRY(make_wide(x, prepared, &from, &wide));
  MOHO_TRY(convert(&from, &wide, prepared));
  repeat_again(x, &wide);
  if (is_transposed) swap_last(&wide);
  *x = wide;
  return MOHO_OK;
}

moho_status matmul_widen_result(moho_tensor *c, int is_read, moho_prepared *prepared) {
  moho_tensor from, wide;
  if (c->dtype == MOHO_DTYPE_F32) return MOHO_OK;
  if (is_read) return matmul_widen(c, prepared);
  MOHO_TRY(make_wide(c, prepared, &from, &wide));
  *c = wide;
  return MOHO_OK;
}

moho_status matmul_narrow(const moho_tensor *wide, const moho_tensor *c, moho_prepared *prepared) {
  return c->dtype == MOHO_DTYPE_F32 ? MOHO_OK : convert(wide, c, prepared);
}
