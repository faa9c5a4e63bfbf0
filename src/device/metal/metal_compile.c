/* metal_compile.c - a kernel's text through Metal's own compiler to a pipeline.
 *
 * What a kernel computes must not hang on the system's version: language 3.0, no fast math, precise functions, and no
 * contraction of a*b+c. The compile options do not reach the last (math mode `safe` leaves contraction on: MSL specification
 * 1.6.3), so two pragmas before every text do; the second is the one that older compilers know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/metal/metal_device.h"

#define EXACT_ARITHMETIC "#pragma METAL fp contract(off)\n#pragma STDC FP_CONTRACT OFF\n"
#define NO_SIMD "#define KERN_NO_SIMD 1\n" /* GPUs before the family Apple6, and virtual ones */
#define LINE_ONE "#line 1\n"               /* what comes before does not shift the lines of the caller's text */

static metal_id make_options(void) {
  metal_id options = METAL(options_new, moho_metal.options_class);
  if (!options) return NULL;
  METAL(set_language, options, METAL_LANGUAGE_3_0);
  if (moho_metal.has_math_mode) {
    METAL(set_math_mode, options, METAL_MATH_SAFE);
    METAL(set_math_functions, options, METAL_MATH_PRECISE);
  } else {
    METAL(set_fast_math, options, false);
  }
  return options;
}

static moho_status whole_text(const metal_device *device, const char *text, char **out) {
  const char *simd = device->builtin.has_simd ? "" : NO_SIMD;
  size_t bytes = strlen(text) + strlen(simd) + sizeof EXACT_ARITHMETIC + sizeof LINE_ONE;
  MOHO_TRY(moho_allocate(bytes, 1, "kernel text", out));
  snprintf(*out, bytes, "%s%s%s%s", EXACT_ARITHMETIC, simd, LINE_ONE, text);
  return MOHO_OK;
}

/* A library may come with an NSError of warnings: only nil is a failure. */
moho_status moho_metal_compile_text(metal_device *device, const char *name, const char *text, metal_id *library) {
  char *whole;
  MOHO_TRY(whole_text(device, text, &whole));
  metal_id source = moho_metal_string(whole), options = make_options(), error = NULL;
  free(whole);
  if (!source || !options) {
    moho_metal_release(&options);
    return source ? moho_fail(MOHO_ERROR_DEVICE, "metal: kernel %s: no compile options", name)
                  : moho_fail(MOHO_ERROR_COMPILE, "metal: kernel %s: the text is not UTF-8", name);
  }
  *library = METAL(new_library, device->device, source, options, &error);
  moho_metal_release(&options);
  if (*library) {
    moho_status status = moho_metal_expect(METAL_OWNER_library, *library);
    if (status) moho_metal_release(library);
    return status;
  }
  metal_int code;
  char words[560];
  moho_metal_error_text(error, &code, words, sizeof words);
  return moho_fail(MOHO_ERROR_COMPILE, "metal: kernel %s: %s", name, words);
}

moho_status moho_metal_make_pipeline(metal_device *device, metal_id library, const char *name, metal_id *pipeline) {
  metal_id string = moho_metal_string(name), error = NULL;
  metal_id function = string ? METAL(new_function, library, string) : NULL;
  if (!function)
    return moho_fail_at((moho_place){0}, "give the name that stands in KERNEL(...)", MOHO_ERROR_NOT_FOUND,
                        "metal: the text has no kernel named %s", name);
  *pipeline = METAL(new_pipeline, device->device, function, &error);
  moho_metal_release(&function);
  if (*pipeline) {
    moho_status status = moho_metal_expect(METAL_OWNER_pipeline, *pipeline);
    if (status) moho_metal_release(pipeline);
    return status;
  }
  metal_int code;
  char words[500];
  moho_metal_error_text(error, &code, words, sizeof words);
  return moho_fail(MOHO_ERROR_COMPILE, "metal: kernel %s compiles, but makes no pipeline: %s", name, words);
}

static moho_status check_pipeline(metal_id pipeline, const moho_unit *unit) {
  metal_uint width = METAL(simd_width, pipeline);
  if (width != 32)
    return moho_fail(MOHO_ERROR_COMPILE, "metal: kernel %s: SIMD groups of %lu lanes here, Moho's kernels are written for 32",
                     unit->name, width);
  if (!METAL(max_lanes, pipeline))
    return moho_fail(MOHO_ERROR_COMPILE, "metal: kernel %s: the device can run no lane of it", unit->name);
  return MOHO_OK;
}

static moho_status compile(metal_device *device, const moho_unit *unit, moho_pipeline *out) {
  metal_id library = NULL, pipeline = NULL;
  MOHO_TRY(moho_metal_compile_text(device, unit->name, unit->text, &library));
  moho_status status = moho_metal_make_pipeline(device, library, unit->name, &pipeline);
  moho_metal_release(&library); /* the pipeline keeps what it needs */
  if (!status) status = check_pipeline(pipeline, unit);
  if (status) {
    moho_metal_release(&pipeline);
    return status;
  }
  *out = (moho_pipeline){.handle = pipeline,
                         .definition = unit->definition,
                         .max_lanes = (int)METAL(max_lanes, pipeline),
                         .simd_width = (int)METAL(simd_width, pipeline),
                         .group_memory = METAL(static_memory, pipeline),
                         .origin = "compiled"};
  return MOHO_OK;
}

moho_status moho_metal_compile(void *state, const moho_unit *unit, moho_pipeline *out) {
  metal_device *device = state;
  MOHO_TRY(moho_metal_check_lost(device));
  if (!unit->text)
    return moho_fail_at((moho_place){0}, "use device cpu", MOHO_ERROR_NOT_FOUND,
                        "metal: kernel %s has no text, it is made for the processor only", unit->name);
  void *pool = moho_metal_pool_push();
  moho_status status = compile(device, unit, out);
  moho_metal_pool_pop(pool);
  return status;
}

void moho_metal_free_pipeline(void *state, moho_pipeline *pipeline) {
  (void)state;
  void *pool = moho_metal_pool_push();
  metal_id handle = pipeline->handle;
  moho_metal_release(&handle);
  pipeline->handle = NULL;
  moho_metal_pool_pop(pool);
}
