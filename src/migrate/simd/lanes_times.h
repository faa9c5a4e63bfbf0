/* lanes_times.h - step one of the loops: where a run reads its trace, how wide, with what weight. */
#ifndef MOHO_LANES_TIMES_H
#define MOHO_LANES_TIMES_H

#include "kernels/physics.h"
#include "migrate/weight.h"
#include "moho/migration.h"

/* 1/2 (1 + cos(pi x)), x in [0, 1]: the sine series about x = 1/2, error 6e-8. */
INLINE vfloat half_cosine(vfloat x) {
  vfloat z = (x - R(0.5)) * R(3.14159265358979);
  vfloat z2 = z * z;
  vfloat s = FMA(z2, R(-2.50521084e-8), R(2.75573192e-6));
  s = FMA(z2, s, R(-1.98412698e-4));
  s = FMA(z2, s, R(8.33333333e-3));
  s = FMA(z2, s, R(-1.66666667e-1));
  return FMA(FMA(z * z2, s, z), R(-0.5), R(0.5));
}

/* Samples between the two steps: their arrays stay in the first-level cache. Vectors whose parts are noted at once. */
enum { BLOCK = 512, PARTS_AT_ONCE = 32 };

/* What the first step leaves for the second; it may run on past the run's end by less than VECTORS vectors. */
typedef struct loop_block {
  _Alignas(64) int32_t index[BLOCK + VECTORS * LANES];
  _Alignas(64) float fraction[BLOCK + VECTORS * LANES], width[BLOCK + VECTORS * LANES], weight[BLOCK + VECTORS * LANES];
  /* Of a run that has parts (migrate_lanes.h): the part that each vector lies in, 0 where more than one share it or it is not
   * wholly in the run; where rows of parts lie at the block's begin, from 1 on; what shared vectors have for them. */
  _Alignas(64) uint16_t part[BLOCK / LANES + PARTS_AT_ONCE];
  float *row[BLOCK + 1];
  _Alignas(64) float value[BLOCK + LANES];
} loop_block;

/* One leg of a run: how far it goes along the surface, and with a leg-time table between which of its rows. */
typedef struct run_leg {
  float d2, x, y;                    /* squared distance; its components along the grid's axes */
  const float *low, *high;           /* [table] squared leg times at the two nodes around d2 */
  float node_fraction, node_inverse; /* of d2 between the nodes; 1 / their distance in d2 */
} run_leg;

/* One run's constants and arrays. */
typedef struct run_frame {
  const float *restrict row, *restrict integrated, *restrict inverse_radius, *restrict sinc;
  const float *restrict base, *restrict s2, *restrict a, *restrict b; /* the law's terms (physics.h) */
  float *restrict image;
  int n_samples, k_max, t_part;
  run_leg source, receiver;
  size_t bank_stride;
  int bank_last;
  float bank_inverse_narrowest, bank_per_octave;
  float distance, shift, spacing, c2;
  float taper_inv_fraction, shortest_time, longest_inverse;
} run_frame;

/* ---- legs ---- */

/* What stands under a leg's root: in most laws the squared leg time. */
INLINE vfloat leg_under_root(const run_frame *run, const run_leg *leg, int at, int law) {
  if (law == MOHO_TRAVELTIME_CURVED_RAY) {
    vfloat low = lanes_load(leg->low + at);
    return FMA(lanes_set(leg->node_fraction), lanes_load(leg->high + at) - low, low);
  }
  vfloat base = lanes_load(run->base + at), s2 = lanes_load(run->s2 + at), d2 = lanes_set(leg->d2);
  if (law == MOHO_TRAVELTIME_VTI) return leg_squared_vti(base, d2, s2, lanes_load(run->a + at), lanes_load(run->b + at));
  if (law == MOHO_TRAVELTIME_VTI_RATIONAL) return leg_squared_vti_rational(base, d2, s2, lanes_load(run->a + at));
  return leg_squared_straight(base, d2, s2);
}

INLINE int is_linear(int law) {
  return law == MOHO_TRAVELTIME_CURVED_LINEAR || law == MOHO_LOOP_LINEAR_NEAR;
}

INLINE vfloat linear_leg(vfloat q, const run_frame *run, int law) {
  return law == MOHO_LOOP_LINEAR_NEAR ? leg_time_linear_near(q, lanes_set(run->c2)) : leg_time_linear(q, lanes_set(run->c2));
}

