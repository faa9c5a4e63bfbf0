/* amplitude_mask.h - where an image computed on a coarse grid has anything, as a mask of the fine grid's samples.
 *
 * A cell is one coarse column and 4 coarse times. Of the cells those with the largest amplitude that hold a share of the energy
 * make the mask, which is then dilated by some cells to all sides.
 */
#ifndef MOHO_JOB_AMPLITUDE_MASK_H
#define MOHO_JOB_AMPLITUDE_MASK_H

#include "moho/image.h"

typedef struct moho_amplitude_mask {
  uint8_t *samples;          /* [inline, crossline, time] of the fine grid */
  double share;              /* of them in the mask */
  double threshold, largest; /* amplitude of the weakest cell before dilation, of the strongest */
} moho_amplitude_mask;

/* coarse: every `columns`-th column and every `times`-th time of `grid` (coarse_grid.h). */
moho_status moho_amplitude_mask_make(const moho_image *coarse, const moho_grid *grid, size_t columns, size_t times, double energy,
                                     size_t dilate, moho_amplitude_mask *out);
void moho_amplitude_mask_release(moho_amplitude_mask *mask);

#endif
