/* bench_program.c - moho bench program: what portable programs reach on a device.
 *
 * Chains of element-wise instructions from memory to memory, 1 and 8 long: the longer should take no longer where memory is the
 * bound. Loops on registers alone: how many instructions a second lanes get through. The cases take turns, so that what disturbs
 * one disturbs all; each is first compared with the reference interpreter on a few lanes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_case.h"
#include "command.h"
#include "moho/program.h"

enum { CASES = 5, CHECKED = 1000, LANES = 256, TURNS = 4000, FEW_LANES = 4096, MANY_LANES = 1 << 22, RUNS_MOST = 101 };
static const size_t FEW_ELEMENTS = (size_t)16 << 20, MANY_ELEMENTS = (size_t)256 << 20;

/* What each lane counts, apart from getting in and out: `instructions` a lane, or a turn of its loop. */
typedef struct program_text {
  const char *name, *words, *body;
  int instructions, is_loop;
} program_text;

static const program_text texts[CASES] = {
    {"chain_1", "memory to memory, 1 instruction", "  mul v, v, a\n", 1, 0},
    {"chain_8", "memory to memory, 8 instructions",
     "  mul v, v, a\n  add v, v, b\n  fma v, v, a, b\n  max v, v, b\n  sub v, v, a\n  min v, v, t\n  abs v, v\n  mul v, v, a\n",
     8, 0},
    {"chain_8_exp", "memory to memory, 8 instructions, one of them exp",
     "  mul v, v, a\n  add v, v, b\n  fma v, v, a, b\n  exp v, v\n  sub v, v, a\n  min v, v, t\n  abs v, v\n  mul v, v, a\n", 8,
     0},
    {"arithmetic", "registers alone: add, mul, fma",
     "  fma v, v, a, b\n  add w, w, b\n  mul w, w, a\n  fma v, w, a, v\n  mul v, v, a\n  add w, v, b\n  fma w, w, a, v\n"
     "  add v, v, w\n",
     8, 1},
    {"arithmetic_exp", "registers alone: add, mul, fma, one exp in eight",
     "  fma v, v, a, b\n  add w, w, b\n  mul w, w, a\n  fma v, w, a, v\n  mul v, v, a\n  exp w, v\n"
     "  fma v, w, a, b\n  mul v, v, a\n",
     8, 1}};

/* One case under way. */
typedef struct program_case {
  const program_text *text;
  moho_program *program;
  moho_program_executable *executable;
  size_t elements;
  double lane_instructions, bytes; /* of a run */
  double seconds[RUNS_MOST];
} program_case;

typedef struct program_bench {
  moho_device *device;
  moho_device_report report;
  moho_device_rates rates; /* measured at first: what a copy reaches */
  moho_queue *queue;
  moho_buffer *x, *y;
  program_case cases[CASES];
  int runs;
} program_bench;

/* ---- programs ---- */

static moho_status assemble(const program_text *text, moho_program **out) {
  static const char head[] = "program %s\nscalar u32 n, turns\nbuffer in f32 x\nbuffer out f32 y\nregister u32 i, end, k\n"
                             "register f32 v, w, a, b, t\npredicate inside\n\n"
                             "  get i, id\n  param end, n\n  compare.lt inside, i, end\n  if inside\n"
                             "  set a, 0.5\n  set b, -0.25\n  set t, 2\n  load v, x[i]\n  move w, v\n";
  char whole[1200];
  int n = snprintf(whole, sizeof whole, head, text->name);
  n += snprintf(whole + n, sizeof whole - (size_t)n, text->is_loop ? "  param k, turns\n  loop k\n%s  end\n" : "%s", text->body);
  snprintf(whole + n, sizeof whole - (size_t)n, "  store y[i], v\n  end\n");
  return moho_program_assemble(whole, text->name, out);
}

static uint32_t turns_of(const program_case *c, size_t elements) {
  return c->text->is_loop ? elements == CHECKED ? 3 : TURNS : 0;
}

static moho_status launch(const program_bench *b, const program_case *c, size_t elements) {
  moho_program_run *run;
  moho_ticket ticket;
  moho_program_fault fault;
  const moho_program_binding bindings[] = {{b->x, 0, elements}, {b->y, 0, elements}};
  const moho_program_value scalars[] = {{.u = elements}, {.u = turns_of(c, elements)}};
  moho_program_launch_options options = {.buffers = bindings,
                                         .n_buffers = 2,
                                         .scalars = scalars,
                                         .n_scalars = 2,
                                         .groups = {(uint32_t)((elements + LANES - 1) / LANES), 1, 1},
                                         .lanes = {LANES, 1, 1}};
  moho_status status = moho_program_launch(c->executable, b->queue, &options, &run);
  if (!status) status = moho_queue_submit(b->queue, &ticket);
  return status ? status : moho_program_wait(&run, -1, &fault);
}

