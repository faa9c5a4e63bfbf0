/* segy_writer.c - SEG-Y and SU files, trace by trace in bounded memory. */
#include "survey/segy_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/segy_text.h"
#include "survey/trace_header_write.h"

enum { TRACE_HEADER_BYTES = 240, BUFFER_BYTES = 4 << 20 };

struct moho_segy_writer {
  moho_file_writer *file;
  char *path;
  moho_trace_header_style style;
  size_t n_samples, trace_bytes, buffer_traces;
  uint64_t announced, written;
  uint8_t *buffer;
};

static moho_status check_axis(const char *path, const moho_segy_writer_options *options, uint16_t *dt_us) {
  double us = options->dt_s * 1e6;
  moho_place place = {.file = path};
  if (options->n_samples < 1 || options->n_samples > UINT16_MAX)
    return moho_fail_at(place, "write .zarr instead, or fewer samples", MOHO_ERROR_RANGE,
                        "%s: %zu samples a trace, the headers hold 1 to 65535", path, options->n_samples);
  if (!(us >= 1 && us <= UINT16_MAX) || fabs(us - nearbyint(us)) > 1e-6)
    return moho_fail_at(place, "write .zarr instead, or another dt", MOHO_ERROR_RANGE,
                        "%s: dt is %.9g s, the headers hold 1 to 65535 whole microseconds", path, options->dt_s);
  *dt_us = (uint16_t)nearbyint(us);
  return MOHO_OK;
}

static void put2(uint8_t *binary, int byte, int value) {
  binary[byte - 3201] = (uint8_t)(value >> 8);
  binary[byte - 3200] = (uint8_t)value;
}

static moho_status write_file_headers(moho_segy_writer *writer, const moho_segy_writer_options *options) {
  uint8_t text[MOHO_SEGY_TEXT_BYTES], binary[400] = {0};
  moho_segy_text_encode(options->description ? options->description : "", text);
  put2(binary, 3203, 1); /* job, line, reel */
  put2(binary, 3207, 1);
  put2(binary, 3211, 1);
  put2(binary, 3213, options->ensemble ? (int)options->ensemble : 1); /* traces an ensemble */
  put2(binary, 3217, writer->style.dt_us);
  put2(binary, 3219, writer->style.dt_us);
  put2(binary, 3221, writer->style.n_samples);
  put2(binary, 3223, writer->style.n_samples);
  put2(binary, 3225, 5);                                                /* IEEE float */
  put2(binary, 3227, options->ensemble ? (int)options->ensemble : 1);   /* fold of an ensemble */
  put2(binary, 3229, options->ensemble ? 2 : options->stacked ? 4 : 1); /* 2: CDP ensembles, 4: stacked, 1: as recorded */
  put2(binary, 3231, 1);                                                /* vertical sum code: none */
  put2(binary, 3255, 1);                                                /* metres */
  put2(binary, 3501, 0x0100);                                           /* rev 1.0 */
  put2(binary, 3503, 1);                                                /* all traces of one length */
  MOHO_TRY(moho_file_writer_write(writer->file, text, sizeof text));
  return moho_file_writer_write(writer->file, binary, sizeof binary);
}

moho_status moho_segy_writer_create(const char *path, const moho_segy_writer_options *options, moho_segy_writer **out) {
  moho_segy_writer *writer;
  uint16_t dt_us;
  *out = NULL;
  MOHO_TRY(check_axis(path, options, &dt_us));
  MOHO_TRY(moho_allocate(1, sizeof *writer, "trace file", &writer));
  writer->style = (moho_trace_header_style){.su = options->su,
                                            .stacked = options->stacked,
                                            .ensemble = options->ensemble,
                                            .ensemble_offsets = options->ensemble_offsets,
                                            .coordinate_divisor = options->coordinate_divisor,
                                            .n_samples = (uint16_t)options->n_samples,
                                            .dt_us = dt_us};
  writer->n_samples = options->n_samples;
  writer->announced = options->n_traces;
  writer->trace_bytes = TRACE_HEADER_BYTES + 4 * options->n_samples;
  writer->buffer_traces = BUFFER_BYTES / writer->trace_bytes + 1;
  writer->path = strdup(path);
  moho_status status = writer->path ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!status) status = moho_allocate(writer->buffer_traces, writer->trace_bytes, "traces", &writer->buffer);
  if (!status) status = moho_file_writer_open(path, &writer->file);
  if (!status && !options->su) status = write_file_headers(writer, options);
  if (status) moho_segy_writer_discard(&writer);
  *out = writer;
  return status;
}

static void put_samples(uint8_t *to, const float *samples, size_t n, int little) {
  if (little) {
    memcpy(to, samples, 4 * n);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, samples + i, 4);
    bits = __builtin_bswap32(bits);
    memcpy(to + 4 * i, &bits, 4);
  }
}

moho_status moho_segy_writer_append(moho_segy_writer *writer, const moho_geometry *geometry, const float *traces) {
  if (writer->announced && geometry->n > writer->announced - writer->written)
    return moho_fail_at((moho_place){.file = writer->path}, NULL, MOHO_ERROR_ARGUMENT,
                        "%s: %zu traces after %llu, announced were %llu", writer->path, geometry->n,
                        (unsigned long long)writer->written, (unsigned long long)writer->announced);
  if (!writer->style.coordinate_divisor && geometry->n) writer->style.coordinate_divisor = moho_trace_header_divisor(geometry);
  for (size_t done = 0; done < geometry->n;) {
    size_t left = geometry->n - done, n = left < writer->buffer_traces ? left : writer->buffer_traces;
    for (size_t i = 0; i < n; i++) {
      uint8_t *trace = writer->buffer + i * writer->trace_bytes;
      if (moho_trace_header_write(&writer->style, geometry, done + i, writer->written + i + 1, trace))
        return moho_fail_add_place((moho_place){.file = writer->path}, NULL);
      put_samples(trace + TRACE_HEADER_BYTES, traces + (done + i) * writer->n_samples, writer->n_samples, writer->style.su);
    }
    MOHO_TRY(moho_file_writer_write(writer->file, writer->buffer, n * writer->trace_bytes));
    writer->written += n;
    done += n;
  }
  return MOHO_OK;
}

moho_status moho_segy_writer_finish(moho_segy_writer **writer) {
  moho_status status;
  if ((*writer)->announced && (*writer)->written != (*writer)->announced)
    status = moho_fail_at((moho_place){.file = (*writer)->path}, NULL, MOHO_ERROR_ARGUMENT,
                          "%s: %llu traces were written, %llu announced", (*writer)->path, (unsigned long long)(*writer)->written,
                          (unsigned long long)(*writer)->announced);
  else status = moho_file_writer_commit(&(*writer)->file);
  moho_segy_writer_discard(writer);
  return status;
}

void moho_segy_writer_discard(moho_segy_writer **writer) {
  if (!*writer) return;
  moho_file_writer_discard(&(*writer)->file);
  free((*writer)->buffer);
  free((*writer)->path);
  free(*writer);
  *writer = NULL;
}
