/* cuda_compile.h - a kernel's text into what the driver loads. Needs NVRTC, no driver and no GPU. */
#ifndef MOHO_CUDA_COMPILE_H
#define MOHO_CUDA_COMPILE_H

#include "device/backend.h"
#include "device/cuda/cuda_nvrtc.h"

/* Machine code (cubin) or PTX text with its closing NUL. */
typedef struct moho_cuda_image {
  char *data; /* malloc */
  size_t bytes;
} moho_cuda_image;

/** @return MOHO_OK; MOHO_ERROR_COMPILE with the compiler's words, file and line; MOHO_ERROR_MEMORY. */
moho_status moho_cuda_compile(const moho_nvrtc *nvrtc, moho_cuda_target target, const moho_unit *unit, moho_cuda_image *out);

/* Hex SHA-256 of all that decides what moho_cuda_compile() makes: name, text, options, NVRTC's version, target. */
void moho_cuda_compile_key(const moho_nvrtc *nvrtc, moho_cuda_target target, const moho_unit *unit, char key[65]);

#endif
