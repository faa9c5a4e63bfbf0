/* journal.h - what a run of many blocks has done so far, so that the same command goes on where it was stopped.
 *
 * <output>/.moho/journal is a text file that only grows: a line an event, "<16 hexadecimal digits> <JSON>\n", the digits being
 * the checksum of the JSON, seeded by that of the line before: no line is lost, changed or swapped unseen. The first line holds
 * what the run is made of (the identity), then come the plan, a line a finished block, and one each time the run is taken up.
 * A line is written after everything it speaks of is on disk, and synced before the call returns. A last line without its
 * end was torn by the stop: it is cut off. A line in the middle that is wrong means that the disk is not to be trusted:
 * MOHO_ERROR_FORMAT.
 *
 * The identity is a flat JSON object, key -> value: the keys of the job that the image depends on, and fingerprints of the
 * input files. A journal of another identity is refused, naming what changed, with old and new value; images are never mixed.
 */
#ifndef MOHO_JOB_JOURNAL_H
#define MOHO_JOB_JOURNAL_H

#include <jansson.h>

#include "base/fail.h"

typedef struct moho_journal moho_journal;

/* execution.resume: go on with what is there, or drop it and start over. */
typedef enum { MOHO_RESUME_AUTO, MOHO_RESUME_NEVER } moho_resume;

/* 1 when the directory holds the journal of a run that was stopped. */
int moho_journal_exists(const char *output);

/* The journal of the run in output directory `output`, which the caller has locked (moho_run_outputs_open() does). New where
 * there is none or the policy is never; else the one that is there, when its identity is this one.
 * @return MOHO_ERROR_EXISTS: another identity, with what changed; MOHO_ERROR_FORMAT: damaged; MOHO_ERROR_IO */
moho_status moho_journal_open(const char *output, const json_t *identity, moho_resume policy, moho_journal **out);
void moho_journal_close(moho_journal **journal);

/* The plan that the run was begun with: a run that goes on keeps its blocks, whatever memory there is today. NULL: none yet. */
const json_t *moho_journal_get_plan(const moho_journal *journal); /* BORROW */
/* Once, before the first block. plan: any JSON (COPY); n_blocks: their number. */
moho_status moho_journal_set_plan(moho_journal *journal, const json_t *plan, size_t n_blocks);

/* Of a block, from 0. facts: any JSON object (COPY), counts and marks that the end of the run needs; given back as they were. */
moho_status moho_journal_finish_block(moho_journal *journal, size_t block, const json_t *facts);
/* The block was found damaged: it is not done any more. */
moho_status moho_journal_undo_block(moho_journal *journal, size_t block);
int moho_journal_is_done(const moho_journal *journal, size_t block);
const json_t *moho_journal_get_facts(const moho_journal *journal, size_t block); /* BORROW; NULL when it is not done */
size_t moho_journal_done(const moho_journal *journal);
/* Times that the run has been begun or gone on with, this one counted. */
size_t moho_journal_sittings(const moho_journal *journal);

#endif
