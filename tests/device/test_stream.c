/* test_stream.c - data of any size through two chunks: on the device under test, and on one whose memory the host does not
 * reach. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "far_backend.h"
#include "queue_support.h"

enum { MOST = 1000, CHUNK = 64 };

typedef struct streaming {
  rig r;
  size_t largest; /* chunk seen */
  size_t next;    /* item */
  size_t fail_at; /* items recorded before the function fails */
  moho_status fail_with;
} streaming;

static streaming begin(int is_far) {
  streaming s = {.fail_at = SIZE_MAX};
  if (is_far) far_reset();
  s.r = rig_begin(is_far ? far_open(0) : test_device_open(""));
  return s;
}

/* out = 2*in + 1, chunk after chunk in order. */
static moho_status record(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  streaming *s = user;
  assert_int_equal(first, s->next);
  assert_true(n > 0);
  if (n > s->largest) s->largest = n;
  s->next += n;
  moho_status status = record_stir(queue, s->r.stir, in, out, (stir_parameters){(unsigned)n, 1, 2, 1});
  return s->next > s->fail_at ? s->fail_with : status;
}

static moho_stream_options options_of(streaming *s, const float *from, float *to, size_t n) {
  s->next = 0;
  return (moho_stream_options){.from = from,
                               .to = to,
                               .n_items = n,
                               .item_in_bytes = sizeof *from,
                               .item_out_bytes = sizeof *to,
                               .chunk_items = CHUNK,
                               .record = record,
                               .user = s};
}

static void fill(float *from, float *to) {
  for (int i = 0; i < MOST; i++) from[i] = (float)i, to[i] = -1;
}

/* Items below n are done, those from n on are as they were. */
static void assert_done(const float *from, const float *to, size_t n) {
  for (size_t i = 0; i < MOST; i++) assert_true(to[i] == (i < n ? 2 * from[i] + 1 : -1));
}

static void sizes(void **state) {
  static const size_t counts[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK, 7 * CHUNK + 3, MOST};
  float from[MOST] = {0}, to[MOST] = {0};
  streaming s = begin(*state != NULL);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    moho_stream_options options = options_of(&s, from, to, counts[i]);
    fill(from, to);
    assert_ok(moho_stream_run(s.r.device, &options));
    assert_int_equal(s.next, counts[i]);
    assert_done(from, to, counts[i]);
  }
  assert_int_equal(s.largest, CHUNK); /* never more memory than two chunks */
  moho_stream_options options = options_of(&s, from, to, MOST);
  options.chunk_items = 0; /* the runtime's choice: all of it here */
  fill(from, to);
  assert_ok(moho_stream_run(s.r.device, &options));
  assert_int_equal(s.largest, MOST);
  options = options_of(&s, from, to, MOST);
  options.chunk_items = 1;
  options.n_items = 10;
  fill(from, to);
  assert_ok(moho_stream_run(s.r.device, &options));
  assert_done(from, to, 10);
  rig_end(&s.r);
}

/* ---- data that only go in, or only come out ---- */

static moho_buffer *sum; /* of what went in: [CHUNK] */

static moho_status record_in(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  streaming *s = user;
  (void)first;
  assert_null(out);
  return record_stir(queue, s->r.stir, in, sum, (stir_parameters){(unsigned)n, 1, 1, 100});
}

static moho_status record_out(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  streaming *s = user;
  assert_null(in);
  MOHO_TRY(moho_queue_fill(queue, out, 0, n * sizeof(float), 0));
  return record_in_place(queue, s->r.in_place, out, (stir_parameters){(unsigned)n, 1, 1, (float)first});
}