/* Of the device itself. One thread's processor time counts, not what others on the machine take from it. */
static moho_status seconds_so_far(const program_bench *b, double *seconds) {
  double transfer;
  struct timespec t;
  int is_alone = b->report.has_native && b->report.threads == 1;
  if (!is_alone || clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t)) return moho_queue_seconds(b->queue, seconds, &transfer);
  *seconds = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
  return MOHO_OK;
}

static moho_status time_launch(program_bench *b, const program_case *c, double *seconds) {
  double before, after;
  moho_status status = seconds_so_far(b, &before);
  if (!status) status = launch(b, c, c->elements);
  if (!status) status = seconds_so_far(b, &after);
  if (!status) *seconds = after - before;
  return status;
}

/* ---- against the reference ---- */

static moho_status reference(const program_case *c, const float *x, float *y) {
  moho_program_fault fault;
  const moho_program_memory memory[] = {{(void *)(uintptr_t)x, CHECKED}, {y, CHECKED}};
  const moho_program_value scalars[] = {{.u = CHECKED}, {.u = turns_of(c, CHECKED)}};
  return moho_program_run_reference(c->program,
                                    &(moho_program_reference_launch){.buffers = memory,
                                                                     .n_buffers = 2,
                                                                     .scalars = scalars,
                                                                     .n_scalars = 2,
                                                                     .groups = {(CHECKED + LANES - 1) / LANES, 1, 1},
                                                                     .lanes = {LANES, 1, 1}},
                                    &fault);
}

/* 1: what the device made of some lanes is the reference's, but for what exp may differ by. */
static moho_status check(program_bench *b, const program_case *c, int *passed) {
  float x[CHECKED], expected[CHECKED] = {0}, got[CHECKED];
  for (int i = 0; i < CHECKED; i++) x[i] = sinf((float)i) * 3;
  moho_status status = moho_buffer_write(b->x, 0, x, sizeof x);
  if (!status) status = launch(b, c, CHECKED);
  if (!status) status = moho_buffer_read(b->y, 0, got, sizeof got);
  if (!status) status = reference(c, x, expected);
  *passed = 1;
  for (int i = 0; !status && i < CHECKED; i++) *passed &= fabsf(got[i] - expected[i]) <= 2e-6f * fabsf(expected[i]) + 1e-6f;
  return status;
}

/* ---- all of it ---- */

static size_t elements_that_fit(const program_bench *b) {
  size_t free_bytes = b->report.memory_free_bytes ? b->report.memory_free_bytes : b->report.memory_bytes;
  size_t n = b->report.has_native ? FEW_ELEMENTS : MANY_ELEMENTS;
  while (n > FEW_ELEMENTS / 16 && (n * 16 > free_bytes || (b->report.largest_buffer && n * 4 > b->report.largest_buffer))) n /= 2;
  return n;
}

static void count_work(program_case *c) {
  c->lane_instructions = (double)c->elements * c->text->instructions * (c->text->is_loop ? TURNS : 1);
  c->bytes = c->text->is_loop ? 0 : 8.0 * (double)c->elements;
}

/* On a processor loops begin with few lanes; the first time tells how many more take a fifth of a second. */
static void lengthen(const program_bench *b, program_case *c) {
  if (!c->text->is_loop || !b->report.has_native) return;
  double more = 0.2 / c->seconds[0], most = 64;
  size_t times = (size_t)(more < 1 ? 1 : more > most ? most : more);
  c->elements *= times;
  count_work(c);
}

static moho_status make_case(program_bench *b, int i, size_t elements) {
  program_case *c = &b->cases[i];
  c->text = &texts[i];
  moho_status status = assemble(c->text, &c->program);
  if (!status) status = moho_program_prepare(c->program, b->device, &c->executable);
  c->elements = c->text->is_loop ? b->report.has_native ? FEW_LANES : MANY_LANES : elements;
  if (c->elements > elements) c->elements = elements;
  count_work(c);
  return status;
}

static moho_status prepare(program_bench *b, const char *uri) {
  moho_status status = moho_device_open(uri, &b->device);
  if (!status) status = moho_device_describe(b->device, &b->report);
  if (!status) status = moho_device_measure(b->device, &b->rates);
  if (!status) status = moho_queue_create(b->device, &b->queue);
  if (!status) status = moho_queue_measure(b->queue, 1);
  if (status) return status;
  size_t elements = elements_that_fit(b);
  status = moho_buffer_create(b->device, elements * sizeof(float), MOHO_MEMORY_DEVICE, &b->x);
  if (!status) status = moho_buffer_create(b->device, elements * sizeof(float), MOHO_MEMORY_DEVICE, &b->y);
  if (!status) status = moho_buffer_fill(b->x, 0, elements * sizeof(float), 0x3f000000u); /* 0.5 */
  for (int i = 0; !status && i < CASES; i++) status = make_case(b, i, elements);
  return status;
}

