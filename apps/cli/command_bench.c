/* command_bench.c - moho bench: how fast the migration and the memory of a device are here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench_case.h"
#include "bench_tensor.h"
#include "command.h"

static char *device_uri, *datasets, *velocities, *traveltimes, *interpolations, *antialiases, *weights, *storages, *kernels,
    *gathers, *constants, *compare_with, *report_path;
enum { RUNS_NOT_GIVEN = -1000000, MOST_COLUMNS = 400 };
static int runs = RUNS_NOT_GIVEN, is_unchecked, n_columns, is_adjoint, is_dispatch;
static long long n_elements;
static double most_seconds = INFINITY;

static const struct poptOption options[] = {
    {"dataset", '\0', POPT_ARG_STRING, &datasets, 0, "surveys: tiny, small, medium, large; several with commas [small]", "P,..."},
    {"device", '\0', POPT_ARG_STRING, &device_uri, 0, "device [cpu?threads=1]", "URI"},
    {"kernel", '\0', POPT_ARG_STRING, &kernels, 0, "auto, native, baseline, v1, v2, v3 [auto]", "V,..."},
    {"runs", '\0', POPT_ARG_INT, &runs, 0, "runs of each case after one to warm up [5; large 3]", "N"},
    {"seconds", '\0', POPT_ARG_DOUBLE, &most_seconds, 0, "of a case: no further run once its runs took so long [no bound]", "S"},
    {"columns", '\0', POPT_ARG_INT, &n_columns, 0,
     "image columns that are compared with the reference, a square number [64; tiny: all]", "N"},
    {"velocity", '\0', POPT_ARG_STRING, &velocities, 0, "constant (2500 m/s), linear_z (1800 m/s + 0.6 /s * z) [constant]",
     "V,..."},
    {"traveltime", '\0', POPT_ARG_STRING, &traveltimes, 0,
     "straight, curved_linear, curved_rms, curved_ray, vti, vti_rational (eta 0.1) [straight]", "T,..."},
    {"interpolation", '\0', POPT_ARG_STRING, &interpolations, 0, "linear, cubic, sinc8 [linear]", "I,..."},
    {"weight", '\0', POPT_ARG_STRING, &weights, 0, "none, spreading, obliquity, spreading_obliquity, true_amplitude [none]",
     "W,..."},
    {"antialias", '\0', POPT_ARG_STRING, &antialiases, 0, "none, triangle, filter_bank [none]", "A,..."},
    {"gathers", '\0', POPT_ARG_STRING, &gathers, 0,
     "none, angle (bins of 5 degrees up to 60 and one beyond), offset (10 bins) [none]", "G,..."},
    {"storage", '\0', POPT_ARG_STRING, &storages, 0, "how a device keeps traces: float, half [float]", "S,..."},
    {"constants", '\0', POPT_ARG_STRING, &constants, 0, "constants of the kernel's text, for tuning: \"CHUNKS=4,COLUMNS_X=4\"",
     "C"},
    {"elements", '\0', POPT_ARG_LONGLONG, &n_elements, 0,
     "numbers in a tensor of bench tensor's large cases [16 Mi on the cpu, 256 Mi on a GPU]", "N"},
    {"dispatch", '\0', POPT_ARG_NONE, &is_dispatch, 0,
     "bench tensor: seconds by size on every device (or those of --device A,B) and where they cross over", NULL},
    {"no-check", '\0', POPT_ARG_NONE, &is_unchecked, 0, "do not compare with the double reference", NULL},
    {"compare", '\0', POPT_ARG_STRING, &compare_with, 0, "figures to compare with [bench/results/*.json]", "FILE"},
    {"report", '\0', POPT_ARG_STRING, &report_path, 0, "write a table of the cases to FILE.md or FILE.html", "FILE"},
    POPT_TABLEEND};

/* A call: what the cases share. */
typedef struct bench_call {
  const command_line *line;
  FILE *out;
  moho_device *device;
  bench_survey survey;
  bench_reference reference;
  json_t *cases;
  size_t n_wrong, n_left_out;
} bench_call;

