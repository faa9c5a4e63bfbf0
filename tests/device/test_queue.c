/* test_queue.c - a queue's timeline on a healthy device: order, tickets, what is copied when recorded, what is refused, queues
 * that wait for one another, functions called when work is done. test_queue_failures.c has the rest. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "queue_support.h"

enum { N = 1000 };

/* Each command sees what those before it left, within a submission and from one to the next. */
static void in_order(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  float from[N], to[N], middle = -1;
  moho_buffer *a = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), *b = rig_buffer(&r, N, MOHO_MEMORY_DEVICE),
              *c = rig_buffer(&r, N, MOHO_MEMORY_HOST);
  for (int i = 0; i < N; i++) from[i] = (float)i;
  assert_ok(moho_queue_write(r.queue, a, 0, from, sizeof from));
  assert_ok(record_stir(r.queue, r.stir, a, b, (stir_parameters){N, 1, 2, 1})); /* 2i + 1 */
  assert_ok(moho_queue_copy(r.queue, c, 0, b, 0, sizeof from));
  assert_ok(moho_queue_fill(r.queue, b, 0, sizeof from, 0));
  assert_ok(moho_queue_read(r.queue, b, 40, &middle, 4)); /* 0: the copy went before the fill, the read comes after */
  assert_ok(moho_queue_submit(r.queue, NULL));
  assert_ok(record_in_place(r.queue, r.in_place, c, (stir_parameters){N, 1, 1, 0.5f})); /* 2i + 1.5 */
  assert_ok(moho_queue_read(r.queue, c, 0, to, sizeof to));
  finish(r.queue);
  assert_true(middle == 0);
  for (int i = 0; i < N; i++) assert_true(to[i] == 2 * (float)i + 1.5f);
  moho_buffer_destroy(&a), moho_buffer_destroy(&b), moho_buffer_destroy(&c);
  rig_end(&r);
}

/* What a launch and its bindings say is copied when it is recorded; destroyed kernels and buffers live until it is done. */
static void copied_when_recorded(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  float result[N];
  moho_kernel *kernel = rig_kernel(&r, "stir_in_place");
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  moho_binding binding = {x, 0};
  stir_parameters p = {N, 1, 0, 7};
  moho_launch launch = {.kernel = kernel,
                        .buffers = &binding,
                        .n_buffers = 1,
                        .parameters = &p,
                        .parameter_bytes = sizeof p,
                        .groups = {(N + 63) / 64, 1},
                        .lanes = 64};
  assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 0));
  assert_ok(moho_queue_launch(r.queue, &launch));
  p.add = 9;
  p.n = 0;
  memset(&launch, 0xff, sizeof launch);
  memset(&binding, 0xff, sizeof binding);
  assert_ok(moho_queue_read(r.queue, x, 0, result, sizeof result));
  assert_ok(moho_kernel_destroy(&kernel));
  assert_ok(moho_buffer_destroy(&x));
  finish(r.queue);
  for (int i = 0; i < N; i++) assert_true(result[i] == 7);
  rig_end(&r);
}

static void tickets(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  moho_ticket ticket = 99;
  assert_ok(moho_queue_submit(r.queue, &ticket));
  assert_int_equal(ticket, 0); /* nothing was ever submitted */
  assert_ok(moho_queue_wait(r.queue, 0, -1));
  assert_int_equal(moho_queue_done(r.queue, 0), 1);
  for (moho_ticket k = 1; k <= 5; k++) {
    assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 1));
    assert_ok(moho_queue_submit(r.queue, &ticket));
    assert_int_equal(ticket, k);
    assert_ok(moho_queue_submit(r.queue, &ticket)); /* nothing new: the last one again */
    assert_int_equal(ticket, k);
  }
  assert_fails(moho_queue_wait(r.queue, 6, 0), MOHO_ERROR_ARGUMENT, "ticket 6 was never submitted, the last is 5");
  assert_ok(moho_queue_wait(r.queue, 5, 60));
  for (moho_ticket k = 0; k <= 5; k++) {
    assert_int_equal(moho_queue_done(r.queue, k), 1);
    assert_ok(moho_queue_wait(r.queue, k, 0)); /* as often as one likes */
  }
  assert_ok(moho_queue_fill(r.queue, x, 0, 0, 1)); /* nothing to do is nothing recorded */
  assert_ok(moho_queue_submit(r.queue, &ticket));
  assert_int_equal(ticket, 5);
  moho_buffer_destroy(&x);
  rig_end(&r);
}

