/* matmul.c - plans of matrix products: operands are checked, brought into one form, and given to a library or a kernel. */
#include "moho/matmul.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/device_core.h"
#include "device/library_call.h"
#include "kernels/matmul.h"
#include "kernels/tensor_map.h"
#include "tensor/blas.h"
#include "tensor/elementwise.h"
#include "tensor/matmul_layout.h"
#include "tensor/matmul_mixed.h"
#include "tensor/matmul_native.h"
#include "tensor/operation_table.h"
#include "tensor/prepared.h"
#include "tensor/strided.h"
#include "tensor/tensor_inside.h"

extern const char moho_text_matmul[];
static const moho_kernel_definition tiled = {
    .name = "matmul_tiled", .text = moho_text_matmul, .max_lanes = 256, .uses_group = 1, .native = moho_native_matmul};
static const moho_kernel_definition vector = {
    .name = "matmul_vector", .text = moho_text_matmul, .max_lanes = 256, .uses_group = 1, .native = moho_native_matmul};

static const moho_kernel_definition finish = {.name = "matmul_finish", .text = moho_text_matmul, .max_lanes = 256};
static const moho_kernel_definition library = {.name = MOHO_LIBRARY_SGEMM, .max_lanes = 1};

moho_matmul_options moho_matmul_options_default(void) {
  return (moho_matmul_options){.alpha = 1, .activation = MOHO_OPERATION_COPY};
}

/* ---- checks ---- */

/* All operands as matrices of a batch. */
typedef struct product {
  const moho_matmul_options *options;
  moho_device *device;
  moho_tensor a, b, c, bias; /* rank 3 [batch, rows, columns]; bias rank 1 */
  size_t batches, m, n, k;
  int by_library;
} product;

/* A and B have one dtype, C and the bias that one or f32. */
static moho_status check_dtype(const moho_tensor *tensor, const char *operand, moho_dtype dtype, int may_be_f32) {
  if (tensor->dtype == dtype || (may_be_f32 && tensor->dtype == MOHO_DTYPE_F32)) return MOHO_OK;
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "matmul: operand %s is %s, expected %s%s", operand, moho_dtype_name(tensor->dtype),
                   moho_dtype_name(dtype), may_be_f32 && dtype != MOHO_DTYPE_F32 ? " as a, or f32" : " as a");
}

static moho_status as_batch(const moho_tensor *from, const char *operand, int transpose, moho_device **device, moho_tensor *out) {
  MOHO_TRY(moho_operand_check("matmul", operand, from, MOHO_FLOATS, device));
  if (from->rank != 2 && from->rank != 3)
    return moho_fail(MOHO_ERROR_SHAPE, "matmul: operand %s has rank %d, expected 2 or 3 (batch, rows, columns)", operand,
                     from->rank);
  *out = *from;
  out->owns = 0;
  if (from->rank == 2) {
    out->rank = 3;
    for (int i = 2; i > 0; i--) out->shape[i] = from->shape[i - 1], out->stride[i] = from->stride[i - 1];
    out->shape[0] = 1, out->stride[0] = 0;
  }
  if (transpose) MOHO_TRY(moho_tensor_transpose(out, 1, 2, out));
  return MOHO_OK;
}

static moho_status check_shape(const moho_tensor *tensor, const char *operand, size_t batches, size_t rows, size_t columns,
                               const product *p) {
  int batches_fit = tensor->shape[0] == batches || (tensor->shape[0] == 1 && strcmp(operand, "c"));
  if (batches_fit && tensor->shape[1] == rows && tensor->shape[2] == columns) return MOHO_OK;
  char text[128];
  return moho_fail(MOHO_ERROR_SHAPE, "matmul (m %zu, n %zu, k %zu): operand %s is %s, expected [%zu, %zu, %zu]", p->m, p->n, p->k,
                   operand, moho_shape_text(3, tensor->shape, text), batches, rows, columns);
}

