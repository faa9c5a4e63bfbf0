/* dispatch_run.c - a call on the device that was chosen: operands that lie elsewhere are brought, the result is taken back; where
 * the device turns out unable, on the next one. */
#include <stdio.h>
#include <string.h>

#include "device/device_core.h"
#include "tensor/dispatcher.h"
#include "tensor/operation_table.h"
#include "tensor/prepared.h"
#include "tensor/tensor_inside.h"

/* A call whose operands may be exchanged. */
typedef struct mobile_call {
  const char *operation;
  const moho_tensor *inputs[MOHO_DISPATCH_OPERANDS];
  int n_inputs; /* NULL among them: not given */
  const moho_tensor *output;
  int reads_output; /* beta is not 0 */
  int in_place;     /* the output may be an input's very view */
  size_t k;
  /* Runs it on operands of one device. */
  moho_status (*run)(const struct mobile_call *call, const moho_tensor *const *inputs, const moho_tensor *output);
  const void *arguments;
} mobile_call;

/* ---- what it needs ---- */

static moho_status place_of(const moho_dispatcher *dispatcher, const mobile_call *call, const moho_tensor *tensor, int *out) {
  moho_device *device;
  MOHO_TRY(moho_tensor_device(tensor, &device));
  for (*out = 0; *out < dispatcher->n; ++*out)
    if (dispatcher->devices[*out].device == device) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "give that device to moho_dispatcher_create()", MOHO_ERROR_ARGUMENT,
                      "dispatch: an operand of %s is on %s, which is none of the dispatcher's", call->operation,
                      device->report.uri);
}

static moho_status operand_of(const moho_dispatcher *dispatcher, const mobile_call *call, const moho_tensor *tensor,
                              moho_dispatch_operand *out) {
  MOHO_TRY(place_of(dispatcher, call, tensor, &out->device));
  if (tensor->rank < 0 || tensor->rank > MOHO_TENSOR_RANK)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: an operand of %s has rank %d", call->operation, tensor->rank);
  out->dtype = tensor->dtype, out->rank = tensor->rank;
  for (int i = 0; i < tensor->rank; i++)
    out->shape[i] = tensor->shape[i] > 1 && tensor->stride[i] == 0 ? 1 : tensor->shape[i]; /* moved and read once */
  return MOHO_OK;
}

static moho_status need_of(const moho_dispatcher *dispatcher, const mobile_call *call, dispatch_need *out) {
  moho_dispatch_work work = {.operation = call->operation, .k = call->k};
  if (!call->output) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %s without output, got NULL", call->operation);
  for (int i = 0; i < call->n_inputs; i++)
    if (call->inputs[i]) MOHO_TRY(operand_of(dispatcher, call, call->inputs[i], &work.inputs[work.n_inputs++]));
  MOHO_TRY(operand_of(dispatcher, call, call->output, &work.output));
  return dispatch_need_of_work(dispatcher, &work, out);
}

/* ---- on one device ---- */

/* Operands as they lie on the device: `brought` ones are ours. */
typedef struct operands_there {
  moho_tensor brought[MOHO_DISPATCH_OPERANDS + 1];
  const moho_tensor *inputs[MOHO_DISPATCH_OPERANDS], *output;
  uint64_t moved;

} operands_there;

static int lies_on(const moho_tensor *tensor, const moho_device *device) {
  return tensor->buffer->handle.device == device;
}

static moho_status bring_output(const mobile_call *call, moho_device *device, operands_there *there) {
  moho_tensor *own = &there->brought[MOHO_DISPATCH_OPERANDS];
  there->output = call->output;
  if (lies_on(call->output, device)) return MOHO_OK;
  there->output = own;
  if (!call->reads_output) return moho_tensor_create(device, call->output->dtype, call->output->rank, call->output->shape, own);
  there->moved += moho_tensor_bytes(call->output);
  return dispatch_bring(call->output, device, own);
}

static moho_status bring_all(const mobile_call *call, moho_device *device, operands_there *there) {
  for (int i = 0; i < call->n_inputs; i++) {
    there->inputs[i] = call->inputs[i];
    if (!call->inputs[i] || lies_on(call->inputs[i], device)) continue;
    MOHO_TRY(dispatch_bring(call->inputs[i], device, &there->brought[i]));
    there->inputs[i] = &there->brought[i];
    there->moved += moho_tensor_bytes(call->inputs[i]);
  }
  return bring_output(call, device, there);
}

