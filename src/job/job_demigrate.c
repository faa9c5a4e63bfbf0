/* job_demigrate.c - an image back into traces at the places of a job's input, a batch at a time into a trace file; the image in
 * memory, or larger than it and read piece by piece. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/timer.h"
#include "job/block_sizes.h"
#include "job/demigrate_image.h"
#include "job/run_inputs.h"
#include "job/run_zones.h"
#include "job/run_report.h"
#include "migrate/adjoint_pieces.h"
#include "survey/zarr_store.h"

typedef struct demigrate_run {
  const moho_job *job;
  const moho_job_demigrate_options *options;
  char *image_path;
  moho_image image; /* its arrays only where they fit, and only until the demigration has its own */
  moho_demigrate_image pieces;
  int by_pieces;
  moho_run_inputs inputs;
  moho_demigration *demigration;
  moho_traces_writer *writer;
  moho_demigration_counts counts;
  double begin, demigrate_begin, read_seconds, write_seconds;
} demigrate_run;

static int report_progress(void *user, const moho_progress *step) {
  demigrate_run *r = user;
  moho_progress progress = *step;
  progress.total = r->inputs.plan.contributions > step->done ? r->inputs.plan.contributions : step->done;
  progress.seconds = moho_seconds() - r->demigrate_begin;
  return r->options->progress ? r->options->progress(r->options->user, &progress) : 0;
}

/* ---- inputs ---- */

static moho_status describe_image(demigrate_run *r) {
  const char *given = r->options->image;
  int length = given ? asprintf(&r->image_path, "%s", given)
                     : asprintf(&r->image_path, "%s/image.zarr", moho_job_text(r->job, MOHO_KEY_OUTPUT_DIRECTORY));
  if (length < 0) {
    r->image_path = NULL;
    return moho_fail(MOHO_ERROR_MEMORY, "demigrate: out of memory");
  }
  MOHO_TRY(moho_image_describe_zarr(r->image_path, &r->image));
  if (!r->image.is_partial) return MOHO_OK;
  return moho_fail_at((moho_place){.file = r->image_path}, "let the run end first: the command that was stopped goes on",
                      MOHO_ERROR_FORMAT, "%s is half-made: the run that makes it has not ended", r->image_path);
}

static moho_status refuse_too_large(const demigrate_run *r) {
  char need[32], allowed[32];
  const moho_run_inputs *in = &r->inputs;
  return moho_fail_at(
      moho_job_place(r->job, moho_job_given(r->job, MOHO_KEY_MEMORY) ? MOHO_KEY_MEMORY : MOHO_KEY_GRID),
      "raise execution.memory_gb, or set execution.device to cpu and execution.kernel to auto: then the image is read "
      "piece by piece",
      MOHO_ERROR_TOO_LARGE, "the demigration needs %s, %s are allowed: the image of %zu x %zu x %zu samples is held twice",
      moho_bytes_text((double)in->memory_needed, need), moho_bytes_text((double)in->memory_allowed, allowed), in->grid.n_inline,
      in->grid.n_crossline, in->grid.n_time);
}

/* Levels are images besides the one that is modelled, and an adaptive image is nothing outside its mask: what models it is the
 * adjoint of what made it. An image whose late times were resampled is not what this adjoint belongs to. */
static moho_status check_less_work(const moho_job *job) {
  if (!moho_run_has_zones(job)) return MOHO_OK;
  moho_job_id key = moho_job_given(job, MOHO_KEY_TIME_SAMPLING_F_MAX) ? MOHO_KEY_TIME_SAMPLING_F_MAX : MOHO_KEY_TIME_SAMPLING;
  return moho_fail_at(moho_job_place(job, key), "migrate with migration.time_sampling uniform, and demigrate that image",
                      MOHO_ERROR_NOT_AVAILABLE, "demigrate does not do %s: the adjoint of the resampled times is not there",
                      moho_job_keys[key].path);
}

/* why: what does not fit into the rest. */
static moho_status refuse_little(const demigrate_run *r, size_t held, const char *why) {
  char allowed[32], needed[32], rest[400];
  snprintf(rest, sizeof rest, "%s%s", why[0] ? "; of the rest: " : "", why);
  return moho_fail_at(
      moho_job_place(r->job, MOHO_KEY_MEMORY), "raise execution.memory_gb", MOHO_ERROR_TOO_LARGE,
      "piece by piece too the demigration needs more than %s (positions of the traces, the program, a piece of the "
      "image), %s are allowed%s",
      moho_bytes_text((double)held, needed), moho_bytes_text((double)r->inputs.memory_allowed, allowed), rest);
}

