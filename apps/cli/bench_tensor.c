/* bench_tensor.c - moho bench tensor: the clock, the lines, the order of the groups. */
#include "bench_tensor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_case.h"
#include "command.h"

enum { MOST_RUNS = 100 };

/* What was measured of a case; seconds are sorted before they are printed. */
typedef struct measured {
  double ours[MOST_RUNS], rival[MOST_RUNS], ratio[MOST_RUNS]; /* ratio: times as fast as the rival, pair by pair */
  int n;
} measured;

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median_of(const double *sorted, int n) {
  return sorted[n / 2];
}

static int is_met(const bench_rival *r, const measured *m) {
  return median_of(m->ratio, m->n) >= r->asked ||
         (r->bytes <= 0 && median_of(m->ours, m->n) <= median_of(m->rival, m->n) / r->asked + r->allowance_s);
}

/* ---- lines ---- */

static void print_rival(FILE *out, const bench_tensor_case *c, const measured *m) {
  const bench_rival *r = c->rival;
  double seconds = median_of(m->rival, m->n);
  char rate[32];
  if (r->bytes > 0)
    fprintf(out, "  %5.1f %% of %s %.2f GB/s", 100 * median_of(m->ratio, m->n), r->name, 1e-9 * r->bytes / seconds);
  else fprintf(out, "  %.4g x %s %.3f us", median_of(m->ratio, m->n), r->name, 1e6 * seconds);
  if (r->prepared && c->operations > 0) fprintf(out, ", %s/s", count_text(c->operations / seconds, rate));
  if (r->asked <= 0) return;
  fprintf(out, ", asked %.4g", r->bytes > 0 ? 100 * r->asked : r->asked);
  if (r->allowance_s > 0) fprintf(out, " or %.4g us more", 1e6 * r->allowance_s);
  fprintf(out, ": %s", is_met(r, m) ? "PASS" : "BELOW");
}

static void print_words(bench_tensor *b, const bench_tensor_case *c, const measured *m) {
  char rate[32];
  double median = median_of(m->ours, m->n);
  if (!b->group || strcmp(b->group, c->group) != 0) fprintf(b->out, "%s\n", c->group);
  b->group = c->group;
  fprintf(b->out, "  %-38s %10.3f us", c->name, 1e6 * median);
  if (c->bytes > 0) fprintf(b->out, "  %8.2f GB/s", 1e-9 * c->bytes / median);
  if (c->bytes > 0 && !c->rival) fprintf(b->out, "  %5.1f %% of a copy", 100 * c->bytes / median / b->rates.copy_bytes_per_s);
  if (c->operations > 0) fprintf(b->out, "  %s/s", count_text(c->operations / median, rate));
  if (c->rival) print_rival(b->out, c, m);
  fprintf(b->out, "  (%.3f .. %.3f)\n", 1e6 * m->ours[0], 1e6 * m->ours[m->n - 1]);
}

static json_t *seconds_json(const double *sorted, int n) {
  return json_pack("{s:f, s:f, s:f}", "min", sorted[0], "median", median_of(sorted, n), "max", sorted[n - 1]);
}

static json_t *rival_json(const bench_rival *r, const measured *m) {
  json_t *o =
      json_pack("{s:s, s:o, s:f}", "name", r->name, "seconds", seconds_json(m->rival, m->n), "ratio", median_of(m->ratio, m->n));
  if (r->bytes > 0) json_object_set_new(o, "bytes", json_real(r->bytes));
  if (r->asked <= 0) return o;
  json_object_set_new(o, "asked", json_real(r->asked));
  if (r->allowance_s > 0) json_object_set_new(o, "allowance_s", json_real(r->allowance_s));
  json_object_set_new(o, "is_met", json_boolean(is_met(r, m)));
  return o;
}

static void print_json(const bench_tensor *b, const bench_tensor_case *c, const measured *m) {
  double median = median_of(m->ours, m->n);
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o}", "device", b->report.uri, "machine", b->report.name, "group", c->group,
                        "name", c->name, "runs", m->n, "seconds", seconds_json(m->ours, m->n));
  if (c->bytes > 0) {
    json_object_set_new(o, "bytes", json_real(c->bytes));
    json_object_set_new(o, "bytes_per_s", json_real(c->bytes / median));
    json_object_set_new(o, "copy_bytes_per_s", json_real(b->rates.copy_bytes_per_s));
  }
  if (c->operations > 0) json_object_set_new(o, "operations_per_s", json_real(c->operations / median));
  if (c->rival) json_object_set_new(o, "rival", rival_json(c->rival, m));
  json_dumpf(o, b->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
  fprintf(b->out, "\n");
  json_decref(o);
}

static void print_case(bench_tensor *b, const bench_tensor_case *c, measured *m) {
  double *const figures[] = {m->ours, m->rival, m->ratio};
  for (int i = 0; i < 3; i++) qsort(figures[i], (size_t)m->n, sizeof(double), compare_seconds);
  if (b->json) print_json(b, c, m);
  else print_words(b, c, m);
  fflush(b->out);
}

