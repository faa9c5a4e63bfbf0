/* block_memory.c - loads and stores of a block, and faults.
 *
 * Addresses that count up from lane to lane, in range, are one copy; what differs goes lane by lane. Only lanes that take part
 * touch memory: what lies beside may be another thread's.
 */
#include <string.h>

#include "program/block.h"

/* ---- faults ---- */

void moho_block_fault(moho_block *block, size_t lane, size_t pc) {
  uint64_t key = moho_block_fault_key(moho_block_id(block, lane), pc);
  if (key < block->fault_key) block->fault_key = key;
}

/* Lanes of a block need not come in the order of their ids where groups have several axes. */
void moho_block_fault_first(moho_block *block, const uint8_t *faulting, size_t pc) {
  for (size_t i = 0; i < block->n; i++)
    if (faulting[i]) moho_block_fault(block, i, pc);
}

/* ---- what is reached ---- */

typedef struct memory {
  unsigned char *base;
  uint64_t length; /* elements */
  int width;       /* log2 of their bytes */
} memory;

static memory memory_of(const moho_block *block, const moho_instruction *in) {
  const moho_block_launch *launch = block->launch;
  const moho_program *program = launch->program;
  const moho_declared_memory *declared;
  int width = moho_type_width(in->type);
  switch (in->op) {
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_STORE_GROUP:
    declared = &program->arrays[in->b];
    return (memory){block->arrays + block->where[in->b],
                    declared->count + (uint64_t)declared->per_lane * launch->grid.group_lanes, width};
  case MOHO_PROGRAM_LOAD_POOL:
  case MOHO_PROGRAM_STORE_POOL:
    declared = &program->pools[in->b];
    return (memory){block->pools + declared->offset, declared->count, width};
  default: return (memory){launch->buffers[in->b], launch->lengths[in->b], width};
  }
}

/* Lanes first .. end of a run of addresses from `address` on that are in range; addresses wrap at 2^64. */
static void lanes_in_range(uint64_t address, size_t n, uint64_t length, size_t *first, size_t *end) {
  uint64_t from = address < length ? 0 : 0 - address, most = address < length ? length - address : length;
  *first = from < n ? (size_t)from : n;
  *end = most < n - *first ? *first + (size_t)most : n;
}

static void fault_outside(moho_block *block, size_t first, size_t end, size_t pc) {
  for (size_t i = 0; i < first; i++) moho_block_fault(block, i, pc);
  for (size_t i = end; i < block->n; i++) moho_block_fault(block, i, pc);
}

/* ---- loads ---- */

#define LANE_BY_LANE(T)                                                                 \
  static void gather_##T(moho_block *block, memory from, void *target, size_t pc) {     \
    T *d = target;                                                                      \
    const T *source = (const T *)(const void *)from.base;                               \
    const uint64_t *at = block->addresses;                                              \
    for (size_t i = 0; i < block->n; i++)                                               \
      if (block->mask[i]) {                                                             \
        int inside = at[i] < from.length;                                               \
        d[i] = (T)(inside ? source[at[i]] : 0);                                         \
        if (!inside) moho_block_fault(block, i, pc);                                    \
      }                                                                                 \
  }                                                                                     \
  static void scatter_##T(moho_block *block, memory to, const void *value, size_t pc) { \
    T *target = (T *)(void *)to.base;                                                   \
    const T *a = value;                                                                 \
    const uint64_t *at = block->addresses;                                              \
    for (size_t i = 0; i < block->n; i++)                                               \
      if (block->mask[i]) {                                                             \
        if (at[i] < to.length) target[at[i]] = a[i];                                    \
        else moho_block_fault(block, i, pc);                                            \
      }                                                                                 \
  }
LANE_BY_LANE(uint8_t)
LANE_BY_LANE(uint16_t)
LANE_BY_LANE(uint32_t)
LANE_BY_LANE(uint64_t)

static void gather(moho_block *block, memory from, void *target, size_t pc) {
  static void (*const by_width[])(moho_block *, memory, void *, size_t) = {gather_uint8_t, gather_uint16_t, gather_uint32_t,
                                                                           gather_uint64_t};
  by_width[from.width](block, from, target, pc);
}

static void scatter(moho_block *block, memory to, const void *value, size_t pc) {
  static void (*const by_width[])(moho_block *, memory, const void *, size_t) = {scatter_uint8_t, scatter_uint16_t,
                                                                                 scatter_uint32_t, scatter_uint64_t};
  by_width[to.width](block, to, value, pc);
}

/* The address of each lane; 1: they count up. */
static int find_addresses(moho_block *block, unsigned index, int type, uint64_t offset) {
  if (index == MOHO_NO_REGISTER) {
    block->loops->fill[3](block->addresses, &offset, NULL, NULL, block->n);
    return block->n == 1;
  }
  block->loops->address[type](block->addresses, block->registers[index], &offset, NULL, block->n);
  return block->loops->is_run(block->addresses, block->n);
}

void moho_block_load(moho_block *block, const moho_instruction *in, size_t pc) {
  memory from = memory_of(block, in);
  void *target = moho_block_target(block, in->d);
  int is_run = find_addresses(block, in->a, in->source, in->immediate);
  if (in->a == MOHO_NO_REGISTER && moho_block_is_full(block) && in->immediate < from.length) {
    block->loops->fill[from.width](target, from.base + (in->immediate << from.width), NULL, NULL, block->n);
  } else if (is_run && moho_block_is_full(block)) {
    size_t first, end;
    unsigned char *d = target;
    lanes_in_range(block->addresses[0], block->n, from.length, &first, &end);
    if (first) memset(d, 0, first << from.width);
    if (first < end)
      memcpy(d + (first << from.width), from.base + (block->addresses[first] << from.width), (end - first) << from.width);
    if (end < block->n) memset(d + (end << from.width), 0, (block->n - end) << from.width);
    fault_outside(block, first, end, pc);
  } else {
    gather(block, from, target, pc);
  }
  moho_block_merge(block, in->d, target);
}

void moho_block_store(moho_block *block, const moho_instruction *in, size_t pc) {
  memory to = memory_of(block, in);
  const unsigned char *value = block->registers[in->a];
  if (find_addresses(block, in->d, in->source, in->immediate) && moho_block_is_full(block)) {
    size_t first, end;
    lanes_in_range(block->addresses[0], block->n, to.length, &first, &end);
    if (first < end)
      memcpy(to.base + (block->addresses[first] << to.width), value + (first << to.width), (end - first) << to.width);
    fault_outside(block, first, end, pc);
  } else {
    scatter(block, to, value, pc);
  }
}
