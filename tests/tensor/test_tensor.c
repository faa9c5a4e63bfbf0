/* test_tensor.c - tensors themselves: made, taken from the host with and without a copy, viewed, moved to and from the host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor_support.h"

static size_t below(size_t n) {
  return (size_t)(test_uniform(&test_random) * (double)n);
}

/* ---- making ---- */

static void shapes_and_sizes(void **state) {
  (void)state;
  static const struct {
    moho_dtype dtype;
    const char *name;
    size_t bits, bytes; /* bytes: of 5 by 3 elements */
  } kinds[] = {{MOHO_DTYPE_F32, "f32", 32, 60},      {MOHO_DTYPE_F16, "f16", 16, 30}, {MOHO_DTYPE_BF16, "bf16", 16, 30},
               {MOHO_DTYPE_I32, "i32", 32, 60},      {MOHO_DTYPE_I8, "i8", 8, 15},    {MOHO_DTYPE_U8, "u8", 8, 15},
               {MOHO_DTYPE_TERNARY, "ternary", 2, 4}};
  assert_int_equal(sizeof kinds / sizeof *kinds, MOHO_DTYPE_COUNT);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    moho_tensor t;
    assert_ok(moho_tensor_create(test_device, kinds[i].dtype, 2, (size_t[]){5, 3}, &t));
    assert_string_equal(moho_dtype_name(t.dtype), kinds[i].name);
    assert_int_equal(moho_dtype_bits(t.dtype), kinds[i].bits);
    assert_true(t.rank == 2 && t.shape[0] == 5 && t.shape[1] == 3 && t.stride[0] == 3 && t.stride[1] == 1 && t.offset == 0);
    assert_int_equal(moho_tensor_elements(&t), 15);
    assert_int_equal(moho_tensor_bytes(&t), kinds[i].bytes);
    assert_true(moho_tensor_is_contiguous(&t));
    assert_true(moho_buffer_bytes(t.buffer) >= kinds[i].bytes);
    assert_ok(moho_tensor_destroy(&t));
    assert_null(t.buffer);
    assert_ok(moho_tensor_destroy(&t));
  }
  assert_ok(moho_tensor_destroy(NULL));
}

static void ranks(void **state) {
  (void)state;
  const size_t ones[9] = {1, 2, 1, 3, 1, 1, 2, 1, 1};
  moho_tensor t;
  for (int rank = 0; rank <= MOHO_TENSOR_RANK; rank++) {
    size_t expected = 1;
    for (int i = 0; i < rank; i++) expected *= ones[i];
    assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, rank, ones, &t));
    assert_int_equal(moho_tensor_elements(&t), expected);
    assert_ok(moho_tensor_destroy(&t));
  }
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 3, (size_t[]){4, 0, 7}, &t)); /* nothing in it, and good */
  assert_int_equal(moho_tensor_elements(&t), 0);
  assert_int_equal(moho_tensor_bytes(&t), 0);
  float none;
  assert_ok(moho_tensor_write(&t, &none));
  assert_ok(moho_tensor_read(&t, &none));
  assert_ok(moho_tensor_destroy(&t));
  const size_t far[3] = {(size_t)1 << 40, (size_t)1 << 40, 1};
  assert_fails(moho_tensor_create(test_device, MOHO_DTYPE_F32, 9, ones, &t), MOHO_ERROR_ARGUMENT, "rank 9");
  assert_fails(moho_tensor_create(test_device, MOHO_DTYPE_F32, -1, ones, &t), MOHO_ERROR_ARGUMENT, "rank -1");
  assert_fails(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, NULL, &t), MOHO_ERROR_ARGUMENT, "shape at NULL");
  assert_fails(moho_tensor_create(test_device, MOHO_DTYPE_COUNT, 1, ones, &t), MOHO_ERROR_ARGUMENT, "unknown dtype");
  assert_fails(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, far, &t), MOHO_ERROR_RANGE, "axis 1 of 1099511627776");
  assert_fails(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, ones, NULL), MOHO_ERROR_ARGUMENT, "NULL");
}

/* ---- the host's memory ---- */

static void a_copy_is_apart(void **state) {
  (void)state;
  float data[4] = {1, 2, 3, 4}, now[4];
  moho_tensor t;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 2}, data, MOHO_HOST_COPY, &t));
  data[0] = 99;
  assert_ok(moho_tensor_read(&t, now));
  assert_memory_equal(now, ((float[]){1, 2, 3, 4}), sizeof now);
  assert_ok(moho_tensor_destroy(&t));
  assert_fails(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, (size_t[]){4}, NULL, MOHO_HOST_COPY, &t),
               MOHO_ERROR_ARGUMENT, "NULL");
  assert_null(t.buffer);
  assert_fails(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, (size_t[]){4}, data, (moho_host_memory)7, &t),
               MOHO_ERROR_ARGUMENT, "unknown way 7");
}

