/* zarr_store.c - reading Zarr v2: groups, attributes, any slice of an array. */
#include "survey/zarr_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/zarr_convert.h"
#include "survey/zarr_layout.h"

struct moho_zarr_array {
  char *directory;
  moho_zarr_layout layout;
  json_t *attributes;
  size_t chunk_bytes;
  pthread_mutex_t lock; /* of the last chunk decoded: reading in small steps decodes each chunk once */
  size_t kept_index;    /* SIZE_MAX: none */
  void *kept;
};

/* ---- groups ---- */

static int exists(const char *path, const char *name) {
  char *file;
  if (moho_zarr_join(path, name, NULL, &file)) return 0;
  int found = access(file, F_OK) == 0;
  free(file);
  return found;
}

static moho_status check_is_group(const char *path) {
  moho_place place = {.file = path};
  struct stat status;
  if (stat(path, &status))
    return moho_fail_at(place, "check the path", MOHO_ERROR_NOT_FOUND, "%s: no such file or directory", path);
  if (!S_ISDIR(status.st_mode))
    return moho_fail_at(place, "a Zarr v2 group is a directory that holds .zgroup", MOHO_ERROR_FORMAT,
                        "%s is a file, expected a Zarr directory", path);
  if (exists(path, ".zgroup")) return MOHO_OK;
  if (exists(path, "zarr.json"))
    return moho_fail_at(place, "write it with zarr_format=2", MOHO_ERROR_FORMAT, "%s is Zarr v3, only v2 is read", path);
  if (exists(path, ".zarray"))
    return moho_fail_at(place, "give the directory above it", MOHO_ERROR_FORMAT, "%s is a single Zarr array, expected a group",
                        path);
  return moho_fail_at(place, "give a directory written as a Zarr v2 group", MOHO_ERROR_FORMAT,
                      "%s is no Zarr group: it holds no .zgroup", path);
}

/* The JSON object of <path>/<name>/<rest>, {} where there is no such file. */
static moho_status read_optional_json(const char *path, const char *name, const char *rest, json_t **out) {
  char *file;
  MOHO_TRY(moho_zarr_join(path, name, rest, &file));
  moho_status status = MOHO_OK;
  if (access(file, F_OK) == 0) status = moho_zarr_read_json(file, out);
  else if (!(*out = json_object())) status = moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", file);
  free(file);
  return status;
}

moho_status moho_zarr_group_read_attributes(const char *path, json_t **out) {
  char *file;
  json_t *group = NULL;
  *out = NULL;
  MOHO_TRY(check_is_group(path));
  MOHO_TRY(moho_zarr_join(path, ".zgroup", NULL, &file));
  moho_status status = moho_zarr_read_json(file, &group);
  if (!status && json_integer_value(json_object_get(group, "zarr_format")) != 2)
    status = moho_fail_at((moho_place){.file = file}, "write the group with zarr_format=2", MOHO_ERROR_FORMAT,
                          "%s: zarr_format is not 2", file);
  json_decref(group);
  free(file);
  return status ? status : read_optional_json(path, ".zattrs", NULL, out);
}

int moho_zarr_group_has(const char *path, const char *name) {
  char *directory;
  if (moho_zarr_join(path, name, NULL, &directory)) return 0;
  int found = exists(directory, ".zarray");
  free(directory);
  return found;
}

/* ---- opening an array ---- */

static void take_axis_names(const json_t *attributes, moho_zarr_layout *layout) {
  const json_t *names = json_object_get(attributes, "_ARRAY_DIMENSIONS");
  for (size_t a = 0; a < layout->n_axes; a++) {
    const char *name = json_string_value(json_array_get(names, a));
    if (name && strlen(name) < MOHO_ZARR_NAME) memcpy(layout->axes[a], name, strlen(name) + 1);
  }
}

static moho_status check_chunk_memory(const moho_zarr_array *array) {
  char need[32], have[32];
  size_t free_bytes = moho_machine_memory_free();
  if (array->chunk_bytes / 2 <= free_bytes / 4) return MOHO_OK; /* a chunk and what it is compressed to, twice */
  return moho_fail_at((moho_place){.file = array->directory}, "rewrite the array with smaller chunks", MOHO_ERROR_TOO_LARGE,
                      "%s: one chunk takes %s, %s of memory are free", array->directory,
                      moho_bytes_text((double)array->chunk_bytes, need), moho_bytes_text((double)free_bytes, have));
}

