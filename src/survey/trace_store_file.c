/* trace_store_file.c - layout, meta data and map of a trace store. */
#include "survey/trace_store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/raw_read.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "stores are written and mapped as they lie in memory, little endian"
#endif

_Static_assert(sizeof(moho_trace_cell) == 32, "as it lies in files");

enum { COLUMN_ALIGNMENT = 64, CHECKED_BLOCK = 1 << 20 };

moho_status moho_store_path(const char *directory, const char *name, char **out) {
  if (asprintf(out, "%s/%s", directory, name) >= 0) return MOHO_OK;
  *out = NULL;
  return moho_fail(MOHO_ERROR_MEMORY, "%s/%s: out of memory", directory, name);
}

uint32_t moho_store_check(const float *samples, size_t n_samples, uint64_t number) {
  return (uint32_t)moho_checksum(samples, n_samples * sizeof *samples, number);
}

/* ---- columns ---- */

size_t moho_store_column_size(moho_store_column column) {
  static const size_t sizes[] = {8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 1, sizeof(moho_trace_cell)};
  return sizes[column];
}

uint64_t moho_store_column_at(moho_store_column column, uint64_t n_traces, uint64_t n_cells) {
  uint64_t at = 0;
  for (int c = 0; c < (int)column; c++) {
    uint64_t bytes = (c == MOHO_STORE_CELLS ? n_cells : n_traces) * moho_store_column_size((moho_store_column)c);
    at += (bytes + COLUMN_ALIGNMENT - 1) / COLUMN_ALIGNMENT * COLUMN_ALIGNMENT;
  }
  return at;
}

size_t moho_store_trace_bytes(void) {
  size_t bytes = 0;
  for (int c = 0; c < MOHO_STORE_CELLS; c++) bytes += moho_store_column_size((moho_store_column)c);
  return bytes;
}

const void *moho_store_geometry_array(const moho_geometry *g, moho_store_column column) {
  const void *arrays[] = {
      NULL,          g->source_x, g->source_y,      g->receiver_x,       g->receiver_y, g->first_sample_s, g->mute_start_s,
      g->mute_end_s, g->cdp,      g->inline_number, g->crossline_number, NULL,          g->flags,          NULL};
  return arrays[column];
}

/* ---- meta.json ---- */

/* 64-bit checksums do not fit into JSON numbers. */
static json_t *hexadecimal(uint64_t value) {
  char text[20];
  snprintf(text, sizeof text, "%016" PRIx64, value);
  return json_string(text);
}

/* Keys sorted, no blanks: the text that its checksum is of. */
static uint64_t checksum_of(const json_t *json) {
  char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
  uint64_t sum = text ? moho_checksum(text, strlen(text), MOHO_STORE_VERSION) : 0;
  free(text);
  return sum;
}

moho_status moho_store_meta_write(const char *directory, const moho_store_meta *m) {
  json_t *json =
      json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:o}", "moho_trace_store", (int)MOHO_STORE_VERSION,
                "identity", m->identity, "source", m->source, "source_bytes", (json_int_t)m->state.bytes, "source_changed_ns",
                (json_int_t)m->state.changed_ns, "n_traces", (json_int_t)m->n_traces, "n_samples", (json_int_t)m->n_samples,
                "n_cells", (json_int_t)m->n_cells, "dt_s", m->dt_s, "origin_x_m", m->origin_x, "origin_y_m", m->origin_y,
                "cell_m", m->cell_m, "geometry_checksum", hexadecimal(m->geometry_checksum));
  char *text = NULL, *path = NULL;
  if (!json)
    return moho_fail_at((moho_place){.file = m->source}, "name the file in UTF-8", MOHO_ERROR_FORMAT,
                        "%s: its name cannot be kept in the trace store's meta.json", m->source);
  if (json_object_set_new(json, "checksum", hexadecimal(checksum_of(json))) == 0)
    text = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  json_decref(json);
  moho_status status = text ? moho_store_path(directory, "meta.json", &path)
                            : moho_fail(MOHO_ERROR_MEMORY, "%s/meta.json: out of memory", directory);
  if (!status) status = moho_file_write_all(path, text, strlen(text));
  free(path);
  free(text);
  return status;
}

