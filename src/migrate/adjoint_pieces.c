/* adjoint_pieces.c - the image of a demigration, slab by slab from where it is kept. */
#include "migrate/adjoint_pieces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/adjoint_run.h"
#include "migrate/aperture.h"
#include "migrate/weight.h"

enum { SMALLEST_BATCH = 64 };

/* ---- sizes ---- */

/* The places of traces of the native run, for as many. */
static moho_status make_room(native_run *r, size_t capacity) {
  free(r->traces), free(r->bins), free(r->live), free(r->used);
  r->traces = NULL, r->bins = NULL, r->live = r->used = NULL;
  MOHO_TRY(moho_allocate(capacity, sizeof *r->traces, "traces", &r->traces));
  MOHO_TRY(moho_allocate(capacity, sizeof *r->bins, "traces", &r->bins));
  MOHO_TRY(moho_allocate(capacity, 1, "traces", &r->live));
  return moho_allocate(capacity, 1, "traces", &r->used);
}

moho_status moho_adjoint_pieces_size(moho_demigration *d, size_t fixed_bytes) {
  const moho_migration *m = d->m;
  const moho_adjoint_pieces *p = &d->pieces;
  size_t trace = m->layout.stride * sizeof *d->sums + sizeof(moho_batch_trace) + sizeof(int32_t) + 2 + p->caller_trace_bytes;
  size_t fixed = fixed_bytes + moho_live_classes_bytes(m->live.n, m->grid.n_inline * m->grid.n_crossline);
  size_t room = p->memory_bytes > fixed ? (p->memory_bytes - fixed) / trace : 0, n = (size_t)m->n_traces;
  char need[32], have[32];
  if (room < moho_smaller(SMALLEST_BATCH, n))
    return moho_fail_at((moho_place){.key = "execution.memory_gb"}, "raise execution.memory_gb", MOHO_ERROR_TOO_LARGE,
                        "piece by piece too the demigration needs %s, allowed are %s",
                        moho_bytes_text((double)fixed + (double)SMALLEST_BATCH * (double)trace, need),
                        moho_bytes_text((double)p->memory_bytes, have));
  d->capacity = moho_smaller(room, n);
  return make_room(m->run, d->capacity);
}

/* ---- reach ---- */

void moho_adjoint_pieces_place(moho_demigration *d, size_t traces) {
  const native_run *r = d->m->run;
  moho_adjoint_pieces *p = &d->pieces;
  for (int a = 0; a < 2; a++) {
    p->least[a] = INFINITY, p->most[a] = -INFINITY;
    for (size_t i = 0; i < traces; i++) {
      if (!r->traces[i].live) continue;
      p->least[a] = fmin(p->least[a], r->traces[i].midpoint[a]), p->most[a] = fmax(p->most[a], r->traces[i].midpoint[a]);
    }
  }
}

/* By boxes along x and y: what is beyond is out of reach, what is not may be. */
int moho_adjoint_pieces_reach(const moho_demigration *d, const moho_window *window) {
  const moho_adjoint_pieces *p = &d->pieces;
  const moho_grid *grid = &d->m->grid;
  double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY}, at[2];
  double reach = moho_aperture_widened(d->m->options.aperture_max_m);
  for (size_t c = 0; c < window->n_inline * window->n_crossline; c++) {
    moho_window_node(grid, window, c, &at[0], &at[1]);
    at[0] -= grid->origin_x_m, at[1] -= grid->origin_y_m;
    for (int a = 0; a < 2; a++) least[a] = fmin(least[a], at[a]), most[a] = fmax(most[a], at[a]);
  }
  for (int a = 0; a < 2; a++)
    if (p->least[a] - most[a] > reach || least[a] - p->most[a] > reach) return 0;
  return p->least[0] <= p->most[0];
}

/* ---- a slab ---- */

static void take_live_classes(moho_demigration *d) {
  moho_migration *m = d->m;
  const moho_live_classes *all = &d->pieces.live;
  const moho_window *w = &m->window;
  for (size_t i = 0; all->n && i < w->n_inline; i++)
    memcpy(m->live.nearest + i * w->n_crossline * all->n,
           all->nearest + ((w->inline_first + i) * m->grid.n_crossline + w->crossline_first) * all->n,
           w->n_crossline * all->n * sizeof *all->nearest);
}

moho_status moho_adjoint_pieces_enter(moho_demigration *d, const moho_window *window) {
  moho_migration *m = d->m;
  native_run *r = m->run;
  int divides = m->options.normalise == MOHO_NORMALISE_FOLD;
  const float *image;
  const int32_t *fold = NULL;
  m->window = *window, m->n_columns = window->n_inline * window->n_crossline;
  moho_native_place_columns(m, r->columns);
  take_live_classes(d);
  MOHO_TRY(d->pieces.read(d->pieces.user, window, &image, divides ? &fold : NULL));
  if (divides && !fold)
    return moho_fail_at((moho_place){.key = "migration.normalise"}, "give the fold that the migration found", MOHO_ERROR_ARGUMENT,
                        "the adjoint of a migration divided by its fold needs that fold");
  return moho_adjoint_weigh(d, image, fold);
}

/* ---- create ---- */

/* Nearest midpoints of all classes, a column a row. */
static moho_status find_live_classes(moho_demigration *d, const moho_geometry *geometry) {
  const moho_migration *m = d->m;
  const moho_grid *grid = &m->grid;
  if (!m->live.n) return MOHO_OK;
  return moho_live_classes_create(&m->classes, geometry, grid, NULL, grid->n_inline * grid->n_crossline, &m->options,
                                  m->input_samples, m->input_dt_s, &d->pieces.live);
}

moho_status moho_demigration_create_pieces(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                           const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                           double dt_s, size_t memory_bytes, size_t caller_trace_bytes, moho_piece_reader read,
                                           void *user, moho_demigration **out) {
  const moho_window whole = moho_grid_whole(grid);
  moho_adjoint_pieces pieces = {
      .read = read, .user = user, .memory_bytes = memory_bytes, .caller_trace_bytes = caller_trace_bytes};
  moho_migration_options first = *options;
  *out = NULL;
  if (options->mask || options->window.n_inline || options->window.n_crossline)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "a demigration that reads its image piece by piece takes all of it");
  moho_tile_plan plan = moho_tile_plan_make(&whole, MOHO_ADJOINT_TILE_SIDE, 1);
  moho_adjoint_slabs slabs = moho_adjoint_slabs_make(&plan, MOHO_SLAB_TILES);
  moho_adjoint_slab slab = moho_adjoint_slabs_slab(&slabs, &plan, 0); /* none is larger */
  first.window = moho_adjoint_slab_window(&slab, &plan, &whole), first.memory_bytes = memory_bytes;
  MOHO_TRY(moho_demigration_build(device, grid, velocity, &first, geometry, n_samples, dt_s, &pieces, out));
  moho_status status = find_live_classes(*out, geometry);
  if (status) moho_demigration_destroy(out);
  return status;
}
