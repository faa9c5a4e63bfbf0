/* zarr_writer.c - writing Zarr v2 groups: under a temporary name, chunks in parallel, metadata consolidated at the end. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/zarr_layout.h"

enum { MAX_ARRAYS = 32 };

typedef struct array_entry {
  char name[MOHO_ZARR_NAME];
  moho_zarr_layout layout;
} array_entry;

struct moho_zarr_writer {
  char *path, *temporary;
  json_t *metadata; /* of .zmetadata: file name -> its JSON */
  size_t n_arrays;
  array_entry arrays[MAX_ARRAYS];
};

static moho_status out_of_memory(const moho_zarr_writer *writer) {
  return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", writer->path);
}

/* ---- the group ---- */

static int is_empty_directory(const char *path) {
  DIR *directory = opendir(path);
  int entries = 0;
  while (directory && readdir(directory)) entries++;
  if (directory) closedir(directory);
  return entries == 2; /* "." and ".." */
}

/* What is replaced at the end must be a Zarr group: a mistyped path must not cost anyone a directory. */
static moho_status check_replaceable(const char *path) {
  char *mark;
  if (access(path, F_OK)) return MOHO_OK; /* nothing there; other trouble shows when the directory is made */
  MOHO_TRY(moho_zarr_join(path, ".zgroup", NULL, &mark));
  int is_group = access(mark, F_OK) == 0;
  free(mark);
  if (is_group || is_empty_directory(path)) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path}, "give another name, or remove it yourself", MOHO_ERROR_EXISTS,
                      "%s exists and is no Zarr group: it is not replaced", path);
}

moho_status moho_zarr_writer_create(const char *path, moho_zarr_writer **out) {
  *out = NULL;
  moho_zarr_writer *writer = calloc(1, sizeof *writer);
  if (writer) writer->path = strdup(path), writer->metadata = json_object();
  if (!writer || !writer->path || !writer->metadata) {
    moho_zarr_writer_discard(&writer);
    return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  }
  for (size_t length = strlen(path); length > 1 && writer->path[length - 1] == '/'; length--) writer->path[length - 1] = '\0';
  moho_status status = check_replaceable(writer->path);
  if (!status) status = moho_directory_begin(writer->path, &writer->temporary);
  json_object_set_new(writer->metadata, ".zgroup", json_pack("{s:i}", "zarr_format", 2));
  json_object_set_new(writer->metadata, ".zattrs", json_object());
  if (status) moho_zarr_writer_discard(&writer);
  *out = writer;
  return status;
}

moho_status moho_zarr_writer_set_attributes(moho_zarr_writer *writer, json_t *attributes) {
  if (!attributes) return MOHO_OK;
  return json_object_set_new(writer->metadata, ".zattrs", attributes) ? out_of_memory(writer) : MOHO_OK;
}

void moho_zarr_writer_discard(moho_zarr_writer **writer_pointer) {
  moho_zarr_writer *writer = *writer_pointer;
  if (!writer) return;
  moho_directory_discard(&writer->temporary);
  json_decref(writer->metadata);
  free(writer->path);
  free(writer);
  *writer_pointer = NULL;
}

/* Errors speak of the name the user gave, not of the temporary one that is gone by then. */
static moho_status name_the_group(const moho_zarr_writer *writer, moho_status status) {
  moho_error error = moho_error_take();
  if (status != MOHO_ERROR_IO) return status;
  const char *reason = strrchr(error.message, ':');
  return moho_fail_at((moho_place){.file = writer->path}, error.hint, status, "%s: writing failed%s", writer->path,
                      reason ? reason : "");
}

static moho_status write_json(const moho_zarr_writer *writer, const char *name, const json_t *value) {
  char *file, *text = json_dumps(value, JSON_INDENT(2));
  if (!text) return out_of_memory(writer);
  moho_status status = moho_zarr_join(writer->temporary, name, NULL, &file);
  if (!status) {
    status = moho_file_write_all(file, text, strlen(text));
    free(file);
  }
  free(text);
  return status;
}

