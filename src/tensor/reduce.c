/* reduce.c - plans of reductions: passes of blocks until one result a row is left, cut to 32-bit indices. */
#include "tensor/reduce.h"

#include <stdio.h>

#include "base/memory.h"
#include "device/device_core.h"
#include "kernels/tensor_reduce.h"
#include "tensor/elementwise.h"
#include "tensor/native.h"
#include "tensor/strided.h"
#include "tensor/tensor_inside.h"

extern const char moho_text_tensor_reduce[];

static const moho_kernel_definition by_rows = {
    .name = "tensor_reduce", .text = moho_text_tensor_reduce, .max_lanes = 256, .uses_group = 1, .native = moho_native_reduce};
static const moho_kernel_definition by_columns = {
    .name = "tensor_reduce_columns", .text = moho_text_tensor_reduce, .max_lanes = 256, .native = moho_native_reduce};

enum { LANES = 256, SIMD_GROUPS = LANES / 32 };
/* Elements that a launch's row may reach over, and (row, block) pairs of a launch. */
#define MOST_REACH (moho_launch_reach() / 2)
#define MOST_ITEMS (moho_smaller(moho_launch_reach(), (size_t)1 << 23))

/* One pass: `rows` of n elements become rows of `blocks` partial results, or the output. */
typedef struct reducing {
  moho_prepared *out;
  tensor_reduce_parameters p;
  size_t n, axis_stride, blocks; /* of a whole row */
  moho_buffer *places, *partial, *partial_places;
  moho_binding in_places;
} reducing;

/* ---- one launch ---- */

static moho_status add_launch(const reducing *r, const tensor_reduce_parameters *p, const moho_step *bound) {
  moho_step step = *bound;
  size_t items = (size_t)p->rows * p->blocks;
  step.parameters = p;
  step.parameter_bytes = sizeof *p;
  step.definition = p->by_columns ? &by_columns : &by_rows;
  if (p->by_columns) {
    step.items = items;
  } else {
    step.groups[0] = (uint32_t)moho_pieces(items, SIMD_GROUPS);
    step.lanes = LANES;
    step.group_memory = LANES * 4;
  }
  const moho_constant constants[] = {
      {"OPERATION", p->operation, 0}, {"TYPE_IN", p->type_in, 0}, {"TYPE_OUT", p->type_out, 0}, {"IS_INTEGER", p->is_integer, 0}};
  step.n_constants = sizeof constants / sizeof *constants;
  for (size_t i = 0; i < step.n_constants; i++) step.constants[i] = constants[i];
  return moho_prepared_add(r->out, &step);
}

/* Whole blocks of a row that are below the reach. */
static size_t blocks_of_a_launch(const reducing *r, size_t rows) {
  size_t most = MOST_REACH / (r->axis_stride ? r->axis_stride : 1) / TENSOR_BLOCK, few = MOST_ITEMS / rows;
  most = moho_smaller(most ? most : 1, few ? few : 1);
  return moho_smaller(most, r->blocks);
}

/* Rows that are few enough; their blocks, launch after launch. */
static moho_status add_rows(const moho_strided *piece, void *user) {
  reducing *r = user;
  tensor_reduce_parameters p = r->p;
  moho_step step = {.n_bindings = 4};
  p.rows = (unsigned)moho_strided_elements(piece);
  p.rank = (unsigned)piece->rank;
  for (int i = 0; i < piece->rank; i++) {
    p.shape[i] = (unsigned)piece->shape[i];
    p.stride_in[i] = (unsigned)piece->stride[0][i];
    p.stride_out[i] = (unsigned)piece->stride[1][i];
  }
  p.axis_stride = (unsigned)r->axis_stride;
  p.blocks_in_all = (unsigned)r->blocks;
  p.by_columns = r->axis_stride != 1 && piece->stride[0][0] < (int64_t)r->axis_stride && p.rows >= 32;
  size_t at_once = blocks_of_a_launch(r, p.rows);
  for (size_t first = 0; first < r->blocks; first += at_once) {
    moho_tensor in = piece->at[0];
    size_t begin = first * TENSOR_BLOCK;
    in.offset += begin * r->axis_stride;
    step.bindings[0] = moho_tensor_binding(&in, &p.first_in);
    step.bindings[1] = r->p.has_places ? r->in_places : step.bindings[0];
    step.bindings[2] = r->p.is_last ? moho_tensor_binding(&piece->at[1], &p.first_out) : (moho_binding){r->partial, 0};
    step.bindings[3] = r->partial_places ? (moho_binding){r->partial_places, 0} : step.bindings[2];
    if (!r->p.is_last) p.first_out = 0;
    p.blocks = (unsigned)moho_smaller(at_once, r->blocks - first);
    p.block_first = (unsigned)first;
    p.element_first = (unsigned)begin;
    p.n = (unsigned)moho_smaller(r->n - begin, (size_t)p.blocks * TENSOR_BLOCK);
    MOHO_TRY(add_launch(r, &p, &step));
  }
  return MOHO_OK;
}

