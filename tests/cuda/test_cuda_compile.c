/* test_cuda_compile.c - every text of kernels/ through NVRTC, without driver and GPU: as machine code for sm_80 and sm_90, as
 * PTX, with wrong texts; registers and spills where ptxas is on the path. */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "cuda_checks.h"
#include "device/cuda/cuda_compile.h"

static moho_nvrtc nvrtc;

static moho_cuda_target target_of(int architecture) {
  moho_cuda_target target;
  assert_true(moho_nvrtc_target(&nvrtc, architecture, &target));
  assert_int_equal(target.number, architecture);
  assert_true(target.is_cubin);
  return target;
}

/* One unit holds all kernels of its text. */
static void compile_text(const kernel_text *k, const moho_constant *constants, size_t n_constants, int architecture) {
  const char *at = k->text;
  char name[64];
  moho_cuda_image image;
  assert_true(kernel_name_next(&at, name));
  moho_unit unit = kernel_unit(name, constants, n_constants, k->text);
  assert_ok(moho_cuda_compile(&nvrtc, target_of(architecture), &unit, &image));
  assert_memory_equal(image.data,
                      "\x7f"
                      "ELF",
                      4);
  do assert_non_null(memmem(image.data, image.bytes, name, strlen(name)));
  while (kernel_name_next(&at, name));
  free(image.data);
  kernel_unit_free(&unit);
}

/* The migration's constants, as src/migrate always gives them: without, every option is in the code, which takes minutes
 * (scripts/ptx_check.sh looks for double precision in all of it). */
enum { CONSTANTS = 9, SETS = 3 };
static const moho_constant sets[SETS][CONSTANTS] = {{{"INTERPOLATION", 0, 0},
                                                     {"ANTIALIAS", 0, 0},
                                                     {"WEIGHT_POWER", 0, 0},
                                                     {"HAS_MUTE", 0, 0},
                                                     {"HAS_WINDOW", 0, 0},
                                                     {"STORAGE", 2, 0},
                                                     {"LAW", 0, 0},
                                                     {"HAS_ANGLES", 0, 0},
                                                     {"HAS_MASK", 0, 0}},
                                                    {{"INTERPOLATION", 2, 0},
                                                     {"ANTIALIAS", 1, 0},
                                                     {"WEIGHT_POWER", 2, 0},
                                                     {"HAS_MUTE", 1, 0},
                                                     {"HAS_WINDOW", 1, 0},
                                                     {"STORAGE", 1, 0},
                                                     {"LAW", 1, 0},
                                                     {"HAS_ANGLES", 1, 0},
                                                     {"HAS_MASK", 1, 0}},
                                                    {{"INTERPOLATION", 1, 0},
                                                     {"ANTIALIAS", 2, 0},
                                                     {"WEIGHT_POWER", 8, 0},
                                                     {"HAS_MUTE", 1, 0},
                                                     {"HAS_WINDOW", 0, 0},
                                                     {"STORAGE", 1, 0},
                                                     {"LAW", 3, 0},
                                                     {"HAS_ANGLES", 0, 0},
                                                     {"HAS_MASK", 1, 0}}};

static int is_of_migration(const kernel_text *k) {
  return strstr(k->file, "migrate_") != NULL; /* and the adjoint */
}

static void every_kernel_becomes_machine_code(void **state) {
  (void)state;
  for (const kernel_text *k = kernel_texts; k->file; k++)
    if (!is_of_migration(k)) {
      compile_text(k, NULL, 0, 80);
      compile_text(k, NULL, 0, 90);
    }
}

static void the_migration_with_its_constants(void **state) {
  (void)state;
  for (const kernel_text *k = kernel_texts; k->file; k++)
    for (size_t i = 0; is_of_migration(k) && i < SETS; i++) {
      compile_text(k, sets[i], CONSTANTS, 80);
      compile_text(k, sets[i], CONSTANTS, 90);
    }
}

