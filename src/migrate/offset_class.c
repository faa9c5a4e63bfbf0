/* offset_class.c - classes of |offset| and the midpoint spacing of each. */
#include "migrate/offset_class.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/midpoint_area.h"

enum { MAX_CLASSES = 256, MIN_TRACES = 3, MOST_METRES = 10000000, FEW_TRACES = 10000, MIN_LOCAL = 100 };
#define FILLS_HULL 1.03

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Each of the numbers once, ascending; the count. */
static size_t sort_out(double *metres, size_t n) {
  qsort(metres, n, sizeof *metres, compare_doubles);
  size_t different = 0;
  for (size_t i = 0; i < n; i++)
    if (!different || metres[i] != metres[different - 1]) metres[different++] = metres[i];
  return different;
}

/* The same for whole numbers that are not far apart, without sorting millions of traces. */
static moho_status tick_off(double *metres, size_t n, double smallest, double largest, size_t *different) {
  size_t places = (size_t)(largest - smallest) + 1;
  uint8_t *seen;
  MOHO_TRY(moho_allocate(places, 1, "offset classes", &seen));
  for (size_t i = 0; i < n; i++) seen[(size_t)(metres[i] - smallest)] = 1;
  *different = 0;
  for (size_t k = 0; k < places; k++)
    if (seen[k]) metres[(*different)++] = smallest + (double)k;
  free(seen);
  return MOHO_OK;
}

/* Median of the steps between occupied whole-metre offsets, at least range/MAX_CLASSES; `metres` [n] is overwritten. */
static moho_status median_step(double *metres, size_t n, double smallest, double largest, double *out) {
  size_t different;
  if (largest - smallest < MOST_METRES) MOHO_TRY(tick_off(metres, n, smallest, largest, &different));
  else different = sort_out(metres, n);
  *out = 1;
  if (different < 2) return MOHO_OK;
  size_t steps = different - 1;
  for (size_t i = 0; i < steps; i++) metres[i] = metres[i + 1] - metres[i];
  qsort(metres, steps, sizeof *metres, compare_doubles);
  *out = fmax(0.5 * (metres[(steps - 1) / 2] + metres[steps / 2]), (largest - smallest) / MAX_CLASSES);
  return MOHO_OK;
}

/* Classes are centred on the smallest offset, so that offsets a step apart lie in the middle of theirs. */
static moho_status divide(const moho_geometry *geometry, moho_offset_classes *out) {
  double *metres, smallest = INFINITY, largest = 0;
  size_t live = 0;
  MOHO_TRY(moho_allocate(geometry->n + 1, sizeof *metres, "offset classes", &metres));
  for (size_t i = 0; i < geometry->n; i++) {
    if (!moho_geometry_is_live(geometry, i)) continue;
    double offset = moho_geometry_offset(geometry, i);
    smallest = fmin(smallest, round(offset)), largest = fmax(largest, offset);
    metres[live++] = round(offset);
  }
  out->width_m = 1;
  moho_status status = live ? median_step(metres, live, smallest, round(largest), &out->width_m) : MOHO_OK;
  out->first_m = live ? smallest - 0.5 * out->width_m : 0;
  out->n = live ? (size_t)((largest - out->first_m) / out->width_m) + 1 : 1;
  free(metres);
  return status;
}

static int takes_part(const moho_offset_classes *classes, const moho_geometry *geometry, size_t trace) {
  return moho_geometry_is_live(geometry, trace) &&
         (!classes->bins || moho_gather_bin_of_trace(classes->bins, &classes->axes, geometry, trace) >= 0);
}

/* Traces of each class together: members [first[c], first[c+1]). */
static moho_status sort_into_classes(const moho_geometry *geometry, const moho_offset_classes *classes, size_t **members,
                                     size_t **first) {
  MOHO_TRY(moho_allocate(geometry->n + 1, sizeof **members, "offset classes", members));
  MOHO_TRY(moho_allocate(classes->n + 2, sizeof **first, "offset classes", first));
  size_t *next = *first + 1; /* counts, then where each class goes on; at the end where it ends */
  for (size_t i = 0; i < geometry->n; i++)
    if (takes_part(classes, geometry, i)) next[moho_offset_class_of_trace(classes, geometry, i) + 1]++;
  for (size_t c = 0; c < classes->n; c++) {
    classes->traces[c] = next[c + 1];
    next[c + 1] += next[c];
  }
  for (size_t i = 0; i < geometry->n; i++)
    if (takes_part(classes, geometry, i)) (*members)[next[moho_offset_class_of_trace(classes, geometry, i)]++] = i;
  return MOHO_OK;
}

