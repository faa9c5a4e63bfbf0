/* program.h - portable programs: a small instruction set that runs once per lane over groups, on every device alike.
 *
 *   text --assemble--> program --check device, prepare--> executable --launch(buffers, scalars)--> run --wait--> fault
 *
 * A program has up to 256 registers, each of one declared type, 16 predicates, scalars and at most 24 buffers that are bound at
 * launch, group memory, scratch of a group (the pool), structured control flow without jumps, and functions that are inlined.
 * docs/program.md tells every instruction's exact meaning, the text form and the binary form.
 * A moho_program is checked when it is made and never changes: several threads may use it at once. Errors name the instruction
 * by its number (main program first, then the functions) and, where it came from text, by line and column.
 * Faults are data: integer division by zero and loads out of range give 0, stores out of range do nothing, `while` beyond its
 * maximum stops; the lowest faulting id and its instruction are told by wait.
 */
#ifndef MOHO_PROGRAM_H
#define MOHO_PROGRAM_H

#include "moho/buffer.h"
#include "moho/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types ---- */

/* name, word in text, bytes */
#define MOHO_PROGRAM_TYPE_TABLE(X) \
  X(MOHO_PROGRAM_I8, "i8", 1)      \
  X(MOHO_PROGRAM_I16, "i16", 2)    \
  X(MOHO_PROGRAM_I32, "i32", 4)    \
  X(MOHO_PROGRAM_I64, "i64", 8)    \
  X(MOHO_PROGRAM_U8, "u8", 1)      \
  X(MOHO_PROGRAM_U16, "u16", 2)    \
  X(MOHO_PROGRAM_U32, "u32", 4)    \
  X(MOHO_PROGRAM_U64, "u64", 8)    \
  X(MOHO_PROGRAM_F16, "f16", 2)    \
  X(MOHO_PROGRAM_BF16, "bf16", 2)  \
  X(MOHO_PROGRAM_F32, "f32", 4)    \
  X(MOHO_PROGRAM_F64, "f64", 8)

typedef enum moho_program_type {
#define MOHO_PROGRAM_TYPE_ENUM(name, word, bytes) name,
  MOHO_PROGRAM_TYPE_TABLE(MOHO_PROGRAM_TYPE_ENUM)
#undef MOHO_PROGRAM_TYPE_ENUM
      MOHO_PROGRAM_TYPES
} moho_program_type;

/* `add r, a, b`: what the words of the table below stand for.
 *   D A B C  registers of one type T; d is written        P Q R  predicates; p is written           n  an integer register
 *   m        a buffer, group array or pool with [index]   imm    a constant of d's type */
