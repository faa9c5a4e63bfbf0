/* gather_bins.c - bins that image gathers are sorted by, and the bin of a trace. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "moho/gathers.h"

enum { MOST_BINS = 10000 };
/* Metres; far above the rounding of coordinates in the millions, far below what a survey knows. */
#define EDGE_BAND 1e-6

const char *moho_gathers_name(moho_gathers kind) {
  static const char *const names[] = {"none", "offset", "ovt", "angle"};
  return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

/* ---- edges ---- */

static moho_status check_edges(const char *key, const double *edges, size_t n, double least, double most) {
  if (!edges || n < 2 || n > MOST_BINS + 1)
    return moho_fail_at((moho_place){.key = key}, "two edges make a bin: [0, 500, 1000]", MOHO_ERROR_ARGUMENT,
                        "%s has %zu edges, expected 2 to %d", key, edges ? n : 0, MOST_BINS + 1);
  for (size_t i = 0; i < n; i++) {
    if (!(edges[i] >= least && edges[i] <= most))
      return moho_fail_at((moho_place){.key = key},
                          least == 0 ? "edges are not negative; offsets with their sign need gathers.signed: true"
                                     : "check the edge and its unit",
                          MOHO_ERROR_RANGE, "%s: edge %zu is %g, expected %g to %g", key, i + 1, edges[i], least, most);
    if (i && !(edges[i] > edges[i - 1]))
      return moho_fail_at((moho_place){.key = key}, "write each edge once, in ascending order", MOHO_ERROR_RANGE,
                          "%s: edge %zu is %g after %g, expected ascending edges", key, i + 1, edges[i], edges[i - 1]);
  }
  return MOHO_OK;
}

moho_status moho_gather_bins_check(const moho_gather_bins *bins) {
  static const double far = 1e6;
  switch (bins->kind) {
  case MOHO_GATHERS_NONE: return MOHO_OK;
  case MOHO_GATHERS_OFFSET: return check_edges("gathers.edges_m", bins->edges, bins->n_edges, bins->is_signed ? -far : 0, far);
  case MOHO_GATHERS_ANGLE: return check_edges("gathers.edges_deg", bins->edges, bins->n_edges, 0, 180);
  case MOHO_GATHERS_OVT: break;
  default:
    return moho_fail_at((moho_place){.key = "gathers.kind"}, "use one of the enum's names", MOHO_ERROR_ARGUMENT,
                        "gathers.kind is %d, expected one of its names (0 to %d)", (int)bins->kind, (int)MOHO_GATHERS_ANGLE);
  }
  MOHO_TRY(check_edges("gathers.edges_inline_m", bins->edges, bins->n_edges, -far, far));
  MOHO_TRY(check_edges("gathers.edges_crossline_m", bins->across_edges, bins->n_across_edges, -far, far));
  if (moho_gather_bins_count(bins) <= MOST_BINS) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "gathers.edges_inline_m"}, "use wider tiles", MOHO_ERROR_RANGE,
                      "%zu tiles along an inline x %zu across, expected at most %d together", bins->n_edges - 1,
                      bins->n_across_edges - 1, MOST_BINS);
}

static moho_status copy_edges(const double *from, size_t n, double **out) {
  MOHO_TRY(moho_allocate(n, sizeof **out, "edges of bins", out));
  memcpy(*out, from, n * sizeof **out);
  return MOHO_OK;
}

moho_status moho_gather_bins_copy(const moho_gather_bins *from, moho_gather_bins *to) {
  *to = (moho_gather_bins){0};
  if (!from || from->kind == MOHO_GATHERS_NONE) return MOHO_OK;
  MOHO_TRY(moho_gather_bins_check(from));
  int is_ovt = from->kind == MOHO_GATHERS_OVT;
  moho_gather_bins bins = {.kind = from->kind,
                           .is_signed = from->is_signed,
                           .n_edges = from->n_edges,
                           .n_across_edges = is_ovt ? from->n_across_edges : 0};
  moho_status status = copy_edges(from->edges, from->n_edges, &bins.edges);
  if (!status && is_ovt) status = copy_edges(from->across_edges, from->n_across_edges, &bins.across_edges);
  if (!status && from->offset_rms_m) status = copy_edges(from->offset_rms_m, moho_gather_bins_count(from), &bins.offset_rms_m);
  if (status) moho_gather_bins_release(&bins);
  *to = bins;
  return status;
}

moho_status moho_gather_bins_create(moho_gathers kind, int is_signed, const double *edges, size_t n_edges,
                                    const double *across_edges, size_t n_across_edges, moho_gather_bins *out) {
  /* The copy does not write to them. */
  moho_gather_bins bins = {.kind = kind,
                           .is_signed = is_signed,
                           .n_edges = n_edges,
                           .edges = (double *)(uintptr_t)edges,
                           .n_across_edges = n_across_edges,
                           .across_edges = (double *)(uintptr_t)across_edges};
  return moho_gather_bins_copy(&bins, out);
}

