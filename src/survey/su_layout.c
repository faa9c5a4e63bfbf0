/* su_layout.c - SU files: traces without file headers, in either byte order; ns and dt are in the trace headers. */
#include <string.h>
#include <strings.h>

#include "survey/raw_read.h"
#include "survey/segy_layout.h"

static int ends_with_su(const char *path) {
  size_t n = strlen(path);
  return n > 3 && strcasecmp(path + n - 3, ".su") == 0;
}

/* How well one byte order explains the file: 0 not at all, +2 whole traces, +2 the second header has the same ns and dt, +1 sane
 * dt. */
static int order_score(int file, const char *path, uint64_t file_bytes, const moho_header_map *map, const uint8_t *first,
                       int little) {
  double ns = moho_header_get(first, map, MOHO_HEADER_SAMPLES, little),
         dt = moho_header_get(first, map, MOHO_HEADER_INTERVAL, little);
  if (ns < 2) return 0;
  uint64_t trace_bytes = MOHO_SEGY_TRACE_HEADER_BYTES + 4 * (uint64_t)ns;
  int score = 0;
  if (file_bytes % trace_bytes == 0) score += 2;
  if (file_bytes >= trace_bytes + MOHO_SEGY_TRACE_HEADER_BYTES &&
      moho_segy_resembles(file, path, trace_bytes, MOHO_SEGY_TRACE_HEADER_BYTES, first, map, little))
    score += 2;
  return score ? score + (dt >= 10) : 0;
}

static int best_order(int file, const char *path, uint64_t file_bytes, const moho_header_map *map, const uint8_t *first,
                      int *little) {
  int big_score = order_score(file, path, file_bytes, map, first, 0),
      little_score = order_score(file, path, file_bytes, map, first, 1);
  *little = little_score > big_score;
  return *little ? little_score : big_score;
}

/* 1 when file headers of SEG-Y may stand in front: words in the text header, or a sample format where one should be. */
static int may_be_segy(const uint8_t headers[MOHO_SEGY_HEADER_BYTES], int *has_words) {
  moho_text_encoding encoding = moho_segy_text_encoding(headers, MOHO_SEGY_TEXT_BYTES);
  int big = moho_raw_u2(headers + 3224, 0), little = moho_raw_u2(headers + 3224, 1);
  *has_words = (encoding == MOHO_TEXT_EBCDIC || encoding == MOHO_TEXT_ASCII) && !memchr(headers, 0, MOHO_SEGY_TEXT_BYTES);
  return *has_words || (big >= 1 && big <= 16) || (little >= 1 && little <= 16);
}

int moho_su_recognise(int file, const char *path, uint64_t file_bytes, const moho_header_map *su_map) {
  uint8_t first[MOHO_SEGY_TRACE_HEADER_BYTES], headers[MOHO_SEGY_HEADER_BYTES];
  int little, has_words;
  if (file_bytes < sizeof first) return ends_with_su(path);
  if (moho_raw_read(file, path, 0, first, sizeof first)) return 0;
  int score = best_order(file, path, file_bytes, su_map, first, &little);
  if (file_bytes < sizeof headers) return score >= 3 || ends_with_su(path);
  if (moho_raw_read(file, path, 0, headers, sizeof headers)) return 0;
  if (!may_be_segy(headers, &has_words)) return score >= 3 || ends_with_su(path);
  return !has_words && score >= 3;
}

moho_status moho_su_layout_find(int file, const char *path, uint64_t file_bytes, const moho_header_map *map,
                                moho_anomalies *anomalies, moho_segy_layout *out) {
  uint8_t first[MOHO_SEGY_TRACE_HEADER_BYTES];
  *out = (moho_segy_layout){.su = 1,
                            .format = 5,
                            .sample_bytes = 4,
                            .file_bytes = file_bytes,
                            .header_bytes = MOHO_SEGY_TRACE_HEADER_BYTES,
                            .text_encoding = MOHO_TEXT_BLANK};
  if (file_bytes < sizeof first)
    return moho_fail_at((moho_place){.file = path, .trace = 1, .has_byte = 1, .byte = (int64_t)file_bytes}, "copy the file again",
                        MOHO_ERROR_FORMAT,
                        "%s is cut short in the header of trace 1: it ends at byte %llu, an SU trace header takes 240", path,
                        (unsigned long long)file_bytes);
  MOHO_TRY(moho_raw_read(file, path, 0, first, sizeof first));
  if (!best_order(file, path, file_bytes, map, first, &out->little_endian)) {
    /* One trace, cut: only the value itself can tell the order. */
    double big = moho_header_get(first, map, MOHO_HEADER_INTERVAL, 0),
           little = moho_header_get(first, map, MOHO_HEADER_INTERVAL, 1);
    out->little_endian = !(big >= 100 && big <= 32000) && little >= 100 && little <= 32000;
  }
  double ns = moho_header_get(first, map, MOHO_HEADER_SAMPLES, out->little_endian);
  double dt_us = moho_header_get(first, map, MOHO_HEADER_INTERVAL, out->little_endian);
  MOHO_TRY(moho_segy_check_axis(path, dt_us, ns > 0 ? (uint64_t)ns : 0, 1));
  out->n_samples = (size_t)ns;
  out->dt_s = dt_us / 1e6;
  return moho_segy_extent(file, path, map, anomalies, out);
}
