/* gathers_zarr.c - image gathers in an image.zarr: chunks of whole gathers, the coordinates of their bins. */
#include "survey/gathers_zarr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "moho/image.h"
#include "survey/image_zarr.h"

static const char *const axis_names[] = {
    [MOHO_GATHERS_OFFSET] = "offset", [MOHO_GATHERS_OVT] = "tile", [MOHO_GATHERS_ANGLE] = "angle"};

/* ---- writing ---- */

/* A chunk holds whole gathers, about a million samples of them, so that a gather is read from one file. Its sides are powers of
 * two that divide the sides of the stack's chunks: a window of whole chunks of the one is so of the other. */
moho_zarr_layout moho_gathers_zarr_layout(const moho_grid *g, const moho_gather_bins *of, moho_zarr_type type) {
  const size_t samples = (size_t)1 << 20, largest = (size_t)1 << 28;
  size_t bins = moho_gather_bins_count(of), most[2];
  moho_zarr_layout layout = {.type = type,
                             .n_axes = 4,
                             .shape = {g->n_inline, g->n_crossline, bins, g->n_time},
                             .chunk = {1, 1, bins, g->n_time},
                             .axes = {"inline", "crossline", "", "time"}};
  strcpy(layout.axes[2], axis_names[of->kind]);
  if (bins > largest / g->n_time) layout.chunk[2] = largest / g->n_time ? largest / g->n_time : 1;
  moho_image_zarr_sides(g, of, &most[0], &most[1]);
  size_t columns = samples / (layout.chunk[2] * g->n_time);
  for (int a = 1, stuck = 0; stuck < 2; a ^= 1) { /* crosslines first; doubled in turn while it fits */
    int grows = 2 * layout.chunk[0] * layout.chunk[1] <= columns && 2 * layout.chunk[a] <= most[a];
    if (grows) layout.chunk[a] *= 2;
    stuck = grows ? 0 : stuck + 1;
  }
  for (int a = 0; a < 2; a++) layout.chunk[a] = moho_smaller(layout.chunk[a], layout.shape[a]);
  return layout;
}

/* One value a bin, of dimension "offset", "tile" or "angle". */
static moho_status put_of_bins(const moho_image *image, moho_zarr_writer *writer, const char *name, const char *unit,
                               const char *meaning, const double *values) {
  size_t bins = moho_gather_bins_count(&image->bins);
  moho_zarr_layout layout = {.type = MOHO_ZARR_F8, .n_axes = 1, .shape = {bins}, .chunk = {bins}};
  strcpy(layout.axes[0], axis_names[image->bins.kind]);
  return moho_zarr_writer_put_array(writer, name, &layout, json_pack("{s:s, s:s}", "units", unit, "long_name", meaning), values);
}

static moho_status put_edges(const moho_image *image, moho_zarr_writer *writer, double *values) {
  const moho_gather_bins *b = &image->bins;
  int is_angle = b->kind == MOHO_GATHERS_ANGLE;
  const char *axis = axis_names[b->kind], *unit = is_angle ? "degrees" : "m";
  char name[MOHO_ZARR_NAME];
  for (size_t k = 0; k + 1 < b->n_edges; k++) values[k] = moho_gather_bin_centre(b, k);
  MOHO_TRY(put_of_bins(image, writer, axis, unit, is_angle ? "opening angle, middle of the bin" : "offset, middle of the bin",
                       values));
  strcpy(name, axis), strcat(name, "_low");
  MOHO_TRY(put_of_bins(image, writer, name, unit, "the bin begins here", b->edges));
  strcpy(name, axis), strcat(name, "_high");
  return put_of_bins(image, writer, name, unit, "the bin ends before", b->edges + 1);
}

static moho_status put_tiles(const moho_image *image, moho_zarr_writer *writer, double *values) {
  const moho_gather_bins *b = &image->bins;
  size_t bins = moho_gather_bins_count(b);
  double along, across;
  for (size_t k = 0; k < bins; k++) values[k] = (double)(k + 1);
  MOHO_TRY(put_of_bins(image, writer, "tile", "1", "number of the offset-vector tile", values));
  for (size_t k = 0; k < bins; k++) values[k] = moho_gather_bin_centre(b, k);
  MOHO_TRY(put_of_bins(image, writer, "tile_offset", "m", "length of the offset vector in the middle of the tile", values));
  for (size_t k = 0; k < bins; k++) moho_gather_bin_vector(b, k, &values[k], &across);
  MOHO_TRY(put_of_bins(image, writer, "tile_inline", "m", "receiver - source along an inline, middle of the tile", values));
  for (size_t k = 0; k < bins; k++) moho_gather_bin_vector(b, k, &along, &values[k]);
  return put_of_bins(image, writer, "tile_crossline", "m", "receiver - source across inlines, middle of the tile", values);
}

