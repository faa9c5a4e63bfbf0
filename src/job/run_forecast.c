/* run_forecast.c - what a run will take, before it begins. */
#include "job/run_forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_state.h"
#include "base/memory.h"
#include "job/expected_rate.h"
#include "job/run_store.h"
#include "survey/image_file.h"

/* Pairs of trace and column that a core counts in about a second; so many seconds are worth it. */
static const double pairs_a_second = 1.2e7, counting_seconds = 3;
/* A float of the results on its way to a disk of 500 MB a second. */
static const double disk_s_a_float = 8e-9;

double moho_run_results_bytes(const moho_job *job, const moho_run_inputs *in) {
  double zarr, files, columns = (double)in->grid.n_inline * (double)in->grid.n_crossline, traces = columns;
  const char *formats = moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS);
  moho_image_file_size(&in->grid, &in->bins, &zarr, &files);
  if (in->bins.kind) traces += columns * (double)moho_gather_bins_count(&in->bins);
  double segy = strstr(formats, "segy") ? traces * (240 + 4 * (double)in->grid.n_time) : 0;
  return zarr + segy;
}

/* The nearest directory above that exists: that of the results may be made by the run. */
static double free_bytes(const moho_job *job) {
  char path[1024];
  snprintf(path, sizeof path, "%s", moho_job_text(job, MOHO_KEY_OUTPUT_DIRECTORY));
  for (;;) {
    uint64_t bytes = moho_disk_free(path);
    char *slash = strrchr(path, '/');
    if (bytes != UINT64_MAX) return (double)bytes;
    if (slash && slash != path) *slash = '\0';
    else if (strcmp(path, ".") != 0) snprintf(path, sizeof path, ".");
    else return -1;
  }
}

/* A refusal of the run is not one of its explanation. */
static moho_status plan_blocks(const moho_job *job, const moho_run_inputs *in, moho_run_forecast *out) {
  double seconds;
  MOHO_TRY(moho_expected_seconds(in, &seconds));
  moho_status status = moho_run_plan_blocks(job, in, seconds, 0, &out->blocks);
  if (status != MOHO_ERROR_TOO_LARGE) return status;
  moho_error error = moho_error_take();
  snprintf(out->refusal, sizeof out->refusal, "migrate will refuse this job: %s", error.message);
  return MOHO_OK;
}

static moho_status plan_disk(const moho_job *job, const moho_run_inputs *in, moho_run_forecast *out) {
  moho_trace_store_plan plan;
  out->image_bytes = moho_run_results_bytes(job, in);
  out->disk_free_bytes = free_bytes(job);
  if (!out->blocks.by_blocks) return MOHO_OK;
  MOHO_TRY(moho_run_store_plan(job, in, 0, &plan));
  out->store_bytes = (double)plan.disk_bytes, out->store_exists = plan.exists;
  return MOHO_OK;
}

static double memory_of(const moho_run_inputs *in, const moho_planned_blocks *b) {
  if (!b->by_blocks) return (double)in->memory_needed;
  return (double)b->sizes.base + (double)b->plan.most_columns * (double)b->sizes.column +
         (double)b->sizes.batch_traces * (double)b->sizes.trace;
}

/* The run opens its inputs as they were opened here. Reading goes on beside the kernel; preparing takes the same cores, unless a
 * device computes. A store is read and written once, then read. Chunks are packed by all threads; of a run by blocks while the
 * next block is migrated, which hides it where a device computes. */
static double seconds_of(const moho_run_inputs *in, const moho_run_forecast *f) {
  const moho_run_trial *t = &f->trial;
  int is_native = strcmp(in->plan.kernel, "native") == 0;
  double traces = (double)in->n_live * f->blocks.read_times, kernel = f->contributions / f->rate, prepare = traces * t->prepare_s,
         read = traces * t->read_s, floats = f->image_bytes / sizeof(float);
  double samples = (double)in->grid.n_inline * (double)in->grid.n_crossline * (double)in->grid.n_time;
  double write = floats * (t->pack_s / in->device_report.threads + disk_s_a_float);
  double work = is_native ? kernel + prepare : fmax(kernel, prepare);
  double store = f->blocks.by_blocks && !f->store_exists ? 2 * (double)in->n_live * t->read_s : 0;
  if (f->blocks.by_blocks && !is_native) return in->open_seconds + store + fmax(fmax(work, read), write) + samples * t->finish_s;
  return in->open_seconds + store + fmax(work, read) + write + samples * t->finish_s;
}

