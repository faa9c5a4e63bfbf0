/* run_store.h - the traces of a run in a store on disk (src/survey/trace_store.h), as moho_run_inputs_read() gives them.
 */
#ifndef MOHO_JOB_RUN_STORE_H
#define MOHO_JOB_RUN_STORE_H

#include "job/run_inputs.h"
#include "survey/trace_store.h"

/* execution.store, or .moho-store beside the output directory. malloc. */
moho_status moho_run_store_place(const moho_job *job, char **out);

/* Of a place that the job names, also where no store is needed today: can stores be there? Nothing is touched. */
moho_status moho_run_store_check(const moho_job *job);

/* Tells the samples of the run's traces apart, by some dozens of them. */
moho_status moho_run_store_samples(const moho_run_inputs *inputs, uint64_t *checksum);

/* What opening would do: size on disk, whether it is there. memory_bytes: what building may take; 0: 256 MiB. */
moho_status moho_run_store_plan(const moho_job *job, const moho_run_inputs *inputs, size_t memory_bytes,
                                moho_trace_store_plan *out);

/* The store of the run's traces: found or built. */
moho_status moho_run_store_open(const moho_job *job, const moho_run_inputs *inputs, size_t memory_bytes,
                                moho_progress_function progress, void *user, moho_trace_store **out);

#endif
