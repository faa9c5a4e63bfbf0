/* device_plan.c - a migration by kernels on a device: cuts, batches, memory. */
#include "migrate/device_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/demigrate_record.h"
#include "kernels/migrate_device.h"
#include "migrate/device_kernels.h"
#include "migrate/device_tables.h"
#include "migrate/migration_internal.h"
#include "migrate/sinc_table.h"

/* A batch of prepared traces takes about this much: enough work for a large device, small enough that the second batch is
 * soon prepared. */
#define BATCH_BYTES ((size_t)128 << 20)
enum { SMALLEST_BATCH = 256, LARGEST_BATCH = 65535, LANES_A_STEP = 64 }; /* a row of the packing grid each */
/* Kernels keep two bits of an index for themselves. */
#define LARGEST_INDEX ((size_t)1 << 30)
/* Where launches must be short, one takes at most so many traces: a tile of columns is then done in time. */
enum { SHORT_LAUNCH_TRACES = 8192 };
enum { LARGEST_GRID = 65535 };
/* Packed rows of one launch: a large GPU's second-level cache holds them while all tiles read them (NVIDIA H200, `medium`: v3
 * 0.92 -> 1.00, v2 0.75 -> 0.88 10^12 contributions/s). */
#define LAUNCH_BYTES ((size_t)64 << 20)

/* ---- constants ---- */

static moho_status refuse_constant(const char *text) {
  return moho_fail_at((moho_place){.key = "constants"}, "write them as COLUMNS=8,CHUNKS=4", MOHO_ERROR_ARGUMENT,
                      "constants \"%.60s\": expected NAME=whole number from 1 on, names in capitals, at most %d of them", text,
                      MOHO_DEVICE_CONSTANTS);
}

/* Where the plan wants to know a constant; NULL: only the text. *also_text: the text wants it too. */
static size_t *member_of(moho_device_constants *c, const char *name, int *also_text) {
  struct {
    const char *name;
    size_t *member;
    int in_text;
  } known[] = {{"BATCH_TRACES", &c->batch_traces, 0},
               {"PIECE_TRACES", &c->piece_traces, 0},
               {"LAUNCH_TRACES", &c->launch_traces, 0},
               {"LAUNCH_COLUMNS", &c->launch_columns, 0},
               {"SLAB_SAMPLES", &c->slab_samples, 0},
               {"GROUPS", &c->groups, 0},
               {"COLUMNS_X", &c->columns_x, 0},
               {"COLUMNS", &c->columns, 1},
               {"CHUNKS", &c->chunks, 1},
               {"TOGETHER", &c->together, 1}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].name, name) == 0) {
      *also_text = known[i].in_text;
      return known[i].member;
    }
  *also_text = 1;
  return NULL;
}

moho_status moho_device_constants_parse(const char *text, moho_device_constants *out) {
  *out = (moho_device_constants){0};
  for (const char *at = text; at && *at;) {
    size_t length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    char *end, name[sizeof out->names[0]] = "";
    if (!length || length >= sizeof name || at[length] != '=' || out->n == MOHO_DEVICE_CONSTANTS) return refuse_constant(at);
    memcpy(name, at, length);
    long value = strtol(at + length + 1, &end, 10);
    if (end == at + length + 1 || value < 1 || value > 1 << 30 || (*end && *end != ',')) return refuse_constant(at);
    int in_text;
    size_t *member = member_of(out, name, &in_text);
    if (member) *member = (size_t)value;
    if (in_text) {
      memcpy(out->names[out->n], name, sizeof name);
      out->values[out->n++] = (double)value;
      out->changes_text = 1;
    }
    at = *end ? end + 1 : end;
  }
  return MOHO_OK;
}

/* ---- cuts ---- */

static moho_status check_power_of_two(const char *name, size_t value, size_t largest) {
  if (value <= largest && (value & (value - 1)) == 0) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "constants"}, "choose a power of two up to what is expected", MOHO_ERROR_ARGUMENT,
                      "constants: %s=%zu, expected a power of two up to %zu", name, value, largest);
}

/* What kernels/migrate_tile_shape.h is written for. */
static moho_status check_tile_constants(const moho_device_constants *c) {
  MOHO_TRY(check_power_of_two("COLUMNS", c->columns, 16));
  MOHO_TRY(check_power_of_two("CHUNKS", c->chunks, 4));
  return check_power_of_two("TOGETHER", c->together, 8);
}

