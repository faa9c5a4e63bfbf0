/* test_program_text.c - the text form: mistakes with line, column and hint; texts that come back as they were; the builder makes
 * the same programs as the text does.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program_support.h"

#define HEAD "program t\nregister f32 a, value\nregister i8 j\nregister u64 u\npredicate p\nbuffer in f32 x\npool f32 k[4]\n"
enum { AFTER = 7 };

static void mistake(const char *body, int code, const char *words, int line, int column, const char *hint) {
  char text[2000];
  snprintf(text, sizeof text, HEAD "%s", body);
  assert_refused(text, code, words, AFTER + line, hint);
  assert_int_equal(moho_last_error()->column, column);
  assert_string_equal(moho_last_error()->file, "test.mp");
}

static void mistakes(void **state) {
  (void)state;
  mistake("addd a, a, a\n", MOHO_ERROR_KEY, "\"addd\" is neither an instruction nor a declaration", 1, 1, "did you mean add?");
  mistake("  add a, a\n", MOHO_ERROR_FORMAT, "expected \",\", found the end of the line", 1, 11, NULL);
  mistake("add a, valeu, a\n", MOHO_ERROR_KEY, "\"valeu\" is not declared, expected a register", 1, 8, "did you mean value?");
  mistake("add a, x, a\n", MOHO_ERROR_KEY, "\"x\" is a buffer, expected a register", 1, 8, NULL);
  mistake("if a\n", MOHO_ERROR_KEY, "\"a\" is a register, expected a predicate", 1, 4, NULL);
  mistake("add a, a, a a\n", MOHO_ERROR_FORMAT, "expected the end of the line, found \"a\"", 1, 13, "one statement a line");
  mistake("set a, 1\nset a, one\n", MOHO_ERROR_FORMAT, "expected a number, found \"one\"", 2, 8, "inf, nan");
  mistake("set j, 128\n", MOHO_ERROR_RANGE, "128 does not fit i8", 1, 8, NULL);
  mistake("set j, -129\n", MOHO_ERROR_RANGE, "-129 does not fit i8", 1, 9, NULL);
  mistake("set j, 1.5\n", MOHO_ERROR_FORMAT, "\"1.5\" is no whole number", 1, 8, NULL);
  mistake("set u, -1\n", MOHO_ERROR_RANGE, "-1 does not fit u64", 1, 9, NULL);
  mistake("set u, 18446744073709551616\n", MOHO_ERROR_RANGE, "expected at most 18446744073709551615", 1, 8, NULL);
  mistake("set a, 1e39\n", MOHO_ERROR_RANGE, "1e39 is too large for f32", 1, 8, "infinity is written inf");
  mistake("set a, bits 0x100000000\n", MOHO_ERROR_RANGE, "expected at most 4294967295", 1, 13, NULL);
  mistake("set a, 12m\n", MOHO_ERROR_FORMAT, "\"12m\" is no number", 1, 8, NULL);
  mistake("get u, id.w\n", MOHO_ERROR_KEY, "\"id.w\" is no special value", 1, 8, "id.x id.y id.z");
  mistake("compare.less p, a, a\n", MOHO_ERROR_KEY, "\"less\" is no condition", 1, 9, "eq ne lt le gt ge ult ule ugt uge");
  mistake("compare p, a, a\n", MOHO_ERROR_FORMAT, "expected \".\"", 1, 9, NULL);
  mistake("group.mean a, a\n", MOHO_ERROR_KEY, "\"mean\" is no reduction", 1, 7, "add mul min max and or xor");
  mistake("reduce.add a, value..a\n", MOHO_ERROR_RANGE, "a is declared before value", 1, 22, NULL);
  mistake("load a, y[0]\n", MOHO_ERROR_KEY, "\"y\" is not declared, expected a buffer, group array or pool", 1, 9, NULL);
  mistake("load a, x\n", MOHO_ERROR_FORMAT, "expected \"[\"", 1, 10, NULL);
  mistake("load a, x[u * 4]\n", MOHO_ERROR_FORMAT, "\"*\" has no meaning here", 1, 13, NULL);
  mistake("load a, x[2147483648]\n", MOHO_ERROR_RANGE, "an offset: 2147483648, expected at most 2147483647", 1, 11, NULL);
  mistake("alloc x\n", MOHO_ERROR_KEY, "\"x\" is a buffer, expected a pool", 1, 7, NULL);
  mistake("while p\n", MOHO_ERROR_FORMAT, "expected \"max\"", 1, 8, "so every program ends");
  mistake("while p max 0\nend\n", MOHO_ERROR_RANGE, "max 0, expected 1 to 4294967295", 1, 1, NULL);
  mistake("call f\n", MOHO_ERROR_KEY, "\"f\" is not declared, expected a function", 1, 6, NULL);
  mistake("register f33 b\n", MOHO_ERROR_FORMAT, "expected a type, found \"f33\"", 1, 10, "bf16");
  mistake("register f32 a\n", MOHO_ERROR_EXISTS, "the name \"a\" is taken by a register", 1, 14, NULL);
  mistake("buffer f32 y\n", MOHO_ERROR_FORMAT, "expected in, out or inout, found \"f32\"", 1, 8, NULL);
  mistake("register f32 t[0]\n", MOHO_ERROR_RANGE, "no register at all", 1, 17, NULL);
  mistake("register f32 t[300]\n", MOHO_ERROR_RANGE, "expected at most 256", 1, 16, NULL);
  mistake("register f32 t[254]\n", MOHO_ERROR_RANGE, "more than 256 registers", 1, 14, NULL);
  mistake("set a, 1 ; b\n", MOHO_ERROR_FORMAT, "\";\" has no meaning here", 1, 10, "# begins a comment");
  mistake("set a, \xff\n", MOHO_ERROR_FORMAT, "a byte 0xFF has no meaning here", 1, 8, NULL);
  mistake("function f\nfunction g\nend\nend\n", MOHO_ERROR_FORMAT, "a function begins within another block", 2, 1, NULL);
  mistake("function f\nset a, 1\n", MOHO_ERROR_FORMAT, "function f has no end", 3, 1, NULL);
  mistake("function a\nend\n", MOHO_ERROR_EXISTS, "the name \"a\" is taken by a function", 2 - AFTER, 14,
          NULL); /* known from the start */
  mistake("register f32 abcdefghijklmnopqrstuvwxyzabcdef\n", MOHO_ERROR_RANGE, "a name of 32 characters, expected at most 31", 1,
          14, NULL);
}

