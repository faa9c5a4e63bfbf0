/* cuda_queue.c - a queue is a stream; a ticket is an event in it, and where time is measured, events between its commands.
 *
 * Locks: queue->lock guards tickets and free events. It is held for moments only, never while waiting; a queue that waits for
 * another one's ticket holds the other's lock and not its own.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/cuda/cuda_state.h"

/* What the device does from a mark to the next one. */
typedef enum { RANGE_NONE, RANGE_KERNEL, RANGE_TRANSFER } range_kind;

typedef struct mark {
  moho_cu_event event;
  range_kind begins;
} mark;

typedef struct ticket_record {
  moho_cu_event done; /* NULL: nothing to wait for */
  mark *marks;        /* kept from one ticket to the next in this place */
  size_t n_marks, marks_capacity;
  char kernel[64]; /* the first that was launched */
  uint32_t launches;
  moho_status status;
  moho_error *error; /* NULL where status is MOHO_OK, or memory ran out */
} ticket_record;

typedef enum { EVENT_PLAIN, EVENT_TIMED, EVENT_KINDS } event_kind;

typedef struct event_stack {
  moho_cu_event *events;
  size_t n, capacity;
} event_stack;

typedef struct cuda_queue {
  moho_cuda_state *state;
  moho_cu_stream stream;
  pthread_mutex_t lock;
  ticket_record *records; /* of ticket t: records[t & (capacity - 1)], for collected < t <= submitted */
  size_t capacity;
  uint64_t submitted, finished, collected;
  event_stack idle[EVENT_KINDS];
  struct cuda_queue *next; /* of those that wait to be used again */
} cuda_queue;

#define MOST_IDLE_QUEUES 8

static ticket_record *record_of(const cuda_queue *queue, uint64_t ticket) {
  return &queue->records[ticket & (queue->capacity - 1)];
}

/* ---- events ---- */

/* An idle event or a new one. Called with the lock held and the context current. */
static moho_status take_event(cuda_queue *queue, event_kind kind, moho_cu_event *out) {
  event_stack *idle = &queue->idle[kind];
  if (idle->n) {
    *out = idle->events[--idle->n];
    return MOHO_OK;
  }
  moho_cu_result result = queue->state->cu->cuEventCreate(out, kind == EVENT_TIMED ? MOHO_CU_EVENT_TIMED : MOHO_CU_EVENT_UNTIMED);
  return result ? moho_cuda_fail(queue->state, result, "creating an event") : MOHO_OK;
}

static void give_event(cuda_queue *queue, event_kind kind, moho_cu_event event) {
  event_stack *idle = &queue->idle[kind];
  if (idle->n == idle->capacity) {
    size_t capacity = idle->capacity ? 2 * idle->capacity : 16;
    moho_cu_event *more = realloc(idle->events, capacity * sizeof *more);
    if (!more) return (void)queue->state->cu->cuEventDestroy_v2(event);
    idle->events = more, idle->capacity = capacity;
  }
  idle->events[idle->n++] = event;
}

static moho_status record_timed_event(cuda_queue *queue, moho_cu_event *out) {
  moho_cu_event event;
  pthread_mutex_lock(&queue->lock);
  moho_status status = take_event(queue, EVENT_TIMED, &event);
  pthread_mutex_unlock(&queue->lock);
  MOHO_TRY(status);
  moho_cu_result result = queue->state->cu->cuEventRecord(event, queue->stream);
  if (!result) {
    *out = event;
    return MOHO_OK;
  }
  pthread_mutex_lock(&queue->lock);
  give_event(queue, EVENT_TIMED, event);
  pthread_mutex_unlock(&queue->lock);
  return moho_cuda_fail(queue->state, result, "recording an event");
}

/* The device does something else from here on. */
static moho_status mark_range(cuda_queue *queue, ticket_record *record, range_kind begins) {
  range_kind now = record->n_marks ? record->marks[record->n_marks - 1].begins : RANGE_NONE;
  if (now == begins) return MOHO_OK;
  if (record->n_marks == record->marks_capacity) {
    size_t capacity = record->marks_capacity ? 2 * record->marks_capacity : 8;
    mark *more = realloc(record->marks, capacity * sizeof *more);
    if (!more) return moho_fail(MOHO_ERROR_MEMORY, "out of memory");
    record->marks = more, record->marks_capacity = capacity;
  }
  mark *next = &record->marks[record->n_marks];
  MOHO_TRY(record_timed_event(queue, &next->event));
  next->begins = begins;
  record->n_marks++;
  return MOHO_OK;
}

