/* bitnet.c - BitNet layers on tensors: weights to the device, and plans of two steps, activations to bytes and the product. */
#include "moho/bitnet.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/device_core.h"
#include "kernels/ternary.h"
#include "tensor/bitnet_native.h"
#include "tensor/operation_table.h"
#include "tensor/prepared.h"
#include "tensor/tensor_inside.h"
#include "tensor/ternary_parts.h"

extern const char moho_text_ternary[];
static const moho_kernel_definition activations = {.name = "ternary_activations",
                                                   .text = moho_text_ternary,
                                                   .max_lanes = 256,
                                                   .uses_group = 1,
                                                   .native = moho_native_ternary_activations};
static const moho_kernel_definition linear = {
    .name = "ternary_linear", .text = moho_text_ternary, .max_lanes = 256, .uses_group = 1, .native = moho_native_ternary_linear};

extern const char moho_text_ternary_tiles[];
static const moho_kernel_definition tiles = {
    .name = "ternary_tiles", .text = moho_text_ternary_tiles, .max_lanes = 256, .uses_group = 1};

enum { MOST_ROWS = 4 }; /* of activations that a group of ternary_linear takes at once; of more ternary_tiles has tiles of 8 */
#define MOST_ELEMENTS ((size_t)1 << 30)

/* ---- weights ---- */

static moho_status upload(moho_device *device, const void *lanes, size_t bytes, const float *scales, size_t count,
                          moho_bitnet_weights *out) {
  MOHO_TRY(moho_tensor_from_host(device, MOHO_DTYPE_U8, 1, &bytes, (void *)(uintptr_t)lanes, MOHO_HOST_COPY, &out->lanes));
  return moho_tensor_from_host(device, MOHO_DTYPE_F32, 1, &count, (void *)(uintptr_t)scales, MOHO_HOST_COPY, &out->scales);
}

moho_status moho_bitnet_weights_from_values(moho_device *device, const int8_t *q, const float *scales, size_t n, size_t k,
                                            const moho_ternary_options *options, moho_bitnet_weights *out) {
  size_t bytes, count;
  void *lanes;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: nowhere to put the weights, got NULL");
  *out = (moho_bitnet_weights){.n = n, .k = k};
  MOHO_TRY(moho_ternary_scale_count(options, n, k, &count));
  MOHO_TRY(moho_ternary_packed_bytes(MOHO_TERNARY_LANES, n, k, &bytes));
  if (!scales && count) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: scales are missing, got NULL");
  MOHO_TRY(moho_allocate(bytes, 1, "packed weights", &lanes));
  moho_status status = moho_ternary_pack(MOHO_TERNARY_LANES, q, n, k, lanes, bytes);
  if (!status) status = upload(device, lanes, bytes, scales, count, out);
  free(lanes);
  out->scaling = options->scaling, out->group = options->group;
  if (status) moho_bitnet_weights_destroy(out);
  return status;
}

moho_status moho_bitnet_weights_create(moho_device *device, const float *w, size_t n, size_t k,
                                       const moho_ternary_options *options, moho_bitnet_weights *out) {
  size_t count, values;
  int8_t *q = NULL;
  float *scales = NULL;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: nowhere to put the weights, got NULL");
  *out = (moho_bitnet_weights){0};
  MOHO_TRY(moho_ternary_scale_count(options, n, k, &count));
  MOHO_TRY(moho_multiply(n, k, "ternary weights", &values));
  moho_status status = moho_allocate(values, 1, "ternary weights", &q);
  if (!status) status = moho_allocate(count, sizeof *scales, "scales", &scales);
  if (!status) status = moho_ternary_quantize(w, n, k, options, q, scales);
  if (!status) status = moho_bitnet_weights_from_values(device, q, scales, n, k, options, out);
  free(q), free(scales);
  return status;
}

moho_status moho_bitnet_weights_destroy(moho_bitnet_weights *weights) {
  if (!weights) return MOHO_OK;
  moho_status status = moho_tensor_destroy(&weights->lanes), other = moho_tensor_destroy(&weights->scales);
  *weights = (moho_bitnet_weights){0};
  return status ? status : other;
}

/* ---- checks ---- */

typedef struct layer {
  const moho_bitnet_weights *weights;
  const moho_tensor *x, *y;
  moho_bitnet_options options;
  moho_device *device;
  size_t m;
} layer;

