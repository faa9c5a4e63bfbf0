/* image_zarr.c - images as Zarr v2 groups that xarray opens: stack, fold, coordinates, the grid and the job. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "moho/image.h"
#include "survey/gathers_zarr.h"
#include "survey/grid_json.h"
#include "survey/image_zarr.h"

/* ---- writing ---- */

/* A million samples a chunk. Columns of a tile as square as can be, so that sections along both axes read few files; with
 * gathers, of which a column takes much memory, smaller tiles and more of the time axis: a run works on whole chunks. */
void moho_image_zarr_sides(const moho_grid *grid, const moho_gather_bins *bins, size_t *n_inline, size_t *n_crossline) {
  size_t side = bins && bins->kind ? 16 : 32;
  *n_inline = grid->n_inline == 1 ? 1 : grid->n_crossline == 1 ? 256 : side;
  *n_crossline = grid->n_crossline == 1 ? 1 : grid->n_inline == 1 ? 256 : side;
}

moho_zarr_layout moho_image_zarr_layout(const moho_grid *grid, const moho_gather_bins *bins, moho_zarr_type type) {
  moho_zarr_layout layout = {.type = type,
                             .n_axes = 3,
                             .shape = {grid->n_inline, grid->n_crossline, grid->n_time},
                             .axes = {"inline", "crossline", "time"}};
  moho_image_zarr_sides(grid, bins, &layout.chunk[0], &layout.chunk[1]);
  layout.chunk[2] = moho_smaller(grid->n_time, ((size_t)1 << 20) / (layout.chunk[0] * layout.chunk[1]));
  layout.chunk[0] = moho_smaller(layout.chunk[0], grid->n_inline);
  layout.chunk[1] = moho_smaller(layout.chunk[1], grid->n_crossline);
  return layout;
}

moho_status moho_image_zarr_put(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout, json_t *attributes,
                                const void *data, int is_empty) {
  if (!is_empty) return moho_zarr_writer_put_array(writer, name, layout, attributes, data);
  /* Floats read as NaN where there is no chunk. Integers have no such value, and xarray would turn counts with a fill value into
   * floats to mark what is missing: no fill value and every chunk written, from the beginning. */
  return layout->has_fill ? moho_zarr_writer_add_array(writer, name, layout, attributes)
                          : moho_zarr_writer_put_zeros(writer, name, layout, attributes);
}

static moho_status put_volumes(const moho_image *image, int is_empty, moho_zarr_writer *writer) {
  const moho_gather_bins *bins = image->gathers || is_empty ? &image->bins : NULL;
  moho_zarr_layout stack = moho_image_zarr_layout(&image->grid, bins, MOHO_ZARR_F4),
                   fold = moho_image_zarr_layout(&image->grid, bins, MOHO_ZARR_I4);
  stack.has_fill = 1, stack.fill = NAN;
  MOHO_TRY(moho_image_zarr_put(writer, "stack", &stack,
                               json_pack("{s:s, s:s}", "long_name", "migrated amplitude", "coordinates", "cdp_x cdp_y"),
                               image->stack, is_empty));
  if (!image->fold && !is_empty) return MOHO_OK;
  return moho_image_zarr_put(
      writer, "fold", &fold,
      json_pack("{s:s, s:s, s:s}", "long_name", "contributions per sample", "units", "1", "coordinates", "cdp_x cdp_y"),
      image->fold, is_empty);
}

static moho_status put_numbers(moho_zarr_writer *writer, const char *name, size_t n, int32_t first, int32_t step) {
  moho_zarr_layout layout = {.type = MOHO_ZARR_I4, .n_axes = 1, .shape = {n}, .chunk = {n}};
  int32_t *numbers;
  strcpy(layout.axes[0], name);
  MOHO_TRY(moho_allocate(n, sizeof *numbers, name, &numbers));
  for (size_t i = 0; i < n; i++) numbers[i] = (int32_t)((int64_t)first + (int64_t)i * step);
  moho_status status = moho_zarr_writer_put_array(writer, name, &layout, json_pack("{s:s}", "units", "1"), numbers);
  free(numbers);
  return status;
}

