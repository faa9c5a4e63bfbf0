/* rows.c - plans of operations on whole rows: one launch, cut where indices would leave 32 bits. */
#include "tensor/rows.h"

#include <stdio.h>

#include "base/memory.h"
#include "device/device_core.h"
#include "kernels/tensor_rows.h"
#include "tensor/native.h"
#include "tensor/strided.h"
#include "tensor/tensor_inside.h"

extern const char moho_text_tensor_rows[];

static const moho_kernel_definition rows_kernel = {
    .name = "tensor_rows", .text = moho_text_tensor_rows, .max_lanes = 256, .uses_group = 1, .native = moho_native_rows};
static const moho_kernel_definition held_kernel = {
    .name = "tensor_rows_held", .text = moho_text_tensor_rows, .max_lanes = 256, .uses_group = 1, .native = moho_native_rows};

enum { MOST_LANES = 256, LANE_ELEMENTS = 8, SIMD_LANES = 32, MOST_HELD = 8192 };
#define MOST_REACH (moho_launch_reach() / 2)
#define MOST_GROUPS ((size_t)1 << 20)

typedef struct row_plan {
  moho_prepared *out;
  tensor_rows_parameters p;
  moho_tensor gamma, beta; /* buffer NULL: none; gamma: the classes of cross-entropy, which pieces move along */
  moho_binding scratch;
  size_t group_memory;
  uint32_t lanes;
  uint32_t words; /* of a block that a lane holds; 0: the row is too long for that */
} row_plan;

/* ---- one launch ---- */

static moho_status add_piece(const moho_strided *piece, void *user) {
  row_plan *r = user;
  tensor_rows_parameters p = r->p;
  moho_step step = {
      .definition = r->words ? &held_kernel : &rows_kernel, .parameters = &p, .parameter_bytes = sizeof p, .n_bindings = 5};
  int has_classes = p.operation == TENSOR_CROSS_ENTROPY;
  p.rows = (unsigned)moho_strided_elements(piece);
  p.rank = (unsigned)piece->rank;
  for (int i = 0; i < piece->rank; i++) {
    p.shape[i] = (unsigned)piece->shape[i];
    p.stride_class[i] = (unsigned)piece->stride[0][i];
    p.stride_in[i] = (unsigned)piece->stride[1][i];
    p.stride_out[i] = (unsigned)piece->stride[2][i];
  }
  step.bindings[0] = moho_tensor_binding(&piece->at[1], &p.first_x);
  step.bindings[3] = moho_tensor_binding(&piece->at[2], &p.first_y);
  step.bindings[1] = step.bindings[2] = step.bindings[3];
  if (has_classes) step.bindings[1] = moho_tensor_binding(&piece->at[0], &p.first_gamma);
  else if (r->gamma.buffer) step.bindings[1] = moho_tensor_binding(&r->gamma, &p.first_gamma);
  if (r->beta.buffer) step.bindings[2] = moho_tensor_binding(&r->beta, &p.first_beta);
  step.bindings[4] = r->scratch.buffer ? r->scratch : step.bindings[3];
  size_t rows_at_once = r->words && p.blocks == 1 ? r->lanes / SIMD_LANES : 1;
  step.groups[0] = (uint32_t)moho_smaller(moho_pieces(p.rows, rows_at_once), MOST_GROUPS);
  step.lanes = r->lanes;
  step.group_memory = r->group_memory;
  const moho_constant constants[] = {{"OPERATION", p.operation, 0},
                                     {"TYPE_IN", p.type_in, 0},
                                     {"TYPE_OUT", p.type_out, 0},
                                     {"TYPE_GAMMA", p.type_gamma, 0},
                                     {"ROW_WORDS", r->words, 0},
                                     {"IS_DENSE", p.stride_x == 1 && p.stride_y == 1, 0},
                                     {"IS_FULL", r->words && p.n == r->words * SIMD_LANES * p.blocks, 0},
                                     {"KERN_BLOCKS_PER_SM", r->words ? 3 : 1, 0}};
  step.n_constants = sizeof constants / sizeof *constants;
  for (size_t i = 0; i < step.n_constants; i++) step.constants[i] = constants[i];
  return moho_prepared_add(r->out, &step);
}

/* ---- sizes ---- */

