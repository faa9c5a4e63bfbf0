/* reference.c - the migration in double precision, plain and slow: every column, trace and sample is tested by itself.
 *
 * What other code is compared with. What a trace adds to a sample is in reference_contribution.c.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/antialias.h"
#include "migrate/live_classes.h"
#include "migrate/aperture.h"
#include "migrate/migration_options.h"
#include "migrate/migration_setup.h"
#include "migrate/real_double.h"
#include "migrate/reference_internal.h"
#include "migrate/weight.h"

enum { TRACES_AT_ONCE = 512 }; /* prepared together, which bounds memory */

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
  MOHO_TRY(moho_allocate(r->n_columns, sizeof *r->v0, "reference velocities", &r->v0));
  MOHO_TRY(moho_multiply(samples, r->n_bins, "reference gathers", &samples));
  MOHO_TRY(moho_allocate(samples, sizeof *r->image, "reference image", &r->image));
  return moho_allocate(samples, sizeof *r->fold, "reference fold", &r->fold);
}

static moho_status read_travel_times(moho_reference *r, const moho_velocity *velocity, const moho_geometry *geometry, double dt_s,
                                     double *v_min) {
  MOHO_TRY(moho_travel_law_create(&r->options, velocity, r->first_s, r->step_s, r->n_time, dt_s,
                                  moho_travel_longest(&r->options, geometry), &r->law));
  r->n_travel = r->law.is_uniform && r->n_columns ? 1 : r->n_columns;
  MOHO_TRY(moho_allocate(r->n_travel, sizeof *r->travel, "reference travel times", &r->travel));
  *v_min = INFINITY;
  for (size_t c = 0; c < r->n_travel; c++) {
    moho_travel_column *travel = &r->travel[c];
    MOHO_TRY(moho_travel_column_create(&r->law, travel));
    MOHO_TRY(moho_travel_column_fill(&r->law, r->columns[c].x, r->columns[c].y, travel));
    for (size_t k = 0; k < r->n_time; k++) *v_min = MIN(*v_min, travel->v[k]);
  }
  for (size_t c = 0; c < r->n_columns; c++)
    MOHO_TRY(moho_velocity_rms(velocity, r->columns[c].x, r->columns[c].y, 0, r->step_s, 1, &r->v0[c]));
  if (r->angles.n) MOHO_TRY(moho_allocate(r->n_travel * r->n_time, sizeof *r->v_dt, "opening angles", &r->v_dt));
  for (size_t c = 0; r->angles.n && c < r->n_travel; c++)
    MOHO_TRY(moho_opening_velocity(&r->law, r->columns[c].x, r->columns[c].y, r->v_dt + c * r->n_time));
  return MOHO_OK;
}

static double largest_spacing(const moho_offset_classes *classes) {
  double largest = 0;
  for (size_t c = 0; c < classes->n; c++) largest = MAX(largest, classes->spacing_m[c]);
  return largest;
}

static moho_status count_classes(moho_reference *r, const moho_grid *grid, const moho_geometry *geometry, size_t n_samples,
                                 double dt_s, const size_t *columns) {
  moho_live_classes live;
  MOHO_TRY(moho_live_classes_create(&r->classes, geometry, grid, columns, r->n_columns, &r->options, n_samples, dt_s, &live));
  moho_status status = moho_allocate(r->n_columns * r->n_time, sizeof *r->live, "live classes", &r->live);
  for (size_t c = 0; !status && c < r->n_columns; c++)
    moho_live_classes_count(&live, c, &r->options, &r->law, moho_reference_travel(r, c), r->live + c * r->n_time);
  moho_live_classes_release(&live);
  return status;
}

