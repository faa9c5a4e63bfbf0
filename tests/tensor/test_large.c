/* test_large.c - more than 2^32 elements, and work cut into launches.
 *
 * On the cpu and on GPUs with the memory the real thing: outputs of 2^32 + 131 073 bytes, and inputs of as many elements that
 * overlap in memory (row i of a view begins at element i), so that no more than 4.1 GiB are needed and every element is known; on
 * GPUs as many ints too, 16.1 GiB, converted and added up. On any device the same cuts in small, the reach of a launch being made
 * small: the same bits as uncut, in more launches.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/matmul.h"
#include "tensor/strided.h"
#include "tensor_support.h"

/* ---- beyond 2^32 ---- */

#define SIDE ((size_t)65537)
#define FIRST ((size_t)65000) /* row: begins below 2^32 */
#define NEEDED_BYTES ((size_t)6 << 30)
#define NEEDED_FOR_INTS ((size_t)28 << 30)

/* A word where it is not tried; the Metal double would take hours. */
static int has_room(size_t bytes) {
  moho_device_report report;
  assert_ok(moho_device_describe(test_device, &report));
  const char *brief = getenv("MOHO_TEST_BRIEF"), *is_double = getenv("MOHO_METAL_LIBRARY");
  if (!strcmp(report.kind, "metal") && is_double) return 0;
  if (report.memory_free_bytes < bytes)
    print_message("    skipped: %s has %.1f GiB free, %.0f are needed\n", report.uri, (double)report.memory_free_bytes / 0x1p30,
                  (double)bytes / 0x1p30);
  return report.memory_free_bytes >= bytes && !(brief && *brief);
}

/* [SIDE, SIDE] whose element (i, j) is data[i + j]. */
static moho_tensor windows_of(moho_dtype dtype, const void *data, moho_tensor *owner) {
  moho_tensor view;
  assert_ok(moho_tensor_from_host(test_device, dtype, 1, (size_t[]){2 * SIDE}, (void *)(uintptr_t)data, MOHO_HOST_COPY, owner));
  assert_ok(moho_tensor_view(owner->buffer, 0, dtype, 2, (size_t[]){SIDE, SIDE}, (int64_t[]){1, 1}, &view));
  return view;
}

/* Rows of x, read some at a time. */
static void check_rows(const moho_tensor *x, const uint8_t *expected, size_t first, size_t end) {
  enum { AT_ONCE = 512 };
  uint8_t *bytes = malloc(AT_ONCE * SIDE);
  assert_non_null(bytes);
  for (size_t row = first; row < end; row += AT_ONCE) {
    size_t n = row + AT_ONCE < end ? AT_ONCE : end - row;
    moho_tensor some;
    assert_ok(moho_tensor_slice(x, 0, row, row + n, 1, &some));
    assert_ok(moho_tensor_read(&some, bytes));
    for (size_t i = 0; i < n; i++)
      if (memcmp(bytes + i * SIDE, expected + row + i, SIDE))
        fail_msg("row %zu, from element %zu on, is wrong", row + i, (row + i) * SIDE);
  }
  free(bytes);
}

/* Copy, convert and fill in one output of more than 2^32 bytes. */
static void test_elementwise_of_2_32(void **state) {
  (void)state;
  if (!has_room(NEEDED_BYTES)) skip();
  static uint8_t bytes[2 * SIDE], clamped[2 * SIDE];
  static float numbers[2 * SIDE];
  for (size_t i = 0; i < 2 * SIDE; i++) {
    numbers[i] = (float)(400 * test_uniform(&test_random) - 100);
    bytes[i] = (uint8_t)(256 * test_uniform(&test_random));
    clamped[i] = numbers[i] < 0 ? 0 : numbers[i] > 255 ? 255 : (uint8_t)numbers[i];
  }
  moho_tensor owner, out, in = windows_of(MOHO_DTYPE_U8, bytes, &owner), end;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_U8, 2, (size_t[]){SIDE, SIDE}, &out));
  assert_true(moho_tensor_elements(&out) > (size_t)1 << 32);
  assert_ok(moho_tensor_unary(NULL, MOHO_OPERATION_COPY, &in, &out));
  check_rows(&out, bytes, 0, SIDE);
  assert_ok(moho_tensor_destroy(&owner));

  /* f32 to u8, saturating, toward zero: into the last rows, across element 2^32. */
  moho_tensor few, rest;
  in = windows_of(MOHO_DTYPE_F32, numbers, &owner);
  assert_ok(moho_tensor_slice(&in, 0, FIRST, SIDE, 1, &few));
  assert_ok(moho_tensor_slice(&out, 0, FIRST, SIDE, 1, &rest));
  assert_true(rest.offset < (size_t)1 << 32);
  assert_ok(moho_tensor_unary(NULL, MOHO_OPERATION_CONVERT, &few, &rest));
  check_rows(&out, clamped, FIRST, SIDE);

  /* What begins beyond 2^32: the last five elements, filled; their neighbours stay. */
  uint8_t last[6];
  assert_ok(moho_tensor_reshape(&out, 1, (size_t[]){SIDE * SIDE}, &end));
  assert_ok(moho_tensor_slice(&end, 0, SIDE * SIDE - 5, SIDE * SIDE, 1, &end));
  assert_true(end.offset > (size_t)1 << 32);
  assert_ok(moho_tensor_fill(NULL, &end, 77));
  assert_ok(moho_tensor_reshape(&out, 1, (size_t[]){SIDE * SIDE}, &end));
  assert_ok(moho_tensor_slice(&end, 0, SIDE * SIDE - 6, SIDE * SIDE, 1, &end));
  assert_ok(moho_tensor_read(&end, last));
  for (int i = 0; i < 6; i++) assert_int_equal(last[i], i ? 77 : clamped[2 * SIDE - 2 - 5]);
  assert_ok(moho_tensor_destroy(&owner));
  assert_ok(moho_tensor_destroy(&out));
}

