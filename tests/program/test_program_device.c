/* test_program_device.c - launches on the device under test: sizes, shapes, several under way, faults at wait, what is refused,
 * and that compiled text is kept by program, not by buffers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_support.h"
#include "random_program.h"

static moho_device *device;
static moho_device_report report;
static moho_queue *queue;

static int setup(void **state) {
  (void)state;
  device = test_device_open("");
  assert_ok(moho_device_describe(device, &report));
  assert_ok(moho_queue_create(device, &queue));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  assert_ok(moho_queue_destroy(&queue));
  test_device_close(&device);
  return 0;
}

static moho_program *program_of(const char *text) {
  moho_program *program;
  assert_ok(moho_program_assemble(text, "test.mp", &program));
  return program;
}

static moho_program_executable *executable_of(const char *text) {
  moho_program *program = program_of(text);
  moho_program_executable *executable;
  assert_ok(moho_program_prepare(program, device, &executable));
  moho_program_destroy(&program);
  return executable;
}

static moho_buffer *floats(size_t n, float value) {
  moho_buffer *buffer;
  uint32_t word;
  memcpy(&word, &value, sizeof word);
  assert_ok(moho_buffer_create(device, n * sizeof(float), MOHO_MEMORY_DEVICE, &buffer));
  assert_ok(moho_buffer_fill(buffer, 0, n * sizeof(float), word));
  return buffer;
}

static moho_status finish(moho_program_run **run, moho_program_fault *fault) {
  moho_ticket ticket;
  assert_ok(moho_queue_submit(queue, &ticket));
  return moho_program_wait(run, -1, fault);
}

static const char scale_text[] =
    "program scale\nscalar f32 s\nscalar u32 n\nbuffer in f32 x\nbuffer inout f32 y\n"
    "register u32 i, end\nregister f32 a, b, c\npredicate p\n"
    "  get i, id\n  param end, n\n  compare.lt p, i, end\n  if p\n    load a, x[i]\n    load b, y[i]\n"
    "    param c, s\n    fma b, c, a, b\n    store y[i], b\n  end\n";

/* y = s x + y, n elements in groups of `lanes` */
static void scale(size_t n, uint32_t lanes) {
  moho_program_executable *executable = executable_of(scale_text);
  moho_program_run *run;
  moho_program_fault fault;
  float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y), *got = malloc(n * sizeof *got);
  moho_buffer *on_device[] = {floats(n, 0), floats(n, 0)};
  for (size_t i = 0; i < n; i++) x[i] = sinf((float)i), y[i] = cosf((float)i);
  assert_ok(moho_buffer_write(on_device[0], 0, x, n * sizeof *x));
  assert_ok(moho_buffer_write(on_device[1], 0, y, n * sizeof *y));
  moho_program_launch_options launch = {.buffers = (moho_program_binding[]){{on_device[0], 0, n}, {on_device[1], 0, n}},
                                        .n_buffers = 2,
                                        .scalars = (moho_program_value[]){{.f = 1.25}, {.u = n}},
                                        .n_scalars = 2,
                                        .groups = {(uint32_t)((n + lanes - 1) / lanes)},
                                        .lanes = {lanes}};
  assert_ok(moho_program_launch(executable, queue, &launch, &run));
  assert_ok(finish(&run, &fault));
  assert_int_equal(fault.happened, 0);
  assert_ok(moho_buffer_read(on_device[1], 0, got, n * sizeof *got));
  for (size_t i = 0; i < n; i++)
    if (got[i] != fmaf(1.25f, x[i], y[i])) fail_msg("n %zu, lanes %u: element %zu", n, lanes, i);
  for (int k = 0; k < 2; k++) assert_ok(moho_buffer_destroy(&on_device[k]));
  assert_ok(moho_program_executable_destroy(&executable));
  free(x), free(y), free(got);
}

