/* run_outputs.h - the results of a run in all their forms, staged and then all of them given their final names. */
#ifndef MOHO_JOB_RUN_OUTPUTS_H
#define MOHO_JOB_RUN_OUTPUTS_H

#include "job/job.h"
#include "job/run_directory.h"
#include "survey/image_file.h"

typedef struct moho_run_outputs {
  moho_run_directory place;
  const char *directory, *staging; /* BORROW from place: where results end, where they are made */
  int zarr, segy, png;
} moho_run_outputs;

/* Claims the directory for this run (run_directory.h). */
moho_status moho_run_outputs_open(const moho_job *job, int overwrite, moho_run_outputs *out);
/* The image in all its forms, staged. description: lines for the SEG-Y text header, of the stack and of gathers. */
moho_status moho_run_outputs_write(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                   const char *gathers_description, const char *title);
/* The same from the file of a run of blocks, in about memory_bytes; the image file itself is what becomes image.zarr. */
moho_status moho_run_outputs_write_saved(moho_run_outputs *outputs, const moho_image_file *file, size_t memory_bytes,
                                         const char *description, const char *gathers_description, const char *title);
/* A coarse level or a mask, at once under its final names: zarr_stem.zarr, stem.sgy, stem.png. */
moho_status moho_run_outputs_write_now(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                       const char *title, const char *zarr_stem, const char *stem);
/* The report, then everything to its final name, the report last. */
moho_status moho_run_outputs_commit(moho_run_outputs *outputs, const char *report);
/* Drops what has not been committed (what a run of blocks has saved stays), lets go of the directory, and removes it if this run
 * made it and nothing is in it. */
void moho_run_outputs_close(moho_run_outputs *outputs);

#endif
