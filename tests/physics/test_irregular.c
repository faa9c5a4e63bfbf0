/* test_irregular.c - sixteen diffractors under a survey as the field gives them: irregular midpoints and azimuths, gaps,
 * duplicates, shots at either end, on a rotated grid at UTM coordinates, through a SEG-Y file.
 *
 * The traces are times of straight legs from the surface to the points, written here; the picks know nothing of them: the
 * strongest samples of the image, one after another, each with its surroundings then taken out.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "physics_support.h"

static const double V = 2300, DT = 0.002, HZ = 30, SPACING = 12.5;
static const double EAST = 431207.37, NORTH = 6789144.81, AZIMUTH = 37.4;
enum { POINTS = 16, NT = 400, N_INLINE = 53, N_CROSSLINE = 65, SHOTS = 4800 };

typedef struct point {
  double i, j, x, y, z; /* bins along the grid's axes; easting, northing, depth */
} point;

/* A place in bins to map coordinates, from design's words alone: inlines run along the azimuth, inline numbers grow to its right.
 */
static void place(double i, double j, double *x, double *y) {
  double a = AZIMUTH * PI / 180;
  *x = EAST + SPACING * (i * cos(a) + j * sin(a));
  *y = NORTH + SPACING * (-i * sin(a) + j * cos(a));
}

/* Irregular and not on nodes; no two within 110 m, so that sixteen peaks are sixteen. */
static void scatter(point points[POINTS]) {
  uint64_t seed = 16;
  for (int n = 0; n < POINTS;) {
    point p = {.i = 5 + test_uniform(&seed) * (N_INLINE - 11), .j = 5 + test_uniform(&seed) * (N_CROSSLINE - 11)};
    place(p.i, p.j, &p.x, &p.y);
    p.z = 320 + 360 * test_uniform(&seed);
    int is_free = 1;
    for (int k = 0; k < n; k++) is_free &= distance_to(p.x, p.y, points[k].x, points[k].y, p.z - points[k].z) > 110;
    if (is_free) points[n++] = p;
  }
}

/* Two places nobody could shoot: a round one, and a river across the survey. */
static int in_a_gap(double i, double j) {
  double river = 22 + 0.3 * j;
  return (i - 38) * (i - 38) + (j - 19) * (j - 19) < 42 || fabs(i - river) < 2;
}

/* 4800 shots; the receiver lies on either side, so that half the offsets are negative in a line's sense; every ninth trace is
 * there twice, every fiftieth three times. */
static survey irregular_survey(void) {
  survey s = survey_create(SHOTS * 2, NT, DT);
  uint64_t seed = 4;
  size_t n = 0;
  for (int shot = 0; shot < SHOTS;) {
    double i = test_uniform(&seed) * (N_INLINE + 39) - 20, j = test_uniform(&seed) * (N_CROSSLINE + 39) - 20, x, y;
    if (in_a_gap(i, j)) continue;
    place(i, j, &x, &y);
    double offset = 50 + 700 * test_uniform(&seed), azimuth = AZIMUTH + (test_uniform(&seed) < 0.5 ? 180 : 0);
    int copies = shot % 50 == 0 ? 3 : shot % 9 == 0 ? 2 : 1;
    azimuth += 50 * (test_uniform(&seed) - 0.5);
    for (int copy = 0; copy < copies; copy++) survey_place(&s, n++, x, y, offset, azimuth);
    shot++;
  }
  s.n = s.geometry.n = n;
  return s;
}

/* Recorded as moho would never do it: a sum over points of a wavelet at the two legs' time. */
static void record(survey *s, const point points[POINTS]) {
  const moho_geometry *g = &s->geometry;
  for (size_t k = 0; k < s->n; k++)
    for (int p = 0; p < POINTS; p++) {
      double source = distance_to(g->source_x[k], g->source_y[k], points[p].x, points[p].y, points[p].z);
      double receiver = distance_to(g->receiver_x[k], g->receiver_y[k], points[p].x, points[p].y, points[p].z);
      double time = (source + receiver) / V;
      float *trace = s->samples + k * NT;
      for (int j = (int)fmax(0, ceil((time - 2 / HZ) / DT)); j < NT && j * DT < time + 2 / HZ; j++)
        trace[j] += (float)ricker(HZ, j * DT - time);
    }
}

