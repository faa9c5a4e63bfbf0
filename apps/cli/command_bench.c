/* command_bench.c - moho bench: how fast the migration is here. */
#include <stdlib.h>
#include <string.h>

#include "bench_case.h"
#include "command.h"

static char *device_uri, *datasets, *interpolations, *antialiases, *weights, *kernel, *compare_with;
static int runs = 5;

static const struct poptOption options[] = {
    {"dataset", '\0', POPT_ARG_STRING, &datasets, 0, "surveys: tiny, small, medium, large; several with commas [small]", "P,..."},
    {"device", '\0', POPT_ARG_STRING, &device_uri, 0, "device [cpu?threads=1]", "URI"},
    {"runs", '\0', POPT_ARG_INT, &runs, 0, "runs of each case [5]", "N"},
    {"interpolation", '\0', POPT_ARG_STRING, &interpolations, 0, "linear, cubic, sinc8 [linear]", "I,..."},
    {"weight", '\0', POPT_ARG_STRING, &weights, 0, "none, spreading, obliquity, spreading_obliquity [none]", "W,..."},
    {"antialias", '\0', POPT_ARG_STRING, &antialiases, 0, "none, triangle [none]", "A,..."},
    {"kernel", '\0', POPT_ARG_STRING, &kernel, 0, "version of the kernel: auto", "V"},
    {"compare", '\0', POPT_ARG_STRING, &compare_with, 0, "figures to compare with [bench/results/*.json]", "FILE"},
    POPT_TABLEEND};

static moho_migration_options bench_options(void) {
  moho_migration_options o = moho_migration_options_default();
  o.aperture_max_m = 1500;
  o.aperture_max_dip_deg = 45;
  o.aperture_taper = 0.1;
  o.rho_filter = MOHO_RHO_NONE;
  o.refine = 1;
  return o;
}

/* The words of one case as options; a usage error when one is unknown. */
static int settle(bench_case *c) {
  int interpolation = choose_word("interpolation", c->interpolation, "linear|cubic|sinc8");
  int antialias = interpolation < 0 ? -1 : choose_word("antialias", c->antialias, "none|triangle");
  int weight = antialias < 0 ? -1 : choose_word("weight", c->weight, "auto|none|spreading|obliquity|spreading_obliquity");
  if (weight < 0 || choose_word("dataset", c->dataset, "tiny|small|medium|large") < 0) return EXIT_USAGE;
  c->options = bench_options();
  c->options.interpolation = (moho_interpolation)interpolation;
  c->options.antialias = (moho_antialias)antialias;
  c->options.weight = (moho_weight)weight;
  c->runs = runs;
  c->device_uri = device_uri ? device_uri : "cpu?threads=1";
  return EXIT_GOOD;
}

static void print_case(FILE *out, const bench_case *c, const bench_result *r) {
  char rate[32], contributions[32];
  double per_second = r->median > 0 ? (double)r->contributions / r->median : 0;
  fprintf(out, "%-7s %-7s %-9s %-20s %-8s %2d threads  %8s contributions  %7.3f s (%.3f .. %.3f)  %s/s  %.3f ns\n", c->dataset,
          c->interpolation, c->antialias, c->weight, r->device.simd, r->device.threads,
          count_text((double)r->contributions, contributions), r->median, r->seconds[0], r->seconds[c->runs - 1],
          count_text(per_second, rate), per_second > 0 ? 1e9 / per_second : 0.0);
}

static int run_case(const command_line *line, bench_case *c, FILE *out) {
  bench_result result;
  char slower[400];
  int code = settle(c);
  if (code) return code;
  moho_status status = bench_run(c, &result);
  if (status) return print_error();
  json_t *object = bench_json(c, &result);
  progress_end();
  if (line->json) {
    json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fprintf(out, "\n");
  } else {
    print_case(out, c, &result);
  }
  bench_compare(compare_with, object, slower);
  if (slower[0])
    fprintf(stderr, "moho: bench: %s, %s, %s, %s is %s\n", c->dataset, c->interpolation, c->antialias, c->weight, slower);
  json_decref(object);
  return EXIT_GOOD;
}

/* Every combination of the lists. */
static int run_cases(const command_line *line, FILE *out) {
  bench_case c = {0};
  int code = EXIT_GOOD;
  const char *d = datasets ? datasets : "small";
  while (!code && (d = next_item(d, c.dataset))) {
    const char *i = interpolations ? interpolations : "linear";
    while (!code && (i = next_item(i, c.interpolation))) {
      const char *a = antialiases ? antialiases : "none";
      while (!code && (a = next_item(a, c.antialias))) {
        const char *w = weights ? weights : "none";
        while (!code && (w = next_item(w, c.weight))) code = run_case(line, &c, out);
      }
    }
  }
  return code;
}

static int check_arguments(const command_line *line) {
  static const char *const later[] = {"tensor", "program", "memory"};
  if (line->n_arguments != 1) return usage_error("bench: what? moho bench migrate");
  for (size_t i = 0; i < 3; i++)
    if (strcmp(line->arguments[0], later[i]) == 0) {
      fprintf(stderr, "moho: bench %s is not yet available\n  hint:  moho bench migrate is\n", later[i]);
      return EXIT_FAILED;
    }
  if (strcmp(line->arguments[0], "migrate") != 0)
    return usage_error("bench: unknown subject \"%s\", expected migrate", line->arguments[0]);
  if (runs < 1 || runs > BENCH_MAX_RUNS) return usage_error("bench: --runs is %d, expected 1 to %d", runs, BENCH_MAX_RUNS);
  if (!kernel || strcmp(kernel, "auto") == 0) return EXIT_GOOD;
  fprintf(stderr, "moho: bench --kernel %s is not yet available\n  hint:  leave it out, or auto\n", kernel);
  return EXIT_FAILED;
}

static int run(const command_line *line) {
  output_text text;
  int code = check_arguments(line);
  if (!code) code = output_begin(&text);
  if (code) return code;
  code = run_cases(line, text.out);
  int given = output_finish(&text, line);
  return code ? code : given;
}

const command command_bench = {
    .name = "bench",
    .synopsis = "bench migrate [--dataset P,...] [--device URI] [--runs N]",
    .summary = "time the migration on this machine",
    .teaching =
        "Generates a preset's survey in memory and migrates it onto its midpoint\n"
        "lattice and time axis: radius 1500 m, dip 45 degrees, taper 0.1, no rho\n"
        "filter, one core unless --device says otherwise. Prints contributions (pairs\n"
        "of a trace and an image sample), kernel seconds (least, median, most),\n"
        "contributions per second and nanoseconds per contribution; --json prints one\n"
        "object a case. Figures more than 5 % below those kept in bench/results for the\n"
        "same processor are named on stderr.\n"
        "\n"
        "    moho bench migrate\n"
        "    moho bench migrate --dataset small,medium --weight none,spreading_obliquity --antialias none,triangle --json",
    .options = options,
    .output_help = "write the figures to FILE",
    .is_long = 1,
    .run = run};
