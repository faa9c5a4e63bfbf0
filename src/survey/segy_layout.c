/* segy_layout.c - byte order, format, sizes and the beginning of the traces of a SEG-Y file, from its raw bytes. */
#include "survey/segy_layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "survey/raw_read.h"

/* Fields of the binary header by the standard's byte numbers. */
#define FIELD(layout, byte) ((layout)->binary + ((byte)-3201))

static const struct {
  int code;
  size_t bytes;
  const char *name;
} formats[] = {
    {1, 4, "IBM float"}, {2, 4, "4-byte integer"}, {3, 2, "2-byte integer"}, {5, 4, "IEEE float"}, {8, 1, "1-byte integer"}};
static const struct {
  int code;
  const char *name;
} refused_formats[] = {{4, "fixed point with gain, obsolete"},
                       {6, "8-byte IEEE float"},
                       {7, "3-byte integer"},
                       {9, "8-byte integer"},
                       {10, "4-byte unsigned integer"},
                       {11, "2-byte unsigned integer"},
                       {12, "8-byte unsigned integer"},
                       {15, "3-byte unsigned integer"},
                       {16, "1-byte unsigned integer"}};

static int is_known_code(int code) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (formats[i].code == code) return 1;
  for (size_t i = 0; i < sizeof refused_formats / sizeof *refused_formats; i++)
    if (refused_formats[i].code == code) return 1;
  return 0;
}

static moho_status unknown_format(const char *path, const moho_segy_layout *layout) {
  moho_place place = {.file = path, .has_byte = 1, .byte = 3224};
  int code = moho_raw_u2(FIELD(layout, 3225), 0);
  if (layout->text_encoding == MOHO_TEXT_NONE)
    return moho_fail_at(
        place, "check that this is the right file: a SEG-Y file begins with 3200 bytes of text and 400 of binary header",
        MOHO_ERROR_FORMAT,
        "%s is neither SEG-Y nor SU: no text in its first 3200 bytes, and bytes 3225-3226 hold %d, no sample format", path, code);
  return moho_fail_at(
      place, "if this is a SEG-Y file, write the true format into its binary header (1 IBM float, 5 IEEE float)",
      MOHO_ERROR_FORMAT,
      "%s: unknown sample format %d (bytes 3225-3226), expected 1, 2, 3, 5 or 8; this is no SEG-Y file or its header is damaged",
      path, code);
}

/* The byte order in which the format code makes sense; rev 2 writes 16909060 at 3297 to tell it. */
static moho_status find_order_and_format(const char *path, moho_segy_layout *layout) {
  int big = moho_raw_u2(FIELD(layout, 3225), 0), little = moho_raw_u2(FIELD(layout, 3225), 1);
  if (is_known_code(big)) layout->little_endian = 0;
  else if (is_known_code(little)) layout->little_endian = 1;
  else return unknown_format(path, layout);
  if (moho_raw_u4(FIELD(layout, 3297), 0) == 33620995u) /* 0x02010403: bytes swapped in pairs */
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = 3296}, "convert the file to big-endian SEG-Y",
                        MOHO_ERROR_FORMAT, "%s: pairs of bytes are swapped (bytes 3297-3300): big and little endian are read",
                        path);
  layout->format = layout->little_endian ? little : big;
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (formats[i].code == layout->format) layout->sample_bytes = formats[i].bytes;
  for (size_t i = 0; i < sizeof refused_formats / sizeof *refused_formats; i++)
    if (refused_formats[i].code == layout->format)
      return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = 3224}, "convert it to 4-byte IEEE float (format 5)",
                          MOHO_ERROR_FORMAT, "%s: sample format %d (%s, bytes 3225-3226) is not read; 1, 2, 3, 5 and 8 are", path,
                          layout->format, refused_formats[i].name);
  return MOHO_OK;
}