static moho_status check_rows(const layer *l, const moho_tensor *tensor, const char *operand, size_t columns) {
  char text[128];
  if (tensor->rank != 2 || tensor->shape[0] != l->m || tensor->shape[1] != columns)
    return moho_fail(MOHO_ERROR_SHAPE, "bitnet (m %zu, n %zu, k %zu): operand %s is %s, expected [%zu, %zu]", l->m, l->weights->n,
                     l->weights->k, operand, moho_shape_text(tensor->rank, tensor->shape, text), l->m, columns);
  if (columns > 1 && tensor->stride[1] != 1)
    return moho_fail_at((moho_place){0}, "copy it first", MOHO_ERROR_NOT_AVAILABLE,
                        "bitnet: operand %s has column stride %lld, expected 1", operand, (long long)tensor->stride[1]);
  return MOHO_OK;
}

static moho_status check_vector(layer *l, const moho_tensor *tensor, const char *operand, size_t length) {
  char text[128];
  if (!tensor) return MOHO_OK;
  MOHO_TRY(moho_operand_check("bitnet", operand, tensor, MOHO_SET(MOHO_DTYPE_F32), &l->device));
  if (tensor->rank != 1 || tensor->shape[0] != length)
    return moho_fail(MOHO_ERROR_SHAPE, "bitnet: operand %s is %s, expected [%zu]", operand,
                     moho_shape_text(tensor->rank, tensor->shape, text), length);
  if (length > 1 && tensor->stride[0] != 1)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "bitnet: operand %s has stride %lld, expected 1", operand,
                     (long long)tensor->stride[0]);
  return moho_tensor_may_overlap(tensor, l->y) ? moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: y overlaps operand %s", operand)
                                               : MOHO_OK;
}

static moho_status check_sizes(const layer *l) {
  size_t words = moho_pieces(l->weights->k, 4) + 16, bytes, activation_words;
  MOHO_TRY(moho_multiply(l->m, words, "activations", &activation_words));
  MOHO_TRY(moho_ternary_packed_bytes(MOHO_TERNARY_LANES, l->weights->n, l->weights->k, &bytes));
  if (moho_tensor_elements(&l->weights->lanes) != bytes)
    return moho_fail(MOHO_ERROR_SHAPE, "bitnet: packed weights [%zu, %zu] have %zu bytes, expected %zu", l->weights->n,
                     l->weights->k, moho_tensor_elements(&l->weights->lanes), bytes);
  if (moho_tensor_reach(l->x) <= MOST_ELEMENTS && moho_tensor_reach(l->y) <= MOST_ELEMENTS && activation_words <= MOST_ELEMENTS &&
      bytes / 4 <= MOST_ELEMENTS && l->m <= MOST_ROWS * (size_t)65535)
    return MOHO_OK;
  return moho_fail_at((moho_place){0}, "give it fewer rows at once", MOHO_ERROR_NOT_AVAILABLE,
                      "bitnet (m %zu, n %zu, k %zu): an operand reaches beyond 2^30 words, or m beyond %zu", l->m, l->weights->n,
                      l->weights->k, MOST_ROWS * (size_t)65535);
}

static moho_status check_layer(layer *l) {
  const moho_bitnet_weights *w = l->weights;
  if (!w) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: weights are missing, got NULL");
  MOHO_TRY(ternary_check_scaling(w->scaling, w->group, w->k));
  MOHO_TRY(moho_operand_check("bitnet", "x", l->x, MOHO_SET(MOHO_DTYPE_F32), &l->device));
  MOHO_TRY(moho_operand_check("bitnet", "y", l->y, MOHO_SET(MOHO_DTYPE_F32) | MOHO_SET(MOHO_DTYPE_I32), &l->device));
  MOHO_TRY(moho_operand_check("bitnet", "weights", &w->lanes, MOHO_SET(MOHO_DTYPE_U8), &l->device));
  MOHO_TRY(moho_operand_check("bitnet", "scales", &w->scales, MOHO_SET(MOHO_DTYPE_F32), &l->device));
  l->m = l->x->rank ? l->x->shape[0] : 0;
  MOHO_TRY(check_rows(l, l->x, "x", w->k));
  MOHO_TRY(check_rows(l, l->y, "y", w->n));
  if (l->m > 1 && (size_t)l->y->stride[0] < w->n) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: y's rows overlap");
  if (moho_tensor_may_overlap(l->x, l->y)) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: y overlaps operand x");
  MOHO_TRY(check_vector(l, l->options.bias, "bias", w->n));
  MOHO_TRY(check_vector(l, l->options.rms_gain, "rms_gain", w->k));
  if (l->options.rms_norm && !(l->options.rms_epsilon > 0 && isfinite(l->options.rms_epsilon)))
    return moho_fail(MOHO_ERROR_RANGE, "bitnet: RMSNorm's epsilon is %g, expected above 0", (double)l->options.rms_epsilon);
  return check_sizes(l);
}

