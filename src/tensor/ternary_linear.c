/* ternary_linear.c - products of packed ternary weights with bytes, and BitLinear: blocks of 64 outputs over threads.
 *
 * Few rows multiply the packed weights as they are read; for more, a panel of a block's weights is unpacked into the first cache
 * and shared by all rows. Sums are modulo 2^32 throughout, and exact in the end, since k is at most MOHO_TERNARY_LARGEST_K.
 */
#include "moho/ternary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu/cpu_features.h"
#include "tensor/ternary_parts.h"

enum { ROWS_A_TASK = 96 }; /* sums of so many rows and 64 outputs: 24 KiB */

/* ---- which kernel ---- */

static const ternary_kernel *const kernels[] = {
#if defined(__x86_64__)
    &ternary_vnni, &ternary_avx2,
#elif defined(__aarch64__)
    &ternary_neon,
#endif
    &ternary_scalar};
enum { KERNELS = sizeof kernels / sizeof *kernels };

const char *const *moho_ternary_simd_names(void) {
  static const char *names[KERNELS + 1];
  static int is_filled; /* every thread writes the same */
  if (!__atomic_load_n(&is_filled, __ATOMIC_ACQUIRE)) {
    size_t n = 0;
    for (size_t i = 0; i < KERNELS; i++)
      if (kernels[i]->runs_here()) __atomic_store_n(&names[n++], kernels[i]->name, __ATOMIC_RELAXED);
    __atomic_store_n(&is_filled, 1, __ATOMIC_RELEASE);
  }
  return names;
}

moho_status ternary_kernel_pick(const moho_ternary_run *run, const ternary_kernel **out) {
  const char *wanted = run ? run->simd : NULL;
  for (size_t i = 0; i < KERNELS; i++) {
    if (wanted && strcmp(wanted, kernels[i]->name)) continue;
    *out = kernels[i];
    if (kernels[i]->runs_here()) return MOHO_OK;
    if (wanted) return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "ternary products by %s: this processor does not run them", wanted);
  }
  return moho_fail_at((moho_place){0}, "scalar, avx2, vnni, neon", MOHO_ERROR_NOT_AVAILABLE,
                      "ternary products by '%s': this build has none", wanted ? wanted : "");
}

const ternary_kernel *ternary_kernel_for(moho_simd simd) {
  for (size_t i = 0; i < KERNELS; i++) {
    int is_wide_enough = simd == MOHO_SIMD_AVX512 || simd == MOHO_SIMD_NEON || !strcmp(kernels[i]->name, moho_simd_name(simd));
    if (is_wide_enough && kernels[i]->runs_here()) return kernels[i];
  }
  return &ternary_scalar;
}

/* ---- integer products ---- */

/* A piece of the inputs: sums [rows, 64] := codes * x - sum of x. */
typedef struct product {
  const ternary_kernel *kernel;
  const uint8_t *block; /* first step of the piece */
  const int8_t *x;      /* first row, first input of the piece */
  size_t rows, x_stride, steps;
  uint32_t *sums;
  uint8_t *panel; /* [TERNARY_PANEL_STEPS, 256] */
} product;

static int32_t sum_of(const int8_t *x, size_t n) {
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return sum;
}

static void add_by_rows(const product *p, ternary_product function, size_t at_once, const uint8_t *codes, size_t first,
                        size_t steps) {
  at_once = moho_pieces(p->rows, moho_pieces(p->rows, at_once)); /* 8 rows are 4 and 4 rather than 6 and 2 */
  for (size_t r = 0; r < p->rows; r += at_once)
    function(codes, steps, p->x + r * p->x_stride + 4 * first, p->x_stride, moho_smaller(at_once, p->rows - r),
             p->sums + TERNARY_OUTPUTS * r);
}

/* The next panel's bytes, or those of the next block, which lie behind: asked for, not waited for. */
static void fetch_packed(const uint8_t *packed) {
  for (size_t at = 0; at < TERNARY_PANEL_STEPS * TERNARY_STEP_BYTES; at += 64) __builtin_prefetch(packed + at, 0, 2);
}