static void beginnings(void **state) {
  (void)state;
  assert_refused("", MOHO_ERROR_FORMAT, "expected \"program\"", 1, "program NAME");
  assert_refused("register f32 a\n", MOHO_ERROR_FORMAT, "expected \"program\", found \"register\"", 1, NULL);
  assert_refused("program\n", MOHO_ERROR_FORMAT, "expected the program's name", 1, NULL);
  moho_program *program = program_of("# nothing\n\n  program nothing # at all");
  moho_program_destroy(&program);
  assert_null(program);
}

static void limits(void **state) {
  (void)state;
  assert_refused("program t\npredicate a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q\n", MOHO_ERROR_RANGE,
                 "more than 16 predicates", 2, NULL);
  static const struct {
    const char *line;
    int most;
    const char *words;
  } many[] = {{"buffer in f32 b%d\n", 24, "more than 24 buffers"},
              {"scalar f32 b%d\n", 64, "more than 64 scalars"},
              {"array i8 b%d[1]\n", 16, "more than 16 group arrays"},
              {"pool i8 b%d[1]\n", 16, "more than 16 pools"}};
  for (size_t k = 0; k < sizeof many / sizeof *many; k++) { /* the most are taken, one more is not */
    char text[4000] = "program t\n";
    moho_program *program;
    for (int i = 0; i < many[k].most; i++) snprintf(text + strlen(text), 40, many[k].line, i);
    assert_ok(moho_program_assemble(text, NULL, &program));
    moho_program_destroy(&program);
    snprintf(text + strlen(text), 40, many[k].line, many[k].most);
    assert_refused(text, MOHO_ERROR_RANGE, many[k].words, many[k].most + 2, NULL);
  }
  assert_refused("program t\narray f32 t[0]\n", MOHO_ERROR_RANGE, "group array \"t\" has no elements", 0, NULL);
  assert_refused("program t\narray f64 a[4096]\narray i8 b[1]\n", MOHO_ERROR_RANGE,
                 "group array \"b\": 32784 bytes of a group in all", 0, NULL);
  assert_refused("program t\npool f64 a[8192]\npool i8 b[1]\n", MOHO_ERROR_RANGE, "pool \"b\": 65552 bytes of a group in all", 0,
                 NULL);
}

