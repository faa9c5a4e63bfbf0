/* traces.h - prestack traces: their geometry, and files of them (SEG-Y, SU, Zarr) read and written.
 *
 * Axes: traces [trace, time], time fastest. A trace's sample j is at first_sample_s + j*dt_s. Coordinates are metres,
 * double, in the survey's CRS. Trace indices are 0-based in calls, trace numbers 1-based in messages.
 */
#ifndef MOHO_TRACES_H
#define MOHO_TRACES_H

#include "moho/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {                             /* geometry.flags */
       MOHO_TRACE_DEAD = 1,        /* trace identification 2, or all samples zero once read */
       MOHO_TRACE_NOT_SEISMIC = 2, /* trace identification neither seismic (1, SEG-Y also 11, 12), unknown (0, -1) nor dead */
       MOHO_TRACE_NO_POSITION = 4, /* no usable coordinates */
       MOHO_TRACE_BAD = 8          /* NaN or Inf samples, set to zero on request */
};

/* Where each trace was shot and recorded: arrays of length n. */
typedef struct moho_geometry {
  size_t n;
  double *source_x, *source_y, *receiver_x, *receiver_y; /* metres */
  double *first_sample_s;                                /* time of sample 0 (delay recording time) */
  float *mute_start_s, *mute_end_s; /* header mute (bytes 111, 113): samples in [start, end] are muted; end <= 0: none */
  int32_t *cdp, *inline_number, *crossline_number; /* 0 where the file has none */
  uint8_t *flags;                                  /* MOHO_TRACE_... */
} moho_geometry;

MOHO_API moho_status moho_geometry_create(size_t n, moho_geometry *out); /* zeroed arrays */
MOHO_API void moho_geometry_release(moho_geometry *geometry);
/** Keep only the traces kept[0..n), ascending; the others are dropped. After an error the geometry must be released. */
MOHO_API moho_status moho_geometry_keep(moho_geometry *geometry, const size_t *kept, size_t n);
/** Traces [first, first+n) of `all`, pointing into it (BORROW: do not release). */
MOHO_API moho_geometry moho_geometry_slice(const moho_geometry *all, size_t first, size_t n);
/** 1 when a trace takes part in a migration: no flag but MOHO_TRACE_BAD. */
MOHO_API int moho_geometry_is_live(const moho_geometry *geometry, size_t trace);
MOHO_API double moho_geometry_offset(const moho_geometry *geometry, size_t trace);      /* |s-r|, m */
MOHO_API double moho_geometry_azimuth_deg(const moho_geometry *geometry, size_t trace); /* source to receiver, 0..360 */

/* ---- reading ---- */

typedef struct moho_traces moho_traces; /* an open trace file; reading is thread safe */

typedef enum { MOHO_TRACE_FILE_SEGY, MOHO_TRACE_FILE_SU, MOHO_TRACE_FILE_ZARR } moho_trace_file;
typedef enum { MOHO_UNITS_AUTO, MOHO_UNITS_M, MOHO_UNITS_FT } moho_units;
typedef enum { MOHO_GEOMETRY_AUTO, MOHO_GEOMETRY_SOURCE_RECEIVER, MOHO_GEOMETRY_MIDPOINT_OFFSET } moho_geometry_source;
typedef enum { MOHO_BAD_SAMPLES_ERROR, MOHO_BAD_SAMPLES_ZERO } moho_bad_samples;

/* Which traces take part; all criteria that are given must hold. Ends of ranges belong to them (a millionth of a metre or a
 * ten-millionth of a degree beyond is still on the end). Traces without position are in no range; those whose source and
 * receiver coincide have no azimuth and are in no sector. The offset vector is receiver - source. docs/selection.md */
typedef struct moho_selection {
  int by_offset;
  double offset_m[2];             /* |s-r| */
  size_t n_azimuths;              /* 0: any */
  const double (*azimuth_deg)[2]; /* from..to clockwise, source to receiver, 0..360; from > to goes through north */
  int azimuth_folded;             /* 1: directions 180 degrees apart are the same; sectors in 0..180 */
  int by_ovt;
  double ovt_inline_m[2], ovt_crossline_m[2]; /* offset vector along u_x and along u_i (moho/grid.h) */
  double inline_azimuth_deg;                  /* of those axes */
  int flip;
  int ovt_folded;    /* 1: a vector and its opposite are the same */
  const char *where; /* a condition on headers: "offset > 200 and cdp % 2 == 0"; NULL: none */
} moho_selection;

typedef struct moho_selection_counts {
  size_t total;                                /* traces of the file */
  size_t offset, azimuth, ovt, where;          /* that hold each criterion by itself; total where it is not asked */
  size_t selected;                             /* that hold all */
  int by_offset, by_azimuth, by_ovt, by_where; /* which are asked */
} moho_selection_counts;

