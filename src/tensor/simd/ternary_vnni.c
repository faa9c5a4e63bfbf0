/* ternary_vnni.c - ternary products by AVX-512 VNNI: one instruction multiplies 64 codes with 64 activations and adds them up.
 *
 * vpdpbusd multiplies unsigned by signed bytes and wraps nowhere before 32 bits: codes 0, 1, 2 are the unsigned side. Six rows by
 * 64 outputs keep 24 sums in registers; four activations of a row are one broadcast word, shared by four instructions.
 */
#include "tensor/ternary_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tensor/simd/ternary_rows.h"
#include "device/cpu/cpu_features.h"

static inline __attribute__((always_inline)) __m512i four_of(const int8_t *x) {
  int32_t word;
  memcpy(&word, x, sizeof word);
  return _mm512_set1_epi32(word);
}

/* 64 bytes of four outputs each, or 64 sums: by name, since clang 14 keeps arrays of vectors in memory around a loop. */
typedef struct sixty_four {
  __m512i a, b, c, d;
} sixty_four;

/* Codes of four times 16 outputs from 64 packed bytes. */
static inline __attribute__((always_inline)) sixty_four unpack_step(const uint8_t *packed) {
  const __m512i low = _mm512_set1_epi8(3);
  __m512i bytes = _mm512_loadu_si512(packed);
  return (sixty_four){_mm512_and_si512(bytes, low), _mm512_and_si512(_mm512_srli_epi16(bytes, 2), low),
                      _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low), _mm512_and_si512(_mm512_srli_epi16(bytes, 6), low)};
}

static inline __attribute__((always_inline)) sixty_four load(const void *from) {
  const __m512i *at = from;
  return (sixty_four){_mm512_loadu_si512(at), _mm512_loadu_si512(at + 1), _mm512_loadu_si512(at + 2), _mm512_loadu_si512(at + 3)};
}

static inline __attribute__((always_inline)) void store(void *to, sixty_four x) {
  __m512i *at = to;
  _mm512_storeu_si512(at, x.a), _mm512_storeu_si512(at + 1, x.b);
  _mm512_storeu_si512(at + 2, x.c), _mm512_storeu_si512(at + 3, x.d);
}

static inline __attribute__((always_inline)) sixty_four zeros(void) {
  const __m512i zero = _mm512_setzero_si512();
  return (sixty_four){zero, zero, zero, zero};
}

/* Four activations of a row, times four codes of each output. */
static inline __attribute__((always_inline)) sixty_four add_step(sixty_four sum, sixty_four w, const int8_t *x) {
  __m512i four = four_of(x);
  return (sixty_four){_mm512_dpbusd_epi32(sum.a, w.a, four), _mm512_dpbusd_epi32(sum.b, w.b, four),
                      _mm512_dpbusd_epi32(sum.c, w.c, four), _mm512_dpbusd_epi32(sum.d, w.d, four)};
}

/* `rows`, 1 to 6, is a constant where this is inlined. */
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
static inline __attribute__((always_inline)) void add_rows(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride,
                                                           uint32_t *sums, int rows, int is_packed) {
#define LOAD_ROW(r) sixty_four sum##r = (r) < rows ? load(sums + 64 * (r)) : zeros();
#define ADD_ROW(r) \
  if ((r) < rows) sum##r = add_step(sum##r, w, x + (size_t)(r)*x_stride + 4 * s);
#define STORE_ROW(r) \
  if ((r) < rows) store(sums + 64 * (r), sum##r);
  EACH_ROW(LOAD_ROW)
  for (size_t s = 0; s < steps; s++) {
    sixty_four w = is_packed ? unpack_step(codes + TERNARY_STEP_BYTES * s) : load(codes + TERNARY_PANEL_STEP * s);
    EACH_ROW(ADD_ROW)
  }
  EACH_ROW(STORE_ROW)
}

/* One row alone waits for its sums: two sets of them, of even and odd steps. */
static void add_one_packed(const uint8_t *codes, size_t steps, const int8_t *x, uint32_t *sums) {
  sixty_four even = load(sums), odd = zeros();
  size_t s = 0;
  for (; s + 2 <= steps; s += 2) {
    const uint8_t *here = codes + TERNARY_STEP_BYTES * s;
    __builtin_prefetch(here + 4096);
    __builtin_prefetch(here + 4096 + 64);
    even = add_step(even, unpack_step(here), x + 4 * s);
    odd = add_step(odd, unpack_step(here + TERNARY_STEP_BYTES), x + 4 * s + 4);
  }
  if (s < steps) even = add_step(even, unpack_step(codes + TERNARY_STEP_BYTES * s), x + 4 * s);
  store(sums, (sixty_four){_mm512_add_epi32(even.a, odd.a), _mm512_add_epi32(even.b, odd.b), _mm512_add_epi32(even.c, odd.c),
                           _mm512_add_epi32(even.d, odd.d)});
}

static void add_packed(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  switch (rows) {
  case 1: add_one_packed(codes, steps, x, sums); return;
  case 2: add_rows(codes, steps, x, x_stride, sums, 2, 1); return;
  case 3: add_rows(codes, steps, x, x_stride, sums, 3, 1); return;
  default: add_rows(codes, steps, x, x_stride, sums, 4, 1); return;
  }
}

static void add_panel(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  switch (rows) {
  case 1: add_rows(codes, steps, x, x_stride, sums, 1, 0); return;
  case 2: add_rows(codes, steps, x, x_stride, sums, 2, 0); return;
  case 3: add_rows(codes, steps, x, x_stride, sums, 3, 0); return;
  case 4: add_rows(codes, steps, x, x_stride, sums, 4, 0); return;
  case 5: add_rows(codes, steps, x, x_stride, sums, 5, 0); return;
  default: add_rows(codes, steps, x, x_stride, sums, 6, 0); return;
  }
}

static void unpack(const uint8_t *packed, size_t steps, uint8_t *panel) {
  for (size_t s = 0; s < steps; s++) store(panel + TERNARY_PANEL_STEP * s, unpack_step(packed + TERNARY_STEP_BYTES * s));
}

const ternary_kernel ternary_vnni = {.name = "vnni",
                                     .runs_here = moho_cpu_has_dot_products,
                                     .packed_rows = 4,
                                     .panel_rows = 6,
                                     .packed = add_packed,
                                     .panel = add_panel,
                                     .unpack = unpack,
                                     .mean_square = row_mean_square,
                                     .largest = row_largest,
                                     .quantize = row_quantize};
#endif
