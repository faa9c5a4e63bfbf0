/* reference.c - the migration in double precision, plain and slow: every column, trace and sample is tested by itself.
 *
 * What other code is compared with. Absolute coordinates; formulas from kernels/physics.h and interpolate.h, edges from
 * aperture.h. Nothing is hoisted but what depends on the column alone, so that it can be believed by reading.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/antialias.h"
#include "migrate/aperture.h"
#include "migrate/migration_options.h"
#include "migrate/migration_setup.h"
#include "migrate/offset_class.h"
#include "migrate/real_double.h"
#include "migrate/reference_prepare.h"
#include "migrate/sinc_table.h"

enum { TRACES_AT_ONCE = 512 }; /* prepared together, which bounds memory */

typedef struct reference_column {
  double x, y;
  double along[2], across[2]; /* axes of the slope */
} reference_column;

struct moho_reference {
  moho_migration_options options;
  moho_weight weight;
  int is_line;
  double first_s, step_s;
  size_t n_time, n_columns;
  reference_column *columns;
  double *v;                   /* [column, time] m/s */
  double *image;               /* [column, time] */
  int32_t *fold;               /* [column, time] */
  moho_offset_classes classes; /* with antialias only */
  moho_reference_preparer preparer;
  double (*sinc)[MOHO_SINC_TAPS]; /* with sinc8 only */
};

/* A prepared trace and where it was shot. */
typedef struct reference_trace {
  double source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y;
  double half_offset2;
  double first_sample; /* t_first in refined samples */
  double spacing;      /* factor * spacing of its offset class, m */
  const double *x, *c; /* sample 0 of the trace, and of the trace integrated twice */
} reference_trace;

/* One image sample of a column as the formulas want it, times in refined samples. */
typedef struct reference_sample {
  double v, s2, t1, t1sq, t0_s;
  double radius; /* running maximum of A(t0), m */
} reference_sample;

/* ---- creation ---- */

static moho_status place_columns(moho_reference *r, const moho_grid *grid, const size_t *columns) {
  size_t all = grid->n_inline * grid->n_crossline;
  for (size_t c = 0; c < r->n_columns; c++) {
    size_t flat = columns ? columns[c] : c;
    if (flat >= all)
      return moho_fail(MOHO_ERROR_ARGUMENT, "reference: column %zu is %zu, expected below %zu (%zu inlines x %zu crosslines)", c,
                       flat, all, grid->n_inline, grid->n_crossline);
    size_t i = flat / grid->n_crossline, j = flat % grid->n_crossline;
    moho_grid_node(grid, i, j, &r->columns[c].x, &r->columns[c].y);
    moho_antialias_axes(grid, i, j, r->columns[c].along, r->columns[c].across);
  }
  return MOHO_OK;
}

static moho_status allocate_image(moho_reference *r) {
  size_t samples;
  MOHO_TRY(moho_multiply(r->n_columns, r->n_time, "reference image", &samples));
  MOHO_TRY(moho_allocate(r->n_columns, sizeof *r->columns, "reference columns", &r->columns));
  MOHO_TRY(moho_allocate(samples, sizeof *r->v, "reference velocities", &r->v));
  MOHO_TRY(moho_allocate(samples, sizeof *r->image, "reference image", &r->image));
  return moho_allocate(samples, sizeof *r->fold, "reference fold", &r->fold);
}

static moho_status read_velocities(moho_reference *r, const moho_velocity *velocity, double *v_min) {
  *v_min = INFINITY;
  for (size_t c = 0; c < r->n_columns; c++) {
    double *v = r->v + c * r->n_time;
    MOHO_TRY(moho_velocity_rms(velocity, r->columns[c].x, r->columns[c].y, r->first_s, r->step_s, r->n_time, v));
    for (size_t k = 0; k < r->n_time; k++) {
      if (!(v[k] > 0) || !isfinite(v[k]))
        return moho_fail(MOHO_ERROR_RANGE, "velocity is %g m/s at x = %.1f m, y = %.1f m, t0 = %.4f s, expected above 0", v[k],
                         r->columns[c].x, r->columns[c].y, r->first_s + (double)k * r->step_s);
      *v_min = MIN(*v_min, v[k]);
    }
  }
  return MOHO_OK;
}

static double largest_spacing(const moho_offset_classes *classes) {
  double largest = 0;
  for (size_t c = 0; c < classes->n; c++) largest = MAX(largest, classes->spacing_m[c]);
  return largest;
}

