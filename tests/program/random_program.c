/* random_program.c - programs that are valid whatever the seed. */
#include "random_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

enum { OF_A_TYPE = 3, DEEPEST = 3 };

typedef struct writer {
  const random_program_options *options;
  moho_program_builder *b;
  uint64_t state;
  moho_program_type types[MOHO_PROGRAM_TYPES]; /* those it has */
  int n_types;
  int registers[MOHO_PROGRAM_TYPES][OF_A_TYPE]; /* by type; consecutive */
  int predicates[4];
  int in[MOHO_PROGRAM_TYPES], out[MOHO_PROGRAM_TYPES]; /* buffers */
  int id, lane, turns, scratch;                        /* u32 registers of their own */
  int array[MOHO_PROGRAM_TYPES], pool[MOHO_PROGRAM_TYPES];
  int depth, loops, in_divergent, may_have_left;
} writer;

static uint32_t below(writer *w, uint32_t n) {
  return (uint32_t)(test_uniform(&w->state) * n);
}

static moho_program_type any_type(writer *w) {
  return w->types[below(w, (uint32_t)w->n_types)];
}

static int is_whole(moho_program_type type) {
  return (MOHO_TYPES_WHOLE >> type & 1) != 0;
}

static int reg(writer *w, moho_program_type type) {
  return w->registers[type][below(w, OF_A_TYPE)];
}

static int predicate(writer *w) {
  return w->predicates[below(w, 4)];
}

/* ---- declarations ---- */

static void choose_types(writer *w) {
  int has[MOHO_PROGRAM_TYPES] = {[MOHO_PROGRAM_U32] = 1};
  for (int i = 0; i < 4; i++) has[below(w, MOHO_PROGRAM_TYPES)] = 1;
  if (!w->options->has_double) has[MOHO_PROGRAM_F64] = 0;
  for (int t = 0; t < MOHO_PROGRAM_TYPES; t++)
    if (has[t]) w->types[w->n_types++] = (moho_program_type)t;
}

static void declare(writer *w) {
  for (int i = 0; i < w->n_types; i++) {
    moho_program_type t = w->types[i];
    for (int k = 0; k < OF_A_TYPE; k++) w->registers[t][k] = moho_program_add_register(w->b, t, NULL);
    w->in[t] = moho_program_add_buffer(w->b, t, MOHO_PROGRAM_IN, NULL);
  }
  for (int i = 0; i < w->n_types; i++) w->out[w->types[i]] = moho_program_add_buffer(w->b, w->types[i], MOHO_PROGRAM_INOUT, NULL);
  int *own[] = {&w->id, &w->lane, &w->turns, &w->scratch};
  for (int i = 0; i < 4; i++) *own[i] = moho_program_add_register(w->b, MOHO_PROGRAM_U32, NULL);
  for (int i = 0; i < 4; i++) w->predicates[i] = moho_program_add_predicate(w->b, NULL);
  moho_program_add_scalar(w->b, MOHO_PROGRAM_U32, NULL);
  moho_program_add_scalar(w->b, MOHO_PROGRAM_F32, NULL);
  for (int i = 0; w->options->has_group && i < w->n_types; i++) {
    w->array[w->types[i]] = moho_program_add_group_array(w->b, w->types[i], below(w, 3), 1, NULL);
    w->pool[w->types[i]] = moho_program_add_pool(w->b, w->types[i], 40, NULL);
  }
}

static moho_program_address at(moho_program_space space, int memory, int index, int32_t offset) {
  return (moho_program_address){space, memory, index, offset};
}

/* Everything is set before it is read. */
static void set_all(writer *w) {
  moho_program_get(w->b, w->id, MOHO_PROGRAM_ID);
  moho_program_get(w->b, w->lane, MOHO_PROGRAM_LANE);
  moho_program_set_integer(w->b, w->turns, 2);
  moho_program_get(w->b, w->scratch, (moho_program_special)below(w, MOHO_PROGRAM_SPECIALS));
  for (int i = 0; i < w->n_types; i++)
    for (int k = 0; k < OF_A_TYPE; k++) {
      moho_program_type t = w->types[i];
      if (k) moho_program_load_element(w->b, w->registers[t][k], at(MOHO_PROGRAM_BUFFER, w->in[t], w->id, (int32_t)below(w, 5)));
      else if (is_whole(t)) moho_program_set_integer(w->b, w->registers[t][0], (int64_t)below(w, 90));
      else moho_program_set_real(w->b, w->registers[t][0], test_uniform(&w->state) * 40 - 20);
    }
  moho_program_get_scalar(w->b, w->registers[MOHO_PROGRAM_U32][0], 0);
  for (int i = 0; i < 4; i++) {
    moho_program_type t = any_type(w);
    moho_program_compare(w->b, w->predicates[i], (moho_program_condition)below(w, MOHO_PROGRAM_CONDITIONS), w->registers[t][1],
                         w->registers[t][2]);
  }
}

