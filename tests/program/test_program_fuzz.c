/* test_program_fuzz.c - random valid programs on the device under test (MOHO_DEVICE; the cpu in each instruction set) and by the
 * reference interpreter: the same bits and the same fault. The interpreter is given the functions of kernels/elementary.h, whose
 * errors tests/unit/test_elementary.c measures.
 *
 *   test_program_fuzz [programs [first seed]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kern.h"

#include "kernels/elementary.h"

#include "base/sha256.h"
#include "device_support.h"
#include "program/executable.h"
#include "program/gpu_abreast.h"
#include "program/interpreter.h"
#include "random_program.h"

static unsigned n_programs;
static uint64_t first_seed = 1;
static int is_one_device; /* MOHO_DEVICE names it */

static float square_root(float x) {
  return sqrtf(x);
}

static const moho_elementary functions = {elementary_exp, elementary_log,   elementary_log2,   elementary_log10,
                                          square_root,    elementary_rsqrt, elementary_sin,    elementary_cos,
                                          elementary_tan, elementary_tanh,  elementary_sigmoid};

/* ---- denormal numbers: a GPU may take them for zero; then the interpreter has to as well ---- */

static int flushes; /* the device under test does */

static unsigned long flush_denormals(void) {
#if defined(__x86_64__)
  unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8040u);
  return before;
#elif defined(__aarch64__)
  unsigned long before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" ::"r"(before | 1ul << 24));
  return before;
#else
  return 0;
#endif
}

static void restore_denormals(unsigned long before) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((unsigned)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" ::"r"(before));
#else
  (void)before;
#endif
}

static void ask_whether_it_flushes(moho_device *device) {
  moho_program *program;
  moho_program_fault fault;
  float tiny = 1e-20f; /* its square is denormal, 1e-40 */
  program_data given = {.data = {&tiny}, .length = {1}, .bytes = {sizeof tiny}, .groups = {1, 1, 1}, .lanes = {1, 1, 1}}, got;
  assert_ok(moho_program_assemble("program flush\nbuffer inout f32 x\nregister f32 a\n  load a, x[0]\n  mul a, a, a\n"
                                  "  store x[0], a\n",
                                  NULL, &program));
  program_run_on(device, program, &given, &got, &fault);
  flushes = *(float *)got.data[0] == 0;
  program_data_free(&got);
  moho_program_destroy(&program);
}

static void reference(const moho_program *program, const program_data *given, program_data *out, moho_program_fault *fault) {
  moho_program_memory memory[MOHO_PROGRAM_BUFFERS];
  program_data_copy(program, given, out);
  for (size_t i = 0; i < program->n_buffers; i++) memory[i] = (moho_program_memory){out->data[i], out->length[i]};
  moho_program_reference_launch launch = {
      .buffers = memory, .n_buffers = program->n_buffers, .scalars = given->scalars, .n_scalars = program->n_scalars};
  memcpy(launch.groups, given->groups, sizeof launch.groups);
  memcpy(launch.lanes, given->lanes, sizeof launch.lanes);
  unsigned long before = flushes ? flush_denormals() : 0;
  moho_status status = moho_program_interpret(program, &launch, functions, fault);
  if (flushes) restore_denormals(before);
  assert_ok(status);
}

/* The device's results beside the interpreter's; the program is destroyed. */
static void compare_program(moho_device *device, moho_program *program, uint64_t seed, int may_fault, unsigned *faults) {
  program_data given, expected, got;
  moho_program_fault expected_fault, fault;
  char what[60];
  snprintf(what, sizeof what, "seed %llu", (unsigned long long)seed);
  program_data_make(program, seed, may_fault, &given);
  reference(program, &given, &expected, &expected_fault);
  program_run_on(device, program, &given, &got, &fault);
  assert_same_fault(&expected_fault, &fault, what);
  assert_same_data(program, &expected, &got, what);
  *faults += (unsigned)fault.happened;
  program_data_free(&given);
  program_data_free(&expected);
  program_data_free(&got);
  moho_program_destroy(&program);
}

static void compare_on(moho_device *device, uint64_t seed, int has_double, unsigned *faults) {
  random_program_options options = {.seed = seed,
                                    .has_double = has_double,
                                    .has_group = seed % 3 != 0,
                                    .has_loops = 1,
                                    .may_fault = seed % 2,
                                    .statements = 4 + (int)(seed % 30)};
  moho_program *program;
  assert_ok(random_program_build(&options, &program));
  compare_program(device, program, seed, options.may_fault, faults);
}

static void compare_all(moho_device *device, unsigned n) {
  moho_device_report report;
  unsigned faults = 0;
  assert_ok(moho_device_describe(device, &report));
  ask_whether_it_flushes(device);
  for (unsigned i = 0; i < n; i++) compare_on(device, first_seed + i, report.has_double, &faults);
  printf("    %s: %u programs, %u of them faulted%s\n", report.uri, n, faults, flushes ? "; denormal numbers count as zero" : "");
  if (n > 50) assert_true(faults > n / 20 && faults < n); /* both are met */
}

static void same_as_the_reference(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_device_report report;
  assert_ok(moho_device_describe(device, &report));
  compare_all(device, n_programs ? n_programs : report.has_native ? 300 : 5); /* text is compiled for each */
  test_device_close(&device);
}