/* Extended headers of unknown number (-1): they end with the one that holds ((SEG: EndText)). */
static moho_status search_end_text(int file, const char *path, moho_segy_layout *layout) {
  uint8_t block[MOHO_SEGY_TEXT_BYTES];
  for (uint64_t at = MOHO_SEGY_HEADER_BYTES; at + sizeof block <= layout->file_bytes && layout->n_extended < 4096;
       at += sizeof block) {
    MOHO_TRY(moho_raw_read(file, path, at, block, sizeof block));
    layout->n_extended++;
    if (moho_segy_text_is_end(block, sizeof block)) return MOHO_OK;
  }
  return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = 3504},
                      "write the number of extended headers into bytes 3505-3506 (0 when there are none)", MOHO_ERROR_FORMAT,
                      "%s: bytes 3505-3506 promise extended headers up to one with ((SEG: EndText)), and there is none", path);
}

/* Candidates of where traces begin, the likeliest first. */
static moho_status find_starts(int file, const char *path, moho_segy_layout *layout, moho_anomalies *anomalies,
                               uint64_t starts[3], size_t *count) {
  int extended = moho_raw_i2(FIELD(layout, 3505), layout->little_endian);
  uint64_t offset = moho_raw_u8(FIELD(layout, 3521), layout->little_endian);
  *count = 0;
  if (layout->revision >= 2 && offset >= MOHO_SEGY_HEADER_BYTES && offset < layout->file_bytes) starts[(*count)++] = offset;
  if (layout->revision == 0) {
    starts[(*count)++] = MOHO_SEGY_HEADER_BYTES; /* rev 0 knows no extended headers: the bytes may hold anything */
    if (extended > 0) starts[(*count)++] = MOHO_SEGY_HEADER_BYTES + (uint64_t)extended * MOHO_SEGY_TEXT_BYTES;
    return MOHO_OK;
  }
  if (extended == -1) {
    MOHO_TRY(search_end_text(file, path, layout));
    extended = (int)layout->n_extended;
    moho_anomalies_add(anomalies, "extended_headers_uncounted", 1, 0,
                       "the number of extended headers is given as -1: %d were found up to ((SEG: EndText))", extended);
  } else if (extended < 0 || MOHO_SEGY_HEADER_BYTES + (uint64_t)extended * MOHO_SEGY_TEXT_BYTES > layout->file_bytes) {
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = 3504},
                        "write the true number of extended headers there (0 when there are none)", MOHO_ERROR_FORMAT,
                        "%s: %d extended headers (bytes 3505-3506) do not fit into %llu bytes", path, extended,
                        (unsigned long long)layout->file_bytes);
  }
  starts[(*count)++] = MOHO_SEGY_HEADER_BYTES + (uint64_t)extended * MOHO_SEGY_TEXT_BYTES;
  if (extended > 0) starts[(*count)++] = MOHO_SEGY_HEADER_BYTES;
  return MOHO_OK;
}

typedef struct axis {
  uint64_t ns;
  double dt_us;
} axis;

static axis axis_of_binary(const moho_segy_layout *layout) {
  int little = layout->little_endian;
  axis found = {moho_raw_u2(FIELD(layout, 3221), little), moho_raw_u2(FIELD(layout, 3217), little)};
  if (layout->revision < 2) return found;
  uint32_t more_ns = moho_raw_u4(FIELD(layout, 3269), little);
  double more_dt = moho_raw_f8(FIELD(layout, 3273), little);
  if (more_ns) found.ns = more_ns;
  if (isfinite(more_dt) && more_dt > 0) found.dt_us = more_dt;
  return found;
}

static axis axis_of_trace(const uint8_t *header, const moho_header_map *map, int little) {
  double ns = moho_header_get(header, map, MOHO_HEADER_SAMPLES, little),
         dt = moho_header_get(header, map, MOHO_HEADER_INTERVAL, little);
  return (axis){ns > 0 && ns < 4e9 ? (uint64_t)ns : 0, dt > 0 && isfinite(dt) ? dt : 0};
}

