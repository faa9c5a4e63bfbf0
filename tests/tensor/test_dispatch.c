/* test_dispatch.c - the dispatcher: estimates and choices from figures that are given, so that every number is known; runs whose
 * operands lie on a processor, on a device whose memory is out of reach, and on the device under test; faults that are provoked;
 * figures measured, kept, given. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "far_backend.h"
#include "moho/dispatch.h"
#include "tensor_support.h"

enum { CPU, FAR, UNDER_TEST, DEVICES };
static moho_device *devices[DEVICES];
static char uris[DEVICES][96];

static int open_devices(void **state) {
  if (test_tensor_begin(state)) return 1;
  setenv("MOHO_CACHE", "off", 1);
  return 0;
}

static int begin(void **state) {
  (void)state;
  far_reset();
  assert_ok(moho_device_open("cpu?threads=1", &devices[CPU]));
  devices[FAR] = far_open(0);
  devices[UNDER_TEST] = test_device;
  for (int i = 0; i < DEVICES; i++) {
    moho_device_report report;
    assert_ok(moho_device_describe(devices[i], &report));
    snprintf(uris[i], sizeof uris[i], "%s", report.uri);
  }
  return 0;
}

static int end(void **state) {
  (void)state;
  assert_ok(moho_device_close(&devices[CPU]));
  moho_device_close(&devices[FAR]); /* may be lost */
  return 0;
}

/* ---- figures that a test writes ---- */

/* seconds = start or rate * size, whatever is given; the same alone and among many unless said. */
typedef struct simple {
  double start_s, per_size_s, among_many_s; /* one of the first two is 0 */
  double to_s, from_s;                      /* per byte */
} simple;

static int point(char *text, size_t capacity, double size, const simple *s, double seconds, int columns) {
  if (columns == 2) return snprintf(text, capacity, "[%g, %g]", size, seconds * size);
  double alone = s->start_s + s->per_size_s * size;
  return snprintf(text, capacity, "[%g, %.17g, %.17g]", size, alone, s->among_many_s > 0 ? s->among_many_s : alone);
}

static void curve(char *text, const simple *s, double per_byte, int columns) {
  char low[100], high[100];
  point(low, sizeof low, 1, s, per_byte, columns);
  point(high, sizeof high, 1e12, s, per_byte, columns);
  sprintf(text + strlen(text), "[%s, %s]", low, high);
}

static const char *figures_of(const simple *of, int n) {
  static char text[20000];
  strcpy(text, "{\"format\": \"moho-dispatch-1\", \"devices\": [");
  for (int i = 0; i < n; i++) {
    sprintf(text + strlen(text), "%s{\"uri\": \"%s\", \"to_device\": ", i ? ", " : "", uris[i]);
    curve(text, &of[i], of[i].to_s, 2);
    strcat(text, ", \"to_host\": ");
    curve(text, &of[i], of[i].from_s, 2);
    strcat(text, ", \"groups\": {");
    for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++) {
      sprintf(text + strlen(text), "%s\"%s\": ", g ? ", " : "", moho_dispatch_group_name((moho_dispatch_group)g));
      curve(text, &of[i], 0, 3);
    }
    strcat(text, "}}");
  }
  strcat(text, "]}");
  return text;
}

/* The processor: a nanosecond a byte. The far one: 10 us whatever the size, and 0.1 ns a byte on the way there and back. */
static const simple known[2] = {{0, 1e-9, 0, 1e-11, 1e-11}, {1e-5, 0, 0, 1e-10, 1e-10}};

static moho_dispatcher *dispatcher_of(moho_strategy strategy, const simple *of) {
  moho_dispatcher_options options = moho_dispatcher_options_default();
  moho_dispatcher *dispatcher;
  options.strategy = strategy;
  options.forced = FAR;
  assert_ok(moho_dispatcher_create(devices, 2, &options, &dispatcher));
  if (of) assert_ok(moho_dispatcher_give(dispatcher, figures_of(of, 2)));
  return dispatcher;
}

static void assert_near(double actual, double expected) {
  if (!(fabs(actual - expected) <= 1e-6 * fabs(expected))) fail_msg("%.9g, expected %.9g", actual, expected);
}

/* ---- estimates ---- */

