/* cuda_compile.c - NVRTC asked: options, image, and its words when the text is wrong. */
#include "device/cuda/cuda_compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"

/* After --gpu-architecture. Defaults that the results rest on are said all the same; lines are for profilers and checkers and
 * change no code. */
static const char *const fixed_options[] = {"--std=c++17",      "--fmad=false",       "--ftz=false",         "--prec-div=true",
                                            "--prec-sqrt=true", "--disable-warnings", "--generate-line-info"};
enum { FIXED_OPTIONS = sizeof fixed_options / sizeof *fixed_options };

static void architecture_option(moho_cuda_target target, char option[48]) {
  snprintf(option, 48, "--gpu-architecture=%s_%d", target.is_cubin ? "sm" : "compute", target.number);
}

/* With its closing NUL, so that neighbours do not run together. */
static void add_text(moho_sha256 *hash, const char *text) {
  moho_sha256_add(hash, text, strlen(text) + 1);
}

void moho_cuda_compile_key(const moho_nvrtc *nvrtc, moho_cuda_target target, const moho_unit *unit, char key[65]) {
  char option[48], version[32];
  uint8_t digest[32];
  moho_sha256 hash = moho_sha256_begin();
  add_text(&hash, unit->name);
  add_text(&hash, unit->text);
  architecture_option(target, option);
  add_text(&hash, option);
  for (int i = 0; i < FIXED_OPTIONS; i++) add_text(&hash, fixed_options[i]);
  snprintf(version, sizeof version, "NVRTC %d.%d", nvrtc->major, nvrtc->minor);
  add_text(&hash, version);
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, key);
}

/* ---- the compiler's words ---- */

/* The log from its first error on, without the blanks at its end. */
static char *first_error(char *log) {
  char *error = strstr(log, "error");
  while (error && error > log && error[-1] != '\n') error--;
  if (!error) error = log;
  for (size_t n = strlen(error); n && strchr(" \n\t", error[n - 1]); n--) error[n - 1] = '\0';
  return error;
}

/* "kernels/x.k(12): error: ..." */
static moho_place place_of(const char *words, char file[300]) {
  moho_place place = {0};
  const char *bracket = strchr(words, '('), *newline = strchr(words, '\n');
  if (!bracket || (newline && newline < bracket) || bracket - words >= 300 || sscanf(bracket, "(%d):", &place.line) != 1)
    return (moho_place){0};
  memcpy(file, words, (size_t)(bracket - words));
  file[bracket - words] = '\0';
  place.file = file;
  return place;
}

static moho_status compile_failure(const moho_nvrtc *nvrtc, moho_nvrtc_program program, moho_nvrtc_result result,
                                   const moho_unit *unit) {
  size_t bytes = 0;
  char *log = nvrtc->nvrtcGetProgramLogSize(program, &bytes) ? NULL : calloc(1, bytes + 1);
  if (log && nvrtc->nvrtcGetProgramLog(program, log)) log[0] = '\0';
  const char *words = log && log[0] ? first_error(log) : "";
  char file[300];
  moho_status status;
  if (result == MOHO_NVRTC_COMPILATION)
    status = moho_fail_at(place_of(words, file), "the dialect is described in docs/runtime.md", MOHO_ERROR_COMPILE,
                          "kernel %s: NVRTC %d.%d says: %.500s", unit->name, nvrtc->major, nvrtc->minor, words);
  else
    status = moho_fail_at((moho_place){.file = nvrtc->path},
                          result == MOHO_NVRTC_BUILTIN_OPERATION ? "libnvrtc-builtins must lie beside libnvrtc" : NULL,
                          MOHO_ERROR_DEVICE, "kernel %s: NVRTC %d.%d failed: %s%s%.300s", unit->name, nvrtc->major, nvrtc->minor,
                          nvrtc->nvrtcGetErrorString(result), words[0] ? ": " : "", words);
  free(log);
  return status;
}

/* ---- compiling ---- */

static moho_status take_image(const moho_nvrtc *nvrtc, moho_cuda_target target, moho_nvrtc_program program, const char *name,
                              moho_cuda_image *out) {
  size_t bytes = 0;
  moho_nvrtc_result result =
      target.is_cubin ? nvrtc->nvrtcGetCUBINSize(program, &bytes) : nvrtc->nvrtcGetPTXSize(program, &bytes);
  if (result || !bytes)
    return moho_fail(MOHO_ERROR_DEVICE, "kernel %s: NVRTC gave nothing: %s", name, nvrtc->nvrtcGetErrorString(result));
  char *data = malloc(bytes);
  if (!data) return moho_fail(MOHO_ERROR_MEMORY, "kernel %s: %zu bytes could not be allocated", name, bytes);
  result = target.is_cubin ? nvrtc->nvrtcGetCUBIN(program, data) : nvrtc->nvrtcGetPTX(program, data);
  if (result) {
    free(data);
    return moho_fail(MOHO_ERROR_DEVICE, "kernel %s: NVRTC gave nothing: %s", name, nvrtc->nvrtcGetErrorString(result));
  }
  *out = (moho_cuda_image){.data = data, .bytes = bytes};
  return MOHO_OK;
}

moho_status moho_cuda_compile(const moho_nvrtc *nvrtc, moho_cuda_target target, const moho_unit *unit, moho_cuda_image *out) {
  char architecture[48], file[80];
  const char *options[1 + FIXED_OPTIONS] = {architecture};
  moho_nvrtc_program program = NULL;
  *out = (moho_cuda_image){0};
  architecture_option(target, architecture);
  memcpy(options + 1, fixed_options, sizeof fixed_options);
  snprintf(file, sizeof file, "%.70s.k", unit->name);
  moho_nvrtc_result result = nvrtc->nvrtcCreateProgram(&program, unit->text, file, 0, NULL, NULL);
  if (result)
    return moho_fail(MOHO_ERROR_DEVICE, "kernel %s: NVRTC does not begin: %s", unit->name, nvrtc->nvrtcGetErrorString(result));
  result = nvrtc->nvrtcCompileProgram(program, 1 + FIXED_OPTIONS, options);
  moho_status status =
      result ? compile_failure(nvrtc, program, result, unit) : take_image(nvrtc, target, program, unit->name, out);
  nvrtc->nvrtcDestroyProgram(&program);
  return status;
}