/* ---- commands ---- */

static moho_status transfer_result(cuda_queue *queue, moho_cu_result result, const char *verb, size_t bytes) {
  char size[32];
  return result ? moho_cuda_fail(queue->state, result, "%s %s", verb, moho_bytes_text((double)bytes, size)) : MOHO_OK;
}

static moho_cu_pointer address_of(moho_span span) {
  return span.block->address + span.offset;
}

static moho_cu_pointer host_address(const void *host) {
  return (moho_cu_pointer)(uintptr_t)host;
}

/* Where a side is pinned memory the driver tells the direction from the addresses, which are those of one space. */
static moho_status run_transfer(cuda_queue *queue, const moho_command *c) {
  const moho_cuda_driver *cu = queue->state->cu;
  moho_cu_stream stream = queue->stream;
  switch (c->kind) {
  case MOHO_COMMAND_WRITE:
    if (c->to.block->host)
      return transfer_result(queue, cu->cuMemcpyAsync(address_of(c->to), host_address(c->host), c->bytes, stream), "writing",
                             c->bytes);
    return transfer_result(queue, cu->cuMemcpyHtoDAsync_v2(address_of(c->to), c->host, c->bytes, stream), "writing", c->bytes);
  case MOHO_COMMAND_READ:
    if (c->from.block->host)
      return transfer_result(queue, cu->cuMemcpyAsync(host_address(c->host), address_of(c->from), c->bytes, stream), "reading",
                             c->bytes);
    return transfer_result(queue, cu->cuMemcpyDtoHAsync_v2(c->host, address_of(c->from), c->bytes, stream), "reading", c->bytes);
  case MOHO_COMMAND_COPY:
    if (c->to.block->host || c->from.block->host)
      return transfer_result(queue, cu->cuMemcpyAsync(address_of(c->to), address_of(c->from), c->bytes, stream), "copying",
                             c->bytes);
    return transfer_result(queue, cu->cuMemcpyDtoDAsync_v2(address_of(c->to), address_of(c->from), c->bytes, stream), "copying",
                           c->bytes);
  default:
    return transfer_result(queue, cu->cuMemsetD32Async(address_of(c->to), c->word, c->bytes / 4, stream), "filling", c->bytes);
  }
}

/* The stream waits for the event as it stands now: it may be given to another ticket afterwards. */
static moho_status run_after(cuda_queue *queue, const moho_command *command) {
  cuda_queue *other = command->other_queue;
  uint64_t ticket = command->other_ticket;
  moho_cu_result result = MOHO_CU_OK;
  pthread_mutex_lock(&other->lock);
  int known = ticket <= other->submitted;
  if (known && ticket > other->finished) {
    moho_cu_event done = record_of(other, ticket)->done;
    if (done) result = queue->state->cu->cuStreamWaitEvent(queue->stream, done, 0);
  }
  pthread_mutex_unlock(&other->lock);
  if (!known)
    return moho_fail(MOHO_ERROR_ARGUMENT, "cuda:%d: ticket %llu of the other queue was not submitted yet", queue->state->ordinal,
                     (unsigned long long)ticket);
  return result ? moho_cuda_fail(queue->state, result, "waiting for another queue") : MOHO_OK;
}

static range_kind range_of(moho_command_kind kind) {
  return kind == MOHO_COMMAND_LAUNCH ? RANGE_KERNEL : kind == MOHO_COMMAND_AFTER ? RANGE_NONE : RANGE_TRANSFER;
}

static moho_status run_command(cuda_queue *queue, ticket_record *record, const moho_command *command, int timed) {
  if (timed) MOHO_TRY(mark_range(queue, record, range_of(command->kind)));
  if (command->kind == MOHO_COMMAND_AFTER) return run_after(queue, command);
  if (command->kind != MOHO_COMMAND_LAUNCH) return run_transfer(queue, command);
  if (!record->launches++) snprintf(record->kernel, sizeof record->kernel, "%s", command->name ? command->name : "");
  return moho_cuda_launch(queue->state, queue->stream, command);
}

/* ---- how tickets end ---- */

