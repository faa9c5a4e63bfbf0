/* header_scan.h - all trace headers of a file, read in parallel and decoded into columns, with counts of what is odd.
 */
#ifndef MOHO_SURVEY_HEADER_SCAN_H
#define MOHO_SURVEY_HEADER_SCAN_H

#include "survey/header_columns.h"
#include "survey/segy_layout.h"
#include "survey/statics.h"

typedef enum {
  MOHO_TALLY_SAMPLES,        /* ns differs from the one used; value: the trace's */
  MOHO_TALLY_INTERVAL,       /* dt likewise */
  MOHO_TALLY_SCALAR_ZERO,    /* coordinate scalar 0: means 1 */
  MOHO_TALLY_SCALAR_OTHER,   /* differs from that of trace 1 */
  MOHO_TALLY_SCALAR_UNUSUAL, /* no power of ten */
  MOHO_TALLY_TIME_SCALAR,    /* bytes 215-216 hold no power of ten: ignored */
  MOHO_TALLY_DEAD,
  MOHO_TALLY_NOT_SEISMIC, /* value: the identification */
  MOHO_TALLY_GEOGRAPHIC,  /* coordinate units 2 or 3 (4: degrees, minutes, seconds); value: the code */
  MOHO_TALLY_MUTE,        /* true mutes: end > start */
  MOHO_TALLY_MUTE_UNTRUE, /* end <= start, not both 0 */
  MOHO_TALLY_WRAPPED,     /* a coordinate jumps from one end of the 16-bit range to the other */
  MOHO_TALLY_NOT_FINITE,  /* a coordinate is NaN or Inf */
  MOHO_TALLY_COUNT
} moho_tally_kind;

typedef struct moho_tally {
  size_t count, first;
  double value; /* of the first */
} moho_tally;

/* Columns [trace] in the file's units, coordinates scaled; owned. */
typedef struct moho_header_scan {
  moho_geometry geometry;                       /* source, receiver, first sample, mutes, numbers, flags */
  double *cdp_x, *cdp_y, *offset, *azimuth_deg; /* azimuth_deg: NULL where the map has none */
  moho_tally tallies[MOHO_TALLY_COUNT];
  int beyond_int16;             /* a raw coordinate outside -32768..32767 was seen */
  double scalar_first;          /* coordinate scalar of trace 1 */
  moho_header_columns *columns; /* headers that others asked for; BORROW */
  moho_statics_scan *statics;   /* shifts asked for; BORROW */
  char hash[65];                /* SHA-256 over size, binary header and the SHA-256 of each block of 4096 trace headers */
} moho_header_scan;

/* columns and statics (begun) are filled on the way. */
moho_status moho_header_scan_run(int file, const char *path, const moho_segy_layout *layout, const moho_header_map *map,
                                 const moho_traces_options *options, moho_header_columns *columns, moho_statics_scan *statics,
                                 moho_header_scan *out);
void moho_header_scan_release(moho_header_scan *scan);

#endif
