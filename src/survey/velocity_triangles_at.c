/* velocity_triangles_at.c - places among triangles: the walk to them, the hull with its slivers, the weights. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/velocity_mesh.h"

/* ---- places ---- */

static double side_of(const moho_triangles *t, int32_t a, int32_t b, double x, double y) {
  return (t->x[b] - t->x[a]) * (y - t->y[a]) - (t->y[b] - t->y[a]) * (x - t->x[a]);
}

/* The real triangle around (x, y), or the ghost through which the walk left the hull. */
static int32_t walk(const moho_triangles *t, int32_t at, double x, double y) {
  if (t->all[at].corner[2] == GHOST) at = t->all[at].neighbour[2];
  for (int32_t step = 0; step < t->count; step++) { /* bounded: rounding could make a walk turn in a circle */
    const triangle *here = &t->all[at];
    if (here->corner[2] == GHOST) return at;
    int k = 0;
    while (k < 3 && side_of(t, here->corner[(k + 1) % 3], here->corner[(k + 2) % 3], x, y) >= -t->slack) k++;
    if (k == 3) return at;
    at = here->neighbour[k];
  }
  return at;
}

/* Place of (x, y) along a chord, 0 to 1 between its ends. */
static double place_on(const moho_triangles *t, int32_t from, int32_t to, double x, double y) {
  double dx = t->x[to] - t->x[from], dy = t->y[to] - t->y[from];
  return ((x - t->x[from]) * dx + (y - t->y[from]) * dy) / (dx * dx + dy * dy);
}

static moho_weights along_chain(const moho_triangles *t, const chord *c, double place) {
  const double *at = t->chain_at + c->first;
  size_t low = 0, high = c->n - 1;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (at[middle] <= place) low = middle;
    else high = middle;
  }
  double f = fmin(fmax((place - at[low]) / (at[high] - at[low]), 0), 1);
  const int32_t *point = t->chain_point + c->first;
  return (moho_weights){.n = 2, .index = {(size_t)point[low], (size_t)point[high]}, .weight = {1 - f, f}};
}

/* Nearest point of the hull: the hull is convex, so it is unique and moves continuously. */
static moho_weights nearest_on_hull(const moho_triangles *t, double x, double y) {
  const chord *best = t->chords;
  double best_square = INFINITY, best_place = 0;
  for (size_t k = 0; k < t->n_chords; k++) {
    const chord *c = &t->chords[k];
    double place = fmin(fmax(place_on(t, c->from, c->to, x, y), 0), 1);
    double px = x - t->x[c->from] - place * (t->x[c->to] - t->x[c->from]);
    double py = y - t->y[c->from] - place * (t->y[c->to] - t->y[c->from]);
    if (px * px + py * py >= best_square) continue;
    best_square = px * px + py * py, best = c, best_place = place;
  }
  return along_chain(t, best, best_place);
}

static moho_weights weights_in(const moho_triangles *t, int32_t index, double x, double y) {
  const int32_t *c = t->all[index].corner;
  double w[3], sum = 0;
  for (int k = 0; k < 3; k++) {
    w[k] = fmax(side_of(t, c[(k + 1) % 3], c[(k + 2) % 3], x, y), 0);
    sum += w[k];
  }
  if (!(sum > 0)) return nearest_on_hull(t, x, y);
  return (moho_weights){
      .n = 3, .index = {(size_t)c[0], (size_t)c[1], (size_t)c[2]}, .weight = {w[0] / sum, w[1] / sum, w[2] / sum}};
}

static size_t cell_along(double position, double cell, size_t cells) {
  double c = floor(position / cell);
  if (!(c > 0)) return 0;
  return c >= (double)cells ? cells - 1 : (size_t)c;
}

moho_weights moho_triangles_at(const moho_triangles *t, double x, double y) {
  x -= t->x0, y -= t->y0;
  size_t cell = cell_along(y, t->cell_y, t->cells) * t->cells + cell_along(x, t->cell_x, t->cells);
  int32_t found = walk(t, t->start[cell], x, y);
  if (t->all[found].corner[2] == GHOST) return nearest_on_hull(t, x, y);
  if (t->sliver[found] != NONE) {
    const chord *c = &t->chords[t->sliver[found]];
    return along_chain(t, c, place_on(t, c->from, c->to, x, y));
  }
  return weights_in(t, found, x, y);
}

