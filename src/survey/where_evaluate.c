/* where_evaluate.c - a condition over a block of traces: a loop a node, values in registers of one block each.
 *
 * A block in which a division by zero is met is done again trace by trace: then `and` and `or` look at their right side only
 * where it matters, and what still divides by zero is an error that names the trace.
 */
#include <math.h>
#include <string.h>

#include "survey/where_lex.h"
#include "survey/where_tree.h"

typedef union cell {
  int64_t whole;
  double real;
} cell;

typedef struct evaluation {
  const moho_where *where;
  const moho_where_column *columns;
  cell *registers; /* [need][MOHO_WHERE_BLOCK] */
  size_t n;
  int zero_at; /* a node that divided by zero; -1: none */
} evaluation;

static const moho_where_node *node_at(const evaluation *e, int index) {
  return &e->where->nodes[index];
}

static cell *register_at(const evaluation *e, int r) {
  return e->registers + (size_t)r * MOHO_WHERE_BLOCK;
}

/* Conditions lie in a register as bytes. */
static uint8_t *bytes_of(cell *r) {
  return (uint8_t *)r;
}

static const cell *number(evaluation *e, int index, int r);
static const uint8_t *condition(evaluation *e, int index, int r);

/* ---- numbers ---- */

/* The values of a node as double, in register r unless they are a column. */
static const cell *real(evaluation *e, int index, int r) {
  const cell *values = number(e, index, r);
  cell *out = register_at(e, r);
  if (node_at(e, index)->result == MOHO_WHERE_REAL) return values;
  for (size_t i = 0; i < e->n; i++) out[i].real = (double)values[i].whole;
  return out;
}

static void whole_arithmetic(evaluation *e, int index, const cell *a, const cell *b, cell *out) {
  size_t n = e->n;
  switch (node_at(e, index)->kind) {
  case MOHO_WHERE_ADD:
    for (size_t i = 0; i < n; i++) out[i].whole = a[i].whole + b[i].whole;
    return;
  case MOHO_WHERE_SUBTRACT:
    for (size_t i = 0; i < n; i++) out[i].whole = a[i].whole - b[i].whole;
    return;
  case MOHO_WHERE_MULTIPLY:
    for (size_t i = 0; i < n; i++) out[i].whole = a[i].whole * b[i].whole;
    return;
  default:
    for (size_t i = 0; i < n; i++) {
      if (b[i].whole == 0) e->zero_at = index;
      out[i].whole = b[i].whole ? moho_where_remainder(a[i].whole, b[i].whole) : 0;
    }
  }
}

static void real_arithmetic(evaluation *e, int index, const cell *a, const cell *b, cell *out) {
  size_t n = e->n;
  moho_where_kind kind = (moho_where_kind)node_at(e, index)->kind;
  switch (kind) {
  case MOHO_WHERE_ADD:
    for (size_t i = 0; i < n; i++) out[i].real = a[i].real + b[i].real;
    return;
  case MOHO_WHERE_SUBTRACT:
    for (size_t i = 0; i < n; i++) out[i].real = a[i].real - b[i].real;
    return;
  case MOHO_WHERE_MULTIPLY:
    for (size_t i = 0; i < n; i++) out[i].real = a[i].real * b[i].real;
    return;
  default:
    for (size_t i = 0; i < n; i++) {
      if (b[i].real == 0) e->zero_at = index;
      out[i].real = kind == MOHO_WHERE_DIVIDE ? a[i].real / b[i].real : moho_where_remainder_real(a[i].real, b[i].real);
    }
  }
}

/* Whole constant divisors, as in cdp % 2: no zero to look for, and the common powers of two need no division. */
static void whole_remainder(evaluation *e, const cell *a, int64_t b, cell *out) {
  if (b > 0 && (b & (b - 1)) == 0) {
    for (size_t i = 0; i < e->n; i++) out[i].whole = a[i].whole & (b - 1);
    return;
  }
  for (size_t i = 0; i < e->n; i++) out[i].whole = moho_where_remainder(a[i].whole, b);
}

