/* program_core.h - a program as the files of this room see it: declarations, instructions as written, and the flat code that
 * executions run: every call inlined, every block's end resolved, what is the same in all lanes of a group marked.
 *
 *   builder, assembler, decode --> draft (instructions as written) --program_check.c--> moho_program (immutable)
 */
#ifndef MOHO_PROGRAM_CORE_H
#define MOHO_PROGRAM_CORE_H

#include "base/fail.h"
#include "moho/program.h"

/* How an operation's operands are written; the order is that of MOHO_PROGRAM_OPERATION_TABLE's words. */
typedef enum moho_operands {
  MOHO_OPERANDS_NONE,
  MOHO_OPERANDS_D_A,
  MOHO_OPERANDS_D_A_B,
  MOHO_OPERANDS_D_A_B_C,
  MOHO_OPERANDS_D_ANY,             /* convert d, a: types differ as they like */
  MOHO_OPERANDS_D_IMMEDIATE,       /* set d, 1.5 */
  MOHO_OPERANDS_D_SPECIAL,         /* get d, id.x */
  MOHO_OPERANDS_D_SCALAR,          /* param d, name */
  MOHO_OPERANDS_D_BUFFER,          /* length d, buffer */
  MOHO_OPERANDS_D_MEMORY,          /* load d, name[i + 1] */
  MOHO_OPERANDS_MEMORY_A,          /* store name[i + 1], a */
  MOHO_OPERANDS_P_Q,               /* pnot p, q */
  MOHO_OPERANDS_P_Q_R,             /* pand p, q, r */
  MOHO_OPERANDS_P_CONDITION_A_B,   /* compare.lt p, a, b */
  MOHO_OPERANDS_D_P_A_B,           /* select d, p, a, b */
  MOHO_OPERANDS_D_REDUCTION_RANGE, /* reduce.add d, first..last */
  MOHO_OPERANDS_D_REDUCTION_A,     /* group.add d, a */
  MOHO_OPERANDS_POOL,              /* alloc name */
  MOHO_OPERANDS_P,                 /* if p, if !p */
  MOHO_OPERANDS_N,                 /* loop n */
  MOHO_OPERANDS_P_MAXIMUM,         /* while p max 100 */
  MOHO_OPERANDS_FUNCTION           /* call name */
} moho_operands;

/* Types that an operation takes, as bits 1 << moho_program_type. */
enum {
  MOHO_TYPES_NONE = 0,
  MOHO_TYPES_SIGNED = 0x00f,
  MOHO_TYPES_UNSIGNED = 0x0f0,
  MOHO_TYPES_WHOLE = 0x0ff,
  MOHO_TYPES_REAL = 0xf00,
  MOHO_TYPES_ALL = 0xfff,
  MOHO_TYPES_INDEX = 1 << MOHO_PROGRAM_I32 | 1 << MOHO_PROGRAM_I64 | 1 << MOHO_PROGRAM_U32 | 1 << MOHO_PROGRAM_U64
};

typedef struct moho_operation_entry {
  const char *name; /* "MOHO_PROGRAM_ADD" */
  const char *word; /* "add" */
  moho_operands operands;
  unsigned types; /* MOHO_TYPES_... */
} moho_operation_entry;
extern const moho_operation_entry moho_operations[MOHO_PROGRAM_OPERATIONS];
extern const char *const moho_type_words[MOHO_PROGRAM_TYPES];
extern const char *const moho_condition_words[MOHO_PROGRAM_CONDITIONS];
extern const char *const moho_reduction_words[MOHO_PROGRAM_REDUCTIONS];
extern const char *const moho_special_words[MOHO_PROGRAM_SPECIALS];

/* No register: an address without index. */
enum { MOHO_NO_REGISTER = 0xffff };

