/* where_parse.c - a condition's text as a tree: recursive descent, one function a rule, types checked as nodes are made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "survey/where_lex.h"
#include "survey/where_tree.h"

enum { TEXT_BYTES = 1 << 16 };

typedef struct parser {
  moho_lexer lexer;
  const moho_where_vocabulary *vocabulary;
  moho_where *where;
  int depth;
} parser;

static moho_status parse_or(parser *p, int *out);
static moho_status parse_sum(parser *p, int *out);

double moho_where_remainder_real(double a, double b) {
  double r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* ---- nodes ---- */

static moho_where_node *node_at(const parser *p, int index) {
  return &p->where->nodes[index];
}

static moho_status add_node(parser *p, moho_where_node node, int *out) {
  moho_where *w = p->where;
  if (w->n_nodes == MOHO_WHERE_NODES)
    return moho_where_fail(MOHO_ERROR_TOO_LARGE, node.column, "put long lists of numbers into: name in [...]",
                           "more than %d operators and operands", MOHO_WHERE_NODES);
  uint16_t left = node.left >= 0 ? w->nodes[node.left].need : 0, right = node.right >= 0 ? w->nodes[node.right].need : 0;
  uint16_t both = (uint16_t)(right + 1);
  node.need = node.right < 0 ? (left > 1 ? left : 1) : left > both ? left : both;
  w->nodes[w->n_nodes] = node;
  *out = w->n_nodes++;
  return MOHO_OK;
}

static moho_status add_constant(parser *p, int column, int is_whole, int64_t whole, double real, int *out) {
  moho_where_node node = {.kind = MOHO_WHERE_NUMBER, .column = column, .left = -1, .right = -1};
  node.result = is_whole ? MOHO_WHERE_WHOLE : MOHO_WHERE_REAL;
  node.whole = is_whole ? whole : 0, node.real = is_whole ? (double)whole : real;
  if (!isfinite(node.real)) return moho_where_fail(MOHO_ERROR_RANGE, column, NULL, "the number is too large");
  return add_node(p, node, out);
}

static moho_status need_number(const parser *p, int index, const char *of) {
  const moho_where_node *n = node_at(p, index);
  if (n->result != MOHO_WHERE_CONDITION) return MOHO_OK;
  return moho_where_fail(MOHO_ERROR_FORMAT, n->column, "conditions are joined by and, or and not",
                         "expected a number as operand of %s, found a condition", of);
}

static moho_status need_condition(const parser *p, int index, const char *of) {
  const moho_where_node *n = node_at(p, index);
  if (n->result == MOHO_WHERE_CONDITION) return MOHO_OK;
  return moho_where_fail(MOHO_ERROR_FORMAT, n->column, "compare it: != 0 where \"not zero\" is meant",
                         "expected a condition %s, found a number", of);
}

/* ---- constants ---- */

static int is_constant(const parser *p, int index) {
  return node_at(p, index)->kind == MOHO_WHERE_NUMBER;
}

static moho_status fold_whole(parser *p, moho_where_kind kind, int column, int64_t a, int64_t b, int *out) {
  int64_t r = 0;
  int over = 0;
  switch (kind) {
  case MOHO_WHERE_ADD: over = __builtin_add_overflow(a, b, &r); break;
  case MOHO_WHERE_SUBTRACT: over = __builtin_sub_overflow(a, b, &r); break;
  case MOHO_WHERE_MULTIPLY: over = __builtin_mul_overflow(a, b, &r); break;
  default: r = moho_where_remainder(a, b);
  }
  if (over) return moho_where_fail(MOHO_ERROR_RANGE, column, NULL, "the number is larger than a whole number of 64 bits");
  return add_constant(p, column, 1, r, 0, out);
}

static moho_status fold(parser *p, moho_where_kind kind, int column, int left, int right, int *out) {
  moho_where_node a = *node_at(p, left), b = *node_at(p, right);
  if (a.result == MOHO_WHERE_WHOLE && b.result == MOHO_WHERE_WHOLE && kind != MOHO_WHERE_DIVIDE)
    return fold_whole(p, kind, column, a.whole, b.whole, out);
  double r = kind == MOHO_WHERE_ADD        ? a.real + b.real
             : kind == MOHO_WHERE_SUBTRACT ? a.real - b.real
             : kind == MOHO_WHERE_MULTIPLY ? a.real * b.real
             : kind == MOHO_WHERE_DIVIDE   ? a.real / b.real
                                           : moho_where_remainder_real(a.real, b.real);
  return add_constant(p, column, 0, 0, r, out);
}

