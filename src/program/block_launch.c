/* block_launch.c - a launch of the vectorised cpu execution: blocks on threads, and where a lane of a block is. */
#include <stdatomic.h>

#include "program/block.h"

/* ---- where a lane is ---- */

/* Group and lane by axes. */
typedef struct place {
  uint32_t group[3], lane[3];
} place;

static place place_of(const moho_program_grid *grid, uint64_t k) {
  uint64_t group = k / grid->group_lanes, lane = k % grid->group_lanes;
  place at;
  for (int axis = 0; axis < 3; axis++) {
    at.group[axis] = (uint32_t)(group % grid->groups[axis]);
    at.lane[axis] = (uint32_t)(lane % grid->lanes[axis]);
    group /= grid->groups[axis];
    lane /= grid->lanes[axis];
  }
  return at;
}

static int count_on(uint32_t at[3], const uint32_t n[3]) {
  for (int axis = 0; axis < 3; axis++) {
    if (++at[axis] < n[axis]) return 1;
    at[axis] = 0;
  }
  return 0;
}

static void next_place(const moho_program_grid *grid, place *at) {
  if (!count_on(at->lane, grid->lanes)) count_on(at->group, grid->groups);
}

static uint64_t linear(const uint32_t at[3], const uint32_t n[3]) {
  return ((uint64_t)at[2] * n[1] + at[1]) * n[0] + at[0];
}

static uint64_t id_at(const moho_program_grid *grid, const place *at, uint32_t id[3]) {
  uint32_t size[3];
  for (int axis = 0; axis < 3; axis++) {
    size[axis] = grid->groups[axis] * grid->lanes[axis];
    id[axis] = at->group[axis] * grid->lanes[axis] + at->lane[axis];
  }
  return linear(id, size);
}

uint64_t moho_block_id(const moho_block *block, size_t lane) {
  const moho_program_grid *grid = &block->launch->grid;
  place at = place_of(grid, block->first + lane);
  uint32_t id[3];
  return id_at(grid, &at, id);
}

static uint64_t special_at(const moho_program_grid *grid, const place *at, int special) {
  uint32_t id[3];
  switch (special) {
  case MOHO_PROGRAM_ID: return id_at(grid, at, id);
  case MOHO_PROGRAM_ID_X:
  case MOHO_PROGRAM_ID_Y:
  case MOHO_PROGRAM_ID_Z: id_at(grid, at, id); return id[special - MOHO_PROGRAM_ID_X];
  case MOHO_PROGRAM_SIZE: return grid->n_groups * grid->group_lanes;
  case MOHO_PROGRAM_LANE: return linear(at->lane, grid->lanes);
  case MOHO_PROGRAM_LANES: return grid->group_lanes;
  case MOHO_PROGRAM_GROUP: return linear(at->group, grid->groups);
  case MOHO_PROGRAM_GROUPS: return grid->n_groups;
  default: break;
  }
  if (special < MOHO_PROGRAM_LANE)
    return (uint64_t)grid->groups[special - MOHO_PROGRAM_SIZE_X] * grid->lanes[special - MOHO_PROGRAM_SIZE_X];
  if (special < MOHO_PROGRAM_LANES) return at->lane[special - MOHO_PROGRAM_LANE_X];
  if (special < MOHO_PROGRAM_GROUP) return grid->lanes[special - MOHO_PROGRAM_LANES_X];
  if (special < MOHO_PROGRAM_GROUPS) return at->group[special - MOHO_PROGRAM_GROUP_X];
  return grid->groups[special - MOHO_PROGRAM_GROUPS_X];
}

/* Lanes that lie on one line count up in x. */
static int counts_up(const moho_block *block, int special) {
  const moho_program_grid *grid = &block->launch->grid;
  int is_line = grid->lanes[1] == 1 && grid->lanes[2] == 1;
  if (special == MOHO_PROGRAM_LANE) return block->first % grid->group_lanes + block->n <= grid->group_lanes;
  if (special == MOHO_PROGRAM_LANE_X) return is_line && block->first % grid->group_lanes + block->n <= grid->group_lanes;
  return (special == MOHO_PROGRAM_ID || special == MOHO_PROGRAM_ID_X) && is_line && grid->groups[1] == 1 && grid->groups[2] == 1;
}

static int is_same_in_all(const moho_block *block, int special) {
  if ((special >= MOHO_PROGRAM_SIZE && special <= MOHO_PROGRAM_SIZE_Z) ||
      (special >= MOHO_PROGRAM_LANES && special <= MOHO_PROGRAM_LANES_Z) || special >= MOHO_PROGRAM_GROUPS)
    return 1;
  return special >= MOHO_PROGRAM_GROUP &&
         block->first % block->launch->grid.group_lanes + block->n <= block->launch->grid.group_lanes;
}

void moho_block_special(moho_block *block, const moho_instruction *in, void *target) {
  const moho_program_grid *grid = &block->launch->grid;
  place at = place_of(grid, block->first);
  uint64_t value = special_at(grid, &at, in->variant);
  int width = moho_type_width(in->type);
  if (is_same_in_all(block, in->variant)) {
    block->loops->fill[width](target, &value, NULL, NULL, block->n);
  } else if (counts_up(block, in->variant)) {
    uint32_t from = (uint32_t)value;
    block->loops->count_up[in->type](target, &from, NULL, NULL, block->n);
  } else {
    uint32_t *small = target;
    uint64_t *large = target;
    for (size_t i = 0; i < block->n; i++, next_place(grid, &at)) {
      value = special_at(grid, &at, in->variant);
      if (width == 2) small[i] = (uint32_t)value;
      else large[i] = value;
    }
  }
}

/* ---- threads ---- */

typedef struct shared_run {
  const moho_block_launch *launch;
  uint64_t lanes, n_blocks;
  size_t block_lanes;
  atomic_ullong next, fault_key;
  atomic_int status;
} shared_run;

static void keep_smaller(atomic_ullong *smallest, unsigned long long key) {
  unsigned long long seen = atomic_load(smallest);
  while (key < seen && !atomic_compare_exchange_weak(smallest, &seen, key)) continue;
}

static void run_blocks(shared_run *run) {
  moho_block *block;
  moho_status status = moho_block_create(run->launch, run->block_lanes, &block);
  if (status) {
    atomic_store(&run->status, status);
    return;
  }
  unsigned long long k;
  while ((k = atomic_fetch_add(&run->next, 1)) < run->n_blocks) {
    uint64_t first = k * run->block_lanes, left = run->lanes - first;
    moho_block_execute(block, first, left < run->block_lanes ? (size_t)left : run->block_lanes);
  }
  keep_smaller(&run->fault_key, block->fault_key);
  moho_block_destroy(block);
}

moho_status moho_block_run(const moho_block_launch *launch, uint64_t *fault_key) {
  shared_run run = {
      .launch = launch, .lanes = launch->grid.n_groups * launch->grid.group_lanes, .fault_key = MOHO_BLOCK_NO_FAULT};
  run.block_lanes = moho_block_capacity(launch);
  run.n_blocks = (run.lanes + run.block_lanes - 1) / run.block_lanes;
  int threads = run.n_blocks < (uint64_t)launch->threads ? (int)run.n_blocks : launch->threads;
#pragma omp parallel num_threads(threads) if (threads > 1)
  run_blocks(&run);
  *fault_key = run.fault_key;
  if (run.status)
    return moho_fail(run.status, "program %s: no memory for the registers of its lanes",
                     launch->program->functions ? launch->program->functions[0].name : "");
  return MOHO_OK;
}
