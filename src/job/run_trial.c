/* run_trial.c - how fast a job goes on this machine. */
#include "job/run_trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "survey/zarr_layout.h"

/* Columns of the trial, enough for every worker; traces at least and at most, and seconds after which it has seen enough. */
enum {
  SIDE_NATIVE = 32,
  SIDE_DEVICE = 96,
  COLUMNS_OF_LINE = 1024,
  LEAST_TRACES = 256,
  MOST_TRACES = 16384,
  MOST_BYTES = 64 << 20,
  MOST_PACKED = 1 << 20
};
static const double enough_seconds = 0.8, least_seconds = 0.05, enough_share = 0.3, pass_seconds = 0.15;

/* About the middle of the live midpoints. */
static moho_window choose_window(const moho_run_inputs *in) {
  const moho_geometry *g = in->geometry;
  const moho_grid *grid = &in->grid;
  double x = 0, y = 0, n = 0, i, j;
  for (size_t k = 0; k < g->n; k += g->n / 100000 + 1) {
    if (!moho_geometry_is_live(g, k)) continue;
    x += (g->source_x[k] + g->receiver_x[k]) / 2, y += (g->source_y[k] + g->receiver_y[k]) / 2, n++;
  }
  moho_grid_locate(grid, x / fmax(n, 1), y / fmax(n, 1), &i, &j);
  int is_native = strcmp(in->plan.kernel, "native") == 0;
  size_t side = moho_grid_is_line(grid) ? COLUMNS_OF_LINE : is_native ? SIDE_NATIVE : SIDE_DEVICE;
  moho_window w = {.n_inline = moho_smaller(side, grid->n_inline), .n_crossline = moho_smaller(side, grid->n_crossline)};
  double first_i = round(i - 0.5 * (double)w.n_inline), first_j = round(j - 0.5 * (double)w.n_crossline);
  w.inline_first = (size_t)fmin(fmax(first_i, 0), (double)(grid->n_inline - w.n_inline));
  w.crossline_first = (size_t)fmin(fmax(first_j, 0), (double)(grid->n_crossline - w.n_crossline));
  return w;
}

/* Live traces whose midpoint is near the window's middle: numbers [most], spread over the file. */
static moho_status choose_traces(const moho_run_inputs *in, const moho_window *w, double contributions, double a_pass,
                                 size_t most, size_t **out, size_t *n) {
  const moho_geometry *g = in->geometry;
  double x, y, x1, y1, found = 0, kept = 0;
  moho_grid_node(&in->grid, w->inline_first, w->crossline_first, &x, &y);
  moho_grid_node(&in->grid, w->inline_first + w->n_inline - 1, w->crossline_first + w->n_crossline - 1, &x1, &y1);
  double reach = 0.5 * hypot(x1 - x, y1 - y) + in->options.aperture_max_m;
  MOHO_TRY(moho_allocate(most + 1, sizeof **out, "traces of a trial", out));
  x = (x + x1) / 2, y = (y + y1) / 2, *n = 0;
  double all = (double)in->grid.n_inline * (double)in->grid.n_crossline, share = (double)(w->n_inline * w->n_crossline) / all;
  double wanted = (double)most;
  for (int pass = 0; pass < 2; pass++) { /* counts, then keeps every so-manieth */
    /* All that was found would make about its columns' share of the image. */
    if (pass && contributions > 0) wanted = fmin(wanted, fmax(found * a_pass / (contributions * share), LEAST_TRACES));
    for (size_t k = 0; k < g->n; k++) {
      if (!moho_geometry_is_live(g, k)) continue;
      if (hypot((g->source_x[k] + g->receiver_x[k]) / 2 - x, (g->source_y[k] + g->receiver_y[k]) / 2 - y) > reach) continue;
      if (!pass) found++;
      else if (kept++ * fmin(wanted / found, 1) >= (double)*n && *n < most) (*out)[(*n)++] = k;
    }
  }
  return MOHO_OK;
}

typedef struct trial_traces {
  moho_geometry geometry;
  float *samples;
  double read_s;
} trial_traces;

static void copy_place(const moho_geometry *from, size_t i, moho_geometry *to, size_t k) {
  to->source_x[k] = from->source_x[i], to->source_y[k] = from->source_y[i];
  to->receiver_x[k] = from->receiver_x[i], to->receiver_y[k] = from->receiver_y[i];
  to->first_sample_s[k] = from->first_sample_s[i];
  to->mute_start_s[k] = from->mute_start_s[i], to->mute_end_s[k] = from->mute_end_s[i];
  to->flags[k] = from->flags[i];
}