/* Every operation, every way to write it. */
static const char everything[] =
    "program everything\n"
    "scalar f32 s\n"
    "scalar i64 count\n"
    "buffer in f32 x, x2\n"
    "buffer out f32 y\n"
    "buffer inout bf16 z\n"
    "array f32 tile[64]\n"
    "array u8 marks[2 lanes]\n"
    "array i16 both[1 + 1 lanes]\n"
    "pool f32 scratch[1024]\n"
    "register u32 i, n\n"
    "register f32 a, b, c, t0, t1, t2\n"
    "register f64 w\n"
    "register bf16 h\n"
    "register i64 big\n"
    "register f32 late\n"
    "predicate p, q, r\n"
    "\n"
    "  get i, id\n  get i, id.x\n  get n, lanes.z\n  get n, groups\n  length n, x\n  param a, s\n"
    "  param big, count\n  set a, 1\n  set b, -0\n  set c, 0.1\n  set t0, inf\n  set t1, -inf\n"
    "  set t2, bits 0x7fc00001\n  set w, 0.1\n  set w, 1.7976931348623157e+308\n  set w, 5e-324\n"
    "  set h, 0.332\n  set big, -9223372036854775808\n  set late, 3.4028235e+38\n  move a, b\n  load a, x[i]\n"
    "  load a, x[i + 4]\n  load a, x[i - 2147483648]\n  load a, x2[7]\n  store y[0], a\n  load h, z[i]\n"
    "  store tile[i - 1], a\n  load a, tile[-3]\n  alloc scratch\n  store scratch[i], a\n  load b, scratch[12]\n"
    "  convert w, a\n  add a, b, c\n  sub a, b, c\n  mul a, b, c\n  div a, b, c\n  mad a, b, c, t0\n"
    "  fma a, b, c, t0\n  min a, b, c\n  max a, b, c\n  abs a, b\n  neg a, b\n  and i, i, n\n  or i, i, n\n"
    "  xor i, i, n\n  not i, i\n  shl i, i, n\n  shr i, i, n\n  compare.eq p, a, b\n  compare.uge q, a, b\n"
    "  pand r, p, q\n  por r, p, q\n  pnot r, p\n  select a, p, b, c\n  reduce.add a, t0..t2\n"
    "  reduce.max a, t1..t1\n  group.add a, b\n  group.xor i, n\n  exp a, b\n  log a, b\n  log2 a, b\n"
    "  log10 a, b\n  sqrt a, b\n  rsqrt a, b\n  sin a, b\n  cos a, b\n  tan a, b\n  tanh a, b\n  sigmoid a, b\n"
    "  barrier\n  fence\n  if p\n    call helper\n  else\n    if !q\n      exit\n    end\n  end\n"
    "  loop n\n    while p max 4294967295\n      break\n    end\n    while !p max 1\n    end\n  end\n"
    "\nfunction helper\n  call other\n  loop n\n    break\n  end\nend\n"
    "\nfunction other\n  add b, b, b\nend\n";