static void sizes(void **state) {
  (void)state;
  static const size_t n[] = {1, 31, 32, 33, 255, 257, 1023, 4096};
  for (size_t i = 0; i < sizeof n / sizeof *n; i++) scale(n[i], 1 + (uint32_t)(97 * i) % 256);
  scale(report.has_native ? 1000003 : 20011, 256);
  if (report.max_lanes >= 512) scale(5000, 512); /* another compilation where text is compiled */
}

/* All 256 registers of a lane at once: the sum of k^2 (id + 1) over the 255 beside the index. */
static void every_register(void **state) {
  (void)state;
  enum { LANES_EACH = 33, GROUPS = 3, N = LANES_EACH * GROUPS };
  char text[16000] = "program many\nbuffer out u32 y\nregister u32 i, t[255]\nget i, id.x\n";
  uint32_t got[N], squares = 0;
  for (unsigned k = 0; k < 255; k++) {
    snprintf(text + strlen(text), 60, "set t%u, %u\nmad t%u, t%u, i, t%u\n", k, k * k, k, k, k);
    squares += k * k;
  }
  strcat(text, "reduce.add i, t0..t254\nget t0, id.x\nstore y[t0], i\n");
  moho_program_executable *executable = executable_of(text);
  moho_program_run *run;
  moho_buffer *y;
  assert_ok(moho_buffer_create(device, sizeof got, MOHO_MEMORY_DEVICE, &y));
  moho_program_launch_options launch = {
      .buffers = &(moho_program_binding){y, 0, N}, .n_buffers = 1, .groups = {GROUPS}, .lanes = {LANES_EACH}};
  assert_ok(moho_program_launch(executable, queue, &launch, &run));
  assert_ok(finish(&run, NULL));
  assert_ok(moho_buffer_read(y, 0, got, sizeof got));
  for (uint32_t i = 0; i < N; i++) assert_int_equal(got[i], squares * (i + 1));
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_program_executable_destroy(&executable));
}

static void several_under_way(void **state) {
  (void)state;
  enum { RUNS = 12, N = 1000 };
  moho_program_executable *executable = executable_of(scale_text);
  moho_program_run *runs[RUNS];
  moho_buffer *x = floats(N, 1), *y = floats(N, 0);
  moho_ticket ticket;
  float got[N];
  for (int r = 0; r < RUNS; r++) {
    moho_program_launch_options launch = {.buffers = (moho_program_binding[]){{x, 0, N}, {y, 0, N}},
                                          .n_buffers = 2,
                                          .scalars = (moho_program_value[]){{.f = r}, {.u = N}},
                                          .n_scalars = 2,
                                          .groups = {(N + 99) / 100},
                                          .lanes = {100}};
    assert_ok(moho_program_launch(executable, queue, &launch, &runs[r]));
    if (r % 3 == 0) assert_ok(moho_queue_submit(queue, &ticket));
  }
  assert_ok(moho_program_executable_destroy(&executable)); /* the runs keep it */
  assert_ok(moho_queue_submit(queue, &ticket));
  for (int r = RUNS; r-- > 0;) assert_ok(moho_program_wait(&runs[r], -1, NULL));
  assert_ok(moho_buffer_read(y, 0, got, sizeof got));
  for (int i = 0; i < N; i++) assert_true(got[i] == RUNS * (RUNS - 1) / 2);
  assert_ok(moho_buffer_destroy(&x));
  assert_ok(moho_buffer_destroy(&y));
}

