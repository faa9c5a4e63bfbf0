/* device_batch.c - one batch of prepared traces through the device: packed, launched in parts that last their time, counted. */
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/timer.h"
#include "migrate/device_kernels.h"
#include "migrate/device_run.h"

/* Launches grow by at most so much from one to the next: the survey's middle has more work a column than its edge. */
enum { GROWTH = 4 };
/* Groups of a persistent launch: as many as any device holds at once; the rest find the queue empty. */
enum { GROUPS_PER_MULTIPROCESSOR = 8, MULTIPROCESSORS_UNKNOWN = 32 };
enum { PACK_LANES = 256, SIMD_LANES = 32 };

/* ---- launches ---- */

static moho_status plain_lanes(const moho_kernel *kernel, uint32_t *lanes) {
  moho_kernel_report report;
  MOHO_TRY(moho_kernel_describe(kernel, &report));
  *lanes = report.max_lanes < 256 ? (uint32_t)report.max_lanes : 256;
  return MOHO_OK;
}

/* groups, lanes, group memory and what the parameters say of them, by the kernel's plan. */
static moho_status shape_launch(const moho_device_run *r, const moho_kernel_version *version, size_t n_entries,
                                moho_launch *launch, migrate_device_parameters *parameters) {
  const moho_device_constants *c = &r->plan.constants;
  if (!version->plan.is_tiled) {
    MOHO_TRY(plain_lanes(launch->kernel, &launch->lanes));
    launch->groups[0] = (uint32_t)moho_pieces(r->plan.n_time, launch->lanes), launch->groups[1] = (uint32_t)n_entries;
    return MOHO_OK;
  }
  launch->lanes = (uint32_t)(SIMD_LANES * c->columns);
  launch->group_memory = moho_tile_group_bytes(c->columns, c->chunks, c->together, r->plan.has_angles);
  uint32_t ranges = (uint32_t)moho_pieces(r->plan.n_time, SIMD_LANES * c->chunks), tiles = (uint32_t)(n_entries / r->plan.tile);
  launch->groups[0] = ranges, launch->groups[1] = tiles;
  if (!version->plan.is_persistent) return MOHO_OK;
  size_t multiprocessors = r->m->report.multiprocessors > 0 ? (size_t)r->m->report.multiprocessors : MULTIPROCESSORS_UNKNOWN;
  parameters->n_items = ranges * tiles;
  launch->groups[0] =
      (uint32_t)moho_smaller(parameters->n_items, multiprocessors * (c->groups ? c->groups : GROUPS_PER_MULTIPROCESSOR));
  launch->groups[1] = 1;
  return moho_queue_fill(r->queue, r->work, 0, moho_buffer_bytes(r->work), 0);
}

/* Of what the options do not ask for, anything that is there. */
static moho_binding first_of(moho_buffer *wanted, moho_buffer *else_this, const moho_device_run *r) {
  return (moho_binding){wanted ? wanted : else_this ? else_this : r->constant.sinc, 0};
}

moho_status moho_device_record_launch(moho_device_run *r, int candidate, const moho_device_part *part) {
  const moho_device_slot *slot = part->slot;
  const moho_device_slab none = {0}, *slab = part->slab ? part->slab : &none;
  const moho_kernel_version *version = r->choice.candidates[candidate];
  moho_binding buffers[] = {{r->packed ? r->packed : slot->data, 0},
                            {slot->data, r->plan.sorted_offset + part->first_trace * sizeof(migrate_trace)},
                            {r->constant.axis, 0},
                            {part->table, part->table_offset},
                            {part->columns, 0},
                            {r->constant.sinc, 0},
                            {part->image, part->image_offset},
                            {part->fold, part->image_offset},
                            {slot->used, part->first_trace * sizeof(uint32_t)},
                            {r->work, 0},
                            first_of(r->constant.limits, NULL, r),
                            first_of(slab->v_dt, r->constant.v_dt, r),
                            first_of(slab->mask, NULL, r)};
  size_t n_buffers = sizeof buffers / sizeof *buffers;
  migrate_device_parameters parameters = r->parameters;
  parameters.n_traces = (unsigned)part->n_traces;
  parameters.n_columns = (unsigned)part->n_entries;
  parameters.first_column = (unsigned)part->first_entry;
  parameters.bin_stride = (unsigned)(slab->n_rows * r->plan.image_stride);
  moho_launch launch = {.kernel = r->kernels[candidate],
                        .buffers = buffers,
                        .n_buffers = version->plan.is_tiled ? n_buffers : n_buffers - 3,
                        .parameters = &parameters,
                        .parameter_bytes = sizeof parameters};
  MOHO_TRY(shape_launch(r, version, part->n_entries, &launch, &parameters));
  return moho_queue_launch(r->queue, &launch);
}

