/* block_plan.c - a grid cut into blocks of columns of equal work, in an order in which neighbours follow one another. */
#include "job/block_plan.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* Midpoints looked at; on a crooked line each search passes its nodes. */
enum { MOST_TRACES = 1000000, MOST_ON_CROOKED_LINE = 50000 };

/* Cells of the lattice, and a margin of them that the aperture reaches beyond the grid. */
typedef struct cell_map {
  const moho_block_request *q;
  size_t ni, nj;     /* cells of the grid */
  size_t ri, rj;     /* of the margin, to either side */
  double di, dj;     /* metres of a cell */
  double *midpoints; /* [ni + 2 ri, nj + 2 rj] live ones */
  double *work;      /* [ni, nj] expected contributions, in midpoints times columns */
} cell_map;

static size_t columns_of(const moho_window *w) {
  return w->n_inline * w->n_crossline;
}

/* Cells [i, i + n) x [j, j + m) as a window. */
static moho_window window_of(const cell_map *c, size_t i, size_t n, size_t j, size_t m) {
  const moho_block_request *q = c->q;
  moho_window w = {.inline_first = i * q->lattice_inline, .crossline_first = j * q->lattice_crossline};
  w.n_inline = moho_smaller(n * q->lattice_inline, q->grid->n_inline - w.inline_first);
  w.n_crossline = moho_smaller(m * q->lattice_crossline, q->grid->n_crossline - w.crossline_first);
  return w;
}

/* ---- work ---- */

static void count_midpoints(cell_map *c) {
  const moho_geometry *g = c->q->geometry;
  const moho_grid *grid = c->q->grid;
  size_t most = grid->line_x_m ? MOST_ON_CROOKED_LINE : MOST_TRACES, step = g->n / most + 1;
  double lattice_i = (double)c->q->lattice_inline, lattice_j = (double)c->q->lattice_crossline;
  for (size_t k = 0; k < g->n; k += step) {
    double i, j;
    if (!moho_geometry_is_live(g, k)) continue;
    moho_grid_locate(grid, (g->source_x[k] + g->receiver_x[k]) / 2, (g->source_y[k] + g->receiver_y[k]) / 2, &i, &j);
    double a = floor((i + 0.5) / lattice_i) + (double)c->ri, b = floor((j + 0.5) / lattice_j) + (double)c->rj;
    if (a >= 0 && b >= 0 && a < (double)(c->ni + 2 * c->ri) && b < (double)(c->nj + 2 * c->rj))
      c->midpoints[(size_t)a * (c->nj + 2 * c->rj) + (size_t)b] += (double)step;
  }
}

/* The part of an aperture's growth in which a midpoint so many metres off is inside; a cell's own midpoints are half a cell off
 * in the mean. */
static double reach_weight(const cell_map *c, double across, double along) {
  double off = hypot(across * c->di, along * c->dj), least = 0.25 * fmin(c->di, c->dj);
  return fmax(0, 1 - fmax(off, fmin(least, 0.5 * c->q->reach_m)) / c->q->reach_m);
}

static void spread_work(cell_map *c) {
  size_t row = c->nj + 2 * c->rj;
#pragma omp parallel for schedule(dynamic, 1)
  for (size_t i = 0; i < c->ni; i++)
    for (size_t j = 0; j < c->nj; j++) {
      double sum = 0;
      for (size_t a = 0; a <= 2 * c->ri; a++)
        for (size_t b = 0; b <= 2 * c->rj; b++)
          sum += c->midpoints[(i + a) * row + j + b] * reach_weight(c, (double)a - (double)c->ri, (double)b - (double)c->rj);
      moho_window w = window_of(c, i, 1, j, 1);
      c->work[i * c->nj + j] = (sum + 1e-3) * (double)columns_of(&w); /* nowhere nothing: an empty column costs a little too */
    }
}

static moho_status map_create(const moho_block_request *q, cell_map *c) {
  *c = (cell_map){.q = q,
                  .ni = moho_pieces(q->grid->n_inline, q->lattice_inline),
                  .nj = moho_pieces(q->grid->n_crossline, q->lattice_crossline),
                  .di = (double)q->lattice_inline * q->grid->inline_spacing_m,
                  .dj = (double)q->lattice_crossline * q->grid->crossline_spacing_m};
  /* Beyond a line's one inline midpoints lie within the aperture too: a margin of one cell takes them where cells are narrow. */
  c->ri = (size_t)ceil(q->reach_m / c->di), c->rj = (size_t)ceil(q->reach_m / c->dj);
  MOHO_TRY(moho_allocate((c->ni + 2 * c->ri) * (c->nj + 2 * c->rj), sizeof(double), "plan of blocks", &c->midpoints));
  MOHO_TRY(moho_allocate(c->ni * c->nj, sizeof(double), "plan of blocks", &c->work));
  count_midpoints(c);
  spread_work(c);
  return MOHO_OK;
}

static void map_release(cell_map *c) {
  free(c->midpoints), free(c->work);
}

static double work_of(const cell_map *c, size_t i, size_t n, size_t j, size_t m) {
  double sum = 0;
  for (size_t a = i; a < i + n; a++)
    for (size_t b = j; b < j + m; b++) sum += c->work[a * c->nj + b];
  return sum;
}

/* Midpoints of the cells and of the margin around them. */
static double traces_of(const cell_map *c, size_t i, size_t n, size_t j, size_t m) {
  double sum = 0;
  for (size_t a = i; a < i + n + 2 * c->ri; a++)
    for (size_t b = j; b < j + m + 2 * c->rj; b++) sum += c->midpoints[a * (c->nj + 2 * c->rj) + b];
  return sum;
}