static moho_status add_arithmetic(parser *p, moho_where_kind kind, const char *sign, int column, int left, int right, int *out) {
  MOHO_TRY(need_number(p, left, sign));
  MOHO_TRY(need_number(p, right, sign));
  if ((kind == MOHO_WHERE_DIVIDE || kind == MOHO_WHERE_REMAINDER) && is_constant(p, right) && node_at(p, right)->real == 0)
    return moho_where_fail(MOHO_ERROR_RANGE, node_at(p, right)->column, NULL, "%s divides by zero", sign);
  if (is_constant(p, left) && is_constant(p, right)) return fold(p, kind, column, left, right, out);
  moho_where_node node = {.kind = (uint8_t)kind, .result = MOHO_WHERE_WHOLE, .column = column, .left = left, .right = right};
  return add_node(p, node, out);
}

static moho_status add_sign(parser *p, moho_where_kind kind, int column, int of, int *out) {
  MOHO_TRY(need_number(p, of, kind == MOHO_WHERE_ABS ? "abs" : "-"));
  moho_where_node a = *node_at(p, of);
  if (is_constant(p, of)) { /* a written number is not negative: whole negation cannot overflow but for folded ones */
    if (a.whole == INT64_MIN) return moho_where_fail(MOHO_ERROR_RANGE, column, NULL, "the number is too large");
    int negate = kind == MOHO_WHERE_NEGATE || a.real < 0;
    return add_constant(p, column, a.result == MOHO_WHERE_WHOLE, negate ? -a.whole : a.whole, negate ? -a.real : a.real, out);
  }
  return add_node(
      p, (moho_where_node){.kind = (uint8_t)kind, .result = MOHO_WHERE_WHOLE, .column = column, .left = of, .right = -1}, out);
}

/* ---- names ---- */

static moho_status unknown_name(const parser *p, const moho_token *t) {
  const char *names[256];
  size_t count = p->vocabulary->list(names, sizeof names / sizeof *names);
  const char *near = moho_nearest_name(t->text, names, count);
  char hint[400];
  if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
  else
    snprintf(hint, sizeof hint,
             "names: offset, cdp, fldr, ep, source_x, ... as in docs/selection.md; offset_m, azimuth_deg and others in metres");
  return moho_where_fail(MOHO_ERROR_KEY, t->column, hint, "unknown trace header \"%s\"", t->text);
}

static moho_status parse_name(parser *p, int *out) {
  const moho_token t = p->lexer.token;
  moho_where *w = p->where;
  const char *name = p->vocabulary->find(t.text);
  if (!name) return unknown_name(p, &t);
  size_t i = 0;
  while (i < w->n_names && w->names[i] != name) i++;
  if (i == MOHO_WHERE_NAMES)
    return moho_where_fail(MOHO_ERROR_TOO_LARGE, t.column, NULL, "more than %d different headers", MOHO_WHERE_NAMES);
  if (i == w->n_names) w->names[w->n_names++] = name;
  MOHO_TRY(moho_lexer_next(&p->lexer));
  return add_node(
      p,
      (moho_where_node){
          .kind = MOHO_WHERE_NAME, .result = MOHO_WHERE_WHOLE, .column = t.column, .left = -1, .right = -1, .name = i},
      out);
}

/* ---- rules, from the innermost ---- */

static moho_status deeper(parser *p) {
  if (++p->depth <= MOHO_WHERE_DEPTH) return MOHO_OK;
  return moho_where_fail(MOHO_ERROR_TOO_LARGE, p->lexer.token.column, NULL, "nested more than %d deep", MOHO_WHERE_DEPTH);
}

static moho_status close_parenthesis(parser *p) {
  if (!moho_lexer_is(&p->lexer, ")"))
    return moho_lexer_expected(&p->lexer, "an operator or \")\"",
                               moho_lexer_is(&p->lexer, ",") ? "digits are not grouped: 3000, not 3,000" : NULL);
  return moho_lexer_next(&p->lexer);
}

static moho_status parse_group(parser *p, int *out) {
  MOHO_TRY(deeper(p));
  MOHO_TRY(moho_lexer_next(&p->lexer));
  MOHO_TRY(parse_or(p, out));
  p->depth--;
  return close_parenthesis(p);
}

static moho_status parse_abs(parser *p, int *out) {
  int column = p->lexer.token.column, of;
  MOHO_TRY(deeper(p));
  MOHO_TRY(moho_lexer_next(&p->lexer));
  if (!moho_lexer_is(&p->lexer, "(")) return moho_lexer_expected(&p->lexer, "\"(\" after abs", "write abs(offset)");
  MOHO_TRY(moho_lexer_next(&p->lexer));
  MOHO_TRY(parse_sum(p, &of));
  p->depth--;
  MOHO_TRY(close_parenthesis(p));
  return add_sign(p, MOHO_WHERE_ABS, column, of, out);
}

