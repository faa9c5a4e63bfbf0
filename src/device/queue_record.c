/* queue_record.c - commands are checked and noted down; nothing reaches the device yet.
 *
 * A command is one piece of memory with its bindings, spans and parameters, and holds a reference to whatever it names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/queue_core.h"

/* Groups along an axis that every device takes (CUDA's limits are the narrowest). */
#define MOST_GROUPS_X 2147483647u
#define MOST_GROUPS_Y 65535u

static moho_status new_command(moho_command_kind kind, size_t extra, moho_recorded **out) {
  MOHO_TRY(moho_allocate(1, sizeof(moho_recorded) + extra, "a queue's command", out));
  (*out)->command.kind = kind;
  return MOHO_OK;
}

static void add(moho_queue *queue, moho_recorded *command) {
  if (queue->last) queue->last->next = command;
  else queue->first = command;
  queue->last = command;
}

/* ---- transfers ---- */

static moho_status check_range(const moho_queue *queue, const moho_buffer *buffer, const char *what, size_t offset,
                               size_t bytes) {
  MOHO_TRY(moho_buffer_check_use(buffer, queue->handle.device, what));
  return moho_buffer_check_range(buffer, what, offset, bytes);
}

/* Nothing to move is nothing to do: backends see no empty commands. */
static moho_status add_transfer(moho_queue *queue, moho_command_kind kind, moho_buffer *to, size_t to_offset, moho_buffer *from,
                                size_t from_offset, size_t bytes, void *host, uint32_t word) {
  if (!bytes) return MOHO_OK;
  moho_recorded *made;
  MOHO_TRY(new_command(kind, 0, &made));
  moho_command *command = &made->command;
  command->bytes = bytes;
  command->host = host;
  command->word = word;
  if (to) {
    moho_buffer_retain(made->to = to);
    command->to = moho_buffer_span(to, to_offset, bytes);
  }
  if (from) {
    moho_buffer_retain(made->from = from);
    command->from = moho_buffer_span(from, from_offset, bytes);
  }
  add(queue, made);
  return MOHO_OK;
}

moho_status moho_queue_write(moho_queue *queue, moho_buffer *to, size_t offset, const void *from, size_t bytes) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  MOHO_TRY(check_range(queue, to, "write", offset, bytes));
  MOHO_TRY(moho_buffer_check_host("write", from, bytes));
  return add_transfer(queue, MOHO_COMMAND_WRITE, to, offset, NULL, 0, bytes, (void *)(uintptr_t)from, 0);
}

moho_status moho_queue_read(moho_queue *queue, moho_buffer *from, size_t offset, void *to, size_t bytes) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  MOHO_TRY(check_range(queue, from, "read", offset, bytes));
  MOHO_TRY(moho_buffer_check_host("read", to, bytes));
  return add_transfer(queue, MOHO_COMMAND_READ, NULL, 0, from, offset, bytes, to, 0);
}

moho_status moho_queue_copy(moho_queue *queue, moho_buffer *to, size_t to_offset, moho_buffer *from, size_t from_offset,
                            size_t bytes) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  MOHO_TRY(moho_buffer_check_use(to, queue->handle.device, "copy, to"));
  MOHO_TRY(moho_buffer_check_use(from, queue->handle.device, "copy, from"));
  MOHO_TRY(moho_buffer_check_copy(to, to_offset, from, from_offset, bytes));
  return add_transfer(queue, MOHO_COMMAND_COPY, to, to_offset, from, from_offset, bytes, NULL, 0);
}

moho_status moho_queue_fill(moho_queue *queue, moho_buffer *buffer, size_t offset, size_t bytes, uint32_t word) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  MOHO_TRY(moho_buffer_check_use(buffer, queue->handle.device, "fill"));
  MOHO_TRY(moho_buffer_check_fill(buffer, offset, bytes));
  return add_transfer(queue, MOHO_COMMAND_FILL, buffer, offset, NULL, 0, bytes, NULL, word);
}

/* ---- launches ---- */

