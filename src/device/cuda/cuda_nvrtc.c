/* cuda_nvrtc.c - where NVRTC may be, newest first; its built-in functions loaded from beside it. */
#include "device/cuda/cuda_nvrtc.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OLDEST_MAJOR = 11, OLDEST_VERSION = 1107 }; /* __grid_constant__ came with 11.7 */

typedef struct search {
  int newest_major, architecture;
  moho_nvrtc *out;
  char refused[200]; /* why the last library that was found would not do; "" none was found */
} search;

static void refuse(search *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void refuse(search *s, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(s->refused, sizeof s->refused, format, arguments);
  va_end(arguments);
}

/* ---- one library ---- */

static int look_up(moho_nvrtc *nvrtc) {
  int found = 1;
#define LOOK_UP(name, parameters) found &= (*(void **)&nvrtc->name = dlsym(nvrtc->library, #name)) != NULL;
  MOHO_NVRTC_TABLE(LOOK_UP)
#undef LOOK_UP
  *(void **)&nvrtc->nvrtcGetErrorString = dlsym(nvrtc->library, "nvrtcGetErrorString");
  return found && nvrtc->nvrtcGetErrorString;
}

/* NVRTC opens libnvrtc-builtins.so.<major>.<minor> by its plain name when it first compiles, which fails (error 7) where its
 * folder is not on the loader's path. A library of that name that is loaded already is taken: so it is loaded now, by its path.
 * It stays: NVRTC may come back to it as long as the process lives. */
static void load_builtins(const moho_nvrtc *nvrtc) {
  char folder[512], name[64], path[1100];
  snprintf(folder, sizeof folder, "%s", nvrtc->path);
  char *slash = strrchr(folder, '/');
  if (!slash) return;
  *slash = '\0';
  snprintf(name, sizeof name, "libnvrtc-builtins.so.%d.%d", nvrtc->major, nvrtc->minor);
  DIR *entries = opendir(folder);
  if (!entries) return;
  for (struct dirent *entry; (entry = readdir(entries));) {
    size_t n = strlen(name);
    if (strncmp(entry->d_name, name, n) || (entry->d_name[n] && entry->d_name[n] != '.')) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (dlopen(path, RTLD_NOW | RTLD_LOCAL)) break;
  }
  closedir(entries);
}

static void find_path(moho_nvrtc *nvrtc, const char *name) {
  Dl_info info;
  int known = dladdr(*(void **)&nvrtc->nvrtcVersion, &info) && info.dli_fname && strchr(info.dli_fname, '/');
  snprintf(nvrtc->path, sizeof nvrtc->path, "%s", known ? info.dli_fname : name);
}

static int read_architectures(moho_nvrtc *nvrtc) {
  int count = 0;
  if (nvrtc->nvrtcGetNumSupportedArchs(&count) || count < 1 || count > MOHO_NVRTC_ARCHITECTURES) return 0;
  nvrtc->n_architectures = count;
  return nvrtc->nvrtcGetSupportedArchs(nvrtc->architectures) == MOHO_NVRTC_OK;
}

int moho_nvrtc_target(const moho_nvrtc *nvrtc, int architecture, moho_cuda_target *out) {
  int nearest = 0;
  for (int i = 0; i < nvrtc->n_architectures; i++)
    if (nvrtc->architectures[i] <= architecture && nvrtc->architectures[i] > nearest) nearest = nvrtc->architectures[i];
  *out = (moho_cuda_target){.number = nearest, .is_cubin = nearest == architecture};
  return nearest > 0;
}

static int accept(search *s, moho_nvrtc *nvrtc) {
  moho_cuda_target target;
  if (nvrtc->nvrtcVersion(&nvrtc->major, &nvrtc->minor) || !read_architectures(nvrtc))
    return refuse(s, "%.150s does not tell its version", nvrtc->path), 0;
  if (nvrtc->major > s->newest_major)
    return refuse(s, "NVRTC %d.%d is newer than the driver, which is of CUDA %d", nvrtc->major, nvrtc->minor, s->newest_major), 0;
  if (nvrtc->major * 100 + nvrtc->minor < OLDEST_VERSION)
    return refuse(s, "NVRTC %d.%d is older than 11.7, which Moho needs", nvrtc->major, nvrtc->minor), 0;
  if (!moho_nvrtc_target(nvrtc, s->architecture, &target))
    return refuse(s, "NVRTC %d.%d no longer compiles for sm_%d", nvrtc->major, nvrtc->minor, s->architecture), 0;
  return 1;
}

/* 1: this one it is. */
static int try_library(search *s, const char *name) {
  moho_nvrtc nvrtc = {.library = dlopen(name, RTLD_NOW | RTLD_LOCAL)};
  if (!nvrtc.library) {
    const char *words = dlerror();
    struct stat there;
    if (strchr(name, '/') && stat(name, &there) == 0) refuse(s, "it does not load: %.170s", words ? words : name);
    return 0;
  }
  int good = look_up(&nvrtc);
  if (good) {
    find_path(&nvrtc, name);
    good = accept(s, &nvrtc);
  } else {
    refuse(s, "%.150s lacks functions of NVRTC", name);
  }
  if (!good) return dlclose(nvrtc.library), 0;
  load_builtins(&nvrtc);
  *s->out = nvrtc;
  return 1;
}

/* ---- where ---- */

/* CUDA 11's libraries are all called 11.2, those after it by their major. */
static const char *library_of(int major, char name[32]) {
  if (major == 11) snprintf(name, 32, "libnvrtc.so.11.2");
  else snprintf(name, 32, "libnvrtc.so.%d", major);
  return name;
}

static int try_folder(search *s, const char *folder, int major) {
  char path[1100], name[32];
  if (snprintf(path, sizeof path, "%s/%s", folder, library_of(major, name)) >= (int)sizeof path) return 0;
  return try_library(s, path);
}

/* A toolkit, a folder of libraries, or Python's site-packages with NVIDIA's packages in it. */
static int try_tree(search *s, const char *root, int major) {
  static const char *const below[] = {"", "/lib64", "/lib", "/nvidia/cu%d/lib", "/nvidia/cuda_nvrtc/lib"};
  for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
    char folder[1024], tail[64];
    if (strstr(below[i], "%d")) snprintf(tail, sizeof tail, "/nvidia/cu%d/lib", major);
    else snprintf(tail, sizeof tail, "%s", below[i]);
    if (snprintf(folder, sizeof folder, "%s%s", root, tail) >= (int)sizeof folder) continue;
    if (try_folder(s, folder, major)) return 1;
  }
  return 0;
}