/* Tiles as square as the kernel's number of columns allows; along a line all of them in a row. */
static moho_status cut_tiles(moho_device_plan *p, const moho_kernel_version *version, const moho_window *window) {
  moho_device_constants *c = &p->constants;
  int is_line = window->n_inline == 1 || window->n_crossline == 1;
  if (!c->columns) c->columns = MOHO_DEFAULT_COLUMNS;
  if (!c->chunks) c->chunks = MOHO_DEFAULT_CHUNKS;
  if (!c->together) c->together = MOHO_DEFAULT_TOGETHER;
  if (!c->columns_x) c->columns_x = c->columns >= 4 ? 4 : c->columns;
  if (version->plan.is_tiled) MOHO_TRY(check_tile_constants(c));
  p->tile = version->plan.is_tiled ? c->columns : 1;
  if (version->plan.is_tiled && c->columns % c->columns_x)
    return moho_fail_at((moho_place){.key = "constants"}, "choose COLUMNS_X so that it divides COLUMNS", MOHO_ERROR_ARGUMENT,
                        "constants: COLUMNS=%zu is not a multiple of COLUMNS_X=%zu", c->columns, c->columns_x);
  p->tile_along = p->tile == 1 ? 1 : is_line ? (window->n_inline == 1 ? p->tile : 1) : c->columns_x;
  p->tile_across = p->tile / p->tile_along;
  p->tiles_along = moho_pieces(window->n_crossline, p->tile_along);
  p->tiles_across = moho_pieces(window->n_inline, p->tile_across);
  p->entries = p->tiles_along * p->tiles_across * p->tile;
  return MOHO_OK;
}

void moho_device_order(const moho_device_plan *p, const moho_window *window, uint32_t *flat) {
  for (size_t e = 0; e < p->entries; e++) {
    size_t tile = e / p->tile, in_tile = e % p->tile;
    size_t i = tile / p->tiles_along * p->tile_across + in_tile / p->tile_along;
    size_t j = tile % p->tiles_along * p->tile_along + in_tile % p->tile_along;
    flat[e] = i < window->n_inline && j < window->n_crossline ? (uint32_t)(i * window->n_crossline + j) : MOHO_PADDING;
  }
}

static void cut_slabs(moho_device_plan *p, const moho_device_report *report, int is_uniform) {
  size_t samples = p->constants.slab_samples ? p->constants.slab_samples : ((size_t)1 << 31) - 1;
  size_t largest = report->largest_buffer ? report->largest_buffer : SIZE_MAX;
  if (p->has_angles) samples /= p->bins; /* an index reaches all bins */
  samples = moho_smaller(samples, largest / sizeof(float) / p->bins);
  size_t entries = moho_smaller(((size_t)1 << 31) - 1, largest / sizeof(migrate_slowness));
  if (!is_uniform) samples = moho_smaller(samples, entries / p->table_entries);
  size_t tiles = samples / p->image_stride / p->tile;
  p->slab_entries = (tiles ? tiles : 1) * p->tile;
}

static void cut_launches(moho_device_plan *p, const moho_device_report *report) {
  p->launch_seconds = report->launch_seconds > 0 ? report->launch_seconds : 1;
  p->launch_traces = p->launch_seconds < 0.5 ? SHORT_LAUNCH_TRACES : LARGEST_BATCH;
  if (p->packed_bytes) p->launch_traces = moho_smaller(p->launch_traces, LAUNCH_BYTES / p->packed_bytes);
  p->launch_traces = moho_round_up(p->launch_traces, LANES_A_STEP);
  if (p->constants.launch_traces) p->launch_traces = moho_round_up(p->constants.launch_traces, LANES_A_STEP);
  p->launch_columns = LARGEST_GRID * p->tile;
  if (p->constants.launch_columns) p->launch_columns = moho_round_up(p->constants.launch_columns, p->tile);
}

