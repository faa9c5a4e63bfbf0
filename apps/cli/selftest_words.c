/* selftest_words.c - a device's arithmetic, word by word of kern.h: roots, products and halves to the bit, fast roots to a few
 * units of the last place, SIMD groups, atomics. The host computes the same in plain C, without contraction. */
#include <moho/kernels/kern.h>

#include "selftest_words.k"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftest.h"

extern const char moho_text_selftest_words[];

static const moho_kernel_definition definition = {.name = "selftest_words",
                                                  .text = moho_text_selftest_words,
                                                  .c = KERN_C_FUNCTION(selftest_words),
                                                  .max_lanes = KERN_MAX_LANES(selftest_words),
                                                  .uses_group = 1};

enum { WORD_LANES = 64, GROUPS_X_USED = 32, GROUPS_Y_USED = 3, N = WORD_LANES * GROUPS_X_USED * GROUPS_Y_USED, EXACT = 9 };

typedef struct words_table {
  moho_kernel *kernel;
  moho_queue *queue;
  moho_buffer *x, *out, *count;
  float host_x[N];
  uint32_t host_out[N * SELFTEST_WORDS], host_count;
} words_table;

/* ---- what must come out ---- */

static uint32_t bits_of(float value) {
  uint32_t word;
  memcpy(&word, &value, sizeof word);
  return word;
}

static float float_of(uint32_t word) {
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

/* The half nearest to a value that is normal as a half, ties to even. */
static uint32_t half_of(float value) {
  uint32_t word = bits_of(value), sign = word >> 16 & 0x8000u, magnitude = word & 0x7fffffffu;
  uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
  return magnitude ? sign | ((rounded >> 13) - (112u << 10)) : sign;
}

static float float_of_half(uint32_t half) {
  uint32_t magnitude = half & 0x7fffu;
  return float_of((half & 0x8000u) << 16 | (magnitude ? (magnitude << 13) + (112u << 23) : 0u));
}

/* Sums of a SIMD group by butterfly: one order on every device. */
static float butterfly_sum(const float *x) {
  float now[32], next[32];
  memcpy(now, x, sizeof now);
  for (int mask = 16; mask; mask /= 2) {
    for (int i = 0; i < 32; i++) next[i] = now[i] + now[i ^ mask];
    memcpy(now, next, sizeof now);
  }
  return now[0];
}

static void expected_words(const float *x, int i, uint32_t expected[EXACT]) {
  const float *group = x + i / 32 * 32;
  float v = x[i], product = v * 1.1F;
  uint32_t ballot = 0;
  for (int k = 0; k < 32; k++) ballot |= (uint32_t)(group[k] > 0) << k;
  expected[0] = bits_of(sqrtf(fabsf(v)));
  expected[1] = bits_of(fmaf(v, 3.0F, 0.1F));
  expected[2] = bits_of(product + 0.3F);
  expected[3] = (uint32_t)(int32_t)floorf(v);
  expected[4] = half_of(v) | half_of(product) << 16;
  expected[5] = bits_of(float_of_half(half_of(v)));
  expected[6] = ballot;
  expected[7] = bits_of(group[i % 32 ^ 5]);
  expected[8] = bits_of(butterfly_sum(group));
}

static void compare(const words_table *w, char words[200]) {
  static const char *const names[EXACT] = {"SQRT",     "FMA",         "a*b + c",          "ROUND_DOWN_ADD", "HALF_PAIR",
                                           "HALF_LOW", "SIMD_BALLOT", "SIMD_SHUFFLE_XOR", "SIMD_SUM"};
  for (int i = 0; !words[0] && i < N; i++) {
    const uint32_t *got = w->host_out + (size_t)i * SELFTEST_WORDS;
    uint32_t expected[EXACT];
    double v = fabs((double)w->host_x[i]), root = sqrt(v), inverse = 1 / sqrt(v + 0.5);
    expected_words(w->host_x, i, expected);
    for (int k = 0; !words[0] && k < EXACT; k++)
      if (got[k] != expected[k])
        snprintf(words, 200, "%s of %.9g gives 0x%08x, expected 0x%08x", names[k], (double)w->host_x[i], got[k], expected[k]);
    if (!words[0] && fabs((double)float_of(got[9]) - root) > 4e-7 * root)
      snprintf(words, 200, "FAST_SQRT of %.9g gives %.9g, expected %.9g", v, (double)float_of(got[9]), root);
    if (!words[0] && fabs((double)float_of(got[10]) - inverse) > 1e-6 * inverse)
      snprintf(words, 200, "FAST_RSQRT of %.9g gives %.9g, expected %.9g", v + 0.5, (double)float_of(got[10]), inverse);
  }
  if (!words[0] && w->host_count != N) snprintf(words, 200, "ATOMIC_ADD counted %u lanes, expected %d", w->host_count, (int)N);
}

/* ---- the check ---- */

static moho_status create(moho_device *device, words_table *w) {
  moho_status status = moho_kernel_register(&definition);
  if (!status) status = moho_kernel_create(device, &(moho_kernel_options){.name = "selftest_words"}, &w->kernel);
  if (!status) status = moho_queue_create(device, &w->queue);
  if (!status) status = moho_buffer_create(device, sizeof w->host_x, MOHO_MEMORY_DEVICE, &w->x);
  if (!status) status = moho_buffer_create(device, sizeof w->host_out, MOHO_MEMORY_DEVICE, &w->out);
  if (!status) status = moho_buffer_create(device, 16, MOHO_MEMORY_DEVICE, &w->count);
  /* Of both signs and many sizes, all normal as halves. */
  for (int i = 0; i < N; i++) w->host_x[i] = (float)(i % 257 - 128) * (0.0137F + 0.37F * (float)(i % 61));
  return status;
}

static moho_status run(words_table *w) {
  const moho_binding bindings[] = {{w->x, 0}, {w->out, 0}, {w->count, 0}};
  moho_launch launch = {.kernel = w->kernel,
                        .buffers = bindings,
                        .n_buffers = 3,
                        .groups = {GROUPS_X_USED, GROUPS_Y_USED},
                        .lanes = WORD_LANES,
                        .group_memory = 16};
  moho_ticket ticket;
  moho_status status = moho_queue_write(w->queue, w->x, 0, w->host_x, sizeof w->host_x);
  if (!status) status = moho_queue_fill(w->queue, w->count, 0, 16, 0);
  if (!status) status = moho_queue_launch(w->queue, &launch);
  if (!status) status = moho_queue_read(w->queue, w->out, 0, w->host_out, sizeof w->host_out);
  if (!status) status = moho_queue_read(w->queue, w->count, 0, &w->host_count, sizeof w->host_count);
  if (!status) status = moho_queue_submit(w->queue, &ticket);
  return status ? status : moho_queue_wait(w->queue, ticket, -1);
}

moho_status selftest_check_words(moho_device *device, char words[200]) {
  words_table *w = calloc(1, sizeof *w);
  words[0] = '\0';
  if (!w) {
    snprintf(words, 200, "out of memory");
    return MOHO_ERROR_MEMORY;
  }
  moho_status status = create(device, w);
  if (!status) status = run(w);
  if (!status) compare(w, words);
  else snprintf(words, 200, "%.199s", moho_last_error()->message);
  moho_queue_destroy(&w->queue);
  moho_kernel_destroy(&w->kernel);
  moho_buffer_destroy(&w->x);
  moho_buffer_destroy(&w->out);
  moho_buffer_destroy(&w->count);
  free(w);
  return status;
}
