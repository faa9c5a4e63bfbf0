/* cuda_module.c - a kernel from its text: taken from the disk or compiled, then loaded into the context. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/check_mode.h"
#include "device/cuda/cuda_blas.h"
#include "device/cuda/cuda_disk_cache.h"
#include "device/library_call.h"

enum { PLAIN_GROUP_MEMORY = 48 << 10 }; /* a group that needs more has to ask ("CUDA C++ Programming Guide", shared memory) */

static moho_status image_failure(moho_cuda_state *state, moho_cu_result result, const char *name, const char *log) {
  if (result == MOHO_CU_UNSUPPORTED_PTX_VERSION)
    return moho_fail_at((moho_place){.key = "MOHO_NVRTC"}, "use an older NVRTC (MOHO_NVRTC) or a newer driver", MOHO_ERROR_DEVICE,
                        "cuda:%d: kernel %s: the driver (CUDA %d.%d) does not understand PTX of NVRTC %d.%d", state->ordinal,
                        name, state->cu->version / 1000, state->cu->version % 1000 / 10, state->nvrtc.major, state->nvrtc.minor);
  return moho_cuda_fail(state, result, "kernel %s: loading%s%.200s", name, log[0] ? ": " : "", log);
}

/* The module and its function. `*unusable` says that the image itself was refused. */
static moho_status load_image(moho_cuda_state *state, const char *name, const char *image, moho_cuda_kernel *out, int *unusable) {
  char log[1024] = "";
  unsigned int options[] = {MOHO_CU_JIT_LOG, MOHO_CU_JIT_LOG_BYTES};
  void *values[] = {log, (void *)(uintptr_t)sizeof log}; /* the size is passed as the pointer's value */
  moho_cu_result result = state->cu->cuModuleLoadDataEx(&out->module, image, 2, options, values);
  log[sizeof log - 1] = '\0';
  *unusable = result && !moho_cuda_is_fatal(result) && result != MOHO_CU_OUT_OF_MEMORY;
  if (result) return image_failure(state, result, name, log);
  result = state->cu->cuModuleGetFunction(&out->function, out->module, name);
  if (!result) return MOHO_OK;
  state->cu->cuModuleUnload(out->module);
  out->module = NULL;
  if (result == MOHO_CU_NOT_FOUND)
    return moho_fail_at((moho_place){0}, "the name is that of KERNEL(name, ...)", MOHO_ERROR_NOT_FOUND,
                        "cuda:%d: the text has no kernel %s", state->ordinal, name);
  return moho_cuda_fail(state, result, "kernel %s: finding it in its module", name);
}

/* From the disk, else compiled and stored there. */
static moho_status load_unit(moho_cuda_state *state, const moho_unit *unit, moho_cuda_kernel *out, const char **origin) {
  moho_cuda_image image;
  char key[65];
  int unusable;
  *origin = "disk";
  moho_cuda_compile_key(&state->nvrtc, state->target, unit, key);
  if (moho_disk_cache_load(key, &image.data, &image.bytes)) {
    moho_status status = load_image(state, unit->name, image.data, out, &unusable);
    free(image.data);
    if (!unusable) return status;
  }
  *origin = "compiled";
  MOHO_TRY(moho_cuda_compile(&state->nvrtc, state->target, unit, &image));
  moho_status status = load_image(state, unit->name, image.data, out, &unusable);
  if (!status) moho_disk_cache_store(key, image.data, image.bytes);
  free(image.data);
  return status;
}

