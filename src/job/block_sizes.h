/* block_sizes.h - what of an image and its traces fits into execution.memory_gb at once. */
#ifndef MOHO_JOB_BLOCK_SIZES_H
#define MOHO_JOB_BLOCK_SIZES_H

#include "job/run_inputs.h"

/* Bytes, of the host where no device is named. A run by blocks holds base + columns * column + batch_traces * trace. */
typedef struct moho_block_sizes {
  size_t lattice_inline, lattice_crossline; /* block edges: chunks of the image's file */
  size_t base;                              /* positions of all traces, tables, workers, chunks on their way to the disk */
  size_t column;                            /* sums, and the finished stack, fold and gathers */
  size_t trace;                             /* of a batch: prepared, and read twice, one ahead */
  size_t most_columns, batch_traces;
  size_t migration;    /* bound of the migration itself */
  size_t least;        /* that the smallest block takes */
  size_t device_least; /* the same on a device with memory of its own */
} moho_block_sizes;

/* @return MOHO_ERROR_TOO_LARGE where not even the smallest block fits: how much it takes */
moho_status moho_block_sizes_make(const moho_job *job, const moho_run_inputs *in, moho_block_sizes *out);

/* 1 when the run does not fit into memory as a whole, on the host or on its device. */
int moho_run_needs_blocks(const moho_run_inputs *in);

/* What stays in memory as a whole, by the key of the job that asks for it; MOHO_JOB_KEY_COUNT where there is nothing. */
moho_job_id moho_run_stays_whole(const moho_job *job);

#endif
