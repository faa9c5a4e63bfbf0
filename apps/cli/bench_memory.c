/* bench_memory.c - moho bench memory: what a device's runtime takes for allocation, copies, launches, the reading of tables. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_case.h"
#include "bench_memory.h"
#include "command.h"

enum { RUNS = 15, MANY = 1000, GETS = 32, TABLE_SAMPLES = 1 << 23, TABLE_TIMES = 2001 };
static const size_t COPY_BYTES = (size_t)256 << 20, SMALL_BYTES = (size_t)1 << 20;

typedef struct memory_bench {
  moho_device *device;
  moho_device_report report;
  moho_queue *queue;
  size_t bytes; /* of the copies */
  moho_buffer *device_a, *device_b, *host;
  void *pageable;
  json_t *figures;
} memory_bench;

/* One figure: seconds, median of RUNS; bytes moved, 0 where none are. */
static void add_figure(memory_bench *b, const char *name, const char *words, double seconds, double bytes) {
  json_t *figure = json_pack("{s:s, s:s, s:f}", "name", name, "words", words, "seconds", seconds);
  if (bytes > 0) json_object_set_new(figure, "bytes_per_s", json_real(seconds > 0 ? bytes / seconds : 0));
  json_array_append_new(b->figures, figure);
}

static void add_absent(memory_bench *b, const char *name, const char *words, const char *reason) {
  json_array_append_new(b->figures, json_pack("{s:s, s:s, s:n, s:s}", "name", name, "words", words, "seconds", "reason", reason));
}

/* ---- the clock ---- */

typedef moho_status (*timed_function)(memory_bench *b, const void *user);

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static moho_status median_of(memory_bench *b, timed_function function, const void *user, double *median) {
  double seconds[RUNS];
  moho_status status = function(b, user); /* warm */
  for (int i = 0; !status && i < RUNS; i++) {
    double begin = bench_seconds();
    status = function(b, user);
    seconds[i] = bench_seconds() - begin;
  }
  if (status) return status;
  qsort(seconds, RUNS, sizeof *seconds, compare_seconds);
  *median = seconds[RUNS / 2];
  return MOHO_OK;
}

static moho_status time_it(memory_bench *b, const char *name, const char *words, timed_function function, const void *user,
                           double bytes) {
  double seconds;
  moho_status status = median_of(b, function, user, &seconds);
  if (!status) add_figure(b, name, words, seconds, bytes);
  return status;
}

static moho_status submit_and_wait(memory_bench *b) {
  moho_ticket ticket;
  moho_status status = moho_queue_submit(b->queue, &ticket);
  return status ? status : moho_queue_wait(b->queue, ticket, -1);
}

/* ---- allocation ---- */

static moho_status allocate(memory_bench *b, const void *user) {
  moho_buffer *buffer;
  moho_status status = moho_buffer_create(b->device, *(const size_t *)user, MOHO_MEMORY_DEVICE, &buffer);
  if (!status) status = moho_buffer_destroy(&buffer);
  return status ? status : moho_device_pool_trim(b->device);
}

/* GETS blocks are taken from the pool and given back; only the taking is timed. */
static moho_status time_pool_get(memory_bench *b) {
  moho_buffer *buffers[GETS] = {NULL};
  double seconds[RUNS];
  moho_status status = MOHO_OK;
  for (int run = -1; !status && run < RUNS; run++) {
    double begin = bench_seconds();
    for (int i = 0; !status && i < GETS; i++)
      status = moho_buffer_create(b->device, SMALL_BYTES, MOHO_MEMORY_DEVICE, &buffers[i]);
    if (run >= 0) seconds[run] = (bench_seconds() - begin) / GETS;
    for (int i = 0; i < GETS; i++) moho_buffer_destroy(&buffers[i]);
  }
  if (status) return status;
  qsort(seconds, RUNS, sizeof *seconds, compare_seconds);
  add_figure(b, "pool_get", "a block of 1 MiB from the warm pool", seconds[RUNS / 2], 0);
  return MOHO_OK;
}

