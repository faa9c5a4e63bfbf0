/* zarr_box.c - boxes of whole chunks. */
#include "survey/zarr_box.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/zarr_layout.h"

/* A box on its way: which chunks it is, and what becomes of each. */
typedef struct box_task {
  const char *group, *name;
  const moho_zarr_layout *layout;
  const moho_zarr_box *box;
  const unsigned char *data;
  size_t chunks[MOHO_ZARR_AXES], n; /* chunks of the box along each axis, and in all */
  moho_zarr_mark *marks;            /* [n]; NULL: not asked for */
} box_task;

static moho_status begin(box_task *task) {
  const moho_zarr_layout *layout = task->layout;
  task->n = 1;
  for (size_t a = 0; a < layout->n_axes; a++) {
    size_t first = task->box->first[a], count = task->box->count[a], chunk = layout->chunk[a];
    if (first % chunk || first > layout->shape[a] || count > layout->shape[a] - first ||
        (count % chunk && first + count < layout->shape[a]))
      return moho_fail(MOHO_ERROR_INTERNAL, "%s: elements %zu to %zu of \"%s\" along axis %zu are no whole chunks of %zu",
                       task->group, first, first + count, task->name, a, chunk);
    task->chunks[a] = moho_pieces(count, chunk);
    task->n *= task->chunks[a];
  }
  return MOHO_OK;
}

/* Indices in the array of the n-th chunk of the box. */
static void chunk_index(const box_task *task, size_t n, size_t index[MOHO_ZARR_AXES]) {
  for (size_t a = task->layout->n_axes; a-- > 0; n /= task->chunks[a])
    index[a] = task->box->first[a] / task->layout->chunk[a] + n % task->chunks[a];
}

static moho_status chunk_file(const box_task *task, const size_t *index, char **file) {
  char name[96];
  moho_zarr_chunk_name(task->layout, index, name);
  return moho_zarr_join(task->group, task->name, name, file);
}

/* Rows of the box that fall into the chunk; what lies beyond the array's ends stays 0. */
static void gather_chunk(const box_task *task, const size_t *index, unsigned char *chunk) {
  const moho_zarr_layout *layout = task->layout;
  size_t axes = layout->n_axes, bytes = moho_zarr_type_bytes(layout->type), size[MOHO_ZARR_AXES], rows = 1;
  for (size_t a = 0; a < axes; a++) {
    size[a] = moho_smaller(layout->chunk[a], layout->shape[a] - index[a] * layout->chunk[a]);
    if (a + 1 < axes) rows *= size[a];
  }
  for (size_t row = 0; row < rows; row++) {
    size_t from = 0, to = 0, rest = row, at[MOHO_ZARR_AXES] = {0};
    for (size_t a = axes - 1; a-- > 0; rest /= size[a]) at[a] = rest % size[a];
    for (size_t a = 0; a < axes; a++) {
      from = from * task->box->count[a] + index[a] * layout->chunk[a] + at[a] - task->box->first[a];
      to = to * layout->chunk[a] + at[a];
    }
    memcpy(chunk + to * bytes, task->data + from * bytes, size[axes - 1] * bytes);
  }
}

static moho_zarr_mark mark_of(const void *data, size_t bytes) {
  return (moho_zarr_mark){bytes, moho_checksum(data, bytes, bytes)};
}

static void add_mark(moho_zarr_mark *sum, const moho_zarr_mark *mark) {
  sum->bytes += mark->bytes;
  sum->checksum = moho_checksum(mark, sizeof *mark, sum->checksum);
}

/* Compressed; *out is malloc'ed. */
static moho_status pack(const moho_zarr_layout *layout, const void *chunk, size_t bytes, void **out, size_t *out_bytes) {
  return moho_zarr_encode(layout->codec, moho_zarr_type_bytes(layout->type), chunk, bytes, out, out_bytes);
}

static moho_status put_chunk(const box_task *task, size_t n) {
  const moho_zarr_layout *layout = task->layout;
  size_t index[MOHO_ZARR_AXES] = {0}, bytes = moho_zarr_chunk_elements(layout) * moho_zarr_type_bytes(layout->type), size = 0;
  void *chunk = NULL, *packed = NULL;
  char *file = NULL;
  chunk_index(task, n, index);
  moho_status status = moho_allocate(bytes, 1, "Zarr chunk", &chunk);
  if (!status) gather_chunk(task, index, chunk);
  if (!status) status = pack(layout, chunk, bytes, &packed, &size);
  if (!status) status = chunk_file(task, index, &file);
  if (!status && task->marks) task->marks[n] = mark_of(packed, size);
  if (!status) status = moho_file_write_all(file, packed, size);
  free(file), free(packed), free(chunk);
  return status;
}

