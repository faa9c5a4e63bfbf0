/* grid_read.c - the grid of an image on disk, without its samples. */
#include "moho/velocity_functions.h"
#include "survey/grid_json.h"

moho_status moho_grid_read_zarr(const char *path, moho_grid *out) {
  json_t *attributes;
  *out = (moho_grid){0};
  MOHO_TRY(moho_zarr_group_read_attributes(path, &attributes));
  const json_t *grid = json_object_get(attributes, "grid");
  moho_status status = grid ? moho_grid_from_json(grid, path, out)
                            : moho_fail_at((moho_place){.file = path}, "name an image.zarr that moho migrate wrote",
                                           MOHO_ERROR_FORMAT, "%s: no attribute \"grid\" says where the nodes are", path);
  json_decref(attributes);
  return status;
}
