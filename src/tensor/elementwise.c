/* elementwise.c - plans of element-wise operations: inputs broadcast to the output's shape, few axes, pieces of 32-bit indices.
 */
#include "tensor/elementwise.h"

#include <math.h>
#include <stdio.h>

#include "device/device_core.h"
#include "kernels/kern.h"
#include "kernels/tensor_map.h"
#include "kernels/tensor_math.h"
#include "tensor/native.h"
#include "tensor/strided.h"
#include "tensor/tensor_inside.h"

/* The kernels' numbers are those of the public header. */
#define SAME(name) _Static_assert((int)TENSOR_##name == (int)MOHO_OPERATION_##name, "kernels/tensor_math.h")
SAME(ADD);
SAME(SUB);
SAME(MUL);
SAME(DIV);
SAME(MIN);
SAME(MAX);
SAME(FMA);
SAME(COPY);
SAME(CONVERT);
SAME(FILL);
SAME(ABS);
SAME(NEG);
SAME(SQRT);
SAME(EXP);
SAME(LOG);
SAME(CLIP);
SAME(RELU);
SAME(LEAKY_RELU);
SAME(SIGMOID);
SAME(TANH);
SAME(SILU);
SAME(GELU_TANH);
SAME(GELU_ERF);
SAME(RELU_BACKWARD);
SAME(LEAKY_RELU_BACKWARD);
SAME(SIGMOID_BACKWARD);
SAME(TANH_BACKWARD);
SAME(SILU_BACKWARD);
SAME(GELU_TANH_BACKWARD);
SAME(GELU_ERF_BACKWARD);
SAME(SQUARED_ERROR);
SAME(BINARY_CROSS_ENTROPY);
SAME(QUANTIZE);
SAME(DEQUANTIZE);

extern const char moho_text_tensor_map[];

/* On the cpu the native function runs: it does every case that the texts do. */
static const moho_kernel_definition any_strides = {
    .name = "tensor_map", .text = moho_text_tensor_map, .max_lanes = 256, .native = moho_native_map};
static const moho_kernel_definition flat = {
    .name = "tensor_map_flat", .text = moho_text_tensor_map, .max_lanes = 256, .native = moho_native_map};

/* Larger outputs go past the caches. */
#define STREAMED_BYTES ((size_t)16 << 20)

/* What all pieces of a call share. */
typedef struct mapping {
  moho_prepared *out;
  const moho_tensor_call *call;
  moho_buffer *fault;
  int is_integer;
  size_t output_bytes;
} mapping;

/* ---- numbers of the call ---- */

/* The nearest of a dtype's integers; NaN is 0. */
static int nearest_int(double x) {
  if (!(x > -2147483648.0)) return x != x ? 0 : INT32_MIN;
  return x >= 2147483647.0 ? INT32_MAX : (int)x;
}

static void set_numbers(const moho_tensor_call *call, tensor_map_parameters *p) {
  for (int i = 0; i < MOHO_CALL_SCALARS; i++) {
    p->scalar[i] = (float)call->scalars[i];
    p->integer[i] = nearest_int(call->scalars[i]);
  }
}

/* ---- one piece ---- */

static int is_flat(const moho_strided *piece) {
  if (piece->rank != 1) return 0;
  for (int k = 0; k < piece->n_operands; k++)
    if (piece->stride[k][0] > 1) return 0;
  return piece->shape[0] == 1 || piece->stride[TENSOR_OUT][0] == 1;
}

static int is_aligned(const tensor_map_parameters *p) {
  for (int k = 0; k < TENSOR_OPERANDS; k++)
    if (p->type[k] != TENSOR_NUMBER && p->first[k] % 4) return 0;
  return 1;
}

