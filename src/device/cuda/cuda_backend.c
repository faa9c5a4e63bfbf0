/* cuda_backend.c - NVIDIA GPUs through the driver API and NVRTC, both found at run time: devices counted, opened, described. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/cpu/cpu_features.h"
#include "device/cuda/cuda_blas.h"

enum { OLDEST_ARCHITECTURE = 70 }; /* __grid_constant__ parameters and independent lanes */

static size_t count(char *reason, size_t capacity) {
  const moho_cuda_driver *cu = moho_cuda_driver_get(reason, capacity);
  return cu ? (size_t)cu->devices : 0;
}

static moho_status not_available(const char *hint, int ordinal, const char *words) {
  return moho_fail_at((moho_place){.key = "device"}, hint, MOHO_ERROR_NOT_AVAILABLE, "cuda:%d: %s", ordinal, words);
}

static int attribute(const moho_cuda_state *state, unsigned int which) {
  int value = 0;
  return state->cu->cuDeviceGetAttribute(&value, which, state->device) ? 0 : value;
}

/* ---- the report ---- */

static void describe_device(const moho_cuda_state *state, int architecture, moho_device_report *report) {
  const moho_cuda_driver *cu = state->cu;
  if (cu->cuDeviceGetName(report->name, (int)sizeof report->name, state->device)) strcpy(report->name, "unnamed CUDA device");
  if (cu->cuDeviceTotalMem_v2(&report->memory_bytes, state->device)) report->memory_bytes = 0;
  snprintf(report->kind, sizeof report->kind, "cuda");
  snprintf(report->architecture, sizeof report->architecture, "sm_%d", architecture);
  snprintf(report->driver, sizeof report->driver, "CUDA %d.%d, NVRTC %d.%d", cu->version / 1000, cu->version % 1000 / 10,
           state->nvrtc.major, state->nvrtc.minor);
  report->unified_memory = attribute(state, MOHO_CU_ATTRIBUTE_INTEGRATED);
  report->zero_copy = attribute(state, MOHO_CU_ATTRIBUTE_HOST_REGISTER) != 0;
  report->simd_width = attribute(state, MOHO_CU_ATTRIBUTE_WARP);
  report->max_lanes = attribute(state, MOHO_CU_ATTRIBUTE_LANES);
  report->multiprocessors = attribute(state, MOHO_CU_ATTRIBUTE_MULTIPROCESSORS);
  report->has_bfloat = architecture >= 80;
}

static void describe(const moho_cuda_state *state, int architecture, moho_device_report *report) {
  describe_device(state, architecture, report);
  report->available = 1;
  report->launch_seconds = 1;
  report->threads = moho_cpu_count();
  report->has_double = report->has_half = report->has_int64 = 1;
  report->group_memory = state->group_memory_limit;
  report->wrap_alignment = (size_t)sysconf(_SC_PAGESIZE);
  /* The driver names no limit below the device's memory, and gives nothing beyond it. */
  report->working_set_bytes = report->largest_buffer = report->memory_bytes;
}

static void refresh(void *state_pointer, moho_device_report *report) {
  report->memory_free_bytes = moho_cuda_free_bytes(state_pointer);
}

/* ---- opening ---- */

static moho_status find_device(const moho_device_uri *uri, moho_cuda_state *state) {
  char reason[200], words[120];
  state->cu = moho_cuda_driver_get(reason, sizeof reason);
  state->ordinal = uri->ordinal < 0 ? 0 : uri->ordinal;
  if (!state->cu) return not_available("`moho devices` lists what is there", state->ordinal, reason);
  if (state->ordinal >= state->cu->devices) {
    snprintf(words, sizeof words, "there %s %d CUDA device%s, counted from 0", state->cu->devices == 1 ? "is" : "are",
             state->cu->devices, state->cu->devices == 1 ? "" : "s");
    return not_available("`moho devices` lists what is there", state->ordinal, words);
  }
  moho_cu_result result = state->cu->cuDeviceGet(&state->device, state->ordinal);
  return result ? moho_cuda_fail(state, result, "finding the device") : MOHO_OK;
}

static moho_status check_device(moho_cuda_state *state, int architecture) {
  char words[120];
  if (architecture < OLDEST_ARCHITECTURE) {
    snprintf(words, sizeof words, "compute capability %d.%d is older than 7.0, which Moho needs", architecture / 10,
             architecture % 10);
    return not_available("use another device", state->ordinal, words);
  }
  if (attribute(state, MOHO_CU_ATTRIBUTE_WARP) != 32 || !attribute(state, MOHO_CU_ATTRIBUTE_UNIFIED_ADDRESSES))
    return not_available("use another device", state->ordinal, "it has not SIMD groups of 32 lanes and unified addresses");
  return MOHO_OK;
}

