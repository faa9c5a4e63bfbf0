/* metrics.c - a device's figures: one snapshot, reset, JSON. */
#include "device/metrics.h"

#include <jansson.h>

#include "device/device_core.h"

moho_metrics *moho_metrics_lock(moho_device *device) {
  pthread_mutex_lock(&device->meter.lock);
  return &device->meter.total;
}

void moho_metrics_unlock(moho_device *device) {
  pthread_mutex_unlock(&device->meter.lock);
}

int moho_metrics_timed(const moho_device *device) {
  return __atomic_load_n(&device->meter.timed, __ATOMIC_RELAXED);
}

moho_status moho_device_metrics_enable(moho_device *device, int on) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  __atomic_store_n(&device->meter.timed, on != 0, __ATOMIC_RELAXED);
  return MOHO_OK;
}

moho_status moho_device_metrics_get(moho_device *device, moho_metrics *out) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "metrics: nowhere to put them, got NULL");
  moho_queues_collect(device);
  *out = *moho_metrics_lock(device);
  moho_metrics_unlock(device);
  moho_pool_figures_get(device->pool, &out->pool);
  return MOHO_OK;
}

moho_status moho_device_metrics_reset(moho_device *device) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  moho_queues_collect(device);
  *moho_metrics_lock(device) = (moho_metrics){0};
  moho_metrics_unlock(device);
  moho_pool_figures_reset(device->pool);
  return MOHO_OK;
}

static json_t *pool_json(const moho_pool_figures *p) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "active_bytes", (json_int_t)p->active_bytes,
                   "peak_bytes", (json_int_t)p->peak_bytes, "cached_bytes", (json_int_t)p->cached_bytes, "active_count",
                   (json_int_t)p->active_count, "cached_count", (json_int_t)p->cached_count, "limit_bytes",
                   (json_int_t)p->limit_bytes, "limit_count", (json_int_t)p->limit_count, "hits", (json_int_t)p->hits, "misses",
                   (json_int_t)p->misses, "evictions", (json_int_t)p->evictions, "fragmentation", p->fragmentation);
}

char *moho_metrics_json(const moho_metrics *m) {
  if (!m) return NULL;
  json_t *json = json_pack("{s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:f, s:I, s:f, s:I, s:I, s:I, s:f, s:o}", "launches",
                           (json_int_t)m->launches, "submissions", (json_int_t)m->submissions, "failures",
                           (json_int_t)m->failures, "kernel_seconds", m->kernel_seconds, "wait_seconds", m->wait_seconds,
                           "bytes_to_device", (json_int_t)m->bytes_to_device, "bytes_to_host", (json_int_t)m->bytes_to_host,
                           "bytes_on_device", (json_int_t)m->bytes_on_device, "transfer_seconds", m->transfer_seconds,
                           "allocations", (json_int_t)m->allocations, "allocation_seconds", m->allocation_seconds, "cache_hits",
                           (json_int_t)m->cache_hits, "cache_disk_hits", (json_int_t)m->cache_disk_hits, "cache_misses",
                           (json_int_t)m->cache_misses, "compile_seconds", m->compile_seconds, "pool", pool_json(&m->pool));
  char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
  json_decref(json);
  return text;
}
