/* prepared.c - plans kept and run: now on the cpu by the caller's thread, or through a queue. */
#include "tensor/prepared.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/device_core.h"
#include "tensor/operation_table.h"

typedef struct planned_step {
  moho_step step;
  moho_kernel *kernel; /* NULL until it is recorded */
} planned_step;

struct moho_prepared {
  moho_device *device;
  planned_step *steps;
  size_t n, capacity;
  moho_buffer **temporaries;
  size_t n_temporaries;
  int runs_here; /* native functions on the caller's thread */
  moho_buffer *fault;
  moho_status fault_code;
  const char *fault_words;
};

/* ---- planning ---- */

moho_status moho_prepared_create(moho_device *device, moho_prepared **out) {
  MOHO_TRY(moho_allocate(1, sizeof **out, "a prepared call", out));
  (*out)->device = device;
  (*out)->runs_here = device->report.has_native && device->report.unified_memory && !device->check;
  return MOHO_OK;
}

moho_status moho_prepared_add(moho_prepared *prepared, const moho_step *step) {
  if (prepared->n == prepared->capacity) {
    size_t capacity = prepared->capacity ? 2 * prepared->capacity : 2;
    planned_step *steps = realloc(prepared->steps, capacity * sizeof *steps);
    if (!steps) return moho_fail(MOHO_ERROR_MEMORY, "a prepared call: no memory for %zu steps", capacity);
    prepared->steps = steps;
    prepared->capacity = capacity;
  }
  void *parameters = NULL;
  if (step->parameter_bytes) {
    MOHO_TRY(moho_allocate(1, step->parameter_bytes, "a step's parameters", &parameters));
    memcpy(parameters, step->parameters, step->parameter_bytes);
  }
  prepared->steps[prepared->n] = (planned_step){.step = *step};
  prepared->steps[prepared->n++].step.parameters = parameters;
  return MOHO_OK;
}

moho_status moho_prepared_temporary(moho_prepared *prepared, size_t bytes, moho_buffer **out) {
  moho_buffer **longer = realloc(prepared->temporaries, (prepared->n_temporaries + 1) * sizeof(moho_buffer *));
  if (!longer) return moho_fail(MOHO_ERROR_MEMORY, "a prepared call: no memory for its temporaries");
  prepared->temporaries = longer;
  MOHO_TRY(moho_buffer_create(prepared->device, moho_round_up(bytes, 16), MOHO_MEMORY_DEVICE, out));
  prepared->temporaries[prepared->n_temporaries++] = *out;
  return MOHO_OK;
}

moho_status moho_prepared_fault_word(moho_prepared *prepared, moho_status code, const char *words, moho_buffer **out) {
  MOHO_TRY(moho_prepared_temporary(prepared, 16, out));
  prepared->fault = *out;
  prepared->fault_code = code;
  prepared->fault_words = words;
  return MOHO_OK;
}

moho_device *moho_prepared_device(const moho_prepared *prepared) {
  return prepared->device;
}

moho_status moho_prepared_destroy(moho_prepared **pointer) {
  if (!pointer || !*pointer) return MOHO_OK;
  moho_prepared *prepared = *pointer;
  *pointer = NULL;
  for (size_t i = 0; i < prepared->n; i++) {
    moho_kernel_destroy(&prepared->steps[i].kernel);
    free((void *)(uintptr_t)prepared->steps[i].step.parameters);
  }
  for (size_t i = 0; i < prepared->n_temporaries; i++) moho_buffer_destroy(&prepared->temporaries[i]);
  free(prepared->temporaries);
  free(prepared->steps);
  free(prepared);
  return MOHO_OK;
}

moho_status moho_tensor_prepare(const moho_tensor_call *call, moho_prepared **out) {
  const moho_operation_entry *entry;
  moho_device *device;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: nowhere to put the prepared call, got NULL");
  *out = NULL;
  MOHO_TRY(moho_operation_check(call, &entry, &device));
  MOHO_TRY(moho_prepared_create(device, out));
  moho_status status = entry->plan(entry, call, *out);
  if (status) moho_prepared_destroy(out);
  return status;
}

moho_status moho_tensor_check(const moho_tensor_call *call) {
  moho_prepared *prepared;
  MOHO_TRY(moho_tensor_prepare(call, &prepared));
  return moho_prepared_destroy(&prepared);
}

/* ---- now, on the cpu ---- */

static moho_status run_step_here(const moho_prepared *prepared, const moho_step *step) {
  static const uint32_t one_group[2] = {1, 1};
  void *buffers[MOHO_STEP_BINDINGS];
  for (size_t i = 0; i < step->n_bindings; i++) {
    const moho_binding *binding = &step->bindings[i];
    MOHO_TRY(moho_buffer_check_use(binding->buffer, prepared->device, step->definition->name));
    moho_buffer_settle(binding->buffer);
    buffers[i] = (char *)binding->buffer->block->host + binding->buffer->start + binding->offset;
  }
  step->definition->native(buffers, step->parameters, one_group, 1);
  return MOHO_OK;
}

static moho_status fault_met(const moho_prepared *prepared, uint32_t word) {
  return word ? moho_fail(prepared->fault_code, "%s", prepared->fault_words) : MOHO_OK;
}

moho_status moho_tensor_fault(moho_prepared *prepared) {
  uint32_t word = 0;
  if (!prepared) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: no prepared call, got NULL");
  if (prepared->fault) MOHO_TRY(moho_buffer_read(prepared->fault, 0, &word, sizeof word));
  return fault_met(prepared, word);
}

