/* test_program_launch.c - launches of programs on the device under test (MOHO_DEVICE): bound anew each time, in a queue's order,
 * each with its own fault; what a launch may not bring; who may be destroyed when.
 */
#include <stdio.h>
#include <string.h>

#include "device_support.h"
#include "program_support.h"

static const char scale[] =
    "program scale\nscalar i32 by\nbuffer inout i32 x\nregister u32 i, n\nregister i32 v, factor\npredicate inside\n"
    "get i, id\nlength n, x\nparam factor, by\ncompare.lt inside, i, n\nif inside\nload v, x[i]\nmul v, v, factor\n"
    "div v, v, factor\nmul v, v, factor\nstore x[i], v\nend\n";
enum { N = 1000 };

typedef struct bench {
  moho_device *device;
  moho_queue *queue;
  moho_buffer *x;
  int32_t host[N];
} bench;

static void bench_open(bench *b) {
  b->device = test_device_open("");
  assert_ok(moho_queue_create(b->device, &b->queue));
  assert_ok(moho_buffer_create(b->device, sizeof b->host, MOHO_MEMORY_DEVICE, &b->x));
  for (int i = 0; i < N; i++) b->host[i] = i - 500;
  assert_ok(moho_buffer_write(b->x, 0, b->host, sizeof b->host));
}

static void bench_close(bench *b) {
  assert_ok(moho_queue_destroy(&b->queue));
  assert_ok(moho_buffer_destroy(&b->x));
  test_device_close(&b->device);
}

static moho_program_executable *executable_of(moho_device *device, const char *text) {
  moho_program_executable *executable;
  moho_program *program = program_of(text);
  assert_ok(moho_program_prepare(program, device, &executable));
  moho_program_destroy(&program); /* executables made of it stay */
  return executable;
}

static void submit(bench *b) {
  moho_ticket ticket;
  assert_ok(moho_queue_submit(b->queue, &ticket));
}

static moho_program_run *launch_scale(bench *b, moho_program_executable *executable, int32_t by, size_t offset, size_t length) {
  moho_program_run *run;
  assert_ok(moho_program_launch(executable, b->queue,
                                &(moho_program_launch_options){.buffers = (moho_program_binding[]){{b->x, offset * 4, length}},
                                                               .n_buffers = 1,
                                                               .scalars = (moho_program_value[]){{.i = by}},
                                                               .n_scalars = 1,
                                                               .groups = {16},
                                                               .lanes = {64}},
                                &run));
  return run;
}

/* Three launches of one executable, in order; one of them divides by zero, and it alone tells so. */
static void bound_anew(void **state) {
  (void)state;
  bench b;
  moho_program_fault faults[3];
  bench_open(&b);
  moho_program_executable *executable = executable_of(b.device, scale);
  moho_program_run *runs[3] = {launch_scale(&b, executable, 3, 0, N), launch_scale(&b, executable, 0, 400, 100),
                               launch_scale(&b, executable, -2, 800, 200)};
  submit(&b);
  assert_ok(moho_program_executable_destroy(&executable)); /* runs hold it */
  for (int k = 2; k >= 0; k--) assert_ok(moho_program_wait(&runs[k], -1, &faults[k]));
  for (int k = 0; k < 3; k++) assert_null(runs[k]);
  assert_false(faults[0].happened || faults[2].happened);
  assert_true(faults[1].happened);
  assert_int_equal(faults[1].kind, MOHO_PROGRAM_DIV);
  assert_int_equal(faults[1].instruction, 7);
  assert_int_equal(faults[1].id, 0);
  assert_ok(moho_buffer_read(b.x, 0, b.host, sizeof b.host));
  for (int i = 0; i < N; i++) assert_int_equal(b.host[i], (i - 500) * (i >= 400 && i < 500 ? 0 : i >= 800 ? -6 : 3));
  bench_close(&b);
}

/* Recorded, not submitted: waiting is refused and the run stays. */
static void not_submitted(void **state) {
  (void)state;
  bench b;
  moho_program_fault fault;
  bench_open(&b);
  moho_program_executable *executable = executable_of(b.device, scale);
  moho_program_run *run = launch_scale(&b, executable, 2, 0, N);
  assert_int_equal(moho_program_wait(&run, 0, &fault), MOHO_ERROR_ARGUMENT);
  assert_non_null(run);
  submit(&b);
  assert_ok(moho_program_wait(&run, -1, NULL));
  assert_fails(moho_program_wait(&run, -1, &fault), MOHO_ERROR_ARGUMENT, "no run");
  assert_ok(moho_program_executable_destroy(&executable));
  bench_close(&b);
}