/* ---- plans ---- */

static ternary_parameters parameters_of(const layer *l) {
  const moho_bitnet_weights *w = l->weights;
  int is_integer = l->y->dtype == MOHO_DTYPE_I32;
  moho_ternary_scaling scaling = is_integer ? MOHO_TERNARY_PER_TENSOR : w->scaling;
  size_t length = ternary_group_length(scaling, w->group, w->k);
  return (ternary_parameters){.m = (unsigned)l->m,
                              .n = (unsigned)w->n,
                              .k = (unsigned)w->k,
                              .words = (unsigned)(moho_round_up(w->k + 4, 64) / 4),
                              .steps = (unsigned)moho_pieces(w->k, 4),
                              .scaling = scaling,
                              .length = (unsigned)length,
                              .pieces = (unsigned)(length ? moho_pieces(w->k, length) : 0),
                              .x_row = l->m > 1 ? (unsigned)l->x->stride[0] : 0,
                              .y_row = l->m > 1 ? (unsigned)l->y->stride[0] : 0,
                              .rms_norm = l->options.rms_norm != 0,
                              .has_gain = l->options.rms_gain != NULL,
                              .has_bias = !is_integer && l->options.bias,
                              .integers = (unsigned)is_integer,
                              .epsilon = l->options.rms_epsilon,
                              .rows = (unsigned)moho_smaller(l->m, MOST_ROWS),
                              .simd = (unsigned)moho_device_simd(l->device),
                              .threads = (unsigned)moho_device_threads(l->device)};
}

/* The activations' bytes, scales and sums. */
typedef struct scratch {
  moho_buffer *xq, *s, *sums;
} scratch;

static moho_status add_activations(const layer *l, ternary_parameters *p, const scratch *work, moho_prepared *out) {
  moho_step step = {.definition = &activations,
                    .parameters = p,
                    .parameter_bytes = sizeof *p,
                    .n_bindings = 5,
                    .groups = {p->m, 1},
                    .lanes = TERNARY_LANES,
                    .group_memory = TERNARY_LANES * sizeof(float)};
  /* Without inputs x has nothing to be bound; the kernel does not read it then. */
  step.bindings[0] = p->k ? moho_tensor_binding(l->x, &p->x_first) : (moho_binding){work->xq, 0};
  step.bindings[1] = p->has_gain && p->k ? moho_tensor_binding(l->options.rms_gain, &p->gain_first) : step.bindings[0];
  step.bindings[2] = (moho_binding){work->xq, 0};
  step.bindings[3] = (moho_binding){work->s, 0};
  step.bindings[4] = (moho_binding){work->sums, 0};
  return moho_prepared_add(out, &step);
}

/* Few rows of activations: the weights are read once for all of them. */
static void suit_few_rows(const ternary_parameters *p, moho_step *step) {
  step->definition = &linear;
  step->groups[0] = (uint32_t)moho_pieces(p->n, 64), step->groups[1] = (uint32_t)moho_pieces(p->m, p->rows);
  step->group_memory = TERNARY_GROUP_WORDS * sizeof(int32_t);
  step->constants[0] = (moho_constant){"ROWS", p->rows, 0};
  step->n_constants = 1;
}

/* About as many as a large GPU has multiprocessors. */
enum { ENOUGH_GROUPS = 128 };
static size_t enough_groups = ENOUGH_GROUPS;
static int is_by_mma;

void ternary_tiles_set(size_t groups, int by_mma) {
  __atomic_store_n(&enough_groups, groups ? groups : ENOUGH_GROUPS, __ATOMIC_RELAXED);
  __atomic_store_n(&is_by_mma, by_mma, __ATOMIC_RELAXED);
}

