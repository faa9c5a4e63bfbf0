/* test_kern_dialect.c - every word of kern.h, on the device under test, against plain C. */
#include <math.h>
#include <string.h>

#include "kernels/kern.h"
#include "dialect.h"
#include "dialect.k"
#include "device_support.h"
#include "moho/queue.h"

extern const char moho_text_dialect[];

#define DEFINE(kernel, group)                                                                                      \
  {                                                                                                                \
    .name = #kernel, .text = moho_text_dialect, .c = KERN_C_FUNCTION(kernel), .max_lanes = KERN_MAX_LANES(kernel), \
    .uses_group = (group)                                                                                          \
  }
static const moho_kernel_definition definitions[] = {
    DEFINE(dialect_numbers, 0), DEFINE(dialect_loads, 0), DEFINE(dialect_half, 0),   DEFINE(dialect_places, 0),
    DEFINE(dialect_group, 1),   DEFINE(dialect_simd, 1),  DEFINE(dialect_atomics, 0)};

static moho_device *device;
static moho_queue *queue;

static int setup(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) assert_ok(moho_kernel_register(&definitions[i]));
  device = test_device_open("");
  assert_ok(moho_queue_create(device, &queue));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  assert_ok(moho_queue_destroy(&queue));
  test_device_close(&device);
  return 0;
}

/* A buffer for a test; contents NULL: zeros. */
static moho_buffer *buffer_of(const void *contents, size_t bytes) {
  moho_buffer *buffer;
  assert_ok(moho_buffer_create(device, bytes, MOHO_MEMORY_DEVICE, &buffer));
  if (contents) assert_ok(moho_buffer_write(buffer, 0, contents, bytes));
  else assert_ok(moho_buffer_fill(buffer, 0, bytes, 0));
  return buffer;
}

typedef struct grid {
  uint32_t x, y, lanes;
  size_t group_memory;
} grid;

/* Run to the end, then read the buffers that have somewhere to go, and destroy all. */
static void run(const char *name, grid where, const dialect_parameters *p, size_t n, moho_buffer **buffers, void **results) {
  moho_kernel *kernel;
  moho_binding bindings[8];
  moho_ticket ticket;
  for (size_t i = 0; i < n; i++) bindings[i] = (moho_binding){buffers[i], 0};
  assert_ok(moho_kernel_create(device, &(moho_kernel_options){.name = name}, &kernel));
  assert_ok(moho_queue_launch(queue, &(moho_launch){.kernel = kernel,
                                                    .buffers = bindings,
                                                    .n_buffers = n,
                                                    .parameters = p,
                                                    .parameter_bytes = p ? sizeof *p : 0,
                                                    .groups = {where.x, where.y},
                                                    .lanes = where.lanes,
                                                    .group_memory = where.group_memory}));
  assert_ok(moho_queue_submit(queue, &ticket));
  assert_ok(moho_queue_wait(queue, ticket, -1));
  for (size_t i = 0; i < n; i++) {
    if (results[i]) assert_ok(moho_buffer_read(buffers[i], 0, results[i], moho_buffer_bytes(buffers[i])));
    assert_ok(moho_buffer_destroy(&buffers[i]));
  }
  assert_ok(moho_kernel_destroy(&kernel));
}

static float as_float(uint32_t word) {
  float x;
  memcpy(&x, &word, 4);
  return x;
}

static uint32_t as_word(float x) {
  uint32_t word;
  memcpy(&word, &x, 4);
  return word;
}

#define COUNT 1000
static float numbers[COUNT];

static void make_numbers(void) {
  uint64_t random = 3;
  for (int i = 0; i < COUNT; i++) numbers[i] = (float)((test_uniform(&random) - 0.4) * pow(10, i % 5));
}

static void assert_close(uint32_t word, double expected, double units) {
  double error = fabs((double)as_float(word) - expected) / (fabs(expected) * 0x1p-23);
  if (!(error <= units))
    fail_msg("got %.9g, expected %.9g within %g units of the last place", (double)as_float(word), expected, units);
}

