/* device_memory.c - what a run on a device allocates: sums, tables, slots for batches. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/device_kernels.h"
#include "migrate/device_run.h"
#include "migrate/sinc_table.h"

moho_status moho_device_buffer(moho_device_run *r, size_t bytes, moho_memory memory, const char *what, moho_buffer **out) {
  double begin = moho_seconds();
  moho_status status = moho_buffer_create(r->m->device, bytes, memory, out);
  moho_device_advance(r, &(moho_device_progress){.allocation_seconds = moho_seconds() - begin});
  if (status) moho_fail_add_place((moho_place){.key = "grid"}, what);
  return status;
}

/* Where memory is shared, host memory serves the device as well. */
static moho_memory shared_memory(const moho_device_run *r) {
  return r->plan.is_unified ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE;
}

/* ---- columns, slabs ---- */

static moho_status place_columns(moho_device_run *r) {
  const moho_device_plan *p = &r->plan;
  uint32_t *order;
  MOHO_TRY(moho_allocate(p->entries, sizeof *order, "order of columns", &order));
  moho_device_order(p, &r->m->window, order);
  size_t row = 0;
  for (size_t s = 0; s < r->n_slabs; s++) {
    moho_device_slab *slab = &r->slabs[s];
    size_t left = p->entries - s * p->slab_entries;
    slab->first_entry = s * p->slab_entries;
    slab->n_entries = left < p->slab_entries ? left : p->slab_entries;
    slab->first_row = row;
    for (size_t e = slab->first_entry; e < slab->first_entry + slab->n_entries; e++) {
      if (order[e] == MOHO_PADDING) { /* lies where a neighbour lies, so that it widens no tile */
        r->columns[e] = r->columns[e > slab->first_entry ? e - 1 : e];
        r->columns[e].row = MOHO_PADDING;
        continue;
      }
      r->columns[e] = moho_device_column(&r->m->grid, &r->m->window, order[e], (uint32_t)(row - slab->first_row));
      r->flat[row++] = order[e];
    }
    slab->n_rows = row - slab->first_row;
  }
  free(order);
  return MOHO_OK;
}

static moho_status allocate_slabs(moho_device_run *r) {
  for (size_t s = 0; s < r->n_slabs; s++) {
    moho_device_slab *slab = &r->slabs[s];
    size_t bytes = r->plan.bins * slab->n_rows * r->plan.image_stride * sizeof(float);
    MOHO_TRY(moho_device_buffer(r, bytes, shared_memory(r), "the image does not fit: use a smaller grid", &slab->image));
    MOHO_TRY(moho_buffer_fill(slab->image, 0, bytes, 0));
    if (r->plan.is_adjoint) continue;
    MOHO_TRY(moho_device_buffer(r, bytes, shared_memory(r), "the fold does not fit: use a smaller grid", &slab->fold));
    MOHO_TRY(moho_buffer_fill(slab->fold, 0, bytes, 0));
  }
  return MOHO_OK;
}

/* ---- constant data ---- */

static moho_status upload(moho_device_run *r, const void *from, size_t bytes, moho_buffer **out) {
  MOHO_TRY(moho_device_buffer(r, bytes, MOHO_MEMORY_DEVICE, "the tables do not fit: use a smaller grid", out));
  return moho_buffer_write(*out, 0, from, bytes);
}

static moho_status load_axis(moho_device_run *r) {
  size_t samples = r->plan.n_time, nodes = moho_device_law_nodes(&r->m->law);
  size_t bytes = samples * sizeof(migrate_sample) + nodes * sizeof(migrate_node);
  migrate_sample *axis;
  MOHO_TRY(moho_allocate(1, bytes, "time axis", &axis));
  moho_device_fill_axis(r->m, axis, (migrate_node *)(axis + samples));
  moho_status status = upload(r, axis, bytes, &r->constant.axis);
  free(axis);
  return status;
}

static moho_status load_sinc(moho_device_run *r) {
  float(*sinc)[MOHO_SINC_TAPS];
  MOHO_TRY(moho_allocate(MOHO_SINC_ROWS, sizeof *sinc, "sinc table", &sinc));
  moho_sinc_table_float(sinc);
  moho_status status = upload(r, sinc, MOHO_SINC_ROWS * sizeof *sinc, &r->constant.sinc);
  free(sinc);
  return status;
}

