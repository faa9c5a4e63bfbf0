/* job_grid.c - the grid that a job names: by corners, by origin, or from the midpoints; its times from the records. */
#include "job/job_grid.h"

#include <math.h>

/* Image times that the record holds: from the earliest live sample (0 at least) to the latest. */
static void time_from_traces(const moho_job_records *in, moho_grid *grid) {
  double first = INFINITY, last = -INFINITY;
  for (size_t i = 0; i < in->geometry->n; i++) {
    if (!moho_geometry_is_live(in->geometry, i)) continue;
    first = fmin(first, in->geometry->first_sample_s[i]);
    last = fmax(last, in->geometry->first_sample_s[i]);
  }
  last += (double)(in->n_samples - 1) * in->dt_s;
  grid->step_s = in->dt_s;
  if (in->is_shifted) { /* shifts leave first samples anywhere between the steps of the image */
    first = floor(first / grid->step_s + 1e-6) * grid->step_s;
    last = floor(last / grid->step_s + 1e-6) * grid->step_s;
  }
  grid->first_s = fmax(first, 0);
  grid->n_time = last > grid->first_s ? (size_t)floor((last - grid->first_s) / grid->step_s + 1e-6) + 1 : 1;
}

static moho_status override_time(const moho_job *job, moho_grid *grid) {
  double end = grid->first_s + (double)(grid->n_time - 1) * grid->step_s;
  if (moho_job_given(job, MOHO_KEY_GRID_TIME_FIRST)) grid->first_s = moho_job_number(job, MOHO_KEY_GRID_TIME_FIRST);
  if (moho_job_given(job, MOHO_KEY_GRID_TIME_STEP)) grid->step_s = moho_job_number(job, MOHO_KEY_GRID_TIME_STEP);
  if (moho_job_given(job, MOHO_KEY_GRID_TIME_N)) {
    grid->n_time = (size_t)moho_job_number(job, MOHO_KEY_GRID_TIME_N);
    return MOHO_OK;
  }
  if (grid->first_s > end)
    return moho_fail_at(moho_job_place(job, MOHO_KEY_GRID_TIME_FIRST), "begin earlier, or give grid.time.n", MOHO_ERROR_RANGE,
                        "grid.time.first_s is %g s, but the traces end at %g s", grid->first_s, end);
  grid->n_time = (size_t)floor((end - grid->first_s) / grid->step_s + 1e-6) + 1;
  return MOHO_OK;
}

static void set_numbers(const moho_job *job, moho_grid *grid) {
  grid->inline_first = (int32_t)moho_job_number(job, MOHO_KEY_GRID_INLINE_FIRST);
  grid->inline_step = (int32_t)moho_job_number(job, MOHO_KEY_GRID_INLINE_STEP);
  grid->crossline_first = (int32_t)moho_job_number(job, MOHO_KEY_GRID_CROSSLINE_FIRST);
  grid->crossline_step = (int32_t)moho_job_number(job, MOHO_KEY_GRID_CROSSLINE_STEP);
}

static moho_status grid_by_corners(const moho_job *job, moho_grid *grid) {
  const moho_job_value *corners = &job->values[MOHO_KEY_GRID_CORNERS];
  double crossline_m = moho_job_number(job, MOHO_KEY_GRID_CROSSLINE_SPACING);
  double inline_m =
      moho_job_given(job, MOHO_KEY_GRID_INLINE_SPACING) ? moho_job_number(job, MOHO_KEY_GRID_INLINE_SPACING) : crossline_m;
  MOHO_TRY(moho_grid_from_corners((const double(*)[2])corners->points, corners->n_points, inline_m, crossline_m, grid));
  set_numbers(job, grid);
  return MOHO_OK;
}

static void grid_by_origin(const moho_job *job, moho_grid *grid) {
  *grid = moho_grid_default();
  grid->origin_x_m = job->values[MOHO_KEY_GRID_ORIGIN].points[0][0];
  grid->origin_y_m = job->values[MOHO_KEY_GRID_ORIGIN].points[0][1];
  grid->inline_azimuth_deg = moho_job_number(job, MOHO_KEY_GRID_AZIMUTH);
  grid->flip = moho_job_number(job, MOHO_KEY_GRID_FLIP) != 0;
  grid->n_inline = (size_t)moho_job_number(job, MOHO_KEY_GRID_INLINE_N);
  grid->n_crossline = (size_t)moho_job_number(job, MOHO_KEY_GRID_CROSSLINE_N);
  grid->crossline_spacing_m = moho_job_number(job, MOHO_KEY_GRID_CROSSLINE_SPACING);
  grid->inline_spacing_m = moho_job_given(job, MOHO_KEY_GRID_INLINE_SPACING) ? moho_job_number(job, MOHO_KEY_GRID_INLINE_SPACING)
                                                                             : grid->crossline_spacing_m;
  set_numbers(job, grid);
}

moho_status moho_job_make_lattice(const moho_job *job, moho_grid *out) {
  if (moho_job_given(job, MOHO_KEY_GRID_ORIGIN)) grid_by_origin(job, out);
  if (!moho_job_given(job, MOHO_KEY_GRID_CORNERS)) return MOHO_OK;
  moho_status status = grid_by_corners(job, out);
  return status ? moho_fail_add_place(moho_job_place(job, MOHO_KEY_GRID_CORNERS), NULL) : MOHO_OK;
}

moho_status moho_job_make_grid(const moho_job *job, const moho_job_records *in, moho_grid *grid, char note[400]) {
  if (moho_job_given(job, MOHO_KEY_GRID_CORNERS) || moho_job_given(job, MOHO_KEY_GRID_ORIGIN)) {
    MOHO_TRY(moho_job_make_lattice(job, grid));
    time_from_traces(in, grid);
  } else {
    MOHO_TRY(moho_grid_estimate(in->geometry, in->dt_s, in->n_samples, grid, note));
    if (in->is_shifted) time_from_traces(in, grid);
  }
  MOHO_TRY(override_time(job, grid));
  return moho_grid_check(grid);
}

/* ---- for traces in memory ---- */

static moho_status check_records(const moho_geometry *geometry, size_t n_samples, double dt_s) {
  if (!geometry->n || !n_samples)
    return moho_fail_at((moho_place){.key = "traces"}, "give traces of at least one sample", MOHO_ERROR_SHAPE,
                        "%zu traces of %zu samples", geometry->n, n_samples);
  if (dt_s > 0 && dt_s <= 1) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "dt_s"}, "the sampling interval is in seconds: 0.002", MOHO_ERROR_RANGE,
                      "dt_s is %g s, expected above 0 to 1", dt_s);
}

MOHO_API moho_status moho_job_grid(const moho_job *job, const moho_geometry *geometry, size_t n_samples, double dt_s,
                                   moho_grid *out) {
  moho_job_records records = {.geometry = geometry, .n_samples = n_samples, .dt_s = dt_s};
  char note[400];
  *out = moho_grid_default();
  MOHO_TRY(moho_job_check_grid(job));
  MOHO_TRY(check_records(geometry, n_samples, dt_s));
  moho_status status = moho_job_make_grid(job, &records, out, note);
  if (!status) return MOHO_OK;
  moho_error error = moho_error_take();
  moho_grid_release(out);
  return moho_error_set(&error);
}