static void keep_error(ticket_record *record, moho_status status) {
  if (record->status) return;
  record->status = status;
  record->error = malloc(sizeof *record->error);
  if (record->error) *record->error = moho_error_take();
}

/* The device is lost. The first ticket that is seen unfinished takes the error as its own; the driver does not tell more. */
static void lose_ticket(cuda_queue *queue, uint64_t ticket) {
  ticket_record *record = record_of(queue, ticket);
  const moho_error before = *moho_last_error();
  unsigned long long number = ticket;
  char what[160];
  if (!moho_cuda_take_blame(queue->state)) snprintf(what, sizeof what, "ticket %llu came after the failure", number);
  else if (!record->launches) snprintf(what, sizeof what, "ticket %llu", number);
  else if (record->launches == 1) snprintf(what, sizeof what, "ticket %llu (kernel %s)", number, record->kernel);
  else snprintf(what, sizeof what, "ticket %llu (%u launches, the first of kernel %s)", number, record->launches, record->kernel);
  keep_error(record, moho_cuda_lost(queue->state, what));
  moho_error_set(&before);
}

static void fail_ticket(cuda_queue *queue, uint64_t ticket, moho_cu_result result) {
  const moho_error before = *moho_last_error();
  moho_status status = moho_cuda_fail(queue->state, result, "waiting for ticket %llu", (unsigned long long)ticket);
  if (status == MOHO_ERROR_LOST) lose_ticket(queue, ticket);
  else keep_error(record_of(queue, ticket), status);
  moho_error_set(&before);
}

/* Look which tickets are done. Called with the lock held; entered: the context is current, else there is none any more. */
static void advance(cuda_queue *queue, int entered) {
  while (queue->finished < queue->submitted) {
    ticket_record *record = record_of(queue, queue->finished + 1);
    moho_cu_result result = entered ? MOHO_CU_OK : MOHO_CU_CONTEXT_IS_DESTROYED;
    if (entered && record->done) result = queue->state->cu->cuEventQuery(record->done);
    if (result == MOHO_CU_NOT_READY) return;
    if (result) fail_ticket(queue, queue->finished + 1, result);
    queue->finished++;
  }
}

/* ---- submitting ---- */

static moho_status make_room(cuda_queue *queue) {
  if (queue->submitted - queue->collected < queue->capacity) return MOHO_OK;
  size_t capacity = 2 * queue->capacity;
  ticket_record *records = calloc(capacity, sizeof *records);
  if (!records) return moho_fail(MOHO_ERROR_MEMORY, "cuda:%d: out of memory", queue->state->ordinal);
  for (uint64_t t = queue->collected + 1; t <= queue->submitted; t++) records[t & (capacity - 1)] = *record_of(queue, t);
  free(queue->records);
  queue->records = records, queue->capacity = capacity;
  return MOHO_OK;
}

/* The place of the next ticket, with its event: without one nothing of it may run. Records move only here, and only this thread
 * submits. */
static moho_status begin_ticket(cuda_queue *queue, uint64_t ticket, ticket_record **out) {
  moho_cu_event done = NULL;
  pthread_mutex_lock(&queue->lock);
  advance(queue, 1);
  moho_status status = ticket == queue->submitted + 1
                           ? make_room(queue)
                           : moho_fail(MOHO_ERROR_INTERNAL, "cuda:%d: ticket %llu was submitted after ticket %llu",
                                       queue->state->ordinal, (unsigned long long)ticket, (unsigned long long)queue->submitted);
  if (!status) status = take_event(queue, EVENT_PLAIN, &done);
  pthread_mutex_unlock(&queue->lock);
  MOHO_TRY(status);
  ticket_record *record = record_of(queue, ticket);
  *record = (ticket_record){.done = done, .marks = record->marks, .marks_capacity = record->marks_capacity};
  *out = record;
  return MOHO_OK;
}

/* Where its event cannot be recorded, the ticket's work is waited for here. */
static moho_status end_commands(cuda_queue *queue, ticket_record *record) {
  moho_cu_result result = queue->state->cu->cuEventRecord(record->done, queue->stream);
  if (!result) return MOHO_OK;
  moho_status status = moho_cuda_fail(queue->state, result, "recording an event");
  queue->state->cu->cuStreamSynchronize(queue->stream);
  pthread_mutex_lock(&queue->lock);
  give_event(queue, EVENT_PLAIN, record->done);
  pthread_mutex_unlock(&queue->lock);
  record->done = NULL;
  return status;
}

