/* trace_store.h - the traces of a survey on disk in the order in which an image needs them: by the place of their midpoints.
 *
 * A survey that does not fit into memory is read once, in the order of its file, and laid into square cells of midpoints; a part
 * of the image then reads the cells within its aperture and no others. A store is a directory <place>/<hash>/:
 *
 *   meta.json      version, identity, sizes, the lattice of cells, what reading found, checksums
 *   geometry.bin   columns (moho_geometry, trace numbers, a checksum of each trace's samples) and the table of cells; mapped
 *   samples.bin    float, [trace, time]: cells one after the other, in a cell by ascending trace number
 *
 * The hash is that of the file (size, time of change, headers), of the selected geometry, of some samples and of the caller's
 * words; a store is reused where it fits and built anew where it does not. It is built under a temporary name while a lock is
 * held, so that a killed build leaves nothing that is ever used, and of two processes one builds and the other waits.
 *
 * Memory: building takes what options.memory_bytes says beside the geometry that the open traces hold. An open store maps its
 * geometry (pages that the system may take back). A cursor holds two batches.
 *
 * Stored is every seismic trace that has a position; a cursor yields those that are live (moho_geometry_is_live). Trace numbers
 * are indices of the open traces (selected, 0-based), uint64_t.
 */
#ifndef MOHO_SURVEY_TRACE_STORE_H
#define MOHO_SURVEY_TRACE_STORE_H

#include "moho/grid.h"
#include "moho/traces.h"

typedef struct moho_trace_store moho_trace_store;

/* What is laid into a store. All BORROW until the call returns. */
typedef struct moho_trace_source {
  moho_traces *traces;
  /* Samples as they are to be stored, [n, n_samples] of the traces [first, first + n); one thread calls it. NULL:
   * moho_traces_read(). */
  moho_status (*read)(void *user, size_t first, size_t n, float *out);
  void *user;
  const char *words; /* whatever else the samples depend on: "bad_samples=zero nmo=3f..."; NULL: nothing */
} moho_trace_source;

typedef struct moho_trace_store_options {
  const char *directory; /* the place; made when it is not there */
  size_t memory_bytes;   /* of building, and of batches there; 0: 256 MiB */
  double cell_m;         /* side of a cell; 0: so that a cell holds a few MiB and memory_bytes suffices */
  moho_progress_function progress;
  void *progress_user;
} moho_trace_store_options;

moho_trace_store_options moho_trace_store_options_default(void);

/* Could stores be built at this place, or be found there? MOHO_ERROR_IO: what is in the way. */
moho_status moho_trace_store_check_place(const char *place);

/* Checksums of some dozens of traces spread over the survey, as they are to be stored: what tells that samples changed where
 * neither size nor time of the file do. *n <= MOHO_SAMPLED_TRACES. Reads as many traces. */
enum { MOHO_SAMPLED_TRACES = 64 };
moho_status moho_trace_source_checksums(const moho_trace_source *source, uint64_t sums[MOHO_SAMPLED_TRACES], size_t *n);

/* What opening would do. */
typedef struct moho_trace_store_plan {
  char path[1024];     /* <place>/<hash> */
  int exists;          /* one that fits is there: nothing is read or written */
  uint64_t n_traces;   /* live */
  uint64_t disk_bytes; /* of the whole store */
  uint64_t free_bytes; /* of that disk, without stores of this file that no longer fit */
  size_t memory_bytes; /* that building takes */
} moho_trace_store_plan;

moho_status moho_trace_store_make_plan(const moho_trace_source *source, const moho_trace_store_options *options,
                                       moho_trace_store_plan *out);

/* The store of a survey: the one that is there, or built now. What reading found (all zero: DEAD, NaN set to zero: BAD) is set in
 * the geometry of source->traces also when the store is reused.
 * @return MOHO_OK; MOHO_ERROR_TOO_LARGE (no room on the disk, memory_bytes too little: how much is needed), MOHO_ERROR_FORMAT
 *         (the file changed while it was read, bad samples), MOHO_ERROR_IO, MOHO_ERROR_INTERRUPTED: nothing is left behind */
moho_status moho_trace_store_open(const moho_trace_source *source, const moho_trace_store_options *options,
                                  moho_trace_store **out);
void moho_trace_store_close(moho_trace_store **store); /* its cursors first */

typedef struct moho_trace_store_info {
  const char *path;           /* BORROW */
  int reused;                 /* 0: built by this call */
  char note[300];             /* what happened to older stores: "" or a sentence */
  size_t n_traces, n_samples; /* stored */
  double dt_s;
  size_t n_cells;
  double cell_m;
  uint64_t disk_bytes;
  double seconds; /* opening took */
} moho_trace_store_info;

const moho_trace_store_info *moho_trace_store_get_info(const moho_trace_store *store);
/* [n_traces], in the order of the store; BORROW, read only: it is a map of the file. */
const moho_geometry *moho_trace_store_get_geometry(const moho_trace_store *store);
const uint64_t *moho_trace_store_get_numbers(const moho_trace_store *store);

/* Midpoints not farther than margin_m from the rectangle that a window's nodes span (a line, a polyline, a point). */
typedef struct moho_trace_region {
  const moho_grid *grid; /* BORROW until the call returns */
  moho_window window;
  double margin_m; /* the aperture; the caller adds what its own arithmetic rounds */
} moho_trace_region;

/* Live traces of a region (NULL: all), and the bytes of their samples. */
moho_status moho_trace_store_count(const moho_trace_store *store, const moho_trace_region *region, size_t *n);

/* ---- reading ---- */

typedef struct moho_trace_cursor moho_trace_cursor;

typedef struct moho_trace_batch {
  size_t n; /* 0: the end */
  moho_geometry geometry;
  const uint64_t *numbers; /* ascending, over batches too */
  const float *samples;    /* [n, n_samples] */
} moho_trace_batch;

/* The live traces of a region (NULL: all) in ascending trace number, batch_traces at once; the next batch is read while the
 * caller works on the one in hand. One thread uses a cursor; several cursors of a store may be used at once. */
moho_status moho_trace_cursor_create(const moho_trace_store *store, const moho_trace_region *region, size_t batch_traces,
                                     moho_trace_cursor **out);
void moho_trace_cursor_destroy(moho_trace_cursor **cursor);
/* The next batch: BORROW until the next call. MOHO_ERROR_FORMAT where samples are not those that were stored (checksum). */
moho_status moho_trace_cursor_next(moho_trace_cursor *cursor, moho_trace_batch *out);
size_t moho_trace_cursor_memory(const moho_trace_store *store, size_t batch_traces); /* bytes that it holds */
double moho_trace_cursor_seconds(const moho_trace_cursor *cursor);                   /* spent reading, so far */

#endif
