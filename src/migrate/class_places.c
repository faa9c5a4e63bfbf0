/* class_places.c - how many traces of an offset class share a midpoint. */
#include "migrate/class_places.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { COUNTED_HITS = 64 };

static int compare_cells(double ax, double ay, double bx, double by) {
  if (ax != bx) return ax < bx ? -1 : 1;
  return (ay > by) - (ay < by);
}

static int compare_points(const void *left, const void *right) {
  const moho_point *a = left, *b = right;
  return compare_cells(a->x, a->y, b->x, b->y);
}

static int compare_places(const void *left, const void *right) {
  const moho_midpoint_place *a = left, *b = right;
  return compare_cells(a->x, a->y, b->x, b->y);
}

static moho_point cell_of_point(const moho_class_places *places, moho_point at) {
  return (moho_point){moho_midpoint_cell(at.x, places->first_x), moho_midpoint_cell(at.y, places->first_y)};
}

/* Calls for each place of sorted cells: counts them by their hits, and where `others` is not NULL lists those of unusual ones. */
static void walk_places(const moho_point *cells, size_t n, moho_class_places *out, size_t histogram[COUNTED_HITS],
                        moho_midpoint_place *others) {
  out->n = out->n_others = 0;
  for (size_t i = 0, next; i < n; i = next) {
    for (next = i + 1; next < n && compare_points(&cells[i], &cells[next]) == 0;) next++;
    size_t hits = next - i;
    out->n++;
    histogram[hits < COUNTED_HITS ? hits : 0]++;
    if (hits == out->usual) continue;
    if (others) others[out->n_others] = (moho_midpoint_place){cells[i].x, cells[i].y, hits};
    out->n_others++;
  }
}

moho_status moho_class_places_create(const moho_point *points, size_t n, moho_point *scratch, moho_class_places *out) {
  size_t histogram[COUNTED_HITS] = {0};
  *out = (moho_class_places){.usual = 1};
  if (!n) return MOHO_OK;
  out->first_x = points[0].x, out->first_y = points[0].y;
  for (size_t i = 1; i < n; i++) out->first_x = fmin(out->first_x, points[i].x), out->first_y = fmin(out->first_y, points[i].y);
  for (size_t i = 0; i < n; i++) scratch[i] = cell_of_point(out, points[i]);
  qsort(scratch, n, sizeof *scratch, compare_points);
  walk_places(scratch, n, out, histogram, NULL);
  for (size_t hits = 1; hits < COUNTED_HITS; hits++)
    if (histogram[hits] > histogram[out->usual]) out->usual = hits;
  walk_places(scratch, n, out, histogram, NULL);
  if (!out->n_others) return MOHO_OK;
  MOHO_TRY(moho_allocate(out->n_others, sizeof *out->others, "midpoints", &out->others));
  walk_places(scratch, n, out, histogram, out->others);
  return MOHO_OK;
}

void moho_class_places_release(moho_class_places *places) {
  free(places->others);
  *places = (moho_class_places){0};
}

size_t moho_class_places_hits(const moho_class_places *places, moho_point at) {
  moho_point cell = cell_of_point(places, at);
  moho_midpoint_place key = {.x = cell.x, .y = cell.y};
  const moho_midpoint_place *found =
      places->n_others ? bsearch(&key, places->others, places->n_others, sizeof key, compare_places) : NULL;
  return found ? found->hits : places->usual;
}
