/* header_scan.c - reads all trace headers in blocks, several at once, hashes and decodes them.
 *
 * Blocks are of fixed size, so hash, counts and "first" are the same for any number of threads.
 */
#include "survey/header_scan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "base/timer.h"
#include "survey/raw_read.h"

enum {
  BLOCK_TRACES = 4096,
  WHOLE_READ_BYTES = 4096, /* shorter traces are read whole: a page of the disk holds header and samples anyway */
  WHOLE_READ_CHUNK = 1 << 20
};

static const double largest_coordinate = 1e12; /* larger ones are no lengths on this planet */

typedef struct block_result {
  moho_tally tallies[MOHO_TALLY_COUNT];
  int beyond_int16;
  uint8_t digest[32];
  moho_land_block land;
} block_result;

typedef struct scan_job {
  int file;
  const char *path;
  const moho_segy_layout *layout;
  const moho_header_map *map;
  const moho_traces_options *options;
  moho_header_scan *scan;
} scan_job;

static void tally(moho_tally *into, size_t trace, double value) {
  if (into->count++ == 0) into->first = trace, into->value = value;
}

static void tally_merge(moho_tally *into, const moho_tally *from) {
  if (from->count && !into->count) into->first = from->first, into->value = from->value;
  into->count += from->count;
}

static int is_power_of_ten(double scalar) {
  double size = fabs(scalar);
  return size == 1 || size == 10 || size == 100 || size == 1000 || size == 10000;
}

/* SEG-Y's rule for all scalars: positive multiplies, negative divides, 0 is 1. Division keeps decimal fractions exact. */
static double scaled(double value, double scalar) {
  if (scalar > 0) return value * scalar;
  return scalar < 0 ? value / -scalar : value;
}

static int jumps_across_int16(double before, double now) {
  return fabs(now - before) > 62000 && fabs(now) > 30000 && fabs(before) > 30000;
}

static double coordinate_scalar(const scan_job *job, const uint8_t *header, size_t trace, block_result *result) {
  if (job->options->coordinate_scalar_given) return job->options->coordinate_scalar;
  double scalar = moho_header_get(header, job->map, MOHO_HEADER_COORDINATE_SCALAR, job->layout->little_endian);
  if (!isfinite(scalar)) scalar = 0;
  int mapped = job->map->places[MOHO_HEADER_COORDINATE_SCALAR].byte != 0;
  if (scalar == 0 && mapped) tally(&result->tallies[MOHO_TALLY_SCALAR_ZERO], trace, 0);
  if (scalar == 0) scalar = 1;
  if (scalar != job->scan->scalar_first) tally(&result->tallies[MOHO_TALLY_SCALAR_OTHER], trace, scalar);
  if (!is_power_of_ten(scalar)) tally(&result->tallies[MOHO_TALLY_SCALAR_UNUSUAL], trace, scalar);
  return scalar;
}

static void decode_positions(const scan_job *job, const uint8_t *header, const uint8_t *before, size_t trace,
                             block_result *result) {
  static const moho_header_field order[] = {MOHO_HEADER_SOURCE_X,   MOHO_HEADER_SOURCE_Y, MOHO_HEADER_RECEIVER_X,
                                            MOHO_HEADER_RECEIVER_Y, MOHO_HEADER_CDP_X,    MOHO_HEADER_CDP_Y};
  moho_geometry *g = &job->scan->geometry;
  double *columns[] = {g->source_x, g->source_y, g->receiver_x, g->receiver_y, job->scan->cdp_x, job->scan->cdp_y};
  double scalar = coordinate_scalar(job, header, trace, result);
  int little = job->layout->little_endian, finite = 1, wrapped = 0;
  for (int i = 0; i < 6; i++) {
    double raw = moho_header_get(header, job->map, order[i], little);
    double position = scaled(raw, scalar);
    if (!(fabs(position) <= largest_coordinate)) finite = 0, position = 0;
    columns[i][trace] = position;
    if (i >= 4) continue;
    if (!(raw >= -32768 && raw <= 32767)) result->beyond_int16 = 1;
    if (before && jumps_across_int16(moho_header_get(before, job->map, order[i], little), raw)) wrapped = 1;
  }
  if (wrapped) tally(&result->tallies[MOHO_TALLY_WRAPPED], trace, 0);
  if (!finite) {
    g->flags[trace] |= MOHO_TRACE_NO_POSITION;
    tally(&result->tallies[MOHO_TALLY_NOT_FINITE], trace, 0);
  }
  double units = moho_header_get(header, job->map, MOHO_HEADER_COORDINATE_UNITS, little);
  if (units >= 2 && units <= 4) tally(&result->tallies[MOHO_TALLY_GEOGRAPHIC], trace, units);
  double offset = moho_header_get(header, job->map, MOHO_HEADER_OFFSET, little);
  job->scan->offset[trace] = fabs(offset) <= largest_coordinate ? offset : 0;
  if (job->scan->azimuth_deg) job->scan->azimuth_deg[trace] = moho_header_get(header, job->map, MOHO_HEADER_AZIMUTH, little);
}

