/* tensor_support.c - what the tests of tensors share. */
#include "tensor_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

moho_device *test_device;
moho_queue *test_queue;
uint64_t test_random;

int test_tensor_begin(void **state) {
  (void)state;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const char *given = getenv("MOHO_TEST_SEED");
  test_random = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec * 1000003u + (uint64_t)now.tv_sec;
  printf("    MOHO_TEST_SEED=%llu\n", (unsigned long long)test_random);
  setenv("MOHO_DEVICE", "cpu", 0);
  assert_ok(moho_device_open("auto", &test_device));
  assert_ok(moho_queue_create(test_device, &test_queue));
  return 0;
}

int test_tensor_end(void **state) {
  (void)state;
  assert_ok(moho_queue_destroy(&test_queue));
  assert_ok(moho_device_close(&test_device));
  return 0;
}

static int is_of_kind(const char *kind) {
  moho_device_report report;
  assert_ok(moho_device_describe(test_device, &report));
  return strcmp(report.kind, kind) == 0;
}

int test_on_cpu(void) {
  return is_of_kind("cpu");
}

int test_may_flush(void) {
  return is_of_kind("metal");
}

moho_status test_run(moho_queue *on, const moho_tensor_call *call) {
  moho_ticket ticket;
  moho_status status = moho_tensor_run(on, call);
  if (!on || status) return status;
  assert_ok(moho_queue_submit(on, &ticket));
  return moho_queue_wait(on, ticket, -1);
}

/* ---- numbers ---- */

typedef struct format {
  int digits, least; /* of the significand; exponent of the least normal number */
  double largest;
} format;

static format format_of(moho_dtype dtype) {
  if (dtype == MOHO_DTYPE_F16) return (format){11, -14, 65504};
  if (dtype == MOHO_DTYPE_BF16) return (format){8, -126, 0x1.fep127};
  return (format){24, -126, 0x1.fffffep127};
}

int test_is_integer(moho_dtype dtype) {
  return dtype == MOHO_DTYPE_I32 || dtype == MOHO_DTYPE_I8 || dtype == MOHO_DTYPE_U8;
}

double test_ulp(moho_dtype dtype, double x) {
  format f = format_of(dtype);
  int exponent = x == 0 || !isfinite(x) ? f.least : ilogb(x);
  return ldexp(1, (exponent < f.least ? f.least : exponent) - f.digits + 1);
}

static double saturate(double x, double low, double high) {
  return isnan(x) ? 0 : fmin(fmax(x, low), high);
}

double test_round(moho_dtype dtype, double x) {
  if (dtype == MOHO_DTYPE_I32) return saturate(x, INT32_MIN, INT32_MAX);
  if (dtype == MOHO_DTYPE_I8) return saturate(x, -128, 127);
  if (dtype == MOHO_DTYPE_U8) return saturate(x, 0, 255);
  if (!isfinite(x) || x == 0) return x;
  double unit = test_ulp(dtype, x), rounded = nearbyint(x / unit) * unit;
  return fabs(rounded) > format_of(dtype).largest ? copysign(INFINITY, x) : rounded;
}

static uint16_t bits_of(moho_dtype dtype, double x) {
  format f = format_of(dtype);
  int exponents = dtype == MOHO_DTYPE_F16 ? 5 : 8, fraction = f.digits - 1;
  unsigned sign = signbit(x) ? 0x8000u : 0, all = (1u << exponents) - 1;
  x = fabs(test_round(dtype, x));
  if (isnan(x)) return (uint16_t)(all << fraction | 1u << (fraction - 1));
  if (isinf(x)) return (uint16_t)(sign | all << fraction);
  double units = x / test_ulp(dtype, x);
  if (x < ldexp(1, f.least)) return (uint16_t)(sign | (unsigned)units);
  return (uint16_t)(sign | ((unsigned)(ilogb(x) - f.least + 1) << fraction) | ((unsigned)units - (1u << fraction)));
}

static double value_of(moho_dtype dtype, uint16_t bits) {
  format f = format_of(dtype);
  int exponents = dtype == MOHO_DTYPE_F16 ? 5 : 8, fraction = f.digits - 1;
  unsigned exponent = bits >> fraction & ((1u << exponents) - 1), low = bits & ((1u << fraction) - 1);
  double size = exponent ? ldexp(low + (1u << fraction), (int)exponent - 1 + f.least - fraction) : ldexp(low, f.least - fraction);
  if (exponent == (1u << exponents) - 1) size = low ? (double)NAN : (double)INFINITY;
  return bits & 0x8000u ? -size : size;
}

double test_get(moho_dtype dtype, const void *data, size_t i) {
  switch (dtype) {
  case MOHO_DTYPE_F32: return (double)((const float *)data)[i];
  case MOHO_DTYPE_I32: return ((const int32_t *)data)[i];
  case MOHO_DTYPE_I8: return ((const int8_t *)data)[i];
  case MOHO_DTYPE_U8: return ((const uint8_t *)data)[i];
  default: return value_of(dtype, ((const uint16_t *)data)[i]);
  }
}