static void test_estimates(void **state) {
  (void)state;
  moho_dispatcher *dispatcher = dispatcher_of(MOHO_STRATEGY_LATENCY, known);
  moho_dispatch_estimate e;
  double size;
  assert_ok(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_ELEMENTWISE, 6000, CPU, CPU, &e));
  assert_near(e.alone_s, 6e-6), assert_near(e.move_s + 1, 1);
  assert_ok(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_ELEMENTWISE, 6000, FAR, CPU, &e));
  assert_near(e.alone_s, 1e-5), assert_near(e.move_s, 6e-7); /* two operands there, one back: 0.1 ns a byte each */
  assert_ok(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_REDUCTION, 4e6, FAR, CPU, &e));
  assert_near(e.move_s, 4.000004e-4);
  assert_ok(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_MATMUL, 1e9, FAR, CPU, &e));
  assert_near(e.move_s, 12e6 * 1e-10); /* 1000 x 1000, three of them */
  assert_ok(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_MATMUL, 1e9, CPU, CPU, &e));
  assert_near(e.alone_s, 1);
  /* 1e-9 s = 1e-5 + 1e-10 s */
  assert_ok(moho_dispatcher_crossover(dispatcher, MOHO_DISPATCH_ELEMENTWISE, FAR, CPU, &size));
  assert_true(size >= 1e-5 / 9e-10 && size <= 1e-5 / 9e-10 * 1.05);
  /* from the far one's memory the processor is faster below 1e-5 / 1.1e-9, so that the far one is not below nothing but above */
  assert_ok(moho_dispatcher_crossover(dispatcher, MOHO_DISPATCH_ELEMENTWISE, CPU, FAR, &size));
  assert_true(isinf(size));
  moho_dispatcher_destroy(&dispatcher);
  /* With moves dearer than the work no size is worth it. */
  const simple slow_road[2] = {known[0], {1e-5, 0, 0, 2e-9, 2e-9}};
  dispatcher = dispatcher_of(MOHO_STRATEGY_LATENCY, slow_road);
  assert_ok(moho_dispatcher_crossover(dispatcher, MOHO_DISPATCH_ELEMENTWISE, FAR, CPU, &size));
  assert_true(isinf(size));
  assert_fails(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_ROWS, 1, 2, 0, &e), MOHO_ERROR_ARGUMENT, "expected 0 to 1");
  moho_dispatcher_destroy(&dispatcher);
}

/* Between points straight in logarithms; below the first its seconds; beyond the last in proportion. */
static void test_interpolation(void **state) {
  (void)state;
  moho_dispatcher *dispatcher = dispatcher_of(MOHO_STRATEGY_LATENCY, NULL);
  char *text = strdup(figures_of(known, 1)), *at = strstr(text, "\"elementwise\": ");
  moho_dispatch_estimate e;
  char changed[20000];
  assert_non_null(at);
  snprintf(changed, sizeof changed, "%.*s\"elementwise\": [[100, 1e-6, 1e-6], [10000, 4e-6, 2e-6]], %s", (int)(at - text), text,
           strstr(at, "\"activation\""));
  assert_ok(moho_dispatcher_give(dispatcher, changed));
  const double expected[][3] = {
      {10, 1e-6, 1e-6}, {100, 1e-6, 1e-6}, {1000, 2e-6, 1.41421356e-6}, {1e4, 4e-6, 2e-6}, {1e6, 4e-4, 2e-4}};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    assert_ok(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_ELEMENTWISE, expected[i][0], CPU, CPU, &e));
    assert_near(e.alone_s, expected[i][1]), assert_near(e.among_many_s, expected[i][2]);
  }
  assert_fails(moho_dispatcher_estimate(dispatcher, MOHO_DISPATCH_ROWS, 1, FAR, FAR, &e), MOHO_ERROR_NOT_FOUND,
               "no figures of far");
  free(text);
  moho_dispatcher_destroy(&dispatcher);
}

/* ---- choices ---- */

static moho_dispatch_work add_of(size_t n, int at) {
  const moho_dispatch_operand one = {.dtype = MOHO_DTYPE_F32, .rank = 1, .shape = {n}, .device = at};
  return (moho_dispatch_work){.operation = "add", .inputs = {one, one}, .n_inputs = 2, .output = one};
}

static moho_dispatch_choice choose(moho_dispatcher *dispatcher, const moho_dispatch_work *work) {
  moho_dispatch_choice choice;
  assert_ok(moho_dispatcher_choose(dispatcher, work, &choice));
  return choice;
}

static void expect_words(const moho_dispatch_choice *choice, const char *words) {
  if (!strstr(choice->reason, words)) fail_msg("\"%s\" is not in the reason \"%s\"", words, choice->reason);
}

