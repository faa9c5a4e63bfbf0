/* blas.c - the system's matrix library, found at run time.
 *
 * OpenBLAS chooses its loops by the processor's model number: 0.3.21 knows no model newer than itself and takes such a processor
 * for a Haswell or even a Prescott, at half to an eighth of its speed. It reads OPENBLAS_CORETYPE when it is loaded, so that is
 * set to what the processor really has for as long as loading takes, unless the user has set it.
 */
#include "tensor/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/cpu/cpu_features.h"

static struct {
  pthread_once_t once;
  int usable;
  moho_blas blas;
  char why[240];
} the = {.once = PTHREAD_ONCE_INIT};

static const char *const candidates[] = {"libopenblas.so.0", "libopenblas.so",
                                         "/System/Library/Frameworks/Accelerate.framework/Accelerate", "libopenblas.0.dylib"};

static const char *core_type(void) {
  if (moho_cpu_has_simd(MOHO_SIMD_AVX512)) return "SkylakeX";
  return moho_cpu_has_simd(MOHO_SIMD_AVX2) ? "Haswell" : NULL;
}

static void *open_library(const char *name) {
  const char *core = getenv("OPENBLAS_CORETYPE") ? NULL : core_type();
  if (core) setenv("OPENBLAS_CORETYPE", core, 1);
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (core) unsetenv("OPENBLAS_CORETYPE");
  return library;
}

/* A library that somebody else has loaded keeps its threads as they are. */
static int is_loaded(const char *name) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (library) dlclose(library);
  return library != NULL;
}

static void describe(void *library, const char *name) {
  char *(*core)(void) = NULL, *(*config)(void) = NULL;
  *(void **)&core = dlsym(library, "openblas_get_corename");
  *(void **)&config = dlsym(library, "openblas_get_config");
  const char *slash = strrchr(name, '/');
  if (!core || !config) snprintf(the.blas.words, sizeof the.blas.words, "%s", slash ? slash + 1 : name);
  else snprintf(the.blas.words, sizeof the.blas.words, "%.*s (%s)", (int)strcspn(config() + 9, " ") + 9, config(), core());
}

static int take(const char *name) {
  int was_loaded = is_loaded(name);
  void *library = open_library(name);
  if (!library) return 0;
  *(void **)&the.blas.sgemm = dlsym(library, "cblas_sgemm");
  *(void **)&the.blas.sgemv = dlsym(library, "cblas_sgemv");
  if (!the.blas.sgemm || !the.blas.sgemv) {
    snprintf(the.why, sizeof the.why, "%.100s lacks cblas_sgemm or cblas_sgemv", name);
    dlclose(library);
    return 0;
  }
  void (*set_threads)(int) = NULL;
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  the.blas.has_own_threads = was_loaded || !set_threads;
  if (!the.blas.has_own_threads) set_threads(1);
  describe(library, name);
  return 1;
}

static void load(void) {
  const char *named = getenv("MOHO_BLAS");
  if (named && !strcmp(named, "none")) {
    snprintf(the.why, sizeof the.why, "MOHO_BLAS is none");
    return;
  }
  if (named && *named) {
    the.usable = take(named);
    if (!the.usable && !*the.why) snprintf(the.why, sizeof the.why, "MOHO_BLAS: %.200s does not load", named);
    return;
  }
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !the.usable; i++) the.usable = take(candidates[i]);
  if (!the.usable && !*the.why) snprintf(the.why, sizeof the.why, "neither OpenBLAS nor Accelerate is there");
}

const moho_blas *moho_blas_get(const char **why) {
  pthread_once(&the.once, load);
  if (why) *why = the.why;
  return the.usable ? &the.blas : NULL;
}