/* Without a copy: what an operation writes is found in the host's own memory, and the reverse. */
static void borrowed_is_the_hosts_own(void **state) {
  (void)state;
  moho_device_report report;
  assert_ok(moho_device_describe(test_device, &report));
  size_t align = report.wrap_alignment ? report.wrap_alignment : 64, n = align / sizeof(float);
  float *data = aligned_alloc(align < 64 ? 64 : align, align < 64 ? 64 : align);
  moho_tensor t, row, rows;
  assert_non_null(data);
  for (size_t i = 0; i < n; i++) data[i] = (float)i;
  if (!report.wrap_alignment) {
    assert_fails(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, &n, data, MOHO_HOST_BORROW, &t), MOHO_ERROR_NOT_AVAILABLE,
                 "without a copy");
    free(data);
    skip();
  }
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, &n, data, MOHO_HOST_BORROW, &t));
  assert_ok(moho_tensor_scalar(NULL, MOHO_OPERATION_MUL, &t, 3, &t));
  for (size_t i = 0; i < n; i++) assert_true(data[i] == 3 * (float)i);
  data[1] = -5; /* the device sees it, through views too */
  assert_ok(moho_tensor_slice(&t, 0, 0, 2, 1, &row));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){2}, &rows));
  assert_ok(moho_tensor_unary(NULL, MOHO_OPERATION_COPY, &row, &rows));
  float now[2];
  assert_ok(moho_tensor_read(&rows, now));
  assert_true(now[0] == 0 && now[1] == -5);
  assert_ok(moho_tensor_destroy(&rows));
  assert_ok(moho_tensor_destroy(&t)); /* the memory stays the caller's */
  data[0] = 1;
  n--; /* a length that the device cannot wrap is told, not copied */
  if (align > sizeof(float))
    assert_fails(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, &n, data, MOHO_HOST_BORROW, &t), MOHO_ERROR_ARGUMENT,
                 "must be multiples of");
  free(data);
}

/* ---- views ---- */

static void views_end_with_their_buffer(void **state) {
  (void)state;
  int32_t data[24], got[6];
  moho_tensor owner, view;
  for (int i = 0; i < 24; i++) data[i] = i;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_I32, 1, (size_t[]){24}, data, MOHO_HOST_COPY, &owner));
  moho_buffer *b = owner.buffer;
  const size_t shape[2] = {3, 2}, held = moho_buffer_bytes(b) / 4;
  assert_ok(moho_tensor_view(b, 5, MOHO_DTYPE_I32, 2, shape, (int64_t[]){7, 2}, &view));
  assert_false(moho_tensor_is_contiguous(&view));
  assert_ok(moho_tensor_read(&view, got));
  assert_memory_equal(got, ((int32_t[]){5, 7, 12, 14, 19, 21}), sizeof got);
  assert_ok(moho_tensor_destroy(&view)); /* of a view: nothing */
  assert_ok(moho_tensor_view(b, held - 6, MOHO_DTYPE_I32, 2, shape, NULL, &view));
  assert_fails(moho_tensor_view(b, held - 5, MOHO_DTYPE_I32, 2, shape, NULL, &view), MOHO_ERROR_RANGE, "passes the end");
  assert_fails(moho_tensor_view(b, held - 17, MOHO_DTYPE_I32, 2, shape, (int64_t[]){8, 1}, &view), MOHO_ERROR_RANGE,
               "18 elements");
  assert_ok(moho_tensor_view(b, held, MOHO_DTYPE_I32, 2, (size_t[]){3, 0}, NULL, &view));
  assert_fails(moho_tensor_view(b, held + 1, MOHO_DTYPE_I32, 2, (size_t[]){3, 0}, NULL, &view), MOHO_ERROR_RANGE,
               "passes the end");
  assert_fails(moho_tensor_view(b, 0, MOHO_DTYPE_I32, 2, shape, (int64_t[]){-2, 1}, &view), MOHO_ERROR_RANGE,
               "stride -2 of axis 0");
  assert_fails(moho_tensor_view(b, 0, MOHO_DTYPE_I32, 2, shape, (int64_t[]){INT64_MAX, 1}, &view), MOHO_ERROR_RANGE, "stride");
  assert_fails(moho_tensor_view(NULL, 0, MOHO_DTYPE_I32, 2, shape, NULL, &view), MOHO_ERROR_ARGUMENT, "NULL");
  assert_ok(moho_tensor_destroy(&owner));
}