static const cell *arithmetic(evaluation *e, int index, int r) {
  const moho_where_node *n = node_at(e, index), *right = node_at(e, n->right);
  cell *out = register_at(e, r);
  if (n->result == MOHO_WHERE_REAL) {
    const cell *a = real(e, n->left, r), *b = real(e, n->right, r + 1);
    real_arithmetic(e, index, a, b, out);
  } else if (n->kind == MOHO_WHERE_REMAINDER && right->kind == MOHO_WHERE_NUMBER) {
    whole_remainder(e, number(e, n->left, r), right->whole, out);
  } else {
    const cell *a = number(e, n->left, r), *b = number(e, n->right, r + 1);
    whole_arithmetic(e, index, a, b, out);
  }
  return out;
}

static const cell *sign(evaluation *e, const moho_where_node *n, int r) {
  const cell *a = number(e, n->left, r);
  cell *out = register_at(e, r);
  int is_abs = n->kind == MOHO_WHERE_ABS;
  if (n->result == MOHO_WHERE_REAL)
    for (size_t i = 0; i < e->n; i++) out[i].real = is_abs ? fabs(a[i].real) : -a[i].real;
  else
    for (size_t i = 0; i < e->n; i++) out[i].whole = is_abs && a[i].whole >= 0 ? a[i].whole : -a[i].whole;
  return out;
}

static const cell *number(evaluation *e, int index, int r) {
  const moho_where_node *n = node_at(e, index);
  cell *out = register_at(e, r);
  switch (n->kind) {
  case MOHO_WHERE_NAME: return (const cell *)e->columns[n->name].whole;
  case MOHO_WHERE_NUMBER:
    for (size_t i = 0; i < e->n; i++)
      if (n->result == MOHO_WHERE_REAL) out[i].real = n->real;
      else out[i].whole = n->whole;
    return out;
  case MOHO_WHERE_NEGATE:
  case MOHO_WHERE_ABS: return sign(e, n, r);
  default: return arithmetic(e, index, r);
  }
}

/* ---- conditions ---- */

/* A loop a comparison; out may lie over a or b: byte i is written when cells from i on are still to be read, none before. */
#define COMPARE_ALL(member)                                    \
  switch (kind) {                                              \
  case MOHO_WHERE_LESS: COMPARE_EACH(member, <) return;        \
  case MOHO_WHERE_LESS_EQUAL: COMPARE_EACH(member, <=) return; \
  case MOHO_WHERE_EQUAL: COMPARE_EACH(member, ==) return;      \
  case MOHO_WHERE_NOT_EQUAL: COMPARE_EACH(member, !=) return;  \
  case MOHO_WHERE_GREATER: COMPARE_EACH(member, >) return;     \
  default: COMPARE_EACH(member, >=) return;                    \
  }
#define COMPARE_EACH(member, sign) \
  for (size_t i = 0; i < n; i++) out[i] = a[i].member sign b[i].member;

static void compare_whole(moho_where_kind kind, const cell *restrict a, const cell *restrict b, uint8_t *restrict out, size_t n) {
  COMPARE_ALL(whole)
}

static void compare_real(moho_where_kind kind, const cell *restrict a, const cell *restrict b, uint8_t *restrict out, size_t n) {
  COMPARE_ALL(real)
}

static void compare(evaluation *e, const moho_where_node *n, int r, uint8_t *out) {
  int whole = node_at(e, n->left)->result == MOHO_WHERE_WHOLE && node_at(e, n->right)->result == MOHO_WHERE_WHOLE;
  const cell *a = whole ? number(e, n->left, r) : real(e, n->left, r);
  const cell *b = whole ? number(e, n->right, r + 1) : real(e, n->right, r + 1);
  uint8_t held[MOHO_WHERE_BLOCK]; /* a and b may be the register that takes the result */
  if (whole) compare_whole((moho_where_kind)n->kind, a, b, held, e->n);
  else compare_real((moho_where_kind)n->kind, a, b, held, e->n);
  memcpy(out, held, e->n);
}

