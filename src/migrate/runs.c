/* runs.c - the parts of a column that a trace contributes to.
 *
 * Straight rays and circles have copies of their own of everything here: a straight leg is two products and a root, and of
 * circles it is the sinh of times that is compared, which needs no logarithm: with y = sinh^2(c t) of each leg
 *   sinh(c (t_s + t_r)) = sqrt(y_s (1 + y_r)) + sqrt(y_r (1 + y_s)).
 */
#include "migrate/runs.h"

#include <math.h>

#include "migrate/aperture.h"

#define INLINE static inline __attribute__((always_inline))

typedef enum { STRAIGHT, CIRCLES, ANY_LAW } law_shape;

static int has_circles(const moho_travel_law *law) {
  return law->kind == MOHO_TRAVELTIME_CURVED_LINEAR && law->c2 > 0;
}

moho_trace_window moho_trace_window_of(const moho_travel_law *law, size_t n, double shift, double half_offset2) {
  double band = moho_record_band(n), low = -band + shift, high = (double)n - 1 + band + shift;
  moho_trace_window window = {half_offset2, low, high, low, high, 1 / high, 0, (int32_t)law->n};
  if (!has_circles(law)) return window;
  window.least = sinh(sqrt(law->c2) * low), window.most = sinh(sqrt(law->c2) * high);
  return window;
}

/* A trace and a column. */
typedef struct pair {
  const moho_column_table *table;
  const moho_travel_law *law;
  const moho_run_query *query;
  const moho_trace_window *window;
  moho_leg source, receiver; /* of any law; straight rays and circles need no more than the query's squares */
} pair;