/* A view of a fresh base by slices and transpositions, of at most three axes and 400 elements. */
static moho_tensor random_view(moho_tensor *base) {
  const size_t shape[3] = {1 + below(6), 1 + below(7), 1 + below(8)};
  moho_tensor view;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 3, shape, base));
  view = *base;
  view.owns = 0;
  for (int k = 0; k < 3; k++) {
    int axis = (int)below(3);
    size_t begin = below(view.shape[axis]), end = begin + 1 + below(view.shape[axis] - begin);
    if (below(2)) assert_ok(moho_tensor_slice(&view, axis, begin, end, 1 + below(2), &view));
    if (below(3) == 0) assert_ok(moho_tensor_transpose(&view, (int)below(3), (int)below(3), &view));
  }
  return view;
}

/* n as a product of `rank` factors. */
static void factors_of(size_t n, int rank, size_t *shape) {
  for (int i = 0; i + 1 < rank; i++) {
    size_t f = 1 + below(n);
    while (n % f) f--;
    shape[i] = f, n /= f;
  }
  shape[rank - 1] = n;
}

/* Whether any strides give the shape these places in this order: those of the unit steps must then give all. */
static int strides_exist(const moho_tensor *from, int rank, const size_t *shape) {
  size_t n = moho_tensor_elements(from), unit[MOHO_TENSOR_RANK], step = 1, first = test_place(from, 0);
  for (int i = rank; i-- > 0; step *= shape[i]) unit[i] = step;
  for (size_t linear = 0; linear < n; linear++) {
    size_t place = first;
    for (int i = 0; i < rank; i++)
      if (shape[i] > 1) place += linear / unit[i] % shape[i] * (test_place(from, unit[i]) - first);
    if (place != test_place(from, linear)) return 0;
  }
  return 1;
}

static void reshape_keeps_the_order_or_refuses(void **state) {
  (void)state;
  int taken = 0, refused = 0;
  for (int round = 0; round < 3000; round++) {
    moho_tensor base, view = random_view(&base), out = {0};
    size_t shape[5], n = moho_tensor_elements(&view);
    int rank = 1 + (int)below(5);
    factors_of(n, rank, shape);
    if (strides_exist(&view, rank, shape)) {
      assert_ok(moho_tensor_reshape(&view, rank, shape, &out));
      assert_true(out.rank == rank && memcmp(out.shape, shape, (size_t)rank * sizeof *shape) == 0 && !out.owns);
      for (size_t i = 0; i < n; i++) assert_int_equal(test_place(&out, i), test_place(&view, i));
      taken++;
    } else {
      assert_fails(moho_tensor_reshape(&view, rank, shape, &out), MOHO_ERROR_NOT_AVAILABLE, "without a copy");
      refused++;
    }
    assert_ok(moho_tensor_destroy(&base));
  }
  assert_true(taken > 100 && refused > 100);
  moho_tensor t, out;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 6}, &t));
  assert_fails(moho_tensor_reshape(&t, 2, (size_t[]){5, 5}, &out), MOHO_ERROR_SHAPE,
               "reshape: [5, 5] has 25 elements, expected the 24 of [4, 6]");
  assert_fails(moho_tensor_reshape(&t, 1, (size_t[]){24}, NULL), MOHO_ERROR_ARGUMENT, "NULL");
  assert_ok(moho_tensor_destroy(&t));
}

static void slices_transposes_broadcasts(void **state) {
  (void)state;
  moho_tensor t, out, none = {0};
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 3, (size_t[]){4, 1, 6}, &t));
  assert_ok(moho_tensor_slice(&t, 2, 1, 6, 2, &out)); /* 1, 3, 5 */
  assert_true(out.shape[2] == 3 && test_place(&out, 4) == 6 + 3 && !out.owns);
  assert_ok(moho_tensor_slice(&t, 2, 1, 6, 4, &out)); /* 1, 5 */
  assert_true(out.shape[2] == 2 && test_place(&out, 1) == 5);
  assert_ok(moho_tensor_slice(&t, 0, 4, 4, 1, &out));
  assert_int_equal(moho_tensor_elements(&out), 0);
  assert_fails(moho_tensor_slice(&t, 2, 3, 2, 1, &out), MOHO_ERROR_RANGE, "slice: 3 to 2 by 1 of axis 2, which has 6");
  assert_fails(moho_tensor_slice(&t, 2, 0, 7, 1, &out), MOHO_ERROR_RANGE, "which has 6");
  assert_fails(moho_tensor_slice(&t, 2, 0, 6, 0, &out), MOHO_ERROR_RANGE, "by 0");
  assert_fails(moho_tensor_slice(&t, 3, 0, 1, 1, &out), MOHO_ERROR_RANGE, "axis 3, the tensor has axes 0 to 2");
  assert_fails(moho_tensor_slice(&none, 0, 0, 1, 1, &out), MOHO_ERROR_ARGUMENT, "no tensor");
  assert_ok(moho_tensor_transpose(&t, 0, 2, &out));
  assert_true(out.shape[0] == 6 && out.shape[2] == 4);
  for (size_t i = 0; i < 24; i++) assert_int_equal(test_place(&out, i), i % 4 * 6 + i / 4);
  assert_fails(moho_tensor_transpose(&t, 0, -1, &out), MOHO_ERROR_RANGE, "axis -1");
  assert_ok(moho_tensor_broadcast(&t, 4, (size_t[]){2, 4, 5, 6}, &out));
  for (size_t i = 0; i < 240; i++) assert_int_equal(test_place(&out, i), i / 30 % 4 * 6 + i % 6);
  assert_fails(moho_tensor_broadcast(&t, 3, (size_t[]){4, 5, 7}, &out), MOHO_ERROR_SHAPE, "[4, 1, 6], expected [4, 5, 7]");
  assert_fails(moho_tensor_broadcast(&t, 2, (size_t[]){4, 6}, &out), MOHO_ERROR_SHAPE, "[4, 1, 6], expected [4, 6]");
  assert_ok(moho_tensor_destroy(&t));
}

