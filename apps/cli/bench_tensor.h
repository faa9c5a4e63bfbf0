/* bench_tensor.h - moho bench tensor: cases of tensor operations, timed alike, printed as words or JSON. */
#ifndef MOHO_CLI_BENCH_TENSOR_H
#define MOHO_CLI_BENCH_TENSOR_H

#include <jansson.h>
#include <moho/moho.h>
#include <stdio.h>

#include "bench_stream.h"

typedef struct bench_tensor {
  moho_device *device;
  moho_device_report report;
  moho_device_rates rates; /* measured at first: what a copy reaches */
  moho_queue *queue;
  bench_stream stream; /* the cpu's yardstick, on the device's threads */
  size_t elements;     /* of the large cases */
  int runs, json;
  FILE *out;
  const char *group; /* printed when it changes */
} bench_tensor;

/* One run of a case: records on `queue`, or runs now where it is NULL. */
typedef moho_status (*bench_function)(void *user, moho_queue *queue);

/* Other code for the same work, run turn by turn with ours so that both meet the same machine. */
typedef struct bench_rival {
  const char *name;
  void (*run)(const void *user);
  const void *user;
  moho_prepared *prepared; /* in place of `run`: another plan on the same device, timed as ours is */
  double bytes;            /* that it moves: rates are compared; 0: seconds are */
  double asked;            /* ours is to be so many times as fast; 0: nothing is asked */
  double allowance_s;      /* or so much slower at most than that */
} bench_rival;

typedef struct bench_tensor_case {
  const char *group, *name;
  double bytes;      /* each operand's once; 0: not told */
  double operations; /* 0: not told */
  bench_function run;
  void *user;
  const bench_rival *rival; /* NULL: none */
  int repeats;              /* runs between two looks at the clock; 0: one */
} bench_tensor_case;

/* Times it (median of the runs after one to warm up; on GPUs the device's own seconds, of one thread its processor time), prints
 * a line; beside a rival the median of the pairs' ratios, and PASS or BELOW where one is asked for. Errors: printed, exit code;
 * what is not available is left out aloud. */
int bench_tensor_time(bench_tensor *b, const bench_tensor_case *c);

/* The groups. Each returns an exit code. */
int bench_tensor_elementwise(bench_tensor *b);
int bench_tensor_small(bench_tensor *b);
int bench_tensor_matmul(bench_tensor *b); /* and ternary */

/* Every device that this machine has, or those of a list with commas: moho/dispatch.h measures them. */
int bench_dispatch_run(const char *device_uris, int json, FILE *out);

int bench_tensor_run(const char *device_uri, size_t elements, int runs, int json, FILE *out);

#endif
