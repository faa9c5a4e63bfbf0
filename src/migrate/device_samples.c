/* device_samples.c - what kernels are told of single samples: bins by opening angle, and which samples are computed at all. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/device_run.h"
#include "migrate/opening_angle.h"

/* Of a piece of the table of v_int dt that is made at once. */
enum { ROWS_AT_ONCE = 1024 };

/* ---- bins by opening angle ---- */

static moho_status upload(moho_device_run *r, const void *from, size_t bytes, moho_buffer **out) {
  MOHO_TRY(moho_device_buffer(r, bytes, MOHO_MEMORY_DEVICE, "the tables do not fit: use a smaller grid", out));
  return moho_buffer_write(*out, 0, from, bytes);
}

static moho_status load_limits(moho_device_run *r) {
  moho_opening_angles angles;
  migrate_split *limits = NULL;
  MOHO_TRY(moho_opening_angles_create(&r->m->bins, &angles));
  moho_status status = moho_allocate(angles.n + 1, sizeof *limits, "opening angles", &limits);
  for (size_t k = 0; !status && k <= angles.n; k++) moho_split(angles.limits[k], &limits[k].value, &limits[k].low);
  if (!status) status = upload(r, limits, (angles.n + 1) * sizeof *limits, &r->constant.limits);
  free(limits);
  moho_opening_angles_release(&angles);
  return status;
}

/* v_int dt of n columns, flat[i] the window's number: out [n, n_time]; scratch [n_time]. */
static moho_status fill_rows(const moho_device_run *r, const uint32_t *flat, size_t n, double *scratch, migrate_split *out) {
  const moho_migration *m = r->m;
  for (size_t c = 0; c < n; c++) {
    double x, y;
    moho_migration_node(m, flat[c], &x, &y);
    MOHO_TRY(moho_opening_velocity(&m->law, x, y, scratch));
    for (size_t i = 0; i < r->plan.n_time; i++)
      moho_split(scratch[i], &out[c * r->plan.n_time + i].value, &out[c * r->plan.n_time + i].low);
  }
  return MOHO_OK;
}

static moho_status load_slab_rows(moho_device_run *r, moho_device_slab *slab, double *scratch, migrate_split *rows) {
  size_t row_bytes = r->plan.n_time * sizeof *rows;
  MOHO_TRY(moho_device_buffer(r, slab->n_rows * row_bytes, MOHO_MEMORY_DEVICE, "the tables do not fit: use a smaller grid",
                              &slab->v_dt));
  for (size_t first = 0; first < slab->n_rows; first += ROWS_AT_ONCE) {
    size_t n = moho_smaller(slab->n_rows - first, ROWS_AT_ONCE);
    MOHO_TRY(fill_rows(r, r->flat + slab->first_row + first, n, scratch, rows));
    MOHO_TRY(moho_buffer_write(slab->v_dt, first * row_bytes, rows, n * row_bytes));
  }
  return MOHO_OK;
}

static moho_status load_angles(moho_device_run *r) {
  double *scratch = NULL;
  migrate_split *rows = NULL;
  size_t n = r->is_uniform ? 1 : moho_smaller(r->m->n_columns, ROWS_AT_ONCE);
  MOHO_TRY(load_limits(r));
  moho_status status = moho_allocate(r->plan.n_time, sizeof *scratch, "interval velocities", &scratch);
  if (!status) status = moho_allocate(n * r->plan.n_time, sizeof *rows, "interval velocities", &rows);
  if (!status && r->is_uniform) {
    status = fill_rows(r, r->flat, 1, scratch, rows);
    if (!status) status = upload(r, rows, r->plan.n_time * sizeof *rows, &r->constant.v_dt);
  }
  for (size_t s = 0; !status && !r->is_uniform && s < r->n_slabs; s++) status = load_slab_rows(r, &r->slabs[s], scratch, rows);
  free(scratch), free(rows);
  return status;
}

/* ---- the mask ---- */

static void fill_words(const uint8_t *samples, size_t n, uint32_t *words) {
  for (size_t i = 0; i < n; i++) words[i / 32] |= (uint32_t)(samples[i] != 0) << i % 32;
}

/* 1 where any of a tile's columns has a sample to compute in words [first, end). */
static int is_live(const moho_device_run *r, size_t entry, const uint32_t *words, size_t first, size_t end) {
  for (size_t e = entry; e < entry + r->plan.tile; e++) {
    if (r->columns[e].row == MOHO_PADDING) continue;
    const uint32_t *row = words + r->columns[e].row * r->plan.mask_stride;
    for (size_t w = first; w < end; w++)
      if (row[w]) return 1;
  }
  return 0;
}

/* How many ranges of each tile have work, added up: launches are as long as their work. */
static void count_live(moho_device_run *r, const moho_device_slab *slab, const uint32_t *words) {
  size_t step = r->plan.constants.chunks, row_words = moho_pieces(r->plan.n_time, 32);
  for (size_t e = slab->first_entry; e < slab->first_entry + slab->n_entries; e += r->plan.tile) {
    size_t tile = e / r->plan.tile, live = 0;
    for (size_t w = 0; w < row_words; w += step) live += (size_t)is_live(r, e, words, w, moho_smaller(w + step, row_words));
    r->live_ranges[tile + 1] = r->live_ranges[tile] + live;
  }
}

static moho_status load_mask(moho_device_run *r) {
  const uint8_t *mask = r->m->options.mask;
  size_t n = r->plan.n_time, stride = r->plan.mask_stride;
  MOHO_TRY(moho_allocate(r->plan.entries / r->plan.tile + 1, sizeof *r->live_ranges, "the mask", &r->live_ranges));
  for (size_t s = 0; s < r->n_slabs; s++) {
    moho_device_slab *slab = &r->slabs[s];
    uint32_t *words;
    MOHO_TRY(moho_allocate(slab->n_rows * stride, sizeof *words, "the mask", &words));
    for (size_t k = 0; k < slab->n_rows; k++) fill_words(mask + (size_t)r->flat[slab->first_row + k] * n, n, words + k * stride);
    count_live(r, slab, words);
    moho_status status = upload(r, words, slab->n_rows * stride * sizeof *words, &slab->mask);
    free(words);
    MOHO_TRY(status);
  }
  return MOHO_OK;
}

/* ---- both ---- */

moho_status moho_device_load_samples(moho_device_run *r) {
  if (r->plan.has_angles) MOHO_TRY(load_angles(r));
  return r->plan.has_mask ? load_mask(r) : MOHO_OK;
}

void moho_device_drop_samples(moho_device_run *r) {
  moho_buffer_destroy(&r->constant.limits), moho_buffer_destroy(&r->constant.v_dt);
  for (size_t s = 0; s < r->n_slabs; s++) moho_buffer_destroy(&r->slabs[s].v_dt), moho_buffer_destroy(&r->slabs[s].mask);
  free(r->live_ranges);
  r->live_ranges = NULL;
}
