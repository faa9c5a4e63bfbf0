/* gpu_instructions.c - one instruction as a statement of kernel text: registers r0 r1 ..., predicates p0 p1 ... */
#include "program/gpu_instructions.h"

#include <inttypes.h>
#include <stdio.h>

enum { EXPRESSION = 200 };

static const char *word_of(const moho_instruction *in) {
  return moho_type_words[in->type];
}

static int is_small(int type) {
  return type == MOHO_PROGRAM_F16 || type == MOHO_PROGRAM_BF16;
}

/* ---- computing ---- */

/* The function of lane_words.h or elementary.h without its type: that of floats has names of its own. */
static const char *function_of(const moho_instruction *in, const char **type) {
  *type = is_small(in->type) ? "f32" : word_of(in);
  switch (in->op) {
  case MOHO_PROGRAM_EXP:
  case MOHO_PROGRAM_LOG:
  case MOHO_PROGRAM_LOG2:
  case MOHO_PROGRAM_LOG10:
  case MOHO_PROGRAM_RSQRT:
  case MOHO_PROGRAM_SIN:
  case MOHO_PROGRAM_COS:
  case MOHO_PROGRAM_TAN:
  case MOHO_PROGRAM_TANH:
  case MOHO_PROGRAM_SIGMOID: return in->type == MOHO_PROGRAM_F64 ? "lane" : "elementary";
  default: return "lane";
  }
}

/* "r3", or "lane_convert_f16_f32(r3)". */
static const char *operand(unsigned reg, int type, char text[EXPRESSION]) {
  if (is_small(type)) snprintf(text, EXPRESSION, "lane_convert_%s_f32(r%u)", moho_type_words[type], reg);
  else snprintf(text, EXPRESSION, "r%u", reg);
  return text;
}

static void assign_rounded(moho_byte_text *out, const moho_instruction *in, const char *expression) {
  if (is_small(in->type)) moho_byte_text_print(out, "  r%u = lane_convert_f32_%s(%s);\n", in->d, word_of(in), expression);
  else moho_byte_text_print(out, "  r%u = %s;\n", in->d, expression);
}

static void arithmetic(moho_byte_text *out, const moho_instruction *in, size_t place) {
  char expression[4 * EXPRESSION], a[EXPRESSION], b[EXPRESSION], c[EXPRESSION];
  const char *type, *family = function_of(in, &type), *word = moho_operations[in->op].word;
  int is_elementary = family[0] == 'e';
  int n = moho_operations[in->op].operands == MOHO_OPERANDS_D_A_B_C ? 3
          : moho_operations[in->op].operands == MOHO_OPERANDS_D_A_B ? 2
                                                                    : 1;
  operand(in->a, in->type, a);
  if (n > 1) operand(in->b, in->type, b);
  if (n > 2) operand(in->c, in->type, c);
  snprintf(expression, sizeof expression, "%s_%s%s%s(%s%s%s%s%s)", family, word, is_elementary ? "" : "_",
           is_elementary ? "" : type, a, n > 1 ? ", " : "", n > 1 ? b : "", n > 2 ? ", " : "", n > 2 ? c : "");
  if (in->op == MOHO_PROGRAM_DIV && (MOHO_TYPES_WHOLE >> in->type & 1))
    moho_byte_text_print(out, "  if (PROGRAM_ON && r%u == 0) PROGRAM_FAULT(%zu);\n", in->b, place);
  assign_rounded(out, in, expression);
}

static void compare(moho_byte_text *out, const moho_instruction *in) {
  static const char *const signs[] = {[MOHO_PROGRAM_EQ] = "==", [MOHO_PROGRAM_NE] = "!=", [MOHO_PROGRAM_LT] = "<",
                                      [MOHO_PROGRAM_LE] = "<=", [MOHO_PROGRAM_GT] = ">",  [MOHO_PROGRAM_GE] = ">="};
  char a[EXPRESSION], b[EXPRESSION];
  operand(in->a, in->type, a);
  operand(in->b, in->type, b);
  if (in->variant < MOHO_PROGRAM_ULT) moho_byte_text_print(out, "  p%u = %s %s %s;\n", in->d, a, signs[in->variant], b);
  else
    moho_byte_text_print(out, "  p%u = lane_%s_%s(%s, %s);\n", in->d, moho_condition_words[in->variant],
                         is_small(in->type) ? "f32" : word_of(in), a, b);
}

/* ---- constants and places ---- */

