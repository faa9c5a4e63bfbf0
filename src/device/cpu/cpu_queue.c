/* cpu_queue.c - a queue of the cpu: one thread that carries out submissions in the order they came. */
#include <errno.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/cpu/cpu_state.h"

/* A submission's copy and how it ended; spans and parameters of its launches follow the commands in the same memory. */
typedef struct cpu_task {
  struct cpu_task *next;
  uint64_t ticket;
  moho_outcome outcome;
  size_t n_commands;
  int timed;
  moho_command commands[];
} cpu_task;

typedef struct cpu_queue {
  moho_cpu_state *cpu;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed; /* something to do, something done, or closing */
  cpu_task *first, *last; /* not collected, oldest first */
  cpu_task *todo;         /* the first that is not carried out */
  uint64_t finished;      /* ticket */
  int closing;
} cpu_queue;

/* ---- carrying out ---- */

static void *at(const moho_span *span) {
  return (char *)span->block->host + span->offset;
}

static void fill(uint32_t *to, size_t words, uint32_t word) {
  for (size_t i = 0; i < words; i++) to[i] = word;
}

static moho_status carry_out(cpu_queue *queue, const moho_command *command) {
  switch (command->kind) {
  case MOHO_COMMAND_LAUNCH: return moho_cpu_launch(queue->cpu, command);
  case MOHO_COMMAND_WRITE: memcpy(at(&command->to), command->host, command->bytes); return MOHO_OK;
  case MOHO_COMMAND_READ: memcpy(command->host, at(&command->from), command->bytes); return MOHO_OK;
  case MOHO_COMMAND_COPY: memcpy(at(&command->to), at(&command->from), command->bytes); return MOHO_OK;
  case MOHO_COMMAND_FILL: fill(at(&command->to), command->bytes / 4, command->word); return MOHO_OK;
  case MOHO_COMMAND_AFTER: return moho_cpu_queue_wait(command->other_queue, command->other_ticket, -1);
  }
  return moho_fail(MOHO_ERROR_INTERNAL, "cpu: unknown command %d", (int)command->kind);
}

/* The first command that fails ends its submission: what follows was to use its results. */
static void carry_out_all(cpu_queue *queue, cpu_task *task) {
  moho_outcome *outcome = &task->outcome;
  for (size_t i = 0; i < task->n_commands && !outcome->status; i++) {
    const moho_command *command = &task->commands[i];
    double begin = task->timed ? moho_seconds() : 0;
    outcome->status = carry_out(queue, command);
    double seconds = task->timed ? moho_seconds() - begin : 0;
    if (command->kind == MOHO_COMMAND_LAUNCH) outcome->kernel_seconds += seconds;
    else if (command->kind != MOHO_COMMAND_AFTER) outcome->transfer_seconds += seconds;
  }
  if (outcome->status) outcome->error = *moho_last_error();
}

static void *worker(void *argument) {
  cpu_queue *queue = argument;
  omp_set_num_threads(queue->cpu->threads); /* native functions open their own parallel regions */
  pthread_mutex_lock(&queue->lock);
  for (;;) {
    while (!queue->todo && !queue->closing) pthread_cond_wait(&queue->changed, &queue->lock);
    cpu_task *task = queue->todo;
    if (!task) break;
    pthread_mutex_unlock(&queue->lock);
    carry_out_all(queue, task);
    pthread_mutex_lock(&queue->lock);
    queue->todo = task->next;
    queue->finished = task->ticket;
    pthread_cond_broadcast(&queue->changed);
  }
  pthread_mutex_unlock(&queue->lock);
  return NULL;
}

/* ---- create, destroy ---- */

/* Deadlines are on the monotonic clock; macOS has none for conditions, but waits by a time span. */
static void make_condition(pthread_cond_t *condition) {
#ifdef __APPLE__
  pthread_cond_init(condition, NULL);
#else
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
#endif
}

static void wait_until(cpu_queue *queue, double deadline) {
#ifdef __APPLE__
  double left = deadline - moho_seconds();
  if (left <= 0) return;
  struct timespec span = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
  pthread_cond_timedwait_relative_np(&queue->changed, &queue->lock, &span);
#else
  struct timespec time = {(time_t)deadline, (long)((deadline - (double)(time_t)deadline) * 1e9)};
  pthread_cond_timedwait(&queue->changed, &queue->lock, &time);
#endif
}

/* The thread takes no signals: they are for the program's own threads. Its stack is a main thread's: native functions were
 * written for one, and macOS gives others half a megabyte. */
