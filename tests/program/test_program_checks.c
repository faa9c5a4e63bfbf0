/* test_program_checks.c - what no program may have, a case each: refused with the instruction's number and text, and the line.
 * The neighbours that are allowed stand beside them.
 */
#include <stdio.h>
#include <string.h>

#include "program_support.h"

#define HEAD                                                                                       \
  "program t\nscalar f32 s\nbuffer in f32 x\nbuffer out f32 y\narray f32 tile[8]\npool i32 k[4]\n" \
  "register u32 i, n\nregister f32 a, b, t[4]\nregister i32 j\nregister f64 w\nregister u8 q\npredicate p, r\n"
enum { AFTER = 12 };

static void refused(const char *body, const char *words, int line) {
  char text[4000];
  snprintf(text, sizeof text, HEAD "%s", body);
  assert_refused(text, MOHO_ERROR_FORMAT, words, line ? AFTER + line : 0, NULL);
}

static void accepted(const char *body) {
  char text[4000];
  snprintf(text, sizeof text, HEAD "%s", body);
  moho_program *program = program_of(text);
  moho_program_destroy(&program);
}

static void types(void **state) {
  (void)state;
  refused("set a, 1\nset j, 1\nadd a, a, j\n", "instruction 2 (add a, a, j): j is i32, expected f32 as a has", 3);
  refused("set j, 1\nsqrt j, j\n", "instruction 1 (sqrt j, j): j is i32, expected f16, bf16, f32 or f64", 2);
  refused("set j, 1\nfma j, j, j, j\n", "j is i32, expected f16, bf16, f32 or f64", 2);
  refused("set a, 1\nand a, a, a\n", "a is f32, expected an integer type", 2);
  refused("set a, 1\nshl a, a, a\n", "a is f32, expected an integer type", 2);
  refused("get a, id.x\n", "a is f32, expected i32, i64, u32 or u64", 1);
  refused("get q, lane\n", "q is u8, expected i32, i64, u32 or u64", 1);
  refused("param w, s\n", "w is f64, expected f32 as s has", 1);
  refused("set a, 1\nloop a\nend\n", "a is f32, expected an integer type", 2);
  refused("set a, 1\ngroup.and a, a\n", "a is f32, expected an integer type", 2);
  refused("set a, 1\nset w, 1\ncompare.lt p, a, w\n", "w is f64, expected f32 as a has", 3);
  refused("set a, 1\nset i, 1\nset j, 1\ncompare.eq p, a, a\nselect a, p, a, j\n", "j is i32, expected f32 as a has", 5);
  refused("load w, x[0]\n", "x has elements of f32, the register is f64", 1);
  refused("alloc k\nset a, 1\nstore k[0], a\n", "k has elements of i32, the register is f32", 3);
  refused("set a, 1\nload b, x[a]\n", "the index a is f32, expected an integer", 2);
  refused("set t0, 1\nset t1, 1\nset t2, 1\nset t3, 1\nset j, 1\nreduce.add a, t0..j\n", "j is i32, expected f32 as a has", 6);
  accepted("set q, 200\nload b, x[q]\nset q, 2\nloop q\nend\n");
}

static void access(void **state) {
  (void)state;
  refused("load a, y[0]\n", "instruction 0 (load a, y[0]): buffer y is declared out: it is not read", 1);
  refused("set a, 1\nstore x[0], a\n", "buffer x is declared in: it is not written", 2);
}

static void unset(void **state) {
  (void)state;
  refused("add a, a, b\n", "instruction 0 (add a, a, b): register a may not have been set", 1);
  refused("if p\nend\n", "predicate p may not have been set", 1);
  refused("while !p max 3\nend\n", "predicate p may not have been set", 1);
  refused("set a, 1\nselect a, r, a, a\n", "predicate r may not have been set", 2);
  refused("load a, x[i]\n", "register i may not have been set", 1);
  refused("store y[0], a\n", "register a may not have been set", 1);
  refused("set a, 1\nstore y[i], a\n", "register i may not have been set", 2);
  refused("set t0, 1\nset t2, 1\nreduce.add a, t0..t2\n", "register t1 may not have been set", 3);
  refused("set a, 1\ncompare.lt p, a, a\nif p\nset b, 1\nend\nadd a, a, b\n", "register b may not have been set", 6);
  refused("set a, 1\ncompare.lt p, a, a\nif p\nelse\nset b, 1\nend\nadd a, a, b\n", "register b may not have been set", 7);
  refused("set n, 3\nloop n\nset b, 1\nend\nabs a, b\n", "register b may not have been set", 5);
  refused("set a, 1\ncompare.lt p, a, a\nwhile p max 9\nset b, 1\nend\nabs a, b\n", "register b may not have been set", 6);
  refused("set n, 3\nloop n\nabs a, b\nset b, 1\nend\n", "register b may not have been set", 3);
  refused("load j, k[0]\n", "pool k may not have been allocated", 1);
  refused("set j, 1\nstore k[0], j\n", "pool k may not have been allocated", 2);
  refused("call f\nfunction f\nadd a, b, b\nend\n", "instruction 1 (add a, b, b): register b may not have been set", 3);
  accepted("set a, 1\ncompare.lt p, a, a\nif p\nset b, 1\nelse\nset b, 2\nend\nadd a, a, b\n");
  accepted("set a, 1\ncompare.lt p, a, a\nif p\nset b, 1\nelse\nexit\nend\nadd a, a, b\n");
  accepted("set n, 1\nset a, 1\nloop n\ncompare.lt p, a, a\nif p\nbreak\nelse\nset b, 1\nend\nadd a, a, b\nend\n");
  accepted("call f\nadd a, b, b\nfunction f\nset b, 1\nend\n");
}