static void fill_parameters(const mapping *m, const moho_strided *piece, tensor_map_parameters *p, moho_binding *bindings) {
  const moho_device *device = moho_prepared_device(m->out);
  *p = (tensor_map_parameters){.n = (unsigned)moho_strided_elements(piece),
                               .operation = m->call->operation,
                               .rank = (unsigned)piece->rank,
                               .is_integer = (unsigned)m->is_integer,
                               .is_flat = (unsigned)is_flat(piece),
                               .simd = (unsigned)moho_device_simd(device),
                               .threads = (unsigned)moho_device_threads(device),
                               .is_streamed = m->output_bytes > STREAMED_BYTES};
  set_numbers(m->call, p);
  for (int i = 0; i < piece->rank; i++) p->shape[i] = (unsigned)piece->shape[i];
  for (int k = 0; k < TENSOR_OPERANDS; k++) {
    const moho_tensor *at = &piece->at[k];
    p->type[k] = at->buffer ? (unsigned)at->dtype : TENSOR_NUMBER;
    bindings[k] = moho_tensor_binding(at->buffer ? at : &piece->at[TENSOR_OUT], &p->first[k]);
    for (int i = 0; i < piece->rank; i++) p->stride[k * TENSOR_RANK + i] = (unsigned)piece->stride[k][i];
  }
  p->is_aligned = p->is_flat && is_aligned(p);
}

static moho_status add_piece(const moho_strided *piece, void *user) {
  const mapping *m = user;
  tensor_map_parameters p;
  moho_step step = {.parameters = &p, .parameter_bytes = sizeof p, .n_bindings = 5};
  fill_parameters(m, piece, &p, step.bindings);
  step.bindings[4] = m->fault ? (moho_binding){m->fault, 0} : step.bindings[TENSOR_OUT];
  step.definition = p.is_flat ? &flat : &any_strides;
  step.items = p.is_flat ? (p.n + 3) / 4 : p.n;
  const moho_constant constants[] = {{"OPERATION", p.operation, 0}, {"TYPE_A", p.type[0], 0},   {"TYPE_B", p.type[1], 0},
                                     {"TYPE_C", p.type[2], 0},      {"TYPE_OUT", p.type[3], 0}, {"IS_INTEGER", p.is_integer, 0}};
  step.n_constants = sizeof constants / sizeof *constants;
  for (size_t i = 0; i < step.n_constants; i++) step.constants[i] = constants[i];
  return moho_prepared_add(m->out, &step);
}

/* ---- the whole ---- */

static int is_integer_dtype(moho_dtype dtype) {
  return dtype == MOHO_DTYPE_I32 || dtype == MOHO_DTYPE_I8 || dtype == MOHO_DTYPE_U8;
}

/* Integers are computed as integers; a conversion begins with the input's numbers. */
static int computes_integers(const moho_tensor_call *call) {
  if (call->operation == MOHO_OPERATION_DEQUANTIZE) return 0;
  for (int i = 0; i < MOHO_CALL_INPUTS; i++)
    if (call->inputs[i]) return is_integer_dtype(call->inputs[i]->dtype);
  return is_integer_dtype(call->output->dtype);
}

static moho_status broadcast_inputs(const moho_operation_entry *entry, const moho_tensor_call *call,
                                    moho_tensor views[MOHO_CALL_INPUTS], const moho_tensor *operands[TENSOR_OPERANDS]) {
  char what[80];
  for (int i = 0; i < MOHO_CALL_INPUTS; i++) {
    operands[i] = NULL;
    if (!call->inputs[i]) continue;
    snprintf(what, sizeof what, "%s: operand %s", entry->name, entry->operands[i]);
    MOHO_TRY(moho_tensor_broadcast_for(what, call->inputs[i], call->output->rank, call->output->shape, &views[i]));
    operands[i] = &views[i];
  }
  operands[TENSOR_OUT] = call->output;
  return MOHO_OK;
}

moho_status moho_plan_elementwise(const moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out) {
  mapping m = {.out = out, .call = call, .is_integer = computes_integers(call), .output_bytes = moho_tensor_bytes(call->output)};
  moho_tensor views[MOHO_CALL_INPUTS];
  const moho_tensor *operands[TENSOR_OPERANDS];
  MOHO_TRY(broadcast_inputs(entry, call, views, operands));
  if (call->operation == MOHO_OPERATION_DIV && m.is_integer)
    MOHO_TRY(moho_prepared_fault_word(out, MOHO_ERROR_RANGE, "div: an i32 divisor is 0, its quotient was set to 0", &m.fault));
  moho_strided all = moho_strided_of(operands, TENSOR_OPERANDS);
  return moho_strided_cut(&all, moho_launch_reach(), add_piece, &m);
}