/* ---- statements ---- */

static void compute(writer *w) {
  static const moho_program_operation one[] = {MOHO_PROGRAM_MOVE, MOHO_PROGRAM_ABS, MOHO_PROGRAM_NEG};
  static const moho_program_operation two[] = {MOHO_PROGRAM_ADD, MOHO_PROGRAM_SUB, MOHO_PROGRAM_MUL,
                                               MOHO_PROGRAM_DIV, MOHO_PROGRAM_MIN, MOHO_PROGRAM_MAX};
  static const moho_program_operation bits[] = {MOHO_PROGRAM_AND, MOHO_PROGRAM_OR, MOHO_PROGRAM_XOR, MOHO_PROGRAM_SHL,
                                                MOHO_PROGRAM_SHR};
  moho_program_type t = any_type(w);
  int d = reg(w, t), a = reg(w, t), b = reg(w, t), c = reg(w, t);
  switch (below(w, 6)) {
  case 0: moho_program_emit(w->b, one[below(w, 3)], d, a, -1, -1); break;
  case 1:
  case 2: moho_program_emit(w->b, two[is_whole(t) && !w->options->may_fault ? below(w, 3) : below(w, 6)], d, a, b, -1); break;
  case 3: moho_program_emit(w->b, MOHO_PROGRAM_MAD, d, a, b, c); break;
  case 4:
    if (is_whole(t)) moho_program_emit(w->b, bits[below(w, 5)], d, a, b, -1);
    else moho_program_emit(w->b, MOHO_PROGRAM_FMA, d, a, b, c);
    break;
  default:
    if (is_whole(t)) moho_program_emit(w->b, MOHO_PROGRAM_NOT, d, a, -1, -1);
    else if (t == MOHO_PROGRAM_F64) moho_program_emit(w->b, MOHO_PROGRAM_SQRT, d, a, -1, -1); /* its others are libraries' */
    else moho_program_emit(w->b, (moho_program_operation)(MOHO_PROGRAM_EXP + below(w, 11)), d, a, -1, -1);
  }
}

static void convert(writer *w) {
  moho_program_type to = any_type(w), from = any_type(w);
  moho_program_emit(w->b, MOHO_PROGRAM_CONVERT, reg(w, to), reg(w, from), -1, -1);
}

static void decide(writer *w) {
  moho_program_type t = any_type(w);
  switch (below(w, 6)) {
  case 0: moho_program_emit(w->b, MOHO_PROGRAM_PREDICATE_AND, predicate(w), predicate(w), predicate(w), -1); break;
  case 1: moho_program_emit(w->b, MOHO_PROGRAM_PREDICATE_OR, predicate(w), predicate(w), predicate(w), -1); break;
  case 2: moho_program_emit(w->b, MOHO_PROGRAM_PREDICATE_NOT, predicate(w), predicate(w), -1, -1); break;
  case 3: moho_program_select(w->b, reg(w, t), predicate(w), reg(w, t), reg(w, t)); break;
  default:
    moho_program_compare(w->b, predicate(w), (moho_program_condition)below(w, MOHO_PROGRAM_CONDITIONS), reg(w, t), reg(w, t));
  }
}

static moho_program_reduction any_reduction(writer *w, moho_program_type t) {
  return (moho_program_reduction)below(w, is_whole(t) ? MOHO_PROGRAM_REDUCTIONS : MOHO_PROGRAM_REDUCE_MAX + 1);
}

static void touch_memory(writer *w) {
  moho_program_type t = any_type(w), i = any_type(w);
  switch (below(w, w->options->may_fault ? 5 : 2)) {
  case 0: moho_program_store_element(w->b, at(MOHO_PROGRAM_BUFFER, w->out[t], w->id, 0), reg(w, t)); break;
  case 1: moho_program_load_element(w->b, reg(w, t), at(MOHO_PROGRAM_BUFFER, w->out[t], w->id, 0)); break;
  case 2: moho_program_load_element(w->b, reg(w, t), at(MOHO_PROGRAM_BUFFER, w->in[t], w->id, (int32_t)below(w, 9) - 4)); break;
  case 3:
    moho_program_load_element(w->b, reg(w, t), at(MOHO_PROGRAM_BUFFER, w->in[t], is_whole(i) ? reg(w, i) : w->lane, 0));
    break;
  default: moho_program_load_element(w->b, reg(w, t), at(MOHO_PROGRAM_BUFFER, w->in[t], -1, (int32_t)below(w, 12))); break;
  }
}

