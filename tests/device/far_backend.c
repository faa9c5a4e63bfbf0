/* far_backend.c - the cpu's backend at arm's length. */
#include "far_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/timer.h"
#include "test_support.h"

far_health far;
static pthread_mutex_t far_lock = PTHREAD_MUTEX_INITIALIZER;

void far_reset(void) {
  far = (far_health){.memory = (size_t)1 << 30, .live_states = far.live_states};
}

moho_device *far_open(int check) {
  moho_device *device;
  moho_device_uri uri = {.backend = "far", .ordinal = -1, .simd = -1, .check = check};
  assert_ok(moho_device_open_backend(&far_backend, &uri, "", &device));
  return device;
}

static size_t count(char *reason, size_t capacity) {
  if (capacity) *reason = '\0';
  return 1;
}

static moho_status open_far(const moho_device_uri *uri, void **state, moho_device_report *report) {
  if (far.refuse_open) return moho_fail(MOHO_ERROR_DEVICE, "far: the cable is unplugged");
  MOHO_TRY(moho_backend_cpu.open(uri, state, report));
  report->zero_copy = report->unified_memory = 0;
  report->largest_buffer = (size_t)1 << 40;
  far.live_states++;
  return MOHO_OK;
}

static void close_far(void *state) {
  far.live_states--;
  moho_backend_cpu.close(state);
}

static void refresh(void *state, moho_device_report *report) {
  (void)state;
  report->memory_free_bytes = far.memory - far.held;
}

/* The block's handle is the cpu's block, whose host pointer nobody else sees. */
static moho_status allocate(void *state, size_t bytes, moho_memory memory, moho_block *out) {
  moho_block *inner = calloc(1, sizeof *inner);
  pthread_mutex_lock(&far_lock);
  int fits = bytes <= far.memory - far.held;
  if (fits) far.held += bytes, far.allocations++;
  if (far.most < far.held) far.most = far.held;
  pthread_mutex_unlock(&far_lock);
  if (!fits || moho_backend_cpu.allocate(state, bytes, memory, inner)) {
    free(inner);
    return moho_fail(MOHO_ERROR_MEMORY, "far: no room on the shelf");
  }
  *out = (moho_block){.handle = inner, .host = memory == MOHO_MEMORY_HOST ? inner->host : NULL, .bytes = bytes};
  return MOHO_OK;
}

static moho_status wrap(void *state, void *host, size_t bytes, moho_block *out) {
  (void)state, (void)host, (void)bytes, (void)out;
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "far: cannot wrap");
}

static void release(void *state, moho_block *block) {
  pthread_mutex_lock(&far_lock);
  far.held -= block->bytes;
  pthread_mutex_unlock(&far_lock);
  moho_backend_cpu.release(state, block->handle);
  free(block->handle);
}

static moho_span inner_span(moho_span span) {
  if (span.block) span.block = span.block->handle;
  return span;
}

enum { FAR_COMMANDS = 64 };

static moho_status submit(void *queue, const moho_submission *submission) {
  static _Thread_local moho_span spans[FAR_COMMANDS][MOHO_LAUNCH_BUFFERS];
  moho_command commands[FAR_COMMANDS];
  if (submission->n_commands > FAR_COMMANDS) return moho_fail(MOHO_ERROR_INTERNAL, "far: too many commands for a test");
  __atomic_fetch_add(&far.transfers, 1, __ATOMIC_RELAXED);
  if (far.lose) return moho_fail(MOHO_ERROR_LOST, "far: fallen off the bus");
  if (far.refuse_submit) {
    far.refuse_submit = 0;
    return moho_fail(MOHO_ERROR_DEVICE, "far: the line is busy");
  }
  for (size_t i = 0; i < submission->n_commands; i++) {
    commands[i] = submission->commands[i];
    commands[i].to = inner_span(commands[i].to);
    commands[i].from = inner_span(commands[i].from);
    for (size_t k = 0; k < commands[i].n_buffers; k++) spans[i][k] = inner_span(commands[i].buffers[k]);
    commands[i].buffers = spans[i];
  }
  moho_submission inner = *submission;
  inner.commands = commands;
  return moho_backend_cpu.submit(queue, &inner);
}

static moho_status wait_far(void *queue, uint64_t ticket, double timeout_s) {
  double end = moho_seconds() + timeout_s;
  while (__atomic_load_n(&far.hold, __ATOMIC_ACQUIRE)) {
    if (timeout_s >= 0 && moho_seconds() >= end) return MOHO_ERROR_TIMEOUT;
    nanosleep(&(struct timespec){0, 100000}, NULL);
  }
  return moho_backend_cpu.wait(queue, ticket, timeout_s);
}

static moho_status compile(void *state, const moho_unit *unit, moho_pipeline *out) {
  __atomic_fetch_add(&far.compiling, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&far.hold_compile, __ATOMIC_ACQUIRE)) nanosleep(&(struct timespec){0, 100000}, NULL);
  moho_status status = far.refuse_compile ? moho_fail(MOHO_ERROR_NOT_AVAILABLE, "far: no compiler for %s", unit->name)
                                          : moho_backend_cpu.compile(state, unit, out);
  __atomic_fetch_sub(&far.compiling, 1, __ATOMIC_ACQ_REL);
  return status;
}

static void release_pipeline(void *state, moho_pipeline *pipeline) {
  moho_backend_cpu.release_pipeline(state, pipeline);
}

static void collect(void *queue, uint64_t ticket, moho_outcome *outcome) {
  moho_backend_cpu.collect(queue, ticket, outcome);
  if (!far.kill && far.kill_ticket != ticket) return;
  far.kill = 0;
  far.kill_ticket = 0;
  outcome->status = moho_fail(MOHO_ERROR_DEVICE, "far: the command was killed");
  outcome->error = *moho_last_error();
}

static moho_status queue_create(void *state, void **queue) {
  return moho_backend_cpu.queue_create(state, queue);
}

static void queue_destroy(void *queue) {
  moho_backend_cpu.queue_destroy(queue);
}

const moho_backend far_backend = {
    .name = "far",
    .count = count,
    .open = open_far,
    .close = close_far,
    .refresh = refresh,
    .allocate = allocate,
    .wrap = wrap,
    .release = release,
    .compile = compile,
    .release_pipeline = release_pipeline,
    .queue_create = queue_create,
    .queue_destroy = queue_destroy,
    .submit = submit,
    .wait = wait_far,
    .collect = collect,
};