/* `x_sums`: of each row over the piece, `apart` from row to row; NULL: they are added up here. */
static void multiply_block(const product *p, const int32_t *x_sums, size_t apart) {
  for (size_t r = 0; r < p->rows; r++) {
    uint32_t less = 0u - (uint32_t)(x_sums ? x_sums[r * apart] : sum_of(p->x + r * p->x_stride, 4 * p->steps));
    for (size_t o = 0; o < TERNARY_OUTPUTS; o++) p->sums[TERNARY_OUTPUTS * r + o] = less;
  }
  if (p->rows <= p->kernel->packed_rows) {
    add_by_rows(p, p->kernel->packed, p->kernel->packed_rows, p->block, 0, p->steps);
    return;
  }
  for (size_t s = 0; s < p->steps; s += TERNARY_PANEL_STEPS) {
    size_t steps = moho_smaller(TERNARY_PANEL_STEPS, p->steps - s);
    p->kernel->unpack(p->block + TERNARY_STEP_BYTES * s, steps, p->panel);
    fetch_packed(p->block + TERNARY_STEP_BYTES * (s + steps)); /* while this panel is multiplied */
    add_by_rows(p, p->kernel->panel, p->kernel->panel_rows, p->panel, s, steps);
  }
}

/* ---- tasks: rows by blocks ---- */

static void store_sums(const ternary_list *list, size_t row, size_t rows, size_t block, const uint32_t *sums) {
  size_t first = block * TERNARY_OUTPUTS, outputs = moho_smaller(TERNARY_OUTPUTS, list->weights->n - first);
  for (size_t r = 0; r < rows; r++)
    memcpy(list->out + (row + r) * list->out_stride + first, sums + TERNARY_OUTPUTS * r, outputs * sizeof *sums);
}

/* y of one row (+)= g / s * sums, and after the last piece the bias. */
static void scale_row(const ternary_list *list, size_t row, size_t block, size_t piece, const uint32_t *sums) {
  const moho_ternary_weights *weights = list->weights;
  size_t first = block * TERNARY_OUTPUTS, outputs = moho_smaller(TERNARY_OUTPUTS, weights->n - first);
  size_t pieces = moho_pieces(weights->k, list->length);
  float *y = list->y + row * list->y_stride + first, s = list->s[row];
  float of_all = weights->scaling == MOHO_TERNARY_PER_TENSOR ? weights->scales[0] / s : 0;
  for (size_t o = 0; o < outputs; o++) {
    float factor = of_all;
    if (weights->scaling == MOHO_TERNARY_PER_ROW) factor = weights->scales[first + o] / s;
    if (weights->scaling == MOHO_TERNARY_PER_GROUP) factor = weights->scales[(first + o) * pieces + piece] / s;
    float part = factor * (float)(int32_t)sums[o];
    y[o] = piece ? y[o] + part : part;
    if (list->bias && piece + 1 == pieces) y[o] += list->bias[first + o];
  }
}

static void run_task(const ternary_list *list, size_t row, size_t block) {
  _Alignas(64) uint32_t sums[ROWS_A_TASK * TERNARY_OUTPUTS];
  _Alignas(64) uint8_t panel[TERNARY_PANEL_STEPS * TERNARY_PANEL_STEP];
  const moho_ternary_weights *weights = list->weights;
  size_t rows = moho_smaller(ROWS_A_TASK, list->m - row), steps = moho_pieces(weights->k, 4);
  size_t piece = 0, length = list->length, pieces = moho_pieces(weights->k, length);
  for (size_t first = 0; first < weights->k; first += length, piece++) {
    product p = {.kernel = list->kernel,
                 .block = (const uint8_t *)weights->lanes + (block * steps + first / 4) * TERNARY_STEP_BYTES,
                 .x = list->xq + row * list->k_stride + first,
                 .rows = rows,
                 .x_stride = list->k_stride,
                 .steps = moho_pieces(moho_smaller(length, weights->k - first), 4),
                 .sums = sums,
                 .panel = panel};
    multiply_block(&p, list->x_sums ? list->x_sums + row * pieces + piece : NULL, pieces);
    if (list->out) store_sums(list, row, rows, block, sums);
    for (size_t r = 0; list->y && r < rows; r++) scale_row(list, row + r, block, piece, sums + TERNARY_OUTPUTS * r);
  }
}

