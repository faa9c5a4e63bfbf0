/* velocity_triangles.c - Delaunay triangulation by incremental insertion (Bowyer 1981, Watson 1981) with ghost triangles outside.
 *
 * The points are rounded to a lattice of 2^29 steps across their extent; there the predicates are whole numbers of at most
 * 124 bits and exact, so collinear and cocircular points need no tolerance and the topology cannot break. Weights use the
 * points as given. The step is a power of two metres, so moving all points by a common offset changes nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/velocity_mesh.h"

__extension__ typedef __int128 wide;

/* ---- exact predicates ---- */

/* > 0 when a, b, c turn counter-clockwise. */
static int64_t turn(const moho_triangles *t, int32_t a, int32_t b, int32_t c) {
  int64_t abx = (int64_t)t->ix[b] - t->ix[a], aby = (int64_t)t->iy[b] - t->iy[a];
  int64_t acx = (int64_t)t->ix[c] - t->ix[a], acy = (int64_t)t->iy[c] - t->iy[a];
  return abx * acy - aby * acx;
}

/* p strictly inside the circle through a, b, c (counter-clockwise). */
static int in_circle(const moho_triangles *t, int32_t a, int32_t b, int32_t c, int32_t p) {
  int64_t ax = (int64_t)t->ix[a] - t->ix[p], ay = (int64_t)t->iy[a] - t->iy[p];
  int64_t bx = (int64_t)t->ix[b] - t->ix[p], by = (int64_t)t->iy[b] - t->iy[p];
  int64_t cx = (int64_t)t->ix[c] - t->ix[p], cy = (int64_t)t->iy[c] - t->iy[p];
  wide determinant = (wide)(ax * ax + ay * ay) * (bx * cy - by * cx) + (wide)(bx * bx + by * by) * (cx * ay - cy * ax) +
                     (wide)(cx * cx + cy * cy) * (ax * by - ay * bx);
  return determinant > 0;
}

/* Would the triangle be destroyed by inserting p? A ghost's circle is the open half-plane outside its edge and the edge. */
static int conflicts(const moho_triangles *t, int32_t index, int32_t p) {
  const int32_t *c = t->all[index].corner;
  if (c[2] != GHOST) return in_circle(t, c[0], c[1], c[2], p);
  int64_t side = turn(t, c[0], c[1], p);
  if (side) return side > 0;
  int64_t dx = (int64_t)t->ix[c[1]] - t->ix[c[0]], dy = (int64_t)t->iy[c[1]] - t->iy[c[0]];
  int64_t along = dx * ((int64_t)t->ix[p] - t->ix[c[0]]) + dy * ((int64_t)t->iy[p] - t->iy[c[0]]);
  return along > 0 && along < dx * dx + dy * dy;
}

/* ---- building ---- */

/* Walk from triangle `at` to one that p conflicts with: itself its container, or the ghost beyond the hull edge it left by.
 * Walks in a Delaunay triangulation do not cycle. */
static int32_t find_conflict(const moho_triangles *t, int32_t at, int32_t p) {
  if (t->all[at].corner[2] == GHOST) at = t->all[at].neighbour[2];
  for (;;) {
    const triangle *here = &t->all[at];
    if (here->corner[2] == GHOST) return at;
    int k = 0;
    while (k < 3 && turn(t, here->corner[(k + 1) % 3], here->corner[(k + 2) % 3], p) >= 0) k++;
    if (k == 3) return at;
    at = here->neighbour[k];
  }
}

typedef struct cavity {
  int32_t *bad; /* triangles to replace; also the stack of the search */
  size_t n_bad;
  int32_t *edges; /* [4 * n_edges]: from, to, triangle outside, triangle to be made */
  size_t n_edges;
  uint8_t *is_bad;  /* [2n] */
  int32_t *made_at; /* [n + 1] new triangle whose boundary edge starts at a point; GHOST is the last slot */
} cavity;

static void collect(const moho_triangles *t, cavity *c, int32_t first, int32_t p) {
  c->n_bad = c->n_edges = 0;
  c->bad[c->n_bad++] = first, c->is_bad[first] = 1;
  for (size_t i = 0; i < c->n_bad; i++) {
    const triangle *here = &t->all[c->bad[i]];
    for (int k = 0; k < 3; k++) {
      int32_t next = here->neighbour[k];
      if (!c->is_bad[next] && conflicts(t, next, p)) c->is_bad[next] = 1, c->bad[c->n_bad++] = next;
    }
  }
  for (size_t i = 0; i < c->n_bad; i++) {
    const triangle *here = &t->all[c->bad[i]];
    for (int k = 0; k < 3; k++)
      if (!c->is_bad[here->neighbour[k]]) {
        int32_t *edge = c->edges + 4 * c->n_edges++;
        edge[0] = here->corner[(k + 1) % 3], edge[1] = here->corner[(k + 2) % 3], edge[2] = here->neighbour[k];
      }
  }
}