static moho_status run_here(moho_prepared *prepared) {
  if (prepared->fault) MOHO_TRY(moho_buffer_fill(prepared->fault, 0, 16, 0));
  for (size_t i = 0; i < prepared->n; i++) MOHO_TRY(run_step_here(prepared, &prepared->steps[i].step));
  return prepared->fault ? moho_tensor_fault(prepared) : MOHO_OK;
}

/* ---- through a queue ---- */

static moho_status compile(const moho_prepared *prepared, planned_step *planned) {
  const moho_step *step = &planned->step;
  if (planned->kernel) return MOHO_OK;
  MOHO_TRY(moho_kernel_register(step->definition));
  const moho_kernel_options options = {
      .name = step->definition->name, .constants = step->constants, .n_constants = step->n_constants};
  return moho_kernel_create(prepared->device, &options, &planned->kernel);
}

static moho_status record_step(const moho_prepared *prepared, planned_step *planned, moho_queue *queue) {
  const moho_step *step = &planned->step;
  MOHO_TRY(compile(prepared, planned));
  moho_launch launch = {.kernel = planned->kernel,
                        .buffers = step->bindings,
                        .n_buffers = step->n_bindings,
                        .parameters = step->parameters,
                        .parameter_bytes = step->parameter_bytes,
                        .groups = {step->groups[0], step->groups[1]},
                        .lanes = step->lanes,
                        .group_memory = step->group_memory};
  if (step->items) MOHO_TRY(moho_kernel_group_1d(planned->kernel, step->items, &launch.lanes, &launch.groups[0]));
  return moho_queue_launch(queue, &launch);
}

static moho_status record(moho_prepared *prepared, moho_queue *queue) {
  if (prepared->fault) MOHO_TRY(moho_queue_fill(queue, prepared->fault, 0, 16, 0));
  for (size_t i = 0; i < prepared->n; i++) MOHO_TRY(record_step(prepared, &prepared->steps[i], queue));
  return MOHO_OK;
}

static moho_status record_and_wait(moho_prepared *prepared, moho_queue *queue) {
  moho_ticket ticket;
  MOHO_TRY(record(prepared, queue));
  MOHO_TRY(moho_queue_submit(queue, &ticket));
  MOHO_TRY(moho_queue_wait(queue, ticket, -1));
  return moho_tensor_fault(prepared);
}

/* What other queues still do with the buffers comes first. */
static moho_status run_on_own_queue(moho_prepared *prepared) {
  moho_queue *queue;
  for (size_t i = 0; i < prepared->n; i++)
    for (size_t k = 0; k < prepared->steps[i].step.n_bindings; k++) {
      moho_buffer *buffer = prepared->steps[i].step.bindings[k].buffer;
      MOHO_TRY(moho_buffer_check_use(buffer, prepared->device, prepared->steps[i].step.definition->name));
      moho_buffer_settle(buffer);
    }
  MOHO_TRY(moho_queue_create(prepared->device, &queue));
  moho_status status = record_and_wait(prepared, queue);
  moho_error error = moho_error_take();
  moho_queue_destroy(&queue);
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* ---- */

moho_status moho_prepared_run(moho_prepared *prepared, moho_queue *queue) {
  if (!prepared) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: no prepared call, got NULL");
  MOHO_TRY(moho_handle_check(prepared->device, MOHO_KIND_DEVICE));
  if (queue) return record(prepared, queue);
  return prepared->runs_here ? run_here(prepared) : run_on_own_queue(prepared);
}

moho_status moho_tensor_run(moho_queue *queue, const moho_tensor_call *call) {
  moho_prepared *prepared;
  MOHO_TRY(moho_tensor_prepare(call, &prepared));
  moho_status status = moho_prepared_run(prepared, queue);
  moho_prepared_destroy(&prepared);
  return status;
}

/* ---- the calls that are needed most ---- */

moho_status moho_tensor_unary(moho_queue *queue, moho_operation operation, const moho_tensor *x, moho_tensor *out) {
  return moho_tensor_run(queue, &(moho_tensor_call){.operation = operation, .inputs = {x}, .output = out});
}

moho_status moho_tensor_binary(moho_queue *queue, moho_operation operation, const moho_tensor *a, const moho_tensor *b,
                               moho_tensor *out) {
  if (!b) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: operand b is missing, got NULL", moho_operation_name(operation));
  return moho_tensor_run(queue, &(moho_tensor_call){.operation = operation, .inputs = {a, b}, .output = out});
}

moho_status moho_tensor_scalar(moho_queue *queue, moho_operation operation, const moho_tensor *a, double s, moho_tensor *out) {
  return moho_tensor_run(queue, &(moho_tensor_call){.operation = operation, .inputs = {a}, .output = out, .scalars = {s}});
}

moho_status moho_tensor_fill(moho_queue *queue, moho_tensor *out, double value) {
  return moho_tensor_run(queue, &(moho_tensor_call){.operation = MOHO_OPERATION_FILL, .output = out, .scalars = {value}});
}

moho_status moho_tensor_reduce(moho_queue *queue, moho_operation operation, const moho_tensor *x, int axis, moho_tensor *out) {
  return moho_tensor_run(queue, &(moho_tensor_call){.operation = operation, .inputs = {x}, .output = out, .axis = axis});
}

moho_status moho_tensor_softmax(moho_queue *queue, moho_operation operation, const moho_tensor *x, int axis, moho_tensor *out) {
  return moho_tensor_reduce(queue, operation, x, axis, out);
}

moho_status moho_tensor_norm(moho_queue *queue, moho_operation operation, const moho_tensor *x, int axis,
                             const moho_tensor *gamma, const moho_tensor *beta, double epsilon, moho_tensor *out) {
  return moho_tensor_run(
      queue,
      &(moho_tensor_call){.operation = operation, .inputs = {x, gamma, beta}, .output = out, .axis = axis, .scalars = {epsilon}});
}