/* Many rows: 8, 16, 32 or 64 at once. Where that makes few groups for a large GPU, fewer outputs a group, whose SIMD groups share
 * out the inputs; their rows must have room in group memory. */
static void suit_many_rows(const ternary_parameters *p, moho_step *step) {
  enum { MOST_PANELS = 16 };
  size_t enough = __atomic_load_n(&enough_groups, __ATOMIC_RELAXED);
  size_t at_once = p->m <= 8 ? 1 : p->m <= 16 ? 2 : p->m <= 32 ? 4 : 8, blocks = moho_pieces(p->n, 64);
  size_t row_groups = moho_pieces(p->m, 8 * at_once), outs = 8;
  while (outs > 1 && moho_pieces(blocks, outs) * row_groups < enough && 16 / outs * at_once <= MOST_PANELS) outs /= 2;
  step->definition = &tiles;
  step->groups[0] = (uint32_t)moho_pieces(blocks, outs), step->groups[1] = (uint32_t)row_groups;
  step->group_memory = TERNARY_TILES_WORDS(at_once, 8 / outs) * sizeof(uint32_t);
  step->constants[0] = (moho_constant){"TILES", (double)at_once, 0};
  step->constants[1] = (moho_constant){"OUTS", (double)outs, 0};
  step->constants[2] = (moho_constant){"BY_MMA", 1, 0};
  step->n_constants = __atomic_load_n(&is_by_mma, __ATOMIC_RELAXED) ? 3 : 2; /* else the text itself knows */
}

static moho_status add_linear(const layer *l, ternary_parameters *p, const scratch *work, moho_prepared *out) {
  uint32_t none;
  moho_step step = {.parameters = p, .parameter_bytes = sizeof *p, .n_bindings = 6, .lanes = TERNARY_LANES};
  if (p->m <= MOST_ROWS || !p->k || l->device->report.has_native) suit_few_rows(p, &step);
  else suit_many_rows(p, &step);
  step.bindings[0] = p->k ? moho_tensor_binding(&l->weights->lanes, &none) : (moho_binding){work->xq, 0};
  step.bindings[1] = p->k ? moho_tensor_binding(&l->weights->scales, &none) : (moho_binding){work->xq, 0};
  step.bindings[2] = p->has_bias ? moho_tensor_binding(l->options.bias, &p->bias_first) : step.bindings[1];
  step.bindings[3] = (moho_binding){work->xq, 0};
  step.bindings[4] = (moho_binding){work->s, 0};
  step.bindings[5] = moho_tensor_binding(l->y, &p->y_first);
  return moho_prepared_add(out, &step);
}

static moho_status plan(const layer *l, moho_prepared *out) {
  ternary_parameters p = parameters_of(l);
  scratch work;
  if (!l->m || !l->weights->n) return MOHO_OK;
  MOHO_TRY(moho_prepared_temporary(out, l->m * p.words * sizeof(uint32_t), &work.xq));
  MOHO_TRY(moho_prepared_temporary(out, l->m * sizeof(float), &work.s));
  MOHO_TRY(moho_prepared_temporary(out, l->m * sizeof(int32_t), &work.sums));
  MOHO_TRY(add_activations(l, &p, &work, out));
  return add_linear(l, &p, &work, out);
}

moho_status moho_bitnet_prepare(const moho_bitnet_weights *weights, const moho_tensor *x, const moho_tensor *y,
                                const moho_bitnet_options *options, moho_prepared **out) {
  layer l = {.weights = weights, .x = x, .y = y, .options = options ? *options : (moho_bitnet_options){0}};
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "bitnet: nowhere to put the prepared call, got NULL");
  *out = NULL;
  MOHO_TRY(check_layer(&l));
  MOHO_TRY(moho_prepared_create(l.device, out));
  moho_status status = plan(&l, *out);
  if (status) moho_prepared_destroy(out);
  return status;
}

moho_status moho_bitnet_linear(moho_queue *queue, const moho_bitnet_weights *weights, const moho_tensor *x, moho_tensor *y,
                               const moho_bitnet_options *options) {
  moho_prepared *prepared;
  MOHO_TRY(moho_bitnet_prepare(weights, x, y, options, &prepared));
  moho_status status = moho_prepared_run(prepared, queue);
  moho_prepared_destroy(&prepared);
  return status;
}