static void find_starts(moho_triangles *t) {
  int32_t last = 0;
  for (size_t row = 0; row < t->cells; row++)
    for (size_t i = 0; i < t->cells; i++) {
      size_t column = row & 1 ? t->cells - 1 - i : i;
      last = walk(t, last, ((double)column + 0.5) * t->cell_x, ((double)row + 0.5) * t->cell_y);
      t->start[row * t->cells + column] = last;
    }
}

/* ---- slivers along the hull ---- */

/* Nearer to a hull edge than this part of its length is on it. */
static const double hair = 5e-3;

typedef struct side {
  int32_t from, to, inside; /* the triangle left of from -> to */
} side;

/* The corner opposite from -> to when the triangle is a sliver of the chord, else NONE. */
static int32_t flat_corner(const moho_triangles *t, const chord *c, const side *s, double at_from, double at_to) {
  const triangle *here = &t->all[s->inside];
  if (here->corner[2] == GHOST || t->sliver[s->inside] != NONE) return NONE;
  int k = 0;
  while (here->corner[k] == s->from || here->corner[k] == s->to) k++;
  int32_t apex = here->corner[k];
  double dx = t->x[c->to] - t->x[c->from], dy = t->y[c->to] - t->y[c->from];
  double height = fabs(side_of(t, c->from, c->to, t->x[apex], t->y[apex])),
         at = place_on(t, c->from, c->to, t->x[apex], t->y[apex]);
  return height <= hair * (dx * dx + dy * dy) && at > at_from && at < at_to ? apex : NONE;
}

static int32_t neighbour_across(const moho_triangles *t, int32_t index, int32_t from, int32_t to) {
  const triangle *here = &t->all[index];
  return here->neighbour[slot_of_edge(here, from, to)];
}

/* From the chord inwards: each sliver is replaced by its two other sides, in order along the chord. stack: [n + 1]. */
static void build_chain(moho_triangles *t, int32_t index, int32_t inside, side *stack) {
  chord *c = &t->chords[index];
  size_t depth = 0;
  c->first = t->n_chain;
  t->chain_point[t->n_chain] = c->from, t->chain_at[t->n_chain++] = 0;
  stack[depth++] = (side){c->from, c->to, inside};
  while (depth) {
    side s = stack[--depth];
    double at_to = s.to == c->to ? 1 : place_on(t, c->from, c->to, t->x[s.to], t->y[s.to]);
    int32_t apex = flat_corner(t, c, &s, t->chain_at[t->n_chain - 1], at_to);
    if (apex == NONE) {
      t->chain_point[t->n_chain] = s.to, t->chain_at[t->n_chain++] = at_to;
      continue;
    }
    t->sliver[s.inside] = index;
    stack[depth++] = (side){apex, s.to, neighbour_across(t, s.inside, apex, s.to)};
    stack[depth++] = (side){s.from, apex, neighbour_across(t, s.inside, s.from, apex)};
  }
  c->n = t->n_chain - c->first;
}

static moho_status find_chords(moho_triangles *t) {
  size_t hull = 0;
  side *stack = NULL;
  for (int32_t i = 0; i < t->count; i++) hull += t->all[i].corner[2] == GHOST;
  /* every sliver adds one point to one chain, and each chain has two ends */
  size_t most = 2 * hull + (size_t)t->count;
  MOHO_TRY(moho_allocate(hull, sizeof *t->chords, "triangulation", &t->chords));
  MOHO_TRY(moho_allocate(most, sizeof *t->chain_point, "triangulation", &t->chain_point));
  MOHO_TRY(moho_allocate(most, sizeof *t->chain_at, "triangulation", &t->chain_at));
  MOHO_TRY(moho_allocate((size_t)t->count, sizeof *t->sliver, "triangulation", &t->sliver));
  MOHO_TRY(moho_allocate((size_t)t->count + 2, sizeof *stack, "triangulation", &stack));
  for (int32_t i = 0; i < t->count; i++) t->sliver[i] = NONE;
  for (int32_t i = 0; i < t->count; i++) {
    const triangle *ghost = &t->all[i];
    if (ghost->corner[2] != GHOST) continue;
    t->chords[t->n_chords] = (chord){.from = ghost->corner[1], .to = ghost->corner[0]};
    build_chain(t, (int32_t)t->n_chords++, ghost->neighbour[2], stack);
  }
  free(stack);
  return MOHO_OK;
}

moho_status moho_triangles_prepare_places(moho_triangles *t) {
  MOHO_TRY(find_chords(t));
  find_starts(t);
  return MOHO_OK;
}
