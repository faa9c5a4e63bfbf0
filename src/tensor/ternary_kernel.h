/* ternary_kernel.h - the loops of ternary products, one set an instruction set (simd/ternary_*.c).
 *
 * A block is 64 outputs; a step is 4 inputs of a block: 64 packed bytes, 256 bytes in a panel (code of output o, input i at
 * 4 o + i). Codes are q+1: 0, 1, 2, unsigned; so sums are too large by the sum of the activations, which the caller takes off.
 * All arithmetic is modulo 2^32.
 */
#ifndef MOHO_TENSOR_TERNARY_KERNEL_H
#define MOHO_TENSOR_TERNARY_KERNEL_H

#include "moho/ternary.h"

enum {
  TERNARY_OUTPUTS = 64,     /* of a block */
  TERNARY_STEP_BYTES = 64,  /* packed */
  TERNARY_PANEL_STEP = 256, /* unpacked */
  TERNARY_PANEL_STEPS = 96, /* of a panel: 24 KiB, half of the first cache */
  TERNARY_MOST_ROWS = 6     /* at once */
};

/* sums[r, 64] += sum over steps of codes * x[r, 4 step ...]; x rows are x_stride apart. */
typedef void (*ternary_product)(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows,
                                uint32_t *sums);

typedef struct ternary_kernel {
  const char *name;
  int (*runs_here)(void);
  size_t packed_rows, panel_rows; /* that the two take at once, at most */
  ternary_product packed, panel;
  void (*unpack)(const uint8_t *packed, size_t steps, uint8_t *panel);
  /* The mean of x^2 in one order on all devices (kernels/ternary.k): input i belongs to lane i mod 256; lanes are added by
   * halves. */
  float (*mean_square)(const float *x, size_t k);
  /* max|x|, +infinity where one is not finite; xq = round(x s) and its sum. */
  float (*largest)(const float *x, size_t k);
  int32_t (*quantize)(const float *x, size_t k, float s, int8_t *xq);
} ternary_kernel;

extern const ternary_kernel ternary_scalar, ternary_neon, ternary_avx2, ternary_vnni;

/* The kernel that a run asks for. */
moho_status ternary_kernel_pick(const moho_ternary_run *run, const ternary_kernel **out);

#endif