/* How well (start, ns) explain the file: 2 for whole traces, 1 for a second header where one should be. */
static int layout_score(int file, const char *path, const moho_segy_layout *layout, const moho_header_map *map, uint64_t start,
                        uint64_t ns) {
  uint8_t first[MOHO_SEGY_TRACE_HEADER_BYTES];
  if (ns < 2 || start + sizeof first > layout->file_bytes) return -1;
  uint64_t trace_bytes = layout->header_bytes + ns * layout->sample_bytes,
           room = layout->file_bytes - start - layout->trailing_bytes;
  int score = room % trace_bytes == 0 ? 2 : 0;
  if (room >= trace_bytes + sizeof first && !moho_raw_read(file, path, start, first, sizeof first))
    score += moho_segy_resembles(file, path, start + trace_bytes, sizeof first, first, map, layout->little_endian);
  return score;
}

static moho_status no_trace_fits(const char *path, const moho_segy_layout *layout, axis binary, axis trace) {
  return moho_fail_at(
      (moho_place){.file = path, .has_byte = 1, .byte = 3220},
      "write the true number of samples into bytes 3221-3222; traces of different lengths in one file are not read",
      MOHO_ERROR_FORMAT,
      "%s: %llu bytes are no whole number of traces of %llu samples (binary header) or of %llu (header of trace 1)", path,
      (unsigned long long)layout->file_bytes, (unsigned long long)binary.ns, (unsigned long long)trace.ns);
}

/* Number of samples and start of the traces: the pair that explains the file's size and its second header; dt from the header
 * that was right about ns, the binary one where both are. */
static moho_status find_axis(int file, const char *path, const moho_header_map *map, moho_anomalies *anomalies,
                             const uint64_t *starts, size_t n_starts, moho_segy_layout *layout) {
  axis binary = axis_of_binary(layout), trace = {0, 0};
  int best = -1, from_trace = 0;
  uint64_t ns = binary.ns;
  layout->first_trace = starts[0];
  for (size_t i = 0; i < n_starts; i++) {
    uint8_t header[MOHO_SEGY_TRACE_HEADER_BYTES];
    axis here = {0, 0};
    if (starts[i] + sizeof header <= layout->file_bytes) {
      MOHO_TRY(moho_raw_read(file, path, starts[i], header, sizeof header));
      here = axis_of_trace(header, map, layout->little_endian);
    }
    if (i == 0) trace = here;
    for (int k = 0; k < 2; k++) {
      int score = layout_score(file, path, layout, map, starts[i], k ? here.ns : binary.ns);
      if (score > best) best = score, from_trace = k, ns = k ? here.ns : binary.ns, trace = here, layout->first_trace = starts[i];
    }
  }
  int trace_dt = trace.dt_us > 0 && (!(binary.dt_us > 0) || (from_trace && binary.ns >= 2));
  double dt_us = trace_dt ? trace.dt_us : binary.dt_us;
  MOHO_TRY(moho_segy_check_axis(path, dt_us, ns, 0));
  layout->n_samples = (size_t)ns;
  layout->dt_s = dt_us / 1e6;
  uint64_t trace_bytes = layout->header_bytes + ns * layout->sample_bytes, room = layout->file_bytes - layout->first_trace;
  if (best == 0 && binary.ns != trace.ns && trace.ns >= 2 && layout->file_bytes > layout->first_trace && room >= 2 * trace_bytes)
    return no_trace_fits(path, layout, binary, trace);
  if (from_trace)
    moho_anomalies_add(anomalies, "ns_conflict", 1, 0,
                       "the binary header says %llu samples, the trace headers %llu: %llu is used, it fits the file",
                       (unsigned long long)binary.ns, (unsigned long long)trace.ns, (unsigned long long)ns);
  if (trace_dt)
    moho_anomalies_add(anomalies, "dt_conflict", 1, 0, "the binary header says dt %g us, the trace headers %g us: %g us is used",
                       binary.dt_us, trace.dt_us, dt_us);
  if (layout->n_extended == 0 && layout->first_trace > MOHO_SEGY_HEADER_BYTES)
    layout->n_extended = (size_t)(layout->first_trace - MOHO_SEGY_HEADER_BYTES) / MOHO_SEGY_TEXT_BYTES;
  if (layout->first_trace != starts[0])
    moho_anomalies_add(anomalies, "first_trace_conflict", 1, 0,
                       "traces begin at byte %llu, not at %llu as the binary header says: that fits the file",
                       (unsigned long long)layout->first_trace, (unsigned long long)starts[0]);
  return MOHO_OK;
}

