/* run_saved.h - what is saved of a run of many blocks while it goes on: the journal and the growing image together.
 *
 *   moho_run_saved_open()    is a run of this very job and input in the output directory? Then its finished blocks are looked at,
 *                            chunk by chunk: one that is not what was written is to be done again.
 *   moho_run_saved_begin()   of a new run alone: its blocks, settled once and for all; the empty image.
 *   moho_run_saved_put()     a block: its chunks, then its line in the journal. When it returns the block need never be done
 *                            again, whatever happens; before that, none of it counts.
 *   moho_run_saved_finish()  all blocks are there: the image's attributes become final. moho_run_outputs_write_saved() and
 *                            moho_run_outputs_commit() follow.
 *
 * The image is <output>/image.partial.zarr, which anything that reads Zarr may look at while the run goes on; it becomes
 * image.zarr with all other results at the very end. The directory is locked by moho_run_outputs_open().
 */
#ifndef MOHO_JOB_RUN_SAVED_H
#define MOHO_JOB_RUN_SAVED_H

#include <jansson.h>

#include "job/run_inputs.h"
#include "job/run_outputs.h"
#include "survey/image_file.h"

typedef struct moho_run_saved moho_run_saved;

/* execution.resume of the job decides between going on and starting over. @return MOHO_ERROR_EXISTS: a run of another job or
 * input was stopped here (says what changed); MOHO_ERROR_FORMAT: the journal or the image is damaged; MOHO_ERROR_IO */
moho_status moho_run_saved_open(const moho_job *job, const moho_run_inputs *inputs, const moho_run_outputs *outputs,
                                moho_run_saved **out);
void moho_run_saved_close(moho_run_saved **saved);

/* The blocks of a run that is gone on with, as they were begun: they stay, whatever memory there is today. 0: a new run. */
size_t moho_run_saved_get_windows(const moho_run_saved *saved, const moho_window **windows); /* BORROW */
/* COPY. Edges lie on moho_image_file_lattice(). plan: anything more that the run wants to know again; may be NULL. */
moho_status moho_run_saved_begin(moho_run_saved *saved, const moho_window *windows, size_t n, const json_t *plan);
const json_t *moho_run_saved_get_plan(const moho_run_saved *saved); /* BORROW; NULL where there was none */

int moho_run_saved_is_done(const moho_run_saved *saved, size_t block);
size_t moho_run_saved_done(const moho_run_saved *saved);
/* image: of the block's window alone, finished. counts: a JSON object that the end of the run needs (COPY), given back by
 * moho_run_saved_get_counts() in this sitting and in later ones. */
moho_status moho_run_saved_put(moho_run_saved *saved, size_t block, const moho_image *image, const json_t *counts);
const json_t *moho_run_saved_get_counts(const moho_run_saved *saved, size_t block); /* BORROW; NULL: not done */
/* Times that the run has been begun or gone on with, and blocks that were found damaged this time. */
size_t moho_run_saved_sittings(const moho_run_saved *saved);
size_t moho_run_saved_damaged(const moho_run_saved *saved);

/* attributes: as the image is to keep them. */
moho_status moho_run_saved_finish(moho_run_saved *saved, const char *attributes);
const moho_image_file *moho_run_saved_image(const moho_run_saved *saved); /* BORROW */

#endif