/* A SIMD group a block, in registers; blocks' results meet in group memory. */
static void set_held(row_plan *r) {
  r->lanes = r->p.blocks == 1 ? MOST_LANES : SIMD_LANES * r->p.blocks;
  for (r->words = 2; r->words * SIMD_LANES < moho_smaller(r->p.n, TENSOR_BLOCK);) r->words *= 2;
  r->group_memory = moho_round_up((r->lanes + moho_round_up(r->p.blocks, 4)) * 4, 16);
}

/* Of longer rows a lane some elements; a whole row staged in group memory where it fits. */
static void set_group(row_plan *r, const moho_device *device) {
  if (r->p.n <= MOST_HELD) {
    set_held(r);
    return;
  }
  size_t n = r->p.n, lanes = moho_round_up(moho_pieces(n, LANE_ELEMENTS), 32);
  r->lanes = (uint32_t)moho_smaller(lanes, MOST_LANES);
  size_t words = r->lanes + moho_round_up(r->p.blocks, 4), staged = words + moho_round_up(n, 4);
  r->p.is_staged = staged * 4 <= device->report.group_memory;
  r->group_memory = moho_round_up((r->p.is_staged ? staged : words) * 4, 16);
}

/* The cpu keeps a long row's words in memory of its own, a row a thread, and its weights. */
static moho_status set_scratch(row_plan *r, const moho_device *device) {
  if (!device->report.has_native || r->p.n <= MOHO_ROW_ON_STACK) return MOHO_OK;
  return moho_prepared_temporary(r->out, ((size_t)r->p.threads + 2) * r->p.n * 4, &r->scratch.buffer);
}

static moho_status check_axis(const moho_operation_entry *entry, const moho_tensor_call *call) {
  const moho_tensor *x = call->inputs[0];
  if (call->axis < 0 || call->axis >= x->rank)
    return moho_fail(MOHO_ERROR_RANGE, "%s: axis %d, operand x has axes 0 to %d", entry->name, call->axis, x->rank - 1);
  if (x->shape[call->axis] > TENSOR_LONGEST_ROW)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "%s: operand x has %zu elements along axis %d, expected at most %u", entry->name,
                     x->shape[call->axis], call->axis, TENSOR_LONGEST_ROW);
  if ((size_t)x->stride[call->axis] > MOST_REACH / (x->shape[call->axis] ? x->shape[call->axis] : 1))
    return moho_fail_at((moho_place){0}, "copy it to a tensor whose last axis this is", MOHO_ERROR_NOT_AVAILABLE,
                        "%s: elements of operand x along axis %d reach over more than 2^29 places", entry->name, call->axis);
  return MOHO_OK;
}

/* A vector of the axis' length, or nothing. */
static moho_status check_weight(const moho_operation_entry *entry, const moho_tensor_call *call, int which, moho_tensor *weight,
                                unsigned *stride) {
  const moho_tensor *given = call->inputs[which];
  size_t n = call->inputs[0]->shape[call->axis];
  char text[128];
  *weight = (moho_tensor){0};
  if (!given) return MOHO_OK;
  if (given->rank != 1 || given->shape[0] != n)
    return moho_fail(MOHO_ERROR_SHAPE, "%s: operand %s has shape %s, expected [%zu]", entry->name, entry->operands[which],
                     moho_shape_text(given->rank, given->shape, text), n);
  *weight = *given;
  *stride = (unsigned)given->stride[0];
  return MOHO_OK;
}

/* The tensor without the axis. */
static moho_tensor without_axis(const moho_tensor *tensor, int axis) {
  moho_tensor rows = *tensor;
  for (int i = axis; i + 1 < tensor->rank; i++) {
    rows.shape[i] = tensor->shape[i + 1];
    rows.stride[i] = tensor->stride[i + 1];
  }
  rows.rank--;
  return rows;
}

static moho_status begin_plan(const moho_operation_entry *entry, const moho_tensor_call *call, unsigned operation, row_plan *r) {
  const moho_tensor *x = call->inputs[0];
  const moho_device *device = moho_prepared_device(r->out);
  MOHO_TRY(check_axis(entry, call));
  size_t n = x->shape[call->axis];
  r->p = (tensor_rows_parameters){.operation = operation,
                                  .type_in = x->dtype,
                                  .n = (unsigned)n,
                                  .blocks = (unsigned)moho_pieces(n, TENSOR_BLOCK),
                                  .stride_x = (unsigned)x->stride[call->axis],
                                  .epsilon = (float)call->scalars[0],
                                  .count = (float)n,
                                  .simd = (unsigned)moho_device_simd(device),
                                  .threads = (unsigned)moho_device_threads(device)};
  set_group(r, device);
  return set_scratch(r, device);
}

