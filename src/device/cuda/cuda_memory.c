/* cuda_memory.c - memory of the device, pinned memory of the host, and the caller's memory pinned in place. */
#include <stdio.h>

#include "base/memory.h"
#include "device/cuda/cuda_state.h"

/* moho_block.handle of host memory says how it is given back. */
static char pinned, wrapped;

size_t moho_cuda_free_bytes(moho_cuda_state *state) {
  size_t free_bytes = 0, total_bytes;
  if (!moho_cuda_enter_quietly(state)) return 0;
  if (state->cu->cuMemGetInfo_v2(&free_bytes, &total_bytes)) free_bytes = 0;
  moho_cuda_leave(state);
  return free_bytes;
}

static moho_status allocation_failure(moho_cuda_state *state, moho_cu_result result, size_t bytes, moho_memory memory) {
  char asked[32], there[32];
  const char *kind = memory == MOHO_MEMORY_DEVICE ? "device" : "pinned host";
  moho_bytes_text((double)bytes, asked);
  if (result != MOHO_CU_OUT_OF_MEMORY) return moho_cuda_fail(state, result, "allocating %s of %s memory", asked, kind);
  size_t free_bytes = memory == MOHO_MEMORY_DEVICE ? moho_cuda_free_bytes(state) : moho_machine_memory_free();
  return moho_fail_at((moho_place){0}, "use smaller pieces, or close what else uses this memory", MOHO_ERROR_MEMORY,
                      "cuda:%d: %s of %s memory could not be allocated, %s are free", state->ordinal, asked, kind,
                      moho_bytes_text((double)free_bytes, there));
}

/* Under unified addressing host memory has one address for both sides; the driver is asked all the same. */
static moho_cu_result allocate_host(moho_cuda_state *state, size_t bytes, moho_block *out) {
  moho_cu_pointer address;
  void *host;
  moho_cu_result result = state->cu->cuMemHostAlloc(&host, bytes, MOHO_CU_HOST_ALLOC_PORTABLE | MOHO_CU_HOST_ALLOC_MAPPED);
  if (result) return result;
  result = state->cu->cuMemHostGetDevicePointer_v2(&address, host, 0);
  if (result) state->cu->cuMemFreeHost(host);
  else *out = (moho_block){.address = address, .handle = &pinned, .host = host, .bytes = bytes};
  return result;
}

static moho_cu_result allocate_device(moho_cuda_state *state, size_t bytes, moho_block *out) {
  moho_cu_pointer address;
  moho_cu_result result = state->cu->cuMemAlloc_v2(&address, bytes);
  if (!result) *out = (moho_block){.address = address, .bytes = bytes};
  return result;
}

moho_status moho_cuda_allocate(void *state_pointer, size_t bytes, moho_memory memory, moho_block *out) {
  moho_cuda_state *state = state_pointer;
  *out = (moho_block){0};
  MOHO_TRY(moho_cuda_enter(state));
  moho_cu_result result = memory == MOHO_MEMORY_DEVICE ? allocate_device(state, bytes, out) : allocate_host(state, bytes, out);
  moho_cuda_leave(state);
  return result ? allocation_failure(state, result, bytes, memory) : MOHO_OK;
}

static moho_cu_result register_host(moho_cuda_state *state, void *host, size_t bytes, moho_block *out) {
  moho_cu_pointer address;
  moho_cu_result result =
      state->cu->cuMemHostRegister_v2(host, bytes, MOHO_CU_HOST_REGISTER_PORTABLE | MOHO_CU_HOST_REGISTER_MAPPED);
  if (result) return result;
  result = state->cu->cuMemHostGetDevicePointer_v2(&address, host, 0);
  if (result) state->cu->cuMemHostUnregister(host);
  else *out = (moho_block){.address = address, .handle = &wrapped, .host = host, .bytes = bytes};
  return result;
}

moho_status moho_cuda_wrap(void *state_pointer, void *host, size_t bytes, moho_block *out) {
  moho_cuda_state *state = state_pointer;
  char words[200], size[32];
  *out = (moho_block){0};
  MOHO_TRY(moho_cuda_enter(state));
  moho_cu_result result = register_host(state, host, bytes, out);
  moho_cuda_leave(state);
  if (!result) return MOHO_OK;
  moho_bytes_text((double)bytes, size);
  if (moho_cuda_is_fatal(result)) return moho_cuda_fail(state, result, "pinning %s of the caller's memory", size);
  const char *hint = "create a buffer and write to it instead";
  if (result == MOHO_CU_HOST_MEMORY_ALREADY_REGISTERED) hint = "destroy the other buffer first, or use that one";
  return moho_fail_at((moho_place){0}, hint, MOHO_ERROR_NOT_AVAILABLE,
                      "cuda:%d: %s of the caller's memory cannot be used without a copy: %s", state->ordinal, size,
                      moho_cuda_result_text(state->cu, result, words));
}

void moho_cuda_release(void *state_pointer, moho_block *block) {
  moho_cuda_state *state = state_pointer;
  if (moho_cuda_enter_quietly(state)) {
    if (block->handle == &pinned) state->cu->cuMemFreeHost(block->host);
    else if (block->handle == &wrapped) state->cu->cuMemHostUnregister(block->host);
    else if (block->address) state->cu->cuMemFree_v2(block->address);
    moho_cuda_leave(state);
  }
  *block = (moho_block){0};
}
