/* device.c - a device's life: made of a backend, described, lost, closed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu/cpu_features.h"
#include "device/device_core.h"
#include "device/library_call.h"

/* ---- failures ---- */

/* The words are written once, before the flag is seen: readers need no lock. */
static void lose(moho_device *device, const moho_error *error) {
  pthread_mutex_lock(&device->lock);
  if (!device->lost) {
    device->lost_error = *error;
    __atomic_store_n(&device->lost, 1, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&device->lock);
}

moho_status moho_device_seen(moho_device *device, moho_status status) {
  if (status == MOHO_ERROR_LOST) lose(device, moho_last_error());
  return status;
}

moho_status moho_device_outcome(moho_device *device, const moho_outcome *outcome) {
  if (!outcome->status) return MOHO_OK;
  moho_error_set(&outcome->error);
  return moho_device_seen(device, outcome->status);
}

/* ---- opening ---- */

/* The URI that opens the same again. */
static void write_uri(moho_device *device, const moho_device_uri *uri) {
  moho_device_report *report = &device->report;
  char *text = report->uri, mark = '?';
  size_t capacity = sizeof report->uri;
  int is_cpu = strcmp(report->kind, "cpu") == 0;
  int n =
      snprintf(text, capacity, strcmp(report->kind, "cuda") ? "%s" : "%s:%d", report->kind, uri->ordinal < 0 ? 0 : uri->ordinal);
  if (is_cpu || uri->threads) {
    n += snprintf(text + n, capacity - (size_t)n, "%cthreads=%d", mark, report->threads);
    mark = '&';
  }
  if (is_cpu) n += snprintf(text + n, capacity - (size_t)n, "&simd=%s", moho_simd_name(device->simd));
  if (uri->check) snprintf(text + n, capacity - (size_t)n, "%ccheck=1", mark);
}

static moho_status check_simd(int simd) {
  if (simd < 0 || moho_cpu_has_simd((moho_simd)simd)) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "device"}, "leave simd out to use the best one", MOHO_ERROR_NOT_AVAILABLE,
                      "device: this processor cannot run simd=%s, the best it has is %s", moho_simd_name((moho_simd)simd),
                      moho_simd_name(moho_cpu_best_simd()));
}

static void destroy_locks(moho_device *device) {
  pthread_mutex_destroy(&device->lock);
  pthread_mutex_destroy(&device->meter.lock);
  pthread_mutex_destroy(&device->transfer_lock);
}

static moho_status start(moho_device *device, const moho_device_uri *uri) {
  moho_device_report *report = &device->report;
  MOHO_TRY(check_simd(uri->simd));
  MOHO_TRY(device->backend->open(uri, &device->state, report));
  moho_status status = moho_pool_create(device->backend, device->state, &device->pool);
  if (status) {
    device->backend->close(device->state);
    return status;
  }
  device->simd = uri->simd < 0 ? moho_cpu_best_simd() : (moho_simd)uri->simd;
  report->available = 1;
  report->threads = uri->threads ? uri->threads : moho_cpu_count();
  if (!(report->launch_seconds > 0)) report->launch_seconds = 1;
  snprintf(report->kind, sizeof report->kind, "%s", device->backend->name);
  write_uri(device, uri);
  return MOHO_OK;
}

moho_status moho_device_open_backend(const moho_backend *backend, const moho_device_uri *uri, const char *reason,
                                     moho_device **out) {
  moho_device *device;
  *out = NULL;
  MOHO_TRY(moho_handle_new(MOHO_KIND_DEVICE, sizeof *device, NULL, &device));
  device->backend = backend;
  device->check = uri->check;
  pthread_mutex_init(&device->lock, NULL);
  pthread_mutex_init(&device->meter.lock, NULL);
  pthread_mutex_init(&device->transfer_lock, NULL);
  moho_status status = start(device, uri);
  if (status) {
    destroy_locks(device);
    moho_handle_free(device, MOHO_KIND_DEVICE);
    return status;
  }
  snprintf(device->report.reason, sizeof device->report.reason, "%s", reason);
  *out = device;
  return MOHO_OK;
}

/* ---- closing ---- */

typedef struct leaks {
  size_t counts[MOHO_KIND_COUNT];
  size_t first_bytes; /* of the oldest buffer */
} leaks;