/* name, word in text, operands, types T that it takes (below) */
#define MOHO_PROGRAM_OPERATION_TABLE(X)                                   \
  X(MOHO_PROGRAM_MOVE, "move", MOHO_OPERANDS_D_A, ALL)                    \
  X(MOHO_PROGRAM_SET, "set", MOHO_OPERANDS_D_IMMEDIATE, ALL)              \
  X(MOHO_PROGRAM_GET, "get", MOHO_OPERANDS_D_SPECIAL, INDEX)              \
  X(MOHO_PROGRAM_SCALAR, "param", MOHO_OPERANDS_D_SCALAR, ALL)            \
  X(MOHO_PROGRAM_LENGTH, "length", MOHO_OPERANDS_D_BUFFER, INDEX)         \
  X(MOHO_PROGRAM_LOAD, "load", MOHO_OPERANDS_D_MEMORY, ALL)               \
  X(MOHO_PROGRAM_STORE, "store", MOHO_OPERANDS_MEMORY_A, ALL)             \
  X(MOHO_PROGRAM_LOAD_GROUP, "load", MOHO_OPERANDS_D_MEMORY, ALL)         \
  X(MOHO_PROGRAM_STORE_GROUP, "store", MOHO_OPERANDS_MEMORY_A, ALL)       \
  X(MOHO_PROGRAM_LOAD_POOL, "load", MOHO_OPERANDS_D_MEMORY, ALL)          \
  X(MOHO_PROGRAM_STORE_POOL, "store", MOHO_OPERANDS_MEMORY_A, ALL)        \
  X(MOHO_PROGRAM_CONVERT, "convert", MOHO_OPERANDS_D_ANY, ALL)            \
  X(MOHO_PROGRAM_ADD, "add", MOHO_OPERANDS_D_A_B, ALL)                    \
  X(MOHO_PROGRAM_SUB, "sub", MOHO_OPERANDS_D_A_B, ALL)                    \
  X(MOHO_PROGRAM_MUL, "mul", MOHO_OPERANDS_D_A_B, ALL)                    \
  X(MOHO_PROGRAM_DIV, "div", MOHO_OPERANDS_D_A_B, ALL)                    \
  X(MOHO_PROGRAM_MAD, "mad", MOHO_OPERANDS_D_A_B_C, ALL)                  \
  X(MOHO_PROGRAM_FMA, "fma", MOHO_OPERANDS_D_A_B_C, REAL)                 \
  X(MOHO_PROGRAM_MIN, "min", MOHO_OPERANDS_D_A_B, ALL)                    \
  X(MOHO_PROGRAM_MAX, "max", MOHO_OPERANDS_D_A_B, ALL)                    \
  X(MOHO_PROGRAM_ABS, "abs", MOHO_OPERANDS_D_A, ALL)                      \
  X(MOHO_PROGRAM_NEG, "neg", MOHO_OPERANDS_D_A, ALL)                      \
  X(MOHO_PROGRAM_AND, "and", MOHO_OPERANDS_D_A_B, WHOLE)                  \
  X(MOHO_PROGRAM_OR, "or", MOHO_OPERANDS_D_A_B, WHOLE)                    \
  X(MOHO_PROGRAM_XOR, "xor", MOHO_OPERANDS_D_A_B, WHOLE)                  \
  X(MOHO_PROGRAM_NOT, "not", MOHO_OPERANDS_D_A, WHOLE)                    \
  X(MOHO_PROGRAM_SHL, "shl", MOHO_OPERANDS_D_A_B, WHOLE)                  \
  X(MOHO_PROGRAM_SHR, "shr", MOHO_OPERANDS_D_A_B, WHOLE)                  \
  X(MOHO_PROGRAM_PREDICATE_AND, "pand", MOHO_OPERANDS_P_Q_R, NONE)        \
  X(MOHO_PROGRAM_PREDICATE_OR, "por", MOHO_OPERANDS_P_Q_R, NONE)          \
  X(MOHO_PROGRAM_PREDICATE_NOT, "pnot", MOHO_OPERANDS_P_Q, NONE)          \
  X(MOHO_PROGRAM_COMPARE, "compare", MOHO_OPERANDS_P_CONDITION_A_B, ALL)  \
  X(MOHO_PROGRAM_SELECT, "select", MOHO_OPERANDS_D_P_A_B, ALL)            \
  X(MOHO_PROGRAM_REDUCE, "reduce", MOHO_OPERANDS_D_REDUCTION_RANGE, ALL)  \
  X(MOHO_PROGRAM_GROUP_REDUCE, "group", MOHO_OPERANDS_D_REDUCTION_A, ALL) \
  X(MOHO_PROGRAM_EXP, "exp", MOHO_OPERANDS_D_A, REAL)                     \
  X(MOHO_PROGRAM_LOG, "log", MOHO_OPERANDS_D_A, REAL)                     \
  X(MOHO_PROGRAM_LOG2, "log2", MOHO_OPERANDS_D_A, REAL)                   \
  X(MOHO_PROGRAM_LOG10, "log10", MOHO_OPERANDS_D_A, REAL)                 \
  X(MOHO_PROGRAM_SQRT, "sqrt", MOHO_OPERANDS_D_A, REAL)                   \
  X(MOHO_PROGRAM_RSQRT, "rsqrt", MOHO_OPERANDS_D_A, REAL)                 \
  X(MOHO_PROGRAM_SIN, "sin", MOHO_OPERANDS_D_A, REAL)                     \
  X(MOHO_PROGRAM_COS, "cos", MOHO_OPERANDS_D_A, REAL)                     \
  X(MOHO_PROGRAM_TAN, "tan", MOHO_OPERANDS_D_A, REAL)                     \
  X(MOHO_PROGRAM_TANH, "tanh", MOHO_OPERANDS_D_A, REAL)                   \
  X(MOHO_PROGRAM_SIGMOID, "sigmoid", MOHO_OPERANDS_D_A, REAL)             \
  X(MOHO_PROGRAM_ALLOC, "alloc", MOHO_OPERANDS_POOL, NONE)                \
  X(MOHO_PROGRAM_BARRIER, "barrier", MOHO_OPERANDS_NONE, NONE)            \
  X(MOHO_PROGRAM_FENCE, "fence", MOHO_OPERANDS_NONE, NONE)                \
  X(MOHO_PROGRAM_IF, "if", MOHO_OPERANDS_P, NONE)                         \
  X(MOHO_PROGRAM_ELSE, "else", MOHO_OPERANDS_NONE, NONE)                  \
  X(MOHO_PROGRAM_LOOP, "loop", MOHO_OPERANDS_N, WHOLE)                    \
  X(MOHO_PROGRAM_WHILE, "while", MOHO_OPERANDS_P_MAXIMUM, NONE)           \
  X(MOHO_PROGRAM_END, "end", MOHO_OPERANDS_NONE, NONE)                    \
  X(MOHO_PROGRAM_BREAK, "break", MOHO_OPERANDS_NONE, NONE)                \
  X(MOHO_PROGRAM_EXIT, "exit", MOHO_OPERANDS_NONE, NONE)                  \
  X(MOHO_PROGRAM_CALL, "call", MOHO_OPERANDS_FUNCTION, NONE)

