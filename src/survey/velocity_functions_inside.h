/* velocity_functions_inside.h - what the sources about velocity functions share. */
#ifndef MOHO_SURVEY_VELOCITY_FUNCTIONS_INSIDE_H
#define MOHO_SURVEY_VELOCITY_FUNCTIONS_INSIDE_H

#include "base/fail.h"
#include "moho/velocity_functions.h"
#include "survey/velocity_profiles.h"

/* Two knots this far apart are one boundary between layers: text holds times to 1e-7 s. */
#define MOHO_VELOCITY_STEP_S 1e-7

/* An error that names the pick: file and line, or trace and time. */
moho_status moho_functions_fail(const moho_velocity_functions *functions, size_t knot, const char *hint, moho_status code,
                                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Positions, numbers and grid; `to` has as many functions. */
moho_status moho_functions_copy_places(const moho_velocity_functions *from, moho_velocity_functions *to);
/* Positions and numbers of all nodes; the functions are the grid's from now on. */
moho_status moho_functions_place_on_grid(const moho_grid *grid, moho_velocity_functions *out);

moho_status moho_functions_to_profiles(const moho_velocity_functions *functions, moho_profiles *out);
/* v_rms at times first_s + k*step_s. */
moho_status moho_functions_sample_rms(const moho_velocity_functions *functions, double first_s, double step_s, size_t n,
                                      moho_velocity_functions *out);
double moho_profiles_rms_at(const moho_profiles *profiles, size_t p, double time_s);

/* Readers of the two sources (velocity_table.c, velocity_cube.c). */
moho_status moho_velocity_table_read_functions(const char *path, const moho_velocity_options *options,
                                               moho_velocity_functions *out);
moho_status moho_velocity_cube_read_functions(const char *path, const moho_velocity_options *options,
                                              moho_velocity_functions *out);

#define moho_functions_fail(...) MOHO_FAILED((moho_functions_fail)(__VA_ARGS__))

#endif