static void blocks(void **state) {
  (void)state;
  refused("else\n", "instruction 0 (else): there is no `if` that it belongs to", 1);
  refused("set a, 1\ncompare.lt p, a, a\nif p\nelse\nelse\nend\n", "the `if` of instruction 2 has an `else` already", 5);
  refused("set n, 1\nloop n\nelse\nend\n", "there is no `if` that it belongs to", 3);
  refused("end\n", "there is no block that it ends", 1);
  refused("set n, 1\nloop n\n", "instruction 1 (loop n): has no `end`", 2);
  refused("break\n", "there is no loop around it in its function", 1);
  refused("set n, 1\nloop n\ncall f\nend\nfunction f\nbreak\nend\n", "there is no loop around it in its function", 6);
  refused("set n, 1\nloop n\nbreak\nset n, 2\nend\n", "instruction 3 (set n, 2): is never reached, it follows `break`", 4);
  refused("exit\nset n, 2\n", "is never reached, it follows `exit`", 2);
}

static void calls(void **state) {
  (void)state;
  refused("call f\nfunction f\ncall f\nend\n", "instruction 1 (call f): calls form a cycle through f", 3);
  refused("call f\nfunction f\ncall g\nend\nfunction g\ncall f\nend\n", "calls form a cycle through f", 6);
  refused("function f\ncall g\nend\nfunction g\ncall f\nend\n", "calls form a cycle", 5); /* also where nobody calls them */
  accepted("call f\ncall g\nfunction f\ncall g\nend\nfunction g\nset a, 1\nend\n");
}

static const char *doubling(unsigned functions, const char *last) {
  static char text[8000];
  int used = snprintf(text, sizeof text, "program t\nregister f32 a\nset a, 1\ncall f0\n");
  for (unsigned f = 0; f < functions; f++)
    used += snprintf(text + used, sizeof text - (size_t)used, "function f%u\ncall f%u\ncall f%u\nend\n", f, f + 1, f + 1);
  snprintf(text + used, sizeof text - (size_t)used, "function f%u\n%send\n", functions, last);
  return text;
}

static void sizes(void **state) {
  (void)state;
  moho_program_report report;
  moho_program *program = program_of(doubling(15, "add a, a, a\n"));
  assert_ok(moho_program_describe(program, &report));
  assert_int_equal(report.instructions_whole, 32768 + 1);
  moho_program_destroy(&program);
  assert_refused(doubling(16, "add a, a, a\n"), MOHO_ERROR_RANGE, "passes 65536 instructions", 4, "inlined");
  assert_refused(doubling(200, "add a, a, a\n"), MOHO_ERROR_RANGE, "passes 65536 instructions", 0, NULL);
  program = program_of(doubling(200, "")); /* 2^200 calls of nothing take no time */
  moho_program_destroy(&program);
}

static void depth(void **state) {
  (void)state;
  for (int n = 64; n <= 65; n++) {
    char text[4000] = "program t\nregister u32 n\nset n, 1\n";
    for (int i = 0; i < n; i++) strcat(text, "loop n\n");
    for (int i = 0; i < n; i++) strcat(text, "end\n");
    moho_program *program;
    if (n == 64) program = program_of(text), moho_program_destroy(&program);
    else assert_refused(text, MOHO_ERROR_RANGE, "more than 64 blocks in blocks", 3 + 65, NULL);
  }
  char text[4000] = "program t\nregister u32 n\nset n, 1\n";
  for (int i = 0; i < 40; i++) strcat(text, "loop n\n");
  strcat(text, "call f\n");
  for (int i = 0; i < 40; i++) strcat(text, "end\n");
  strcat(text, "function f\n");
  for (int i = 0; i < 40; i++) strcat(text, "loop n\n");
  for (int i = 0; i < 40; i++) strcat(text, "end\n");
  strcat(text, "end\n");
  assert_refused(text, MOHO_ERROR_RANGE, "with calls inlined", 0, NULL);
}