static moho_status open_array(const char *path, const char *name, moho_zarr_array *array) {
  char *file;
  json_t *metadata = NULL;
  MOHO_TRY(moho_zarr_join(path, name, NULL, &array->directory));
  if (!moho_zarr_group_has(path, name))
    return moho_fail_at((moho_place){.file = path}, "list the group's arrays with `ls`", MOHO_ERROR_NOT_FOUND,
                        "%s: no array \"%s\" in this Zarr group", path, name);
  MOHO_TRY(moho_zarr_join(path, name, ".zarray", &file));
  moho_status status = moho_zarr_read_json(file, &metadata);
  if (!status) status = moho_zarr_layout_parse(metadata, file, &array->layout);
  json_decref(metadata);
  free(file);
  if (!status) status = read_optional_json(path, name, ".zattrs", &array->attributes);
  if (status) return status;
  take_axis_names(array->attributes, &array->layout);
  array->chunk_bytes = moho_zarr_chunk_elements(&array->layout) * moho_zarr_type_bytes(array->layout.type);
  return check_chunk_memory(array);
}

moho_status moho_zarr_array_open(const char *path, const char *name, moho_zarr_array **out) {
  *out = NULL;
  MOHO_TRY(check_is_group(path));
  moho_zarr_array *array = calloc(1, sizeof *array);
  if (!array) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  pthread_mutex_init(&array->lock, NULL);
  array->kept_index = SIZE_MAX;
  moho_status status = open_array(path, name, array);
  if (status) moho_zarr_array_close(&array);
  *out = array;
  return status;
}

void moho_zarr_array_close(moho_zarr_array **array_pointer) {
  moho_zarr_array *array = *array_pointer;
  if (!array) return;
  pthread_mutex_destroy(&array->lock);
  json_decref(array->attributes);
  free(array->directory);
  free(array->kept);
  free(array);
  *array_pointer = NULL;
}

const moho_zarr_layout *moho_zarr_array_get_layout(const moho_zarr_array *array) {
  return &array->layout;
}

const json_t *moho_zarr_array_get_attributes(const moho_zarr_array *array) {
  return array->attributes;
}

/* ---- reading a slice ---- */

typedef struct slice {
  const size_t *first, *count;
  moho_zarr_type as;
  unsigned char *out;
  size_t chunk_first[MOHO_ZARR_AXES], chunks[MOHO_ZARR_AXES]; /* chunks that the slice touches */
} slice;

static moho_status load_chunk(const moho_zarr_array *array, const size_t *index, void *chunk) {
  char name[96], *file, *data = NULL;
  size_t bytes = 0, limit = array->chunk_bytes + array->chunk_bytes / 4 + 65536;
  moho_zarr_chunk_name(&array->layout, index, name);
  MOHO_TRY(moho_zarr_join(array->directory, name, NULL, &file));
  moho_status status = moho_file_read_all(file, limit, &data, &bytes);
  if (!status) {
    status = moho_zarr_decode(array->layout.codec, data, bytes, chunk, array->chunk_bytes, file);
  } else if (status == MOHO_ERROR_NOT_FOUND) {
    moho_zarr_fill_chunk(&array->layout, chunk, moho_zarr_chunk_elements(&array->layout));
    status = MOHO_OK;
  }
  free(data);
  free(file);
  return status;
}

/* The part of a chunk that lies in the slice, row by row along the last axis. */
static moho_status copy_chunk(const moho_zarr_array *array, const slice *s, const size_t *index, const unsigned char *chunk) {
  const moho_zarr_layout *layout = &array->layout;
  size_t axes = layout->n_axes, low[MOHO_ZARR_AXES], size[MOHO_ZARR_AXES], rows = 1;
  for (size_t a = 0; a < axes; a++) {
    size_t chunk_low = index[a] * layout->chunk[a], chunk_high = chunk_low + layout->chunk[a], high = s->first[a] + s->count[a];
    low[a] = chunk_low > s->first[a] ? chunk_low : s->first[a];
    size[a] = (chunk_high < high ? chunk_high : high) - low[a];
    if (a + 1 < axes) rows *= size[a];
  }
  for (size_t row = 0; row < rows; row++) {
    size_t from = 0, to = 0, rest = row, at[MOHO_ZARR_AXES] = {0};
    for (size_t a = axes - 1; a-- > 0; rest /= size[a]) at[a] = rest % size[a];
    for (size_t a = 0; a < axes; a++) {
      from = from * layout->chunk[a] + (low[a] + at[a] - index[a] * layout->chunk[a]);
      to = to * s->count[a] + (low[a] + at[a] - s->first[a]);
    }
    if (!moho_zarr_convert(layout, chunk + from * moho_zarr_type_bytes(layout->type), size[axes - 1], s->as,
                           s->out + to * moho_zarr_type_bytes(s->as)))
      return moho_fail_at((moho_place){.file = array->directory}, "store the array as int32 (or floats as float32)",
                          MOHO_ERROR_FORMAT, "%s holds numbers that are not whole or do not fit the integers expected here",
                          array->directory);
  }
  return MOHO_OK;
}