static moho_status check_bias(product *p) {
  const moho_tensor *bias = p->options->bias;
  if (!bias) return MOHO_OK;
  MOHO_TRY(moho_operand_check("matmul", "bias", bias, MOHO_FLOATS, &p->device));
  MOHO_TRY(check_dtype(bias, "bias", p->a.dtype, 1));
  char text[128];
  if (bias->rank != 1 || bias->shape[0] != p->n)
    return moho_fail(MOHO_ERROR_SHAPE, "matmul (m %zu, n %zu, k %zu): operand bias is %s, expected [%zu]", p->m, p->n, p->k,
                     moho_shape_text(bias->rank, bias->shape, text), p->n);
  if (p->n > 1 && bias->stride[0] != 1)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "matmul: operand bias has stride %lld, expected 1", (long long)bias->stride[0]);
  p->bias = *bias;
  return MOHO_OK;
}

static moho_status check_layout(const product *p) {
  const moho_tensor *c = &p->c;
  if (p->n > 1 && c->stride[2] != 1)
    return moho_fail_at((moho_place){0}, "compute the transposed product: C' = B' A'", MOHO_ERROR_NOT_AVAILABLE,
                        "matmul: operand c has column stride %lld, expected 1", (long long)c->stride[2]);
  if ((p->m > 1 && (size_t)c->stride[1] < p->n) || (p->batches > 1 && c->stride[0] == 0))
    return moho_fail(MOHO_ERROR_ARGUMENT, "matmul: operand c repeats its elements (strides %lld, %lld)", (long long)c->stride[0],
                     (long long)c->stride[1]);
  if (moho_tensor_may_overlap(c, &p->a) || moho_tensor_may_overlap(c, &p->b) ||
      (p->options->bias && moho_tensor_may_overlap(c, &p->bias)))
    return moho_fail(MOHO_ERROR_ARGUMENT, "matmul: c overlaps another operand, expected none of its memory");
  return MOHO_OK;
}

static moho_status check_activation(const product *p) {
  const moho_operation_entry *entry = moho_operation_entry_of(p->options->activation);
  int is_of_one = entry && entry->plan == moho_plan_elementwise && entry->operands[0] && !entry->operands[1];
  if (is_of_one && entry->output == MOHO_OUTPUT_SAME && (entry->inputs & MOHO_SET(MOHO_DTYPE_F32))) return MOHO_OK;
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "matmul: activation %s, expected an operation of one f32 input",
                   moho_operation_name(p->options->activation));
}

static moho_status check_product(const moho_tensor *a, const moho_tensor *b, const moho_tensor *c,
                                 const moho_matmul_options *options, product *p) {
  *p = (product){.options = options};
  MOHO_TRY(as_batch(a, "a", options->transpose_a, &p->device, &p->a));
  MOHO_TRY(as_batch(b, "b", options->transpose_b, &p->device, &p->b));
  MOHO_TRY(as_batch(c, "c", 0, &p->device, &p->c));
  MOHO_TRY(check_dtype(&p->b, "b", p->a.dtype, 0));
  MOHO_TRY(check_dtype(&p->c, "c", p->a.dtype, 1));
  p->batches = p->c.shape[0], p->m = p->c.shape[1], p->n = p->c.shape[2], p->k = p->a.shape[2];
  MOHO_TRY(check_shape(&p->a, "a", p->batches, p->m, p->k, p));
  MOHO_TRY(check_shape(&p->b, "b", p->batches, p->k, p->n, p));
  MOHO_TRY(check_bias(p));
  MOHO_TRY(check_layout(p));
  return check_activation(p);
}

/* ---- which way ---- */

static int is_cpu(const moho_device *device) {
  return device->report.has_native;
}

const char *moho_matmul_library(const moho_device *device, const char **why) {
  static const char *const none = "the device is not alive";
  if (why) *why = none;
  if (moho_handle_check(device, MOHO_KIND_DEVICE)) return NULL;
  if (!is_cpu(device)) return moho_device_library(device, MOHO_LIBRARY_SGEMM, why);
  const moho_blas *blas = moho_blas_get(why);
  return blas ? blas->words : NULL;
}

static matmul_layout layout_of(const moho_tensor *x) {
  return matmul_layout_of(x->shape[1], x->shape[2], (size_t)x->stride[1], (size_t)x->stride[2]);
}