static moho_status describe(moho_cuda_state *state, const char *name, moho_cuda_kernel *kernel, moho_pipeline *out) {
  const moho_cuda_driver *cu = state->cu;
  int lanes = 0, group_memory = 0, local_bytes = 0, registers = 0;
  moho_cu_result result = cu->cuFuncGetAttribute(&lanes, MOHO_CU_FUNCTION_LANES, kernel->function);
  if (!result) result = cu->cuFuncGetAttribute(&group_memory, MOHO_CU_FUNCTION_GROUP_MEMORY, kernel->function);
  if (!result) result = cu->cuFuncGetAttribute(&local_bytes, MOHO_CU_FUNCTION_LOCAL_BYTES, kernel->function);
  if (!result) result = cu->cuFuncGetAttribute(&registers, MOHO_CU_FUNCTION_REGISTERS, kernel->function);
  if (!result && state->group_memory_limit > PLAIN_GROUP_MEMORY)
    result = cu->cuFuncSetAttribute(kernel->function, MOHO_CU_FUNCTION_DYNAMIC_GROUP_MEMORY,
                                    (int)state->group_memory_limit - group_memory);
  if (result) return moho_cuda_fail(state, result, "kernel %s: asking for its limits", name);
  out->max_lanes = lanes, out->registers = registers, out->simd_width = 32;
  out->group_memory = (size_t)group_memory, out->spilled_bytes = (size_t)local_bytes;
  return MOHO_OK;
}

/* How many parameters there are and how large the last one, the PARAM struct, is: a launch that brings others is refused. The
 * text tells how many, so that the driver is not asked for one too many, an error to tools that watch its calls; only where a
 * macro makes the kernel it is. */
static void read_parameters(const moho_cuda_driver *cu, const moho_unit *unit, moho_cuda_kernel *kernel) {
  size_t offset, bytes;
  moho_signature signature;
  kernel->n_parameters = -1;
  if (!cu->cuFuncGetParamInfo) return;
  moho_signature_read(unit->text, unit->name, &signature);
  int most = signature.known ? (int)signature.n_buffers + signature.has_parameters : MOHO_LAUNCH_BUFFERS + 1, n = 0;
  while (n < most && !cu->cuFuncGetParamInfo(kernel->function, (size_t)n, &offset, &bytes)) {
    kernel->parameter_bytes = bytes;
    n++;
  }
  kernel->n_parameters = n;
}

static moho_status load(moho_cuda_state *state, const moho_unit *unit, moho_cuda_kernel *kernel, moho_pipeline *out) {
  const char *origin;
  MOHO_TRY(load_unit(state, unit, kernel, &origin));
  moho_status status = describe(state, unit->name, kernel, out);
  if (status) return state->cu->cuModuleUnload(kernel->module), status;
  read_parameters(state->cu, unit, kernel);
  snprintf(out->origin, sizeof out->origin, "%s", origin);
  return MOHO_OK;
}

moho_status moho_cuda_load(void *state_pointer, const moho_unit *unit, moho_pipeline *out) {
  moho_cuda_state *state = state_pointer;
  *out = (moho_pipeline){.definition = unit->definition};
  int is_library = !unit->text && !strcmp(unit->name, MOHO_LIBRARY_SGEMM);
  if (!unit->text && !is_library)
    return moho_fail_at((moho_place){0}, "give its text", MOHO_ERROR_NOT_FOUND, "cuda:%d: there is no text of kernel %s",
                        state->ordinal, unit->name);
  moho_cuda_kernel *kernel = calloc(1, sizeof *kernel);
  if (!kernel) return moho_fail(MOHO_ERROR_MEMORY, "kernel %s: out of memory", unit->name);
  moho_status status = is_library ? moho_cuda_blas_load(state, kernel, out) : moho_cuda_enter(state);
  if (!status && !is_library) {
    status = load(state, unit, kernel, out);
    moho_cuda_leave(state);
  }
  if (status) free(kernel);
  else out->handle = kernel;
  return status;
}

void moho_cuda_unload(void *state_pointer, moho_pipeline *pipeline) {
  moho_cuda_state *state = state_pointer;
  moho_cuda_kernel *kernel = pipeline->handle;
  if (kernel && !kernel->call && moho_cuda_enter_quietly(state)) {
    state->cu->cuModuleUnload(kernel->module);
    moho_cuda_leave(state);
  }
  free(kernel);
  *pipeline = (moho_pipeline){0};
}
