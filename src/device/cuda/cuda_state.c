/* cuda_state.c - the context made current and put back; the driver's failures in Moho's words. */
#include "device/cuda/cuda_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int moho_cuda_enter_quietly(moho_cuda_state *state) {
  return state->cu->cuCtxPushCurrent_v2(state->context) == MOHO_CU_OK;
}

moho_status moho_cuda_enter(moho_cuda_state *state) {
  if (moho_cuda_is_lost(state)) return moho_cuda_lost(state, "the device is lost");
  moho_cu_result result = state->cu->cuCtxPushCurrent_v2(state->context);
  return result ? moho_cuda_fail(state, result, "making its context current") : MOHO_OK;
}

void moho_cuda_leave(moho_cuda_state *state) {
  moho_cu_context popped;
  state->cu->cuCtxPopCurrent_v2(&popped);
}

/* After these every call on the context returns the same error ("CUDA Driver API", CUresult: "this leaves the process in an
 * inconsistent state"), or there is no context any more. */
int moho_cuda_is_fatal(moho_cu_result result) {
  static const moho_cu_result fatal[] = {MOHO_CU_DEINITIALIZED,        MOHO_CU_DEVICE_UNAVAILABLE,
                                         MOHO_CU_INVALID_CONTEXT,      MOHO_CU_ECC_UNCORRECTABLE,
                                         MOHO_CU_NVLINK_UNCORRECTABLE, MOHO_CU_CONTAINED,
                                         MOHO_CU_ILLEGAL_ADDRESS,      MOHO_CU_LAUNCH_TIMEOUT,
                                         MOHO_CU_CONTEXT_IS_DESTROYED, MOHO_CU_ASSERT,
                                         MOHO_CU_HARDWARE_STACK_ERROR, MOHO_CU_ILLEGAL_INSTRUCTION,
                                         MOHO_CU_MISALIGNED_ADDRESS,   MOHO_CU_INVALID_ADDRESS_SPACE,
                                         MOHO_CU_INVALID_PC,           MOHO_CU_LAUNCH_FAILED,
                                         MOHO_CU_EXTERNAL_DEVICE,      MOHO_CU_UNKNOWN};
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
    if (fatal[i] == result) return 1;
  return 0;
}

int moho_cuda_is_lost(moho_cuda_state *state) {
  pthread_mutex_lock(&state->lock);
  int lost = state->lost;
  pthread_mutex_unlock(&state->lock);
  return lost;
}

int moho_cuda_take_blame(moho_cuda_state *state) {
  pthread_mutex_lock(&state->lock);
  int mine = !state->blamed;
  state->blamed = 1;
  pthread_mutex_unlock(&state->lock);
  return mine;
}

static void mark_lost(moho_cuda_state *state, const char *words) {
  pthread_mutex_lock(&state->lock);
  if (!state->lost) snprintf(state->lost_words, sizeof state->lost_words, "%s", words);
  state->lost = 1;
  pthread_mutex_unlock(&state->lock);
}

moho_status moho_cuda_lost(moho_cuda_state *state, const char *what) {
  return moho_fail_at((moho_place){0}, "the device is lost to this process: open devices in a new one", MOHO_ERROR_LOST,
                      "cuda:%d: %s: %s", state->ordinal, what, state->lost_words);
}

moho_status moho_cuda_fail(moho_cuda_state *state, moho_cu_result result, const char *format, ...) {
  char what[300], words[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  moho_cuda_result_text(state->cu, result, words);
  if (moho_cuda_is_fatal(result)) {
    mark_lost(state, words);
    return moho_cuda_lost(state, what);
  }
  return moho_fail(result == MOHO_CU_OUT_OF_MEMORY ? MOHO_ERROR_MEMORY : MOHO_ERROR_DEVICE, "cuda:%d: %s: %s", state->ordinal,
                   what, words);
}