moho_status moho_run_forecast_make(const moho_job *job, const moho_run_inputs *in, const moho_planned_passes *passes,
                                   moho_run_forecast *f) {
  *f = (moho_run_forecast){.blocks = {.read_times = 1}};
  moho_status status = plan_blocks(job, in, f);
  if (!status) status = plan_disk(job, in, f);
  if (!status)
    status = moho_migration_count_contributions(in->device, &in->grid, in->velocity, &in->options, in->geometry,
                                                in->info->n_samples, in->info->dt_s,
                                                pairs_a_second * counting_seconds * in->device_report.threads, &f->count);
  if (!status) status = moho_expected_rate(in, &f->rate);
  if (!status && !f->refusal[0]) status = moho_run_trial_make(in, f->count.contributions, f->rate, &f->trial);
  if (status) {
    moho_run_forecast_release(f);
    return status;
  }
  /* Passes over other grids, or over parts of the image, keep their estimates. */
  f->contributions = passes->n == 1 && !passes->passes[0].times ? f->count.contributions : passes->contributions;
  if (f->trial.is_measured && f->trial.contributions_per_s > 0) f->rate = f->trial.contributions_per_s;
  f->memory_bytes = memory_of(in, &f->blocks);
  f->seconds = seconds_of(in, f);
  return MOHO_OK;
}

void moho_run_forecast_release(moho_run_forecast *forecast) {
  moho_planned_blocks_release(&forecast->blocks);
}

/* ---- told ---- */

static void print_blocks(const moho_planned_blocks *b, FILE *out) {
  double largest = 0;
  if (!b->by_blocks) {
    fprintf(out, "  blocks        none: in memory as a whole\n");
    return;
  }
  for (size_t k = 0; k < b->plan.n; k++) largest = fmax(largest, b->plan.share[k]);
  fprintf(out, "  blocks        %zu of up to %zu columns, the largest %.2f of the mean work; a trace is read %.2f times\n",
          b->plan.n, b->plan.most_columns, largest * (double)b->plan.n, b->read_times);
}

void moho_run_forecast_print(const moho_run_inputs *in, const moho_run_forecast *f, FILE *out) {
  char memory[32], allowed[32], image[32], store[32], room[32];
  fprintf(out, "  memory        %s of %s allowed\n", moho_bytes_text(f->memory_bytes, memory),
          moho_bytes_text((double)in->memory_allowed, allowed));
  print_blocks(&f->blocks, out);
  fprintf(out, "  disk          results at most %s", moho_bytes_text(f->image_bytes, image));
  if (f->store_bytes > 0)
    fprintf(out, ", traces sorted %s%s", moho_bytes_text(f->store_bytes, store), f->store_exists ? " (there already)" : "");
  if (f->disk_free_bytes >= 0) fprintf(out, "; %s free", moho_bytes_text(f->disk_free_bytes, room));
  fprintf(out, "\n  contributions %.0f (%s)\n", f->contributions,
          f->contributions != f->count.contributions || !f->count.is_exact ? "estimated" : "exactly");
  if (f->trial.is_measured)
    fprintf(out, "  time expected %.3g s at %.3g contributions/s, measured in %.1f s with this job's options on this machine\n",
            f->seconds, f->rate, f->trial.seconds);
  else fprintf(out, "  time expected %.3g s at an assumed %.2g contributions/s\n", f->seconds, f->rate);
}

static json_t *blocks_json(const moho_planned_blocks *b) {
  double largest = 0;
  if (!b->by_blocks) return json_null();
  for (size_t k = 0; k < b->plan.n; k++) largest = fmax(largest, b->plan.share[k]);
  return json_pack("{s:I, s:I, s:f, s:f, s:I}", "n", (json_int_t)b->plan.n, "largest_columns", (json_int_t)b->plan.most_columns,
                   "largest_over_mean", largest * (double)b->plan.n, "trace_read_times", b->read_times, "batch_traces",
                   (json_int_t)b->sizes.batch_traces);
}

json_t *moho_run_forecast_json(const moho_run_forecast *f) {
  return json_pack("{s:o, s:f, s:f, s:b, s:f, s:f, s:f, s:b, s:f, s:b, s:f, s:f, s:f}", "blocks", blocks_json(&f->blocks),
                   "memory_bytes", f->memory_bytes, "store_bytes", f->store_bytes, "store_exists", f->store_exists,
                   "results_bytes", f->image_bytes, "disk_free_bytes", f->disk_free_bytes, "contributions", f->contributions,
                   "contributions_exact", f->count.is_exact && f->contributions == f->count.contributions, "contributions_per_s",
                   f->rate, "rate_measured", f->trial.is_measured, "measuring_s", f->trial.seconds, "prepare_s_a_trace",
                   f->trial.prepare_s, "seconds_expected", f->seconds);
}
