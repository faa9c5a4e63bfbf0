/* test_program_run.c - programs run on the reference: control flow against C written beside it, values that lanes find, memory of
 * groups, faults, what a launch may bring.
 */
#include <stdio.h>
#include <string.h>

#include "program_support.h"

/* ---- control flow ---- */

/* Each lane follows its own way; the oracle is the same in C. */
static const char ways[] =
    "program ways\nbuffer in i32 x\nbuffer out i32 y\nregister u32 i\nregister i32 v, n, sum, one, k, three, seven\n"
    "predicate p, q, go\n"
    "get i, id\nload v, x[i]\nset sum, 0\nset one, 1\nset three, 3\nset seven, 7\nset k, 0\nset n, 5\n"
    "compare.lt p, v, k\nif p\n  set sum, 1000\n  call twice\nelse\n  if !p\n    set sum, 2000\n  end\nend\n"
    "loop v\n  add k, k, one\n  set v, 0\n  compare.eq q, k, seven\n  if q\n    break\n  end\n"
    "  loop n\n    add sum, sum, k\n    compare.gt q, sum, n\n    compare.eq p, k, three\n    pand q, q, p\n"
    "    if q\n"
    "      break\n    end\n  end\nend\n"
    "set n, 100\ncompare.lt go, k, three\nwhile go max 50\n  add k, k, one\n  add sum, sum, n\n"
    "  compare.lt go, k, three\nend\n"
    "compare.eq p, k, seven\nif p\n  store y[i], sum\n  exit\nend\nadd sum, sum, one\nstore y[i], sum\n"
    "function twice\n  add sum, sum, sum\nend\n";

static int32_t ways_in_c(int32_t v) {
  int32_t sum = v < 0 ? 1000 + 1000 : 2000, k = 0;
  for (int32_t times = 0; times < v; times++) {
    k++;
    if (k == 7) break;
    for (int j = 0; j < 5; j++) {
      sum += k;
      if (sum > 5 && k == 3) break;
    }
  }
  while (k < 3) k++, sum += 100;
  return k == 7 ? sum : sum + 1;
}

static void control_flow(void **state) {
  (void)state;
  int32_t x[30], y[30];
  for (int i = 0; i < 30; i++) x[i] = i - 10, y[i] = -1;
  moho_program *program = program_of(ways);
  moho_program_fault fault = run_program(program, (moho_program_memory[]){{x, 30}, {y, 30}}, NULL, 3, 10);
  assert_false(fault.happened);
  for (int i = 0; i < 30; i++) assert_int_equal(y[i], ways_in_c(x[i]));
  moho_program_destroy(&program);
}

/* loop's count of each integer type: negative ones are none, unsigned ones are what they are. */
static void loop_counts(void **state) {
  (void)state;
  for (int type = MOHO_PROGRAM_I8; type <= MOHO_PROGRAM_U64; type++)
    for (int n = -3; n < 4; n++) {
      if (n < 0 && !is_signed(type)) continue;
      char text[400];
      uint32_t count = 77;
      snprintf(text, sizeof text,
               "program t\nbuffer out u32 y\nregister %s n\nregister u32 k, one\nset n, %d\nset k, 0\nset one, 1\n"
               "loop n\nadd k, k, one\n"
               "set n, 100\nend\nstore y[0], k\n",
               type_words[type], n);
      moho_program *program = program_of(text);
      run_program(program, (moho_program_memory[]){{&count, 1}}, NULL, 1, 1);
      assert_int_equal(count, n < 0 ? 0 : n);
      moho_program_destroy(&program);
    }
  moho_program *program = program_of("program t\nbuffer out u32 y\nregister u8 n\nregister u32 k, one\nset n, 200\nset k, 0\n"
                                     "set one, 1\nloop n\n"
                                     "add k, k, one\nend\nstore y[0], k\n");
  uint32_t count = 0;
  run_program(program, (moho_program_memory[]){{&count, 1}}, NULL, 1, 1);
  assert_int_equal(count, 200);
  moho_program_destroy(&program);
}

