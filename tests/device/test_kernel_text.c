/* test_kernel_text.c - the text that a compiler is given: constants, kern.h, the caller's lines under the caller's numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/kernel_text.h"
#include "device_support.h"

static const char text[] = "#include \"kern.h\"\n"
                           "/* KERNEL(not_this, 1)\n"
                           "#include <stdio.h> neither */\n"
                           "KERNEL(first, 256, INOUT(0, float, x)) { x[LANE] = 1.0f; }\n"
                           "  #  include \"kern.h\" // once more\n"
                           "KERNEL_GROUP (second , 64, INOUT(0, float, x)) { x[LANE] = 2.0f; }\n";

static moho_kernel_options options_of(const moho_constant *constants, size_t n) {
  return (moho_kernel_options){.name = "first", .file = "mine \"x\".k", .constants = constants, .n_constants = n};
}

static void make(const moho_kernel_options *options, char **out, char key[65]) {
  assert_ok(moho_kernel_text_make(options, text, out, key));
}

static void key_of(const moho_kernel_options *options, char key[65]) {
  char *out;
  make(options, &out, key);
  free(out);
}

/* The caller's part: behind the last #line that names the caller's file. */
static const char *own_part(const char *whole) {
  const char *line = strstr(whole, "#line 1 \"mine _x_.k\"\n");
  assert_non_null(line);
  return strchr(line, '\n') + 1;
}

static void lines_keep_their_numbers(void **state) {
  (void)state;
  char key[65], *whole;
  moho_kernel_options options = options_of(NULL, 0);
  make(&options, &whole, key);
  assert_string_equal(own_part(whole), "\n"
                                       "/* KERNEL(not_this, 1)\n"
                                       "#include <stdio.h> neither */\n"
                                       "KERNEL(first, 256, INOUT(0, float, x)) { x[LANE] = 1.0f; }\n"
                                       "\n"
                                       "KERNEL_GROUP (second , 64, INOUT(0, float, x)) { x[LANE] = 2.0f; }\n");
  assert_non_null(strstr(whole, "#define KERNEL("));
  assert_int_equal(strlen(key), 64);
  free(whole);
}

static void constants(void **state) {
  (void)state;
  static const moho_constant good[] = {
      {"TILE", 32, 0},   {"SHIFT", -3, 0}, {"MOST", 4294967295.0, 0}, {"LEAST", -2147483648.0, 0},
      {"STEP", 0.1f, 1}, {"ONE", 1, 1},    {"SMALL", 1e-30f, 1},      {"BELOW", -2.5, 1}};
  char key[65], other[65], *whole;
  moho_kernel_options options = options_of(good, sizeof good / sizeof *good);
  make(&options, &whole, key);
  const char *start = "#define TILE 32\n#define SHIFT (-3)\n#define MOST 4294967295u\n#define LEAST (-2147483647 - 1)\n";
  assert_memory_equal(whole, start, strlen(start));
  /* Floats are literals of a float: with a point or an exponent, and an f; they read back as they were given. */
  for (size_t i = 4; i < options.n_constants; i++) {
    char define[40];
    snprintf(define, sizeof define, "#define %s ", good[i].name);
    const char *value = strstr(whole, define);
    assert_non_null(value);
    value += strlen(define);
    value += *value == '(';
    size_t n = strcspn(value, ")\n");
    assert_true(value[n - 1] == 'f' && strcspn(value, ".e") < n);
    assert_true(strtof(value, NULL) == (float)good[i].value);
  }
  free(whole);
  /* Another value is another kernel. */
  moho_constant changed[] = {{"TILE", 33, 0}};
  options = options_of(good, 1);
  key_of(&options, key);
  options.constants = changed;
  key_of(&options, other);
  assert_string_not_equal(key, other);
  options.name = "second";
  key_of(&options, key);
  assert_string_not_equal(key, other);
}

