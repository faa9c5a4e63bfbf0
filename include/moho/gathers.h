/* gathers.h - bins that image gathers are sorted by: offset, offset-vector tile, opening angle.
 *
 * A bin holds [lo, hi) between neighbouring edges. Offsets and tiles belong to a trace, the opening angle to a sample of it:
 * the angle at the image point between the ray to the source and the ray to the receiver, twice the angle of incidence.
 * An edge takes what lies less than a micrometre (1e-12 in the cosine) below it: positions on a lattice, turned to any
 * azimuth, fall into the bin that they lie in before the turn.
 */
#ifndef MOHO_GATHERS_H
#define MOHO_GATHERS_H

#include "moho/grid.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { MOHO_GATHERS_NONE, MOHO_GATHERS_OFFSET, MOHO_GATHERS_OVT, MOHO_GATHERS_ANGLE } moho_gathers;

typedef struct moho_gather_bins {
  moho_gathers kind;
  int is_signed;         /* offset: negative where the receiver lies towards smaller crossline numbers than the source */
  size_t n_edges;        /* one more than there are bins */
  double *edges;         /* ascending; offset: m; angle: degrees, 0..180; OVT: of the offset along an inline, m */
  size_t n_across_edges; /* OVT: */
  double *across_edges;  /* of the offset across inlines, m; bin = along * (n_across_edges - 1) + across */
  double *offset_rms_m;  /* [bins] r.m.s. offset of the traces that fell into a bin, its centre where none did; NULL: not known */
} moho_gather_bins;

/** COPY of the edges; across_edges may be NULL but for OVT. @return MOHO_ERROR_ARGUMENT, MOHO_ERROR_RANGE naming the bad edge */
MOHO_API moho_status moho_gather_bins_create(moho_gathers kind, int is_signed, const double *edges, size_t n_edges,
                                             const double *across_edges, size_t n_across_edges, moho_gather_bins *out);
MOHO_API moho_status moho_gather_bins_copy(const moho_gather_bins *from, moho_gather_bins *to);
MOHO_API void moho_gather_bins_release(moho_gather_bins *bins);
MOHO_API moho_status moho_gather_bins_check(const moho_gather_bins *bins);

/** 0 where there are no gathers. */
MOHO_API size_t moho_gather_bins_count(const moho_gather_bins *bins);
/** Middle of a bin: m or degrees; of a tile the length of the offset vector at its middle. */
MOHO_API double moho_gather_bin_centre(const moho_gather_bins *bins, size_t bin);
/** Middle of a tile along an inline and across inlines, m; other bins: their middle, and 0. */
MOHO_API void moho_gather_bin_vector(const moho_gather_bins *bins, size_t bin, double *along, double *across);
/** The bin of a trace by offset or tile; -1 outside all. Angles: not known of a whole trace, -1. */
MOHO_API long moho_gather_bin_of_trace(const moho_gather_bins *bins, const moho_grid *grid, const moho_geometry *geometry,
                                       size_t trace);

/** bins->offset_rms_m from the live traces of a survey; *outside: how many of them fall into no bin. Angles: nothing. */
MOHO_API moho_status moho_gather_bins_measure(moho_gather_bins *bins, const moho_grid *grid, const moho_geometry *geometry,
                                              size_t *outside);

/** Receiver - source, along an inline (positive: towards larger crossline numbers) and across inlines (towards larger inline
 * numbers), m. */
MOHO_API void moho_grid_offset_vector(const moho_grid *grid, const moho_geometry *geometry, size_t trace, double *along,
                                      double *across);

/** "none", "offset", "ovt", "angle" */
MOHO_API const char *moho_gathers_name(moho_gathers kind);

#ifdef __cplusplus
}
#endif
#endif
