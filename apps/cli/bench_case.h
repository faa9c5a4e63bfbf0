/* bench_case.h - one case of moho bench migrate: what is run, and what came of it. */
#ifndef MOHO_CLI_BENCH_CASE_H
#define MOHO_CLI_BENCH_CASE_H

#include <jansson.h>

#include "bench_survey.h"

enum { BENCH_MAX_RUNS = 101 };

typedef struct bench_case {
  char dataset[64], kernel[64];
  char velocity[64], traveltime[64];
  char interpolation[64], antialias[64], weight[64], storage[64], gathers[64];
  const char *constants; /* "" none */
  moho_migration_options options;
  int runs, is_checked;
  int is_adjoint; /* the demigration is timed */
  double seconds; /* no further run once the runs took so long; at least one is made */
} bench_case;

/* Of one run: wall seconds, but those of the device where it tells them (migration.h). */
typedef struct bench_run_seconds {
  double kernel, prepare, transfer, allocation, compile;
  double wall;      /* from creation to the finished image */
  double processor; /* of all threads while traces are added */
} bench_run_seconds;

typedef struct bench_result {
  moho_device_report device;
  uint64_t contributions; /* true ones: the image's fold summed up */
  uint64_t counted;       /* as the migration counts them */
  uint64_t launches;
  int runs_made;
  size_t memory_bytes, device_bytes;
  bench_run_seconds first; /* the warm-up: with compilation and allocation */
  bench_run_seconds runs[BENCH_MAX_RUNS];
  bench_run_seconds median, least, most; /* of each figure by itself */
  char kernel[32], kernel_reason[160];   /* that ran */
  image_check check;
} bench_result;

/* Runs it; stops with MOHO_ERROR_INTERRUPTED when the user asks. */
moho_status bench_run(const bench_case *c, moho_device *device, const bench_survey *survey, bench_reference *reference,
                      bench_result *out);
/* The same of the demigration of an image of the survey; out->contributions is set. */
moho_status bench_demigrate(const bench_case *c, moho_device *device, const bench_survey *survey, const moho_image *image,
                            bench_result *out);
/* The object of docs/design: a new reference. */
json_t *bench_json(const bench_case *c, const bench_survey *survey, const bench_result *r);
/* Contributions a second. */
double bench_rate(const bench_result *r);

/* ---- bench_compare.c ---- */

/* Compares with the results kept in bench/results (or in `path`): words on each case that is more than 5 % slower, "" when none
 * is. */
void bench_compare(const char *path, const json_t *fresh, char words[400]);
/* Sets speedup_over_baseline (kernel and wall) in a case, from the baseline among `cases`, else among those kept. */
void bench_set_speedup(const json_t *cases, const char *path, json_t *fresh);

/* ---- bench_report.c ---- */

/* The cases as a table in Markdown, or in HTML when the file's name ends in .html; 0 or the exit code. */
int bench_write_report(const char *path, const json_t *cases);
/* The same of the one object of moho bench memory. */
int bench_write_memory_report(const char *path, const json_t *memory);

/* ---- bench_memory.c ---- */

/* moho bench memory: copies, allocation, launches of a device, and a table of them where a report is wanted; 0 or the exit code.
 */
int bench_memory_run(const char *device_uri, int json, const char *report, FILE *out);

/* ---- bench_program.c ---- */

/* moho bench program: portable programs, so many runs of each; 0 or the exit code. */
int bench_program_run(const char *device_uri, int runs, int json, FILE *out);

/* ---- bench_tiles.c ---- */

/* Submit and wait of kernel v3 over 1000 tiles that no trace reaches, less the same over one: medians of so many runs.
 * MOHO_ERROR_NOT_AVAILABLE where the device does not run it. */
moho_status bench_time_tiles(moho_device *device, moho_queue *queue, int runs, double *seconds);

/* ---- bench_kernels.c ---- */

moho_status bench_register_kernels(void);

#endif
