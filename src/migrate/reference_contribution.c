/* reference_contribution.c - what one trace adds to one image sample, for the double reference and its adjoint.
 *
 * Absolute coordinates; formulas from kernels/physics.h and interpolate.h, edges from aperture.h. Nothing is hoisted but
 * what depends on the column alone, so that it can be believed by reading. A value read from a trace is linear in the
 * trace's samples: it is described by its taps, the coefficient of each sample that it reads. The coefficients come from
 * the formulas themselves, put to unit traces, so that no formula stands here twice.
 */
#include <math.h>

#include "migrate/antialias.h"
#include "migrate/aperture.h"
#include "migrate/migration_options.h"
#include "migrate/real_double.h"
#include "migrate/reference_internal.h"
#include "migrate/weight.h"

static double distance2(double dx, double dy) {
  return dx * dx + dy * dy;
}

double moho_reference_distance(const reference_column *column, const reference_trace *trace) {
  return sqrt(distance2(column->x - trace->midpoint_x, column->y - trace->midpoint_y));
}

/* ---- columns and traces ---- */

double moho_reference_describe_column(const moho_reference *r, size_t c, reference_sample *samples) {
  const moho_travel_column *travel = moho_reference_travel(r, c);
  double radius = 0;
  for (size_t k = 0; k < r->n_time; k++) {
    double t0 = r->first_s + (double)k * r->step_s, v = travel->v[k];
    double share = r->live ? 1 / r->live[c * r->n_time + k] : 1; /* of one offset class in their mean */
    radius = MAX(radius, travel->radius[k]);
    samples[k] =
        (reference_sample){.i = k,
                           .t0_s = t0,
                           .weight = share * moho_weight_of_column(&r->options, r->is_line, r->preparer.dt_s, t0, v, r->v0[c]),
                           .radius = radius};
  }
  return radius;
}

reference_trace moho_reference_trace(const moho_reference *r, const moho_geometry *g, size_t i) {
  double dx = g->source_x[i] - g->receiver_x[i], dy = g->source_y[i] - g->receiver_y[i];
  reference_trace trace = {.source_x = g->source_x[i],
                           .source_y = g->source_y[i],
                           .receiver_x = g->receiver_x[i],
                           .receiver_y = g->receiver_y[i],
                           .midpoint_x = 0.5 * (g->source_x[i] + g->receiver_x[i]),
                           .midpoint_y = 0.5 * (g->source_y[i] + g->receiver_y[i]),
                           .half_offset2 = 0.25 * distance2(dx, dy),
                           .first_sample = g->first_sample_s[i] / r->preparer.dt_s,
                           .window = moho_mute_window_of(&r->options, moho_geometry_offset(g, i)),
                           .area = 1};
  if (r->classes.n) {
    trace.spacing = r->options.antialias_factor * r->classes.spacing_m[moho_offset_class_of_trace(&r->classes, g, i)];
    trace.area = moho_weight_of_trace(&r->options, &r->classes, g, i);
  }
  trace.bin = r->bins.kind && !r->angles.n ? moho_gather_bin_of_trace(&r->bins, &r->axes, g, i) : 0;
  return trace;
}

/* ---- taps: a trace at time u (refined samples after its first) ---- */

static void add_tap(reference_contribution *out, ptrdiff_t at, double h) {
  out->at[out->n] = at;
  out->h[out->n++] = h;
}

/* at: of the sample before u; f: the fraction past it. */
static void tap_linear(reference_contribution *out, ptrdiff_t at, double f, double scale) {
  add_tap(out, at, scale * interpolate_linear(1, 0, f));
  add_tap(out, at + 1, scale * interpolate_linear(0, 1, f));
}

static void tap_cubic(reference_contribution *out, ptrdiff_t at, double f, double scale) {
  add_tap(out, at - 1, scale * interpolate_cubic(1, 0, 0, 0, f));
  add_tap(out, at, scale * interpolate_cubic(0, 1, 0, 0, f));
  add_tap(out, at + 1, scale * interpolate_cubic(0, 0, 1, 0, f));
  add_tap(out, at + 2, scale * interpolate_cubic(0, 0, 0, 1, f));
}