/* What libraries take: a leading dimension, sizes of 31 bits. */
static int suits_library(const product *p) {
  matmul_layout a = layout_of(&p->a), b = layout_of(&p->b);
  size_t largest = p->m;
  const size_t sizes[] = {p->n, p->k, p->batches, a.leading, b.leading, (size_t)p->c.stride[1]};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) largest = sizes[i] > largest ? sizes[i] : largest;
  int x_repeats = p->n == 1 && p->k > 1 && p->b.stride[1] < 1;
  return p->k && a.leading && b.leading && !x_repeats && largest <= BLAS_MOST;
}

/* May the library compute it? *by_library; where it alone was asked for, no is an error. */
static moho_status choose(const product *p, int *by_library) {
  const char *why = NULL;
  moho_matmul_method method = p->options->method;
  if (method > MOHO_MATMUL_OWN) return moho_fail(MOHO_ERROR_ARGUMENT, "matmul: method %d, expected 0 to 2", (int)method);
  *by_library = method != MOHO_MATMUL_OWN && moho_matmul_library(p->device, &why);
  if (*by_library && !suits_library(p)) *by_library = 0, why = "k is 0, or strides or sizes that it does not take";
  if (method != MOHO_MATMUL_LIBRARY || *by_library || !p->batches || !p->m || !p->n) return MOHO_OK;
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "matmul (m %zu, n %zu, k %zu) on %s by a library: %s", p->m, p->n, p->k,
                   p->device->report.uri, why);
}

/* ---- plans ---- */

static unsigned step_of(const moho_tensor *tensor, int axis) {
  return tensor->shape[axis] > 1 ? (unsigned)tensor->stride[axis] : 0;
}

/* Tiles of 128 only where there are enough of them for a large GPU. */
static unsigned quads_for(const product *p) {
  return moho_pieces(p->m, 128) * moho_pieces(p->n, 128) * p->batches >= 128 ? 2 : 1;
}

static void fill_parameters(const product *p, matmul_parameters *out, moho_binding bindings[4]) {
  *out = (matmul_parameters){.m = (unsigned)p->m,
                             .n = (unsigned)p->n,
                             .k = (unsigned)p->k,
                             .batches = (unsigned)p->batches,
                             .a_row = step_of(&p->a, 1),
                             .a_column = p->k > 1 ? (unsigned)p->a.stride[2] : 1,
                             .b_row = step_of(&p->b, 1),
                             .b_column = p->n > 1 ? (unsigned)p->b.stride[2] : 1,
                             .c_row = step_of(&p->c, 1),
                             .a_batch = step_of(&p->a, 0),
                             .b_batch = step_of(&p->b, 0),
                             .c_batch = step_of(&p->c, 0),
                             .has_bias = p->options->bias != NULL,
                             .activation = p->options->activation,
                             .alpha = p->options->alpha,
                             .beta = p->options->beta,
                             .scalar = {(float)p->options->scalars[0], (float)p->options->scalars[1]},
                             .simd = (unsigned)moho_device_simd(p->device),
                             .threads = (unsigned)moho_device_threads(p->device),
                             .may_use_library = (unsigned)p->by_library};
  bindings[0] = moho_tensor_binding(&p->a, &out->a_first);
  bindings[1] = moho_tensor_binding(&p->b, &out->b_first);
  bindings[3] = moho_tensor_binding(&p->c, &out->c_first);
  bindings[2] = out->has_bias ? moho_tensor_binding(&p->bias, &out->bias_first) : bindings[0];
  /* A matrix without elements may lie at its buffer's end, where nothing can be bound. */
  if (!p->k) bindings[0] = bindings[1] = bindings[3];
  if (!p->k && !out->has_bias) bindings[2] = bindings[3];
}

static moho_status add_step(const product *p, moho_prepared *prepared) {
  matmul_parameters parameters;
  moho_step step = {.parameters = &parameters, .parameter_bytes = sizeof parameters, .n_bindings = 4, .lanes = MATMUL_LANES};
  fill_parameters(p, &parameters, step.bindings);
  int is_vector = p->n == 1 && parameters.a_column == 1;
  unsigned quads = quads_for(p);
  size_t tile = 64 * quads;
  step.definition = is_vector ? &vector : &tiled;
  step.groups[0] = (uint32_t)(is_vector ? p->m : moho_pieces(p->m, tile) * moho_pieces(p->n, tile));
  step.groups[1] = (uint32_t)p->batches;
  step.group_memory = (is_vector ? MATMUL_LANES : MATMUL_GROUP_FLOATS) * sizeof(float);
  step.constants[0] = (moho_constant){"QUADS", quads, 0};
  step.constants[1] = (moho_constant){"ACTIVATION", parameters.activation, 0};
  step.n_constants = 2;
  return moho_prepared_add(prepared, &step);
}