/* Marine files count offsets from the ship: negative where the receiver lies against the azimuth. */
static void write_negative_offsets(const char *path, const survey *s) {
  double along_x = sin(AZIMUTH * PI / 180), along_y = cos(AZIMUTH * PI / 180);
  const moho_geometry *g = &s->geometry;
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  size_t negative = 0;
  for (size_t k = 0; k < s->n; k++) {
    double along = (g->receiver_x[k] - g->source_x[k]) * along_x + (g->receiver_y[k] - g->source_y[k]) * along_y;
    if (along >= 0) continue;
    uint32_t offset = (uint32_t)(int32_t)-lround(moho_geometry_offset(g, k));
    uint8_t bytes[4] = {(uint8_t)(offset >> 24), (uint8_t)(offset >> 16), (uint8_t)(offset >> 8), (uint8_t)offset};
    assert_int_equal(fseek(file, 3600 + (long)k * (240 + 4 * NT) + 36, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, 4, file), 4);
    negative++;
  }
  assert_int_equal(fclose(file), 0);
  assert_true(negative > s->n / 3 && negative < s->n * 2 / 3);
}

/* Through a file: coordinates then have centimetres and a scalar, as everywhere. */
static survey through_segy(const survey *from) {
  const char *path = test_path("irregular.sgy");
  moho_traces_writer *writer;
  moho_traces *traces;
  assert_ok(moho_traces_writer_create(path, from->n, NT, DT, "irregular", &writer));
  assert_ok(moho_traces_writer_append(writer, &from->geometry, from->samples));
  assert_ok(moho_traces_writer_finish(&writer));
  write_negative_offsets(path, from);
  moho_traces_options options = moho_traces_options_default();
  assert_ok(moho_traces_open(path, &options, &traces));
  const moho_geometry *g = moho_traces_get_geometry(traces);
  survey to = survey_create(g->n, NT, DT);
  for (size_t k = 0; k < g->n; k++) {
    to.geometry.source_x[k] = g->source_x[k], to.geometry.source_y[k] = g->source_y[k];
    to.geometry.receiver_x[k] = g->receiver_x[k], to.geometry.receiver_y[k] = g->receiver_y[k];
    assert_true(moho_geometry_is_live(g, k));
  }
  assert_ok(moho_traces_read(traces, 0, g->n, to.samples));
  moho_traces_close(&traces);
  return to;
}

typedef struct peak {
  double i, j, time, value;
} peak;

/* The strongest sample; then everything within 5 bins and 40 ms of it is taken out. */
static peak take_strongest(moho_image *image) {
  size_t best = 0;
  for (size_t k = 0; k < image_size(image); k++)
    if (image->stack[k] > image->stack[best]) best = k;
  size_t i = best / NT / N_CROSSLINE, j = best / NT % N_CROSSLINE, sample = best % NT;
  peak found = {.i = (double)i, .j = (double)j, .time = (double)sample * DT, .value = (double)image->stack[best]};
  for (size_t a = i < 5 ? 0 : i - 5; a <= i + 5 && a < N_INLINE; a++)
    for (size_t b = j < 5 ? 0 : j - 5; b <= j + 5 && b < N_CROSSLINE; b++)
      for (size_t k = sample < 20 ? 0 : sample - 20; k <= sample + 20 && k < NT; k++)
        image->stack[(a * N_CROSSLINE + b) * NT + k] = 0;
  return found;
}

static int matches(const peak *found, const point *p) {
  return fabs(found->i - p->i) <= 1 && fabs(found->j - p->j) <= 1 && fabs(found->time - 2 * p->z / V) <= DT + 1e-9;
}

static void all_are_found(void **state) {
  (void)state;
  point points[POINTS];
  int taken[POINTS] = {0};
  double weakest = INFINITY;
  scatter(points);
  survey shot = irregular_survey();
  record(&shot, points);
  survey s = through_segy(&shot);
  moho_grid grid = grid_of(EAST, NORTH, AZIMUTH, N_INLINE, N_CROSSLINE, SPACING, NT, DT);
  moho_migration_options options = plain_options(3000);
  options.kernel = MOHO_KERNEL_NATIVE;
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_constant(V, &velocity));
  moho_image image = migrate("cpu", &grid, velocity, &options, &s, 0);
  for (int n = 0; n < POINTS; n++) {
    peak found = take_strongest(&image);
    int match = -1;
    for (int p = 0; p < POINTS; p++)
      if (!taken[p] && matches(&found, &points[p])) match = p;
    if (match < 0)
      print_error("peak %d, %g at inline %g, crossline %g, %g s, is no diffractor\n", n, found.value, found.i, found.j,
                  found.time);
    assert_true(match >= 0);
    taken[match] = 1;
    weakest = fmin(weakest, found.value);
  }
  peak noise = take_strongest(&image);
  print_message("%zu traces, weakest diffractor %.3g, strongest of what is left %.3g\n", s.n, weakest, noise.value);
  assert_true(noise.value < weakest / 2);
  moho_velocity_destroy(&velocity);
  moho_image_release(&image);
  survey_release(&s);
  survey_release(&shot);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_found)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
