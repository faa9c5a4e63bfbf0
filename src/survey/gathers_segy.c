/* gathers_segy.c - image gathers as SEG-Y: a trace a bin, by inline, crossline and bin. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/image_rows.h"
#include "survey/segy_writer.h"
#include "survey/trace_header_write.h"

/* Of all bins, what their headers say. */
typedef struct bin_headers {
  int32_t *offset;      /* [bins] bytes 37-40 */
  double *east, *north; /* [bins] receiver - source, m */
} bin_headers;

static moho_status make_headers(const moho_image_rows *rows, bin_headers *out) {
  size_t bins = moho_gather_bins_count(rows->bins);
  double a = rows->grid->inline_azimuth_deg * (3.14159265358979323846 / 180);
  MOHO_TRY(moho_allocate(bins, sizeof *out->offset, "headers of bins", &out->offset));
  MOHO_TRY(moho_allocate(bins, sizeof *out->east, "headers of bins", &out->east));
  MOHO_TRY(moho_allocate(bins, sizeof *out->north, "headers of bins", &out->north));
  for (size_t b = 0; b < bins; b++) {
    double along, across, unit = rows->bins->kind == MOHO_GATHERS_ANGLE ? 100 : 1;
    out->offset[b] = (int32_t)lround(unit * moho_gather_bin_centre(rows->bins, b));
    if (rows->bins->kind == MOHO_GATHERS_ANGLE) continue; /* of no offset: at the node */
    moho_gather_bin_vector(rows->bins, b, &along, &across);
    across *= rows->grid->flip ? -1 : 1;
    out->east[b] = along * sin(a) + across * cos(a);
    out->north[b] = along * cos(a) - across * sin(a);
  }
  return MOHO_OK;
}

/* All traces of a window. */
static void place_traces(const moho_image_rows *rows, const bin_headers *headers, const moho_window *w, moho_geometry *g) {
  const moho_grid *grid = rows->grid;
  size_t bins = moho_gather_bins_count(rows->bins);
  for (size_t t = 0; t < g->n; t++) {
    size_t b = t % bins, i = w->inline_first + t / bins / w->n_crossline, j = w->crossline_first + t / bins % w->n_crossline;
    size_t column = i * grid->n_crossline + j;
    double x, y;
    moho_grid_node(grid, i, j, &x, &y);
    g->source_x[t] = x - headers->east[b] / 2, g->receiver_x[t] = x + headers->east[b] / 2;
    g->source_y[t] = y - headers->north[b] / 2, g->receiver_y[t] = y + headers->north[b] / 2;
    g->first_sample_s[t] = grid->first_s;
    g->inline_number[t] = (int32_t)(grid->inline_first + (int64_t)i * grid->inline_step);
    g->crossline_number[t] = (int32_t)(grid->crossline_first + (int64_t)j * grid->crossline_step);
    g->cdp[t] = moho_grid_is_line(grid) ? g->crossline_number[t] : column < INT32_MAX ? (int32_t)column + 1 : 0;
  }
}

/* From the first inline, however the image is cut into pieces. */
static moho_status find_divisor(const moho_image_rows *rows, const bin_headers *headers, int *divisor) {
  const moho_window first = {.n_inline = 1, .n_crossline = rows->grid->n_crossline};
  moho_geometry line;
  MOHO_TRY(moho_geometry_create(first.n_crossline * moho_gather_bins_count(rows->bins), &line));
  place_traces(rows, headers, &first, &line);
  *divisor = moho_trace_header_divisor(&line);
  moho_geometry_release(&line);
  return MOHO_OK;
}

/* A bin that no trace reached is a dead trace. */
static moho_status append_window(const moho_image_rows *rows, const bin_headers *headers, const moho_window *w,
                                 moho_segy_writer *writer) {
  const float *gathers;
  const int32_t *fold;
  moho_geometry geometry;
  MOHO_TRY(rows->read(rows->user, w, 1, &gathers, &fold));
  MOHO_TRY(moho_geometry_create(w->n_inline * w->n_crossline * moho_gather_bins_count(rows->bins), &geometry));
  place_traces(rows, headers, w, &geometry);
  for (size_t t = 0; t < geometry.n; t++)
    geometry.flags[t] = moho_image_trace_flags(fold + t * rows->grid->n_time, rows->grid->n_time);
  moho_status status = moho_segy_writer_append(writer, &geometry, gathers);
  moho_geometry_release(&geometry);
  return status;
}

static moho_status write_all(const moho_image_rows *rows, const char *path, const char *description, const bin_headers *headers) {
  const moho_grid *grid = rows->grid;
  size_t bins = moho_gather_bins_count(rows->bins), next = 0;
  moho_segy_writer_options options = {.stacked = 1,
                                      .ensemble = bins,
                                      .ensemble_offsets = headers->offset,
                                      .n_traces = grid->n_inline * grid->n_crossline * bins,
                                      .n_samples = grid->n_time,
                                      .dt_s = grid->step_s,
                                      .description = description};
  moho_segy_writer *writer;
  moho_window window, all = moho_grid_whole(grid);
  MOHO_TRY(find_divisor(rows, headers, &options.coordinate_divisor));
  MOHO_TRY(moho_segy_writer_create(path, &options, &writer));
  moho_status status = MOHO_OK;
  while (!status && moho_image_rows_next(rows, 1, &all, &next, &window)) status = append_window(rows, headers, &window, writer);
  if (!status) return moho_segy_writer_finish(&writer);
  moho_segy_writer_discard(&writer);
  return status;
}

moho_status moho_image_rows_write_gathers_segy(const moho_image_rows *rows, const char *path, const char *description) {
  bin_headers headers = {0};
  MOHO_TRY(moho_grid_check(rows->grid));
  moho_status status = make_headers(rows, &headers);
  if (!status) status = write_all(rows, path, description, &headers);
  free(headers.offset), free(headers.east), free(headers.north);
  return status;
}

moho_status moho_image_write_gathers_segy(const moho_image *image, const char *path, const char *description) {
  moho_image_rows rows = moho_image_rows_of(image);
  if (!image->gathers || !image->gathers_fold) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the image has no gathers", path);
  return moho_image_rows_write_gathers_segy(&rows, path, description);
}