static moho_status fill_reference(moho_reference *r, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_geometry *geometry, size_t n_samples, double dt_s, const size_t *columns) {
  double v_min;
  int k_max = 0;
  MOHO_TRY(moho_gather_bins_copy(r->options.gathers, &r->bins));
  r->options.gathers = r->bins.kind ? &r->bins : NULL;
  MOHO_TRY(moho_opening_angles_create(&r->bins, &r->angles));
  r->n_bins = r->bins.kind ? moho_gather_bins_count(&r->bins) : 1;
  r->axes.inline_azimuth_deg = grid->inline_azimuth_deg, r->axes.flip = grid->flip;
  MOHO_TRY(allocate_image(r));
  MOHO_TRY(place_columns(r, grid, columns));
  MOHO_TRY(read_travel_times(r, velocity, geometry, dt_s / r->options.refine, &v_min));
  if (r->options.antialias != MOHO_ANTIALIAS_NONE || r->options.weight == MOHO_WEIGHT_TRUE_AMPLITUDE)
    MOHO_TRY(moho_weight_classes(&r->options, geometry, grid, &r->classes));
  if (moho_weight_counts_classes(&r->options)) MOHO_TRY(count_classes(r, grid, geometry, n_samples, dt_s, columns));
  if (r->options.antialias != MOHO_ANTIALIAS_NONE) {
    k_max =
        moho_antialias_k_max(r->options.antialias_factor, largest_spacing(&r->classes), v_min / moho_travel_steepest(r->law.kind),
                             dt_s / r->options.refine, (n_samples - 1) * (size_t)r->options.refine + 1);
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
  if (options->window.n_inline || options->window.n_crossline)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "the reference takes the columns that it computes, a window is not available");
  if (options->mask)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "the reference computes whole columns, a mask of samples is not available");
  if (n_samples < 1 || !(dt_s > 0))
    return moho_fail(MOHO_ERROR_RANGE, "traces of %zu samples %g s apart, expected at least 1 sample and an interval above 0",
                     n_samples, dt_s);
  moho_reference *r;
  MOHO_TRY(moho_allocate(1, sizeof *r, "reference", &r));
  r->options = *options;
  r->is_line = moho_grid_is_line(grid);
  r->t_part = moho_weight_t_part(options, r->is_line);
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
  moho_gather_bins_release(&r->bins);
  moho_opening_angles_release(&r->angles);
  moho_reference_preparer_release(&r->preparer);
  for (size_t c = 0; r->travel && c < r->n_travel; c++) moho_travel_column_release(&r->travel[c]);
  moho_travel_law_release(&r->law);
  free(r->columns), free(r->travel), free(r->v_dt), free(r->v0), free(r->live), free(r->image), free(r->fold), free(r->sinc),
      free(r);
  *reference = NULL;
}

/* ---- all of them ---- */

static void add_to_column(const moho_reference *r, size_t c, const reference_trace *traces, size_t n, reference_sample *samples) {
  const reference_column *column = &r->columns[c];
  double reach = moho_aperture_widened(moho_reference_describe_column(r, c, samples));
  for (size_t i = 0; i < n; i++) { /* ascending trace number */
    const reference_trace *trace = &traces[i];
    if (!trace->row || moho_reference_distance(column, trace) > reach) continue;
    for (size_t k = 0; k < r->n_time; k++) {
      reference_contribution part;
      if (!moho_reference_contribute(r, c, trace, &samples[k], &part)) continue;
      double value = 0;
      for (int tap = 0; tap < part.n; tap++) value += part.h[tap] * trace->row[part.at[tap]];
      size_t at = (c * r->n_bins + part.bin) * r->n_time + k;
      r->image[at] += part.factor * value;
      r->fold[at]++;
    }
  }
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
    scratch->traces[i] = moho_reference_trace(r, geometry, i);
    if (moho_reference_prepare(p, geometry, i, samples + i * p->n_input, scratch->muted + i * p->n_input, row))
      scratch->traces[i].row = row;
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

static double divided_by_fold(const moho_reference *r, double value, int32_t fold) {
  return r->options.normalise == MOHO_NORMALISE_FOLD && fold > 1 ? value / fold : value;
}

moho_status moho_reference_finish(moho_reference *r, double *image, int32_t *fold) {
  for (size_t i = 0; i < r->n_columns * r->n_time; i++) {
    size_t first = i / r->n_time * r->n_bins * r->n_time + i % r->n_time;
    double sum = 0;
    int32_t count = 0, live = 0;
    for (size_t bin = 0; bin < r->n_bins; bin++) {
      size_t at = first + bin * r->n_time;
      sum += r->image[at], count += r->fold[at], live += r->fold[at] > 0;
    }
    if (moho_weight_counts_bins(&r->options) && live) sum /= live;
    if (image) image[i] = divided_by_fold(r, sum, count);
    if (fold) fold[i] = count;
  }
  return MOHO_OK;
}

moho_status moho_reference_gathers(moho_reference *r, double *gathers, int32_t *fold) {
  if (!r->bins.kind) return moho_fail(MOHO_ERROR_ARGUMENT, "this reference has no gathers: create it with options.gathers");
  for (size_t i = 0; i < r->n_columns * r->n_bins * r->n_time; i++) {
    if (gathers) gathers[i] = divided_by_fold(r, r->image[i], r->fold[i]);
    if (fold) fold[i] = r->fold[i];
  }
  return MOHO_OK;
}