static void one_way(void **state) {
  float from[MOST] = {0}, to[MOST] = {0};
  streaming s = begin(*state != NULL);
  fill(from, to);
  sum = rig_buffer(&s.r, CHUNK, MOHO_MEMORY_DEVICE);
  moho_stream_options in = options_of(&s, from, NULL, 3 * CHUNK), out = options_of(&s, NULL, to, 3 * CHUNK);
  in.item_out_bytes = 0;
  in.record = record_in;
  assert_ok(moho_stream_run(s.r.device, &in));
  assert_ok(moho_buffer_read(sum, 0, to, CHUNK * sizeof(float)));
  for (int i = 0; i < CHUNK; i++) assert_true(to[i] == from[2 * CHUNK + i] + 100);
  out.item_in_bytes = 0;
  out.record = record_out;
  assert_ok(moho_stream_run(s.r.device, &out));
  for (int i = 0; i < 3 * CHUNK; i++) assert_true(to[i] == (float)(i / CHUNK * CHUNK));
  assert_ok(moho_buffer_destroy(&sum));
  rig_end(&s.r);
}

/* ---- progress, and being stopped ---- */

typedef struct course {
  double last, total, stop_at;
  int calls;
} course;

static int watch(void *user, const moho_progress *progress) {
  course *c = user;
  assert_true(progress->done > c->last && progress->done <= progress->total && progress->seconds >= 0);
  assert_string_equal(progress->stage, "streaming");
  assert_string_equal(progress->unit, "items");
  c->last = progress->done;
  c->total = progress->total;
  c->calls++;
  return progress->done >= c->stop_at;
}

static void stopped(void **state) {
  float from[MOST] = {0}, to[MOST] = {0};
  streaming s = begin(*state != NULL);
  course c = {.stop_at = 1e9};
  moho_stream_options options = options_of(&s, from, to, MOST);
  options.progress = watch;
  options.progress_user = &c;
  fill(from, to);
  assert_ok(moho_stream_run(s.r.device, &options));
  assert_int_equal(c.calls, (MOST + CHUNK - 1) / CHUNK);
  assert_true(c.last == MOST && c.total == MOST);
  for (int at = 1; at <= 4; at++) {
    c = (course){.stop_at = at * CHUNK};
    s.next = 0;
    fill(from, to);
    assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_INTERRUPTED, "of 1000 items");
    assert_true(c.last == at * CHUNK && c.calls == at);
    assert_done(from, to, (size_t)at * CHUNK); /* what it was told of is there, no more */
  }
  rig_end(&s.r); /* nothing is left of streams that were stopped */
}

/* ---- failures ---- */

static void failing_functions(void **state) {
  static const size_t places[] = {0, CHUNK, 2 * CHUNK, 3 * CHUNK};
  float from[MOST] = {0}, to[MOST] = {0};
  streaming s = begin(*state != NULL);
  moho_stream_options options = options_of(&s, from, to, MOST);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    fill(from, to);
    s.next = 0;
    s.fail_at = places[i];
    s.fail_with = MOHO_ERROR_SHAPE; /* a reason of its own, which the runtime has no words for */
    assert_ok(moho_device_pool_trim(s.r.device));
    assert_fails(moho_queue_wait(s.r.queue, 9, 0), MOHO_ERROR_ARGUMENT, "never submitted"); /* an older error */
    assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_SHAPE, "the function that records the work of items");
  }
  rig_end(&s.r);
}

static moho_status record_wrongly(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  streaming *s = user;
  (void)first;
  return moho_queue_launch(queue, &(moho_launch){.kernel = s->r.stir,
                                                 .buffers = (moho_binding[]){{in, 0}, {out, 0}},
                                                 .n_buffers = 2,
                                                 .parameters = &(stir_parameters){(unsigned)n, 1, 1, 1},
                                                 .parameter_bytes = sizeof(stir_parameters),
                                                 .groups = {1, 1},
                                                 .lanes = 4096});
}

static void wrong_options(void **state) {
  float from[MOST] = {0}, to[MOST] = {0};
  streaming s = begin(*state != NULL);
  moho_stream_options good = options_of(&s, from, to, MOST), options = good;
  assert_fails(moho_stream_run(s.r.device, NULL), MOHO_ERROR_ARGUMENT, "no function");
  assert_fails(moho_stream_run(NULL, &good), MOHO_ERROR_ARGUMENT, "device: got NULL");
  options.record = NULL;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_ARGUMENT, "no function");
  options = good;
  options.from = NULL;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_ARGUMENT, "4000 bytes from NULL");
  options = good;
  options.to = NULL;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_ARGUMENT, "4000 bytes to NULL");
  options = good;
  options.item_in_bytes = options.item_out_bytes = 0;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_ARGUMENT, "0 bytes in and out");
  options = good;
  options.n_items = SIZE_MAX / 2;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_RANGE, "more than memory can have");
  options = good;
  options.record = record_wrongly;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_RANGE, "4096 lanes a group");
  rig_end(&s.r);
}