/* Of a GPU's own memory: 2^32 + 131 073 bytes filled, some at both sides of element 2^32 and at the end others, copied, made
 * ints, added up: what was missed or met twice would show. */
static void test_ints_of_2_32(void **state) {
  (void)state;
  moho_device_report report;
  assert_ok(moho_device_describe(test_device, &report));
  if (report.has_native || !has_room(NEEDED_FOR_INTS)) skip();
  const size_t n = ((size_t)1 << 32) + 131073, middle = (size_t)1 << 32;
  const size_t others[][2] = {{middle - 5, middle + 3}, {n - 7, n}};
  moho_tensor bytes, copied, ints, sum, part;
  uint8_t now[16];
  int32_t total;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_U8, 1, &n, &bytes));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_U8, 1, &n, &copied));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 0, NULL, &sum));
  assert_ok(moho_tensor_fill(NULL, &bytes, 7));
  for (int i = 0; i < 2; i++) {
    assert_ok(moho_tensor_slice(&bytes, 0, others[i][0], others[i][1], 1, &part));
    assert_ok(moho_tensor_fill(NULL, &part, 200 + i));
  }
  assert_ok(moho_tensor_unary(NULL, MOHO_OPERATION_COPY, &bytes, &copied));
  assert_ok(moho_tensor_destroy(&bytes));
  assert_ok(moho_tensor_slice(&copied, 0, middle - 8, middle + 8, 1, &part));
  assert_ok(moho_tensor_read(&part, now));
  for (int i = 0; i < 16; i++) assert_int_equal(now[i], i >= 3 && i < 11 ? 200 : 7);
  assert_ok(moho_tensor_slice(&copied, 0, n - 8, n, 1, &part));
  assert_ok(moho_tensor_read(&part, now));
  for (int i = 0; i < 8; i++) assert_int_equal(now[i], i ? 201 : 7);
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 1, &n, &ints));
  assert_ok(moho_tensor_unary(NULL, MOHO_OPERATION_CONVERT, &copied, &ints));
  assert_ok(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &ints, 0, &sum));
  assert_ok(moho_tensor_read(&sum, &total));
  assert_int_equal(total, (int32_t)(uint32_t)((uint64_t)7 * (n - 15) + 8 * 200 + 7 * 201));
  assert_ok(moho_tensor_destroy(&copied));
  assert_ok(moho_tensor_destroy(&ints));
  assert_ok(moho_tensor_destroy(&sum));
}

/* Along one axis of windows: sums of 65 537 neighbours are differences of running sums. */
static void test_reduction_of_2_32(void **state) {
  (void)state;
  if (!has_room(NEEDED_BYTES)) skip();
  static int32_t numbers[2 * SIDE], out[SIDE];
  for (size_t i = 0; i < 2 * SIDE; i++) numbers[i] = (int32_t)(200000 * test_uniform(&test_random)) - 100000;
  moho_tensor owner, in = windows_of(MOHO_DTYPE_I32, numbers, &owner), sums;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 1, (size_t[]){SIDE}, &sums));
  assert_ok(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &in, 1, &sums));
  assert_ok(moho_tensor_read(&sums, out));
  int64_t sum = 0;
  for (size_t j = 0; j < SIDE; j++) sum += numbers[j];
  for (size_t i = 0; i < SIDE; i++) {
    assert_int_equal(out[i], (int32_t)(uint32_t)(uint64_t)sum); /* wraps */
    sum += numbers[i + SIDE] - numbers[i];
  }
  assert_ok(moho_tensor_destroy(&owner));
  assert_ok(moho_tensor_destroy(&sums));
}

