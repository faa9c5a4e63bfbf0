/* segy_build.h - small SEG-Y and SU files built byte by byte, as crooked as a test wants them.
 */
#ifndef MOHO_TESTS_SEGY_BUILD_H
#define MOHO_TESTS_SEGY_BUILD_H

#include "moho/traces.h"
#include "test_support.h"

typedef struct segy_recipe {
  int su, little;
  int format;   /* 5 when 0 */
  int revision; /* 0, 1, 2 */
  size_t n_traces;
  unsigned ns, dt_us; /* what is in the file, and what all headers say; tests change headers afterwards */
  const char *text;   /* NULL: a few words in EBCDIC; else raw bytes of the beginning of the header, blank padded with ' ' */
  int extended;       /* extended textual headers in the file (3505 says so) */
} segy_recipe;

typedef struct segy_bytes {
  uint8_t *data;
  size_t n;
  segy_recipe recipe;
} segy_bytes;

/* Trace k (from 0): source (1000 + 10k, 500), receiver (1100 + 10k, 500), offset 100, cdp 100 + k, scalar 1, id 1; sample j:
 * sample_of(). */
segy_bytes segy_build(segy_recipe recipe);
float segy_sample_of(size_t trace, size_t sample); /* a small whole number, exact in every format */
void segy_free(segy_bytes *file);
uint8_t *segy_trace(segy_bytes *file, size_t trace);
/* Set a field of `size` bytes at a 1-based place of the binary header (3201...), or of one trace header, or of all. */
void segy_set_binary(segy_bytes *file, int byte, size_t size, int64_t value);
void segy_set(segy_bytes *file, size_t trace, int byte, size_t size, int64_t value);
void segy_set_all(segy_bytes *file, int byte, size_t size, int64_t value);
/* Write the first n bytes (n <= file->n) under a name in the test's directory; returns the path. */
const char *segy_save_part(const segy_bytes *file, const char *name, size_t n);
const char *segy_save(const segy_bytes *file, const char *name);
/* Save and open with default options. */
moho_traces *segy_open(const segy_bytes *file, const char *name);
moho_traces *segy_open_with(const segy_bytes *file, const char *name, const moho_traces_options *options);
/* The anomaly of that name, NULL when there is none. */
const moho_anomaly *segy_anomaly(const moho_traces *traces, const char *name);
void segy_assert_anomaly(const moho_traces *traces, const char *name, size_t count, size_t first, const char *words);
/* All samples are those of segy_sample_of(). */
void segy_assert_samples(moho_traces *traces);

#endif
