/* cpu_backend.c - the processor as a device: always there; memory is the host's, kernels are what was compiled into the
 * program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/cpu/cpu_features.h"
#include "device/cpu/cpu_state.h"
#include "device/kernel_registry.h"

static size_t count(char *reason, size_t capacity) {
  if (capacity) *reason = '\0';
  return 1;
}

static void refresh(void *state, moho_device_report *report) {
  (void)state;
  report->memory_free_bytes = moho_machine_memory_free();
}

static void fill_report(const moho_cpu_state *cpu, moho_device_report *report) {
  struct utsname machine;
  *report = (moho_device_report){.kind = "cpu",
                                 .available = 1,
                                 .threads = cpu->threads,
                                 .unified_memory = 1,
                                 .zero_copy = 1,
                                 .has_native = 1,
                                 .simd_width = 32,
                                 .max_lanes = MOHO_CPU_MAX_LANES,
                                 .group_memory = MOHO_CPU_GROUP_MEMORY,
                                 .multiprocessors = cpu->threads,
                                 .has_double = 1,
                                 .has_half = 1,
                                 .has_int64 = 1,
                                 .launch_seconds = 1,
                                 .wrap_alignment = MOHO_CPU_ALIGNMENT,
                                 .memory_bytes = moho_machine_memory()};
  moho_cpu_name(report->name, sizeof report->name);
  snprintf(report->architecture, sizeof report->architecture, "%.31s", uname(&machine) ? "unknown" : machine.machine);
  snprintf(report->simd, sizeof report->simd, "%s", moho_simd_name(cpu->simd));
  report->working_set_bytes = report->largest_buffer = report->memory_bytes;
  refresh(NULL, report);
}

static moho_status open_cpu(const moho_device_uri *uri, void **state, moho_device_report *report) {
  moho_simd simd = uri->simd < 0 ? moho_cpu_best_simd() : (moho_simd)uri->simd;
  if (!moho_cpu_has_simd(simd))
    return moho_fail_at((moho_place){.key = "device"}, "leave simd out to use the best one", MOHO_ERROR_NOT_AVAILABLE,
                        "device: this processor cannot run simd=%s, the best it has is %s", moho_simd_name(simd),
                        moho_simd_name(moho_cpu_best_simd()));
  moho_cpu_state *cpu;
  MOHO_TRY(moho_allocate(1, sizeof *cpu, "device", &cpu));
  cpu->threads = uri->threads ? uri->threads : moho_cpu_count();
  cpu->simd = simd;
  pthread_mutex_init(&cpu->lock, NULL);
  fill_report(cpu, report);
  *state = cpu;
  return MOHO_OK;
}

static void close_cpu(void *state) {
  moho_cpu_state *cpu = state;
  moho_cpu_crews_destroy(cpu);
  pthread_mutex_destroy(&cpu->lock);
  free(cpu);
}

/* ---- memory ---- */

static moho_status allocate(void *state, size_t bytes, moho_memory memory, moho_block *out) {
  (void)state;
  size_t alignment = memory == MOHO_MEMORY_HOST ? (size_t)sysconf(_SC_PAGESIZE) : MOHO_CPU_ALIGNMENT;
  void *host = NULL;
  if (posix_memalign(&host, moho_large_alignment(bytes, alignment), bytes)) {
    char text[32], free_text[32];
    return moho_fail(MOHO_ERROR_MEMORY, "cpu: no memory for a buffer of %s, %s are free", moho_bytes_text((double)bytes, text),
                     moho_bytes_text((double)moho_machine_memory_free(), free_text));
  }
  moho_advise_large_pages(host, bytes);
  *out = (moho_block){.address = (uintptr_t)host, .host = host, .bytes = bytes};
  return MOHO_OK;
}

static moho_status wrap(void *state, void *host, size_t bytes, moho_block *out) {
  (void)state;
  *out = (moho_block){.address = (uintptr_t)host, .host = host, .bytes = bytes, .handle = host};
  return MOHO_OK;
}

static moho_status wrap_device(void *state, uint64_t address, size_t bytes, moho_block *out) {
  return wrap(state, (void *)(uintptr_t)address, bytes, out);
}

static void release(void *state, moho_block *block) {
  (void)state;
  if (!block->handle) free(block->host); /* wrapped memory is the caller's */
  *block = (moho_block){0};
}

/* ---- kernels ---- */

static moho_status compile(void *state, const moho_unit *unit, moho_pipeline *out) {
  (void)state;
  const moho_kernel_definition *definition = unit->definition;
  if (!definition) return moho_registry_not_found(unit->name, "cpu");
  if (!definition->native && !definition->c)
    return moho_fail_at((moho_place){0}, "set c = KERN_C_FUNCTION(name) or native in its moho_kernel_definition",
                        MOHO_ERROR_NOT_FOUND, "cpu: kernel %s is registered without a function for the cpu", unit->name);
  *out = (moho_pipeline){.definition = definition, .simd_width = 32};
  out->max_lanes =
      definition->max_lanes > 0 && definition->max_lanes < MOHO_CPU_MAX_LANES ? definition->max_lanes : MOHO_CPU_MAX_LANES;
  snprintf(out->origin, sizeof out->origin, "%s", definition->native ? "native" : "c");
  return MOHO_OK;
}

static void release_pipeline(void *state, moho_pipeline *pipeline) {
  (void)state;
  (void)pipeline;
}

const moho_backend moho_backend_cpu = {
    .name = "cpu",
    .count = count,
    .open = open_cpu,
    .close = close_cpu,
    .refresh = refresh,
    .allocate = allocate,
    .wrap = wrap,
    .wrap_device = wrap_device,
    .release = release,
    .compile = compile,
    .release_pipeline = release_pipeline,
    .queue_create = moho_cpu_queue_create,
    .queue_destroy = moho_cpu_queue_destroy,
    .submit = moho_cpu_queue_submit,
    .wait = moho_cpu_queue_wait,
    .collect = moho_cpu_queue_collect,
};
