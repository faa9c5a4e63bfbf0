/* cuda_nvrtc.h - NVIDIA's run-time compiler, found at run time: the newest one that the driver can follow.
 *
 * Looked for: where MOHO_NVRTC says (the library, its folder, or a folder of Python packages), else on the loader's own path,
 * $CUDA_HOME, $CUDA_PATH and /usr/local/cuda. It stays loaded: it is large, and keeps state. (NVIDIA, "NVRTC", chapters "User
 * Interface" and "Versioning scheme".)
 */
#ifndef MOHO_CUDA_NVRTC_H
#define MOHO_CUDA_NVRTC_H

#include <stddef.h>

#include "base/fail.h"
#include "device/cuda/cuda_types.h"

#define MOHO_NVRTC_TABLE(X)                                                                               \
  X(nvrtcVersion, (int *major, int *minor))                                                               \
  X(nvrtcGetNumSupportedArchs, (int *count))                                                              \
  X(nvrtcGetSupportedArchs, (int *architectures))                                                         \
  X(nvrtcCreateProgram, (moho_nvrtc_program * program, const char *text, const char *name, int n_headers, \
                         const char *const *headers, const char *const *header_names))                    \
  X(nvrtcDestroyProgram, (moho_nvrtc_program * program))                                                  \
  X(nvrtcCompileProgram, (moho_nvrtc_program program, int n_options, const char *const *options))         \
  X(nvrtcGetPTXSize, (moho_nvrtc_program program, size_t * bytes))                                        \
  X(nvrtcGetPTX, (moho_nvrtc_program program, char *ptx))                                                 \
  X(nvrtcGetCUBINSize, (moho_nvrtc_program program, size_t * bytes))                                      \
  X(nvrtcGetCUBIN, (moho_nvrtc_program program, char *cubin))                                             \
  X(nvrtcGetProgramLogSize, (moho_nvrtc_program program, size_t * bytes))                                 \
  X(nvrtcGetProgramLog, (moho_nvrtc_program program, char *log))

enum { MOHO_NVRTC_ARCHITECTURES = 64 };

typedef struct moho_nvrtc {
#define MOHO_NVRTC_MEMBER(name, parameters) moho_nvrtc_result(*name) parameters;
  MOHO_NVRTC_TABLE(MOHO_NVRTC_MEMBER)
#undef MOHO_NVRTC_MEMBER
  const char *(*nvrtcGetErrorString)(moho_nvrtc_result result);
  void *library;
  char path[512]; /* of the library */
  int major, minor;
  int architectures[MOHO_NVRTC_ARCHITECTURES], n_architectures; /* 75, 80, 90 ... that it makes cubins for */
} moho_nvrtc;

/* What is to be compiled for a device. */
typedef struct moho_cuda_target {
  int number;   /* 90 */
  int is_cubin; /* 1: sm_90, machine code; 0: compute_90, PTX, which the driver translates */
} moho_cuda_target;

/* The newest NVRTC of a major <= `newest_major` that compiles for compute capability `architecture` (90).
 * @return MOHO_OK; MOHO_ERROR_NOT_AVAILABLE: none, with the reason in words. */
moho_status moho_nvrtc_find(int newest_major, int architecture, moho_nvrtc *out);

/* For compute capability 90: sm_90 where NVRTC knows it, else PTX of the nearest older one. 1 when there is one. */
int moho_nvrtc_target(const moho_nvrtc *nvrtc, int architecture, moho_cuda_target *out);

#endif