MOHO_API moho_selection moho_selection_default(void); /* all traces */
/** Parse a condition alone. MOHO_ERROR_FORMAT (column, what was expected), MOHO_ERROR_KEY (unknown header: the nearest). */
MOHO_API moho_status moho_selection_check_where(const char *where);

/* Header values that say how high sources and receivers stand and what their traces were or are to be shifted by; SEG-Y
 * bytes 41-60, 91-108. id, name, unit in moho_traces_info.land */
#define MOHO_LAND_TABLE(X)                          \
  X(SOURCE_ELEVATION, "source_elevation", "m")      \
  X(RECEIVER_ELEVATION, "receiver_elevation", "m")  \
  X(SOURCE_DEPTH, "source_depth", "m")              \
  X(SOURCE_DATUM, "source_datum", "m")              \
  X(RECEIVER_DATUM, "receiver_datum", "m")          \
  X(WEATHERING, "weathering_velocity", "m/s")       \
  X(SUBWEATHERING, "subweathering_velocity", "m/s") \
  X(SOURCE_UPHOLE, "source_uphole", "s")            \
  X(RECEIVER_UPHOLE, "receiver_uphole", "s")        \
  X(SOURCE_STATIC, "source_static", "s")            \
  X(RECEIVER_STATIC, "receiver_static", "s")        \
  X(TOTAL_STATIC, "total_static", "s")              \
  X(LAG_A, "lag_a", "s")                            \
  X(LAG_B, "lag_b", "s")

typedef enum {
#define MOHO_LAND_ENUM(id, name, unit) MOHO_LAND_##id,
  MOHO_LAND_TABLE(MOHO_LAND_ENUM)
#undef MOHO_LAND_ENUM
      MOHO_LAND_COUNT
} moho_land_value;

MOHO_API const char *moho_land_name(moho_land_value value); /* "source_elevation" */
MOHO_API const char *moho_land_unit(moho_land_value value);

typedef struct moho_header_range {
  size_t filled; /* traces where it is not zero; 0: the file does not hold it */
  double least, most;
} moho_header_range;

typedef enum {
  MOHO_STATICS_HEADER_NONE,
  MOHO_STATICS_SOURCE_RECEIVER, /* add source static (bytes 99-100) and receiver static (101-102) */
  MOHO_STATICS_TOTAL,           /* add the total static (103-104) */
  MOHO_STATICS_UNDO_TOTAL       /* take it away again: the data have it */
} moho_statics_header;

typedef enum {
  MOHO_STATICS_ELEVATION_NONE,
  MOHO_STATICS_SURFACE,       /* from source and receiver elevations (45-48, 41-44) to the datum */
  MOHO_STATICS_FLOATING_DATUM /* from the datum elevations of source and receiver (57-60, 53-56) to the datum */
} moho_statics_elevation;

typedef enum {
  MOHO_STATICS_DEPTH_HEADER, /* the source lies its depth (49-52) below its elevation */
  MOHO_STATICS_DEPTH_UPHOLE, /* it is lifted to its elevation by its uphole time (95-96) */
  MOHO_STATICS_DEPTH_NONE    /* it is at its elevation */
} moho_statics_depth;

/* Shifts of whole traces to the datum that the image begins at: t + shift, by a change of first_sample_s, without resampling.
 *
 *   surface: -(E_s - depth - D)/v - (E_r - D)/v      floating_datum: -(F_s - D)/v - (F_r - D)/v      lag: -(A + B)
 *
 * docs/land.md */
typedef struct moho_statics {
  moho_statics_header header;
  moho_statics_elevation elevation;
  moho_statics_depth source_depth; /* with surface */
  int datum_from_header;           /* 1: D is the datum elevation of source and receiver (57-60, 53-56) */
  double datum_m;
  int replacement_from_header; /* 1: v is the subweathering velocity (93-94) of each trace */
  double replacement_mps;
  int lag;        /* 1: apply lag times A and B (105-108) */
  double shift_s; /* added to all */
} moho_statics;

MOHO_API moho_statics moho_statics_default(void); /* nothing is shifted */

enum { MOHO_SHIFTS = 8 };

typedef struct moho_shift_range {
  const char *name; /* "source elevation" */
  size_t traces;    /* that it is not zero for */
  double least_s, median_s, most_s;
} moho_shift_range;

typedef struct moho_statics_report {
  size_t n; /* sources of shift that were asked for; 0: nothing was shifted */
  moho_shift_range shifts[MOHO_SHIFTS];
  moho_shift_range sum;
} moho_statics_report;