static moho_status run_there(const mobile_call *call, moho_device *device, operands_there *there) {
  MOHO_TRY(bring_all(call, device, there));
  MOHO_TRY(call->run(call, there->inputs, there->output));

  if (there->output == call->output) return MOHO_OK;
  there->moved += moho_tensor_bytes(call->output);
  return dispatch_copy(there->output, call->output);
}

static moho_status run_on(const mobile_call *call, moho_device *device, operands_there *there) {
  *there = (operands_there){.moved = 0};
  moho_status status = run_there(call, device, there);
  moho_error error = moho_error_take();
  for (int i = 0; i <= MOHO_DISPATCH_OPERANDS; i++) moho_tensor_destroy(&there->brought[i]);
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* ---- one after the other ---- */

/* Which failures mean that the device cannot; -1: none of them, as where it is an operand's device that is lost. */
static int reason_of(moho_status status, const moho_device *device) {
  switch (status) {
  case MOHO_ERROR_NOT_AVAILABLE: return MOHO_FALLBACK_NOT_AVAILABLE;
  case MOHO_ERROR_MEMORY: return MOHO_FALLBACK_MEMORY;
  case MOHO_ERROR_LOST: return __atomic_load_n(&device->lost, __ATOMIC_ACQUIRE) ? (int)MOHO_FALLBACK_LOST : -1;
  default: return -1;
  }
}

static void count_run(moho_dispatcher *dispatcher, int device, int reason, uint64_t moved) {
  pthread_mutex_lock(&dispatcher->lock);
  moho_dispatch_counts *counts = &dispatcher->devices[device].counts;
  if (reason < 0) counts->ran++;
  else counts->fell_back[reason]++;
  counts->moved_bytes += moved;
  pthread_mutex_unlock(&dispatcher->lock);
}

static void add_fallback(char *text, size_t capacity, const char *uri) {
  size_t length = strlen(text);
  snprintf(text + length, capacity - length, "; %s could not: %.160s", uri, moho_last_error()->message);
}

/* Every candidate that cannot is passed over, unless it is the last. */
static moho_status try_all(moho_dispatcher *dispatcher, const mobile_call *call, const dispatch_need *need,
                           const dispatch_ranking *ranking, moho_dispatch_choice *choice) {
  char passed_over[500] = "";
  for (int i = 0;; i++) {
    operands_there there;
    int device = ranking->candidates[i].device;
    dispatch_tell(dispatcher, need, ranking, i, choice);
    choice->fallbacks = i;
    size_t length = strlen(choice->reason);
    snprintf(choice->reason + length, sizeof choice->reason - length, "%s", passed_over);
    moho_status status = run_on(call, dispatcher->devices[device].device, &there);
    int reason = status ? reason_of(status, dispatcher->devices[device].device) : -1;
    if (!status) return count_run(dispatcher, device, -1, there.moved), MOHO_OK;
    if (reason < 0 || i + 1 == ranking->n) return status;
    count_run(dispatcher, device, reason, there.moved);
    add_fallback(passed_over, sizeof passed_over, dispatcher->devices[device].report.uri);
  }
}

/* On one device the operation itself refuses an output that repeats its elements or overlaps an input; moved apart they would not
 * meet any more, and the same call is refused all the same. */
static moho_status check_overlap(const mobile_call *call) {
  const moho_tensor *out = call->output;
  for (int i = 0; i < out->rank; i++)
    if (out->shape[i] > 1 && out->stride[i] == 0)
      return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: the output of %s repeats its elements along axis %d (stride 0)",
                       call->operation, i);
  for (int i = 0; i < call->n_inputs; i++) {
    const moho_tensor *in = call->inputs[i];
    if (!in || !moho_tensor_may_overlap(in, out) || (call->in_place && moho_tensor_is_same_view(in, out))) continue;
    return moho_fail_at((moho_place){0}, "write to another tensor, then copy", MOHO_ERROR_ARGUMENT,
                        "dispatch: the output of %s overlaps input %d", call->operation, i);
  }
  return MOHO_OK;
}