/* ---- the clock ---- */

/* One thread's processor time counts, not what others on the machine take from it; else the wall's. */
static double now(const bench_tensor *b) {
  struct timespec t;
  if (!b->report.has_native || b->report.threads > 1 || clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t)) return bench_seconds();
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The cpu's caller runs it; a GPU's own clock counts, without what the host does. */
static moho_status run_once(bench_tensor *b, bench_function run, void *user, int repeats, double *seconds) {
  double before = 0, after = 0, began = now(b);
  moho_ticket ticket;
  moho_status status = MOHO_OK;
  if (b->report.has_native) {
    for (int i = 0; !status && i < repeats; i++) status = run(user, NULL);
    *seconds = (now(b) - began) / repeats;
    return status;
  }
  if ((status = moho_queue_seconds(b->queue, &before, NULL))) return status;
  if ((status = run(user, b->queue))) return status;
  if ((status = moho_queue_submit(b->queue, &ticket))) return status;
  if ((status = moho_queue_wait(b->queue, ticket, -1))) return status;
  if ((status = moho_queue_seconds(b->queue, &after, NULL))) return status;
  *seconds = after - before;
  return MOHO_OK;
}

static int repeats_of(const bench_tensor_case *c) {
  return c->repeats ? c->repeats : 1;
}

static moho_status run_ours(bench_tensor *b, const bench_tensor_case *c, double *seconds) {
  return run_once(b, c->run, c->user, repeats_of(c), seconds);
}

static moho_status run_plan(void *user, moho_queue *queue) {
  return moho_prepared_run(user, queue);
}

static moho_status run_rival(bench_tensor *b, const bench_tensor_case *c, double *seconds) {
  if (c->rival->prepared) return run_once(b, run_plan, c->rival->prepared, repeats_of(c), seconds);
  int repeats = repeats_of(c);
  double began = now(b);
  for (int i = 0; i < repeats; i++) c->rival->run(c->rival->user);
  *seconds = (now(b) - began) / repeats;
  return MOHO_OK;
}

/* Pair by pair, the one first, then the other. */
static moho_status measure(bench_tensor *b, const bench_tensor_case *c, measured *m) {
  double warm;
  moho_status status = run_ours(b, c, &warm);
  if (!status && c->rival) status = run_rival(b, c, &warm);
  for (m->n = 0; !status && m->n < b->runs; m->n++) {
    int i = m->n;
    if (c->rival && i % 2) status = run_rival(b, c, &m->rival[i]);
    if (!status) status = run_ours(b, c, &m->ours[i]);
    if (!c->rival || status) continue;
    if (i % 2 == 0) status = run_rival(b, c, &m->rival[i]);
    m->ratio[i] = m->rival[i] / m->ours[i];
    if (c->rival->bytes > 0) m->ratio[i] *= c->bytes / c->rival->bytes;
  }
  return status;
}

int bench_tensor_time(bench_tensor *b, const bench_tensor_case *c) {
  measured m = {.n = 0};
  moho_status status = measure(b, c, &m);
  if (status == MOHO_ERROR_NOT_AVAILABLE) {
    fprintf(stderr, "moho: bench: left out: %s, %s\n", c->group, c->name);
    print_error();
    return EXIT_GOOD;
  }
  if (status) return print_error();
  print_case(b, c, &m);
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

/* The cpu's yardstick: what STREAM's loops reach on the same threads. */
static moho_status make_stream(bench_tensor *b) {
  if (!b->report.has_native || bench_stream_make(&b->stream, b->elements, b->report.threads)) return MOHO_OK;
  fprintf(stderr, "moho: bench: out of memory\n");
  return MOHO_ERROR_MEMORY;
}

static void print_stream(bench_tensor *b) {
  if (!b->stream.n || b->json) return;
  fprintf(b->out, "stream, on as many threads, stored past the caches:");
  for (bench_stream_kind kind = 0; kind < BENCH_STREAMS; kind++) {
    double seconds[MOST_RUNS];
    for (int i = 0; i < b->runs; i++) {
      double began = now(b);
      bench_stream_run(&b->stream, kind);
      seconds[i] = now(b) - began;
    }
    qsort(seconds, (size_t)b->runs, sizeof *seconds, compare_seconds);
    fprintf(b->out, " %s %.2f", bench_stream_name(kind) + strlen("stream "),
            1e-9 * bench_stream_bytes(&b->stream, kind) / median_of(seconds, b->runs));
  }
  fprintf(b->out, " GB/s\n");
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
  if (!code && make_stream(&b)) code = EXIT_FAILED;
  if (!code) print_stream(&b);
  for (size_t i = 0; !code && i < sizeof groups / sizeof *groups; i++) code = groups[i](&b);
  bench_stream_free(&b.stream);
  moho_queue_destroy(&b.queue);
  moho_device_close(&b.device);
  return code;
}