static moho_status check_lanes(const moho_kernel *kernel, const moho_launch *launch) {
  uint32_t most = moho_kernel_lanes_limit(kernel);
  if (launch->lanes > most)
    return moho_fail_at((moho_place){0}, "lanes 0 takes a size that suits kernel and device", MOHO_ERROR_RANGE,
                        "kernel %s: %u lanes a group, at most %u on %s", kernel->name, launch->lanes, most,
                        kernel->handle.device->report.uri);
  return MOHO_OK;
}

static moho_status check_grid(const moho_kernel *kernel, const moho_launch *launch, uint32_t lanes) {
  uint32_t x = launch->groups[0], y = launch->groups[1];
  if (!x) return moho_fail(MOHO_ERROR_RANGE, "kernel %s: a grid of 0 groups, expected at least 1", kernel->name);
  if (x > MOST_GROUPS_X || y > MOST_GROUPS_Y || (uint64_t)x * lanes > UINT32_MAX)
    return moho_fail_at(
        (moho_place){0}, "the grid counts groups, not lanes; cut longer work into several launches", MOHO_ERROR_RANGE,
        "kernel %s: a grid of %u x %u groups of %u lanes, at most %u x %u groups and 2^32-1 lanes along the first", kernel->name,
        x, y, lanes, MOST_GROUPS_X, MOST_GROUPS_Y);
  return MOHO_OK;
}

static moho_status check_group_memory(const moho_kernel *kernel, size_t bytes) {
  size_t fixed = kernel->pipeline->group_memory, most = kernel->handle.device->report.group_memory;
  if (bytes % 16)
    return moho_fail(MOHO_ERROR_RANGE, "kernel %s: %zu bytes of group memory, expected a multiple of 16", kernel->name, bytes);
  if (bytes > most || fixed > most - bytes)
    return moho_fail(MOHO_ERROR_RANGE, "kernel %s: %zu bytes of group memory and %zu of its own, at most %zu on %s", kernel->name,
                     bytes, fixed, most, kernel->handle.device->report.uri);
  if (kernel->signature.known && bytes && !kernel->uses_group)
    return moho_fail_at((moho_place){0}, "write KERNEL_GROUP in its text", MOHO_ERROR_RANGE,
                        "kernel %s: %zu bytes of group memory for a kernel that has none", kernel->name, bytes);
  if (kernel->uses_group && !bytes)
    return moho_fail(MOHO_ERROR_RANGE, "kernel %s is a KERNEL_GROUP: its group_memory must be given, got 0 bytes", kernel->name);
  return MOHO_OK;
}

static moho_status check_parameters(const moho_kernel *kernel, const moho_launch *launch) {
  size_t bytes = launch->parameter_bytes;
  if (!launch->parameters != !bytes)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: %zu bytes of parameters at %s", kernel->name, bytes,
                     launch->parameters ? "an address" : "NULL");
  if (bytes > MOHO_LAUNCH_PARAMETER_BYTES || bytes % 4)
    return moho_fail(MOHO_ERROR_RANGE, "kernel %s: %zu bytes of parameters, expected a multiple of 4, at most %d", kernel->name,
                     bytes, MOHO_LAUNCH_PARAMETER_BYTES);
  if (kernel->signature.known && kernel->signature.has_parameters != (bytes > 0))
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: its text has %s PARAM, got %zu bytes of parameters", kernel->name,
                     kernel->signature.has_parameters ? "a" : "no", bytes);
  return MOHO_OK;
}

