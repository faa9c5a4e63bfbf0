/* run_directory.h - the output directory of a run: one run at a time, and results that appear together at the very end.
 *
 *   <output>/.moho/lock       held by the run that works here (flock: gone with its process, however that ends)
 *   <output>/.moho/journal    of a run of blocks that is under way or was stopped (journal.h)
 *   <output>/.moho/results/   results under their final names, before they count
 *   <output>/.moho/commit     the results are whole and are being moved to <output>: their names, a line each, the report last
 *   <output>/image.partial.zarr   the growing image of a run of blocks
 *
 * Moving several files cannot be one step. So the list is written first, and whoever comes next finishes what it says (the
 * moves that were made are seen by their sources being gone): results of two runs never stay mixed, and a report is there only
 * when all that it speaks of is. Order on disk: results synced, their names synced, the list, its name; the moves, <output>
 * synced; the journal goes, .moho synced; the list goes.
 */
#ifndef MOHO_JOB_RUN_DIRECTORY_H
#define MOHO_JOB_RUN_DIRECTORY_H

#include "base/file_lock.h"

typedef struct moho_run_directory {
  char *path;    /* <output> */
  char *hidden;  /* <output>/.moho */
  char *staging; /* <output>/.moho/results */
  int created;   /* <output> was made by this run */
  int overwrite; /* results that are there may be replaced: said now, or when the run that is gone on with was begun */
  int has_ended; /* a run that was stopped while it moved its results: they are all there now, and may be what was wanted */
  moho_file_lock *lock;
} moho_run_directory;

#define MOHO_PARTIAL_IMAGE "image.partial.zarr"

/* Makes the directory where it is missing, locks it, finishes moves that were begun, sweeps what killed processes left; refuses
 * a directory with other content unless `overwrite` (what a stopped run left is not other content).
 * @return MOHO_ERROR_EXISTS: other content, or another run at work, naming its process; MOHO_ERROR_IO */
moho_status moho_run_directory_open(const char *path, int overwrite, moho_run_directory *out);
/* MOHO_ERROR_EXISTS, naming what is there, where the directory has other content; opening it does this by itself, but for one
 * that has_ended. */
moho_status moho_run_directory_refuse_other(const moho_run_directory *directory);
/* One staged result to its final name at once. Nothing where there is none of that name. */
moho_status moho_run_directory_give_name(const moho_run_directory *directory, const char *name);
/* All staged results of these names, in their order; image.zarr may also be the growing image, which is dropped when it is not
 * among them. Then the run leaves nothing to go on with. */
moho_status moho_run_directory_commit(moho_run_directory *directory, const char *const *names, size_t n);
/* A run of blocks is about to begin: that it may overwrite is kept for those who go on with it. */
moho_status moho_run_directory_keep(const moho_run_directory *directory);
/* Drops a stopped run: its journal and its image. Nothing where there is none. */
moho_status moho_run_directory_drop_stopped(const moho_run_directory *directory);
/* Drops what was not committed, lets go of the lock; what a run of blocks has saved stays. The directory goes where this run
 * made it and nothing is in it. */
void moho_run_directory_close(moho_run_directory *directory);

#endif