/* What is forgotten never happens, and holds nothing any more. */
static void discarded(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  float result[N];
  moho_ticket ticket;
  moho_metrics before, after;
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), *y = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  assert_ok(moho_buffer_fill(x, 0, N * 4, 0));
  assert_ok(record_in_place(r.queue, r.in_place, x, (stir_parameters){N, 1, 1, 1}));
  assert_ok(moho_queue_copy(r.queue, y, 0, x, 0, N * 4));
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_device_metrics_get(r.device, &before));
  assert_ok(moho_queue_discard(r.queue));
  assert_ok(moho_device_metrics_get(r.device, &after));
  assert_int_equal(after.pool.active_count + 1, before.pool.active_count); /* y's memory */
  assert_ok(moho_queue_submit(r.queue, &ticket));
  assert_int_equal(ticket, 0);
  assert_ok(moho_buffer_read(x, 0, result, sizeof result));
  for (int i = 0; i < N; i++) assert_true(result[i] == 0);
  moho_buffer_destroy(&x);
  rig_end(&r);
}

/* A wrong launch is refused where it is recorded, and nothing of it is left. */
static void refused_launches(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  moho_device *other_device = test_device_open("");
  rig other = rig_begin(other_device);
  moho_buffer *a = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), *b = rig_buffer(&r, N, MOHO_MEMORY_DEVICE),
              *foreign = rig_buffer(&other, N, MOHO_MEMORY_DEVICE), *dead = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), *late = dead;
  assert_ok(moho_buffer_destroy(&dead));
  moho_kernel *group = rig_kernel(&r, "stir_group");
  moho_device_report report;
  assert_ok(moho_device_describe(r.device, &report));
  stir_parameters p = {N, 1, 1, 1};
  moho_binding two[2] = {{a, 0}, {b, 0}}, gap[2] = {{a, 0}, {NULL, 0}}, odd[2] = {{a, 0}, {b, 8}},
               far_off[2] = {{a, 0}, {b, 4000}}, strange[2] = {{a, 0}, {foreign, 0}}, gone[2] = {{late, 0}, {b, 0}};
  const moho_launch good = {.kernel = r.stir,
                            .buffers = two,
                            .n_buffers = 2,
                            .parameters = &p,
                            .parameter_bytes = sizeof p,
                            .groups = {16, 1},
                            .lanes = 64};
