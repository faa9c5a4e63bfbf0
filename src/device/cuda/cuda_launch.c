/* cuda_launch.c - one launch handed to a stream. */
#include <stdalign.h>
#include <string.h>

#include "device/cuda/cuda_state.h"

enum { SLOTS = MOHO_LAUNCH_BUFFERS + 1 };

static moho_status check(moho_cuda_state *state, const moho_command *command, uint32_t groups_y) {
  const moho_cuda_kernel *kernel = command->pipeline->handle;
  int given = (int)command->n_buffers + (command->parameters != NULL);
  if (kernel->n_parameters >= 0 && given != kernel->n_parameters)
    return moho_fail(MOHO_ERROR_ARGUMENT, "cuda:%d: kernel %s takes %d parameters, the launch brings %u buffers%s",
                     state->ordinal, command->name, kernel->n_parameters, command->n_buffers,
                     command->parameters ? " and a struct" : "");
  if (kernel->n_parameters >= 0 && command->parameters && command->parameter_bytes != kernel->parameter_bytes)
    return moho_fail(MOHO_ERROR_ARGUMENT, "cuda:%d: kernel %s takes a struct of %zu bytes, the launch brings %u", state->ordinal,
                     command->name, kernel->parameter_bytes, command->parameter_bytes);
  if (groups_y > state->groups_y_limit)
    return moho_fail_at((moho_place){0}, "put the longer axis first", MOHO_ERROR_RANGE,
                        "cuda:%d: kernel %s: %u groups along the second axis, at most %u", state->ordinal, command->name,
                        groups_y, state->groups_y_limit);
  return MOHO_OK;
}

static moho_status launch_failure(moho_cuda_state *state, moho_cu_result result, const moho_command *command) {
  char words[200];
  if (result != MOHO_CU_INVALID_VALUE && result != MOHO_CU_LAUNCH_OUT_OF_RESOURCES)
    return moho_cuda_fail(state, result, "launching kernel %s", command->name);
  return moho_fail_at((moho_place){0}, "fewer lanes or less group memory; moho_kernel_describe() tells the limits",
                      MOHO_ERROR_RANGE,
                      "cuda:%d: kernel %s: %u x %u groups of %u lanes with %u bytes of group memory cannot be launched "
                      "(at most %d lanes of %d registers, %zu bytes): %s",
                      state->ordinal, command->name, command->groups[0], command->groups[1], command->lanes,
                      command->group_memory, command->pipeline->max_lanes, command->pipeline->registers,
                      state->group_memory_limit, moho_cuda_result_text(state->cu, result, words));
}

/* The driver copies as many bytes of each parameter as the kernel has, whatever was brought: so every slot leads somewhere, and
 * the struct lies in a place of full size. Both are copied before cuLaunchKernel returns. */
moho_status moho_cuda_launch(moho_cuda_state *state, moho_cu_stream stream, const moho_command *command) {
  const moho_cuda_kernel *kernel = command->pipeline->handle;
  alignas(16) unsigned char parameters[MOHO_LAUNCH_PARAMETER_BYTES];
  moho_cu_pointer addresses[MOHO_LAUNCH_BUFFERS];
  void *slots[SLOTS];
  if (kernel->call) return kernel->call(state, stream, command);
  uint32_t groups_y = command->groups[1] ? command->groups[1] : 1, n = command->n_buffers;
  if (n > MOHO_LAUNCH_BUFFERS || command->parameter_bytes > sizeof parameters)
    return moho_fail(MOHO_ERROR_ARGUMENT, "cuda:%d: kernel %s: %u buffers and %u bytes of parameters, at most %d and %d",
                     state->ordinal, command->name, n, command->parameter_bytes, MOHO_LAUNCH_BUFFERS,
                     MOHO_LAUNCH_PARAMETER_BYTES);
  MOHO_TRY(check(state, command, groups_y));
  if (command->parameters) memcpy(parameters, command->parameters, command->parameter_bytes);
  memset(parameters + command->parameter_bytes, 0, sizeof parameters - command->parameter_bytes);
  for (uint32_t i = 0; i < SLOTS; i++) slots[i] = parameters;
  for (uint32_t i = 0; i < n; i++) {
    addresses[i] = command->buffers[i].block->address + command->buffers[i].offset;
    slots[i] = &addresses[i];
  }
  moho_cu_result result = state->cu->cuLaunchKernel(kernel->function, command->groups[0], groups_y, 1, command->lanes, 1, 1,
                                                    command->group_memory, stream, slots, NULL);
  return result ? launch_failure(state, result, command) : MOHO_OK;
}