/* The oldest object of a kind that its owner never destroyed, dead now; NULL: none is left. */
static void *next_leak(moho_device *device, moho_kind kind) {
  moho_handle *found = NULL;
  pthread_mutex_lock(&device->lock);
  for (moho_handle *handle = device->objects[kind]; handle; handle = handle->older)
    if (moho_handle_is_alive(handle, kind)) found = handle;
  pthread_mutex_unlock(&device->lock);
  return found && moho_handle_kill(found, kind) == MOHO_OK ? found : NULL;
}

/* Queues first: what they recorded and never submitted holds kernels and buffers. */
static leaks take_leaks_apart(moho_device *device) {
  leaks left = {{0}, 0};
  for (void *queue; (queue = next_leak(device, MOHO_KIND_QUEUE)); left.counts[MOHO_KIND_QUEUE]++) moho_queue_dismantle(queue);
  for (void *kernel; (kernel = next_leak(device, MOHO_KIND_KERNEL)); left.counts[MOHO_KIND_KERNEL]++)
    moho_kernel_dismantle(kernel);
  for (moho_buffer *buffer; (buffer = next_leak(device, MOHO_KIND_BUFFER)); left.counts[MOHO_KIND_BUFFER]++) {
    if (!left.counts[MOHO_KIND_BUFFER]) left.first_bytes = buffer->bytes;
    moho_buffer_release(buffer);
  }
  return left;
}

static moho_status report_leaks(const char *uri, const leaks *left) {
  size_t buffers = left->counts[MOHO_KIND_BUFFER], kernels = left->counts[MOHO_KIND_KERNEL],
         queues = left->counts[MOHO_KIND_QUEUE];
  if (!buffers && !kernels && !queues) return MOHO_OK;
  char text[32], first[64] = "";
  if (buffers) snprintf(first, sizeof first, " (the first of %s)", moho_bytes_text((double)left->first_bytes, text));
  return moho_fail_at((moho_place){.key = "device"}, "destroy them before the device is closed", MOHO_ERROR_HANDLE,
                      "%s: closed while %zu buffer%s%s, %zu kernel%s and %zu queue%s were left", uri, buffers,
                      buffers == 1 ? "" : "s", first, kernels, kernels == 1 ? "" : "s", queues, queues == 1 ? "" : "s");
}

moho_status moho_device_close(moho_device **pointer) {
  if (!pointer || !*pointer) return MOHO_OK;
  moho_device *device = *pointer;
  *pointer = NULL;
  MOHO_TRY(moho_handle_check_alive(device, MOHO_KIND_DEVICE));
  MOHO_TRY(moho_handle_kill(device, MOHO_KIND_DEVICE));
  moho_queues_settle(device, NULL);
  leaks left = take_leaks_apart(device);
  char uri[sizeof device->report.uri];
  snprintf(uri, sizeof uri, "%s", device->report.uri);
  if (device->transfer_queue) device->backend->queue_destroy(device->transfer_queue);
  moho_kernel_cache_destroy(device);
  moho_pool_destroy(&device->pool);
  device->backend->close(device->state);
  destroy_locks(device);
  moho_handle_free(device, MOHO_KIND_DEVICE);
  return report_leaks(uri, &left);
}

/* ---- asking ---- */

moho_status moho_device_describe(const moho_device *device, moho_device_report *out) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "device: nowhere to put the report, got NULL");
  *out = device->report;
  device->backend->refresh(device->state, out);
  return MOHO_OK;
}

moho_status moho_device_pool_limit(moho_device *device, size_t bytes, size_t count) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  moho_pool_limit(device->pool, bytes, count);
  return MOHO_OK;
}

moho_status moho_device_pool_trim(moho_device *device) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  moho_queues_collect(device);
  moho_pool_trim(device->pool);
  return MOHO_OK;
}

int moho_device_threads(const moho_device *device) {
  return device->report.threads;
}

moho_simd moho_device_simd(const moho_device *device) {
  return device->simd;
}

moho_native_function moho_native_pick(const moho_native_kernel *kernel, moho_simd simd) {
  for (moho_simd s = simd; s > MOHO_SIMD_SCALAR; s--)
    if (kernel->by_simd[s] && moho_cpu_has_simd(s)) return kernel->by_simd[s];
  return kernel->by_simd[MOHO_SIMD_SCALAR];
}

/* ---- libraries ---- */

const char *moho_device_library(const moho_device *device, const char *name, const char **why) {
  static const char *const none = "this device has no libraries";
  const char *reason = none;
  const char *words = device->backend->library ? device->backend->library(device->state, name, &reason) : NULL;
  if (why) *why = reason;
  return words;
}
