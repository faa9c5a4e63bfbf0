/* gpu_text.c - a program as kernel text: the function around its instructions (gpu_instructions.c), and what a launch gives it.
 */
#include "program/gpu_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "program/gpu_abreast.h"
#include "program/gpu_instructions.h"

extern const char moho_text_elementary[], moho_text_lane_words[];

/* ---- places that fault ---- */

size_t moho_gpu_fault_places(const moho_program *program) {
  size_t n = 0;
  for (size_t i = 0; i < program->n_code; i++) n += moho_instruction_faults(&program->code[i].in) != 0;
  return n;
}

size_t moho_gpu_fault_instruction(const moho_program *program, size_t place) {
  size_t i = 0;
  for (size_t n = 0; i < program->n_code; i++)
    if (moho_instruction_faults(&program->code[i].in) && n++ == place) return i;
  return i;
}

/* ---- group memory ---- */

static int reduces(const moho_program *program) {
  for (size_t i = 0; i < program->n_code; i++)
    if (program->code[i].in.op == MOHO_PROGRAM_GROUP_REDUCE) return 1;
  return 0;
}

static int has_group_memory(const moho_program *program) {
  return program->n_arrays || program->n_pools || reduces(program);
}

void moho_gpu_words_of(const moho_program *program, const moho_program_grid *grid, const uint64_t *lengths,
                       const uint64_t *scalars, moho_gpu_words *out) {
  size_t where[MOHO_PROGRAM_GROUP_ARRAYS], n = 0, bytes = moho_program_group_bytes(program, grid->group_lanes, where);
  uint32_t *words = out->words;
  for (int axis = 0; axis < 3; axis++) words[n++] = grid->groups[axis];
  for (int axis = 0; axis < 3; axis++) words[n++] = grid->lanes[axis];
  for (size_t i = 0; i < program->n_buffers; i++) words[n++] = (uint32_t)lengths[i], words[n++] = (uint32_t)(lengths[i] >> 32);
  for (size_t i = 0; i < program->n_scalars; i++) words[n++] = (uint32_t)scalars[i], words[n++] = (uint32_t)(scalars[i] >> 32);
  for (size_t i = 0; i < program->n_arrays; i++) words[n++] = (uint32_t)where[i];
  bytes = moho_round_up(bytes, 16);
  words[n++] = (uint32_t)bytes;
  bytes = moho_round_up(bytes + program->pool_bytes, 16);
  words[n++] = (uint32_t)bytes;
  if (reduces(program)) bytes += 8 * (size_t)grid->group_lanes;
  out->n = n;
  out->group_memory = has_group_memory(program) ? moho_round_up(bytes, 16) : 0;
}

/* ---- the function ---- */

/* What the languages have each in their own words; AT: the address whose element is asked for, wrapped at 2^64. */
static const char words_of_programs[] =
    "\n#if defined(__METAL_VERSION__)\n"
    "#define PROGRAM_FAULT(place) atomic_fetch_min_explicit(&faults[place], id, memory_order_relaxed)\n"
    "#else\n"
    "#define PROGRAM_FAULT(place) atomicMin(&faults[place], id)\n"
    "#endif\n"
    "#define PROGRAM_WORDS(low, high) ((u64)(high) << 32 | (u64)(low))\n"
    "#if LANE_HAS_DOUBLE && defined(__CUDACC__)\n"
    "#define PROGRAM_F64(bits) LANE_AS_F64(bits)\n"
    "#endif\n"
    /* all lanes reach it: value i takes in value i + h, h = p/2 ... 1, p the power of two from the lanes on */
    "#define PROGRAM_TREE(T, combine, value, result) { \\\n"
    "    LOCAL T *room = (LOCAL T *)(GROUP_MEMORY(uchar) + p->room); \\\n"
    "    uint h = 1u; \\\n"
    "    BARRIER(); \\\n"
    "    room[LANE] = value; \\\n"
    "    while (2u * h < LANES) h *= 2u; \\\n"
    "    for (; h; h /= 2u) { \\\n"
    "      BARRIER(); \\\n"
    "      if (LANE < h && LANE + h < LANES) room[LANE] = combine(room[LANE], room[LANE + h]); \\\n"
    "    } \\\n"
    "    BARRIER(); \\\n"
    "    result = room[0]; \\\n"
    "  }\n"
    "#define PROGRAM_ZERO(first, words) { \\\n"
    "    LOCAL uint *zero = (LOCAL uint *)(GROUP_MEMORY(uchar) + (first)); \\\n"
    "    for (uint i = LANE; i < (words); i += LANES) zero[i] = 0u; \\\n"
    "  }\n";

