/* cuda_blas.c - cuBLAS, found at run time: beside NVRTC, or where the loader looks; MOHO_CUBLAS names another, or "none".
 *
 * One handle a device. Its stream is set at each call, and its workspace is one block of ours: a call on another stream than the
 * last waits, on the device, for that one, so that no two calls share the workspace at once.
 */
#include "device/cuda/cuda_blas.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/library_call.h"

enum { WORKSPACE_BYTES = 32 << 20, OLDEST_MAJOR = 11 }; /* what NVIDIA recommends for Hopper */

typedef struct moho_cuda_blas {
#define MEMBER(name, parameters) moho_cublas_status(*name) parameters;
  MOHO_CUBLAS_TABLE(MEMBER)
#undef MEMBER
  const char *(*cublasGetStatusString)(moho_cublas_status status);
  void *library;
  moho_cublas handle;
  moho_cu_pointer workspace;
  moho_cu_event done; /* of the last call, on: */
  moho_cu_stream last;
  int is_usable;
  char words[64], why[200];
} moho_cuda_blas;

/* ---- finding it ---- */

static int look_up(moho_cuda_blas *blas) {
  int found = 1;
#define LOOK_UP(name, parameters) found &= (*(void **)&blas->name = dlsym(blas->library, #name)) != NULL;
  MOHO_CUBLAS_TABLE(LOOK_UP)
#undef LOOK_UP
  *(void **)&blas->cublasGetStatusString = dlsym(blas->library, "cublasGetStatusString");
  return found && blas->cublasGetStatusString;
}

static int open_library(moho_cuda_blas *blas, const char *name) {
  blas->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!blas->library) return 0;
  if (look_up(blas)) return 1;
  snprintf(blas->why, sizeof blas->why, "%.120s lacks functions of cuBLAS", name);
  dlclose(blas->library);
  blas->library = NULL;
  return 0;
}

/* Beside NVRTC (a toolkit), in Python's packages beside it, then where the loader looks. */
static int find(moho_cuda_blas *blas, const moho_nvrtc *nvrtc) {
  const char *named = getenv("MOHO_CUBLAS");
  if (named && !strcmp(named, "none")) return snprintf(blas->why, sizeof blas->why, "MOHO_CUBLAS is none"), 0;
  if (named && *named) {
    if (open_library(blas, named)) return 1;
    if (!*blas->why) snprintf(blas->why, sizeof blas->why, "MOHO_CUBLAS: %.150s does not load", named);
    return 0;
  }
  char folder[512], path[700];
  snprintf(folder, sizeof folder, "%s", nvrtc->path);
  char *slash = strrchr(folder, '/');
  if (slash) *slash = '\0';
  for (int major = nvrtc->major; major >= OLDEST_MAJOR; major--) {
    static const char *const beside[] = {"", "/../../cublas/lib"};
    for (size_t i = 0; slash && i < sizeof beside / sizeof *beside; i++) {
      snprintf(path, sizeof path, "%s%s/libcublas.so.%d", folder, beside[i], major);
      if (open_library(blas, path)) return 1;
    }
    snprintf(path, sizeof path, "libcublas.so.%d", major);
    if (open_library(blas, path)) return 1;
  }
  if (!*blas->why) snprintf(blas->why, sizeof blas->why, "libcublas.so.%d not found", nvrtc->major);
  return 0;
}