static void refusals(void **state) {
  (void)state;
  bench b;
  moho_program_run *run;
  bench_open(&b);
  moho_program_executable *executable =
      executable_of(b.device, "program two\nscalar i8 s\nbuffer in f32 x\nbuffer out f32 y\narray f32 t[9 lanes]\n"
                              "register f32 v\nload v, x[0]\nstore y[0], v\n");
  moho_buffer *other;
  assert_ok(moho_buffer_create(b.device, 400, MOHO_MEMORY_DEVICE, &other));
  const moho_program_binding good[2] = {{b.x, 0, 100}, {other, 0, 100}};
  moho_program_binding wrong[2];
  moho_program_value scalar = {.i = 1};
  moho_program_launch_options options = {
      .buffers = good, .n_buffers = 2, .scalars = &scalar, .n_scalars = 1, .groups = {1}, .lanes = {32}};
#define REFUSED(code, words) assert_fails(moho_program_launch(executable, b.queue, &options, &run), code, words)
  options.n_buffers = 1;
  REFUSED(MOHO_ERROR_ARGUMENT, "program two: got 1 buffers");
  options.n_buffers = 2, options.n_scalars = 0;
  REFUSED(MOHO_ERROR_ARGUMENT, "program two: got 0 scalars");
  options.n_scalars = 1, scalar.i = 200;
  REFUSED(MOHO_ERROR_RANGE, "scalar s: 200 is no i8");
  scalar.i = 1, options.buffers = wrong;
  memcpy(wrong, good, sizeof wrong), wrong[1].buffer = NULL;
  REFUSED(MOHO_ERROR_ARGUMENT, "buffer y: got NULL");
  memcpy(wrong, good, sizeof wrong), wrong[1].length = 101;
  REFUSED(MOHO_ERROR_RANGE, "buffer y: 101 elements of f32 from byte 0 of a buffer of 400 bytes");
  memcpy(wrong, good, sizeof wrong), wrong[1].offset = 16;
  REFUSED(MOHO_ERROR_RANGE, "buffer y: 100 elements of f32 from byte 16");
  memcpy(wrong, good, sizeof wrong), wrong[1].length = SIZE_MAX;
  REFUSED(MOHO_ERROR_RANGE, "buffer y: ");
  memcpy(wrong, good, sizeof wrong), wrong[1].offset = 4, wrong[1].length = 9;
  assert_int_not_equal(moho_program_launch(executable, b.queue, &options, &run), MOHO_OK); /* offsets are multiples of 16 */
  memcpy(wrong, good, sizeof wrong), wrong[1].buffer = b.x;
  REFUSED(MOHO_ERROR_ARGUMENT, "buffers x and y are the same memory, and it is written");
  wrong[1].offset = 384, wrong[1].length = 10; /* the last elements of x among them */
  REFUSED(MOHO_ERROR_ARGUMENT, "buffers x and y are the same memory, and it is written");
  options.buffers = good, options.lanes[0] = 1025;
  REFUSED(MOHO_ERROR_RANGE, "1025 x 1 x 1 lanes in a group");
  options.lanes[0] = 1000;
  REFUSED(MOHO_ERROR_RANGE, "group arrays of program two take 36000 bytes for 1000 lanes");
  options.lanes[0] = 32, options.groups[0] = 1u << 30;
  REFUSED(MOHO_ERROR_RANGE, "lanes in all");
  options.groups[0] = 1;
  assert_fails(moho_program_launch(NULL, b.queue, &options, &run), MOHO_ERROR_ARGUMENT, "NULL");
  assert_int_not_equal(moho_program_launch(executable, NULL, &options, &run), MOHO_OK);
  options.buffers = wrong, wrong[1].offset = 400; /* behind x: beside it, and good */
  assert_ok(moho_program_launch(executable, b.queue, &options, &run));
  submit(&b);
  assert_ok(moho_program_wait(&run, -1, NULL));
  assert_ok(moho_buffer_destroy(&other));
  assert_ok(moho_program_executable_destroy(&executable));
  bench_close(&b);
}

