/* test_program_cuda_text.c - the text of programs through NVRTC, without driver and GPU: machine code for sm_80 and sm_90. What
 * it computes is seen on a GPU by test_program_fuzz. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_texts.h"
#include "device/cuda/cuda_compile.h"
#include "program/gpu_abreast.h"
#include "program/gpu_text.h"
#include "random_program.h"
#include "test_support.h"

static moho_nvrtc nvrtc;

/* Registers, few lanes or many, a line or any shape. */
static void compile(const moho_program *program, int architecture, int lanes, int is_line) {
  const moho_constant constants[] = {{"PROGRAM_LANES", lanes, 0},
                                     {"PROGRAM_LINE", is_line, 0},
                                     {"PROGRAM_ABREAST", moho_gpu_may_run_abreast(program) ? MOHO_GPU_ABREAST : 1, 0}};
  moho_cuda_target target;
  moho_cuda_image image;
  char *text;
  assert_ok(moho_gpu_text_make(program, &text));
  assert_true(moho_nvrtc_target(&nvrtc, architecture, &target));
  moho_unit unit = kernel_unit(MOHO_GPU_KERNEL, constants, 3, text);
  assert_ok(moho_cuda_compile(&nvrtc, target, &unit, &image));
  assert_memory_equal(image.data,
                      "\x7f"
                      "ELF",
                      4);
  free(image.data);
  kernel_unit_free(&unit);
  free(text);
}

static void random_programs_become_machine_code(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    random_program_options options = {
        .seed = seed, .has_double = 1, .has_group = 1, .has_loops = 1, .may_fault = 1, .statements = 30};
    moho_program *program;
    assert_ok(random_program_build(&options, &program));
    compile(program, seed % 2 ? 90 : 80, seed % 3 ? 256 : 1024, seed % 2);
    moho_program_destroy(&program);
  }
}

static void lanes_abreast_become_machine_code(void **state) {
  (void)state;
  unsigned n = 0;
  for (uint64_t seed = 1; n < 4; seed++) {
    random_program_options options = {.seed = seed, .has_double = 1, .may_fault = 1, .statements = 12};
    moho_program *program;
    assert_ok(random_program_build(&options, &program));
    if (moho_gpu_may_run_abreast(program)) compile(program, 90, 256, n++ % 2);
    moho_program_destroy(&program);
  }
}

/* Every operation on every type that it takes, every conversion, every condition. */
static void every_instruction_becomes_machine_code(void **state) {
  (void)state;
  moho_program_builder *b;
  moho_program *program;
  int r[MOHO_PROGRAM_TYPES][3], buffer[MOHO_PROGRAM_TYPES];
  assert_ok(moho_program_builder_create("every", &b));
  for (int t = 0; t < MOHO_PROGRAM_TYPES; t++) {
    buffer[t] = moho_program_add_buffer(b, (moho_program_type)t, MOHO_PROGRAM_INOUT, NULL);
    for (int k = 0; k < 3; k++) r[t][k] = moho_program_add_register(b, (moho_program_type)t, NULL);
  }
  int p = moho_program_add_predicate(b, NULL);
  for (int t = 0; t < MOHO_PROGRAM_TYPES; t++) {
    moho_program_address at = {MOHO_PROGRAM_BUFFER, buffer[t], -1, 0};
    for (int k = 0; k < 3; k++, at.offset++) moho_program_load_element(b, r[t][k], at);
  }
  for (int t = 0; t < MOHO_PROGRAM_TYPES; t++) {
    for (int op = 0; op < MOHO_PROGRAM_OPERATIONS; op++) {
      moho_operands form = moho_operations[op].operands;
      int n = form == MOHO_OPERANDS_D_A ? 1 : form == MOHO_OPERANDS_D_A_B ? 2 : form == MOHO_OPERANDS_D_A_B_C ? 3 : 0;
      if (n && moho_operations[op].types >> t & 1)
        moho_program_emit(b, (moho_program_operation)op, r[t][0], r[t][1], n > 1 ? r[t][2] : -1, n > 2 ? r[t][0] : -1);
    }
    for (int from = 0; from < MOHO_PROGRAM_TYPES; from++) moho_program_emit(b, MOHO_PROGRAM_CONVERT, r[t][1], r[from][0], -1, -1);
    for (int c = 0; c < MOHO_PROGRAM_CONDITIONS; c++) {
      moho_program_compare(b, p, (moho_program_condition)c, r[t][0], r[t][1]);
      moho_program_select(b, r[t][2], p, r[t][0], r[t][1]);
    }
    int reductions = moho_type_is_real(t) ? MOHO_PROGRAM_REDUCE_MAX + 1 : MOHO_PROGRAM_REDUCTIONS;
    for (int k = 0; k < reductions; k++) moho_program_group_reduce(b, (moho_program_reduction)k, r[t][1], r[t][2]);
    moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_BUFFER, buffer[t], -1, 0}, r[t][1]);
  }
  assert_ok(moho_program_builder_finish(&b, &program));
  compile(program, 90, 256, 1);
  moho_program_destroy(&program);
}

int main(void) {
  if (moho_nvrtc_find(99, 90, &nvrtc)) {
    printf("skipped: %s\n", moho_last_error()->message);
    return TEST_SKIPPED;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_programs_become_machine_code),
                                     cmocka_unit_test(lanes_abreast_become_machine_code),
                                     cmocka_unit_test(every_instruction_becomes_machine_code)};
  return cmocka_run_group_tests_name("program_cuda_text", tests, NULL, NULL);
}
