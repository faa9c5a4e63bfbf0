/* migrate.c - a whole migration through Moho's C interface: make a small survey, migrate it, write the image.
 *
 *   cc migrate.c -lmoho -o migrate && ./migrate out        (out: an existing folder)
 *
 * Every call returns a moho_status; check() (example.h) stops at the first that is not good and prints what the library has to
 * say about it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <moho/moho.h>

#include "example.h"

int main(int argc, char **argv) {
  const char *folder = argc > 1 ? argv[1] : ".";
  char path[512];

  /* A survey over one point diffractor, 800 m deep in 2500 m/s: 1764 traces. Traces are [trace, time], time fastest. */
  moho_synth_options survey;
  check(moho_synth_options_preset("tiny", &survey));
  size_t n_traces = moho_synth_trace_count(&survey);
  float *traces = malloc(n_traces * survey.n_samples * sizeof *traces);
  moho_geometry geometry;
  if (!traces) return fputs("migrate: out of memory\n", stderr), 1;
  check(moho_geometry_create(n_traces, &geometry));
  check(moho_synth_generate(&survey, 0, n_traces, &geometry, traces));

  /* Where the image is wanted, and the velocity. */
  moho_grid grid;
  moho_velocity *velocity;
  check(moho_synth_grid(&survey, &grid));
  check(moho_velocity_create_constant(survey.v0_mps, &velocity));

  /* Option structs begin as their defaults; then say what differs. */
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 1500;
  options.aperture_max_dip_deg = 45;

  /* Traces may be added in batches of any size, in ascending order; the image is the same, bit for bit. */
  moho_device *device;
  moho_migration *migration;
  moho_image image;
  check(moho_device_open("auto", &device));
  check(moho_migration_create(device, &grid, velocity, &options, &geometry, survey.n_samples, survey.dt_s, &migration));
  size_t batch = moho_migration_batch_traces(migration);
  for (size_t first = 0; first < n_traces; first += batch) {
    size_t n = n_traces - first < batch ? n_traces - first : batch;
    moho_geometry part = moho_geometry_slice(&geometry, first, n);
    check(moho_migration_add(migration, &part, traces + first * survey.n_samples, NULL, NULL));
  }
  check(moho_image_create(&grid, &image));
  check(moho_migration_finish(migration, &image));

  /* stack is [inline, crossline, time]. The diffractor must come out where it was put: t0 = 2 * 800 / 2500 = 0.64 s. */
  size_t middle = (grid.n_inline / 2) * grid.n_crossline + grid.n_crossline / 2, peak = 0;
  const float *column = image.stack + middle * grid.n_time;
  for (size_t k = 0; k < grid.n_time; k++)
    if (column[k] > column[peak]) peak = k;
  moho_migration_counts counts = moho_migration_get_counts(migration);
  printf("%llu contributions of %llu traces; the peak of the middle column is at %.3f s\n",
         (unsigned long long)counts.contributions, (unsigned long long)counts.traces_used,
         grid.first_s + (double)peak * grid.step_s);

  snprintf(path, sizeof path, "%s/image.zarr", folder);
  check(moho_image_write_zarr(&image, path));
  snprintf(path, sizeof path, "%s/stack.sgy", folder);
  check(moho_image_write_segy(&image, path, "Written by Moho's example in C"));

  moho_migration_destroy(&migration);
  moho_device_close(&device);
  moho_velocity_destroy(&velocity);
  moho_image_release(&image);
  moho_grid_release(&grid);
  moho_geometry_release(&geometry);
  free(traces);
  return 0;
}