static int try_named(search *s, const char *named) {
  struct stat there;
  if (stat(named, &there)) return refuse(s, "there is no such file"), 0;
  if (!S_ISDIR(there.st_mode)) return try_library(s, named);
  for (int major = s->newest_major; major >= OLDEST_MAJOR; major--)
    if (try_tree(s, named, major)) return 1;
  return 0;
}

static int try_known_places(search *s) {
  const char *const roots[] = {getenv("CUDA_HOME"), getenv("CUDA_PATH"), "/usr/local/cuda"};
  for (int major = s->newest_major; major >= OLDEST_MAJOR; major--) {
    char name[32], root[64];
    if (try_library(s, library_of(major, name))) return 1;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
      if (roots[i] && *roots[i] && try_tree(s, roots[i], major)) return 1;
    snprintf(root, sizeof root, "/usr/local/cuda-%d", major);
    if (try_tree(s, root, major)) return 1;
  }
  return 0;
}

moho_status moho_nvrtc_find(int newest_major, int architecture, moho_nvrtc *out) {
  search s = {.newest_major = newest_major, .architecture = architecture, .out = out};
  *out = (moho_nvrtc){0};
  const char *named = getenv("MOHO_NVRTC");
  const char *hint = "install the CUDA toolkit or `pip install nvidia-cuda-nvrtc`, or let MOHO_NVRTC name the library's folder";
  if (named && *named) {
    if (try_named(&s, named)) return MOHO_OK;
    return moho_fail_at((moho_place){.key = "MOHO_NVRTC"}, "name libnvrtc.so, its folder, or a folder of Python packages",
                        MOHO_ERROR_NOT_AVAILABLE, "MOHO_NVRTC=%.200s holds no NVRTC for CUDA %d or older: %s", named,
                        newest_major, s.refused[0] ? s.refused : "no libnvrtc.so there");
  }
  if (try_known_places(&s)) return MOHO_OK;
  return moho_fail_at((moho_place){0}, hint, MOHO_ERROR_NOT_AVAILABLE, "no NVRTC: libnvrtc.so.%d or older not found%s%s",
                      newest_major, s.refused[0] ? "; " : "", s.refused);
}