moho_status moho_gathers_zarr_put(const moho_image *image, int is_empty, moho_zarr_writer *writer) {
  if (is_empty ? !image->bins.kind : !image->gathers || !image->gathers_fold) return MOHO_OK;
  moho_zarr_layout values = moho_gathers_zarr_layout(&image->grid, &image->bins, MOHO_ZARR_F4),
                   fold = moho_gathers_zarr_layout(&image->grid, &image->bins, MOHO_ZARR_I4);
  values.has_fill = 1, values.fill = NAN;
  MOHO_TRY(moho_image_zarr_put(writer, "gathers", &values,
                               json_pack("{s:s, s:s}", "long_name", "migrated amplitude", "coordinates", "cdp_x cdp_y"),
                               image->gathers, is_empty));
  MOHO_TRY(moho_image_zarr_put(
      writer, "gathers_fold", &fold,
      json_pack("{s:s, s:s, s:s}", "long_name", "contributions per sample", "units", "1", "coordinates", "cdp_x cdp_y"),
      image->gathers_fold, is_empty));
  double *scratch;
  MOHO_TRY(moho_allocate(moho_gather_bins_count(&image->bins), sizeof *scratch, "coordinates of bins", &scratch));
  moho_status status =
      image->bins.kind == MOHO_GATHERS_OVT ? put_tiles(image, writer, scratch) : put_edges(image, writer, scratch);
  free(scratch);
  if (status || !image->bins.offset_rms_m) return status;
  return put_of_bins(image, writer, "offset_mean", "m", "r.m.s. offset of the traces of a bin", image->bins.offset_rms_m);
}

/* ---- bins as JSON ---- */

static json_t *numbers_to_json(const double *numbers, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < n; i++) json_array_append_new(list, json_real(numbers[i]));
  return list;
}

json_t *moho_gather_bins_to_json(const moho_gather_bins *b) {
  json_t *json = json_pack("{s:s, s:b}", "kind", moho_gathers_name(b->kind), "signed", b->is_signed);
  if (b->kind == MOHO_GATHERS_OVT) {
    json_object_set_new(json, "edges_inline_m", numbers_to_json(b->edges, b->n_edges));
    json_object_set_new(json, "edges_crossline_m", numbers_to_json(b->across_edges, b->n_across_edges));
  } else {
    json_object_set_new(json, b->kind == MOHO_GATHERS_ANGLE ? "edges_deg" : "edges_m", numbers_to_json(b->edges, b->n_edges));
  }
  return json;
}

static double *numbers_from_json(const json_t *list, size_t *n) {
  *n = json_array_size(list);
  double *numbers = *n ? calloc(*n, sizeof *numbers) : NULL;
  for (size_t i = 0; numbers && i < *n; i++) {
    const json_t *number = json_array_get(list, i);
    numbers[i] = json_is_number(number) ? json_number_value(number) : NAN; /* which the check refuses */
  }
  return numbers;
}

moho_status moho_gather_bins_from_json(const json_t *json, const char *path, moho_gather_bins *out) {
  const char *kind = json_string_value(json_object_get(json, "kind"));
  moho_gather_bins bins = {.is_signed = json_is_true(json_object_get(json, "signed"))};
  *out = (moho_gather_bins){0};
  for (int k = MOHO_GATHERS_OFFSET; kind && k <= MOHO_GATHERS_ANGLE; k++)
    if (strcmp(kind, moho_gathers_name((moho_gathers)k)) == 0) bins.kind = (moho_gathers)k;
  static const char *const edges[] = {"edges_m", "edges_m", "edges_inline_m", "edges_deg"};
  bins.edges = numbers_from_json(json_object_get(json, edges[bins.kind]), &bins.n_edges);
  bins.across_edges = numbers_from_json(json_object_get(json, "edges_crossline_m"), &bins.n_across_edges);
  moho_status status = bins.kind ? moho_gather_bins_copy(&bins, out)
                                 : moho_fail(MOHO_ERROR_FORMAT, "%s: the attribute gathers names no kind of gathers", path);
  moho_gather_bins_release(&bins);
  return status ? moho_fail_add_place((moho_place){.file = path, .key = "gathers"}, NULL) : MOHO_OK;
}

/* ---- reading ---- */

moho_status moho_image_read_gather(const char *path, const moho_image *image, size_t i, size_t j, float *gather, int32_t *fold) {
  size_t bins = moho_gather_bins_count(&image->bins);
  const size_t first[MOHO_ZARR_AXES] = {i, j, 0, 0}, count[MOHO_ZARR_AXES] = {1, 1, bins, image->grid.n_time};
  static const char *const names[] = {"gathers", "gathers_fold"};
  if (!bins)
    return moho_fail_at((moho_place){.file = path}, "ask for gathers in the job: gathers.kind", MOHO_ERROR_NOT_FOUND,
                        "%s holds no gathers", path);
  for (int which = 0; which < (fold ? 2 : 1); which++) {
    moho_zarr_array *array;
    MOHO_TRY(moho_zarr_array_open(path, names[which], &array));
    const moho_zarr_layout *layout = moho_zarr_array_get_layout(array);
    moho_status status = MOHO_OK;
    if (layout->n_axes != 4 || i >= layout->shape[0] || j >= layout->shape[1] || bins != layout->shape[2] ||
        count[3] != layout->shape[3])
      status =
          moho_fail_at((moho_place){.file = path}, "the group was changed by another program: write it again", MOHO_ERROR_FORMAT,
                       "%s: the array %s does not have the shape that grid and bins say", path, names[which]);
    if (!status)
      status = which ? moho_zarr_array_read(array, first, count, MOHO_ZARR_I4, fold)
                     : moho_zarr_array_read(array, first, count, MOHO_ZARR_F4, gather);
    moho_zarr_array_close(&array);
    if (status) return status;
  }
  return MOHO_OK;
}
