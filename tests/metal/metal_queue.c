/* metal_queue.c - the double's command queues and command buffers: a thread a queue does what was committed, in order. */
#include "metal_commands.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct double_queue {
  double_object head;
  id device;
  NSUInteger limit;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  command_buffer *first, *last;    /* committed, not done */
  NSUInteger n_alive, n_committed; /* n_alive: not done and not dropped */
  bool is_started, is_leaving;
} double_queue;

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- what a command buffer holds ---- */

double_command *command_add(command_buffer *buffer, command_kind kind) {
  if (buffer->n_commands == buffer->capacity) {
    buffer->capacity = buffer->capacity ? 2 * buffer->capacity : 8;
    buffer->commands = realloc(buffer->commands, buffer->capacity * sizeof *buffer->commands);
    if (!buffer->commands) double_complain("out of memory");
  }
  double_command *made = &buffer->commands[buffer->n_commands++];
  memset(made, 0, sizeof *made);
  made->kind = kind;
  return made;
}

void command_hold(command_buffer *buffer, id object) {
  if (buffer->n_held == buffer->held_capacity) {
    buffer->held_capacity = buffer->held_capacity ? 2 * buffer->held_capacity : 16;
    buffer->held = realloc(buffer->held, buffer->held_capacity * sizeof(id));
    if (!buffer->held) double_complain("out of memory");
  }
  buffer->held[buffer->n_held++] = double_retain(object);
}

void command_expect_open(const command_buffer *buffer, const char *where) {
  int status = atomic_load(&buffer->status);
  if (status > STATUS_ENQUEUED) double_complain("%s: the command buffer is committed", where);
  if (buffer->open_encoder) double_complain("%s: an encoder is still open", where);
}

static void forget_commands(command_buffer *buffer) {
  for (size_t i = 0; i < buffer->n_commands; i++) free(buffer->commands[i].bytes);
  free(buffer->commands);
  buffer->commands = NULL;
  buffer->n_commands = 0;
  while (buffer->n_held) double_release(buffer->held[--buffer->n_held]);
  free(buffer->held);
  buffer->held = NULL;
}

/* ---- doing ---- */

typedef struct failure {
  double_fault fault;
  NSInteger code;
  const char *words;
} failure;

/* Codes of MTLCommandBufferError, words as macOS says them. */
static const failure failures[] = {
    {FAULT_command_failed, 1, "Internal Error (00000001:kIOGPUCommandBufferCallbackErrorInternal)"},
    {FAULT_command_timeout, 2, "Caused GPU Timeout Error (00000002:kIOGPUCommandBufferCallbackErrorTimeout)"},
    {FAULT_page_fault, 3, "Caused GPU Address Fault Error (0000000b:kIOGPUCommandBufferCallbackErrorPageFault)"},
    {FAULT_access_revoked, 4,
     "Ignored (for causing prior/excessive GPU errors) (00000004:kIOGPUCommandBufferCallbackErrorSubmissionsIgnored)"},
    {FAULT_out_of_memory, 8, "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)"},
    {FAULT_device_removed, 11, "The device was removed"},
};

static void fail(command_buffer *buffer, NSInteger code, const char *words) {
  buffer->error = double_error("MTLCommandBufferErrorDomain", code, words);
}

static void provoke(command_buffer *buffer) {
  for (size_t i = 0; i < sizeof failures / sizeof *failures && !buffer->error; i++) {
    if (!double_fault_now(failures[i].fault)) continue;
    fail(buffer, failures[i].code, failures[i].words);
    bool is_lasting = failures[i].fault == FAULT_access_revoked || failures[i].fault == FAULT_device_removed;
    if (is_lasting) double_fault_for_ever(failures[i].fault); /* nothing runs any more */
  }
}

/* How long a queue waits for an event before the machine kills it. */
static double patience(void) {
  return strtod(double_setting("MOHO_METAL_DOUBLE_PATIENCE", "60"), NULL);
}

static void do_command(command_buffer *buffer, const double_command *command) {
  switch (command->kind) {
  case DO_DISPATCH: msl_run(&command->dispatch); break;
  case DO_COPY: memcpy(command->to, command->from, command->n); break;
  case DO_FILL: memset(command->to, command->value, command->n); break;
  case DO_WAIT:
    if (!double_event_wait(command->event, command->event_value, patience())) fail(buffer, failures[1].code, failures[1].words);
    break;
  case DO_SIGNAL:
    if (!double_fault_now(FAULT_never_signals)) double_event_signal(command->event, command->event_value);
    break;
  }
}