static moho_status parse_operand(parser *p, int *out) {
  const moho_token t = p->lexer.token;
  if (t.kind == MOHO_TOKEN_NUMBER) {
    MOHO_TRY(moho_lexer_next(&p->lexer));
    return add_constant(p, t.column, t.is_whole, t.whole, t.real, out);
  }
  if (t.kind == MOHO_TOKEN_NAME) return strcasecmp(t.text, "abs") == 0 ? parse_abs(p, out) : parse_name(p, out);
  if (moho_lexer_is(&p->lexer, "(")) return parse_group(p, out);
  return moho_lexer_expected(&p->lexer, "a header name, a number or \"(\"",
                             moho_lexer_is(&p->lexer, "=") ? "equality is written ==" : NULL);
}

static moho_status parse_signed(parser *p, int *out) {
  int column = p->lexer.token.column, minus = moho_lexer_is(&p->lexer, "-");
  if (!minus && !moho_lexer_is(&p->lexer, "+")) return parse_operand(p, out);
  MOHO_TRY(deeper(p));
  MOHO_TRY(moho_lexer_next(&p->lexer));
  MOHO_TRY(parse_signed(p, out));
  p->depth--;
  if (minus) return add_sign(p, MOHO_WHERE_NEGATE, column, *out, out);
  return need_number(p, *out, "+");
}

static moho_status parse_product(parser *p, int *out) {
  static const struct {
    const char *sign;
    moho_where_kind kind;
  } signs[] = {{"*", MOHO_WHERE_MULTIPLY}, {"/", MOHO_WHERE_DIVIDE}, {"%", MOHO_WHERE_REMAINDER}};
  MOHO_TRY(parse_signed(p, out));
  for (;;) {
    size_t i = 0;
    while (i < 3 && !moho_lexer_is(&p->lexer, signs[i].sign)) i++;
    if (i == 3) return MOHO_OK;
    int column = p->lexer.token.column, right;
    MOHO_TRY(moho_lexer_next(&p->lexer));
    MOHO_TRY(parse_signed(p, &right));
    MOHO_TRY(add_arithmetic(p, signs[i].kind, signs[i].sign, column, *out, right, out));
  }
}

static moho_status parse_sum(parser *p, int *out) {
  MOHO_TRY(parse_product(p, out));
  for (;;) {
    int minus = moho_lexer_is(&p->lexer, "-"), right;
    if (!minus && !moho_lexer_is(&p->lexer, "+")) return MOHO_OK;
    int column = p->lexer.token.column;
    MOHO_TRY(moho_lexer_next(&p->lexer));
    MOHO_TRY(parse_product(p, &right));
    MOHO_TRY(add_arithmetic(p, minus ? MOHO_WHERE_SUBTRACT : MOHO_WHERE_ADD, minus ? "-" : "+", column, *out, right, out));
  }
}

/* ---- in ---- */

static moho_status parse_list_number(parser *p, double *out) {
  int index, column = p->lexer.token.column, nodes = p->where->n_nodes;
  MOHO_TRY(parse_sum(p, &index));
  MOHO_TRY(need_number(p, index, "in"));
  if (!is_constant(p, index))
    return moho_where_fail(MOHO_ERROR_FORMAT, column, "compare with headers by == or <", "expected a number in the list of in");
  *out = node_at(p, index)->real;
  p->where->n_nodes = nodes; /* the constant is in the list now */
  if (fabs(*out) < 9007199254740992.0) return MOHO_OK;
  return moho_where_fail(MOHO_ERROR_RANGE, column, NULL, "%g is larger than any header", *out);
}

static moho_status parse_range(parser *p) {
  moho_where *w = p->where;
  int column = p->lexer.token.column;
  if (w->n_ranges == MOHO_WHERE_RANGES)
    return moho_where_fail(MOHO_ERROR_TOO_LARGE, column, "join neighbours to ranges: 100..200", "more than %d entries in lists",
                           MOHO_WHERE_RANGES);
  moho_where_range *range = &w->ranges[w->n_ranges];
  MOHO_TRY(parse_list_number(p, &range->low));
  range->high = range->low;
  if (moho_lexer_is(&p->lexer, "..")) {
    MOHO_TRY(moho_lexer_next(&p->lexer));
    MOHO_TRY(parse_list_number(p, &range->high));
  }
  if (range->low > range->high)
    return moho_where_fail(MOHO_ERROR_RANGE, column, "the smaller number stands first", "the range %.15g..%.15g is empty",
                           range->low, range->high);
  w->n_ranges++;
  return MOHO_OK;
}

