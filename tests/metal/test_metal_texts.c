/* test_metal_texts.c - every text of kernels/ as the Metal shading language: address spaces, attributes, words. */
#include "test_support.h"

#include "moho/kernel.h"

#include <stdio.h>

typedef struct kernel_text {
  const char *name; /* of its KERNEL function */
  const char *text;
} kernel_text;
extern const kernel_text kernel_texts[]; /* ended by a NULL name; made by CMake */

static moho_device *device;

static int begin(void **state) {
  (void)state;
  return moho_device_open("metal", &device);
}
static int end(void **state) {
  (void)state;
  return moho_device_close(&device);
}

static void compile_all(const moho_constant *constants, size_t n) {
  for (const kernel_text *k = kernel_texts; k->name; k++) {
    moho_kernel *kernel;
    moho_kernel_report report;
    const moho_kernel_options options = {.name = k->name, .text = k->text, .constants = constants, .n_constants = n};
    assert_ok(moho_kernel_create(device, &options, &kernel));
    assert_ok(moho_kernel_describe(kernel, &report));
    assert_true(report.max_lanes >= 32 && report.max_lanes <= 1024);
    assert_int_equal(report.simd_width, 32);
    assert_ok(moho_kernel_destroy(&kernel));
  }
}

static void every_text_is_metal(void **state) {
  (void)state;
  compile_all(NULL, 0);
}

static void with_constants_too(void **state) {
  (void)state;
  compile_all((const moho_constant[]){{"INTERPOLATION", 0, 0}, {"ANTIALIAS", 0, 0}, {"WEIGHT_POWER", 0, 0}, {"STORAGE", 2, 0}},
              4);
  compile_all((const moho_constant[]){{"INTERPOLATION", 2, 0}, {"ANTIALIAS", 1, 0}, {"WEIGHT_POWER", 2, 0}, {"STORAGE", 1, 0}},
              4);
  compile_all((const moho_constant[]){{"LAW", 0, 0}, {"STORAGE", 3, 0}, {"HAS_ANGLES", 1, 0}, {"HAS_MASK", 1, 0}}, 4);
}

/* The compiler's words come back with the text's own line. */
static void errors_name_our_line(void **state) {
  (void)state;
  const char *const text = "#include \"kern.h\"\nKERNEL(wrong, 64, INOUT(0, float, a)) {\n  GLOBAL float *p = a;\n"
                           "  PRIVATE float *q = p;\n  q[0] = 1.0f;\n}\n";
  moho_kernel *kernel;
  const moho_kernel_options options = {.name = "wrong", .text = text, .file = "wrong.k"};
  assert_fails(moho_kernel_create(device, &options, &kernel), MOHO_ERROR_COMPILE, "wrong.k:4:17: error");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_text_is_metal), cmocka_unit_test(with_constants_too),
                                     cmocka_unit_test(errors_name_our_line)};
  return cmocka_run_group_tests(tests, begin, end);
}