static void finish(double_queue *queue, command_buffer *buffer) {
  forget_commands(buffer);
  pthread_mutex_lock(&queue->lock);
  atomic_store(&buffer->status, buffer->error ? STATUS_ERROR : STATUS_COMPLETED);
  queue->n_committed--, queue->n_alive--;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
}

static void execute(double_queue *queue, command_buffer *buffer) {
  buffer->start = seconds_now();
  atomic_store(&buffer->status, STATUS_SCHEDULED);
  if (double_fault_now(FAULT_slow)) usleep((useconds_t)(strtod(double_setting("MOHO_METAL_DOUBLE_SLOW_S", "0.3"), NULL) * 1e6));
  provoke(buffer);
  /* A killed buffer does nothing more, above all it signals nothing. */
  for (size_t i = 0; i < buffer->n_commands && !buffer->error; i++) do_command(buffer, &buffer->commands[i]);
  if (buffer->error && double_fault_now(FAULT_fails_but_signals))
    for (size_t i = 0; i < buffer->n_commands; i++)
      if (buffer->commands[i].kind == DO_SIGNAL) do_command(buffer, &buffer->commands[i]);
  buffer->end = seconds_now();
  if (!double_fault_now(FAULT_never_ends)) finish(queue, buffer);
}

static void *queue_main(void *argument) {
  double_queue *queue = argument;
  pthread_mutex_lock(&queue->lock);
  for (;;) {
    while (!queue->first && !queue->is_leaving) pthread_cond_wait(&queue->changed, &queue->lock);
    command_buffer *buffer = queue->first;
    if (!buffer) break;
    queue->first = buffer->next;
    if (!queue->first) queue->last = NULL;
    pthread_mutex_unlock(&queue->lock);
    execute(queue, buffer);
    double_release(&buffer->head);
    pthread_mutex_lock(&queue->lock);
  }
  pthread_mutex_unlock(&queue->lock);
  return NULL;
}

/* ---- MTLCommandBuffer ---- */

static void buffer_destroy(id self) {
  command_buffer *buffer = (command_buffer *)self;
  double_queue *queue = buffer->queue;
  if (atomic_load(&buffer->status) < STATUS_COMMITTED) { /* dropped, which is allowed */
    forget_commands(buffer);
    pthread_mutex_lock(&queue->lock);
    queue->n_alive--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
  }
  double_release(buffer->error);
  double_release(&queue->head);
}

static void buffer_commit(id self, SEL op) {
  command_buffer *buffer = (command_buffer *)self;
  double_queue *queue = buffer->queue;
  command_expect_open(buffer, op);
  double_retain(self);
  pthread_mutex_lock(&queue->lock);
  atomic_store(&buffer->status, STATUS_COMMITTED);
  if (queue->last) queue->last->next = buffer;
  else queue->first = buffer;
  queue->last = buffer;
  queue->n_committed++;
  if (!queue->is_started && pthread_create(&queue->thread, NULL, queue_main, queue)) double_complain("no thread for a queue");
  queue->is_started = true;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
}

static id buffer_compute(id self, SEL op) {
  command_expect_open((command_buffer *)self, op);
  return double_fault_now(FAULT_nil_encoder) ? NULL : encoder_compute((command_buffer *)self);
}
static id buffer_blit(id self, SEL op) {
  command_expect_open((command_buffer *)self, op);
  return double_fault_now(FAULT_nil_encoder) ? NULL : encoder_blit((command_buffer *)self);
}

static void add_event(id self, SEL op, id event, uint64_t value, command_kind kind) {
  command_buffer *buffer = (command_buffer *)self;
  command_expect_open(buffer, op);
  double_expect(event, &double_class_event, false, op);
  double_command *command = command_add(buffer, kind);
  command->event = (double_event *)event;
  command->event_value = value;
  command_hold(buffer, event);
}
static void buffer_signal(id self, SEL op, id event, uint64_t value) {
  add_event(self, op, event, value, DO_SIGNAL);
}
static void buffer_wait_event(id self, SEL op, id event, uint64_t value) {
  add_event(self, op, event, value, DO_WAIT);
}