static moho_status look_at_chunk(const box_task *task, size_t n) {
  const moho_zarr_layout *layout = task->layout;
  size_t index[MOHO_ZARR_AXES] = {0}, size, limit = 2 * moho_zarr_chunk_elements(layout) * moho_zarr_type_bytes(layout->type);
  char *file, *data;
  chunk_index(task, n, index);
  MOHO_TRY(chunk_file(task, index, &file));
  moho_status status = moho_file_read_all(file, limit + 65536, &data, &size);
  if (!status) task->marks[n] = mark_of(data, size);
  free(data), free(file);
  return status == MOHO_ERROR_NOT_FOUND || status == MOHO_ERROR_TOO_LARGE ? MOHO_OK : status; /* then it has no mark */
}

/* The same for every chunk of the box, all threads at work; the first failure ends it. */
static moho_status for_each_chunk(const box_task *task, moho_status (*act)(const box_task *, size_t)) {
  moho_error error = {.code = MOHO_OK};
  int failed = 0;
#pragma omp parallel for schedule(dynamic) if (task->n > 1)
  for (size_t n = 0; n < task->n; n++) {
    int stop;
#pragma omp atomic read
    stop = failed;
    if (stop || !act(task, n)) continue;
#pragma omp critical(moho_zarr_write_error)
    error = moho_error_take();
#pragma omp atomic write
    failed = 1;
  }
  return error.code ? moho_error_set(&error) : MOHO_OK;
}

static moho_status run(box_task *task, moho_status (*act)(const box_task *, size_t), moho_zarr_mark *mark) {
  MOHO_TRY(begin(task));
  if (mark) MOHO_TRY(moho_allocate(task->n, sizeof *task->marks, "marks of chunks", &task->marks));
  moho_status status = for_each_chunk(task, act);
  for (size_t n = 0; mark && !status && n < task->n; n++) add_mark(mark, &task->marks[n]);
  free(task->marks);
  return status;
}

moho_status moho_zarr_put_box(const char *group, const char *name, const moho_zarr_layout *layout, const moho_zarr_box *box,
                              const void *data, moho_zarr_mark *mark) {
  box_task task = {.group = group, .name = name, .layout = layout, .box = box, .data = data};
  return run(&task, put_chunk, mark);
}

moho_status moho_zarr_mark_box(const char *group, const char *name, const moho_zarr_layout *layout, const moho_zarr_box *box,
                               moho_zarr_mark *mark) {
  box_task task = {.group = group, .name = name, .layout = layout, .box = box};
  return run(&task, look_at_chunk, mark);
}

/* ---- zeros ---- */

static moho_status put_packed(const box_task *task, size_t n) {
  size_t index[MOHO_ZARR_AXES] = {0};
  char *file;
  chunk_index(task, n, index);
  MOHO_TRY(chunk_file(task, index, &file));
  moho_status status = moho_file_write_all(file, task->data, task->marks->bytes);
  free(file);
  return status;
}

/* Every chunk is the same file: it is packed once. */
moho_status moho_zarr_put_zeros(const char *group, const char *name, const moho_zarr_layout *layout) {
  size_t bytes = moho_zarr_chunk_elements(layout) * moho_zarr_type_bytes(layout->type), size = 0;
  moho_zarr_box box = {{0}, {0}};
  memcpy(box.count, layout->shape, sizeof box.count);
  void *chunk = NULL, *packed = NULL;
  moho_status status = moho_allocate(bytes, 1, "Zarr chunk", &chunk);
  if (!status) status = pack(layout, chunk, bytes, &packed, &size);
  moho_zarr_mark length = {.bytes = size};
  box_task task = {.group = group, .name = name, .layout = layout, .box = &box, .data = packed, .marks = &length};
  if (!status) status = begin(&task);
  if (!status) status = for_each_chunk(&task, put_packed);
  free(packed), free(chunk);
  return status;
}