/* The kernel compiler's words under the device's name. */
static moho_status find_compiler(moho_cuda_state *state, int architecture) {
  if (moho_nvrtc_find(state->cu->version / 1000, architecture, &state->nvrtc)) {
    const moho_error error = *moho_last_error();
    return not_available(error.hint, state->ordinal, error.message);
  }
  moho_nvrtc_target(&state->nvrtc, architecture, &state->target);
  return MOHO_OK;
}

/* Another process may hold the device alone, or its memory be used up; a context that a fault killed says so here. */
static moho_status take_context(moho_cuda_state *state) {
  size_t free_bytes, total_bytes;
  moho_cu_result result = state->cu->cuDevicePrimaryCtxRetain(&state->context, state->device);
  if (result) return moho_cuda_fail(state, result, "taking its primary context");
  moho_status status = moho_cuda_enter(state);
  if (!status) {
    result = state->cu->cuMemGetInfo_v2(&free_bytes, &total_bytes);
    moho_cuda_leave(state);
    if (result) status = moho_cuda_fail(state, result, "asking for its memory");
  }
  if (status) state->cu->cuDevicePrimaryCtxRelease_v2(state->device);
  return status;
}

static moho_status open_state(const moho_device_uri *uri, moho_cuda_state *state, moho_device_report *report) {
  MOHO_TRY(find_device(uri, state));
  int architecture = 10 * attribute(state, MOHO_CU_ATTRIBUTE_MAJOR) + attribute(state, MOHO_CU_ATTRIBUTE_MINOR);
  MOHO_TRY(check_device(state, architecture));
  MOHO_TRY(find_compiler(state, architecture));
  state->group_memory_limit = (size_t)attribute(state, MOHO_CU_ATTRIBUTE_GROUP_MEMORY_OPTIN);
  if (!state->group_memory_limit) state->group_memory_limit = (size_t)attribute(state, MOHO_CU_ATTRIBUTE_GROUP_MEMORY);
  state->groups_y_limit = (uint32_t)attribute(state, MOHO_CU_ATTRIBUTE_GROUPS_Y);
  MOHO_TRY(take_context(state));
  describe(state, architecture, report);
  refresh(state, report);
  return MOHO_OK;
}

static moho_status open_device(const moho_device_uri *uri, void **out, moho_device_report *report) {
  *out = NULL;
  moho_cuda_state *state = calloc(1, sizeof *state);
  if (!state) return moho_fail(MOHO_ERROR_MEMORY, "cuda: out of memory");
  pthread_mutex_init(&state->lock, NULL);
  pthread_mutex_init(&state->blas_lock, NULL);
  moho_status status = open_state(uri, state, report);
  if (status) {
    pthread_mutex_destroy(&state->lock);
    pthread_mutex_destroy(&state->blas_lock);
    free(state);
    return status;
  }
  *out = state;
  return MOHO_OK;
}

static void close_device(void *state_pointer) {
  moho_cuda_state *state = state_pointer;
  moho_cuda_queues_close(state);
  if (state->blas && moho_cuda_enter_quietly(state)) {
    moho_cuda_blas_close(state);
    moho_cuda_leave(state);
  }
  free(state->blas);
  state->cu->cuDevicePrimaryCtxRelease_v2(state->device);
  pthread_mutex_destroy(&state->lock);
  pthread_mutex_destroy(&state->blas_lock);
  free(state);
}

const moho_backend moho_backend_cuda = {.name = "cuda",
                                        .count = count,
                                        .open = open_device,
                                        .close = close_device,
                                        .refresh = refresh,
                                        .library = moho_cuda_library,
                                        .allocate = moho_cuda_allocate,
                                        .wrap = moho_cuda_wrap,
                                        .wrap_device = moho_cuda_wrap_device,
                                        .release = moho_cuda_release,
                                        .compile = moho_cuda_load,
                                        .release_pipeline = moho_cuda_unload,
                                        .queue_create = moho_cuda_queue_create,
                                        .queue_destroy = moho_cuda_queue_destroy,
                                        .submit = moho_cuda_submit,
                                        .wait = moho_cuda_wait,
                                        .collect = moho_cuda_collect};