/* The device fails in the midst of it: its words come out, and the host's input is as it was. */
static void failing_device(void **state) {
  (void)state;
  float from[MOST] = {0}, to[MOST] = {0};
  streaming s = begin(1);
  moho_stream_options options = options_of(&s, from, to, MOST);
  for (int at = 1; at <= 5; at++) {
    fill(from, to);
    s.next = 0;
    far.kill_ticket = (uint64_t)at;
    assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_DEVICE, "far: the command was killed");
    far.kill_ticket = 0;
    for (int i = 0; i < MOST; i++) assert_true(from[i] == (float)i);
  }
  s.next = 0;
  far.memory = far.held + 100; /* no room for the chunks */
  assert_ok(moho_device_pool_trim(s.r.device));
  far.memory = far.held + 100;
  assert_fails(moho_stream_run(s.r.device, &options), MOHO_ERROR_MEMORY, "far: no room on the shelf");
  far.memory = (size_t)1 << 30;
  fill(from, to);
  assert_ok(moho_stream_run(s.r.device, &options));
  assert_done(from, to, MOST);
  rig_end(&s.r);
}

/* ---- several at once ---- */

static void *run_one(void *argument) {
  streaming *shared = argument, mine = *shared;
  float from[MOST] = {0}, to[MOST] = {0};
  fill(from, to);
  moho_stream_options options = options_of(&mine, from, to, MOST);
  for (int i = 0; i < 3; i++) {
    mine.next = 0;
    assert_ok(moho_stream_run(mine.r.device, &options));
    assert_done(from, to, MOST);
  }
  return NULL;
}

static void at_once(void **state) {
  streaming s = begin(*state != NULL);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_one, &s), 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  rig_end(&s.r);
}

static atomic_size_t recorded;

static moho_status record_and_count(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  moho_status status = record(user, queue, in, out, first, n);
  atomic_store(&recorded, first + n);
  return status;
}

static void *run_counted(void *argument) {
  streaming *s = argument;
  static float from[MOST], to[MOST];
  moho_stream_options options = options_of(s, from, to, MOST);
  options.record = record_and_count;
  fill(from, to);
  assert_ok(moho_stream_run(s->r.device, &options));
  assert_done(from, to, MOST);
  return NULL;
}

/* While nothing that was sent up or computed is done yet, the next chunk is on its way: two, and not three. */
static void overlapped(void **state) {
  (void)state;
  streaming s = begin(1);
  pthread_t thread;
  atomic_store(&recorded, 0);
  __atomic_store_n(&far.hold, 1, __ATOMIC_RELEASE);
  assert_int_equal(pthread_create(&thread, NULL, run_counted, &s), 0);
  while (atomic_load(&recorded) < 2 * CHUNK) nanosleep(&(struct timespec){0, 1000000}, NULL);
  nanosleep(&(struct timespec){0, 30000000}, NULL);
  assert_int_equal(atomic_load(&recorded), 2 * CHUNK);
  __atomic_store_n(&far.hold, 0, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
  assert_int_equal(atomic_load(&recorded), MOST);
  rig_end(&s.r);
}

#define NEAR(test) cmocka_unit_test(test)
#define FAR(test) \
  { #test "_far", test, NULL, NULL, &far }

int main(void) {
  const struct CMUnitTest tests[] = {NEAR(sizes),         FAR(sizes),         NEAR(one_way),           FAR(one_way),
                                     NEAR(stopped),       FAR(stopped),       NEAR(failing_functions), FAR(failing_functions),
                                     NEAR(wrong_options), FAR(wrong_options), NEAR(failing_device),    NEAR(overlapped),
                                     NEAR(at_once),       FAR(at_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
