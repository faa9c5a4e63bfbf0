/* bench_tensor.c - moho bench tensor: the clock, the lines, the order of the groups. */
#include "bench_tensor.h"

#include <stdlib.h>
#include <string.h>

#include "bench_case.h"
#include "command.h"

enum { MOST_RUNS = 100 };

/* ---- lines ---- */

int bench_compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_words(bench_tensor *b, const bench_tensor_case *c, const double *seconds, int n, const json_t *extra) {
  char rate[32];
  double median = seconds[n / 2];
  const char *key;
  json_t *value;
  if (!b->group || strcmp(b->group, c->group) != 0) fprintf(b->out, "%s\n", c->group);
  b->group = c->group;
  fprintf(b->out, "  %-38s %10.3f us", c->name, 1e6 * median);
  if (c->bytes > 0)
    fprintf(b->out, "  %8.2f GB/s  %5.1f %% of a copy", 1e-9 * c->bytes / median,
            100 * c->bytes / median / b->rates.copy_bytes_per_s);
  if (c->operations > 0) fprintf(b->out, "  %s/s", count_text(c->operations / median, rate));
  json_object_foreach((json_t *)(uintptr_t)extra, key, value) fprintf(b->out, "  %s %.4g", key, json_number_value(value));
  fprintf(b->out, "  (%.3f .. %.3f)\n", 1e6 * seconds[0], 1e6 * seconds[n - 1]);
}

static void print_json(const bench_tensor *b, const bench_tensor_case *c, const double *seconds, int n, json_t *extra) {
  double median = seconds[n / 2];
  json_t *o =
      json_pack("{s:s, s:s, s:s, s:s, s:i, s:{s:f, s:f, s:f}}", "device", b->report.uri, "machine", b->report.name, "group",
                c->group, "name", c->name, "runs", n, "seconds", "min", seconds[0], "median", median, "max", seconds[n - 1]);
  if (c->bytes > 0) {
    json_object_set_new(o, "bytes", json_real(c->bytes));
    json_object_set_new(o, "bytes_per_s", json_real(c->bytes / median));
    json_object_set_new(o, "copy_bytes_per_s", json_real(b->rates.copy_bytes_per_s));
  }
  if (c->operations > 0) json_object_set_new(o, "operations_per_s", json_real(c->operations / median));
  if (extra) json_object_update(o, extra);
  json_dumpf(o, b->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
  fprintf(b->out, "\n");
  json_decref(o);
}

void bench_tensor_print(bench_tensor *b, const bench_tensor_case *c, double *seconds, int n, json_t *extra) {
  qsort(seconds, (size_t)n, sizeof *seconds, bench_compare_seconds);
  if (b->json) print_json(b, c, seconds, n, extra);
  else print_words(b, c, seconds, n, extra);
  fflush(b->out);
  json_decref(extra);
}

/* ---- the clock ---- */

/* The cpu's caller runs it; a GPU's own clock counts, without what the host does. */
static moho_status run_once(bench_tensor *b, const bench_tensor_case *c, double *seconds) {
  double before = 0, after = 0, began = bench_seconds();
  moho_ticket ticket;
  moho_status status;
  if (b->report.has_native) {
    status = c->run(c->user, NULL);
    *seconds = bench_seconds() - began;
    return status;
  }
  if ((status = moho_queue_seconds(b->queue, &before, NULL))) return status;
  if ((status = c->run(c->user, b->queue))) return status;
  if ((status = moho_queue_submit(b->queue, &ticket))) return status;
  if ((status = moho_queue_wait(b->queue, ticket, -1))) return status;
  if ((status = moho_queue_seconds(b->queue, &after, NULL))) return status;
  *seconds = after - before;
  return MOHO_OK;
}

int bench_tensor_time(bench_tensor *b, const bench_tensor_case *c) {
  double seconds[MOST_RUNS], warm;
  moho_status status = run_once(b, c, &warm);
  for (int i = 0; !status && i < b->runs; i++) status = run_once(b, c, &seconds[i]);
  if (status == MOHO_ERROR_NOT_AVAILABLE) {
    fprintf(stderr, "moho: bench: left out: %s, %s\n", c->group, c->name);
    print_error();
    return EXIT_GOOD;
  }
  if (status) return print_error();
  bench_tensor_print(b, c, seconds, b->runs, NULL);
  return EXIT_GOOD;
}

/* ---- all of it ---- */

static int (*const groups[])(bench_tensor *b) = {
    bench_tensor_elementwise,
    bench_tensor_small,
    bench_tensor_matmul,
};

/* On the cpu far beyond the caches; on a GPU a gigabyte an operand, or what memory allows. */
static size_t default_elements(const bench_tensor *b) {
  size_t most = b->report.memory_free_bytes / 8 / sizeof(float), wanted = (size_t)1 << (b->report.has_native ? 24 : 28);
  return (most < wanted ? most : wanted) / 8192 * 8192;
}

static moho_status prepare(bench_tensor *b, const char *device_uri) {
  moho_status status = moho_device_open(device_uri, &b->device);
  if (!status) status = moho_device_describe(b->device, &b->report);
  if (!status) status = moho_device_measure(b->device, &b->rates);
  if (!status) status = moho_queue_create(b->device, &b->queue);
  if (!status) status = moho_queue_measure(b->queue, 1);
  if (!status && !b->elements) b->elements = default_elements(b);
  return status;
}

int bench_tensor_run(const char *device_uri, size_t elements, int runs, int json, FILE *out) {
  bench_tensor b = {.elements = elements, .runs = runs < MOST_RUNS ? runs : MOST_RUNS, .json = json, .out = out};
  int code = prepare(&b, device_uri ? device_uri : "cpu?threads=1") ? print_error() : EXIT_GOOD;
  if (!code && !json)
    fprintf(out, "%s, %s; a copy moves %.2f GB/s (read and written); %zu elements\n", b.report.uri, b.report.name,
            1e-9 * b.rates.copy_bytes_per_s, b.elements);
  for (size_t i = 0; !code && i < sizeof groups / sizeof *groups; i++) code = groups[i](&b);
  moho_queue_destroy(&b.queue);
  moho_device_close(&b.device);
  return code;
}
