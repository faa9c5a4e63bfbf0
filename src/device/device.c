/* device.c - devices: opened by URI, listed, described. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu/cpu_features.h"
#include "device/device_internal.h"
#include "device/device_uri.h"

struct moho_device {
  int threads;
  moho_simd simd;
  char reason[160];
};

static moho_status open_cpu(const moho_device_uri *uri, const char *reason, moho_device **out) {
  moho_simd simd = uri->simd < 0 ? moho_cpu_best_simd() : (moho_simd)uri->simd;
  if (!moho_cpu_has_simd(simd))
    return moho_fail_at((moho_place){.key = "device"}, "leave simd out to use the best one", MOHO_ERROR_NOT_AVAILABLE,
                        "device: this processor cannot run simd=%s, the best it has is %s", moho_simd_name(simd),
                        moho_simd_name(moho_cpu_best_simd()));
  moho_device *device;
  MOHO_TRY(moho_allocate(1, sizeof *device, "device", &device));
  device->threads = uri->threads ? uri->threads : moho_cpu_count();
  device->simd = simd;
  snprintf(device->reason, sizeof device->reason, "%s", reason);
  *out = device;
  return MOHO_OK;
}

static const char not_in_this_version[] = "this version of Moho computes on the processor only";

moho_status moho_device_open(const char *uri_text, moho_device **out) {
  *out = NULL;
  const char *from_environment = getenv("MOHO_DEVICE");
  int is_auto = !uri_text || strcmp(uri_text, "auto") == 0;
  if (is_auto && from_environment && *from_environment) uri_text = from_environment;
  moho_device_uri uri;
  MOHO_TRY(moho_device_uri_parse(uri_text ? uri_text : "auto", &uri));
  if (strcmp(uri.backend, "auto") == 0) return open_cpu(&uri, "chosen by auto: no GPU backend in this version", out);
  if (strcmp(uri.backend, "cpu") == 0) return open_cpu(&uri, is_auto ? "named by MOHO_DEVICE" : "", out);
  return moho_fail_at((moho_place){.key = "device"}, "use device cpu or auto", MOHO_ERROR_NOT_AVAILABLE,
                      "device %s is not yet available: %s", uri.backend, not_in_this_version);
}

moho_status moho_device_close(moho_device **device) {
  free(*device);
  *device = NULL;
  return MOHO_OK;
}

moho_status moho_device_describe(const moho_device *device, moho_device_report *out) {
  *out = (moho_device_report){.available = 1, .threads = device->threads, .kind = "cpu"};
  snprintf(out->uri, sizeof out->uri, "cpu?threads=%d&simd=%s", device->threads, moho_simd_name(device->simd));
  snprintf(out->simd, sizeof out->simd, "%s", moho_simd_name(device->simd));
  snprintf(out->reason, sizeof out->reason, "%s", device->reason);
  moho_cpu_name(out->name, sizeof out->name);
  out->memory_bytes = moho_machine_memory();
  out->memory_free_bytes = moho_machine_memory_free();
  return MOHO_OK;
}

moho_status moho_device_list(moho_device_report *reports, size_t capacity, size_t *count) {
  moho_device_report all[3] = {{.kind = "cpu"}, {.kind = "cuda", .uri = "cuda"}, {.kind = "metal", .uri = "metal"}};
  moho_device *cpu;
  MOHO_TRY(moho_device_open("cpu", &cpu));
  moho_device_describe(cpu, &all[0]);
  moho_device_close(&cpu);
  for (size_t i = 1; i < 3; i++) snprintf(all[i].reason, sizeof all[i].reason, "not yet available: %s", not_in_this_version);
  *count = 3;
  for (size_t i = 0; i < capacity && i < *count; i++) reports[i] = all[i];
  return MOHO_OK;
}

int moho_device_threads(const moho_device *device) {
  return device->threads;
}

moho_simd moho_device_simd(const moho_device *device) {
  return device->simd;
}

moho_native_function moho_native_pick(const moho_native_kernel *kernel, moho_simd simd) {
  for (moho_simd s = simd; s > MOHO_SIMD_SCALAR; s--)
    if (kernel->by_simd[s] && moho_cpu_has_simd(s)) return kernel->by_simd[s];
  return kernel->by_simd[MOHO_SIMD_SCALAR];
}
