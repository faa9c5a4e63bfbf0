/* run_blocks.c - a run by blocks of columns. */
#include "job/run_blocks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_state.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "base/timer.h"
#include "job/block_writer.h"
#include "job/run_forecast.h"
#include "job/run_gathers.h"
#include "job/run_store.h"
#include "survey/trace_store.h"

typedef struct block_run {
  moho_run *run;
  const moho_block_sizes *sizes;
  moho_run_saved *saved;
  const moho_window *windows; /* [n] of `saved` */
  size_t n;
  size_t *todo; /* [n_todo] not done when the run began */
  size_t n_todo;
  moho_block_writer writer; /* of the block before the one in hand: until it is finished `saved` is its own */
  moho_trace_store *store;
  moho_trace_cursor *cursor; /* of the block in hand; of the next one while a block is written */
  size_t cursor_block;
  moho_migration *migration;
  uint8_t *used; /* of the traces added to the block in hand */
  size_t used_room;
  uint64_t *numbers; /* of these */
  uint8_t *bits;     /* [n_traces / 8 + 1] used by any block */
  char *bits_path;
  double begin, done; /* contributions of finished blocks */
} block_run;

/* ---- which traces were used: a bit a trace, saved beside the journal ---- */

static size_t bits_bytes(const block_run *b) {
  return b->run->inputs.geometry->n / 8 + 1;
}

/* Bits are only ever added, and a block adds the same whenever it is done: so it does not matter that they are saved before the
 * block counts as done. */
static moho_status open_bits(block_run *b) {
  if (asprintf(&b->bits_path, "%s/.moho/used.bits", b->run->outputs.directory) < 0) {
    b->bits_path = NULL;
    return moho_fail(MOHO_ERROR_MEMORY, "run: out of memory");
  }
  MOHO_TRY(moho_allocate(bits_bytes(b), 1, "traces used", &b->bits));
  if (!moho_run_saved_done(b->saved)) return MOHO_OK;
  char *data;
  size_t bytes;
  MOHO_TRY(moho_file_read_all(b->bits_path, bits_bytes(b), &data, &bytes));
  if (bytes == bits_bytes(b)) memcpy(b->bits, data, bytes);
  free(data);
  if (bytes == bits_bytes(b)) return MOHO_OK;
  return moho_fail_at((moho_place){.file = b->bits_path}, "execution.resume=never starts over", MOHO_ERROR_FORMAT,
                      "%s has %zu bytes, expected %zu", b->bits_path, bytes, bits_bytes(b));
}

static moho_status save_bits(block_run *b, size_t n) {
  int changed = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t bit = (uint8_t)(1u << b->numbers[i] % 8), *byte = &b->bits[b->numbers[i] / 8];
    if (!b->used[i] || *byte & bit) continue;
    *byte |= bit, changed = 1;
  }
  return changed ? moho_file_write_all(b->bits_path, b->bits, bits_bytes(b)) : MOHO_OK;
}

/* ---- progress ---- */

static int report_progress(void *user, const moho_progress *step) {
  block_run *b = user;
  const moho_job_run_options *options = b->run->options;
  moho_progress progress = *step;
  progress.done += b->done;
  progress.total = fmax(b->run->inputs.plan.contributions, progress.done);
  progress.seconds = moho_seconds() - b->begin;
  if (moho_block_writer_has_failed(&b->writer)) return 1; /* its error is the run's */
  return options->progress ? options->progress(options->user, &progress) : 0;
}

/* ---- one block ---- */

static moho_trace_region region_of(const block_run *b, size_t block) {
  /* The aperture's edge is widened by 4e-6 and a millimetre (physics.md); a little more costs nothing. */
  return (moho_trace_region){.grid = &b->run->inputs.grid,
                             .window = b->windows[block],
                             .margin_m = b->run->inputs.options.aperture_max_m * (1 + 1e-5) + 0.01};
}

static moho_status open_cursor(block_run *b, size_t block) {
  if (b->cursor && b->cursor_block == block) return MOHO_OK;
  moho_trace_cursor_destroy(&b->cursor);
  moho_trace_region region = region_of(b, block);
  b->cursor_block = block;
  return moho_trace_cursor_create(b->store, &region, b->sizes->batch_traces, &b->cursor);
}