static moho_point midpoint(const moho_geometry *geometry, size_t i) {
  return (moho_point){0.5 * (geometry->source_x[i] + geometry->receiver_x[i]),
                      0.5 * (geometry->source_y[i] + geometry->receiver_y[i])};
}

/* positions, scratch [n] */
static double spacing_along_line(const moho_geometry *geometry, const moho_grid *grid, const size_t *members, size_t n,
                                 double *positions, double *scratch) {
  for (size_t k = 0; k < n; k++) {
    moho_point at = midpoint(geometry, members[k]);
    double inline_node, crossline_node;
    moho_grid_locate(grid, at.x, at.y, &inline_node, &crossline_node);
    positions[k] = grid->n_inline > 1 ? inline_node * grid->inline_spacing_m : crossline_node * grid->crossline_spacing_m;
  }
  return moho_line_spacing(positions, n, scratch);
}

/* The hull is exact where a survey fills it; where it does not, the local density says more. points, scratch [n + 1] */
static moho_status spacing_of_area(const moho_geometry *geometry, const size_t *members, size_t n, moho_point *points,
                                   moho_point *scratch, double *out) {
  double local;
  for (size_t k = 0; k < n; k++) points[k] = midpoint(geometry, members[k]);
  *out = moho_midpoint_spacing(points, n, scratch);
  if (n < MIN_LOCAL || *out == 0) return MOHO_OK;
  for (size_t k = 0; k < n; k++) points[k] = midpoint(geometry, members[k]);
  MOHO_TRY(moho_local_spacing(points, n, *out, &local));
  if (*out > FILLS_HULL * local) *out = local;
  return MOHO_OK;
}

/* 0 where the members do not say. points, scratch [n + 1]. */
static moho_status class_spacing(const moho_geometry *geometry, const moho_grid *grid, int is_line, const size_t *members,
                                 size_t n, moho_point *points, moho_point *scratch, double *out) {
  *out = 0;
  if (n < MIN_TRACES) return MOHO_OK;
  if (!is_line) return spacing_of_area(geometry, members, n, points, scratch, out);
  *out = spacing_along_line(geometry, grid, members, n, (double *)points, (double *)scratch);
  return MOHO_OK;
}

/* Nearest class that has a spacing of its own; between two equally near the one of smaller offset. Without any: the grid's. */
static double borrowed_spacing(const double *own, size_t n, size_t c, const moho_grid *grid, int is_line) {
  for (size_t away = 1; away < n; away++) {
    if (c >= away && own[c - away] > 0) return own[c - away];
    if (c + away < n && own[c + away] > 0) return own[c + away];
  }
  if (!is_line) return sqrt(grid->inline_spacing_m * grid->crossline_spacing_m);
  return grid->n_inline > 1 ? grid->inline_spacing_m : grid->crossline_spacing_m;
}

static moho_status measure_classes(const moho_geometry *geometry, const moho_grid *grid, moho_offset_classes *out) {
  size_t *members = NULL, *first = NULL;
  moho_point *points = NULL, *scratch = NULL;
  double *own = NULL;
  moho_error error = {0};
  moho_status status = sort_into_classes(geometry, out, &members, &first);
  if (!status) status = moho_allocate(geometry->n + out->n, sizeof *points, "offset classes", &points);
  if (!status) status = moho_allocate(geometry->n + out->n, sizeof *scratch, "offset classes", &scratch);
  if (!status) status = moho_allocate(out->n, sizeof *own, "offset classes", &own);
  if (!status) {
    /* Each class in its own part of the arrays, with room for one point more than it has traces. */
#pragma omp parallel for schedule(dynamic, 1) if (geometry->n > FEW_TRACES)
    for (size_t c = 0; c < out->n; c++) {
      moho_status of_class = class_spacing(geometry, grid, out->is_line, members + first[c], out->traces[c],
                                           points + first[c] + c, scratch + first[c] + c, &own[c]);
      if (of_class) {
#pragma omp critical(moho_migration_error)
        if (!status) status = of_class, error = moho_error_take();
      }
    }
    if (status) moho_error_set(&error);
    for (size_t c = 0; c < out->n; c++)
      out->spacing_m[c] = own[c] > 0 ? own[c] : borrowed_spacing(own, out->n, c, grid, out->is_line);
  }
  free(members), free(first), free(points), free(scratch), free(own);
  return status;
}