/* Ghosts keep GHOST as corner 2: turn the corners and neighbours round. */
static void ghost_last(triangle *made) {
  while (made->corner[2] != GHOST && (made->corner[0] == GHOST || made->corner[1] == GHOST)) {
    int32_t corner = made->corner[0], neighbour = made->neighbour[0];
    made->corner[0] = made->corner[1], made->corner[1] = made->corner[2], made->corner[2] = corner;
    made->neighbour[0] = made->neighbour[1], made->neighbour[1] = made->neighbour[2], made->neighbour[2] = neighbour;
  }
}

/* Join p to every edge of the cavity: as many new triangles as old ones plus two. Returns one of them. */
static int32_t fill(moho_triangles *t, cavity *c, int32_t p) {
  size_t ghost_slot = t->n;
  for (size_t e = 0; e < c->n_edges; e++) {
    int32_t *edge = c->edges + 4 * e;
    edge[3] = e < c->n_bad ? c->bad[e] : t->count++;
    c->made_at[edge[0] == GHOST ? ghost_slot : (size_t)edge[0]] = edge[3];
  }
  for (size_t e = 0; e < c->n_edges; e++) {
    const int32_t *edge = c->edges + 4 * e;
    triangle *outside = &t->all[edge[2]];
    outside->neighbour[slot_of_edge(outside, edge[0], edge[1])] = edge[3];
    t->all[edge[3]] = (triangle){.corner = {edge[0], edge[1], p}, .neighbour = {NONE, NONE, edge[2]}};
  }
  for (size_t e = 0; e < c->n_edges; e++) { /* edge to -> p is shared with the triangle whose boundary edge starts at `to` */
    const int32_t *edge = c->edges + 4 * e;
    int32_t next = c->made_at[edge[1] == GHOST ? ghost_slot : (size_t)edge[1]];
    t->all[edge[3]].neighbour[0] = next;
    t->all[next].neighbour[1] = edge[3];
  }
  for (size_t i = 0; i < c->n_bad; i++) c->is_bad[c->bad[i]] = 0;
  for (size_t e = 0; e < c->n_edges; e++) ghost_last(&t->all[c->edges[4 * e + 3]]);
  return c->edges[3];
}

/* First triangle and its three ghosts. */
static void begin(moho_triangles *t, int32_t a, int32_t b, int32_t c) {
  t->all[0] = (triangle){{a, b, c}, {2, 3, 1}};
  t->all[1] = (triangle){{b, a, GHOST}, {3, 2, 0}};
  t->all[2] = (triangle){{c, b, GHOST}, {1, 3, 0}};
  t->all[3] = (triangle){{a, c, GHOST}, {2, 1, 0}};
  t->count = 4;
}

typedef struct ordered {
  uint64_t key;
  int32_t point;
} ordered;

static int by_key(const void *a, const void *b) {
  const ordered *p = a, *q = b;
  if (p->key != q->key) return p->key < q->key ? -1 : 1;
  return (p->point > q->point) - (p->point < q->point);
}

/* Along a snake over 2^10 x 2^10 cells, so that each walk is short. */
static uint64_t snake_key(const moho_triangles *t, size_t i) {
  uint64_t row = (uint64_t)t->iy[i] >> 20, column = (uint64_t)t->ix[i] >> 20;
  return row << 20 | (row & 1 ? 1023 - column : column);
}

static moho_status insert_all(moho_triangles *t, ordered *order, cavity *c) {
  size_t n = t->n;
  for (size_t i = 0; i < n; i++) order[i] = (ordered){snake_key(t, i), (int32_t)i};
  qsort(order, n, sizeof *order, by_key);
  int32_t a = order[0].point, b = order[1].point;
  size_t third = 2;
  while (third < n && turn(t, a, b, order[third].point) == 0) third++;
  if (third == n) return moho_fail(MOHO_ERROR_ARGUMENT, "all %zu points lie on one line, expected a triangle", n);
  int32_t d = order[third].point;
  if (turn(t, a, b, d) > 0) begin(t, a, b, d);
  else begin(t, b, a, d);
  int32_t last = 0;
  for (size_t i = 2; i < n; i++) {
    if (i == third) continue;
    int32_t p = order[i].point;
    collect(t, c, find_conflict(t, last, p), p);
    last = fill(t, c, p);
  }
  return MOHO_OK;
}

static moho_status triangulate(moho_triangles *t) {
  cavity c = {0};
  ordered *order = NULL;
  moho_status status = moho_allocate(t->n, sizeof *order, "triangulation", &order);
  if (!status) status = moho_allocate(2 * t->n + 4, sizeof *c.bad, "triangulation", &c.bad);
  if (!status) status = moho_allocate(2 * t->n + 4, 4 * sizeof *c.edges, "triangulation", &c.edges);
  if (!status) status = moho_allocate(2 * t->n + 4, 1, "triangulation", &c.is_bad);
  if (!status) status = moho_allocate(t->n + 1, sizeof *c.made_at, "triangulation", &c.made_at);
  if (!status) status = insert_all(t, order, &c);
  free(order), free(c.bad), free(c.edges), free(c.is_bad), free(c.made_at);
  return status;
}