/* Where a lane is, in three dimensions, on this device as by the formula. */
static void places(void **state) {
  (void)state;
  enum { ALL = 3 * 2 * 4 * 5 * 2 * 3 };
  bench b;
  moho_program_run *run;
  static uint32_t got[ALL][4];
  bench_open(&b);
  moho_program_executable *executable = executable_of(
      b.device,
      "program places\nbuffer out u32 y\nregister u32 i, v, four\nget i, id\nset four, 4\nmul i, i, four\nget v, id.x\n"
      "store y[i], v\nget v, lane\nstore y[i + 1], v\nget v, group\nstore y[i + 2], v\nget v, group.z\nstore y[i + 3], v\n");
  moho_buffer *y;
  assert_ok(moho_buffer_create(b.device, sizeof got, MOHO_MEMORY_DEVICE, &y));
  assert_ok(moho_program_launch(
      executable, b.queue,
      &(moho_program_launch_options){
          .buffers = (moho_program_binding[]){{y, 0, 4 * ALL}}, .n_buffers = 1, .groups = {3, 2, 4}, .lanes = {5, 2, 3}},
      &run));
  submit(&b);
  assert_ok(moho_program_wait(&run, -1, NULL));
  assert_ok(moho_buffer_read(y, 0, got, sizeof got));
  for (uint32_t z = 0; z < 12; z++)
    for (uint32_t yy = 0; yy < 4; yy++)
      for (uint32_t x = 0; x < 15; x++) {
        const uint32_t *of = got[(z * 4 + yy) * 15 + x];
        assert_int_equal(of[0], x);
        assert_int_equal(of[1], (z % 3 * 2 + yy % 2) * 5 + x % 5);
        assert_int_equal(of[2], (z / 3 * 2 + yy / 2) * 3 + x / 5);
        assert_int_equal(of[3], z / 3);
      }
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_program_executable_destroy(&executable));
  bench_close(&b);
}

/* Lengths of 0, programs of nothing, lanes that the device chooses. */
static void small_launches(void **state) {
  (void)state;
  bench b;
  moho_program_run *run;
  moho_program_fault fault;
  bench_open(&b);
  moho_program_executable *executable = executable_of(b.device, "program nothing\n");
  assert_ok(moho_program_launch(executable, b.queue, &(moho_program_launch_options){.groups = {2}}, &run));
  submit(&b);
  assert_ok(moho_program_wait(&run, -1, &fault));
  assert_false(fault.happened);
  assert_ok(moho_program_executable_destroy(&executable));
  executable = executable_of(
      b.device, "program empty\nbuffer inout i32 x\nregister u32 n\nregister i32 v\nlength n, x\nload v, x[n]\nstore x[0], v\n");
  for (size_t length = 0; length < 2; length++) {
    assert_ok(moho_program_launch(
        executable, b.queue,
        &(moho_program_launch_options){.buffers = (moho_program_binding[]){{b.x, 0, length}}, .n_buffers = 1, .groups = {3}},
        &run));
    submit(&b);
    assert_ok(moho_program_wait(&run, -1, &fault));
    assert_true(fault.happened);
    assert_int_equal(fault.instruction, 1);
    assert_int_equal(fault.id, 0);
    assert_ok(moho_buffer_read(b.x, 0, b.host, sizeof b.host));
    assert_int_equal(b.host[0], length ? 0 : -500);
    assert_int_equal(b.host[1], -499);
  }
  assert_ok(moho_program_executable_destroy(&executable));
  bench_close(&b);
}

/* What a device lacks is refused by name, by supports and by prepare alike. */
static void supports(void **state) {
  (void)state;
  bench b;
  moho_device_report report;
  moho_program_executable *executable;
  bench_open(&b);
  assert_ok(moho_device_describe(b.device, &report));
  moho_program *program = program_of("program doubles\nregister f32 a\nregister f64 w\nset a, 2\nset w, 3\nmul w, w, w\n");
  if (report.has_double) {
    assert_ok(moho_program_supports(program, b.device));
    assert_ok(moho_program_prepare(program, b.device, &executable));
    assert_ok(moho_program_executable_destroy(&executable));
  } else {
    assert_fails(moho_program_supports(program, b.device), MOHO_ERROR_NOT_AVAILABLE, "instruction 1 (set w, 3) computes in f64");
    assert_fails(moho_program_prepare(program, b.device, &executable), MOHO_ERROR_NOT_AVAILABLE,
                 "instruction 1 (set w, 3) computes in f64");
    assert_null(executable);
  }
  moho_program_destroy(&program);
  assert_fails(moho_program_prepare(NULL, b.device, &executable), MOHO_ERROR_ARGUMENT, "NULL");
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bound_anew), cmocka_unit_test(not_submitted),  cmocka_unit_test(refusals),
                                     cmocka_unit_test(places),     cmocka_unit_test(small_launches), cmocka_unit_test(supports)};
  return cmocka_run_group_tests_name("program_launch", tests, NULL, NULL);
}
