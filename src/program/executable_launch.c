/* executable_launch.c - a launch of a program: bindings checked, recorded into a queue, waited for; its fault told. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "program/executable.h"

/* ---- the vectorised execution as a kernel of the cpu ---- */

/* What the native function is given: where the run is. It lives until the run was waited for. */
typedef struct block_parameters {
  moho_program_run *run;
} block_parameters;

static void run_blocks(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  block_parameters given;
  (void)groups, (void)lanes;
  memcpy(&given, parameters, sizeof given);
  moho_program_run *run = given.run;
  for (size_t i = 0; i < run->executable->program->n_buffers; i++) run->block.buffers[i] = buffers[i];
  run->status = moho_block_run(&run->block, &run->fault_key);
  if (run->status) run->error = *moho_last_error();
}

moho_status moho_block_kernel_create(moho_device *device, moho_kernel **out) {
  static const moho_kernel_definition definition = {.name = MOHO_BLOCK_KERNEL, .max_lanes = 1, .native = run_blocks};
  MOHO_TRY(moho_kernel_register(&definition));
  return moho_kernel_create(device, &(moho_kernel_options){.name = MOHO_BLOCK_KERNEL}, out);
}

/* ---- recording ---- */

/* Bindings i and k have bytes of one buffer in common; their ranges were checked. */
static int overlap(const moho_program *program, const moho_program_binding *bindings, size_t i, size_t k) {
  const moho_program_binding *a = &bindings[i], *b = &bindings[k];
  size_t a_bytes = a->length * moho_program_type_bytes((moho_program_type)program->buffers[i].type);
  size_t b_bytes = b->length * moho_program_type_bytes((moho_program_type)program->buffers[k].type);
  return a->buffer == b->buffer && a->offset < b->offset + b_bytes && b->offset < a->offset + a_bytes;
}

static moho_status check_buffers(const moho_program *program, const moho_program_launch_options *launch) {
  const char *name = program->functions[0].name;
  if (launch->n_buffers != program->n_buffers || (launch->n_buffers && !launch->buffers))
    return moho_fail(MOHO_ERROR_ARGUMENT, "program %s: got %zu buffers at %s, it has %zu", name, launch->n_buffers,
                     launch->buffers ? "an address" : "NULL", program->n_buffers);
  for (size_t i = 0; i < launch->n_buffers; i++) {
    const moho_program_binding *b = &launch->buffers[i];
    const moho_declared *declared = &program->buffers[i];
    size_t width = moho_program_type_bytes((moho_program_type)declared->type), bytes = moho_buffer_bytes(b->buffer);
    if (!b->buffer) return moho_fail(MOHO_ERROR_ARGUMENT, "program %s: buffer %s: got NULL", name, declared->name);
    if (b->offset > bytes || b->length > (bytes - b->offset) / width)
      return moho_fail(MOHO_ERROR_RANGE, "program %s: buffer %s: %zu elements of %s from byte %zu of a buffer of %zu bytes", name,
                       declared->name, b->length, moho_type_words[declared->type], b->offset, bytes);
    for (size_t k = 0; k < i; k++)
      if (overlap(program, launch->buffers, i, k) && ((declared->access | program->buffers[k].access) & MOHO_PROGRAM_OUT))
        return moho_fail_at((moho_place){0}, "declare one buffer inout instead", MOHO_ERROR_ARGUMENT,
                            "program %s: buffers %s and %s are the same memory, and it is written", name,
                            program->buffers[k].name, declared->name);
  }
  return MOHO_OK;
}

/* What suits most: 256 lanes in x, as many as make it no larger than the device can have. */
static void choose_lanes(const moho_program_executable *executable, const uint32_t asked[3], uint32_t lanes[3]) {
  memcpy(lanes, asked, 3 * sizeof *lanes);
  if (asked[0] || asked[1] || asked[2]) return;
  uint32_t most = executable->report.has_native ? MOHO_GPU_FEW_LANES : (uint32_t)executable->report.max_lanes;
  lanes[0] = most < MOHO_GPU_FEW_LANES ? most : MOHO_GPU_FEW_LANES;
}

