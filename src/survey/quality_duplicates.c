/* quality_duplicates.c - traces with the same source and receiver, found by a hash table in one pass; a few pairs are read, since
 * copies of a trace are thrown away while repeated shots and components are not. Where the table would be too large, only places
 * whose hash is a multiple of some power of two are looked at: both traces of a pair are there, or neither is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

enum { PAIRS_READ = 32 };
static const double same_m = 0.01;

typedef struct place {
  int64_t sx, sy, rx, ry; /* in same_m */
} place;

static place place_of(const moho_geometry *g, size_t i) {
  return (place){llrint(g->source_x[i] / same_m), llrint(g->source_y[i] / same_m), llrint(g->receiver_x[i] / same_m),
                 llrint(g->receiver_y[i] / same_m)};
}

static int is_same(const place *a, const place *b) {
  return a->sx == b->sx && a->sy == b->sy && a->rx == b->rx && a->ry == b->ry;
}

/* splitmix64's finaliser over the four numbers. */
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static uint64_t hash(const place *p) {
  uint64_t h = mix((uint64_t)p->sx + 0x9e3779b97f4a7c15u);
  h = mix(h ^ (uint64_t)p->sy), h = mix(h + (uint64_t)p->rx * 3);
  return mix(h ^ (uint64_t)p->ry);
}

typedef struct pair {
  size_t earlier, later;
} pair;

/* Slots hold trace + 1; at most half of them are filled. */
static void find(const moho_geometry *g, size_t *slots, size_t n_slots, moho_survey_quality *out, pair pairs[PAIRS_READ]) {
  size_t filled = 0;
  for (size_t i = 0; i < g->n && 10 * filled < 9 * n_slots; i++) { /* full only where far more places hash alike than should */
    if (!moho_geometry_is_live(g, i)) continue;
    place here = place_of(g, i);
    uint64_t key = hash(&here);
    if (key & (out->duplicates_one_in - 1)) continue;
    size_t slot = (size_t)(key >> 20) & (n_slots - 1);
    for (; slots[slot]; slot = (slot + 1) & (n_slots - 1)) {
      place there = place_of(g, slots[slot] - 1);
      if (is_same(&here, &there)) break;
    }
    if (!slots[slot]) {
      slots[slot] = i + 1, filled++;
      continue;
    }
    if (out->duplicates.count < PAIRS_READ) pairs[out->duplicates.count] = (pair){slots[slot] - 1, i};
    if (!out->duplicates.count) out->duplicate_of = slots[slot] - 1;
    moho_odd_traces_add(&out->duplicates, i);
  }
}

static moho_status compare(moho_traces *traces, const pair *pairs, size_t n, moho_survey_quality *out) {
  size_t ns = moho_traces_get_info(traces)->n_samples;
  float *samples;
  MOHO_TRY(moho_allocate(2 * ns, sizeof *samples, "two traces", &samples));
  moho_status status = MOHO_OK;
  for (size_t k = 0; k < n && !status; k++) {
    status = moho_traces_read(traces, pairs[k].earlier, 1, samples);
    if (!status) status = moho_traces_read(traces, pairs[k].later, 1, samples + ns);
    if (status) break;
    out->duplicates_compared++;
    out->duplicates_same_samples += memcmp(samples, samples + ns, ns * sizeof *samples) == 0;
  }
  free(samples);
  return status;
}

moho_status moho_quality_duplicates(moho_traces *traces, size_t memory_bytes, moho_survey_quality *out) {
  const moho_geometry *g = moho_traces_get_geometry(traces);
  size_t n_slots = 16, *slots;
  pair pairs[PAIRS_READ];
  while (n_slots < 2 * g->n) n_slots *= 2;
  out->duplicates_one_in = 1;
  while (n_slots > 1024 && n_slots * sizeof *slots > memory_bytes) n_slots /= 2, out->duplicates_one_in *= 2;
  MOHO_TRY(moho_allocate(n_slots, sizeof *slots, "search for duplicates", &slots));
  find(g, slots, n_slots, out, pairs);
  free(slots);
  return compare(traces, pairs, out->duplicates.count < PAIRS_READ ? out->duplicates.count : PAIRS_READ, out);
}