/* An instruction, as written and in the flat code. What the operands mean, by form:
 *   d           register written (predicate where P)         a b c   registers or predicates read, in the order of the text
 *   select      a the predicate, b and c the values           compare d predicate, a b registers, variant the condition
 *   loads       d, a index register or MOHO_NO_REGISTER, b the number of buffer, array or pool, immediate the offset (signed)
 *   stores      d index register or MOHO_NO_REGISTER, a the value, b and immediate as loads
 *   reduce      d, a first register, b count, variant the reduction     group   d, a, variant
 *   set         immediate: the bits, zero-extended            get  variant the special        param, length   b its number
 *   if, while   a predicate, variant 1: negated; while: immediate the maximum        loop a      alloc, call   b its number
 * Unused members are 0. */
typedef struct moho_instruction {
  uint8_t op;      /* moho_program_operation */
  uint8_t type;    /* moho_program_type in which it computes (of d; compare, store, loop: of a); MOHO_PROGRAM_TYPES: none */
  uint8_t source;  /* convert: type of a; loads and stores: type of the index register, MOHO_PROGRAM_TYPES: none */
  uint8_t variant; /* condition, reduction, special, negated */
  uint16_t d, a, b, c;
  uint64_t immediate;
} moho_instruction;

/* An instruction of the flat code. Of END, `variant` is the operation of its head (IF, LOOP, WHILE). There is no CALL. */
typedef struct moho_code {
  moho_instruction in;
  uint32_t target;    /* if: its else, or end; else: its end; loop, while: its end; break: end of the loop; end: its head */
  uint32_t origin;    /* number of the instruction as written */
  uint16_t depth;     /* blocks around it (an if, else, end: not its own) */
  uint8_t is_uniform; /* all lanes of a group that have not left run it together */
} moho_code;

typedef struct moho_declared {
  char name[MOHO_PROGRAM_NAME];
  uint8_t type;   /* moho_program_type */
  uint8_t access; /* of a buffer */
} moho_declared;

/* A group array or a pool. */
typedef struct moho_declared_memory {
  char name[MOHO_PROGRAM_NAME];
  uint8_t type;
  uint32_t count, per_lane; /* elements; pools: per_lane 0 */
  uint32_t offset;          /* pools: bytes from the start of the group's pool, a multiple of 16 */
} moho_declared_memory;

typedef struct moho_function {
  char name[MOHO_PROGRAM_NAME]; /* of the first: the program's */
  size_t first, count;          /* of the instructions as written */
} moho_function;

/* Where an instruction stands in the text that it was assembled from, 1-based. */
typedef struct moho_source_place {
  int line, column;
} moho_source_place;

struct moho_program {
  moho_declared registers[MOHO_PROGRAM_REGISTERS];
  char predicates[MOHO_PROGRAM_PREDICATES][MOHO_PROGRAM_NAME];
  moho_declared scalars[MOHO_PROGRAM_SCALARS];
  moho_declared buffers[MOHO_PROGRAM_BUFFERS];
  moho_declared_memory arrays[MOHO_PROGRAM_GROUP_ARRAYS];
  moho_declared_memory pools[MOHO_PROGRAM_POOLS];
  moho_function *functions; /* [n_functions]; [0] is the main program */
  size_t n_registers, n_predicates, n_scalars, n_buffers, n_arrays, n_pools, n_functions;
  moho_instruction *written; /* [n_written]: the main program, then the functions in their order */
  moho_source_place *places; /* [n_written]; NULL: not from text. No part of the program's identity, no more than `file` */
  char *file;                /* the text's, for errors; may be NULL */
  size_t n_written;
  moho_code *code; /* [n_code] */
  size_t n_code;
  size_t pool_bytes;                      /* of a group */
  int uses_group;                         /* there is a group array, pool, barrier, fence or group reduction */
  uint8_t varies[MOHO_PROGRAM_REGISTERS]; /* 1: may somewhere differ between lanes of a group */
  uint8_t predicate_varies[MOHO_PROGRAM_PREDICATES];
  uint32_t types_used; /* 1 << type of every declaration */
  uint8_t hash[32];    /* SHA-256 of the binary form */
};

static inline int moho_type_is_real(int type) {
  return (MOHO_TYPES_REAL >> type & 1) != 0;
}
static inline int moho_type_is_signed(int type) {
  return (MOHO_TYPES_SIGNED >> type & 1) != 0;
}

