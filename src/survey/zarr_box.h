/* zarr_box.h - writing boxes of whole chunks into an array of a Zarr group, chunk by chunk, and telling later whether they are
 * still what was written.
 */
#ifndef MOHO_SURVEY_ZARR_BOX_H
#define MOHO_SURVEY_ZARR_BOX_H

#include "survey/zarr_store.h"

/* Elements [first[a], first[a] + count[a]) of every axis: begins at a chunk, and ends with one or with the array. */
typedef struct moho_zarr_box {
  size_t first[MOHO_ZARR_AXES], count[MOHO_ZARR_AXES];
} moho_zarr_box;

/* Of chunk files one after the other. Begins as {0, 0}; several boxes may add to one mark, in the same order each time. */
typedef struct moho_zarr_mark {
  uint64_t bytes, checksum;
} moho_zarr_mark;

/* data: the box alone, C order, the array's own type. Chunks go under their names one by one, all threads at work; the caller
 * syncs the directory. mark (may be NULL) grows by the files written. layout: codec and byte order as they are to be. */
moho_status moho_zarr_put_box(const char *group, const char *name, const moho_zarr_layout *layout, const moho_zarr_box *box,
                              const void *data, moho_zarr_mark *mark);
/* The mark of what is there now. A chunk that is missing counts as none of its bytes. */
moho_status moho_zarr_mark_box(const char *group, const char *name, const moho_zarr_layout *layout, const moho_zarr_box *box,
                               moho_zarr_mark *mark);
/* Every chunk of the array as zeros. */
moho_status moho_zarr_put_zeros(const char *group, const char *name, const moho_zarr_layout *layout);

#endif
