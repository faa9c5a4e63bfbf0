/* test_kernel.c - kernels: found by name, from a text of the caller's own, compiled once, with the compiler's words and the
 * caller's lines when they do not compile; the sizes of their groups. */
#include <string.h>

#include "device/kernel_cache.h"
#include "queue_support.h"

static int is_cpu(moho_device *device) {
  moho_device_report report;
  assert_ok(moho_device_describe(device, &report));
  return strcmp(report.kind, "cpu") == 0;
}

static void by_name(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  moho_kernel *kernel = NULL;
  moho_kernel_report report;
  assert_ok(moho_kernel_describe(r.stir, &report));
  assert_string_equal(report.name, "stir");
  assert_true(report.max_lanes > 0 && report.max_lanes <= 256 && report.simd_width > 0);
  if (is_cpu(r.device)) assert_string_equal(report.origin, "c");
  assert_fails(moho_kernel_create(r.device, &(moho_kernel_options){.name = "stri"}, &kernel), MOHO_ERROR_NOT_FOUND,
               "no kernel stri");
  assert_non_null(strstr(moho_last_error()->hint, "did you mean \"stir\"?"));
  assert_null(kernel);
  assert_fails(moho_kernel_create(r.device, &(moho_kernel_options){.name = "stir", .text = "KERNEL(stir_all, 1)"}, &kernel),
               MOHO_ERROR_NOT_FOUND, "no kernel stir in the text, it has: stir_all");
  assert_fails(moho_kernel_create(r.device, NULL, &kernel), MOHO_ERROR_ARGUMENT, "no name");
  assert_fails(moho_kernel_create(r.device, &(moho_kernel_options){.name = ""}, &kernel), MOHO_ERROR_ARGUMENT, "no name");
  assert_fails(moho_kernel_create(r.device, &(moho_kernel_options){.name = "stir"}, NULL), MOHO_ERROR_ARGUMENT, "nowhere");
  assert_fails(moho_kernel_create(NULL, &(moho_kernel_options){.name = "stir"}, &kernel), MOHO_ERROR_ARGUMENT,
               "device: got NULL");
  char long_name[100];
  memset(long_name, 'x', sizeof long_name);
  long_name[99] = 0;
  assert_fails(moho_kernel_create(r.device, &(moho_kernel_options){.name = long_name}, &kernel), MOHO_ERROR_ARGUMENT, "too long");
  assert_fails(moho_kernel_create(r.device, &(moho_kernel_options){.name = "stir", .n_constants = 1}, &kernel),
               MOHO_ERROR_ARGUMENT, "1 constants at NULL");
  moho_kernel *late = r.stir;
  assert_ok(moho_kernel_destroy(&r.stir));
  assert_null(r.stir);
  assert_ok(moho_kernel_destroy(&r.stir)); /* NULL is fine */
  assert_fails(moho_kernel_describe(late, &report), MOHO_ERROR_HANDLE, "kernel: not a live object");
  assert_fails(moho_kernel_destroy(&late), MOHO_ERROR_HANDLE, "kernel: not a live object");
  rig_end(&r);
}

static void no_lane(void *const *buffers, const void *parameters, kern_lane *lane) {
  (void)buffers, (void)parameters, (void)lane;
}

static void registered_once(void **state) {
  (void)state;
  static const moho_kernel_definition one = {.name = "registered_once"}, two = {.name = "registered_once"};
  assert_ok(moho_kernel_register(&one));
  assert_ok(moho_kernel_register(&one)); /* the same again is nothing */
  assert_fails(moho_kernel_register(&two), MOHO_ERROR_EXISTS, "another definition is registered");
  assert_fails(moho_kernel_register(NULL), MOHO_ERROR_ARGUMENT, "a definition with a name");
  assert_fails(moho_kernel_register(&(moho_kernel_definition){.name = ""}), MOHO_ERROR_ARGUMENT, "a definition with a name");
  moho_kernel_definition wrong = {.name = "stir_group", .text = moho_text_stir, .c = no_lane};
  assert_fails(moho_kernel_register(&wrong), MOHO_ERROR_ARGUMENT, "kernel stir_group is a KERNEL_GROUP in its text");
  wrong.name = "stir_grub";
  assert_fails(moho_kernel_register(&wrong), MOHO_ERROR_NOT_FOUND, "no kernel stir_grub in the text");
  moho_device *device = test_device_open("");
  moho_kernel *kernel;
  if (is_cpu(device))
    assert_fails(moho_kernel_create(device, &(moho_kernel_options){.name = "registered_once"}, &kernel), MOHO_ERROR_NOT_FOUND,
                 "without a function for the cpu");
  test_device_close(&device);
}