static moho_status cut_rows(row_plan *r, const moho_tensor *classes, const moho_tensor *in, const moho_tensor *out) {
  const moho_tensor *const operands[] = {classes, in, out};
  moho_strided all = moho_strided_of(operands, 3);
  return moho_strided_cut_rows(&all, MOST_REACH / 2, MOST_REACH, add_piece, r);
}

/* ---- softmax and norms ---- */

static unsigned kernel_operation(moho_operation operation) {
  switch (operation) {
  case MOHO_OPERATION_LOG_SOFTMAX: return TENSOR_LOG_SOFTMAX;
  case MOHO_OPERATION_LAYER_NORM: return TENSOR_LAYER_NORM;
  case MOHO_OPERATION_RMS_NORM: return TENSOR_RMS_NORM;
  default: return TENSOR_SOFTMAX;
  }
}

static moho_status check_same_shape(const moho_operation_entry *entry, const moho_tensor *x, const moho_tensor *out) {
  char text[128], want[128];
  int same = x->rank == out->rank;
  for (int i = 0; same && i < x->rank; i++) same = x->shape[i] == out->shape[i];
  if (same) return MOHO_OK;
  return moho_fail(MOHO_ERROR_SHAPE, "%s: operand out has shape %s, expected that of x, %s", entry->name,
                   moho_shape_text(out->rank, out->shape, text), moho_shape_text(x->rank, x->shape, want));
}

static moho_status check_epsilon(const moho_operation_entry *entry, double epsilon) {
  if (epsilon >= 0 && epsilon < 1) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%s: epsilon is %g, expected 0 to 1", entry->name, epsilon);
}

moho_status moho_plan_rows(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out) {
  row_plan r = {.out = out};
  const moho_tensor *x = call->inputs[0], *y = call->output;
  MOHO_TRY(check_same_shape(entry, x, y));
  MOHO_TRY(check_epsilon(entry, call->scalars[0]));
  MOHO_TRY(begin_plan(entry, call, kernel_operation(call->operation), &r));
  MOHO_TRY(check_weight(entry, call, 1, &r.gamma, &r.p.stride_gamma));
  MOHO_TRY(check_weight(entry, call, 2, &r.beta, &r.p.stride_beta));
  if (!moho_tensor_elements(x)) return MOHO_OK;
  r.p.type_out = y->dtype;
  r.p.type_gamma = x->dtype;
  r.p.has_gamma = r.gamma.buffer != NULL;
  r.p.has_beta = r.beta.buffer != NULL;
  r.p.stride_y = (unsigned)y->stride[call->axis];
  moho_tensor in = without_axis(x, call->axis), kept = without_axis(y, call->axis);
  return cut_rows(&r, NULL, &in, &kept);
}

/* ---- cross-entropy ---- */

moho_status moho_plan_row_losses(const moho_operation_entry *entry, const moho_tensor_call *call, const moho_tensor *losses,
                                 moho_prepared *out) {
  row_plan r = {.out = out};
  const moho_tensor *x = call->inputs[0];
  char what[80];
  moho_tensor classes;
  MOHO_TRY(check_epsilon(entry, call->scalars[0]));
  MOHO_TRY(begin_plan(entry, call, TENSOR_CROSS_ENTROPY, &r));
  moho_tensor in = without_axis(x, call->axis);
  snprintf(what, sizeof what, "%s: operand %s", entry->name, entry->operands[1]);
  MOHO_TRY(moho_tensor_broadcast_for(what, call->inputs[1], in.rank, in.shape, &classes));
  if (!moho_tensor_elements(losses)) return MOHO_OK;
  if (!r.p.n) return moho_fail(MOHO_ERROR_RANGE, "%s: operand x has no classes along axis %d", entry->name, call->axis);
  r.p.type_out = losses->dtype;
  r.p.type_gamma = MOHO_DTYPE_I32;
  return cut_rows(&r, &classes, &in, losses);
}