static int32_t dot4(uint32_t a, uint32_t b, int32_t sum) {
  for (int k = 0; k < 32; k += 8) sum += (int8_t)(a >> k) * (int8_t)(b >> k);
  return sum;
}

static void arithmetic(void **state) {
  (void)state;
  static uint32_t out[COUNT * DIALECT_WORDS];
  make_numbers();
  moho_buffer *buffers[] = {buffer_of(numbers, sizeof numbers), buffer_of(NULL, sizeof out)};
  run("dialect_numbers", (grid){(COUNT + 127) / 128, 1, 128, 0}, &(dialect_parameters){.n = COUNT}, 2, buffers,
      (void *[]){NULL, out});
  for (uint32_t i = 0; i < COUNT; i++) {
    const uint32_t *got = out + i * DIALECT_WORDS;
    float v = numbers[i], positive = fabsf(v) + 0.25f, product = v * 1.1f;
    assert_int_equal(got[0], as_word(fmaf(v, 3.0f, 0.1f)));
    assert_int_equal(got[1], as_word(sqrtf(positive)));
    assert_close(got[2], sqrt((double)positive), 4);
    assert_close(got[3], 1 / sqrt((double)positive), 4);
    assert_close(got[4], 1 / (double)positive, 4);
    assert_true(as_float(got[5]) == floorf(v));
    assert_int_equal((int32_t)got[6], (int32_t)floorf(v));
    assert_int_equal(got[7], as_word(v < 0.5f ? v : 0.5f));
    assert_int_equal(got[8], as_word(v > 0.5f ? v : 0.5f));
    assert_int_equal(got[9], __builtin_popcount(as_word(v)));
    assert_int_equal(got[10], __builtin_ctz(i + 1));
    assert_int_equal((int32_t)got[11], (int32_t)as_word(v) >> 3);
    assert_int_equal(got[12], as_word(v));
    assert_int_equal(got[13], as_word(product + 0.3f));
    assert_int_equal(got[14], as_word(v - product));
    assert_int_equal((int32_t)got[15], dot4(as_word(v), 0x80FF017Fu, -7));
  }
}

static void vectors(void **state) {
  (void)state;
  static float out[COUNT / 8 * 4];
  make_numbers();
  moho_buffer *buffers[] = {buffer_of(numbers, sizeof numbers), buffer_of(NULL, sizeof out)};
  run("dialect_loads", (grid){2, 1, 64, 0}, &(dialect_parameters){.n = COUNT}, 2, buffers, (void *[]){NULL, out});
  for (int i = 0; i < COUNT / 8; i++) {
    const float *x = numbers + 8 * i;
    float sum = 0;
    for (int k = 0; k < 8; k++) sum += x[k];
    assert_true(out[4 * i] == (x[0] + x[1]) + (x[2] + x[3]));
    assert_true(out[4 * i + 1] == (x[4] + x[5]) + (x[6] + x[7]));
    assert_true(out[4 * i + 2] == 0);
    assert_true(out[4 * i + 3] == sum);
  }
}

/* Half by its definition: sign, 5 bits of exponent, 10 of fraction. */
static double half_value(uint32_t half) {
  int exponent = (int)(half >> 10 & 31);
  double fraction = half & 1023, sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

/* The nearest half, ties to even, by search among neighbours in double. */
static uint32_t nearest_half(float x) {
  uint32_t low = 0, high = 0x7c00, sign = as_word(x) >> 16 & 0x8000;
  double magnitude = fabs((double)x);
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    if (half_value(middle) <= magnitude) low = middle;
    else high = middle;
  }
  double above = high == 0x7c00 ? 65536 : half_value(high), to_low = magnitude - half_value(low), to_high = above - magnitude;
  return sign | (to_low < to_high || (to_low == to_high && low % 2 == 0) ? low : high);
}

/* Nearest bfloat: what is left of 16 bits decides, half of it goes to the even neighbour. */
static uint32_t nearest_bfloat(float x) {
  uint32_t word = as_word(x), low = word >> 16, rest = word & 0xffff;
  return rest > 0x8000 || (rest == 0x8000 && low % 2) ? low + 1 : low;
}

