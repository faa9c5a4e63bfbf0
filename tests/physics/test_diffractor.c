/* test_diffractor.c - what must hold, 2: a diffractor at depth z is imaged where it is, at t0 = 2z/v.
 *
 * With the plain wavelet and no rho filter, and with the wavelet of a small reflector element and the filter that undoes it.
 * Times are those of straight legs, each from the surface down to z: a leg holds z/v, not 2z/v.
 */
#include <math.h>

#include "physics_support.h"

static const double V = 2500, DT = 0.002, HZ = 25;
enum { NT = 420 };

typedef struct place {
  double x, y, z;
} place;

static void record(survey *s, wavelet_function w, place at) {
  for (size_t k = 0; k < s->n; k++) {
    double source = distance_to(s->geometry.source_x[k], s->geometry.source_y[k], at.x, at.y, at.z);
    double receiver = distance_to(s->geometry.receiver_x[k], s->geometry.receiver_y[k], at.x, at.y, at.z);
    survey_add(s, k, w, HZ, (source + receiver) / V, 1);
  }
}

/* The strongest sample of the whole image is positive, within a bin and a sample of the diffractor. */
static void check_peak(const moho_image *image, place at, double spacing) {
  size_t best = 0;
  for (size_t k = 0; k < image_size(image); k++)
    if (fabsf(image->stack[k]) > fabsf(image->stack[best])) best = k;
  size_t n_time = image->grid.n_time, column = best / n_time;
  double x, y;
  moho_grid_node(&image->grid, column / image->grid.n_crossline, column % image->grid.n_crossline, &x, &y);
  double off_m = fmax(fabs(x - at.x), fabs(y - at.y)), peak_s = image->grid.first_s + (double)(best % n_time) * DT,
         off_s = fabs(peak_s - 2 * at.z / V);
  if (!(image->stack[best] > 0 && off_m <= spacing && off_s <= DT + 1e-9))
    print_error("diffractor %g %g %g: peak %g at %g %g, %g s, expected %g s\n", at.x, at.y, at.z, (double)image->stack[best], x,
                y, peak_s, 2 * at.z / V);
  assert_true(image->stack[best] > 0);
  assert_true(off_m <= spacing && off_s <= DT + 1e-9);
}

static survey line_survey(void) {
  survey s = survey_create(61 * 3, NT, DT);
  for (size_t k = 0; k < s.n; k++) survey_place(&s, k, 0, (double)(k % 61) * 20, (double)(k / 61) * 250, 0);
  return s;
}

static survey areal_survey(void) {
  size_t planes = physics_is_small() ? 2 : 4; /* then of 200 m northwards and of 500 m eastwards */
  survey s = survey_create(21 * 21 * planes, NT, DT);
  for (size_t k = 0; k < s.n; k++) {
    size_t node = k % 441, plane = k / 441 * (planes == 2 ? 3 : 1);
    survey_place(&s, k, (double)(node / 21) * 25, (double)(node % 21) * 25, plane % 2 ? 500 : 200, plane < 2 ? 0 : 90);
  }
  return s;
}

/* The grid from (0, 0) on; small, that part of it, `reach` nodes and 80 ms to all sides, around a place. */
static moho_grid grid_about(place at, size_t n_inline, size_t n_crossline, double spacing, size_t reach) {
  moho_grid grid = grid_of(0, 0, 0, n_inline, n_crossline, spacing, NT, DT);
  if (!physics_is_small()) return grid;
  size_t i = n_inline > 1 ? (size_t)lround(at.x / spacing) : 0, j = (size_t)lround(at.y / spacing);
  size_t first_i = i > reach ? i - reach : 0, first_j = j > reach ? j - reach : 0;
  size_t n_i = n_inline - first_i, n_j = n_crossline - first_j, width = 2 * reach + 1;
  grid.origin_x_m = (double)first_i * spacing, grid.origin_y_m = (double)first_j * spacing;
  grid.n_inline = n_i < width ? n_i : width, grid.n_crossline = n_j < width ? n_j : width;
  grid.n_time = 81, grid.first_s = DT * floor(2 * at.z / V / DT - 40);
  return grid;
}

/* On nodes and off them, in the middle and off it, shallow and deep. */
static const place line_places[] = {{0, 600, 700}, {0, 327, 500}, {0, 855, 811}};
static const place areal_places[] = {{250, 250, 700}, {157, 306, 500}, {400, 90, 655}};

static void check_line(wavelet_function w, moho_rho rho) {
  for (int p = physics_is_small(); p < 3; p++) {
    survey s = line_survey();
    moho_migration_options options = plain_options(3000);
    moho_grid grid = grid_about(line_places[p], 1, 61, 20, 10);
    options.rho_filter = rho;
    record(&s, w, line_places[p]);
    moho_image image = migrate_constant(&grid, V, &options, &s);
    check_peak(&image, line_places[p], 20);
    moho_image_release(&image);
    survey_release(&s);
  }
}

static void check_area(wavelet_function w, moho_rho rho) {
  for (int p = physics_is_small(); p < 3; p++) {
    survey s = areal_survey();
    moho_migration_options options = plain_options(3000);
    moho_grid grid = grid_about(areal_places[p], 21, 21, 25, 3);
    options.rho_filter = rho;
    record(&s, w, areal_places[p]);
    moho_image image = migrate_constant(&grid, V, &options, &s);
    check_peak(&image, areal_places[p], 25);
    moho_image_release(&image);
    survey_release(&s);
  }
}

static void plain_wavelet_on_a_line(void **state) {
  (void)state;
  check_line(ricker, MOHO_RHO_NONE);
}

static void plain_wavelet_in_3d(void **state) {
  (void)state;
  check_area(ricker, MOHO_RHO_NONE);
}

static void element_wavelet_on_a_line(void **state) {
  (void)state;
  check_line(ricker_half_derivative, MOHO_RHO_AUTO);
}

static void element_wavelet_in_3d(void **state) {
  (void)state;
  check_area(ricker_derivative, MOHO_RHO_AUTO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_wavelet_on_a_line),
      cmocka_unit_test(plain_wavelet_in_3d),
      cmocka_unit_test(element_wavelet_on_a_line),
      cmocka_unit_test(element_wavelet_in_3d),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