static void test_strategies(void **state) {
  (void)state;
  moho_dispatch_work small = add_of(100, CPU), large = add_of(1000000, CPU), there = add_of(100000, FAR), new = add_of(1000, -1);
  moho_dispatcher *d = dispatcher_of(MOHO_STRATEGY_LATENCY, known);
  moho_dispatch_choice choice = choose(d, &small);
  assert_int_equal(choice.device, CPU);
  assert_near(choice.seconds, 1200e-9);
  expect_words(&choice, "add, latency: ");
  expect_words(&choice, "(1.2 us) before far (10.1 us, of it moves 0.12 us)");
  choice = choose(d, &large);
  assert_int_equal(choice.device, FAR);
  assert_near(choice.seconds, 1e-5 + 12e6 * 1e-10);
  assert_near(choice.move_s, 12e6 * 1e-10);
  assert_int_equal(choice.new_bytes, 12000000);
  expect_words(&choice, "far (1.21 ms, of it moves 1.2 ms) before cpu");
  assert_int_equal(choose(d, &there).device, FAR);
  assert_int_equal(choose(d, &new).device, FAR); /* 12 us against 10: nothing to move */
  moho_dispatch_counts counts;
  assert_ok(moho_dispatcher_counts(d, FAR, &counts));
  assert_int_equal(counts.chosen, 3);
  assert_int_equal(counts.ran, 0);
  moho_dispatcher_destroy(&d);

  d = dispatcher_of(MOHO_STRATEGY_PRIORITY, NULL); /* without figures */
  assert_int_equal(choose(d, &there).device, CPU);
  moho_dispatcher_destroy(&d);

  /* Alone 10 us; among many 0.5 us: 100 elements come every 0.5 us, where the processor takes 1.2. */
  const simple overlapping[2] = {known[0], {1e-5, 0, 5e-7, 1e-10, 1e-10}};
  d = dispatcher_of(MOHO_STRATEGY_THROUGHPUT, overlapping);
  choice = choose(d, &small);
  assert_int_equal(choice.device, FAR);
  assert_near(choice.seconds, 5e-7);
  moho_dispatcher_destroy(&d);

  d = dispatcher_of(MOHO_STRATEGY_FORCED, NULL);
  choice = choose(d, &small);
  assert_int_equal(choice.device, FAR);
  expect_words(&choice, "forced");
  moho_dispatcher_destroy(&d);
}

static void test_memory(void **state) {
  (void)state;
  moho_dispatcher *d = dispatcher_of(MOHO_STRATEGY_MEMORY, NULL);
  moho_dispatch_work work = add_of(1000, CPU);
  moho_dispatch_choice choice = choose(d, &work);
  assert_int_equal(choice.device, CPU); /* nothing new there */
  assert_int_equal(choice.new_bytes, 0);
  expect_words(&choice, "before far (11.7 KiB new, 1.0 GiB free)");
  work.inputs[0].device = work.inputs[1].device = FAR;
  assert_int_equal(choose(d, &work).device, FAR); /* 4000 new bytes against 8000 */
  work.inputs[0].shape[0] = 200000, work.inputs[0].device = CPU, work.inputs[1].device = CPU;
  work.output.device = FAR;
  far.memory = 100000;
  choice = choose(d, &work);
  assert_int_equal(choice.device, CPU);
  expect_words(&choice, "far left out: it needs 785.2 KiB more, 97.7 KiB are free there");
  moho_dispatcher_destroy(&d);
  d = dispatcher_of(MOHO_STRATEGY_FORCED, NULL);
  assert_fails(moho_dispatcher_choose(d, &work, &choice), MOHO_ERROR_NOT_AVAILABLE,
               "no device can compute add: far left out: it needs");
  moho_dispatcher_destroy(&d);
}

static void test_custom(void **state) {
  (void)state;
  moho_dispatcher_options options = moho_dispatcher_options_default();
  moho_dispatcher *d;
  options.strategy = MOHO_STRATEGY_CUSTOM;
  options.n_order[MOHO_DISPATCH_ELEMENTWISE] = 2, options.order[MOHO_DISPATCH_ELEMENTWISE][0] = FAR;
  options.order[MOHO_DISPATCH_ELEMENTWISE][1] = CPU;
  options.n_order[MOHO_DISPATCH_MATMUL] = 1, options.order[MOHO_DISPATCH_MATMUL][0] = FAR;
  assert_ok(moho_dispatcher_create(devices, 2, &options, &d));
  moho_dispatch_work work = add_of(10, CPU);
  assert_int_equal(choose(d, &work).device, FAR);
  work.operation = "gelu_erf"; /* a group without an order: as given */
  assert_int_equal(choose(d, &work).device, CPU);
  work.operation = "matmul";
  moho_dispatch_choice choice = choose(d, &work);
  assert_int_equal(choice.device, FAR);
  assert_null(strstr(choice.reason, "before")); /* nobody else is named */
  work.operation = "matmull";
  assert_fails(moho_dispatcher_choose(d, &work, &choice), MOHO_ERROR_NOT_FOUND, "matmull");
  moho_dispatcher_destroy(&d);
  options.order[MOHO_DISPATCH_ELEMENTWISE][1] = FAR;
  assert_fails(moho_dispatcher_create(devices, 2, &options, &d), MOHO_ERROR_ARGUMENT, "names device 1 twice");
  options.n_order[MOHO_DISPATCH_ELEMENTWISE] = 3;
  assert_fails(moho_dispatcher_create(devices, 2, &options, &d), MOHO_ERROR_ARGUMENT, "names 3 devices");
}

