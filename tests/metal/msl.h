/* msl.h - a text in the Metal shading language on the cpu: compiled by clang (msl_compile.c), run on fibers (msl_run.c). */
#ifndef MOHO_METAL_MSL_H
#define MOHO_METAL_MSL_H

#include "msl/msl_entry.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct msl_options {
  unsigned metal_version; /* __METAL_VERSION__: 300 */
  bool fast_math, fast_functions;
  bool watched; /* every load and store is looked at (msl_watch.c) */
} msl_options;

/* A compiled library; lives for ever (the same text gives the same one). */
typedef struct msl_library {
  char hash[65];
  const msl_kernel *kernels; /* ended by a NULL name */
  struct msl_library *next;
} msl_library;

/* NULL: *words holds the compiler's, to be freed. */
const msl_library *msl_compile(const char *text, const msl_options *options, char **words);

/* A text as the preprocessor left it: kernels found, attributes checked and blanked, entries for msl_run appended. NULL: *words.
 */
char *msl_rewrite(const char *preprocessed, char **words);

extern const msl_services msl_services_of_runner;

typedef struct msl_dispatch {
  const msl_kernel *kernel;
  void *buffers[MSL_ARGUMENTS];
  size_t buffer_bytes[MSL_ARGUMENTS]; /* from the pointer to the buffer's end */
  size_t group_bytes[MSL_ARGUMENTS];
  unsigned groups[3], lanes[3];
} msl_dispatch;

/* Runs it to its end; complains of divergent barriers and aborts. */
void msl_run(const msl_dispatch *dispatch);

#endif