static moho_status check_buffers(const moho_kernel *kernel, const moho_launch *launch) {
  const moho_signature *signature = &kernel->signature;
  size_t n = launch->n_buffers;
  if (n > MOHO_LAUNCH_BUFFERS || (n && !launch->buffers))
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: %zu buffers at %s, at most %d", kernel->name, n,
                     launch->buffers ? "an address" : "NULL", MOHO_LAUNCH_BUFFERS);
  if (signature->known && n != signature->n_buffers)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: got %zu buffers, its text has %zu", kernel->name, n, signature->n_buffers);
  for (size_t i = 0; i < n; i++) {
    const moho_binding *binding = &launch->buffers[i];
    char what[140], *name = what;
    name += snprintf(what, sizeof what, "kernel %s, binding %zu", kernel->name, i);
    if (signature->known) snprintf(name, sizeof what - (size_t)(name - what), " (%s)", signature->names[i]);
    if (!binding->buffer) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: no buffer, got NULL", what);
    MOHO_TRY(moho_buffer_check_use(binding->buffer, kernel->handle.device, what));
    if (binding->offset % 16)
      return moho_fail(MOHO_ERROR_ARGUMENT, "%s: offset %zu, expected a multiple of 16", what, binding->offset);
    if (binding->offset >= binding->buffer->bytes)
      return moho_fail(MOHO_ERROR_RANGE, "%s: offset %zu is past the end of a buffer of %zu bytes", what, binding->offset,
                       binding->buffer->bytes);
  }
  return MOHO_OK;
}

/* Everything was checked: the launch in one piece of memory, holding its kernel and buffers. */
static moho_status copy_launch(const moho_launch *launch, moho_kernel *kernel, uint32_t lanes, moho_recorded **out) {
  size_t n = launch->n_buffers, head = moho_round_up(sizeof(moho_recorded), 16),
         bindings = moho_round_up(n * sizeof(moho_binding), 16), spans = moho_round_up(n * sizeof(moho_span), 16);
  moho_recorded *made;
  MOHO_TRY(new_command(MOHO_COMMAND_LAUNCH, head - sizeof *made + bindings + spans + launch->parameter_bytes, &made));
  char *memory = (char *)made + head;
  moho_span *places = (moho_span *)(void *)(memory + bindings);
  made->bindings = (moho_binding *)(void *)memory;
  made->n_bindings = n;
  for (size_t i = 0; i < n; i++) {
    const moho_binding *binding = &launch->buffers[i];
    made->bindings[i] = *binding;
    moho_buffer_retain(binding->buffer);
    places[i] = moho_buffer_span(binding->buffer, binding->offset, binding->buffer->bytes - binding->offset);
  }
  moho_handle_retain(made->kernel = kernel);
  char *parameters = memory + bindings + spans;
  if (launch->parameter_bytes) memcpy(parameters, launch->parameters, launch->parameter_bytes);
  moho_command *command = &made->command;
  command->name = kernel->name;
  command->pipeline = kernel->pipeline;
  command->buffers = places;
  command->n_buffers = (uint32_t)n;
  command->groups[0] = launch->groups[0];
  command->groups[1] = launch->groups[1] ? launch->groups[1] : 1;
  command->lanes = lanes;
  command->parameters = launch->parameter_bytes ? parameters : NULL;
  command->parameter_bytes = (uint32_t)launch->parameter_bytes;
  command->group_memory = (uint32_t)launch->group_memory;
  *out = made;
  return MOHO_OK;
}

moho_status moho_queue_launch(moho_queue *queue, const moho_launch *launch) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  if (!launch) return moho_fail(MOHO_ERROR_ARGUMENT, "queue: nothing to launch, got NULL");
  MOHO_TRY(moho_handle_check(launch->kernel, MOHO_KIND_KERNEL));
  moho_kernel *kernel = (moho_kernel *)(uintptr_t)launch->kernel; /* its count of references changes, no more */
  if (kernel->handle.device != queue->handle.device)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s belongs to another device than the queue", kernel->name);
  uint32_t lanes = launch->lanes ? launch->lanes : moho_kernel_preferred_lanes(kernel);
  MOHO_TRY(check_lanes(kernel, launch));
  MOHO_TRY(check_grid(kernel, launch, lanes));
  MOHO_TRY(check_group_memory(kernel, launch->group_memory));
  MOHO_TRY(check_parameters(kernel, launch));
  MOHO_TRY(check_buffers(kernel, launch));
  moho_recorded *made;
  MOHO_TRY(copy_launch(launch, kernel, lanes, &made));
  add(queue, made);
  return MOHO_OK;
}

/* ---- after ---- */