void moho_gather_bins_release(moho_gather_bins *bins) {
  free(bins->edges), free(bins->across_edges), free(bins->offset_rms_m);
  *bins = (moho_gather_bins){0};
}

/* ---- bins ---- */

size_t moho_gather_bins_count(const moho_gather_bins *bins) {
  if (!bins || bins->kind == MOHO_GATHERS_NONE) return 0;
  return (bins->n_edges - 1) * (bins->kind == MOHO_GATHERS_OVT ? bins->n_across_edges - 1 : 1);
}

void moho_gather_bin_vector(const moho_gather_bins *bins, size_t bin, double *along, double *across) {
  size_t n_across = bins->kind == MOHO_GATHERS_OVT ? bins->n_across_edges - 1 : 1, i = bin / n_across, j = bin % n_across;
  *along = 0.5 * (bins->edges[i] + bins->edges[i + 1]);
  *across = bins->kind == MOHO_GATHERS_OVT ? 0.5 * (bins->across_edges[j] + bins->across_edges[j + 1]) : 0;
}

double moho_gather_bin_centre(const moho_gather_bins *bins, size_t bin) {
  double along, across;
  moho_gather_bin_vector(bins, bin, &along, &across);
  return bins->kind == MOHO_GATHERS_OVT ? hypot(along, across) : along;
}

/* -1 outside [edges[0], edges[n - 1]). */
static long bin_of(const double *edges, size_t n, double value) {
  value += EDGE_BAND;
  if (!(value >= edges[0] && value < edges[n - 1])) return -1;
  size_t low = 0, high = n - 1;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (value >= edges[middle]) low = middle;
    else high = middle;
  }
  return (long)low;
}

void moho_grid_offset_vector(const moho_grid *grid, const moho_geometry *geometry, size_t trace, double *along, double *across) {
  double a = grid->inline_azimuth_deg * (3.14159265358979323846 / 180);
  double dx = geometry->receiver_x[trace] - geometry->source_x[trace],
         dy = geometry->receiver_y[trace] - geometry->source_y[trace];
  *along = dx * sin(a) + dy * cos(a);
  *across = (dx * cos(a) - dy * sin(a)) * (grid->flip ? -1 : 1);
}

/* An offset square to the inlines, to rounding, is positive. */
static double signed_offset(const moho_grid *grid, const moho_geometry *geometry, size_t trace) {
  double along, across;
  moho_grid_offset_vector(grid, geometry, trace, &along, &across);
  return copysign(moho_geometry_offset(geometry, trace), along < -EDGE_BAND ? -1.0 : 1.0);
}

long moho_gather_bin_of_trace(const moho_gather_bins *bins, const moho_grid *grid, const moho_geometry *geometry, size_t trace) {
  double along, across;
  if (bins->kind == MOHO_GATHERS_OFFSET)
    return bin_of(bins->edges, bins->n_edges,
                  bins->is_signed ? signed_offset(grid, geometry, trace) : moho_geometry_offset(geometry, trace));
  if (bins->kind != MOHO_GATHERS_OVT) return -1;
  moho_grid_offset_vector(grid, geometry, trace, &along, &across);
  long i = bin_of(bins->edges, bins->n_edges, along), j = bin_of(bins->across_edges, bins->n_across_edges, across);
  return i < 0 || j < 0 ? -1 : i * (long)(bins->n_across_edges - 1) + j;
}

moho_status moho_gather_bins_measure(moho_gather_bins *bins, const moho_grid *grid, const moho_geometry *geometry,
                                     size_t *outside) {
  size_t n = moho_gather_bins_count(bins), *traces;
  *outside = 0;
  if (!n || bins->kind == MOHO_GATHERS_ANGLE) return MOHO_OK;
  free(bins->offset_rms_m), bins->offset_rms_m = NULL;
  MOHO_TRY(moho_allocate(n, sizeof *traces, "traces of bins", &traces));
  moho_status status = moho_allocate(n, sizeof(double), "offsets of bins", &bins->offset_rms_m);
  for (size_t i = 0; !status && i < geometry->n; i++) {
    if (!moho_geometry_is_live(geometry, i)) continue;
    long bin = moho_gather_bin_of_trace(bins, grid, geometry, i);
    double offset = moho_geometry_offset(geometry, i);
    if (bin < 0) ++*outside;
    else bins->offset_rms_m[bin] += offset * offset, traces[bin]++;
  }
  for (size_t b = 0; !status && b < n; b++)
    bins->offset_rms_m[b] = traces[b] ? sqrt(bins->offset_rms_m[b] / (double)traces[b]) : fabs(moho_gather_bin_centre(bins, b));
  free(traces);
  return status;
}