static void round_trip(void **state) {
  (void)state;
  char *text, *again;
  moho_program *program = program_of(everything);
  assert_ok(moho_program_disassemble(program, &text));
  assert_string_equal(text, everything); /* written as the disassembler writes */
  moho_program *second = program_of(text);
  moho_program_report a, b;
  assert_ok(moho_program_describe(program, &a));
  assert_ok(moho_program_describe(second, &b));
  assert_string_equal(a.hash, b.hash);
  for (int op = 0; op < MOHO_PROGRAM_OPERATIONS; op++) { /* none is missing above */
    static const char *const words[] = {
#define WORD(name, word, operands, types) word,
        MOHO_PROGRAM_OPERATION_TABLE(WORD)
#undef WORD
    };
    char start[40], point[40];
    snprintf(start, sizeof start, "  %s ", words[op]);
    snprintf(point, sizeof point, "  %s.", words[op]);
    char bare[40];
    snprintf(bare, sizeof bare, "  %s\n", words[op]);
    if (!strstr(everything, start) && !strstr(everything, point) && !strstr(everything, bare)) fail_msg("no %s", words[op]);
  }
  assert_ok(moho_program_disassemble(second, &again));
  assert_string_equal(text, again);
  free(text), free(again);
  moho_program_destroy(&program), moho_program_destroy(&second);
}

/* Any constant comes back with its bits. */
static void constants(void **state) {
  (void)state;
  uint64_t random = 7;
  for (int type = 0; type < MOHO_PROGRAM_TYPES; type++) {
    moho_program_builder *builder;
    moho_program *program;
    uint64_t expected[300], results[300] = {0};
    assert_ok(moho_program_builder_create("constants", &builder));
    int r = moho_program_add_register(builder, (moho_program_type)type, "r");
    int d = moho_program_add_buffer(builder, (moho_program_type)type, MOHO_PROGRAM_OUT, "d");
    for (int i = 0; i < 300; i++) {
      expected[i] = example(type, (size_t)i, &random);
      moho_program_set_bits(builder, r, expected[i]);
      moho_program_store_element(builder, (moho_program_address){MOHO_PROGRAM_BUFFER, d, -1, i}, r);
    }
    assert_ok(moho_program_builder_finish(&builder, &program));
    char *text;
    assert_ok(moho_program_disassemble(program, &text));
    moho_program_destroy(&program);
    program = program_of(text);
    run_program(program, (moho_program_memory[]){{results, 300}}, NULL, 1, 1);
    for (size_t i = 0; i < 300; i++) assert_int_equal(element_of(results, type, i), expected[i]);
    free(text);
    moho_program_destroy(&program);
  }
}

