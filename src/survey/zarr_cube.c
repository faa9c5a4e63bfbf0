/* zarr_cube.c - a whole 3D array with its coordinates: what images and velocity cubes are read with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/zarr_store.h"

static void take_text(const json_t *attributes, const char *key, char out[MOHO_ZARR_NAME]) {
  const char *text = json_string_value(json_object_get(attributes, key));
  if (text) snprintf(out, MOHO_ZARR_NAME, "%s", text);
}

/* The 1D array named as an axis, when the group has one of its length. */
static moho_status read_coordinate(const char *path, moho_zarr_cube *cube, size_t axis) {
  const char *name = cube->axes[axis];
  moho_zarr_array *array;
  const size_t first[MOHO_ZARR_AXES] = {0};
  if (!*name || !moho_zarr_group_has(path, name)) return MOHO_OK;
  MOHO_TRY(moho_zarr_array_open(path, name, &array));
  const moho_zarr_layout *layout = moho_zarr_array_get_layout(array);
  moho_status status;
  if (layout->n_axes != 1 || layout->shape[0] != cube->shape[axis])
    status = moho_fail_at((moho_place){.file = path}, "every coordinate has one value a node of its axis", MOHO_ERROR_FORMAT,
                          "%s: coordinate \"%s\" has %zu axes and %zu values, its axis %zu nodes", path, name, layout->n_axes,
                          layout->shape[0], cube->shape[axis]);
  else status = moho_allocate(cube->shape[axis], sizeof(double), name, &cube->coordinates[axis]);
  if (!status) status = moho_zarr_array_read(array, first, layout->shape, MOHO_ZARR_F8, cube->coordinates[axis]);
  take_text(moho_zarr_array_get_attributes(array), "units", cube->units[axis]);
  moho_zarr_array_close(&array);
  return status;
}

static moho_status read_position(const char *path, const char *name, const moho_zarr_cube *cube, double **out) {
  moho_zarr_layout layout;
  if (!moho_zarr_group_has(path, name)) return MOHO_OK;
  MOHO_TRY(moho_zarr_read_whole(path, name, MOHO_ZARR_F8, &layout, out));
  if (layout.n_axes == 2 && layout.shape[0] == cube->shape[0] && layout.shape[1] == cube->shape[1]) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path}, "positions have one value a column: [inline, crossline]", MOHO_ERROR_FORMAT,
                      "%s: \"%s\" is not of shape [%zu, %zu]", path, name, cube->shape[0], cube->shape[1]);
}

static moho_status describe_cube(const char *path, const char *name, moho_zarr_cube *cube) {
  moho_zarr_layout layout;
  moho_zarr_array *array;
  MOHO_TRY(moho_zarr_array_open(path, name, &array));
  layout = *moho_zarr_array_get_layout(array);
  take_text(moho_zarr_array_get_attributes(array), "units", cube->value_unit);
  moho_zarr_array_close(&array);
  if (layout.n_axes != 3)
    return moho_fail_at((moho_place){.file = path}, "the axes are inline, crossline, time", MOHO_ERROR_FORMAT,
                        "%s: array \"%s\" has %zu axes, expected 3", path, name, layout.n_axes);
  for (size_t a = 0; a < 3; a++) {
    cube->shape[a] = layout.shape[a];
    memcpy(cube->axes[a], layout.axes[a], MOHO_ZARR_NAME);
  }
  for (size_t a = 0; a < 3; a++) MOHO_TRY(read_coordinate(path, cube, a));
  MOHO_TRY(read_position(path, "cdp_x", cube, &cube->cdp_x));
  return read_position(path, "cdp_y", cube, &cube->cdp_y);
}

moho_status moho_zarr_cube_describe(const char *path, const char *name, moho_zarr_cube *out) {
  *out = (moho_zarr_cube){0};
  moho_status status = describe_cube(path, name, out);
  if (status) moho_zarr_cube_release(out);
  return status;
}

moho_status moho_zarr_cube_read(const char *path, const char *name, moho_zarr_cube *out) {
  MOHO_TRY(moho_zarr_cube_describe(path, name, out));
  moho_status status = moho_zarr_read_whole(path, name, MOHO_ZARR_F4, NULL, &out->values);
  if (status) moho_zarr_cube_release(out);
  return status;
}

void moho_zarr_cube_release(moho_zarr_cube *cube) {
  free(cube->values), free(cube->cdp_x), free(cube->cdp_y);
  for (size_t a = 0; a < 3; a++) free(cube->coordinates[a]);
  *cube = (moho_zarr_cube){0};
}