/* Groups that run abreast on a GPU, four as one: ifs in ifs, lanes that leave, numbers of groups that are no multiple of four. */
static void groups_abreast(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_device_report report;
  unsigned faults = 0, n = 0, wanted = n_programs ? n_programs : 5;
  assert_ok(moho_device_describe(device, &report));
  if (report.has_native) return test_device_close(&device); /* there every lane is a vector's already */
  ask_whether_it_flushes(device);
  moho_executable_abreast_from(1);
  for (uint64_t seed = first_seed; n < wanted; seed++) {
    random_program_options options = {
        .seed = seed, .has_double = report.has_double, .may_fault = seed % 4 != 0, .statements = 4 + (int)(seed % 20)};
    moho_program *program;
    assert_ok(random_program_build(&options, &program));
    if (!moho_gpu_may_run_abreast(program)) {
      moho_program_destroy(&program);
      continue;
    }
    compare_program(device, program, seed, options.may_fault, &faults);
    n++;
  }
  moho_executable_abreast_from(0);
  printf("    %s: %u programs abreast, %u of them faulted\n", report.uri, n, faults);
  test_device_close(&device);
}

/* ---- programs with wrong bytes ---- */

enum { HEAD = 16, CHECKSUM = 32 }; /* of the binary form */

/* Some bytes behind the head become others; the checksum is right again. */
static void damage(uint64_t *state, uint8_t *data, size_t bytes) {
  for (int n = 1 + (int)(test_uniform(state) * 1.3); n-- > 0;) {
    size_t at = HEAD + (size_t)(test_uniform(state) * (double)(bytes - HEAD - CHECKSUM));
    data[at] = (uint8_t)(test_uniform(state) < 0.5 ? data[at] ^ 1u << (int)(test_uniform(state) * 8) : test_uniform(state) * 32);
  }
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, data, bytes - CHECKSUM);
  moho_sha256_end(&hash, data + bytes - CHECKSUM);
}

/* Whether it ends soon and takes the data that this test makes. */
static int is_short(const moho_program *program) {
  if (program->n_scalars != 2) return 0;
  for (size_t i = 0; i < program->n_code; i++)
    if (program->code[i].in.op == MOHO_PROGRAM_LOOP || program->code[i].in.op == MOHO_PROGRAM_WHILE) return 0;
  return 1;
}

/* What is still a program runs with one lane: whatever it does with memory, no other lane is there to race with. */
static int run_damaged(moho_device *device, const moho_program *program, uint64_t seed) {
  program_data given, expected, got;
  moho_program_fault expected_fault, fault;
  char what[60];
  if (!is_short(program)) return 0;
  snprintf(what, sizeof what, "damaged, seed %llu", (unsigned long long)seed);
  program_data_make(program, seed, 1, &given);
  for (int axis = 0; axis < 3; axis++) given.groups[axis] = given.lanes[axis] = 1;
  reference(program, &given, &expected, &expected_fault);
  program_run_on(device, program, &given, &got, &fault);
  assert_same_fault(&expected_fault, &fault, what);
  assert_same_data(program, &expected, &got, what);
  program_data_free(&given);
  program_data_free(&expected);
  program_data_free(&got);
  return 1;
}

static void wrong_ones_are_refused_or_run_alike(void **state) {
  (void)state;
  enum { PROGRAMS = 150, WAYS = 8 };
  moho_device *device = test_device_open("");
  unsigned refused = 0, ran = 0;
  if (is_one_device) return test_device_close(&device); /* text would be compiled for each */
  for (uint64_t seed = first_seed; seed < first_seed + PROGRAMS; seed++) {
    random_program_options options = {.seed = seed, .has_double = 1, .has_group = seed % 2, .may_fault = 1, .statements = 12};
    moho_program *program, *damaged;
    void *data;
    size_t bytes;
    uint64_t chance = seed;
    assert_ok(random_program_build(&options, &program));
    for (int way = 0; way < WAYS; way++) {
      assert_ok(moho_program_encode(program, &data, &bytes));
      damage(&chance, data, bytes);
      if (moho_program_decode(data, bytes, &damaged)) {
        assert_true(moho_last_error()->message[0]);
        refused++;
      } else {
        ran += (unsigned)run_damaged(device, damaged, seed);
        moho_program_destroy(&damaged);
      }
      free(data);
    }
    moho_program_destroy(&program);
  }
  printf("    %u refused, %u ran as the reference does\n", refused, ran);
  assert_true(refused > PROGRAMS && ran > PROGRAMS / 4);
  test_device_close(&device);
}

static void in_every_instruction_set(void **state) {
  (void)state;
  static const char *const uris[] = {"cpu?simd=scalar&threads=1", "cpu?simd=avx2&threads=3", "cpu?simd=avx512&threads=1"};
  if (is_one_device) return; /* that one alone */
  for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
    moho_device *device;
    if (moho_device_open(uris[i], &device)) {
      printf("    %s: %s\n", uris[i], moho_last_error()->message);
      continue;
    }
    compare_all(device, n_programs ? n_programs : 100);
    test_device_close(&device);
  }
}

int main(int argc, char **argv) {
  is_one_device = getenv("MOHO_DEVICE") != NULL;
  if (argc > 1) n_programs = (unsigned)strtoul(argv[1], NULL, 10);
  if (argc > 2) first_seed = strtoull(argv[2], NULL, 10);
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_the_reference), cmocka_unit_test(in_every_instruction_set),
                                     cmocka_unit_test(groups_abreast), cmocka_unit_test(wrong_ones_are_refused_or_run_alike)};
  return cmocka_run_group_tests_name("program_fuzz", tests, NULL, NULL);
}
