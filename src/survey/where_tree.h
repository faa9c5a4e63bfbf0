/* where_tree.h - the tree of a condition on trace headers, shared by its parser and its evaluation.
 *
 * Nodes lie in one array; children come before their parents. Constants are folded while parsing, so a tree of constants is one
 * node.
 */
#ifndef MOHO_SURVEY_WHERE_TREE_H
#define MOHO_SURVEY_WHERE_TREE_H

#include "survey/where.h"

typedef enum {
  MOHO_WHERE_NUMBER,
  MOHO_WHERE_NAME,
  MOHO_WHERE_NEGATE,
  MOHO_WHERE_ABS,
  MOHO_WHERE_ADD,
  MOHO_WHERE_SUBTRACT,
  MOHO_WHERE_MULTIPLY,
  MOHO_WHERE_DIVIDE,
  MOHO_WHERE_REMAINDER,
  MOHO_WHERE_LESS,
  MOHO_WHERE_LESS_EQUAL,
  MOHO_WHERE_EQUAL,
  MOHO_WHERE_NOT_EQUAL,
  MOHO_WHERE_GREATER,
  MOHO_WHERE_GREATER_EQUAL,
  MOHO_WHERE_IN,
  MOHO_WHERE_NOT,
  MOHO_WHERE_AND,
  MOHO_WHERE_OR
} moho_where_kind;

typedef enum { MOHO_WHERE_CONDITION, MOHO_WHERE_WHOLE, MOHO_WHERE_REAL } moho_where_result;

typedef struct moho_where_node {
  uint8_t kind;   /* moho_where_kind */
  uint8_t result; /* moho_where_result; a number's is WHOLE until it is bound, but for constants with a fraction */
  uint16_t need;  /* registers that its evaluation takes */
  int column;     /* 1-based place in the text */
  int left, right;
  size_t first, count; /* ranges of `in` */
  int64_t whole;       /* constant */
  double real;         /* constant, of either kind */
  size_t name;
} moho_where_node;

/* [low, high] of an `in`; sorted and apart. Ends are below 2^53, so that whole numbers compare exactly in double. */
typedef struct moho_where_range {
  double low, high;
} moho_where_range;

enum { MOHO_WHERE_NODES = 4096, MOHO_WHERE_RANGES = 4096, MOHO_WHERE_DEPTH = 64 };

struct moho_where {
  moho_where_node *nodes;
  int n_nodes, root;
  moho_where_range *ranges;
  size_t n_ranges;
  const char *names[MOHO_WHERE_NAMES];
  size_t n_names;
};

/* a % b with the sign of b. */
static inline int64_t moho_where_remainder(int64_t a, int64_t b) {
  if (b == -1) return 0; /* INT64_MIN % -1 has no quotient */
  int64_t r = a % b;
  return r && (r < 0) != (b < 0) ? r + b : r;
}

double moho_where_remainder_real(double a, double b);

#endif