#define PAIRS 32768
static void halves(void **state) {
  (void)state;
  static uint32_t words[PAIRS], again[PAIRS], rounded[PAIRS], brief[3 * PAIRS];
  static float values[2 * PAIRS], floats[2 * PAIRS];
  uint64_t random = 11;
  for (uint32_t i = 0; i < PAIRS; i++) words[i] = 2 * i | (2 * i + 1) << 16;
  for (uint32_t i = 0; i < 2 * PAIRS; i++) { /* halfway between two halves, a little beside, and anything up to overflow */
    double between = i < 0x7bff ? 0.5 * (half_value(i) + half_value(i + 1)) : 65520 * 2 * test_uniform(&random);
    values[i] = (float)(i % 3 == 0 ? between : between * (1 + (test_uniform(&random) - 0.5) * 1e-3));
    if (i % 2) values[i] = -values[i];
  }
  moho_buffer *buffers[] = {buffer_of(words, sizeof words), buffer_of(values, sizeof values), buffer_of(NULL, sizeof floats),
                            buffer_of(NULL, sizeof again),  buffer_of(NULL, sizeof rounded),  buffer_of(NULL, sizeof brief)};
  run("dialect_half", (grid){PAIRS / 256, 1, 256, 0}, &(dialect_parameters){.n = PAIRS}, 6, buffers,
      (void *[]){NULL, NULL, floats, again, rounded, brief});
  for (uint32_t i = 0; i < 2 * PAIRS; i++) {
    double expected = half_value(i);
    uint32_t back = again[i / 2] >> 16 * (i % 2) & 0xffff, near = rounded[i / 2] >> 16 * (i % 2) & 0xffff;
    if (isnan(expected)) {
      assert_true(isnan(floats[i]));
      assert_true(isnan(half_value(back)));
    } else {
      assert_int_equal(as_word(floats[i]), as_word((float)expected));
      assert_int_equal(back, i);
    }
    if (near != nearest_half(values[i]))
      fail_msg("half of %.9g is %#x, expected %#x", (double)values[i], near, nearest_half(values[i]));
    uint32_t bfloat = brief[3 * (i / 2)] >> 16 * (i % 2) & 0xffff;
    assert_int_equal(bfloat, nearest_bfloat(values[i]));
    assert_int_equal(brief[3 * (i / 2) + 1 + i % 2], bfloat << 16);
  }
}

static void places(void **state) {
  (void)state;
  enum { X = 3, Y = 5, LANES_HERE = 96 };
  static uint32_t out[X * Y * LANES_HERE * 8];
  moho_buffer *buffers[] = {buffer_of(NULL, sizeof out)};
  run("dialect_places", (grid){X, Y, LANES_HERE, 0}, NULL, 1, buffers, (void *[]){out});
  for (uint32_t i = 0; i < X * Y * LANES_HERE; i++) {
    uint32_t lane = i % LANES_HERE, group = i / LANES_HERE;
    const uint32_t expected[8] = {lane, LANES_HERE, group % X, group / X, X, Y, lane % 32, lane / 32 * 32};
    assert_memory_equal(out + 8 * i, expected, sizeof expected);
  }
}

static void group_memory(void **state) {
  (void)state;
  enum { GROUPS = 7 };
  for (uint32_t lanes = 64; lanes <= 256; lanes *= 2) {
    static float x[GROUPS * 256], reversed[GROUPS * 256], sums[GROUPS], fours[GROUPS * 64];
    for (uint32_t i = 0; i < GROUPS * lanes; i++) x[i] = (float)(i * 2654435761u >> 20);
    moho_buffer *buffers[] = {buffer_of(x, GROUPS * lanes * 4), buffer_of(NULL, GROUPS * lanes * 4), buffer_of(NULL, sizeof sums),
                              buffer_of(NULL, GROUPS * lanes)};
    run("dialect_group", (grid){GROUPS, 1, lanes, lanes * 4}, &(dialect_parameters){.rounds = 5}, 4, buffers,
        (void *[]){NULL, reversed, sums, fours});
    for (uint32_t g = 0; g < GROUPS; g++) {
      float sum = 0; /* whole numbers: exact in any order */
      for (uint32_t i = 0; i < lanes; i++) {
        sum += x[g * lanes + i];
        assert_true(reversed[g * lanes + i] == x[g * lanes + lanes - 1 - i]);
      }
      for (uint32_t i = 0; i < lanes / 4; i++) {
        const float *four = x + g * lanes + 4 * i;
        assert_true(fours[g * lanes / 4 + i] == four[0] + four[1] + four[2] + four[3]);
      }
      assert_true(sums[g] == sum + x[g * lanes + lanes - 1]);
    }
  }
}

