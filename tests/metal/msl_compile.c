/* msl_compile.c - a Metal text to a shared object that is loaded: clang preprocesses it, checks it with address spaces, then
 * makes code without them (so that every access can be watched).
 *
 * Objects are kept in a folder by the hash of text, options, library and compiler: a second run of the tests compiles nothing.
 * MOHO_METAL_DOUBLE_CACHE names the folder, MOHO_METAL_DOUBLE_CLANG the compiler.
 */
#include "double.h"
#include "msl.h"

#include "base/sha256.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pthread_mutex_t compile_lock = PTHREAD_MUTEX_INITIALIZER;
static msl_library *libraries;

enum { PATH = 1024 };

static const char *compiler(void) {
  return double_setting("MOHO_METAL_DOUBLE_CLANG", MSL_CLANG);
}
static const char *cache_folder(void) {
  return double_setting("MOHO_METAL_DOUBLE_CACHE", MSL_CACHE);
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  size_t n = 0, capacity = 1 << 16;
  char *text = malloc(capacity);
  while (text) {
    n += fread(text + n, 1, capacity - n - 1, file);
    if (n < capacity - 1) break;
    capacity *= 2;
    text = realloc(text, capacity);
  }
  fclose(file);
  if (!text) double_complain("out of memory");
  text[n] = 0;
  return text;
}

static void write_file(const char *path, const char *before, const char *text) {
  FILE *file = fopen(path, "wb");
  if (!file || fputs(before, file) < 0 || fputs(text, file) < 0 || fclose(file))
    double_complain("cannot write %s: %s", path, strerror(errno));
}

/* Runs it with stdout and stderr into files; true: it said all is well. */
static bool run(const char *const *command, const char *out, const char *errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out ? out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child;
  int failed = posix_spawnp(&child, command[0], &actions, NULL, (char *const *)(uintptr_t)command, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) double_complain("cannot run %s: %s (the double compiles kernels with it)", command[0], strerror(failed));
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) double_complain("lost the compiler: %s", strerror(errno));
  if (WIFSIGNALED(status)) double_complain("%s died of signal %d", command[0], WTERMSIG(status));
  return WEXITSTATUS(status) == 0;
}

/* ---- one compilation ---- */

typedef struct compile_job {
  char stem[PATH]; /* folder/hash.pid */
  char version[64], defines[3][64];
  const msl_options *options;
} compile_job;

static const char *path_of(const compile_job *job, const char *ending, char path[PATH]) {
  snprintf(path, PATH, "%.900s%s", job->stem, ending);
  return path;
}

static bool preprocess(const compile_job *job) {
  char in[PATH], out[PATH], errors[PATH];
  const char *const command[] = {compiler(),
                                 "-E",
                                 "-x",
                                 "c++",
                                 "-std=c++17",
                                 "-nostdinc",
                                 "-nostdinc++",
                                 "-isystem",
                                 MSL_INCLUDE,
                                 "-fno-color-diagnostics",
                                 "-D__METAL__=1",
                                 job->version,
                                 job->options->fast_functions ? "-DMSL_FAST_FUNCTIONS=1" : "-DMSL_PRECISE_FUNCTIONS=1",
                                 path_of(job, ".metal", in),
                                 NULL};
  return run(command, path_of(job, ".i", out), path_of(job, ".err", errors));
}

/* What both passes share. Warnings that are errors: what Metal refuses. */
#define COMMON                                                                                                      \
  compiler(), "-x", "c++", "-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-color-diagnostics", "-nostdinc",     \
      "-Wno-everything", "-Werror=double-promotion", "-Werror=vla", "-Werror=return-type", "-Werror=uninitialized", \
      "-fno-math-errno", "-ferror-limit=20", "-Dkernel=static", "-Dthread="

static bool check_spaces(const compile_job *job) {
  char in[PATH], errors[PATH];
  const char *const command[] = {COMMON,
                                 "-fsyntax-only",
                                 "-Ddevice=__attribute__((address_space(1)))",
                                 "-Dconstant=__attribute__((address_space(2)))",
                                 "-Dthreadgroup=__attribute__((address_space(3)))",
                                 path_of(job, ".cpp", in),
                                 NULL};
  return run(command, NULL, path_of(job, ".err", errors));
}

/* Watching: loads and stores go through functions of the object itself (metal_stdlib), made by the thread sanitizer's pass
 * without its runtime. AVX-512 is left out: clang 19 loses mask registers across calls that switch stacks. */
