/* migrate_tile_interval.h - what a trace does to a range of a column's samples: nothing, all, or an interval, exact to the
 * sample.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_INTERVAL_H
#define MOHO_KERNELS_MIGRATE_TILE_INTERVAL_H

#include "migrate_tile_shape.h"

#define RANGE_NONE 0u
#define RANGE_ALL 1u
#define RANGE_PART 2u   /* an interval */
#define RANGE_TESTED 3u /* may be several */
#define RANGE_WINDOW 4u /* all that the mutes by offset leave */

/* How sure a float is of a time t less the shift. */
DEVICE_FUNCTION float time_doubt(float t, float shift) {
  return FMA(TIME_DOUBT, t, FMA(2e-7f, ABS(shift), 1e-6f));
}

/* A trace against the bounds of a range. Found on the way: lower bounds of its shorter leg and of t, an upper bound of t. */
DEVICE_FUNCTION uint classify(const PRIVATE trace_view *view, const PRIVATE range_view *range, const BOUND_SPACE float *bound,
                              PRIVATE float *shortest, PRIVATE float *least_t, PRIVATE float *most_t, PARAMETERS *p) {
  float first = bound[BOUND_T1SQ_FIRST], last = bound[BOUND_T1SQ_LAST], least = bound[BOUND_S2_LEAST],
        most = bound[BOUND_S2_MOST];
  float radius2 = bound[BOUND_RADIUS2_FIRST], largest2 = bound[BOUND_RADIUS2_LAST];
  float source = FAST_SQRT(FMA(view->source2, least, first)), receiver = FAST_SQRT(FMA(view->receiver2, least, first));
  float slowest = FAST_SQRT(FMA(view->source2, most, last)) + FAST_SQRT(FMA(view->receiver2, most, last));
  int grows = MAX(view->source2, view->receiver2) < bound[BOUND_LEG2];
  if (LAW != STRAIGHT) { /* where t grows it lies between those of the ends, elsewhere anywhere */
    leg_terms m;
    m.base = bound[BOUND_FIRST_TERMS], m.s2 = bound[BOUND_FIRST_TERMS + 1];
    m.a = bound[BOUND_FIRST_TERMS + 2], m.b = bound[BOUND_FIRST_TERMS + 3], m.squares = squares_of(range->slowness);
    source = grows ? leg_time(&m, view->source2, p) : 0.0f, receiver = grows ? leg_time(&m, view->receiver2, p) : 0.0f;
    m.base = bound[BOUND_LAST_TERMS], m.s2 = bound[BOUND_LAST_TERMS + 1];
    m.a = bound[BOUND_LAST_TERMS + 2], m.b = bound[BOUND_LAST_TERMS + 3];
    m.squares = squares_of(range->slowness + (range->n - 1u) * LAW_STRIDE);
    slowest = grows ? leg_time(&m, view->source2, p) + leg_time(&m, view->receiver2, p) : 1e9f;
    least = most = 1.0f; /* of the mute */
  }
  float earliest = source + receiver - view->shift, latest = slowest - view->shift, doubt = time_doubt(slowest, view->shift);
  *shortest = MIN(source, receiver);
  *least_t = source + receiver;
  *most_t = slowest;
  int none = view->midpoint2 > FMA(largest2, DISTANCE2_DOUBT, largest2) || earliest > p->high + doubt || latest < p->low - doubt;
  int all = view->midpoint2 < FMA(radius2, -DISTANCE2_DOUBT, radius2) && latest < p->high - doubt && earliest > p->low + doubt;
  int is_cut = 0;
  if (HAS_MUTE) {
    float mute = bound[BOUND_MUTE_FIRST], mute_last = bound[BOUND_MUTE_LAST];
    none = none || view->half_offset2 * least > FMA(mute_last, DISTANCE2_DOUBT, mute_last);
    is_cut = !(view->half_offset2 * most < FMA(mute, -DISTANCE2_DOUBT, mute));
  }
  if (none) return RANGE_NONE;
  if (is_cut || !grows) return all && !is_cut ? RANGE_ALL : RANGE_TESTED;
  return all ? RANGE_ALL : RANGE_PART;
}

/* Where an edge of an interval is sought: samples 0 .. n - 1 of a range. */
typedef struct edge_search {
  const GLOBAL migrate_sample *axis;
  const GLOBAL migrate_slowness *slowness;
  const GLOBAL migrate_node *nodes;
  float source2, receiver2, midpoint2, shift;
  uint n;
} edge_search;

/* u of a sample, and its doubt. */
DEVICE_FUNCTION float place_at(const PRIVATE edge_search *s, uint i, PRIVATE float *doubt, PARAMETERS *p) {
  leg_terms m;
  terms_load(&m, s->axis + i, s->slowness + i * LAW_STRIDE, p);
  float t = leg_time(&m, s->source2, p) + leg_time(&m, s->receiver2, p);
  *doubt = time_doubt(t, s->shift);
  return t - s->shift;
}

