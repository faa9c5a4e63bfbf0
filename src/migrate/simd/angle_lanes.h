/* angle_lanes.h - an interval of samples cut by the opening angle, straight rays (../angle_kernel.h). Included after
 * migrate_lanes.h.
 *
 * a^2 = d^2 (v_int s2 dt)^2 / t^2 for each leg; numbers are rounded ten times at most: a^2 errs by 6e-7 of itself, the product
 * under the root by 1.2e-6, and the root by that over twice its value, or by 1.1e-3 where it vanishes.
 */
#include <string.h>

#include "migrate/angle_kernel.h"

/* A pair of trace and column, and the limits. */
typedef struct angle_pair {
  float source2, receiver2, cosine;
  const float *limits;
  int32_t n_limits;
} angle_pair;

/* Samples or nodes: bounds on their cosines, and the larger of 1/A^2 and 1/B^2. */
typedef struct angle_bounds {
  _Alignas(64) float low[MOHO_ANGLE_PAD], high[MOHO_ANGLE_PAD], inverse[MOHO_ANGLE_PAD];
} angle_bounds;

/* Of [begin, end) and what fills the last vector; begin: whole vectors. */
INLINE void find_cosines(const angle_pair *p, const float *base, const float *s2, const float *steepness, int begin, int end,
                         angle_bounds *out) {
  const vfloat source2 = lanes_set(p->source2), receiver2 = lanes_set(p->receiver2), between = lanes_set(p->cosine);
  for (int i = begin; i < end; i += LANES) {
    vfloat source = leg_squared_straight(lanes_load(base + i), source2, lanes_load(s2 + i));
    vfloat receiver = leg_squared_straight(lanes_load(base + i), receiver2, lanes_load(s2 + i));
    vfloat share = lanes_load(steepness + i) * lanes_reciprocal(source * receiver);
    vfloat a2 = MIN(share * source2 * receiver, R(1.0)), b2 = MIN(share * receiver2 * source, R(1.0));
    vfloat root = lanes_sqrt(MAX((R(1.0) - a2) * (R(1.0) - b2), R(1e-12)));
    vfloat cosine = FMA(between, lanes_sqrt(MAX(a2 * b2, R(1e-24))), root);
    vfloat error = FMA(lanes_reciprocal(MAX(root, R(1.4e-3))), R(2e-6), R(2e-6));
    lanes_store(out->low + i, cosine - error);
    lanes_store(out->high + i, cosine + error);
    lanes_store(out->inverse + i, lanes_reciprocal(MAX(R(1.0) - MAX(a2, b2), R(1e-4))));
  }
}

/* ---- gaps ---- */

/* Of each gap bounds on its cosines, -WORTHLESS and WORTHLESS where nothing is known of them; how many limits are surely at or
 * above them; the same and, where more may be, ANGLE_OPEN times how many more. */
typedef struct angle_gaps {
  _Alignas(64) float least[MOHO_ANGLE_GAPS], most[MOHO_ANGLE_GAPS];
  _Alignas(64) int32_t within[MOHO_ANGLE_GAPS], edges[MOHO_ANGLE_GAPS + 2];
} angle_gaps;

#define WORTHLESS 4.0f
enum { ANGLE_OPEN_SHIFT = 16, ANGLE_OPEN = 1 << ANGLE_OPEN_SHIFT };

/* 1.4: 4/3, and what floats err. */
INLINE void bound_gaps(const angle_bounds *nodes, const float *bend, const float *change, const float *excess, int at,
                       angle_gaps *gaps) {
  vfloat below = MIN(lanes_load(nodes->low + at), lanes_load_any(nodes->low + at + 1));
  vfloat above = MAX(lanes_load(nodes->high + at), lanes_load_any(nodes->high + at + 1));
  vfloat inverse = MAX(lanes_load(nodes->inverse + at), lanes_load_any(nodes->inverse + at + 1));
  vfloat changes = lanes_load(change + at);
  inverse = FMA(inverse * inverse, changes * R(1.7), inverse); /* where g is largest: 1/(1 - t) <= 1 + 4/3 t up to t = 1/4 */
  vfloat p = FMA(lanes_load(excess + at), inverse, R(1.0));
  vfloat steepest = R(1.0) - lanes_reciprocal(inverse), bent = FMA(p * p, steepest * R(9.0), R(1.0));
  vfloat share = FMA(lanes_load(bend + at), bent, changes * inverse);
  vfloat reach = share * R(1.4) * (R(1.0) - below), least = below - reach, most = above + reach;
  least = lanes_select_above(share, 0.25f, R(-WORTHLESS), least), most = lanes_select_above(share, 0.25f, R(WORTHLESS), most);
  lanes_store(gaps->least + at, lanes_select_above(inverse, 1e3f, R(-WORTHLESS), least));
  lanes_store(gaps->most + at, lanes_select_above(inverse, 1e3f, R(WORTHLESS), most));
}