static moho_status write_metadata(const moho_zarr_writer *writer) {
  const char *name;
  json_t *value;
  json_object_foreach(writer->metadata, name, value) MOHO_TRY(write_json(writer, name, value));
  json_t *all = json_pack("{s:i, s:O}", "zarr_consolidated_format", 1, "metadata", writer->metadata);
  if (!all) return out_of_memory(writer);
  moho_status status = write_json(writer, ".zmetadata", all);
  json_decref(all);
  return status;
}

moho_status moho_zarr_writer_finish(moho_zarr_writer **writer_pointer) {
  moho_zarr_writer *writer = *writer_pointer;
  moho_status status = write_metadata(writer);
  if (!status) status = moho_directory_commit(writer->path, &writer->temporary);
  if (status) status = name_the_group(writer, status);
  moho_zarr_writer_discard(writer_pointer);
  return status;
}

/* ---- arrays ---- */

static moho_status set_metadata(moho_zarr_writer *writer, const char *array, const char *file, json_t *value) {
  char key[MOHO_ZARR_NAME + 16];
  snprintf(key, sizeof key, "%s/%s", array, file);
  return json_object_set_new(writer->metadata, key, value) ? out_of_memory(writer) : MOHO_OK;
}

static moho_status set_attributes(moho_zarr_writer *writer, const array_entry *entry, json_t *attributes) {
  json_t *names = json_array();
  for (size_t a = 0; a < entry->layout.n_axes; a++) json_array_append_new(names, json_string(entry->layout.axes[a]));
  if (json_object_set_new(attributes, "_ARRAY_DIMENSIONS", names) || json_array_size(names) != entry->layout.n_axes) {
    json_decref(attributes);
    return out_of_memory(writer);
  }
  return set_metadata(writer, entry->name, ".zattrs", attributes);
}

moho_status moho_zarr_writer_add_array(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes) {
  char *directory;
  if (!attributes) attributes = json_object();
  if (writer->n_arrays == MAX_ARRAYS || strlen(name) >= MOHO_ZARR_NAME) {
    json_decref(attributes);
    return moho_fail(MOHO_ERROR_INTERNAL, "%s: array \"%s\" is one too many, or its name too long", writer->path, name);
  }
  array_entry *entry = &writer->arrays[writer->n_arrays++];
  snprintf(entry->name, sizeof entry->name, "%s", name);
  entry->layout = *layout;
  entry->layout.codec = moho_zarr_codec_for_writing();
  entry->layout.separator = '.';
  entry->layout.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  for (size_t a = 0; a < layout->n_axes; a++)
    if (entry->layout.chunk[a] > layout->shape[a]) entry->layout.chunk[a] = layout->shape[a];
  MOHO_TRY(set_attributes(writer, entry, attributes));
  MOHO_TRY(set_metadata(writer, name, ".zarray", moho_zarr_layout_to_json(&entry->layout)));
  MOHO_TRY(moho_zarr_join(writer->temporary, name, NULL, &directory));
  moho_status status = moho_directory_make(directory);
  free(directory);
  return status ? name_the_group(writer, status) : MOHO_OK;
}

/* ---- chunks ---- */

/* Rows [first, ...) of `data` that fall into the chunk; what lies beyond the array's ends stays 0. */
static void gather_chunk(const moho_zarr_layout *layout, const size_t *index, size_t first, const unsigned char *data,
                         unsigned char *chunk) {
  size_t axes = layout->n_axes, bytes = moho_zarr_type_bytes(layout->type), size[MOHO_ZARR_AXES], rows = 1;
  for (size_t a = 0; a < axes; a++) {
    size_t left = layout->shape[a] - index[a] * layout->chunk[a];
    size[a] = left < layout->chunk[a] ? left : layout->chunk[a];
    if (a + 1 < axes) rows *= size[a];
  }
  for (size_t row = 0; row < rows; row++) {
    size_t from = 0, to = 0, rest = row, at[MOHO_ZARR_AXES] = {0};
    for (size_t a = axes - 1; a-- > 0; rest /= size[a]) at[a] = rest % size[a];
    for (size_t a = 0; a < axes; a++) {
      from = from * layout->shape[a] + index[a] * layout->chunk[a] + at[a] - (a ? 0 : first);
      to = to * layout->chunk[a] + at[a];
    }
    memcpy(chunk + to * bytes, data + from * bytes, size[axes - 1] * bytes);
  }
}