static void set(moho_byte_text *out, const moho_instruction *in) {
  uint64_t bits = in->immediate;
  switch (in->type) {
  case MOHO_PROGRAM_F32: moho_byte_text_print(out, "  r%u = AS_FLOAT(0x%" PRIx32 "u);\n", in->d, (uint32_t)bits); break;
  case MOHO_PROGRAM_F64:
    moho_byte_text_print(out, "  r%u = LANE_AS_F64(PROGRAM_WORDS(0x%" PRIx32 "u, 0x%" PRIx32 "u));\n", in->d, (uint32_t)bits,
                         (uint32_t)(bits >> 32));
    break;
  default:
    moho_byte_text_print(out, "  r%u = (%s)PROGRAM_WORDS(0x%" PRIx32 "u, 0x%" PRIx32 "u);\n", in->d, word_of(in), (uint32_t)bits,
                         (uint32_t)(bits >> 32));
  }
}

static void scalar(moho_byte_text *out, const moho_instruction *in) {
  unsigned n = in->b;
  switch (in->type) {
  case MOHO_PROGRAM_F32: moho_byte_text_print(out, "  r%u = AS_FLOAT(p->scalar%u_low);\n", in->d, n); break;
  case MOHO_PROGRAM_F64:
    moho_byte_text_print(out, "  r%u = LANE_AS_F64(PROGRAM_WORDS(p->scalar%u_low, p->scalar%u_high));\n", in->d, n, n);
    break;
  default: moho_byte_text_print(out, "  r%u = (%s)PROGRAM_WORDS(p->scalar%u_low, p->scalar%u_high);\n", in->d, word_of(in), n, n);
  }
}

static void get(moho_byte_text *out, const moho_instruction *in) {
  static const char *const places[MOHO_PROGRAM_SPECIALS] = {[MOHO_PROGRAM_ID] = "id",
                                                            [MOHO_PROGRAM_ID_X] = "id_x",
                                                            [MOHO_PROGRAM_ID_Y] = "id_y",
                                                            [MOHO_PROGRAM_ID_Z] = "id_z",
                                                            [MOHO_PROGRAM_SIZE] =
                                                                "(p->groups_x * p->groups_y * p->groups_z * LANES)",
                                                            [MOHO_PROGRAM_SIZE_X] = "(p->groups_x * p->lanes_x)",
                                                            [MOHO_PROGRAM_SIZE_Y] = "(p->groups_y * p->lanes_y)",
                                                            [MOHO_PROGRAM_SIZE_Z] = "(p->groups_z * p->lanes_z)",
                                                            [MOHO_PROGRAM_LANE] = "LANE",
                                                            [MOHO_PROGRAM_LANE_X] = "lane_x",
                                                            [MOHO_PROGRAM_LANE_Y] = "lane_y",
                                                            [MOHO_PROGRAM_LANE_Z] = "lane_z",
                                                            [MOHO_PROGRAM_LANES] = "LANES",
                                                            [MOHO_PROGRAM_LANES_X] = "p->lanes_x",
                                                            [MOHO_PROGRAM_LANES_Y] = "p->lanes_y",
                                                            [MOHO_PROGRAM_LANES_Z] = "p->lanes_z",
                                                            [MOHO_PROGRAM_GROUP] = "group",
                                                            [MOHO_PROGRAM_GROUP_X] = "group_x",
                                                            [MOHO_PROGRAM_GROUP_Y] = "group_y",
                                                            [MOHO_PROGRAM_GROUP_Z] = "group_z",
                                                            [MOHO_PROGRAM_GROUPS] = "(p->groups_x * p->groups_y * p->groups_z)",
                                                            [MOHO_PROGRAM_GROUPS_X] = "p->groups_x",
                                                            [MOHO_PROGRAM_GROUPS_Y] = "p->groups_y",
                                                            [MOHO_PROGRAM_GROUPS_Z] = "p->groups_z"};
  moho_byte_text_print(out, "  r%u = (%s)%s;\n", in->d, word_of(in), places[in->variant]);
}

/* ---- memory ---- */

/* An index of at most 32 bits that counts from 0: no 64-bit number is needed. */
static int is_short(const moho_instruction *in, unsigned index) {
  return index != MOHO_NO_REGISTER && !in->immediate && !moho_type_is_signed(in->source) && in->source != MOHO_PROGRAM_U64;
}