static int compare_ranges(const void *a, const void *b) {
  const moho_where_range *x = a, *y = b;
  return (x->low > y->low) - (x->low < y->low);
}

/* Sorted, and joined where they overlap, so that a search by halves finds. */
static size_t tidy_ranges(moho_where_range *ranges, size_t n) {
  size_t kept = 0;
  qsort(ranges, n, sizeof *ranges, compare_ranges);
  for (size_t i = 1; i < n; i++) {
    if (ranges[i].low > ranges[kept].high) ranges[++kept] = ranges[i];
    else ranges[kept].high = fmax(ranges[kept].high, ranges[i].high);
  }
  return kept + 1;
}

static moho_status parse_in(parser *p, int left, int *out) {
  moho_where *w = p->where;
  int column = p->lexer.token.column;
  size_t first = w->n_ranges;
  MOHO_TRY(need_number(p, left, "in"));
  MOHO_TRY(moho_lexer_next(&p->lexer));
  if (!moho_lexer_is(&p->lexer, "[")) {
    if (moho_lexer_is(&p->lexer, "(") || p->lexer.token.kind == MOHO_TOKEN_NAME)
      return moho_lexer_expected(&p->lexer, "\"[\" after in", "write cdp in [100..200, 250]");
    MOHO_TRY(parse_range(p));
  } else {
    MOHO_TRY(moho_lexer_next(&p->lexer));
    for (;;) {
      MOHO_TRY(parse_range(p));
      if (moho_lexer_is(&p->lexer, "]")) break;
      if (!moho_lexer_is(&p->lexer, ",")) return moho_lexer_expected(&p->lexer, "\",\", \"..\" or \"]\"", NULL);
      MOHO_TRY(moho_lexer_next(&p->lexer));
    }
    MOHO_TRY(moho_lexer_next(&p->lexer));
  }
  size_t count = tidy_ranges(w->ranges + first, w->n_ranges - first);
  w->n_ranges = first + count;
  moho_where_node node = {.kind = MOHO_WHERE_IN,
                          .result = MOHO_WHERE_CONDITION,
                          .column = column,
                          .left = left,
                          .right = -1,
                          .first = first,
                          .count = count};
  return add_node(p, node, out);
}

/* ---- conditions ---- */

static int comparison_at(const parser *p, moho_where_kind *kind) {
  static const struct {
    const char *sign;
    moho_where_kind kind;
  } signs[] = {{"<", MOHO_WHERE_LESS},          {"<=", MOHO_WHERE_LESS_EQUAL}, {"==", MOHO_WHERE_EQUAL},
               {"!=", MOHO_WHERE_NOT_EQUAL},    {"<>", MOHO_WHERE_NOT_EQUAL},  {">", MOHO_WHERE_GREATER},
               {">=", MOHO_WHERE_GREATER_EQUAL}};
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (moho_lexer_is(&p->lexer, signs[i].sign)) {
      *kind = signs[i].kind;
      return 1;
    }
  return 0;
}

static moho_status add_condition(parser *p, moho_where_kind kind, int column, int left, int right, int *out) {
  return add_node(
      p, (moho_where_node){.kind = (uint8_t)kind, .result = MOHO_WHERE_CONDITION, .column = column, .left = left, .right = right},
      out);
}

/* a < b <= c is a < b and b <= c. */
static moho_status parse_comparisons(parser *p, int left, int *out) {
  moho_where_kind kind = MOHO_WHERE_LESS;
  int joined = -1;
  while (comparison_at(p, &kind)) {
    const moho_token sign = p->lexer.token;
    int right, one;
    MOHO_TRY(need_number(p, left, sign.text));
    MOHO_TRY(moho_lexer_next(&p->lexer));
    MOHO_TRY(parse_sum(p, &right));
    MOHO_TRY(need_number(p, right, sign.text));
    MOHO_TRY(add_condition(p, kind, sign.column, left, right, &one));
    if (joined < 0) joined = one;
    else MOHO_TRY(add_condition(p, MOHO_WHERE_AND, sign.column, joined, one, &joined));
    left = right;
  }
  if (moho_lexer_is(&p->lexer, "=")) return moho_lexer_expected(&p->lexer, "a comparison", "equality is written ==");
  *out = joined < 0 ? left : joined;
  return MOHO_OK;
}

