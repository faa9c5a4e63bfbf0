/* where_bind.c - whole or double: the type of every node, once it is known what the headers hold, and how large whole ones get.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "survey/where_lex.h"
#include "survey/where_tree.h"

/* Bounds of a whole number; products of 64-bit bounds fit. */
typedef struct bounds {
  __int128 least, most;
} bounds;

static bounds around(__int128 a, __int128 b) {
  return a < b ? (bounds){a, b} : (bounds){b, a};
}

static bounds join(bounds a, bounds b) {
  return (bounds){a.least < b.least ? a.least : b.least, a.most > b.most ? a.most : b.most};
}

static bounds product(bounds a, bounds b) {
  return join(around(a.least * b.least, a.least * b.most), around(a.most * b.least, a.most * b.most));
}

/* a % b lies between 0 and b. */
static bounds remainder_of(bounds b) {
  return (bounds){b.least < 0 ? b.least : 0, b.most > 0 ? b.most : 0};
}

static bounds magnitude(bounds a) {
  bounds size = around(a.least < 0 ? -a.least : a.least, a.most < 0 ? -a.most : a.most);
  if (a.least <= 0 && a.most >= 0) size.least = 0;
  return size;
}

static bounds bounds_of(const moho_where_node *n, const bounds *all, const moho_where_type *types) {
  const bounds none = {0, 0}, *a = n->left >= 0 ? &all[n->left] : &none, *b = n->right >= 0 ? &all[n->right] : &none;
  switch (n->kind) {
  case MOHO_WHERE_NUMBER: return (bounds){n->whole, n->whole};
  case MOHO_WHERE_NAME: return (bounds){types[n->name].least, types[n->name].most};
  case MOHO_WHERE_NEGATE: return (bounds){-a->most, -a->least};
  case MOHO_WHERE_ABS: return magnitude(*a);
  case MOHO_WHERE_ADD: return (bounds){a->least + b->least, a->most + b->most};
  case MOHO_WHERE_SUBTRACT: return (bounds){a->least - b->most, a->most - b->least};
  case MOHO_WHERE_MULTIPLY: return product(*a, *b);
  default: return remainder_of(*b);
  }
}

static moho_where_result result_of(const moho_where_node *n, const moho_where_node *nodes, const moho_where_type *types) {
  if (n->kind == MOHO_WHERE_NUMBER || n->kind >= MOHO_WHERE_LESS) return (moho_where_result)n->result;
  if (n->kind == MOHO_WHERE_NAME) return types[n->name].is_whole ? MOHO_WHERE_WHOLE : MOHO_WHERE_REAL;
  if (n->kind == MOHO_WHERE_DIVIDE || nodes[n->left].result == MOHO_WHERE_REAL) return MOHO_WHERE_REAL;
  return n->right >= 0 && nodes[n->right].result == MOHO_WHERE_REAL ? MOHO_WHERE_REAL : MOHO_WHERE_WHOLE;
}

moho_status moho_where_bind(moho_where *where, const moho_where_type *types) {
  bounds *all;
  moho_status status = MOHO_OK;
  MOHO_TRY(moho_allocate((size_t)where->n_nodes, sizeof *all, "condition", &all));
  for (int i = 0; !status && i < where->n_nodes; i++) {
    moho_where_node *n = &where->nodes[i];
    n->result = (uint8_t)result_of(n, where->nodes, types);
    if (n->result != MOHO_WHERE_WHOLE) continue;
    all[i] = bounds_of(n, all, types);
    if (all[i].least < INT64_MIN || all[i].most > INT64_MAX)
      status = moho_where_fail(MOHO_ERROR_RANGE, n->column, "multiply by 1.0 first to compute with fractions",
                               "the result may be larger than a whole number of 64 bits");
  }
  free(all);
  return status;
}