typedef struct limit_range {
  int32_t first, end;
} limit_range;

/* The limits that lie among what is known of gaps [begin, end); of few limits all. */
static limit_range limits_among(const angle_pair *p, const angle_gaps *gaps, int begin, int end) {
  enum { FEW = 16 };
  limit_range all = {0, p->n_limits};
  if (p->n_limits <= FEW) return all;
  float least = WORTHLESS, most = -WORTHLESS;
  for (int i = begin; i < end; i++)
    if (gaps->most[i] < WORTHLESS) {
      least = gaps->least[i] < least ? gaps->least[i] : least;
      most = gaps->most[i] > most ? gaps->most[i] : most;
    }
  while (all.first < all.end && p->limits[all.first] >= most) all.first++;
  while (all.end > all.first && p->limits[all.end - 1] < least) all.end--;
  return all;
}

/* Gaps [begin, end) and what fills the vectors. */
INLINE void count_limits(const angle_pair *p, angle_gaps *gaps, int begin, int end) {
  const limit_range range = limits_among(p, gaps, begin, end);
  for (int at = begin / LANES * LANES; at < end; at += LANES) {
    vfloat least = lanes_load(gaps->least + at), most = lanes_load(gaps->most + at);
    vint within = lanes_set_int(range.first), near = lanes_count(within, most, R(WORTHLESS));
    for (int32_t k = range.first; k < range.end; k++) {
      vfloat limit = lanes_set(p->limits[k]);
      within = lanes_count(within, limit, most), near = lanes_count(near, limit, least);
    }
    lanes_store_int(gaps->within + at, within);
    lanes_store_int(gaps->edges + at, lanes_add(within, lanes_shift_left(lanes_sub(near, within), ANGLE_OPEN_SHIFT)));
  }
}

/* The first gap from `at` on that is unlike the one at `at`; end where none is. */
INLINE int end_of_alike(const int32_t *edges, int at, int end) {
  uint64_t two, like = (uint32_t)edges[at] * UINT64_C(0x100000001);
  int next = at + 1;
  for (; next < end; next += 2) {
    memcpy(&two, edges + next, sizeof two);
    if (two != like) break;
  }
  next += next < end && edges[next] == edges[at];
  return next < end ? next : end;
}

/* ---- samples ---- */

/* Samples with so many limits at or above their cosines, -1: unknown, after the runs so far. */
INLINE void append_samples(const angle_pair *p, moho_angle_parts *parts, int32_t first, int32_t end, int32_t edges) {
  if (edges == 0 || edges >= p->n_limits) return;
  int32_t bin = edges < 0 ? MOHO_ANGLE_UNKNOWN : edges - 1;
  moho_angle_run *next = &parts->runs[parts->n];
  parts->unknown += edges < 0;
  if (parts->n && edges > 0 && next[-1].end == first && next[-1].bin == bin) next[-1].end = end;
  else *next = (moho_angle_run){first, end, bin}, parts->n++;
}