/* t_s + t_r - shift of count vectors from `at`. */
INLINE void sum_of_legs(const run_frame *run, int at, const vfloat *source, const vfloat *receiver, vfloat *u, int count,
                        int law) {
  if (law == MOHO_LOOP_LINEAR_NEAR) {
    for (int k = 0; k < count; k++) u[k] = leg_sum_linear_near(source[k], receiver[k], lanes_set(run->c2), lanes_set(run->shift));
    return;
  }
  if (is_linear(law)) {
    for (int k = 0; k < count; k++)
      u[k] = linear_leg(source[k], run, law) + (linear_leg(receiver[k], run, law) - lanes_set(run->shift));
    return;
  }
  lanes_sum_of_roots(source, receiver, lanes_set(run->shift), u, count);
  for (int k = 0; law == MOHO_TRAVELTIME_CURVED_RMS && k < count; k++)
    u[k] = FMA(lanes_load(run->a + at + k * LANES), R(2.0), u[k]);
}

/* Slope of a leg along an axis over its distance along it. */
INLINE vfloat leg_slope_factor(const run_frame *run, const run_leg *leg, int at, vfloat q, int law) {
  if (law == MOHO_TRAVELTIME_CURVED_RAY)
    return leg_slope_straight(R(1.0), (lanes_load(leg->high + at) - lanes_load(leg->low + at)) * lanes_set(leg->node_inverse),
                              RSQRT(q));
  vfloat s2 = lanes_load(run->s2 + at), d2 = lanes_set(leg->d2);
  if (is_linear(law)) return leg_slope_linear(R(1.0), s2, q, lanes_set(run->c2));
  if (law == MOHO_TRAVELTIME_VTI)
    return leg_slope_vti(R(1.0), lanes_load(run->base + at), d2, s2, lanes_load(run->a + at), lanes_load(run->b + at), RSQRT(q));
  if (law == MOHO_TRAVELTIME_VTI_RATIONAL)
    return leg_slope_vti_rational(R(1.0), lanes_load(run->base + at), d2, s2, lanes_load(run->a + at), RSQRT(q));
  return leg_slope_straight(R(1.0), s2, RSQRT(q));
}

/* 1/t of a leg, of one that is at least an input sample long. */
INLINE vfloat leg_inverse(const run_frame *run, int at, vfloat q, int law) {
  vfloat inverse = RSQRT(q);
  if (is_linear(law)) inverse = RECIPROCAL(linear_leg(q, run, law));
  if (law == MOHO_TRAVELTIME_CURVED_RMS) inverse = RECIPROCAL(lanes_load(run->a + at) + SQRT(q));
  return MIN(inverse, lanes_set(run->longest_inverse));
}

INLINE vfloat half_width(const run_frame *run, int at, vfloat q_source, vfloat q_receiver, int law) {
  vfloat source = leg_slope_factor(run, &run->source, at, q_source, law),
         receiver = leg_slope_factor(run, &run->receiver, at, q_receiver, law);
  vfloat px = lanes_set(run->source.x) * source + lanes_set(run->receiver.x) * receiver;
  vfloat py = lanes_set(run->source.y) * source + lanes_set(run->receiver.y) * receiver;
  return MIN(triangle_half_width(px, py, lanes_set(run->spacing)), lanes_set((float)run->k_max));
}

/* ---- weights ---- */

/* The part of the weight that depends on the leg times (migrate/weight.h); t at least an input sample. */
INLINE vfloat weight_of_times(const run_frame *run, int at, vfloat t, vfloat q_source, vfloat q_receiver, int law, int t_part) {
  if (t_part == 1) return RSQRT(t);
  if (t_part == 2) return RECIPROCAL(t);
  if (t_part == 3) return RSQRT(t) * RECIPROCAL(t);
  if (t_part == 4) return RECIPROCAL(t * t);
  vfloat source = leg_inverse(run, at, q_source, law), receiver = leg_inverse(run, at, q_receiver, law);
  int is_2d = t_part == MOHO_T_PART_TRUE_2D || t_part == MOHO_T_PART_TRUE_2D_RAW;
  vfloat weight = is_2d ? true_amplitude_2d(source, receiver, t) : true_amplitude_3d(source, receiver);
  if (t_part == MOHO_T_PART_TRUE_3D_RAW || t_part == MOHO_T_PART_TRUE_2D_RAW) weight = weight * t;
  return weight;
}

/* ---- the step ---- */

