/* travel_time.h - a law of the leg time, as the double reference, the runs and the tables of the loops use it.
 *
 * A law is checked once against velocity and eta. For a column it then gives v_rms, the aperture's radius and the leg terms of
 * every image sample (kernels/physics.h: base, s2, a, b), in double; curved_ray gives rows of squared leg times instead
 * (leg_time_table.h). A leg, one horizontal distance in one column, has a time and a slope at every sample.
 * Times in refined trace samples, lengths in metres.
 */
#ifndef MOHO_MIGRATE_TRAVEL_TIME_H
#define MOHO_MIGRATE_TRAVEL_TIME_H

#include <math.h>

#include "migrate/leg_time_table.h"
#include "migrate/real_double.h"
#include "moho/migration.h"

typedef struct moho_leg_terms {
  double base, s2, a, b;
} moho_leg_terms;

typedef struct moho_travel_law {
  moho_traveltime kind;
  moho_aperture_rule aperture_rule;
  const moho_velocity *velocity; /* BORROW, like eta */
  const moho_eta *eta;
  size_t n; /* image samples, at first_s + i*step_s */
  double first_s, step_s, dt_s;
  double longest_m;                  /* no leg is longer */
  double v0_mps, gradient_per_s, c2; /* curved_linear: c2 = (k dt/2)^2 */
  double largest_arc;                /* and the largest c2 q of any leg */
  double min_m, max_m, tan_dip, sin_dip;
  int is_uniform;                 /* velocity and eta depend on t0 only: one column serves all */
  moho_leg_time_model *leg_times; /* curved_ray, else NULL */
} moho_travel_law;

/* What a column's samples need; rows: curved_ray, else NULL. */
typedef struct moho_travel_column {
  double *v;             /* [n] v_rms */
  double *radius;        /* [n] A(t0), before its running maximum */
  moho_leg_terms *terms; /* [n] */
  double *extra;         /* [n] scratch */
  float *rows;           /* [nodes, row stride of law->leg_times] */
} moho_travel_column;

/**
 * @param longest_m  no leg is longer: aperture and half-offset together (curved_ray tabulates up to it)
 * @return MOHO_OK; MOHO_ERROR_ARGUMENT (curved_linear without linear_z, vti without eta, eta without vti), MOHO_ERROR_RANGE (no
 * v_int)
 */
moho_status moho_travel_law_create(const moho_migration_options *options, const moho_velocity *velocity, double first_s,
                                   double step_s, size_t n, double dt_s, double longest_m, moho_travel_law *out);
void moho_travel_law_release(moho_travel_law *law);
/* The longest leg of a survey: largest aperture and half-offset. */
double moho_travel_longest(const moho_migration_options *options, const moho_geometry *geometry);
/* Largest slope of a leg times the smallest velocity (1 for straight rays). */
double moho_travel_steepest(moho_traveltime kind);

moho_status moho_travel_column_create(const moho_travel_law *law, moho_travel_column *out);
void moho_travel_column_release(moho_travel_column *column);
size_t moho_travel_column_bytes(const moho_travel_law *law);
/* @return MOHO_ERROR_RANGE where velocity, v_int or eta leave their range: names the place */
moho_status moho_travel_column_fill(const moho_travel_law *law, double x_m, double y_m, moho_travel_column *column);

/* ---- one leg ---- */

typedef struct moho_leg {
  double d2;
  moho_leg_place place; /* curved_ray: between which rows */
} moho_leg;

static inline moho_leg moho_leg_of(const moho_travel_law *law, double d2) {
  moho_leg leg = {.d2 = d2};
  if (law->leg_times) leg.place = moho_leg_time_place(law->leg_times, d2);
  return leg;
}

/* Leg time at image sample i. */
static inline double moho_leg_time(const moho_travel_law *law, const moho_travel_column *column, const moho_leg *leg, size_t i) {
  const moho_leg_terms *m = &column->terms[i];
  switch (law->kind) {
  case MOHO_TRAVELTIME_CURVED_LINEAR: return leg_time_linear(leg_squared_straight(m->base, leg->d2, m->s2), law->c2);
  case MOHO_TRAVELTIME_CURVED_RMS: return m->a + sqrt(leg_squared_straight(m->base, leg->d2, m->s2));
  case MOHO_TRAVELTIME_CURVED_RAY: return sqrt(moho_leg_time_squared(law->leg_times, column->rows, leg->place, i));
  case MOHO_TRAVELTIME_VTI: return sqrt(leg_squared_vti(m->base, leg->d2, m->s2, m->a, m->b));
  case MOHO_TRAVELTIME_VTI_RATIONAL: return sqrt(leg_squared_vti_rational(m->base, leg->d2, m->s2, m->a));
  default: return sqrt(leg_squared_straight(m->base, leg->d2, m->s2));
  }
}

/* Slope along an axis: dt/dd where the leg's component along it is d_axis; t of moho_leg_time(). */
static inline double moho_leg_slope(const moho_travel_law *law, const moho_travel_column *column, const moho_leg *leg, size_t i,
                                    double d_axis, double t) {
  const moho_leg_terms *m = &column->terms[i];
  switch (law->kind) {
  case MOHO_TRAVELTIME_CURVED_LINEAR:
    return leg_slope_linear(d_axis, m->s2, leg_squared_straight(m->base, leg->d2, m->s2), law->c2);
  case MOHO_TRAVELTIME_CURVED_RMS: return leg_slope_straight(d_axis, m->s2, 1.0 / (t - m->a));
  case MOHO_TRAVELTIME_CURVED_RAY:
    return leg_slope_straight(d_axis, moho_leg_time_growth(law->leg_times, column->rows, leg->place, i), 1.0 / t);
  case MOHO_TRAVELTIME_VTI: return leg_slope_vti(d_axis, m->base, leg->d2, m->s2, m->a, m->b, 1.0 / t);
  case MOHO_TRAVELTIME_VTI_RATIONAL: return leg_slope_vti_rational(d_axis, m->base, leg->d2, m->s2, m->a, 1.0 / t);
  default: return leg_slope_straight(d_axis, m->s2, 1.0 / t);
  }
}

/* The squared distance at which the leg takes `time` at sample i; negative where even the vertical leg takes longer. */
double moho_leg_reach2(const moho_travel_law *law, const moho_travel_column *column, size_t i, double time);

#endif
