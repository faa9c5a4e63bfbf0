/* metal_device.c - the Metal device: found, really probed, described.
 *
 * A device counts as there when one of each object that work needs could be made and answers its selectors, and a kernel of
 * ours compiled in the language version that Moho needs: no list of systems or chips is kept. */
#include "device/metal/metal_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/cpu/cpu_features.h"

static const char no_device[] = "Metal finds no GPU here (a command run over ssh or in a container may not see it)";

size_t moho_metal_count(char *reason, size_t capacity) {
  const char *missing = moho_metal_load();
  if (missing) {
    snprintf(reason, capacity, "%s", missing);
    return 0;
  }
  void *pool = moho_metal_pool_push();
  metal_id device = moho_metal.MTLCreateSystemDefaultDevice();
  snprintf(reason, capacity, "%s", device ? "" : no_device);
  size_t n = device ? 1 : 0;
  moho_metal_release(&device);
  moho_metal_pool_pop(pool);
  return n;
}

/* One command buffer with both encoders, ended and never committed: Metal drops it. */
static moho_status probe_commands(metal_id queue) {
  metal_id commands = METAL(command_buffer, queue);
  MOHO_TRY(moho_metal_expect(METAL_OWNER_commands, commands));
  metal_id blit = METAL(blit_encoder, commands);
  moho_status status = moho_metal_expect(METAL_OWNER_blit, blit);
  METAL(end_blit, blit);
  if (status) return status;
  metal_id compute = METAL(compute_encoder, commands);
  status = moho_metal_expect(METAL_OWNER_compute, compute);
  METAL(end_compute, compute);
  return status;
}

static moho_status probe_objects(metal_device *device) {
  metal_id queue = METAL(new_queue, device->device, 1), event = METAL(new_event, device->device), buffer = NULL;
  moho_status status = moho_metal_expect(METAL_OWNER_queue, queue);
  if (!status) status = moho_metal_expect(METAL_OWNER_event, event);
  if (!status) status = moho_metal_buffer_create(device, 16, &buffer);
  if (!status) status = moho_metal_expect(METAL_OWNER_buffer, buffer);
  if (!status) status = probe_commands(queue);
  moho_metal_release(&buffer);
  moho_metal_release(&event);
  moho_metal_release(&queue);
  return status;
}

static moho_status probe(metal_device *device) {
  if (!(device->device = moho_metal.MTLCreateSystemDefaultDevice()))
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: %s", no_device);
  MOHO_TRY(moho_metal_expect(METAL_OWNER_device, device->device));
  if (!METAL(has_unified_memory, device->device))
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE,
                     "metal: this GPU has memory of its own; Moho's Metal backend is for Apple silicon");
  device->page = (size_t)moho_metal.getpagesize();
  device->largest_buffer = METAL(largest_buffer, device->device);
  device->working_set = (size_t)METAL(working_set, device->device);
  device->group_memory = METAL(group_memory, device->device);
  MOHO_TRY(probe_objects(device));
  return moho_metal_builtin_create(device);
}

static size_t free_bytes(const metal_device *device) {
  size_t host = moho_machine_memory_free(), used = METAL(allocated, device->device);
  size_t left = !device->working_set ? host : used < device->working_set ? device->working_set - used : 0;
  return left < host ? left : host;
}

/* "apple8": the newest of the families that the GPU belongs to; "apple" where it names none (virtual machines). */
static void name_architecture(const metal_device *device, char *out, size_t capacity) {
  snprintf(out, capacity, "apple");
  for (int n = 30; n >= 1; n--)
    if (METAL(supports_family, device->device, METAL_FAMILY_APPLE_1 + n - 1)) {
      snprintf(out, capacity, "apple%d", n);
      return;
    }
}

static void describe(const metal_device *device, moho_device_report *report) {
  bool is_double = *moho_metal.double_path != 0;
  char name[100], system[48];
  moho_metal_text(METAL(device_name, device->device), name, sizeof name);
  snprintf(report->name, sizeof report->name, "%s%s", name, is_double && !strstr(name, "test double") ? " (test double)" : "");
  if (is_double)
    snprintf(report->reason, sizeof report->reason, "a test double of Metal: MOHO_METAL_LIBRARY=%.150s", moho_metal.double_path);
  name_architecture(device, report->architecture, sizeof report->architecture);
  moho_metal_text(METAL(system_version, METAL(process_info, moho_metal.process_class)), system, sizeof system);
  const char *number = strncmp(system, "Version ", 8) == 0 ? system + 8 : system;
  snprintf(report->driver, sizeof report->driver, "Metal 3.0, macOS %.46s", number);
  snprintf(report->kind, sizeof report->kind, "metal");
  report->available = report->unified_memory = report->zero_copy = 1;
  report->threads = moho_cpu_count();
  report->simd_width = 32;
  report->launch_seconds = 0.1; /* macOS stops what keeps the GPU from the screen */
  report->max_lanes = (int)device->builtin.max_lanes;
  report->group_memory = device->group_memory;
  report->has_half = report->has_int64 = 1;
  report->wrap_alignment = device->page;
  report->memory_bytes = moho_machine_memory();
  report->memory_free_bytes = free_bytes(device);
  report->working_set_bytes = device->working_set ? device->working_set : report->memory_bytes;
  report->largest_buffer = device->largest_buffer;
}

moho_status moho_metal_open(const moho_device_uri *uri, void **state, moho_device_report *report) {
  *state = NULL;
  const char *missing = moho_metal_load();
  if (missing) return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: %s", missing);
  if (uri->ordinal > 0)
    return moho_fail_at((moho_place){.key = "device"}, "use metal or metal:0", MOHO_ERROR_NOT_AVAILABLE,
                        "device metal:%d: Apple silicon has one GPU, number 0", uri->ordinal);
  metal_device *device;
  MOHO_TRY(moho_allocate(1, sizeof *device, "metal device", &device));
  pthread_mutex_init(&device->lock, NULL);
  pthread_mutex_init(&device->lost_lock, NULL);
  void *pool = moho_metal_pool_push();
  moho_status status = probe(device);
  if (!status) describe(device, report);
  moho_metal_pool_pop(pool);
  if (status) {
    moho_metal_close(device);
    return status;
  }
  *state = device;
  return MOHO_OK;
}

void moho_metal_close(void *state) {
  metal_device *device = state;
  void *pool = moho_metal_pool_push();
  moho_metal_builtin_destroy(device);
  moho_metal_release(&device->device);
  moho_metal_pool_pop(pool);
  pthread_mutex_destroy(&device->lost_lock);
  pthread_mutex_destroy(&device->lock);
  free(device);
}

void moho_metal_refresh(void *state, moho_device_report *report) {
  void *pool = moho_metal_pool_push();
  report->memory_free_bytes = free_bytes(state);
  moho_metal_pool_pop(pool);
}

void moho_metal_lose(metal_device *device, const char *words) {
  pthread_mutex_lock(&device->lost_lock);
  if (!device->lost) {
    snprintf(device->lost_words, sizeof device->lost_words, "%s", words);
    device->lost_at = moho_seconds();
    __atomic_store_n(&device->lost, 1, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&device->lost_lock);
}

moho_status moho_metal_check_lost(metal_device *device) {
  if (!__atomic_load_n(&device->lost, __ATOMIC_ACQUIRE)) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "start the program anew; shorter launches keep the system from taking the GPU away",
                      MOHO_ERROR_LOST, "metal: the device is lost: %s", device->lost_words);
}
