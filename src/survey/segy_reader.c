/* segy_reader.c - an open SEG-Y or SU file. */
#include "survey/segy_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "survey/raw_read.h"
#include "survey/segy_samples.h"
#include "survey/trace_geometry.h"

enum { TEXT_HEADERS_SHOWN = 16 };

struct moho_segy_reader {
  int file;
  const char *path;
  char *text;
  moho_header_map map;
  moho_segy_layout layout;
};

static moho_status open_file(const char *path, int *file, uint64_t *bytes) {
  struct stat status;
  *file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not waited for */
  if (*file < 0) {
    if (errno == ENOENT)
      return moho_fail_at((moho_place){.file = path}, "check the path", MOHO_ERROR_NOT_FOUND, "%s: no such file", path);
    return moho_fail_at((moho_place){.file = path}, "check the path and its permissions", MOHO_ERROR_IO, "%s: opening failed: %s",
                        path, strerror(errno));
  }
  if (fstat(*file, &status) || !S_ISREG(status.st_mode))
    return moho_fail_at((moho_place){.file = path}, "give a trace file on disk, not a pipe or device", MOHO_ERROR_FORMAT,
                        "%s is no ordinary file", path);
  if (status.st_size == 0)
    return moho_fail_at((moho_place){.file = path, .has_byte = 1}, "check what wrote it, or copy it again", MOHO_ERROR_FORMAT,
                        "%s is an empty file", path);
  *bytes = (uint64_t)status.st_size;
  return MOHO_OK;
}

static moho_status find_layout(moho_segy_reader *reader, uint64_t file_bytes, const char *headers, moho_anomalies *anomalies) {
  moho_header_map su_map;
  MOHO_TRY(moho_header_map_parse(headers, 1, &su_map));
  if (moho_su_recognise(reader->file, reader->path, file_bytes, &su_map)) {
    reader->map = su_map;
    return moho_su_layout_find(reader->file, reader->path, file_bytes, &reader->map, anomalies, &reader->layout);
  }
  MOHO_TRY(moho_header_map_parse(headers, 0, &reader->map));
  return moho_segy_layout_find(reader->file, reader->path, file_bytes, &reader->map, anomalies, &reader->layout);
}

/* The textual header and the extended ones that are text. */
static moho_status read_text(moho_segy_reader *reader) {
  const moho_segy_layout *layout = &reader->layout;
  size_t shown = layout->n_extended < TEXT_HEADERS_SHOWN ? layout->n_extended : TEXT_HEADERS_SHOWN;
  MOHO_TRY(moho_allocate(shown + 1, 2 * MOHO_SEGY_TEXT_BYTES + 64, "text headers", &reader->text));
  moho_segy_text_decode(layout->text, layout->text_encoding, reader->text);
  for (size_t i = 0; i < shown; i++) {
    uint8_t block[MOHO_SEGY_TEXT_BYTES];
    MOHO_TRY(moho_raw_read(reader->file, reader->path, MOHO_SEGY_HEADER_BYTES + (uint64_t)i * sizeof block, block, sizeof block));
    moho_segy_text_decode(block, moho_segy_text_encoding(block, sizeof block), reader->text);
  }
  return MOHO_OK;
}

static void describe(const moho_segy_layout *layout, moho_traces_info *info) {
  static const char *const names[] = {
      [1] = "IBM float", [2] = "4-byte integer", [3] = "2-byte integer", [5] = "IEEE float", [8] = "1-byte integer"};
  const char *order = layout->little_endian ? "little endian" : "big endian";
  info->kind = layout->su ? MOHO_TRACE_FILE_SU : MOHO_TRACE_FILE_SEGY;
  if (layout->su) snprintf(info->format, sizeof info->format, "SU, %s", order);
  else snprintf(info->format, sizeof info->format, "SEG-Y rev %d, %s, %s", layout->revision, names[layout->format], order);
  info->n_traces = layout->n_traces;
  info->n_samples = layout->n_samples;
  info->dt_s = layout->dt_s;
  info->file_bytes = layout->file_bytes;
}

