/* velocity.h - migration velocity: v_rms(x, y, t0), from a constant, a law, a table of functions or a cube.
 *
 * docs/physics.md "Velocity". Velocities m/s, two-way vertical times s, coordinates m. A velocity is immutable after its
 * creation and may be read by several threads.
 */
#ifndef MOHO_VELOCITY_H
#define MOHO_VELOCITY_H

#include "moho/grid.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_velocity moho_velocity;

typedef enum { MOHO_VELOCITY_RMS, MOHO_VELOCITY_INTERVAL, MOHO_VELOCITY_AVERAGE } moho_velocity_kind;

/* What a table of functions or a cube needs besides its file. */
typedef struct moho_velocity_options {
  moho_velocity_kind kind; /* what the numbers are */
  double min_mps, max_mps; /* accepted range; 500 and 9000 */
  const char *format;      /* NULL: recognise; "opendtect", "su", "cdp_time_velocity", "columns" */
  const char
      *columns; /* for "columns": "x,y,time_ms,velocity" - names x y inline crossline cdp time_s time_ms velocity velocity_fps */
  const moho_grid *grid; /* turns inline/crossline and CDP positions into X, Y; NULL: only X, Y positions are understood */
} moho_velocity_options;

MOHO_API moho_velocity_options moho_velocity_options_default(void);

MOHO_API moho_status moho_velocity_create_constant(double v_mps, moho_velocity **out);
/** v_rms = v0 + slope*t0 */
MOHO_API moho_status moho_velocity_create_linear_t0(double v0_mps, double slope_mps_per_s, moho_velocity **out);
/** v_int(z) = v0 + k*z;  v_rms^2 = v0^2*expm1(2k*t1)/(2k*t1), t1 = t0/2 */
MOHO_API moho_status moho_velocity_create_linear_z(double v0_mps, double gradient_per_s, moho_velocity **out);
/** Table of functions (picks) from a text file. Errors name line and column. */
MOHO_API moho_status moho_velocity_read_table(const char *path, const moho_velocity_options *options, moho_velocity **out);
/** Cube from SEG-Y (a trace a function, cdp_x/cdp_y or il/xl) or Zarr (as image.zarr, array "velocity"). */
MOHO_API moho_status moho_velocity_read_cube(const char *path, const moho_velocity_options *options, moho_velocity **out);
MOHO_API void moho_velocity_destroy(moho_velocity **velocity);

/** 1 when v depends on t0 only (then one column serves all). */
MOHO_API int moho_velocity_is_uniform(const moho_velocity *velocity);

/** "constant 2500 m/s", "table v.txt: 12 functions, 1480..4200 m/s" */
MOHO_API const char *moho_velocity_describe(const moho_velocity *velocity);

/**
 * v_rms at (x, y) for times t0 = first_s + k*step_s, k < n, into v_mps [n].
 * Between functions on a lattice bilinear in 1/v^2, scattered ones by Delaunay triangles, constant outside; vertical linear.
 * @return MOHO_OK; MOHO_ERROR_RANGE (outside the accepted range: names the first bad place)
 */
MOHO_API moho_status moho_velocity_rms(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s,
                                       size_t n, double *v_mps);

#ifdef __cplusplus
}
#endif
#endif
