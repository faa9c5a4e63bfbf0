/* test_ellipse.c - what must hold, 1: one spike in, an ellipse out.
 *
 *   (x/a)^2 + (z/b)^2 = 1,  a = v*T/2,  b = sqrt(a^2 - h^2),  z = v*t0/2;  in 3D turned about the source-receiver axis
 */
#include <math.h>

#include "physics_support.h"

static const double V = 2400, DT = 0.002, OFFSET = 600;
enum { SPIKE = 350, NT = 420 };

/* Time on the ellipsoid at (along, across) the source-receiver axis from the midpoint; < 0: none there. */
static double ellipse_time(double along, double across) {
  double a = V * SPIKE * DT / 2, b2 = a * a - OFFSET * OFFSET / 4;
  double z2 = b2 * (1 - along * along / (a * a)) - across * across;
  return z2 < 0 ? -1 : 2 * sqrt(z2) / V;
}

static double two_way_time(double along, double across, double t0) {
  double z = V * t0 / 2;
  return (distance_to(along, across, -OFFSET / 2, 0, z) + distance_to(along, across, OFFSET / 2, 0, z)) / V;
}

/* The spike's value is 1 at its sample, nothing a sample away; linear between. */
static int check_column(const float *column, double along, double across) {
  double time = ellipse_time(along, across);
  for (int k = 0; k < NT; k++) {
    double expected = fmax(0, 1 - fabs(two_way_time(along, across, k * DT) - SPIKE * DT) / DT);
    assert_true(fabs((double)column[k] - expected) < 2e-3);
  }
  if (time < 0.1) return 0;
  int best = 0;
  for (int k = 0; k < NT; k++)
    if (column[k] > column[best]) best = k;
  assert_true(column[best] > 0.48F && fabs(best - time / DT) <= 0.505);
  return 1;
}

static void check_ellipse(double azimuth, int is_line) {
  survey s = survey_create(1, NT, DT);
  survey_place(&s, 0, 1234.5, -987.6, OFFSET, azimuth);
  s.samples[SPIKE] = 1;
  moho_migration_options options = plain_options(3000);
  /* nodes around the midpoint, the line along the source-receiver axis, the 3D grid aside from it */
  double turned = is_line ? azimuth : azimuth - 20, s_turned = sin(turned * PI / 180), c_turned = cos(turned * PI / 180);
  size_t nj = physics_is_small() ? 13 : 37, ni = is_line ? 1 : nj;
  double spacing = 1800 / (double)(nj - 1), middle_i = is_line ? 0 : 900, middle_j = 900;
  moho_grid grid = grid_of(1234.5 - middle_j * s_turned - middle_i * c_turned, -987.6 - middle_j * c_turned + middle_i * s_turned,
                           turned < 0 ? turned + 360 : turned, ni, nj, spacing, NT, DT);
  moho_image image = migrate_constant(&grid, V, &options, &s);
  int on_ellipse = 0;
  for (size_t i = 0; i < ni; i++)
    for (size_t j = 0; j < nj; j++) {
      double x, y, sa = sin(azimuth * PI / 180), ca = cos(azimuth * PI / 180);
      moho_grid_node(&grid, i, j, &x, &y);
      x -= 1234.5, y += 987.6;
      on_ellipse += check_column(image_column(&image, i, j), x * sa + y * ca, x * ca - y * sa);
    }
  assert_true(on_ellipse * 2 > (int)(ni * nj)); /* most columns hold a part of it */
  moho_image_release(&image);
  survey_release(&s);
}

static void a_spike_becomes_an_ellipse_on_a_line(void **state) {
  (void)state;
  for (int i = 0; i < 4; i += physics_is_small() ? 3 : 1) check_ellipse((double[]){0, 30, 90, 137}[i], 1);
}

static void a_spike_becomes_an_ellipsoid(void **state) {
  (void)state;
  for (int i = physics_is_small(); i < 4; i += physics_is_small() ? 2 : 1) check_ellipse((double[]){0, 30, 90, 137}[i], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_spike_becomes_an_ellipse_on_a_line),
      cmocka_unit_test(a_spike_becomes_an_ellipsoid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
