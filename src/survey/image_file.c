/* image_file.c - an image.zarr that grows on disk, window after window. */
#include "survey/image_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/gathers_zarr.h"
#include "survey/image_rows.h"
#include "survey/image_zarr.h"
#include "survey/zarr_box.h"
#include "survey/zarr_layout.h"

enum { STACK, FOLD, GATHERS, GATHERS_FOLD, N_ARRAYS };

static const char *const array_names[N_ARRAYS] = {"stack", "fold", "gathers", "gathers_fold"};

struct moho_image_file {
  char *path;
  moho_image described;               /* grid and bins; no arrays */
  int n_arrays;                       /* 2, or 4 with gathers */
  moho_zarr_layout layouts[N_ARRAYS]; /* as the files have them */
};

void moho_image_file_lattice(const moho_grid *grid, const moho_gather_bins *bins, size_t *n_inline, size_t *n_crossline) {
  moho_image_zarr_sides(grid, bins, n_inline, n_crossline);
}

/* Chunks are whole files: those at the grid's ends hold more than the grid. */
static void add_size(const moho_zarr_layout *layout, double *bytes, double *files) {
  double n = 2;
  for (size_t a = 0; a < layout->n_axes; a++) n *= (double)moho_zarr_chunk_count(layout, a);
  *files += n;
  *bytes += n * (double)moho_zarr_chunk_elements(layout) * 4;
}

void moho_image_file_size(const moho_grid *grid, const moho_gather_bins *bins, double *bytes, double *files) {
  moho_zarr_layout stack = moho_image_zarr_layout(grid, bins, MOHO_ZARR_F4);
  *bytes = *files = 0;
  add_size(&stack, bytes, files);
  if (!bins || !bins->kind) return;
  moho_zarr_layout gathers = moho_gathers_zarr_layout(grid, bins, MOHO_ZARR_F4);
  add_size(&gathers, bytes, files);
}

/* ---- opening ---- */

static moho_status describe(const char *path, const moho_grid *grid, const moho_gather_bins *bins, moho_image_file **out) {
  moho_image_file *file;
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *file, "image file", &file));
  file->n_arrays = bins && bins->kind ? N_ARRAYS : GATHERS;
  file->path = strdup(path);
  moho_status status = file->path ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!status) status = moho_grid_copy(grid, &file->described.grid);
  if (!status && bins && bins->kind) status = moho_gather_bins_copy(bins, &file->described.bins);
  if (status) moho_image_file_close(&file);
  *out = file;
  return status;
}

void moho_image_file_close(moho_image_file **file_pointer) {
  moho_image_file *file = *file_pointer;
  if (!file) return;
  moho_image_release(&file->described);
  free(file->path), free(file);
  *file_pointer = NULL;
}

static moho_zarr_layout expected_layout(const moho_image_file *file, int array) {
  moho_zarr_type type = array == FOLD || array == GATHERS_FOLD ? MOHO_ZARR_I4 : MOHO_ZARR_F4;
  return array < GATHERS ? moho_image_zarr_layout(&file->described.grid, &file->described.bins, type)
                         : moho_gathers_zarr_layout(&file->described.grid, &file->described.bins, type);
}

/* As it is on disk; it must be the layout that Moho makes for this grid. */
static moho_status read_layout(moho_image_file *file, int array) {
  moho_zarr_array *opened;
  moho_zarr_layout expected = expected_layout(file, array);
  MOHO_TRY(moho_zarr_array_open(file->path, array_names[array], &opened));
  const moho_zarr_layout *l = moho_zarr_array_get_layout(opened);
  int is_ours = l->type == expected.type && l->n_axes == expected.n_axes &&
                memcmp(l->shape, expected.shape, sizeof l->shape) == 0 &&
                memcmp(l->chunk, expected.chunk, sizeof l->chunk) == 0 && l->codec == moho_zarr_codec_for_writing();
  file->layouts[array] = *l;
  moho_zarr_array_close(&opened);
  if (is_ours) return MOHO_OK;
  return moho_fail_at((moho_place){.file = file->path}, "start over: execution.resume=never", MOHO_ERROR_FORMAT,
                      "%s: the array %s is not laid out as this grid and this Moho have it", file->path, array_names[array]);
}

static moho_status sweep(const moho_image_file *file, int array) {
  char *directory;
  MOHO_TRY(moho_zarr_join(file->path, array_names[array], NULL, &directory));
  moho_directory_sweep(directory);
  free(directory);
  return MOHO_OK;
}

static moho_status open_arrays(moho_image_file *file) {
  moho_directory_sweep(file->path);
  for (int a = 0; a < file->n_arrays; a++) {
    MOHO_TRY(read_layout(file, a));
    MOHO_TRY(sweep(file, a));
  }
  return MOHO_OK;
}

moho_status moho_image_file_open(const char *path, const moho_grid *grid, const moho_gather_bins *bins, moho_image_file **out) {
  MOHO_TRY(describe(path, grid, bins, out));
  moho_status status = open_arrays(*out);
  if (status) moho_image_file_close(out);
  return status;
}

moho_status moho_image_file_create(const char *path, const moho_grid *grid, const moho_gather_bins *bins, const char *attributes,
                                   moho_image_file **out) {
  MOHO_TRY(describe(path, grid, bins, out));
  moho_image image = (*out)->described; /* BORROW */
  image.attributes = (char *)(uintptr_t)attributes;
  moho_status status = moho_image_zarr_write(&image, 1, path);
  if (!status) status = open_arrays(*out);
  if (status) moho_image_file_close(out);
  return status;
}