/* A slab's tables, made in pieces of `chunk` columns unless the host keeps them. */
static moho_status load_slab_table(moho_device_run *r, moho_device_slab *slab, migrate_slowness *chunk, size_t chunk_rows) {
  size_t row = r->plan.n_time * r->plan.table_entries, row_bytes = row * sizeof(migrate_slowness);
  MOHO_TRY(moho_device_buffer(r, slab->n_rows * row_bytes, MOHO_MEMORY_DEVICE, "the tables do not fit: use a smaller grid",
                              &slab->table));
  if (r->table) return moho_buffer_write(slab->table, 0, r->table + slab->first_row * row, slab->n_rows * row_bytes);
  for (size_t first = 0; first < slab->n_rows; first += chunk_rows) {
    size_t n = slab->n_rows - first < chunk_rows ? slab->n_rows - first : chunk_rows;
    MOHO_TRY(moho_device_fill_slowness(r->m, r->flat + slab->first_row + first, n, chunk));
    MOHO_TRY(moho_buffer_write(slab->table, first * row_bytes, chunk, n * row_bytes));
  }
  return MOHO_OK;
}

static moho_status load_tables(moho_device_run *r) {
  size_t row = r->plan.n_time * r->plan.table_entries, row_bytes = row * sizeof(migrate_slowness);
  if (r->is_uniform) return upload(r, r->table, row_bytes, &r->constant.table);
  migrate_slowness *chunk = NULL;
  size_t chunk_rows = MOHO_TABLE_CHUNK_BYTES / row_bytes + 1;
  if (chunk_rows > r->m->n_columns) chunk_rows = r->m->n_columns;
  if (!r->table) MOHO_TRY(moho_allocate(chunk_rows * row, sizeof *chunk, "column tables", &chunk));
  moho_status status = MOHO_OK;
  for (size_t s = 0; !status && s < r->n_slabs; s++) status = load_slab_table(r, &r->slabs[s], chunk, chunk_rows);
  free(chunk);
  return status;
}

moho_status moho_device_load_constants(moho_device_run *r) {
  MOHO_TRY(load_axis(r));
  MOHO_TRY(load_sinc(r));
  MOHO_TRY(upload(r, r->columns, r->plan.entries * sizeof *r->columns, &r->constant.columns));
  MOHO_TRY(load_tables(r));
  return moho_device_load_samples(r);
}

void moho_device_drop_constants(moho_device_run *r) {
  moho_buffer_destroy(&r->constant.axis), moho_buffer_destroy(&r->constant.sinc);
  moho_buffer_destroy(&r->constant.columns), moho_buffer_destroy(&r->constant.table);
  for (size_t s = 0; s < r->n_slabs; s++) moho_buffer_destroy(&r->slabs[s].table);
  moho_device_drop_samples(r);
}

/* The host's copy of the tables: of one column where they are all alike; of all where every batch uploads them. */
static moho_status make_tables(moho_device_run *r) {
  size_t columns = r->is_uniform ? 1 : r->plan.is_kept ? 0 : r->m->n_columns;
  if (!columns) return MOHO_OK;
  MOHO_TRY(moho_allocate(columns * r->plan.n_time * r->plan.table_entries, sizeof *r->table, "column tables", &r->table));
  return moho_device_fill_slowness(r->m, r->flat, columns, r->table);
}

/* ---- slots ---- */

static moho_status allocate_slot(moho_device_run *r, moho_device_slot *slot) {
  size_t capacity = r->m->capacity, bytes = r->plan.sorted_offset + r->plan.sorted_traces * sizeof(migrate_trace);
  static const char hint[] = "a batch does not fit: use a smaller grid, or fewer traces a batch";
  MOHO_TRY(moho_allocate(capacity, 1, "prepared traces", &slot->live));
  if (r->plan.trace_bins > 1) {
    MOHO_TRY(moho_allocate(capacity, sizeof *slot->bins, "bins of traces", &slot->bins));
    MOHO_TRY(moho_allocate(r->plan.trace_bins, sizeof *slot->first_of_bin, "bins of traces", &slot->first_of_bin));
    MOHO_TRY(moho_allocate(r->plan.trace_bins, sizeof *slot->end_of_bin, "bins of traces", &slot->end_of_bin));
    if (!r->plan.is_kept || !r->plan.is_unified)
      MOHO_TRY(moho_allocate(r->plan.sorted_traces, sizeof *slot->places, "traces by bin", &slot->places));
  }
  if (!r->plan.is_kept) { /* the host's side only */
    MOHO_TRY(moho_allocate(capacity * r->plan.row_floats, sizeof(float), "prepared traces", &slot->rows));
    return moho_allocate(capacity, sizeof(migrate_trace), "prepared traces", &slot->traces);
  }
  MOHO_TRY(moho_device_buffer(r, bytes, shared_memory(r), hint, &slot->data));
  return moho_device_buffer(r, r->plan.sorted_traces * sizeof(uint32_t), MOHO_MEMORY_DEVICE, hint, &slot->used);
}