static void predicates(void **state) {
  (void)state;
  moho_program *program =
      program_of("program t\nbuffer out u32 y\nregister u32 i, a, b, one, two, zero\npredicate p, q, r\nget i, id\nset one, 1\n"
                 "set two, 2\n"
                 "set zero, 0\nand a, i, one\nand b, i, two\ncompare.ne p, a, zero\ncompare.ne q, b, zero\n"
                 "pand r, p, q\nselect a, r, one, zero\npor r, p, q\nselect b, r, two, zero\nor a, a, b\npnot r, p\n"
                 "select b, r, one, zero\n"
                 "shl b, b, two\nor a, a, b\npnot p, p\nif p\nshl one, one, one\nend\nshl one, one, two\nshl one, one, one\n"
                 "or a, a, one\nstore y[i], a\n");
  uint32_t y[4];
  run_program(program, (moho_program_memory[]){{y, 4}}, NULL, 1, 4);
  for (uint32_t i = 0; i < 4; i++) {
    uint32_t p = i & 1, q = i >> 1, one = p ? 1 : 2;
    uint32_t expected = (p & q) | (p | q) << 1 | (1 - p) << 2;
    one <<= 2;
    one = one << (one & 31);
    assert_int_equal(y[i], expected | one);
  }
  moho_program_destroy(&program);
}

/* ---- what lanes find ---- */

static void specials(void **state) {
  (void)state;
  static const char *const words[] = {"id",    "id.x",    "id.y",    "id.z",    "size",   "size.x",   "size.y",   "size.z",
                                      "lane",  "lane.x",  "lane.y",  "lane.z",  "lanes",  "lanes.x",  "lanes.y",  "lanes.z",
                                      "group", "group.x", "group.y", "group.z", "groups", "groups.x", "groups.y", "groups.z"};
  const uint32_t groups[3] = {3, 2, 4}, lanes[3] = {5, 2, 3};
  enum { ALL = 24 * 30 };
  for (int w = 0; w < 24; w++) {
    char text[300];
    uint64_t y[ALL];
    snprintf(text, sizeof text,
             "program t\nbuffer out u64 y\nregister u64 i, v\nget i, id\nget v, %s\n"
             "store y[i], v\n",
             words[w]);
    moho_program *program = program_of(text);
    moho_program_fault fault;
    assert_ok(moho_program_run_reference(
        program,
        &(moho_program_reference_launch){
            .buffers = (moho_program_memory[]){{y, ALL}}, .n_buffers = 1, .groups = {3, 2, 4}, .lanes = {5, 2, 3}},
        &fault));
    for (uint32_t z = 0; z < 12; z++)
      for (uint32_t yy = 0; yy < 4; yy++)
        for (uint32_t x = 0; x < 15; x++) {
          uint32_t l[3] = {x % 5, yy % 2, z % 3}, g[3] = {x / 5, yy / 2, z / 3}, id = (z * 4 + yy) * 15 + x;
          uint64_t values[24] = {id,
                                 x,
                                 yy,
                                 z,
                                 ALL,
                                 15,
                                 4,
                                 12,
                                 (l[2] * 2 + l[1]) * 5 + l[0],
                                 l[0],
                                 l[1],
                                 l[2],
                                 30,
                                 5,
                                 2,
                                 3,
                                 (g[2] * 2 + g[1]) * 3 + g[0],
                                 g[0],
                                 g[1],
                                 g[2],
                                 24,
                                 groups[0],
                                 groups[1],
                                 groups[2]};
          assert_int_equal(y[id], values[w]);
        }
    (void)lanes;
    moho_program_destroy(&program);
  }
}