static void test_refused(void **state) {
  (void)state;
  moho_dispatcher *d;
  moho_dispatcher_options options = moho_dispatcher_options_default();
  moho_dispatch_choice choice;
  moho_strategy strategy;
  assert_fails(moho_dispatcher_create(devices, 0, NULL, &d), MOHO_ERROR_ARGUMENT, "0 devices, expected 1 to 8");
  assert_fails(moho_dispatcher_create((moho_device *[]){devices[0], devices[0]}, 2, NULL, &d), MOHO_ERROR_ARGUMENT, "again");
  options.strategy = MOHO_STRATEGY_FORCED, options.forced = 2;
  assert_fails(moho_dispatcher_create(devices, 2, &options, &d), MOHO_ERROR_ARGUMENT, "device 2, expected 0 to 1");
  assert_fails(moho_dispatcher_create(devices, 2, &(moho_dispatcher_options){0}, &d), MOHO_ERROR_ARGUMENT, "measure_seconds");
  assert_fails(moho_strategy_find("latensy", &strategy), MOHO_ERROR_NOT_FOUND, "latensy");
  assert_string_equal(moho_last_error()->hint, "did you mean \"latency\"?");
  for (int i = 0; i < MOHO_STRATEGY_COUNT; i++) {
    assert_ok(moho_strategy_find(moho_strategy_name((moho_strategy)i), &strategy));
    assert_int_equal(strategy, i);
  }
  d = dispatcher_of(MOHO_STRATEGY_LATENCY, NULL);
  moho_dispatch_work work = add_of(10, CPU);
  assert_fails(moho_dispatcher_choose(d, &work, &choice), MOHO_ERROR_NOT_FOUND, "there are no figures of cpu");
  work.inputs[1].device = 2;
  assert_fails(moho_dispatcher_choose(d, &work, &choice), MOHO_ERROR_ARGUMENT, "on device 2");
  static const char *const bad[][2] = {
      {"{", "line 1"},
      {"{\"format\": \"other\", \"devices\": []}", "expected {\"format\""},
      {"{\"format\": \"moho-dispatch-1\", \"devices\": [{\"uri\": \"far\"}]}", "to_device"},
      {"{\"format\": \"moho-dispatch-1\", \"devices\": [{\"uri\": \"near\"}]}", "of none of the 2"}};
  for (size_t i = 0; i < 4; i++)
    assert_fails(moho_dispatcher_give(d, bad[i][0]), i < 3 ? MOHO_ERROR_FORMAT : MOHO_ERROR_NOT_FOUND, bad[i][1]);
  static const char *const points[][2] = {{"[[2,1e-6],[1,1e-6]]", "ascend"},
                                          {"[[1,0]]", "above 0"},
                                          {"[[1]]", "as many numbers"},
                                          {"[]", "missing"},
                                          {"[[1,\"1\"]]", "above 0"}};
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    char text[300];
    snprintf(text, sizeof text, "{\"format\": \"moho-dispatch-1\", \"devices\": [{\"uri\": \"far\", \"to_device\": %s}]}",
             points[i][0]);
    assert_fails(moho_dispatcher_give(d, text), MOHO_ERROR_FORMAT, points[i][1]);
  }
  assert_fails(moho_dispatcher_choose(d, &work, &choice), MOHO_ERROR_ARGUMENT, "on device 2"); /* nothing was taken */
  moho_dispatcher_destroy(&d);
}

/* ---- runs ---- */

enum { ROWS = 7, COLUMNS = 33, N = ROWS * COLUMNS };

static moho_tensor tensor_on(int device, int rank, const size_t *shape, const float *data) {
  moho_tensor tensor;
  assert_ok(
      moho_tensor_from_host(devices[device], MOHO_DTYPE_F32, rank, shape, (void *)(uintptr_t)data, MOHO_HOST_COPY, &tensor));
  return tensor;
}

static void draw(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = (float)(floor(200 * test_uniform(&test_random)) - 100); /* sums and products are exact */
}

static moho_dispatcher *forced_on(int device) {
  moho_dispatcher_options options = moho_dispatcher_options_default();
  moho_dispatcher *d;
  options.strategy = MOHO_STRATEGY_FORCED;
  options.forced = device;
  assert_ok(moho_dispatcher_create(devices, DEVICES, &options, &d));
  return d;
}

