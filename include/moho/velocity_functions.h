/* velocity_functions.h - velocity functions as numbers: knots at places, as tables and cubes hold them. Read, turned from one
 * kind into another, brought onto a grid, written in every format that Moho reads.
 *
 *   backward Dix   v_int^2 = (t2*v_rms2^2 - t1*v_rms1^2) / (t2 - t1), constant in the layer between two picks  (Dix 1955)
 *   forward        v_rms^2(t) = (1/t) integral of v_int^2,   v_avg(t) = (1/t) integral of v_int
 *
 * Velocities m/s, two-way vertical times s, coordinates m. Between knots a function is what velocity.h makes of it. What is
 * written and read again gives the same v_rms, up to the last knot, within 0.001 m/s (average velocities within 0.1 m/s, cubes
 * the 6e-8 of a float and what their time step leaves out); tests/survey/test_velocity_functions.c.
 */
#ifndef MOHO_VELOCITY_FUNCTIONS_H
#define MOHO_VELOCITY_FUNCTIONS_H

#include "moho/velocity.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_velocity_functions {
  moho_velocity_kind kind;
  size_t n;                                 /* functions */
  size_t *start;                            /* [n + 1] knots of function p: start[p] .. start[p + 1] */
  double *time_s, *v_mps;                   /* [start[n]] times ascend within a function */
  double *x_m, *y_m;                        /* [n]; NULL: not known */
  double *inline_number, *crossline_number; /* [n]; NULL: not known */
  double *cdp;                              /* [n]; NULL: not known */
  int on_grid;                              /* 1: the functions are the nodes of `grid`, [inline, crossline] */
  moho_grid grid;                           /* owned */
  /* Where the numbers come from, for errors. */
  char *file;     /* NULL: from nowhere */
  int32_t *line;  /* [start[n]] line of the text that a knot stands in; NULL */
  size_t *number; /* [n] 1-based trace or column of the cube; NULL */
} moho_velocity_functions;

/** n functions with `knots` knots in all, zeroed; positions and numbers are NULL. */
MOHO_API moho_status moho_velocity_functions_create(size_t n, size_t knots, moho_velocity_functions *out);
/** Places of the functions: allocates what is not there yet of x_m and y_m, inline_number and crossline_number, cdp. */
MOHO_API moho_status moho_velocity_functions_add_places(moho_velocity_functions *functions, int positions, int numbers, int cdps);
MOHO_API void moho_velocity_functions_release(moho_velocity_functions *functions);

/** A table or cube, told apart by what the file is; options as for moho_velocity_read_table() and _cube(): kind says what the
 *  numbers are, grid (if any) gives positions to functions placed by numbers, and numbers to those placed by positions.
 *  Errors name line or trace. */
MOHO_API moho_status moho_velocity_functions_read(const char *path, const moho_velocity_options *options,
                                                  moho_velocity_functions *out);

/** The functions as a velocity (COPY). One function, or functions that all lack a place, need no position. */
MOHO_API moho_status moho_velocity_create_functions(const moho_velocity_functions *functions,
                                                    const moho_velocity_options *options, moho_velocity **out);

/**
 * The same velocities as another kind. rms knots become layers of constant interval velocity, each written as two knots (the
 * upper one 1e-7 s below the boundary), so that every reader finds the same layers; interval knots keep their linear
 * trend; average velocities get knots between where v_rms would be off by more than 0.1 m/s.
 * @param options min_mps and max_mps: what the new velocities must lie in
 * @return MOHO_OK; MOHO_ERROR_RANGE names the pick where v_int^2 < 0 or a velocity leaves the range
 */
MOHO_API moho_status moho_velocity_functions_convert(const moho_velocity_functions *functions, moho_velocity_kind kind,
                                                     const moho_velocity_options *options, moho_velocity_functions *out);

/** The same velocities at times first_s + k*step_s, k < n, on which all functions agree: what a cube needs. rms exactly; average
 *  velocities those of the layers between the samples; interval velocities the r.m.s. over half a step to either side.
 *  MOHO_ERROR_RANGE as moho_velocity_functions_convert(). */
MOHO_API moho_status moho_velocity_functions_sample(const moho_velocity_functions *functions, moho_velocity_kind kind,
                                                    const moho_velocity_options *options, double first_s, double step_s, size_t n,
                                                    moho_velocity_functions *out);

/** Functions of kind rms at every node of a grid, on its time axis, from any velocity. */
MOHO_API moho_status moho_velocity_functions_on_grid(const moho_velocity *velocity, const moho_grid *grid,
                                                     moho_velocity_functions *out);

typedef struct moho_velocity_write_options {
  const char *format;      /* "opendtect", "su", "cdp_time_velocity", "columns", "segy", "zarr"; NULL: by the end of the name,
                              .sgy .segy .zarr, .su, else opendtect */
  const char *columns;     /* for "columns": as moho_velocity_options.columns; "skip" is written as 0 */
  const char *description; /* lines for headers and comments; NULL: none */
} moho_velocity_write_options;

MOHO_API moho_velocity_write_options moho_velocity_write_options_default(void);

/**
 * Write functions under a temporary name that is renamed in the end. Text holds times to 1e-7 s, velocities to 1e-4 m/s,
 * positions to 1e-6 m; cubes hold floats. Cubes need one time axis for all functions, SEG-Y an even one
 * (moho_velocity_functions_sample).
 * @return MOHO_OK; MOHO_ERROR_ARGUMENT: the format has no place for what the functions have (positions for su, ...), or they lack
 *         what it needs, with the remedy; MOHO_ERROR_IO
 */
MOHO_API moho_status moho_velocity_functions_write(const moho_velocity_functions *functions, const char *path,
                                                   const moho_velocity_write_options *options);

/** The largest |v_rms(a) - v_rms(b)|, m/s, of the same functions, at the knots of a, and at 200 even times to its last knot.
 *  MOHO_ERROR_SHAPE when they are not the same number of functions. */
MOHO_API moho_status moho_velocity_functions_compare(const moho_velocity_functions *a, const moho_velocity_functions *b,
                                                     double *at_knots_mps, double *between_mps);

/** The grid of an image.zarr, without reading the image. */
MOHO_API moho_status moho_grid_read_zarr(const char *path, moho_grid *out);

#ifdef __cplusplus
}
#endif
#endif
