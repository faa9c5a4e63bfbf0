/* angle_lanes.h - an interval of samples cut by the opening angle (../angle_kernel.h). Included after migrate_lanes.h.
 *
 * Error: a sine is rounded some eight times, 5e-7 of itself, which turns its ray by a/A times that; A^2 = 1 - a^2 by 6e-8. Both
 * rays together are off by less than 1.2e-6/(A B) as long as A B > 1/16; beyond nothing is said. Laws of longer formulas have
 * larger errors (angle_runs.c).
 */
#include "migrate/angle_kernel.h"

typedef struct angle_frame {
  const moho_angle_parameters *parameters;
  const float *edges;
} angle_frame;

/* ---- chords ---- */

INLINE vfloat sine_of_leg(const angle_frame *f, const moho_angle_job *job, const moho_angle_leg *leg, vint at, int law) {
  vfloat d = lanes_set(leg->d), d2 = lanes_set(leg->d2), slope;
  if (law == MOHO_TRAVELTIME_CURVED_RAY) {
    vfloat low = lanes_gather(leg->rows, at), growth = lanes_gather(leg->rows + f->parameters->row_stride, at) - low;
    vfloat squared = FMA(lanes_set(leg->node_fraction), growth, low);
    slope = leg_slope_straight(d, growth * lanes_set(leg->node_inverse), RSQRT(squared));
  } else {
    vfloat base = lanes_gather(job->base, at), s2 = lanes_gather(job->s2, at);
    if (law == MOHO_TRAVELTIME_VTI) {
      vfloat a = lanes_gather(job->a, at), b = lanes_gather(job->b, at);
      slope = leg_slope_vti(d, base, d2, s2, a, b, RSQRT(leg_squared_vti(base, d2, s2, a, b)));
    } else if (law == MOHO_TRAVELTIME_VTI_RATIONAL) {
      vfloat a = lanes_gather(job->a, at);
      slope = leg_slope_vti_rational(d, base, d2, s2, a, RSQRT(leg_squared_vti_rational(base, d2, s2, a)));
    } else if (law == MOHO_TRAVELTIME_CURVED_LINEAR) {
      slope = leg_slope_linear(d, s2, leg_squared_straight(base, d2, s2), lanes_set(f->parameters->c2));
    } else {
      slope = leg_slope_straight(d, s2, RSQRT(leg_squared_straight(base, d2, s2)));
    }
  }
  return MIN(slope * lanes_gather(job->v_dt, at), R(1.0));
}

/* Of samples: the squared chord, and how far the chord may be off. */
typedef struct chords {
  vfloat squared, error;
} chords;

INLINE chords find_chords(const angle_frame *f, const moho_angle_job *job, vint at, int law) {
  vfloat a = sine_of_leg(f, job, &job->source, at, law), b = sine_of_leg(f, job, &job->receiver, at, law);
  vfloat a2 = FMA(-a, a, R(1.0)), b2 = FMA(-b, b, R(1.0)), both = MAX(a2 * b2, R(1e-8)), inverse = RSQRT(both);
  vfloat apart = a - b, across = apart * (a + b), sum2 = FMA(both * inverse, R(2.0), a2 + b2);
  vfloat squared = FMA(apart, apart, lanes_set(job->apart) * (a * b));
  squared = FMA(across * across, RECIPROCAL(MAX(sum2, R(1e-6))), squared);
  return (chords){squared, lanes_select_above(inverse, 16.0f, R(8.0), inverse * lanes_set(f->parameters->error))};
}

/* How near to an edge a squared chord may be on either side of it. */
INLINE vfloat doubt_of(vfloat error, vfloat chord) {
  return error * FMA(chord, R(2.0), error);
}

/* ---- where the angle falls ---- */

/* The sample that straight rays guess. */
INLINE vfloat guess_edges(const angle_frame *f, const moho_angle_job *job, const float *edge) {
  const int32_t stride = f->parameters->edge_stride;
  vfloat q = lanes_load(edge + MOHO_ANGLE_EDGE_SINE2 * stride);
  vfloat linear = FMA(-q, lanes_set(job->sum2), lanes_set(job->offset2));
  vfloat constant = FMA(-q, lanes_set(job->product2), lanes_set(job->cross2));
  vfloat root = SQRT(MAX(FMA(q * R(4.0), constant, linear * linear), R(1e-12)));
  vfloat z2 = FMA(root, lanes_load(edge + MOHO_ANGLE_EDGE_SIGN * stride), linear) * RECIPROCAL(q + q);
  vfloat place = MIN(SQRT(MAX(z2, R(1e-12))) * lanes_set(job->depths_per_m), R(MOHO_ANGLE_DEPTHS));
  vint row = lanes_floor(place);
  vfloat low = lanes_gather(job->depth, row), high = lanes_gather(job->depth + 1, row);
  return FMA(place - lanes_float(row), high - low, low);
}

