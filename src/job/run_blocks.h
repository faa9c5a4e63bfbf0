/* run_blocks.h - a run by blocks of columns: traces from the store on disk, images of blocks to the image's file.
 *
 * Each block is a migration of one window of the grid with the traces within its aperture, in ascending trace number as in a run
 * in memory: on the cpu the image is bitwise that run's. What is held at once is bounded by execution.memory_gb (block_sizes.h);
 * a block that is done is saved (run_saved.h), so that the same command goes on after a stop.
 */
#ifndef MOHO_JOB_RUN_BLOCKS_H
#define MOHO_JOB_RUN_BLOCKS_H

#include "job/planned_blocks.h"
#include "job/run.h"
#include "job/run_saved.h"

/* All blocks that are not done yet; run->counts are the whole run's. The caller closes `saved`, also after an error. */
moho_status moho_run_blocks(moho_run *run, const moho_planned_blocks *planned, moho_run_saved **saved);

#endif
