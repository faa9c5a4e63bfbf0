/* selftest_runtime.c - the runtime of a device by itself: kernels of ours, queues, copies, the pool; numbers that must come out
 * exactly. */
#include <moho/kernels/kern.h>

#include "selftest.k"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftest.h"

extern const char moho_text_selftest[];

static const moho_kernel_definition definitions[] = {{.name = "selftest_add",
                                                      .text = moho_text_selftest,
                                                      .c = KERN_C_FUNCTION(selftest_add),
                                                      .max_lanes = KERN_MAX_LANES(selftest_add)},
                                                     {.name = "selftest_sum",
                                                      .text = moho_text_selftest,
                                                      .c = KERN_C_FUNCTION(selftest_sum),
                                                      .max_lanes = KERN_MAX_LANES(selftest_sum),
                                                      .uses_group = 1}};

enum { N = 100003, GROUPS = 7, LANES_USED = 64, BUFFERS = 3 };

/* What a check works with. */
typedef struct work_table {
  moho_kernel *add, *sum;
  moho_queue *queue, *other;
  moho_buffer *buffers[BUFFERS]; /* [N] floats */
  float *a, *b, *c;              /* [N] on the host */
} work_table;

static void release(work_table *w) {
  moho_queue_destroy(&w->queue);
  moho_queue_destroy(&w->other);
  moho_kernel_destroy(&w->add);
  moho_kernel_destroy(&w->sum);
  for (int i = 0; i < BUFFERS; i++) moho_buffer_destroy(&w->buffers[i]);
  free(w->a);
  free(w->b);
  free(w->c);
}

static moho_status create(moho_device *device, work_table *w) {
  *w = (work_table){0};
  moho_status status = moho_kernel_register(&definitions[0]);
  if (!status) status = moho_kernel_register(&definitions[1]);
  if (!status) status = moho_kernel_create(device, &(moho_kernel_options){.name = "selftest_add"}, &w->add);
  if (!status) status = moho_kernel_create(device, &(moho_kernel_options){.name = "selftest_sum"}, &w->sum);
  if (!status) status = moho_queue_create(device, &w->queue);
  if (!status) status = moho_queue_create(device, &w->other);
  for (int i = 0; !status && i < BUFFERS; i++)
    status = moho_buffer_create(device, N * sizeof(float), i ? MOHO_MEMORY_DEVICE : MOHO_MEMORY_HOST, &w->buffers[i]);
  w->a = malloc(N * sizeof(float)), w->b = malloc(N * sizeof(float)), w->c = malloc(N * sizeof(float));
  if (!status && (!w->a || !w->b || !w->c)) status = MOHO_ERROR_MEMORY;
  for (int i = 0; !status && i < N; i++) w->a[i] = (float)(i % 1000), w->b[i] = (float)(i % 77), w->c[i] = -1;
  return status;
}

static moho_status launch_add(work_table *w, moho_queue *queue, float factor) {
  const moho_binding bindings[] = {{w->buffers[0], 0}, {w->buffers[1], 0}, {w->buffers[2], 0}};
  selftest_parameters p = {.n = N, .factor = factor};
  uint32_t lanes, groups;
  moho_status status = moho_kernel_group_1d(w->add, N, &lanes, &groups);
  return status ? status
                : moho_queue_launch(queue, &(moho_launch){.kernel = w->add,
                                                          .buffers = bindings,
                                                          .n_buffers = 3,
                                                          .parameters = &p,
                                                          .parameter_bytes = sizeof p,
                                                          .groups = {groups, 1},
                                                          .lanes = lanes});
}

static moho_status submit_and_wait(moho_queue *queue) {
  moho_ticket ticket;
  moho_status status = moho_queue_submit(queue, &ticket);
  return status ? status : moho_queue_wait(queue, ticket, -1);
}

static void expect_sums(const work_table *w, float factor, char words[200]) {
  for (int i = 0; i < N; i++)
    if (w->c[i] != w->a[i] + factor * w->b[i]) {
      snprintf(words, 200, "element %d is %g, expected %g", i, (double)w->c[i], (double)(w->a[i] + factor * w->b[i]));
      return;
    }
}

/* ---- the checks ---- */

static moho_status write_both(work_table *w) {
  moho_status status = moho_buffer_write(w->buffers[0], 0, w->a, N * sizeof(float));
  return status ? status : moho_buffer_write(w->buffers[1], 0, w->b, N * sizeof(float));
}

static moho_status check_add(work_table *w, moho_device *device, char words[200]) {
  (void)device;
  moho_status status = write_both(w);
  if (!status) status = launch_add(w, w->queue, 2);
  if (!status) status = submit_and_wait(w->queue);
  if (!status) status = moho_buffer_read(w->buffers[2], 0, w->c, N * sizeof(float));
  if (!status) expect_sums(w, 2, words);
  return status;
}