/* Numbers as people write them, in each type. */
static void written_numbers(void **state) {
  (void)state;
  static const struct {
    const char *type, *number;
    uint64_t bits;
  } cases[] = {{"f32", "1.5", 0x3fc00000},
               {"f32", "nan", 0x7fc00000},
               {"f32", "-nan", 0xffc00000},
               {"f16", "nan", 0x7e00},
               {"bf16", "nan", 0x7fc0},
               {"f64", "nan", 0x7ff8000000000000u},
               {"f16", "65504", 0x7bff},
               {"f16", "65519", 0x7bff},
               {"f16", "1e-7", 0x0002},
               {"f16", "2.9802322387695312e-08", 0},     /* half of the least: to even */
               {"f16", "2.98023223876953125001e-08", 0}, /* as a double it is that half */
               {"f16", "2.980232238769532e-08", 1},      /* above it */
               {"f16", "1.00048828125", 0x3c00},         /* halfway 1 and 1 + 2^-10: to even */
               {"f16", "1.0004882812500002", 0x3c01},    /* above it by less than a float can say: rounded once */
               {"u8", "0xff", 0xff},
               {"i8", "-128", 0x80},
               {"i8", "0x7f", 0x7f},
               {"i8", "bits 0xff", 0xff},
               {"u64", "18446744073709551615", ~0ull},
               {"i64", "-1", ~0ull},
               {"f64", ".5", 0x3fe0000000000000u},
               {"bf16", "1e-40", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[300];
    uint64_t result = 0;
    snprintf(text, sizeof text, "program n\nregister %s r\nbuffer out %s d\nset r, %s\nstore d[0], r\n", cases[i].type,
             cases[i].type, cases[i].number);
    moho_program *program = program_of(text);
    run_program(program, (moho_program_memory[]){{&result, 1}}, NULL, 1, 1);
    if (result != cases[i].bits) fail_msg("%s %s: %#llx", cases[i].type, cases[i].number, (unsigned long long)result);
    moho_program_destroy(&program);
  }
}

static void builder_agrees(void **state) {
  (void)state;
  moho_program_builder *b;
  moho_program *built,
      *read =
          program_of("program sum\nscalar f32 factor\nbuffer in f32 x\nbuffer out f32 y\narray f32 tile[1 lanes]\npool i32 k[3]\n"
                     "register u32 i, n\nregister f32 a, s\nregister i32 j\npredicate inside\n"
                     "get i, id.x\nlength n, x\ncompare.lt inside, i, n\nset a, 0.5\nset j, -3\nalloc k\nstore k[1], j\n"
                     "if inside\nload a, x[i]\nelse\ncall zero\nend\nparam s, factor\nmul a, a, s\ngroup.add s, a\n"
                     "reduce.max s, a..s\nselect a, inside, a, s\nwhile !inside max 5\nbreak\nend\nloop n\nend\n"
                     "store tile[n - 1], a\nbarrier\nfence\nif !inside\nexit\nend\nstore y[i + 2], s\n"
                     "function zero\nset a, 0\nend\n");
  assert_ok(moho_program_builder_create("sum", &b));
  int factor = moho_program_add_scalar(b, MOHO_PROGRAM_F32, "factor"),
      x = moho_program_add_buffer(b, MOHO_PROGRAM_F32, MOHO_PROGRAM_IN, "x");
  int y = moho_program_add_buffer(b, MOHO_PROGRAM_F32, MOHO_PROGRAM_OUT, "y"),
      tile = moho_program_add_group_array(b, MOHO_PROGRAM_F32, 0, 1, "tile");
  int k = moho_program_add_pool(b, MOHO_PROGRAM_I32, 3, "k"), i = moho_program_add_register(b, MOHO_PROGRAM_U32, "i");
  int n = moho_program_add_register(b, MOHO_PROGRAM_U32, "n"), a = moho_program_add_register(b, MOHO_PROGRAM_F32, "a");
  int s = moho_program_add_register(b, MOHO_PROGRAM_F32, "s"), j = moho_program_add_register(b, MOHO_PROGRAM_I32, "j");
  int inside = moho_program_add_predicate(b, "inside"), zero = moho_program_add_function(b, "zero");
  moho_program_begin_function(b, zero);
  moho_program_set_real(b, a, 0);
  moho_program_end_function(b);
  moho_program_get(b, i, MOHO_PROGRAM_ID_X);
  moho_program_get_length(b, n, x);
  moho_program_compare(b, inside, MOHO_PROGRAM_LT, i, n);
  moho_program_set_real(b, a, 0.5);
  moho_program_set_integer(b, j, -3);
  moho_program_alloc(b, k);
  moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_POOL, k, -1, 1}, j);
  moho_program_if(b, inside, 0);
  moho_program_load_element(b, a, (moho_program_address){MOHO_PROGRAM_BUFFER, x, i, 0});
  moho_program_else(b);
  moho_program_call(b, zero);
  moho_program_end(b);
  moho_program_get_scalar(b, s, factor);
  moho_program_emit(b, MOHO_PROGRAM_MUL, a, a, s, -1);
  moho_program_group_reduce(b, MOHO_PROGRAM_REDUCE_ADD, s, a);
  moho_program_reduce(b, MOHO_PROGRAM_REDUCE_MAX, s, a, 2);
  moho_program_select(b, a, inside, a, s);
  moho_program_while(b, inside, 1, 5);
  moho_program_break(b);
  moho_program_end(b);
  moho_program_loop(b, n);
  moho_program_end(b);
  moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_GROUP_ARRAY, tile, n, -1}, a);
  moho_program_barrier(b);
  moho_program_fence(b);
  moho_program_if(b, inside, 1);
  moho_program_exit(b);
  moho_program_end(b);
  moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_BUFFER, y, i, 2}, s);
  assert_ok(moho_program_builder_finish(&b, &built));
  assert_null(b);
  moho_program_report one, two;
  assert_ok(moho_program_describe(built, &one));
  assert_ok(moho_program_describe(read, &two));
  assert_string_equal(one.hash, two.hash);
  assert_int_equal(one.group_bytes_per_lane, 4);
  assert_int_equal(one.pool_bytes, 16);
  moho_program_destroy(&built), moho_program_destroy(&read);
}