/* Where lanes are not surely together, each of the four group operations is refused. */
static void together(const char *before, const char *after, const char *words) {
  static const char *const operations[] = {"barrier\n", "fence\n", "alloc k\n", "group.add a, a\n"};
  char body[1000];
  for (size_t i = 0; i < 4; i++) {
    snprintf(body, sizeof body, "%s%s%s", before, operations[i], after);
    if (words) refused(body, words, 0);
    else accepted(body);
  }
}

#define LANES_DIFFER "set a, 1\nset b, 0\nset n, 4\nget i, lane\ncompare.lt p, i, n\n"
#define LANES_AGREE "set a, 1\nset b, 0\nset n, 4\nget i, group\ncompare.lt p, i, n\n"

static void uniform(void **state) {
  (void)state;
  together(LANES_AGREE "if p\n", "end\n", NULL);
  together(LANES_DIFFER "if p\n", "end\n", "lanes of a group may differ about `if p` of instruction 5");
  together(LANES_DIFFER "if p\nelse\n", "end\n", "lanes of a group may differ about `if p`");
  together(LANES_DIFFER "if p\nset a, 2\nend\n", "", NULL);
  together(LANES_DIFFER "loop i\n", "end\n", "lanes of a group may differ about `loop i`");
  together(LANES_AGREE "loop i\n", "end\n", NULL);
  together(LANES_DIFFER "while p max 10\n", "end\n", "lanes of a group may differ about `while p max 10`");
  together(LANES_AGREE "while p max 10\n", "end\n", NULL);
  together(LANES_DIFFER "loop n\nloop n\nif p\nbreak\nend\nend\n", "end\n", NULL); /* they meet at the inner loop's end */
  together(LANES_DIFFER "loop n\nif p\nbreak\nend\n", "end\n",
           "single lanes may have left the loop by the `break` of instruction 7");
  together(LANES_DIFFER "loop n\n", "if p\nbreak\nend\nend\n", "single lanes may have left the loop by the `break`");
  together(LANES_AGREE "loop n\n", "if p\nbreak\nend\nend\n", NULL);
  together(LANES_DIFFER "if p\nexit\nend\n", "", "single lanes may have left by the `exit` of instruction 6");
  together(LANES_DIFFER "loop n\n", "if p\nexit\nend\nend\n", "single lanes may have left by the `exit`");
  together(LANES_DIFFER, "if p\nexit\nend\n", NULL);
  together(LANES_AGREE "if p\nexit\nend\n", "", NULL);
  together(LANES_DIFFER "call f\n", "function f\nif p\nexit\nend\nend\n", "single lanes may have left by the `exit`");
}

/* What a predicate is made of decides: its ways through registers, memory, loops. */
static void variance(void **state) {
  (void)state;
  const char *differ = "lanes of a group may differ about `if p`";
  together("set a, 1\nget i, id.y\nset n, 1\ncompare.eq p, i, n\nif p\n", "end\n", differ);
  together("set a, 1\nset i, 0\nload b, x[i]\ncompare.eq p, a, b\nif p\n", "end\n", NULL); /* read by none but this launch */
  together("set a, 1\nget i, lane\nload b, x[i]\ncompare.eq p, a, b\nif p\n", "end\n", differ);
  together("set a, 1\nload b, tile[0]\ncompare.eq p, a, b\nif p\n", "end\n", differ);
  together("set a, 1\nparam b, s\nlength n, x\ncompare.eq p, a, b\nif p\n", "end\n", NULL);
  together("set a, 1\nget i, lane\nload b, x[i]\ngroup.max b, b\ncompare.eq p, a, b\nif p\n", "end\n", NULL);
  together("set a, 1\nget i, lane\nconvert j, i\nconvert b, j\ncompare.eq r, a, b\npnot p, r\nif p\n", "end\n", differ);
  /* Set to constants, but where lanes differ; and one loop later. */
  together(LANES_DIFFER "if p\nset b, 1\nend\ncompare.eq p, a, b\nif p\n", "end\n", "may differ about");
  together("set a, 1\nset b, 1\nset n, 5\nget i, lane\nloop n\ncompare.eq p, a, b\nif p\n", "end\nload b, x[i]\nend\n", differ);
  together("set a, 1\nset b, 1\nset n, 5\nset i, 0\nloop n\ncompare.eq p, a, b\nif p\n", "end\nload b, x[i]\nend\n", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(types),  cmocka_unit_test(access),  cmocka_unit_test(unset),
                                     cmocka_unit_test(blocks), cmocka_unit_test(calls),   cmocka_unit_test(sizes),
                                     cmocka_unit_test(depth),  cmocka_unit_test(uniform), cmocka_unit_test(variance)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
