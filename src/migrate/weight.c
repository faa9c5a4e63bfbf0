/* weight.c - the amplitude weight in its three parts: of the trace, of the sample, and of both. */
#include "migrate/weight.h"

#include <math.h>

#include "base/fail.h"
#include "migrate/real_double.h"
#include "migrate/migration_options.h"

#define PI 3.14159265358979323846

static int is_true_amplitude(const moho_migration_options *options) {
  return options->weight == MOHO_WEIGHT_TRUE_AMPLITUDE;
}

moho_status moho_weight_check(const moho_migration_options *options, int is_line) {
  if (!is_true_amplitude(options) || is_line || options->rho_filter != MOHO_RHO_2D) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "migration.rho_filter"}, "leave migration.rho_filter at auto", MOHO_ERROR_RANGE,
                      "migration.rho_filter is 2d, but the grid is an area: true amplitudes want 3d there");
}

int moho_weight_is_2d(const moho_migration_options *options, int is_line) {
  return is_line && !(is_true_amplitude(options) && options->rho_filter == MOHO_RHO_3D);
}

moho_status moho_weight_classes(const moho_migration_options *options, const moho_geometry *geometry, const moho_grid *grid,
                                moho_offset_classes *out) {
  int is_line = moho_grid_is_line(grid);
  MOHO_TRY(moho_weight_check(options, is_line));
  MOHO_TRY(moho_offset_classes_create(geometry, grid, moho_weight_is_2d(options, is_line), options->gathers, out));
  moho_status status = is_true_amplitude(options) ? moho_offset_classes_find_places(out, geometry) : MOHO_OK;
  if (status) moho_offset_classes_release(out);
  return status;
}

int moho_weight_t_part(const moho_migration_options *options, int is_line) {
  int is_2d = moho_weight_is_2d(options, is_line), is_raw = options->amplitude == MOHO_AMPLITUDE_RAW;
  if (is_true_amplitude(options)) return (is_2d ? MOHO_T_PART_TRUE_2D : MOHO_T_PART_TRUE_3D) + is_raw;
  moho_weight weight = moho_weight_resolve(options->weight, options->amplitude);
  return (moho_weight_has_spreading(weight) ? (is_2d ? 1 : 2) : 0) + (moho_weight_has_obliquity(weight) ? 2 : 0);
}

static int bins_are_classes(const moho_migration_options *options) {
  return options->gathers && (options->gathers->kind == MOHO_GATHERS_OFFSET || options->gathers->kind == MOHO_GATHERS_OVT);
}

int moho_weight_counts_classes(const moho_migration_options *options) {
  return is_true_amplitude(options) && !bins_are_classes(options);
}

int moho_weight_counts_bins(const moho_migration_options *options) {
  return is_true_amplitude(options) && bins_are_classes(options);
}

/* The formulas of docs/physics.md without their t-parts, which have the dimension of t^-2 in 3D and t^-3/2 in 2D, raw ones t
 * more. v/v0 stands for the growth of velocity with depth. */
static double true_amplitude(const moho_migration_options *options, int is_2d, double dt_s, double t0_s, double v, double v0) {
  int is_raw = options->amplitude == MOHO_AMPLITUDE_RAW;
  double unit = pow(dt_s, (is_2d ? -1.5 : -2.0) + is_raw), depth = v / v0;
  if (is_2d) return unit * depth * t0_s * (is_raw ? sqrt(2 * PI) : 1 / (2 * sqrt(2 * PI) * v));
  return unit * depth * t0_s * (is_raw ? 1 / v : 1 / (4 * PI * v * v));
}

double moho_weight_of_column(const moho_migration_options *options, int is_line, double dt_s, double t0_s, double v_mps,
                             double v0_mps) {
  int is_2d = moho_weight_is_2d(options, is_line);
  if (is_true_amplitude(options)) return true_amplitude(options, is_2d, dt_s, t0_s, v_mps, v0_mps);
  moho_weight weight = moho_weight_resolve(options->weight, options->amplitude);
  double c = pow(dt_s, -0.5 * moho_weight_t_part(options, is_line));
  if (moho_weight_has_spreading(weight)) c /= is_2d ? sqrt(v_mps) : v_mps;
  if (moho_weight_has_obliquity(weight)) c *= t0_s;
  return c;
}

double moho_weight_of_trace(const moho_migration_options *options, const moho_offset_classes *classes,
                            const moho_geometry *geometry, size_t trace) {
  return is_true_amplitude(options) ? moho_offset_class_share(classes, geometry, trace) : 1;
}

double moho_weight_of_times(int t_part, double t_s, double t_r, double shortest) {
  double t = MAX(t_s + t_r, shortest), inv_s = 1.0 / MAX(t_s, shortest), inv_r = 1.0 / MAX(t_r, shortest);
  switch (t_part) {
  case MOHO_T_PART_TRUE_3D: return true_amplitude_3d(inv_s, inv_r);
  case MOHO_T_PART_TRUE_3D_RAW: return t * true_amplitude_3d(inv_s, inv_r);
  case MOHO_T_PART_TRUE_2D: return true_amplitude_2d(inv_s, inv_r, t);
  case MOHO_T_PART_TRUE_2D_RAW: return t * true_amplitude_2d(inv_s, inv_r, t);
  default: return pow(t, -0.5 * t_part);
  }
}