static int start_worker(cpu_queue *queue) {
  sigset_t all, before;
  pthread_attr_t attributes;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, (size_t)8 << 20);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&queue->thread, &attributes, worker, queue);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

moho_status moho_cpu_queue_create(void *state, void **out) {
  cpu_queue *queue;
  MOHO_TRY(moho_allocate(1, sizeof *queue, "queue", &queue));
  queue->cpu = state;
  pthread_mutex_init(&queue->lock, NULL);
  make_condition(&queue->changed);
  int failed = start_worker(queue);
  if (failed) {
    free(queue);
    return moho_fail(MOHO_ERROR_DEVICE, "cpu: no thread for a queue: %s", strerror(failed));
  }
  *out = queue;
  return MOHO_OK;
}

void moho_cpu_queue_destroy(void *state) {
  cpu_queue *queue = state;
  pthread_mutex_lock(&queue->lock);
  queue->closing = 1;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
  pthread_join(queue->thread, NULL);
  for (cpu_task *task = queue->first, *next; task; task = next) {
    next = task->next;
    free(task);
  }
  pthread_cond_destroy(&queue->changed);
  pthread_mutex_destroy(&queue->lock);
  free(queue);
}

/* ---- submit, wait, collect ---- */

static moho_status copy_submission(const moho_submission *submission, cpu_task **out) {
  size_t commands = moho_round_up(sizeof(cpu_task) + submission->n_commands * sizeof(moho_command), 16), bytes = commands;
  for (size_t i = 0; i < submission->n_commands; i++) {
    const moho_command *command = &submission->commands[i];
    if (command->kind == MOHO_COMMAND_LAUNCH)
      bytes += moho_round_up(command->n_buffers * sizeof(moho_span), 16) + moho_round_up(command->parameter_bytes, 16);
  }
  cpu_task *task;
  MOHO_TRY(moho_allocate(bytes, 1, "submission", &task));
  task->ticket = submission->ticket;
  task->n_commands = submission->n_commands;
  task->timed = submission->timed;
  char *free_space = (char *)task + commands;
  for (size_t i = 0; i < submission->n_commands; i++) {
    const moho_command *from = &submission->commands[i];
    moho_command *to = &task->commands[i];
    *to = *from;
    if (from->kind != MOHO_COMMAND_LAUNCH) continue;
    to->buffers = (const moho_span *)(const void *)free_space;
    if (from->n_buffers) memcpy(free_space, from->buffers, from->n_buffers * sizeof(moho_span));
    free_space += moho_round_up(from->n_buffers * sizeof(moho_span), 16);
    to->parameters = from->parameters ? free_space : NULL;
    if (from->parameter_bytes) memcpy(free_space, from->parameters, from->parameter_bytes);
    free_space += moho_round_up(from->parameter_bytes, 16);
  }
  *out = task;
  return MOHO_OK;
}

moho_status moho_cpu_queue_submit(void *state, const moho_submission *submission) {
  cpu_queue *queue = state;
  cpu_task *task;
  MOHO_TRY(copy_submission(submission, &task));
  pthread_mutex_lock(&queue->lock);
  if (queue->last) queue->last->next = task;
  else queue->first = task;
  queue->last = task;
  if (!queue->todo) queue->todo = task;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
  return MOHO_OK;
}

moho_status moho_cpu_queue_wait(void *state, uint64_t ticket, double timeout_s) {
  cpu_queue *queue = state;
  double deadline = timeout_s > 0 ? moho_seconds() + timeout_s : 0;
  pthread_mutex_lock(&queue->lock);
  while (queue->finished < ticket && timeout_s != 0) {
    if (timeout_s < 0) pthread_cond_wait(&queue->changed, &queue->lock);
    else if (moho_seconds() < deadline) wait_until(queue, deadline);
    else break;
  }
  int done = queue->finished >= ticket;
  pthread_mutex_unlock(&queue->lock);
  return done ? MOHO_OK : MOHO_ERROR_TIMEOUT; /* the front has the words */
}

void moho_cpu_queue_collect(void *state, uint64_t ticket, moho_outcome *outcome) {
  cpu_queue *queue = state;
  pthread_mutex_lock(&queue->lock);
  cpu_task *task = queue->first; /* in order, once a ticket */
  *outcome = (moho_outcome){0};
  if (task && task->ticket == ticket) {
    *outcome = task->outcome;
    queue->first = task->next;
    if (!queue->first) queue->last = NULL;
  } else {
    task = NULL;
  }
  pthread_mutex_unlock(&queue->lock);
  free(task);
}