static moho_status time_allocation(memory_bench *b) {
  moho_status status = time_it(b, "allocate_small", "1 MiB allocated and given back, no pool", allocate, &SMALL_BYTES, 0);
  if (!status)
    status = time_it(b, "allocate_large", "as much as is copied, allocated and given back, no pool", allocate, &b->bytes, 0);
  return status ? status : time_pool_get(b);
}

/* ---- copies ---- */

typedef struct copy {
  moho_buffer *to, *from;
} copy;

static moho_status copy_once(memory_bench *b, const void *user) {
  const copy *c = user;
  moho_status status = moho_queue_copy(b->queue, c->to, 0, c->from, 0, b->bytes);
  return status ? status : submit_and_wait(b);
}

static moho_status write_pageable(memory_bench *b, const void *user) {
  (void)user;
  return moho_buffer_write(b->device_a, 0, b->pageable, b->bytes);
}

static moho_status read_pageable(memory_bench *b, const void *user) {
  (void)user;
  return moho_buffer_read(b->device_a, 0, b->pageable, b->bytes);
}

static moho_status wrap_once(memory_bench *b, const void *user) {
  (void)user;
  moho_buffer *wrapped;
  moho_status status = moho_buffer_wrap(b->device, b->pageable, b->bytes, &wrapped);
  return status ? status : moho_buffer_destroy(&wrapped);
}

static moho_status time_wrap(memory_bench *b) {
  static const char words[] = "host memory wrapped without a copy";
  moho_buffer *wrapped;
  moho_status status = moho_buffer_wrap(b->device, b->pageable, b->bytes, &wrapped);
  if (status == MOHO_ERROR_NOT_AVAILABLE) {
    add_absent(b, "wrap", words, moho_last_error()->message);
    return MOHO_OK;
  }
  if (!status)
    status = time_it(b, "wrapped_upload", "wrapped host memory to the device", copy_once, &(copy){b->device_a, wrapped},
                     (double)b->bytes);
  moho_status destroyed = moho_buffer_destroy(&wrapped);
  if (status || destroyed) return status ? status : destroyed;
  return time_it(b, "wrap", words, wrap_once, NULL, 0);
}

static moho_status time_copies(memory_bench *b) {
  double bytes = (double)b->bytes;
  moho_status status = time_it(b, "upload", "MOHO_MEMORY_HOST to the device", copy_once, &(copy){b->device_a, b->host}, bytes);
  if (!status) status = time_it(b, "download", "the device to MOHO_MEMORY_HOST", copy_once, &(copy){b->host, b->device_a}, bytes);
  if (!status) status = time_it(b, "upload_pageable", "plain host memory to the device", write_pageable, NULL, bytes);
  if (!status) status = time_it(b, "download_pageable", "the device to plain host memory", read_pageable, NULL, bytes);
  if (!status)
    status = time_it(b, "device_copy", "within the device, bytes read and written", copy_once, &(copy){b->device_b, b->device_a},
                     2 * bytes);
  return status ? status : time_wrap(b);
}

/* ---- launches ---- */

typedef struct launches {
  moho_launch launch;
  int count;
} launches;

static moho_status launch_many(memory_bench *b, const void *user) {
  const launches *l = user;
  moho_status status = MOHO_OK;
  for (int i = 0; !status && i < l->count; i++) status = moho_queue_launch(b->queue, &l->launch);
  return status ? status : submit_and_wait(b);
}

