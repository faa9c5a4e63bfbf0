/* lanes_times.h - step one of the loops: where a run reads its trace, how wide, with what weight. */
#ifndef MOHO_LANES_TIMES_H
#define MOHO_LANES_TIMES_H

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

/* t^-(power/2) */
INLINE vfloat weight_of_time(vfloat t, int power) {
  if (power == 1) return RSQRT(t);
  if (power == 2) return lanes_reciprocal(t);
  if (power == 3) return RSQRT(t) * lanes_reciprocal(t);
  return lanes_reciprocal(t * t);
}

enum { BLOCK = 512 }; /* samples between the two steps: its arrays stay in the first-level cache */

/* What the first step leaves for the second; it may run on past the run's end by less than VECTORS vectors. */
typedef struct loop_block {
  _Alignas(64) int32_t index[BLOCK + VECTORS * LANES];
  _Alignas(64) float fraction[BLOCK + VECTORS * LANES], width[BLOCK + VECTORS * LANES], weight[BLOCK + VECTORS * LANES];
} loop_block;

/* One run's constants and arrays. */
typedef struct run_frame {
  const float *restrict row, *restrict integrated, *restrict t1sq, *restrict s2, *restrict inverse_radius, *restrict sinc;
  float *restrict image;
  int n_samples, k_max, power;
  float source2, receiver2, distance, shift, spacing, source_x, source_y, receiver_x, receiver_y;
  float taper_inv_fraction, shortest_time;
} run_frame;

INLINE vfloat half_width(const run_frame *run, vfloat s2, vfloat source_squared, vfloat receiver_squared) {
  vfloat source_inverse = RSQRT(source_squared), receiver_inverse = RSQRT(receiver_squared);
  vfloat px = leg_slope_straight(lanes_set(run->source_x), s2, source_inverse) +
              leg_slope_straight(lanes_set(run->receiver_x), s2, receiver_inverse);
  vfloat py = leg_slope_straight(lanes_set(run->source_y), s2, source_inverse) +
              leg_slope_straight(lanes_set(run->receiver_y), s2, receiver_inverse);
  return MIN(triangle_half_width(px, py, lanes_set(run->spacing)), lanes_set((float)run->k_max));
}

/* `count` (VECTORS or 1) vectors from `at`. */
INLINE void find_times(const run_frame *run, int at, loop_block *block, int slot, int count, int is_wide, int power,
                       int tapered) {
  vfloat source_squared[VECTORS], receiver_squared[VECTORS], u[VECTORS];
  for (int k = 0; k < count; k++) {
    vfloat t1sq = lanes_load(run->t1sq + at + k * LANES), s2 = lanes_load(run->s2 + at + k * LANES);
    source_squared[k] = leg_squared_straight(t1sq, lanes_set(run->source2), s2);
    receiver_squared[k] = leg_squared_straight(t1sq, lanes_set(run->receiver2), s2);
  }
  lanes_sum_of_roots(source_squared, receiver_squared, lanes_set(run->shift), u, count);
  for (int k = 0; k < count; k++) {
    vint index = lanes_floor(u[k]);
    lanes_store_int(block->index + slot + k * LANES, index);
    lanes_store(block->fraction + slot + k * LANES, u[k] - lanes_float(index));
  }
  for (int k = 0; is_wide && k < count; k++)
    lanes_store(block->width + slot + k * LANES,
                half_width(run, lanes_load(run->s2 + at + k * LANES), source_squared[k], receiver_squared[k]));
  for (int k = 0; (power || tapered) && k < count; k++) {
    vfloat weight = R(1.0);
    if (power) weight = weight_of_time(MAX(u[k] + lanes_set(run->shift), lanes_set(run->shortest_time)), power);
    if (tapered)
      weight = weight * half_cosine(taper_argument(lanes_set(run->distance), lanes_load(run->inverse_radius + at + k * LANES),
                                                   lanes_set(run->taper_inv_fraction)));
    lanes_store(block->weight + slot + k * LANES, weight);
  }
}

/* Samples [begin, stop), stop - begin <= BLOCK, begin a multiple of LANES. */
typedef void times_step(const run_frame *run, int begin, int stop, int tapered, loop_block *block);

INLINE void times_of_block(const run_frame *shared, int begin, int stop, int tapered, loop_block *block, int is_wide) {
  const run_frame own = *shared, *run = &own; /* a copy that no store can change: it stays in registers */
  /* A taper is short: one vector at a time. Else VECTORS, past the end if need be: cheaper than another loop's end. */
  const int power = run->power;
  if (tapered) {
    for (int at = begin; at < stop; at += LANES) find_times(run, at, block, at - begin, 1, is_wide, power, 1);
  } else if (power) {
    for (int at = begin; at < stop; at += VECTORS * LANES) find_times(run, at, block, at - begin, VECTORS, is_wide, power, 0);
  } else {
    for (int at = begin; at < stop; at += VECTORS * LANES) find_times(run, at, block, at - begin, VECTORS, is_wide, 0, 0);
  }
}
#define TIMES_STEP(name, is_wide)                                                               \
  static void name(const run_frame *run, int begin, int stop, int tapered, loop_block *block) { \
    times_of_block(run, begin, stop, tapered, block, is_wide);                                  \
  }
TIMES_STEP(straight_times, 0)
TIMES_STEP(straight_widths, 1)

#endif
