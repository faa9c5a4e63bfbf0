/* segy_dump.c - what Moho reads in a trace file, for checks by other programs: text on stdout, arrays in <prefix>.*
 *
 *   segy_dump FILE PREFIX [headers]   writes PREFIX.samples (float32), PREFIX.geometry (float64: sx, sy, gx, gy, first sample)
 *   segy_dump --copy FROM TO          reads FROM and writes it as TO
 *   segy_dump --image PATH            writes a small image: 5 inlines from 100 by 2, 7 crosslines from 300, 40 samples of 4 ms
 * from 0.5 s, sample i is i/2
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/image.h"

static int failed(void) {
  const moho_error *error = moho_last_error();
  fprintf(stderr, "%s: %s\n  hint: %s\n", moho_status_name(error->code), error->message, error->hint);
  return 1;
}

static void print_info(const moho_traces_info *info) {
  printf("format %s\ntraces %zu\nsamples %zu\ndt_us %.17g\nunits %d\ngeometry %d\nhash %s\n", info->format, info->n_traces,
         info->n_samples, info->dt_s * 1e6, (int)info->units, (int)info->geometry, info->input_hash);
  for (size_t i = 0; i < info->n_anomalies; i++)
    printf("anomaly %s %zu %zu %s\n", info->anomalies[i].name, info->anomalies[i].count, info->anomalies[i].first_trace,
           info->anomalies[i].text);
}

static int write_array(const char *prefix, const char *ending, const void *data, size_t size, size_t n) {
  char path[1024];
  snprintf(path, sizeof path, "%s.%s", prefix, ending);
  FILE *file = fopen(path, "ab");
  int good = file && fwrite(data, size, n, file) == n;
  return file && fclose(file) == 0 && good;
}

static int dump(moho_traces *traces, const char *prefix) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  float *samples = malloc(info->n_traces * info->n_samples * sizeof *samples);
  int status = !samples || moho_traces_read(traces, 0, info->n_traces, samples) ? failed() : 0;
  const double *columns[] = {g->source_x, g->source_y, g->receiver_x, g->receiver_y, g->first_sample_s};
  for (int i = 0; !status && i < 5; i++) status = !write_array(prefix, "geometry", columns[i], sizeof(double), g->n);
  if (!status) status = !write_array(prefix, "samples", samples, sizeof(float), info->n_traces * info->n_samples);
  print_info(info);
  printf("text\n%s", info->text_header);
  free(samples);
  return status;
}

static int copy(moho_traces *traces, const char *path) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  float *samples = malloc(info->n_traces * info->n_samples * sizeof *samples);
  moho_traces_writer *writer = NULL;
  int status = !samples || moho_traces_read(traces, 0, info->n_traces, samples) ||
               moho_traces_writer_create(path, info->n_traces, info->n_samples, info->dt_s, "a copy\nfor a check", &writer) ||
               moho_traces_writer_append(writer, moho_traces_get_geometry(traces), samples) || moho_traces_writer_finish(&writer);
  free(samples);
  if (status) moho_traces_writer_discard(&writer);
  return status ? failed() : 0;
}

static int write_image(const char *path) {
  moho_image image;
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 450000.25, grid.origin_y_m = 6700000.5, grid.inline_azimuth_deg = 90;
  grid.n_inline = 5, grid.n_crossline = 7, grid.n_time = 40;
  grid.inline_spacing_m = 25, grid.crossline_spacing_m = 12.5;
  grid.inline_first = 100, grid.inline_step = 2, grid.crossline_first = 300;
  grid.first_s = 0.5, grid.step_s = 0.004;
  if (moho_image_create(&grid, &image)) return failed();
  for (size_t i = 0; i < grid.n_inline * grid.n_crossline * grid.n_time; i++) image.stack[i] = (float)i * 0.5f, image.fold[i] = 1;
  int status = moho_image_write_segy(&image, path, "An image\nfor a check") ? failed() : 0;
  moho_image_release(&image);
  return status;
}

int main(int argc, char **argv) {
  moho_traces_options options = moho_traces_options_default();
  moho_traces *traces;
  int copying = argc == 4 && strcmp(argv[1], "--copy") == 0;
  if (argc == 3 && strcmp(argv[1], "--image") == 0) return write_image(argv[2]);
  if (argc < 3) return fprintf(stderr, "usage: segy_dump FILE PREFIX [headers] | --copy FROM TO\n"), 2;
  if (!copying && argc > 3) options.headers = argv[3];
  if (moho_traces_open(copying ? argv[2] : argv[1], &options, &traces)) return failed();
  int status = copying ? copy(traces, argv[3]) : dump(traces, argv[2]);
  moho_traces_close(&traces);
  return status;
}