static void tap_sinc8(reference_contribution *out, const double (*sinc)[MOHO_SINC_TAPS], ptrdiff_t at, double f, double scale) {
  double position = f * MOHO_SINC_FRACTIONS, row = MIN(floor(position), MOHO_SINC_FRACTIONS - 1), g = position - row;
  const double *before = sinc[(size_t)row], *after = sinc[(size_t)row + 1];
  for (int j = 0; j < MOHO_SINC_TAPS; j++) add_tap(out, at + j - 3, scale * interpolate_linear(before[j], after[j], g));
}

/* `first`: of the row's values, where sample 0 of the trace is; zeros lie before and after it, for the taps beyond it. */
static void tap_trace(const moho_reference *r, reference_contribution *out, size_t first, double u, double scale) {
  double i = floor(u), f = u - i;
  ptrdiff_t at = (ptrdiff_t)first + (ptrdiff_t)i;
  if (r->options.interpolation == MOHO_INTERPOLATION_CUBIC) tap_cubic(out, at, f, scale);
  else if (r->options.interpolation == MOHO_INTERPOLATION_SINC8)
    tap_sinc8(out, (const double(*)[MOHO_SINC_TAPS])r->sinc, at, f, scale);
  else tap_linear(out, at, f, scale);
}

/* The trace under a triangle of whole half-width K, from the trace integrated twice. */
static void tap_triangle(reference_contribution *out, size_t first, double u, ptrdiff_t K, double scale) {
  double i = floor(u), f = u - i, inv_k2 = 1.0 / ((double)K * (double)K);
  ptrdiff_t at = (ptrdiff_t)first + (ptrdiff_t)i;
  for (int past = 0; past < 2; past++) {
    double share = scale * (past ? interpolate_linear(0, 1, f) : interpolate_linear(1, 0, f));
    add_tap(out, at + past - K, share * triangle_of(1, 0, 0, inv_k2));
    add_tap(out, at + past, share * triangle_of(0, 1, 0, inv_k2));
    add_tap(out, at + past + K, share * triangle_of(0, 0, 1, inv_k2));
  }
}

static void tap_bank(const moho_reference *r, reference_contribution *out, double u, double half_width) {
  double place = moho_filter_bank_place(&r->preparer.bank, half_width), f = place - floor(place);
  int j = (int)floor(place);
  tap_trace(r, out, moho_reference_copy_at(&r->preparer, j), u, interpolate_linear(1, 0, f));
  if (f > 0) tap_trace(r, out, moho_reference_copy_at(&r->preparer, j + 1), u, interpolate_linear(0, 1, f));
}

static void tap_antialiased(const moho_reference *r, reference_contribution *out, double u, double half_width) {
  double k = MIN(half_width, (double)r->preparer.k_max);
  if (r->preparer.bank.n) {
    tap_bank(r, out, u, k);
    return;
  }
  if (k <= 1.0) {
    tap_trace(r, out, moho_reference_samples_at(), u, 1);
    return;
  }
  double K = floor(k);
  tap_triangle(out, moho_reference_integrated_at(&r->preparer), u, (ptrdiff_t)K, interpolate_linear(1, 0, k - K));
  tap_triangle(out, moho_reference_integrated_at(&r->preparer), u, (ptrdiff_t)K + 1, interpolate_linear(0, 1, k - K));
}

/* ---- factor ---- */

static double taper(const moho_reference *r, double distance, double radius) {
  double fraction = r->options.aperture_taper;
  if (fraction == 0 || radius == 0) return 1;
  return 0.5 * (1.0 + cos(3.14159265358979323846 * taper_argument(distance, 1.0 / radius, 1.0 / fraction)));
}

/* The two legs of a pair at a sample. */
typedef struct legs {
  moho_leg source, receiver;
  double t_s, t_r;
} legs;

