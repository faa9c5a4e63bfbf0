/* executable_gpu.c - where kernel text is compiled: its variants, one launch as a kernel's, the faults of a launch. */
#include "program/executable.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "program/gpu_abreast.h"
#include "program/gpu_text.h"

/* Fewer groups are spread over the whole GPU rather than taken together. */
#define MANY_GROUPS 8192u

static uint64_t abreast_from;

void moho_executable_abreast_from(uint64_t groups) {
  __atomic_store_n(&abreast_from, groups, __ATOMIC_RELAXED);
}

enum { IS_LINE = 1, MANY_LANES = 2, ABREAST = 4 };

/* Few or many lanes, a line or any shape, one by one or abreast. */
static int variant_of(const moho_program *program, const moho_program_grid *grid) {
  uint64_t from = __atomic_load_n(&abreast_from, __ATOMIC_RELAXED);
  int many = grid->group_lanes > MOHO_GPU_FEW_LANES;
  int is_line = grid->groups[1] == 1 && grid->groups[2] == 1 && grid->lanes[1] == 1 && grid->lanes[2] == 1;
  int abreast = grid->n_groups >= (from ? from : MANY_GROUPS) && !many && moho_gpu_may_run_abreast(program);
  return (abreast ? ABREAST : 0) + (many ? MANY_LANES : 0) + (is_line ? IS_LINE : 0);
}

/* Compiled once; the device's own cache gives it to other executables of the same program. */
static moho_status kernel_of(moho_program_executable *executable, int variant, moho_kernel **out) {
  moho_constant constants[] = {{"PROGRAM_LANES", variant & MANY_LANES ? MOHO_PROGRAM_LANES_MOST : MOHO_GPU_FEW_LANES, 0},
                               {"PROGRAM_LINE", variant & IS_LINE, 0},
                               {"PROGRAM_ABREAST", variant & ABREAST ? MOHO_GPU_ABREAST : 1, 0}};
  moho_status status = MOHO_OK;
  pthread_mutex_lock(&executable->lock);
  if (!executable->kernels[variant])
    status = moho_kernel_create(executable->device,
                                &(moho_kernel_options){.name = MOHO_GPU_KERNEL,
                                                       .text = executable->text,
                                                       .file = executable->program->functions[0].name,
                                                       .constants = constants,
                                                       .n_constants = 3},
                                &executable->kernels[variant]);
  *out = executable->kernels[variant];
  pthread_mutex_unlock(&executable->lock);
  return status;
}

moho_status moho_executable_prepare_gpu(moho_program_executable *executable) {
  moho_kernel *kernel;
  return kernel_of(executable, IS_LINE, &kernel);
}

/* No ids yet. There is always one word, so that the kernel has its buffer. */
static moho_status make_faults(moho_program_run *run) {
  size_t bytes = sizeof(uint32_t) * (moho_gpu_fault_places(run->executable->program) + 1);
  MOHO_TRY(moho_buffer_create(run->executable->device, bytes, MOHO_MEMORY_DEVICE, &run->faults));
  return moho_queue_fill(run->queue, run->faults, 0, bytes, UINT32_MAX);
}

moho_status moho_executable_record_gpu(moho_program_run *run, const moho_binding *bindings) {
  const moho_program *program = run->executable->program;
  const moho_program_grid *grid = &run->block.grid;
  moho_binding all[MOHO_PROGRAM_BUFFERS + 1];
  moho_gpu_words words;
  moho_kernel *kernel;
  int variant = variant_of(program, grid);
  uint64_t at_once = variant & ABREAST ? MOHO_GPU_ABREAST : 1;
  MOHO_TRY(kernel_of(run->executable, variant, &kernel));
  MOHO_TRY(make_faults(run));
  moho_gpu_words_of(program, grid, run->block.lengths, run->block.scalars, &words);
  if (program->n_buffers) memcpy(all, bindings, program->n_buffers * sizeof *all);
  all[program->n_buffers] = (moho_binding){run->faults, 0};
  return moho_queue_launch(run->queue, &(moho_launch){.kernel = kernel,
                                                      .buffers = all,
                                                      .n_buffers = program->n_buffers + 1,
                                                      .parameters = words.words,
                                                      .parameter_bytes = words.n * sizeof *words.words,
                                                      .groups = {(uint32_t)((grid->n_groups + at_once - 1) / at_once), 1},
                                                      .lanes = grid->group_lanes,
                                                      .group_memory = words.group_memory});
}

moho_status moho_executable_read_faults(moho_program_run *run, uint64_t *key) {
  const moho_program *program = run->executable->program;
  size_t n = moho_gpu_fault_places(program);
  *key = MOHO_BLOCK_NO_FAULT;
  if (!n) return MOHO_OK;
  uint32_t *ids;
  MOHO_TRY(moho_allocate(n, sizeof *ids, "a program's faults", &ids));
  moho_status status = moho_buffer_read(run->faults, 0, ids, n * sizeof *ids);
  size_t lowest = 0;
  for (size_t i = 1; i < n; i++)
    if (ids[i] < ids[lowest]) lowest = i;
  if (!status && ids[lowest] != UINT32_MAX) *key = moho_block_fault_key(ids[lowest], moho_gpu_fault_instruction(program, lowest));
  free(ids);
  return status;
}