static int start(moho_cuda_state *state, moho_cuda_blas *blas) {
  int version = 0;
  moho_cublas_status status = blas->cublasCreate_v2(&blas->handle);
  if (!status) status = blas->cublasGetVersion_v2(blas->handle, &version);
  if (!status) status = blas->cublasSetMathMode(blas->handle, MOHO_CUBLAS_SUMS_STAY_F32);
  moho_cu_result result = status ? MOHO_CU_OK : state->cu->cuMemAlloc_v2(&blas->workspace, WORKSPACE_BYTES);
  if (!status && !result) result = state->cu->cuEventCreate(&blas->done, MOHO_CU_EVENT_UNTIMED);
  if (status) snprintf(blas->why, sizeof blas->why, "cuBLAS does not start: %.120s", blas->cublasGetStatusString(status));
  else if (result) snprintf(blas->why, sizeof blas->why, "cuBLAS does not start: no memory for its workspace");
  else if (version >= 100000) snprintf(blas->words, sizeof blas->words, "cuBLAS %d.%d", version / 10000, version % 10000 / 100);
  else snprintf(blas->words, sizeof blas->words, "cuBLAS %d", version); /* versions before 12 are written otherwise */
  return !status && !result;
}

/* Called with the state's lock held. */
static void open_blas(moho_cuda_state *state) {
  moho_cuda_blas *blas = calloc(1, sizeof *blas);
  state->blas = blas;
  if (!blas || !find(blas, &state->nvrtc)) return;
  if (!moho_cuda_enter_quietly(state)) {
    snprintf(blas->why, sizeof blas->why, "the device is lost");
    return;
  }
  blas->is_usable = start(state, blas);
  moho_cuda_leave(state);
}

static moho_cuda_blas *blas_of(moho_cuda_state *state) {
  pthread_mutex_lock(&state->blas_lock);
  if (!state->blas) open_blas(state);
  moho_cuda_blas *blas = state->blas;
  pthread_mutex_unlock(&state->blas_lock);
  return blas;
}

const char *moho_cuda_library(void *state, const char *name, const char **why) {
  *why = "there is no such library call";
  if (strcmp(name, MOHO_LIBRARY_SGEMM)) return NULL;
  const moho_cuda_blas *blas = blas_of(state);
  *why = blas ? blas->why : "out of memory";
  return blas && blas->is_usable ? blas->words : NULL;
}

void moho_cuda_blas_close(moho_cuda_state *state) {
  moho_cuda_blas *blas = state->blas;
  if (!blas) return;
  if (blas->done) state->cu->cuEventDestroy_v2(blas->done);
  if (blas->handle) blas->cublasDestroy_v2(blas->handle);
  if (blas->workspace) state->cu->cuMemFree_v2(blas->workspace);
  free(blas); /* the library stays: it may have threads and exit handlers */
  state->blas = NULL;
}

/* ---- a call ---- */

static void *address(const moho_command *command, int buffer, uint32_t first, uint32_t type) {
  size_t width = type == MOHO_LIBRARY_F32 ? 4 : 2;
  moho_cu_pointer at = command->buffers[buffer].block->address + command->buffers[buffer].offset + first * width;
  return (void *)(uintptr_t)at;
}

static moho_cublas_type type_of(uint32_t type) {
  return type == MOHO_LIBRARY_F32 ? MOHO_CUDA_F32 : type == MOHO_LIBRARY_F16 ? MOHO_CUDA_F16 : MOHO_CUDA_BF16;
}

/* Row-major C = A B is column-major C' = B' A', and a row-major matrix is its own transpose column-major. */
static moho_cublas_status multiply_f32(const moho_cuda_blas *blas, const moho_sgemm_call *p, const float *a, const float *b,
                                       float *c) {
  int m = (int)p->m, n = (int)p->n, k = (int)p->k, lda = (int)p->lda, ldb = (int)p->ldb, ldc = (int)p->ldc;
  if (p->batches == 1)
    return blas->cublasSgemm_v2(blas->handle, p->transpose_b, p->transpose_a, n, m, k, &p->alpha, b, ldb, a, lda, &p->beta, c,
                                ldc);
  return blas->cublasSgemmStridedBatched(blas->handle, p->transpose_b, p->transpose_a, n, m, k, &p->alpha, b, ldb, p->b_batch, a,
                                         lda, p->a_batch, &p->beta, c, ldc, p->c_batch, (int)p->batches);
}