/* A piece takes traces, or at least a row of the image and its fold. */
static void cut_pieces(moho_device_plan *p, size_t columns, size_t n_traces) {
  size_t row = p->row_floats * sizeof(float), image_row = 2 * p->bins * p->image_stride * sizeof(float);
  if (p->is_unified || p->is_adjoint) return;
  if (p->is_kept) {
    p->piece_traces = moho_smaller(MOHO_PIECE_BYTES / (row + sizeof(migrate_trace)), n_traces);
    if (p->constants.piece_traces) p->piece_traces = moho_smaller(p->piece_traces, p->constants.piece_traces);
    if (!p->piece_traces) p->piece_traces = 1;
    p->piece_traces_offset = moho_round_up(p->piece_traces * row, 256);
    p->piece_bytes = p->piece_traces_offset + p->piece_traces * sizeof(migrate_trace);
  } else {
    p->piece_bytes = moho_smaller(MOHO_PIECE_BYTES, columns * image_row);
  }
  if (p->piece_bytes < image_row) p->piece_bytes = image_row;
}

/* ---- memory ---- */

/* Of one trace: on the device, and prepared on the host. Where memory is shared they are the same. */
static size_t trace_device_bytes(const moho_device_plan *p) {
  if (p->is_adjoint) return 2 * p->row_floats * sizeof(uint32_t) + sizeof(migrate_trace) + 2 * sizeof(uint32_t);
  size_t row = p->row_floats * sizeof(float) + (p->trace_bins > 1 ? 2 : 1) * sizeof(migrate_trace) + sizeof(uint32_t);
  return p->slots * row + p->packed_bytes;
}

static size_t trace_host_bytes(const moho_device_plan *p) {
  size_t row = p->row_floats * sizeof(float) + sizeof(migrate_trace);
  if (p->is_adjoint) return trace_device_bytes(p) + p->row_floats * sizeof(double);
  size_t sorted = p->trace_bins > 1 ? sizeof(int32_t) + (p->is_unified ? 0 : sizeof(migrate_trace)) : 0;
  return p->slots * (1 + (p->is_kept ? 0 : row) + sorted) + sizeof(uint32_t);
}

/* What does not grow with the batch. */
static size_t fixed_device_bytes(const moho_device_plan *p, size_t columns, int is_uniform) {
  size_t tables = p->n_time * ((is_uniform ? 1 : columns) * p->table_entries * sizeof(migrate_slowness) + sizeof(migrate_sample));
  size_t gaps = p->trace_bins > 1 ? p->slots * p->trace_bins * MOHO_SORTED_STEP * (sizeof(migrate_trace) + sizeof(uint32_t)) : 0;
  if (p->has_angles) tables += p->n_time * (is_uniform ? 1 : columns) * sizeof(migrate_split);
  tables += columns * p->mask_stride * sizeof(uint32_t);
  size_t ranges = moho_pieces(p->n_time, 32 * p->constants.chunks) * RECORD_WORDS * sizeof(float);
  size_t fold = p->is_adjoint ? 0 : sizeof(int32_t);
  if (p->is_adjoint) tables += (is_uniform ? 1 : columns) * ranges;
  return columns * p->bins * p->image_stride * (sizeof(float) + fold) + gaps + tables + p->entries * sizeof(migrate_column) +
         sizeof(float[MOHO_SINC_ROWS][MOHO_SINC_TAPS]);
}

static size_t fixed_host_bytes(const moho_migration_setup *s, const moho_migration_size_query *q) {
  const moho_device_plan *p = &s->device;
  size_t worker = moho_trace_workspace_bytes(q->options, q->n_samples, s->k_max) + moho_column_table_bytes(&s->law) +
                  p->n_time * (2 * sizeof(double) + sizeof(int32_t));
  size_t row = p->n_time * p->table_entries * sizeof(migrate_slowness);
  size_t tables = p->is_kept ? moho_smaller(MOHO_TABLE_CHUNK_BYTES, s->columns * row) : s->columns * row;
  return (size_t)s->threads * worker + MOHO_DEVICE_PIECES * p->piece_bytes +
         p->entries * (sizeof(uint32_t) + sizeof(migrate_column)) + s->columns * sizeof(uint32_t) +
         (s->is_uniform ? row : tables);
}