static moho_status time_launches(memory_bench *b) {
  moho_kernel *kernel;
  moho_status status = moho_kernel_create(b->device, &(moho_kernel_options){.name = "bench_empty"}, &kernel);
  if (status) return status;
  bench_memory_parameters p = {0};
  moho_binding binding = {b->device_a, 0};
  launches l = {{.kernel = kernel,
                 .buffers = &binding,
                 .n_buffers = 1,
                 .parameters = &p,
                 .parameter_bytes = sizeof p,
                 .groups = {1, 1},
                 .lanes = 32},
                1};
  double one, many;
  status = median_of(b, launch_many, &l, &one);
  l.count = MANY;
  if (!status) status = median_of(b, launch_many, &l, &many);
  if (!status) {
    add_figure(b, "launch", "an empty launch: record, submit, wait", one, 0);
    add_figure(b, "launches_1000", "1000 empty launches less one", many - one, 0);
  }
  moho_status destroyed = moho_kernel_destroy(&kernel);
  return status ? status : destroyed;
}

/* ---- 1000 empty tiles of migrate_v3 ---- */

static moho_status time_tiles(memory_bench *b) {
  static const char words[] = "1000 tiles of kernel v3 that no trace reaches, less one";
  double seconds;
  moho_status status = bench_time_tiles(b->device, b->queue, RUNS, &seconds);
  if (!status) add_figure(b, "tiles_1000", words, seconds, 0);
  if (status != MOHO_ERROR_NOT_AVAILABLE) return status;
  add_absent(b, "tiles_1000", words, moho_last_error()->message);
  return MOHO_OK;
}

/* ---- velocity ---- */

/* What reading a table a sample costs: that of two readings less that of one, a sample. */
static moho_status time_table(memory_bench *b, const char *name, const char *words, const moho_kernel *kernel, uint32_t stride) {
  bench_memory_parameters p = {.n = TABLE_SAMPLES, .n_time = TABLE_TIMES, .stride = stride, .repeats = 1};
  if ((size_t)p.n * sizeof(bench_velocity) > b->bytes) p.n = (uint32_t)(b->bytes / sizeof(bench_velocity));
  moho_binding bindings[] = {{b->device_a, 0}, {b->device_b, 0}};
  launches l = {{.kernel = kernel,
                 .buffers = bindings,
                 .n_buffers = 2,
                 .parameters = &p,
                 .parameter_bytes = sizeof p,
                 .groups = {p.n / 256, 1},
                 .lanes = 256},
                1};
  double one, none;
  moho_status status = median_of(b, launch_many, &l, &one);
  p.repeats = 0;
  if (!status) status = median_of(b, launch_many, &l, &none);
  if (!status) add_figure(b, name, words, (one - none) / (double)p.n, 0);
  return status;
}

static moho_status time_velocity(memory_bench *b) {
  moho_kernel *kernel;
  moho_status status = moho_buffer_fill(b->device_a, 0, b->bytes, 0);
  if (!status) status = moho_kernel_create(b->device, &(moho_kernel_options){.name = "bench_read_table"}, &kernel);
  if (status) return status;
  status =
      time_table(b, "velocity_shared", "one velocity function for all columns, read once an image sample; a sample", kernel, 0);
  if (!status)
    status =
        time_table(b, "velocity_own", "a velocity function a column, read once an image sample; a sample", kernel, TABLE_TIMES);
  moho_status destroyed = moho_kernel_destroy(&kernel);
  return status ? status : destroyed;
}

/* ---- all of it ---- */

static moho_status make_buffers(memory_bench *b) {
  size_t free_bytes = b->report.memory_free_bytes ? b->report.memory_free_bytes : b->report.memory_bytes;
  size_t page = (size_t)sysconf(_SC_PAGESIZE), align = b->report.wrap_alignment > page ? b->report.wrap_alignment : page;
  b->bytes = COPY_BYTES;
  if (b->report.largest_buffer && b->bytes > b->report.largest_buffer) b->bytes = b->report.largest_buffer;
  while (b->bytes > free_bytes / 8 && b->bytes > SMALL_BYTES) b->bytes /= 2;
  b->bytes -= b->bytes % (align > SMALL_BYTES ? align : SMALL_BYTES);
  if (posix_memalign(&b->pageable, align, b->bytes)) {
    b->pageable = NULL;
    fprintf(stderr, "moho: bench: out of memory\n");
    return MOHO_ERROR_MEMORY;
  }
  memset(b->pageable, 0, b->bytes);
  moho_status status = moho_buffer_create(b->device, b->bytes, MOHO_MEMORY_DEVICE, &b->device_a);
  if (!status) status = moho_buffer_create(b->device, b->bytes, MOHO_MEMORY_DEVICE, &b->device_b);
  return status ? status : moho_buffer_create(b->device, b->bytes, MOHO_MEMORY_HOST, &b->host);
}

