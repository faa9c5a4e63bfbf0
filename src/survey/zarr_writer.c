/* zarr_writer.c - writing Zarr v2 groups: under a temporary name, chunks in parallel, metadata consolidated at the end. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/zarr_box.h"
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

/* Before the group gets its name the names in it must be on disk: a group that lacks chunks would read as one with holes. */
static moho_status sync_names(const moho_zarr_writer *writer) {
  for (size_t i = 0; i < writer->n_arrays; i++) {
    char *directory;
    MOHO_TRY(moho_zarr_join(writer->temporary, writer->arrays[i].name, NULL, &directory));
    moho_status status = moho_directory_sync(directory);
    free(directory);
    if (status) return status;
  }
  return moho_directory_sync(writer->temporary);
}

moho_status moho_zarr_writer_finish(moho_zarr_writer **writer_pointer) {
  moho_zarr_writer *writer = *writer_pointer;
  moho_status status = write_metadata(writer);
  if (!status) status = sync_names(writer);
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

moho_status moho_zarr_writer_put_rows(moho_zarr_writer *writer, const char *name, size_t first, size_t n, const void *data) {
  const array_entry *entry = NULL;
  for (size_t i = 0; i < writer->n_arrays; i++)
    if (strcmp(writer->arrays[i].name, name) == 0) entry = &writer->arrays[i];
  if (!entry) return moho_fail(MOHO_ERROR_INTERNAL, "%s: no array \"%s\" was announced", writer->path, name);
  moho_zarr_box box = {.first = {first}, .count = {n}};
  for (size_t a = 1; a < entry->layout.n_axes; a++) box.count[a] = entry->layout.shape[a];
  moho_status status = moho_zarr_put_box(writer->temporary, name, &entry->layout, &box, data, NULL);
  return status ? name_the_group(writer, status) : MOHO_OK;
}

moho_status moho_zarr_writer_put_zeros(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes) {
  MOHO_TRY(moho_zarr_writer_add_array(writer, name, layout, attributes));
  moho_status status = moho_zarr_put_zeros(writer->temporary, name, &writer->arrays[writer->n_arrays - 1].layout);
  return status ? name_the_group(writer, status) : MOHO_OK;
}

moho_status moho_zarr_writer_put_array(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes, const void *data) {
  MOHO_TRY(moho_zarr_writer_add_array(writer, name, layout, attributes));
  return moho_zarr_writer_put_rows(writer, name, 0, layout->shape[0], data);
}