static moho_status parse_comparison(parser *p, int *out) {
  int left;
  MOHO_TRY(parse_sum(p, &left));
  int column = p->lexer.token.column, negated = p->lexer.token.kind == MOHO_TOKEN_NOT;
  if (negated) {
    MOHO_TRY(moho_lexer_next(&p->lexer));
    if (p->lexer.token.kind != MOHO_TOKEN_IN) {
      return moho_lexer_expected(&p->lexer, "in after not", "write != for \"not equal\", or \"and not\" to join conditions");
    }
  }
  if (p->lexer.token.kind != MOHO_TOKEN_IN) return parse_comparisons(p, left, out);
  MOHO_TRY(parse_in(p, left, out));
  return negated ? add_condition(p, MOHO_WHERE_NOT, column, *out, -1, out) : MOHO_OK;
}

static moho_status parse_not(parser *p, int *out) {
  if (p->lexer.token.kind != MOHO_TOKEN_NOT) return parse_comparison(p, out);
  int column = p->lexer.token.column, of;
  MOHO_TRY(deeper(p));
  MOHO_TRY(moho_lexer_next(&p->lexer));
  MOHO_TRY(parse_not(p, &of));
  p->depth--;
  MOHO_TRY(need_condition(p, of, "after not"));
  return add_condition(p, MOHO_WHERE_NOT, column, of, -1, out);
}

static moho_status parse_joined(parser *p, moho_token_kind token, moho_where_kind kind, const char *beside,
                                moho_status (*parse)(parser *, int *), int *out) {
  MOHO_TRY(parse(p, out));
  while (p->lexer.token.kind == token) {
    int column = p->lexer.token.column, right;
    MOHO_TRY(need_condition(p, *out, beside));
    MOHO_TRY(moho_lexer_next(&p->lexer));
    MOHO_TRY(parse(p, &right));
    MOHO_TRY(need_condition(p, right, beside));
    MOHO_TRY(add_condition(p, kind, column, *out, right, out));
  }
  return MOHO_OK;
}

static moho_status parse_and(parser *p, int *out) {
  return parse_joined(p, MOHO_TOKEN_AND, MOHO_WHERE_AND, "beside and", parse_not, out);
}

static moho_status parse_or(parser *p, int *out) {
  return parse_joined(p, MOHO_TOKEN_OR, MOHO_WHERE_OR, "beside or", parse_and, out);
}

static moho_status parse_all(parser *p, const char *text) {
  if (strlen(text) > TEXT_BYTES)
    return moho_where_fail(MOHO_ERROR_TOO_LARGE, 1, NULL, "%zu characters, expected at most %d", strlen(text), TEXT_BYTES);
  MOHO_TRY(moho_lexer_begin(&p->lexer, text));
  MOHO_TRY(parse_or(p, &p->where->root));
  if (p->lexer.token.kind != MOHO_TOKEN_END) {
    const char *names[] = {"and", "or", "in", "not"}, *near = NULL;
    char hint[80] = "";
    int is_name = p->lexer.token.kind == MOHO_TOKEN_NAME;
    if (is_name && strlen(p->lexer.token.text) > 2) near = moho_nearest_name(p->lexer.token.text, names, 4);
    if (is_name && !near) snprintf(hint, sizeof hint, "numbers are written without units, conditions joined by and, or");
    else if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
    else if (moho_lexer_is(&p->lexer, ",")) snprintf(hint, sizeof hint, "digits are not grouped: 3000, not 3,000");
    return moho_lexer_expected(&p->lexer, "an operator (and, or, <, ==, in, +, ...) or the end", hint);
  }
  return need_condition(p, p->where->root, "such as offset > 200");
}

moho_status moho_where_parse(const char *text, const moho_where_vocabulary *vocabulary, moho_where **out) {
  parser p = {.vocabulary = vocabulary};
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *p.where, "condition", &p.where));
  moho_status status = moho_allocate(MOHO_WHERE_NODES, sizeof *p.where->nodes, "condition", &p.where->nodes);
  if (!status) status = moho_allocate(MOHO_WHERE_RANGES, sizeof *p.where->ranges, "condition", &p.where->ranges);
  if (!status) status = parse_all(&p, text);
  if (status) moho_where_destroy(&p.where);
  *out = p.where;
  return status;
}

void moho_where_destroy(moho_where **where) {
  if (!*where) return;
  free((*where)->nodes);
  free((*where)->ranges);
  free(*where);
  *where = NULL;
}

size_t moho_where_count(const moho_where *where) {
  return where->n_names;
}

const char *moho_where_name(const moho_where *where, size_t i) {
  return where->names[i];
}