static moho_status put_time(moho_zarr_writer *writer, const moho_grid *grid) {
  moho_zarr_layout layout = {
      .type = MOHO_ZARR_F8, .n_axes = 1, .shape = {grid->n_time}, .chunk = {grid->n_time}, .axes = {"time"}};
  double *time;
  MOHO_TRY(moho_allocate(grid->n_time, sizeof *time, "time", &time));
  for (size_t k = 0; k < grid->n_time; k++) time[k] = grid->first_s + (double)k * grid->step_s;
  moho_status status = moho_zarr_writer_put_array(
      writer, "time", &layout, json_pack("{s:s, s:s}", "units", "s", "long_name", "two-way vertical time"), time);
  free(time);
  return status;
}

static moho_status put_positions(moho_zarr_writer *writer, const moho_grid *grid) {
  size_t ni = grid->n_inline, nx = grid->n_crossline;
  moho_zarr_layout layout = {.type = MOHO_ZARR_F8,
                             .n_axes = 2,
                             .shape = {ni, nx},
                             .chunk = {ni < 512 ? ni : 512, nx < 512 ? nx : 512},
                             .axes = {"inline", "crossline"}};
  double *x = NULL, *y = NULL;
  moho_status status = moho_allocate(ni * nx, sizeof *x, "cdp_x", &x);
  if (!status) status = moho_allocate(ni * nx, sizeof *y, "cdp_y", &y);
  for (size_t i = 0; !status && i < ni; i++)
    for (size_t j = 0; j < nx; j++) moho_grid_node(grid, i, j, &x[i * nx + j], &y[i * nx + j]);
  if (!status) status = moho_zarr_writer_put_array(writer, "cdp_x", &layout, json_pack("{s:s}", "units", "m"), x);
  if (!status) status = moho_zarr_writer_put_array(writer, "cdp_y", &layout, json_pack("{s:s}", "units", "m"), y);
  free(x);
  free(y);
  return status;
}

moho_status moho_image_zarr_attributes(const char *path, const moho_image *image, int is_complete, json_t **out) {
  static const char *const ours[] = {"grid", "gathers", "complete"};
  json_t *attributes = image->attributes ? json_loads(image->attributes, 0, NULL) : json_object();
  int is_good = json_is_object(attributes);
  *out = NULL;
  for (int i = 0; i < 3; i++) is_good = is_good && !json_object_get(attributes, ours[i]);
  if (!is_good) {
    json_decref(attributes);
    return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_ARGUMENT,
                        "%s: the image's attributes must be a JSON object without members \"grid\", \"gathers\" and "
                        "\"complete\", which are the image's own",
                        path);
  }
  int failed = json_object_set_new(attributes, "grid", moho_grid_to_json(&image->grid));
  if (image->bins.kind) failed |= json_object_set_new(attributes, "gathers", moho_gather_bins_to_json(&image->bins));
  failed |= json_object_set_new(attributes, "complete", json_boolean(is_complete));
  if (!failed) *out = attributes;
  else json_decref(attributes);
  return failed ? moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path) : MOHO_OK;
}

static moho_status put_attributes(const moho_image *image, int is_empty, const char *path, moho_zarr_writer *writer) {
  json_t *attributes;
  moho_image described = *image;
  if (!image->gathers && !is_empty) described.bins = (moho_gather_bins){.kind = MOHO_GATHERS_NONE};
  MOHO_TRY(moho_image_zarr_attributes(path, &described, !is_empty, &attributes));
  return moho_zarr_writer_set_attributes(writer, attributes);
}

moho_status moho_image_zarr_write(const moho_image *image, int is_empty, const char *path) {
  const moho_grid *grid = &image->grid;
  moho_zarr_writer *writer;
  MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(moho_zarr_writer_create(path, &writer));
  moho_status status = put_attributes(image, is_empty, path, writer);
  if (!status) status = put_volumes(image, is_empty, writer);
  if (!status) status = put_numbers(writer, "inline", grid->n_inline, grid->inline_first, grid->inline_step);
  if (!status) status = put_numbers(writer, "crossline", grid->n_crossline, grid->crossline_first, grid->crossline_step);
  if (!status) status = put_time(writer, grid);
  if (!status) status = put_positions(writer, grid);
  if (!status) status = moho_gathers_zarr_put(image, is_empty, writer);
  if (!status) return moho_zarr_writer_finish(&writer);
  moho_zarr_writer_discard(&writer);
  return status;
}