typedef enum moho_program_operation {
#define MOHO_PROGRAM_OPERATION_ENUM(name, word, operands, types) name,
  MOHO_PROGRAM_OPERATION_TABLE(MOHO_PROGRAM_OPERATION_ENUM)
#undef MOHO_PROGRAM_OPERATION_ENUM
      MOHO_PROGRAM_OPERATIONS
} moho_program_operation;

/* Of compare. The last four are true as well where a float is NaN, and take signed integers' bits as unsigned ones. Of the first
 * six only NE is true with NaN. */
#define MOHO_PROGRAM_CONDITION_TABLE(X) \
  X(MOHO_PROGRAM_EQ, "eq")              \
  X(MOHO_PROGRAM_NE, "ne")              \
  X(MOHO_PROGRAM_LT, "lt")              \
  X(MOHO_PROGRAM_LE, "le")              \
  X(MOHO_PROGRAM_GT, "gt")              \
  X(MOHO_PROGRAM_GE, "ge")              \
  X(MOHO_PROGRAM_ULT, "ult")            \
  X(MOHO_PROGRAM_ULE, "ule")            \
  X(MOHO_PROGRAM_UGT, "ugt")            \
  X(MOHO_PROGRAM_UGE, "uge")

/* Of reduce and group; the last three take integers only. */
#define MOHO_PROGRAM_REDUCTION_TABLE(X) \
  X(MOHO_PROGRAM_REDUCE_ADD, "add")     \
  X(MOHO_PROGRAM_REDUCE_MUL, "mul")     \
  X(MOHO_PROGRAM_REDUCE_MIN, "min")     \
  X(MOHO_PROGRAM_REDUCE_MAX, "max")     \
  X(MOHO_PROGRAM_REDUCE_AND, "and")     \
  X(MOHO_PROGRAM_REDUCE_OR, "or")       \
  X(MOHO_PROGRAM_REDUCE_XOR, "xor")