#define REFUSED(code, words, change)                                \
  do {                                                              \
    moho_launch launch = good;                                      \
    change;                                                         \
    assert_fails(moho_queue_launch(r.queue, &launch), code, words); \
  } while (0)
  REFUSED(MOHO_ERROR_RANGE, "a grid of 0 groups", launch.groups[0] = 0);
  REFUSED(MOHO_ERROR_RANGE, "a grid of 1 x 65536 groups", (launch.groups[0] = 1, launch.groups[1] = 65536));
  REFUSED(MOHO_ERROR_RANGE, "a grid of 2147483648", launch.groups[0] = 1u << 31);
  REFUSED(MOHO_ERROR_RANGE, "2^32-1 lanes", launch.groups[0] = 1u << 26);
  REFUSED(MOHO_ERROR_RANGE, "257 lanes a group, at most 256", launch.lanes = 257);
  REFUSED(MOHO_ERROR_RANGE, "lanes a group", launch.lanes = UINT32_MAX);
  REFUSED(MOHO_ERROR_RANGE, "multiple of 16", launch.group_memory = 8);
  REFUSED(MOHO_ERROR_RANGE, "for a kernel that has none", launch.group_memory = 16);
  REFUSED(MOHO_ERROR_RANGE, "at most", launch.group_memory = report.group_memory / 16 * 16 + 16);
  REFUSED(MOHO_ERROR_RANGE, "group memory", launch.group_memory = SIZE_MAX - 15);
  REFUSED(MOHO_ERROR_RANGE, "its group_memory must be given",
          (launch.kernel = group, launch.n_buffers = 1, launch.parameters = NULL, launch.parameter_bytes = 0));
  REFUSED(MOHO_ERROR_RANGE, "multiple of 4, at most 4096", launch.parameter_bytes = 4100);
  REFUSED(MOHO_ERROR_RANGE, "multiple of 4", launch.parameter_bytes = 15);
  REFUSED(MOHO_ERROR_ARGUMENT, "parameters at NULL", launch.parameters = NULL);
  REFUSED(MOHO_ERROR_ARGUMENT, "parameters at an address", launch.parameter_bytes = 0);
  REFUSED(MOHO_ERROR_ARGUMENT, "its text has a PARAM", (launch.parameters = NULL, launch.parameter_bytes = 0));
  REFUSED(MOHO_ERROR_ARGUMENT, "got 1 buffers, its text has 2", launch.n_buffers = 1);
  REFUSED(MOHO_ERROR_ARGUMENT, "31 buffers", launch.n_buffers = 31);
  REFUSED(MOHO_ERROR_ARGUMENT, "buffers at NULL", launch.buffers = NULL);
  REFUSED(MOHO_ERROR_ARGUMENT, "kernel stir, binding 1 (b): no buffer", launch.buffers = gap);
  REFUSED(MOHO_ERROR_ARGUMENT, "offset 8, expected a multiple of 16", launch.buffers = odd);
  REFUSED(MOHO_ERROR_RANGE, "offset 4000 is past the end of a buffer of 4000 bytes", launch.buffers = far_off);
  REFUSED(MOHO_ERROR_ARGUMENT, "belongs to another device", launch.buffers = strange);
  REFUSED(MOHO_ERROR_HANDLE, "buffer: not a live object", launch.buffers = gone);
  REFUSED(MOHO_ERROR_ARGUMENT, "kernel: got NULL", launch.kernel = NULL);
  REFUSED(MOHO_ERROR_ARGUMENT, "another device than the queue", launch.kernel = other.stir);
  REFUSED(MOHO_ERROR_HANDLE, "kernel: not a live object", launch.kernel = (const moho_kernel *)(void *)a);
#undef REFUSED
  assert_fails(moho_queue_launch(r.queue, NULL), MOHO_ERROR_ARGUMENT, "nothing to launch");
  assert_fails(moho_queue_launch(NULL, &good), MOHO_ERROR_ARGUMENT, "queue: got NULL");
  moho_ticket ticket;
  assert_ok(moho_queue_submit(r.queue, &ticket));
  assert_int_equal(ticket, 0);
  assert_ok(moho_queue_fill(r.queue, a, 0, N * 4, 0));
  assert_ok(moho_queue_launch(r.queue, &good));
  finish(r.queue);
  moho_buffer_destroy(&a), moho_buffer_destroy(&b), moho_buffer_destroy(&foreign);
  moho_kernel_destroy(&group);
  rig_end(&other);
  rig_end(&r);
}

