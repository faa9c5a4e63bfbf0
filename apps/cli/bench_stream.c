/* bench_stream.c - STREAM's loops (copy, add, triad; J. McCalpin) and a read, by the widest vectors that the processor has. */
#include "bench_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const float scale = 3.0f;

typedef float (*part_function)(bench_stream_kind kind, const float *a, const float *b, float *c, size_t n);

/* ---- loops over a part; the sum is returned, so that reading is not for nothing ---- */

#if defined(__x86_64__)
/* `step` floats a vector; four sums wait for each other's additions. */
#define PART(name, features, vector, step, load, store, add, mul, spread)                                               \
  __attribute__((target(features))) static float name(bench_stream_kind kind, const float *a, const float *b, float *c, \
                                                      size_t n) {                                                       \
    vector s[4] = {spread(0), spread(0), spread(0), spread(0)};                                                         \
    float sums[step], sum = 0;                                                                                          \
    if (kind == BENCH_STREAM_COPY)                                                                                      \
      for (size_t i = 0; i < n; i += step) store(c + i, load(a + i));                                                   \
    else if (kind == BENCH_STREAM_ADD)                                                                                  \
      for (size_t i = 0; i < n; i += step) store(c + i, add(load(a + i), load(b + i)));                                 \
    else if (kind == BENCH_STREAM_TRIAD)                                                                                \
      for (size_t i = 0; i < n; i += step) store(c + i, add(load(a + i), mul(spread(scale), load(b + i))));             \
    else                                                                                                                \
      for (size_t i = 0; i < n; i += 4 * step)                                                                          \
        for (size_t k = 0; k < 4; k++) s[k] = add(s[k], load(a + i + k * step));                                        \
    _mm_sfence();                                                                                                       \
    memcpy(sums, (vector[]){add(add(s[0], s[1]), add(s[2], s[3]))}, sizeof sums);                                       \
    for (size_t k = 0; k < step; k++) sum += sums[k];                                                                   \
    return sum;                                                                                                         \
  }
PART(part_sse, "sse2", __m128, 4, _mm_load_ps, _mm_stream_ps, _mm_add_ps, _mm_mul_ps, _mm_set1_ps)
PART(part_avx2, "avx2", __m256, 8, _mm256_load_ps, _mm256_stream_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_set1_ps)
PART(part_avx512, "avx512f", __m512, 16, _mm512_load_ps, _mm512_stream_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_set1_ps)
#else
static float part_plain(bench_stream_kind kind, const float *a, const float *b, float *c, size_t n) {
  float sums[64] = {0};
  switch (kind) {
  case BENCH_STREAM_ADD:
    for (size_t i = 0; i < n; i++) c[i] = a[i] + b[i];
    break;
  case BENCH_STREAM_TRIAD:
    for (size_t i = 0; i < n; i++) c[i] = a[i] + scale * b[i];
    break;
  case BENCH_STREAM_READ:
    for (size_t i = 0; i < n; i += 64)
      for (size_t k = 0; k < 64; k++) sums[k] += a[i + k];
    break;
  default: memcpy(c, a, n * sizeof *c);
  }
  for (size_t k = 1; k < 64; k++) sums[0] += sums[k];
  return sums[0];
}
#endif

static part_function widest(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return part_avx512;
  if (__builtin_cpu_supports("avx2")) return part_avx2;
  return part_sse;
#else
  return part_plain;
#endif
}

/* ---- */

int bench_stream_make(bench_stream *stream, size_t n, int threads) {
  float **const arrays[] = {&stream->a, &stream->b, &stream->c};
  *stream = (bench_stream){.n = n / 4096 * 4096, .threads = threads > 1 ? threads : 1};
  for (int k = 0; k < 3; k++) {
    void *memory = NULL;
    if (posix_memalign(&memory, (size_t)1 << 21, stream->n * sizeof(float) + 64)) return 0;
    *arrays[k] = memory;
#ifdef MADV_HUGEPAGE
    madvise(memory, stream->n * sizeof(float), MADV_HUGEPAGE); /* as the runtime's buffers */
#endif
  }
  for (int k = 0; k < 3; k++)
#pragma omp parallel for num_threads(stream->threads) schedule(static)
    for (size_t i = 0; i < stream->n; i++) (*arrays[k])[i] = 0.5f;
  return 1;
}

void bench_stream_free(bench_stream *stream) {
  free(stream->a), free(stream->b), free(stream->c);
  *stream = (bench_stream){0};
}

const char *bench_stream_name(bench_stream_kind kind) {
  static const char *const names[BENCH_STREAMS] = {"stream copy", "stream add", "stream triad", "stream read"};
  return names[kind];
}

double bench_stream_bytes(const bench_stream *stream, bench_stream_kind kind) {
  static const double arrays[BENCH_STREAMS] = {2, 3, 3, 1};
  return arrays[kind] * (double)stream->n * sizeof(float);
}

float bench_stream_run(const bench_stream *stream, bench_stream_kind kind) {
  part_function part = widest();
  if (stream->threads == 1) return part(kind, stream->a, stream->b, stream->c, stream->n);
  size_t share = (stream->n / 4096 + (size_t)stream->threads - 1) / (size_t)stream->threads * 4096;
  float sum = 0;
#pragma omp parallel for num_threads(stream->threads) schedule(static) reduction(+ : sum)
  for (size_t first = 0; first < stream->n; first += share)
    sum += part(kind, stream->a + first, stream->b + first, stream->c + first,
                share < stream->n - first ? share : stream->n - first);
  return sum;
}