static size_t flat_index(const moho_zarr_layout *layout, const size_t *index) {
  size_t flat = 0;
  for (size_t a = 0; a < layout->n_axes; a++) flat = flat * moho_zarr_chunk_count(layout, a) + index[a];
  return flat;
}

/* Decodes outside the lock, so that threads work side by side; the last one keeps its chunk for whoever reads on from it. */
static moho_status read_chunk(moho_zarr_array *array, const slice *s, const size_t *index) {
  size_t flat = flat_index(&array->layout, index);
  pthread_mutex_lock(&array->lock);
  int kept = array->kept_index == flat;
  moho_status status = kept ? copy_chunk(array, s, index, array->kept) : MOHO_OK;
  pthread_mutex_unlock(&array->lock);
  if (kept) return status;
  void *chunk;
  MOHO_TRY(moho_allocate(array->chunk_bytes, 1, "Zarr chunk", &chunk));
  status = load_chunk(array, index, chunk);
  if (!status) status = copy_chunk(array, s, index, chunk);
  if (!status) {
    pthread_mutex_lock(&array->lock);
    void *older = array->kept;
    array->kept = chunk, array->kept_index = flat, chunk = older;
    pthread_mutex_unlock(&array->lock);
  }
  free(chunk);
  return status;
}

static moho_status check_slice(const moho_zarr_array *array, const slice *s) {
  for (size_t a = 0; a < array->layout.n_axes; a++)
    if (s->first[a] > array->layout.shape[a] || s->count[a] > array->layout.shape[a] - s->first[a])
      return moho_fail_at((moho_place){.file = array->directory}, NULL, MOHO_ERROR_RANGE,
                          "%s: elements %zu to %zu asked for along axis %zu of length %zu", array->directory, s->first[a],
                          s->first[a] + s->count[a], a, array->layout.shape[a]);
  return MOHO_OK;
}

moho_status moho_zarr_array_read(moho_zarr_array *array, const size_t *first, const size_t *count, moho_zarr_type as, void *out) {
  const moho_zarr_layout *layout = &array->layout;
  slice s = {.first = first, .count = count, .as = as, .out = out};
  size_t n_chunks = 1;
  MOHO_TRY(check_slice(array, &s));
  for (size_t a = 0; a < layout->n_axes; a++) {
    if (count[a] == 0) return MOHO_OK;
    s.chunk_first[a] = first[a] / layout->chunk[a];
    s.chunks[a] = (first[a] + count[a] - 1) / layout->chunk[a] - s.chunk_first[a] + 1;
    n_chunks *= s.chunks[a];
  }
  moho_error error = {.code = MOHO_OK};
  int failed = 0;
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
  for (size_t n = 0; n < n_chunks; n++) {
    size_t index[MOHO_ZARR_AXES] = {0}, rest = n;
    int stop;
#pragma omp atomic read
    stop = failed;
    for (size_t a = layout->n_axes; a-- > 0; rest /= s.chunks[a]) index[a] = s.chunk_first[a] + rest % s.chunks[a];
    if (stop || !read_chunk(array, &s, index)) continue;
#pragma omp critical(moho_zarr_read_error)
    error = moho_error_take();
#pragma omp atomic write
    failed = 1;
  }
  return error.code ? moho_error_set(&error) : MOHO_OK;
}

moho_status moho_zarr_read_whole(const char *path, const char *name, moho_zarr_type as, moho_zarr_layout *layout, void *out) {
  moho_zarr_array *array;
  const size_t first[MOHO_ZARR_AXES] = {0};
  size_t elements = 1, free_bytes = moho_machine_memory_free();
  char need[32], have[32];
  *(void **)out = NULL;
  MOHO_TRY(moho_zarr_array_open(path, name, &array));
  for (size_t a = 0; a < array->layout.n_axes; a++) elements *= array->layout.shape[a];
  size_t bytes = elements * moho_zarr_type_bytes(as);
  moho_status status;
  if (bytes > free_bytes)
    status = moho_fail_at((moho_place){.file = path}, "cut the array to what is needed, or use a machine with more memory",
                          MOHO_ERROR_TOO_LARGE, "%s: array \"%s\" takes %s, %s of memory are free", path, name,
                          moho_bytes_text((double)bytes, need), moho_bytes_text((double)free_bytes, have));
  else status = moho_allocate(elements, moho_zarr_type_bytes(as), name, out);
  if (!status) status = moho_zarr_array_read(array, first, array->layout.shape, as, *(void **)out);
  if (status) free(*(void **)out), *(void **)out = NULL;
  if (!status && layout) *layout = array->layout;
  moho_zarr_array_close(&array);
  return status;
}
