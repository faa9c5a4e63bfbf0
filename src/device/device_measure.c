/* device_measure.c - what a device does a second, measured through the runtime itself as any program meets it. */
#include <stdlib.h>

#include "base/timer.h"
#include "device/cpu/measure_fma.h"
#include "device/device_core.h"
#include "kernels/kern.h"
#include "kernels/measure.k"

extern const char moho_text_measure[];

static const moho_kernel_definition definitions[] = {
    {.name = "measure_fma",
     .text = moho_text_measure,
     .c = KERN_C_FUNCTION(measure_fma),
     .max_lanes = KERN_MAX_LANES(measure_fma),
     .native = moho_measure_fma_native},
    {.name = "measure_nothing",
     .text = moho_text_measure,
     .c = KERN_C_FUNCTION(measure_nothing),
     .max_lanes = KERN_MAX_LANES(measure_nothing)},
};

enum { REPEATS = 5, LAUNCHES = 101, MEASURE_LANES = 256 };
#define LARGEST_COPY ((size_t)256 << 20)
#define LONG_ENOUGH_S 0.02

typedef struct measuring {
  moho_device *device;
  moho_device_report report;
  moho_queue *queue;
  moho_kernel *fma, *nothing;
  moho_buffer *from, *to, *host, *out;
  size_t copy_bytes;
  uint32_t groups;
} measuring;

static moho_status finish(moho_queue *queue) {
  moho_ticket ticket;
  MOHO_TRY(moho_queue_submit(queue, &ticket));
  return moho_queue_wait(queue, ticket, -1);
}

/* ---- copies ---- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *seconds, size_t n) {
  qsort(seconds, n, sizeof *seconds, by_value);
  return seconds[n / 2];
}

/* The first one meets cold memory and is not counted. */
static moho_status copy_seconds(measuring *m, moho_buffer *to, moho_buffer *from, double *out) {
  double seconds[REPEATS + 1];
  for (int i = 0; i <= REPEATS; i++) {
    MOHO_TRY(moho_queue_copy(m->queue, to, 0, from, 0, m->copy_bytes));
    double began = moho_seconds();
    MOHO_TRY(finish(m->queue));
    seconds[i] = moho_seconds() - began;
  }
  *out = median(seconds + 1, REPEATS);
  return MOHO_OK;
}

static moho_status rates_of_copies(measuring *m, moho_device_rates *out) {
  double bytes = (double)m->copy_bytes, seconds;
  MOHO_TRY(copy_seconds(m, m->to, m->from, &seconds));
  out->copy_bytes_per_s = 2 * bytes / seconds;
  MOHO_TRY(copy_seconds(m, m->to, m->host, &seconds));
  out->upload_bytes_per_s = bytes / seconds;
  MOHO_TRY(copy_seconds(m, m->host, m->to, &seconds));
  out->download_bytes_per_s = bytes / seconds;
  return MOHO_OK;
}

/* ---- launches ---- */

static moho_status launch_seconds(measuring *m, const moho_kernel *kernel, uint32_t groups, uint32_t rounds, double *out) {
  moho_binding binding = {m->out, 0};
  measure_parameters parameters = {rounds, 0.999f, 0.001f, (uint32_t)moho_device_simd(m->device)};
  double began = moho_seconds();
  moho_launch launch = {.kernel = kernel,
                        .buffers = &binding,
                        .n_buffers = 1,
                        .parameters = &parameters,
                        .parameter_bytes = sizeof parameters,
                        .groups = {groups, 1},
                        .lanes = MEASURE_LANES};
  MOHO_TRY(moho_queue_launch(m->queue, &launch));
  MOHO_TRY(finish(m->queue));
  *out = moho_seconds() - began;
  return MOHO_OK;
}

static moho_status time_of_launch(measuring *m, moho_device_rates *out) {
  double seconds[LAUNCHES];
  for (int i = 0; i < LAUNCHES; i++) MOHO_TRY(launch_seconds(m, m->nothing, 1, 0, &seconds[i]));
  out->launch_s = median(seconds, LAUNCHES);
  return MOHO_OK;
}