static void scalars(void **state) {
  (void)state;
  moho_program *program =
      program_of("program t\nscalar i8 a\nscalar u64 b\nscalar f16 c\nscalar f32 d\nscalar f64 e\nbuffer out f64 y\n"
                 "register i8 ra\nregister u64 rb\nregister f16 rc\nregister f32 rd\nregister f64 w\n"
                 "param ra, a\nconvert w, ra\nstore y[0], w\nparam rb, b\nconvert w, rb\nstore y[1], w\nparam rc, c\n"
                 "convert w, rc\nstore y[2], w\nparam rd, d\nconvert w, rd\nstore y[3], w\nparam w, e\n"
                 "store y[4], w\n"
                 "length rb, y\nconvert w, rb\nstore y[5], w\n");
  double y[6];
  const moho_program_value values[] = {{.i = -7}, {.u = 1ull << 63}, {.f = 0.1}, {.f = 0.1}, {.f = 0.1}};
  run_program(program, (moho_program_memory[]){{y, 6}}, values, 1, 1);
  const double expected[] = {-7, 0x1p63, 0.0999755859375, (double)0.1f, 0.1, 6};
  for (int i = 0; i < 6; i++) assert_true(!(y[i] < expected[i]) && !(y[i] > expected[i]));
  moho_program_value wrong[5];
  moho_program_fault fault;
  moho_program_reference_launch launch = {
      .buffers = (moho_program_memory[]){{y, 6}}, .n_buffers = 1, .scalars = wrong, .n_scalars = 5, .groups = {1}, .lanes = {1}};
  memcpy(wrong, values, sizeof wrong), wrong[0].i = 128;
  assert_fails(moho_program_run_reference(program, &launch, &fault), MOHO_ERROR_RANGE, "scalar a: 128 is no i8");
  memcpy(wrong, values, sizeof wrong), wrong[2].f = 65520;
  assert_fails(moho_program_run_reference(program, &launch, &fault), MOHO_ERROR_RANGE, "scalar c: 65520 is too large for f16");
  launch.n_scalars = 4;
  assert_fails(moho_program_run_reference(program, &launch, &fault), MOHO_ERROR_ARGUMENT,
               "1 buffers and 4 scalars, program t has 1 and 5");
  launch.n_scalars = 5, launch.scalars = values, launch.lanes[0] = 1025;
  assert_fails(moho_program_run_reference(program, &launch, &fault), MOHO_ERROR_RANGE,
               "1025 x 1 x 1 lanes in a group, expected at most 1024");
  launch.lanes[0] = 1024, launch.groups[0] = 1u << 21, launch.groups[1] = 2;
  assert_fails(moho_program_run_reference(program, &launch, &fault), MOHO_ERROR_RANGE, "lanes in all");
  moho_program_destroy(&program);
}

static void array_too_large(void **state) {
  (void)state;
  moho_program *program = program_of("program t\narray f64 tile[1 + 8 lanes]\nbarrier\n");
  moho_program_fault fault;
  moho_program_reference_launch launch = {.groups = {1}, .lanes = {511}};
  assert_ok(moho_program_run_reference(program, &launch, &fault));
  launch.lanes[0] = 512;
  assert_fails(moho_program_run_reference(program, &launch, &fault), MOHO_ERROR_RANGE,
               "take 32784 bytes for 512 lanes, expected at most 32768");
  moho_program_destroy(&program);
}

/* ---- memory of groups ---- */

/* Reverse within each group, by group memory; prefix sums through the pool (Hillis and Steele); memory begins as 0 in each group.
 */
static void group_memory(void **state) {
  (void)state;
  moho_program *program =
      program_of("program t\nbuffer in i32 x\nbuffer out i32 y\nbuffer out i32 z\nbuffer inout i32 zeros\n"
                 "array i32 tile[1 lanes]\npool i32 sums[512]\n"
                 "register u32 i, l, n, last, one, step, other, nine\nregister i32 v, w, none\npredicate p\n"
                 "get i, id\nget l, lane\nget n, lanes\nset one, 1\nset none, 0\nload v, tile[l]\nstore zeros[i], v\n"
                 "load v, x[i]\nstore tile[l], v\n"
                 "barrier\nsub last, n, one\nsub last, last, l\nload w, tile[last]\nstore y[i], w\n"
                 "alloc sums\nload w, sums[l]\nload none, zeros[i]\nadd w, w, none\nstore zeros[i], w\nstore sums[l], v\n"
                 "set step, 1\nset nine, 9\n"
                 "loop nine\n  barrier\n  load v, sums[l]\n  compare.ge p, l, step\n  if p\n    sub other, l, step\n"
                 "    load w, sums[other]\n"
                 "    add v, v, w\n  end\n  barrier\n  store sums[l], v\n  shl step, step, one\nend\nstore z[i], v\n");
  enum { GROUPS = 3, LANES = 300 };
  int32_t x[GROUPS * LANES], y[GROUPS * LANES], z[GROUPS * LANES], zeros[GROUPS * LANES];
  for (int i = 0; i < GROUPS * LANES; i++) x[i] = i * i % 101, zeros[i] = 5;
  moho_program_fault fault = run_program(
      program, (moho_program_memory[]){{x, GROUPS * LANES}, {y, GROUPS * LANES}, {z, GROUPS * LANES}, {zeros, GROUPS * LANES}},
      NULL, GROUPS, LANES);
  assert_false(fault.happened);
  for (int g = 0; g < GROUPS; g++)
    for (int l = 0, sum = 0; l < LANES; l++) {
      sum += x[g * LANES + l];
      assert_int_equal(y[g * LANES + l], x[g * LANES + LANES - 1 - l]);
      assert_int_equal(z[g * LANES + l], sum);
      assert_int_equal(zeros[g * LANES + l], 0);
    }
  moho_program_destroy(&program);
}

