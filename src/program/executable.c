/* executable.c - a program made ready for a device: what it supports; made, shared by runs, given back. */
#include "program/executable.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "program/gpu_text.h"

/* ---- what a device supports ---- */

static int uses_double(const moho_declared *declared, size_t n, const char **name) {
  for (size_t i = 0; i < n; i++)
    if (declared[i].type == MOHO_PROGRAM_F64) {
      *name = declared[i].name;
      return 1;
    }
  return 0;
}

static int array_of_doubles(const moho_declared_memory *declared, size_t n, const char **name) {
  for (size_t i = 0; i < n; i++)
    if (declared[i].type == MOHO_PROGRAM_F64) {
      *name = declared[i].name;
      return 1;
    }
  return 0;
}

/* The first instruction that computes in f64, else the declaration. */
static moho_status refuse_double(const moho_program *program, const char *device) {
  const char *name = "", *what = "register";
  for (size_t i = 0; i < program->n_code; i++) {
    const moho_instruction *in = &program->code[i].in;
    if (in->type != MOHO_PROGRAM_F64 && !(in->op == MOHO_PROGRAM_CONVERT && in->source == MOHO_PROGRAM_F64)) continue;
    char text[160];
    int line = 0;
    if (moho_program_instruction(program, program->code[i].origin, text, sizeof text, &line)) text[0] = '\0';
    return moho_fail_at((moho_place){.line = line}, "use f32, or run it on cpu or cuda", MOHO_ERROR_NOT_AVAILABLE,
                        "program %s: instruction %u (%s) computes in f64, which %s has not", program->functions[0].name,
                        program->code[i].origin, text, device);
  }
  if (!uses_double(program->registers, program->n_registers, &name)) {
    what = "scalar";
    if (!uses_double(program->scalars, program->n_scalars, &name)) {
      what = "buffer";
      if (!uses_double(program->buffers, program->n_buffers, &name)) {
        what = "group array or pool";
        if (!array_of_doubles(program->arrays, program->n_arrays, &name))
          array_of_doubles(program->pools, program->n_pools, &name);
      }
    }
  }
  return moho_fail_at((moho_place){0}, "use f32, or run it on cpu or cuda", MOHO_ERROR_NOT_AVAILABLE,
                      "program %s: %s %s is of f64, which %s has not", program->functions[0].name, what, name, device);
}

static moho_status check_group_memory(const moho_program *program, const moho_device_report *report) {
  size_t bytes = moho_program_group_bytes(program, 1, NULL) + program->pool_bytes;
  if (report->has_native || bytes <= report->group_memory) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "make its group arrays and pools smaller", MOHO_ERROR_NOT_AVAILABLE,
                      "program %s: %zu bytes of group arrays and pools, %s has %zu", program->functions[0].name, bytes,
                      report->uri, report->group_memory);
}

moho_status moho_program_supports(const moho_program *program, const moho_device *device) {
  moho_device_report report;
  if (!program) return moho_fail(MOHO_ERROR_ARGUMENT, "program: got NULL");
  MOHO_TRY(moho_device_describe(device, &report));
  if ((program->types_used >> MOHO_PROGRAM_F64 & 1) && !report.has_double) return refuse_double(program, report.uri);
  return check_group_memory(program, &report);
}

/* ---- making ---- */

static moho_status copy_array(const void *from, size_t count, size_t size, void **out) {
  MOHO_TRY(moho_allocate(count ? count : 1, size, "a program's code", out));
  if (count) memcpy(*out, from, count * size);
  return MOHO_OK;
}

static void free_copy(moho_program *program) {
  if (!program) return;
  free(program->code);
  free(program->functions);
  free(program);
}

/* Declarations and flat code: what was written stays with the caller's program. */
static moho_status copy_program(const moho_program *program, moho_program **out) {
  void *copy, *code, *functions;
  MOHO_TRY(copy_array(program, 1, sizeof *program, &copy));
  moho_program *made = copy;
  made->code = NULL;
  made->functions = NULL;
  made->written = NULL;
  made->places = NULL;
  made->file = NULL;
  moho_status status = copy_array(program->code, program->n_code, sizeof *program->code, &code);
  if (!status) made->code = code;
  if (!status) status = copy_array(program->functions, program->n_functions, sizeof *program->functions, &functions);
  if (!status) made->functions = functions;
  if (status) free_copy(made);
  else *out = made;
  return status;
}

moho_status moho_program_prepare(const moho_program *program, moho_device *device, moho_program_executable **out) {
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "program: nowhere to put the executable, got NULL");
  *out = NULL;
  MOHO_TRY(moho_program_supports(program, device));
  moho_program_executable *made;
  MOHO_TRY(moho_allocate(1, sizeof *made, "a program's executable", &made));
  pthread_mutex_init(&made->lock, NULL);
  made->users = 1;
  made->device = device;
  moho_status status = moho_device_describe(device, &made->report);
  if (!status) status = copy_program(program, &made->program);
  if (!status && made->report.has_native) status = moho_block_kernel_create(device, &made->block_kernel);
  if (!status && !made->report.has_native) status = moho_gpu_text_make(made->program, &made->text);
  if (!status && !made->report.has_native) status = moho_executable_prepare_gpu(made);
  if (status) moho_executable_release(made);
  else *out = made;
  return status;
}

/* A device that was closed has taken its kernels along: then nothing is left to destroy. */
void moho_executable_release(moho_program_executable *executable) {
  if (__atomic_sub_fetch(&executable->users, 1, __ATOMIC_ACQ_REL)) return;
  moho_error kept = moho_error_take();
  moho_kernel_destroy(&executable->block_kernel);
  for (int i = 0; i < MOHO_GPU_VARIANTS; i++) moho_kernel_destroy(&executable->kernels[i]);
  moho_error_set(&kept);
  pthread_mutex_destroy(&executable->lock);
  free_copy(executable->program);
  free(executable->text);
  free(executable);
}

moho_status moho_program_executable_destroy(moho_program_executable **executable) {
  if (!executable || !*executable) return MOHO_OK;
  moho_program_executable *gone = *executable;
  *executable = NULL;
  moho_executable_release(gone);
  return MOHO_OK;
}
