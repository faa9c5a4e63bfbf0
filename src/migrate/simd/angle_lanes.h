/* angle_lanes.h - an interval of samples cut by the opening angle, straight rays (../angle_kernel.h). Included after
 * migrate_lanes.h; what is written without vectors, sixteen at a time, the compiler makes vectors of.
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

/* Of each gap: how many limits are surely at or above its cosines, and how many may be. */
typedef struct angle_gaps {
  _Alignas(64) int32_t within[MOHO_ANGLE_GAPS], near[MOHO_ANGLE_GAPS];
  _Alignas(64) float least[MOHO_ANGLE_GAPS], most[MOHO_ANGLE_GAPS];
  uint16_t edges[MOHO_ANGLE_GAPS + 4]; /* the two where they are one, else ANGLE_OPEN */
} angle_gaps;

enum { ANGLE_OPEN = 0xffff };

/* Bounds on the cosines of sixteen gaps; where they are worth nothing, most < least. 1.4: 4/3, and what floats err. */
INLINE void bound_gaps(const angle_bounds *nodes, const float *bend, const float *change, const float *excess, int at,
                       angle_gaps *gaps) {
  const float *low = nodes->low + at, *high = nodes->high + at, *inverses = nodes->inverse + at;
  for (int i = 0; i < 16; i++) {
    float below = low[i] < low[i + 1] ? low[i] : low[i + 1], above = high[i] > high[i + 1] ? high[i] : high[i + 1];
    float inverse = inverses[i] > inverses[i + 1] ? inverses[i] : inverses[i + 1];
    inverse += inverse * inverse * 1.7f * change[at + i]; /* where g is largest: 1/(1 - t) <= 1 + 4/3 t up to t = 1/4 */
    float p = 1.0f + excess[at + i] * inverse, share = bend[at + i] * (p * p) + change[at + i] * (1.0f + inverse);
    float reach = 1.4f * share * (1.0f - below);
    int is_open = !(share < 0.25f) | (inverse > 1000.0f);
    gaps->least[at + i] = is_open ? 4.0f : below - reach;
    gaps->most[at + i] = is_open ? -4.0f : above + reach;
  }
}

/* How many limits, which descend, are at least `value`. */
INLINE int32_t limits_above(const angle_pair *p, float value) {
  int32_t above = 0;
  while (above < p->n_limits && p->limits[above] >= value) above++;
  return above;
}

/* Gaps [begin, end). */
INLINE void count_limits(const angle_pair *p, angle_gaps *gaps, int begin, int end) {
  _Alignas(64) float least[16], most[16];
  int from = begin & ~15;
  for (int i = 0; i < 16; i++) least[i] = 4.0f, most[i] = -4.0f;
  for (int i = from; i < begin; i++) gaps->least[i] = 4.0f, gaps->most[i] = -4.0f;
  for (int i = end; i & 15; i++) gaps->least[i] = 4.0f, gaps->most[i] = -4.0f;
  for (int at = from; at < end; at += 16)
    for (int i = 0; i < 16; i++) {
      least[i] = gaps->least[at + i] < least[i] ? gaps->least[at + i] : least[i];
      most[i] = gaps->most[at + i] > most[i] ? gaps->most[at + i] : most[i];
    }
  for (int half = 8; half >= 1; half /= 2)
    for (int i = 0; i < half; i++) {
      least[i] = least[i + half] < least[i] ? least[i + half] : least[i];
      most[i] = most[i + half] > most[i] ? most[i + half] : most[i];
    }
  int32_t within = limits_above(p, most[0]), near = limits_above(p, least[0]);
  for (int at = from; at < end; at += 16)
    for (int i = 0; i < 16; i++) gaps->within[at + i] = gaps->near[at + i] = within;
  for (int32_t k = within; k < near; k++) {
    const float limit = p->limits[k];
    for (int at = from; at < end; at += 16)
      for (int i = 0; i < 16; i++) {
        gaps->within[at + i] += limit >= gaps->most[at + i];
        gaps->near[at + i] += limit >= gaps->least[at + i];
      }
  }
  for (int at = from; at < end; at += 16)
    for (int i = 0; i < 16; i++) {
      int is_open = (gaps->within[at + i] != gaps->near[at + i]) | (gaps->most[at + i] < gaps->least[at + i]);
      gaps->edges[at + i] = is_open ? ANGLE_OPEN : (uint16_t)gaps->within[at + i];
    }
}

