/* device_open.c - which device: by URI, by MOHO_DEVICE, or the first that opens; and the list of them all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/device_core.h"

/* In the order in which "auto" tries them. */
static const moho_backend *const backends[] = {&moho_backend_metal, &moho_backend_cuda, &moho_backend_cpu};
enum { BACKENDS = sizeof backends / sizeof *backends };

static const moho_backend *backend_of(const char *name) {
  for (size_t i = 0; i < BACKENDS; i++)
    if (strcmp(backends[i]->name, name) == 0) return backends[i];
  return NULL;
}

static moho_status unavailable(const char *name, const char *reason) {
  return moho_fail_at((moho_place){.key = "device"}, "`moho devices` lists what there is; auto takes the best of it",
                      MOHO_ERROR_NOT_AVAILABLE, "device %s is not available: %s", name, reason);
}

static moho_status open_named(const moho_device_uri *uri, const char *reason, moho_device **out) {
  const moho_backend *backend = backend_of(uri->backend);
  char why_not[160] = "";
  size_t count = backend->count(why_not, sizeof why_not);
  if (!count) return unavailable(uri->backend, why_not);
  if (uri->ordinal >= 0 && (size_t)uri->ordinal >= count)
    return moho_fail_at((moho_place){.key = "device"}, "`moho devices` lists what there is", MOHO_ERROR_NOT_AVAILABLE,
                        "device %s:%d is not available: there %s %zu, numbered from 0", uri->backend, uri->ordinal,
                        count == 1 ? "is" : "are", count);
  return moho_device_open_backend(backend, uri, reason, out);
}

/* "metal: ..., " after what text holds already, cut where it is full. */
static void add_reason(char *text, size_t capacity, const char *name, const char *why) {
  size_t length = strlen(text);
  snprintf(text + length, capacity - length, "%s%s: %.85s", strchr(text, '\0')[-1] == ':' ? " " : ", ", name, why);
}

/* The first that opens. Its report says why the ones before did not; the last one's error is the caller's. */
static moho_status open_auto(const moho_device_uri *asked, moho_device **out) {
  char reason[200] = "chosen by auto:";
  moho_status status = MOHO_ERROR_NOT_AVAILABLE;
  for (size_t i = 0; i < BACKENDS; i++) {
    moho_device_uri uri = *asked;
    char why_not[160] = "";
    snprintf(uri.backend, sizeof uri.backend, "%s", backends[i]->name);
    int is_cpu = backends[i] == &moho_backend_cpu;
    if (!is_cpu) uri.simd = -1; /* of the processor's loops */
    size_t length = strlen(reason);
    if (!backends[i]->count(why_not, sizeof why_not)) {
      add_reason(reason, sizeof reason, backends[i]->name, why_not);
      continue;
    }
    if (i == 0) snprintf(reason + length, sizeof reason - length, " the first choice");
    status = moho_device_open_backend(backends[i], &uri, reason, out);
    if (!status) return MOHO_OK;
    reason[length] = '\0';
    add_reason(reason, sizeof reason, backends[i]->name, moho_last_error()->message);
  }
  return status;
}

/* Who did not name the device is told who did. */
static moho_status named_by_environment(moho_status status) {
  const moho_error *error = moho_last_error();
  return status ? moho_fail_at((moho_place){.key = "device"}, error->hint, status, "%s (named by the variable MOHO_DEVICE)",
                               error->message)
                : MOHO_OK;
}

moho_status moho_device_open(const char *text, moho_device **out) {
  moho_device_uri uri;
  const char *from_environment = getenv("MOHO_DEVICE");
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "device: nowhere to put it, got NULL");
  *out = NULL;
  MOHO_TRY(moho_device_uri_parse(text ? text : "auto", &uri));
  if (strcmp(uri.backend, "auto") == 0 && from_environment && *from_environment) {
    moho_device_uri asked = uri;
    MOHO_TRY(named_by_environment(moho_device_uri_parse(from_environment, &uri)));
    if (!uri.threads) uri.threads = asked.threads;
    if (uri.simd < 0 && strcmp(uri.backend, "cpu") == 0) uri.simd = asked.simd;
    uri.check |= asked.check;
    if (strcmp(uri.backend, "auto")) return named_by_environment(open_named(&uri, "named by MOHO_DEVICE", out));
  }
  return strcmp(uri.backend, "auto") ? open_named(&uri, "", out) : open_auto(&uri, out);
}

/* ---- the list ---- */

/* A device that does not open is listed with the reason. */
static void describe_one(const moho_backend *backend, int ordinal, moho_device_report *report) {
  moho_device_uri uri = {.ordinal = ordinal, .simd = -1};
  moho_device *device;
  snprintf(uri.backend, sizeof uri.backend, "%s", backend->name);
  if (moho_device_open_backend(backend, &uri, "", &device) == MOHO_OK) {
    moho_device_describe(device, report);
    moho_device_close(&device);
    return;
  }
  snprintf(report->uri, sizeof report->uri, "%s:%d", backend->name, ordinal);
  snprintf(report->reason, sizeof report->reason, "%.199s", moho_last_error()->message);
}

moho_status moho_device_list(moho_device_report *reports, size_t capacity, size_t *count) {
  if (!count || (!reports && capacity)) return moho_fail(MOHO_ERROR_ARGUMENT, "devices: nowhere to put them, got NULL");
  *count = 0;
  for (size_t i = BACKENDS; i-- > 0;) { /* the cpu first */
    char why_not[160] = "";
    size_t devices = backends[i]->count(why_not, sizeof why_not), rows = devices ? devices : 1;
    for (size_t k = 0; k < rows; k++, ++*count) {
      if (*count >= capacity) continue;
      moho_device_report *report = &reports[*count];
      *report = (moho_device_report){0};
      snprintf(report->kind, sizeof report->kind, "%s", backends[i]->name);
      snprintf(report->uri, sizeof report->uri, "%s", backends[i]->name);
      if (devices) describe_one(backends[i], devices == 1 && backends[i] == &moho_backend_cpu ? -1 : (int)k, report);
      else snprintf(report->reason, sizeof report->reason, "%s", why_not);
    }
  }
  return MOHO_OK;
}
