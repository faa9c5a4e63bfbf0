/* cuda_double_nvrtc.c - the double's compiler: the text is the machine code. `unknown_word` in it is an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_double.h"

struct _nvrtcProgram {
  char *text, log[400];
  int compiled;
};

static const int architectures[] = {75, 80, 90, 100};
enum { ARCHITECTURES = sizeof architectures / sizeof *architectures };

moho_nvrtc_result nvrtcVersion(int *major, int *minor) {
  *major = 13, *minor = 0;
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetNumSupportedArchs(int *count) {
  *count = ARCHITECTURES;
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetSupportedArchs(int *out) {
  memcpy(out, architectures, sizeof architectures);
  return MOHO_NVRTC_OK;
}

const char *nvrtcGetErrorString(moho_nvrtc_result result) {
  return result == MOHO_NVRTC_OK ? "NVRTC_SUCCESS" : result == MOHO_NVRTC_COMPILATION ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR";
}

moho_nvrtc_result nvrtcCreateProgram(moho_nvrtc_program *program, const char *text, const char *name, int n_headers,
                                     const char *const *headers, const char *const *header_names) {
  (void)name, (void)n_headers, (void)headers, (void)header_names;
  moho_cu_result result;
  if (double_fails(&result)) return 1;
  *program = calloc(1, sizeof **program);
  (*program)->text = strdup(text);
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcDestroyProgram(moho_nvrtc_program *program) {
  free((*program)->text);
  free(*program);
  *program = NULL;
  return MOHO_NVRTC_OK;
}

/* "file(line): error: ...", by the #line before the place. */
static void complain(moho_nvrtc_program program, const char *at) {
  char file[100] = "text";
  int line = 1;
  for (const char *p = program->text; p < at; p++) {
    if ((p == program->text || p[-1] == '\n') && sscanf(p, "#line %d \"%99[^\"]\"", &line, file) == 2) line--;
    if (*p == '\n') line++;
  }
  snprintf(program->log, sizeof program->log, "%s(%d): error: identifier \"unknown_word\" is undefined\n\n1 error detected.\n",
           file, line);
}

moho_nvrtc_result nvrtcCompileProgram(moho_nvrtc_program program, int n_options, const char *const *options) {
  moho_cu_result result;
  if (double_fails(&result)) return 1;
  if (n_options < 1 || strcmp(options[0], "--gpu-architecture=sm_90")) return MOHO_NVRTC_INVALID_OPTION;
  const char *at = strstr(program->text, "unknown_word");
  if (at) complain(program, at);
  program->compiled = !at;
  return at ? MOHO_NVRTC_COMPILATION : MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetProgramLogSize(moho_nvrtc_program program, size_t *bytes) {
  *bytes = strlen(program->log) + 1;
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetProgramLog(moho_nvrtc_program program, char *log) {
  strcpy(log, program->log);
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetCUBINSize(moho_nvrtc_program program, size_t *bytes) {
  *bytes = program->compiled ? strlen(CUDA_DOUBLE_MAGIC) + strlen(program->text) + 1 : 0;
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetCUBIN(moho_nvrtc_program program, char *cubin) {
  sprintf(cubin, "%s%s", CUDA_DOUBLE_MAGIC, program->text);
  return MOHO_NVRTC_OK;
}

moho_nvrtc_result nvrtcGetPTXSize(moho_nvrtc_program program, size_t *bytes) {
  (void)program, (void)bytes;
  return 1;
}

moho_nvrtc_result nvrtcGetPTX(moho_nvrtc_program program, char *ptx) {
  (void)program, (void)ptx;
  return 1;
}

/* ---- reading a text ---- */

/* Members of 4 bytes of `typedef struct { ... } type;`. */
static size_t struct_bytes(const char *text, const char *type) {
  char end[100];
  snprintf(end, sizeof end, "} %s;", type);
  const char *close = strstr(text, end), *p = close;
  size_t members = 0;
  while (p && p > text && *p != '{') members += *p == ',' || *p == ';', p--;
  return 4 * members;
}

/* From behind "KERNEL(": what the parentheses hold. */
static void read_parameters(const char *text, const char *p, double_kernel *out) {
  char type[80];
  int depth = 1;
  for (; *p && depth; p++) {
    depth += (*p == '(') - (*p == ')');
    if (*p == ',' && depth == 1) out->n_parameters++;
    if (strncmp(p, "PARAM(", 6) == 0 && sscanf(p, "PARAM(%*d, %79[^,]", type) == 1)
      out->parameter_bytes = struct_bytes(text, type);
  }
  out->n_parameters--; /* the comma before the number of lanes */
}

int double_kernel_read(const char *text, const char *name, double_kernel *out) {
  static const char *const openings[] = {"KERNEL(", "KERNEL_GROUP("};
  for (int i = 0; i < 2; i++) {
    char opening[100];
    snprintf(opening, sizeof opening, "\n%s%s,", openings[i], name);
    const char *at = strstr(text, opening);
    if (!at) continue;
    *out = (double_kernel){.lanes = atoi(at + strlen(opening))};
    snprintf(out->name, sizeof out->name, "%s", name);
    read_parameters(text, at + 1 + strlen(openings[i]), out);
    return 1;
  }
  return 0;
}