static moho_status check_sum(work_table *w, moho_device *device, char words[200]) {
  (void)device;
  const moho_binding bindings[] = {{w->buffers[0], 0}, {w->buffers[2], 0}};
  selftest_parameters p = {.n = N};
  moho_launch launch = {.kernel = w->sum,
                        .buffers = bindings,
                        .n_buffers = 2,
                        .parameters = &p,
                        .parameter_bytes = sizeof p,
                        .groups = {GROUPS, 1},
                        .lanes = LANES_USED,
                        .group_memory = LANES_USED * sizeof(float)};
  moho_status status = write_both(w);
  if (!status) status = moho_queue_launch(w->queue, &launch);
  if (!status) status = submit_and_wait(w->queue);
  if (!status) status = moho_buffer_read(w->buffers[2], 0, w->c, GROUPS * sizeof(float));
  double sum = 0, expected = 0;
  for (int i = 0; i < GROUPS; i++) sum += (double)w->c[i];
  for (int i = 0; i < N; i++) expected += (double)w->a[i]; /* whole numbers: exact in float too */
  if (!status && sum != expected) snprintf(words, 200, "the sum is %.9g, expected %.9g", sum, expected);
  return status;
}

/* Writes, a launch and a read in one submission; a second queue waits for the first; tickets count up. */
static moho_status check_queue(work_table *w, moho_device *device, char words[200]) {
  (void)device;
  moho_ticket first = 0, second = 0;
  moho_status status = moho_queue_write(w->queue, w->buffers[0], 0, w->a, N * sizeof(float));
  if (!status) status = moho_queue_write(w->queue, w->buffers[1], 0, w->b, N * sizeof(float));
  if (!status) status = moho_queue_submit(w->queue, &first);
  if (!status) status = moho_queue_after(w->other, w->queue, first);
  if (!status) status = launch_add(w, w->other, 3);
  if (!status) status = moho_queue_read(w->other, w->buffers[2], 0, w->c, N * sizeof(float));
  if (!status) status = moho_queue_submit(w->other, &second);
  if (!status) status = moho_queue_wait(w->other, second, -1);
  if (status) return status;
  if (!moho_queue_done(w->queue, first)) snprintf(words, 200, "the second queue was done before the first");
  else expect_sums(w, 3, words);
  return MOHO_OK;
}

static moho_status check_copies(work_table *w, moho_device *device, char words[200]) {
  (void)device;
  enum { HEAD = 1600, TAIL = N * 4 - HEAD };
  void *host;
  moho_status status = moho_buffer_write(w->buffers[0], 0, w->a, N * sizeof(float));
  if (!status) status = moho_buffer_fill(w->buffers[1], 0, N * sizeof(float), 0x3f800000u); /* 1.0f */
  if (!status) status = moho_buffer_copy(w->buffers[1], HEAD, w->buffers[0], 0, TAIL);
  if (!status) status = moho_buffer_read(w->buffers[1], 0, w->c, N * sizeof(float));
  for (int i = 0; !status && !words[0] && i < N; i++) {
    float expected = i < HEAD / 4 ? 1.0F : w->a[i - HEAD / 4];
    if (w->c[i] != expected) snprintf(words, 200, "element %d is %g, expected %g", i, (double)w->c[i], (double)expected);
  }
  if (!status) status = moho_buffer_map(w->buffers[0], MOHO_MAP_READ, &host);
  if (status) return status;
  for (int i = 0; !words[0] && i < N; i++)
    if (((const float *)host)[i] != w->a[i]) snprintf(words, 200, "mapped element %d differs", i);
  return moho_buffer_unmap(w->buffers[0]);
}

/* A block given back is taken again; nothing is kept after a trim. */
static moho_status check_pool(work_table *w, moho_device *device, char words[200]) {
  (void)w;
  moho_metrics before, after;
  moho_buffer *buffer;
  enum { BYTES = 3 << 20 };
  moho_status status = moho_buffer_create(device, BYTES, MOHO_MEMORY_DEVICE, &buffer);
  if (!status) status = moho_buffer_destroy(&buffer);
  if (!status) status = moho_device_metrics_get(device, &before);
  if (!status) status = moho_buffer_create(device, BYTES, MOHO_MEMORY_DEVICE, &buffer);
  if (!status) status = moho_buffer_destroy(&buffer);
  if (!status) status = moho_device_metrics_get(device, &after);
  if (!status && after.pool.hits != before.pool.hits + 1)
    snprintf(words, 200, "the pool had %llu hits, expected one more than %llu", (unsigned long long)after.pool.hits,
             (unsigned long long)before.pool.hits);
  if (!status) status = moho_device_pool_trim(device);
  if (!status) status = moho_device_metrics_get(device, &after);
  if (!status && after.pool.cached_bytes) snprintf(words, 200, "%zu bytes are kept after a trim", after.pool.cached_bytes);
  return status;
}

