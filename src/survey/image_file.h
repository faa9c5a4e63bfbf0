/* image_file.h - an image.zarr that grows on disk, window after window, and is at every moment a group that xarray opens.
 *
 *   create    the whole group with all its metadata and coordinates, consolidated: stack and gathers have no chunks yet, which
 *             read as NaN; fold and gathers_fold are there as zeros (integers have no NaN). Attribute "complete": false.
 *   write     one window of columns, edges on the lattice: its chunks, each to a temporary name, synced, renamed; then the
 *             directories are synced. When it returns, the window outlives a loss of power; until then none of it counts.
 *   finish    attributes as they are to stay, "complete": true.
 *
 * The layout depends on grid and bins alone, not on memory, so that the files of a run are byte for byte the same however it
 * was cut into windows and however often it was stopped; moho_image_write_zarr() writes the same files from memory.
 */
#ifndef MOHO_SURVEY_IMAGE_FILE_H
#define MOHO_SURVEY_IMAGE_FILE_H

#include "survey/image_rows.h"

typedef struct moho_image_file moho_image_file;

/* What a written window is known by: its chunk files, in order. A chunk that was lost or cut afterwards shows. */
typedef struct moho_image_mark {
  uint64_t bytes, checksum;
} moho_image_mark;

/* Windows begin at multiples of these numbers of nodes, and end there or at the grid's ends. bins: kind none without gathers. */
void moho_image_file_lattice(const moho_grid *grid, const moho_gather_bins *bins, size_t *n_inline, size_t *n_crossline);
/* Bytes that the files take at most (not compressed), and how many files they are. */
void moho_image_file_size(const moho_grid *grid, const moho_gather_bins *bins, double *bytes, double *files);

/* Appears under `path` with all metadata or not at all; an earlier group there is replaced.
 * attributes: JSON object as moho_image.attributes; may be NULL. bins: kind none (or NULL): no gathers. */
moho_status moho_image_file_create(const char *path, const moho_grid *grid, const moho_gather_bins *bins, const char *attributes,
                                   moho_image_file **out);
/* One that was created before, of the same grid and bins (else MOHO_ERROR_FORMAT); what a killed process left is swept. */
moho_status moho_image_file_open(const char *path, const moho_grid *grid, const moho_gather_bins *bins, moho_image_file **out);
void moho_image_file_close(moho_image_file **file);

/* The window's part of the image: stack, fold [n_inline, n_crossline, time] and, where the file has gathers, gathers and
 * gathers_fold [n_inline, n_crossline, bin, time] of `image`; its grid is not looked at. Chunks are written by all threads.
 * mark (may be NULL): what moho_image_file_check() compares with. */
moho_status moho_image_file_write(moho_image_file *file, const moho_window *window, const moho_image *image,
                                  moho_image_mark *mark);
/* *is_whole: the window's chunks are all there with the bytes of `mark`. */
moho_status moho_image_file_check(const moho_image_file *file, const moho_window *window, const moho_image_mark *mark,
                                  int *is_whole);
/* A window (any) read back; arrays as for write, each may be NULL. What is not there yet is NaN, its fold 0. */
moho_status moho_image_file_read(const moho_image_file *file, const moho_window *window, float *stack, int32_t *fold,
                                 float *gathers, int32_t *gathers_fold);
/* Final attributes (as for create) and "complete": true. The file stays open. */
moho_status moho_image_file_finish(moho_image_file *file, const char *attributes);

/* The image piece by piece, for its other forms (image_rows.h), in about memory_bytes. The file must outlive them;
 * moho_image_rows_close() closes them. */
moho_status moho_image_file_open_rows(const moho_image_file *file, size_t memory_bytes, moho_image_rows *out);

#endif
