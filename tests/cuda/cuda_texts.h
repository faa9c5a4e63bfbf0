/* cuda_texts.h - what the tests of the CUDA backend share: the texts of kernels/, put together as the runtime does it. */
#ifndef MOHO_TEST_CUDA_TEXTS_H
#define MOHO_TEST_CUDA_TEXTS_H

#include "device/backend.h"

enum { TEST_SKIPPED = 77 }; /* ctest's SKIP_RETURN_CODE */

typedef struct kernel_text {
  const char *name; /* of the file, and of its KERNEL function */
  const char *text;
} kernel_text;

/* All of kernels/, ended by a NULL name. Made by CMake. */
extern const kernel_text kernel_texts[];

/* `defines` ("#define X 1\n"), then `text` with kern.h in the place of its #include; malloc. */
char *kernel_text_whole(const char *defines, const char *text);
/* A unit of it, keyed by all three; text is malloc and the caller's. */
moho_unit kernel_unit(const char *name, const char *defines, const char *text);
void kernel_unit_free(moho_unit *unit);

#endif