/* The last range that begins at or below the value must reach it. */
static int is_within(const moho_where_range *ranges, size_t count, double value) {
  size_t low = 0;
  for (size_t high = count; low < high;) {
    size_t middle = (low + high) / 2;
    if (ranges[middle].low <= value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value <= ranges[low - 1].high;
}

static void find(evaluation *e, const moho_where_node *n, int r, uint8_t *out) {
  const moho_where_range *ranges = e->where->ranges + n->first;
  const cell *a = real(e, n->left, r);
  uint8_t held[MOHO_WHERE_BLOCK];
  if (n->count == 1)
    for (size_t i = 0; i < e->n; i++) held[i] = a[i].real >= ranges[0].low && a[i].real <= ranges[0].high;
  else
    for (size_t i = 0; i < e->n; i++) held[i] = (uint8_t)is_within(ranges, n->count, a[i].real);
  memcpy(out, held, e->n);
}

/* The right side is skipped where the left one decides the whole block. */
static void join(evaluation *e, const moho_where_node *n, int r, uint8_t *out) {
  const uint8_t *a = condition(e, n->left, r);
  uint8_t decides = n->kind == MOHO_WHERE_OR;
  if (memchr(a, !decides, e->n) == NULL) return;
  const uint8_t *b = condition(e, n->right, r + 1);
  if (decides)
    for (size_t i = 0; i < e->n; i++) out[i] = a[i] | b[i];
  else
    for (size_t i = 0; i < e->n; i++) out[i] = a[i] & b[i];
}

/* In register r always. */
static const uint8_t *condition(evaluation *e, int index, int r) {
  const moho_where_node *n = node_at(e, index);
  uint8_t *out = bytes_of(register_at(e, r));
  switch (n->kind) {
  case MOHO_WHERE_NOT: {
    const uint8_t *a = condition(e, n->left, r);
    for (size_t i = 0; i < e->n; i++) out[i] = !a[i];
    break;
  }
  case MOHO_WHERE_AND:
  case MOHO_WHERE_OR: join(e, n, r, out); break;
  case MOHO_WHERE_IN: find(e, n, r, out); break;
  default: compare(e, n, r, out);
  }
  return out;
}

size_t moho_where_scratch_bytes(const moho_where *where) {
  return ((size_t)where->nodes[where->root].need + 1) * MOHO_WHERE_BLOCK * sizeof(cell);
}

static moho_status one_by_one(const moho_where *where, void *scratch, const moho_where_column *columns, size_t n, uint8_t *out,
                              size_t *failed) {
  for (size_t i = 0; i < n; i++) {
    moho_where_column here[MOHO_WHERE_NAMES];
    for (size_t c = 0; c < where->n_names; c++) here[c].whole = columns[c].whole + i;
    evaluation e = {.where = where, .columns = here, .registers = scratch, .n = 1, .zero_at = -1};
    out[i] = condition(&e, where->root, 0)[0];
    if (e.zero_at < 0) continue;
    *failed = i;
    return moho_where_fail(MOHO_ERROR_RANGE, where->nodes[e.zero_at].column, "guard it: cdp != 0 and ep / cdp > 2",
                           "%s divides by zero", where->nodes[e.zero_at].kind == MOHO_WHERE_DIVIDE ? "/" : "%");
  }
  return MOHO_OK;
}

moho_status moho_where_evaluate(const moho_where *where, void *scratch, const moho_where_column *columns, size_t n, uint8_t *out,
                                size_t *failed) {
  evaluation e = {.where = where, .columns = columns, .registers = scratch, .n = n, .zero_at = -1};
  memcpy(out, condition(&e, where->root, 0), n);
  return e.zero_at < 0 ? MOHO_OK : one_by_one(where, scratch, columns, n, out, failed);
}