/* The rest of a ticket whose command was refused does not run; what was handed over before is waited for. */
static moho_status submit_commands(cuda_queue *queue, ticket_record *record, const moho_submission *submission) {
  moho_status status = MOHO_OK;
  for (size_t i = 0; i < submission->n_commands && !status; i++)
    status = run_command(queue, record, &submission->commands[i], submission->timed);
  if (submission->timed && !status) status = mark_range(queue, record, RANGE_NONE);
  if (status && status != MOHO_ERROR_LOST) keep_error(record, status);
  moho_status ended = end_commands(queue, record);
  if (ended && ended != MOHO_ERROR_LOST) keep_error(record, ended);
  return status == MOHO_ERROR_LOST ? status : ended;
}

moho_status moho_cuda_submit(void *queue_pointer, const moho_submission *submission) {
  cuda_queue *queue = queue_pointer;
  ticket_record *record;
  MOHO_TRY(moho_cuda_enter(queue->state));
  moho_status status = begin_ticket(queue, submission->ticket, &record);
  if (!status) {
    moho_status ended = submit_commands(queue, record, submission);
    pthread_mutex_lock(&queue->lock);
    /* A failure of earlier work surfaces here first: its ticket takes the blame before this one. */
    if (ended == MOHO_ERROR_LOST) advance(queue, 1), lose_ticket(queue, submission->ticket);
    queue->submitted++;
    pthread_mutex_unlock(&queue->lock);
  }
  moho_cuda_leave(queue->state);
  return status;
}

/* ---- waiting ---- */

/* Work of a millisecond is waited for at full attention, after 50 us giving way to who else wants the processor: a sleep is never
 * shorter than the 50 us that the system adds to it. Longer work is looked at every few hundredths of its time. */