/* `count` (VECTORS or 1) vectors from `at`. */
INLINE void find_times(const run_frame *run, int at, loop_block *block, int slot, int count, int law, int is_wide, int t_part,
                       int tapered) {
  vfloat source[VECTORS], receiver[VECTORS], u[VECTORS];
  for (int k = 0; k < count; k++) {
    source[k] = leg_under_root(run, &run->source, at + k * LANES, law);
    receiver[k] = leg_under_root(run, &run->receiver, at + k * LANES, law);
  }
  sum_of_legs(run, at, source, receiver, u, count, law);
  for (int k = 0; k < count; k++) {
    vint index = lanes_floor(u[k]);
    lanes_store_int(block->index + slot + k * LANES, index);
    lanes_store(block->fraction + slot + k * LANES, u[k] - lanes_float(index));
  }
  for (int k = 0; is_wide && k < count; k++)
    lanes_store(block->width + slot + k * LANES, half_width(run, at + k * LANES, source[k], receiver[k], law));
  for (int k = 0; (t_part || tapered) && k < count; k++) {
    vfloat weight = R(1.0);
    if (t_part)
      weight = weight_of_times(run, at + k * LANES, MAX(u[k] + lanes_set(run->shift), lanes_set(run->shortest_time)), source[k],
                               receiver[k], law, t_part);
    if (tapered)
      weight = weight * half_cosine(taper_argument(lanes_set(run->distance), lanes_load(run->inverse_radius + at + k * LANES),
                                                   lanes_set(run->taper_inv_fraction)));
    lanes_store(block->weight + slot + k * LANES, weight);
  }
}

/* Samples [at, stop) of the block that begins at `begin`, both multiples of LANES, stop - begin <= BLOCK. */
typedef void times_step(const run_frame *run, int begin, int at, int stop, int tapered, loop_block *block);

INLINE void times_of_block(const run_frame *shared, int begin, int at, int stop, int tapered, loop_block *block, int law,
                           int is_wide) {
  const run_frame own = *shared, *run = &own; /* a copy that no store can change: it stays in registers */
  const int t_part = run->t_part;
  /* A taper is short: one vector at a time. Else VECTORS, past the end if need be: cheaper than another loop's end. */
  if (tapered)
    for (; at < stop; at += LANES) find_times(run, at, block, at - begin, 1, law, is_wide, t_part, 1);
  else if (t_part)
    for (; at < stop; at += VECTORS * LANES) find_times(run, at, block, at - begin, VECTORS, law, is_wide, t_part, 0);
  else
    for (; at < stop; at += VECTORS * LANES) find_times(run, at, block, at - begin, VECTORS, law, is_wide, 0, 0);
}

#define TIMES_STEP(name, law, is_wide)                                                                  \
  static void name(const run_frame *run, int begin, int at, int stop, int tapered, loop_block *block) { \
    times_of_block(run, begin, at, stop, tapered, block, law, is_wide);                                 \
  }
#define TIMES_STEPS(name, law)     \
  TIMES_STEP(name##_times, law, 0) \
  TIMES_STEP(name##_widths, law, 1)
TIMES_STEPS(straight, MOHO_TRAVELTIME_STRAIGHT)
TIMES_STEPS(linear, MOHO_TRAVELTIME_CURVED_LINEAR)
TIMES_STEPS(linear_near, MOHO_LOOP_LINEAR_NEAR)
TIMES_STEPS(rms, MOHO_TRAVELTIME_CURVED_RMS)
TIMES_STEPS(ray, MOHO_TRAVELTIME_CURVED_RAY)
TIMES_STEPS(vti, MOHO_TRAVELTIME_VTI)
TIMES_STEPS(vti_rational, MOHO_TRAVELTIME_VTI_RATIONAL)

/* [law][1: with half-widths] */
#define TIMES_PAIR(name) \
  { name##_times, name##_widths }
static times_step *const times_steps[][2] = {
    [MOHO_TRAVELTIME_STRAIGHT] = TIMES_PAIR(straight), [MOHO_TRAVELTIME_CURVED_LINEAR] = TIMES_PAIR(linear),
    [MOHO_TRAVELTIME_CURVED_RMS] = TIMES_PAIR(rms),    [MOHO_TRAVELTIME_CURVED_RAY] = TIMES_PAIR(ray),
    [MOHO_TRAVELTIME_VTI] = TIMES_PAIR(vti),           [MOHO_TRAVELTIME_VTI_RATIONAL] = TIMES_PAIR(vti_rational),
    [MOHO_LOOP_LINEAR_NEAR] = TIMES_PAIR(linear_near)};

#endif