/* A header mute that the samples do not show was written before the file was: in the field, or by a copy of other headers. */
static moho_status check_mutes(const moho_segy_reader *reader, const moho_tally *mutes, moho_geometry *g,
                               moho_anomalies *anomalies) {
  const moho_segy_layout *layout = &reader->layout;
  uint8_t *bytes = NULL;
  float *samples = NULL;
  size_t inside = 0, live = 0, step = g->n / 64 + 1;
  moho_status status = moho_allocate(layout->trace_bytes, 1, "a trace", &bytes);
  if (!status) status = moho_allocate(layout->n_samples, sizeof *samples, "a trace", &samples);
  for (size_t i = mutes->first; !status && i < g->n; i += step) {
    if (!(g->mute_end_s[i] > 0) || !moho_geometry_is_live(g, i)) continue;
    status = moho_segy_samples_read(reader->file, reader->path, layout, i, 1, bytes, samples);
    for (size_t j = 0; !status && j < layout->n_samples; j++) {
      double t = g->first_sample_s[i] + (double)j * layout->dt_s;
      if (t < (double)g->mute_start_s[i] || t > (double)g->mute_end_s[i]) continue;
      inside++;
      live += samples[j] != 0;
    }
  }
  free(bytes);
  free(samples);
  if (status || live * 2 <= inside) return status;
  for (size_t i = 0; i < g->n; i++) g->mute_start_s[i] = g->mute_end_s[i] = 0;
  moho_anomalies_add(anomalies, "mute_not_applied", mutes->count, mutes->first,
                     "headers say muted to %g ms (bytes 111-114), the samples there are not zero: no mute", mutes->value);
  return MOHO_OK;
}

static moho_status scan(moho_segy_reader *reader, const moho_traces_options *options, moho_anomalies *anomalies,
                        moho_header_columns *columns, moho_statics_scan *statics, moho_traces_info *info,
                        moho_geometry *geometry) {
  moho_header_scan headers;
  double unit_m = moho_trace_units(&reader->layout, options) == MOHO_UNITS_FT ? moho_metres_per_foot : 1;
  MOHO_TRY(moho_statics_begin(options->statics, reader->path, 1, unit_m, reader->layout.n_traces, statics));
  MOHO_TRY(moho_header_scan_run(reader->file, reader->path, &reader->layout, &reader->map, options, columns, statics, &headers));
  moho_status status = moho_trace_geometry_decide(reader->path, &reader->layout, &reader->map, options, &headers, anomalies,
                                                  &info->units, &info->geometry);
  if (!status && headers.tallies[MOHO_TALLY_MUTE].count)
    status = check_mutes(reader, &headers.tallies[MOHO_TALLY_MUTE], &headers.geometry, anomalies);
  if (!status) {
    moho_statics_tell(statics, anomalies);
    memcpy(info->land, statics->file.ranges, sizeof info->land);
    *geometry = headers.geometry;
    headers.geometry = (moho_geometry){0};
    memcpy(info->input_hash, headers.hash, sizeof info->input_hash);
  }
  moho_header_scan_release(&headers);
  return status;
}

moho_status moho_segy_reader_open(const char *path, const moho_traces_options *options, moho_anomalies *anomalies,
                                  moho_header_columns *columns, moho_statics_scan *statics, moho_traces_info *info,
                                  moho_geometry *geometry, moho_segy_reader **out) {
  uint64_t file_bytes = 0;
  moho_segy_reader *reader;
  MOHO_TRY(moho_allocate(1, sizeof *reader, "trace file", &reader));
  reader->path = path;
  moho_status status = open_file(path, &reader->file, &file_bytes);
  if (!status) status = find_layout(reader, file_bytes, options->headers, anomalies);
  if (!status) status = read_text(reader);
  if (!status) describe(&reader->layout, info);
  if (!status) status = scan(reader, options, anomalies, columns, statics, info, geometry);
  if (status) {
    moho_segy_reader_close(&reader);
    return status;
  }
  info->text_header = reader->text;
  *out = reader;
  return MOHO_OK;
}

void moho_segy_reader_close(moho_segy_reader **reader) {
  if (!*reader) return;
  if ((*reader)->file >= 0) close((*reader)->file);
  free((*reader)->text);
  free(*reader);
  *reader = NULL;
}

size_t moho_segy_reader_trace_bytes(const moho_segy_reader *reader) {
  return reader->layout.trace_bytes;
}

moho_status moho_segy_reader_read(const moho_segy_reader *reader, size_t first, size_t n, uint8_t *scratch, float *out) {
  return moho_segy_samples_read(reader->file, reader->path, &reader->layout, first, n, scratch, out);
}

moho_status moho_segy_reader_header(const moho_segy_reader *reader, const char *name, size_t first, size_t n, double *out) {
  moho_header_place place;
  uint8_t header[MOHO_SEGY_TRACE_HEADER_BYTES];
  MOHO_TRY(moho_header_map_find(&reader->map, name, &place));
  if (!place.byte)
    return moho_fail_at((moho_place){.key = name}, "tell its place, as headers: {inline: 189}", MOHO_ERROR_KEY,
                        "%s: header %s has no place in this file", reader->path, name);
  for (size_t i = 0; i < n; i++) {
    uint64_t at = reader->layout.first_trace + (uint64_t)(first + i) * reader->layout.trace_bytes;
    MOHO_TRY(moho_raw_read(reader->file, reader->path, at, header, sizeof header));
    out[i] = moho_header_value(header, place, reader->layout.little_endian);
  }
  return MOHO_OK;
}
