/* velocity_write.h - the writers of velocity functions, one a family of formats. */
#ifndef MOHO_SURVEY_VELOCITY_WRITE_H
#define MOHO_SURVEY_VELOCITY_WRITE_H

#include <stdio.h>

#include "moho/velocity_functions.h"

typedef enum {
  MOHO_VELOCITY_OPENDTECT,
  MOHO_VELOCITY_SU,
  MOHO_VELOCITY_CDP_TIME_VELOCITY,
  MOHO_VELOCITY_COLUMNS,
  MOHO_VELOCITY_SEGY,
  MOHO_VELOCITY_ZARR
} moho_velocity_format;

moho_status moho_velocity_write_text(const moho_velocity_functions *functions, const char *path, moho_velocity_format format,
                                     const moho_velocity_write_options *options);
moho_status moho_velocity_write_su(const moho_velocity_functions *functions, const char *path, FILE *out);
moho_status moho_velocity_write_segy(const moho_velocity_functions *functions, const char *path,
                                     const moho_velocity_write_options *options);
moho_status moho_velocity_write_zarr(const moho_velocity_functions *functions, const char *path,
                                     const moho_velocity_write_options *options);

/* A plain number with so many decimals, zeros at its end dropped. */
const char *moho_velocity_number(double value, int decimals, char text[40]);
enum { MOHO_VELOCITY_TIME_DECIMALS = 7, MOHO_VELOCITY_DECIMALS = 4, MOHO_POSITION_DECIMALS = 6 };

#endif