/* Values that a lane finds: name, word. id is a lane's place in the whole launch, id = (id.z * size.y + id.y) * size.x + id.x;
 * lane and group count the same way within the group and the grid, lanes and groups are how many there are. */
#define MOHO_PROGRAM_SPECIAL_TABLE(X)  \
  X(MOHO_PROGRAM_ID, "id")             \
  X(MOHO_PROGRAM_ID_X, "id.x")         \
  X(MOHO_PROGRAM_ID_Y, "id.y")         \
  X(MOHO_PROGRAM_ID_Z, "id.z")         \
  X(MOHO_PROGRAM_SIZE, "size")         \
  X(MOHO_PROGRAM_SIZE_X, "size.x")     \
  X(MOHO_PROGRAM_SIZE_Y, "size.y")     \
  X(MOHO_PROGRAM_SIZE_Z, "size.z")     \
  X(MOHO_PROGRAM_LANE, "lane")         \
  X(MOHO_PROGRAM_LANE_X, "lane.x")     \
  X(MOHO_PROGRAM_LANE_Y, "lane.y")     \
  X(MOHO_PROGRAM_LANE_Z, "lane.z")     \
  X(MOHO_PROGRAM_LANES, "lanes")       \
  X(MOHO_PROGRAM_LANES_X, "lanes.x")   \
  X(MOHO_PROGRAM_LANES_Y, "lanes.y")   \
  X(MOHO_PROGRAM_LANES_Z, "lanes.z")   \
  X(MOHO_PROGRAM_GROUP, "group")       \
  X(MOHO_PROGRAM_GROUP_X, "group.x")   \
  X(MOHO_PROGRAM_GROUP_Y, "group.y")   \
  X(MOHO_PROGRAM_GROUP_Z, "group.z")   \
  X(MOHO_PROGRAM_GROUPS, "groups")     \
  X(MOHO_PROGRAM_GROUPS_X, "groups.x") \
  X(MOHO_PROGRAM_GROUPS_Y, "groups.y") \
  X(MOHO_PROGRAM_GROUPS_Z, "groups.z")

#define MOHO_PROGRAM_WORD_ENUM(name, word) name,
typedef enum moho_program_condition {
  MOHO_PROGRAM_CONDITION_TABLE(MOHO_PROGRAM_WORD_ENUM) MOHO_PROGRAM_CONDITIONS
} moho_program_condition;
typedef enum moho_program_reduction {
  MOHO_PROGRAM_REDUCTION_TABLE(MOHO_PROGRAM_WORD_ENUM) MOHO_PROGRAM_REDUCTIONS
} moho_program_reduction;
typedef enum moho_program_special {
  MOHO_PROGRAM_SPECIAL_TABLE(MOHO_PROGRAM_WORD_ENUM) MOHO_PROGRAM_SPECIALS
} moho_program_special;
#undef MOHO_PROGRAM_WORD_ENUM

typedef enum moho_program_access { MOHO_PROGRAM_IN = 1, MOHO_PROGRAM_OUT = 2, MOHO_PROGRAM_INOUT = 3 } moho_program_access;

enum {
  MOHO_PROGRAM_REGISTERS = 256,
  MOHO_PROGRAM_PREDICATES = 16,
  MOHO_PROGRAM_BUFFERS = 24,
  MOHO_PROGRAM_SCALARS = 64,
  MOHO_PROGRAM_GROUP_ARRAYS = 16,
  MOHO_PROGRAM_POOLS = 16,
  MOHO_PROGRAM_FUNCTIONS = 256,
  MOHO_PROGRAM_INSTRUCTIONS = 65536, /* with every call inlined */
  MOHO_PROGRAM_DEPTH = 64,           /* of blocks in blocks, with every call inlined */
  MOHO_PROGRAM_NAME = 32,            /* bytes of a name with its NUL */
  MOHO_PROGRAM_GROUP_BYTES = 32768,  /* of all group arrays; each begins at a multiple of 16 bytes */
  MOHO_PROGRAM_POOL_BYTES = 65536,   /* of all pools; the same */
  MOHO_PROGRAM_LANES_MOST = 1024     /* of a group; a device may have fewer */
};

