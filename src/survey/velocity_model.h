/* velocity_model.h - what a kind of velocity (a law, a table, a cube) gives to the velocity object.
 *
 * A kind embeds `moho_velocity` as its first member and fills the fields below.
 */
#ifndef MOHO_SURVEY_VELOCITY_MODEL_H
#define MOHO_SURVEY_VELOCITY_MODEL_H

#include "moho/velocity.h"

struct moho_velocity {
  /* v_rms at times first_s + k*step_s (times before 0 read as 0); thread safe, no order of calls matters. */
  void (*evaluate)(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s, size_t n, double *v_mps);
  void (*destroy)(moho_velocity *velocity); /* frees all of it */
  double min_mps, max_mps;                  /* accepted range */
  int uniform;                              /* depends on t0 only */
  char describe[256];
};

#define MOHO_VELOCITY_MIN_MPS 500.0
#define MOHO_VELOCITY_MAX_MPS 9000.0

/* "values look like km/s" and the like for a velocity that is out of range; a plain hint when nothing fits. */
const char *moho_velocity_unit_hint(double v_mps);

/* MOHO_ERROR_RANGE naming `what` unless min <= v <= max. */
moho_status moho_velocity_check_value(double v_mps, double min_mps, double max_mps, const char *what);

#endif