static moho_status fill_reference(moho_reference *r, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_geometry *geometry, size_t n_samples, double dt_s, const size_t *columns) {
  double v_min;
  int k_max = 0;
  MOHO_TRY(allocate_image(r));
  MOHO_TRY(place_columns(r, grid, columns));
  MOHO_TRY(read_velocities(r, velocity, &v_min));
  if (r->options.antialias == MOHO_ANTIALIAS_TRIANGLE) {
    MOHO_TRY(moho_offset_classes_create(geometry, grid, &r->classes));
    k_max = moho_antialias_k_max(r->options.antialias_factor, largest_spacing(&r->classes), v_min, dt_s / r->options.refine,
                                 (n_samples - 1) * (size_t)r->options.refine + 1);
  }
  if (r->options.interpolation == MOHO_INTERPOLATION_SINC8) {
    MOHO_TRY(moho_allocate(MOHO_SINC_ROWS, sizeof *r->sinc, "sinc table", &r->sinc));
    moho_sinc_table_double(r->sinc);
  }
  return moho_reference_preparer_create(&r->options, r->is_line, n_samples, dt_s, k_max, &r->preparer);
}

moho_status moho_reference_create(const moho_grid *grid, const moho_velocity *velocity, const moho_migration_options *options,
                                  const moho_geometry *geometry, size_t n_samples, double dt_s, const size_t *columns,
                                  size_t n_columns, moho_reference **out) {
  *out = NULL;
  MOHO_TRY(moho_migration_options_check(options));
  MOHO_TRY(moho_grid_check(grid));
  if (n_samples < 1 || !(dt_s > 0))
    return moho_fail(MOHO_ERROR_RANGE, "traces of %zu samples %g s apart, expected at least 1 sample and an interval above 0",
                     n_samples, dt_s);
  moho_reference *r;
  MOHO_TRY(moho_allocate(1, sizeof *r, "reference", &r));
  r->options = *options;
  r->weight = moho_weight_resolve(options->weight, options->amplitude);
  r->is_line = moho_grid_is_line(grid);
  r->first_s = grid->first_s, r->step_s = grid->step_s;
  r->n_time = grid->n_time;
  r->n_columns = columns ? n_columns : grid->n_inline * grid->n_crossline;
  moho_status status = fill_reference(r, grid, velocity, geometry, n_samples, dt_s, columns);
  if (status) moho_reference_destroy(&r);
  *out = r;
  return status;
}

void moho_reference_destroy(moho_reference **reference) {
  moho_reference *r = *reference;
  if (!r) return;
  moho_offset_classes_release(&r->classes);
  moho_reference_preparer_release(&r->preparer);
  free(r->columns), free(r->v), free(r->image), free(r->fold), free(r->sinc), free(r);
  *reference = NULL;
}

/* ---- a trace at time u (refined samples after its first) ---- */

static double read_sinc8(const double (*sinc)[MOHO_SINC_TAPS], const double *x, double f) {
  double position = f * MOHO_SINC_FRACTIONS, row = MIN(floor(position), MOHO_SINC_FRACTIONS - 1), g = position - row, sum = 0;
  const double *before = sinc[(size_t)row], *after = sinc[(size_t)row + 1];
  for (int j = 0; j < MOHO_SINC_TAPS; j++) sum += interpolate_linear(before[j], after[j], g) * x[j - 3];
  return sum;
}

/* x: sample 0; zeros lie before and after the trace, for the taps beyond it. */
static double read_trace(const moho_reference *r, const double *x, double u) {
  double i = floor(u), f = u - i;
  const double *at = x + (ptrdiff_t)i;
  if (r->options.interpolation == MOHO_INTERPOLATION_CUBIC) return interpolate_cubic(at[-1], at[0], at[1], at[2], f);
  if (r->options.interpolation == MOHO_INTERPOLATION_SINC8) return read_sinc8((const double(*)[MOHO_SINC_TAPS])r->sinc, at, f);
  return interpolate_linear(at[0], at[1], f);
}

/* The trace under a triangle of whole half-width K. */
static double read_triangle(const double *c, double u, ptrdiff_t K) {
  double i = floor(u), f = u - i, inv_k2 = 1.0 / ((double)K * (double)K);
  const double *at = c + (ptrdiff_t)i;
  return interpolate_linear(triangle_of(at[-K], at[0], at[K], inv_k2), triangle_of(at[1 - K], at[1], at[1 + K], inv_k2), f);
}

static double read_antialiased(const moho_reference *r, const reference_trace *trace, double u, double half_width) {
  double k = MIN(half_width, (double)r->preparer.k_max);
  if (k <= 1.0) return read_trace(r, trace->x, u);
  double K = floor(k);
  return interpolate_linear(read_triangle(trace->c, u, (ptrdiff_t)K), read_triangle(trace->c, u, (ptrdiff_t)K + 1), k - K);
}

/* ---- one trace at one image sample ---- */

