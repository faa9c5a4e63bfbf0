/* velocity.c - the velocity object: described, destroyed, evaluated, and kept within its accepted range. */
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "survey/velocity_model.h"

moho_velocity_options moho_velocity_options_default(void) {
  return (moho_velocity_options){.kind = MOHO_VELOCITY_RMS, .min_mps = MOHO_VELOCITY_MIN_MPS, .max_mps = MOHO_VELOCITY_MAX_MPS};
}

void moho_velocity_destroy(moho_velocity **velocity) {
  if (!velocity || !*velocity) return;
  free((*velocity)->problem);
  (*velocity)->destroy(*velocity);
  *velocity = NULL;
}

int moho_velocity_is_uniform(const moho_velocity *velocity) {
  return velocity->uniform;
}

const char *moho_velocity_describe(const moho_velocity *velocity) {
  return velocity->describe;
}

const char *moho_velocity_unit_hint(double v_mps) {
  if (v_mps >= 0.5 && v_mps <= 9) return "the value looks like km/s: give m/s (multiply by 1000)";
  if (v_mps > 9000 && v_mps <= 30000)
    return "the value looks like ft/s: give m/s (multiply by 0.3048), or declare the column velocity_fps";
  if (v_mps > 0 && v_mps < 1) return "the value looks like a slowness or a time: check the order of the columns";
  return "check the units (m/s), or widen the accepted range";
}

moho_status moho_velocity_check_value(double v_mps, double min_mps, double max_mps, const char *what) {
  if (v_mps >= min_mps && v_mps <= max_mps) return MOHO_OK;
  return moho_fail_at((moho_place){0}, moho_velocity_unit_hint(v_mps), MOHO_ERROR_RANGE, "%s is %.6g m/s, expected %g to %g m/s",
                      what, v_mps, min_mps, max_mps);
}

static moho_status fail_at_first_bad(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s,
                                     size_t n, const double *v_mps) {
  size_t k = 0;
  while (k + 1 < n && v_mps[k] >= velocity->min_mps && v_mps[k] <= velocity->max_mps) k++;
  return moho_fail_at((moho_place){0}, moho_velocity_unit_hint(v_mps[k]), MOHO_ERROR_RANGE,
                      "%s: v_rms at x %.2f m, y %.2f m, time %.4g s is %.6g m/s, expected %g to %g m/s", velocity->describe, x_m,
                      y_m, first_s + (double)k * step_s, v_mps[k], velocity->min_mps, velocity->max_mps);
}

moho_status moho_velocity_rms(const moho_velocity *velocity, double x_m, double y_m, double first_s, double step_s, size_t n,
                              double *v_mps) {
  if (!isfinite(x_m) || !isfinite(y_m) || !isfinite(first_s) || !isfinite(step_s))
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocity asked for at x %g, y %g, time %g + k * %g; expected finite numbers", x_m, y_m,
                     first_s, step_s);
  if (n > INT32_MAX) return moho_fail(MOHO_ERROR_ARGUMENT, "velocity asked for at %zu times, expected fewer than 2^31", n);
  velocity->evaluate(velocity, x_m, y_m, first_s, step_s, n, v_mps);
  int bad = 0;
  for (size_t k = 0; k < n; k++) bad |= !(v_mps[k] >= velocity->min_mps) | !(v_mps[k] <= velocity->max_mps);
  if (bad) return fail_at_first_bad(velocity, x_m, y_m, first_s, step_s, n, v_mps);
  return MOHO_OK;
}
