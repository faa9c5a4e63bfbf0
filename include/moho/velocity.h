/* velocity.h - migration velocity: v_rms(x, y, t0), from a constant, a law, a table of functions or a cube; what travel-time laws
 * need besides: v_int, its fourth moment, and eta.
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

/**
 * v_int at such times: as given (interval), d(t*v_avg)/dt (average), from r.m.s. velocities by Dix, constant between picks
 *   v_int^2 = (t_k*v_k^2 - t_(k-1)*v_(k-1)^2)/(t_k - t_(k-1)).                               docs/physics.md "Velocity"
 * Between functions as v_rms: in 1/v_int^2.
 * @return MOHO_OK; MOHO_ERROR_RANGE (v_int^2 negative, or v_int outside the accepted range: names the pick)
 */
MOHO_API moho_status moho_velocity_interval(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s,
                                            size_t n, double *v_mps);
/** S = mu4/mu2^2 >= 1, mu2 and mu4 = (1/t0) integral of v_int^2, v_int^4 dt over [0, t0], in closed form; interpolated as it is
 *  between functions. 1 where v_int is constant. Errors as moho_velocity_interval(). */
MOHO_API moho_status moho_velocity_heterogeneity(const moho_velocity *velocity, double x_m, double y_m, double first_s,
                                                 double step_s, size_t n, double *ratio);
/** mu4 = S * v_rms^4, m4/s4. */
MOHO_API moho_status moho_velocity_fourth_moment(const moho_velocity *velocity, double x_m, double y_m, double first_s,
                                                 double step_s, size_t n, double *mu4);
/** V0: v_int at t0 = 0. */
MOHO_API moho_status moho_velocity_surface(const moho_velocity *velocity, double x_m, double y_m, double *v0_mps);
/** 1 and its numbers where v_int = v0 + gradient*z (linear_z; a constant has gradient 0), else 0. */
MOHO_API int moho_velocity_get_linear_z(const moho_velocity *velocity, double *v0_mps, double *gradient_per_s);

/* ---- eta: anisotropy of the vti laws ---- */

typedef struct moho_eta moho_eta;

/* Interval values become effective ones:  eta_eff(t0) = 1/8 {[1/(v^4 t0)] integral of v_int^4 (1 + 8 eta_int) dt - 1} */
typedef enum { MOHO_ETA_EFFECTIVE, MOHO_ETA_INTERVAL } moho_eta_kind;

#define MOHO_ETA_MIN -0.2
#define MOHO_ETA_MAX 1.0

MOHO_API moho_status moho_eta_create_constant(moho_eta_kind kind, double eta, moho_eta **out);
/** Table of functions, a column "eta" in the place of the velocity; format, columns and grid of the options count. Linear in t0
 *  and between functions, constant outside. Errors name line and column. */
MOHO_API moho_status moho_eta_read_table(const char *path, moho_eta_kind kind, const moho_velocity_options *options,
                                         moho_eta **out);
/** Cube as of velocities: SEG-Y, or Zarr (array "eta", else the one of three axes). */
MOHO_API moho_status moho_eta_read_cube(const char *path, moho_eta_kind kind, const moho_velocity_options *options,
                                        moho_eta **out);
MOHO_API void moho_eta_destroy(moho_eta **eta);
/** 1 when eta depends on t0 only. */
MOHO_API int moho_eta_is_uniform(const moho_eta *eta);
/** "effective eta 0.1", "interval eta, table e.txt: ..." */
MOHO_API const char *moho_eta_describe(const moho_eta *eta);
/**
 * Effective eta at (x, y) for times t0 = first_s + k*step_s, k < n, into eta_eff [n]; of interval values with the velocity's
 * v_int and v = v_rms (the NMO velocity).
 * @return MOHO_OK; MOHO_ERROR_RANGE (outside -0.2 to 1: names the first bad place; or there is no v_int)
 * Cost: interval kind: an integration from 0 to the last time, 0.5 ms steps
 */
MOHO_API moho_status moho_eta_effective(const moho_eta *eta, const moho_velocity *velocity, double x_m, double y_m,
                                        double first_s, double step_s, size_t n, double *eta_eff);

#ifdef __cplusplus
}
#endif
#endif
