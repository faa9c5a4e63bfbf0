/* bench_case.h - one case of moho bench migrate: what is run, and what came of it. */
#ifndef MOHO_CLI_BENCH_CASE_H
#define MOHO_CLI_BENCH_CASE_H

#include <jansson.h>

#include "moho/moho.h"

enum { BENCH_MAX_RUNS = 101 };

typedef struct bench_case {
  char dataset[64];
  char interpolation[64], antialias[64], weight[64];
  moho_migration_options options;
  const char *device_uri;
  int runs;
} bench_case;

typedef struct bench_result {
  moho_device_report device;
  size_t traces, samples, n_inline, n_crossline, n_time;
  uint64_t contributions;
  double seconds[BENCH_MAX_RUNS];           /* of the kernel, sorted */
  double processor_seconds[BENCH_MAX_RUNS]; /* of all threads while migrating (preparation included), sorted */
  double median, processor_median;
} bench_result;

/* Runs it; stops with MOHO_ERROR_INTERRUPTED when the user asks. */
moho_status bench_run(const bench_case *c, bench_result *out);
/* The object of docs/design: a new reference. */
json_t *bench_json(const bench_case *c, const bench_result *r);

/* Compares with the results kept in bench/results (or in `path`): words on each case that is more than 5 % slower, "" when none
 * is. */
void bench_compare(const char *path, const json_t *fresh, char words[400]);

#endif
