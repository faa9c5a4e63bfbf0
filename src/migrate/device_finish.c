/* device_finish.c - a run on a device: sums come back and become the image; what was counted. */
#include <string.h>

#include "base/fail.h"
#include "migrate/device_run.h"

/* Rows of a slab as they came back. */
typedef struct finished_rows {
  const moho_device_run *r;
  size_t first_row, n_rows; /* of all; of these, which is how far bins are apart */
  const float *image;
  const int32_t *fold;
} finished_rows;

static size_t read_row(const moho_migration *m, const void *from, size_t k, size_t bin, const float **sums, int32_t *fold) {
  const finished_rows *rows = from;
  size_t at = (bin * rows->n_rows + k) * m->axis.stride;
  *sums = rows->image + at;
  memcpy(fold, rows->fold + at, m->axis.n * sizeof *fold);
  return rows->r->flat[rows->first_row + k];
}

/* Where memory is shared the sums are read where they are. */
static moho_status finish_in_place(moho_device_run *r, const moho_device_slab *slab, moho_image *image) {
  void *sums, *fold;
  MOHO_TRY(moho_buffer_map(slab->image, MOHO_MAP_READ, &sums));
  moho_status status = moho_buffer_map(slab->fold, MOHO_MAP_READ, &fold);
  if (!status) {
    finished_rows rows = {.r = r, .first_row = slab->first_row, .n_rows = slab->n_rows, .image = sums, .fold = fold};
    moho_unfinished columns = {.n = slab->n_rows, .from = &rows, .read = read_row};
    status = moho_migration_finish_columns(r->m, &columns, image, &r->counts.contributions);
    moho_buffer_unmap(slab->fold);
  }
  moho_buffer_unmap(slab->image);
  return status;
}

/* Sums come down through the pinned pieces that traces went up through: one is finished while the next comes. */
typedef struct download {
  moho_ticket tickets[MOHO_DEVICE_PIECES];
  size_t rows; /* of a piece: bin by bin those of the image, then those of the fold */
} download;

static moho_status request_rows(moho_device_run *r, const moho_device_slab *slab, download *d, size_t piece) {
  size_t row_bytes = r->plan.image_stride * sizeof(float), first = piece * d->rows;
  if (first >= slab->n_rows) return MOHO_OK;
  size_t n = slab->n_rows - first < d->rows ? slab->n_rows - first : d->rows;
  moho_buffer *buffer = r->pieces[piece % MOHO_DEVICE_PIECES].buffer;
  for (size_t bin = 0; bin < r->plan.bins; bin++) {
    size_t from = (bin * slab->n_rows + first) * row_bytes, to = bin * d->rows * row_bytes,
           fold = r->plan.bins * d->rows * row_bytes;
    MOHO_TRY(moho_queue_copy(r->queue, buffer, to, slab->image, from, n * row_bytes));
    MOHO_TRY(moho_queue_copy(r->queue, buffer, fold + to, slab->fold, from, n * row_bytes));
  }
  return moho_queue_submit(r->queue, &d->tickets[piece % MOHO_DEVICE_PIECES]);
}

static moho_status finish_piece(moho_device_run *r, const moho_device_slab *slab, download *d, size_t piece, moho_image *image) {
  size_t row_samples = r->plan.image_stride, first = piece * d->rows;
  MOHO_TRY(moho_queue_wait(r->queue, d->tickets[piece % MOHO_DEVICE_PIECES], -1));
  MOHO_TRY(request_rows(r, slab, d, piece + 1));
  void *host;
  MOHO_TRY(moho_buffer_map(r->pieces[piece % MOHO_DEVICE_PIECES].buffer, MOHO_MAP_READ, &host));
  finished_rows rows = {.r = r,
                        .first_row = slab->first_row + first,
                        .n_rows = d->rows,
                        .image = host,
                        .fold = (const int32_t *)host + r->plan.bins * d->rows * row_samples};
  moho_unfinished columns = {
      .n = slab->n_rows - first < d->rows ? slab->n_rows - first : d->rows, .from = &rows, .read = read_row};
  moho_status status = moho_migration_finish_columns(r->m, &columns, image, &r->counts.contributions);
  moho_buffer_unmap(r->pieces[piece % MOHO_DEVICE_PIECES].buffer);
  return status;
}

static moho_status finish_by_download(moho_device_run *r, moho_image *image) {
  MOHO_TRY(moho_device_allocate_pieces(r)); /* unless they are there */
  download d = {.rows = moho_buffer_bytes(r->pieces[0].buffer) / (2 * r->plan.bins * r->plan.image_stride * sizeof(float))};
  for (size_t s = 0; s < r->n_slabs; s++) {
    const moho_device_slab *slab = &r->slabs[s];
    MOHO_TRY(request_rows(r, slab, &d, 0));
    for (size_t piece = 0; piece * d.rows < slab->n_rows; piece++) MOHO_TRY(finish_piece(r, slab, &d, piece, image));
  }
  return MOHO_OK;
}

moho_status moho_device_finish(moho_migration *m, moho_image *image) {
  moho_device_run *r = m->run;
  r->counts.contributions = 0;
  if (!r->plan.is_unified) return finish_by_download(r, image);
  for (size_t s = 0; s < r->n_slabs; s++) MOHO_TRY(finish_in_place(r, &r->slabs[s], image));
  return MOHO_OK;
}

/* What the device measured itself. */
static void add_seconds(moho_queue *queue, moho_migration_counts *counts) {
  double kernel = 0, transfer = 0;
  if (!queue || moho_queue_seconds(queue, &kernel, &transfer)) return; /* a lost device tells nothing any more */
  counts->kernel_seconds += kernel;
  counts->transfer_seconds += transfer;
}

void moho_device_count(const moho_migration *m, moho_migration_counts *counts) {
  moho_device_run *r = m->run;
  pthread_mutex_lock(&r->lock);
  const moho_migration_counts *c = &r->counts;
  counts->traces_used = c->traces_used, counts->traces_outside = c->traces_outside, counts->traces_dead = c->traces_dead;
  counts->traces_unbinned = c->traces_unbinned;
  counts->contributions = c->contributions, counts->launches = c->launches;
  counts->transfer_seconds = c->transfer_seconds;
  counts->allocation_seconds = c->allocation_seconds, counts->compile_seconds = c->compile_seconds;
  counts->kernel = c->kernel;
  memcpy(counts->kernel_reason, c->kernel_reason, sizeof counts->kernel_reason);
  pthread_mutex_unlock(&r->lock);
  add_seconds(r->queue, counts), add_seconds(r->upload, counts);
}
