/* job_traces.c - the traces that a job names: how headers are read, which traces take part, how they are shifted. */
#include "job/job_traces.h"

#include <string.h>

#include "job/job_grid.h"
#include "job/run_statics.h"

static moho_traces_options traces_options(const moho_job *job, moho_progress_function progress, void *user) {
  moho_traces_options options = moho_traces_options_default();
  options.headers = moho_job_text(job, MOHO_KEY_INPUT_HEADERS);
  options.coordinate_scalar_given = !moho_job_is(job, MOHO_KEY_INPUT_COORDINATE_SCALAR, "auto");
  options.coordinate_scalar = (int)moho_job_number(job, MOHO_KEY_INPUT_COORDINATE_SCALAR);
  options.units = (moho_units)moho_job_word_index(job, MOHO_KEY_INPUT_UNITS, "auto|m|ft");
  options.first_sample_given = !moho_job_is(job, MOHO_KEY_INPUT_FIRST_SAMPLE_S, "auto");
  options.first_sample_s = moho_job_number(job, MOHO_KEY_INPUT_FIRST_SAMPLE_S);
  options.geometry =
      (moho_geometry_source)moho_job_word_index(job, MOHO_KEY_INPUT_GEOMETRY, "auto|source_receiver|midpoint_offset");
  options.bad_samples = (moho_bad_samples)moho_job_word_index(job, MOHO_KEY_INPUT_BAD_SAMPLES, "error|zero");
  options.progress = progress;
  options.progress_user = user;
  return options;
}

/* Tiles lie along the inlines of the job's grid, unless it is told otherwise. */
static moho_status find_tile_axes(const moho_job *job, moho_selection *select) {
  moho_grid grid = moho_grid_default();
  MOHO_TRY(moho_job_make_lattice(job, &grid));
  select->inline_azimuth_deg = grid.inline_azimuth_deg;
  select->flip = grid.flip;
  moho_grid_release(&grid);
  if (!moho_job_is(job, MOHO_KEY_SELECT_OVT_AZIMUTH, "auto"))
    select->inline_azimuth_deg = moho_job_number(job, MOHO_KEY_SELECT_OVT_AZIMUTH);
  return MOHO_OK;
}

static void read_range(const moho_job *job, moho_job_id id, double range[2]) {
  if (moho_job_given(job, id)) memcpy(range, job->values[id].points[0], 2 * sizeof *range);
}

/* *any: whether there is anything to select by. It points into the job. */
static moho_status read_selection(const moho_job *job, moho_selection *out, int *any) {
  moho_selection select = moho_selection_default();
  const moho_job_value *azimuth = &job->values[MOHO_KEY_SELECT_AZIMUTH];
  select.by_offset = moho_job_given(job, MOHO_KEY_SELECT_OFFSET);
  read_range(job, MOHO_KEY_SELECT_OFFSET, select.offset_m);
  if (azimuth->given) select.azimuth_deg = (const double(*)[2])azimuth->points, select.n_azimuths = azimuth->n_points;
  select.azimuth_folded = moho_job_number(job, MOHO_KEY_SELECT_AZIMUTH_FOLDED) != 0;
  select.by_ovt = moho_job_given(job, MOHO_KEY_SELECT_OVT_INLINE) || moho_job_given(job, MOHO_KEY_SELECT_OVT_CROSSLINE);
  read_range(job, MOHO_KEY_SELECT_OVT_INLINE, select.ovt_inline_m);
  read_range(job, MOHO_KEY_SELECT_OVT_CROSSLINE, select.ovt_crossline_m);
  select.ovt_folded = moho_job_number(job, MOHO_KEY_SELECT_OVT_FOLDED) != 0;
  if (select.by_ovt) MOHO_TRY(find_tile_axes(job, &select));
  if (moho_job_given(job, MOHO_KEY_SELECT_WHERE)) select.where = moho_job_text(job, MOHO_KEY_SELECT_WHERE);
  *any = select.by_offset || select.n_azimuths || select.by_ovt || select.where;
  *out = select;
  return MOHO_OK;
}

moho_status moho_job_open_traces(const moho_job *job, moho_progress_function progress, void *user, moho_traces **out) {
  moho_traces_options options = traces_options(job, progress, user);
  moho_selection select;
  int any;
  MOHO_TRY(read_selection(job, &select, &any));
  if (any) options.select = &select;
  moho_statics statics = moho_run_statics_read(job);
  options.statics = &statics;
  return moho_traces_open(moho_job_text(job, MOHO_KEY_INPUT_TRACES), &options, out);
}

MOHO_API moho_status moho_job_traces(const moho_job *job, moho_progress_function progress, void *user, moho_traces **out) {
  *out = NULL;
  MOHO_TRY(moho_job_check_input(job));
  return moho_job_open_traces(job, progress, user, out);
}