/* Declares `at`, the element's number, `memory`, where they are, and `fits`: there is such an element. */
static void open_access(moho_byte_text *out, const moho_program *program, const moho_instruction *in, unsigned index) {
  const moho_declared_memory *array = &program->arrays[in->b], *pool = &program->pools[in->b];
  const char *type = word_of(in);
  int is_buffer = in->op == MOHO_PROGRAM_LOAD || in->op == MOHO_PROGRAM_STORE;
  if (is_buffer && is_short(in, index)) {
    moho_byte_text_print(out,
                         "  {\n    const uint at = r%u;\n    const int fits = at < p->length%u_low || p->length%u_high != 0u;\n",
                         index, in->b, in->b);
    return;
  }
  moho_byte_text_print(out, "  {\n    const u64 at = ");
  if (index != MOHO_NO_REGISTER)
    moho_byte_text_print(out, moho_type_is_signed(in->source) ? "(u64)(i64)r%u + " : "(u64)r%u + ", index);
  moho_byte_text_print(out, "PROGRAM_WORDS(0x%" PRIx32 "u, 0x%" PRIx32 "u);\n", (uint32_t)in->immediate,
                       (uint32_t)(in->immediate >> 32));
  switch (in->op) {
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_STORE_GROUP:
    moho_byte_text_print(out, "    const int fits = at < (u64)(%uu + %uu * LANES);\n", array->count, array->per_lane);
    moho_byte_text_print(out, "    LOCAL %s *memory = (LOCAL %s *)(GROUP_MEMORY(uchar) + p->array%u);\n", type, type, in->b);
    break;
  case MOHO_PROGRAM_LOAD_POOL:
  case MOHO_PROGRAM_STORE_POOL:
    moho_byte_text_print(out, "    const int fits = at < (u64)%uu;\n", pool->count);
    moho_byte_text_print(out, "    LOCAL %s *memory = (LOCAL %s *)(GROUP_MEMORY(uchar) + p->pools + %uu);\n", type, type,
                         pool->offset);
    break;
  default:
    moho_byte_text_print(out, "    const int fits = at < PROGRAM_WORDS(p->length%u_low, p->length%u_high);\n", in->b, in->b);
  }
}

static const char *memory_name(const moho_instruction *in, char name[16]) {
  int is_buffer = in->op == MOHO_PROGRAM_LOAD || in->op == MOHO_PROGRAM_STORE;
  if (is_buffer) snprintf(name, 16, "b%u", in->b);
  else snprintf(name, 16, "memory");
  return name;
}

/* Lanes abreast, where each may access: without a branch between one and the next, so that all wait for memory together; else one
 * by one. `access` and `otherwise`: statements of one lane. */
static void access_abreast(moho_byte_text *out, const moho_program *program, const moho_instruction *in, unsigned index,
                           const char *access, const char *otherwise, size_t place) {
  moho_byte_text_print(out, "  {\n  int all = 1;\n  PROGRAM_EACH");
  open_access(out, program, in, index);
  moho_byte_text_print(out, "    all &= PROGRAM_ON && fits;\n  }\n  if (all) PROGRAM_EACH");
  open_access(out, program, in, index);
  moho_byte_text_print(out, "    (void)fits;\n    %s\n  }\n  else PROGRAM_EACH", access);
  open_access(out, program, in, index);
  moho_byte_text_print(out,
                       "    if (PROGRAM_ON && fits) %s\n    else if (PROGRAM_ON) {\n      %s\n      PROGRAM_FAULT(%zu);\n"
                       "    }\n  }\n  }\n",
                       access, otherwise, place);
}

static void load_abreast(moho_byte_text *out, const moho_program *program, const moho_instruction *in, size_t place) {
  char access[EXPRESSION], otherwise[EXPRESSION];
  snprintf(access, sizeof access, "r%u = b%u[at];", in->d, in->b);
  snprintf(otherwise, sizeof otherwise, "r%u = 0;", in->d);
  access_abreast(out, program, in, in->a, access, otherwise, place);
}

static void store_abreast(moho_byte_text *out, const moho_program *program, const moho_instruction *in, size_t place) {
  char access[EXPRESSION];
  snprintf(access, sizeof access, "b%u[at] = r%u;", in->b, in->a);
  access_abreast(out, program, in, in->d, access, "", place);
}

static void load(moho_byte_text *out, const moho_program *program, const moho_instruction *in, size_t place) {
  char name[16];
  open_access(out, program, in, in->a);
  moho_byte_text_print(out, "    r%u = 0;\n    if (fits) r%u = %s[at];\n    else PROGRAM_FAULT(%zu);\n  }\n", in->d, in->d,
                       memory_name(in, name), place);
}