void test_put(moho_dtype dtype, void *data, size_t i, double x) {
  switch (dtype) {
  case MOHO_DTYPE_F32: ((float *)data)[i] = (float)x; return;
  case MOHO_DTYPE_I32: ((int32_t *)data)[i] = (int32_t)test_round(dtype, x); return;
  case MOHO_DTYPE_I8: ((int8_t *)data)[i] = (int8_t)test_round(dtype, x); return;
  case MOHO_DTYPE_U8: ((uint8_t *)data)[i] = (uint8_t)test_round(dtype, x); return;
  default: ((uint16_t *)data)[i] = bits_of(dtype, x);
  }
}

double test_draw_any(moho_dtype dtype) {
  double kind = test_uniform(&test_random), x = test_normal(&test_random);
  if (dtype == MOHO_DTYPE_I32)
    return kind < 0.2 ? floor(ldexp(test_uniform(&test_random) - 0.5, 32)) : kind < 0.3 ? 0 : floor(100 * x);
  if (dtype == MOHO_DTYPE_I8 || dtype == MOHO_DTYPE_U8)
    return floor(256 * test_uniform(&test_random)) - (dtype == MOHO_DTYPE_I8) * 128;
  return kind < 0.02 ? 0 : kind < 0.04 ? -0.0 : kind < 0.2 ? 100 * x : x;
}

/* ---- operands ---- */

const char *test_pattern_name(test_pattern pattern) {
  static const char *const names[] = {"contiguous", "offset", "steps", "transposed", "inner", "repeated"};
  return names[pattern];
}

static void make_views(test_operand *o, test_pattern pattern, size_t n, int is_output) {
  moho_tensor half;
  switch (pattern) {
  case TEST_CONTIGUOUS: o->view = o->base; break;
  case TEST_OFFSET: assert_ok(moho_tensor_slice(&o->base, 0, 3, n + 3, 1, &o->view)); break;
  case TEST_STEPS: assert_ok(moho_tensor_slice(&o->base, 0, 1, 2 * n + 1, 2, &o->view)); break;
  case TEST_TRANSPOSED: assert_ok(moho_tensor_transpose(&o->base, 0, 1, &o->view)); break;
  case TEST_INNER:
    assert_ok(moho_tensor_slice(&o->base, 2, 1, 3, 1, &half));
    o->view = half;
    break;
  default:
    if (is_output) o->view = o->base;
    else assert_ok(moho_tensor_broadcast(&o->base, 2, (size_t[]){3, n}, &o->view));
  }
  o->view.owns = 0;
}

test_operand test_operand_make(moho_dtype dtype, test_pattern pattern, size_t n, int is_output, test_draw draw) {
  const size_t shapes[TEST_PATTERNS][3] = {{n}, {n + 7}, {2 * n + 1}, {n, 3}, {2, n, 4}, {n}};
  const int ranks[TEST_PATTERNS] = {1, 1, 1, 2, 3, 1};
  const size_t repeated[2] = {3, n};
  int is_whole = pattern == TEST_REPEATED && is_output;
  test_operand o = {.host = NULL};
  assert_ok(
      moho_tensor_create(test_device, dtype, is_whole ? 2 : ranks[pattern], is_whole ? repeated : shapes[pattern], &o.base));
  o.n_base = moho_tensor_elements(&o.base);
  o.host = calloc(o.n_base + 1, 4);
  assert_non_null(o.host);
  for (size_t i = 0; i < o.n_base; i++) test_put(dtype, o.host, i, draw(dtype));
  assert_ok(moho_tensor_write(&o.base, o.host));
  make_views(&o, pattern, n, is_output);
  return o;
}

void test_operand_free(test_operand *o) {
  assert_ok(moho_tensor_destroy(&o->base));
  free(o->host);
}

size_t test_place(const moho_tensor *view, size_t linear) {
  size_t place = view->offset;
  for (int i = view->rank; i-- > 0;) {
    place += linear % view->shape[i] * (size_t)view->stride[i];
    linear /= view->shape[i];
  }
  return place;
}

double test_at(const test_operand *o, size_t linear) {
  return test_get(o->view.dtype, o->host, test_place(&o->view, linear));
}

void *test_read_outside_unchanged(const test_operand *o) {
  size_t bytes = moho_dtype_bits(o->base.dtype) / 8, n = moho_tensor_elements(&o->view);
  char *now = malloc((o->n_base + 1) * 4), *inside = calloc(o->n_base + 1, 1);
  assert_non_null(now);
  assert_non_null(inside);
  assert_ok(moho_tensor_read(&o->base, now));
  for (size_t i = 0; i < n; i++) inside[test_place(&o->view, i)] = 1;
  for (size_t i = 0; i < o->n_base; i++)
    if (!inside[i] && memcmp(now + i * bytes, (char *)o->host + i * bytes, bytes) != 0)
      fail_msg("element %zu of the base, outside the view, was changed", i);
  free(inside);
  return now;
}