/* LANES edges. */
INLINE void find_edges(const angle_frame *f, moho_angle_job *job, int number, int law) {
  enum { ROUNDS = 6 };
  const int32_t stride = f->parameters->edge_stride;
  const float *edge = f->edges + number;
  const vfloat first = lanes_set((float)job->first), end = lanes_set((float)job->end);
  const vfloat limit = lanes_load(edge + MOHO_ANGLE_EDGE_SQUARED * stride),
               chord = lanes_load(edge + MOHO_ANGLE_EDGE_CHORD * stride),
               inverse = lanes_load(edge + MOHO_ANGLE_EDGE_INVERSE * stride);
  vfloat guess = guess_edges(f, job, edge), at, open;
  for (int round = 0;; round++) {
    vint below = lanes_floor(MIN(MAX(guess, first - R(1.0)), end - R(0.5)));
    at = lanes_float(below) + R(1.0); /* the sample after the edge; that before it: */
    chords before = find_chords(f, job, lanes_clamp(below, 0, job->end), law),
           after = find_chords(f, job, lanes_add(below, lanes_set_int(1)), law);
    vfloat doubt_before = doubt_of(before.error, chord), doubt_after = doubt_of(after.error, chord);
    /* Beyond the ends there is no doubt. */
    vfloat above = lanes_select_above(at - first, 0.5f, before.squared - limit, R(1024.0));
    vfloat under = lanes_select_above(end - at, 0.5f, limit - after.squared, R(1024.0));
    open = MAX(doubt_before - above, doubt_after - under);
    vfloat missed = MAX(R(0.0) - above - doubt_before, R(0.0) - under - doubt_after);
    if (round == ROUNDS || !lanes_any_above(missed, 0.0f)) break;
    vfloat y = RSQRT(MAX(after.squared, R(1e-12))), growth = y - RSQRT(MAX(before.squared, R(1e-12)));
    vfloat next = FMA(inverse - y, RECIPROCAL(MAX(growth, R(1e-9))), at);
    guess = lanes_select_above(missed, 0.0f, MIN(MAX(next, first - R(1.0)), end), at - R(0.5));
  }
  job->open |= lanes_any_above(open, 0.0f);
  lanes_store_int(job->found + number, lanes_floor(lanes_select_above(open, 0.0f, R(-1.0) - at, at)));
}

/* ---- the same of straight rays through constant velocity ---- */

/* LANES edges: their squared sine, and the terms of G = q z^4 - linear z^2 - constant, which is rounded by less than ROUNDED of
 * q z^4 + linear_most z^2 + constant_most (twenty roundings; the depth is rounded twice, its fourth power ten times). */
typedef struct uniform_edges {
  vfloat q, linear, constant, linear_most, constant_most, sign;
} uniform_edges;

#define ROUNDED R(1.2e-6)

INLINE uniform_edges uniform_edges_of(const moho_angle_job *job, const float *edge, int32_t stride) {
  const vfloat q = lanes_load(edge + MOHO_ANGLE_EDGE_Q * stride), sum2 = lanes_set(job->sum2),
               product2 = lanes_set(job->product2);
  const vfloat offset2 = lanes_set(job->offset2), cross2 = lanes_set(job->cross2), size = ABS(q);
  return (uniform_edges){.q = q,
                         .linear = FMA(-q, sum2, offset2),
                         .constant = FMA(-q, product2, cross2),
                         .linear_most = FMA(size, sum2, offset2),
                         .constant_most = FMA(size, product2, cross2),
                         .sign = lanes_load(edge + MOHO_ANGLE_EDGE_SIGN * stride)};
}

/* The squared depth at which G = 0: of edges above 90 degrees the smaller root, as a quotient, for their q may be 0. */
INLINE vfloat uniform_depth2(const uniform_edges *e) {
  const vfloat root = SQRT(MAX(FMA(e->q * R(4.0), e->constant, e->linear * e->linear), R(1e-12))), sum = e->linear + root;
  const vfloat below = sum * RECIPROCAL(MAX(e->q + e->q, R(1e-12)));
  const vfloat above = e->constant * R(-2.0) * RECIPROCAL(MAX(sum, R(1e-6)));
  return MAX(lanes_select_above(e->sign, 0.0f, below, above), R(1e-12));
}

/* Above 0: surely the angle is smaller than the edge (side 1), not smaller (side -1). */
INLINE vfloat uniform_surely(const moho_angle_job *job, const uniform_edges *e, vfloat at, float side) {
  const vfloat z = FMA(at, lanes_set(job->depth_step), lanes_set(job->first_depth)), z2 = z * z;
  const vfloat g = FMA(FMA(e->q, z2, -e->linear), z2, -e->constant);
  const vfloat most = FMA(FMA(ABS(e->q), z2, e->linear_most), z2, e->constant_most);
  const vfloat same_side = z2 + lanes_set(job->across), same_side_most = z2 + ABS(lanes_set(job->across));
  const vfloat by_g = FMA(-most, ROUNDED, g * (e->sign * lanes_set(side)));
  const vfloat by_side = FMA(-same_side_most, ROUNDED, same_side * lanes_set(side));
  return lanes_select_above(e->sign * lanes_set(side), 0.0f, MIN(by_g, by_side), MAX(by_g, by_side));
}