/* A text that was not there when the program was built: for devices with a compiler; the cpu says what it needs. */
static void own_text(void **state) {
  (void)state;
  static const char text[] = "#include \"kern.h\"\n"
                             "KERNEL(own_text, 64, INOUT(0, float, x)) { x[GROUP_X * LANES + LANE] = (float)(LANE + OFFSET); }\n";
  static const moho_constant offset = {"OFFSET", 1000, 0};
  moho_device *device = test_device_open("");
  moho_kernel_options options = {.name = "own_text", .text = text, .file = "own.k", .constants = &offset, .n_constants = 1};
  moho_kernel *kernel;
  if (is_cpu(device)) {
    assert_fails(moho_kernel_create(device, &options, &kernel), MOHO_ERROR_NOT_FOUND,
                 "no kernel own_text was compiled into this program");
    assert_non_null(strstr(moho_last_error()->hint, "KERN_C_FUNCTION(own_text)"));
    options.name = "stir"; /* compiled in, but not from this text */
    rig_register();
    options.text = "KERNEL(stir, 64, INOUT(0, float, x)) { x[LANE] = 1.0f; }";
    assert_fails(moho_kernel_create(device, &options, &kernel), MOHO_ERROR_NOT_FOUND, "has another text than the one given");
    test_device_close(&device);
    return;
  }
  float x[128];
  moho_queue *queue;
  moho_buffer *buffer;
  assert_ok(moho_kernel_create(device, &options, &kernel));
  assert_ok(moho_queue_create(device, &queue));
  assert_ok(moho_buffer_create(device, sizeof x, MOHO_MEMORY_DEVICE, &buffer));
  moho_binding binding = {buffer, 0};
  assert_ok(moho_queue_launch(
      queue, &(moho_launch){.kernel = kernel, .buffers = &binding, .n_buffers = 1, .groups = {2, 1}, .lanes = 64}));
  assert_ok(moho_queue_read(queue, buffer, 0, x, sizeof x));
  finish(queue);
  for (int i = 0; i < 128; i++) assert_true(x[i] == (float)(1000 + i % 64));
  moho_buffer_destroy(&buffer), moho_queue_destroy(&queue), moho_kernel_destroy(&kernel);
  test_device_close(&device);
}

static void does_not_compile(void **state) {
  (void)state;
  static const char text[] = "#include \"kern.h\"\n"
                             "\n"
                             "KERNEL(broken, 64, INOUT(0, float, x)) {\n"
                             "  x[LANE] = nowhere_declared;\n"
                             "}\n";
  moho_device *device = test_device_open("");
  moho_kernel *kernel;
  if (!is_cpu(device)) {
    assert_fails(moho_kernel_create(device, &(moho_kernel_options){.name = "broken", .text = text, .file = "mine.k"}, &kernel),
                 MOHO_ERROR_COMPILE, "nowhere_declared");
    const char *place = strstr(moho_last_error()->message, "mine.k");
    assert_non_null(place);
    assert_true(place[6] == ':' || place[6] == '('); /* mine.k:4 or mine.k(4) */
    assert_int_equal(place[7], '4');
    assert_null(kernel);
  }
  test_device_close(&device); /* nothing was left */
}

/* Compiled once for all who ask; kept when nobody uses it any more; forgotten when there are too many. On the cpu: other values
 * of a constant are other kernels there too. */
static void cached(void **state) {
  (void)state;
  enum { MORE = MOHO_KERNEL_CACHE_LIMIT + 6 };
  moho_device *device;
  moho_kernel *kernels[MORE], *again;
  moho_constant which = {"WHICH", 0, 0};
  moho_kernel_options options = {.name = "stir", .constants = &which, .n_constants = 1};
  moho_kernel_report report;
  rig_register();
  assert_ok(moho_device_open("cpu", &device));
  assert_ok(moho_kernel_create(device, &options, &kernels[0]));
  assert_ok(moho_kernel_create(device, &options, &again));
  assert_ok(moho_kernel_describe(again, &report));
  assert_string_equal(report.origin, "cache");
  assert_true(report.compile_seconds == 0);
  assert_int_equal(test_metrics_of(device).cache_misses, 1);
  assert_int_equal(test_metrics_of(device).cache_hits, 1);
  assert_ok(moho_kernel_destroy(&again));
  assert_ok(moho_kernel_destroy(&kernels[0]));
  for (int i = 0; i < MORE; i++) { /* the first is still there */
    which.value = i;
    assert_ok(moho_kernel_create(device, &options, &kernels[i]));
  }
  assert_int_equal(test_metrics_of(device).cache_misses, MORE);
  assert_int_equal(test_metrics_of(device).cache_hits, 2);
  which.value = 0; /* more than the limit are in use: none was dropped */
  assert_ok(moho_kernel_create(device, &options, &again));
  assert_int_equal(test_metrics_of(device).cache_misses, MORE);
  assert_ok(moho_kernel_destroy(&again)); /* now the most recently used: it stays */
  for (int i = 0; i < MORE; i++) assert_ok(moho_kernel_destroy(&kernels[i]));
  for (int i = MORE - 1; i >= 0; i--) { /* the last used are there, the 6 oldest are not */
    which.value = i;
    assert_ok(moho_kernel_create(device, &options, &again));
    assert_ok(moho_kernel_destroy(&again));
  }
  assert_int_equal(test_metrics_of(device).cache_misses, MORE + 6);
  test_device_close(&device);
}