/* Halves, by tensor cores. */
static moho_cublas_status multiply_halves(const moho_cuda_blas *blas, const moho_sgemm_call *p, const void *a, const void *b,
                                          void *c) {
  int m = (int)p->m, n = (int)p->n, k = (int)p->k, lda = (int)p->lda, ldb = (int)p->ldb, ldc = (int)p->ldc;
  moho_cublas_type type = type_of(p->type), type_c = type_of(p->type_c);
  if (p->batches == 1)
    return blas->cublasGemmEx(blas->handle, p->transpose_b, p->transpose_a, n, m, k, &p->alpha, b, type, ldb, a, type, lda,
                              &p->beta, c, type_c, ldc, MOHO_CUBLAS_IN_F32, MOHO_CUBLAS_ANY_ALGORITHM);
  return blas->cublasGemmStridedBatchedEx(blas->handle, p->transpose_b, p->transpose_a, n, m, k, &p->alpha, b, type, ldb,
                                          p->b_batch, a, type, lda, p->a_batch, &p->beta, c, type_c, ldc, p->c_batch,
                                          (int)p->batches, MOHO_CUBLAS_IN_F32, MOHO_CUBLAS_ANY_ALGORITHM);
}

static moho_cublas_status multiply(const moho_cuda_blas *blas, const moho_command *command) {
  const moho_sgemm_call *p = command->parameters;
  void *a = address(command, 0, p->a_first, p->type), *b = address(command, 1, p->b_first, p->type);
  void *c = address(command, 2, p->c_first, p->type_c);
  return p->type == MOHO_LIBRARY_F32 ? multiply_f32(blas, p, a, b, c) : multiply_halves(blas, p, a, b, c);
}

static moho_status call_locked(moho_cuda_state *state, moho_cuda_blas *blas, moho_cu_stream stream, const moho_command *command) {
  const moho_cuda_driver *cu = state->cu;
  moho_cu_result result = blas->last && blas->last != stream ? cu->cuStreamWaitEvent(stream, blas->done, 0) : MOHO_CU_OK;
  if (result) return moho_cuda_fail(state, result, "waiting for cuBLAS");
  moho_cublas_status status = blas->cublasSetStream_v2(blas->handle, stream);
  if (!status) status = blas->cublasSetWorkspace_v2(blas->handle, (void *)(uintptr_t)blas->workspace, WORKSPACE_BYTES);
  if (!status) status = multiply(blas, command);
  if (status) return moho_fail(MOHO_ERROR_DEVICE, "cuda:%d: cuBLAS: %s", state->ordinal, blas->cublasGetStatusString(status));
  result = cu->cuEventRecord(blas->done, stream);
  blas->last = stream;
  return result ? moho_cuda_fail(state, result, "recording an event after cuBLAS") : MOHO_OK;
}

static moho_status call(moho_cuda_state *state, moho_cu_stream stream, const moho_command *command) {
  moho_cuda_blas *blas = state->blas;
  if (command->n_buffers != 3 || command->parameter_bytes != sizeof(moho_sgemm_call))
    return moho_fail(MOHO_ERROR_ARGUMENT, "cuda:%d: %s: %u buffers and %u bytes of parameters, expected 3 and %zu",
                     state->ordinal, command->name, command->n_buffers, command->parameter_bytes, sizeof(moho_sgemm_call));
  pthread_mutex_lock(&state->blas_lock);
  moho_status status = call_locked(state, blas, stream, command);
  pthread_mutex_unlock(&state->blas_lock);
  return status;
}

moho_status moho_cuda_blas_load(moho_cuda_state *state, moho_cuda_kernel *kernel, moho_pipeline *out) {
  const char *why;
  if (!moho_cuda_library(state, MOHO_LIBRARY_SGEMM, &why))
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "cuda:%d: no cuBLAS: %s", state->ordinal, why);
  kernel->call = call;
  out->max_lanes = 1, out->simd_width = 32;
  snprintf(out->origin, sizeof out->origin, "library");
  return MOHO_OK;
}