typedef struct moho_program moho_program;

/* ---- text and binary ---- */

/** Assemble a text (docs/program.md "Text"). `file` names it in errors; may be NULL. @return MOHO_OK; MOHO_ERROR_FORMAT,
 *  MOHO_ERROR_KEY (an unknown name: with the nearest), MOHO_ERROR_RANGE, each with line and column. */
MOHO_API moho_status moho_program_assemble(const char *text, const char *file, moho_program **out);
/** The text of a program: assembling it gives the same program, bit for bit. To be freed by the caller. */
MOHO_API moho_status moho_program_disassemble(const moho_program *program, char **text);
/** The binary form, with version and checksum; bytes to be freed by the caller. */
MOHO_API moho_status moho_program_encode(const moho_program *program, void **data, size_t *bytes);
/** @return MOHO_OK; MOHO_ERROR_FORMAT (no program, another version, cut, any byte changed), or what the checks find. */
MOHO_API moho_status moho_program_decode(const void *data, size_t bytes, moho_program **out);
/** A file of either form, told apart by how it begins; written as binary. */
MOHO_API moho_status moho_program_load(const char *path, moho_program **out);
MOHO_API moho_status moho_program_save(const moho_program *program, const char *path);
/** NULL is fine; leaves NULL. Executables made of it stay. */
MOHO_API void moho_program_destroy(moho_program **program);

/* ---- what a program is ---- */

typedef struct moho_program_report {
  const char *name;
  size_t registers, predicates, scalars, buffers;
  size_t instructions;       /* as written */
  size_t instructions_whole; /* with every call inlined */
  size_t group_bytes;        /* of group arrays, but what is per lane */
  size_t group_bytes_per_lane;
  size_t pool_bytes; /* of a group */
  int uses_group;    /* barriers, group arrays, pools or group reductions */
  char hash[65];     /* SHA-256 of the binary form */
} moho_program_report;
/** Strings live as long as the program. */
MOHO_API moho_status moho_program_describe(const moho_program *program, moho_program_report *out);

typedef struct moho_program_parameter {
  const char *name;
  moho_program_type type;
  moho_program_access access; /* of a buffer */
} moho_program_parameter;
MOHO_API moho_status moho_program_buffer(const moho_program *program, size_t i, moho_program_parameter *out);
MOHO_API moho_status moho_program_scalar(const moho_program *program, size_t i, moho_program_parameter *out);
/** The instruction's text; `line` (may be NULL) is that of the assembled text, 0 where there was none. text is cut to bytes. */
MOHO_API moho_status moho_program_instruction(const moho_program *program, size_t i, char *text, size_t bytes, int *line);
MOHO_API const char *moho_program_type_name(moho_program_type type); /* "f32"; NULL for none */
MOHO_API size_t moho_program_type_bytes(moho_program_type type);     /* 0 for none */

/* ---- building in C ---- */

/* The first mistake is kept and told by finish; until then what follows it does nothing and returns -1. Names may be NULL: r0,
 * p0, b0 ... then. One thread at a time. */
typedef struct moho_program_builder moho_program_builder;

MOHO_API moho_status moho_program_builder_create(const char *name, moho_program_builder **out);
/** Check what was built. @return MOHO_OK, or the first mistake; the builder is gone in either case. */
MOHO_API moho_status moho_program_builder_finish(moho_program_builder **builder, moho_program **out);
MOHO_API void moho_program_builder_destroy(moho_program_builder **builder);

