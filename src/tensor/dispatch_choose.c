/* dispatch_choose.c - the devices in order of a strategy for one call, and the reason in words. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/handle.h"
#include "tensor/dispatcher.h"
#include "tensor/losses.h"
#include "tensor/operation_table.h"
#include "tensor/reduce.h"
#include "tensor/rows.h"

/* ---- groups ---- */

/* Those that are bound by bytes even on a processor; the others have exponentials or errors' functions in them. */
static int is_arithmetic(moho_operation operation) {
  switch (operation) {
  case MOHO_OPERATION_EXP:
  case MOHO_OPERATION_LOG:
  case MOHO_OPERATION_SIGMOID:
  case MOHO_OPERATION_TANH:
  case MOHO_OPERATION_SILU:
  case MOHO_OPERATION_GELU_TANH:
  case MOHO_OPERATION_GELU_ERF:
  case MOHO_OPERATION_SIGMOID_BACKWARD:
  case MOHO_OPERATION_TANH_BACKWARD:
  case MOHO_OPERATION_SILU_BACKWARD:
  case MOHO_OPERATION_GELU_TANH_BACKWARD:
  case MOHO_OPERATION_GELU_ERF_BACKWARD: return 0;
  default: return 1;
  }
}

moho_status dispatch_group_of(const char *word, moho_dispatch_group *out) {
  moho_operation operation;
  if (word && !strcmp(word, "matmul")) return *out = MOHO_DISPATCH_MATMUL, MOHO_OK;
  if (word && !strcmp(word, "bitnet_linear")) return *out = MOHO_DISPATCH_TERNARY, MOHO_OK;
  MOHO_TRY(moho_operation_find(word, &operation));
  const moho_operation_entry *entry = moho_operation_entry_of(operation);
  *out = is_arithmetic(operation) ? MOHO_DISPATCH_ELEMENTWISE : MOHO_DISPATCH_ACTIVATION;
  if (entry->plan == moho_plan_rows || operation == MOHO_OPERATION_CROSS_ENTROPY) *out = MOHO_DISPATCH_ROWS;
  else if (entry->plan == moho_plan_reduce || entry->plan == moho_plan_loss) *out = MOHO_DISPATCH_REDUCTION;
  return MOHO_OK;
}

static moho_status part_of(const moho_dispatcher *dispatcher, const char *operation, const moho_dispatch_operand *operand,
                           dispatch_part *out, double *elements) {
  size_t count = 1, bits;
  if (operand->device != MOHO_DISPATCH_ANYWHERE && (operand->device < 0 || operand->device >= dispatcher->n))
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %s has an operand on device %d, expected 0 to %d or MOHO_DISPATCH_ANYWHERE",
                     operation, operand->device, dispatcher->n - 1);
  if (operand->rank < 0 || operand->rank > MOHO_TENSOR_RANK || (unsigned)operand->dtype >= MOHO_DTYPE_COUNT)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %s has an operand of rank %d and dtype %d", operation, operand->rank,
                     (int)operand->dtype);
  for (int i = 0; i < operand->rank; i++) MOHO_TRY(moho_multiply(count, operand->shape[i], "an operand's shape", &count));
  MOHO_TRY(moho_multiply(count, moho_dtype_bits(operand->dtype), "an operand's bits", &bits));
  *out = (dispatch_part){moho_pieces(bits, 8), operand->device};
  *elements = (double)count;
  return MOHO_OK;
}

moho_status dispatch_need_of_work(const moho_dispatcher *dispatcher, const moho_dispatch_work *work, dispatch_need *out) {
  double elements = 0;
  *out = (dispatch_need){.operation = work->operation};
  MOHO_TRY(dispatch_group_of(work->operation, &out->group));
  if (work->n_inputs < 0 || work->n_inputs > MOHO_DISPATCH_OPERANDS)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %s has %d inputs, expected 0 to %d", work->operation, work->n_inputs,
                     (int)MOHO_DISPATCH_OPERANDS);
  for (int i = 0; i <= work->n_inputs; i++) {
    const moho_dispatch_operand *operand = i < work->n_inputs ? &work->inputs[i] : &work->output;
    MOHO_TRY(part_of(dispatcher, work->operation, operand, &out->parts[out->n_parts], &elements));
    out->bytes += (double)out->parts[out->n_parts++].bytes;
  }
  out->size = out->bytes;
  if (out->group != MOHO_DISPATCH_MATMUL && out->group != MOHO_DISPATCH_TERNARY) return MOHO_OK;
  size_t k = work->k;
  if (!k && work->n_inputs && work->inputs[0].rank > 0) k = work->inputs[0].shape[work->inputs[0].rank - 1];
  out->size = elements * (double)k; /* of the output, that is of m and n */
  return MOHO_OK;
}

/* ---- candidates ---- */