static moho_status write_chunk(const moho_zarr_writer *writer, const array_entry *entry, const size_t *index, const void *chunk,
                               size_t bytes) {
  char name[96], *file;
  void *packed;
  size_t packed_bytes = 0;
  moho_zarr_chunk_name(&entry->layout, index, name);
  MOHO_TRY(moho_zarr_join(writer->temporary, entry->name, name, &file));
  moho_status status =
      moho_zarr_encode(entry->layout.codec, moho_zarr_type_bytes(entry->layout.type), chunk, bytes, &packed, &packed_bytes);
  if (!status) {
    status = moho_file_write_all(file, packed, packed_bytes);
    free(packed);
  }
  free(file);
  return status;
}

static moho_status put_chunk(const moho_zarr_writer *writer, const array_entry *entry, size_t n, size_t first, const void *data) {
  const moho_zarr_layout *layout = &entry->layout;
  size_t index[MOHO_ZARR_AXES] = {0}, bytes = moho_zarr_chunk_elements(layout) * moho_zarr_type_bytes(layout->type);
  void *chunk;
  moho_zarr_chunk_index(layout, n, index);
  MOHO_TRY(moho_allocate(bytes, 1, "Zarr chunk", &chunk));
  gather_chunk(layout, index, first, data, chunk);
  moho_status status = write_chunk(writer, entry, index, chunk, bytes);
  free(chunk);
  return status;
}

moho_status moho_zarr_writer_put_rows(moho_zarr_writer *writer, const char *name, size_t first, size_t n, const void *data) {
  const array_entry *entry = NULL;
  for (size_t i = 0; i < writer->n_arrays; i++)
    if (strcmp(writer->arrays[i].name, name) == 0) entry = &writer->arrays[i];
  const moho_zarr_layout *layout = entry ? &entry->layout : NULL;
  if (!entry || first % layout->chunk[0] || first > layout->shape[0] || n > layout->shape[0] - first ||
      (n % layout->chunk[0] && first + n < layout->shape[0]))
    return moho_fail(MOHO_ERROR_INTERNAL, "%s: rows %zu to %zu of \"%s\" are no whole chunks", writer->path, first, first + n,
                     name);
  size_t chunks_a_row = 1;
  for (size_t a = 1; a < layout->n_axes; a++) chunks_a_row *= moho_zarr_chunk_count(layout, a);
  size_t from = first / layout->chunk[0] * chunks_a_row,
         to = ((first + n + layout->chunk[0] - 1) / layout->chunk[0]) * chunks_a_row;
  moho_error error = {.code = MOHO_OK};
  int failed = 0;
#pragma omp parallel for schedule(dynamic) if (to - from > 1)
  for (size_t c = from; c < to; c++) {
    int stop;
#pragma omp atomic read
    stop = failed;
    if (stop || !put_chunk(writer, entry, c, first, data)) continue;
#pragma omp critical(moho_zarr_write_error)
    error = moho_error_take();
#pragma omp atomic write
    failed = 1;
  }
  if (!error.code) return MOHO_OK;
  moho_error_set(&error);
  return name_the_group(writer, error.code);
}

moho_status moho_zarr_writer_put_array(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes, const void *data) {
  MOHO_TRY(moho_zarr_writer_add_array(writer, name, layout, attributes));
  return moho_zarr_writer_put_rows(writer, name, 0, layout->shape[0], data);
}