/** Each returns the number to use in instructions. */
MOHO_API int moho_program_add_register(moho_program_builder *builder, moho_program_type type, const char *name);
MOHO_API int moho_program_add_predicate(moho_program_builder *builder, const char *name);
MOHO_API int moho_program_add_scalar(moho_program_builder *builder, moho_program_type type, const char *name);
MOHO_API int moho_program_add_buffer(moho_program_builder *builder, moho_program_type type, moho_program_access access,
                                     const char *name);
/** Group memory of count + per_lane * (lanes of a group) elements; 0 at the group's start. */
MOHO_API int moho_program_add_group_array(moho_program_builder *builder, moho_program_type type, size_t count, size_t per_lane,
                                          const char *name);
/** Scratch of a group, of count elements; `alloc` must be reached before it is used and makes it 0. */
MOHO_API int moho_program_add_pool(moho_program_builder *builder, moho_program_type type, size_t count, const char *name);
MOHO_API int moho_program_add_function(moho_program_builder *builder, const char *name);

/* A memory operand: element [index + offset] of a buffer, group array or pool. */
typedef enum moho_program_space { MOHO_PROGRAM_BUFFER, MOHO_PROGRAM_GROUP_ARRAY, MOHO_PROGRAM_POOL } moho_program_space;
typedef struct moho_program_address {
  moho_program_space space;
  int memory;     /* the number of the buffer, array or pool */
  int index;      /* an integer register, or -1: none */
  int32_t offset; /* elements */
} moho_program_address;

/** Instructions go to the main program, or to the function begun last until its end. */
MOHO_API void moho_program_begin_function(moho_program_builder *builder, int function);
MOHO_API void moho_program_end_function(moho_program_builder *builder);
/** d = op(a), d = op(a, b), d = op(a, b, c): all that has registers or predicates alone; c and b are -1 where there is none. */
MOHO_API void moho_program_emit(moho_program_builder *builder, moho_program_operation op, int d, int a, int b, int c);
MOHO_API void moho_program_set_integer(moho_program_builder *builder, int d, int64_t value); /* u64: its bits */
MOHO_API void moho_program_set_real(moho_program_builder *builder, int d, double value);     /* rounded to d's type */
MOHO_API void moho_program_set_bits(moho_program_builder *builder, int d, uint64_t bits);
MOHO_API void moho_program_get(moho_program_builder *builder, int d, moho_program_special special);
MOHO_API void moho_program_get_scalar(moho_program_builder *builder, int d, int scalar);
MOHO_API void moho_program_get_length(moho_program_builder *builder, int d, int buffer);
MOHO_API void moho_program_load_element(moho_program_builder *builder, int d, moho_program_address from);
MOHO_API void moho_program_store_element(moho_program_builder *builder, moho_program_address to, int a);
MOHO_API void moho_program_compare(moho_program_builder *builder, int p, moho_program_condition condition, int a, int b);
MOHO_API void moho_program_select(moho_program_builder *builder, int d, int p, int a, int b); /* p ? a : b */
/** Over registers first .. first + count - 1, all of d's type. */
MOHO_API void moho_program_reduce(moho_program_builder *builder, moho_program_reduction reduction, int d, int first, int count);
/** Over the group's lanes; every lane receives it. */
MOHO_API void moho_program_group_reduce(moho_program_builder *builder, moho_program_reduction reduction, int d, int a);
MOHO_API void moho_program_alloc(moho_program_builder *builder, int pool);
MOHO_API void moho_program_barrier(moho_program_builder *builder);
MOHO_API void moho_program_fence(moho_program_builder *builder);
MOHO_API void moho_program_if(moho_program_builder *builder, int p, int negated);
MOHO_API void moho_program_else(moho_program_builder *builder);
MOHO_API void moho_program_loop(moho_program_builder *builder, int n);
MOHO_API void moho_program_while(moho_program_builder *builder, int p, int negated, uint32_t maximum);
MOHO_API void moho_program_end(moho_program_builder *builder);
MOHO_API void moho_program_break(moho_program_builder *builder);
MOHO_API void moho_program_exit(moho_program_builder *builder);
MOHO_API void moho_program_call(moho_program_builder *builder, int function);