static moho_status run_all(memory_bench *b, const char *uri) {
  static const struct {
    const char *stage;
    moho_status (*run)(memory_bench *);
  } parts[] = {{"allocation", time_allocation}, {"buffers", make_buffers}, {"copies", time_copies},
               {"launches", time_launches},     {"tiles", time_tiles},     {"tables", time_velocity}};
  size_t count = sizeof parts / sizeof *parts;
  moho_status status = moho_device_open(uri, &b->device);
  if (!status) status = moho_device_describe(b->device, &b->report);
  if (!status) status = bench_register_kernels();
  if (!status) status = moho_queue_create(b->device, &b->queue);
  b->bytes = COPY_BYTES / 4;
  for (size_t i = 0; !status && i < count; i++) {
    moho_progress progress = {.stage = parts[i].stage, .unit = "parts", .done = (double)i, .total = (double)count};
    status = progress_step(NULL, &progress) ? MOHO_ERROR_INTERRUPTED : parts[i].run(b);
  }
  return status;
}

static void release(memory_bench *b) {
  moho_queue_destroy(&b->queue);
  moho_buffer_destroy(&b->device_a);
  moho_buffer_destroy(&b->device_b);
  moho_buffer_destroy(&b->host);
  free(b->pageable);
  json_decref(b->figures);
  moho_device_close(&b->device);
}

static void print_text(FILE *out, const memory_bench *b) {
  size_t index;
  json_t *each;
  char bytes[32];
  fprintf(out, "%s %s: medians of %d, copies of %s\n", b->report.uri, b->report.name, RUNS, bytes_text((double)b->bytes, bytes));
  json_array_foreach(b->figures, index, each) {
    double seconds = json_number_value(json_object_get(each, "seconds")),
           rate = json_number_value(json_object_get(each, "bytes_per_s"));
    const char *reason = json_string_value(json_object_get(each, "reason"));
    fprintf(out, "  %-18s ", json_string_value(json_object_get(each, "name")));
    if (reason) fprintf(out, "%-26s", "-");
    else if (rate > 0) fprintf(out, "%10.4g us %8.2f GB/s", 1e6 * seconds, rate / 1e9);
    else fprintf(out, "%10.4g us %13s", 1e6 * seconds, "");
    fprintf(out, "  %s%s%s\n", json_string_value(json_object_get(each, "words")), reason ? ": " : "", reason ? reason : "");
  }
}

static json_t *memory_json(const memory_bench *b) {
  return json_pack("{s:s, s:{s:s, s:s, s:s, s:s}, s:I, s:i, s:s, s:O}", "bench", "memory", "device", "uri", b->report.uri, "name",
                   b->report.name, "architecture", b->report.architecture, "driver", b->report.driver, "bytes",
                   (json_int_t)b->bytes, "runs", (int)RUNS, "version", moho_version(), "figures", b->figures);
}

int bench_memory_run(const char *device_uri, int json, const char *report, FILE *out) {
  memory_bench b = {.figures = json_array()};
  moho_status status = run_all(&b, device_uri ? device_uri : "auto");
  int code = status ? print_error() : EXIT_GOOD;
  progress_end();
  json_t *root = code ? NULL : memory_json(&b);
  if (!code && json) {
    json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fprintf(out, "\n");
  } else if (!code) {
    print_text(out, &b);
  }
  if (!code && report) code = bench_write_memory_report(report, root);
  json_decref(root);
  release(&b);
  return code;
}
