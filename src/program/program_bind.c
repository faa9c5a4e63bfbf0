/* program_bind.c - what a launch brings, checked in one place for all executions: scalars as bits, the grid, bytes of group
 * memory. */
#include <stdio.h>

#include "base/memory.h"
#include "program/program_core.h"

size_t moho_program_group_bytes(const moho_program *program, uint32_t lanes, size_t where[MOHO_PROGRAM_GROUP_ARRAYS]) {
  size_t bytes = 0;
  for (size_t i = 0; i < program->n_arrays; i++) {
    if (where) where[i] = bytes;
    bytes += moho_round_up(moho_program_array_length(&program->arrays[i], lanes) *
                               moho_program_type_bytes((moho_program_type)program->arrays[i].type),
                           16);
  }
  return bytes;
}

moho_status moho_program_scalar_bits(const moho_program *program, size_t i, moho_program_value value, uint64_t *bits) {
  moho_status status = moho_program_value_bits((moho_program_type)program->scalars[i].type, value, bits);
  if (!status) return MOHO_OK;
  char words[200];
  snprintf(words, sizeof words, "%.199s", moho_last_error()->message);
  return moho_fail(status, "scalar %s: %s", program->scalars[i].name, words);
}

/* a*b, or 0 where it passes 2^31. */
static uint64_t product(uint64_t a, uint64_t b) {
  return a && b <= MOHO_PROGRAM_LANES_ALL / a ? a * b : 0;
}

moho_status moho_program_grid_of(const moho_program *program, const uint32_t groups[3], const uint32_t lanes[3],
                                 size_t group_memory, moho_program_grid *out) {
  uint64_t group_lanes = 1, n_groups = 1;
  for (unsigned k = 0; k < 3; k++) {
    out->groups[k] = groups[k] ? groups[k] : 1;
    out->lanes[k] = lanes[k] ? lanes[k] : 1;
    group_lanes = product(group_lanes, out->lanes[k]);
    n_groups = product(n_groups, out->groups[k]);
  }
  if (!group_lanes || group_lanes > MOHO_PROGRAM_LANES_MOST)
    return moho_fail(MOHO_ERROR_RANGE, "%u x %u x %u lanes in a group, expected at most %d", out->lanes[0], out->lanes[1],
                     out->lanes[2], MOHO_PROGRAM_LANES_MOST);
  if (!product(n_groups, group_lanes))
    return moho_fail_at((moho_place){0}, "launch parts of it one after the other", MOHO_ERROR_RANGE,
                        "%u x %u x %u groups of %llu lanes, expected at most %llu lanes in all", out->groups[0], out->groups[1],
                        out->groups[2], (unsigned long long)group_lanes, (unsigned long long)MOHO_PROGRAM_LANES_ALL);
  out->group_lanes = (uint32_t)group_lanes;
  out->n_groups = n_groups;
  size_t bytes = moho_program_group_bytes(program, out->group_lanes, NULL);
  if (bytes <= group_memory) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "the group arrays of program %s take %zu bytes for %u lanes, expected at most %zu",
                   program->functions[0].name, bytes, out->group_lanes, group_memory);
}