/* Lanes 70 to 79 read beyond the end, lanes from 40 on divide by zero: the lowest id is told, with its first instruction. */
static void faults_come_at_wait(void **state) {
  (void)state;
  enum { N = 70, LANES = 80 };
  moho_program_executable *executable = executable_of(
      "program faults\nscalar i32 from\nbuffer in f32 x\nbuffer inout f32 y\nregister i32 i, k, d, z\nregister f32 a\n"
      "predicate p\n  get i, id\n  param k, from\n  set z, 0\n  compare.ge p, i, k\n  load a, x[i]\n  select d, p, z, k\n"
      "  div d, i, d\n  store y[i], a\n");
  moho_buffer *x = floats(N, 7), *y = floats(LANES, -1);
  for (int from = 40; from <= 1000; from += 960) {
    moho_program_run *run;
    moho_program_fault fault;
    moho_program_launch_options launch = {.buffers = (moho_program_binding[]){{x, 0, N}, {y, 0, LANES}},
                                          .n_buffers = 2,
                                          .scalars = &(moho_program_value){.i = from},
                                          .n_scalars = 1,
                                          .groups = {2, 1, 2},
                                          .lanes = {5, 4}};
    float got[LANES];
    assert_ok(moho_program_launch(executable, queue, &launch, &run));
    assert_ok(finish(&run, &fault));
    assert_int_equal(fault.happened, 1);
    assert_int_equal(fault.id, from == 40 ? 40 : 70);
    assert_int_equal(fault.instruction, from == 40 ? 6 : 4);
    assert_int_equal(fault.kind, from == 40 ? MOHO_PROGRAM_DIV : MOHO_PROGRAM_LOAD);
    assert_ok(moho_buffer_read(y, 0, got, sizeof got));
    for (int i = 0; i < LANES; i++) assert_true(got[i] == (i < N ? 7 : 0));
  }
  assert_ok(moho_buffer_destroy(&x));
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_program_executable_destroy(&executable));
}

static void what_is_refused(void **state) {
  (void)state;
  moho_program_executable *executable = executable_of(scale_text);
  moho_buffer *x = floats(64, 1), *y = floats(64, 1);
  moho_program_run *run = NULL;
  moho_program_binding good[] = {{x, 0, 64}, {y, 0, 64}}, longer[] = {{x, 16, 64}, {y, 0, 64}}, same[] = {{x, 0, 64}, {x, 0, 64}};
  moho_program_value scalars[] = {{.f = 1}, {.u = 64}}, large[] = {{.f = 1}, {.u = 1ull << 33}};
  moho_program_launch_options launch = {
      .buffers = good, .n_buffers = 2, .scalars = scalars, .n_scalars = 2, .groups = {1}, .lanes = {64}};
  moho_program_launch_options wrong = launch;
  wrong.n_buffers = 1;
  assert_fails(moho_program_launch(executable, queue, &wrong, &run), MOHO_ERROR_ARGUMENT, "got 1 buffers");
  wrong = launch, wrong.n_scalars = 0;
  assert_fails(moho_program_launch(executable, queue, &wrong, &run), MOHO_ERROR_ARGUMENT, "got 0 scalars");
  wrong = launch, wrong.buffers = longer;
  assert_fails(moho_program_launch(executable, queue, &wrong, &run), MOHO_ERROR_RANGE,
               "buffer x: 64 elements of f32 from byte 16");
  wrong = launch, wrong.buffers = same;
  assert_fails(moho_program_launch(executable, queue, &wrong, &run), MOHO_ERROR_ARGUMENT, "are the same memory");
  wrong = launch, wrong.scalars = large;
  assert_fails(moho_program_launch(executable, queue, &wrong, &run), MOHO_ERROR_RANGE, "");
  wrong = launch, wrong.lanes[1] = 17;
  assert_fails(moho_program_launch(executable, queue, &wrong, &run), MOHO_ERROR_RANGE, "1024");
  assert_null(run);
  assert_ok(moho_program_launch(executable, queue, &launch, &run));
  assert_fails(moho_program_wait(&run, 1, NULL), MOHO_ERROR_ARGUMENT, "never submitted"); /* and stays */
  assert_non_null(run);
  assert_ok(finish(&run, NULL));
  assert_null(run);
  assert_ok(moho_buffer_destroy(&x));
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_program_executable_destroy(&executable));
}

static void doubles_where_there_are_none(void **state) {
  (void)state;
  moho_program *program = program_of("program wide\nbuffer in f32 x\nbuffer out f32 y\nregister f32 a\nregister f64 d\n"
                                     "  load a, x[0]\n  convert d, a\n  sqrt d, d\n  convert a, d\n  store y[0], a\n");
  moho_program_executable *executable = NULL;
  if (report.has_double) {
    assert_ok(moho_program_supports(program, device));
  } else {
    assert_fails(moho_program_supports(program, device), MOHO_ERROR_NOT_AVAILABLE,
                 "instruction 1 (convert d, a) computes in f64");
    assert_fails(moho_program_prepare(program, device, &executable), MOHO_ERROR_NOT_AVAILABLE, "f64");
    assert_null(executable);
  }
  moho_program_destroy(&program);
}

