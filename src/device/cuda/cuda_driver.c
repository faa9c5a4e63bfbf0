/* cuda_driver.c - libcuda found, its functions looked up, initialised; or the reason why not, in words. */
#include "device/cuda/cuda_driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OLDEST_VERSION = 11040 }; /* the first driver for NVRTC 11.4, which makes cubins for others of its major */

static struct {
  pthread_once_t once;
  moho_cuda_driver driver;
  int usable;
  pid_t process;
  char reason[200];
} the = {.once = PTHREAD_ONCE_INIT};

static const char *library_name(void) {
  const char *named = getenv("MOHO_CUDA_LIBRARY");
  return named && *named ? named : "libcuda.so.1";
}

static void *open_library(void) {
  void *library = dlopen(library_name(), RTLD_NOW | RTLD_LOCAL);
  if (library) return library;
  const char *words = dlerror();
  if (!words || strstr(words, "o such file")) snprintf(the.reason, sizeof the.reason, "%s not found", library_name());
  else snprintf(the.reason, sizeof the.reason, "%s does not load: %s", library_name(), words);
  return NULL;
}

/* The name of the first symbol that the library lacks, or NULL. */
static const char *look_up(void *library) {
  moho_cuda_driver *cu = &the.driver;
  const char *missing = NULL;
#define LOOK_UP(name, parameters) *(void **)&cu->name = dlsym(library, #name);
#define REQUIRE(name, parameters) \
  if (!cu->name && !missing) missing = #name;
  MOHO_CUDA_DRIVER_TABLE(LOOK_UP)
  MOHO_CUDA_DRIVER_OPTIONAL_TABLE(LOOK_UP)
  MOHO_CUDA_DRIVER_TABLE(REQUIRE)
#undef LOOK_UP
#undef REQUIRE
  return missing;
}

static int says_no_device(moho_cu_result result) {
  if (result == MOHO_CU_NO_DEVICE) snprintf(the.reason, sizeof the.reason, "no CUDA device (CUDA_VISIBLE_DEVICES hides some)");
  return result == MOHO_CU_NO_DEVICE;
}

static int start(void) {
  moho_cuda_driver *cu = &the.driver;
  char words[200];
  moho_cu_result result = cu->cuInit(0);
  if (says_no_device(result)) return 0;
  if (!result) result = cu->cuDriverGetVersion(&cu->version);
  if (!result && cu->version < OLDEST_VERSION) {
    snprintf(the.reason, sizeof the.reason, "the NVIDIA driver's CUDA version %d.%d is older than %d.%d, which Moho needs",
             cu->version / 1000, cu->version % 1000 / 10, OLDEST_VERSION / 1000, OLDEST_VERSION % 1000 / 10);
    return 0;
  }
  if (!result) result = cu->cuDeviceGetCount(&cu->devices);
  if (!result && cu->devices == 0) result = MOHO_CU_NO_DEVICE;
  if (says_no_device(result)) return 0;
  if (result)
    snprintf(the.reason, sizeof the.reason, "the NVIDIA driver does not start: %.150s", moho_cuda_result_text(cu, result, words));
  return !result;
}

static void load(void) {
  the.process = getpid();
  void *library = open_library();
  if (!library) return;
  const char *missing = look_up(library);
  if (missing)
    snprintf(the.reason, sizeof the.reason, "%s lacks %s: the NVIDIA driver is older than CUDA %d.%d, which Moho needs",
             library_name(), missing, OLDEST_VERSION / 1000, OLDEST_VERSION % 1000 / 10);
  else the.usable = start();
}

const moho_cuda_driver *moho_cuda_driver_get(char *reason, size_t capacity) {
  pthread_once(&the.once, load);
  if (the.usable && the.process == getpid()) return &the.driver;
  /* The driver keeps threads and mappings that a forked child has not. */
  const char *words = the.usable ? "CUDA was started before this process was forked: fork first, then open devices" : the.reason;
  snprintf(reason, capacity, "%s", words);
  return NULL;
}

const char *moho_cuda_result_text(const moho_cuda_driver *cu, moho_cu_result result, char buffer[200]) {
  const char *name = NULL, *text = NULL;
  cu->cuGetErrorName(result, &name);
  cu->cuGetErrorString(result, &text);
  if (name && text) snprintf(buffer, 200, "%s: %s", name, text);
  else snprintf(buffer, 200, "CUDA error %u", result);
  return buffer;
}