/* What ptxas says of the PTX: "ptxas info : Used 40 registers ..."; printed, and nothing may be in double precision. */
static void report_registers(const char *name, const char *ptx) {
  char command[600], line[400];
  const char *file = test_path("kernel.ptx");
  assert_ok(moho_file_write_all(file, ptx, strlen(ptx)));
  snprintf(command, sizeof command, "ptxas -v -arch=sm_90 -o /dev/null %s 2>&1", file);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  while (fgets(line, sizeof line, pipe))
    if (strstr(line, "registers") || strstr(line, "spill") || strstr(line, "error")) printf("    %s: %s", name, line);
  assert_int_equal(pclose(pipe), 0);
}

static void check_ptx(const char *name, const kernel_text *k, int has_ptxas) {
  moho_cuda_image image;
  moho_unit unit = kernel_unit(name, sets[1], is_of_migration(k) ? CONSTANTS : 0, k->text);
  assert_ok(moho_cuda_compile(&nvrtc, (moho_cuda_target){.number = 80}, &unit, &image));
  assert_int_equal(image.data[image.bytes - 1], '\0');
  assert_non_null(strstr(image.data, ".target sm_80"));
  assert_null(strstr(image.data, ".f64"));
  assert_null(strstr(image.data, "fma.rn.ftz"));
  if (has_ptxas) report_registers(name, image.data);
  free(image.data);
  kernel_unit_free(&unit);
}

static void every_kernel_becomes_ptx(void **state) {
  (void)state;
  int has_ptxas = system("ptxas --version >/dev/null 2>&1") == 0;
  if (!has_ptxas) printf("    registers and spills are not told: ptxas is not on the path\n");
  for (const kernel_text *k = kernel_texts; k->file; k++) {
    const char *at = k->text;
    char name[64];
    if (kernel_name_next(&at, name)) check_ptx(name, k, has_ptxas);
  }
}

/* What test_cuda_device will run on a GPU. */
static void the_device_tests_text_compiles(void **state) {
  (void)state;
  moho_cuda_image image;
  moho_unit unit = kernel_unit("wild", NULL, 0, check_text);
  assert_ok(moho_cuda_compile(&nvrtc, target_of(90), &unit, &image));
  free(image.data);
  kernel_unit_free(&unit);
}

/* Products and sums stay apart unless FMA joins them. */
static void nothing_is_contracted(void **state) {
  (void)state;
  const char *text = "#include \"kern.h\"\n"
                     "typedef struct { float a, b; } pair;\n"
                     "KERNEL(apart, 64, IN(0, float, x), INOUT(1, float, y), PARAM(2, pair, p)) {\n"
                     "  y[LANE] = x[LANE] * p->a + p->b;\n}\n";
  moho_cuda_image image;
  moho_unit unit = kernel_unit("apart", NULL, 0, text);
  assert_ok(moho_cuda_compile(&nvrtc, (moho_cuda_target){.number = 80}, &unit, &image));
  assert_null(strstr(image.data, "fma"));
  assert_non_null(strstr(image.data, "mul.rn.f32"));
  assert_non_null(strstr(image.data, "add.rn.f32"));
  free(image.data);
  kernel_unit_free(&unit);
}

static void errors_have_the_compilers_words_and_our_lines(void **state) {
  (void)state;
  const char *text = "#line 1 \"user.k\"\n#include \"kern.h\"\n"
                     "KERNEL(wrong, 64, INOUT(0, float, y)) {\n"
                     "  float unused_one;\n"
                     "  y[LANE] = unknown_word;\n}\n";
  moho_cuda_image image;
  moho_unit unit = kernel_unit("wrong", NULL, 0, text);
  assert_fails(moho_cuda_compile(&nvrtc, target_of(90), &unit, &image), MOHO_ERROR_COMPILE, "unknown_word");
  const moho_error *error = moho_last_error();
  assert_string_equal(error->file, "user.k");
  assert_int_equal(error->line, 4);
  assert_non_null(strstr(error->message, "kernel wrong"));
  assert_null(image.data);
  kernel_unit_free(&unit);
}

