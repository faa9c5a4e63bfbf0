/* grid_estimate_merge.c - positions that differ by the rounding of their headers are one.
 *
 * Coordinates are whole centimetres, decimetres or metres: off the axes, midpoints of one bin then differ by half such a step
 * or more, and every midpoint has a neighbour that tells nothing of the bins. Such neighbours show as a gap in the distances:
 * once they are joined, the next ones are much farther. Where there is no gap (irregular positions) nothing is joined.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/grid_estimate.h"

/* Errors of two midpoints are up to one step of the headers in x and in y; the nearest neighbours are half a step away:
 * joined within 3 half steps. Farther than this no rounding reaches. */
static const double most_radius_m = 3, steps_in_radius = 3, clear_gap = 2.5;
enum { SAMPLE = 2000 };

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* The distance to the nearest neighbour that one position in twenty does not reach; 0 when there are no neighbours. */
static moho_status low_spacing(const moho_positions *p, double *out) {
  size_t count = p->n < SAMPLE ? p->n : SAMPLE, found = 0;
  double *distance, dx, dy;
  *out = 0;
  MOHO_TRY(moho_allocate(count, sizeof *distance, "positions", &distance));
  for (size_t s = 0; s < count; s++)
    if (moho_positions_nearest(p, (size_t)((double)s * (double)p->n / (double)count), &dx, &dy))
      distance[found++] = hypot(dx, dy);
  if (found) {
    qsort(distance, found, sizeof *distance, ascending);
    *out = distance[found / 20];
  }
  free(distance);
  return MOHO_OK;
}

/* ---- joining ---- */

typedef struct member {
  double column, row; /* of the cell, a radius wide */
  size_t index, group;
} member;

static int by_cell(const void *a, const void *b) {
  const member *p = a, *q = b;
  if (p->column != q->column) return p->column < q->column ? -1 : 1;
  if (p->row != q->row) return p->row < q->row ? -1 : 1;
  return (p->index > q->index) - (p->index < q->index);
}

static size_t first_of_cell(const member *members, size_t n, double column, double row) {
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const member *m = &members[middle];
    if (m->column < column || (m->column == column && m->row < row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

static size_t leader(member *members, size_t k) {
  while (members[k].group != k) k = members[k].group = members[members[k].group].group;
  return k;
}

/* Joins member k with those of one cell that lie within the radius. */
static void join_cell(const moho_positions *p, member *members, size_t k, double column, double row, double radius) {
  for (size_t j = first_of_cell(members, p->n, column, row); j < p->n && members[j].column == column && members[j].row == row;
       j++) {
    size_t a = members[k].index, b = members[j].index;
    if (j != k && hypot(p->x[a] - p->x[b], p->y[a] - p->y[b]) <= radius) members[leader(members, j)].group = leader(members, k);
  }
}

typedef struct sum {
  double x, y;
  size_t n;
} sum;

static int by_x_then_y(const void *a, const void *b) {
  const sum *p = a, *q = b;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->y > q->y) - (p->y < q->y);
}

/* Means of the groups, sorted as positions are. */
static moho_status means(const moho_positions *p, member *members, sum *sums, moho_positions *out) {
  size_t n = 0;
  for (size_t k = 0; k < p->n; k++) {
    sum *s = &sums[leader(members, k)];
    s->x += p->x[members[k].index], s->y += p->y[members[k].index], s->n++;
  }
  for (size_t k = 0; k < p->n; k++)
    if (sums[k].n) sums[n++] = (sum){sums[k].x / (double)sums[k].n, sums[k].y / (double)sums[k].n, sums[k].n};
  qsort(sums, n, sizeof *sums, by_x_then_y);
  moho_status status = moho_allocate(n, sizeof(double), "positions", &out->x);
  if (!status) status = moho_allocate(n, sizeof(double), "positions", &out->y);
  for (size_t i = 0; !status && i < n; i++) out->x[i] = sums[i].x, out->y[i] = sums[i].y;
  out->n = status ? 0 : n;
  return status;
}

static moho_status joined_within(const moho_positions *p, double radius, moho_positions *out) {
  member *members = NULL;
  sum *sums = NULL;
  moho_status status = moho_allocate(p->n, sizeof *members, "positions", &members);
  if (!status) status = moho_allocate(p->n, sizeof *sums, "positions", &sums);
  for (size_t i = 0; !status && i < p->n; i++)
    members[i] = (member){floor(p->x[i] / radius), floor(p->y[i] / radius), i, 0}, sums[i] = (sum){0, 0, 0};
  if (!status) {
    qsort(members, p->n, sizeof *members, by_cell);
    for (size_t k = 0; k < p->n; k++) members[k].group = k;
    for (size_t k = 0; k < p->n; k++) /* the other half of the neighbouring cells look back at this one */
      for (int c = 0; c < 5; c++) {
        static const double across[5] = {0, 0, 1, 1, 1}, up[5] = {0, 1, -1, 0, 1};
        join_cell(p, members, k, members[k].column + across[c], members[k].row + up[c], radius);
      }
    status = means(p, members, sums, out);
  }
  free(members), free(sums);
  return status;
}

moho_status moho_positions_join_rounded(moho_positions *p) {
  double low, next;
  moho_positions joined = {0};
  MOHO_TRY(low_spacing(p, &low));
  double radius = steps_in_radius * low;
  if (p->n < 8 || !(low > 0) || radius > most_radius_m) return MOHO_OK;
  moho_status status = joined_within(p, radius, &joined);
  if (!status) status = low_spacing(&joined, &next);
  if (!status && next > clear_gap * radius) {
    moho_positions_release(p);
    *p = joined;
    return MOHO_OK;
  }
  moho_positions_release(&joined);
  return status;
}
