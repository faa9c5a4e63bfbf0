/* info_image.h - moho info of images and velocities. */
#ifndef MOHO_CLI_INFO_IMAGE_H
#define MOHO_CLI_INFO_IMAGE_H

#include "command.h"

/* What the options say of a velocity file; NULL: not given. */
typedef struct velocity_info {
  const char *type, *columns, *format, *pictures, *grid_image;
} velocity_info;

/* pictures: a directory for PNGs; NULL: none. Exit codes. */
int info_of_image(const command_line *line, const char *path, const char *pictures);
int info_of_velocity(const command_line *line, const char *path, const velocity_info *options, int is_cube);

#endif