static void find(writer *w) {
  moho_program_special special = (moho_program_special)below(w, MOHO_PROGRAM_SPECIALS);
  switch (below(w, 4)) {
  case 0: moho_program_get(w->b, reg(w, MOHO_PROGRAM_U32), special); break;
  case 1: moho_program_get_length(w->b, reg(w, MOHO_PROGRAM_U32), w->in[any_type(w)]); break;
  case 2: moho_program_set_integer(w->b, reg(w, MOHO_PROGRAM_U32), (int64_t)below(w, 100)); break;
  default: {
    moho_program_type t = any_type(w);
    moho_program_reduce(w->b, any_reduction(w, t), reg(w, t), w->registers[t][0], 1 + (int)below(w, OF_A_TYPE));
  }
  }
}

/* Where all lanes are together. */
static void meet(writer *w) {
  moho_program_type t = any_type(w);
  moho_program_address own = at(MOHO_PROGRAM_GROUP_ARRAY, w->array[t], w->lane, 0);
  switch (w->options->may_fault ? below(w, 4) : 3 * below(w, 2)) {
  case 0: moho_program_group_reduce(w->b, any_reduction(w, t), reg(w, t), reg(w, t)); break;
  case 1:
    moho_program_barrier(w->b);
    moho_program_store_element(w->b, own, reg(w, t));
    moho_program_barrier(w->b);
    own.offset = (int32_t)below(w, 7) - 3; /* a neighbour's, or none's */
    moho_program_load_element(w->b, reg(w, t), own);
    break;
  case 2:
    moho_program_alloc(w->b, w->pool[t]);
    own.space = MOHO_PROGRAM_POOL, own.memory = w->pool[t];
    moho_program_store_element(w->b, own, reg(w, t));
    if (below(w, 2)) moho_program_fence(w->b);
    else moho_program_barrier(w->b);
    moho_program_load_element(w->b, reg(w, t), at(MOHO_PROGRAM_POOL, w->pool[t], -1, (int32_t)below(w, 44)));
    break;
  default: moho_program_barrier(w->b);
  }
}

static void statements(writer *w, int n);

static void choose(writer *w) {
  int was = w->in_divergent;
  w->in_divergent = 1;
  moho_program_if(w->b, predicate(w), (int)below(w, 2));
  statements(w, 1 + (int)below(w, 4));
  if (w->loops && below(w, 5) == 0) moho_program_break(w->b);
  else if (below(w, 9) == 0) w->may_have_left = 1, moho_program_exit(w->b);
  if (below(w, 2)) {
    moho_program_else(w->b);
    statements(w, 1 + (int)below(w, 3));
  }
  moho_program_end(w->b);
  w->in_divergent = was;
}

static void repeat(writer *w) {
  int was = w->in_divergent;
  w->in_divergent = 1;
  w->loops++;
  if (!w->options->may_fault || below(w, 2)) {
    moho_program_type t = MOHO_PROGRAM_U32;
    int n = w->scratch;
    moho_program_set_integer(w->b, n, (int64_t)(1 + below(w, 7)));
    moho_program_emit(w->b, MOHO_PROGRAM_AND, n, n, reg(w, t), -1);
    moho_program_loop(w->b, n);
  } else {
    moho_program_while(w->b, predicate(w), (int)below(w, 2), 1 + below(w, 5));
  }
  statements(w, 1 + (int)below(w, 4));
  moho_program_end(w->b);
  w->loops--;
  w->in_divergent = was;
}

static void statements(writer *w, int n) {
  for (w->depth++; n-- > 0;) {
    uint32_t kind = below(w, 16);
    int meets = w->options->has_group && !w->in_divergent && !w->may_have_left;
    if (kind < 5) compute(w);
    else if (kind < 7) convert(w);
    else if (kind < 9) decide(w);
    else if (kind < 11) touch_memory(w);
    else if (kind < 12) find(w);
    else if (kind < 13 && meets) meet(w);
    else if (w->depth > DEEPEST) compute(w);
    else if (kind < 15 || !w->options->has_loops) choose(w);
    else repeat(w);
  }
  w->depth--;
}