static moho_migration_options bench_options(void) {
  moho_migration_options o = moho_migration_options_default();
  o.aperture_max_m = 1500;
  o.aperture_max_dip_deg = 45;
  o.aperture_taper = 0.1;
  o.rho_filter = MOHO_RHO_NONE;
  o.refine = 1;
  return o;
}

/* 0, 5 .. 60 and 180 degrees: no contribution is left out. */
static const moho_gather_bins *angle_bins(void) {
  static double edges[14] = {[13] = 180};
  static const moho_gather_bins bins = {.kind = MOHO_GATHERS_ANGLE, .edges = edges, .n_edges = 14};
  for (int k = 0; k < 13; k++) edges[k] = 5 * k;
  return &bins;
}

static const moho_gather_bins *offset_bins(void) {
  static double edges[] = {0, 250, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 1e5};
  static const moho_gather_bins bins = {.kind = MOHO_GATHERS_OFFSET, .edges = edges, .n_edges = sizeof edges / sizeof *edges};
  return &bins;
}

/* The words of one case as options; a usage error when one is unknown. */
static int settle(bench_case *c) {
  static const char *const names[] = {"dataset", "kernel",   "interpolation", "antialias", "weight",
                                      "storage", "velocity", "traveltime",    "gathers"};
  static const char *const words[] = {"tiny|small|medium|large",
                                      "auto|native|baseline|v1|v2|v3",
                                      "linear|cubic|sinc8",
                                      "none|triangle|filter_bank",
                                      "auto|none|spreading|obliquity|spreading_obliquity|true_amplitude",
                                      "float|half",
                                      "constant|linear_z",
                                      "straight|curved_linear|curved_rms|curved_ray|vti|vti_rational",
                                      "none|angle|offset"};
  const char *const given[] = {c->dataset, c->kernel,   c->interpolation, c->antialias, c->weight,
                               c->storage, c->velocity, c->traveltime,    c->gathers};
  int chosen[9];
  for (int i = 0; i < 9; i++)
    if ((chosen[i] = choose_word(names[i], given[i], words[i])) < 0) return EXIT_USAGE;
  c->options = bench_options();
  c->options.kernel = (moho_migration_kernel)chosen[1];
  c->options.interpolation = (moho_interpolation)chosen[2];
  c->options.antialias = (moho_antialias)chosen[3];
  c->options.weight = (moho_weight)chosen[4];
  c->options.storage = (moho_storage)chosen[5];
  c->options.traveltime = (moho_traveltime)chosen[7];
  c->options.gathers = chosen[8] == 2 ? offset_bins() : chosen[8] ? angle_bins() : NULL;
  c->options.constants = constants;
  c->constants = constants ? constants : "";
  c->runs = runs != RUNS_NOT_GIVEN ? runs : strcmp(c->dataset, "large") == 0 ? 3 : 5;
  c->is_checked = !is_unchecked;
  c->is_adjoint = is_adjoint;
  c->seconds = most_seconds;
  return EXIT_GOOD;
}

/* ---- words ---- */

static void print_check(FILE *out, const bench_case *c, const bench_result *r) {
  const image_check *k = &r->check;
  if (!c->is_checked) {
    fprintf(out, "not compared with the reference");
    return;
  }
  if (c->is_adjoint) {
    fprintf(out, "dot products agree to %.1e <= %.1e%s", k->error, k->tolerance, k->passed ? "" : ": FAILED");
    return;
  }
  fprintf(out, "relative L2 %.1e <= %.1e and fold %s on %zu columns%s", k->error, k->tolerance,
          k->fold_differs ? "DIFFERENT" : "identical", k->n_columns, k->passed ? "" : ": FAILED");
  if (r->contributions != r->counted)
    fprintf(out, "; counted %llu contributions, the fold sums up to %llu", (unsigned long long)r->counted,
            (unsigned long long)r->contributions);
}

