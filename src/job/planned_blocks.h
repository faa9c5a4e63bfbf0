/* planned_blocks.h - the blocks that a run is cut into: as few as memory allows, and for a long run as many as keep what a stop
 * would lose small, without preparing traces again and again. */
#ifndef MOHO_JOB_PLANNED_BLOCKS_H
#define MOHO_JOB_PLANNED_BLOCKS_H

#include "job/block_plan.h"
#include "job/block_sizes.h"

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

#endif
