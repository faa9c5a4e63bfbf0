/* travel_time.c - a law of the leg time: checked, and for a column the terms of its samples, in double. */
#include "migrate/travel_time.h"

#include <stdlib.h>

#include "base/memory.h"
#include "migrate/aperture.h"

static const char *const names[] = {"straight", "curved_linear", "curved_rms", "curved_ray", "vti", "vti_rational"};

/* leg_time_linear() in float holds to y = 25. */
static const double LARGEST_ARC = 25;

static int is_vti(moho_traveltime kind) {
  return kind == MOHO_TRAVELTIME_VTI || kind == MOHO_TRAVELTIME_VTI_RATIONAL;
}

/* ---- checks ---- */

static moho_status check_linear(moho_travel_law *law, double longest_m) {
  if (!moho_velocity_get_linear_z(law->velocity, &law->v0_mps, &law->gradient_per_s))
    return moho_fail_at((moho_place){.key = "migration.traveltime"},
                        "give velocity.linear_z, or use curved_ray: it takes any velocity", MOHO_ERROR_ARGUMENT,
                        "migration.traveltime curved_linear needs a velocity given as linear_z, got %s",
                        moho_velocity_describe(law->velocity));
  double last = law->first_s + (double)(law->n - 1) * law->step_s, k = law->gradient_per_s;
  double deep = sinh(k * last / 4), far = k * longest_m / (2 * law->v0_mps), growth = k < 0 ? exp(-k * last / 2) : 1;
  law->largest_arc = deep * deep + far * far * growth;
  if (law->largest_arc <= LARGEST_ARC) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "migration.traveltime"},
                      "use curved_ray, a smaller migration.aperture.max_m or a smaller gradient", MOHO_ERROR_RANGE,
                      "migration.traveltime curved_linear: %s, %g s and legs of %.0f m need a ray that turns by more than its "
                      "series holds: sinh^2(k t1/2) + (k d/2V0)^2 is %.3g, expected at most %g",
                      moho_velocity_describe(law->velocity), last, longest_m, law->largest_arc, LARGEST_ARC);
}

static moho_status check_eta(const moho_travel_law *law) {
  if (is_vti(law->kind) && !law->eta)
    return moho_fail_at((moho_place){.key = "eta"}, "give eta: {type: effective, constant: 0.1}, or eta.table or eta.cube",
                        MOHO_ERROR_ARGUMENT, "migration.traveltime %s needs eta", names[law->kind]);
  if (!is_vti(law->kind) && law->eta)
    return moho_fail_at((moho_place){.key = "eta"}, "use migration.traveltime vti, or leave eta out", MOHO_ERROR_ARGUMENT,
                        "eta is given (%s), but migration.traveltime %s does not use it", moho_eta_describe(law->eta),
                        names[law->kind]);
  return MOHO_OK;
}

moho_status moho_travel_law_create(const moho_migration_options *o, const moho_velocity *velocity, double first_s, double step_s,
                                   size_t n, double dt_s, double longest_m, moho_travel_law *law) {
  double dip = o->aperture_max_dip_deg * (3.14159265358979323846 / 180);
  *law = (moho_travel_law){.kind = o->traveltime,
                           .aperture_rule = o->aperture_rule,
                           .velocity = velocity,
                           .eta = o->eta,
                           .n = n,
                           .first_s = first_s,
                           .step_s = step_s,
                           .dt_s = dt_s,
                           .longest_m = longest_m,
                           .min_m = o->aperture_min_m,
                           .max_m = o->aperture_max_m,
                           .tan_dip = tan(dip),
                           .sin_dip = sin(dip),
                           .is_uniform = moho_velocity_is_uniform(velocity) && (!o->eta || moho_eta_is_uniform(o->eta))};
  MOHO_TRY(check_eta(law));
  if (law->kind == MOHO_TRAVELTIME_CURVED_LINEAR) {
    MOHO_TRY(check_linear(law, longest_m));
    law->c2 = law->gradient_per_s * dt_s / 2 * (law->gradient_per_s * dt_s / 2);
  }
  if (law->kind == MOHO_TRAVELTIME_CURVED_RAY)
    return moho_leg_time_model_create(velocity, first_s, step_s, n, dt_s, longest_m, &law->leg_times);
  return MOHO_OK;
}

void moho_travel_law_release(moho_travel_law *law) {
  moho_leg_time_model_destroy(&law->leg_times);
  *law = (moho_travel_law){0};
}

double moho_travel_longest(const moho_migration_options *options, const moho_geometry *geometry) {
  double longest = 0;
  for (size_t i = 0; i < geometry->n; i++)
    if (moho_geometry_is_live(geometry, i)) longest = fmax(longest, moho_geometry_offset(geometry, i));
  /* the aperture's edge is widened a little */
  return options->aperture_max_m * (1 + 1e-5) + 1 + longest / 2;
}

double moho_travel_steepest(moho_traveltime kind) {
  return is_vti(kind) ? 1 / sqrt(1 + 2 * MOHO_ETA_MIN) : 1; /* v sqrt(1 + 2 eta) is the horizontal velocity */
}

/* ---- columns ---- */

moho_status moho_travel_column_create(const moho_travel_law *law, moho_travel_column *out) {
  *out = (moho_travel_column){0};
  moho_status status = moho_allocate(law->n, sizeof *out->v, "travel times", &out->v);
  if (!status) status = moho_allocate(law->n, sizeof *out->radius, "travel times", &out->radius);
  if (!status) status = moho_allocate(law->n, sizeof *out->extra, "travel times", &out->extra);
  if (!status) status = moho_allocate(law->n, sizeof *out->terms, "travel times", &out->terms);
  if (!status && law->leg_times) status = moho_allocate(moho_leg_time_rows_bytes(law->leg_times), 1, "leg times", &out->rows);
  if (status) moho_travel_column_release(out);
  return status;
}