typedef struct moho_traces_options {
  const char *headers;         /* overrides "source_x=73,receiver_x=81:i4,cdp=21:i4"; presets "standard", "su"; NULL: standard */
  int coordinate_scalar_given; /* 1: coordinate_scalar replaces bytes 71-72 (SEG-Y meaning: < 0 divides) */
  int coordinate_scalar;
  moho_units units;
  int first_sample_given;
  double first_sample_s;
  moho_geometry_source geometry;
  moho_bad_samples bad_samples;
  const moho_selection *select; /* NULL: all. BORROW until moho_traces_open returns */
  const moho_statics *statics;  /* NULL: none. The same */
  moho_progress_function progress;
  void *progress_user;
} moho_traces_options;

MOHO_API moho_traces_options moho_traces_options_default(void);

typedef struct moho_anomaly { /* something odd that was decided, counted and is told */
  const char *name;           /* "ns_conflict" */
  size_t count;               /* traces (or 1) */
  size_t first_trace;         /* 0-based, in the file */
  char text[240];             /* "trace headers say 1500 samples, the binary header 600: 600 is used, it fits the file" */
} moho_anomaly;

typedef struct moho_traces_info {
  moho_trace_file kind;
  char format[64];            /* "SEG-Y rev 1, IBM float, big endian" */
  size_t n_traces, n_samples; /* traces that are selected */
  double dt_s;
  moho_selection_counts selection;         /* of those in the file */
  moho_header_range land[MOHO_LAND_COUNT]; /* of the seismic traces in the file, by moho_land_value */
  moho_statics_report statics;             /* shifts of the selected live traces */
  uint64_t file_bytes;
  moho_units units;              /* of the file; geometry is in metres always */
  moho_geometry_source geometry; /* where the coordinates came from */
  size_t n_anomalies;
  const moho_anomaly *anomalies; /* BORROW, lives with the moho_traces */
  const char *text_header;       /* UTF-8, 80-column lines, may be "" */
  char input_hash[65];           /* of size, binary header and all trace headers, hexadecimal */
} moho_traces_info;

/**
 * Open a trace file, scan its headers (at disk speed, in parallel, bounded memory) and select traces. From there on trace
 * indices count the selected traces, in the file's order; the others are not read.
 * @return MOHO_OK; MOHO_ERROR_NOT_FOUND, MOHO_ERROR_FORMAT (not a trace file, cut short, absurd ns or dt: where and how to
 *         mend it), MOHO_ERROR_KEY (headers option), MOHO_ERROR_TOO_LARGE, MOHO_ERROR_IO, MOHO_ERROR_INTERRUPTED
 */
MOHO_API moho_status moho_traces_open(const char *path, const moho_traces_options *options, moho_traces **out);
MOHO_API void moho_traces_close(moho_traces **traces);
MOHO_API const moho_traces_info *moho_traces_get_info(const moho_traces *traces);
/** The geometry of all traces. BORROW; reading may add the flags DEAD (all zero) and BAD. */
MOHO_API const moho_geometry *moho_traces_get_geometry(const moho_traces *traces);
/** Index in the file of a selected trace. */
MOHO_API size_t moho_traces_index_in_file(const moho_traces *traces, size_t trace);
/** Read traces [first, first+n) as float into out [n, n_samples]. Threads may call it at once. With bad_samples ERROR a NaN or
 *  Inf sample is MOHO_ERROR_FORMAT naming trace and sample. */
MOHO_API moho_status moho_traces_read(moho_traces *traces, size_t first, size_t n, float *out);
/** A trace header as it stands in the file, by Moho's name or SU's key ("source_x", "fldr"), of traces [first, first+n) into out
 * [n].
 *  @return MOHO_OK; MOHO_ERROR_KEY (unknown name: names the nearest; no place in this file), MOHO_ERROR_RANGE, MOHO_ERROR_IO;
 *          MOHO_ERROR_NOT_AVAILABLE (Zarr files have no such headers) */
MOHO_API moho_status moho_traces_header(const moho_traces *traces, const char *name, size_t first, size_t n, double *out);

/* ---- writing ---- */

typedef struct moho_traces_writer moho_traces_writer;

/** Create a trace file by its ending (.sgy .segy .su .zarr). Written under a temporary name; nothing appears under `path`
 *  before moho_traces_writer_finish. n_traces: exactly how many will be appended (0: not known, not for Zarr). */
MOHO_API moho_status moho_traces_writer_create(const char *path, size_t n_traces, size_t n_samples, double dt_s,
                                               const char *description, moho_traces_writer **out);
MOHO_API moho_status moho_traces_writer_append(moho_traces_writer *writer, const moho_geometry *geometry, const float *traces);
/** Close, sync and rename to the final name. The writer is destroyed, also on failure. */
MOHO_API moho_status moho_traces_writer_finish(moho_traces_writer **writer);
/** Drop what was written. NULL is fine. */
MOHO_API void moho_traces_writer_discard(moho_traces_writer **writer);

#ifdef __cplusplus
}
#endif
#endif