/* A later alloc of the same pool makes it 0 again; fence brings buffers' contents to the group's other lanes. */
static void alloc_again(void **state) {
  (void)state;
  moho_program *program =
      program_of("program t\nbuffer inout u32 y\npool u32 k[4]\nregister u32 l, v, w, n, one\nget l, lane\nset n, 3\n"
                 "set one, 1\nset v, 0\n"
                 "loop n\n  alloc k\n  load v, k[l]\n  add v, v, one\n  barrier\n  store k[l], v\nend\n"
                 "store y[l], v\nfence\nxor l, l, one\nload w, y[l]\nadd v, v, w\nbarrier\nxor l, l, one\nstore y[l], v\n");
  uint32_t y[4] = {9, 9, 9, 9};
  run_program(program, (moho_program_memory[]){{y, 4}}, NULL, 1, 4);
  for (int i = 0; i < 4; i++) assert_int_equal(y[i], 2);
  moho_program_destroy(&program);
}

/* ---- faults ---- */

typedef struct fault_case {
  const char *body;
  moho_program_operation kind;
  size_t instruction;
  uint64_t id;
  int32_t results[8];
} fault_case;

static void faults(void **state) {
  (void)state;
  static const fault_case cases[] = {
      {"load v, x[i + 5]\nstore y[i], v\n", MOHO_PROGRAM_LOAD, 1, 3, {105, 106, 107, 0, 0, 0, 0, 0}},
      {"load v, x[i - 2]\nstore y[i], v\n", MOHO_PROGRAM_LOAD, 1, 0, {0, 0, 100, 101, 102, 103, 104, 105}},
      {"set v, 7\nstore y[i + 6], v\n", MOHO_PROGRAM_STORE, 2, 2, {-1, -1, -1, -1, -1, -1, 7, 7}},
      {"load v, x[i]\nset w, 103\nsub w, v, w\ndiv v, v, w\nstore y[i], v\n",
       MOHO_PROGRAM_DIV,
       4,
       3,
       {-33, -50, -102, 0, 104, 52, 35, 26}},
      {"set v, 9\nstore tile[i + 3], v\nload v, tile[i]\nstore y[i], v\n",
       MOHO_PROGRAM_STORE_GROUP,
       2,
       3,
       {0, 0, 0, 9, 9, 9, 0, 0}},
      {"load v, tile[i - 1]\nset v, 1\nstore y[i], v\n", MOHO_PROGRAM_LOAD_GROUP, 1, 0, {1, 1, 1, 1, 1, 1, 1, 1}},
      {"alloc k\nload v, k[i]\nstore y[i], v\n", MOHO_PROGRAM_LOAD_POOL, 2, 4, {0, 0, 0, 0, 0, 0, 0, 0}},
      {"alloc k\nset v, 3\nstore k[i + 1], v\nstore y[i], v\n", MOHO_PROGRAM_STORE_POOL, 3, 3, {3, 3, 3, 3, 3, 3, 3, 3}},
      {"set v, 0\nset w, 1\ncompare.le p, v, v\nwhile p max 4\nadd v, v, w\nend\nstore y[i], v\n",
       MOHO_PROGRAM_WHILE,
       4,
       0,
       {4, 4, 4, 4, 4, 4, 4, 4}},
      {"load v, x[i]\nset w, 103\ncompare.ge p, v, w\nset v, 0\nset w, 1\nwhile p max 4\nadd v, v, w\nend\n"
       "store y[i], v\n",
       MOHO_PROGRAM_WHILE,
       6,
       3,
       {0, 0, 0, 4, 4, 4, 4, 4}},
      /* the lowest id before the first instruction; of a lane the first instruction */
      {"set w, 0\nload v, x[i + 1]\nset n, 6\ncompare.lt q, i, n\nif !q\ndiv v, v, w\nend\nset n, 3\n"
       "compare.eq q, i, n\nif q\ndiv v, v, w\nstore y[99], v\nend\nstore y[i], v\n",
       MOHO_PROGRAM_DIV,
       11,
       3,
       {101, 102, 103, 0, 105, 106, 0, 0}},
      {"load v, x[i]\ncall f\nstore y[i], v\nfunction f\ndiv w, v, v\nset v, 0\ndiv v, w, v\nend\n",
       MOHO_PROGRAM_DIV,
       6,
       0,
       {0, 0, 0, 0, 0, 0, 0, 0}}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    char text[1000], words[100];
    int32_t x[8] = {100, 101, 102, 103, 104, 105, 106, 107}, y[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    snprintf(text, sizeof text,
             "program t\nbuffer in i32 x\nbuffer out i32 y\narray i32 tile[6]\npool i32 k[4]\nregister u32 i, n\n"
             "register i32 v, w\n"
             "predicate p, q\nget i, id\n%s",
             cases[c].body);
    moho_program *program = program_of(text);
    moho_program_fault fault = run_program(program, (moho_program_memory[]){{x, 8}, {y, 8}}, NULL, 1, 8);
    for (int i = 0; i < 8; i++)
      if (y[i] != cases[c].results[i]) fail_msg("case %zu: y[%d] is %d\n%s", c, i, y[i], text);
    assert_true(fault.happened);
    if (fault.kind != cases[c].kind || fault.instruction != cases[c].instruction || fault.id != cases[c].id)
      fail_msg("case %zu: kind %d, instruction %zu, id %llu\n%s", c, (int)fault.kind, fault.instruction,
               (unsigned long long)fault.id, text);
    assert_ok(moho_program_instruction(program, fault.instruction, words, sizeof words, NULL));
    assert_true(words[0]);
    moho_program_destroy(&program);
  }
}

/* Addresses do not wrap at 32 bits; signed ones below 0 and unsigned ones beyond 2^63 are out of range. */
static void far_addresses(void **state) {
  (void)state;
  static const struct {
    const char *type, *value, *offset;
    int is_fault;
  } cases[] = {{"u32", "4294967295", "+ 1", 1},
               {"i32", "-1", "+ 1", 0},
               {"i32", "-2", "+ 1", 1},
               {"i32", "2147483647", "+ 2147483647", 1},
               {"u64", "18446744073709551615", "+ 1", 0},
               /* modulo 2^64 */ {"u64", "9223372036854775808", "+ 0", 1},
               {"i64", "-2147483647", "+ 2147483647", 0},
               {"u8", "255", "- 255", 0},
               {"i8", "-128", "+ 128", 0},
               {"u16", "65535", "- 65534", 0},
               {"u8", "255", "+ 1", 1}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    char text[300];
    uint8_t x[2] = {11, 11}, y = 0;
    snprintf(text, sizeof text,
             "program t\nbuffer in u8 x\nbuffer out u8 y\nregister %s i\nregister u8 v\nset i, %s\nload v, x[i %s]\n"
             "store y[0], v\n",
             cases[c].type, cases[c].value, cases[c].offset);
    moho_program *program = program_of(text);
    moho_program_fault fault = run_program(program, (moho_program_memory[]){{x, 2}, {&y, 1}}, NULL, 1, 1);
    assert_int_equal(fault.happened, cases[c].is_fault);
    assert_int_equal(y, cases[c].is_fault ? 0 : 11);
    moho_program_destroy(&program);
  }
}

/* The report names the lowest id of all groups. */
static void fault_of_groups(void **state) {
  (void)state;
  moho_program *program = program_of("program t\nbuffer in u32 x\nregister u32 i, v\nget i, id\nload v, x[i]\n"
                                     "div v, i, v\n");
  uint32_t x[40];
  for (int i = 0; i < 40; i++) x[i] = i != 37 && i != 22 && i != 23;
  moho_program_fault fault = run_program(program, (moho_program_memory[]){{x, 40}}, NULL, 4, 10);
  assert_int_equal(fault.id, 22);
  assert_int_equal(fault.instruction, 2);
  moho_program_destroy(&program);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(control_flow),  cmocka_unit_test(loop_counts),    cmocka_unit_test(predicates),
      cmocka_unit_test(specials),      cmocka_unit_test(scalars),        cmocka_unit_test(array_too_large),
      cmocka_unit_test(group_memory),  cmocka_unit_test(alloc_again),    cmocka_unit_test(faults),
      cmocka_unit_test(far_addresses), cmocka_unit_test(fault_of_groups)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
