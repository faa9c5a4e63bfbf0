/* far_backend.c - the cpu's backend at arm's length. */
#include "far_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static moho_status submit(void *queue, const moho_submission *submission) {
  moho_command commands[16];
  if (submission->n_commands > 16) return moho_fail(MOHO_ERROR_INTERNAL, "far: too many commands for a test");
  far.transfers++;
  if (far.lose) return moho_fail(MOHO_ERROR_LOST, "far: fallen off the bus");
  for (size_t i = 0; i < submission->n_commands; i++) {
    commands[i] = submission->commands[i];
    commands[i].to = inner_span(commands[i].to);
    commands[i].from = inner_span(commands[i].from);
  }
  moho_submission inner = *submission;
  inner.commands = commands;
  return moho_backend_cpu.submit(queue, &inner);
}

static moho_status wait_far(void *queue, uint64_t ticket, double timeout_s) {
  return moho_backend_cpu.wait(queue, ticket, timeout_s);
}

static void collect(void *queue, uint64_t ticket, moho_outcome *outcome) {
  moho_backend_cpu.collect(queue, ticket, outcome);
  if (!far.kill) return;
  far.kill = 0;
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
    .queue_create = queue_create,
    .queue_destroy = queue_destroy,
    .submit = submit,
    .wait = wait_far,
    .collect = collect,
};