static float butterfly(const float *x, int maximum) {
  float now[32], next[32];
  memcpy(now, x, sizeof now);
  for (int mask = 16; mask; mask /= 2) {
    for (int i = 0; i < 32; i++) next[i] = maximum ? fmaxf(now[i], now[i ^ mask]) : now[i] + now[i ^ mask];
    memcpy(now, next, sizeof now);
  }
  return now[0];
}

static void simd_groups(void **state) {
  (void)state;
  enum { N = 3 * 256 };
  static float x[N], shuffled[4 * N];
  static uint32_t votes[6 * N];
  uint64_t random = 5;
  for (int i = 0; i < N; i++) x[i] = (float)(test_normal(&random) + (i / 32 % 3 == 0 ? 4 : 0));
  moho_buffer *buffers[] = {buffer_of(x, sizeof x), buffer_of(NULL, sizeof votes), buffer_of(NULL, sizeof shuffled)};
  dialect_parameters p = {.limit = 2.5f};
  run("dialect_simd", (grid){3, 1, 256, 1024}, &p, 3, buffers, (void *[]){NULL, votes, shuffled});
  uint32_t any_seen = 0;
  for (uint32_t i = 0; i < N; i++) {
    const float *mine = x + i / 32 * 32;
    uint32_t ballot = 0, any = 0, all = 1, lane = i % 32, base = i - lane;
    for (uint32_t k = 0; k < 32; k++) {
      ballot |= (uint32_t)(mine[k] > 0) << k;
      any |= mine[k] > p.limit;
      all &= mine[k] < p.limit;
    }
    any_seen |= 1u << any;
    const uint32_t expected[6] = {ballot, any, all, base + (lane + 5) % 32, (uint32_t) - (int)(base + (lane ^ 3)), (i % 256) ^ 1};
    assert_memory_equal(votes + 6 * i, expected, sizeof expected);
    assert_true(shuffled[4 * i] == mine[7]);
    assert_true(shuffled[4 * i + 1] == mine[lane ^ 16]);
    assert_int_equal(as_word(shuffled[4 * i + 2]), as_word(butterfly(mine, 0)));
    assert_true(shuffled[4 * i + 3] == butterfly(mine, 1));
  }
  assert_int_equal(any_seen, 3); /* both answers came up */
}

static void atomics(void **state) {
  (void)state;
  enum { N = 1000 };
  static uint32_t counts[8], order[N], seen[N];
  memset(seen, 0, sizeof seen);
  moho_buffer *buffers[] = {buffer_of(NULL, sizeof counts), buffer_of(NULL, sizeof order)};
  run("dialect_atomics", (grid){4, 1, 256, 0}, &(dialect_parameters){.n = N}, 2, buffers, (void *[]){counts, order});
  uint32_t bits[4] = {0};
  for (uint32_t i = 0; i < N; i++) {
    assert_true(order[i] < N);
    seen[order[i]]++;
    bits[i % 32 / 8] |= 1u << (i / 32 % 32);
  }
  for (uint32_t i = 0; i < N; i++) assert_int_equal(seen[i], 1);
  assert_int_equal(counts[0], N);
  assert_memory_equal(counts + 1, bits, sizeof bits);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arithmetic),   cmocka_unit_test(vectors),     cmocka_unit_test(halves),  cmocka_unit_test(places),
      cmocka_unit_test(group_memory), cmocka_unit_test(simd_groups), cmocka_unit_test(atomics),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