static void close_cursor(block_run *b) {
  if (b->cursor) b->run->seconds.read += moho_trace_cursor_seconds(b->cursor);
  moho_trace_cursor_destroy(&b->cursor);
}

static moho_status make_room(block_run *b, size_t n) {
  if (n <= b->used_room) return MOHO_OK;
  free(b->used), free(b->numbers);
  b->used = NULL, b->numbers = NULL, b->used_room = 0;
  MOHO_TRY(moho_allocate(n, 1, "traces of a block", &b->used));
  MOHO_TRY(moho_allocate(n, sizeof *b->numbers, "traces of a block", &b->numbers));
  b->used_room = n;
  return MOHO_OK;
}

static moho_status begin_migration(block_run *b, size_t block) {
  const moho_run_inputs *in = &b->run->inputs;
  moho_migration_options options = in->options;
  double begin = moho_seconds();
  options.window = b->windows[block];
  options.memory_bytes = b->sizes->migration;
  moho_status status = b->migration ? moho_migration_move(b->migration, &b->windows[block], in->geometry)
                                    : moho_migration_create(in->device, &in->grid, in->velocity, &options, in->geometry,
                                                            in->info->n_samples, in->info->dt_s, &b->migration);
  b->run->seconds.create += moho_seconds() - begin;
  return status;
}

static moho_status add_traces(block_run *b, size_t block, size_t *added) {
  moho_trace_region region = region_of(b, block);
  size_t n;
  MOHO_TRY(moho_trace_store_count(b->store, &region, &n));
  MOHO_TRY(make_room(b, n));
  MOHO_TRY(open_cursor(b, block));
  moho_migration_watch_used(b->migration, b->used);
  *added = 0;
  for (;;) {
    moho_trace_batch batch;
    MOHO_TRY(moho_trace_cursor_next(b->cursor, &batch));
    if (!batch.n) return moho_migration_wait(b->migration, report_progress, b);
    if (batch.n > n - *added) return moho_fail(MOHO_ERROR_FORMAT, "the store gave more traces than the %zu it had counted", n);
    memcpy(b->numbers + *added, batch.numbers, batch.n * sizeof *b->numbers);
    MOHO_TRY(moho_migration_add(b->migration, &batch.geometry, batch.samples, report_progress, b));
    *added += batch.n;
  }
}

static moho_status make_image(const block_run *b, size_t block, moho_image *image) {
  const moho_run_inputs *in = &b->run->inputs;
  moho_grid grid;
  MOHO_TRY(moho_grid_cut(&in->grid, &b->windows[block], &grid));
  moho_status status = moho_image_create(&grid, image);
  moho_grid_release(&grid);
  if (!status && in->options.gathers) status = moho_image_add_gathers(image, in->options.gathers);
  return status;
}

static json_t *counts_json(const moho_migration_counts *c) {
  return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:s, s:s}", "contributions", (json_int_t)c->contributions, "traces",
                   (json_int_t)c->traces_added, "kernel_s", c->kernel_seconds, "prepare_s", c->prepare_seconds, "transfer_s",
                   c->transfer_seconds, "allocation_s", c->allocation_seconds, "compile_s", c->compile_seconds, "launches",
                   (json_int_t)c->launches, "kernel", c->kernel, "kernel_reason", c->kernel_reason);
}

static moho_status finish_image(block_run *b, size_t block, size_t added, moho_image *image) {
  MOHO_TRY(make_image(b, block, image));
  MOHO_TRY(moho_migration_finish(b->migration, image));
  MOHO_TRY(moho_run_finish_gathers(b->run, &b->windows[block], image));
  return save_bits(b, added);
}

static void keep_largest(size_t bytes, size_t *largest) {
  if (*largest < bytes) *largest = bytes;
}

/* Number `turn` of todo. While it is finished the next block's first traces are read; while the next one is migrated this one is
 * written. */