/* The first gap from `at` on that is unlike the one at `at`; end where none is. Four at a time. */
INLINE int end_of_alike(const uint16_t *edges, int at, int end) {
  uint64_t four, like = edges[at] * UINT64_C(0x0001000100010001);
  for (at++; at < end; at += 4) {
    memcpy(&four, edges + at, sizeof four);
    if (four != like) break;
  }
  while (at < end && edges[at] == (uint16_t)like) at++;
  return at < end ? at : end;
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

/* Sixteen samples from `at`, of them [first, end), with `within` to `near` limits at or above. */
static __attribute__((noinline)) void look_closely(const angle_pair *p, void *const *buffers, int32_t at, int32_t first,
                                                   int32_t end, int32_t within, int32_t near, moho_angle_parts *parts) {
  angle_bounds bounds;
  _Alignas(64) int32_t edges[16];
  find_cosines(p, (const float *)buffers[MOHO_ANGLE_BASE] + at, (const float *)buffers[MOHO_ANGLE_S2] + at,
               (const float *)buffers[MOHO_ANGLE_STEEPNESS] + at, 0, MOHO_ANGLE_STEP, &bounds);
  for (int i = 0; i < 16; i++) edges[i] = within;
  for (int32_t k = within; k < near; k++) {
    const float limit = p->limits[k];
    for (int i = 0; i < 16; i++) {
      int is_above = limit >= bounds.high[i], may_be = limit >= bounds.low[i];
      edges[i] = is_above ? edges[i] + 1 : may_be ? INT32_MIN : edges[i];
    }
  }
  for (int32_t i = first, next; i < end; i = next) {
    int32_t like = edges[i - at];
    for (next = i + 1; next < end && edges[next - at] == like && like >= 0;) next++;
    append_samples(p, parts, i, next, like < 0 ? -1 : like);
  }
}

/* ---- the interval ---- */

/* Of gaps, from number `origin` on, [begin, end). */
INLINE void append_gaps(const angle_pair *p, void *const *buffers, const angle_gaps *gaps, int32_t origin, int begin, int end,
                        int32_t first_sample, int32_t end_sample, moho_angle_parts *parts) {
  for (int i = begin, next; i < end; i = next) {
    int is_open = gaps->edges[i] == ANGLE_OPEN;
    next = is_open ? i + 1 : end_of_alike(gaps->edges, i, end);
    int32_t at = (origin + i) * MOHO_ANGLE_STEP, first = at, stop = (origin + next) * MOHO_ANGLE_STEP;
    if (first < first_sample) first = first_sample;
    if (stop > end_sample) stop = end_sample;
    if (!is_open) append_samples(p, parts, first, stop, gaps->edges[i]);
    else if (gaps->most[i] < gaps->least[i]) look_closely(p, buffers, at, first, stop, 0, p->n_limits, parts);
    else look_closely(p, buffers, at, first, stop, gaps->within[i], gaps->near[i], parts);
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
  for (int32_t origin = first_gap & ~15; origin < end_gap; origin += MOHO_ANGLE_GAPS) {
    int begin = first_gap > origin ? first_gap - origin : 0;
    int end = end_gap - origin < MOHO_ANGLE_GAPS ? end_gap - origin : MOHO_ANGLE_GAPS;
    find_cosines(&p, (const float *)buffers[MOHO_ANGLE_NODE_BASE] + origin, (const float *)buffers[MOHO_ANGLE_NODE_S2] + origin,
                 (const float *)buffers[MOHO_ANGLE_NODE_STEEPNESS] + origin, begin & ~15, end + 1, &nodes);
    for (int i = end / LANES * LANES + LANES; i <= (end + 15) / 16 * 16; i++)
      nodes.low[i] = nodes.high[i] = 1.0f, nodes.inverse[i] = 1.0f; /* of gaps past the end */
    for (int at = begin & ~15; at < end; at += 16)
      bound_gaps(&nodes, (const float *)buffers[MOHO_ANGLE_BEND] + origin, (const float *)buffers[MOHO_ANGLE_CHANGE] + origin,
                 (const float *)buffers[MOHO_ANGLE_EXCESS] + origin, at, &gaps);
    count_limits(&p, &gaps, begin, end);
    append_gaps(&p, buffers, &gaps, origin, begin, end, q->first, q->end, parts);
  }
}