static moho_status record_packing(moho_device_run *r, const moho_device_slot *slot) {
  moho_binding buffers[] = {{slot->data, 0}, {slot->data, r->plan.traces_offset}, {r->packed, 0}};
  migrate_pack_parameters parameters = {.n_rows = (unsigned)slot->n,
                                        .row_stride = (unsigned)r->plan.row_floats,
                                        .x0 = (unsigned)r->m->layout.x0,
                                        .storage = r->parameters.storage,
                                        .n_traces = (unsigned)slot->n};
  return moho_queue_launch(r->queue,
                           &(moho_launch){.kernel = r->pack,
                                          .buffers = buffers,
                                          .n_buffers = 3,
                                          .parameters = &parameters,
                                          .parameter_bytes = sizeof parameters,
                                          .groups = {(uint32_t)moho_pieces(r->plan.row_floats, PACK_LANES), (uint32_t)slot->n},
                                          .lanes = PACK_LANES});
}

/* ---- in flight ---- */

/* The batch was the right one: every upload went well. They were done before the launches began. */
static moho_status uploads_of(const moho_device_run *r, const moho_device_slot *slot) {
  for (moho_ticket ticket = slot->first_upload; ticket && ticket <= slot->uploaded; ticket++)
    MOHO_TRY(moho_queue_wait(r->upload, ticket, -1));
  return MOHO_OK;
}

moho_status moho_device_retire(moho_device_run *r) {
  moho_device_flight flight = r->flights[0];
  memmove(r->flights, r->flights + 1, (size_t)--r->n_flights * sizeof *r->flights);
  moho_status status = moho_queue_wait(r->queue, flight.ticket, -1);
  double now = moho_seconds(), seconds = now - (flight.submitted > r->last_done ? flight.submitted : r->last_done);
  r->last_done = now;
  MOHO_TRY(status);
  if (flight.work > 0 && seconds > 0) r->rate = flight.work / seconds;
  moho_device_advance(r, &(moho_device_progress){.launches = flight.work > 0, .share = flight.share});
  if (flight.slot) {
    MOHO_TRY(uploads_of(r, flight.slot));
    if (flight.slot->used)
      MOHO_TRY(moho_buffer_read(flight.slot->used, 0, r->used_host, flight.slot->n_sorted * sizeof(uint32_t)));
    moho_device_slot_done(r, flight.slot);
  }
  return MOHO_OK;
}

/* Hand over what was recorded, keeping the device at most MOHO_DEVICE_AHEAD submissions behind. */
static moho_status submit(moho_device_run *r, moho_device_flight flight) {
  while (r->n_flights >= MOHO_DEVICE_AHEAD) MOHO_TRY(moho_device_retire(r));
  flight.submitted = moho_seconds();
  MOHO_TRY(moho_queue_submit(r->queue, &flight.ticket));
  r->flights[r->n_flights++] = flight;
  return MOHO_OK;
}

/* Columns of the next launch: as many as the last one's rate does in half the time that a launch should last. */
static size_t next_columns(const moho_device_run *r, size_t n_traces) {
  size_t tile = r->plan.tile, columns, groups = moho_pieces(r->plan.n_time, 256);
  size_t multiprocessors = r->m->report.multiprocessors > 0 ? (size_t)r->m->report.multiprocessors : MULTIPROCESSORS_UNKNOWN;
  if (r->rate > 0) {
    double wanted = 0.5 * r->plan.launch_seconds * r->rate / (double)n_traces, most = (double)(GROWTH * r->last_columns);
    columns = (size_t)(wanted < most ? wanted : most);
  } else {
    columns = multiprocessors / groups * tile;
  }
  columns = moho_smaller(columns / tile * tile, r->plan.launch_columns);
  return columns > tile ? columns : tile;
}

/* With a mask, so many that they have as many ranges with work as `columns` without one; *share: of the ranges of those columns.
 */
static size_t columns_with_work(const moho_device_run *r, size_t first, size_t end, size_t columns, double *share) {
  size_t tile = r->plan.tile, ranges = moho_pieces(r->plan.n_time, SIMD_LANES * r->plan.constants.chunks);
  size_t wanted = columns / tile * ranges, t = first / tile;
  const size_t *live = r->live_ranges;
  size_t last = moho_smaller(end / tile, t + r->plan.launch_columns / tile), n = 1;
  while (t + n < last && live[t + n + 1] - live[t] <= wanted) n++;
  *share = (double)(live[t + n] - live[t]) / (double)(n * ranges);
  return n * tile;
}