/* ---- making ---- */

static void extent(size_t n, const double *values, double *low, double *high) {
  *low = *high = values[0];
  for (size_t i = 1; i < n; i++) *low = fmin(*low, values[i]), *high = fmax(*high, values[i]);
}

/* Whole steps of 2^(exponent - 29) m, where the extent is less than 2^exponent m. */
typedef struct lattice {
  double x0, y0, high_x, high_y;
  int exponent;
} lattice;

static lattice lattice_of(size_t n, const double *x, const double *y) {
  lattice l;
  extent(n, x, &l.x0, &l.high_x);
  extent(n, y, &l.y0, &l.high_y);
  frexp(fmax(l.high_x - l.x0, l.high_y - l.y0), &l.exponent);
  return l;
}

static int32_t step_of(double position, double origin, int exponent) {
  return (int32_t)lrint(ldexp(position - origin, 29 - exponent));
}

moho_status moho_points_find_equal(size_t n, const double *x, const double *y, int *found, size_t pair[2]) {
  ordered *order;
  *found = 0;
  if (n < 2) return MOHO_OK;
  MOHO_TRY(moho_allocate(n, sizeof *order, "positions", &order));
  lattice l = lattice_of(n, x, y);
  for (size_t i = 0; i < n; i++) {
    uint32_t ix = (uint32_t)step_of(x[i], l.x0, l.exponent), iy = (uint32_t)step_of(y[i], l.y0, l.exponent);
    order[i] = (ordered){(uint64_t)iy << 32 | ix, (int32_t)i};
  }
  qsort(order, n, sizeof *order, by_key);
  for (size_t i = 1; i < n && !*found; i++)
    if (order[i].key == order[i - 1].key) *found = 1, pair[0] = (size_t)order[i - 1].point, pair[1] = (size_t)order[i].point;
  free(order);
  return MOHO_OK;
}

static void place_on_lattice(moho_triangles *t, const double *x, const double *y) {
  lattice l = lattice_of(t->n, x, y);
  t->x0 = l.x0, t->y0 = l.y0;
  for (size_t i = 0; i < t->n; i++) {
    t->x[i] = x[i] - l.x0, t->y[i] = y[i] - l.y0;
    t->ix[i] = step_of(x[i], l.x0, l.exponent), t->iy[i] = step_of(y[i], l.y0, l.exponent);
  }
  t->cell_x = fmax((l.high_x - l.x0) / (double)t->cells, 1e-9), t->cell_y = fmax((l.high_y - l.y0) / (double)t->cells, 1e-9);
  t->slack = 2e-15 * fmax(l.high_x - l.x0, l.high_y - l.y0) * fmax(l.high_x - l.x0, l.high_y - l.y0);
}

static moho_status allocate(moho_triangles *t) {
  MOHO_TRY(moho_allocate(t->n, sizeof(double), "triangulation", &t->x));
  MOHO_TRY(moho_allocate(t->n, sizeof(double), "triangulation", &t->y));
  MOHO_TRY(moho_allocate(t->n, sizeof(int32_t), "triangulation", &t->ix));
  MOHO_TRY(moho_allocate(t->n, sizeof(int32_t), "triangulation", &t->iy));
  MOHO_TRY(moho_allocate(2 * t->n + 4, sizeof(triangle), "triangulation", &t->all));
  return moho_allocate(t->cells * t->cells, sizeof(int32_t), "triangulation", &t->start);
}

moho_status moho_triangles_create(size_t n, const double *x, const double *y, moho_triangles **out) {
  *out = NULL;
  if (n < 3 || n > (size_t)1 << 30) return moho_fail(MOHO_ERROR_ARGUMENT, "%zu points, expected 3 to 2^30", n);
  moho_triangles *t;
  MOHO_TRY(moho_allocate(1, sizeof *t, "triangulation", &t));
  t->n = n;
  t->cells = (size_t)fmin(ceil(sqrt((double)n)), 1024);
  moho_status status = allocate(t);
  if (!status) {
    place_on_lattice(t, x, y);
    status = triangulate(t);
  }
  if (!status) status = moho_triangles_prepare_places(t);
  if (status) moho_triangles_destroy(&t);
  *out = t;
  return status;
}

void moho_triangles_destroy(moho_triangles **triangles) {
  moho_triangles *t = *triangles;
  if (!t) return;
  free(t->x), free(t->y), free(t->ix), free(t->iy), free(t->all), free(t->start);
  free(t->chords), free(t->chain_point), free(t->chain_at), free(t->sliver);
  free(t);
  *triangles = NULL;
}