/* ---- running ---- */

typedef union moho_program_value {
  int64_t i; /* scalars of signed types */
  uint64_t u;
  double f; /* of float types: rounded to them */
} moho_program_value;

/** A value as the bits of a type, zero-extended, rounded to float types; MOHO_ERROR_RANGE where it does not fit. And back. */
MOHO_API moho_status moho_program_value_bits(moho_program_type type, moho_program_value value, uint64_t *bits);
MOHO_API moho_program_value moho_program_value_of(moho_program_type type, uint64_t bits);

/* What went wrong first: of all lanes that faulted the one of the lowest id, and the first of its instructions, in the order of
 * the inlined program, that faulted. */
typedef struct moho_program_fault {
  int happened;                /* 0: nothing else is set */
  size_t instruction;          /* as written: moho_program_instruction() */
  uint64_t id;                 /* the lane's */
  moho_program_operation kind; /* MOHO_PROGRAM_DIV, LOAD, STORE, LOAD_GROUP ..., WHILE */
} moho_program_fault;

/* On the host, for the reference. */
typedef struct moho_program_memory {
  void *data;    /* aligned to its element */
  size_t length; /* elements */
} moho_program_memory;

typedef struct moho_program_reference_launch {
  const moho_program_memory *buffers; /* in the order of the program's */
  size_t n_buffers;
  const moho_program_value *scalars;
  size_t n_scalars;
  uint32_t groups[3], lanes[3]; /* 0 counts as 1, but groups[0] and lanes[0] */
} moho_program_reference_launch;

/** Run a program lane by lane on the host: the meaning that other executions are compared with. Slow; one thread.
 *  @return MOHO_OK, also where it faulted; MOHO_ERROR_ARGUMENT, MOHO_ERROR_RANGE (a binding, scalar or size): nothing ran. */
MOHO_API moho_status moho_program_run_reference(const moho_program *program, const moho_program_reference_launch *launch,
                                                moho_program_fault *fault);

/** @return MOHO_OK when the device can run it; MOHO_ERROR_NOT_AVAILABLE names the first instruction or declaration that it cannot
 *  (f64 on metal), and why. */
MOHO_API moho_status moho_program_supports(const moho_program *program, const moho_device *device);

/* A program made ready for a device: compiled, or taken from a bounded cache. */
typedef struct moho_program_executable moho_program_executable;
MOHO_API moho_status moho_program_prepare(const moho_program *program, moho_device *device, moho_program_executable **out);
MOHO_API moho_status moho_program_executable_destroy(moho_program_executable **executable);

typedef struct moho_program_binding {
  moho_buffer *buffer;
  size_t offset; /* bytes, a multiple of 16 */
  size_t length; /* elements */
} moho_program_binding;

typedef struct moho_program_launch_options {
  const moho_program_binding *buffers; /* in the order of the program's; one that the program writes is bound nowhere else */
  size_t n_buffers;
  const moho_program_value *scalars;
  size_t n_scalars;
  uint32_t groups[3], lanes[3]; /* 0 counts as 1; lanes all 0: what suits the device, in x */
} moho_program_launch_options;

/* A launch under way. */
typedef struct moho_program_run moho_program_run;
/** Record a launch into a queue of the executable's device; it runs when the queue is submitted. */
MOHO_API moho_status moho_program_launch(moho_program_executable *executable, moho_queue *queue,
                                         const moho_program_launch_options *launch, moho_program_run **out);
/** Wait for a run whose queue was submitted; the run is gone unless it timed out or was never submitted. @return MOHO_OK, also
 * where it faulted: see *fault (may be NULL); MOHO_ERROR_TIMEOUT; the queue's error. */
MOHO_API moho_status moho_program_wait(moho_program_run **run, double timeout_s, moho_program_fault *fault);

#ifdef __cplusplus
}
#endif
#endif