static bool make_object(const compile_job *job) {
  char in[PATH], out[PATH], errors[PATH];
  const char *command[64] = {COMMON,
                             "-O2",
                             "-g1",
                             "-fPIC",
                             "-shared",
                             "-nostdlib",
                             "-fwrapv",
                             "-Ddevice=",
                             "-fno-strict-aliasing",
                             "-Dconstant=",
                             "-Dthreadgroup=",
                             "-o",
                             path_of(job, ".so.new", out),
                             path_of(job, ".cpp", in)};
  size_t n = 0;
  while (command[n]) n++;
#ifdef __x86_64__
  command[n++] = "-march=x86-64-v3";
#endif
  command[n++] = job->options->fast_math ? "-ffast-math" : "-ffp-contract=off";
  if (job->options->watched) {
    static const char *const watching[] = {
        "-Xclang", "-fsanitize=thread",          "-mllvm",         "-tsan-instrument-func-entry-exit=0",
        "-mllvm",  "-tsan-instrument-atomics=0", "-fno-vectorize", "-fno-slp-vectorize"};
    for (size_t i = 0; i < sizeof watching / sizeof *watching; i++) command[n++] = watching[i];
  }
  return run(command, NULL, path_of(job, ".err", errors));
}

/* ---- the cache ---- */

static void hash_text(moho_sha256 *hash, const char *text) {
  moho_sha256_add(hash, text, strlen(text) + 1);
}

/* What a compiled object depends on. */
static void hash_of(const char *text, const msl_options *options, char hash[65]) {
  static const char *const ours[] = {MSL_INCLUDE "/metal_stdlib", MSL_INCLUDE "/msl_entry.h"};
  moho_sha256 sum = moho_sha256_begin();
  hash_text(&sum, MSL_SOURCES); /* fingerprint of this file and of msl_rewrite.c, from the build */
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
    char *words = read_file(ours[i]);
    if (!words) double_complain("cannot read %s: %s", ours[i], strerror(errno));
    hash_text(&sum, words);
    free(words);
  }
  hash_text(&sum, compiler());
  char settings[64];
  snprintf(settings, sizeof settings, "%u %d %d %d", options->metal_version, options->fast_math, options->fast_functions,
           options->watched);
  hash_text(&sum, settings);
  hash_text(&sum, text);
  uint8_t digest[32];
  moho_sha256_end(&sum, digest);
  moho_sha256_text(digest, hash);
}

static char *words_of(const compile_job *job) {
  char path[PATH];
  char *words = read_file(path_of(job, ".err", path));
  if (!words) double_complain("the compiler left no words in %s", path);
  return words;
}

static void remove_all(const compile_job *job) {
  static const char *const endings[] = {".metal", ".i", ".cpp", ".err", ".so.new"};
  char path[PATH];
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) unlink(path_of(job, endings[i], path));
}

/* The object's file is there afterwards, or *words says why not. */
static bool compile(const char *text, const msl_options *options, const char *object, const char *hash, char **words) {
  compile_job job = {.options = options};
  snprintf(job.stem, sizeof job.stem, "%.800s/%.16s.%ld", cache_folder(), hash, (long)getpid());
  snprintf(job.version, sizeof job.version, "-D__METAL_VERSION__=%u", options->metal_version);
  char path[PATH];
  write_file(path_of(&job, ".metal", path), "#line 1 \"program_source\"\n", text); /* as Metal calls it */
  bool good = preprocess(&job);
  if (good) {
    char *preprocessed = read_file(path_of(&job, ".i", path));
    char *rewritten = msl_rewrite(preprocessed, words);
    free(preprocessed);
    if (!rewritten) {
      remove_all(&job);
      return false;
    }
    write_file(path_of(&job, ".cpp", path), "", rewritten);
    free(rewritten);
    good = check_spaces(&job) && make_object(&job);
  }
  if (!good) *words = words_of(&job);
  else if (rename(path_of(&job, ".so.new", path), object)) double_complain("cannot write %s: %s", object, strerror(errno));
  remove_all(&job);
  return good;
}

static const msl_library *load(const char *object, const char *hash) {
  void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  if (!handle) double_complain("a compiled kernel does not load: %s", dlerror());
  const msl_kernel *kernels = dlsym(handle, "msl_kernels");
  const msl_services **services = dlsym(handle, "msl_runner");
  if (!kernels || !services) double_complain("%s has no kernels", object);
  *services = &msl_services_of_runner;
  msl_library *made = calloc(1, sizeof *made);
  if (!made) double_complain("out of memory");
  memcpy(made->hash, hash, sizeof made->hash);
  made->kernels = kernels;
  made->next = libraries;
  return libraries = made;
}

const msl_library *msl_compile(const char *text, const msl_options *options, char **words) {
  char hash[65], object[PATH];
  *words = NULL;
  pthread_mutex_lock(&compile_lock);
  hash_of(text, options, hash);
  const msl_library *found = libraries;
  while (found && strcmp(found->hash, hash)) found = found->next;
  if (!found) {
    if (mkdir(cache_folder(), 0700) && errno != EEXIST) double_complain("cannot make %s: %s", cache_folder(), strerror(errno));
    snprintf(object, sizeof object, "%.900s/%s.so", cache_folder(), hash);
    if (!access(object, R_OK) || compile(text, options, object, hash, words)) found = load(object, hash);
  }
  pthread_mutex_unlock(&compile_lock);
  return found;
}