/* a + row, wherever a, the row that is repeated, and the transposed output lie, wherever it is computed. */
static void check_add(int on, int a_at, int b_at, int out_at) {
  float a[N], b[COLUMNS], zeros[2 * N] = {0}, out[2 * N];
  draw(a, N), draw(b, COLUMNS);
  moho_dispatcher *d = forced_on(on);
  moho_tensor x = tensor_on(a_at, 2, (size_t[]){ROWS, COLUMNS}, a), row = tensor_on(b_at, 1, (size_t[]){COLUMNS}, b), rows;
  moho_tensor y = tensor_on(out_at, 2, (size_t[]){COLUMNS, 2 * ROWS}, zeros), half, turned;
  assert_ok(moho_tensor_broadcast(&row, 2, (size_t[]){ROWS, COLUMNS}, &rows));
  assert_ok(moho_tensor_slice(&y, 1, 1, 2 * ROWS, 2, &half));
  assert_ok(moho_tensor_transpose(&half, 0, 1, &turned));
  moho_dispatch_choice choice;
  moho_dispatch_counts counts;
  assert_ok(moho_dispatch_run(d, &(moho_tensor_call){.operation = MOHO_OPERATION_ADD, .inputs = {&x, &rows}, .output = &turned},
                              &choice));
  assert_int_equal(choice.device, on);
  assert_ok(moho_tensor_read(&y, out));
  for (size_t i = 0; i < N; i++)
    if (out[i % COLUMNS * 2 * ROWS + 2 * (i / COLUMNS) + 1] != a[i] + b[i % COLUMNS]) fail_msg("element %zu is wrong", i);
  for (size_t i = 0; i < 2 * N; i += 2)
    if (out[i] != 0) fail_msg("place %zu, which is not the output's, was written", i);
  assert_ok(moho_dispatcher_counts(d, on, &counts));
  size_t moved = (a_at != on) * sizeof a + (b_at != on) * sizeof a + (out_at != on) * sizeof a;
  assert_true(counts.moved_bytes <= moved && (counts.moved_bytes > 0) == (moved > 0));
  assert_int_equal(counts.ran, 1);
  assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&row)), assert_ok(moho_tensor_destroy(&y));
  moho_dispatcher_destroy(&d);
}

static void test_runs(void **state) {
  (void)state;
  for (int on = 0; on < DEVICES; on++)
    for (int where = 0; where < DEVICES * DEVICES * DEVICES; where++)
      check_add(on, where % DEVICES, where / DEVICES % DEVICES, where / DEVICES / DEVICES);
}

static void test_in_place(void **state) {
  (void)state;
  float a[N], out[N];
  draw(a, N);
  for (int on = 0; on < DEVICES; on++) {
    moho_dispatcher *d = forced_on(on);
    moho_tensor x = tensor_on(CPU, 1, (size_t[]){N}, a), half, rest;
    moho_tensor_call call = {.operation = MOHO_OPERATION_MUL, .inputs = {&x, NULL}, .output = &x, .scalars = {3}};
    assert_ok(moho_dispatch_run(d, &call, NULL));
    assert_ok(moho_tensor_read(&x, out));
    for (size_t i = 0; i < N; i++) assert_true(out[i] == 3 * a[i]);
    assert_ok(moho_tensor_slice(&x, 0, 0, 100, 1, &half));
    assert_ok(moho_tensor_slice(&x, 0, 1, 101, 1, &rest));
    call = (moho_tensor_call){.operation = MOHO_OPERATION_COPY, .inputs = {&half}, .output = &rest};
    assert_fails(moho_dispatch_run(d, &call, NULL), MOHO_ERROR_ARGUMENT, "overlaps");
    assert_ok(moho_tensor_destroy(&x));
    moho_dispatcher_destroy(&d);
  }
}

/* C = 2 A' B + 3 C + bias, then relu. */
static void test_matmul(void **state) {
  (void)state;
  enum { M = 5, K = 17, COLUMNS_OF_C = 9 };
  float a[K * M], b[K * COLUMNS_OF_C], c[M * COLUMNS_OF_C], bias[COLUMNS_OF_C], out[M * COLUMNS_OF_C];
  draw(a, K * M), draw(b, K * COLUMNS_OF_C), draw(c, M * COLUMNS_OF_C), draw(bias, COLUMNS_OF_C);
  for (int on = 0; on < DEVICES; on++) {
    moho_dispatcher *d = forced_on(on);
    moho_tensor x = tensor_on(CPU, 2, (size_t[]){K, M}, a), y = tensor_on(FAR, 2, (size_t[]){K, COLUMNS_OF_C}, b);
    moho_tensor z = tensor_on(UNDER_TEST, 2, (size_t[]){M, COLUMNS_OF_C}, c),
                row = tensor_on(FAR, 1, (size_t[]){COLUMNS_OF_C}, bias);
    moho_matmul_options options = moho_matmul_options_default();
    options.alpha = 2, options.beta = 3, options.transpose_a = 1, options.bias = &row, options.activation = MOHO_OPERATION_RELU;
    assert_ok(moho_dispatch_matmul(d, &x, &y, &z, &options, NULL));
    assert_ok(moho_tensor_read(&z, out));
    for (size_t i = 0; i < M * COLUMNS_OF_C; i++) {
      double sum = 0;
      for (size_t k = 0; k < K; k++) sum += (double)a[k * M + i / COLUMNS_OF_C] * (double)b[k * COLUMNS_OF_C + i % COLUMNS_OF_C];
      sum = 2 * sum + 3 * (double)c[i] + (double)bias[i % COLUMNS_OF_C];
      assert_true((double)out[i] == fmax(sum, 0));
    }
    assert_fails(moho_dispatch_matmul(d, &x, &y, &x, NULL, NULL), MOHO_ERROR_ARGUMENT, "overlaps");
    assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&y)), assert_ok(moho_tensor_destroy(&z));
    assert_ok(moho_tensor_destroy(&row));
    moho_dispatcher_destroy(&d);
  }
}