static moho_status read_traces(const moho_run_inputs *in, const size_t *numbers, size_t n, trial_traces *out) {
  size_t ns = in->info->n_samples;
  double begin = moho_seconds();
  MOHO_TRY(moho_geometry_create(n, &out->geometry));
  MOHO_TRY(moho_allocate(n * ns, sizeof(float), "traces of a trial", &out->samples));
  for (size_t k = 0; k < n;) {
    size_t run = 1; /* neighbours in the file are read at once */
    while (k + run < n && numbers[k + run] == numbers[k] + run) run++;
    MOHO_TRY(moho_run_inputs_read(in, numbers[k], run, out->samples + k * ns));
    for (size_t i = 0; i < run; i++) copy_place(in->geometry, numbers[k] + i, &out->geometry, k + i);
    k += run;
  }
  out->read_s = (moho_seconds() - begin) / (double)n;
  return MOHO_OK;
}

/* Once to warm up, then until it has lasted. */
static moho_status migrate(moho_migration *m, const trial_traces *t, double enough, moho_run_trial *out) {
  moho_migration_counts before, after;
  double begin = 0;
  size_t added = 0;
  for (int pass = 0; pass < 2 || (moho_seconds() - begin < enough && pass < 1000); pass++) {
    if (pass == 1) before = moho_migration_get_counts(m), begin = moho_seconds();
    MOHO_TRY(moho_migration_add(m, &t->geometry, t->samples, NULL, NULL));
    MOHO_TRY(moho_migration_wait(m, NULL, NULL));
    added += pass ? t->geometry.n : 0;
  }
  after = moho_migration_get_counts(m);
  double kernel = after.kernel_seconds - before.kernel_seconds;
  out->contributions_per_s = (double)(after.contributions - before.contributions) / fmax(kernel, 1e-9);
  out->prepare_s = (after.prepare_seconds - before.prepare_seconds) / (double)added;
  return MOHO_OK;
}

/* The first columns of image and fold, packed as the run's chunks are. */
static moho_status pack(const moho_image *image, moho_run_trial *out) {
  size_t samples = image->grid.n_inline * image->grid.n_crossline * image->grid.n_time;
  const void *parts[] = {image->stack, image->fold};
  samples = moho_smaller(samples, MOST_PACKED);
  double begin = moho_seconds();
  for (int k = 0; k < 2; k++) {
    void *packed;
    size_t bytes;
    MOHO_TRY(moho_zarr_encode(moho_zarr_codec_for_writing(), 4, parts[k], 4 * samples, &packed, &bytes));
    free(packed);
  }
  out->pack_s = (moho_seconds() - begin) / (2 * (double)samples);
  return MOHO_OK;
}

static moho_status finish(const moho_run_inputs *in, const moho_window *w, moho_migration *m, moho_run_trial *out) {
  moho_grid grid;
  moho_image image = {0};
  MOHO_TRY(moho_grid_cut(&in->grid, w, &grid));
  moho_status status = moho_image_create(&grid, &image);
  if (!status && in->options.gathers) status = moho_image_add_gathers(&image, in->options.gathers);
  double begin = moho_seconds();
  if (!status) status = moho_migration_finish(m, &image);
  out->finish_s = (moho_seconds() - begin) / (double)(w->n_inline * w->n_crossline * grid.n_time);
  if (!status) status = pack(&image, out);
  /* A device counts contributions when it is finished: then they are of all passes, and so are its seconds. */
  moho_migration_counts counts = moho_migration_get_counts(m);
  if (!status && !(out->contributions_per_s > 0))
    out->contributions_per_s = (double)counts.contributions / fmax(counts.kernel_seconds, 1e-9);
  out->is_measured = !status && counts.contributions > 0;
  moho_image_release(&image);
  moho_grid_release(&grid);
  return status;
}

static moho_status run(const moho_run_inputs *in, double contributions, double rate, moho_run_trial *out) {
  moho_window window = choose_window(in);
  size_t most = moho_smaller(MOST_BYTES / (in->info->n_samples * sizeof(float)), MOST_TRACES), *numbers = NULL, n;
  moho_migration_options options = in->options;
  moho_migration *m = NULL;
  trial_traces traces = {0};
  options.window = window, options.memory_bytes = 0;
  if (most < LEAST_TRACES) most = LEAST_TRACES;
  moho_status status = choose_traces(in, &window, contributions, rate * pass_seconds, most, &numbers, &n);
  if (!status && n) status = read_traces(in, numbers, n, &traces);
  if (!status && n)
    status = moho_migration_create(in->device, &in->grid, in->velocity, &options, in->geometry, in->info->n_samples,
                                   in->info->dt_s, &m);
  /* A job of a moment is not worth a longer one. */
  double enough = fmin(fmax(enough_share * contributions / rate, least_seconds), enough_seconds);
  if (!status && n) status = migrate(m, &traces, enough, out);
  if (!status && n) status = finish(in, &window, m, out);
  out->read_s = traces.read_s;
  moho_migration_destroy(&m);
  moho_geometry_release(&traces.geometry);
  free(traces.samples), free(numbers);
  return status;
}

moho_status moho_run_trial_make(const moho_run_inputs *in, double contributions, double rate, moho_run_trial *out) {
  *out = (moho_run_trial){0};
  double begin = moho_seconds();
  moho_status status = run(in, contributions, rate, out);
  out->seconds = moho_seconds() - begin;
  return status;
}
