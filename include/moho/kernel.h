/* kernel.h - functions that run on a device, from one text in the dialect of kernels/kern.h.
 *
 * The text is compiled as MSL by Metal, as CUDA C++ by NVRTC, and at build time as C for the cpu; it is #include "kern.h" and
 * KERNEL(...) functions (docs/runtime.md "The dialect"). Compiled kernels are cached in the device (bounded) and, on cuda,
 * on disk ($XDG_CACHE_HOME/moho, MOHO_CACHE=off). Errors carry the compiler's words with line numbers of the caller's text.
 */
#ifndef MOHO_KERNEL_H
#define MOHO_KERNEL_H

#include "moho/device.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_kernel moho_kernel;

/* A #define put before the text. What was compiled in as C or natively cannot see it: give it such values in the PARAM struct. */
typedef struct moho_constant {
  const char *name;
  double value; /* written as an integer where is_float is 0, else as a float literal */
  int is_float;
} moho_constant;

typedef struct moho_kernel_options {
  const char *name;               /* of the KERNEL function */
  const char *text;               /* NULL: the embedded or registered text that has this name */
  const char *file;               /* names the text in error messages; may be NULL */
  const moho_constant *constants; /* [n_constants] */
  size_t n_constants;
} moho_kernel_options;

typedef struct moho_kernel_report {
  char name[64];
  int max_lanes; /* of a group of this kernel: launch bounds and the pipeline's own limit */
  int simd_width;
  size_t group_memory;    /* bytes used statically */
  int registers;          /* a lane; 0: not told */
  size_t spilled_bytes;   /* a lane; 0 also where not told */
  double compile_seconds; /* 0: came from a cache */
  char origin[16];        /* "compiled", "cache", "disk", "native", "c" */
} moho_kernel_report;

/** @return MOHO_OK; MOHO_ERROR_COMPILE (the compiler's words); MOHO_ERROR_NOT_FOUND (no such kernel in the text, or on the cpu
 *  none compiled in under this name: nearest name suggested). */
MOHO_API moho_status moho_kernel_create(moho_device *device, const moho_kernel_options *options, moho_kernel **out);
MOHO_API moho_status moho_kernel_destroy(moho_kernel **kernel);
MOHO_API moho_status moho_kernel_describe(const moho_kernel *kernel, moho_kernel_report *out);

/** Lanes of a group that suit this kernel on its device, for `items` pieces of work in 1D or items[0] x items[1] in 2D. */
MOHO_API moho_status moho_kernel_group_1d(const moho_kernel *kernel, size_t items, uint32_t *lanes, uint32_t *groups);
MOHO_API moho_status moho_kernel_group_2d(const moho_kernel *kernel, const size_t items[2], uint32_t lanes[2],
                                          uint32_t groups[2]);

/* ---- the cpu's side: what was compiled into the program ---- */

/* A lane of a group as the text compiled as C sees it (kern.h fills and reads it). */
typedef struct kern_lane kern_lane;
typedef void (*moho_c_function)(void *const *buffers, const void *parameters, kern_lane *lane);
/* All groups of a launch at once: buffers in the order of the text's indices, parameters as recorded. */
typedef void (*moho_native_launch)(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);

typedef struct moho_kernel_definition {
  const char *name;
  const char *text;          /* embedded; NULL: only the cpu has it */
  moho_c_function c;         /* the text compiled as C (KERN_C_FUNCTION(name)); NULL: none */
  int max_lanes;             /* KERN_MAX_LANES(name) */
  int uses_group;            /* 1: KERNEL_GROUP, or SIMD operations: lanes of a group take turns where they meet */
  moho_native_launch native; /* faster than `c`, or NULL */
} moho_kernel_definition;

/** Make a kernel known by name to all devices of this process; definition and strings must stay. @return MOHO_ERROR_EXISTS
 * (another definition has this name), MOHO_ERROR_NOT_FOUND (its text has no such kernel), MOHO_ERROR_ARGUMENT (no name; a
 * KERNEL_GROUP whose uses_group is 0). */
MOHO_API moho_status moho_kernel_register(const moho_kernel_definition *definition);

#ifdef __cplusplus
}
#endif
#endif