static double distance2(double dx, double dy) {
  return dx * dx + dy * dy;
}

static double taper(const moho_reference *r, double distance, double radius) {
  double fraction = r->options.aperture_taper;
  if (fraction == 0 || radius == 0) return 1;
  return 0.5 * (1.0 + cos(3.14159265358979323846 * taper_argument(distance, 1.0 / radius, 1.0 / fraction)));
}

/* t in refined samples, at least one input sample. */
static double weight(const moho_reference *r, const reference_sample *sample, double t) {
  double t_s = MAX(t, (double)r->preparer.refine) * r->preparer.dt_s, w = 1;
  if (moho_weight_has_spreading(r->weight)) w *= r->is_line ? 1.0 / sqrt(sample->v * t_s) : 1.0 / (sample->v * t_s);
  if (moho_weight_has_obliquity(r->weight)) w *= sample->t0_s / t_s;
  return w;
}

/* Slope along one axis of the grid: p = p_s + p_r. */
static double slope(const reference_column *column, const reference_trace *trace, const double axis[2], double s2, double t_s,
                    double t_r) {
  double from_source = (column->x - trace->source_x) * axis[0] + (column->y - trace->source_y) * axis[1];
  double from_receiver = (column->x - trace->receiver_x) * axis[0] + (column->y - trace->receiver_y) * axis[1];
  return leg_slope_straight(from_source, s2, 1.0 / t_s) + leg_slope_straight(from_receiver, s2, 1.0 / t_r);
}

/* Adds the contribution and returns 1, or returns 0 when the sample lies outside of aperture, mute or record. */
static int add_contribution(const moho_reference *r, const reference_column *column, const reference_trace *trace,
                            const reference_sample *sample, double *image) {
  double distance = sqrt(distance2(column->x - trace->midpoint_x, column->y - trace->midpoint_y));
  if (distance > moho_aperture_widened(sample->radius)) return 0;
  if (r->options.stretch_mute >= 0 &&
      moho_is_stretched(sample->t1, trace->half_offset2 * sample->s2, 1.0 + r->options.stretch_mute))
    return 0;
  double source2 = distance2(column->x - trace->source_x, column->y - trace->source_y);
  double receiver2 = distance2(column->x - trace->receiver_x, column->y - trace->receiver_y);
  double t_s = sqrt(leg_squared_straight(sample->t1sq, source2, sample->s2));
  double t_r = sqrt(leg_squared_straight(sample->t1sq, receiver2, sample->s2));
  double u = t_s + t_r - trace->first_sample, band = moho_record_band(r->preparer.n_samples);
  if (u < -band || u > (double)(r->preparer.n_samples - 1) + band) return 0;
  double value;
  if (trace->c) {
    double p_x = slope(column, trace, column->along, sample->s2, t_s, t_r),
           p_y = slope(column, trace, column->across, sample->s2, t_s, t_r);
    value = read_antialiased(r, trace, u, triangle_half_width(p_x, p_y, trace->spacing));
  } else {
    value = read_trace(r, trace->x, u);
  }
  *image += weight(r, sample, t_s + t_r) * taper(r, distance, sample->radius) * value;
  return 1;
}

/* ---- all of them ---- */

/* samples [n_time]; returns the column's largest radius. */
static double describe_column(const moho_reference *r, size_t c, reference_sample *samples) {
  double dt = r->preparer.dt_s, radius = 0, tan_dip = tan(r->options.aperture_max_dip_deg * (3.14159265358979323846 / 180.0));
  for (size_t k = 0; k < r->n_time; k++) {
    double v = r->v[c * r->n_time + k], t0 = r->first_s + (double)k * r->step_s, t1 = t0 / (2.0 * dt);
    radius = MAX(radius, moho_aperture_radius(v, t0 / 2.0, tan_dip, r->options.aperture_min_m, r->options.aperture_max_m));
    samples[k] = (reference_sample){
        .v = v, .s2 = 1.0 / ((v * dt) * (v * dt)), .t1 = t1, .t1sq = vertical_squared(t1), .t0_s = t0, .radius = radius};
  }
  return radius;
}

static void add_to_column(const moho_reference *r, size_t c, const reference_trace *traces, size_t n, reference_sample *samples) {
  const reference_column *column = &r->columns[c];
  double reach = moho_aperture_widened(describe_column(r, c, samples));
  for (size_t i = 0; i < n; i++) { /* ascending trace number */
    const reference_trace *trace = &traces[i];
    if (!trace->x || sqrt(distance2(column->x - trace->midpoint_x, column->y - trace->midpoint_y)) > reach) continue;
    for (size_t k = 0; k < r->n_time; k++)
      r->fold[c * r->n_time + k] += add_contribution(r, column, trace, &samples[k], &r->image[c * r->n_time + k]);
  }
}