/* Rev 2: more 240-byte headers a trace, and data after the traces. */
static moho_status find_rev2_sizes(const char *path, moho_segy_layout *layout) {
  int32_t more = moho_raw_i4(FIELD(layout, 3507), layout->little_endian),
          trailers = moho_raw_i4(FIELD(layout, 3529), layout->little_endian);
  if (more < 0 || more > 1000)
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = 3506},
                        "write 0 there when traces have one header of 240 bytes", MOHO_ERROR_FORMAT,
                        "%s: %d additional trace headers (bytes 3507-3510), expected 0 to 1000", path, more);
  layout->header_bytes += (size_t)more * MOHO_SEGY_TRACE_HEADER_BYTES;
  uint64_t trailing = trailers > 0 ? (uint64_t)trailers * MOHO_SEGY_TEXT_BYTES : 0;
  if (trailing + MOHO_SEGY_HEADER_BYTES < layout->file_bytes) layout->trailing_bytes = trailing;
  return MOHO_OK;
}

static moho_status read_file_headers(int file, const char *path, moho_segy_layout *layout) {
  if (layout->file_bytes < MOHO_SEGY_HEADER_BYTES)
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = (int64_t)layout->file_bytes},
                        "check that this is the right file, or copy it again", MOHO_ERROR_FORMAT,
                        "%s is no SEG-Y file or is cut short in its file headers: it has %llu bytes, they take 3600", path,
                        (unsigned long long)layout->file_bytes);
  MOHO_TRY(moho_raw_read(file, path, 0, layout->text, sizeof layout->text));
  MOHO_TRY(moho_raw_read(file, path, MOHO_SEGY_TEXT_BYTES, layout->binary, sizeof layout->binary));
  layout->text_encoding = moho_segy_text_encoding(layout->text, sizeof layout->text);
  return MOHO_OK;
}

moho_status moho_segy_layout_find(int file, const char *path, uint64_t file_bytes, const moho_header_map *map,
                                  moho_anomalies *anomalies, moho_segy_layout *out) {
  uint64_t starts[3];
  size_t n_starts;
  *out = (moho_segy_layout){.file_bytes = file_bytes, .header_bytes = MOHO_SEGY_TRACE_HEADER_BYTES};
  MOHO_TRY(read_file_headers(file, path, out));
  MOHO_TRY(find_order_and_format(path, out));
  out->revision = *FIELD(out, out->little_endian && *FIELD(out, 3502) && !*FIELD(out, 3501) ? 3502 : 3501);
  if (out->revision > 2) {
    moho_anomalies_add(anomalies, "revision_unknown", 1, 0, "the revision (byte 3501) is %d: read as revision 0", out->revision);
    out->revision = 0;
  }
  out->measurement = moho_raw_i2(FIELD(out, 3255), out->little_endian);
  if (out->revision >= 2) MOHO_TRY(find_rev2_sizes(path, out));
  MOHO_TRY(find_starts(file, path, out, anomalies, starts, &n_starts));
  MOHO_TRY(find_axis(file, path, map, anomalies, starts, n_starts, out));
  return moho_segy_extent(file, path, map, anomalies, out);
}