/* MOHO_ANGLE_STEP samples from `at`, of them [first, end), with so many limits at or above as the range says, or one of them. */
static __attribute__((noinline)) void look_closely(const angle_pair *p, void *const *buffers, int32_t at, int32_t first,
                                                   int32_t end, limit_range range, moho_angle_parts *parts) {
  angle_bounds bounds;
  _Alignas(64) int32_t edges[MOHO_ANGLE_STEP];
  find_cosines(p, (const float *)buffers[MOHO_ANGLE_BASE] + at, (const float *)buffers[MOHO_ANGLE_S2] + at,
               (const float *)buffers[MOHO_ANGLE_STEEPNESS] + at, 0, MOHO_ANGLE_STEP, &bounds);
  for (int i = 0; i < MOHO_ANGLE_STEP; i += LANES) {
    vfloat low = lanes_load(bounds.low + i), high = lanes_load(bounds.high + i);
    vint within = lanes_set_int(range.first), near = within;
    for (int32_t k = range.first; k < range.end; k++) {
      vfloat limit = lanes_set(p->limits[k]);
      within = lanes_count(within, limit, high), near = lanes_count(near, limit, low);
    }
    lanes_store_int(edges + i, lanes_add(within, lanes_shift_left(lanes_sub(near, within), ANGLE_OPEN_SHIFT)));
  }
  for (int32_t i = first, next; i < end; i = next) {
    int32_t like = edges[i - at];
    for (next = i + 1; next < end && edges[next - at] == like && like < ANGLE_OPEN;) next++;
    append_samples(p, parts, i, next, like < ANGLE_OPEN ? like : -1);
  }
}

/* ---- the interval ---- */

/* Of gaps, from number `origin` on, [begin, end). */
INLINE void append_gaps(const angle_pair *p, void *const *buffers, const angle_gaps *gaps, int32_t origin, int begin, int end,
                        int32_t first_sample, int32_t end_sample, moho_angle_parts *parts) {
  for (int i = begin, next; i < end; i = next) {
    int32_t edges = gaps->edges[i], more = edges >> ANGLE_OPEN_SHIFT;
    next = more ? i + 1 : end_of_alike(gaps->edges, i, end);
    int32_t at = (origin + i) * MOHO_ANGLE_STEP, first = at, stop = (origin + next) * MOHO_ANGLE_STEP;
    if (first < first_sample) first = first_sample;
    if (stop > end_sample) stop = end_sample;
    limit_range range = {gaps->within[i], gaps->within[i] + more};
    if (gaps->most[i] >= WORTHLESS) range = (limit_range){0, p->n_limits};
    if (more) look_closely(p, buffers, at, first, stop, range, parts);
    else append_samples(p, parts, first, stop, edges);
  }
}

void LANES_NAME(moho_angle_cut)(void *const *buffers, const void *parameters_pointer) {
  const moho_angle_parameters *q = parameters_pointer;
  const angle_pair p = {q->source2, q->receiver2, q->cosine, buffers[MOHO_ANGLE_LIMITS], q->n_limits};
  moho_angle_parts *parts = buffers[MOHO_ANGLE_PARTS];
  angle_bounds nodes;
  angle_gaps gaps;
  const int32_t first_gap = q->first / MOHO_ANGLE_STEP, end_gap = (q->end - 1) / MOHO_ANGLE_STEP + 1;
  parts->n = parts->unknown = 0;
  for (int32_t origin = first_gap / 16 * 16; origin < end_gap; origin += MOHO_ANGLE_GAPS) {
    int begin = first_gap > origin ? first_gap - origin : 0;
    int end = end_gap - origin < MOHO_ANGLE_GAPS ? end_gap - origin : MOHO_ANGLE_GAPS, from = begin / LANES * LANES;
    find_cosines(&p, (const float *)buffers[MOHO_ANGLE_NODE_BASE] + origin, (const float *)buffers[MOHO_ANGLE_NODE_S2] + origin,
                 (const float *)buffers[MOHO_ANGLE_NODE_STEEPNESS] + origin, from, end + 1, &nodes);
    /* The last gap of the last vector may want a node more: it is past the end. */
    int past = (end + LANES) / LANES * LANES;
    nodes.low[past] = nodes.high[past] = nodes.inverse[past] = 1.0f;
    for (int at = from; at < end; at += LANES)
      bound_gaps(&nodes, (const float *)buffers[MOHO_ANGLE_BEND] + origin, (const float *)buffers[MOHO_ANGLE_CHANGE] + origin,
                 (const float *)buffers[MOHO_ANGLE_EXCESS] + origin, at, &gaps);
    gaps.edges[MOHO_ANGLE_GAPS] = gaps.edges[MOHO_ANGLE_GAPS + 1] = 0;
    count_limits(&p, &gaps, begin, end);
    append_gaps(&p, buffers, &gaps, origin, begin, end, q->first, q->end, parts);
  }
}
