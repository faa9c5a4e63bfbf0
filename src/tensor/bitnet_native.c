/* bitnet_native.c - kernels/ternary.k on the cpu, by the loops of ternary_linear.c. */
#include "tensor/bitnet_native.h"

#include "kernels/ternary.h"
#include "tensor/ternary_parts.h"

/* Multiply-adds, or numbers to quantise, below which a second thread costs more than it brings. */
#define WORTH_A_THREAD 4e6

static int threads_for(const ternary_parameters *p, double work) {
  return work < WORTH_A_THREAD ? 1 : (int)p->threads;
}

void moho_native_ternary_activations(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  (void)groups, (void)lanes;
  const ternary_parameters *p = parameters;
  const ternary_norm norm = {(int)p->rms_norm, p->has_gain ? (const float *)buffers[1] + p->gain_first : NULL, p->epsilon};
  const ternary_rows rows = {.x = (const float *)buffers[0] + p->x_first,
                             .m = p->m,
                             .k = p->k,
                             .x_stride = p->x_row,
                             .k_stride = (size_t)p->words * 4,
                             .xq = buffers[2],
                             .s = buffers[3],
                             .sums = buffers[4]};
  ternary_quantize_rows(ternary_kernel_for((moho_simd)p->simd), &norm, &rows, threads_for(p, 64.0 * p->m * p->k));
}

void moho_native_ternary_linear(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  (void)groups, (void)lanes;
  const ternary_parameters *p = parameters;
  const moho_ternary_weights weights = {.n = p->n,
                                        .k = p->k,
                                        .lanes = buffers[0],
                                        .scales = buffers[1],
                                        .scaling = (moho_ternary_scaling)p->scaling,
                                        .group = p->length};
  const ternary_list list = {.weights = &weights,
                             .kernel = ternary_kernel_for((moho_simd)p->simd),
                             .xq = buffers[3],
                             .m = p->m,
                             .k_stride = (size_t)p->words * 4,
                             .length = p->length,
                             .out = p->integers ? (int32_t *)buffers[5] + p->y_first : NULL,
                             .out_stride = p->y_row,
                             .y = p->integers ? NULL : (float *)buffers[5] + p->y_first,
                             .y_stride = p->y_row,
                             .s = buffers[4],
                             .bias = p->has_bias ? (const float *)buffers[2] + p->bias_first : NULL};
  ternary_run_list(&list, threads_for(p, (double)p->m * p->n * p->k));
}
