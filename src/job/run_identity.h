/* run_identity.h - what an image depends on, as a flat JSON object key -> value: two runs of equal identity make the same bits
 * (on the cpu, for any threads and memory), so that the one may go on where the other was stopped.
 *
 * Keys of the job that change nothing in the image (memory, threads, tile, checkpoints, pictures, where results go) are left
 * out. A file that the job names is there by its fingerprint (size, content; of large ones size, time of change and samples of
 * the content), not by its path; the device by what computes, not by how it was asked for.
 */
#ifndef MOHO_JOB_RUN_IDENTITY_H
#define MOHO_JOB_RUN_IDENTITY_H

#include <jansson.h>

#include "job/run_inputs.h"

/* A new reference. @return MOHO_ERROR_IO: a file of the job cannot be read; MOHO_ERROR_MEMORY */
moho_status moho_run_identity(const moho_job *job, const moho_run_inputs *inputs, json_t **out);

#endif
