/* test_backends.c - what must hold, 10: the fast path of every instruction set against the double reference.
 *
 * Relative L2 <= 2e-8*ns (triangle antialias 1e-4), fold identical (scenarios.h); the machine's instruction sets, the others are
 * named as skipped. Kernels on devices: test_ladder.c.
 */
#include <stdio.h>

#include "scenarios.h"

enum { LONGEST = 4001 };

static int is_available(const char *uri) {
  moho_device *device;
  moho_status status = moho_device_open(uri, &device);
  if (status) assert_int_equal(status, MOHO_ERROR_NOT_AVAILABLE);
  else moho_device_close(&device);
  return !status;
}

static const char *const simds[] = {"scalar", "avx2", "avx512", "neon"};

/* On every instruction set of this machine; how many disagree. */
static size_t compare_all(const char *what, size_t number, physics_case c) {
  size_t failures = 0, ran = 0;
  for (size_t i = 0; i < 4; i++) {
    char uri[60], name[60];
    snprintf(uri, sizeof uri, "cpu?simd=%s&threads=2", simds[i]);
    snprintf(name, sizeof name, "%s, %s", simds[i], what);
    if (!is_available(uri)) continue;
    moho_image image = migrate(uri, &c.grid, c.velocity, &c.options, &c.survey, 40);
    failures += !case_agrees(name, number, &c, &image, c.bound, 0);
    ran++;
    moho_image_release(&image);
  }
  assert_true(ran >= 1);
  case_release(&c);
  return failures;
}

static void instruction_sets_are_named(void **state) {
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    char uri[60];
    snprintf(uri, sizeof uri, "cpu?simd=%s", simds[i]);
    print_message("%s: %s\n", simds[i], is_available(uri) ? "compared" : "skipped, not on this machine");
  }
}

static void long_traces_agree_with_the_reference(void **state) {
  (void)state;
  size_t failures = compare_all("samples", 1001, case_of_length(1001)) + compare_all("samples", LONGEST, case_of_length(LONGEST));
  assert_int_equal(failures, 0);
}

static void every_instruction_set_agrees_with_the_reference(void **state) {
  (void)state;
  size_t failures = 0;
  for (size_t i = 0; i < SCENARIOS; i++) failures += compare_all("scenario", i, case_of_scenario(&scenarios[i]));
  assert_int_equal(failures, 0);
}

static void every_law_agrees_with_the_reference(void **state) {
  (void)state;
  size_t failures = 0;
  for (size_t i = 0; i < LAW_SCENARIOS; i++) {
    scenario s = law_scenario(i);
    failures += compare_all("law scenario", i, case_of_scenario(&s));
  }
  assert_int_equal(failures, 0);
}

static int value_of(const scenario *s, int option) {
  const int values[] = {(int)s->law, (int)s->interpolation, (int)s->antialias, (int)s->weight - MOHO_WEIGHT_NONE};
  return values[option];
}

static void every_pair_with_a_law_is_tried(void **state) {
  (void)state;
  static const int values[] = {6, 3, 3, 5};
  for (int one = 0; one < 4; one++)
    for (int other = 0; other < one; other++)
      for (int pair = 0; pair < values[one] * values[other]; pair++) {
        size_t found = 0;
        for (size_t i = 0; i < LAW_SCENARIOS; i++) {
          scenario s = law_scenario(i);
          found += value_of(&s, one) == pair / values[other] && value_of(&s, other) == pair % values[other];
        }
        assert_true(found);
      }
}

/* The table above really holds what its heading says. */
static void every_pair_of_options_is_tried(void **state) {
  (void)state;
  unsigned pairs[3][2][5] = {{{0}}};
  for (size_t i = 0; i < SCENARIOS; i++) pairs[scenarios[i].interpolation][scenarios[i].antialias][scenarios[i].weight] = 1;
  for (int p = 0; p < 3; p++)
    for (int a = 0; a < 2; a++) {
      unsigned found = 0;
      for (int w = 0; w < 5; w++) found |= pairs[p][a][w];
      assert_true(found);
    }
  for (int w = 0; w < 5; w++) {
    for (int p = 0; p < 3; p++) assert_true(pairs[p][0][w] | pairs[p][1][w]);
    for (int a = 0; a < 2; a++) assert_true(pairs[0][a][w] | pairs[1][a][w] | pairs[2][a][w]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pair_of_options_is_tried),
      cmocka_unit_test(instruction_sets_are_named),
      cmocka_unit_test(every_instruction_set_agrees_with_the_reference),
      cmocka_unit_test(every_law_agrees_with_the_reference),
      cmocka_unit_test(every_pair_with_a_law_is_tried),
      cmocka_unit_test(long_traces_agree_with_the_reference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