moho_status random_program_build(const random_program_options *options, moho_program **out) {
  writer w = {.options = options, .state = options->seed};
  MOHO_TRY(moho_program_builder_create("random", &w.b));
  choose_types(&w);
  declare(&w);
  set_all(&w);
  statements(&w, options->statements);
  for (int i = 0; i < w.n_types; i++)
    moho_program_store_element(w.b, at(MOHO_PROGRAM_BUFFER, w.out[w.types[i]], w.id, 0), reg(&w, w.types[i]));
  return moho_program_builder_finish(&w.b, out);
}

/* ---- data ---- */

static double any_real(uint64_t *state) {
  static const double ends[] = {0,         -0.0,       1,         -1,    65504,        65520,
                                1e-7,      3.4e38,     -1e30,     1e-40, 2147483648.0, 4294967296.0,
                                1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0, 0.5};
  double u = test_uniform(state);
  if (u < 0.2) return ends[(int)(u * 5 * (sizeof ends / sizeof *ends))];
  return test_normal(state) * (u < 0.4 ? 1e4 : 3);
}

static uint64_t any_whole(uint64_t *state) {
  static const uint64_t ends[] = {0,         1,          UINT64_MAX,          INT64_MAX, (uint64_t)INT64_MAX + 1,
                                  INT32_MAX, UINT32_MAX, 0x8080808080808080u, 255,       0x7fff};
  double u = test_uniform(state);
  if (u < 0.2) return ends[(int)(u * 5 * (sizeof ends / sizeof *ends))];
  if (u < 0.7) return (uint64_t)(int64_t)(test_uniform(state) * 40 - 10);
  return (uint64_t)(test_uniform(state) * 0x1p32) << 32 | (uint64_t)(test_uniform(state) * 0x1p32);
}

void random_elements(uint64_t *state, moho_program_type type, void *data, size_t n) {
  size_t bytes = moho_program_type_bytes(type);
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = moho_type_is_real((int)type) ? moho_real_bits((int)type, any_real(state)) : any_whole(state);
    memcpy((char *)data + i * bytes, &bits, bytes);
  }
}

static int is_nan(moho_program_type type, uint64_t bits) {
  switch (type) {
  case MOHO_PROGRAM_F16: return (bits & 0x7fff) > 0x7c00;
  case MOHO_PROGRAM_BF16: return (bits & 0x7fff) > 0x7f80;
  case MOHO_PROGRAM_F32: return (bits & 0x7fffffff) > 0x7f800000;
  case MOHO_PROGRAM_F64: return (bits & INT64_MAX) > 0x7ff0000000000000;
  default: return 0;
  }
}

static uint64_t element_of(moho_program_type type, const void *data, size_t i) {
  size_t bytes = moho_program_type_bytes(type);
  uint64_t bits = 0;
  memcpy(&bits, (const char *)data + i * bytes, bytes);
  return bits;
}

int same_element(moho_program_type type, const void *a, const void *b, size_t i) {
  uint64_t x = element_of(type, a, i), y = element_of(type, b, i);
  return x == y || (is_nan(type, x) && is_nan(type, y));
}

static void choose_shape(uint64_t *state, program_data *out) {
  static const uint32_t lanes[][3] = {{1, 0, 0},   {7, 0, 0}, {32, 0, 0}, {33, 0, 0}, {64, 0, 0},
                                      {100, 0, 0}, {5, 3, 0}, {4, 3, 5},  {256, 1, 1}};
  static const uint32_t groups[][3] = {{1, 0, 0}, {3, 0, 0}, {9, 0, 0}, {2, 3, 0}, {2, 2, 2}, {17, 0, 0}};
  memcpy(out->lanes, lanes[(int)(test_uniform(state) * 9)], sizeof out->lanes);
  memcpy(out->groups, groups[(int)(test_uniform(state) * 6)], sizeof out->groups);
}

static size_t lanes_of(const program_data *data) {
  size_t n = 1;
  for (int i = 0; i < 3; i++) n *= (data->lanes[i] ? data->lanes[i] : 1) * (data->groups[i] ? data->groups[i] : 1);
  return n;
}

