/* dispatch_measure.c - the curves of a device, measured as any caller meets them: a standard call of each group by size, alone
 * (waited for) and among several that a queue is handed together; transfers from and to plain memory. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/device_core.h"
#include "tensor/dispatcher.h"

enum { LEAST_RUNS = 3, MOST_RUNS = 15, TOGETHER = 8, ROW = 1024, TERNARY_ROWS = 8 };
#define LARGEST_BYTES ((size_t)1 << 30)
#define LARGEST_TRANSFER ((size_t)64 << 20)

/* One standard call, ready to run. */
typedef struct standard_call {
  moho_tensor tensors[3];
  moho_bitnet_weights weights;
  moho_prepared *prepared;
} standard_call;

static void release(standard_call *call) {
  moho_prepared_destroy(&call->prepared);
  for (int i = 0; i < 3; i++) moho_tensor_destroy(&call->tensors[i]);
  moho_bitnet_weights_destroy(&call->weights);
}

static moho_status make(moho_device *device, int rank, size_t rows, size_t columns, moho_tensor *out) {
  const size_t shape[2] = {rows, columns};
  MOHO_TRY(moho_tensor_create(device, MOHO_DTYPE_F32, rank, shape, out));
  return moho_tensor_fill(NULL, out, 0.25);
}

/* n elements: rows of ROW where rank is 2. */
static moho_status prepare_call(moho_device *device, moho_operation operation, int inputs, int rank, size_t n, int axis,
                                standard_call *out) {
  size_t rows = rank == 2 ? n / ROW : n;
  moho_tensor_call call = {.operation = operation, .output = &out->tensors[2], .axis = axis};
  for (int i = 0; i < inputs; i++) {
    MOHO_TRY(make(device, rank, rows, ROW, &out->tensors[i]));
    call.inputs[i] = &out->tensors[i];
  }
  MOHO_TRY(axis == MOHO_ALL_AXES ? make(device, 0, 0, 0, &out->tensors[2]) : make(device, rank, rows, ROW, &out->tensors[2]));
  return moho_tensor_prepare(&call, &out->prepared);
}

static moho_status prepare_matmul(moho_device *device, size_t side, standard_call *out) {
  for (int i = 0; i < 3; i++) MOHO_TRY(make(device, 2, side, side, &out->tensors[i]));
  return moho_matmul_prepare(&out->tensors[0], &out->tensors[1], &out->tensors[2], NULL, &out->prepared);
}

/* Weights of one value: time does not depend on it. */
static moho_status prepare_ternary(moho_device *device, size_t side, standard_call *out) {
  size_t bytes, one = 1;
  out->weights = (moho_bitnet_weights){.n = side, .k = side};
  MOHO_TRY(moho_ternary_packed_bytes(MOHO_TERNARY_LANES, side, side, &bytes));
  MOHO_TRY(moho_tensor_create(device, MOHO_DTYPE_U8, 1, &bytes, &out->weights.lanes));
  MOHO_TRY(moho_tensor_fill(NULL, &out->weights.lanes, 0x55));
  MOHO_TRY(moho_tensor_create(device, MOHO_DTYPE_F32, 1, &one, &out->weights.scales));
  MOHO_TRY(moho_tensor_fill(NULL, &out->weights.scales, 1));
  MOHO_TRY(make(device, 2, TERNARY_ROWS, side, &out->tensors[0]));
  MOHO_TRY(make(device, 2, TERNARY_ROWS, side, &out->tensors[2]));
  return moho_bitnet_prepare(&out->weights, &out->tensors[0], &out->tensors[2], NULL, &out->prepared);
}

/* Point `i` of a group: its size on the group's axis, and the bytes it takes. */
static double size_of(moho_dispatch_group group, int i, double *bytes) {
  double n = 64 * pow(4, i), side = 8 * pow(2, i);
  switch (group) {
  case MOHO_DISPATCH_ELEMENTWISE: return *bytes = 12 * n;
  case MOHO_DISPATCH_ACTIVATION: return *bytes = 8 * n;
  case MOHO_DISPATCH_REDUCTION: return *bytes = 4 * n;
  case MOHO_DISPATCH_ROWS: return *bytes = 8 * 16 * n;
  case MOHO_DISPATCH_MATMUL: *bytes = 12 * side * side; return side * side * side;
  default: side *= 8, *bytes = side * side / 4 + 64 * side; return TERNARY_ROWS * side * side;
  }
}