/* "; far left out: its memory has 1.0 KiB free" after what is there, cut where it is full. */
static void leave_out(dispatch_ranking *ranking, const char *uri, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void leave_out(dispatch_ranking *ranking, const char *uri, const char *format, ...) {
  size_t length = strlen(ranking->left_out);
  va_list arguments;
  char why[200];
  va_start(arguments, format);
  vsnprintf(why, sizeof why, format, arguments);
  va_end(arguments);
  snprintf(ranking->left_out + length, sizeof ranking->left_out - length, "; %s left out: %s", uri, why);
}

static size_t new_bytes(const dispatch_need *need, int device, size_t *largest) {
  size_t sum = 0;
  *largest = 0;
  for (int i = 0; i < need->n_parts; i++) {
    if (need->parts[i].device == device) continue;
    sum += need->parts[i].bytes;
    if (need->parts[i].bytes > *largest) *largest = need->parts[i].bytes;
  }
  return sum;
}

static int all_there(const dispatch_need *need, int device) {
  for (int i = 0; i < need->n_parts; i++)
    if (need->parts[i].device != device && need->parts[i].device != MOHO_DISPATCH_ANYWHERE) return 0;
  return 1;
}

/* Is there room, and may operands be moved? *may: it is a candidate. */
static moho_status check_candidate(moho_dispatcher *dispatcher, const dispatch_need *need, dispatch_candidate *c,
                                   dispatch_ranking *ranking, int *may) {
  const moho_dispatcher_options *options = &dispatcher->options;
  const dispatch_device *own = &dispatcher->devices[c->device];
  moho_device_report report;
  moho_pool_figures pool;
  moho_metrics metrics;
  size_t largest;
  char text[32], room_text[32];
  *may = 0;
  moho_status status = moho_handle_check(own->device, MOHO_KIND_DEVICE);
  if (!status) status = moho_device_describe(own->device, &report);
  if (!status) status = moho_device_metrics_get(own->device, &metrics);
  if (status == MOHO_ERROR_LOST && options->strategy != MOHO_STRATEGY_FORCED)
    return leave_out(ranking, own->report.uri, "%s", moho_last_error()->message), MOHO_OK;
  MOHO_TRY(status);
  pool = metrics.pool;
  c->new_bytes = new_bytes(need, c->device, &largest);
  c->free_bytes = (double)report.memory_free_bytes + (double)pool.cached_bytes;
  if (!options->may_move && !all_there(need, c->device))
    leave_out(ranking, own->report.uri, "an operand lies elsewhere and may not be moved");
  else if ((double)c->new_bytes > c->free_bytes || (report.largest_buffer && largest > report.largest_buffer))
    leave_out(ranking, own->report.uri, "it needs %s more, %s are free there", moho_bytes_text((double)c->new_bytes, text),
              moho_bytes_text(c->free_bytes, room_text));
  else *may = 1;
  return MOHO_OK;
}

/* Figures are needed by latency and throughput; others tell them where they are there. */
static moho_status set_seconds(moho_dispatcher *dispatcher, const dispatch_need *need, dispatch_candidate *c) {
  moho_dispatch_estimate estimate;
  moho_strategy strategy = dispatcher->options.strategy;
  c->seconds = c->move_s = NAN;
  moho_status status = dispatch_estimate(dispatcher, need, c->device, &estimate);
  if (status && strategy != MOHO_STRATEGY_LATENCY && strategy != MOHO_STRATEGY_THROUGHPUT) return MOHO_OK;
  MOHO_TRY(status);
  c->move_s = estimate.move_s;
  c->seconds =
      strategy == MOHO_STRATEGY_THROUGHPUT ? fmax(estimate.among_many_s, estimate.move_s) : estimate.alone_s + estimate.move_s;
  return MOHO_OK;
}

/* ---- orders ---- */

static int by_seconds(const void *a, const void *b) {
  const dispatch_candidate *x = a, *y = b;
  if (x->seconds != y->seconds) return x->seconds < y->seconds ? -1 : 1;
  return x->device - y->device;
}

static int by_memory(const void *a, const void *b) {
  const dispatch_candidate *x = a, *y = b;
  if (x->new_bytes != y->new_bytes) return x->new_bytes < y->new_bytes ? -1 : 1;
  if (x->free_bytes != y->free_bytes) return x->free_bytes > y->free_bytes ? -1 : 1;
  return x->device - y->device;
}

/* The devices that the strategy looks at, in its order where it is fixed. */
static int first_order(const moho_dispatcher *dispatcher, moho_dispatch_group group, int order[MOHO_DISPATCH_DEVICES]) {
  const moho_dispatcher_options *options = &dispatcher->options;
  if (options->strategy == MOHO_STRATEGY_FORCED) return order[0] = options->forced, 1;
  if (options->strategy == MOHO_STRATEGY_CUSTOM && options->n_order[group]) {
    memcpy(order, options->order[group], sizeof options->order[group]);
    return options->n_order[group];
  }
  for (int i = 0; i < dispatcher->n; i++) order[i] = i;
  return dispatcher->n;
}

static moho_status nobody(const moho_dispatcher *dispatcher, const dispatch_need *need, const dispatch_ranking *ranking) {
  const char *why = ranking->left_out[0] ? ranking->left_out + 2 : "no device is left";
  return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "dispatch (%s): no device can compute %s: %s",
                   moho_strategy_name(dispatcher->options.strategy), need->operation, why);
}