/* Slope along one axis of the grid: p = p_s + p_r. */
static double slope(const moho_reference *r, size_t column, const reference_trace *trace, const double axis[2],
                    const reference_sample *sample, const legs *l) {
  const reference_column *at = &r->columns[column];
  const moho_travel_column *travel = moho_reference_travel(r, column);
  double from_source = (at->x - trace->source_x) * axis[0] + (at->y - trace->source_y) * axis[1];
  double from_receiver = (at->x - trace->receiver_x) * axis[0] + (at->y - trace->receiver_y) * axis[1];
  return moho_leg_slope(&r->law, travel, &l->source, sample->i, from_source, l->t_s) +
         moho_leg_slope(&r->law, travel, &l->receiver, sample->i, from_receiver, l->t_r);
}

/* On the zero-dip time: 2 leg(h, t0) > (1 + s) t0. */
static int is_stretched(const moho_reference *r, size_t column, const reference_trace *trace, const reference_sample *sample) {
  if (r->options.stretch_mute < 0) return 0;
  moho_leg leg = moho_leg_of(&r->law, trace->half_offset2);
  double t1 = sample->t0_s / (2.0 * r->preparer.dt_s);
  return moho_is_stretched(t1, moho_leg_time(&r->law, moho_reference_travel(r, column), &leg, sample->i),
                           1.0 + r->options.stretch_mute);
}

/* The bin of the opening angle; -1 outside all. */
static long angle_bin(const moho_reference *r, size_t column, const reference_trace *trace, const reference_sample *sample,
                      const legs *l) {
  const reference_column *at = &r->columns[column];
  double source[2] = {at->x - trace->source_x, at->y - trace->source_y},
         receiver[2] = {at->x - trace->receiver_x, at->y - trace->receiver_y};
  moho_opening_pair pair = moho_opening_pair_of(source, receiver);
  const double *v_dt = r->v_dt + (r->n_travel == 1 ? 0 : column) * r->n_time;
  return moho_opening_bin(&r->angles, moho_opening_cosine(&r->law, moho_reference_travel(r, column), v_dt, &pair, &l->source,
                                                          &l->receiver, sample->i, l->t_s, l->t_r));
}

/* ---- one trace at one image sample ---- */

int moho_reference_contribute(const moho_reference *r, size_t column, const reference_trace *trace,
                              const reference_sample *sample, reference_contribution *out) {
  const reference_column *at = &r->columns[column];
  const moho_travel_column *travel = moho_reference_travel(r, column);
  double distance = moho_reference_distance(at, trace);
  if (trace->bin < 0) return 0;
  if (distance > moho_aperture_widened(sample->radius)) return 0;
  if (!moho_is_in_mute_window(&trace->window, sample->t0_s)) return 0;
  if (is_stretched(r, column, trace, sample)) return 0;
  legs l = {.source = moho_leg_of(&r->law, distance2(at->x - trace->source_x, at->y - trace->source_y)),
            .receiver = moho_leg_of(&r->law, distance2(at->x - trace->receiver_x, at->y - trace->receiver_y))};
  l.t_s = moho_leg_time(&r->law, travel, &l.source, sample->i);
  l.t_r = moho_leg_time(&r->law, travel, &l.receiver, sample->i);
  double u = l.t_s + l.t_r - trace->first_sample, band = moho_record_band(r->preparer.n_samples);
  if (u < -band || u > (double)(r->preparer.n_samples - 1) + band) return 0;
  long bin = r->angles.n ? angle_bin(r, column, trace, sample, &l) : trace->bin;
  if (bin < 0) return 0;
  out->n = 0;
  out->bin = (size_t)bin;
  if (r->preparer.k_max) {
    double p_x = slope(r, column, trace, at->along, sample, &l), p_y = slope(r, column, trace, at->across, sample, &l);
    tap_antialiased(r, out, u, triangle_half_width(p_x, p_y, trace->spacing));
  } else {
    tap_trace(r, out, moho_reference_samples_at(), u, 1);
  }
  out->factor = trace->area * sample->weight * moho_weight_of_times(r->t_part, l.t_s, l.t_r, (double)r->preparer.refine) *
                taper(r, distance, sample->radius);
  return 1;
}
