/* zarr_traces_writer.c - writing trace files as Zarr groups, in order, in bounded memory.
 *
 * Samples are gathered until a few chunks are full, which are then compressed side by side; headers, of 61 bytes a trace,
 * in chunks of many traces.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/zarr_store.h"
#include "survey/zarr_traces.h"
#include "survey/zarr_traces_headers.h"

enum { CHUNK_BYTES = 4 << 20, CHUNKS_AT_ONCE = 8, HEADER_CHUNK = 65536 };

struct moho_zarr_traces_writer {
  moho_zarr_writer *group;
  char *path;
  size_t n_traces, n_samples;
  size_t appended;
  size_t sample_rows, sample_capacity; /* traces gathered, and room for them: a whole number of chunks */
  float *samples;
  size_t header_rows, header_capacity;
  moho_geometry headers;
};

static moho_status add_arrays(moho_zarr_traces_writer *writer, size_t chunk_traces) {
  size_t n = writer->n_traces;
  moho_zarr_layout samples = {.type = MOHO_ZARR_F4,
                              .n_axes = 2,
                              .shape = {n, writer->n_samples},
                              .chunk = {chunk_traces, writer->n_samples},
                              .axes = {"trace", "time"}};
  MOHO_TRY(moho_zarr_writer_add_array(writer->group, "traces", &samples, NULL));
  for (size_t h = 0; h < MOHO_ZARR_HEADERS; h++) {
    moho_zarr_layout layout = {
        .type = moho_zarr_headers[h].type, .n_axes = 1, .shape = {n}, .chunk = {HEADER_CHUNK}, .axes = {"trace"}};
    MOHO_TRY(moho_zarr_writer_add_array(writer->group, moho_zarr_headers[h].name, &layout,
                                        json_pack("{s:s}", "units", moho_zarr_headers[h].unit)));
  }
  return MOHO_OK;
}

static moho_status create_writer(moho_zarr_traces_writer *writer, double dt_s, const char *description) {
  size_t n = writer->n_traces, chunk = CHUNK_BYTES / (sizeof(float) * writer->n_samples);
  if (chunk < 1) chunk = 1;
  writer->sample_capacity = chunk * CHUNKS_AT_ONCE < n ? chunk * CHUNKS_AT_ONCE : n;
  writer->header_capacity = n < HEADER_CHUNK ? n : HEADER_CHUNK;
  size_t values;
  MOHO_TRY(moho_multiply(writer->sample_capacity, writer->n_samples, "trace samples", &values));
  MOHO_TRY(moho_allocate(values, sizeof(float), "traces to be written", &writer->samples));
  MOHO_TRY(moho_geometry_create(writer->header_capacity, &writer->headers));
  MOHO_TRY(moho_zarr_writer_create(writer->path, &writer->group));
  json_t *attributes = json_pack("{s:f, s:s}", "dt_s", dt_s, "description", description ? description : "");
  if (!attributes) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the description is not UTF-8 text", writer->path);
  MOHO_TRY(moho_zarr_writer_set_attributes(writer->group, attributes));
  return add_arrays(writer, chunk);
}

moho_status moho_zarr_traces_writer_create(const char *path, size_t n_traces, size_t n_samples, double dt_s,
                                           const char *description, moho_zarr_traces_writer **out) {
  *out = NULL;
  if (n_traces < 1 || n_samples < 1 || n_samples > (size_t)1 << 28 || !(dt_s > 0))
    return moho_fail_at(
        (moho_place){.file = path}, "say beforehand how many traces will come; for streams of unknown length write SEG-Y",
        MOHO_ERROR_ARGUMENT, "%s: %zu traces of %zu samples, dt %g s: a Zarr trace file needs at least one of each and dt > 0",
        path, n_traces, n_samples, dt_s);
  moho_zarr_traces_writer *writer = calloc(1, sizeof *writer);
  if (writer) writer->path = strdup(path), writer->n_traces = n_traces, writer->n_samples = n_samples;
  moho_status status = !writer || !writer->path ? moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path)
                                                : create_writer(writer, dt_s, description);
  if (status) moho_zarr_traces_writer_discard(&writer);
  *out = writer;
  return status;
}