static void run_tasks(const ternary_list *list, int threads) {
  size_t blocks = moho_pieces(list->weights->n, TERNARY_OUTPUTS), parts = moho_pieces(list->m, ROWS_A_TASK);
  size_t tasks = blocks * parts;
  if (threads > 1 && tasks < (size_t)threads) threads = (int)tasks;
  if (threads < 2 || tasks < 2) { /* a parallel loop of one thread costs microseconds */
    for (size_t task = 0; task < tasks; task++) run_task(list, task % parts * ROWS_A_TASK, task / parts);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t task = 0; task < tasks; task++) run_task(list, task % parts * ROWS_A_TASK, task / parts);
}

/* No inputs: sums of nothing. */
static void fill_without_inputs(const ternary_list *list) {
  for (size_t b = 0; b < list->m; b++)
    for (size_t o = 0; o < list->weights->n; o++) {
      if (list->out) list->out[b * list->out_stride + o] = 0;
      if (list->y) list->y[b * list->y_stride + o] = list->bias ? list->bias[o] : 0;
    }
}

/* Of xq over each piece of each row. NULL where memory is short: then each block adds them up anew. */
static int32_t *sums_of_pieces(const ternary_list *list) {
  size_t k = list->weights->k, pieces = moho_pieces(k, list->length);
  int32_t *sums = malloc(list->m * pieces * sizeof *sums);
  for (size_t b = 0; sums && b < list->m; b++)
    for (size_t piece = 0; piece < pieces; piece++) {
      size_t first = piece * list->length;
      sums[b * pieces + piece] = sum_of(list->xq + b * list->k_stride + first, moho_smaller(list->length, k - first));
    }
  return sums;
}

void ternary_run_list(const ternary_list *list, int threads) {
  if (!list->m || !list->weights->n) return;
  if (!list->weights->k) {
    fill_without_inputs(list);
    return;
  }
  ternary_list with_sums = *list;
  int32_t *own = list->x_sums && list->length == list->weights->k ? NULL : sums_of_pieces(list);
  if (own || list->length != list->weights->k) with_sums.x_sums = own;
  run_tasks(&with_sums, threads);
  free(own);
}

static int threads_of(const moho_ternary_run *run) {
  return run && run->threads > 1 ? run->threads : 1;
}

static moho_status check_weights(const moho_ternary_weights *weights, int with_scales) {
  if (!weights) return moho_fail(MOHO_ERROR_ARGUMENT, "ternary weights are missing");
  MOHO_TRY(ternary_check_scaling(weights->scaling, weights->group, weights->k));
  if (weights->n && weights->k && (!weights->lanes || (with_scales && !weights->scales)))
    return moho_fail(MOHO_ERROR_ARGUMENT, "ternary weights [%zu, %zu]: %s are NULL", weights->n, weights->k,
                     weights->lanes ? "scales" : "packed values");
  return MOHO_OK;
}

moho_status moho_ternary_multiply(const moho_ternary_weights *weights, const int8_t *xq, size_t m, size_t k_stride, int32_t *out,
                                  const moho_ternary_run *run) {
  MOHO_TRY(check_weights(weights, 0));
  if (k_stride < moho_ternary_row_bytes(weights->k))
    return moho_fail(MOHO_ERROR_RANGE, "ternary products: rows lie %zu bytes apart, expected at least %zu for %zu inputs",
                     k_stride, moho_ternary_row_bytes(weights->k), weights->k);
  if (m && weights->n && (!out || (!xq && weights->k)))
    return moho_fail(MOHO_ERROR_ARGUMENT, "ternary products: an array is NULL");
  ternary_list list = {
      .weights = weights, .xq = xq, .m = m, .k_stride = k_stride, .length = weights->k, .out = out, .out_stride = weights->n};
  MOHO_TRY(ternary_kernel_pick(run, &list.kernel));
  ternary_run_list(&list, threads_of(run));
  return MOHO_OK;
}

/* ---- BitLinear ---- */

