/* image_rows_zarr.c - an image.zarr piece by piece: as much of it in memory as is allowed. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/image_rows.h"
#include "survey/zarr_store.h"

enum { STACK, FOLD, GATHERS, GATHERS_FOLD, N_ARRAYS };

static const char *const names[N_ARRAYS] = {"stack", "fold", "gathers", "gathers_fold"};

typedef struct piece_reader {
  char *path;
  size_t values_samples, fold_samples; /* that there is room for */
  float *values;
  int32_t *fold;
} piece_reader;

static moho_status make_room(size_t samples, size_t *room, void *array) {
  void **at = array;
  if (samples <= *room) return MOHO_OK;
  free(*at), *at = NULL, *room = 0;
  MOHO_TRY(moho_allocate(samples, 4, "a piece of the image", array));
  *room = samples;
  return MOHO_OK;
}

/* Opened for every piece: an open array keeps the chunk that it read last. */
static moho_status read_array(piece_reader *r, int which, const moho_window *w, moho_zarr_type type, size_t *room, void *out) {
  size_t first[MOHO_ZARR_AXES] = {w->inline_first, w->crossline_first}, count[MOHO_ZARR_AXES] = {w->n_inline, w->n_crossline},
         n = w->n_inline * w->n_crossline;
  moho_zarr_array *array;
  MOHO_TRY(moho_zarr_array_open(r->path, names[which], &array));
  const moho_zarr_layout *layout = moho_zarr_array_get_layout(array);
  for (size_t a = 2; a < layout->n_axes; a++) count[a] = layout->shape[a], n *= layout->shape[a];
  moho_status status = make_room(n, room, out);
  if (!status) status = moho_zarr_array_read(array, first, count, type, *(void **)out);
  moho_zarr_array_close(&array);
  return status;
}

static moho_status read_piece(void *user, const moho_window *window, int gathers, const float **values, const int32_t **fold) {
  piece_reader *r = user;
  int v = gathers ? GATHERS : STACK, f = gathers ? GATHERS_FOLD : FOLD;
  if (values) {
    MOHO_TRY(read_array(r, v, window, MOHO_ZARR_F4, &r->values_samples, &r->values));
    *values = r->values;
  }
  if (!fold) return MOHO_OK;
  *fold = NULL;
  if (!moho_zarr_group_has(r->path, names[f])) return MOHO_OK;
  MOHO_TRY(read_array(r, f, window, MOHO_ZARR_I4, &r->fold_samples, &r->fold));
  *fold = r->fold;
  return MOHO_OK;
}

static size_t usual_memory(void) {
  return moho_smaller((size_t)512 << 20, moho_machine_memory_free() / 4);
}

/* Half of the memory for a piece; the rest for chunks on their way and the buffers of those who write. */
moho_status moho_image_rows_open(const char *path, const moho_image *described, size_t memory_bytes, moho_image_rows *out) {
  piece_reader *reader;
  *out = (moho_image_rows){0};
  if (!memory_bytes) memory_bytes = usual_memory();
  MOHO_TRY(moho_allocate(1, sizeof *reader, "reader of an image", &reader));
  *out = (moho_image_rows){
      .grid = &described->grid, .bins = &described->bins, .memory_bytes = memory_bytes / 2, .read = read_piece, .user = reader};
  reader->path = strdup(path);
  if (reader->path) return MOHO_OK;
  moho_image_rows_close(out);
  return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
}

void moho_image_rows_close(moho_image_rows *rows) {
  piece_reader *reader = rows->user;
  if (!reader) return;
  free(reader->path), free(reader->values), free(reader->fold), free(reader);
  *rows = (moho_image_rows){0};
}
