/* block_reduce.c - sums and the like by one fixed tree, over registers and over the lanes of a group.
 *
 * The tree: n values are padded to a power of two p with nothing; then, for h = p/2, p/4 ... 1, value i takes in value i + h
 * where there is one (i < h). f16 and bf16 go through it as f32 and are rounded at the end.
 */
#include <string.h>

#include "program/block.h"

static moho_block_loop loop_of(const moho_block *block, const moho_instruction *in, int type) {
  static const uint8_t operations[MOHO_PROGRAM_REDUCTIONS] = {
      [MOHO_PROGRAM_REDUCE_ADD] = MOHO_PROGRAM_ADD, [MOHO_PROGRAM_REDUCE_MUL] = MOHO_PROGRAM_MUL,
      [MOHO_PROGRAM_REDUCE_MIN] = MOHO_PROGRAM_MIN, [MOHO_PROGRAM_REDUCE_MAX] = MOHO_PROGRAM_MAX,
      [MOHO_PROGRAM_REDUCE_AND] = MOHO_PROGRAM_AND, [MOHO_PROGRAM_REDUCE_OR] = MOHO_PROGRAM_OR,
      [MOHO_PROGRAM_REDUCE_XOR] = MOHO_PROGRAM_XOR};
  return block->loops->arithmetic[operations[in->variant]][type];
}

static size_t power_of_two_from(size_t n) {
  size_t p = 1;
  while (p < n) p *= 2;
  return p;
}

static int type_of_tree(const moho_instruction *in) {
  return moho_type_is_small(in->type) ? MOHO_PROGRAM_F32 : in->type;
}

static void take_result(moho_block *block, const moho_instruction *in, void *target, const void *value) {
  if (moho_type_is_small(in->type)) block->loops->convert[MOHO_PROGRAM_F32][in->type](target, value, NULL, NULL, block->n);
  else memmove(target, value, block->n << moho_type_width(in->type));
}

/* ---- over registers ---- */

typedef struct range {
  moho_block_loop combine;
  const moho_instruction *in;
  size_t p;
} range;

/* Value i when those from `span` on were taken in. tree[depth] and what follows it are free. */
static const void *value_at(moho_block *block, const range *r, size_t i, size_t span, size_t depth) {
  if (span == r->p) {
    const void *leaf = block->registers[r->in->a + i];
    if (!moho_type_is_small(r->in->type)) return leaf;
    block->loops->convert[r->in->type][MOHO_PROGRAM_F32](block->tree[depth], leaf, NULL, NULL, block->n);
    return block->tree[depth];
  }
  const void *left = value_at(block, r, i, 2 * span, depth);
  if (i + span >= r->in->b) return left;
  const void *right = value_at(block, r, i + span, 2 * span, depth + 1);
  r->combine(block->tree[depth], left, right, NULL, block->n);
  return block->tree[depth];
}

void moho_block_reduce_range(moho_block *block, const moho_instruction *in, void *target) {
  range r = {.combine = loop_of(block, in, type_of_tree(in)), .in = in, .p = power_of_two_from(in->b)};
  take_result(block, in, target, value_at(block, &r, 0, 1, 0));
}

/* ---- over the group, which is the block ---- */

void moho_block_reduce_group(moho_block *block, const moho_instruction *in, void *target) {
  int type = type_of_tree(in), width = moho_type_width(type);
  size_t n = block->n;
  unsigned char *values = block->tree[0];
  if (type == in->type) memcpy(values, block->registers[in->a], n << width);
  else block->loops->convert[in->type][type](values, block->registers[in->a], NULL, NULL, n);
  moho_block_loop combine = loop_of(block, in, type);
  for (size_t h = power_of_two_from(n) / 2; h; h /= 2, n = n < 2 * h ? n : 2 * h)
    if (n > h) combine(values, values, values + (h << width), NULL, n - h < h ? n - h : h);
  block->loops->fill[width](block->tree[1], values, NULL, NULL, block->n);
  take_result(block, in, target, block->tree[1]);
}