static void store(moho_byte_text *out, const moho_program *program, const moho_instruction *in, size_t place) {
  char name[16];
  open_access(out, program, in, in->d);
  moho_byte_text_print(out, "    if (fits) %s[at] = r%u;\n    else PROGRAM_FAULT(%zu);\n  }\n", memory_name(in, name), in->a,
                       place);
}

/* ---- trees ---- */

static size_t power_of_two_from(size_t n) {
  size_t p = 1;
  while (p < n) p *= 2;
  return p;
}

/* Registers become t0, t1 ..., which take in one another. */
static void reduce_range(moho_byte_text *out, const moho_instruction *in) {
  const char *type = is_small(in->type) ? "f32" : word_of(in), *word = moho_reduction_words[in->variant];
  char text[EXPRESSION];
  moho_byte_text_print(out, "  {\n");
  for (unsigned i = 0; i < in->b; i++)
    moho_byte_text_print(out, "    %s t%u = %s;\n", type, i, operand(in->a + i, in->type, text));
  for (size_t h = power_of_two_from(in->b) / 2; h; h /= 2)
    for (size_t i = 0; i < h && i + h < in->b; i++)
      moho_byte_text_print(out, "    t%zu = lane_%s_%s(t%zu, t%zu);\n", i, word, type, i, i + h);
  assign_rounded(out, in, "t0");
  moho_byte_text_print(out, "  }\n");
}

static void reduce_group(moho_byte_text *out, const moho_instruction *in) {
  const char *type = is_small(in->type) ? "f32" : word_of(in), *word = moho_reduction_words[in->variant];
  char text[EXPRESSION];
  moho_byte_text_print(out, "  {\n    %s total;\n    PROGRAM_TREE(%s, lane_%s_%s, %s, total)\n", type, type, word, type,
                       operand(in->a, in->type, text));
  assign_rounded(out, in, "total");
  moho_byte_text_print(out, "  }\n");
}

static void allocate_pool(moho_byte_text *out, const moho_program *program, const moho_instruction *in) {
  const moho_declared_memory *pool = &program->pools[in->b];
  size_t bytes = (pool->count * moho_program_type_bytes((moho_program_type)pool->type) + 3) / 4;
  moho_byte_text_print(out, "  BARRIER();\n  PROGRAM_ZERO(p->pools + %uu, %zuu)\n  BARRIER();\n", pool->offset, bytes);
}

/* ---- control flow ---- */

static void begin_loop(moho_byte_text *out, const moho_instruction *in) {
  const char *most = moho_type_is_signed(in->type)
                         ? "  for (u64 turns = r%u < 0 ? (u64)0 : (u64)r%u, turn = 0; turn < turns; turn++) {\n"
                         : "  for (u64 turns = (u64)r%u, turn = 0; turn < turns; turn++) {\n";
  moho_byte_text_print(out, most, in->a, in->a);
}

static void begin_while(moho_byte_text *out, const moho_instruction *in, size_t place) {
  moho_byte_text_print(out,
                       "  for (u64 turn = 0;; turn++) {\n    if (%sp%u) break;\n    if (turn == (u64)%uu) {\n"
                       "      PROGRAM_FAULT(%zu);\n      break;\n    }\n",
                       in->variant ? "" : "!", in->a, (unsigned)in->immediate, place);
}

static void predicate_logic(moho_byte_text *out, const moho_instruction *in) {
  if (in->op == MOHO_PROGRAM_PREDICATE_NOT) moho_byte_text_print(out, "  p%u = !p%u;\n", in->d, in->a);
  else moho_byte_text_print(out, "  p%u = p%u %s p%u;\n", in->d, in->a, in->op == MOHO_PROGRAM_PREDICATE_AND ? "&" : "|", in->b);
}

static void control(moho_byte_text *out, const moho_instruction *in, size_t place) {
  switch (in->op) {
  case MOHO_PROGRAM_IF: moho_byte_text_print(out, "  if (%sp%u) {\n", in->variant ? "!" : "", in->a); break;
  case MOHO_PROGRAM_ELSE: moho_byte_text_print(out, "  } else {\n"); break;
  case MOHO_PROGRAM_LOOP: begin_loop(out, in); break;
  case MOHO_PROGRAM_WHILE: begin_while(out, in, place); break;
  case MOHO_PROGRAM_END: moho_byte_text_print(out, "  }\n"); break;
  case MOHO_PROGRAM_BREAK: moho_byte_text_print(out, "  break;\n"); break;
  default: moho_byte_text_print(out, "  return;\n"); break;
  }
}