static void refused_transfers(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  char bytes[64] = {0};
  moho_ticket ticket;
  moho_buffer *a, *b;
  assert_ok(moho_buffer_create(r.device, 64, MOHO_MEMORY_DEVICE, &a));
  assert_ok(moho_buffer_create(r.device, 64, MOHO_MEMORY_DEVICE, &b));
  assert_fails(moho_queue_write(r.queue, a, 1, bytes, 64), MOHO_ERROR_RANGE, "pass the end");
  assert_fails(moho_queue_write(r.queue, a, SIZE_MAX, bytes, 2), MOHO_ERROR_RANGE, "pass the end");
  assert_fails(moho_queue_read(r.queue, a, 32, bytes, SIZE_MAX - 16), MOHO_ERROR_RANGE, "pass the end");
  assert_fails(moho_queue_write(r.queue, a, 0, NULL, 8), MOHO_ERROR_ARGUMENT, "NULL");
  assert_fails(moho_queue_read(r.queue, a, 0, NULL, 8), MOHO_ERROR_ARGUMENT, "NULL");
  assert_fails(moho_queue_copy(r.queue, a, 0, b, 60, 8), MOHO_ERROR_RANGE, "pass the end");
  assert_fails(moho_queue_copy(r.queue, a, 0, a, 8, 16), MOHO_ERROR_RANGE, "overlap");
  assert_fails(moho_queue_copy(r.queue, a, 0, NULL, 8, 16), MOHO_ERROR_ARGUMENT, "buffer: got NULL");
  assert_fails(moho_queue_fill(r.queue, a, 2, 8, 0), MOHO_ERROR_ARGUMENT, "multiples of 4");
  assert_fails(moho_queue_fill(r.queue, a, 60, 8, 0), MOHO_ERROR_RANGE, "pass the end");
  assert_ok(moho_queue_submit(r.queue, &ticket));
  assert_int_equal(ticket, 0);
  moho_buffer_destroy(&a), moho_buffer_destroy(&b);
  rig_end(&r);
}

/* Two queues add in turns to one buffer: the sum is right only if each waits for the other. */
static void after(void **state) {
  (void)state;
  enum { TURNS = 20 };
  rig r = rig_begin(test_device_open(""));
  moho_queue *queues[2] = {r.queue, NULL};
  float result[N], expected = 0;
  moho_ticket last[2] = {0, 0};
  assert_ok(moho_queue_create(r.device, &queues[1]));
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  assert_ok(moho_buffer_fill(x, 0, N * 4, 0));
  for (int k = 0; k < TURNS; k++) {
    int mine = k % 2;
    stir_parameters p = {N, 1, mine ? 0.5f : 2, 1};
    assert_ok(moho_queue_after(queues[mine], queues[!mine], last[!mine]));
    assert_ok(record_in_place(queues[mine], r.in_place, x, p));
    assert_ok(moho_queue_submit(queues[mine], &last[mine]));
    expected = p.factor * expected + 1;
  }
  assert_ok(moho_queue_wait(queues[1], last[1], -1));
  assert_ok(moho_buffer_read(x, 0, result, sizeof result));
  for (int i = 0; i < N; i++) assert_true(result[i] == expected);
  assert_fails(moho_queue_after(queues[0], queues[1], last[1] + 1), MOHO_ERROR_ARGUMENT, "was not submitted yet");
  assert_fails(moho_queue_after(queues[0], NULL, 0), MOHO_ERROR_ARGUMENT, "queue: got NULL");
  assert_ok(moho_queue_after(queues[0], queues[0], last[0])); /* it comes after itself anyway */
  rig other = rig_begin(test_device_open(""));
  assert_fails(moho_queue_after(queues[0], other.queue, 0), MOHO_ERROR_ARGUMENT, "another device's queue");
  rig_end(&other);
  assert_ok(moho_queue_destroy(&queues[1]));
  moho_buffer_destroy(&x);
  rig_end(&r);
}

/* ---- functions called ---- */

typedef struct calls {
  moho_ticket tickets[16];
  moho_status failed; /* of any of them, or of what is recorded */
  atomic_int n;
  pthread_t thread;
  moho_queue *next; /* ticket 3 done: `y` is filled there */
  moho_buffer *x, *y;
} calls;

static void note(void *user, moho_ticket ticket, moho_status status) {
  calls *c = user;
  if (status) c->failed = status;
  c->thread = pthread_self();
  c->tickets[c->n] = ticket;
  if (ticket == 3 && c->next) {
    if ((status = moho_queue_fill(c->next, c->y, 0, 8, 0x3f800000))) c->failed = status;
    if ((status = moho_queue_submit(c->next, NULL))) c->failed = status;
  }
  atomic_fetch_add(&c->n, 1);
}

