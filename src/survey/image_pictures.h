/* image_pictures.h - the pictures of an image: a section of the stack, the fold, a few gathers; in memory or on disk.
 */
#ifndef MOHO_SURVEY_IMAGE_PICTURES_H
#define MOHO_SURVEY_IMAGE_PICTURES_H

#include "survey/image_rows.h"

/* The middle inline, or the only crossline when each inline has but one node. */
moho_status moho_draw_stack(const moho_image_rows *rows, const char *path, const char *title);
/* The largest fold over time of every column; of a line, all of its fold. */
moho_status moho_draw_fold(const moho_image_rows *rows, const char *path);
/* A few gathers side by side. */
moho_status moho_draw_gathers(const moho_image_rows *rows, const char *path, const char *title);

#endif
