/* velocity_laws.c - velocities given by a formula in t0: constant, linear in t0, linear in depth (docs/physics.md "Velocity"). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/velocity_model.h"

typedef struct law {
  moho_velocity base;
  double v0, slope;
} law;

static void destroy(moho_velocity *velocity) {
  free(velocity);
}

static double sample_time(double first_s, double step_s, size_t k) {
  return fmax(first_s + (double)k * step_s, 0);
}

static void evaluate_constant(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                              double *v) {
  (void)x, (void)y, (void)first_s, (void)step_s;
  const law *l = (const law *)velocity;
  for (size_t k = 0; k < n; k++) v[k] = l->v0;
}

static void evaluate_linear_t0(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                               double *v) {
  (void)x, (void)y;
  const law *l = (const law *)velocity;
  for (size_t k = 0; k < n; k++) v[k] = l->v0 + l->slope * sample_time(first_s, step_s, k);
}

/* expm1(a)/a, 1 at a = 0; the series where the quotient would meet 0/0 (relative error a^3/24 < 1e-16). */
static double mean_growth(double a) {
  return fabs(a) < 1e-5 ? 1 + a * (0.5 + a / 6) : expm1(a) / a;
}

/* v_rms^2 = v0^2 expm1(2k t1)/(2k t1), and 2 t1 = t0. */
static void evaluate_linear_z(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                              double *v) {
  (void)x, (void)y;
  const law *l = (const law *)velocity;
  for (size_t k = 0; k < n; k++) v[k] = l->v0 * sqrt(mean_growth(l->slope * sample_time(first_s, step_s, k)));
}

static void interval_of_constant(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                                 double *v, double *ratio) {
  (void)x, (void)y, (void)first_s, (void)step_s;
  const law *l = (const law *)velocity;
  for (size_t k = 0; k < n; k++) {
    if (v) v[k] = l->v0;
    if (ratio) ratio[k] = 1;
  }
}

/* v_int^2 = d(t v^2)/dt = v (v + 2 t s) with v = v0 + s t, and its square integrated; NaN where v_int^2 is negative. */
static void interval_of_linear_t0(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                                  double *v, double *ratio) {
  (void)x, (void)y;
  const law *l = (const law *)velocity;
  for (size_t k = 0; k < n; k++) {
    double a = l->v0, b = l->slope * sample_time(first_s, step_s, k), rms = a + b, square = rms * (a + 3 * b);
    double fourth = a * a * a * a + b * (4 * a * a * a + b * (22.0 / 3 * a * a + b * (6 * a + 9.0 / 5 * b)));
    if (v) v[k] = sqrt(square);
    if (ratio) ratio[k] = square > 0 ? fmax(fourth / (rms * rms * rms * rms), 1) : NAN;
  }
}

/* v_int = v0 e^(k t1), mu4 = v0^4 expm1(4k t1)/(4k t1), and 2 t1 = t0. */
static void interval_of_linear_z(const moho_velocity *velocity, double x, double y, double first_s, double step_s, size_t n,
                                 double *v, double *ratio) {
  (void)x, (void)y;
  const law *l = (const law *)velocity;
  for (size_t k = 0; k < n; k++) {
    double kt0 = l->slope * sample_time(first_s, step_s, k), square = mean_growth(kt0);
    if (v) v[k] = l->v0 * exp(kt0 / 2);
    if (ratio) ratio[k] = fmax(mean_growth(2 * kt0) / (square * square), 1);
  }
}

static moho_status create(const char *what, double v0, double slope, law **out) {
  *out = NULL;
  MOHO_TRY(moho_velocity_check_value(v0, MOHO_VELOCITY_MIN_MPS, MOHO_VELOCITY_MAX_MPS, what));
  if (!isfinite(slope)) return moho_fail(MOHO_ERROR_RANGE, "%s: the gradient is %g, expected a finite number", what, slope);
  law *l;
  MOHO_TRY(moho_allocate(1, sizeof *l, "velocity", &l));
  l->v0 = v0, l->slope = slope;
  l->base.destroy = destroy;
  l->base.uniform = 1;
  l->base.min_mps = MOHO_VELOCITY_MIN_MPS, l->base.max_mps = MOHO_VELOCITY_MAX_MPS;
  *out = l;
  return MOHO_OK;
}

moho_status moho_velocity_create_constant(double v_mps, moho_velocity **out) {
  law *l;
  *out = NULL;
  MOHO_TRY(create("constant velocity", v_mps, 0, &l));
  l->base.evaluate = evaluate_constant, l->base.interval = interval_of_constant;
  l->base.is_linear_z = 1, l->base.v0_mps = v_mps;
  snprintf(l->base.describe, sizeof l->base.describe, "constant %g m/s", v_mps);
  *out = &l->base;
  return MOHO_OK;
}

moho_status moho_velocity_create_linear_t0(double v0_mps, double slope_mps_per_s, moho_velocity **out) {
  law *l;
  *out = NULL;
  MOHO_TRY(create("linear_t0: v0", v0_mps, slope_mps_per_s, &l));
  l->base.evaluate = evaluate_linear_t0, l->base.interval = interval_of_linear_t0;
  snprintf(l->base.describe, sizeof l->base.describe, "v_rms = %g m/s + %g m/s/s * t0", v0_mps, slope_mps_per_s);
  *out = &l->base;
  return MOHO_OK;
}

moho_status moho_velocity_create_linear_z(double v0_mps, double gradient_per_s, moho_velocity **out) {
  law *l;
  *out = NULL;
  MOHO_TRY(create("linear_z: v0", v0_mps, gradient_per_s, &l));
  l->base.evaluate = evaluate_linear_z, l->base.interval = interval_of_linear_z;
  l->base.is_linear_z = 1, l->base.v0_mps = v0_mps, l->base.gradient_per_s = gradient_per_s;
  snprintf(l->base.describe, sizeof l->base.describe, "v(z) = %g m/s + %g /s * z", v0_mps, gradient_per_s);
  *out = &l->base;
  return MOHO_OK;
}
