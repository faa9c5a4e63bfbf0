/* run_outputs.h - the output directory: who may write there, files under temporary names, all of them renamed at the very end. */
#ifndef MOHO_JOB_RUN_OUTPUTS_H
#define MOHO_JOB_RUN_OUTPUTS_H

#include "job/job.h"
#include "base/file_lock.h"
#include "survey/image_file.h"

typedef struct moho_run_outputs {
  char *directory; /* final place */
  char *staging;   /* a temporary directory within it */
  int created;     /* the directory was made by this run */
  int zarr, segy, png;
} moho_run_outputs;

/* Makes the directory where it is missing; refuses one with other content unless `overwrite`; sees that it can be written. */
moho_status moho_run_outputs_open(const moho_job *job, int overwrite, moho_run_outputs *out);
/* The image in all its forms, under temporary names. description: lines for the SEG-Y text header, of the stack and of gathers.
 */
moho_status moho_run_outputs_write(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                   const char *gathers_description, const char *title);
/* The same from the file of a run of blocks, in about memory_bytes; the image file itself is what becomes image.zarr. */
moho_status moho_run_outputs_write_saved(moho_run_outputs *outputs, const moho_image_file *file, const moho_grid *grid,
                                         const moho_gather_bins *bins, size_t memory_bytes, const char *description,
                                         const char *gathers_description, const char *title);
/* A few gathers of an image side by side, as PNG. */
moho_status moho_draw_gathers(const moho_image *image, const char *path, const char *title);
/* A coarse level or a mask, at once under its final names: zarr_stem.zarr, stem.sgy, stem.png. */
moho_status moho_run_outputs_write_now(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                       const char *title, const char *zarr_stem, const char *stem);
/* The report, then everything to its final name, the report last. */
moho_status moho_run_outputs_commit(moho_run_outputs *outputs, const char *report);
/* Drops what has not been committed, and the directory if this run made it and nothing is in it. */
void moho_run_outputs_close(moho_run_outputs *outputs);

#endif
