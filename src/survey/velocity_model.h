/* velocity_model.h - what a kind of velocity (a law, a table, a cube) gives to the velocity object.
 *
 * A kind embeds `moho_velocity` as its first member and fills the fields below.
 */
#ifndef MOHO_SURVEY_VELOCITY_MODEL_H
#define MOHO_SURVEY_VELOCITY_MODEL_H

#include "base/fail.h"
#include "moho/velocity.h"
#include "survey/velocity_triangles.h"

/* Why there is no v_int: the first place where the r.m.s. velocities given imply none. */
typedef struct moho_velocity_problem {
  char file[256], message[400];
  int line;
  int64_t trace;
} moho_velocity_problem;

/* In the place of a moho_velocity_kind: the numbers are eta (eta.c), read by the same readers, interpolated as they are. */
#define MOHO_VELOCITY_ETA ((moho_velocity_kind)3)

struct moho_velocity {
  /* v_rms at times first_s + k*step_s (times before 0 read as 0); thread safe, no order of calls matters. */
  void (*evaluate)(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s, size_t n, double *v_mps);
  /* v_int at such times, and S = mu4/mu2^2 of it; either may be NULL. Not called where `problem` is. */
  void (*interval)(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s, size_t n, double *v_mps,
                   double *ratio);
  /* Of a velocity given as functions at places (n_functions > 1): those that a place is interpolated from, and v_int of one. */
  size_t n_functions;
  moho_weights (*support)(const moho_velocity *velocity, double x_m, double y_m);
  void (*function_interval)(const moho_velocity *velocity, size_t function, double first_s, double step_s, size_t n,
                            double *v_mps);
  void (*destroy)(moho_velocity *velocity); /* frees all of it, but not `problem` */
  moho_velocity_problem *problem;           /* NULL: none */
  int is_linear_z;                          /* v_int = v0_mps + gradient_per_s * z */
  double v0_mps, gradient_per_s;
  double min_mps, max_mps; /* accepted range */
  int uniform;             /* depends on t0 only */
  char describe[256];
};

#define MOHO_VELOCITY_MIN_MPS 500.0
#define MOHO_VELOCITY_MAX_MPS 9000.0

/* What a kind says of its bad knot (moho_profiles_find_bad_interval): kept until v_int is asked for. */
moho_status moho_velocity_set_problem(moho_velocity *velocity, moho_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* MOHO_ERROR_RANGE naming the pick, where the velocity implies no v_int. */
moho_status moho_velocity_check_interval(const moho_velocity *velocity);

/* "values look like km/s" and the like for a velocity that is out of range; a plain hint when nothing fits. */
const char *moho_velocity_unit_hint(double v_mps);

/* MOHO_ERROR_RANGE naming `what` unless min <= v <= max. */
moho_status moho_velocity_check_value(double v_mps, double min_mps, double max_mps, const char *what);

#endif