static moho_status damaged(const char *path, const char *why) {
  return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_FORMAT, "%s: %s", path, why);
}

static uint64_t whole_member(const json_t *json, const char *name) {
  return (uint64_t)json_integer_value(json_object_get(json, name));
}

static double real_member(const json_t *json, const char *name) {
  return json_number_value(json_object_get(json, name));
}

static void copy_text(char *to, size_t size, const json_t *json, const char *name) {
  const char *text = json_string_value(json_object_get(json, name));
  snprintf(to, size, "%s", text ? text : "");
}

static uint64_t checksum_member(const json_t *json, const char *name) {
  const char *text = json_string_value(json_object_get(json, name));
  return text ? strtoull(text, NULL, 16) : 0;
}

/* What the checksum vouches for needs no further checks. */
static moho_status read_members(json_t *json, const char *path, moho_store_meta *m) {
  if (!json_is_object(json)) return damaged(path, "is not JSON");
  if (whole_member(json, "moho_trace_store") != MOHO_STORE_VERSION) return damaged(path, "is of another version");
  uint64_t checksum = checksum_member(json, "checksum");
  json_object_del(json, "checksum");
  if (checksum != checksum_of(json)) return damaged(path, "was changed (its checksum differs)");
  *m = (moho_store_meta){.state = {whole_member(json, "source_bytes"), (int64_t)whole_member(json, "source_changed_ns")},
                         .n_traces = whole_member(json, "n_traces"),
                         .n_samples = whole_member(json, "n_samples"),
                         .n_cells = whole_member(json, "n_cells"),
                         .dt_s = real_member(json, "dt_s"),
                         .origin_x = real_member(json, "origin_x_m"),
                         .origin_y = real_member(json, "origin_y_m"),
                         .cell_m = real_member(json, "cell_m"),
                         .geometry_checksum = checksum_member(json, "geometry_checksum")};
  copy_text(m->identity, sizeof m->identity, json, "identity");
  copy_text(m->source, sizeof m->source, json, "source");
  return MOHO_OK;
}

moho_status moho_store_meta_read(const char *directory, moho_store_meta *meta, int *found) {
  char *path, *text;
  size_t bytes;
  *found = 0;
  MOHO_TRY(moho_store_path(directory, "meta.json", &path));
  moho_status status = moho_file_read_all(path, 1 << 20, &text, &bytes);
  if (status == MOHO_ERROR_NOT_FOUND) {
    free(path);
    return MOHO_OK;
  }
  if (!status) {
    json_t *json = json_loadb(text, bytes, 0, NULL);
    status = read_members(json, path, meta);
    *found = !status;
    json_decref(json);
    free(text);
  }
  free(path);
  return status;
}

/* ---- the map ---- */

static void place_columns(moho_store_map *map, uint64_t n, uint64_t n_cells) {
  char *base = (char *)(uintptr_t)map->base;
  moho_geometry *g = &map->geometry;
  void *at[MOHO_STORE_COLUMNS];
  for (int c = 0; c < MOHO_STORE_COLUMNS; c++) at[c] = base + moho_store_column_at((moho_store_column)c, n, n_cells);
  map->numbers = at[MOHO_STORE_NUMBERS], map->checks = at[MOHO_STORE_CHECKS], map->cells = at[MOHO_STORE_CELLS];
  *g = (moho_geometry){.n = n,
                       .source_x = at[MOHO_STORE_SOURCE_X],
                       .source_y = at[MOHO_STORE_SOURCE_Y],
                       .receiver_x = at[MOHO_STORE_RECEIVER_X],
                       .receiver_y = at[MOHO_STORE_RECEIVER_Y],
                       .first_sample_s = at[MOHO_STORE_FIRST_SAMPLE],
                       .mute_start_s = at[MOHO_STORE_MUTE_START],
                       .mute_end_s = at[MOHO_STORE_MUTE_END],
                       .cdp = at[MOHO_STORE_CDP],
                       .inline_number = at[MOHO_STORE_INLINE],
                       .crossline_number = at[MOHO_STORE_CROSSLINE],
                       .flags = at[MOHO_STORE_FLAGS]};
}