static moho_status prepare(moho_device *device, moho_dispatch_group group, int i, standard_call *out) {
  size_t n = (size_t)64 << (2 * i), side = (size_t)8 << i;
  switch (group) {
  case MOHO_DISPATCH_ELEMENTWISE: return prepare_call(device, MOHO_OPERATION_ADD, 2, 1, n, 0, out);
  case MOHO_DISPATCH_ACTIVATION: return prepare_call(device, MOHO_OPERATION_GELU_TANH, 1, 1, n, 0, out);
  case MOHO_DISPATCH_REDUCTION: return prepare_call(device, MOHO_OPERATION_SUM, 1, 1, n, MOHO_ALL_AXES, out);
  case MOHO_DISPATCH_ROWS: return prepare_call(device, MOHO_OPERATION_SOFTMAX, 1, 2, 16 * n, 1, out);
  case MOHO_DISPATCH_MATMUL: return prepare_matmul(device, side, out);
  default: return prepare_ternary(device, 8 * side, out);
  }
}

/* ---- the clock ---- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Something that takes time. */
typedef struct timed {
  moho_status (*run)(struct timed *t);
  moho_prepared *prepared;
  moho_queue *queue; /* NULL: now */
  const moho_tensor *tensor;
  void *host;
} timed;

static moho_status run_alone(timed *t) {
  return moho_prepared_run(t->prepared, NULL);
}

static moho_status run_together(timed *t) {
  moho_ticket ticket;
  for (int i = 0; i < TOGETHER; i++) MOHO_TRY(moho_prepared_run(t->prepared, t->queue));
  MOHO_TRY(moho_queue_submit(t->queue, &ticket));
  return moho_queue_wait(t->queue, ticket, -1);
}

static moho_status run_write(timed *t) {
  return moho_tensor_write(t->tensor, t->host);
}

static moho_status run_read(timed *t) {
  return moho_tensor_read(t->tensor, t->host);
}

/* The median of some runs after one to warm up; never 0. */
static moho_status time_of(timed *t, double enough_s, double *out) {
  double seconds[MOST_RUNS], all = 0;
  int n = 0;
  MOHO_TRY(t->run(t));
  for (; n < LEAST_RUNS || (n < MOST_RUNS && all < enough_s); n++) {
    double began = moho_seconds();
    MOHO_TRY(t->run(t));
    all += seconds[n] = moho_seconds() - began;
  }
  qsort(seconds, (size_t)n, sizeof *seconds, by_value);
  *out = fmax(seconds[n / 2], 1e-9);
  return MOHO_OK;
}

/* ---- curves ---- */

/* What a device can spare for a point. */
static double room_of(const dispatch_device *device) {
  moho_device_report report;
  if (moho_device_describe(device->device, &report)) return 0;
  double room = (double)moho_smaller(report.memory_free_bytes / 4, LARGEST_BYTES);
  return report.largest_buffer ? fmin(room, (double)report.largest_buffer) : room;
}

static moho_status time_call(standard_call *call, const dispatch_device *device, moho_queue *queue, double enough_s,
                             dispatch_curve *curve) {
  timed t = {.run = run_alone, .prepared = call->prepared, .queue = queue};
  int is_here = device->report.has_native && device->report.unified_memory;
  MOHO_TRY(time_of(&t, enough_s, &curve->alone_s[curve->n]));
  curve->among_many_s[curve->n] = curve->alone_s[curve->n];
  if (is_here) return MOHO_OK; /* its calls do not overlap */
  t.run = run_together;
  MOHO_TRY(time_of(&t, enough_s, &curve->among_many_s[curve->n]));
  curve->among_many_s[curve->n] /= TOGETHER;
  return MOHO_OK;
}