/* ---- passes ---- */

static int is_float_dtype(moho_dtype dtype) {
  return dtype == MOHO_DTYPE_F32 || dtype == MOHO_DTYPE_F16 || dtype == MOHO_DTYPE_BF16;
}

/* A piece of rows of its own tensors, through all passes. */
static moho_status reduce_rows(const moho_strided *piece, void *user) {
  reducing r = *(const reducing *)user;
  moho_strided rows = *piece;
  size_t count = moho_strided_elements(piece);
  moho_dtype word = r.p.is_integer ? MOHO_DTYPE_I32 : MOHO_DTYPE_F32;
  float divisor = r.p.divisor;
  for (;;) {
    r.blocks = moho_pieces(r.n, TENSOR_BLOCK);
    r.p.is_last = r.blocks == 1;
    r.p.divisor = r.p.is_last ? divisor : 1;
    r.partial = r.partial_places = NULL;
    if (!r.p.is_last) MOHO_TRY(moho_prepared_temporary(r.out, count * r.blocks * 4, &r.partial));
    if (!r.p.is_last && r.p.operation == TENSOR_ARGMAX)
      MOHO_TRY(moho_prepared_temporary(r.out, count * r.blocks * 4, &r.partial_places));
    MOHO_TRY(add_rows(&rows, &r));
    if (r.p.is_last) return MOHO_OK;
    /* The partial results are the next pass's input: row after row. */
    size_t stride = r.blocks;
    for (int i = 0; i < rows.rank; i++) {
      rows.stride[0][i] = (int64_t)stride;
      stride *= rows.shape[i];
    }
    rows.at[0] = (moho_tensor){.buffer = r.partial, .dtype = word};
    r.in_places = (moho_binding){r.partial_places ? r.partial_places : r.partial, 0};
    r.p.has_places = r.partial_places != NULL;
    r.p.type_in = (unsigned)word;
    r.n = r.blocks;
    r.axis_stride = 1;
  }
}

/* ---- shapes ---- */

static moho_status check_kept(const moho_operation_entry *entry, const moho_tensor *out, const moho_tensor *expected, int axis,
                              moho_tensor *kept) {
  char text[128], want[128];
  *kept = *out;
  int n = 0, fits = out->rank == expected->rank || out->rank == expected->rank - 1;
  for (int i = 0; fits && i < out->rank; i++) {
    int is_axis = out->rank == expected->rank && i == axis;
    fits = out->shape[i] == (is_axis ? 1 : expected->shape[i + (out->rank < expected->rank && i >= axis)]);
    if (is_axis) continue;
    kept->shape[n] = out->shape[i];
    kept->stride[n++] = out->stride[i];
  }
  if (!fits)
    return moho_fail(MOHO_ERROR_SHAPE, "%s: operand out has shape %s, expected that of x, %s, without axis %d or with 1 there",
                     entry->name, moho_shape_text(out->rank, out->shape, text),
                     moho_shape_text(expected->rank, expected->shape, want), axis);
  kept->rank = n;
  return MOHO_OK;
}

moho_status moho_check_reduced(const moho_operation_entry *entry, const moho_tensor_call *call, moho_tensor *rows,
                               moho_tensor *kept, size_t *n, size_t *axis_stride) {
  const moho_tensor *x = call->inputs[0];
  *rows = *x;
  if (call->axis == MOHO_ALL_AXES) {
    if (moho_tensor_elements(call->output) != 1)
      return moho_fail(MOHO_ERROR_SHAPE, "%s: operand out has %zu elements, expected 1 of a reduction over all axes", entry->name,
                       moho_tensor_elements(call->output));
    *n = moho_tensor_elements(x);
    *axis_stride = 1;
    *kept = *call->output;
    rows->rank = kept->rank = 0;
    return MOHO_OK;
  }
  if (call->axis < 0 || call->axis >= x->rank)
    return moho_fail(MOHO_ERROR_RANGE, "%s: axis %d, operand x has axes 0 to %d", entry->name, call->axis, x->rank - 1);
  *n = x->shape[call->axis];
  *axis_stride = (size_t)x->stride[call->axis];
  rows->rank = 0;
  for (int i = 0; i < x->rank; i++) {
    if (i == call->axis) continue;
    rows->shape[rows->rank] = x->shape[i];
    rows->stride[rows->rank++] = x->stride[i];
  }
  return check_kept(entry, call->output, x, call->axis, kept);
}