/* dl_iterate_phdr: 1 for the built-in functions beside NVRTC. */
static int is_beside(struct dl_phdr_info *info, size_t size, void *folder) {
  (void)size;
  return strncmp(info->dlpi_name, folder, strlen(folder)) == 0 &&
         strstr(info->dlpi_name + strlen(folder), "libnvrtc-builtins.so");
}

static void the_builtins_are_those_beside_it(void **state) {
  char folder[512];
  (void)state;
  snprintf(folder, sizeof folder, "%s", nvrtc.path);
  strrchr(folder, '/')[1] = '\0';
  assert_int_equal(dl_iterate_phdr(is_beside, folder), 1);
}

static void keys_tell_apart_what_differs(void **state) {
  (void)state;
  char key[4][65];
  moho_unit one = {.name = "a", .text = "b"}, other = {.name = "a", .text = "c"};
  moho_nvrtc older = nvrtc;
  older.minor++;
  moho_cuda_compile_key(&nvrtc, target_of(90), &one, key[0]);
  moho_cuda_compile_key(&nvrtc, target_of(80), &one, key[1]);
  moho_cuda_compile_key(&nvrtc, target_of(90), &other, key[2]);
  moho_cuda_compile_key(&older, target_of(90), &one, key[3]);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) assert_string_not_equal(key[i], key[j]);
  moho_cuda_compile_key(&nvrtc, target_of(90), &one, key[1]);
  assert_string_equal(key[0], key[1]);
}

static void targets_are_the_nearest_that_nvrtc_knows(void **state) {
  (void)state;
  moho_nvrtc some = {.n_architectures = 3, .architectures = {75, 80, 90}};
  moho_cuda_target target;
  assert_true(moho_nvrtc_target(&some, 89, &target));
  assert_int_equal(target.number, 80);
  assert_false(target.is_cubin);
  assert_false(moho_nvrtc_target(&some, 70, &target));
}

static void a_compiler_that_is_not_there_is_told(void **state) {
  (void)state;
  moho_nvrtc none;
  char *before = getenv("MOHO_NVRTC") ? strdup(getenv("MOHO_NVRTC")) : NULL;
  setenv("MOHO_NVRTC", test_path("nowhere"), 1);
  assert_fails(moho_nvrtc_find(99, 90, &none), MOHO_ERROR_NOT_AVAILABLE, "no such file");
  setenv("MOHO_NVRTC", test_directory(), 1);
  assert_fails(moho_nvrtc_find(99, 90, &none), MOHO_ERROR_NOT_AVAILABLE, "no libnvrtc.so there");
  setenv("MOHO_NVRTC", nvrtc.path, 1);
  assert_fails(moho_nvrtc_find(nvrtc.major - 1, 90, &none), MOHO_ERROR_NOT_AVAILABLE, "newer than the driver");
  assert_fails(moho_nvrtc_find(99, 20, &none), MOHO_ERROR_NOT_AVAILABLE, "no longer compiles for sm_20");
  assert_ok(moho_nvrtc_find(99, 90, &none));
  if (before) setenv("MOHO_NVRTC", before, 1);
  else unsetenv("MOHO_NVRTC");
  free(before);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_kernel_becomes_machine_code),
                                     cmocka_unit_test(the_migration_with_its_constants),
                                     cmocka_unit_test(every_kernel_becomes_ptx),
                                     cmocka_unit_test(nothing_is_contracted),
                                     cmocka_unit_test(the_device_tests_text_compiles),
                                     cmocka_unit_test(keys_tell_apart_what_differs),
                                     cmocka_unit_test(the_builtins_are_those_beside_it),
                                     cmocka_unit_test(errors_have_the_compilers_words_and_our_lines),
                                     cmocka_unit_test(targets_are_the_nearest_that_nvrtc_knows),
                                     cmocka_unit_test(a_compiler_that_is_not_there_is_told)};
  if (moho_nvrtc_find(99, 90, &nvrtc)) {
    printf("skipped: %s\n", moho_last_error()->message);
    return TEST_SKIPPED;
  }
  printf("NVRTC %d.%d: %s\n", nvrtc.major, nvrtc.minor, nvrtc.path);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
