/* scan_gathers.c - offset gathers of an image.zarr, a few inlines at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/velocity_scan_inside.h"

void moho_scan_gathers_close(moho_scan_gathers *g) {
  if (g->values) moho_zarr_array_close(&g->values);
  if (g->fold) moho_zarr_array_close(&g->fold);
  free(g->path), free(g->offset_m);
  moho_grid_release(&g->grid);
  *g = (moho_scan_gathers){0};
}

static moho_status check_shape(const moho_scan_gathers *g, moho_zarr_array *array, const char *name) {
  const moho_zarr_layout *l = moho_zarr_array_get_layout(array);
  const char *axis = l->n_axes == 4 ? l->axes[2] : "";
  if (l->n_axes != 4 || l->shape[0] != g->grid.n_inline || l->shape[1] != g->grid.n_crossline || l->shape[3] != g->grid.n_time)
    return moho_fail_at((moho_place){.file = g->path}, "migrate again with gathers: {kind: offset}", MOHO_ERROR_FORMAT,
                        "%s: array \"%s\" is not [inline, crossline, offset, time] of the image's grid, %zu x %zu x ... x %zu",
                        g->path, name, g->grid.n_inline, g->grid.n_crossline, g->grid.n_time);
  if (*axis && strcmp(axis, "offset") != 0)
    return moho_fail_at((moho_place){.file = g->path}, "a scan needs gathers: {kind: offset}", MOHO_ERROR_FORMAT,
                        "%s: the gathers are sorted by %s, expected offset", g->path, axis);
  return MOHO_OK;
}

static moho_status read_offsets(moho_scan_gathers *g) {
  static const char *const names[] = {"offset_mean", "offset"}; /* what the traces have; else the middle of their bin */
  moho_zarr_layout layout;
  for (size_t i = 0; i < 2; i++) {
    if (!moho_zarr_group_has(g->path, names[i])) continue;
    MOHO_TRY(moho_zarr_read_whole(g->path, names[i], MOHO_ZARR_F8, &layout, &g->offset_m));
    if (layout.n_axes == 1 && layout.shape[0] == g->n_offsets) return MOHO_OK;
    return moho_fail_at((moho_place){.file = g->path}, NULL, MOHO_ERROR_FORMAT,
                        "%s: \"%s\" does not have one value for each of %zu offset bins", g->path, names[i], g->n_offsets);
  }
  return moho_fail_at((moho_place){.file = g->path}, "add the coordinate offset, m", MOHO_ERROR_FORMAT,
                      "%s: the gathers have no coordinate \"offset\"", g->path);
}

/* Gathers whose move-out was put back no longer show the residual one. */
static moho_status refuse_moveout(const char *path) {
  json_t *attributes;
  MOHO_TRY(moho_zarr_group_read_attributes(path, &attributes));
  const json_t *job = json_object_get(attributes, "job"), *section = json_object_get(job, "gathers");
  int inverse = json_is_true(json_object_get(json_object_get(section, "inverse_nmo"), "value"));
  json_decref(attributes);
  if (!inverse) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path, .key = "gathers.inverse_nmo"}, "migrate again with gathers.inverse_nmo=false",
                      MOHO_ERROR_FORMAT, "%s: the gathers have inverse NMO applied, a scan needs them as migrated", path);
}

static moho_status open_gathers(const char *path, moho_scan_gathers *g) {
  MOHO_TRY(moho_grid_read_zarr(path, &g->grid));
  if (!(g->path = strdup(path))) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!moho_zarr_group_has(path, "gathers"))
    return moho_fail_at((moho_place){.file = path}, "migrate with gathers: {kind: offset, edges_m: [0, 200, 400, ...]}",
                        MOHO_ERROR_FORMAT, "%s: the image has no gathers", path);
  MOHO_TRY(refuse_moveout(path));
  MOHO_TRY(moho_zarr_array_open(path, "gathers", &g->values));
  MOHO_TRY(check_shape(g, g->values, "gathers"));
  g->n_offsets = moho_zarr_array_get_layout(g->values)->shape[2];
  if (moho_zarr_group_has(path, "gathers_fold")) {
    MOHO_TRY(moho_zarr_array_open(path, "gathers_fold", &g->fold));
    MOHO_TRY(check_shape(g, g->fold, "gathers_fold"));
  }
  return read_offsets(g);
}

moho_status moho_scan_gathers_open(const char *path, moho_scan_gathers *out) {
  *out = (moho_scan_gathers){0};
  moho_status status = open_gathers(path, out);
  if (status) moho_scan_gathers_close(out);
  return status;
}

static moho_status blank_empty(const moho_scan_gathers *g, const size_t *from, const size_t *count, size_t samples,
                               float *values) {
  int32_t *fold;
  MOHO_TRY(moho_allocate(samples, sizeof *fold, "fold of the gathers", &fold));
  moho_status status = moho_zarr_array_read(g->fold, from, count, MOHO_ZARR_I4, fold);
  for (size_t k = 0; !status && k < samples; k++)
    if (fold[k] == 0) values[k] = NAN;
  free(fold);
  return status;
}

moho_status moho_scan_gathers_read(const moho_scan_gathers *g, size_t first, size_t n, float **out) {
  const size_t from[4] = {first, 0, 0, 0}, count[4] = {n, g->grid.n_crossline, g->n_offsets, g->grid.n_time};
  size_t samples;
  MOHO_TRY(moho_multiply(n * g->grid.n_crossline * g->n_offsets, g->grid.n_time, "gathers", &samples));
  MOHO_TRY(moho_allocate(samples, sizeof **out, "gathers", out));
  moho_status status = moho_zarr_array_read(g->values, from, count, MOHO_ZARR_F4, *out);
  if (!status && g->fold) status = blank_empty(g, from, count, samples, *out);
  if (!status) return MOHO_OK;
  free(*out);
  *out = NULL;
  return status;
}