moho_status moho_queue_after(moho_queue *queue, moho_queue *other, moho_ticket ticket) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  MOHO_TRY(moho_handle_check(other, MOHO_KIND_QUEUE));
  if (queue->handle.device != other->handle.device)
    return moho_fail_at((moho_place){0}, "wait for the ticket on the host", MOHO_ERROR_ARGUMENT,
                        "queue: it cannot come after a ticket of another device's queue");
  pthread_mutex_lock(&other->lock);
  uint64_t submitted = other->submitted, collected = other->collected;
  pthread_mutex_unlock(&other->lock);
  if (ticket > submitted)
    return moho_fail_at((moho_place){0}, "submit the other queue's work first", MOHO_ERROR_ARGUMENT,
                        "queue: ticket %llu of the other queue was not submitted yet, its last is %llu",
                        (unsigned long long)ticket, (unsigned long long)submitted);
  if (ticket <= collected || queue == other) return MOHO_OK;
  moho_recorded *made;
  MOHO_TRY(new_command(MOHO_COMMAND_AFTER, 0, &made));
  moho_handle_retain(made->other = other);
  made->command.other_queue = other->state;
  made->command.other_ticket = ticket;
  add(queue, made);
  return MOHO_OK;
}

/* ---- what commands hold ---- */

static void release_one(moho_recorded *command, int submitted) {
  for (size_t i = 0; i < command->n_bindings; i++) {
    if (submitted) moho_buffer_collected(command->bindings[i].buffer);
    moho_buffer_release(command->bindings[i].buffer);
  }
  moho_buffer *ends[2] = {command->to, command->from};
  for (int i = 0; i < 2; i++) {
    if (ends[i] && submitted) moho_buffer_collected(ends[i]);
    if (ends[i]) moho_buffer_release(ends[i]);
  }
  if (command->kernel) moho_kernel_dismantle(command->kernel);
  if (command->other) moho_queue_release(command->other);
  free(command);
}

void moho_recorded_release(moho_recorded *commands, int submitted) {
  for (moho_recorded *next; commands; commands = next) {
    next = commands->next;
    release_one(commands, submitted);
  }
}

/* Every buffer that commands name, each time they do. */
static void for_buffers(moho_recorded *commands, void (*act)(moho_buffer *)) {
  for (; commands; commands = commands->next) {
    for (size_t i = 0; i < commands->n_bindings; i++) act(commands->bindings[i].buffer);
    if (commands->to) act(commands->to);
    if (commands->from) act(commands->from);
  }
}

static int is_mapped(const moho_buffer *buffer) {
  return buffer && __atomic_load_n(&buffer->mapped, __ATOMIC_SEQ_CST);
}

static int any_mapped(const moho_recorded *commands) {
  for (; commands; commands = commands->next) {
    for (size_t i = 0; i < commands->n_bindings; i++)
      if (is_mapped(commands->bindings[i].buffer)) return 1;
    if (is_mapped(commands->to) || is_mapped(commands->from)) return 1;
  }
  return 0;
}

void moho_recorded_unmark(moho_recorded *commands) {
  for_buffers(commands, moho_buffer_collected);
}

/* Marked first, looked at then: who maps does it the other way round, so that one of both notices. */
moho_status moho_recorded_mark(moho_recorded *commands) {
  for_buffers(commands, moho_buffer_submitted);
  if (!any_mapped(commands)) return MOHO_OK;
  moho_recorded_unmark(commands);
  return moho_fail_at((moho_place){0}, "unmap it, then submit again", MOHO_ERROR_ARGUMENT,
                      "queue: a buffer of the recorded work is mapped now, nothing was submitted");
}

void moho_recorded_count(moho_device *device, const moho_recorded *commands) {
  moho_metrics *count = moho_metrics_lock(device);
  count->submissions++;
  for (; commands; commands = commands->next) {
    moho_command_kind kind = commands->command.kind;
    size_t bytes = commands->command.bytes;
    if (kind == MOHO_COMMAND_LAUNCH) count->launches++;
    else if (kind == MOHO_COMMAND_WRITE) count->bytes_to_device += bytes;
    else if (kind == MOHO_COMMAND_READ) count->bytes_to_host += bytes;
    else if (kind != MOHO_COMMAND_AFTER) count->bytes_on_device += bytes;
  }
  moho_metrics_unlock(device);
}