/* The workspace: bytes of the activations, then scales, then sums. Rows lie no power of two apart, for the caches' sake. */
static moho_status lay_out(size_t m, size_t k, char *at, ternary_rows *out, size_t *bytes) {
  size_t k_stride = moho_round_up(k + 4, 64), q, rows = moho_round_up(m * sizeof(float), 64);
  MOHO_TRY(moho_multiply(m, k_stride, "activations", &q));
  *bytes = q + 2 * rows;
  if (at) out->k_stride = k_stride, out->xq = (int8_t *)at, out->s = (float *)(at + q), out->sums = (int32_t *)(at + q + rows);
  return MOHO_OK;
}

moho_status moho_bitlinear_workspace(size_t m, size_t k, size_t *bytes) {
  MOHO_TRY(ternary_check_scaling(MOHO_TERNARY_PER_TENSOR, 0, k));
  return lay_out(m, k, NULL, NULL, bytes);
}

static moho_status check_input(const moho_ternary_weights *weights, const moho_bitlinear_input *input, const float *y,
                               size_t y_stride) {
  MOHO_TRY(check_weights(weights, 1));
  if (!input) return moho_fail(MOHO_ERROR_ARGUMENT, "BitLinear's input is missing");
  if (input->m && ((weights->k && !input->x) || (weights->n && !y)))
    return moho_fail(MOHO_ERROR_ARGUMENT, "BitLinear: an array is NULL");
  if ((input->x_stride && input->x_stride < weights->k) || (y_stride && y_stride < weights->n))
    return moho_fail(MOHO_ERROR_RANGE, "BitLinear [%zu, %zu]: rows lie %zu and %zu apart, expected at least %zu and %zu",
                     weights->n, weights->k, input->x_stride, y_stride, weights->k, weights->n);
  if (input->rms_norm && !(input->rms_epsilon > 0 && isfinite(input->rms_epsilon)))
    return moho_fail(MOHO_ERROR_RANGE, "BitLinear's RMSNorm: epsilon is %g, expected above 0", (double)input->rms_epsilon);
  return MOHO_OK;
}

moho_status moho_bitlinear(const moho_ternary_weights *weights, const moho_bitlinear_input *input, float *y, size_t y_stride,
                           const moho_ternary_run *run) {
  MOHO_TRY(check_input(weights, input, y, y_stride));
  const ternary_kernel *kernel;
  MOHO_TRY(ternary_kernel_pick(run, &kernel));
  size_t needed, k = weights->k;
  MOHO_TRY(moho_bitlinear_workspace(input->m, k, &needed));
  if (input->workspace && (input->workspace_bytes < needed || (uintptr_t)input->workspace % 64))
    return moho_fail_at((moho_place){0}, "moho_bitlinear_workspace() says how many; NULL: the call allocates them",
                        MOHO_ERROR_RANGE, "BitLinear's workspace has %zu bytes, expected %zu, 64-byte aligned",
                        input->workspace_bytes, needed);
  void *own = NULL;
  if (!input->workspace) MOHO_TRY(moho_allocate(needed, 1, "BitLinear's workspace", &own));
  size_t x_stride = input->x_stride ? input->x_stride : k;
  ternary_rows rows = {.x = input->x, .m = input->m, .k = k, .x_stride = x_stride};
  moho_status status = lay_out(input->m, k, own ? own : input->workspace, &rows, &needed);
  if (!status) {
    const ternary_norm norm = {input->rms_norm, input->rms_gain, input->rms_epsilon};
    ternary_quantize_rows(kernel, &norm, &rows, threads_of(run));
    ternary_run_list(&(ternary_list){.weights = weights,
                                     .kernel = kernel,
                                     .xq = rows.xq,
                                     .m = input->m,
                                     .k_stride = rows.k_stride,
                                     .length = ternary_group_length(weights->scaling, weights->group, k),
                                     .x_sums = rows.sums,
                                     .y = y,
                                     .y_stride = y_stride ? y_stride : weights->n,
                                     .s = rows.s,
                                     .bias = input->bias},
                     threads_of(run));
  }
  free(own);
  return status;
}