static void decode_times(const scan_job *job, const uint8_t *header, size_t trace, block_result *result) {
  moho_geometry *g = &job->scan->geometry;
  int little = job->layout->little_endian;
  double scalar = moho_header_get(header, job->map, MOHO_HEADER_TIME_SCALAR, little);
  if (scalar != 0 && !is_power_of_ten(scalar)) {
    tally(&result->tallies[MOHO_TALLY_TIME_SCALAR], trace, scalar);
    scalar = 1;
  }
  int is_seismic = !(g->flags[trace] & (MOHO_TRACE_DEAD | MOHO_TRACE_NOT_SEISMIC));
  moho_statics_decode(job->scan->statics, header, job->map, little, scalar, trace, is_seismic, &result->land);
  double delay_ms = scaled(moho_header_get(header, job->map, MOHO_HEADER_DELAY, little), scalar);
  double start_ms = scaled(moho_header_get(header, job->map, MOHO_HEADER_MUTE_START, little), scalar);
  double end_ms = scaled(moho_header_get(header, job->map, MOHO_HEADER_MUTE_END, little), scalar);
  g->first_sample_s[trace] = job->options->first_sample_given ? job->options->first_sample_s
                             : isfinite(delay_ms)             ? delay_ms / 1000
                                                              : 0;
  if (end_ms > start_ms && end_ms > 0) {
    g->mute_start_s[trace] = (float)(start_ms / 1000);
    g->mute_end_s[trace] = (float)(end_ms / 1000);
    tally(&result->tallies[MOHO_TALLY_MUTE], trace, end_ms);
  } else if (start_ms != 0 || end_ms != 0) {
    tally(&result->tallies[MOHO_TALLY_MUTE_UNTRUE], trace, end_ms);
  }
  double ns = moho_header_get(header, job->map, MOHO_HEADER_SAMPLES, little),
         dt = moho_header_get(header, job->map, MOHO_HEADER_INTERVAL, little);
  if (ns != 0 && ns != (double)job->layout->n_samples) tally(&result->tallies[MOHO_TALLY_SAMPLES], trace, ns);
  if (dt != 0 && fabs(dt - job->layout->dt_s * 1e6) > 1e-6) tally(&result->tallies[MOHO_TALLY_INTERVAL], trace, dt);
}

static int32_t whole_number(double value) {
  return value >= INT32_MIN && value <= INT32_MAX ? (int32_t)value : 0;
}

static void decode_numbers(const scan_job *job, const uint8_t *header, size_t trace, block_result *result) {
  moho_geometry *g = &job->scan->geometry;
  int little = job->layout->little_endian;
  g->cdp[trace] = whole_number(moho_header_get(header, job->map, MOHO_HEADER_CDP, little));
  g->inline_number[trace] = whole_number(moho_header_get(header, job->map, MOHO_HEADER_INLINE, little));
  g->crossline_number[trace] = whole_number(moho_header_get(header, job->map, MOHO_HEADER_CROSSLINE, little));
  double id = moho_header_get(header, job->map, MOHO_HEADER_TRACE_ID, little);
  /* Rev 1 calls pressure (11) and vertical (12) sensors apart from "seismic data" (1); in SU those codes mean others. */
  int seismic = id == 1 || id == 0 || id == -1 || (!job->layout->su && (id == 11 || id == 12));
  if (id == 2) {
    g->flags[trace] |= MOHO_TRACE_DEAD;
    tally(&result->tallies[MOHO_TALLY_DEAD], trace, id);
  } else if (!seismic) {
    g->flags[trace] |= MOHO_TRACE_NOT_SEISMIC;
    tally(&result->tallies[MOHO_TALLY_NOT_SEISMIC], trace, id);
  }
}

static size_t whole_read_traces(const moho_segy_layout *layout) {
  size_t chunk = WHOLE_READ_CHUNK / layout->trace_bytes;
  return layout->n_traces < chunk ? layout->n_traces : chunk;
}