/* ---- to and from the host, through strides ---- */

static void strides_come_and_go(void **state) {
  (void)state;
  for (int d = 0; d < MOHO_DTYPE_TERNARY; d++)
    for (int p = 0; p < TEST_REPEATED; p++)
      for (size_t n = 0; n <= 33; n += 33) {
        test_operand o = test_operand_make((moho_dtype)d, (test_pattern)p, n, 1, test_draw_any);
        size_t count = moho_tensor_elements(&o.view), bytes = moho_tensor_bytes(&o.view);
        char *got = malloc(bytes + 1), *fresh = malloc(bytes + 1);
        assert_non_null(got);
        assert_non_null(fresh);
        got[bytes] = 0x5a;
        assert_ok(moho_tensor_read(&o.view, got));
        assert_int_equal(got[bytes], 0x5a);
        for (size_t i = 0; i < count; i++) assert_true(test_get(o.view.dtype, got, i) == test_at(&o, i));
        for (size_t i = 0; i < count; i++) test_put(o.view.dtype, fresh, i, (double)(i % 100));
        assert_ok(moho_tensor_write(&o.view, fresh));
        void *now = test_read_outside_unchanged(&o);
        for (size_t i = 0; i < count; i++) assert_true(test_get(o.view.dtype, now, test_place(&o.view, i)) == (double)(i % 100));
        free(got), free(fresh), free(now);
        test_operand_free(&o);
      }
  moho_tensor t;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){4}, &t));
  assert_fails(moho_tensor_read(&t, NULL), MOHO_ERROR_ARGUMENT, "NULL");
  assert_fails(moho_tensor_write(NULL, &t), MOHO_ERROR_ARGUMENT, "NULL");
  assert_ok(moho_tensor_destroy(&t));
}

/* Four a byte; parts of bytes do not go to the host. */
static void ternary_goes_packed(void **state) {
  (void)state;
  const uint8_t packed[3] = {0x24, 0x91, 0x01};
  uint8_t now[4] = {0, 0, 0, 0x5a};
  moho_tensor t, part;
  assert_ok(
      moho_tensor_from_host(test_device, MOHO_DTYPE_TERNARY, 1, (size_t[]){9}, (void *)(uintptr_t)packed, MOHO_HOST_COPY, &t));
  assert_ok(moho_tensor_read(&t, now));
  assert_memory_equal(now, packed, sizeof packed);
  assert_int_equal(now[3], 0x5a);
  assert_ok(moho_tensor_slice(&t, 0, 4, 8, 1, &part));
  assert_ok(moho_tensor_read(&part, now));
  assert_int_equal(now[0], 0x91);
  assert_ok(moho_tensor_slice(&t, 0, 3, 8, 1, &part));
  assert_fails(moho_tensor_read(&part, now), MOHO_ERROR_NOT_AVAILABLE, "ternary view");
  assert_ok(moho_tensor_slice(&t, 0, 0, 8, 2, &part));
  assert_fails(moho_tensor_write(&part, now), MOHO_ERROR_NOT_AVAILABLE, "ternary view");
  assert_ok(moho_tensor_destroy(&t));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(shapes_and_sizes),
                                     cmocka_unit_test(ranks),
                                     cmocka_unit_test(a_copy_is_apart),
                                     cmocka_unit_test(borrowed_is_the_hosts_own),
                                     cmocka_unit_test(views_end_with_their_buffer),
                                     cmocka_unit_test(reshape_keeps_the_order_or_refuses),
                                     cmocka_unit_test(slices_transposes_broadcasts),
                                     cmocka_unit_test(strides_come_and_go),
                                     cmocka_unit_test(ternary_goes_packed)};
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
