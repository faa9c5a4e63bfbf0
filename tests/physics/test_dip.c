/* test_dip.c - what must hold, 4 (position and dip): dipping planes come out at t0 = 2z(x)/v with their dip.
 *
 * Recorded times from the source's image in the plane: t = sqrt(4*h_s*h_r + |s-r|^2)/v, h the distances to the plane.
 */
#include <math.h>
#include <stdlib.h>

#include "physics_support.h"

static const double V = 2500, DT = 0.002;
enum { NT = 801 };

/* z = depth + (x*sin(a) + y*cos(a))*tan(dip) */
typedef struct dipping {
  double depth, dip_deg, azimuth_deg;
} dipping;

static double depth_below(dipping d, double x, double y) {
  return d.depth + (x * sin(d.azimuth_deg * PI / 180) + y * cos(d.azimuth_deg * PI / 180)) * tan(d.dip_deg * PI / 180);
}

static void record(survey *s, double hz, dipping d) {
  const moho_geometry *g = &s->geometry;
  double cosine = cos(d.dip_deg * PI / 180);
  for (size_t k = 0; k < s->n; k++) {
    double hs = cosine * depth_below(d, g->source_x[k], g->source_y[k]),
           hr = cosine * depth_below(d, g->receiver_x[k], g->receiver_y[k]);
    double apart = hypot(g->source_x[k] - g->receiver_x[k], g->source_y[k] - g->receiver_y[k]);
    if (hs > 0 && hr > 0) survey_add(s, k, ricker, hz, sqrt(4 * hs * hr + apart * apart) / V, 1);
  }
}

/* Picks of all columns lie within a sample of the plane, and their best plane dips as it does within half a degree. */
static void check_event(const moho_image *image, dipping d) {
  double sum_uu = 0, sum_uz = 0, sum_u = 0, sum_z = 0, n = 0, worst = 0;
  for (size_t i = 0; i < image->grid.n_inline; i++)
    for (size_t j = 0; j < image->grid.n_crossline; j++) {
      double x, y, value, pick = pick_peak(image_column(image, i, j), image->grid.n_time, &value);
      moho_grid_node(&image->grid, i, j, &x, &y);
      pick += image->grid.first_s / DT;
      double z = pick * DT * V / 2, u = x * sin(d.azimuth_deg * PI / 180) + y * cos(d.azimuth_deg * PI / 180);
      worst = fmax(worst, fabs(pick - 2 * depth_below(d, x, y) / V / DT));
      assert_true(value > 0);
      sum_uu += u * u, sum_uz += u * z, sum_u += u, sum_z += z, n++;
    }
  double dip = atan((sum_uz - sum_u * sum_z / n) / (sum_uu - sum_u * sum_u / n)) * 180 / PI;
  if (!(worst <= 1 && fabs(dip - d.dip_deg) < 0.5))
    print_error("dip %g azimuth %g: worst pick %g samples off, dip %g\n", d.dip_deg, d.azimuth_deg, worst, dip);
  assert_true(worst <= 1);
  assert_true(fabs(dip - d.dip_deg) < 0.5);
}

/* Small: the times that hold the event only. */
static void look_at(moho_grid *grid, double first_s, size_t n_time) {
  if (physics_is_small()) grid->first_s = first_s, grid->n_time = n_time;
}

static void dipping_reflectors_on_a_line(void **state) {
  (void)state;
  for (int dip = -45; dip <= 45; dip += physics_is_small() ? 30 : 15) {
    dipping d = {800, abs(dip), dip < 0 ? 180 : 0};
    survey s = survey_create(281 * 2, NT, DT);
    for (size_t k = 0; k < s.n; k++) survey_place(&s, k, 0, ((double)(k % 281) - 140) * 12.5, k < 281 ? 100 : 500, 0);
    record(&s, 25, d);
    moho_migration_options options = moho_migration_options_default();
    options.aperture_max_m = 2000, options.aperture_max_dip_deg = 65;
    moho_grid grid = physics_is_small() ? grid_of(0, -100, 0, 1, 9, 25, NT, DT) : grid_of(0, -200, 0, 1, 33, 12.5, NT, DT);
    look_at(&grid, 0.52, 121);
    moho_image image = migrate_constant(&grid, V, &options, &s);
    check_event(&image, d);
    moho_image_release(&image);
    survey_release(&s);
  }
}

static void dipping_reflectors_in_3d(void **state) {
  (void)state;
  static const dipping planes[] = {{800, 15, 0}, {700, 30, 137}, {800, 45, 60}};
  /* Small: steep planes need dense midpoints. */
  const size_t n = physics_is_small() ? 53 : 105, middle = n / 2, last = physics_is_small() ? 2 : 3;
  const double spacing = physics_is_small() ? 50 : 25;
  for (size_t p = 0; p < last; p++) {
    survey s = survey_create(n * n, NT, DT);
    for (size_t k = 0; k < s.n; k++)
      survey_place(&s, k, ((double)(k / n) - (double)middle) * spacing, ((double)(k % n) - (double)middle) * spacing, 300, 30);
    record(&s, 18, planes[p]);
    moho_migration_options options = moho_migration_options_default();
    options.aperture_max_m = 1300, options.aperture_max_dip_deg = 70, options.aperture_taper = 0.2;
    moho_grid grid = physics_is_small() ? grid_of(-50, -50, 0, 3, 3, 50, NT, DT) : grid_of(-50, -50, 0, 5, 5, 25, NT, DT);
    look_at(&grid, 0.48, 121);
    moho_image image = migrate_constant(&grid, V, &options, &s);
    check_event(&image, planes[p]);
    moho_image_release(&image);
    survey_release(&s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dipping_reflectors_on_a_line),
      cmocka_unit_test(dipping_reflectors_in_3d),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
