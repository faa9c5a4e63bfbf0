/* quality_image.h - an image measured and drawn piece by piece, in memory or larger than it; the same bits either way.
 */
#ifndef MOHO_SURVEY_QUALITY_IMAGE_H
#define MOHO_SURVEY_QUALITY_IMAGE_H

#include "moho/quality.h"
#include "survey/image_rows.h"

/* As moho_image_measure(); besides a piece it holds 4 bytes a column. */
moho_status moho_image_rows_measure(const moho_image_rows *rows, moho_image_quality *out);
/* As moho_image_quality_draw(). */
moho_status moho_image_rows_draw(const moho_image_rows *rows, const moho_image_quality *quality, const char *directory);

#endif