/* Rounds are doubled until a launch is long beside its overhead, yet no longer than the device likes. */
static moho_status rate_of_fma(measuring *m, moho_device_rates *out) {
  double seconds = 0, most = 0.25 * m->report.launch_seconds, enough = LONG_ENOUGH_S < most ? LONG_ENOUGH_S : most;
  uint32_t rounds = 128;
  for (; rounds < 1u << 30; rounds *= 2) {
    MOHO_TRY(launch_seconds(m, m->fma, m->groups, rounds, &seconds));
    if (seconds >= enough) break;
  }
  double repeats[REPEATS], fmas = (double)m->groups * MEASURE_LANES * MEASURE_CHAINS * rounds;
  for (int i = 0; i < REPEATS; i++) MOHO_TRY(launch_seconds(m, m->fma, m->groups, rounds, &repeats[i]));
  out->fma_per_s = fmas / median(repeats, REPEATS);
  return MOHO_OK;
}

/* ---- */

static moho_status prepare(measuring *m) {
  size_t eighth = m->report.memory_free_bytes / 8;
  m->copy_bytes = (eighth < LARGEST_COPY ? eighth : LARGEST_COPY) / 4096 * 4096;
  if (m->report.largest_buffer && m->copy_bytes > m->report.largest_buffer)
    m->copy_bytes = m->report.largest_buffer / 4096 * 4096;
  if (m->copy_bytes < 4096)
    return moho_fail_at((moho_place){.key = "device"}, "measure when less is in use", MOHO_ERROR_MEMORY,
                        "%s: too little memory is free to measure copies", m->report.uri);
  m->groups = 64 * (uint32_t)(m->report.multiprocessors > 0 ? m->report.multiprocessors : 16);
  for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) MOHO_TRY(moho_kernel_register(&definitions[i]));
  MOHO_TRY(moho_queue_create(m->device, &m->queue));
  MOHO_TRY(moho_kernel_create(m->device, &(moho_kernel_options){.name = "measure_fma"}, &m->fma));
  MOHO_TRY(moho_kernel_create(m->device, &(moho_kernel_options){.name = "measure_nothing"}, &m->nothing));
  MOHO_TRY(moho_buffer_create(m->device, m->copy_bytes, MOHO_MEMORY_DEVICE, &m->from));
  MOHO_TRY(moho_buffer_create(m->device, m->copy_bytes, MOHO_MEMORY_DEVICE, &m->to));
  MOHO_TRY(moho_buffer_create(m->device, m->copy_bytes, MOHO_MEMORY_HOST, &m->host));
  MOHO_TRY(moho_buffer_create(m->device, (size_t)m->groups * MEASURE_LANES * sizeof(float), MOHO_MEMORY_DEVICE, &m->out));
  MOHO_TRY(moho_buffer_fill(m->from, 0, m->copy_bytes, 0));
  return moho_buffer_fill(m->host, 0, m->copy_bytes, 0);
}

static void clean_up(measuring *m) {
  moho_queue_destroy(&m->queue);
  moho_kernel_destroy(&m->fma);
  moho_kernel_destroy(&m->nothing);
  moho_buffer_destroy(&m->from);
  moho_buffer_destroy(&m->to);
  moho_buffer_destroy(&m->host);
  moho_buffer_destroy(&m->out);
}

static moho_status measure(measuring *m, moho_device_rates *out) {
  MOHO_TRY(prepare(m));
  MOHO_TRY(rates_of_copies(m, out));
  MOHO_TRY(time_of_launch(m, out));
  return rate_of_fma(m, out);
}

moho_status moho_device_measure(moho_device *device, moho_device_rates *out) {
  measuring m = {.device = device};
  MOHO_TRY(moho_device_describe(device, &m.report));
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "measure: nowhere to put the rates, got NULL");
  if (device->check)
    return moho_fail_at((moho_place){.key = "device"}, "open the device without check=1", MOHO_ERROR_ARGUMENT,
                        "%s: it would be the checking mode that is measured", m.report.uri);
  moho_device_rates rates = {0};
  moho_status status = measure(&m, &rates);
  moho_error error = moho_error_take();
  clean_up(&m);
  if (status) return moho_error_set(&error);
  *out = rates;
  return MOHO_OK;
}