static void declare_parameters(moho_byte_text *out, const moho_program *program) {
  moho_byte_text_print(out,
                       "typedef struct program_parameters {\n  uint groups_x, groups_y, groups_z, lanes_x, lanes_y, lanes_z;\n");
  for (size_t i = 0; i < program->n_buffers; i++) moho_byte_text_print(out, "  uint length%zu_low, length%zu_high;\n", i, i);
  for (size_t i = 0; i < program->n_scalars; i++) moho_byte_text_print(out, "  uint scalar%zu_low, scalar%zu_high;\n", i, i);
  for (size_t i = 0; i < program->n_arrays; i++) moho_byte_text_print(out, "  uint array%zu;\n", i);
  moho_byte_text_print(out, "  uint pools, room;\n} program_parameters;\n\n");
}

static void begin_kernel(moho_byte_text *out, const moho_program *program) {
  moho_byte_text_print(out, "KERNEL%s(" MOHO_GPU_KERNEL ", PROGRAM_LANES", has_group_memory(program) ? "_GROUP" : "");
  for (size_t i = 0; i < program->n_buffers; i++)
    moho_byte_text_print(out, ", %s(%zu, %s, b%zu)", program->buffers[i].access == MOHO_PROGRAM_IN ? "IN" : "INOUT", i,
                         moho_type_words[program->buffers[i].type], i);
  moho_byte_text_print(out, ", INOUT_ATOMIC(%zu, faults), PARAM(%zu, program_parameters, p)) {\n", program->n_buffers,
                       program->n_buffers + 1);
}

/* Lanes abreast: variables are arrays, of which a statement of PROGRAM_EACH has element PROGRAM_K. on: it takes part here; stays:
 * it has not left by exit. */
static const char words_of_lanes_abreast[] =
    "#if PROGRAM_ABREAST > 1\n"
    "#define PROGRAM_K kern_k\n"
    "#define PROGRAM_EACH UNROLL_ALL for (uint kern_k = 0u; kern_k < PROGRAM_ABREAST; kern_k++)\n"
    "#define PROGRAM_ON (on[PROGRAM_K] != 0)\n"
    "#define PROGRAM_ANY(any) int any = 0; PROGRAM_EACH any |= on[PROGRAM_K]; if (any)\n"
    "#define PROGRAM_IF(depth, condition) { \\\n"
    "    int was_##depth[PROGRAM_ABREAST], else_##depth[PROGRAM_ABREAST]; \\\n"
    "    PROGRAM_EACH { \\\n"
    "      int taken = (condition) ? 1 : 0; \\\n"
    "      was_##depth[PROGRAM_K] = on[PROGRAM_K]; \\\n"
    "      else_##depth[PROGRAM_K] = on[PROGRAM_K] & (taken ^ 1); \\\n"
    "      on[PROGRAM_K] &= taken; \\\n"
    "    } \\\n"
    "    PROGRAM_ANY(any_##depth) {\n"
    "#define PROGRAM_ELSE(depth) } \\\n"
    "    PROGRAM_EACH on[PROGRAM_K] = else_##depth[PROGRAM_K]; \\\n"
    "    PROGRAM_ANY(other_##depth) {\n"
    "#define PROGRAM_END(depth) } \\\n"
    "    PROGRAM_EACH { \\\n"
    "      (void)else_##depth[PROGRAM_K]; \\\n"
    "      on[PROGRAM_K] = was_##depth[PROGRAM_K] & stays[PROGRAM_K]; \\\n"
    "    } \\\n"
    "  }\n"
    "#define PROGRAM_EXIT PROGRAM_EACH if (PROGRAM_ON) stays[PROGRAM_K] = 0, on[PROGRAM_K] = 0;\n"
    "#else\n"
    "#define PROGRAM_K 0u\n"
    "#define PROGRAM_EACH\n"
    "#define PROGRAM_ON 1\n"
    "#define PROGRAM_IF(depth, condition) if (condition) {\n"
    "#define PROGRAM_ELSE(depth) } else {\n"
    "#define PROGRAM_END(depth) }\n"
    "#define PROGRAM_EXIT return;\n"
    "#endif\n";

static const char *const place_names[] = {"group",   "lane_x", "lane_y", "lane_z", "group_x", "group_y",
                                          "group_z", "id_x",   "id_y",   "id_z",   "id"};
enum { PLACES = sizeof place_names / sizeof *place_names };

/* One of each, or one for each lane abreast under the same name. */
static void declare_variable(moho_byte_text *out, const char *type, const char *name) {
  moho_byte_text_print(out,
                       "#if PROGRAM_ABREAST > 1\n  %s %s_[PROGRAM_ABREAST];\n#define %s %s_[PROGRAM_K]\n#else\n  %s %s;\n#endif\n"
                       "  PROGRAM_EACH %s = 0;\n",
                       type, name, name, name, type, name, name);
}