/* t_s + t_r at sample i, or what grows with it. */
INLINE double place_in_record(const pair *p, int32_t i, law_shape shape) {
  if (shape != ANY_LAW) {
    moho_leg_root m = p->table->roots[i];
    double source = m.base + p->query->source2 * m.s2, receiver = m.base + p->query->receiver2 * m.s2;
    if (shape == STRAIGHT) return sqrt(source) + sqrt(receiver);
    source *= p->law->c2, receiver *= p->law->c2;
    return sqrt(source * (1 + receiver)) + sqrt(receiver * (1 + source));
  }
  return moho_leg_time(p->law, &p->table->legs, &p->source, (size_t)i) +
         moho_leg_time(p->law, &p->table->legs, &p->receiver, (size_t)i);
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
INLINE int32_t first_beyond(const pair *p, int32_t low, int32_t n, double limit, int at_least, int32_t guess, law_shape shape) {
  int32_t high = n, step = 1, i = guess < low ? low : guess >= n ? n - 1 : guess;
  while (low < high) {
    double place = place_in_record(p, i, shape);
    if (at_least ? place >= limit : place > limit) high = i, i -= step;
    else low = i + 1, i += step;
    step *= 2;
    if (i < low || i >= high) i = low + (high - low) / 2;
  }
  return low;
}

/* Vertical leg time at which t leaves the record if t_s^2 - t1^2 and t_r^2 - t1^2 were everywhere `source` and `receiver`: from
 * t_s + t_r = T and t_s^2 - t_r^2 follow t_s and so t1. */
static double t1_of_end(const moho_trace_window *window, double source, double receiver) {
  double time = (window->high + (source - receiver) * window->inverse_high) / 2, t1sq = time * time - source;
  return sqrt(t1sq > 0 ? t1sq : 0);
}

/* The same of circles with sinh^2 in the place of squares: sinh(a + b) = G, sinh(a - b) = (sinh^2 a - sinh^2 b)/G. */
static double t1_of_end_circles(const pair *p, double s2) {
  double source = p->law->c2 * p->query->source2 * s2, difference = source - p->law->c2 * p->query->receiver2 * s2;
  double share = difference / p->window->most;
  double y = (sqrt((1 + p->window->most * p->window->most) * (1 + share * share)) + difference - 1) / 2 - source;
  return y > 0 ? leg_time_linear(y / p->law->c2, p->law->c2) : 0;
}

/* Exact where the velocity is constant, a good guess for others. */
INLINE double guess_end(const pair *p, int32_t near, law_shape shape) {
  int32_t n = (int32_t)p->law->n, i = near < n ? near : n - 1;
  double t1;
  if (shape == STRAIGHT) {
    double s2 = p->table->roots[i].s2;
    t1 = t1_of_end(p->window, p->query->source2 * s2, p->query->receiver2 * s2);
  } else if (shape == CIRCLES) {
    t1 = t1_of_end_circles(p, p->table->roots[i].s2);
  } else {
    double source = moho_leg_time(p->law, &p->table->legs, &p->source, (size_t)i),
           receiver = moho_leg_time(p->law, &p->table->legs, &p->receiver, (size_t)i),
           here = p->table->t1_first + i * p->table->t1_step;
    t1 = t1_of_end(p->window, source * source - here * here, receiver * receiver - here * here);
  }
  return (t1 - p->table->t1_first) * p->table->t1_step_inverse + 1;
}

/* First sample past the record's end in [low, n), n where none is. */
INLINE int32_t find_end(const pair *p, int32_t low, int32_t n, int32_t near, law_shape shape) {
  double guess = guess_end(p, near, shape);
  int32_t end = !(guess < n) ? n : guess > low + 1 ? (int32_t)guess : low + 1;
  if ((end == n || place_in_record(p, end, shape) > p->window->most) && place_in_record(p, end - 1, shape) <= p->window->most)
    return end;
  return first_beyond(p, low, n, p->window->most, 0, end, shape);
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
  return p->table->h2_limit && p->window->half_offset2 > p->table->h2_limit[i];
}

/* ---- where legs may fall with t0 ---- */

static double time_under_root(const moho_travel_law *law, double q) {
  return law->kind == MOHO_TRAVELTIME_CURVED_LINEAR ? leg_time_linear(q, law->c2) : sqrt(q);
}

/* The leg's earliest and latest time in a block. */
static void bounds_of_leg(const pair *p, double d2, const moho_leg *leg, int32_t block, double *earliest, double *latest) {
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
  *earliest = b->a_min + time_under_root(p->law, b->base_min + d2 * b->s2_min);
  *latest = b->a_max + time_under_root(p->law, b->base_max + d2 * b->s2_max);
}

/* [low, high) sample by sample, whole blocks at once where bounds on t show them inside. */
INLINE size_t scan(const pair *p, int32_t low, int32_t high, int test_mute, moho_interval *out, size_t count, law_shape shape) {
  const moho_trace_window *window = p->window;
  for (int32_t i = low; i < high;) {
    int32_t block = i / MOHO_TABLE_BLOCK, end = (block + 1) * MOHO_TABLE_BLOCK;
    if (end > high) end = high;
    double earliest_s, latest_s, earliest_r, latest_r;
    bounds_of_leg(p, p->query->source2, &p->source, block, &earliest_s, &latest_s);
    bounds_of_leg(p, p->query->receiver2, &p->receiver, block, &earliest_r, &latest_r);
    /* A little apart, for bounds and times round differently. */
    double earliest = earliest_s + earliest_r - 1e-9, latest = latest_s + latest_r + 1e-9;
    if (!test_mute && earliest >= window->low && latest <= window->high) {
      count = append(out, count, i, end);
    } else if (earliest <= window->high && latest >= window->low) {
      for (int32_t j = i; j < end; j++) {
        double place = place_in_record(p, j, shape);
        if (place >= p->window->least && place <= p->window->most && !(test_mute && is_muted(p, j)))
          count = append(out, count, j, j + 1);
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
  double leg2 = fmax(p->query->source2, p->query->receiver2);
  if (p->table->leg2_least >= leg2) return first;
  if (rows) {
    if (p->source.place.fraction > 1 || p->receiver.place.fraction > 1) return n;
    const int32_t *source = rows + p->source.place.node, *receiver = rows + p->receiver.place.node;
    return later(first, later(later(source[0], source[1]), later(receiver[0], receiver[1])));
  }
  return p->table->leg2_limit[first] >= leg2 ? first : lower_bound(p->table->leg2_limit, first, n, leg2);
}

INLINE size_t find(const pair *p, int32_t *near, moho_interval *out, law_shape shape) {
  const moho_column_table *table = p->table;
  const moho_trace_window *window = p->window;
  int32_t n = window->end, first = later(moho_column_first_within(table, (int32_t)p->law->n, p->query->distance), window->first);
  if (first >= n) return 0;
  if (table->h2_limit) {
    if (!table->h2_limit_grows) return scan(p, first, n, 1, out, 0, shape);
    if (is_muted(p, first)) first = lower_bound(table->h2_limit, first, n, window->half_offset2);
    if (first >= n) return 0;
  }
  /* From `growing` on the record cuts at one place at either end. */
  int32_t growing = grows_from(p, first, n), begin, end;
  size_t count = growing > first ? scan(p, first, growing < n ? growing : n, 0, out, 0, shape) : 0;
  if (growing >= n) return count;
  begin = growing;
  if (window->low > 0 && place_in_record(p, begin, shape) < p->window->least)
    begin = first_beyond(p, growing, n, p->window->least, 1, growing, shape);
  end = *near = find_end(p, growing, n, *near, shape);
  return append(out, count, begin, end);
}

size_t moho_runs_find(const moho_column_table *table, const moho_travel_law *law, const moho_run_query *query, int32_t *near,
                      moho_interval *out) {
  pair p = {.table = table, .law = law, .query = query, .window = query->window};
  if (law->kind == MOHO_TRAVELTIME_STRAIGHT) return find(&p, near, out, STRAIGHT);
  if (has_circles(law)) return find(&p, near, out, CIRCLES);
  p.source = moho_leg_of(law, query->source2);
  p.receiver = moho_leg_of(law, query->receiver2);
  return find(&p, near, out, ANY_LAW);
}
