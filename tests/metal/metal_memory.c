/* metal_memory.c - the double's MTLBuffer and MTLSharedEvent. */
#include "double.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- MTLBuffer ---- */

static id make_buffer(id self, void *contents, NSUInteger bytes, NSUInteger options) {
  double_buffer *made = (double_buffer *)double_make(&double_class_buffer);
  made->device = double_retain(self);
  made->bytes = bytes;
  made->options = options;
  made->contents = contents;
  return &made->head;
}

/* Storage mode in bits 4-7: 0 shared, 1 managed (not on Apple's own GPUs), 2 private. */
static void check_options(NSUInteger options, SEL op) {
  NSUInteger storage = options >> 4 & 15u;
  if (storage != 0 && storage != 2) double_complain("-[MTLDevice %s]: storage mode %lu", op, storage);
  if (options & ~0x2f1ul) double_complain("-[MTLDevice %s]: options %#lx", op, options);
}

id double_buffer_create(id self, SEL op, NSUInteger bytes, NSUInteger options) {
  check_options(options, op);
  if (!bytes) double_complain("-[MTLDevice %s]: a buffer of 0 bytes", op);
  if (bytes > DOUBLE_LARGEST_BUFFER || double_fault_now(FAULT_nil_buffer)) return NULL;
  void *contents;
  if (posix_memalign(&contents, DOUBLE_PAGE, bytes)) return NULL;
  memset(contents, 0xc5, bytes); /* Metal's are zero most of the time: nobody shall count on it */
  double_buffer *made = (double_buffer *)make_buffer(self, contents, bytes, options);
  atomic_fetch_add(&((double_device *)self)->allocated, bytes);
  return &made->head;
}

id double_buffer_wrap(id self, SEL op, void *contents, NSUInteger bytes, NSUInteger options, void *deallocator) {
  check_options(options, op);
  if (options >> 4 & 15u) double_complain("-[MTLDevice %s]: only shared memory can be wrapped", op);
  if (!contents || (uintptr_t)contents % DOUBLE_PAGE) double_complain("-[MTLDevice %s]: %p is not on a 16 KB page", op, contents);
  if (!bytes || bytes % DOUBLE_PAGE) double_complain("-[MTLDevice %s]: %lu bytes are not whole 16 KB pages", op, bytes);
  if (deallocator) double_complain("-[MTLDevice %s]: a block: Moho passes none", op);
  if (double_fault_now(FAULT_no_copy_nil)) return NULL;
  double_buffer *made = (double_buffer *)make_buffer(self, contents, double_fault_now(FAULT_no_copy_zero) ? 0 : bytes, options);
  made->is_borrowed = true;
  return &made->head;
}

static void buffer_destroy(id self) {
  double_buffer *buffer = (double_buffer *)self;
  if (!buffer->is_borrowed) {
    free(buffer->contents);
    atomic_fetch_sub(&((double_device *)buffer->device)->allocated, buffer->bytes);
  }
  double_release(buffer->device);
}
static void *buffer_contents(id self, SEL op) {
  (void)op;
  const double_buffer *buffer = (double_buffer *)self;
  return buffer->options >> 4 & 15u ? NULL : buffer->contents;
}
static NSUInteger buffer_length(id self, SEL op) {
  (void)op;
  return ((double_buffer *)self)->bytes;
}

static const double_method buffer_methods[] = {
    METHOD("contents", "^v@:", buffer_contents), METHOD("length", "Q@:", buffer_length), {NULL, NULL, NULL}};
const double_class double_class_buffer = {.head = CLASS_HEAD,
                                          .name = "MTLBuffer",
                                          .super = &double_class_object,
                                          .methods = buffer_methods,
                                          .bytes = sizeof(double_buffer),
                                          .destroy = buffer_destroy};

/* ---- MTLSharedEvent ---- */

/* All events change under one lock. */
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t event_changed = PTHREAD_COND_INITIALIZER;

id double_event_create(void) {
  return double_make(&double_class_event);
}

void double_event_signal(double_event *event, uint64_t value) {
  pthread_mutex_lock(&event_lock);
  if (value < event->value) double_complain("a shared event goes back from %lu to %lu", event->value, value);
  event->value = value;
  pthread_cond_broadcast(&event_changed);
  pthread_mutex_unlock(&event_lock);
}

bool double_event_wait(double_event *event, uint64_t value, double seconds) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  if (seconds > 1e6) seconds = 1e6;
  until.tv_sec += (time_t)seconds;
  until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&event_lock);
  int late = 0;
  while (event->value < value && late != ETIMEDOUT) late = pthread_cond_timedwait(&event_changed, &event_lock, &until);
  bool there = event->value >= value;
  pthread_mutex_unlock(&event_lock);
  return there;
}

static uint64_t event_value(id self, SEL op) {
  (void)op;
  pthread_mutex_lock(&event_lock);
  uint64_t value = ((double_event *)self)->value;
  pthread_mutex_unlock(&event_lock);
  return value;
}
static void event_set(id self, SEL op, uint64_t value) {
  (void)op;
  double_event_signal((double_event *)self, value);
}
static bool event_wait(id self, SEL op, uint64_t value, uint64_t milliseconds) {
  (void)op;
  return double_event_wait((double_event *)self, value, (double)milliseconds * 1e-3);
}

static const double_method event_methods[] = {METHOD("signaledValue", "Q@:", event_value),
                                              METHOD("setSignaledValue:", "v@:Q", event_set),
                                              METHOD("waitUntilSignaledValue:timeoutMS:", "B@:QQ", event_wait),
                                              {NULL, NULL, NULL}};
const double_class double_class_event = {.head = CLASS_HEAD,
                                         .name = "MTLSharedEvent",
                                         .super = &double_class_object,
                                         .methods = event_methods,
                                         .bytes = sizeof(double_event)};