/* ---- groups ---- */

static void groups_1d(void **state) {
  (void)state;
  static const size_t items[] = {1, 31, 32, 33, 255, 256, 257, 1000003, INT32_MAX};
  rig r = rig_begin(test_device_open(""));
  uint32_t lanes = 0, groups = 0;
  moho_kernel_report report;
  assert_ok(moho_kernel_describe(r.stir, &report));
  for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
    assert_ok(moho_kernel_group_1d(r.stir, items[i], &lanes, &groups));
    assert_true(lanes > 0 && lanes <= (uint32_t)report.max_lanes && lanes % 32 == 0);
    assert_true((size_t)lanes * groups >= items[i] && (size_t)lanes * (groups - 1) < items[i]); /* enough, and not one too many */
  }
  lanes = groups = 7;
  assert_fails(moho_kernel_group_1d(r.stir, 0, &lanes, &groups), MOHO_ERROR_RANGE, "groups for 0 items");
  assert_fails(moho_kernel_group_1d(r.stir, (size_t)INT32_MAX + 1, &lanes, &groups), MOHO_ERROR_RANGE, "stay below 2^31");
  assert_fails(moho_kernel_group_1d(r.stir, SIZE_MAX, &lanes, &groups), MOHO_ERROR_RANGE, "stay below 2^31");
  assert_true(lanes == 7 && groups == 7);
  assert_fails(moho_kernel_group_1d(r.stir, 1, NULL, &groups), MOHO_ERROR_ARGUMENT, "nowhere to put");
  moho_kernel *narrow = rig_kernel(&r, "stir_group"); /* 128 by its text */
  assert_ok(moho_kernel_group_1d(narrow, 1000, &lanes, &groups));
  assert_true(lanes <= 128);
  moho_kernel_destroy(&narrow);
  rig_end(&r);
}

static void groups_2d(void **state) {
  (void)state;
  static const size_t items[][2] = {{1, 1}, {1, 1000}, {1000, 1}, {33, 7}, {5, 5}, {640, 480}, {INT32_MAX, 3}};
  rig r = rig_begin(test_device_open(""));
  uint32_t lanes[2] = {7, 7}, groups[2] = {7, 7};
  moho_kernel_report report;
  assert_ok(moho_kernel_describe(r.stir, &report));
  for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
    assert_ok(moho_kernel_group_2d(r.stir, items[i], lanes, groups));
    assert_true(lanes[0] * lanes[1] <= (uint32_t)report.max_lanes && lanes[0] * lanes[1] % 32 == 0); /* whole SIMD groups */
    for (int axis = 0; axis < 2; axis++) {
      assert_true(lanes[axis] > 0);
      assert_true((size_t)lanes[axis] * groups[axis] >= items[i][axis]);
      assert_true((size_t)lanes[axis] * (groups[axis] - 1) < items[i][axis]);
    }
  }
  lanes[0] = groups[1] = 7;
  assert_fails(moho_kernel_group_2d(r.stir, (size_t[]){5, 0}, lanes, groups), MOHO_ERROR_RANGE, "groups for 0 items");
  assert_fails(moho_kernel_group_2d(r.stir, (size_t[]){SIZE_MAX, 5}, lanes, groups), MOHO_ERROR_RANGE, "stay below 2^31");
  assert_true(lanes[0] == 7 && groups[1] == 7);
  assert_fails(moho_kernel_group_2d(r.stir, NULL, lanes, groups), MOHO_ERROR_ARGUMENT, "nowhere");
  rig_end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(by_name),  cmocka_unit_test(registered_once),
                                     cmocka_unit_test(own_text), cmocka_unit_test(does_not_compile),
                                     cmocka_unit_test(cached),   cmocka_unit_test(groups_1d),
                                     cmocka_unit_test(groups_2d)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