static moho_status read_headers(const scan_job *job, size_t first, size_t n, uint8_t *headers, uint8_t *whole) {
  const moho_segy_layout *layout = job->layout;
  uint64_t at = layout->first_trace + (uint64_t)first * layout->trace_bytes;
  if (!whole) {
    for (size_t i = 0; i < n; i++, at += layout->trace_bytes)
      MOHO_TRY(moho_raw_read(job->file, job->path, at, headers + i * MOHO_SEGY_TRACE_HEADER_BYTES, MOHO_SEGY_TRACE_HEADER_BYTES));
    return MOHO_OK;
  }
  size_t chunk = whole_read_traces(layout);
  for (size_t done = 0; done < n; done += chunk) {
    size_t here = n - done < chunk ? n - done : chunk;
    MOHO_TRY(moho_raw_read(job->file, job->path, at + (uint64_t)done * layout->trace_bytes, whole, here * layout->trace_bytes));
    for (size_t i = 0; i < here; i++)
      memcpy(headers + (done + i) * MOHO_SEGY_TRACE_HEADER_BYTES, whole + i * layout->trace_bytes, MOHO_SEGY_TRACE_HEADER_BYTES);
  }
  return MOHO_OK;
}

static moho_status scan_block(const scan_job *job, size_t block, uint8_t *headers, uint8_t *whole, block_result *result) {
  size_t first = block * BLOCK_TRACES, left = job->layout->n_traces - first, n = left < BLOCK_TRACES ? left : BLOCK_TRACES;
  MOHO_TRY(read_headers(job, first, n, headers, whole));
  *result = (block_result){0};
  for (size_t i = 0; i < n; i++) {
    const uint8_t *header = headers + i * MOHO_SEGY_TRACE_HEADER_BYTES;
    decode_numbers(job, header, first + i, result);
    decode_positions(job, header, i ? header - MOHO_SEGY_TRACE_HEADER_BYTES : NULL, first + i, result);
    decode_times(job, header, first + i, result);
    moho_header_columns_keep(job->scan->columns, first + i, header);
  }
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, headers, n * MOHO_SEGY_TRACE_HEADER_BYTES);
  moho_sha256_end(&hash, result->digest);
  return MOHO_OK;
}

/* Blocks [begin, end) in parallel; the error of the lowest block is the one reported. */
static moho_status scan_group(const scan_job *job, size_t begin, size_t end, block_result *results) {
  moho_error error = {0};
  size_t error_block = SIZE_MAX;
#pragma omp parallel if (end - begin > 1)
  {
    uint8_t *headers = NULL, *whole = NULL;
    size_t block_traces = job->layout->n_traces < BLOCK_TRACES ? job->layout->n_traces : BLOCK_TRACES;
    moho_status status = moho_allocate(block_traces, MOHO_SEGY_TRACE_HEADER_BYTES, "trace headers", &headers);
    if (!status && job->layout->trace_bytes <= WHOLE_READ_BYTES)
      status = moho_allocate(whole_read_traces(job->layout), job->layout->trace_bytes, "trace headers", &whole);
#pragma omp for schedule(dynamic, 1)
    for (size_t block = begin; block < end; block++) {
      moho_status here = status ? status : scan_block(job, block, headers, whole, &results[block - begin]);
      if (here) {
#pragma omp critical(moho_header_scan_error)
        if (block < error_block) error = moho_error_take(), error_block = block;
      }
    }
    free(headers);
    free(whole);
  }
  return error_block == SIZE_MAX ? MOHO_OK : moho_error_set(&error);
}

static moho_status tell_progress(const scan_job *job, size_t traces, double began) {
  if (!job->options->progress) return MOHO_OK;
  moho_progress progress = {.stage = "reading headers",
                            .unit = "traces",
                            .done = (double)traces,
                            .total = (double)job->layout->n_traces,
                            .seconds = moho_seconds() - began};
  if (job->options->progress(job->options->progress_user, &progress) == 0) return MOHO_OK;
  return moho_fail_at((moho_place){.file = job->path}, NULL, MOHO_ERROR_INTERRUPTED, "reading the headers of %s was interrupted",
                      job->path);
}