moho_status moho_image_write_zarr(const moho_image *image, const char *path) {
  if (!image->stack) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the image has no stack", path);
  return moho_image_zarr_write(image, 0, path);
}

/* ---- reading ---- */

static moho_status read_grid(const json_t *attributes, const char *path, const moho_zarr_cube *cube, moho_grid *out) {
  const json_t *json = json_object_get(attributes, "grid");
  if (!json) return moho_grid_from_cube(cube, path, out);
  MOHO_TRY(moho_grid_from_json(json, path, out));
  if (out->n_inline == cube->shape[0] && out->n_crossline == cube->shape[1] && out->n_time == cube->shape[2]) return MOHO_OK;
  moho_status status =
      moho_fail_at((moho_place){.file = path, .key = "grid"},
                   "remove the attribute \"grid\" from a group that was cut; its coordinates are read then", MOHO_ERROR_FORMAT,
                   "%s: the attribute grid says %zu x %zu x %zu nodes, the stack has %zu x %zu x %zu", path, out->n_inline,
                   out->n_crossline, out->n_time, cube->shape[0], cube->shape[1], cube->shape[2]);
  moho_grid_release(out);
  return status;
}

static moho_status check_fold(const char *path, const moho_grid *grid) {
  const size_t shape[] = {grid->n_inline, grid->n_crossline, grid->n_time};
  moho_zarr_array *array;
  MOHO_TRY(moho_zarr_array_open(path, "fold", &array));
  const moho_zarr_layout *layout = moho_zarr_array_get_layout(array);
  int fits = layout->n_axes == 3 && memcmp(layout->shape, shape, sizeof shape) == 0;
  moho_zarr_array_close(&array);
  if (fits) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path}, "fold is a count for every sample of stack", MOHO_ERROR_FORMAT,
                      "%s: the arrays fold and stack have different shapes", path);
}

static moho_status keep_attributes(json_t *attributes, const char *path, char **out) {
  json_object_del(attributes, "grid"), json_object_del(attributes, "gathers"), json_object_del(attributes, "complete");
  if (json_object_size(attributes) == 0) return MOHO_OK;
  *out = json_dumps(attributes, JSON_INDENT(2));
  return *out ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
}

moho_status moho_image_describe_zarr(const char *path, moho_image *out) {
  json_t *attributes;
  moho_zarr_cube cube = {0};
  *out = (moho_image){0};
  MOHO_TRY(moho_zarr_group_read_attributes(path, &attributes));
  moho_status status = moho_zarr_cube_describe(path, "stack", &cube);
  if (!status) status = read_grid(attributes, path, &cube, &out->grid);
  if (!status && moho_zarr_group_has(path, "fold")) status = check_fold(path, &out->grid);
  if (!status && moho_zarr_group_has(path, "gathers") && json_object_get(attributes, "gathers"))
    status = moho_gather_bins_from_json(json_object_get(attributes, "gathers"), path, &out->bins);
  out->is_partial = json_is_false(json_object_get(attributes, "complete"));
  if (!status) status = keep_attributes(attributes, path, &out->attributes);
  if (status) moho_image_release(out);
  moho_zarr_cube_release(&cube);
  json_decref(attributes);
  return status;
}

moho_status moho_image_read_zarr(const char *path, moho_image *out) {
  MOHO_TRY(moho_image_describe_zarr(path, out));
  moho_status status = moho_zarr_read_whole(path, "stack", MOHO_ZARR_F4, NULL, &out->stack);
  if (!status && moho_zarr_group_has(path, "fold")) status = moho_zarr_read_whole(path, "fold", MOHO_ZARR_I4, NULL, &out->fold);
  if (status) moho_image_release(out);
  return status;
}