static moho_status finish_block(block_run *b, size_t turn, size_t added) {
  moho_run *r = b->run;
  moho_image image = {0};
  size_t block = b->todo[turn];
  close_cursor(b);
  if (turn + 1 < b->n_todo) MOHO_TRY(open_cursor(b, b->todo[turn + 1]));
  MOHO_TRY(moho_block_writer_finish(&b->writer, &r->seconds.write));
  moho_status status = finish_image(b, block, added, &image);
  moho_migration_counts counts = moho_migration_get_counts(b->migration);
  json_t *json = status ? NULL : counts_json(&counts);
  if (!status && !json) status = moho_fail(MOHO_ERROR_MEMORY, "run: out of memory");
  if (!status) moho_block_writer_start(&b->writer, b->saved, block, &image, json);
  moho_image_release(&image);
  b->done += (double)counts.contributions;
  keep_largest(counts.memory_bytes, &r->counts.memory_bytes);
  keep_largest(counts.device_bytes, &r->counts.device_bytes);
  return status;
}

static moho_status do_block(block_run *b, size_t turn) {
  size_t added;
  MOHO_TRY(begin_migration(b, b->todo[turn]));
  MOHO_TRY(add_traces(b, b->todo[turn], &added));
  return finish_block(b, turn, added);
}

/* The last one is written before anybody looks at what is saved; a failure to write is told rather than what followed from it. */
static moho_status do_blocks(block_run *b) {
  moho_status status = MOHO_OK;
  for (size_t turn = 0; !status && turn < b->n_todo; turn++) status = do_block(b, turn);
  moho_error error = moho_error_take();
  moho_status written = moho_block_writer_finish(&b->writer, &b->run->seconds.write);
  if (written && (!status || status == MOHO_ERROR_INTERRUPTED)) return written;
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* ---- all blocks ---- */

/* What earlier sittings did counts too. */
static void sum_counts(block_run *b) {
  const moho_run_inputs *in = &b->run->inputs;
  moho_migration_counts *c = &b->run->counts;
  for (size_t k = 0; k < b->n; k++) {
    const json_t *json = moho_run_saved_get_counts(b->saved, k);
    c->contributions += (uint64_t)json_integer_value(json_object_get(json, "contributions"));
    c->traces_added += (uint64_t)json_integer_value(json_object_get(json, "traces"));
    c->launches += (uint64_t)json_integer_value(json_object_get(json, "launches"));
    c->kernel_seconds += json_real_value(json_object_get(json, "kernel_s"));
    c->prepare_seconds += json_real_value(json_object_get(json, "prepare_s"));
    c->transfer_seconds += json_real_value(json_object_get(json, "transfer_s"));
    c->allocation_seconds += json_real_value(json_object_get(json, "allocation_s"));
    c->compile_seconds += json_real_value(json_object_get(json, "compile_s"));
    const char *kernel = json_string_value(json_object_get(json, "kernel")),
               *reason = json_string_value(json_object_get(json, "kernel_reason"));
    for (int id = MOHO_KERNEL_AUTO; id <= MOHO_KERNEL_V3; id++) /* names that live as long as the program */
      if (kernel && strcmp(kernel, moho_migration_kernel_name((moho_migration_kernel)id)) == 0)
        c->kernel = moho_migration_kernel_name((moho_migration_kernel)id);
    snprintf(c->kernel_reason, sizeof c->kernel_reason, "%s", reason ? reason : "");
  }
  if (!c->kernel) c->kernel = in->plan.kernel;
}

/* Each trace once, whatever number of blocks it was used in. */
static void count_traces(block_run *b) {
  const moho_run_inputs *in = &b->run->inputs;
  const moho_geometry *g = in->geometry;
  moho_migration_counts *c = &b->run->counts;
  int by_trace = in->bins.kind == MOHO_GATHERS_OFFSET || in->bins.kind == MOHO_GATHERS_OVT;
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) c->traces_dead++;
    else if (b->bits[i / 8] >> i % 8 & 1) c->traces_used++;
    else if (by_trace && moho_gather_bin_of_trace(&in->bins, &in->grid, g, i) < 0) c->traces_unbinned++;
    else c->traces_outside++;
  }
}