/* Integer sums of -1, 0, 1 by bytes, against sums on the host. */
static void test_bitnet(void **state) {
  (void)state;
  enum { M = 3, K = 70, OUTPUTS = 66 };
  float x[M * K];
  int8_t q[OUTPUTS * K];
  int32_t out[M * OUTPUTS];
  for (size_t i = 0; i < M * K; i++) x[i] = i % K ? (float)floor(255 * test_uniform(&test_random)) - 127 : 127;
  for (size_t i = 0; i < OUTPUTS * K; i++) q[i] = (int8_t)(floor(3 * test_uniform(&test_random)) - 1);
  const moho_ternary_options scheme = {MOHO_TERNARY_ABSMEAN, MOHO_TERNARY_PER_TENSOR, 0};
  for (int on = 0; on < DEVICES; on++) {
    moho_dispatcher *d = forced_on(on);
    moho_bitnet_weights weights;
    assert_ok(moho_bitnet_weights_from_values(devices[CPU], q, &(float){1}, OUTPUTS, K, &scheme, &weights));
    moho_tensor in = tensor_on(UNDER_TEST, 2, (size_t[]){M, K}, x), y;
    assert_ok(moho_tensor_create(devices[FAR], MOHO_DTYPE_I32, 2, (size_t[]){M, OUTPUTS}, &y));
    assert_ok(moho_dispatch_bitnet_linear(d, &weights, &in, &y, NULL, NULL));
    assert_ok(moho_tensor_read(&y, out));
    for (size_t i = 0; i < M * OUTPUTS; i++) { /* |x| is at most 127, so s = 1 */
      int sum = 0;
      for (size_t k = 0; k < K; k++) sum += (int)x[i / OUTPUTS * K + k] * q[i % OUTPUTS * K + k];
      assert_int_equal(out[i], sum);
    }
    assert_ok(moho_tensor_destroy(&in)), assert_ok(moho_tensor_destroy(&y)), assert_ok(moho_bitnet_weights_destroy(&weights));
    moho_dispatcher_destroy(&d);
  }
}

static void test_may_not_move(void **state) {
  (void)state;
  moho_dispatcher_options options = moho_dispatcher_options_default();
  moho_dispatcher *d;
  float a[4] = {1, 2, 3, 4};
  options.strategy = MOHO_STRATEGY_PRIORITY, options.may_move = 0;
  assert_ok(moho_dispatcher_create(devices, 2, &options, &d));
  moho_tensor x = tensor_on(FAR, 1, (size_t[]){4}, a), y = tensor_on(FAR, 1, (size_t[]){4}, a),
              z = tensor_on(CPU, 1, (size_t[]){4}, a);
  moho_dispatch_choice choice;
  moho_tensor_call call = {.operation = MOHO_OPERATION_ADD, .inputs = {&x, &x}, .output = &y};
  assert_ok(moho_dispatch_run(d, &call, &choice));
  assert_int_equal(choice.device, FAR);
  expect_words(&choice, "an operand lies elsewhere and may not be moved");
  call.output = &z;
  assert_fails(moho_dispatch_run(d, &call, NULL), MOHO_ERROR_NOT_AVAILABLE, "no device can compute add");
  assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&y)), assert_ok(moho_tensor_destroy(&z));
  moho_dispatcher_destroy(&d);
  moho_tensor stranger;
  d = dispatcher_of(MOHO_STRATEGY_PRIORITY, NULL);
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){4}, &stranger));
  call = (moho_tensor_call){.operation = MOHO_OPERATION_ABS, .inputs = {&stranger}, .output = &stranger};
  assert_fails(moho_dispatch_run(d, &call, NULL), MOHO_ERROR_ARGUMENT, "which is none of the dispatcher's");
  assert_ok(moho_tensor_destroy(&stranger));
  moho_dispatcher_destroy(&d);
}

/* ---- faults ---- */

typedef struct fault {
  const char *words;
  moho_status status;
  int reason; /* -1: no fallback */
  void (*provoke)(size_t bytes);
} fault;