/* One row of 2^32 + 4096: of ones every partial sum of the tree is a float; of i32 it wraps. */
static void test_one_row_of_2_32(void **state) {
  (void)state;
  if (!has_room(NEEDED_BYTES)) skip();
  const size_t n = ((size_t)1 << 32) + 4096;
  float one = 1, sum;
  int32_t three = 3, wrapped;
  moho_tensor owner, row, out;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, (size_t[]){1}, &one, MOHO_HOST_COPY, &owner));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 0, NULL, &out));
  assert_ok(moho_tensor_broadcast(&owner, 1, &n, &row));
  assert_ok(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &row, 0, &out));
  assert_ok(moho_tensor_read(&out, &sum));
  assert_true(sum == 4294971392.0f);
  moho_tensor place = out;
  place.dtype = MOHO_DTYPE_I32, place.owns = 0;
  assert_fails(moho_tensor_reduce(NULL, MOHO_OPERATION_ARGMAX, &row, 0, &place), MOHO_ERROR_NOT_AVAILABLE, "fewer than 2^31");
  assert_ok(moho_tensor_destroy(&owner));
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_I32, 1, (size_t[]){1}, &three, MOHO_HOST_COPY, &owner));
  assert_ok(moho_tensor_broadcast(&owner, 1, &n, &row));
  assert_ok(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &row, 0, &place));
  assert_ok(moho_tensor_read(&place, &wrapped));
  assert_int_equal(wrapped, 3 * 4096);
  assert_ok(moho_tensor_destroy(&owner));
  assert_ok(moho_tensor_destroy(&out));
}

/* ---- cut in small ---- */

enum { SMALL_REACH = 3000 };

static uint64_t launches(void) {
  moho_metrics metrics;
  assert_ok(moho_device_metrics_get(test_device, &metrics));
  return metrics.launches;
}

/* Plans and runs on a queue with the reach of a launch as given; how many launches that were. */
static uint64_t run_with_reach(size_t reach, moho_status (*record)(const void *what, moho_queue *queue), const void *what) {
  moho_ticket ticket;
  uint64_t before = launches();
  moho_launch_reach_set(reach);
  moho_status status = record(what, test_queue);
  moho_launch_reach_set(0);
  assert_ok(status);
  assert_ok(moho_queue_submit(test_queue, &ticket));
  assert_ok(moho_queue_wait(test_queue, ticket, -1));
  return launches() - before;
}

static moho_status record_call(const void *call, moho_queue *queue) {
  return moho_tensor_run(queue, call);
}

/* The same bits, cut or not. */
static void compare_cut(const char *what, const test_operand *out, moho_status (*record)(const void *, moho_queue *),
                        const void *call) {
  assert_ok(moho_tensor_write(&out->base, out->host));
  uint64_t few = run_with_reach(0, record, call);
  void *whole = test_read_outside_unchanged(out);
  assert_ok(moho_tensor_write(&out->base, out->host));
  uint64_t many = run_with_reach(SMALL_REACH, record, call);
  void *cut = test_read_outside_unchanged(out);
  if (many <= few) fail_msg("%s: %d launches, cut %d: nothing was cut", what, (int)few, (int)many);
  if (memcmp(whole, cut, out->n_base * moho_dtype_bits(out->base.dtype) / 8)) fail_msg("%s differs where it is cut", what);
  if (!memcmp(whole, out->host, out->n_base * moho_dtype_bits(out->base.dtype) / 8)) fail_msg("%s wrote nothing", what);
  free(whole), free(cut);
}

static void test_cut_elementwise(void **state) {
  (void)state;
  static const moho_dtype dtypes[] = {MOHO_DTYPE_F32, MOHO_DTYPE_F16, MOHO_DTYPE_I32};
  for (size_t d = 0; d < 3; d++)
    for (int pattern = 0; pattern < TEST_PATTERNS; pattern++) {
      const size_t n = 3501;
      test_operand a = test_operand_make(dtypes[d], (test_pattern)pattern, n, 0, test_draw_any);
      test_operand b = test_operand_make(dtypes[d], (test_pattern)pattern, n, 0, test_draw_any);
      test_operand out = test_operand_make(dtypes[d], (test_pattern)pattern, n, 1, test_draw_any);
      moho_tensor_call call = {.operation = MOHO_OPERATION_SUB, .inputs = {&a.view, &b.view}, .output = &out.view};
      compare_cut(test_pattern_name((test_pattern)pattern), &out, record_call, &call);
      if (d == 2) /* and right: integers wrap */
        for (size_t i = 0; i < moho_tensor_elements(&out.view); i++) {
          int32_t got, want = (int32_t)((uint32_t)(int32_t)test_at(&a, i) - (uint32_t)(int32_t)test_at(&b, i));
          moho_tensor one = out.view;
          if (i % 997) continue;
          one.offset = test_place(&out.view, i), one.rank = 0;
          assert_ok(moho_tensor_read(&one, &got));
          assert_int_equal(got, want);
        }
      test_operand_free(&a), test_operand_free(&b), test_operand_free(&out);
    }
}

