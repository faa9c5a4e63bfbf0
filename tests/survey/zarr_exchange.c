/* zarr_exchange.c - writes and reads the groups that zarr_python.py shares with python-zarr and xarray.
 *
 *   zarr_exchange write DIR     image.zarr and traces.zarr, values by the formulas below
 *   zarr_exchange same A B      the images A and B must agree: stack, fold, and where their nodes are
 *   zarr_exchange read GROUP NAME...   every named array must be a[i,j,k] = 100 i + 10 j + k (0 where i is 2: those chunks are
 * missing)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/image.h"
#include "survey/zarr_store.h"
#include "survey/zarr_traces.h"

static int complain(const char *what) {
  fprintf(stderr, "%s: %s (%s)\n", what, moho_last_error()->message, moho_last_error()->hint);
  return 1;
}

static int write_image(const char *directory) {
  moho_grid grid = moho_grid_default();
  moho_image image;
  char path[512];
  grid.origin_x_m = 500000.25, grid.origin_y_m = 6700000.5, grid.inline_azimuth_deg = 30;
  grid.inline_first = 100, grid.inline_step = 2, grid.crossline_first = 900, grid.crossline_step = -1;
  grid.n_inline = 5, grid.n_crossline = 7, grid.n_time = 600;
  grid.inline_spacing_m = 25, grid.crossline_spacing_m = 12.5, grid.step_s = 0.004;
  if (moho_image_create(&grid, &image)) return complain("image");
  for (size_t n = 0; n < 5 * 7 * 600; n++) image.stack[n] = (float)sin(0.01 * (double)n), image.fold[n] = (int32_t)(n % 1000);
  image.stack[3] = NAN;
  image.attributes = strdup("{\"job\": {\"migration\": {\"aperture\": {\"max_m\": 3000}}}, \"version\": \"0.1.0\"}");
  snprintf(path, sizeof path, "%s/image.zarr", directory);
  moho_status status = moho_image_write_zarr(&image, path);
  moho_image_release(&image);
  return status ? complain("image") : 0;
}

static int write_traces(const char *directory) {
  enum { N = 3000, SAMPLES = 701, BATCH = 77 };
  moho_geometry geometry;
  moho_zarr_traces_writer *writer;
  static float samples[BATCH * SAMPLES];
  char path[512];
  snprintf(path, sizeof path, "%s/traces.zarr", directory);
  if (moho_geometry_create(BATCH, &geometry) || moho_zarr_traces_writer_create(path, N, SAMPLES, 0.002, "made up", &writer))
    return complain("traces");
  for (size_t first = 0; first < N; first += BATCH) {
    size_t n = N - first < BATCH ? N - first : BATCH;
    for (size_t t = 0; t < n; t++) {
      geometry.source_x[t] = 0.5 * (double)(first + t), geometry.receiver_y[t] = -1e6 - (double)(first + t);
      geometry.cdp[t] = (int32_t)(first + t), geometry.flags[t] = (uint8_t)((first + t) % 5), geometry.mute_end_s[t] = 0.25f;
      for (size_t j = 0; j < SAMPLES; j++) samples[t * SAMPLES + j] = (float)((double)(first + t) + (double)j / 1024);
    }
    moho_geometry part = moho_geometry_slice(&geometry, 0, n);
    if (moho_zarr_traces_writer_append(writer, &part, samples)) return complain("traces");
  }
  moho_geometry_release(&geometry);
  return moho_zarr_traces_writer_finish(&writer) ? complain("traces") : 0;
}

static int check_array(const char *group, const char *name) {
  moho_zarr_layout layout;
  double *values;
  int bad = 0;
  if (moho_zarr_read_whole(group, name, MOHO_ZARR_F8, &layout, &values)) return complain(name);
  for (size_t i = 0; i < layout.shape[0]; i++)
    for (size_t j = 0; j < layout.shape[1]; j++)
      for (size_t k = 0; k < layout.shape[2]; k++) {
        double expected = i == 2 ? 0 : 100 * (double)i + 10 * (double)j + (double)k;
        bad += values[(i * layout.shape[1] + j) * layout.shape[2] + k] != expected;
      }
  if (bad) fprintf(stderr, "%s: %d elements are wrong\n", name, bad);
  free(values);
  return bad != 0;
}

static int same_place(double a, double b) {
  return fabs(a - b) < 1e-6;
}

static int same_grids(const moho_grid *a, const moho_grid *b) {
  for (size_t i = 0; i < a->n_inline; i++)
    for (size_t j = 0; j < a->n_crossline; j++) {
      double x[2], y[2];
      moho_grid_node(a, i, j, &x[0], &y[0]);
      moho_grid_node(b, i, j, &x[1], &y[1]);
      if (!same_place(x[0], x[1]) || !same_place(y[0], y[1])) return 0;
    }
  return a->flip == b->flip && a->inline_first == b->inline_first && a->inline_step == b->inline_step &&
         a->crossline_first == b->crossline_first && a->crossline_step == b->crossline_step &&
         same_place(a->first_s, b->first_s) && same_place(a->step_s, b->step_s) && a->n_time == b->n_time;
}

static int compare_images(const char *path_a, const char *path_b) {
  moho_image a, b;
  if (moho_image_read_zarr(path_a, &a) || moho_image_read_zarr(path_b, &b)) return complain("image");
  size_t n = a.grid.n_inline * a.grid.n_crossline * a.grid.n_time;
  int bad = a.grid.n_inline != b.grid.n_inline || a.grid.n_crossline != b.grid.n_crossline || !same_grids(&a.grid, &b.grid);
  if (!bad) bad = memcmp(a.fold, b.fold, n * sizeof *a.fold) != 0;
  for (size_t s = 0; !bad && s < n; s++) bad = !(a.stack[s] == b.stack[s] || (isnan(a.stack[s]) && isnan(b.stack[s])));
  if (bad) fprintf(stderr, "the images differ\n");
  moho_image_release(&a);
  moho_image_release(&b);
  return bad;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "write") == 0) return write_image(argv[2]) || write_traces(argv[2]);
  if (argc == 4 && strcmp(argv[1], "same") == 0) return compare_images(argv[2], argv[3]);
  if (argc < 4 || strcmp(argv[1], "read") != 0) return 2;
  int bad = 0;
  for (int a = 3; a < argc; a++) bad |= check_array(argv[2], argv[a]);
  return bad;
}