/* What is left beside the positions of the traces, the program and the piece of the image in hand. */
static moho_status create_pieces(demigrate_run *r) {
  const moho_run_inputs *in = &r->inputs;
  int with_fold = in->options.normalise == MOHO_NORMALISE_FOLD;
  size_t held = in->geometry->n * MOHO_GEOMETRY_BYTES + MOHO_PROGRAM_BYTES, piece,
         trace = in->info->n_samples * sizeof(float) * (r->options->mutes_from_data ? 2 : 1);
  MOHO_TRY(moho_demigrate_image_open(r->image_path, &r->image, with_fold, in->memory_allowed, &r->pieces, &piece));
  r->by_pieces = 1;
  if (in->memory_allowed <= held + piece) return refuse_little(r, held + piece, "");
  moho_status status = moho_demigration_create_pieces(in->device, &in->grid, in->velocity, &in->options, in->geometry,
                                                      in->info->n_samples, in->info->dt_s, in->memory_allowed - held - piece,
                                                      trace, moho_demigrate_image_read, &r->pieces, &r->demigration);
  return status == MOHO_ERROR_TOO_LARGE ? refuse_little(r, held + piece, moho_last_error()->message) : status;
}

static moho_status create_whole(demigrate_run *r) {
  const moho_run_inputs *in = &r->inputs;
  moho_image_release(&r->image);
  MOHO_TRY(moho_image_read_zarr(r->image_path, &r->image));
  MOHO_TRY(moho_demigration_create(in->device, &in->grid, in->velocity, &in->options, in->geometry, in->info->n_samples,
                                   in->info->dt_s, &r->demigration));
  MOHO_TRY(moho_demigration_set_image(r->demigration, r->image.stack, r->image.fold));
  moho_image_release(&r->image); /* the demigration has its own */
  return MOHO_OK;
}

/* The recorded traces are never written over, under whatever name. */
static moho_status refuse_input_as_output(const demigrate_run *r) {
  struct stat input, output;
  const char *traces = moho_job_text(r->job, MOHO_KEY_INPUT_TRACES);
  if (stat(traces, &input) || stat(r->options->output, &output)) return MOHO_OK;
  if (input.st_dev != output.st_dev || input.st_ino != output.st_ino) return MOHO_OK;
  return moho_fail_at((moho_place){.file = r->options->output}, "name another file for the modelled traces", MOHO_ERROR_EXISTS,
                      "%s is the job's own input.traces, which demigrate would write over", r->options->output);
}

static moho_status prepare(demigrate_run *r) {
  moho_run_inputs *in = &r->inputs;
  r->begin = moho_seconds();
  MOHO_TRY(moho_job_check(r->job));
  MOHO_TRY(check_less_work(r->job));
  if (!r->options->output)
    return moho_fail(MOHO_ERROR_ARGUMENT, "demigrate: no output is named, expected a trace file: .sgy, .segy, .su or .zarr");
  MOHO_TRY(refuse_input_as_output(r));
  MOHO_TRY(describe_image(r));
  MOHO_TRY(moho_run_inputs_open_on(r->job, &r->image.grid, r->options->progress, r->options->user, in));
  MOHO_TRY(moho_demigration_supports(in->device, &in->options));
  if (in->options.normalise == MOHO_NORMALISE_FOLD && !moho_zarr_group_has(r->image_path, "fold"))
    return moho_fail_at((moho_place){.file = r->image_path, .key = "migration.normalise"},
                        "give an image with its fold, or set migration.normalise to none", MOHO_ERROR_FORMAT,
                        "%s has no fold, by which the adjoint of normalise fold divides", r->image_path);
  if (in->memory_needed <= in->memory_allowed) return create_whole(r);
  return strcmp(in->plan.kernel, "native") == 0 ? create_pieces(r) : refuse_too_large(r);
}

/* ---- traces ---- */

static moho_status demigrate_batch(demigrate_run *r, size_t first, size_t n, float *like, float *traces) {
  const moho_run_inputs *in = &r->inputs;
  moho_geometry slice = moho_geometry_slice(in->geometry, first, n);
  double begin = moho_seconds();
  if (like) MOHO_TRY(moho_run_inputs_read(in, first, n, like));
  r->read_seconds += moho_seconds() - begin;
  MOHO_TRY(moho_demigration_run(r->demigration, &slice, like, traces, report_progress, r));
  begin = moho_seconds();
  MOHO_TRY(moho_traces_writer_append(r->writer, &slice, traces));
  r->write_seconds += moho_seconds() - begin;
  return MOHO_OK;
}