static void refused_constants(void **state) {
  (void)state;
  static const struct {
    moho_constant constant;
    const char *words;
  } cases[] = {{{NULL, 1, 0}, "constant"},
               {{"", 1, 0}, "constant"},
               {{"2X", 1, 0}, "2X"},
               {{"A B", 1, 0}, "A B"},
               {{"N\n#include", 1, 0}, "constant"},
               {{"N", 1.5, 0}, "whole number"},
               {{"N", 4294967296.0, 0}, "whole"},
               {{"N", -2147483649.0, 0}, "whole"},
               {{"N", 0.0 / 0.0, 1}, "N"},
               {{"N", 1.0 / 0.0, 1}, "N"},
               {{"N", 1e300, 1}, "N"},
               {{"N", 0.0 / 0.0, 0}, "N"}};
  char key[65], *out;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    moho_kernel_options options = options_of(&cases[i].constant, 1);
    assert_fails(moho_kernel_text_make(&options, text, &out, key), MOHO_ERROR_ARGUMENT, cases[i].words);
    assert_null(out);
  }
  static const moho_constant twice[] = {{"N", 1, 0}, {"M", 1, 0}, {"N", 1, 0}};
  moho_kernel_options options = options_of(twice, 3);
  assert_fails(moho_kernel_text_make(&options, text, &out, key), MOHO_ERROR_ARGUMENT, "constant N is given twice");
}

/* Only kern.h: files are flattened when a program is built. The place is the caller's. */
static void refused_includes(void **state) {
  (void)state;
  char key[65], *out;
  moho_kernel_options options = options_of(NULL, 0);
  options.file = "mine.k";
  assert_fails(moho_kernel_text_make(&options, "#include \"kern.h\"\n\n#include \"other.h\"\n", &out, key), MOHO_ERROR_COMPILE,
               "a text includes only \"kern.h\", got #include \"other.h\"");
  assert_int_equal(moho_last_error()->line, 3);
  assert_string_equal(moho_last_error()->file, "mine.k");
  assert_fails(moho_kernel_text_make(&options, "#include <math.h>", &out, key), MOHO_ERROR_COMPILE, "<math.h>");
}

static void found_by_name(void **state) {
  (void)state;
  moho_kernel_facts facts;
  assert_ok(moho_kernel_text_find(text, "mine.k", "first", &facts));
  assert_true(facts.known && !facts.uses_group);
  assert_ok(moho_kernel_text_find(text, "mine.k", "second", &facts));
  assert_true(facts.known && facts.uses_group);
  assert_fails(moho_kernel_text_find(text, "mine.k", "secund", &facts), MOHO_ERROR_NOT_FOUND,
               "no kernel secund in the text, it has: first, second");
  assert_string_equal(moho_last_error()->hint, "did you mean \"second\"?");
  assert_string_equal(moho_last_error()->file, "mine.k");
  assert_fails(moho_kernel_text_find(text, NULL, "not_this", &facts), MOHO_ERROR_NOT_FOUND, "no kernel not_this");
  assert_fails(moho_kernel_text_find("", NULL, "any", &facts), MOHO_ERROR_NOT_FOUND, "it has: none");
  assert_fails(moho_kernel_text_find("KERNEL(", NULL, "any", &facts), MOHO_ERROR_NOT_FOUND, "it has: none");
  assert_fails(moho_kernel_text_find("KERNEL(any /*", NULL, "any", &facts), MOHO_ERROR_NOT_FOUND, "it has: none");
  /* Made by a macro of the text's own: the compiler will tell. */
  assert_ok(moho_kernel_text_find("#define MAKE(name) \\\n  KERNEL(name, 64, INOUT(0, float, x)) {}\nMAKE(any)\n", NULL, "any",
                                  &facts));
  assert_false(facts.known);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines_keep_their_numbers), cmocka_unit_test(constants),
                                     cmocka_unit_test(refused_constants), cmocka_unit_test(refused_includes),
                                     cmocka_unit_test(found_by_name)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