/* First sample that is certainly inside the aperture; the radius is guessed to grow evenly along the range. */
DEVICE_FUNCTION uint aperture_begin(const PRIVATE edge_search *s, float first2, float last2, PARAMETERS *p) {
  float first = FAST_SQRT(first2), rise = FAST_SQRT(last2) - first;
  float guess = (FAST_SQRT(s->midpoint2) - first) * FAST_RECIPROCAL(MAX(rise, 1e-3f)) * (float)s->n;
  uint i = (uint)MIN(MAX(guess, 0.0f), (float)(s->n - 1u));
  float least = FMA(s->midpoint2, 1.5f * DISTANCE2_DOUBT, s->midpoint2);
  while (i < s->n && s->slowness[i * LAW_STRIDE].radius2 <= least) i++;
  while (i > 0u && s->slowness[(i - 1u) * LAW_STRIDE].radius2 > least) i--;
  return i;
}

/* First sample whose place is certainly past `limit` where `past` is 1, else first that is not certainly before it; t grows.
 * From t_s + t_r = T and t_s^2 - t_r^2 = (d_s^2 - d_r^2) s2 follow t_s and t1: exact for straight rays and one velocity, a good
 * guess else; for other laws by a line between the ends. */
DEVICE_FUNCTION uint record_edge(const PRIVATE edge_search *s, float limit, int past, PARAMETERS *p) {
  float doubt, guess;
  if (LAW == STRAIGHT) {
    float s2 = s->slowness[s->n >> 1].s2, total = MAX(limit + s->shift, 1.0f);
    float source_time = 0.5f * FMA((s->source2 - s->receiver2) * s2, FAST_RECIPROCAL(total), total);
    float t1 = FAST_SQRT(MAX(FMA(-s->source2, s2, source_time * source_time), 0.0f));
    float first = FAST_SQRT(s->axis[0].t1sq), last = FAST_SQRT(s->axis[s->n - 1u].t1sq);
    guess = (t1 - first) * FAST_RECIPROCAL(MAX(last - first, 1e-3f)) * (float)(s->n - 1u) + 1.0f;
  } else {
    float first = place_at(s, 0u, &doubt, p), last = place_at(s, s->n - 1u, &doubt, p);
    guess = (limit - first) * FAST_RECIPROCAL(MAX(last - first, 1e-3f)) * (float)(s->n - 1u) + 1.0f;
  }
  uint i = (uint)MIN(MAX(guess, 0.0f), (float)(s->n - 1u));
  float sign = past ? 1.0f : -1.0f;
  for (; i < s->n; i++) {
    float u = place_at(s, i, &doubt, p);
    if (u > FMA(sign, doubt, limit)) break;
  }
  for (; i > 0u; i--) {
    float u = place_at(s, i - 1u, &doubt, p);
    if (!(u > FMA(sign, doubt, limit))) break;
  }
  return i;
}

/* 1 where a sample beside a certain interval is inside after all. */
DEVICE_FUNCTION int is_inside_too(const PRIVATE edge_search *s, uint i, const GLOBAL migrate_trace *trace,
                                  const GLOBAL migrate_column *column, PARAMETERS *p) {
  float doubt, u = place_at(s, i, &doubt, p), radius2 = s->slowness[i * LAW_STRIDE].radius2;
  if (s->midpoint2 > FMA(radius2, 2.0f * DISTANCE2_DOUBT, radius2) || u > p->high + doubt || u < p->low - doubt) return 0;
  return inside_exactly(trace, column, s->axis + i, s->slowness + i * LAW_STRIDE, s->nodes, p);
}

/* [first, end) of the range's samples that are inside, first | end << 16; t grows along them. What a float is certain of, then
 * the doubtful samples beside the edges one by one. */
DEVICE_FUNCTION uint find_interval(const PRIVATE edge_search *s, const BOUND_SPACE float *bound, float earliest, float latest,
                                   const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column, PARAMETERS *p) {
  float first2 = bound[BOUND_RADIUS2_FIRST], doubt = time_doubt(latest, s->shift);
  uint first = 0u, end = s->n;
  if (!(s->midpoint2 < FMA(first2, -DISTANCE2_DOUBT, first2))) first = aperture_begin(s, first2, bound[BOUND_RADIUS2_LAST], p);
  if (!(earliest - s->shift > p->low + doubt)) {
    uint begin = record_edge(s, p->low, 1, p);
    first = MAX(first, begin);
  }
  if (!(latest - s->shift < p->high - doubt)) end = record_edge(s, p->high, 0, p);
  end = MAX(end, first);
  while (first > 0u && is_inside_too(s, first - 1u, trace, column, p)) first--;
  while (end < s->n && is_inside_too(s, end, trace, column, p)) end++;
  return first | end << 16;
}

#endif