static moho_status dispatch(moho_dispatcher *dispatcher, const mobile_call *call, moho_dispatch_choice *choice) {
  dispatch_need need;
  dispatch_ranking ranking;
  moho_dispatch_choice unseen;
  MOHO_TRY(dispatch_check(dispatcher));
  MOHO_TRY(need_of(dispatcher, call, &need));
  MOHO_TRY(check_overlap(call));
  MOHO_TRY(dispatch_rank(dispatcher, &need, &ranking));
  return try_all(dispatcher, call, &need, &ranking, choice ? choice : &unseen);
}

/* ---- the calls ---- */

static moho_status run_tensor_call(const mobile_call *mobile, const moho_tensor *const *inputs, const moho_tensor *output) {
  moho_tensor_call call = *(const moho_tensor_call *)mobile->arguments;
  for (int i = 0; i < MOHO_CALL_INPUTS; i++) call.inputs[i] = inputs[i];
  call.output = output;
  return moho_tensor_run(NULL, &call);
}

moho_status moho_dispatch_run(moho_dispatcher *dispatcher, const moho_tensor_call *call, moho_dispatch_choice *choice) {
  if (!call) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: no call, got NULL");
  const moho_operation_entry *entry = moho_operation_entry_of(call->operation);
  mobile_call mobile = {.operation = moho_operation_name(call->operation),
                        .n_inputs = MOHO_CALL_INPUTS,
                        .in_place = entry && entry->in_place,
                        .output = call->output,
                        .run = run_tensor_call,
                        .arguments = call};
  for (int i = 0; i < MOHO_CALL_INPUTS; i++) mobile.inputs[i] = call->inputs[i];
  return dispatch(dispatcher, &mobile, choice);
}

static moho_status run_matmul(const mobile_call *mobile, const moho_tensor *const *inputs, const moho_tensor *output) {
  moho_matmul_options options = *(const moho_matmul_options *)mobile->arguments;
  moho_tensor c = *output;
  options.bias = inputs[2];
  return moho_matmul(NULL, inputs[0], inputs[1], &c, &options);
}

moho_status moho_dispatch_matmul(moho_dispatcher *dispatcher, const moho_tensor *a, const moho_tensor *b, moho_tensor *c,
                                 const moho_matmul_options *options, moho_dispatch_choice *choice) {
  const moho_matmul_options own = options ? *options : moho_matmul_options_default();
  if (!a || !b || !c)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: matmul with operand %c missing, got NULL", !a ? 'a' : !b ? 'b' : 'c');
  int k_axis = a->rank - (own.transpose_a ? 2 : 1);
  mobile_call mobile = {.operation = "matmul",
                        .inputs = {a, b, own.bias},
                        .n_inputs = 3,
                        .output = c,
                        .reads_output = own.beta != 0,
                        .k = k_axis >= 0 && k_axis < MOHO_TENSOR_RANK ? a->shape[k_axis] : 0,
                        .run = run_matmul,
                        .arguments = &own};
  return dispatch(dispatcher, &mobile, choice);
}

typedef struct bitnet_arguments {
  moho_bitnet_weights weights;
  moho_bitnet_options options;
} bitnet_arguments;

/* inputs: x, packed weights, their scales, bias, gain. */
static moho_status run_bitnet(const mobile_call *mobile, const moho_tensor *const *inputs, const moho_tensor *output) {
  bitnet_arguments own = *(const bitnet_arguments *)mobile->arguments;
  moho_tensor y = *output;
  own.weights.lanes = *inputs[1], own.weights.scales = *inputs[2];
  own.options.bias = inputs[3], own.options.rms_gain = inputs[4];
  return moho_bitnet_linear(NULL, &own.weights, inputs[0], &y, &own.options);
}

moho_status moho_dispatch_bitnet_linear(moho_dispatcher *dispatcher, const moho_bitnet_weights *weights, const moho_tensor *x,
                                        moho_tensor *y, const moho_bitnet_options *options, moho_dispatch_choice *choice) {
  if (!weights || !x || !y)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: bitnet_linear with weights, x or y missing, got NULL");
  const bitnet_arguments own = {*weights, options ? *options : (moho_bitnet_options){.bias = NULL}};
  mobile_call mobile = {.operation = "bitnet_linear",
                        .inputs = {x, &weights->lanes, &weights->scales, own.options.bias, own.options.rms_gain},
                        .n_inputs = 5,
                        .output = y,
                        .k = weights->k,
                        .run = run_bitnet,
                        .arguments = &own};
  return dispatch(dispatcher, &mobile, choice);
}