moho_status moho_offset_classes_create(const moho_geometry *geometry, const moho_grid *grid, int is_line,
                                       const moho_gather_bins *bins, moho_offset_classes *out) {
  *out = (moho_offset_classes){.axes = *grid, .is_line = is_line};
  out->axes.line_x_m = out->axes.line_y_m = NULL;
  if (bins && (bins->kind == MOHO_GATHERS_OFFSET || bins->kind == MOHO_GATHERS_OVT)) {
    out->bins = bins;
    out->n = moho_gather_bins_count(bins);
  } else {
    MOHO_TRY(divide(geometry, out));
  }
  moho_status status = moho_allocate(out->n, sizeof *out->spacing_m, "offset classes", &out->spacing_m);
  if (!status) status = moho_allocate(out->n, sizeof *out->traces, "offset classes", &out->traces);
  if (!status) status = measure_classes(geometry, grid, out);
  if (status) moho_offset_classes_release(out);
  return status;
}

moho_status moho_offset_classes_find_places(moho_offset_classes *classes, const moho_geometry *geometry) {
  size_t *members = NULL, *first = NULL;
  moho_point *points = NULL, *scratch = NULL;
  moho_status status = sort_into_classes(geometry, classes, &members, &first);
  if (!status) status = moho_allocate(geometry->n + 1, sizeof *points, "offset classes", &points);
  if (!status) status = moho_allocate(geometry->n + 1, sizeof *scratch, "offset classes", &scratch);
  if (!status) status = moho_allocate(classes->n, sizeof *classes->places, "offset classes", &classes->places);
  for (size_t c = 0; !status && c < classes->n; c++) {
    for (size_t k = 0; k < classes->traces[c]; k++) points[k] = midpoint(geometry, members[first[c] + k]);
    status = moho_class_places_create(points, classes->traces[c], scratch, &classes->places[c]);
  }
  free(members), free(first), free(points), free(scratch);
  return status;
}

double moho_offset_class_share(const moho_offset_classes *classes, const moho_geometry *geometry, size_t trace) {
  size_t c = moho_offset_class_of_trace(classes, geometry, trace);
  const moho_class_places *places = &classes->places[c];
  double spacing = classes->spacing_m[c], of_trace = classes->is_line ? spacing : spacing * spacing;
  if (!places->n) return of_trace;
  return of_trace * (double)classes->traces[c] / (double)places->n /
         (double)moho_class_places_hits(places, midpoint(geometry, trace));
}

void moho_offset_classes_release(moho_offset_classes *classes) {
  for (size_t c = 0; classes->places && c < classes->n; c++) moho_class_places_release(&classes->places[c]);
  free(classes->places);
  free(classes->spacing_m), free(classes->traces);
  *classes = (moho_offset_classes){0};
}

size_t moho_offset_class_of_trace(const moho_offset_classes *classes, const moho_geometry *geometry, size_t trace) {
  if (!classes->bins) return moho_offset_class_of(classes, moho_geometry_offset(geometry, trace));
  long bin = moho_gather_bin_of_trace(classes->bins, &classes->axes, geometry, trace);
  return bin > 0 ? (size_t)bin : 0;
}

size_t moho_offset_class_of(const moho_offset_classes *classes, double offset_m) {
  double c = floor((offset_m - classes->first_m) / classes->width_m);
  if (!(c > 0)) return 0;
  return c < (double)classes->n ? (size_t)c : classes->n - 1;
}
