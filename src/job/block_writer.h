/* block_writer.h - a finished block goes to the disk while the next one is migrated.
 *
 * One block at a time: its image was finished in memory, a thread packs it, writes its chunks, syncs them and writes the
 * journal's line (moho_run_saved_put). From start to finish nobody else touches what is saved. A device computes meanwhile, and a
 * processor has something to do while the disk syncs. It takes no memory that a run by blocks would not hold anyway: the next
 * block's image is only made when this one is written.
 */
#ifndef MOHO_JOB_BLOCK_WRITER_H
#define MOHO_JOB_BLOCK_WRITER_H

#include <pthread.h>

#include "job/run_saved.h"

typedef struct moho_block_writer {
  moho_run_saved *saved; /* BORROW */
  size_t block;
  moho_image image;
  json_t *counts;
  pthread_t thread;
  int is_running; /* started and not finished */
  int has_thread;
  int has_failed; /* atomic */
  moho_status status;
  moho_error error;
  double seconds;
} moho_block_writer;

/* TAKE: image, counts, also where it fails. The one before is finished. */
void moho_block_writer_start(moho_block_writer *writer, moho_run_saved *saved, size_t block, moho_image *image, json_t *counts);
/* Until it is written; its error. Once only: then there is nothing to finish. *seconds grows by what it took. */
moho_status moho_block_writer_finish(moho_block_writer *writer, double *seconds);
/* 1: what is under way has failed already. */
int moho_block_writer_has_failed(const moho_block_writer *writer);

#endif