/* ---- cuts ---- */

/* Cells of a strip's height, so that blocks are about square on the ground. */
static size_t choose_height(const cell_map *c) {
  const moho_block_request *q = c->q;
  double cells = (double)(c->ni * c->nj), most = (double)q->most_columns / (double)(q->lattice_inline * q->lattice_crossline);
  double wanted = fmin(most, cells / (double)(q->least_blocks ? q->least_blocks : 1));
  if (q->least_blocks <= 1 && most >= cells) return c->ni; /* one block is all */
  double height = round(sqrt(fmax(wanted, 1) * c->dj / c->di));
  return (size_t)fmin(fmax(fmin(height, floor(most)), 1), (double)c->ni);
}

/* Of one strip, cells [i, i + n) high: block after block, each of its part of what is left, as wide as memory holds at most.
 * out (NULL: count only) gets the cells' first column of each block, and one past the last. @return blocks */
static size_t cut_strip(const cell_map *c, size_t i, size_t n, double work_a_block, size_t *out) {
  moho_window whole = window_of(c, i, n, 0, c->nj);
  size_t widest = c->q->most_columns / (whole.n_inline * c->q->lattice_crossline), blocks = 0, j = 0;
  double left = work_of(c, i, n, 0, c->nj);
  size_t by_work = (size_t)fmax(1, round(left / work_a_block)), by_memory = moho_pieces(c->nj, widest);
  size_t wanted = by_work > by_memory ? by_work : by_memory;
  while (j < c->nj) {
    size_t to_come = wanted > blocks ? wanted - blocks : 1, width = 0;
    double target = left / (double)to_come, taken = 0;
    while (j + width < c->nj && width < widest) {
      double next = work_of(c, i, n, j + width, 1);
      int must = c->nj - j - width > (to_come - 1) * widest; /* what follows could not hold the rest */
      if (width && !must && taken + 0.5 * next > target) break;
      taken += next, width++;
    }
    if (out) out[blocks] = j;
    blocks++, j += width, left -= taken;
  }
  if (out) out[blocks] = c->nj;
  return blocks;
}

static void put_block(const cell_map *c, size_t i, size_t n, size_t j, size_t m, double all, moho_block_plan *out) {
  moho_window w = window_of(c, i, n, j, m);
  out->windows[out->n] = w;
  out->share[out->n] = work_of(c, i, n, j, m) / all;
  out->traces[out->n++] = traces_of(c, i, n, j, m);
  if (columns_of(&w) > out->most_columns) out->most_columns = columns_of(&w);
}

static moho_status cut(const cell_map *c, moho_block_plan *out) {
  size_t height = choose_height(c), strips = moho_pieces(c->ni, height), *edges, most = 0;
  size_t lattice = c->q->lattice_inline * c->q->lattice_crossline;
  double all = work_of(c, 0, c->ni, 0, c->nj), by_memory = (double)(c->ni * c->nj * lattice) / (double)c->q->most_columns;
  double a_block = all / fmax(fmax((double)c->q->least_blocks, by_memory), 1);
  for (size_t s = 0; s < strips; s++) {
    size_t i = s * c->ni / strips, n = (s + 1) * c->ni / strips - i;
    most += cut_strip(c, i, n, a_block, NULL);
  }
  MOHO_TRY(moho_allocate(most, sizeof *out->windows, "plan of blocks", &out->windows));
  MOHO_TRY(moho_allocate(most, sizeof *out->share, "plan of blocks", &out->share));
  MOHO_TRY(moho_allocate(most, sizeof *out->traces, "plan of blocks", &out->traces));
  MOHO_TRY(moho_allocate(c->nj + 1, sizeof *edges, "plan of blocks", &edges));
  for (size_t s = 0; s < strips; s++) {
    size_t i = s * c->ni / strips, n = (s + 1) * c->ni / strips - i, blocks = cut_strip(c, i, n, a_block, edges);
    for (size_t k = 0; k < blocks; k++) {
      size_t b = s % 2 ? blocks - 1 - k : k; /* back on every second strip */
      put_block(c, i, n, edges[b], edges[b + 1] - edges[b], all, out);
    }
  }
  free(edges);
  return MOHO_OK;
}

moho_status moho_block_plan_make(const moho_block_request *q, moho_block_plan *out) {
  *out = (moho_block_plan){0};
  size_t least = moho_smaller(q->lattice_inline, q->grid->n_inline) * moho_smaller(q->lattice_crossline, q->grid->n_crossline);
  if (q->most_columns < least)
    return moho_fail(MOHO_ERROR_TOO_LARGE, "memory holds %zu columns, a block has at least %zu", q->most_columns, least);
  /* Cells may be cut by the grid's ends: what memory holds is counted in whole ones. */
  moho_block_request request = *q;
  size_t cell = q->lattice_inline * q->lattice_crossline;
  if (request.most_columns < cell) request.most_columns = cell; /* a grid of less than a cell along an axis */
  cell_map c;
  moho_status status = map_create(&request, &c);
  if (!status) status = cut(&c, out);
  map_release(&c);
  if (status) moho_block_plan_release(out);
  return status;
}

void moho_block_plan_release(moho_block_plan *plan) {
  free(plan->windows), free(plan->share), free(plan->traces);
  *plan = (moho_block_plan){0};
}