/* Traces a batch: as many as are wanted, and as memory, indices and the largest buffer allow. */
static size_t choose_capacity(const moho_migration_setup *s, const moho_migration_size_query *q, size_t fixed_device,
                              size_t fixed_host) {
  const moho_device_plan *p = &s->device;
  size_t row = p->row_floats * sizeof(float), on_device = trace_device_bytes(p), on_host = trace_host_bytes(p);
  size_t wanted = p->constants.batch_traces ? p->constants.batch_traces : BATCH_BYTES / row;
  wanted = moho_smaller(moho_smaller(wanted, LARGEST_BATCH), q->geometry->n);
  size_t largest = q->report->largest_buffer ? q->report->largest_buffer : SIZE_MAX;
  wanted = moho_smaller(wanted, moho_smaller(LARGEST_INDEX / p->row_floats, largest / (2 * row)));
  if (p->is_unified) on_host += on_device, fixed_host += fixed_device;
  else wanted = moho_smaller(wanted, s->device_allowed > fixed_device ? (s->device_allowed - fixed_device) / on_device : 0);
  wanted = moho_smaller(wanted, s->allowed > fixed_host ? (s->allowed - fixed_host) / on_host : 0);
  size_t least = moho_smaller(SMALLEST_BATCH, LARGEST_INDEX / p->row_floats);
  if (p->constants.batch_traces) least = moho_smaller(least, p->constants.batch_traces);
  return wanted > least ? wanted : least;
}

static int begins_at_zero(const moho_geometry *geometry) {
  for (size_t i = 0; i < geometry->n; i++)
    if (geometry->first_sample_s[i] != 0 && moho_geometry_is_live(geometry, i)) return 0;
  return 1;
}

moho_status moho_device_plan_size(moho_migration_setup *s, const moho_migration_size_query *q) {
  moho_device_plan *p = &s->device;
  const moho_kernel_version *version = s->choice.candidates[0];
  *p = (moho_device_plan){.is_unified = q->report->unified_memory,
                          .is_adjoint = s->is_adjoint,
                          .is_kept = version->plan.is_kept,
                          .begins_at_zero = begins_at_zero(q->geometry),
                          .slots = version->plan.is_kept ? MOHO_DEVICE_SLOTS : 1,
                          .bins = s->bins,
                          .has_angles = q->options->gathers && q->options->gathers->kind == MOHO_GATHERS_ANGLE,
                          .has_mask = q->options->mask != NULL,
                          .n_time = q->grid->n_time,
                          .table_entries = moho_device_law_entries(&s->law),
                          .image_stride = moho_time_axis_stride(q->grid->n_time)};
  p->trace_bins = p->has_angles ? 1 : p->bins;
  if (p->has_mask) p->mask_stride = moho_round_up(moho_pieces(p->n_time, 32), 4);
  MOHO_TRY(moho_device_constants_parse(q->options->constants, &p->constants));
  MOHO_TRY(cut_tiles(p, version, q->window));
  cut_slabs(p, q->report, s->is_uniform);
  p->row_floats = moho_prepared_layout_make(q->options, q->n_samples, 1, s->k_max).stride;
  p->is_packed = !p->is_adjoint && (version->plan.is_packed || q->options->storage == MOHO_STORAGE_HALF);
  if (p->is_packed) p->packed_bytes = p->row_floats * (q->options->storage == MOHO_STORAGE_HALF ? 4 : 8);
  cut_launches(p, q->report);
  cut_pieces(p, s->columns, q->geometry->n);
  size_t fixed_device = fixed_device_bytes(p, s->columns, s->is_uniform), fixed_host = fixed_host_bytes(s, q);
  s->capacity = choose_capacity(s, q, fixed_device, fixed_host);
  p->traces_offset = moho_round_up(s->capacity * p->row_floats * sizeof(float), 256);
  p->sorted_traces = s->capacity + (p->trace_bins > 1 ? p->trace_bins * MOHO_SORTED_STEP : 0);
  p->sorted_offset = p->traces_offset + (p->trace_bins > 1 ? moho_round_up(s->capacity * sizeof(migrate_trace), 256) : 0);
  s->device_bytes = fixed_device + s->capacity * trace_device_bytes(p);
  s->bytes = fixed_host + s->capacity * trace_host_bytes(p);
  s->batch_trace_bytes = trace_host_bytes(p), s->batch_trace_device_bytes = trace_device_bytes(p);
  if (!p->is_unified) return MOHO_OK;
  s->bytes += s->device_bytes, s->device_bytes = 0;
  s->batch_trace_bytes += s->batch_trace_device_bytes, s->batch_trace_device_bytes = 0;
  return MOHO_OK;
}
