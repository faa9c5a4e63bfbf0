/* velocity_profiles.h - velocity functions of time: knots as given, v_rms between them in closed form.
 *
 * Given rms or average velocities are linear in t0 between knots and constant outside; interval velocities likewise, and
 *   v_rms^2(t0) = (1/t0) integral of v_int^2 dt from 0 to t0                                  (Dix 1955, forward)
 * is evaluated exactly, its integral at the knots being kept. Average velocities give v_int = d(t*v_avg)/dt first.
 */
#ifndef MOHO_SURVEY_VELOCITY_PROFILES_H
#define MOHO_SURVEY_VELOCITY_PROFILES_H

#include "moho/velocity.h"

typedef struct moho_profiles {
  moho_velocity_kind kind;
  size_t n;      /* functions */
  size_t *start; /* [n + 1] knots of function p: start[p] .. start[p + 1]; NULL: all have n_shared knots at shared times */
  size_t n_shared;
  double *time_s;           /* [knots], or [n_shared]; ascending within a function, >= 0 */
  double *v_mps;            /* [knots] of a table; NULL for a cube */
  float *cube_mps;          /* [n, n_shared] of a cube; NULL for a table */
  double *integral;         /* [knots] of v_int^2 from 0 to the knot, m2/s; NULL for rms */
  double low_mps, high_mps; /* of the numbers given */
} moho_profiles;

/* A number of a function that cannot be: outside the range, or an average that implies such an interval velocity. */
typedef struct moho_bad_knot {
  size_t profile, knot;
  double v_mps; /* the bad value */
  int implied;  /* 1: it is the interval velocity implied by the averages at knot and knot + 1 */
} moho_bad_knot;

/* Check every number against the range and fill `integral`, low and high. MOHO_ERROR_RANGE fills *bad (the message is the
 * caller's to write: it knows lines or traces). */
moho_status moho_profiles_prepare(moho_profiles *profiles, double min_mps, double max_mps, moho_bad_knot *bad);
void moho_profiles_release(moho_profiles *profiles);

/* sum[k] += weight / v_rms^2 at times first_s + k*step_s of function p (times before 0 read as 0). */
void moho_profiles_add_slowness2(const moho_profiles *profiles, size_t p, double weight, double first_s, double step_s, int n,
                                 double *sum);

/* slowness2[k] += weight/v_int^2 and ratio[k] += weight*mu4/mu2^2 at such times, either may be NULL (velocity_moments.c). */
void moho_profiles_add_interval(const moho_profiles *profiles, size_t p, double weight, double first_s, double step_s, size_t n,
                                double *slowness2, double *ratio);
/* sum[k] += weight * the number itself, linear between knots and constant outside. */
void moho_profiles_add_value(const moho_profiles *profiles, size_t p, double weight, double first_s, double step_s, size_t n,
                             double *sum);
/* 1 where r.m.s. velocities imply a v_int out of range between knots bad->knot - 1 and bad->knot: bad->v_mps is v_int, or v_int^2
 * where that is negative. */
int moho_profiles_find_bad_interval(const moho_profiles *profiles, double min_mps, double max_mps, moho_bad_knot *bad);

/* v_rms of functions at places: the velocity object of tables and cubes. TAKE: profiles and between. */
struct moho_between;
moho_status moho_profiles_make_velocity(moho_profiles *profiles, struct moho_between **between, const char *describe,
                                        const moho_velocity_options *options, moho_velocity **out);

#endif