static moho_status refuse_silence(const demigrate_run *r) {
  if (!r->counts.traces_live)
    return moho_fail_at(moho_job_place(r->job, MOHO_KEY_INPUT_TRACES),
                        "to model traces at places of which nothing was recorded take mutes from headers (--mutes headers)",
                        MOHO_ERROR_RANGE, "all samples of all %zu live traces are zero, so there is nothing to model",
                        r->inputs.n_live);
  return moho_fail_at(moho_job_place(r->job, MOHO_KEY_INPUT_TRACES),
                      "check that image and traces belong together: moho info tells where each lies", MOHO_ERROR_RANGE,
                      "the image reaches none of the %zu traces", r->inputs.geometry->n);
}

static moho_status demigrate(demigrate_run *r) {
  const moho_run_inputs *in = &r->inputs;
  size_t ns = in->info->n_samples, batch = moho_smaller(moho_demigration_batch_traces(r->demigration), in->geometry->n);
  char *description = NULL;
  float *like = NULL, *traces = NULL;
  moho_status status = moho_report_processing(r->job, in, &description);
  if (!status)
    status = moho_traces_writer_create(r->options->output, in->geometry->n, ns, in->info->dt_s, description, &r->writer);
  free(description);
  if (!status) status = moho_allocate(batch * ns, sizeof *traces, "a batch of traces", &traces);
  if (!status && r->options->mutes_from_data) status = moho_allocate(batch * ns, sizeof *like, "a batch of traces", &like);
  r->demigrate_begin = moho_seconds();
  for (size_t first = 0; !status && first < in->geometry->n; first += batch)
    status = demigrate_batch(r, first, moho_smaller(batch, in->geometry->n - first), like, traces);
  free(like), free(traces);
  if (status) return status;
  r->counts = moho_demigration_get_counts(r->demigration);
  return r->counts.traces_reached ? moho_traces_writer_finish(&r->writer) : refuse_silence(r);
}

/* ---- the report ---- */

static moho_status write_report(const demigrate_run *r, char **text) {
  const moho_demigration_counts *c = &r->counts;
  const moho_run_inputs *in = &r->inputs;
  double rate = c->kernel_seconds > 0 ? (double)c->contributions / c->kernel_seconds : 0;
  json_t *root = json_pack(
      "{s:o, s:o, s:o, s:s, s:b, s:s, s:o, s:o, s:s, s:{s:I, s:I, s:I}, s:I, s:f, s:{s:f, s:f, s:f, s:f, s:f}, s:{s:I, s:I}}",
      "software", moho_report_software(), "device", moho_report_device(in), "input", moho_report_input(r->job, in), "image",
      r->image_path, "image_by_pieces", r->by_pieces, "output", r->options->output, "grid", moho_report_grid(in), "settled",
      moho_report_settled(in), "mutes", r->options->mutes_from_data ? "data" : "headers", "traces", "total",
      (json_int_t)c->traces, "live", (json_int_t)c->traces_live, "reached", (json_int_t)c->traces_reached, "contributions",
      (json_int_t)c->contributions, "contributions_per_s", rate, "seconds", "kernel", c->kernel_seconds, "prepare",
      c->prepare_seconds, "read", r->read_seconds, "write", r->write_seconds, "total", moho_seconds() - r->begin, "memory",
      "demigration_bytes", (json_int_t)c->memory_bytes, "peak_bytes", (json_int_t)moho_process_memory_peak());
  *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
  json_decref(root);
  return *text ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "demigrate: out of memory");
}

MOHO_API moho_status moho_job_demigrate(const moho_job *job, const moho_job_demigrate_options *options, char **report) {
  demigrate_run r = {.job = job, .options = options};
  char *text = NULL;
  if (report) *report = NULL;
  moho_status status = prepare(&r);
  if (!status) status = demigrate(&r);
  if (!status) status = write_report(&r, &text);
  moho_error error = moho_error_take();
  if (status == MOHO_ERROR_INTERRUPTED) {
    moho_fail_at((moho_place){0}, "nothing was written, start it again", MOHO_ERROR_INTERRUPTED,
                 "the demigration was interrupted");
    error = moho_error_take();
  }
  moho_traces_writer_discard(&r.writer);
  moho_demigration_destroy(&r.demigration);
  moho_demigrate_image_close(&r.pieces);
  moho_image_release(&r.image);
  moho_run_inputs_close(&r.inputs);
  free(r.image_path);
  if (!status && report) *report = text;
  else free(text);
  return status ? moho_error_set(&error) : MOHO_OK;
}