/* Once each, in the order of the tickets, from a thread of the runtime; at the latest before the queue is gone. */
static void on_done(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  calls c = {.x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), .y = rig_buffer(&r, 2, MOHO_MEMORY_DEVICE)};
  float result[2] = {0, 0};
  moho_ticket ticket;
  assert_ok(moho_queue_create(r.device, &c.next));
  assert_fails(moho_queue_on_done(c.next, 1, note, &c), MOHO_ERROR_ARGUMENT, "never submitted");
  assert_fails(moho_queue_on_done(c.next, 0, NULL, &c), MOHO_ERROR_ARGUMENT, "no function");
  assert_ok(moho_buffer_fill(c.x, 0, N * 4, 0));
  for (int k = 0; k < 8; k++) {
    assert_ok(record_in_place(r.queue, r.in_place, c.x, (stir_parameters){N, 1, 1, 1}));
    assert_ok(moho_queue_submit(r.queue, &ticket));
    assert_ok(moho_queue_on_done(r.queue, ticket, note, &c));
  }
  assert_ok(moho_queue_wait(r.queue, ticket, -1));
  assert_ok(moho_queue_on_done(r.queue, 8, note, &c)); /* done already: called all the same */
  assert_ok(moho_queue_destroy(&r.queue));
  assert_int_equal(c.n, 9);
  assert_int_equal(c.failed, MOHO_OK);
  for (int k = 0; k < 8; k++) assert_int_equal(c.tickets[k], k + 1);
  assert_int_equal(c.tickets[8], 8);
  assert_false(pthread_equal(c.thread, pthread_self()));
  assert_ok(moho_queue_read(c.next, c.y, 0, result, 8)); /* after what the function recorded there */
  finish(c.next);
  assert_true(result[0] == 1 && result[1] == 1);
  assert_ok(moho_queue_destroy(&c.next));
  moho_buffer_destroy(&c.x), moho_buffer_destroy(&c.y);
  rig_end(&r);
}

/* ---- clocks and threads ---- */

static void own_clock(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  double kernel = -1, transfer = -1;
  moho_metrics metrics;
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 0));
  assert_ok(record_in_place(r.queue, r.in_place, x, (stir_parameters){N, 1, 1, 1}));
  finish(r.queue);
  assert_ok(moho_queue_seconds(r.queue, &kernel, &transfer));
  assert_true(kernel == 0 && transfer == 0); /* not asked for */
  assert_ok(moho_queue_measure(r.queue, 1));
  assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 0));
  assert_ok(record_in_place(r.queue, r.in_place, x, (stir_parameters){N, 1, 1, 1}));
  finish(r.queue);
  assert_ok(moho_queue_seconds(r.queue, &kernel, &transfer));
  assert_true(kernel > 0 && kernel < 60 && transfer > 0 && transfer < 60);
  assert_ok(moho_device_metrics_get(r.device, &metrics));
  assert_true(metrics.kernel_seconds == 0 && metrics.transfer_seconds == 0); /* the device's are off */
  assert_int_equal(metrics.launches, 2);
  assert_ok(moho_device_metrics_enable(r.device, 1));
  assert_ok(record_in_place(r.queue, r.in_place, x, (stir_parameters){N, 1, 1, 1}));
  finish(r.queue);
  assert_true(test_metrics_of(r.device).kernel_seconds > 0);
  moho_buffer_destroy(&x);
  rig_end(&r);
}

typedef struct user {
  rig *r;
  pthread_t thread;
  int number;
} user;