static moho_status flush_samples(moho_zarr_traces_writer *writer) {
  size_t n = writer->sample_rows;
  writer->sample_rows = 0;
  return n ? moho_zarr_writer_put_rows(writer->group, "traces", writer->appended - n, n, writer->samples) : MOHO_OK;
}

static moho_status flush_headers(moho_zarr_traces_writer *writer) {
  size_t n = writer->header_rows;
  writer->header_rows = 0;
  for (size_t h = 0; n && h < MOHO_ZARR_HEADERS; h++)
    MOHO_TRY(moho_zarr_writer_put_rows(writer->group, moho_zarr_headers[h].name, writer->appended - n, n,
                                       moho_zarr_header_values(&writer->headers, h)));
  return MOHO_OK;
}

static void gather(moho_zarr_traces_writer *writer, const moho_geometry *geometry, size_t first, size_t n, const float *traces) {
  memcpy(writer->samples + writer->sample_rows * writer->n_samples, traces + first * writer->n_samples,
         n * writer->n_samples * sizeof(float));
  for (size_t h = 0; h < MOHO_ZARR_HEADERS; h++) {
    size_t bytes = moho_zarr_type_bytes(moho_zarr_headers[h].type);
    memcpy((char *)moho_zarr_header_values(&writer->headers, h) + writer->header_rows * bytes,
           (const char *)moho_zarr_header_values(geometry, h) + first * bytes, n * bytes);
  }
  writer->sample_rows += n;
  writer->header_rows += n;
  writer->appended += n;
}

moho_status moho_zarr_traces_writer_append(moho_zarr_traces_writer *writer, const moho_geometry *geometry, const float *traces) {
  if (geometry->n > writer->n_traces - writer->appended)
    return moho_fail_at((moho_place){.file = writer->path}, NULL, MOHO_ERROR_ARGUMENT,
                        "%s: %zu traces after %zu are more than the %zu that were announced", writer->path, geometry->n,
                        writer->appended, writer->n_traces);
  for (size_t first = 0, n; first < geometry->n; first += n) {
    size_t sample_room = writer->sample_capacity - writer->sample_rows,
           header_room = writer->header_capacity - writer->header_rows;
    n = geometry->n - first;
    if (n > sample_room) n = sample_room;
    if (n > header_room) n = header_room;
    gather(writer, geometry, first, n, traces);
    if (writer->sample_rows == writer->sample_capacity) MOHO_TRY(flush_samples(writer));
    if (writer->header_rows == writer->header_capacity) MOHO_TRY(flush_headers(writer));
  }
  return MOHO_OK;
}

moho_status moho_zarr_traces_writer_finish(moho_zarr_traces_writer **writer_pointer) {
  moho_zarr_traces_writer *writer = *writer_pointer;
  moho_status status = MOHO_OK;
  if (writer->appended < writer->n_traces)
    status = moho_fail_at((moho_place){.file = writer->path}, NULL, MOHO_ERROR_ARGUMENT,
                          "%s: %zu traces were appended, %zu announced", writer->path, writer->appended, writer->n_traces);
  if (!status) status = flush_samples(writer);
  if (!status) status = flush_headers(writer);
  if (!status) status = moho_zarr_writer_finish(&writer->group);
  moho_zarr_traces_writer_discard(writer_pointer);
  return status;
}

void moho_zarr_traces_writer_discard(moho_zarr_traces_writer **writer_pointer) {
  moho_zarr_traces_writer *writer = *writer_pointer;
  if (!writer) return;
  moho_zarr_writer_discard(&writer->group);
  moho_geometry_release(&writer->headers);
  free(writer->samples);
  free(writer->path);
  free(writer);
  *writer_pointer = NULL;
}