/* Sizes grow until a run takes a sixth of the budget, or there is no room. */
static moho_status measure_group(const dispatch_device *device, moho_queue *queue, moho_dispatch_group group, double budget_s,
                                 dispatch_curve *out) {
  dispatch_curve curve = {.n = 0};
  moho_status status = MOHO_OK;
  for (int i = 0; !status && curve.n < 12; i++) {
    double bytes, size = size_of(group, i, &bytes);
    if (curve.n && (bytes > room_of(device) || curve.alone_s[curve.n - 1] > budget_s / 6)) break;
    standard_call call = {.prepared = NULL};
    status = prepare(device->device, group, i, &call);
    curve.size[curve.n] = size;
    if (!status) status = time_call(&call, device, queue, budget_s / 12, &curve);
    moho_error error = moho_error_take();
    release(&call);
    if (status) return moho_error_set(&error);
    curve.n++;
  }
  *out = curve;
  return MOHO_OK;
}

static moho_status measure_transfer(const dispatch_device *device, moho_status (*run)(timed *), double budget_s,
                                    dispatch_curve *out) {
  dispatch_curve curve = {.n = 0};
  for (size_t bytes = 256; bytes <= LARGEST_TRANSFER && curve.n < DISPATCH_POINTS; bytes *= 4) {
    if (curve.n && ((double)bytes > room_of(device) || curve.alone_s[curve.n - 1] > budget_s / 6)) break;
    moho_tensor tensor = {.buffer = NULL};
    void *host = NULL;
    moho_status status = moho_allocate(bytes, 1, "a transfer", &host);
    if (!status) status = moho_tensor_create(device->device, MOHO_DTYPE_U8, 1, &bytes, &tensor);
    timed t = {.run = run, .tensor = &tensor, .host = host};
    if (!status) status = moho_tensor_fill(NULL, &tensor, 1);
    if (!status) status = time_of(&t, budget_s / 12, &curve.alone_s[curve.n]);
    moho_error error = moho_error_take();
    moho_tensor_destroy(&tensor);
    free(host);
    if (status) return moho_error_set(&error);
    curve.among_many_s[curve.n] = curve.alone_s[curve.n];
    curve.size[curve.n++] = (double)bytes;
  }
  *out = curve;
  return MOHO_OK;
}

static moho_status measure(const dispatch_device *device, moho_queue *queue, double budget_s, dispatch_figures *out) {
  MOHO_TRY(measure_transfer(device, run_write, budget_s, &out->to_device));
  MOHO_TRY(measure_transfer(device, run_read, budget_s, &out->to_host));
  for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++)
    MOHO_TRY(measure_group(device, queue, (moho_dispatch_group)g, budget_s, &out->groups[g]));
  return MOHO_OK;
}

moho_status dispatch_measure_device(dispatch_device *device, double budget_s) {
  dispatch_figures figures = {.to_device.n = 0};
  moho_queue *queue;
  if (device->device->check)
    return moho_fail_at((moho_place){.key = "device"}, "open the device without check=1", MOHO_ERROR_ARGUMENT,
                        "dispatch: %s: it would be the checking mode that is measured", device->report.uri);
  MOHO_TRY(moho_queue_create(device->device, &queue));
  moho_status status = measure(device, queue, budget_s, &figures);
  moho_error error = moho_error_take();
  moho_queue_destroy(&queue);
  if (status) return moho_error_set(&error);
  device->figures = figures;
  return MOHO_OK;
}

/* ---- all devices ---- */

static int is_stopped(moho_progress_function progress, void *user, int done, int total, double began) {
  const moho_progress step = {"measuring devices", "devices", done, total, moho_seconds() - began};
  return progress && progress(user, &step);
}

moho_status moho_dispatcher_measure(moho_dispatcher *dispatcher, int again, moho_progress_function progress, void *user) {
  MOHO_TRY(dispatch_check(dispatcher));
  double began = moho_seconds();
  for (int i = 0; i < dispatcher->n; i++) {
    dispatch_device *device = &dispatcher->devices[i];
    MOHO_TRY(moho_handle_check(device->device, MOHO_KIND_DEVICE));
    if (!again && (dispatch_figures_complete(&device->figures) || dispatch_load(device))) continue;
    if (is_stopped(progress, user, i, dispatcher->n, began))
      return moho_fail(MOHO_ERROR_INTERRUPTED, "dispatch: stopped after %d of %d devices were measured", i, dispatcher->n);
    MOHO_TRY(dispatch_measure_device(device, dispatcher->options.measure_seconds));
    dispatch_keep(device);
  }
  is_stopped(progress, user, dispatcher->n, dispatcher->n, began);
  return MOHO_OK;
}
