/* zarr_traces.h - trace files as Zarr v2 groups: traces [trace, time] and one array a trace header.
 *
 * Arrays: traces (float); source_x, source_y, receiver_x, receiver_y, first_sample_s (double, m and s); mute_start_s,
 * mute_end_s (float, s); cdp, inline_number, crossline_number (int32); flags (uint8). Attributes: dt_s, description.
 * Only traces, the four coordinates and dt_s must be there; the others read as 0.
 */
#ifndef MOHO_SURVEY_ZARR_TRACES_H
#define MOHO_SURVEY_ZARR_TRACES_H

#include "base/fail.h"
#include "moho/traces.h"

typedef struct moho_zarr_traces moho_zarr_traces; /* open for reading; threads may read it at once */

moho_status moho_zarr_traces_open(const char *path, moho_zarr_traces **out);
void moho_zarr_traces_close(moho_zarr_traces **traces);
void moho_zarr_traces_shape(const moho_zarr_traces *traces, size_t *n_traces, size_t *n_samples, double *dt_s);
/* How many traces a chunk of the samples holds. */
size_t moho_zarr_traces_chunk(const moho_zarr_traces *traces);
/* The geometry of all traces; created here, the caller releases it. */
moho_status moho_zarr_traces_geometry(moho_zarr_traces *traces, moho_geometry *out);
/* Traces [first, first + n) into out [n, n_samples]. */
moho_status moho_zarr_traces_read(moho_zarr_traces *traces, size_t first, size_t n, float *out);

typedef struct moho_zarr_traces_writer moho_zarr_traces_writer; /* bounded memory: some tens of MiB */

/* n_traces: exactly how many will be appended, at least 1. Nothing appears under `path` before finish. */
moho_status moho_zarr_traces_writer_create(const char *path, size_t n_traces, size_t n_samples, double dt_s,
                                           const char *description, moho_zarr_traces_writer **out);
/* The next geometry->n traces [geometry->n, n_samples]. */
moho_status moho_zarr_traces_writer_append(moho_zarr_traces_writer *writer, const moho_geometry *geometry, const float *traces);
/* The writer is destroyed, also on failure. MOHO_ERROR_ARGUMENT when fewer traces came than were announced. */
moho_status moho_zarr_traces_writer_finish(moho_zarr_traces_writer **writer);
void moho_zarr_traces_writer_discard(moho_zarr_traces_writer **writer);

#endif