/* The first time is not counted. */
static moho_status run_all(program_bench *b) {
  moho_status status = MOHO_OK;
  for (int r = -1; !status && r < b->runs; r++) {
    moho_progress progress = {.stage = "programs", .unit = "runs", .done = r + 1, .total = b->runs + 1};
    if (progress_step(NULL, &progress)) return MOHO_ERROR_INTERRUPTED;
    for (int i = 0; !status && i < CASES; i++) {
      status = time_launch(b, &b->cases[i], &b->cases[i].seconds[r < 0 ? 0 : r]);
      if (!status && r < 0) lengthen(b, &b->cases[i]);
    }
  }
  return status;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Least, median, most. */
static void spread(const double *values, int n, double out[3]) {
  double sorted[RUNS_MOST];
  memcpy(sorted, values, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, by_size);
  out[0] = sorted[0], out[1] = sorted[n / 2], out[2] = sorted[n - 1];
}

/* How much of chain_1's bandwidth a case has: the median of pairs of runs. */
static double share_of_one(const program_bench *b, const program_case *c) {
  double ratios[RUNS_MOST], out[3];
  for (int r = 0; r < b->runs; r++) ratios[r] = b->cases[0].seconds[r] / c->seconds[r];
  spread(ratios, b->runs, out);
  return out[1];
}

static json_t *case_json(const program_bench *b, const program_case *c, int passed) {
  double s[3];
  spread(c->seconds, b->runs, s);
  json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:i, s:{s:f, s:f, s:f}, s:f, s:b}", "bench", "program", "device",
                             b->report.uri, "case", c->text->name, "words", c->text->words, "elements", (json_int_t)c->elements,
                             "runs", b->runs, "seconds", "min", s[0], "median", s[1], "max", s[2], "lane_instructions_per_s",
                             c->lane_instructions / s[1], "passed", passed);
  if (c->bytes > 0) {
    json_object_set_new(object, "bytes_per_s", json_real(c->bytes / s[1]));
    json_object_set_new(object, "bandwidth_of_chain_1", json_real(share_of_one(b, c)));
    json_object_set_new(object, "bandwidth_of_copy", json_real(c->bytes / s[1] / b->rates.copy_bytes_per_s));
  }
  return object;
}

static void print_case(FILE *out, const json_t *c) {
  double median = json_number_value(json_object_get(json_object_get(c, "seconds"), "median"));
  const json_t *rate = json_object_get(c, "bytes_per_s");
  fprintf(out, "  %-15s %10.4g ms %8.3g G lane-instructions/s", json_string_value(json_object_get(c, "case")), 1e3 * median,
          json_number_value(json_object_get(c, "lane_instructions_per_s")) / 1e9);
  if (rate)
    fprintf(out, " %8.4g GB/s, %3.0f %% of chain_1, %3.0f %% of a copy", json_number_value(rate) / 1e9,
            100 * json_number_value(json_object_get(c, "bandwidth_of_chain_1")),
            100 * json_number_value(json_object_get(c, "bandwidth_of_copy")));
  fprintf(out, "%s  %s\n", json_is_true(json_object_get(c, "passed")) ? "" : "  DIFFERS from the reference",
          json_string_value(json_object_get(c, "words")));
}

static int tell(program_bench *b, int json, FILE *out) {
  int code = EXIT_GOOD;
  if (!json)
    fprintf(out, "%s %s: medians of %d; a copy moves %.2f GB/s (read and written)\n", b->report.uri, b->report.name, b->runs,
            1e-9 * b->rates.copy_bytes_per_s);
  for (int i = 0; i < CASES; i++) {
    int passed;
    if (check(b, &b->cases[i], &passed)) return print_error();
    json_t *object = case_json(b, &b->cases[i], passed);
    if (json) {
      json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
      fprintf(out, "\n");
    } else {
      print_case(out, object);
    }
    json_decref(object);
    if (!passed) code = EXIT_FAILED;
  }
  return code;
}

int bench_program_run(const char *device_uri, int runs, int json, FILE *out) {
  program_bench *b = calloc(1, sizeof *b);
  if (!b) {
    fprintf(stderr, "moho: bench: out of memory\n");
    return EXIT_FAILED;
  }
  b->runs = runs;
  moho_status status = prepare(b, device_uri ? device_uri : "cpu?threads=1");
  if (!status) status = run_all(b);
  progress_end();
  int code = status ? print_error() : tell(b, json, out);
  for (int i = 0; i < CASES; i++) {
    moho_program_executable_destroy(&b->cases[i].executable);
    moho_program_destroy(&b->cases[i].program);
  }
  moho_queue_destroy(&b->queue);
  moho_buffer_destroy(&b->x);
  moho_buffer_destroy(&b->y);
  moho_device_close(&b->device);
  free(b);
  return code;
}