static void no_compiler(size_t bytes) {
  (void)bytes;
  far.refuse_compile = 1;
}
/* Free is what the operands need, the pool's rounding needs more. */
static void no_room(size_t bytes) {
  far.memory = far.held + 2 * bytes + 4;
}
static void falls_off(size_t bytes) {
  (void)bytes;
  far.lose = 1;
}
static void is_killed(size_t bytes) {
  (void)bytes;
  far.kill = 1;
}

static void check_fault(const fault *f, moho_strategy strategy) {
  enum { ODD = 1001 };
  float a[ODD], out[ODD];
  moho_dispatch_choice choice;
  moho_dispatch_counts of_far, of_cpu;
  begin(NULL);
  const simple far_is_fast[2] = {{1, 0, 0, 1e-9, 1e-9}, {1e-5, 0, 0, 1e-10, 1e-10}};
  moho_dispatcher *d = dispatcher_of(strategy, far_is_fast);
  draw(a, ODD);
  moho_tensor x = tensor_on(CPU, 1, (size_t[]){ODD}, a), y = tensor_on(CPU, 1, (size_t[]){ODD}, a);
  f->provoke(sizeof a);
  int falls_back = strategy != MOHO_STRATEGY_FORCED && f->reason >= 0;
  moho_tensor_call call = {.operation = MOHO_OPERATION_NEG, .inputs = {&x}, .output = &y};
  moho_status status = moho_dispatch_run(d, &call, &choice);
  if (falls_back) {
    assert_ok(status);
    assert_int_equal(choice.device, CPU);
    assert_int_equal(choice.fallbacks, 1);
    expect_words(&choice, "far could not: ");
    expect_words(&choice, f->words);
  } else {
    assert_int_equal(status, f->status);
    assert_non_null(strstr(moho_last_error()->message, f->words));
  }
  assert_ok(moho_tensor_read(&y, out));
  for (size_t i = 0; i < ODD; i++) assert_true(out[i] == (falls_back ? -a[i] : a[i]));
  assert_ok(moho_dispatcher_counts(d, FAR, &of_far));
  assert_ok(moho_dispatcher_counts(d, CPU, &of_cpu));
  assert_int_equal(of_cpu.ran, falls_back);
  assert_int_equal(of_far.ran, 0);
  assert_int_equal(of_far.chosen, 1);
  for (int r = 0; r < MOHO_FALLBACK_REASONS; r++) assert_int_equal(of_far.fell_back[r], falls_back && r == f->reason);
  if (f->reason == MOHO_FALLBACK_LOST && falls_back) { /* from now on it is not tried */
    assert_ok(moho_dispatch_run(d, &call, &choice));
    assert_int_equal(choice.fallbacks, 0);
    expect_words(&choice, "far left out: ");
    assert_ok(moho_dispatcher_counts(d, FAR, &of_far));
    assert_int_equal(of_far.fell_back[MOHO_FALLBACK_LOST], 1);
  }
  assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&y));
  moho_dispatcher_destroy(&d);
  end(NULL);
}

static void test_faults(void **state) {
  static const fault faults[] = {
      {"no compiler for tensor_map", MOHO_ERROR_NOT_AVAILABLE, MOHO_FALLBACK_NOT_AVAILABLE, no_compiler},
      {"no room on the shelf", MOHO_ERROR_MEMORY, MOHO_FALLBACK_MEMORY, no_room},
      {"fallen off the bus", MOHO_ERROR_LOST, MOHO_FALLBACK_LOST, falls_off},
      {"the command was killed", MOHO_ERROR_DEVICE, -1, is_killed}};
  end(state);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    check_fault(&faults[i], MOHO_STRATEGY_LATENCY);
    check_fault(&faults[i], MOHO_STRATEGY_FORCED);
  }
  begin(state);
}

/* What lies on a lost device is lost: no other one can help, and none is counted. */
static void test_lost_operand(void **state) {
  (void)state;
  moho_dispatcher *d = dispatcher_of(MOHO_STRATEGY_PRIORITY, NULL);
  float a[4] = {1, 2, 3, 4};
  moho_dispatch_counts counts;
  moho_tensor x = tensor_on(FAR, 1, (size_t[]){4}, a), y = tensor_on(CPU, 1, (size_t[]){4}, a);
  far.lose = 1;
  moho_tensor_call call = {.operation = MOHO_OPERATION_NEG, .inputs = {&x}, .output = &y};
  assert_fails(moho_dispatch_run(d, &call, NULL), MOHO_ERROR_LOST, "fallen off the bus");
  assert_ok(moho_dispatcher_counts(d, CPU, &counts));
  for (int r = 0; r < MOHO_FALLBACK_REASONS; r++) assert_int_equal(counts.fell_back[r], 0);
  moho_tensor_destroy(&x);
  assert_ok(moho_tensor_destroy(&y));
  moho_dispatcher_destroy(&d);
}