/* One part of a batch's traces into all columns of a slab. */
static moho_status launch_slab(moho_device_run *r, moho_device_part *part, const moho_device_slab *slab, moho_device_slot *last) {
  size_t end = slab->first_entry + slab->n_entries;
  for (size_t first = slab->first_entry; first < end && !moho_device_is_stopped(r); first += part->n_entries) {
    double live = 1;
    part->first_entry = first;
    part->n_entries = r->last_columns = moho_smaller(next_columns(r, part->n_traces), end - first);
    if (r->live_ranges) part->n_entries = columns_with_work(r, first, end, part->n_entries, &live);
    MOHO_TRY(moho_device_record_launch(r, r->chosen, part));
    double work = (double)part->n_entries * (double)part->n_traces;
    MOHO_TRY(submit(r, (moho_device_flight){.work = work * live,
                                            .share = work / (double)r->plan.entries,
                                            .slot = first + part->n_entries >= end ? last : NULL}));
  }
  return MOHO_OK;
}

/* Traces [first, end) of a slot into all columns of a slab; with the last launch `last` (may be NULL) is done. */
static moho_status launch_traces(moho_device_run *r, moho_device_part *part, const moho_device_slab *slab, size_t first,
                                 size_t end, moho_device_slot *last) {
  for (part->first_trace = first; part->first_trace < end; part->first_trace += part->n_traces) {
    part->n_traces = moho_smaller(end - part->first_trace, r->plan.launch_traces);
    MOHO_TRY(launch_slab(r, part, slab, part->first_trace + part->n_traces == end ? last : NULL));
  }
  return MOHO_OK;
}

/* Traces ascend within each column and bin, so the sums' order does not depend on the parts. */
static moho_status launch_parts(moho_device_run *r, moho_device_slot *slot) {
  size_t last_bin = r->plan.trace_bins - 1;
  while (slot->first_of_bin && last_bin && slot->first_of_bin[last_bin] == slot->end_of_bin[last_bin]) last_bin--;
  for (size_t s = 0; s < r->n_slabs; s++) {
    const moho_device_slab *slab = &r->slabs[s];
    moho_device_part part = {.slot = slot,
                             .columns = r->constant.columns,
                             .image = slab->image,
                             .fold = slab->fold,
                             .table = slab->table ? slab->table : r->constant.table,
                             .slab = slab};
    for (size_t bin = 0; bin < r->plan.trace_bins; bin++) {
      size_t first = slot->first_of_bin ? slot->first_of_bin[bin] : 0;
      size_t end = slot->first_of_bin ? slot->end_of_bin[bin] : slot->n;
      part.image_offset = bin * slab->n_rows * r->plan.image_stride * sizeof(float);
      MOHO_TRY(launch_traces(r, &part, slab, first, end, s + 1 == r->n_slabs && bin == last_bin ? slot : NULL));
    }
  }
  return MOHO_OK;
}

/* ---- a batch ---- */

static moho_status run_resident(moho_device_run *r, moho_device_slot *slot) {
  if (slot->uploaded) MOHO_TRY(moho_queue_after(r->queue, r->upload, slot->uploaded));
  MOHO_TRY(moho_queue_fill(r->queue, slot->used, 0, slot->n_sorted * sizeof(uint32_t), 0));
  if (r->packed) MOHO_TRY(record_packing(r, slot));
  if (!r->settled) MOHO_TRY(moho_device_try_candidates(r, slot));
  r->settled = 1;
  return launch_parts(r, slot);
}

/* Allocate, upload, launch, wait, free: nothing but the sums stays. */
static moho_status run_alone(moho_device_run *r, moho_device_slot *slot) {
  static const char hint[] = "a batch does not fit: use a smaller grid, or fewer traces a batch";
  if (slot->bins) moho_device_sort_traces(r, slot, slot->traces, slot->places);
  size_t bytes = r->plan.sorted_offset + slot->n_sorted * sizeof(migrate_trace);
  MOHO_TRY(moho_device_buffer(r, bytes, MOHO_MEMORY_DEVICE, hint, &slot->data));
  MOHO_TRY(moho_device_buffer(r, slot->n_sorted * sizeof(uint32_t), MOHO_MEMORY_DEVICE, hint, &slot->used));
  MOHO_TRY(moho_device_load_constants(r));
  double begin = moho_seconds();
  MOHO_TRY(moho_buffer_write(slot->data, 0, slot->rows, slot->n * r->plan.row_floats * sizeof(float)));
  MOHO_TRY(moho_buffer_write(slot->data, r->plan.traces_offset, slot->traces, slot->n * sizeof(migrate_trace)));
  if (slot->bins)
    MOHO_TRY(moho_buffer_write(slot->data, r->plan.sorted_offset, slot->places, slot->n_sorted * sizeof(migrate_trace)));
  moho_device_advance(r, &(moho_device_progress){.transfer_seconds = moho_seconds() - begin});
  MOHO_TRY(run_resident(r, slot));
  while (r->n_flights) MOHO_TRY(moho_device_retire(r));
  moho_device_drop_constants(r);
  MOHO_TRY(moho_buffer_destroy(&slot->data));
  return moho_buffer_destroy(&slot->used);
}

moho_status moho_device_run_batch(moho_device_run *r, moho_device_slot *slot) {
  return r->plan.is_kept ? run_resident(r, slot) : run_alone(r, slot);
}