static void pause_a_little(double waited, double left) {
  if (waited < 50e-6) return;
  if (waited < 1e-3) return (void)sched_yield();
  double seconds = waited / 50 < 100e-6 ? waited / 50 : 100e-6;
  if (left >= 0 && seconds > left) seconds = left;
  nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static int is_finished(cuda_queue *queue, uint64_t ticket, int entered) {
  pthread_mutex_lock(&queue->lock);
  if (ticket > queue->finished) advance(queue, entered);
  int finished = ticket <= queue->finished;
  pthread_mutex_unlock(&queue->lock);
  return finished;
}

moho_status moho_cuda_wait(void *queue_pointer, uint64_t ticket, double timeout_s) {
  cuda_queue *queue = queue_pointer;
  int entered = moho_cuda_enter_quietly(queue->state); /* events tell their state also on a lost device */
  double begin = moho_seconds(), waited = 0;
  int finished;
  while (!(finished = is_finished(queue, ticket, entered)) && (timeout_s < 0 || waited < timeout_s)) {
    pause_a_little(waited, timeout_s < 0 ? -1 : timeout_s - waited);
    waited = moho_seconds() - begin;
  }
  if (entered) moho_cuda_leave(queue->state);
  return finished ? MOHO_OK : MOHO_ERROR_TIMEOUT;
}

/* ---- collecting ---- */

static void add_seconds(cuda_queue *queue, const ticket_record *record, moho_outcome *outcome) {
  for (size_t i = 0; i + 1 < record->n_marks; i++) {
    float milliseconds = 0;
    if (record->marks[i].begins == RANGE_NONE) continue;
    if (queue->state->cu->cuEventElapsedTime(&milliseconds, record->marks[i].event, record->marks[i + 1].event)) continue;
    double *sum = record->marks[i].begins == RANGE_KERNEL ? &outcome->kernel_seconds : &outcome->transfer_seconds;
    *sum += 1e-3 * (double)milliseconds;
  }
}

static void take_error(ticket_record *record, moho_outcome *outcome) {
  outcome->status = record->status;
  outcome->error = (moho_error){.code = record->status, .trace = -1, .byte = -1, .line = -1, .column = -1};
  if (record->error) outcome->error = *record->error;
  else if (record->status) snprintf(outcome->error.message, sizeof outcome->error.message, "out of memory for the error's words");
  free(record->error);
  record->error = NULL;
}

void moho_cuda_collect(void *queue_pointer, uint64_t ticket, moho_outcome *outcome) {
  cuda_queue *queue = queue_pointer;
  *outcome = (moho_outcome){0};
  int entered = moho_cuda_enter_quietly(queue->state);
  pthread_mutex_lock(&queue->lock);
  ticket_record *record = record_of(queue, ticket);
  take_error(record, outcome);
  if (entered && !outcome->status) add_seconds(queue, record, outcome);
  for (size_t i = 0; i < record->n_marks; i++) give_event(queue, EVENT_TIMED, record->marks[i].event);
  if (record->done) give_event(queue, EVENT_PLAIN, record->done);
  record->n_marks = 0, record->done = NULL;
  queue->collected = ticket;
  pthread_mutex_unlock(&queue->lock);
  if (entered) moho_cuda_leave(queue->state);
}

/* ---- making and ending ---- */

static void free_queue(cuda_queue *queue, int entered) {
  for (int kind = 0; kind < EVENT_KINDS; kind++) {
    for (size_t i = 0; entered && i < queue->idle[kind].n; i++) queue->state->cu->cuEventDestroy_v2(queue->idle[kind].events[i]);
    free(queue->idle[kind].events);
  }
  for (size_t i = 0; queue->records && i < queue->capacity; i++) free(queue->records[i].marks);
  if (entered) queue->state->cu->cuStreamDestroy_v2(queue->stream);
  pthread_mutex_destroy(&queue->lock);
  free(queue->records);
  free(queue);
}

static cuda_queue *take_idle_queue(moho_cuda_state *state) {
  pthread_mutex_lock(&state->lock);
  cuda_queue *queue = state->lost ? NULL : state->idle;
  if (queue) state->idle = queue->next, state->n_idle--;
  pthread_mutex_unlock(&state->lock);
  return queue;
}

/* As new: its stream is empty and every ticket collected. @return 0 where enough are kept */
static int keep_idle_queue(cuda_queue *queue) {
  moho_cuda_state *state = queue->state;
  pthread_mutex_lock(&state->lock);
  int is_kept = !state->lost && state->n_idle < MOST_IDLE_QUEUES;
  if (is_kept) {
    queue->submitted = queue->finished = queue->collected = 0;
    queue->next = state->idle;
    state->idle = queue, state->n_idle++;
  }
  pthread_mutex_unlock(&state->lock);
  return is_kept;
}

moho_status moho_cuda_queue_create(void *state_pointer, void **out) {
  moho_cuda_state *state = state_pointer;
  if ((*out = take_idle_queue(state))) return MOHO_OK;
  MOHO_TRY(moho_cuda_enter(state));
  cuda_queue *queue = calloc(1, sizeof *queue);
  ticket_record *records = calloc(16, sizeof *records);
  moho_cu_stream stream = NULL;
  moho_cu_result result = queue && records ? state->cu->cuStreamCreate(&stream, MOHO_CU_STREAM_NOT_BLOCKING) : MOHO_CU_OK;
  moho_cuda_leave(state);
  if (!stream) {
    free(queue), free(records);
    return result ? moho_cuda_fail(state, result, "creating a stream")
                  : moho_fail(MOHO_ERROR_MEMORY, "cuda:%d: out of memory for a queue", state->ordinal);
  }
  *queue = (cuda_queue){.state = state, .stream = stream, .records = records, .capacity = 16};
  pthread_mutex_init(&queue->lock, NULL);
  *out = queue;
  return MOHO_OK;
}

/* Everything was waited for. */
void moho_cuda_queue_destroy(void *queue_pointer) {
  cuda_queue *queue = queue_pointer;
  int entered = moho_cuda_enter_quietly(queue->state);
  moho_outcome unseen;
  while (queue->collected < queue->submitted) moho_cuda_collect(queue, queue->collected + 1, &unseen);
  moho_cuda_state *state = queue->state;
  int is_empty = entered && !state->cu->cuStreamSynchronize(queue->stream); /* no failed ticket left anything behind */
  if (!is_empty || !keep_idle_queue(queue)) free_queue(queue, entered);
  if (entered) moho_cuda_leave(state);
}

void moho_cuda_queues_close(moho_cuda_state *state) {
  int entered = moho_cuda_enter_quietly(state);
  for (cuda_queue *queue = state->idle, *next; queue; queue = next) {
    next = queue->next;
    free_queue(queue, entered);
  }
  state->idle = NULL, state->n_idle = 0;
  if (entered) moho_cuda_leave(state);
}
