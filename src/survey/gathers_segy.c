/* gathers_segy.c - image gathers as SEG-Y: a trace a bin, by inline, crossline and bin. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "moho/image.h"
#include "survey/segy_writer.h"

/* Of all bins, what their headers say. */
typedef struct bin_headers {
  int32_t *offset;      /* [bins] bytes 37-40 */
  double *east, *north; /* [bins] receiver - source, m */
} bin_headers;

static moho_status make_headers(const moho_image *image, bin_headers *out) {
  size_t bins = moho_gather_bins_count(&image->bins);
  double a = image->grid.inline_azimuth_deg * (3.14159265358979323846 / 180);
  MOHO_TRY(moho_allocate(bins, sizeof *out->offset, "headers of bins", &out->offset));
  MOHO_TRY(moho_allocate(bins, sizeof *out->east, "headers of bins", &out->east));
  MOHO_TRY(moho_allocate(bins, sizeof *out->north, "headers of bins", &out->north));
  for (size_t b = 0; b < bins; b++) {
    double along, across, unit = image->bins.kind == MOHO_GATHERS_ANGLE ? 100 : 1;
    out->offset[b] = (int32_t)lround(unit * moho_gather_bin_centre(&image->bins, b));
    if (image->bins.kind == MOHO_GATHERS_ANGLE) continue; /* of no offset: at the node */
    moho_gather_bin_vector(&image->bins, b, &along, &across);
    across *= image->grid.flip ? -1 : 1;
    out->east[b] = along * sin(a) + across * cos(a);
    out->north[b] = along * cos(a) - across * sin(a);
  }
  return MOHO_OK;
}

/* A bin that no trace reached is a dead trace. */
static uint8_t row_flags(const moho_image *image, size_t row) {
  size_t n = image->grid.n_time;
  for (size_t k = 0; k < n; k++)
    if (image->gathers_fold[row * n + k]) return 0;
  return MOHO_TRACE_DEAD;
}

/* All traces of inline i. */
static void place_traces(const moho_image *image, const bin_headers *headers, size_t i, moho_geometry *g) {
  const moho_grid *grid = &image->grid;
  size_t bins = moho_gather_bins_count(&image->bins);
  for (size_t t = 0; t < g->n; t++) {
    size_t j = t / bins, b = t % bins, column = i * grid->n_crossline + j;
    double x, y;
    moho_grid_node(grid, i, j, &x, &y);
    g->source_x[t] = x - headers->east[b] / 2, g->receiver_x[t] = x + headers->east[b] / 2;
    g->source_y[t] = y - headers->north[b] / 2, g->receiver_y[t] = y + headers->north[b] / 2;
    g->first_sample_s[t] = grid->first_s;
    g->inline_number[t] = (int32_t)(grid->inline_first + (int64_t)i * grid->inline_step);
    g->crossline_number[t] = (int32_t)(grid->crossline_first + (int64_t)j * grid->crossline_step);
    g->cdp[t] = moho_grid_is_line(grid) ? g->crossline_number[t] : column < INT32_MAX ? (int32_t)column + 1 : 0;
    g->flags[t] = row_flags(image, column * bins + b);
  }
}

static moho_status write_all(const moho_image *image, const char *path, const char *description, const bin_headers *headers,
                             moho_geometry *line) {
  const moho_grid *grid = &image->grid;
  size_t bins = moho_gather_bins_count(&image->bins);
  moho_segy_writer_options options = {.stacked = 1,
                                      .ensemble = bins,
                                      .ensemble_offsets = headers->offset,
                                      .n_traces = grid->n_inline * grid->n_crossline * bins,
                                      .n_samples = grid->n_time,
                                      .dt_s = grid->step_s,
                                      .description = description};
  moho_segy_writer *writer;
  MOHO_TRY(moho_segy_writer_create(path, &options, &writer));
  moho_status status = MOHO_OK;
  for (size_t i = 0; !status && i < grid->n_inline; i++) {
    place_traces(image, headers, i, line);
    status = moho_segy_writer_append(writer, line, image->gathers + i * line->n * grid->n_time);
  }
  if (!status) return moho_segy_writer_finish(&writer);
  moho_segy_writer_discard(&writer);
  return status;
}

moho_status moho_image_write_gathers_segy(const moho_image *image, const char *path, const char *description) {
  bin_headers headers = {0};
  moho_geometry line = {0};
  MOHO_TRY(moho_grid_check(&image->grid));
  if (!image->gathers || !image->gathers_fold) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the image has no gathers", path);
  moho_status status = make_headers(image, &headers);
  if (!status) status = moho_geometry_create(image->grid.n_crossline * moho_gather_bins_count(&image->bins), &line);
  if (!status) status = write_all(image, path, description, &headers, &line);
  moho_geometry_release(&line);
  free(headers.offset), free(headers.east), free(headers.north);
  return status;
}