static NSUInteger buffer_status(id self, SEL op) {
  (void)op;
  return (NSUInteger)atomic_load(&((command_buffer *)self)->status);
}
static const command_buffer *done_buffer(id self) {
  const command_buffer *buffer = (command_buffer *)self;
  return atomic_load(&buffer->status) >= STATUS_COMPLETED ? buffer : NULL;
}
static id buffer_error(id self, SEL op) {
  (void)op;
  const command_buffer *done = done_buffer(self);
  return done ? double_autorelease(double_retain(done->error)) : NULL;
}
static double buffer_start(id self, SEL op) {
  (void)op;
  const command_buffer *done = done_buffer(self);
  return done ? done->start : 0.0;
}
static double buffer_end(id self, SEL op) {
  (void)op;
  const command_buffer *done = done_buffer(self);
  return done ? done->end : 0.0;
}
static void buffer_wait(id self, SEL op) {
  command_buffer *buffer = (command_buffer *)self;
  if (atomic_load(&buffer->status) < STATUS_COMMITTED) double_complain("%s: the command buffer is not committed", op);
  pthread_mutex_lock(&buffer->queue->lock);
  while (atomic_load(&buffer->status) < STATUS_COMPLETED) pthread_cond_wait(&buffer->queue->changed, &buffer->queue->lock);
  pthread_mutex_unlock(&buffer->queue->lock);
}

static const double_method command_buffer_methods[] = {METHOD("computeCommandEncoder", "@@:", buffer_compute),
                                                       METHOD("blitCommandEncoder", "@@:", buffer_blit),
                                                       METHOD("encodeSignalEvent:value:", "v@:@Q", buffer_signal),
                                                       METHOD("encodeWaitForEvent:value:", "v@:@Q", buffer_wait_event),
                                                       METHOD("commit", "v@:", buffer_commit),
                                                       METHOD("waitUntilCompleted", "v@:", buffer_wait),
                                                       METHOD("status", "Q@:", buffer_status),
                                                       METHOD("error", "@@:", buffer_error),
                                                       METHOD("GPUStartTime", "d@:", buffer_start),
                                                       METHOD("GPUEndTime", "d@:", buffer_end),
                                                       {NULL, NULL, NULL}};
const double_class double_class_command_buffer = {.head = CLASS_HEAD,
                                                  .name = "MTLCommandBuffer",
                                                  .super = &double_class_object,
                                                  .methods = command_buffer_methods,
                                                  .bytes = sizeof(command_buffer),
                                                  .destroy = buffer_destroy};

/* ---- MTLCommandQueue ---- */

id double_queue_create(id device, NSUInteger limit) {
  double_queue *made = (double_queue *)double_make(&double_class_queue);
  made->device = double_retain(device);
  made->limit = limit;
  pthread_mutex_init(&made->lock, NULL);
  pthread_cond_init(&made->changed, NULL);
  return &made->head;
}

static void queue_destroy(id self) {
  double_queue *queue = (double_queue *)self;
  pthread_mutex_lock(&queue->lock);
  queue->is_leaving = true;
  bool is_own_thread = queue->is_started && pthread_equal(queue->thread, pthread_self());
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
  if (is_own_thread) pthread_detach(queue->thread);
  else if (queue->is_started) pthread_join(queue->thread, NULL);
  double_release(queue->device);
}

/* The limit counts buffers that are not done; the next one waits for one to be done. Where none is even committed, for ever. */
static id queue_command_buffer(id self, SEL op) {
  double_queue *queue = (double_queue *)self;
  if (double_fault_now(FAULT_nil_command_buffer)) return NULL;
  pthread_mutex_lock(&queue->lock);
  while (queue->n_alive >= queue->limit) {
    if (!queue->n_committed)
      double_complain("-[MTLCommandQueue %s]: %lu command buffers live, none is committed: this would block for ever", op,
                      queue->limit);
    pthread_cond_wait(&queue->changed, &queue->lock);
  }
  queue->n_alive++;
  pthread_mutex_unlock(&queue->lock);
  command_buffer *made = (command_buffer *)double_make(&double_class_command_buffer);
  made->queue = (double_queue *)double_retain(self);
  return double_autorelease(&made->head);
}

static const double_method queue_methods[] = {METHOD("commandBuffer", "@@:", queue_command_buffer), {NULL, NULL, NULL}};
const double_class double_class_queue = {.head = CLASS_HEAD,
                                         .name = "MTLCommandQueue",
                                         .super = &double_class_object,
                                         .methods = queue_methods,
                                         .bytes = sizeof(double_queue),
                                         .destroy = queue_destroy};