/* x stays NULL for a trace that is not live. */
static reference_trace describe_trace(const moho_reference *r, const moho_geometry *g, size_t i) {
  double dx = g->source_x[i] - g->receiver_x[i], dy = g->source_y[i] - g->receiver_y[i];
  reference_trace trace = {.source_x = g->source_x[i],
                           .source_y = g->source_y[i],
                           .receiver_x = g->receiver_x[i],
                           .receiver_y = g->receiver_y[i],
                           .midpoint_x = 0.5 * (g->source_x[i] + g->receiver_x[i]),
                           .midpoint_y = 0.5 * (g->source_y[i] + g->receiver_y[i]),
                           .half_offset2 = 0.25 * distance2(dx, dy),
                           .first_sample = g->first_sample_s[i] / r->preparer.dt_s};
  if (r->classes.n)
    trace.spacing =
        r->options.antialias_factor * r->classes.spacing_m[moho_offset_class_of(&r->classes, moho_geometry_offset(g, i))];
  return trace;
}

/* Scratch of one add call. */
typedef struct reference_scratch {
  reference_trace *traces; /* [TRACES_AT_ONCE] */
  double *rows, *muted;    /* [TRACES_AT_ONCE, stride], [TRACES_AT_ONCE, n_input] */
} reference_scratch;

static void prepare_traces(const moho_reference *r, const moho_geometry *geometry, const float *samples,
                           reference_scratch *scratch) {
  const moho_reference_preparer *p = &r->preparer;
#pragma omp parallel for schedule(static)
  for (long k = 0; k < (long)geometry->n; k++) {
    size_t i = (size_t)k;
    double *row = scratch->rows + i * p->stride;
    scratch->traces[i] = describe_trace(r, geometry, i);
    if (!moho_reference_prepare(p, geometry, i, samples + i * p->n_input, scratch->muted + i * p->n_input, row)) continue;
    scratch->traces[i].x = moho_reference_samples(row);
    if (p->c_margin) scratch->traces[i].c = moho_reference_integrated(p, row);
  }
}

/* Each column is one thread's, so the result does not depend on how many there are. A thread without memory tells. */
static moho_status add_to_columns(const moho_reference *r, const reference_trace *traces, size_t n) {
  int out_of_memory = 0;
#pragma omp parallel reduction(| : out_of_memory)
  {
    reference_sample *samples = NULL;
    if (moho_allocate(r->n_time, sizeof *samples, "reference column", &samples)) out_of_memory = 1;
#pragma omp for schedule(dynamic)
    for (long c = 0; c < (long)r->n_columns; c++)
      if (samples) add_to_column(r, (size_t)c, traces, n, samples);
    free(samples);
  }
  return out_of_memory ? moho_fail(MOHO_ERROR_MEMORY, "reference: out of memory for a column of %zu samples", r->n_time)
                       : MOHO_OK;
}

moho_status moho_reference_add(moho_reference *r, const moho_geometry *geometry, const float *traces) {
  const moho_reference_preparer *p = &r->preparer;
  MOHO_TRY(moho_migration_check_geometry(geometry, 0, p->dt_s));
  reference_scratch scratch = {0};
  moho_status status = moho_allocate(TRACES_AT_ONCE, sizeof *scratch.traces, "reference traces", &scratch.traces);
  if (!status) status = moho_allocate(TRACES_AT_ONCE * p->stride, sizeof(double), "reference traces", &scratch.rows);
  if (!status) status = moho_allocate(TRACES_AT_ONCE * p->n_input, sizeof(double), "reference traces", &scratch.muted);
  for (size_t first = 0; !status && first < geometry->n; first += TRACES_AT_ONCE) {
    size_t n = geometry->n - first < TRACES_AT_ONCE ? geometry->n - first : TRACES_AT_ONCE;
    moho_geometry slice = moho_geometry_slice(geometry, first, n);
    prepare_traces(r, &slice, traces + first * p->n_input, &scratch);
    status = add_to_columns(r, scratch.traces, n);
  }
  free(scratch.traces), free(scratch.rows), free(scratch.muted);
  return status;
}

moho_status moho_reference_finish(moho_reference *r, double *image, int32_t *fold) {
  for (size_t i = 0; i < r->n_columns * r->n_time; i++) {
    int divide = r->options.normalise == MOHO_NORMALISE_FOLD && r->fold[i] > 1;
    if (image) image[i] = divide ? r->image[i] / r->fold[i] : r->image[i];
    if (fold) fold[i] = r->fold[i];
  }
  return MOHO_OK;
}