static moho_status fill_launch(moho_program_run *run, const moho_program_launch_options *launch) {
  const moho_program *program = run->executable->program;
  moho_block_launch *block = &run->block;
  uint32_t lanes[3];
  if (launch->n_scalars != program->n_scalars || (launch->n_scalars && !launch->scalars))
    return moho_fail(MOHO_ERROR_ARGUMENT, "program %s: got %zu scalars at %s, it has %zu", program->functions[0].name,
                     launch->n_scalars, launch->scalars ? "an address" : "NULL", program->n_scalars);
  MOHO_TRY(check_buffers(program, launch));
  choose_lanes(run->executable, launch->lanes, lanes);
  block->program = program;
  block->loops = moho_block_loops_of(moho_device_simd(run->executable->device));
  block->threads = moho_device_threads(run->executable->device);
  MOHO_TRY(moho_program_grid_of(program, launch->groups, lanes, MOHO_PROGRAM_GROUP_BYTES, &block->grid));
  for (size_t i = 0; i < program->n_buffers; i++) block->lengths[i] = launch->buffers[i].length;
  for (size_t i = 0; i < program->n_scalars; i++)
    MOHO_TRY(moho_program_scalar_bits(program, i, launch->scalars[i], &block->scalars[i]));
  return MOHO_OK;
}

static moho_status record(moho_program_run *run, const moho_program_launch_options *launch) {
  const moho_program_executable *executable = run->executable;
  moho_binding bindings[MOHO_PROGRAM_BUFFERS];
  for (size_t i = 0; i < launch->n_buffers; i++)
    bindings[i] = (moho_binding){launch->buffers[i].buffer, launch->buffers[i].offset};
  if (!executable->block_kernel) return moho_executable_record_gpu(run, bindings);
  block_parameters parameters = {run};
  return moho_queue_launch(run->queue, &(moho_launch){.kernel = executable->block_kernel,
                                                      .buffers = launch->n_buffers ? bindings : NULL,
                                                      .n_buffers = launch->n_buffers,
                                                      .parameters = &parameters,
                                                      .parameter_bytes = sizeof parameters,
                                                      .groups = {1, 1},
                                                      .lanes = 1});
}

static void free_run(moho_program_run *run) {
  moho_buffer_destroy(&run->faults);
  moho_executable_release(run->executable);
  free(run);
}

moho_status moho_program_launch(moho_program_executable *executable, moho_queue *queue, const moho_program_launch_options *launch,
                                moho_program_run **out) {
  if (!executable || !launch || !out)
    return moho_fail(MOHO_ERROR_ARGUMENT, "program: launch: got NULL for %s",
                     !executable ? "the executable"
                     : !launch   ? "the launch"
                                 : "the run");
  *out = NULL;
  moho_program_run *run;
  MOHO_TRY(moho_allocate(1, sizeof *run, "a program's run", &run));
  __atomic_add_fetch(&executable->users, 1, __ATOMIC_RELAXED);
  run->executable = executable;
  run->queue = queue;
  run->fault_key = MOHO_BLOCK_NO_FAULT;
  moho_status status = moho_queue_next_ticket(queue, &run->ticket);
  if (!status) status = fill_launch(run, launch);
  if (!status) status = record(run, launch);
  if (status) {
    moho_error error = moho_error_take();
    free_run(run);
    moho_error_set(&error);
    return status;
  }
  *out = run;
  return MOHO_OK;
}

/* ---- waiting ---- */

static void tell_fault(const moho_program *program, uint64_t key, moho_program_fault *fault) {
  *fault = (moho_program_fault){0};
  if (key == MOHO_BLOCK_NO_FAULT) return;
  const moho_code *code = &program->code[key & UINT32_MAX];
  *fault = (moho_program_fault){
      .happened = 1, .instruction = code->origin, .id = key >> 32, .kind = (moho_program_operation)code->in.op};
}

static moho_status outcome_of(moho_program_run *run, moho_program_fault *fault) {
  if (run->status) return moho_error_set(&run->error);
  uint64_t key = run->fault_key;
  if (run->faults) MOHO_TRY(moho_executable_read_faults(run, &key));
  if (fault) tell_fault(run->executable->program, key, fault);
  return MOHO_OK;
}

moho_status moho_program_wait(moho_program_run **pointer, double timeout_s, moho_program_fault *fault) {
  if (!pointer || !*pointer) return moho_fail(MOHO_ERROR_ARGUMENT, "program: no run to wait for, got NULL");
  moho_program_run *run = *pointer;
  moho_status status = moho_queue_wait(run->queue, run->ticket, timeout_s);
  if (status == MOHO_ERROR_TIMEOUT || status == MOHO_ERROR_ARGUMENT) return status; /* not done, not submitted */
  if (!status) status = outcome_of(run, fault);
  moho_error error = moho_error_take();
  *pointer = NULL;
  free_run(run);
  if (status) moho_error_set(&error);
  return status;
}