/* A wrong launch is refused when recorded, and the queue goes on as if nothing had been asked. */
static moho_status check_refusals(work_table *w, moho_device *device, char words[200]) {
  (void)device;
  const moho_binding bindings[] = {{w->buffers[0], 0}, {w->buffers[1], 0}, {w->buffers[2], 0}};
  selftest_parameters p = {.n = N};
  moho_launch wrong = {.kernel = w->add,
                       .buffers = bindings,
                       .n_buffers = 3,
                       .parameters = &p,
                       .parameter_bytes = sizeof p,
                       .groups = {1, 1},
                       .lanes = 1u << 20};
  if (moho_queue_launch(w->queue, &wrong) <= 0) snprintf(words, 200, "a group of 2^20 lanes was not refused");
  wrong.lanes = 32, wrong.n_buffers = 2;
  if (moho_queue_launch(w->queue, &wrong) <= 0) snprintf(words, 200, "a launch that lacks a buffer was not refused");
  if (moho_buffer_write(w->buffers[1], N * sizeof(float), w->a, 4) <= 0)
    snprintf(words, 200, "a write beyond the end was not refused");
  return words[0] ? MOHO_OK : check_add(w, device, words);
}

/* Host memory that a kernel reads and writes where it lies; refused aloud where the device cannot. */
static moho_status check_wrapped(work_table *w, moho_device *device, char words[200]) {
  enum { PAGES = 1 << 20 };
  moho_device_report report;
  moho_buffer *wrapped = NULL, *buffer = w->buffers[2];
  void *memory = NULL;
  moho_status status = moho_device_describe(device, &report);
  if (!status && posix_memalign(&memory, 65536, PAGES)) return MOHO_ERROR_MEMORY;
  if (!status) status = moho_buffer_wrap(device, memory, PAGES, &wrapped);
  if (status == MOHO_ERROR_NOT_AVAILABLE && !report.zero_copy) {
    free(memory);
    return MOHO_OK;
  }
  if (!status) memset(memory, 0, PAGES);
  if (!status) w->buffers[2] = wrapped, status = check_add(w, device, words);
  const float *there = memory;
  for (int i = 0; !status && !words[0] && i < N; i++)
    if (there[i] != w->c[i])
      snprintf(words, 200, "the wrapped memory holds %g at %d, its buffer %g", (double)there[i], i, (double)w->c[i]);
  w->buffers[2] = buffer;
  moho_buffer_destroy(&wrapped);
  free(memory);
  return status;
}

static moho_status record_chunk(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  const work_table *w = user;
  const moho_binding bindings[] = {{in, 0}, {in, 0}, {out, 0}};
  selftest_parameters p = {.n = (unsigned)n, .factor = 2};
  (void)first;
  return moho_queue_launch(queue, &(moho_launch){.kernel = w->add,
                                                 .buffers = bindings,
                                                 .n_buffers = 3,
                                                 .parameters = &p,
                                                 .parameter_bytes = sizeof p,
                                                 .groups = {(uint32_t)((n + LANES_USED - 1) / LANES_USED), 1},
                                                 .lanes = LANES_USED});
}

/* Seven chunks through two pairs of buffers. */
static moho_status check_stream(work_table *w, moho_device *device, char words[200]) {
  moho_status status = moho_stream_run(device, &(moho_stream_options){.from = w->a,
                                                                      .to = w->c,
                                                                      .n_items = N,
                                                                      .item_in_bytes = sizeof(float),
                                                                      .item_out_bytes = sizeof(float),
                                                                      .chunk_items = N / 7,
                                                                      .record = record_chunk,
                                                                      .user = w});
  for (int i = 0; !status && !words[0] && i < N; i++)
    if (w->c[i] != 3 * w->a[i]) snprintf(words, 200, "element %d is %g, expected %g", i, (double)w->c[i], (double)(3 * w->a[i]));
  return status;
}

/* ---- the list ---- */

static moho_status with_table(moho_device *device, char words[200],
                              moho_status (*check)(work_table *, moho_device *, char[200])) {
  work_table w;
  words[0] = '\0';
  moho_status status = create(device, &w);
  if (!status) status = check(&w, device, words);
  if (status) snprintf(words, 200, "%.199s", moho_last_error()->message);
  release(&w);
  return status;
}

#define CHECK(name)                                                     \
  static moho_status run_##name(moho_device *device, char words[200]) { \
    return with_table(device, words, check_##name);                     \
  }
CHECK(add)
CHECK(sum)
CHECK(queue)
CHECK(copies)
CHECK(pool)
CHECK(refusals)
CHECK(wrapped)
CHECK(stream)
#undef CHECK

const selftest_runtime_check selftest_runtime_checks[] = {
    {"runtime: vector add", run_add},         {"runtime: group memory", run_sum}, {"runtime: arithmetic", selftest_check_words},
    {"runtime: two queues", run_queue},       {"runtime: copies", run_copies},    {"runtime: pool", run_pool},
    {"runtime: wrapped memory", run_wrapped}, {"runtime: streaming", run_stream}, {"runtime: refusals", run_refusals}};
const size_t selftest_n_runtime_checks = sizeof selftest_runtime_checks / sizeof *selftest_runtime_checks;