void moho_travel_column_release(moho_travel_column *column) {
  free(column->v), free(column->radius), free(column->extra), free(column->terms), free(column->rows);
  *column = (moho_travel_column){0};
}

size_t moho_travel_column_bytes(const moho_travel_law *law) {
  size_t rows = law->leg_times ? moho_leg_time_rows_bytes(law->leg_times) : 0;
  return law->n * (3 * sizeof(double) + sizeof(moho_leg_terms)) + rows;
}

static double sample_time(const moho_travel_law *law, size_t i) {
  return law->first_s + (double)i * law->step_s;
}

static moho_status fill_radius(const moho_travel_law *law, double x_m, double y_m, moho_travel_column *c) {
  if (law->aperture_rule == MOHO_APERTURE_STRAIGHT) {
    for (size_t i = 0; i < law->n; i++)
      c->radius[i] = moho_aperture_radius(c->v[i], sample_time(law, i) / 2, law->tan_dip, law->min_m, law->max_m);
    return MOHO_OK;
  }
  MOHO_TRY(moho_velocity_interval(law->velocity, x_m, y_m, law->first_s, law->step_s, law->n, c->extra));
  for (size_t i = 0; i < law->n; i++)
    c->radius[i] = moho_aperture_radius_ray(c->v[i], c->extra[i], sample_time(law, i) / 2, law->sin_dip, law->min_m, law->max_m);
  return MOHO_OK;
}

/* sinh(x)/x */
static double sinhc(double x) {
  return fabs(x) < 1e-4 ? 1 + x * x / 6 : sinh(x) / x;
}

/* extra: S of curved_rms, eta of vti. */
static moho_leg_terms terms_of(const moho_travel_law *law, size_t i, double v, double extra) {
  double t1 = sample_time(law, i) / (2 * law->dt_s), s2 = 1 / (v * law->dt_s * (v * law->dt_s));
  moho_leg_terms m = {.base = vertical_squared(t1), .s2 = s2};
  switch (law->kind) {
  case MOHO_TRAVELTIME_CURVED_LINEAR: {
    double ct1 = law->gradient_per_s * law->dt_s / 2 * t1, w = t1 * sinhc(ct1), v0 = law->v0_mps * law->dt_s;
    return (moho_leg_terms){.base = vertical_squared(w), .s2 = exp(-2 * ct1) / (v0 * v0)};
  }
  case MOHO_TRAVELTIME_CURVED_RMS:
    return (moho_leg_terms){.base = vertical_squared(t1 / extra), .s2 = s2 / extra, .a = t1 * (1 - 1 / extra)};
  case MOHO_TRAVELTIME_VTI:
    m.s2 = s2 / (1 + 2 * extra);
    m.a = 1 / (4 * (1 + extra));
    m.b = 16 * extra * (1 + extra) * m.base * m.s2;
    return m;
  case MOHO_TRAVELTIME_VTI_RATIONAL: m.a = 2 * extra; return m;
  default: return m;
  }
}

moho_status moho_travel_column_fill(const moho_travel_law *law, double x_m, double y_m, moho_travel_column *c) {
  MOHO_TRY(moho_velocity_rms(law->velocity, x_m, y_m, law->first_s, law->step_s, law->n, c->v));
  MOHO_TRY(fill_radius(law, x_m, y_m, c));
  if (law->kind == MOHO_TRAVELTIME_CURVED_RMS)
    MOHO_TRY(moho_velocity_heterogeneity(law->velocity, x_m, y_m, law->first_s, law->step_s, law->n, c->extra));
  if (is_vti(law->kind))
    MOHO_TRY(moho_eta_effective(law->eta, law->velocity, x_m, y_m, law->first_s, law->step_s, law->n, c->extra));
  for (size_t i = 0; i < law->n; i++) c->terms[i] = terms_of(law, i, c->v[i], c->extra[i]);
  return law->leg_times ? moho_leg_time_rows_fill(law->leg_times, x_m, y_m, c->rows) : MOHO_OK;
}

/* ---- the distance of a time ---- */

/* By halving: the time grows with the distance. */
static double search_reach2(const moho_travel_law *law, const moho_travel_column *column, size_t i, double time) {
  double low = 0, high = 1e4;
  for (int round = 0; round < 60; round++, high *= 4) {
    moho_leg leg = moho_leg_of(law, high);
    if (moho_leg_time(law, column, &leg, i) > time) break;
    low = high;
  }
  for (int round = 0; round < 60; round++) {
    moho_leg leg = moho_leg_of(law, (low + high) / 2);
    if (moho_leg_time(law, column, &leg, i) > time) high = leg.d2;
    else low = leg.d2;
  }
  return low;
}

double moho_leg_reach2(const moho_travel_law *law, const moho_travel_column *column, size_t i, double time) {
  const moho_leg_terms *m = &column->terms[i];
  moho_leg vertical = moho_leg_of(law, 0);
  if (!(moho_leg_time(law, column, &vertical, i) <= time)) return -1;
  switch (law->kind) {
  case MOHO_TRAVELTIME_STRAIGHT: return (time * time - m->base) / m->s2;
  case MOHO_TRAVELTIME_CURVED_LINEAR: {
    double w = time * sinhc(sqrt(law->c2) * time);
    return (w * w - m->base) / m->s2;
  }
  case MOHO_TRAVELTIME_CURVED_RMS: return ((time - m->a) * (time - m->a) - m->base) / m->s2;
  default: return search_reach2(law, column, i, time);
  }
}