/* The first mistake is the one that is told. */
static void builder_mistakes(void **state) {
  (void)state;
  moho_program_builder *b;
  moho_program *program;
  assert_ok(moho_program_builder_create("t", &b));
  int j = moho_program_add_register(b, MOHO_PROGRAM_I8, NULL);
  moho_program_set_integer(b, j, 200);
  assert_int_equal(moho_program_add_register(b, MOHO_PROGRAM_I8, NULL), -1);
  moho_program_emit(b, MOHO_PROGRAM_ADD, 77, 0, 0, -1);
  assert_fails(moho_program_builder_finish(&b, &program), MOHO_ERROR_RANGE, "200 is no i8, expected -128 to 127");
  assert_ok(moho_program_builder_create("t", &b));
  moho_program_emit(b, MOHO_PROGRAM_ADD, 77, 0, 0, -1);
  assert_fails(moho_program_builder_finish(&b, &program), MOHO_ERROR_RANGE,
               "instruction 0 (add ?77, ?0, ?0): register 77, but 0 are declared");
  assert_ok(moho_program_builder_create("t", &b));
  moho_program_emit(b, MOHO_PROGRAM_IF, 0, 0, 0, -1);
  assert_fails(moho_program_builder_finish(&b, &program), MOHO_ERROR_ARGUMENT, "a function of its own");
  assert_ok(moho_program_builder_create("t", &b));
  moho_program_add_register(b, MOHO_PROGRAM_I8, "two words");
  assert_fails(moho_program_builder_finish(&b, &program), MOHO_ERROR_FORMAT, "\"two words\" has no name that can be written");
  assert_ok(moho_program_builder_create("t", &b));
  moho_program_add_register(b, MOHO_PROGRAM_I8, "same");
  moho_program_add_predicate(b, "same");
  assert_fails(moho_program_builder_finish(&b, &program), MOHO_ERROR_EXISTS, "predicate \"same\": the name is taken already");
  assert_ok(moho_program_builder_create("t", &b));
  moho_program_begin_function(b, moho_program_add_function(b, "f"));
  assert_fails(moho_program_builder_finish(&b, &program), MOHO_ERROR_FORMAT, "function f has no end");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(mistakes),       cmocka_unit_test(beginnings),
                                     cmocka_unit_test(limits),         cmocka_unit_test(round_trip),
                                     cmocka_unit_test(constants),      cmocka_unit_test(written_numbers),
                                     cmocka_unit_test(builder_agrees), cmocka_unit_test(builder_mistakes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