static void plain(moho_byte_text *out, const moho_program *program, size_t pc, size_t place) {
  const moho_instruction *in = &program->code[pc].in;
  switch (in->op) {
  case MOHO_PROGRAM_MOVE: moho_byte_text_print(out, "  r%u = r%u;\n", in->d, in->a); break;
  case MOHO_PROGRAM_SET: set(out, in); break;
  case MOHO_PROGRAM_GET: get(out, in); break;
  case MOHO_PROGRAM_SCALAR: scalar(out, in); break;
  case MOHO_PROGRAM_LENGTH:
    moho_byte_text_print(out, "  r%u = (%s)PROGRAM_WORDS(p->length%u_low, p->length%u_high);\n", in->d, word_of(in), in->b,
                         in->b);
    break;
  case MOHO_PROGRAM_LOAD:
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_LOAD_POOL: load(out, program, in, place); break;
  case MOHO_PROGRAM_STORE:
  case MOHO_PROGRAM_STORE_GROUP:
  case MOHO_PROGRAM_STORE_POOL: store(out, program, in, place); break;
  case MOHO_PROGRAM_CONVERT:
    if (in->source == in->type) moho_byte_text_print(out, "  r%u = r%u;\n", in->d, in->a);
    else moho_byte_text_print(out, "  r%u = lane_convert_%s_%s(r%u);\n", in->d, moho_type_words[in->source], word_of(in), in->a);
    break;
  case MOHO_PROGRAM_PREDICATE_AND:
  case MOHO_PROGRAM_PREDICATE_OR:
  case MOHO_PROGRAM_PREDICATE_NOT: predicate_logic(out, in); break;
  case MOHO_PROGRAM_COMPARE: compare(out, in); break;
  case MOHO_PROGRAM_SELECT: moho_byte_text_print(out, "  r%u = p%u ? r%u : r%u;\n", in->d, in->a, in->b, in->c); break;
  case MOHO_PROGRAM_REDUCE: reduce_range(out, in); break;
  case MOHO_PROGRAM_GROUP_REDUCE: reduce_group(out, in); break;
  case MOHO_PROGRAM_ALLOC: allocate_pool(out, program, in); break;
  case MOHO_PROGRAM_BARRIER:
  case MOHO_PROGRAM_FENCE: moho_byte_text_print(out, "  BARRIER_GLOBAL();\n"); break;
  case MOHO_PROGRAM_IF:
  case MOHO_PROGRAM_ELSE:
  case MOHO_PROGRAM_LOOP:
  case MOHO_PROGRAM_WHILE:
  case MOHO_PROGRAM_END:
  case MOHO_PROGRAM_BREAK:
  case MOHO_PROGRAM_EXIT: control(out, in, place); break;
  default: arithmetic(out, in, place); break;
  }
}

/* Blocks of lanes abreast are masks, one set for each depth. */
static void control_abreast(moho_byte_text *out, const moho_code *code) {
  const moho_instruction *in = &code->in;
  switch (in->op) {
  case MOHO_PROGRAM_IF: moho_byte_text_print(out, "  PROGRAM_IF(%u, %sp%u)\n", code->depth, in->variant ? "!" : "", in->a); break;
  case MOHO_PROGRAM_ELSE: moho_byte_text_print(out, "  PROGRAM_ELSE(%u)\n", code->depth); break;
  case MOHO_PROGRAM_END: moho_byte_text_print(out, "  PROGRAM_END(%u)\n", code->depth); break;
  default: moho_byte_text_print(out, "  PROGRAM_EXIT\n"); break;
  }
}

void moho_gpu_instruction(moho_byte_text *out, const moho_program *program, size_t pc, size_t place, moho_gpu_form form) {
  const moho_instruction *in = &program->code[pc].in;
  if (!form.abreast) {
    plain(out, program, pc, place);
    return;
  }
  switch (in->op) {
  case MOHO_PROGRAM_IF:
  case MOHO_PROGRAM_ELSE:
  case MOHO_PROGRAM_END:
  case MOHO_PROGRAM_EXIT: control_abreast(out, &program->code[pc]); break;
  case MOHO_PROGRAM_LOAD: load_abreast(out, program, in, place); break;
  case MOHO_PROGRAM_STORE: store_abreast(out, program, in, place); break;
  default:
    moho_byte_text_print(out, "  PROGRAM_EACH %s{\n", form.masked ? "if (PROGRAM_ON) " : "");
    plain(out, program, pc, place);
    moho_byte_text_print(out, "  }\n");
  }
}