static void compute_places(moho_byte_text *out) {
  static const char text[] = "  PROGRAM_EACH {\n"
                             "  group = GROUP_X * PROGRAM_ABREAST + PROGRAM_K;\n"
                             "#if PROGRAM_LINE\n"
                             "  lane_x = LANE, group_x = group;\n"
                             "  id_x = group * LANES + LANE, id = id_x;\n"
                             "#else\n"
                             "  lane_x = LANE % p->lanes_x, lane_y = LANE / p->lanes_x % p->lanes_y;\n"
                             "  lane_z = LANE / p->lanes_x / p->lanes_y;\n"
                             "  group_x = group % p->groups_x, group_y = group / p->groups_x % p->groups_y;\n"
                             "  group_z = group / p->groups_x / p->groups_y;\n"
                             "  id_x = group_x * p->lanes_x + lane_x, id_y = group_y * p->lanes_y + lane_y;\n"
                             "  id_z = group_z * p->lanes_z + lane_z;\n"
                             "  id = (id_z * (p->groups_y * p->lanes_y) + id_y) * (p->groups_x * p->lanes_x) + id_x;\n"
                             "#endif\n"
                             "#if PROGRAM_ABREAST > 1\n"
                             "  on[PROGRAM_K] = group < p->groups_x * p->groups_y * p->groups_z;\n"
                             "  stays[PROGRAM_K] = on[PROGRAM_K];\n"
                             "#endif\n"
                             "  (void)lane_x, (void)lane_y, (void)lane_z, (void)group_x, (void)group_y, (void)group_z;\n"
                             "  (void)id_x, (void)id_y, (void)id_z, (void)id;\n"
                             "  }\n";
  moho_byte_text_add(out, text, sizeof text - 1);
}

/* Where the lane is; what is not used costs nothing. */
static void declare_places(moho_byte_text *out) {
  moho_byte_text_print(out, "#if PROGRAM_ABREAST > 1\n  int on[PROGRAM_ABREAST], stays[PROGRAM_ABREAST];\n#endif\n");
  for (size_t i = 0; i < PLACES; i++) declare_variable(out, "uint", place_names[i]);
  compute_places(out);
  moho_byte_text_print(out, "  (void)faults;\n");
}

static void declare_variables(moho_byte_text *out, const moho_program *program) {
  char name[24];
  for (size_t i = 0; i < program->n_registers; i++) {
    snprintf(name, sizeof name, "r%zu", i);
    declare_variable(out, moho_type_words[program->registers[i].type], name);
  }
  for (size_t i = 0; i < program->n_predicates; i++) {
    snprintf(name, sizeof name, "p%zu", i);
    declare_variable(out, "int", name);
  }
  if (!program->n_arrays) return;
  moho_byte_text_print(out, "  PROGRAM_ZERO(0u, p->pools / 4u)\n  BARRIER();\n"); /* the arrays lie in front of the pools */
}

static moho_status add_instructions(moho_byte_text *out, const moho_program *program) {
  uint8_t *needs_mask;
  size_t place = 0;
  moho_gpu_form form = {moho_gpu_may_run_abreast(program), 0};
  MOHO_TRY(moho_allocate(program->n_code, sizeof *needs_mask, "a program's text", &needs_mask));
  moho_status status = form.abreast ? moho_gpu_masks_find(program, needs_mask) : MOHO_OK;
  for (size_t i = 0; !status && i < program->n_code; i++) {
    form.masked = needs_mask[i];
    moho_gpu_instruction(out, program, i, place, form);
    place += moho_instruction_faults(&program->code[i].in) != 0;
  }
  free(needs_mask);
  return status;
}

moho_status moho_gpu_text_make(const moho_program *program, char **text) {
  moho_byte_text out = {0};
  size_t bytes;
  moho_byte_text_add(&out, moho_text_elementary, strlen(moho_text_elementary));
  moho_byte_text_add(&out, moho_text_lane_words, strlen(moho_text_lane_words));
  moho_byte_text_add(&out, words_of_programs, sizeof words_of_programs - 1);
  moho_byte_text_add(&out, words_of_lanes_abreast, sizeof words_of_lanes_abreast - 1);
  declare_parameters(&out, program);
  begin_kernel(&out, program);
  declare_places(&out);
  declare_variables(&out, program);
  moho_status status = add_instructions(&out, program);
  moho_byte_text_print(&out, "}\n");
  if (status) {
    free(out.data);
    return status;
  }
  return moho_byte_text_finish(&out, text, &bytes);
}
