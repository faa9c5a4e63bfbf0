/* runs.c - the parts of a column that a trace contributes to.
 *
 * Straight rays, whose legs are two products and a root, have a copy of their own of everything here.
 */
#include "migrate/runs.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

/* A trace and a column. */
typedef struct pair {
  const moho_column_table *table;
  const moho_travel_law *law;
  const moho_run_query *query;
  moho_leg source, receiver;
} pair;

INLINE double time_of_leg(const pair *p, const moho_leg *leg, int32_t i, int is_straight) {
  const moho_leg_terms *m = &p->table->legs.terms[i];
  return is_straight ? sqrt(m->base + leg->d2 * m->s2) : moho_leg_time(p->law, &p->table->legs, leg, (size_t)i);
}

INLINE double place_in_record(const pair *p, int32_t i, int is_straight) {
  return time_of_leg(p, &p->source, i, is_straight) + time_of_leg(p, &p->receiver, i, is_straight) - p->query->shift;
}

/* First i in [low, n) for which limits[i] >= value; limits non-decreasing. */
static int32_t lower_bound(const double *limits, int32_t low, int32_t n, double value) {
  int32_t high = n;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (limits[middle] >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* First i in [low, n) whose place is beyond `limit` (at or beyond it, with at_least); places grow from low on. Steps double
 * away from the guess; once that would leave what is still open, halves. */
INLINE int32_t first_beyond(const pair *p, int32_t low, int32_t n, double limit, int at_least, int32_t guess, int is_straight) {
  int32_t high = n, step = 1, i = guess < low ? low : guess >= n ? n - 1 : guess;
  while (low < high) {
    double place = place_in_record(p, i, is_straight);
    if (at_least ? place >= limit : place > limit) high = i, i -= step;
    else low = i + 1, i += step;
    step *= 2;
    if (i < low || i >= high) i = low + (high - low) / 2;
  }
  return low;
}

/* Where t leaves the record if the legs' t^2 - t1^2 were everywhere those of sample `near`: from t_s + t_r = T and
 * t_s^2 - t_r^2 follow t_s and so t1. Exact for straight rays in a constant velocity, a good guess for others. */
INLINE double guess_end(const pair *p, int32_t near, int is_straight) {
  int32_t n = (int32_t)p->law->n, i = near < n ? near : n - 1;
  double total = p->query->high + p->query->shift, t1_step = p->law->step_s / (2 * p->law->dt_s),
         t1_first = p->law->first_s / (2 * p->law->dt_s), source, receiver;
  if (is_straight) {
    double s2 = p->table->legs.terms[i].s2;
    source = p->source.d2 * s2, receiver = p->receiver.d2 * s2;
  } else {
    double t_s = time_of_leg(p, &p->source, i, 0), t_r = time_of_leg(p, &p->receiver, i, 0), t1 = t1_first + i * t1_step;
    source = t_s * t_s - t1 * t1, receiver = t_r * t_r - t1 * t1;
  }
  double source_time = (total + (source - receiver) / total) / 2, t1sq = source_time * source_time - source;
  return (sqrt(t1sq > 0 ? t1sq : 0) - t1_first) / t1_step + 1;
}

/* First sample past the record's end in [low, n), n where none is. */
INLINE int32_t find_end(const pair *p, int32_t low, int32_t n, int32_t near, int is_straight) {
  double guess = guess_end(p, near, is_straight);
  int32_t end = !(guess < n) ? n : guess > low + 1 ? (int32_t)guess : low + 1;
  if ((end == n || place_in_record(p, end, is_straight) > p->query->high) &&
      place_in_record(p, end - 1, is_straight) <= p->query->high)
    return end;
  return first_beyond(p, low, n, p->query->high, 0, end, is_straight);
}

static size_t append(moho_interval *out, size_t count, int32_t first, int32_t end) {
  if (first >= end) return count;
  if (count && out[count - 1].end == first) {
    out[count - 1].end = end;
    return count;
  }
  out[count] = (moho_interval){first, end};
  return count + 1;
}

static int is_muted(const pair *p, int32_t i) {
  return p->table->h2_limit && p->query->half_offset2 > p->table->h2_limit[i];
}

/* ---- where legs may fall with t0 ---- */

static double time_under_root(const moho_travel_law *law, double q) {
  return law->kind == MOHO_TRAVELTIME_CURVED_LINEAR ? leg_time_linear(q, law->c2) : sqrt(q);
}

/* The leg's earliest and latest time in a block. */
static void bounds_of_leg(const pair *p, const moho_leg *leg, int32_t block, double *earliest, double *latest) {
  if (p->table->row_bounds) {
    size_t blocks = (p->law->n + MOHO_TABLE_BLOCK - 1) / MOHO_TABLE_BLOCK;
    const moho_row_bounds *near = &p->table->row_bounds[leg->place.node * blocks + (size_t)block], *far = near + blocks;
    double f = leg->place.fraction;
    if (f > 1) { /* beyond the table */
      *earliest = 0, *latest = INFINITY;
      return;
    }
    *earliest = sqrt((1 - f) * (double)near->min + f * (double)far->min);
    *latest = sqrt((1 - f) * (double)near->max + f * (double)far->max);
    return;
  }
  const moho_leg_bounds *b = &p->table->bounds[block];
  *earliest = b->a_min + time_under_root(p->law, b->base_min + leg->d2 * b->s2_min);
  *latest = b->a_max + time_under_root(p->law, b->base_max + leg->d2 * b->s2_max);
}

/* [low, high) sample by sample, whole blocks at once where bounds on t show them inside. */
INLINE size_t scan(const pair *p, int32_t low, int32_t high, int test_mute, moho_interval *out, size_t count, int is_straight) {
  const moho_run_query *query = p->query;
  for (int32_t i = low; i < high;) {
    int32_t block = i / MOHO_TABLE_BLOCK, end = (block + 1) * MOHO_TABLE_BLOCK;
    if (end > high) end = high;
    double earliest_s, latest_s, earliest_r, latest_r;
    bounds_of_leg(p, &p->source, block, &earliest_s, &latest_s);
    bounds_of_leg(p, &p->receiver, block, &earliest_r, &latest_r);
    /* A little apart, for bounds and times round differently. */
    double earliest = earliest_s + earliest_r - query->shift - 1e-9, latest = latest_s + latest_r - query->shift + 1e-9;
    if (!test_mute && earliest >= query->low && latest <= query->high) {
      count = append(out, count, i, end);
    } else if (earliest <= query->high && latest >= query->low) {
      for (int32_t j = i; j < end; j++) {
        double place = place_in_record(p, j, is_straight);
        if (place >= query->low && place <= query->high && !(test_mute && is_muted(p, j))) count = append(out, count, j, j + 1);
      }
    }
    i = end;
  }
  return count;
}

static int32_t later(int32_t a, int32_t b) {
  return a > b ? a : b;
}

/* From here on both legs grow with t0. */
static int32_t grows_from(const pair *p, int32_t first, int32_t n) {
  const int32_t *rows = p->table->node_grows;
  if (rows) {
    if (p->source.place.fraction > 1 || p->receiver.place.fraction > 1) return n;
    const int32_t *source = rows + p->source.place.node, *receiver = rows + p->receiver.place.node;
    return later(first, later(later(source[0], source[1]), later(receiver[0], receiver[1])));
  }
  double leg2 = fmax(p->source.d2, p->receiver.d2);
  return p->table->leg2_limit[first] >= leg2 ? first : lower_bound(p->table->leg2_limit, first, n, leg2);
}

INLINE size_t find(const pair *p, int32_t *near, moho_interval *out, int is_straight) {
  const moho_column_table *table = p->table;
  const moho_run_query *query = p->query;
  int32_t n = query->end, first = later(moho_column_first_within(table, (int32_t)p->law->n, query->distance), query->first);
  if (first >= n) return 0;
  if (table->h2_limit) {
    if (!table->h2_limit_grows) return scan(p, first, n, 1, out, 0, is_straight);
    if (is_muted(p, first)) first = lower_bound(table->h2_limit, first, n, query->half_offset2);
    if (first >= n) return 0;
  }
  /* From `growing` on the record cuts at one place at either end. */
  int32_t growing = grows_from(p, first, n), begin, end;
  size_t count = growing > first ? scan(p, first, growing < n ? growing : n, 0, out, 0, is_straight) : 0;
  if (growing >= n) return count;
  begin = growing;
  if (query->shift > 0 && place_in_record(p, begin, is_straight) < query->low)
    begin = first_beyond(p, growing, n, query->low, 1, growing, is_straight);
  end = *near = find_end(p, growing, n, *near, is_straight);
  return append(out, count, begin, end);
}

size_t moho_runs_find(const moho_column_table *table, const moho_travel_law *law, const moho_run_query *query, int32_t *near,
                      moho_interval *out) {
  pair p = {.table = table, .law = law, .query = query, .source.d2 = query->source2, .receiver.d2 = query->receiver2};
  if (law->kind == MOHO_TRAVELTIME_STRAIGHT) return find(&p, near, out, 1);
  p.source = moho_leg_of(law, query->source2);
  p.receiver = moho_leg_of(law, query->receiver2);
  return find(&p, near, out, 0);
}