/* ---- functions against libm ---- */

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static double inverse_root(double x) {
  return 1 / sqrt(x);
}

/* docs/program.md "Executions": f32; f64 has 3, f16 and bf16 half a unit of theirs and a little. */
static const struct {
  moho_program_operation op;
  double (*exact)(double);
  double ulps;
} functions[] = {{MOHO_PROGRAM_EXP, exp, 1},     {MOHO_PROGRAM_LOG, log, 1},          {MOHO_PROGRAM_LOG2, log2, 2},
                 {MOHO_PROGRAM_LOG10, log10, 2}, {MOHO_PROGRAM_SQRT, sqrt, 0.5},      {MOHO_PROGRAM_RSQRT, inverse_root, 1.5},
                 {MOHO_PROGRAM_SIN, sin, 2},     {MOHO_PROGRAM_COS, cos, 2},          {MOHO_PROGRAM_TAN, tan, 4},
                 {MOHO_PROGRAM_TANH, tanh, 1.5}, {MOHO_PROGRAM_SIGMOID, sigmoid, 2.5}};
enum { FUNCTIONS = sizeof functions / sizeof *functions, ARGUMENTS = 3000 };

typedef struct float_form {
  moho_program_type type;
  int digits, least_exponent; /* of the significand in bits; of the smallest normal number */
  double most;
} float_form;

static double allowed_ulps(const float_form *form, double ulps) {
  return form->type == MOHO_PROGRAM_F32 ? ulps : form->type == MOHO_PROGRAM_F64 ? (ulps > 0.5 ? 3 : 0.5) : 0.502;
}

static double ulps_off(const float_form *form, double got, double exact) {
  int exponent;
  if (isnan(exact)) return isnan(got) ? 0 : INFINITY;
  if (isinf(got)) return fabs(exact) >= form->most && (got > 0) == (exact > 0) ? 0 : INFINITY;
  if (fabs(exact) < 0x1p-125 && form->type != MOHO_PROGRAM_F64 && got == 0) return 0; /* a device may flush denormal floats */
  frexp(exact, &exponent);
  if (exponent <= form->least_exponent) exponent = form->least_exponent + 1;
  return fabs(got - exact) / ldexp(1, exponent - form->digits);
}

static moho_program *program_of_functions(moho_program_type type) {
  moho_program_builder *b;
  moho_program *program;
  assert_ok(moho_program_builder_create("functions", &b));
  int i = moho_program_add_register(b, MOHO_PROGRAM_U32, NULL), x = moho_program_add_register(b, type, NULL);
  int y = moho_program_add_register(b, type, NULL), from = moho_program_add_buffer(b, type, MOHO_PROGRAM_IN, NULL);
  moho_program_get(b, i, MOHO_PROGRAM_ID);
  moho_program_load_element(b, x, (moho_program_address){MOHO_PROGRAM_BUFFER, from, i, 0});
  for (int f = 0; f < FUNCTIONS; f++) {
    int to = moho_program_add_buffer(b, type, MOHO_PROGRAM_OUT, NULL);
    moho_program_emit(b, functions[f].op, y, x, -1, -1);
    moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_BUFFER, to, i, 0}, y);
  }
  assert_ok(moho_program_builder_finish(&b, &program));
  return program;
}

/* Arguments of every size at which something happens, positive mostly: half of the functions want that. */
static double argument(uint64_t *state) {
  static const double scales[] = {0.3, 1, 3, 12, 80, 3e4, 1e9};
  double x = test_normal(state) * scales[(int)(test_uniform(state) * 7)];
  return test_uniform(state) < 0.3 ? x : fabs(x);
}

