/* segy_layout.h - what a SEG-Y or SU file's raw bytes say of its build: byte order, format, sizes, where traces begin.
 *
 * Decided by us from the bytes: libsegyio knows neither -1 extended headers, trailing bytes, ns > 32767 nor little endian by
 * itself. Field positions: SEG-Y rev 0 (Barry, Cavers & Kneale 1975), rev 1 (SEG 2002), rev 2 (SEG 2017).
 */
#ifndef MOHO_SURVEY_SEGY_LAYOUT_H
#define MOHO_SURVEY_SEGY_LAYOUT_H

#include "survey/anomalies.h"
#include "survey/segy_text.h"
#include "survey/trace_header_map.h"

enum { MOHO_SEGY_HEADER_BYTES = 3600, MOHO_SEGY_TRACE_HEADER_BYTES = 240 };

typedef struct moho_segy_layout {
  int su; /* no file headers */
  int little_endian;
  int revision; /* 0, 1, 2 */
  int format;   /* 1, 2, 3, 5, 8 */
  size_t sample_bytes;
  int measurement; /* bytes 3255-3256: 1 metres, 2 feet, others say nothing */
  uint64_t file_bytes, first_trace, trailing_bytes;
  size_t header_bytes; /* of a trace: 240, more with rev 2 header extensions */
  size_t trace_bytes, n_traces, n_samples;
  double dt_s;
  size_t n_extended; /* extended textual headers */
  moho_text_encoding text_encoding;
  uint8_t text[MOHO_SEGY_TEXT_BYTES], binary[400];
} moho_segy_layout;

/* 1 when the bytes look like SU and not like SEG-Y (path: its ending decides where both would do). */
int moho_su_recognise(int file, const char *path, uint64_t file_bytes, const moho_header_map *su_map);

/* Errors name byte and remedy; what is odd but decided goes to anomalies. */
moho_status moho_segy_layout_find(int file, const char *path, uint64_t file_bytes, const moho_header_map *map,
                                  moho_anomalies *anomalies, moho_segy_layout *out);
moho_status moho_su_layout_find(int file, const char *path, uint64_t file_bytes, const moho_header_map *map,
                                moho_anomalies *anomalies, moho_segy_layout *out);

/* Shared by both (segy_extent.c): with first_trace, header_bytes, sample_bytes, n_samples known, count the whole traces and tell
 * a file cut short from trailing bytes. */
moho_status moho_segy_extent(int file, const char *path, const moho_header_map *map, moho_anomalies *anomalies,
                             moho_segy_layout *layout);
/* 1 when the bytes at `offset` look like a trace header of the same file as `first` (same ns and dt, or mostly the same bytes).
 */
int moho_segy_resembles(int file, const char *path, uint64_t offset, size_t available, const uint8_t *first,
                        const moho_header_map *map, int little);
/* Refuses dt and ns that cannot be. */
moho_status moho_segy_check_axis(const char *path, double dt_us, uint64_t n_samples, int su);

#endif