/* The caller's mistake is no fallback either. */
static void test_mistakes(void **state) {
  (void)state;
  moho_dispatcher *d = dispatcher_of(MOHO_STRATEGY_PRIORITY, NULL);
  moho_tensor a, b;
  moho_dispatch_counts counts;
  assert_ok(moho_tensor_create(devices[CPU], MOHO_DTYPE_F32, 1, (size_t[]){4}, &a));
  assert_ok(moho_tensor_create(devices[FAR], MOHO_DTYPE_F32, 1, (size_t[]){5}, &b));
  moho_tensor_call call = {.operation = MOHO_OPERATION_NEG, .inputs = {&a}, .output = &b};
  assert_fails(moho_dispatch_run(d, &call, NULL), MOHO_ERROR_SHAPE, "neg: operand x");
  call.output = NULL;
  assert_fails(moho_dispatch_run(d, &call, NULL), MOHO_ERROR_ARGUMENT, "without output");
  for (int i = 0; i < 2; i++) {
    assert_ok(moho_dispatcher_counts(d, i, &counts));
    assert_int_equal(counts.ran + counts.fell_back[0] + counts.fell_back[1] + counts.fell_back[2], 0);
  }
  assert_ok(moho_tensor_destroy(&a)), assert_ok(moho_tensor_destroy(&b));
  moho_dispatcher_destroy(&d);
}

/* ---- measured and kept ---- */

static moho_dispatcher *quick(int n) {
  moho_dispatcher_options options = moho_dispatcher_options_default();
  moho_dispatcher *d;
  options.measure_seconds = 1e-4;
  assert_ok(moho_dispatcher_create(devices, (size_t)n, &options, &d));
  return d;
}

static int stop(void *user, const moho_progress *progress) {
  (void)user;
  return progress->done >= 1;
}

static void test_measure(void **state) {
  (void)state;
  moho_dispatcher *d = quick(DEVICES), *other = quick(DEVICES);
  moho_dispatch_estimate e, same;
  assert_ok(moho_dispatcher_measure(d, 0, NULL, NULL));
  char *text = moho_dispatcher_figures(d);
  assert_non_null(text);
  assert_ok(moho_dispatcher_give(other, text));
  for (int i = 0; i < DEVICES; i++)
    for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++) {
      double last = 0;
      for (double size = 1e3; size < 1e10; size *= 100) {
        assert_ok(moho_dispatcher_estimate(d, (moho_dispatch_group)g, size, i, CPU, &e));
        assert_ok(moho_dispatcher_estimate(other, (moho_dispatch_group)g, size, i, CPU, &same));
        assert_true(e.alone_s > 0 && e.among_many_s > 0 && e.alone_s < 1e9 && (e.move_s > 0) == (i != CPU));
        if (fabs(e.alone_s / same.alone_s - 1) > 1e-3) fail_msg("%g s became %g s", e.alone_s, same.alone_s);
        last = e.alone_s;
      }
      assert_true(last > 1e-6); /* ten gigabytes in a microsecond are a mistake */
    }
  free(text);
  moho_dispatcher_destroy(&d);
  d = quick(2);
  assert_fails(moho_dispatcher_measure(d, 0, stop, NULL), MOHO_ERROR_INTERRUPTED, "stopped after 1 of 2");
  moho_dispatcher_destroy(&d);
  moho_dispatcher_destroy(&other);
}

static size_t far_transfers_of_measuring(int again) {
  moho_dispatcher *d = quick(2);
  size_t before = far.transfers;
  assert_ok(moho_dispatcher_measure(d, again, NULL, NULL));
  moho_dispatcher_destroy(&d);
  return far.transfers - before;
}

static void test_kept(void **state) {
  (void)state;
  char command[600];
  unsetenv("MOHO_CACHE");
  setenv("XDG_CACHE_HOME", test_directory(), 1);
  assert_true(far_transfers_of_measuring(0) > 20);
  assert_int_equal(far_transfers_of_measuring(0), 0);
  assert_true(far_transfers_of_measuring(1) > 20);
  snprintf(command, sizeof command, "for f in %s/moho/dispatch-*.json; do printf '{' > $f; done", test_directory());
  assert_int_equal(system(command), 0);
  assert_true(far_transfers_of_measuring(0) > 20); /* damaged: measured and written again */
  assert_int_equal(far_transfers_of_measuring(0), 0);
  setenv("MOHO_CACHE", "off", 1);
  assert_true(far_transfers_of_measuring(0) > 20);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(test_estimates),    TEST(test_interpolation), TEST(test_strategies),   TEST(test_memory),
      TEST(test_custom),       TEST(test_refused),       TEST(test_runs),         TEST(test_in_place),
      TEST(test_matmul),       TEST(test_bitnet),        TEST(test_may_not_move), TEST(test_faults),
      TEST(test_lost_operand), TEST(test_mistakes),      TEST(test_measure),      TEST(test_kept)};
  return cmocka_run_group_tests(tests, open_devices, test_tensor_end);
}