static void check_along(moho_operation operation, moho_dtype dtype, const size_t shape[2], int axis, int keeps) {
  char what[100];
  test_operand x = test_operand_make(dtype, TEST_CONTIGUOUS, shape[0] * shape[1], 0, test_draw_any);
  size_t results = keeps ? shape[0] * shape[1] : axis == MOHO_ALL_AXES ? 1 : shape[!axis];
  moho_dtype result = operation == MOHO_OPERATION_ARGMAX ? MOHO_DTYPE_I32 : dtype;
  test_operand out = test_operand_make(result, TEST_CONTIGUOUS, results, 1, test_draw_any);
  moho_tensor in, shaped = out.view;
  assert_ok(moho_tensor_reshape(&x.view, 2, shape, &in));
  if (keeps) assert_ok(moho_tensor_reshape(&out.view, 2, shape, &shaped));
  if (axis == MOHO_ALL_AXES) shaped.rank = 0;
  snprintf(what, sizeof what, "%s of %s along %d", moho_operation_name(operation), moho_dtype_name(dtype), axis);
  moho_tensor_call call = {.operation = operation, .inputs = {&in}, .output = &shaped, .axis = axis, .scalars = {1e-5}};
  compare_cut(what, &out, record_call, &call);
  test_operand_free(&x), test_operand_free(&out);
}

static void test_cut_reductions(void **state) {
  (void)state;
  static const size_t shapes[][2] = {{5, 2300}, {37, 300}, {5, 2300}}; /* all: blocks apart; axis 0: a copy first; axis 1: rows */
  for (int axis = MOHO_ALL_AXES; axis < 2; axis++) {
    check_along(MOHO_OPERATION_SUM, MOHO_DTYPE_F32, shapes[axis + 1], axis, 0);
    check_along(MOHO_OPERATION_SUM, MOHO_DTYPE_I32, shapes[axis + 1], axis, 0);
    check_along(MOHO_OPERATION_REDUCE_MAX, MOHO_DTYPE_BF16, shapes[axis + 1], axis, 0);
    check_along(MOHO_OPERATION_ARGMAX, MOHO_DTYPE_F32, shapes[axis + 1], axis, 0);
  }
}

static void test_cut_rows(void **state) {
  (void)state;
  check_along(MOHO_OPERATION_SOFTMAX, MOHO_DTYPE_F32, (size_t[]){40, 100}, 1, 1);
  check_along(MOHO_OPERATION_LAYER_NORM, MOHO_DTYPE_F16, (size_t[]){100, 33}, 1, 1);
  check_along(MOHO_OPERATION_LOG_SOFTMAX, MOHO_DTYPE_F32, (size_t[]){1, 900}, 0, 1);
}

typedef struct product {
  const moho_tensor *a, *b;
  moho_tensor *c;
} product;

static moho_status record_product(const void *what, moho_queue *queue) {
  const product *p = what;
  moho_matmul_options options = moho_matmul_options_default();
  options.method = MOHO_MATMUL_OWN;
  return moho_matmul(queue, p->a, p->b, p->c, &options);
}

/* A batch that reaches too far: matrix by matrix. */
static void test_cut_batch(void **state) {
  (void)state;
  test_operand x = test_operand_make(MOHO_DTYPE_F32, TEST_CONTIGUOUS, 9 * 20 * 21, 0, test_draw_any);
  test_operand y = test_operand_make(MOHO_DTYPE_F32, TEST_CONTIGUOUS, 21 * 22, 0, test_draw_any);
  test_operand z = test_operand_make(MOHO_DTYPE_F32, TEST_CONTIGUOUS, 9 * 20 * 22, 1, test_draw_any);
  moho_tensor a, b, c;
  assert_ok(moho_tensor_reshape(&x.view, 3, (size_t[]){9, 20, 21}, &a));
  assert_ok(moho_tensor_reshape(&y.view, 2, (size_t[]){21, 22}, &b));
  assert_ok(moho_tensor_reshape(&z.view, 3, (size_t[]){9, 20, 22}, &c));
  compare_cut("matmul of a batch", &z, record_product, &(product){&a, &b, &c});
  test_operand_free(&x), test_operand_free(&y), test_operand_free(&z);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_elementwise_of_2_32),
                                     cmocka_unit_test(test_ints_of_2_32),
                                     cmocka_unit_test(test_reduction_of_2_32),
                                     cmocka_unit_test(test_one_row_of_2_32),
                                     cmocka_unit_test(test_cut_elementwise),
                                     cmocka_unit_test(test_cut_reductions),
                                     cmocka_unit_test(test_cut_rows),
                                     cmocka_unit_test(test_cut_batch)};
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
