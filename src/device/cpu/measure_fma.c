/* measure_fma.c - kernel measure_fma by the processor's own multiply-add units, one vector of lanes after another.
 *
 * Eight chains a lane, as in the text: 8 x 16 lanes fill the registers of AVX-512 and hide a latency of four cycles twice.
 */
#include "device/cpu/measure_fma.h"

#include <math.h>

#include "device/device_internal.h"
#include "kernels/measure.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

typedef struct lane_work {
  float *out;
  const measure_parameters *p;
  uint32_t first; /* lane of the group */
} lane_work;

static void add_up_scalar(lane_work w) {
  float x[MEASURE_CHAINS];
  for (uint32_t c = 0; c < MEASURE_CHAINS; c++) x[c] = (float)w.first + (float)c;
  for (uint32_t k = 0; k < w.p->rounds; k++)
    for (uint32_t c = 0; c < MEASURE_CHAINS; c++) x[c] = fmaf(x[c], w.p->a, w.p->b);
  *w.out = ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* One body for each vector type: V lanes of it, SET, ADD and FMA by name. */
#define MEASURE_VECTOR(name, attribute, type, V, SET, LOAD, STORE, ADD, MULTIPLY_ADD)                         \
  attribute static void name(lane_work w) {                                                                   \
    float lane[V];                                                                                            \
    for (uint32_t i = 0; i < (V); i++) lane[i] = (float)(w.first + i);                                        \
    type a = SET(w.p->a), b = SET(w.p->b), x0 = LOAD(lane), x1 = ADD(x0, SET(1.0f)), x2 = ADD(x0, SET(2.0f)), \
         x3 = ADD(x0, SET(3.0f)), x4 = ADD(x0, SET(4.0f)), x5 = ADD(x0, SET(5.0f)), x6 = ADD(x0, SET(6.0f)),  \
         x7 = ADD(x0, SET(7.0f));                                                                             \
    for (uint32_t k = 0; k < w.p->rounds; k++) {                                                              \
      x0 = MULTIPLY_ADD(x0, a, b), x1 = MULTIPLY_ADD(x1, a, b), x2 = MULTIPLY_ADD(x2, a, b);                  \
      x3 = MULTIPLY_ADD(x3, a, b), x4 = MULTIPLY_ADD(x4, a, b), x5 = MULTIPLY_ADD(x5, a, b);                  \
      x6 = MULTIPLY_ADD(x6, a, b), x7 = MULTIPLY_ADD(x7, a, b);                                               \
    }                                                                                                         \
    STORE(w.out, ADD(ADD(ADD(x0, x1), ADD(x2, x3)), ADD(ADD(x4, x5), ADD(x6, x7))));                          \
  }

#if defined(__x86_64__)
MEASURE_VECTOR(add_up_avx2, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps,
               _mm256_add_ps, _mm256_fmadd_ps)
MEASURE_VECTOR(add_up_avx512, __attribute__((target("avx512f"))), __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps,
               _mm512_add_ps, _mm512_fmadd_ps)
#elif defined(__aarch64__)
#define NEON_MULTIPLY_ADD(x, a, b) vfmaq_f32(b, x, a)
MEASURE_VECTOR(add_up_neon, , float32x4_t, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vaddq_f32, NEON_MULTIPLY_ADD)
#endif

typedef struct way {
  void (*add_up)(lane_work);
  uint32_t lanes;
} way;

static way way_of(uint32_t simd) {
#if defined(__x86_64__)
  if (simd == MOHO_SIMD_AVX512) return (way){add_up_avx512, 16};
  if (simd == MOHO_SIMD_AVX2) return (way){add_up_avx2, 8};
#elif defined(__aarch64__)
  if (simd == MOHO_SIMD_NEON) return (way){add_up_neon, 4};
#endif
  (void)simd;
  return (way){add_up_scalar, 1};
}

void moho_measure_fma_native(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  const measure_parameters *p = parameters;
  float *out = buffers[0];
  way best = way_of(p->simd), scalar = {add_up_scalar, 1};
#pragma omp parallel for schedule(static)
  for (uint32_t group = 0; group < groups[0]; group++)
    for (uint32_t lane = 0; lane < lanes;) {
      way how = lanes - lane >= best.lanes ? best : scalar;
      how.add_up((lane_work){out + (size_t)group * lanes + lane, p, lane});
      lane += how.lanes;
    }
}
