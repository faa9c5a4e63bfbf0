/* run_zones.c - late times, whose frequencies are low, computed with a larger step and resampled to the uniform axis. */
#include "job/run_zones.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "job/data_frequencies.h"
#include "job/run_pass.h"
#include "job/time_zones.h"

int moho_run_has_zones(const moho_job *job) {
  return moho_job_is(job, MOHO_KEY_TIME_SAMPLING, "auto") || moho_job_given(job, MOHO_KEY_TIME_SAMPLING_F_MAX);
}

/* The table of the job, linear between its points and constant beyond, or what the data say. */
static moho_status find_f_max(const moho_job *job, const moho_run_inputs *in, double *f_max_hz) {
  const moho_grid *grid = &in->grid;
  const moho_job_value *table = &job->values[MOHO_KEY_TIME_SAMPLING_F_MAX];
  if (!table->given) return moho_data_frequencies(in, grid->first_s, grid->step_s, grid->n_time, f_max_hz);
  for (size_t k = 0, i = 0; k < grid->n_time; k++) {
    double t = grid->first_s + (double)k * grid->step_s;
    const double(*p)[2] = (const double(*)[2])table->points;
    while (i + 1 < table->n_points && p[i + 1][0] <= t) i++;
    f_max_hz[k] = p[i][1];
    if (i + 1 < table->n_points && t > p[i][0]) f_max_hz[k] += (p[i + 1][1] - p[i][1]) * (t - p[i][0]) / (p[i + 1][0] - p[i][0]);
  }
  return MOHO_OK;
}

typedef struct zoned {
  moho_time_zone zones[MOHO_MOST_ZONES];
  moho_grid grids[MOHO_MOST_ZONES];
  moho_migration_options options[MOHO_MOST_ZONES];
  moho_image parts[MOHO_MOST_ZONES];
  moho_migration_plan plans[MOHO_MOST_ZONES];
  moho_run_pass passes[MOHO_MOST_ZONES];
  size_t n;
} zoned;

static moho_status set_up(const moho_job *job, const moho_run_inputs *in, zoned *z) {
  double *f_max_hz;
  MOHO_TRY(moho_allocate(in->grid.n_time, sizeof *f_max_hz, "frequencies", &f_max_hz));
  moho_status status = find_f_max(job, in, f_max_hz);
  z->n = status ? 0 : moho_time_zones_make(&in->grid, f_max_hz, z->zones);
  free(f_max_hz);
  for (size_t i = 0; i < z->n; i++) {
    double cut = z->zones[i].high_cut_hz;
    z->options[i] = in->options;
    if (cut > 0 && !(in->options.high_cut_hz > 0 && in->options.high_cut_hz < cut)) z->options[i].high_cut_hz = cut;
    MOHO_TRY(moho_time_zone_grid(&z->zones[i], &in->grid, &z->grids[i]));
    MOHO_TRY(moho_migration_make_plan(in->device, &z->grids[i], in->velocity, &z->options[i], in->geometry, in->info->n_samples,
                                      in->info->dt_s, &z->plans[i]));
    z->passes[i] = (moho_run_pass){
        .grid = &z->grids[i], .options = &z->options[i], .contributions = z->plans[i].contributions, .image = &z->parts[i]};
  }
  return status;
}

/* Work adds up; a trace is used when any zone uses it, and the zones see the same traces dead. */
static void add_counts(moho_run *run, const zoned *z) {
  moho_migration_counts sum = z->passes[0].counts;
  for (size_t i = 1; i < z->n; i++) {
    const moho_migration_counts *each = &z->passes[i].counts;
    sum.traces_used = each->traces_used > sum.traces_used ? each->traces_used : sum.traces_used;
    sum.traces_outside = each->traces_outside < sum.traces_outside ? each->traces_outside : sum.traces_outside;
    sum.contributions += each->contributions, sum.launches += each->launches;
    sum.kernel_seconds += each->kernel_seconds, sum.prepare_seconds += each->prepare_seconds;
    sum.transfer_seconds += each->transfer_seconds, sum.allocation_seconds += each->allocation_seconds;
    sum.compile_seconds += each->compile_seconds;
    sum.memory_bytes += each->memory_bytes, sum.device_bytes += each->device_bytes;
  }
  run->counts = sum;
}

static moho_status add_to_report(moho_run *run, const zoned *z) {
  const moho_grid *grid = &run->inputs.grid;
  json_t *list = json_array();
  for (size_t i = 0; i < z->n; i++)
    json_array_append_new(list, json_pack("{s:f, s:f, s:f, s:f, s:I}", "first_s",
                                          grid->first_s + (double)z->zones[i].first * grid->step_s, "last_s",
                                          grid->first_s + (double)(z->zones[i].end - 1) * grid->step_s, "step_s",
                                          z->grids[i].step_s, "high_cut_hz", z->options[i].high_cut_hz, "contributions",
                                          (json_int_t)z->passes[i].counts.contributions));
  if (!run->extra) run->extra = json_object();
  double uniform = run->inputs.plan.contributions;
  json_t *entry = json_pack("{s:o, s:f, s:f}", "zones", list, "contributions_of_a_uniform_axis", uniform, "work",
                            uniform > 0 ? (double)run->counts.contributions / uniform : 1);
  if (json_object_set_new(run->extra, "time_sampling", entry)) return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  return MOHO_OK;
}

static void release(zoned *z) {
  for (size_t i = 0; i < MOHO_MOST_ZONES; i++) {
    moho_image_release(&z->parts[i]);
    moho_grid_release(&z->grids[i]);
  }
}

moho_status moho_run_zones(moho_run *run) {
  zoned z = {.n = 0};
  moho_status status = set_up(run->job, &run->inputs, &z);
  if (!status) status = moho_run_pass_traces(run, z.passes, z.n);
  if (!status) status = moho_image_create(&run->inputs.grid, &run->image);
  if (!status && run->inputs.options.gathers) status = moho_image_add_gathers(&run->image, run->inputs.options.gathers);
  if (!status) status = moho_time_zones_join(z.zones, z.parts, z.n, &run->image);
  if (!status) add_counts(run, &z);
  if (!status) status = add_to_report(run, &z);
  release(&z);
  return status;
}

moho_status moho_run_zones_plan(const moho_job *job, const moho_run_inputs *in, moho_planned_passes *out) {
  zoned z = {.n = 0};
  moho_status status = set_up(job, in, &z);
  for (size_t i = 0; !status && i < z.n; i++) {
    moho_planned_pass *pass = &out->passes[out->n++];
    snprintf(pass->name, sizeof pass->name, "%g to %g s, every %g s",
             in->grid.first_s + (double)z.zones[i].first * in->grid.step_s,
             in->grid.first_s + (double)(z.zones[i].end - 1) * in->grid.step_s, z.grids[i].step_s);
    pass->plan = z.plans[i];
  }
  out->are_at_once = 1;
  release(&z);
  return status;
}