/* The instruction can fault. */
int moho_instruction_faults(const moho_instruction *in);
/* Lanes of a group meet there: reduction, alloc, barrier, fence. */
int moho_instruction_is_group(const moho_instruction *in);
/* It reads and writes which registers and predicates: calls `use` for each; is_write 1 for the one written. */
typedef void (*moho_use_function)(void *user, int is_predicate, unsigned number, int is_write);
void moho_instruction_uses(const moho_instruction *in, moho_use_function use, void *user);

/* ---- program_complete.c ---- */

/* Check declarations and instructions as written, derive types, inline, check the flow, mark what is uniform, take the hash: what
 * makes a draft a program. On failure the draft is unusable, and stays the caller's. */
moho_status moho_program_complete(moho_program *program);

/* ---- its steps, in this order ---- */

moho_status moho_program_check_declarations(moho_program *program); /* check_declarations.c: names, types, counts; places pools */
moho_status moho_program_check_operands(moho_program *program); /* check_operands.c: numbers, types; derives type and source */
moho_status moho_program_check_blocks(const moho_program *program); /* check_blocks.c: if, else, end, break match */
moho_status moho_program_inline(moho_program *program);             /* inline.c: calls without cycles -> code[] */
moho_status moho_program_check_set(const moho_program *program);    /* check_set.c: nothing is read before it is set */
moho_status moho_program_check_uniform(moho_program *program); /* check_uniform.c: where lanes are together; group operations */

/* ---- constants.c: values as bits, zero-extended to 64 ---- */

double moho_real_of_bits(int type, uint64_t bits);
uint64_t moho_real_bits(int type, double value); /* rounded once, to nearest even */
/* MOHO_ERROR_RANGE where the type cannot hold it; u64 takes the bits of any. */
moho_status moho_integer_bits(int type, int64_t value, uint64_t *bits);

/* ---- instruction_text.c ---- */

/* "fma y, s, x, y": also of an instruction with wrong operands. Returns text. */
const char *moho_instruction_text(const moho_program *program, const moho_instruction *in, char *text, size_t bytes);
/* A constant as text that reads back to the same bits. */
void moho_immediate_text(int type, uint64_t bits, char text[48]);
/* "instruction 12 (fma y, s, x, y): ..." with file, line and column. `i` is the number as written. */
moho_status moho_program_refuse(const moho_program *program, size_t i, moho_status code, const char *hint, const char *format,
                                ...) __attribute__((format(printf, 5, 6)));
#define moho_program_refuse(...) MOHO_FAILED((moho_program_refuse)(__VA_ARGS__))

/* ---- program_bind.c: what a launch brings ---- */

#define MOHO_PROGRAM_LANES_ALL (1ull << 31) /* lanes of a launch, at most */

static inline size_t moho_program_array_length(const moho_declared_memory *array, uint32_t lanes) {
  return array->count + (size_t)array->per_lane * lanes;
}

/* Bytes of a group's arrays for so many lanes; where[] (may be NULL) gets the byte at which each begins, a multiple of 16. */
size_t moho_program_group_bytes(const moho_program *program, uint32_t lanes, size_t where[MOHO_PROGRAM_GROUP_ARRAYS]);

/* The bits, zero-extended, of a launch's scalar i; MOHO_ERROR_RANGE where its type cannot hold the value. */
moho_status moho_program_scalar_bits(const moho_program *program, size_t i, moho_program_value value, uint64_t *bits);

/* Groups and lanes of a launch, 0 read as 1. MOHO_ERROR_RANGE: more than MOHO_PROGRAM_LANES_MOST lanes in a group, 2^31 in all,
 * or group arrays beyond `group_memory` bytes. */
typedef struct moho_program_grid {
  uint32_t groups[3], lanes[3];
  uint32_t group_lanes; /* of a group */
  uint64_t n_groups;
} moho_program_grid;
moho_status moho_program_grid_of(const moho_program *program, const uint32_t groups[3], const uint32_t lanes[3],
                                 size_t group_memory, moho_program_grid *out);

#endif
