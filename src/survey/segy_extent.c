/* segy_extent.c - how many whole traces a file holds, and whether what follows them is padding or a trace cut short. */
#include <stdio.h>
#include <string.h>

#include "survey/raw_read.h"
#include "survey/segy_layout.h"

int moho_segy_resembles(int file, const char *path, uint64_t offset, size_t available, const uint8_t *first,
                        const moho_header_map *map, int little) {
  uint8_t header[MOHO_SEGY_TRACE_HEADER_BYTES] = {0};
  size_t n = available < sizeof header ? available : sizeof header, same = 0, zero = 0;
  if (n == 0 || moho_raw_read(file, path, offset, header, n)) return 0;
  for (size_t i = 0; i < n; i++) same += header[i] == first[i], zero += header[i] == 0;
  if (zero == n) return 0;
  double ns = moho_header_get(first, map, MOHO_HEADER_SAMPLES, little),
         dt = moho_header_get(first, map, MOHO_HEADER_INTERVAL, little);
  if (n >= 118 && ns > 0)
    return moho_header_get(header, map, MOHO_HEADER_SAMPLES, little) == ns &&
           moho_header_get(header, map, MOHO_HEADER_INTERVAL, little) == dt;
  return same * 4 >= n * 3; /* headers of one file differ in few bytes */
}

moho_status moho_segy_check_axis(const char *path, double dt_us, uint64_t n_samples, int su) {
  const char *ns_place = su ? "bytes 115-116 of trace 1" : "bytes 3221-3222",
             *dt_place = su ? "bytes 117-118 of trace 1" : "bytes 3217-3218";
  if (n_samples < 2)
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = su ? 114 : 3220},
                        "write the number of samples into the header", MOHO_ERROR_FORMAT,
                        "%s: a trace has %llu samples by its headers (%s), expected 2 or more", path,
                        (unsigned long long)n_samples, ns_place);
  if (!(dt_us >= 10 && dt_us <= 1e6))
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = su ? 116 : 3216},
                        "write the sample interval into the header, in microseconds (4000 for 4 ms)", MOHO_ERROR_FORMAT,
                        "%s: the sample interval is %g microseconds by its headers (%s), expected 10 to 1000000", path, dt_us,
                        dt_place);
  return MOHO_OK;
}

static moho_status cut_in_trace(const char *path, const moho_segy_layout *layout, uint64_t left) {
  uint64_t begin = layout->first_trace + (uint64_t)layout->n_traces * layout->trace_bytes;
  char hint[400];
  int in_header = left < layout->header_bytes;
  if (layout->n_traces)
    snprintf(hint, sizeof hint, "copy the file again; or keep its %zu whole traces: truncate -s %llu on a copy", layout->n_traces,
             (unsigned long long)begin);
  else
    snprintf(hint, sizeof hint, "copy the file again; if it is whole, its number of samples is wrong (%s)",
             layout->su ? "bytes 115-116 of trace 1" : "bytes 3221-3222 of the binary header");
  return moho_fail_at(
      (moho_place){.file = path, .trace = (int64_t)layout->n_traces + 1, .has_byte = 1, .byte = (int64_t)layout->file_bytes},
      hint, MOHO_ERROR_FORMAT,
      "%s is cut short in the %s of trace %zu: it ends at byte %llu, the trace (%zu samples) at byte %llu", path,
      in_header ? "header" : "samples", layout->n_traces + 1, (unsigned long long)layout->file_bytes, layout->n_samples,
      (unsigned long long)(begin + layout->trace_bytes));
}

static int all_zero(const uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (bytes[i]) return 0;
  return 1;
}

/* Text or padding after the last trace is no trace; anything like the other headers, or numbers of an unknown kind before the
 * first whole trace, is one cut short. */
static int is_cut_trace(int file, const char *path, const moho_header_map *map, const moho_segy_layout *layout,
                        const uint8_t *first, uint64_t left) {
  if (layout->n_traces == 0) return 1;
  uint8_t bytes[MOHO_SEGY_TRACE_HEADER_BYTES];
  size_t n = left < sizeof bytes ? (size_t)left : sizeof bytes;
  uint64_t at = layout->first_trace + (uint64_t)layout->n_traces * layout->trace_bytes;
  if (moho_raw_read(file, path, at, bytes, n)) return 0;
  if (all_zero(bytes, n)) return 0;
  if (n >= 8 && !memchr(bytes, 0, n) && moho_segy_text_encoding(bytes, n) != MOHO_TEXT_NONE)
    return 0; /* headers hold zeros, text none */
  return moho_segy_resembles(file, path, at, n, first, map, layout->little_endian);
}

/* Padding longer than a trace: at the end, "traces" whose headers hold nothing at all. */
static moho_status drop_padding(int file, const char *path, const uint8_t *first, moho_segy_layout *layout) {
  uint8_t last[MOHO_SEGY_TRACE_HEADER_BYTES];
  const size_t most = 1000000; /* a second's work */
  for (size_t dropped = 0; dropped < most && layout->n_traces > 1 && !all_zero(first, sizeof last); dropped++) {
    MOHO_TRY(moho_raw_read(file, path, layout->first_trace + (uint64_t)(layout->n_traces - 1) * layout->trace_bytes, last,
                           sizeof last));
    if (!all_zero(last, sizeof last)) break;
    layout->n_traces--;
    layout->trailing_bytes += layout->trace_bytes;
  }
  return MOHO_OK;
}

moho_status moho_segy_extent(int file, const char *path, const moho_header_map *map, moho_anomalies *anomalies,
                             moho_segy_layout *layout) {
  uint8_t first[MOHO_SEGY_TRACE_HEADER_BYTES] = {0};
  layout->trace_bytes = layout->header_bytes + layout->n_samples * layout->sample_bytes;
  uint64_t room =
      layout->file_bytes > layout->first_trace ? layout->file_bytes - layout->first_trace - layout->trailing_bytes : 0;
  layout->n_traces = (size_t)(room / layout->trace_bytes);
  uint64_t left = room % layout->trace_bytes;
  if (room == 0)
    return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = (int64_t)layout->file_bytes}, "copy the file again",
                        MOHO_ERROR_FORMAT, "%s holds file headers but no traces: it ends at byte %llu, traces begin at byte %llu",
                        path, (unsigned long long)layout->file_bytes, (unsigned long long)layout->first_trace);
  if (layout->n_traces) MOHO_TRY(moho_raw_read(file, path, layout->first_trace, first, sizeof first));
  if (left && is_cut_trace(file, path, map, layout, first, left)) return cut_in_trace(path, layout, left);
  layout->trailing_bytes += left;
  MOHO_TRY(drop_padding(file, path, first, layout));
  if (layout->trailing_bytes)
    moho_anomalies_add(anomalies, "trailing_bytes", 1, layout->n_traces - 1,
                       "%llu bytes after the last whole trace are no trace: left out",
                       (unsigned long long)layout->trailing_bytes);
  return MOHO_OK;
}