static moho_status map_file(const char *path, uint64_t bytes, moho_store_map *map) {
  moho_file_state state = moho_file_state_of(path);
  if (state.bytes != bytes) {
    char why[120];
    snprintf(why, sizeof why, "holds %" PRIu64 " bytes, expected %" PRIu64, state.bytes, bytes);
    return damaged(path, why);
  }
  if (!bytes) return MOHO_OK;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  void *base = file < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
  int error_number = errno;
  if (file >= 0) close(file);
  if (base == MAP_FAILED)
    return moho_fail_at((moho_place){.file = path}, "check the file's permissions and the limits on address space", MOHO_ERROR_IO,
                        "%s: mapping failed: %s", path, strerror(error_number));
  map->base = base, map->bytes = bytes;
  return MOHO_OK;
}

moho_status moho_store_map_open(const char *directory, uint64_t n_traces, uint64_t n_cells, moho_store_map *out) {
  char *path;
  *out = (moho_store_map){0};
  MOHO_TRY(moho_store_path(directory, "geometry.bin", &path));
  moho_status status = map_file(path, moho_store_column_at(MOHO_STORE_COLUMNS, n_traces, n_cells), out);
  if (!status) place_columns(out, n_traces, n_cells);
  free(path);
  return status;
}

void moho_store_map_close(moho_store_map *map) {
  if (map->base) munmap((void *)(uintptr_t)map->base, map->bytes);
  *map = (moho_store_map){0};
}

void moho_store_map_rest(const moho_store_map *map) {
  if (map->base) madvise((void *)(uintptr_t)map->base, map->bytes, MADV_DONTNEED);
}

static moho_status check_block(int file, const char *path, uint64_t bytes, size_t block, void *buffer, uint64_t *sum) {
  uint64_t at = (uint64_t)block * CHECKED_BLOCK;
  size_t n = bytes - at < CHECKED_BLOCK ? (size_t)(bytes - at) : CHECKED_BLOCK;
  MOHO_TRY(moho_raw_read(file, path, at, buffer, n));
  *sum = moho_checksum(buffer, n, block);
  return MOHO_OK;
}

/* Of blocks, in parallel: the sum of their checks, each of which knows its place. Read, not mapped: pages looked at once would
 * count as memory of the process. */
static moho_status checksum_of_file(int file, const char *path, uint64_t bytes, uint64_t *out) {
  size_t blocks = (size_t)((bytes + CHECKED_BLOCK - 1) / CHECKED_BLOCK);
  uint64_t sum = bytes;
  int failed = 0;
  moho_error error = {0};
#pragma omp parallel reduction(+ : sum) if (blocks > 8)
  {
    void *buffer;
    moho_status status = moho_allocate(CHECKED_BLOCK, 1, "a block of a file", &buffer);
#pragma omp for schedule(static)
    for (size_t b = 0; b < blocks; b++) {
      uint64_t part = 0;
      if (!status) status = check_block(file, path, bytes, b, buffer, &part);
      sum += part;
    }
    if (status) {
#pragma omp critical(moho_store_checksum_error)
      error = moho_error_take(), failed = 1;
    }
    free(buffer);
  }
  *out = sum;
  return failed ? moho_error_set(&error) : MOHO_OK;
}

moho_status moho_store_geometry_checksum(const char *directory, uint64_t *out) {
  char *path;
  MOHO_TRY(moho_store_path(directory, "geometry.bin", &path));
  int file = open(path, O_RDONLY | O_CLOEXEC);
  moho_status status =
      file < 0 ? moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_IO, "%s: opening failed: %s", path, strerror(errno))
               : checksum_of_file(file, path, moho_file_state_of(path).bytes, out);
  if (file >= 0) close(file);
  free(path);
  return status;
}