static void check_functions(const float_form *form) {
  size_t width = moho_program_type_bytes(form->type);
  moho_program *program = program_of_functions(form->type);
  program_data given = {.groups = {ARGUMENTS / 100, 1, 1}, .lanes = {100, 1, 1}}, got;
  moho_program_fault fault;
  uint64_t state = 7, bits = 0;
  for (int k = 0; k <= FUNCTIONS; k++) {
    given.length[k] = ARGUMENTS, given.bytes[k] = ARGUMENTS * width;
    given.data[k] = calloc(ARGUMENTS, width);
    assert_non_null(given.data[k]);
  }
  for (size_t i = 0; i < ARGUMENTS; i++) {
    bits = moho_real_bits((int)form->type, argument(&state));
    memcpy((char *)given.data[0] + i * width, &bits, width);
  }
  program_run_on(device, program, &given, &got, &fault);
  for (int f = 0; f < FUNCTIONS; f++)
    for (size_t i = 0; i < ARGUMENTS; i++) {
      uint64_t in = 0, out = 0;
      memcpy(&in, (char *)given.data[0] + i * width, width);
      memcpy(&out, (char *)got.data[f + 1] + i * width, width);
      double x = moho_real_of_bits((int)form->type, in), exact = functions[f].exact(x);
      double off = ulps_off(form, moho_real_of_bits((int)form->type, out), exact);
      if (!(off <= allowed_ulps(form, functions[f].ulps)))
        fail_msg("%s, function %d of %.17g: %g units off", moho_program_type_name(form->type), f, x, off);
    }
  program_data_free(&given);
  program_data_free(&got);
  moho_program_destroy(&program);
}

static void functions_against_libm(void **state) {
  (void)state;
  static const float_form forms[] = {{MOHO_PROGRAM_F32, 24, -126, 0x1.fffffep127},
                                     {MOHO_PROGRAM_F16, 11, -14, 65519},
                                     {MOHO_PROGRAM_BF16, 8, -126, 0x1.fep127},
                                     {MOHO_PROGRAM_F64, 53, -1022, 0x1.fffffffffffffp1023}};
  for (int i = 0; i < 3 + report.has_double; i++) check_functions(&forms[i]);
}

/* The second executable of a program, whatever it is bound to, compiles nothing. */
static void text_is_kept_by_program(void **state) {
  (void)state;
  moho_program_executable *first = executable_of(scale_text);
  uint64_t misses = test_metrics_of(device).cache_misses + test_metrics_of(device).cache_disk_hits;
  moho_program_executable *second = executable_of(scale_text);
  for (size_t n = 100; n <= 300; n += 100) {
    moho_buffer *x = floats(n, 1), *y = floats(n, 1);
    moho_program_run *run;
    moho_program_launch_options launch = {.buffers = (moho_program_binding[]){{x, 0, n}, {y, 0, n}},
                                          .n_buffers = 2,
                                          .scalars = (moho_program_value[]){{.f = (double)n}, {.u = n}},
                                          .n_scalars = 2,
                                          .groups = {3}};
    assert_ok(moho_program_launch(second, queue, &launch, &run));
    assert_ok(finish(&run, NULL));
    assert_ok(moho_buffer_destroy(&x));
    assert_ok(moho_buffer_destroy(&y));
  }
  assert_int_equal(test_metrics_of(device).cache_misses + test_metrics_of(device).cache_disk_hits, misses);
  assert_ok(moho_program_executable_destroy(&first));
  assert_ok(moho_program_executable_destroy(&second));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sizes),
                                     cmocka_unit_test(every_register),
                                     cmocka_unit_test(several_under_way),
                                     cmocka_unit_test(faults_come_at_wait),
                                     cmocka_unit_test(what_is_refused),
                                     cmocka_unit_test(doubles_where_there_are_none),
                                     cmocka_unit_test(functions_against_libm),
                                     cmocka_unit_test(text_is_kept_by_program)};
  return cmocka_run_group_tests_name("program_device", tests, setup, teardown);
}
