/* store_survey.c - surveys for the tests of the trace store. */
#include "store_survey.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

typedef struct place {
  int64_t x, y;
} place;

static place midpoint_of(const store_survey *s, size_t k, uint64_t *random) {
  place anywhere = {(int64_t)(8000 * test_uniform(random)) - 6000, (int64_t)(6000 * test_uniform(random)) - 2000};
  if (s->layout == STORE_ONE_PLACE) return (place){-777, 333};
  if (s->layout == STORE_LINE) return (place){(int64_t)k * 12, 0};
  if (s->layout == STORE_SPREAD) return anywhere;
  if (k == s->n_traces / 2) return (place){3000000, -40};
  return k % 10 ? (place){500 + (int64_t)(40 * test_uniform(random)), 700} : anywhere;
}

static void put_position(segy_bytes *file, size_t k, place midpoint, uint64_t *random) {
  int64_t hx = (int64_t)(400 * test_uniform(random)) - 200, hy = (int64_t)(400 * test_uniform(random)) - 200;
  segy_set(file, k, 73, 4, midpoint.x - hx), segy_set(file, k, 77, 4, midpoint.y - hy);
  segy_set(file, k, 81, 4, midpoint.x + hx), segy_set(file, k, 85, 4, midpoint.y + hy);
}

static void put_samples(segy_bytes *file, size_t k) {
  uint8_t *to = segy_trace(file, k) + 240;
  for (size_t j = 0; j < file->recipe.ns; j++) {
    float value = (float)(k + 1) + 0.25f * (float)(j % 4);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    for (int i = 0; i < 4; i++) to[4 * j + (size_t)i] = (uint8_t)(bits >> (24 - 8 * i));
  }
}

static void put_flaws(segy_bytes *file, size_t k) {
  if (k % 11 == 5) segy_set(file, k, 29, 2, 2);
  if (k % 13 == 6) memset(segy_trace(file, k) + 240, 0, 4 * (size_t)file->recipe.ns);
  if (k % 17 == 7)
    for (int byte = 73; byte <= 85; byte += 4) segy_set(file, k, byte, 4, 0);
  if (k % 19 == 8) segy_set(file, k, 29, 2, 5);
  if (k % 23 == 9) memcpy(segy_trace(file, k), segy_trace(file, k - 1), 240 + 4 * (size_t)file->recipe.ns);
}

const char *store_survey_save(const store_survey *s, const char *name) {
  segy_bytes file = segy_build((segy_recipe){.n_traces = s->n_traces, .ns = s->ns, .dt_us = 4000, .revision = 1});
  uint64_t random = s->seed;
  for (size_t k = 0; k < s->n_traces; k++) {
    put_position(&file, k, midpoint_of(s, k, &random), &random);
    put_samples(&file, k);
    segy_set(&file, k, 109, 2, (int64_t)(k % 5) * 4);
    if (s->flawed) put_flaws(&file, k);
  }
  const char *path = segy_save(&file, name);
  segy_free(&file);
  return path;
}

moho_traces *store_traces(const char *path) {
  moho_traces *traces;
  assert_ok(moho_traces_open(path, NULL, &traces));
  return traces;
}

moho_trace_store *store_open(moho_traces *traces, const char *place_name, size_t memory) {
  char directory[700];
  moho_trace_store *store;
  snprintf(directory, sizeof directory, "%s", test_path(place_name));
  moho_trace_store_options options = moho_trace_store_options_default();
  options.directory = directory, options.memory_bytes = memory;
  assert_ok(moho_trace_store_open(&(moho_trace_source){.traces = traces}, &options, &store));
  return store;
}

/* ---- comparing ---- */

static void assert_same_place(const moho_geometry *a, size_t i, const moho_geometry *b, size_t j) {
  assert_true(a->source_x[i] == b->source_x[j] && a->source_y[i] == b->source_y[j]);
  assert_true(a->receiver_x[i] == b->receiver_x[j] && a->receiver_y[i] == b->receiver_y[j]);
  assert_true(a->first_sample_s[i] == b->first_sample_s[j]);
  assert_true(a->mute_start_s[i] == b->mute_start_s[j] && a->mute_end_s[i] == b->mute_end_s[j]);
  assert_true(a->cdp[i] == b->cdp[j] && a->inline_number[i] == b->inline_number[j]);
  assert_true(a->crossline_number[i] == b->crossline_number[j] && a->flags[i] == b->flags[j]);
}

void store_assert_traces(const moho_trace_store *store, moho_traces *traces, const moho_trace_region *region, const char *wanted,
                         size_t batch) {
  const moho_geometry *g = moho_traces_get_geometry(traces);
  size_t ns = moho_traces_get_info(traces)->n_samples, next = 0, seen = 0, counted;
  float *all = malloc(g->n * ns * sizeof *all);
  moho_trace_cursor *cursor;
  moho_trace_batch b;
  assert_non_null(all);
  assert_ok(moho_traces_read(traces, 0, g->n, all));
  assert_ok(moho_trace_cursor_create(store, region, batch, &cursor));
  for (;;) {
    assert_ok(moho_trace_cursor_next(cursor, &b));
    if (!b.n) break;
    assert_true(b.n <= batch && b.geometry.n == b.n);
    for (size_t i = 0; i < b.n; i++, next++, seen++) {
      while (next < g->n && !(moho_geometry_is_live(g, next) && (!wanted || wanted[next]))) next++;
      assert_true(next < g->n);
      assert_int_equal(b.numbers[i], next);
      assert_same_place(&b.geometry, i, g, next);
      assert_memory_equal(b.samples + i * ns, all + next * ns, ns * sizeof *all);
    }
  }
  while (next < g->n && !(moho_geometry_is_live(g, next) && (!wanted || wanted[next]))) next++;
  assert_int_equal(next, g->n);
  assert_ok(moho_trace_cursor_next(cursor, &b));
  assert_int_equal(b.n, 0);
  assert_ok(moho_trace_store_count(store, region, &counted));
  assert_int_equal(counted, seen);
  moho_trace_cursor_destroy(&cursor);
  free(all);
}

size_t store_count_files(const char *directory) {
  size_t n = 0;
  DIR *listing = opendir(directory);
  for (struct dirent *entry; listing && (entry = readdir(listing));) n += entry->d_name[0] != '.';
  if (listing) closedir(listing);
  return n;
}
