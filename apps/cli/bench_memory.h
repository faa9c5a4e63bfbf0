/* bench_memory.h - what the kernels of moho bench memory are given; shared by the host and bench_memory.k. */
#ifndef MOHO_CLI_BENCH_MEMORY_H
#define MOHO_CLI_BENCH_MEMORY_H

typedef struct bench_memory_parameters {
  unsigned int n;       /* samples */
  unsigned int n_time;  /* of a table's column */
  unsigned int stride;  /* samples from column to column; 0: one column for all */
  unsigned int repeats; /* readings of a sample */
} bench_memory_parameters;

typedef struct bench_velocity {
  float s2, s2_low, radius2, radius2_low;
} bench_velocity;

#endif