void program_data_make(const moho_program *program, uint64_t seed, int may_fault, program_data *out) {
  uint64_t state = seed;
  *out = (program_data){0};
  choose_shape(&state, out);
  size_t lanes = lanes_of(out);
  for (size_t i = 0; i < program->n_buffers; i++) {
    moho_program_type type = (moho_program_type)program->buffers[i].type;
    size_t length = may_fault && test_uniform(&state) < 0.15 ? lanes / 2 + 1 : lanes + 4;
    out->length[i] = length;
    out->bytes[i] = length * moho_program_type_bytes(type);
    out->data[i] = malloc(out->bytes[i] + 1);
    assert_non_null(out->data[i]);
    random_elements(&state, type, out->data[i], length);
  }
  out->scalars[0].u = (uint64_t)(test_uniform(&state) * 50);
  out->scalars[1].f = any_real(&state) > 0 ? 2.5 : -0.75;
}

void program_data_copy(const moho_program *program, const program_data *from, program_data *out) {
  *out = *from;
  for (size_t i = 0; i < program->n_buffers; i++) {
    out->data[i] = malloc(from->bytes[i] + 1);
    assert_non_null(out->data[i]);
    memcpy(out->data[i], from->data[i], from->bytes[i]);
  }
}

void program_data_free(program_data *data) {
  for (size_t i = 0; i < MOHO_PROGRAM_BUFFERS; i++) free(data->data[i]);
  *data = (program_data){0};
}

void assert_same_data(const moho_program *program, const program_data *expected, const program_data *got, const char *what) {
  for (size_t i = 0; i < program->n_buffers; i++) {
    moho_program_type type = (moho_program_type)program->buffers[i].type;
    for (size_t k = 0; k < expected->length[i]; k++)
      if (!same_element(type, expected->data[i], got->data[i], k))
        fail_msg("%s: buffer %zu (%s), element %zu of %zu: %#llx, expected %#llx", what, i, moho_program_type_name(type), k,
                 expected->length[i], (unsigned long long)element_of(type, got->data[i], k),
                 (unsigned long long)element_of(type, expected->data[i], k));
  }
}

void assert_same_fault(const moho_program_fault *expected, const moho_program_fault *got, const char *what) {
  if (expected->happened == got->happened && expected->instruction == got->instruction && expected->id == got->id &&
      expected->kind == got->kind)
    return;
  fail_msg("%s: fault %d at instruction %zu of lane %llu (kind %d), expected %d at %zu of %llu (kind %d)", what, got->happened,
           got->instruction, (unsigned long long)got->id, (int)got->kind, expected->happened, expected->instruction,
           (unsigned long long)expected->id, (int)expected->kind);
}

/* ---- on a device ---- */

void program_run_on(moho_device *device, const moho_program *program, const program_data *given, program_data *out,
                    moho_program_fault *fault) {
  moho_program_executable *executable;
  moho_program_run *run;
  moho_queue *queue;
  moho_ticket ticket;
  moho_buffer *buffers[MOHO_PROGRAM_BUFFERS];
  moho_program_binding bindings[MOHO_PROGRAM_BUFFERS];
  program_data_copy(program, given, out);
  assert_ok(moho_queue_create(device, &queue));
  for (size_t i = 0; i < program->n_buffers; i++) {
    assert_ok(moho_buffer_create(device, given->bytes[i], MOHO_MEMORY_DEVICE, &buffers[i]));
    assert_ok(moho_buffer_write(buffers[i], 0, given->data[i], given->bytes[i]));
    bindings[i] = (moho_program_binding){buffers[i], 0, given->length[i]};
  }
  assert_ok(moho_program_prepare(program, device, &executable));
  moho_program_launch_options launch = {
      .buffers = bindings, .n_buffers = program->n_buffers, .scalars = given->scalars, .n_scalars = program->n_scalars};
  memcpy(launch.groups, given->groups, sizeof launch.groups);
  memcpy(launch.lanes, given->lanes, sizeof launch.lanes);
  assert_ok(moho_program_launch(executable, queue, &launch, &run));
  assert_ok(moho_program_executable_destroy(&executable)); /* the run keeps what it needs */
  assert_ok(moho_queue_submit(queue, &ticket));
  assert_ok(moho_program_wait(&run, -1, fault));
  for (size_t i = 0; i < program->n_buffers; i++) {
    assert_ok(moho_buffer_read(buffers[i], 0, out->data[i], given->bytes[i]));
    assert_ok(moho_buffer_destroy(&buffers[i]));
  }
  assert_ok(moho_queue_destroy(&queue));
}