static void *use_device(void *argument) {
  user *u = argument;
  float result[N], expected = 0;
  moho_queue *queue;
  assert_ok(moho_queue_create(u->r->device, &queue));
  moho_buffer *x = rig_buffer(u->r, N, u->number % 2 ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE);
  assert_ok(moho_queue_fill(queue, x, 0, N * 4, 0));
  for (int k = 0; k < 10; k++) {
    assert_ok(record_in_place(queue, u->r->in_place, x, (stir_parameters){N, 1, 0.5f, (float)u->number}));
    assert_ok(moho_queue_submit(queue, NULL));
    expected = 0.5f * expected + (float)u->number;
  }
  assert_ok(moho_queue_read(queue, x, 0, result, sizeof result));
  finish(queue);
  for (int i = 0; i < N; i++) assert_true(result[i] == expected);
  assert_ok(moho_buffer_destroy(&x));
  assert_ok(moho_queue_destroy(&queue));
  return NULL;
}

/* Four threads with a queue each share device and kernel. */
static void many_threads(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  user users[4];
  for (int i = 0; i < 4; i++) {
    users[i] = (user){.r = &r, .number = i + 1};
    assert_int_equal(pthread_create(&users[i].thread, NULL, use_device, &users[i]), 0);
  }
  for (int i = 0; i < 4; i++) pthread_join(users[i].thread, NULL);
  rig_end(&r);
}

/* Many submissions that nobody waits for, then many commands in one: whatever the device can have in flight, all of it is done.
 */
static void much_work(void **state) {
  (void)state;
  enum { MUCH = 400 };
  rig r = rig_begin(test_device_open(""));
  float result[N];
  moho_ticket ticket;
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), *y = rig_buffer(&r, N, MOHO_MEMORY_HOST);
  assert_ok(moho_buffer_fill(x, 0, N * 4, 0));
  for (int k = 0; k < MUCH; k++) {
    assert_ok(record_in_place(r.queue, r.in_place, x, (stir_parameters){N, 1, 1, 1}));
    assert_ok(moho_queue_submit(r.queue, &ticket));
  }
  assert_int_equal(ticket, MUCH);
  assert_ok(moho_queue_copy(r.queue, y, 0, x, 0, N * 4));
  for (int k = 0; k < MUCH; k++) assert_ok(record_in_place(r.queue, r.in_place, y, (stir_parameters){N, 1, 1, 2}));
  assert_ok(moho_queue_read(r.queue, y, 0, result, sizeof result));
  finish(r.queue);
  for (int i = 0; i < N; i++) assert_true(result[i] == 3 * MUCH);
  assert_int_equal(test_metrics_of(r.device).launches, 2 * MUCH);
  moho_buffer_destroy(&x), moho_buffer_destroy(&y);
  rig_end(&r);
}

/* Grids of two dimensions, and lanes of the runtime's choice. */
static void grids(void **state) {
  (void)state;
  rig r = rig_begin(test_device_open(""));
  moho_kernel *places = rig_kernel(&r, "stir_places");
  uint32_t out[3 * 5 * 256];
  moho_buffer *x = rig_buffer(&r, 3 * 5 * 256, MOHO_MEMORY_DEVICE);
  moho_binding binding = {x, 0};
  moho_launch launch = {.kernel = places, .buffers = &binding, .n_buffers = 1, .groups = {3, 5}};
  assert_ok(moho_queue_launch(r.queue, &launch));
  assert_ok(moho_queue_read(r.queue, x, 0, out, sizeof out));
  finish(r.queue);
  for (uint32_t y = 0; y < 5; y++)
    for (uint32_t g = 0; g < 3; g++)
      for (uint32_t k = 0; k < 256; k++) assert_int_equal(out[(y * 3 + g) * 256 + k], y * 1000 + g);
  moho_buffer_destroy(&x);
  moho_kernel_destroy(&places);
  rig_end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(in_order),
                                     cmocka_unit_test(copied_when_recorded),
                                     cmocka_unit_test(tickets),
                                     cmocka_unit_test(discarded),
                                     cmocka_unit_test(refused_launches),
                                     cmocka_unit_test(refused_transfers),
                                     cmocka_unit_test(after),
                                     cmocka_unit_test(on_done),
                                     cmocka_unit_test(own_clock),
                                     cmocka_unit_test(many_threads),
                                     cmocka_unit_test(much_work),
                                     cmocka_unit_test(grids)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