static void print_case(FILE *out, const bench_case *c, const bench_result *r, const json_t *object) {
  char rate[32], contributions[32];
  double per_second = bench_rate(r);
  if (strcmp(c->traveltime, "straight") != 0 || strcmp(c->velocity, "constant") != 0)
    fprintf(out, "%s, %s:\n", c->traveltime, c->velocity);
  if (c->options.gathers) fprintf(out, "gathers by %s, %zu bins:\n", c->gathers, moho_gather_bins_count(c->options.gathers));
  fprintf(out, "%-7s %-8s %-7s %-9s %-20s %-8s %2d threads  %8s contributions  %7.3f s (%.3f .. %.3f)  %s/s  %.3g ns\n",
          c->dataset, c->kernel, c->interpolation, c->antialias, c->weight, r->device.simd[0] ? r->device.simd : r->device.kind,
          r->device.threads, count_text((double)r->contributions, contributions), r->median.kernel, r->least.kernel,
          r->most.kernel, count_text(per_second, rate), per_second > 0 ? 1e9 / per_second : 0.0);
  fprintf(out, "        %s; wall %.3f s, transfer %.3f s, allocation %.3f s (at first %.3f s, compilation %.3f s)",
          r->kernel_reason[0] ? r->kernel_reason : r->kernel, r->median.wall, r->median.transfer, r->median.allocation,
          r->first.allocation, r->first.compile);
  const json_t *speedup = json_object_get(object, "speedup_over_baseline");
  if (speedup)
    fprintf(out, "; %.2f times the baseline (wall %.2f)", json_number_value(json_object_get(speedup, "kernel")),
            json_number_value(json_object_get(speedup, "wall")));
  fprintf(out, "\n        ");
  print_check(out, c, r);
  fprintf(out, "\n");
}

/* ---- cases ---- */

/* A case that the device or the kernel cannot do is left out aloud; the others go on. */
static int leave_out(bench_call *call, const bench_case *c) {
  fprintf(stderr, "moho: bench: left out: %s, %s, %s, %s, %s, %s\n", c->dataset, c->kernel, c->interpolation, c->antialias,
          c->weight, c->storage);
  print_error();
  call->n_left_out++;
  return EXIT_GOOD;
}

