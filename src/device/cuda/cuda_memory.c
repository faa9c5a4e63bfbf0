/* cuda_memory.c - memory of the device, pinned memory of the host, and the caller's memory pinned in place. */
#include <stdio.h>

#include "base/memory.h"
#include "device/cuda/cuda_state.h"

/* moho_block.handle says how memory is given back that is not plain memory of the device. */
static char pinned, wrapped, foreign;

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

/* The address belongs to this device: a wrong one would fail in a kernel, and the process' context with it. */
static moho_status check_address(moho_cuda_state *state, uint64_t address) {
  unsigned int memory_type = 0;
  int ordinal = -1;
  moho_cu_result result = state->cu->cuPointerGetAttribute(&memory_type, MOHO_CU_POINTER_MEMORY_TYPE, address);
  if (!result) result = state->cu->cuPointerGetAttribute(&ordinal, MOHO_CU_POINTER_ORDINAL, address);
  if (!result && memory_type == MOHO_CU_MEMORY_DEVICE && ordinal == state->ordinal) return MOHO_OK;
  if (result && result != MOHO_CU_INVALID_VALUE) return moho_cuda_fail(state, result, "asking whose memory an address is");
  const char *of = result ? "no memory of CUDA" : memory_type == MOHO_CU_MEMORY_DEVICE ? "memory of cuda:" : "memory of the host";
  char number[16] = "";
  if (!result && memory_type == MOHO_CU_MEMORY_DEVICE) snprintf(number, sizeof number, "%d", ordinal);
  return moho_fail_at((moho_place){0}, "copy it to this device first", MOHO_ERROR_ARGUMENT,
                      "cuda:%d: address 0x%llx is %s%s, expected memory of this device", state->ordinal,
                      (unsigned long long)address, of, number);
}

/* Streams of Moho do not wait for the default one by themselves: here the host does. */
moho_status moho_cuda_wrap_device(void *state_pointer, uint64_t address, size_t bytes, moho_block *out) {
  static const uintptr_t legacy_stream = 1; /* CU_STREAM_LEGACY */
  moho_cuda_state *state = state_pointer;
  *out = (moho_block){0};
  MOHO_TRY(moho_cuda_enter(state));
  moho_status status = check_address(state, address);
  moho_cu_result result = status ? MOHO_CU_OK : state->cu->cuStreamSynchronize((moho_cu_stream)legacy_stream);
  if (result) status = moho_cuda_fail(state, result, "waiting for the default stream");
  moho_cuda_leave(state);
  if (!status) *out = (moho_block){.address = address, .handle = &foreign, .bytes = bytes};
  return status;
}

void moho_cuda_release(void *state_pointer, moho_block *block) {
  moho_cuda_state *state = state_pointer;
  if (block->handle != &foreign && moho_cuda_enter_quietly(state)) {
    if (block->handle == &pinned) state->cu->cuMemFreeHost(block->host);
    else if (block->handle == &wrapped) state->cu->cuMemHostUnregister(block->host);
    else if (block->address) state->cu->cuMemFree_v2(block->address);
    moho_cuda_leave(state);
  }
  *block = (moho_block){0};
}