INLINE void find_uniform_edges(const angle_frame *f, moho_angle_job *job, int number) {
  const vfloat first = lanes_set((float)job->first), end = lanes_set((float)job->end);
  const uniform_edges edges = uniform_edges_of(job, f->edges + number, f->parameters->edge_stride);
  const vfloat depth = SQRT(uniform_depth2(&edges)) - lanes_set(job->first_depth);
  const vfloat guess = lanes_select_above(edges.q, 0.0f, depth * lanes_set(1.0f / job->depth_step), end);
  const vfloat below = lanes_float(lanes_floor(MIN(MAX(guess, first - R(1.0)), end - R(0.5)))), at = below + R(1.0);
  const vfloat before_first = first - below, beyond_end = at - end + R(1.0); /* there is no doubt */
  const vfloat before = lanes_select_above(before_first, 0.5f, R(1.0), uniform_surely(job, &edges, below, -1));
  const vfloat after = lanes_select_above(beyond_end, 0.5f, R(1.0), uniform_surely(job, &edges, at, 1));
  const vfloat sure = MIN(before, after);
  job->open |= lanes_any_above(R(0.0) - sure, -1e-30f);
  lanes_store_int(job->found + number, lanes_floor(lanes_select_above(sure, 0.0f, at, R(-1.0) - at)));
}

/* ---- where it may not ---- */

static const int32_t lane_numbers[MOHO_ANGLE_WIDEST]
    __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* LANES samples from `at`. */
INLINE void count_edges(const angle_frame *f, const moho_angle_job *job, int32_t at, int law) {
  const moho_angle_parameters *p = f->parameters;
  chords here = find_chords(f, job, lanes_add(lanes_load_int(lane_numbers), lanes_set_int(at)), law);
  vint within = lanes_set_int(0), near = within;
  for (int32_t k = 0; k < p->n_limits; k++) {
    vfloat limit = lanes_set(f->edges[MOHO_ANGLE_EDGE_SQUARED * p->edge_stride + k]);
    vfloat doubt = doubt_of(here.error, lanes_set(f->edges[MOHO_ANGLE_EDGE_CHORD * p->edge_stride + k]));
    within = lanes_count(within, here.squared - doubt, limit), near = lanes_count(near, here.squared + doubt, limit);
  }
  lanes_store_int(job->found + (at - job->first), lanes_add(within, lanes_shift_left(lanes_sub(near, within), 16)));
}

/* ---- jobs ---- */

INLINE void do_jobs(const angle_frame *f, moho_angle_job *jobs, int law) {
  const moho_angle_parameters *p = f->parameters;
  for (moho_angle_job *job = jobs; job < jobs + p->n_jobs; job++) {
    if (job->falls != p->falls) continue;
    if (job->falls && law == MOHO_TRAVELTIME_STRAIGHT && job->depth_step > 0)
      for (int32_t k = 0; k < p->n_limits; k += LANES) find_uniform_edges(f, job, k);
    else if (job->falls)
      for (int32_t k = 0; k < p->n_limits; k += LANES) find_edges(f, job, k, law);
    else
      for (int32_t at = job->first; at < job->end; at += LANES) count_edges(f, job, at, law);
  }
}

#define ANGLE_JOBS(name, law)                                                              \
  static __attribute__((noinline)) void name(const angle_frame *f, moho_angle_job *jobs) { \
    do_jobs(f, jobs, law);                                                                 \
  }
ANGLE_JOBS(jobs_straight, MOHO_TRAVELTIME_STRAIGHT) /* curved_rms's slopes are the same of its terms */
ANGLE_JOBS(jobs_linear, MOHO_TRAVELTIME_CURVED_LINEAR)
ANGLE_JOBS(jobs_ray, MOHO_TRAVELTIME_CURVED_RAY)
ANGLE_JOBS(jobs_vti, MOHO_TRAVELTIME_VTI)
ANGLE_JOBS(jobs_vti_rational, MOHO_TRAVELTIME_VTI_RATIONAL)

void LANES_NAME(moho_angle_cut)(void *const *buffers, const void *parameters) {
  typedef void jobs_of_law(const angle_frame *f, moho_angle_job *jobs);
  static jobs_of_law *const laws[] = {[MOHO_TRAVELTIME_STRAIGHT] = jobs_straight,
                                      [MOHO_TRAVELTIME_CURVED_LINEAR] = jobs_linear,
                                      [MOHO_TRAVELTIME_CURVED_RMS] = jobs_straight,
                                      [MOHO_TRAVELTIME_CURVED_RAY] = jobs_ray,
                                      [MOHO_TRAVELTIME_VTI] = jobs_vti,
                                      [MOHO_TRAVELTIME_VTI_RATIONAL] = jobs_vti_rational};
  const angle_frame frame = {.parameters = parameters, .edges = buffers[MOHO_ANGLE_EDGES]};
  laws[frame.parameters->traveltime](&frame, buffers[MOHO_ANGLE_JOBS]);
}
