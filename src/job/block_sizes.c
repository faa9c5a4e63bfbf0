/* block_sizes.c - what of an image and its traces fits into memory at once. */
#include "job/block_sizes.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "job/run_adaptive.h"
#include "job/run_least_squares.h"
#include "job/run_levels.h"
#include "job/run_zones.h"
#include "survey/image_file.h"

/* A batch of more than this makes nothing faster; a smaller one than that slows the loops. */
#define BATCH_BYTES ((size_t)96 << 20)
enum { SMALLEST_BATCH = 64, CHUNK_TIMES = 1024 };
#define STORE_BYTES ((size_t)4 << 20)

moho_job_id moho_run_stays_whole(const moho_job *job) {
  if (moho_run_has_iterations(job)) return MOHO_KEY_ITERATIONS;
  if (moho_run_has_levels(job)) return MOHO_KEY_LEVELS;
  if (moho_run_has_zones(job)) return MOHO_KEY_TIME_SAMPLING;
  if (moho_run_is_adaptive(job)) return MOHO_KEY_ADAPTIVE;
  return MOHO_JOB_KEY_COUNT;
}

int moho_run_needs_blocks(const moho_run_inputs *in) {
  return in->memory_needed > in->memory_allowed || in->plan.device_bytes > in->plan.device_allowed_bytes;
}

/* A thread packs a chunk: as it is, packed, what the packer needs, and what the heap keeps between. */
static size_t writing_bytes(const moho_run_inputs *in, const moho_block_sizes *s) {
  size_t times = moho_smaller(in->grid.n_time, CHUNK_TIMES), threads = (size_t)in->device_report.threads;
  return threads * 4 * s->lattice_inline * s->lattice_crossline * times * sizeof(float);
}

static moho_status refuse(const moho_job *job, const moho_run_inputs *in, const moho_block_sizes *s, size_t columns) {
  char need[32], allowed[32], where[20] = "", hint[120];
  int of_device = in->plan.device_bytes && s->device_least > in->plan.device_allowed_bytes;
  if (of_device) snprintf(where, sizeof where, " on the device");
  moho_job_id key = moho_job_given(job, MOHO_KEY_MEMORY) ? MOHO_KEY_MEMORY
                    : in->plan.gather_bins               ? MOHO_KEY_GATHERS_KIND
                                                         : MOHO_KEY_GRID;
  const char *less = in->plan.gather_bins ? "use fewer bins of the gathers or fewer times" : "use fewer times";
  if (of_device) snprintf(hint, sizeof hint, "free memory of the device, or %s", less);
  else snprintf(hint, sizeof hint, "raise execution.memory_gb to %.3f, or %s", ceil((double)s->least * 1e-6) * 1e-3, less);
  return moho_fail_at(
      moho_job_place(job, key), hint, MOHO_ERROR_TOO_LARGE,
      "even block by block the run needs %s%s, %s are allowed: the smallest block has %zu columns of %zu samples%s, "
      "%zu traces have their positions in memory",
      moho_bytes_text((double)(of_device ? s->device_least : s->least), need), where,
      moho_bytes_text((double)(of_device ? in->plan.device_allowed_bytes : in->memory_allowed), allowed), columns,
      in->grid.n_time, in->plan.gather_bins ? " in every bin of the gathers" : "", in->geometry->n);
}

/* Columns that the device's own memory holds beside a batch, which takes a quarter of it at most. */
static size_t device_columns(const moho_migration_plan *p, size_t batch_traces) {
  if (!p->device_bytes || !p->window_column_device_bytes) return SIZE_MAX;
  if (p->device_allowed_bytes <= p->window_fixed_device_bytes) return 0;
  size_t left = p->device_allowed_bytes - p->window_fixed_device_bytes;
  return (left - moho_smaller(left / 4, batch_traces * p->batch_trace_device_bytes)) / p->window_column_device_bytes;
}

/* What is left goes to batches, a quarter of it at most, and to the block. */
static void share_out(const moho_run_inputs *in, size_t columns, moho_block_sizes *s) {
  const moho_migration_plan *p = &in->plan;
  size_t left = in->memory_allowed - s->base, wanted = moho_smaller(BATCH_BYTES / s->trace, in->geometry->n);
  s->batch_traces = moho_smaller(wanted, left / 4 / s->trace);
  if (s->batch_traces < SMALLEST_BATCH) s->batch_traces = SMALLEST_BATCH;
  s->most_columns = moho_smaller((left - s->batch_traces * s->trace) / s->column, device_columns(p, wanted));
  if (s->most_columns < columns) { /* a small batch leaves room for the smallest block */
    s->batch_traces = SMALLEST_BATCH, s->most_columns = columns;
  }
  s->migration = s->batch_traces * p->batch_trace_bytes + p->window_fixed_bytes + s->most_columns * p->window_column_bytes;
}

moho_status moho_block_sizes_make(const moho_job *job, const moho_run_inputs *in, moho_block_sizes *s) {
  const moho_migration_plan *p = &in->plan;
  size_t bins = p->gather_bins, n_time = in->grid.n_time, read = 2 * in->info->n_samples * sizeof(float);
  *s = (moho_block_sizes){.trace = read + p->batch_trace_bytes};
  moho_image_file_lattice(&in->grid, &in->bins, &s->lattice_inline, &s->lattice_crossline);
  size_t columns = moho_smaller(s->lattice_inline, in->grid.n_inline) * moho_smaller(s->lattice_crossline, in->grid.n_crossline);
  s->column = p->window_column_bytes + (1 + bins) * n_time * (sizeof(float) + sizeof(int32_t));
  s->base = MOHO_PROGRAM_BYTES + p->window_fixed_bytes + in->geometry->n * MOHO_GEOMETRY_BYTES + writing_bytes(in, s);
  s->least = s->base + columns * s->column + SMALLEST_BATCH * s->trace;
  size_t sorting = MOHO_PROGRAM_BYTES + in->geometry->n * (MOHO_GEOMETRY_BYTES + MOHO_CLASS_BYTES);
  /* The store is built before the first block: a batch, and what each thread carries to it. */
  size_t building =
      MOHO_PROGRAM_BYTES + in->geometry->n * MOHO_GEOMETRY_BYTES + STORE_BYTES * (1 + (size_t)in->device_report.threads);
  if (s->least < sorting) s->least = sorting;
  if (s->least < building) s->least = building;
  s->device_least = p->window_fixed_device_bytes + columns * p->window_column_device_bytes;
  if (s->least > in->memory_allowed || device_columns(p, 0) < columns) return refuse(job, in, s, columns);
  share_out(in, columns, s);
  return MOHO_OK;
}