moho_status moho_device_allocate_pieces(moho_device_run *r) {
  static const char hint[] = "there is no memory left that the host shares with the device: use a smaller grid";
  for (int i = 0; i < MOHO_DEVICE_PIECES; i++)
    if (!r->pieces[i].buffer) MOHO_TRY(moho_device_buffer(r, r->plan.piece_bytes, MOHO_MEMORY_HOST, hint, &r->pieces[i].buffer));
  return MOHO_OK;
}

/* ---- all ---- */

static moho_status allocate_batches(moho_device_run *r) {
  static const char hint[] = "a batch does not fit: use a smaller grid, or fewer traces a batch";
  MOHO_TRY(moho_allocate(r->plan.sorted_traces, sizeof *r->used_host, "prepared traces", &r->used_host));
  for (size_t i = 0; i < r->plan.slots; i++) MOHO_TRY(allocate_slot(r, &r->slots[i]));
  if (r->plan.is_kept && !r->plan.is_unified) MOHO_TRY(moho_device_allocate_pieces(r));
  if (r->plan.is_packed)
    MOHO_TRY(moho_device_buffer(r, r->m->capacity * r->plan.packed_bytes, MOHO_MEMORY_DEVICE, hint, &r->packed));
  return moho_device_buffer(r, 256, MOHO_MEMORY_DEVICE, hint, &r->work);
}

moho_status moho_device_allocate(moho_device_run *r) {
  moho_migration *m = r->m;
  r->n_slabs = (r->plan.entries + r->plan.slab_entries - 1) / r->plan.slab_entries;
  MOHO_TRY(moho_allocate(r->n_slabs, sizeof *r->slabs, "slabs", &r->slabs));
  MOHO_TRY(moho_allocate(r->plan.entries, sizeof *r->columns, "image columns", &r->columns));
  MOHO_TRY(moho_allocate(m->n_columns, sizeof *r->flat, "image columns", &r->flat));
  MOHO_TRY(place_columns(r));
  MOHO_TRY(make_tables(r));
  MOHO_TRY(allocate_slabs(r));
  if (!r->plan.is_adjoint) MOHO_TRY(allocate_batches(r));
  return r->plan.is_kept ? moho_device_load_constants(r) : MOHO_OK;
}

static void release_slot(moho_device_run *r, moho_device_slot *slot) {
  if (!r->plan.is_kept) free(slot->rows), free(slot->traces);
  else if (slot->rows) moho_buffer_unmap(slot->data);
  free(slot->live), free(slot->bins), free(slot->places), free(slot->first_of_bin), free(slot->end_of_bin);
  moho_buffer_destroy(&slot->data), moho_buffer_destroy(&slot->used);
}

void moho_device_release(moho_device_run *r) {
  for (size_t i = 0; i < MOHO_DEVICE_SLOTS; i++) release_slot(r, &r->slots[i]);
  for (size_t i = 0; i < MOHO_DEVICE_PIECES; i++) {
    if (r->pieces[i].rows) moho_buffer_unmap(r->pieces[i].buffer);
    moho_buffer_destroy(&r->pieces[i].buffer);
  }
  if (r->slabs) moho_device_drop_constants(r);
  for (size_t s = 0; r->slabs && s < r->n_slabs; s++)
    moho_buffer_destroy(&r->slabs[s].image), moho_buffer_destroy(&r->slabs[s].fold);
  moho_buffer_destroy(&r->packed), moho_buffer_destroy(&r->work);
  for (int i = 0; i < MOHO_MOST_CANDIDATES; i++) moho_kernel_destroy(&r->kernels[i]);
  moho_kernel_destroy(&r->pack);
  free(r->slabs), free(r->columns), free(r->flat), free(r->table), free(r->used_host);
}
