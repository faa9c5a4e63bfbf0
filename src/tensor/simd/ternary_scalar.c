/* ternary_scalar.c - ternary products in plain C, for processors that have nothing better, and as what others are compared with.
 */
#include "tensor/simd/ternary_rows.h"

static int always(void) {
  return 1;
}

static void add_panel(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  for (size_t r = 0; r < rows; r++)
    for (size_t s = 0; s < steps; s++) {
      const int8_t *a = x + r * x_stride + 4 * s;
      const uint8_t *c = codes + TERNARY_PANEL_STEP * s;
      uint32_t *row = sums + TERNARY_OUTPUTS * r;
      for (size_t o = 0; o < TERNARY_OUTPUTS; o++)
        row[o] += (uint32_t)(c[4 * o] * a[0] + c[4 * o + 1] * a[1] + c[4 * o + 2] * a[2] + c[4 * o + 3] * a[3]);
    }
}

static void unpack(const uint8_t *packed, size_t steps, uint8_t *panel) {
  for (size_t s = 0; s < steps; s++)
    for (size_t t = 0; t < 4; t++)
      for (size_t j = 0; j < 64; j++)
        panel[TERNARY_PANEL_STEP * s + 64 * t + j] = packed[TERNARY_STEP_BYTES * s + j] >> (2 * t) & 3;
}

static void add_packed(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  uint8_t step[TERNARY_PANEL_STEP];
  for (size_t s = 0; s < steps; s++) {
    unpack(codes + TERNARY_STEP_BYTES * s, 1, step);
    add_panel(step, 1, x + 4 * s, x_stride, rows, sums);
  }
}

const ternary_kernel ternary_scalar = {.name = "scalar",
                                       .runs_here = always,
                                       .packed_rows = 1,
                                       .panel_rows = TERNARY_MOST_ROWS,
                                       .packed = add_packed,
                                       .panel = add_panel,
                                       .unpack = unpack,
                                       .mean_square = row_mean_square,
                                       .largest = row_largest,
                                       .quantize = row_quantize};