/* Before hours of work: room for the results, at most. What is packed takes less. */
static moho_status check_disk(const moho_run *r) {
  double bytes = moho_run_results_bytes(r->job, &r->inputs), room = (double)moho_disk_free(r->outputs.directory);
  char need[32], have[32];
  if (bytes <= room) return MOHO_OK;
  return moho_fail_at(moho_job_place(r->job, MOHO_KEY_OUTPUT_DIRECTORY),
                      "use another disk, a smaller grid, wider spacing, fewer times or bins, or fewer output.formats",
                      MOHO_ERROR_TOO_LARGE,
                      "the results take up to %s, the disk of %s has %s free: the grid is %zu x %zu x %zu samples",
                      moho_bytes_text(bytes, need), r->outputs.directory, moho_bytes_text(room, have), r->inputs.grid.n_inline,
                      r->inputs.grid.n_crossline, r->inputs.grid.n_time);
}

static moho_status open_saved(block_run *b, const moho_planned_blocks *planned) {
  moho_run *r = b->run;
  MOHO_TRY(moho_run_saved_open(r->job, &r->inputs, &r->outputs, &b->saved));
  b->n = moho_run_saved_get_windows(b->saved, &b->windows);
  if (!b->n) {
    MOHO_TRY(check_disk(r));
    MOHO_TRY(moho_run_saved_begin(b->saved, planned->plan.windows, planned->plan.n, NULL));
    b->n = moho_run_saved_get_windows(b->saved, &b->windows);
  }
  size_t largest = 0;
  for (size_t k = 0; k < b->n; k++) {
    size_t columns = b->windows[k].n_inline * b->windows[k].n_crossline;
    if (columns > largest && !moho_run_saved_is_done(b->saved, k)) largest = columns;
  }
  if (largest <= planned->sizes.most_columns) return MOHO_OK;
  char need[32];
  return moho_fail_at(moho_job_place(r->job, MOHO_KEY_MEMORY),
                      "give it as much memory as it was begun with, or start over with execution.resume=never",
                      MOHO_ERROR_TOO_LARGE,
                      "the run that is gone on with was cut into blocks of up to %zu columns, memory holds %zu now: it needs %s",
                      largest, planned->sizes.most_columns,
                      moho_bytes_text((double)planned->sizes.base + (double)largest * (double)planned->sizes.column +
                                          (double)planned->sizes.batch_traces * (double)planned->sizes.trace,
                                      need));
}

static moho_status open_store(block_run *b) {
  moho_run *r = b->run;
  moho_run_inputs *in = &r->inputs;
  size_t held = in->geometry->n * MOHO_GEOMETRY_BYTES + MOHO_PROGRAM_BYTES,
         room = in->memory_allowed > held ? in->memory_allowed - held : 1;
  double begin = moho_seconds();
  moho_status status = moho_run_store_open(r->job, in, room, r->options->progress, r->options->user, &b->store);
  r->seconds.store += moho_seconds() - begin;
  return status;
}

/* And what earlier sittings did. */
static moho_status find_todo(block_run *b) {
  MOHO_TRY(moho_allocate(b->n, sizeof *b->todo, "blocks", &b->todo));
  for (size_t k = 0; k < b->n; k++) {
    b->done += (double)json_integer_value(json_object_get(moho_run_saved_get_counts(b->saved, k), "contributions"));
    if (!moho_run_saved_is_done(b->saved, k)) b->todo[b->n_todo++] = k;
  }
  return MOHO_OK;
}

static moho_status run_all(block_run *b, const moho_planned_blocks *planned) {
  MOHO_TRY(open_saved(b, planned));
  MOHO_TRY(open_bits(b));
  MOHO_TRY(find_todo(b));
  if (b->n_todo) MOHO_TRY(open_store(b));
  b->begin = moho_seconds();
  MOHO_TRY(do_blocks(b));
  b->run->seconds.migrate += moho_seconds() - b->begin;
  sum_counts(b);
  count_traces(b);
  return MOHO_OK;
}

moho_status moho_run_blocks(moho_run *run, const moho_planned_blocks *planned, moho_run_saved **saved) {
  block_run b = {.run = run, .sizes = &planned->sizes};
  moho_give_back_freed();
  moho_status status = run_all(&b, planned);
  moho_error error = moho_error_take();
  close_cursor(&b);
  moho_migration_destroy(&b.migration);
  if (b.store) moho_trace_store_close(&b.store);
  free(b.used), free(b.numbers), free(b.bits), free(b.bits_path), free(b.todo);
  *saved = b.saved;
  return status ? moho_error_set(&error) : MOHO_OK;
}