/* The library's call, and a launch for what it does not know. */
static moho_status add_library_steps(const product *p, moho_prepared *prepared) {
  matmul_parameters all;
  moho_binding bindings[4];
  fill_parameters(p, &all, bindings);
  matmul_layout a = layout_of(&p->a), b = layout_of(&p->b);
  const moho_sgemm_call call = {.m = all.m,
                                .n = all.n,
                                .k = all.k,
                                .batches = all.batches,
                                .transpose_a = (uint32_t)a.is_transposed,
                                .transpose_b = (uint32_t)b.is_transposed,
                                .lda = (uint32_t)a.leading,
                                .ldb = (uint32_t)b.leading,
                                .ldc = p->m > 1 ? all.c_row : all.n,
                                .a_first = all.a_first,
                                .b_first = all.b_first,
                                .c_first = all.c_first,
                                .a_batch = all.a_batch,
                                .b_batch = all.b_batch,
                                .c_batch = all.c_batch,
                                .alpha = all.alpha,
                                .beta = all.beta,
                                .type = p->a.dtype,
                                .type_c = p->c.dtype};
  MOHO_TRY(moho_prepared_add(prepared, &(moho_step){.definition = &library,
                                                    .parameters = &call,
                                                    .parameter_bytes = sizeof call,
                                                    .bindings = {bindings[0], bindings[1], bindings[3]},
                                                    .n_bindings = 3,
                                                    .groups = {1, 1},
                                                    .lanes = 1}));
  if (!all.has_bias && all.activation == MOHO_OPERATION_COPY) return MOHO_OK;
  all.finish_groups = (unsigned)moho_pieces(p->n, MATMUL_LANES);
  if (p->m * all.finish_groups > (size_t)1 << 23)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "matmul (m %zu, n %zu, k %zu): bias and activation of so large a C", p->m, p->n,
                     p->k);
  moho_step step = {.definition = &finish,
                    .parameters = &all,
                    .parameter_bytes = sizeof all,
                    .n_bindings = 2,
                    .bindings = {all.has_bias ? bindings[2] : bindings[3], bindings[3]},
                    .lanes = MATMUL_LANES,
                    .groups = {(uint32_t)p->m * all.finish_groups, all.batches},
                    .constants = {{"ACTIVATION", all.activation, 0}},
                    .n_constants = 1};
  return moho_prepared_add(prepared, &step);
}

static int is_long(const moho_tensor *tensor) {
  return moho_tensor_reach(tensor) > moho_launch_reach();
}

static moho_status add(const product *p, moho_prepared *prepared) {
  return p->by_library && !is_cpu(p->device) ? add_library_steps(p, prepared) : add_step(p, prepared);
}

/* A launch a matrix where a batch reaches too far for 32-bit indices, or has more matrices than a grid has rows. */
static moho_status add_steps(const product *p, moho_prepared *prepared) {
  if (!is_long(&p->a) && !is_long(&p->b) && !is_long(&p->c) && p->batches <= 65535) return add(p, prepared);
  for (size_t g = 0; g < p->batches; g++) {
    product one = *p;
    one.batches = 1;
    moho_tensor *parts[] = {&one.a, &one.b, &one.c};
    for (int i = 0; i < 3; i++) {
      parts[i]->offset += parts[i]->shape[0] > 1 ? g * (size_t)parts[i]->stride[0] : 0;
      parts[i]->shape[0] = 1;
      if (!is_cpu(p->device) && is_long(parts[i]))
        return moho_fail_at((moho_place){0}, "multiply slices of it", MOHO_ERROR_NOT_AVAILABLE,
                            "matmul (m %zu, n %zu, k %zu): operand %c reaches beyond 2^30 elements", p->m, p->n, p->k, "abc"[i]);
    }
    MOHO_TRY(add(&one, prepared));
  }
  return MOHO_OK;
}

