/* cuda_texts.h - what the tests of the CUDA backend share: the texts of kernels/, put together as the runtime does it. */
#ifndef MOHO_TEST_CUDA_TEXTS_H
#define MOHO_TEST_CUDA_TEXTS_H

#include "device/backend.h"

enum { TEST_SKIPPED = 77 }; /* ctest's SKIP_RETURN_CODE */

typedef struct kernel_text {
  const char *file; /* without folder and ending */
  const char *text;
} kernel_text;

/* All of kernels/, ended by a NULL file. Made by CMake. */
extern const kernel_text kernel_texts[];

/* The name of the next KERNEL(name, ... or KERNEL_GROUP(name, ... at the beginning of a line; 0: no more. *at is moved on. */
int kernel_name_next(const char **at, char name[64]);

/* A unit as the runtime hands it to a backend; fails the test where it cannot be made. */
moho_unit kernel_unit(const char *name, const moho_constant *constants, size_t n_constants, const char *text);
void kernel_unit_free(moho_unit *unit);

#endif
