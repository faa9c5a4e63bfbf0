/* trace_store_identity.c - two runs share a store when all that it is made from is the same. */
#include "survey/trace_store_identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "survey/traces_inside.h"

enum { BLOCK = 4096 };

static void add_number(moho_sha256 *hash, uint64_t value) {
  moho_sha256_add(hash, &value, sizeof value);
}

/* Flags that reading may add are left out: they may have been found before. Numbers in the file: what was selected. */
static void add_blocks(moho_sha256 *hash, const moho_traces *traces, const moho_geometry *g) {
  const uint8_t found = MOHO_TRACE_DEAD | MOHO_TRACE_BAD;
  uint8_t flags[BLOCK];
  uint64_t numbers[BLOCK];
  for (size_t first = 0; first < g->n; first += BLOCK) {
    size_t n = moho_smaller(g->n - first, BLOCK);
    for (size_t i = 0; i < n; i++) {
      flags[i] = (uint8_t)(g->flags[first + i] & ~(unsigned)found);
      numbers[i] = moho_traces_index_in_file(traces, first + i);
    }
    add_number(hash, moho_checksum(flags, n, first));
    add_number(hash, moho_checksum(numbers, n * sizeof *numbers, first));
  }
}

static void add_geometry(moho_sha256 *hash, const moho_traces *traces) {
  const moho_geometry *g = moho_traces_get_geometry(traces);
  for (int c = 0; c < MOHO_STORE_CELLS; c++) {
    const void *array = moho_store_geometry_array(g, (moho_store_column)c);
    if (array && c != MOHO_STORE_FLAGS)
      add_number(hash, moho_checksum(array, g->n * moho_store_column_size((moho_store_column)c), (uint64_t)c));
  }
  add_blocks(hash, traces, g);
}

/* Whatever is done to all samples is done to these. */
moho_status moho_trace_source_checksums(const moho_trace_source *source, uint64_t sums[MOHO_SAMPLED_TRACES], size_t *n) {
  const moho_geometry *g = moho_traces_get_geometry(source->traces);
  size_t ns = moho_traces_get_info(source->traces)->n_samples, wanted = moho_smaller(g->n, MOHO_SAMPLED_TRACES);
  float *samples;
  *n = 0;
  MOHO_TRY(moho_allocate(ns, sizeof *samples, "a trace", &samples));
  moho_status status = MOHO_OK;
  for (size_t k = 0; !status && k < wanted; k++) {
    size_t trace = (size_t)((double)k * ((double)g->n / (double)wanted));
    if (!moho_trace_is_stored(g, trace)) continue;
    status = source->read ? source->read(source->user, trace, 1, samples) : moho_traces_read(source->traces, trace, 1, samples);
    if (!status) sums[(*n)++] = moho_checksum(samples, ns * sizeof *samples, trace);
  }
  free(samples);
  return status;
}

static moho_status add_samples(moho_sha256 *hash, const moho_trace_source *source) {
  uint64_t sums[MOHO_SAMPLED_TRACES];
  size_t n;
  MOHO_TRY(moho_trace_source_checksums(source, sums, &n));
  for (size_t k = 0; k < n; k++) add_number(hash, sums[k]);
  return MOHO_OK;
}

moho_status moho_store_identify(const moho_trace_source *source, moho_store_meta *meta) {
  const moho_traces_info *info = moho_traces_get_info(source->traces);
  const char *path = moho_traces_path(source->traces), *words = source->words ? source->words : "";
  char *absolute = realpath(path, NULL);
  snprintf(meta->source, sizeof meta->source, "%s", absolute ? absolute : path);
  free(absolute);
  meta->state = moho_traces_state_at_open(source->traces);
  moho_sha256 hash = moho_sha256_begin();
  uint8_t digest[32];
  add_number(&hash, MOHO_STORE_VERSION);
  add_number(&hash, meta->state.bytes);
  add_number(&hash, (uint64_t)meta->state.changed_ns);
  add_number(&hash, info->n_traces);
  add_number(&hash, info->n_samples);
  moho_sha256_add(&hash, &info->dt_s, sizeof info->dt_s);
  moho_sha256_add(&hash, info->input_hash, sizeof info->input_hash);
  moho_sha256_add(&hash, words, strlen(words) + 1);
  add_geometry(&hash, source->traces);
  MOHO_TRY(add_samples(&hash, source));
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, meta->identity);
  return MOHO_OK;
}
