/* statics.h - elevations, datums, statics and lags out of trace headers, and the shift of each trace that follows from them.
 *
 * Values and shifts are worked out during the scan; shifts are applied once the traces are selected.
 */
#ifndef MOHO_SURVEY_STATICS_H
#define MOHO_SURVEY_STATICS_H

#include "survey/anomalies.h"
#include "survey/trace_header_map.h"

/* What a shift comes from; the order of moho_statics_report. */
typedef enum {
  MOHO_SHIFT_SOURCE_STATIC,
  MOHO_SHIFT_RECEIVER_STATIC,
  MOHO_SHIFT_TOTAL_STATIC,
  MOHO_SHIFT_SOURCE_ELEVATION,
  MOHO_SHIFT_RECEIVER_ELEVATION,
  MOHO_SHIFT_UPHOLE,
  MOHO_SHIFT_LAG,
  MOHO_SHIFT_CONSTANT,
  MOHO_SHIFT_COUNT
} moho_shift_kind;

_Static_assert((int)MOHO_SHIFT_COUNT == (int)MOHO_SHIFTS, "a place in the report for each");

/* Odd values, counted in a block of traces and then in the file. */
typedef enum {
  MOHO_ODD_SCALAR_ZERO,    /* elevations with scalar 0 */
  MOHO_ODD_SCALAR_UNUSUAL, /* no power of ten */
  MOHO_ODD_SCALAR_OTHER,   /* differs from that of trace 1 */
  MOHO_ODD_ELEVATION,      /* beyond 30 000 m or ft */
  MOHO_ODD_DEPTH,          /* a source above its own surface */
  MOHO_ODD_TOTAL,          /* total static is not source plus receiver static */
  MOHO_ODD_ALREADY,        /* a shift is asked for, the header says that statics were applied */
  MOHO_ODD_NOT_APPLIED,    /* statics are to be undone, the header says that none was applied */
  MOHO_ODD_NO_UPHOLE,      /* a buried source without uphole time */
  MOHO_ODD_LAG_AND_DELAY,  /* the delay counts from the source already */
  MOHO_ODD_COUNT
} moho_odd_kind;

typedef struct moho_odd {
  size_t count, first;
  double value; /* of the first */
} moho_odd;

typedef struct moho_land_block {
  moho_header_range ranges[MOHO_LAND_COUNT];
  size_t seen; /* traces in ranges */
  moho_odd odd[MOHO_ODD_COUNT];
} moho_land_block;

typedef struct moho_statics_scan {
  moho_statics asked;
  double unit_m;                    /* a unit of the file's lengths */
  double scalar_first;              /* elevation scalar of trace 1 */
  size_t n;                         /* traces */
  double *shifts[MOHO_SHIFT_COUNT]; /* [n] seconds; NULL where not asked for. NaN: cannot be told */
  moho_land_block file;
} moho_statics_scan;

const char *moho_shift_name(moho_shift_kind kind);

/* Refuses what cannot be asked for; statics NULL: nothing is shifted. has_headers 0: a file that keeps none of these. */
moho_status moho_statics_begin(const moho_statics *statics, const char *path, int has_headers, double unit_m, size_t n_traces,
                               moho_statics_scan *out);
void moho_statics_release(moho_statics_scan *scan);
size_t moho_statics_trace_bytes(const moho_statics *statics);

/* One trace: its values into the block's ranges (where it is seismic) and its shifts. Threads call it for different traces. */
void moho_statics_decode(const moho_statics_scan *scan, const uint8_t *header, const moho_header_map *map, int little,
                         double time_scalar, size_t trace, int is_seismic, moho_land_block *block);
void moho_statics_merge(moho_statics_scan *scan, const moho_land_block *block);
void moho_statics_tell(const moho_statics_scan *scan, moho_anomalies *anomalies);

/* Shift the traces of `geometry`, which are `taken` of the file (NULL: all), and report. MOHO_ERROR_FORMAT where the shift of a
 * live trace cannot be told. */
moho_status moho_statics_apply(const moho_statics_scan *scan, const char *path, const size_t *taken, moho_geometry *geometry,
                               moho_anomalies *anomalies, moho_statics_report *report);

#endif