static int run_case(bench_call *call, bench_case *c) {
  bench_result *result = malloc(sizeof *result);
  char slower[400];
  int code = result ? settle(c) : EXIT_FAILED;
  if (!code && bench_survey_eta(&c->options, &call->survey)) code = print_error();
  if (!code && (c->is_adjoint ? moho_demigration_supports : moho_migration_supports)(call->device, &c->options))
    code = leave_out(call, c);
  else if (!code && (bench_survey_use(c->dataset, c->velocity, &call->survey, &call->reference) ||
                     bench_run(c, call->device, &call->survey, &call->reference, result)))
    code = print_error();
  else if (!code) {
    json_t *object = bench_json(c, &call->survey, result);
    json_array_append_new(call->cases, object);
    bench_set_speedup(call->cases, compare_with, object);
    progress_end();
    if (call->line->json) {
      json_dumpf(object, call->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
      fprintf(call->out, "\n");
    } else {
      print_case(call->out, c, result, object);
    }
    bench_compare(compare_with, object, slower);
    if (slower[0])
      fprintf(stderr, "moho: bench: %s, %s, %s, %s, %s is %s\n", c->dataset, c->kernel, c->interpolation, c->antialias, c->weight,
              slower);
    call->n_wrong += c->is_checked && !result->check.passed;
  }
  free(result);
  return code;
}

/* The lists, slowest first: what a case needs of the case before, survey and reference, is kept. */
typedef struct bench_list {
  const char *words;
  char *item;
} bench_list;

static int run_lists(bench_call *call, bench_case *c, const bench_list *lists, size_t count) {
  if (!count) return run_case(call, c);
  int code = EXIT_GOOD;
  const char *rest = lists->words;
  while (!code && (rest = next_item(rest, lists->item))) code = run_lists(call, c, lists + 1, count - 1);
  return code;
}

static int run_cases(bench_call *call) {
  bench_case c = {0};
  const bench_list lists[] = {{datasets ? datasets : "small", c.dataset},
                              {velocities ? velocities : "constant", c.velocity},
                              {traveltimes ? traveltimes : "straight", c.traveltime},
                              {interpolations ? interpolations : "linear", c.interpolation},
                              {antialiases ? antialiases : "none", c.antialias},
                              {weights ? weights : "none", c.weight},
                              {storages ? storages : "float", c.storage},
                              {gathers ? gathers : "none", c.gathers},
                              {kernels ? kernels : "auto", c.kernel}};
  return run_lists(call, &c, lists, sizeof lists / sizeof *lists);
}

static int bench_migrate(const command_line *line, FILE *out) {
  bench_call call = {.line = line, .out = out, .cases = json_array(), .reference.side = (size_t)lround(sqrt(n_columns))};
  int code = moho_device_open(device_uri ? device_uri : "cpu?threads=1", &call.device) ? print_error() : EXIT_GOOD;
  if (!code) code = run_cases(&call);
  if (report_path && json_array_size(call.cases)) {
    int written = bench_write_report(report_path, call.cases);
    if (!code) code = written;
  }
  if (!code && call.n_wrong) {
    fprintf(stderr, "moho: bench: %zu of %zu cases differ from the reference\n", call.n_wrong, json_array_size(call.cases));
    code = EXIT_FAILED;
  }
  if (!code && !json_array_size(call.cases)) code = EXIT_FAILED; /* all were left out */
  bench_survey_release(&call.survey);
  bench_reference_release(&call.reference);
  json_decref(call.cases);
  moho_device_close(&call.device);
  return code;
}

/* ---- the command line ---- */

static int has_word(const char *list, const char *word) {
  char item[64];
  while ((list = next_item(list, item)))
    if (strcmp(item, word) == 0) return 1;
  return 0;
}

static int check_subject(const command_line *line) {
  if (line->n_arguments != 1) return usage_error("bench: what? moho bench migrate, demigrate, memory, program or tensor");
  is_adjoint = strcmp(line->arguments[0], "demigrate") == 0;
  if (!is_adjoint && !has_word("migrate,memory,program,tensor", line->arguments[0]))
    return usage_error("bench: unknown subject \"%s\", expected migrate, demigrate, memory, program or tensor",
                       line->arguments[0]);
  if (is_dispatch && strcmp(line->arguments[0], "tensor") != 0)
    return usage_error("bench: --dispatch is of moho bench tensor, got moho bench %s", line->arguments[0]);
  if (n_elements < 0 || (n_elements && n_elements < 65536))
    return usage_error("bench: --elements is %lld, expected at least 65536", n_elements);
  return EXIT_GOOD;
}

static int check_arguments(const command_line *line) {
  int code = check_subject(line);
  if (code) return code;
  if (runs != RUNS_NOT_GIVEN && (runs < 1 || runs > BENCH_MAX_RUNS))
    return usage_error("bench: --runs is %d, expected 1 to %d", runs, BENCH_MAX_RUNS);
  if (n_columns < 0 || n_columns > MOST_COLUMNS || lround(sqrt(n_columns)) * lround(sqrt(n_columns)) != n_columns)
    return usage_error("bench: --columns is %d, expected a square number: 1, 4, 9 ... %d", n_columns, (int)MOST_COLUMNS);
  if (!(most_seconds > 0)) return usage_error("bench: --seconds is %g, expected more than 0", most_seconds);
  if (has_word(datasets, "large") && kernels && strchr(kernels, ','))
    return usage_error("bench: --dataset large takes one --kernel a call, got %s", kernels);
  size_t length = report_path ? strlen(report_path) : 0;
  if (report_path && (length < 4 || strcmp(report_path + length - 3, ".md") != 0) &&
      (length < 6 || strcmp(report_path + length - 5, ".html") != 0))
    return usage_error("bench: --report is \"%s\", expected a name that ends in .md or .html", report_path);
  return EXIT_GOOD;
}

static int run(const command_line *line) {
  output_text text;
  int code = check_arguments(line);
  if (!code) code = output_begin(&text);
  if (code) return code;
  if (strcmp(line->arguments[0], "memory") == 0) code = bench_memory_run(device_uri, line->json, report_path, text.out);
  else if (strcmp(line->arguments[0], "program") == 0)
    code = bench_program_run(device_uri, runs != RUNS_NOT_GIVEN ? runs : 7, line->json, text.out);
  else if (strcmp(line->arguments[0], "tensor") == 0 && is_dispatch) code = bench_dispatch_run(device_uri, line->json, text.out);
  else if (strcmp(line->arguments[0], "tensor") == 0)
    code =
        bench_tensor_run(device_uri, (size_t)n_elements / 8192 * 8192, runs == RUNS_NOT_GIVEN ? 15 : runs, line->json, text.out);
  else code = bench_migrate(line, text.out);
  int given = output_finish(&text, line);
  return code ? code : given;
}

const command command_bench = {
    .name = "bench",
    .synopsis = "bench migrate|demigrate|memory|program|tensor [--device URI] [--kernel V,...] [--dataset P,...] [--runs N]",
    .summary = "time the migration, the memory, programs or tensor operations of a device on this machine",
    .teaching =
        "migrate generates a preset's survey (without its noise) in memory and migrates\n"
        "it onto its midpoint lattice and time axis: radius 1500 m, dip 45 degrees, taper 0.1, no\n"
        "rho filter, one core unless --device says otherwise. A case is run once to warm\n"
        "up and then --runs times. Prints contributions (pairs of a trace and an image\n"
        "sample, summed up from the fold), kernel seconds (median, least, most),\n"
        "contributions per second, nanoseconds per contribution; wall, transfer and\n"
        "allocation seconds apart; how many times faster than the baseline kernel it is,\n"
        "and how far it is from the double reference (on 64 columns that lie evenly, of the\n"
        "tiny survey on all): exit code 1 when that is too far. --json prints one object a\n"
        "case, --report a table.\n"
        "Figures more than 5 % below those kept in bench/results for the same machine\n"
        "are named on stderr.\n"
        "\n"
        "demigrate times the adjoint: the survey's image back into its traces; it is checked\n"
        "by the dot product with the survey.\n"
        "\n"
        "memory times what a device's runtime does: allocation, copies, launches.\n"
        "\n"
        "program times portable programs (docs/program.md): chains of 1 and 8 element-wise\n"
        "instructions from memory to memory, and loops on registers; --runs of each in turns.\n"
        "\n"
        "tensor times element-wise operations, reductions, softmax and norms beside the\n"
        "bandwidth of a copy, each operand's bytes counted once; on the cpu also 10 000\n"
        "floats in cache beside a plain loop. With --dispatch: what a dispatcher measures of all\n"
        "devices (docs/tensor.md), and the sizes from which on another one than that where the\n"
        "operands lie is faster, their moves counted.\n"
        "\n"
        "    moho bench migrate\n"
        "    moho bench migrate --dataset small,medium --weight none,spreading_obliquity --antialias none,triangle --json\n"
        "    moho bench migrate --device cuda --kernel baseline,v1,v2,v3 --dataset medium --report ladder.md\n"
        "    moho bench memory --device cuda --report memory.md\n"
        "    moho bench tensor --device cuda --json\n"
        "    moho bench tensor --dispatch",
    .options = options,
    .output_help = "write the figures to FILE",
    .is_long = 1,
    .run = run};