static moho_status scan_all(const scan_job *job) {
  const moho_segy_layout *layout = job->layout;
  size_t blocks = (layout->n_traces + BLOCK_TRACES - 1) / BLOCK_TRACES, group = (size_t)omp_get_max_threads() * 4;
  block_result *results;
  MOHO_TRY(moho_allocate(group, sizeof *results, "header blocks", &results));
  moho_sha256 hash = moho_sha256_begin();
  uint8_t size_bytes[8], digest[32];
  for (int i = 0; i < 8; i++) size_bytes[i] = (uint8_t)(layout->file_bytes >> (8 * i));
  moho_sha256_add(&hash, size_bytes, sizeof size_bytes);
  moho_sha256_add(&hash, layout->binary, sizeof layout->binary);
  double began = moho_seconds();
  moho_status status = tell_progress(job, 0, began);
  for (size_t begin = 0; !status && begin < blocks; begin += group) {
    size_t end = begin + group < blocks ? begin + group : blocks;
    status = scan_group(job, begin, end, results);
    for (size_t block = begin; !status && block < end; block++) {
      const block_result *result = &results[block - begin];
      for (int i = 0; i < MOHO_TALLY_COUNT; i++) tally_merge(&job->scan->tallies[i], &result->tallies[i]);
      job->scan->beyond_int16 |= result->beyond_int16;
      moho_statics_merge(job->scan->statics, &result->land);
      moho_sha256_add(&hash, result->digest, sizeof result->digest);
    }
    size_t done = end * BLOCK_TRACES;
    if (!status) status = tell_progress(job, done < layout->n_traces ? done : layout->n_traces, began);
  }
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, job->scan->hash);
  free(results);
  return status;
}

static moho_status find_first_scalar(scan_job *job) {
  uint8_t header[MOHO_SEGY_TRACE_HEADER_BYTES];
  MOHO_TRY(moho_raw_read(job->file, job->path, job->layout->first_trace, header, sizeof header));
  job->scan->scalar_first = moho_header_get(header, job->map, MOHO_HEADER_COORDINATE_SCALAR, job->layout->little_endian);
  if (job->scan->scalar_first == 0 || !isfinite(job->scan->scalar_first)) job->scan->scalar_first = 1;
  double elevations = moho_header_get(header, job->map, MOHO_HEADER_ELEVATION_SCALAR, job->layout->little_endian);
  job->scan->statics->scalar_first = elevations == 0 || !isfinite(elevations) ? 1 : elevations;
  return MOHO_OK;
}

/* The geometry of all traces stays in memory. */
static moho_status check_memory(const char *path, size_t n_traces, const moho_header_columns *columns,
                                const moho_statics *statics) {
  const size_t trace_bytes = 6 * sizeof(double) + 5 * sizeof(int32_t) + 1 + 4 * sizeof(double) +
                             moho_header_columns_trace_bytes(columns) + moho_statics_trace_bytes(statics);
  size_t free_bytes = moho_machine_memory_free();
  char needed[32], there[32];
  if (n_traces <= free_bytes / trace_bytes) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path}, "split the file, or use a machine with more memory", MOHO_ERROR_TOO_LARGE,
                      "%s: the geometry of %zu traces takes %s, %s are free", path, n_traces,
                      moho_bytes_text((double)n_traces * (double)trace_bytes, needed),
                      moho_bytes_text((double)free_bytes, there));
}

moho_status moho_header_scan_run(int file, const char *path, const moho_segy_layout *layout, const moho_header_map *map,
                                 const moho_traces_options *options, moho_header_columns *columns, moho_statics_scan *statics,
                                 moho_header_scan *out) {
  *out = (moho_header_scan){.columns = columns, .statics = statics};
  scan_job job = {file, path, layout, map, options, out};
  moho_status status = moho_header_columns_place(columns, map, path);
  if (!status) status = check_memory(path, layout->n_traces, columns, options->statics);
  if (!status) status = moho_header_columns_allocate(columns, layout->n_traces, layout->little_endian);
  if (!status) status = moho_geometry_create(layout->n_traces, &out->geometry);
  if (!status) status = moho_allocate(layout->n_traces, sizeof(double), "midpoints", &out->cdp_x);
  if (!status) status = moho_allocate(layout->n_traces, sizeof(double), "midpoints", &out->cdp_y);
  if (!status) status = moho_allocate(layout->n_traces, sizeof(double), "offsets", &out->offset);
  if (!status && map->places[MOHO_HEADER_AZIMUTH].byte)
    status = moho_allocate(layout->n_traces, sizeof(double), "azimuths", &out->azimuth_deg);
  if (!status) status = find_first_scalar(&job);
  if (!status) status = scan_all(&job);
  if (status) moho_header_scan_release(out);
  return status;
}

void moho_header_scan_release(moho_header_scan *scan) {
  moho_geometry_release(&scan->geometry);
  free(scan->cdp_x), free(scan->cdp_y), free(scan->offset), free(scan->azimuth_deg);
  scan->cdp_x = scan->cdp_y = scan->offset = scan->azimuth_deg = NULL;
}
