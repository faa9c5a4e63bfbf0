/* run_blocks.h - a run by blocks of columns: traces from the store on disk, images of blocks to the image's file.
 *
 * Each block is a migration of one window of the grid with the traces within its aperture, in ascending trace number as in a run
 * in memory: on the cpu the image is bitwise that run's. What is held at once is bounded by execution.memory_gb (block_sizes.h);
 * a block that is done is saved (run_saved.h), so that the same command goes on after a stop.
 */
#ifndef MOHO_JOB_RUN_BLOCKS_H
#define MOHO_JOB_RUN_BLOCKS_H

#include "job/block_plan.h"
#include "job/block_sizes.h"
#include "job/run.h"
#include "job/run_saved.h"

/* The blocks that a run of these inputs is cut into: one where it runs in memory as a whole. */
typedef struct moho_planned_blocks {
  int by_blocks; /* 0: in memory as a whole */
  moho_block_sizes sizes;
  moho_block_plan plan;
  double read_times; /* how often a live trace is read and prepared, in the mean over those of any block */
} moho_planned_blocks;

/* seconds: what the run is expected to take; 0: only memory decides. must: by blocks also where it would fit into memory.
 * @return MOHO_ERROR_TOO_LARGE where not even the smallest block fits, or what was asked for must stay whole */
moho_status moho_run_plan_blocks(const moho_job *job, const moho_run_inputs *inputs, double seconds, int must,
                                 moho_planned_blocks *out);
void moho_planned_blocks_release(moho_planned_blocks *planned);

/* All blocks that are not done yet; run->counts are the whole run's. The caller closes `saved`, also after an error. */
moho_status moho_run_blocks(moho_run *run, const moho_planned_blocks *planned, moho_run_saved **saved);

/* What is done to the gathers of an image of a window once the stack is made of them. */
moho_status moho_run_finish_gathers(const moho_run *run, const moho_window *window, moho_image *image);

#endif