/* ---- windows ---- */

static moho_zarr_box box_of(const moho_image_file *file, int array, const moho_window *window) {
  const moho_zarr_layout *layout = &file->layouts[array];
  moho_window whole = moho_grid_whole(&file->described.grid);
  const moho_window *w = window->n_inline ? window : &whole;
  moho_zarr_box box = {.first = {w->inline_first, w->crossline_first}, .count = {w->n_inline, w->n_crossline}};
  for (size_t a = 2; a < layout->n_axes; a++) box.count[a] = layout->shape[a];
  return box;
}

static moho_status sync_array(const moho_image_file *file, int array) {
  char *directory;
  MOHO_TRY(moho_zarr_join(file->path, array_names[array], NULL, &directory));
  moho_status status = moho_directory_sync(directory);
  free(directory);
  return status;
}

/* Every chunk is synced before it gets its name (moho_file_write_all), the names at the end, once an array: then the window is
 * on disk, and whoever writes that it is may do so. */
moho_status moho_image_file_write(moho_image_file *file, const moho_window *window, const moho_image *image,
                                  moho_image_mark *mark) {
  const void *const data[N_ARRAYS] = {image->stack, image->fold, image->gathers, image->gathers_fold};
  moho_zarr_mark sum = {0, 0};
  MOHO_TRY(moho_grid_check_window(&file->described.grid, window));
  for (int a = 0; a < file->n_arrays; a++) {
    moho_zarr_box box = box_of(file, a, window);
    if (!data[a]) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the image has no %s", file->path, array_names[a]);
    MOHO_TRY(moho_zarr_put_box(file->path, array_names[a], &file->layouts[a], &box, data[a], &sum));
  }
  for (int a = 0; a < file->n_arrays; a++) MOHO_TRY(sync_array(file, a));
  if (mark) *mark = (moho_image_mark){sum.bytes, sum.checksum};
  return MOHO_OK;
}

moho_status moho_image_file_check(const moho_image_file *file, const moho_window *window, const moho_image_mark *mark,
                                  int *is_whole) {
  moho_zarr_mark sum = {0, 0};
  MOHO_TRY(moho_grid_check_window(&file->described.grid, window));
  for (int a = 0; a < file->n_arrays; a++) {
    moho_zarr_box box = box_of(file, a, window);
    MOHO_TRY(moho_zarr_mark_box(file->path, array_names[a], &file->layouts[a], &box, &sum));
  }
  *is_whole = sum.bytes == mark->bytes && sum.checksum == mark->checksum;
  return MOHO_OK;
}

moho_status moho_image_file_read(const moho_image_file *file, const moho_window *window, float *stack, int32_t *fold,
                                 float *gathers, int32_t *gathers_fold) {
  void *const into[N_ARRAYS] = {stack, fold, gathers, gathers_fold};
  MOHO_TRY(moho_grid_check_window(&file->described.grid, window));
  for (int a = 0; a < N_ARRAYS; a++) {
    moho_zarr_array *array;
    if (!into[a]) continue;
    if (a >= file->n_arrays) return moho_fail(MOHO_ERROR_ARGUMENT, "%s holds no gathers", file->path);
    moho_zarr_box box = box_of(file, a, window);
    MOHO_TRY(moho_zarr_array_open(file->path, array_names[a], &array));
    moho_status status = moho_zarr_array_read(array, box.first, box.count, file->layouts[a].type, into[a]);
    moho_zarr_array_close(&array);
    if (status) return status;
  }
  return MOHO_OK;
}

/* ---- the end ---- */

static moho_status write_json(const moho_image_file *file, const char *name, const json_t *value) {
  char *path, *text = json_dumps(value, JSON_INDENT(2));
  if (!text) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", file->path);
  moho_status status = moho_zarr_join(file->path, name, NULL, &path);
  if (!status) {
    status = moho_file_write_all(path, text, strlen(text));
    free(path);
  }
  free(text);
  return status;
}

/* .zattrs first: where the run is stopped between the two, the consolidated metadata, which readers take, still say what was. */
moho_status moho_image_file_finish(moho_image_file *file, const char *attributes) {
  moho_image image = file->described; /* BORROW */
  json_t *final = NULL, *all = NULL;
  char *path;
  image.attributes = (char *)(uintptr_t)attributes;
  MOHO_TRY(moho_image_zarr_attributes(file->path, &image, 1, &final));
  moho_status status = moho_zarr_join(file->path, ".zmetadata", NULL, &path);
  if (!status) {
    status = moho_zarr_read_json(path, &all);
    free(path);
  }
  if (!status && json_object_set(json_object_get(all, "metadata"), ".zattrs", final))
    status = moho_fail_at((moho_place){.file = file->path}, "start over: execution.resume=never", MOHO_ERROR_FORMAT,
                          "%s: .zmetadata holds no object \"metadata\"", file->path);
  if (!status) status = write_json(file, ".zattrs", final);
  if (!status) status = write_json(file, ".zmetadata", all);
  if (!status) status = moho_directory_sync(file->path);
  json_decref(final), json_decref(all);
  return status;
}

moho_status moho_image_file_open_rows(const moho_image_file *file, size_t memory_bytes, moho_image_rows *out) {
  return moho_image_rows_open(file->path, &file->described, memory_bytes, out);
}