moho_status dispatch_rank(moho_dispatcher *dispatcher, const dispatch_need *need, dispatch_ranking *out) {
  int order[MOHO_DISPATCH_DEVICES], n = first_order(dispatcher, need->group, order), may;
  moho_strategy strategy = dispatcher->options.strategy;
  *out = (dispatch_ranking){0};
  for (int i = 0; i < n; i++) {
    dispatch_candidate *c = &out->candidates[out->n];
    c->device = order[i];
    MOHO_TRY(check_candidate(dispatcher, need, c, out, &may));
    if (!may) continue;
    MOHO_TRY(set_seconds(dispatcher, need, c));
    out->n++;
  }
  if (!out->n) return nobody(dispatcher, need, out);
  if (strategy == MOHO_STRATEGY_LATENCY || strategy == MOHO_STRATEGY_THROUGHPUT)
    qsort(out->candidates, (size_t)out->n, sizeof *out->candidates, by_seconds);
  if (strategy == MOHO_STRATEGY_MEMORY) qsort(out->candidates, (size_t)out->n, sizeof *out->candidates, by_memory);
  return MOHO_OK;
}

/* ---- words ---- */

static const char *seconds_text(double seconds, char text[24]) {
  if (seconds < 1e-3) snprintf(text, 24, "%.3g us", 1e6 * seconds);
  else snprintf(text, 24, seconds < 1 ? "%.3g ms" : "%.3g s", seconds < 1 ? 1e3 * seconds : seconds);
  return text;
}

/* "cuda:0 1.2 ms (of it moves 0.9 ms)", "cuda:0 12 MiB new, 1 GiB free" */
static void candidate_text(const moho_dispatcher *dispatcher, const dispatch_candidate *c, char text[220]) {
  const char *uri = dispatcher->devices[c->device].report.uri;
  char one[32], other[32];
  if (dispatcher->options.strategy == MOHO_STRATEGY_MEMORY)
    snprintf(text, 220, "%s (%s new, %s free)", uri, moho_bytes_text((double)c->new_bytes, one),
             moho_bytes_text(c->free_bytes, other));
  else if (isnan(c->seconds)) snprintf(text, 220, "%s", uri);
  else if (c->move_s > 0)
    snprintf(text, 220, "%s (%s, of it moves %s)", uri, seconds_text(c->seconds, one), seconds_text(c->move_s, other));
  else snprintf(text, 220, "%s (%s)", uri, seconds_text(c->seconds, one));
}

void dispatch_tell(moho_dispatcher *dispatcher, const dispatch_need *need, const dispatch_ranking *ranking, int which,
                   moho_dispatch_choice *out) {
  const dispatch_candidate *c = &ranking->candidates[which];
  char text[220];
  *out = (moho_dispatch_choice){.device = c->device, .seconds = c->seconds, .move_s = c->move_s, .new_bytes = c->new_bytes};
  candidate_text(dispatcher, c, text);
  int n = snprintf(out->reason, sizeof out->reason, "%s, %s: %s", need->operation,
                   moho_strategy_name(dispatcher->options.strategy), text);
  for (int i = which + 1; i < ranking->n && n < (int)sizeof out->reason; i++) {
    candidate_text(dispatcher, &ranking->candidates[i], text);
    n += snprintf(out->reason + n, sizeof out->reason - (size_t)n, i == which + 1 ? " before %s" : ", %s", text);
  }
  if (n < (int)sizeof out->reason) snprintf(out->reason + n, sizeof out->reason - (size_t)n, "%s", ranking->left_out);
  if (which) return;
  pthread_mutex_lock(&dispatcher->lock);
  dispatcher->devices[c->device].counts.chosen++;
  pthread_mutex_unlock(&dispatcher->lock);
}

moho_status moho_dispatcher_choose(moho_dispatcher *dispatcher, const moho_dispatch_work *work, moho_dispatch_choice *out) {
  dispatch_need need;
  dispatch_ranking ranking;
  MOHO_TRY(dispatch_check(dispatcher));
  if (!work || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: work and where to put the choice, got NULL");
  MOHO_TRY(dispatch_need_of_work(dispatcher, work, &need));
  MOHO_TRY(dispatch_rank(dispatcher, &need, &ranking));
  dispatch_tell(dispatcher, &need, &ranking, 0, out);
  return MOHO_OK;
}