/* ---- the whole ---- */

static unsigned kernel_operation(moho_operation operation) {
  switch (operation) {
  case MOHO_OPERATION_PROD: return TENSOR_PROD;
  case MOHO_OPERATION_REDUCE_MIN: return TENSOR_LEAST;
  case MOHO_OPERATION_REDUCE_MAX: return TENSOR_MOST;
  case MOHO_OPERATION_ARGMAX: return TENSOR_ARGMAX;
  default: return TENSOR_SUM;
  }
}

/* Of nothing: sum 0, prod 1, mean NaN. */
static moho_status plan_empty(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out) {
  unsigned operation = kernel_operation(call->operation);
  if (operation > TENSOR_PROD)
    return moho_fail(MOHO_ERROR_RANGE, "%s: operand x has no elements along the axis, expected at least one", entry->name);
  double value = call->operation == MOHO_OPERATION_MEAN ? (double)__builtin_nanf("") : operation == TENSOR_PROD;
  moho_tensor_call fill = {.operation = MOHO_OPERATION_FILL, .output = call->output, .scalars = {value}};
  return moho_plan_elementwise(moho_operation_entry_of(MOHO_OPERATION_FILL), &fill, out);
}

/* A contiguous copy: of all elements, where they are no single run; with the axis last, where it reaches beyond 32-bit indices.
 */
static moho_status make_contiguous(const moho_tensor_call *call, moho_prepared *out, reducing *r, moho_tensor *rows) {
  moho_tensor from = *call->inputs[0], packed;
  int is_all = call->axis == MOHO_ALL_AXES;
  if (is_all ? moho_tensor_is_contiguous(&from) : moho_smaller(r->n, TENSOR_BLOCK) * r->axis_stride <= MOST_REACH) return MOHO_OK;
  if (!is_all) { /* the rows' axes, then the reduced one */
    from.shape[from.rank - 1] = r->n;
    from.stride[from.rank - 1] = (int64_t)r->axis_stride;
    for (int i = 0; i < rows->rank; i++) from.shape[i] = rows->shape[i], from.stride[i] = rows->stride[i];
  }
  packed = from;
  moho_tensor_set_shape(&packed, from.rank, from.shape);
  packed.offset = 0;
  MOHO_TRY(moho_prepared_temporary(out, moho_tensor_bytes(&packed), &packed.buffer));
  moho_tensor_call copy = {.operation = MOHO_OPERATION_COPY, .inputs = {&from}, .output = &packed};
  MOHO_TRY(moho_plan_elementwise(moho_operation_entry_of(MOHO_OPERATION_COPY), &copy, out));
  rows->buffer = packed.buffer;
  rows->offset = 0;
  for (int i = 0; i < rows->rank; i++) rows->stride[i] = packed.stride[i];
  r->axis_stride = 1;
  return MOHO_OK;
}

static moho_status check_length(const moho_operation_entry *entry, size_t n) {
  if (n < UINT32_MAX / 2) return MOHO_OK;
  if (entry->outputs) /* argmax: a place is an i32 */
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "%s: %zu elements along the axis, expected fewer than 2^31: a place is an i32",
                     entry->name, n);
  return MOHO_OK;
}

moho_status moho_plan_reduce(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out) {
  moho_tensor rows, kept;
  moho_device *device = moho_prepared_device(out);
  reducing r = {.out = out};
  MOHO_TRY(moho_check_reduced(entry, call, &rows, &kept, &r.n, &r.axis_stride));
  MOHO_TRY(check_length(entry, r.n));
  if (!r.n) return moho_tensor_elements(call->output) ? plan_empty(entry, call, out) : MOHO_OK;
  if (!moho_tensor_elements(call->output)) return MOHO_OK;
  MOHO_TRY(make_contiguous(call, out, &r, &rows));
  int is_mean = call->operation == MOHO_OPERATION_MEAN;
  r.p = (tensor_reduce_parameters){.operation = kernel_operation(call->operation),
                                   .is_integer = !is_float_dtype(rows.dtype),
                                   .type_in = rows.dtype,
                                   .type_out = call->output->dtype,
                                   .divisor = is_mean ? (float)r.n : 1,
                                   .simd = (unsigned)moho_device_simd(device),
                                   .threads = (unsigned)moho_device_threads(device)};
  const moho_tensor *const operands[] = {&rows, &kept};
  moho_strided all = moho_strided_of(operands, 2);
  size_t most = MOST_ITEMS / moho_pieces(r.n, TENSOR_BLOCK);
  return moho_strided_cut_rows(&all, most ? most : 1, MOST_REACH, reduce_rows, &r);
}