static moho_status check_sizes(const product *p) {
  size_t most = is_cpu(p->device) ? UINT32_MAX : (size_t)1 << 24;
  if (p->m <= most && p->n <= most && p->k <= UINT32_MAX - 64) return MOHO_OK;
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "matmul (m %zu, n %zu, k %zu): m and n may be %zu on %s", p->m, p->n, p->k, most,
                   p->device->report.uri);
}

/* A GPU's library multiplies halves as they are. */
static int takes_halves(const product *p) {
  return !is_cpu(p->device) && p->a.dtype != MOHO_DTYPE_F32 && p->options->method != MOHO_MATMUL_OWN && suits_library(p) &&
         moho_matmul_library(p->device, NULL);
}

/* Other halves are brought to f32; so is C where something follows before it may be rounded. */
static moho_status widen(product *p, moho_prepared *prepared) {
  int halves = takes_halves(p), follows = p->options->bias || p->options->activation != MOHO_OPERATION_COPY;
  if (!halves) MOHO_TRY(matmul_widen(&p->a, prepared));
  if (!halves) MOHO_TRY(matmul_widen(&p->b, prepared));
  MOHO_TRY(matmul_widen(&p->bias, prepared));
  return halves && !follows ? MOHO_OK : matmul_widen_result(&p->c, p->options->beta != 0, prepared);
}

/* Added up in f32, whatever the operands are. */
static moho_status plan(product *p, moho_prepared *prepared) {
  const moho_tensor c = p->c;
  int is_empty = !p->batches || !p->m || !p->n;
  if (!is_empty) MOHO_TRY(widen(p, prepared));
  MOHO_TRY(choose(p, &p->by_library));
  if (is_empty) return MOHO_OK;
  MOHO_TRY(add_steps(p, prepared));
  return p->c.dtype == c.dtype ? MOHO_OK : matmul_narrow(&p->c, &c, prepared);
}

moho_status moho_matmul_prepare(const moho_tensor *a, const moho_tensor *b, const moho_tensor *c,
                                const moho_matmul_options *options, moho_prepared **out) {
  const moho_matmul_options standard = moho_matmul_options_default();
  product p;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "matmul: nowhere to put the prepared call, got NULL");
  *out = NULL;
  MOHO_TRY(check_product(a, b, c, options ? options : &standard, &p));
  MOHO_TRY(check_sizes(&p));
  MOHO_TRY(moho_prepared_create(p.device, out));
  moho_status status = plan(&p, *out);
  if (status) moho_prepared_destroy(out);
  return status;
}

moho_status moho_matmul(moho_queue *queue, const moho_tensor *a, const moho_tensor *b, moho_tensor *c,
                        const moho_matmul_options *options) {
  moho_prepared *prepared;
  MOHO_TRY(moho_matmul_prepare(a, b, c, options, &prepared));
  moho_status status = moho_prepared_run(prepared, queue);
  moho_prepared_destroy(&prepared);
  return status;
}

/* A vector as a matrix of one column. */
static moho_status as_column(const moho_tensor *vector_operand, const char *operand, moho_tensor *out) {
  if (!vector_operand) return moho_fail(MOHO_ERROR_ARGUMENT, "matvec: operand %s is missing, got NULL", operand);
  if (vector_operand->rank != 1)
    return moho_fail(MOHO_ERROR_SHAPE, "matvec: operand %s has rank %d, expected 1", operand, vector_operand->rank);
  *out = *vector_operand;
  out->owns = 0, out->rank = 2, out->shape[1] = 1, out->stride[1] = 1;
  return MOHO_OK;
}

moho_status moho_matvec(moho_queue *queue, const moho_tensor *a, const moho_tensor *x, moho_tensor *y,
                        const moho_matmul_options *options) {
  moho_tensor columns[2];
  MOHO_TRY(as_column(x, "x", &columns[0]));
  MOHO_TRY(as_column(y, "y", &columns[1]));
  moho_matmul_options own = options ? *options : moho_matmul_options_default();
  own.transpose_b = 0;
  return moho_matmul(queue, a, &columns[0], &columns[1], &own);
}
