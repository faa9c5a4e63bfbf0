/* traces.c - trace files of any kind behind one face: opened by content, read in parallel, bad samples found. */
#include "moho/traces.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "survey/segy_reader.h"
#include "survey/segy_samples.h"
#include "survey/statics.h"
#include "survey/trace_select.h"
#include "survey/traces_inside.h"
#include "survey/zarr_traces.h"

/* What a thread reads at once; of Zarr more, since every chunk that a piece touches is decompressed whole. */
enum { SEGY_PIECE_BYTES = 1 << 20, ZARR_PIECE_BYTES = 16 << 20 };

struct moho_traces {
  char *path;
  moho_bad_samples bad_samples;
  moho_traces_info info;
  moho_geometry geometry;
  moho_anomalies anomalies;
  moho_anomaly *bad, *zero; /* entries whose counts grow while traces are read */
  pthread_mutex_t lock;     /* of those two */
  moho_segy_reader *segy;
  moho_zarr_traces *zarr; /* one of the two */
  size_t *taken;          /* [n_traces] index in the file of each selected trace; NULL: all are taken */
  moho_file_state state;  /* when it was opened */
};

moho_traces_options moho_traces_options_default(void) {
  return (moho_traces_options){0};
}

static int is_directory(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Zarr files have no headers to scan; their fingerprint is that of shape and geometry. */
static void hash_geometry(moho_traces_info *info, const moho_geometry *g) {
  const struct {
    const void *array;
    size_t size;
  } arrays[] = {{g->source_x, 8},       {g->source_y, 8},         {g->receiver_x, 8}, {g->receiver_y, 8},
                {g->first_sample_s, 8}, {g->mute_start_s, 4},     {g->mute_end_s, 4}, {g->cdp, 4},
                {g->inline_number, 4},  {g->crossline_number, 4}, {g->flags, 1}};
  moho_sha256 hash = moho_sha256_begin();
  uint8_t digest[32];
  uint64_t shape[2] = {info->n_traces, info->n_samples};
  moho_sha256_add(&hash, shape, sizeof shape);
  moho_sha256_add(&hash, &info->dt_s, sizeof info->dt_s);
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) moho_sha256_add(&hash, arrays[i].array, g->n * arrays[i].size);
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, info->input_hash);
}

static moho_status open_zarr(moho_traces *traces, const moho_traces_options *options) {
  moho_traces_info *info = &traces->info;
  MOHO_TRY(moho_zarr_traces_open(traces->path, &traces->zarr));
  MOHO_TRY(moho_zarr_traces_geometry(traces->zarr, &traces->geometry));
  moho_zarr_traces_shape(traces->zarr, &info->n_traces, &info->n_samples, &info->dt_s);
  info->kind = MOHO_TRACE_FILE_ZARR;
  info->units = MOHO_UNITS_M;
  info->geometry = MOHO_GEOMETRY_SOURCE_RECEIVER;
  snprintf(info->format, sizeof info->format, "Zarr v2, 4-byte float");
  info->file_bytes = traces->state.bytes;
  hash_geometry(info, &traces->geometry);
  for (size_t i = 0; options->first_sample_given && i < traces->geometry.n; i++)
    traces->geometry.first_sample_s[i] = options->first_sample_s;
  return MOHO_OK;
}

/* ---- selection ---- */

static moho_status tell_selected(const moho_traces_options *options, const moho_selection_counts *c) {
  const struct {
    int asked;
    const char *stage;
    size_t count;
  } steps[] = {{c->by_offset, "select offset_m", c->offset},
               {c->by_azimuth, "select azimuth", c->azimuth},
               {c->by_ovt, "select ovt", c->ovt},
               {c->by_where, "select where", c->where},
               {1, "selected", c->selected}};
  for (size_t i = 0; options->progress && i < sizeof steps / sizeof *steps; i++) {
    moho_progress step = {.stage = steps[i].stage, .unit = "traces", .done = (double)steps[i].count, .total = (double)c->total};
    if (steps[i].asked && options->progress(options->progress_user, &step))
      return moho_fail(MOHO_ERROR_INTERRUPTED, "selecting traces was interrupted");
  }
  return MOHO_OK;
}

static moho_status select_traces(moho_traces *traces, const moho_traces_options *options, const moho_trace_selector *selector,
                                 const moho_header_columns *columns) {
  moho_traces_info *info = &traces->info;
  size_t n = traces->geometry.n;
  info->selection = (moho_selection_counts){n, n, n, n, n, n, 0, 0, 0, 0};
  if (!options->select) return MOHO_OK;
  MOHO_TRY(moho_trace_selector_run(selector, traces->path, &traces->geometry, columns, &info->selection, &traces->taken));
  info->n_traces = info->selection.selected;
  if (info->n_traces == n) free(traces->taken), traces->taken = NULL;
  else MOHO_TRY(moho_geometry_keep(&traces->geometry, traces->taken, info->n_traces));
  return tell_selected(options, &info->selection);
}

static moho_status shift_traces(moho_traces *traces, const moho_statics_scan *statics) {
  return moho_statics_apply(statics, traces->path, traces->taken, &traces->geometry, &traces->anomalies, &traces->info.statics);
}

/* A file is opened with the headers that its selection reads kept during the scan. */
static moho_status open_segy(moho_traces *traces, const moho_traces_options *options) {
  moho_header_columns columns = {0};
  moho_statics_scan statics = {0};
  moho_trace_selector selector;
  moho_status status = moho_trace_selector_create(options->select, &selector);
  if (!status) status = moho_trace_selector_want(&selector, &columns);
  if (!status)
    status = moho_segy_reader_open(traces->path, options, &traces->anomalies, &columns, &statics, &traces->info,
                                   &traces->geometry, &traces->segy);
  if (!status) status = select_traces(traces, options, &selector, &columns);
  if (!status) status = shift_traces(traces, &statics);
  moho_statics_release(&statics);
  moho_header_columns_release(&columns);
  moho_trace_selector_release(&selector);
  return status;
}

static moho_status open_zarr_selected(moho_traces *traces, const moho_traces_options *options) {
  moho_statics_scan statics = {0};
  moho_trace_selector selector;
  moho_status status = moho_trace_selector_create(options->select, &selector);
  if (!status) status = open_zarr(traces, options);
  if (!status) status = moho_statics_begin(options->statics, traces->path, 0, 1, traces->geometry.n, &statics);
  if (!status) status = select_traces(traces, options, &selector, NULL);
  if (!status) status = shift_traces(traces, &statics);
  moho_statics_release(&statics);
  moho_trace_selector_release(&selector);
  return status;
}

size_t moho_traces_index_in_file(const moho_traces *traces, size_t trace) {
  return traces->taken ? traces->taken[trace] : trace;
}

moho_status moho_traces_open(const char *path, const moho_traces_options *options, moho_traces **out) {
  moho_traces_options defaults = moho_traces_options_default();
  moho_traces *traces;
  *out = NULL;
  if (!path || !*path) return moho_fail(MOHO_ERROR_ARGUMENT, "no trace file was named");
  if (!options) options = &defaults;
  MOHO_TRY(moho_allocate(1, sizeof *traces, "trace file", &traces));
  pthread_mutex_init(&traces->lock, NULL);
  traces->bad_samples = options->bad_samples;
  traces->info.text_header = "";
  traces->path = strdup(path);
  traces->state = moho_file_state_of(path);
  moho_status status = traces->path ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!status && is_directory(path)) status = open_zarr_selected(traces, options);
  else if (!status) status = open_segy(traces, options);
  if (status) {
    moho_traces_close(&traces);
    return status;
  }
  traces->info.anomalies = traces->anomalies.list;
  traces->info.n_anomalies = traces->anomalies.n;
  *out = traces;
  return MOHO_OK;
}

void moho_traces_close(moho_traces **traces) {
  if (!*traces) return;
  moho_segy_reader_close(&(*traces)->segy);
  moho_zarr_traces_close(&(*traces)->zarr);
  moho_geometry_release(&(*traces)->geometry);
  pthread_mutex_destroy(&(*traces)->lock);
  free((*traces)->path);
  free((*traces)->taken);
  free(*traces);
  *traces = NULL;
}

const moho_traces_info *moho_traces_get_info(const moho_traces *traces) {
  return &traces->info;
}

const moho_geometry *moho_traces_get_geometry(const moho_traces *traces) {
  return &traces->geometry;
}

const char *moho_traces_path(const moho_traces *traces) {
  return traces->path;
}

moho_file_state moho_traces_state_at_open(const moho_traces *traces) {
  return traces->state;
}

/* ---- reading ---- */

static moho_status check_range(const moho_traces *traces, size_t first, size_t n) {
  if (n <= traces->info.n_traces && first <= traces->info.n_traces - n) return MOHO_OK;
  return moho_fail_at((moho_place){.file = traces->path}, NULL, MOHO_ERROR_RANGE,
                      "%s: traces %zu to %zu were asked for, there are %zu", traces->path, first + 1, first + n,
                      traces->info.n_traces);
}

/* Sets a flag that reading found; each trace is counted once however often it is read. */
static void flag_trace(moho_traces *traces, size_t trace, uint8_t flag, moho_anomaly **entry, const char *name,
                       const char *text) {
  if (__atomic_fetch_or(&traces->geometry.flags[trace], flag, __ATOMIC_RELAXED) & flag) return;
  size_t in_file = moho_traces_index_in_file(traces, trace);
  pthread_mutex_lock(&traces->lock);
  if (!*entry) {
    *entry = moho_anomalies_add(&traces->anomalies, name, 0, in_file, "%s", text);
    traces->info.n_anomalies = traces->anomalies.n;
  }
  (*entry)->count++;
  if (in_file < (*entry)->first_trace) (*entry)->first_trace = in_file;
  pthread_mutex_unlock(&traces->lock);
}

static void flag_zero(moho_traces *traces, size_t trace) {
  flag_trace(traces, trace, MOHO_TRACE_DEAD, &traces->zero, "zero_traces", "all samples are zero: dead traces, left out");
}

static void flag_bad(moho_traces *traces, size_t trace) {
  flag_trace(traces, trace, MOHO_TRACE_BAD, &traces->bad, "bad_samples", "samples are NaN, infinite or beyond 1e30: set to zero");
}

void moho_traces_found(moho_traces *traces, size_t trace, uint8_t flags) {
  if (flags & MOHO_TRACE_DEAD) flag_zero(traces, trace);
  if (flags & MOHO_TRACE_BAD) flag_bad(traces, trace);
}

static moho_status bad_sample(const moho_traces *traces, size_t trace, size_t sample, float value) {
  char words[64];
  size_t in_file = moho_traces_index_in_file(traces, trace);
  if (isfinite(value)) snprintf(words, sizeof words, "%g, expected at most 1e30", (double)value);
  else snprintf(words, sizeof words, "%s", isnan(value) ? "NaN" : "infinite");
  return moho_fail_at((moho_place){.file = traces->path, .trace = (int64_t)in_file + 1},
                      isfinite(value)
                          ? "is the sample format (bytes 3225-3226) right? Else mend the data, or set bad_samples: zero"
                          : "mend the data, or set bad_samples: zero",
                      MOHO_ERROR_FORMAT, "%s: trace %zu, sample %zu is %s", traces->path, in_file + 1, sample + 1, words);
}

static moho_status check_trace(moho_traces *traces, size_t trace, float *samples) {
  size_t n = traces->info.n_samples;
  moho_sample_check check = moho_sample_check_run(samples, n);
  if (check.all_zero) flag_zero(traces, trace);
  if (check.first_bad == SIZE_MAX) return MOHO_OK;
  int live = (__atomic_load_n(&traces->geometry.flags[trace], __ATOMIC_RELAXED) & ~(unsigned)MOHO_TRACE_BAD) == 0;
  if (live && traces->bad_samples == MOHO_BAD_SAMPLES_ERROR)
    return bad_sample(traces, trace, check.first_bad, samples[check.first_bad]);
  for (size_t i = check.first_bad; i < n; i++)
    if (moho_sample_check_run(samples + i, 1).first_bad == 0) samples[i] = 0;
  flag_bad(traces, trace);
  return MOHO_OK;
}

static size_t zarr_piece(const moho_traces *traces) {
  size_t piece = ZARR_PIECE_BYTES / (traces->info.n_samples * sizeof(float));
  return piece ? piece : 1;
}

/* Traces of a Zarr file that are read together: a chunk, or a part of a large one. */
static size_t zarr_span(const moho_traces *traces) {
  return moho_smaller(moho_zarr_traces_chunk(traces->zarr), zarr_piece(traces));
}

/* How many of the selected traces from `first` on, at most n, lie next to each other in the file. */
static size_t run_length(const moho_traces *traces, size_t first, size_t n) {
  if (!traces->taken) return n;
  const size_t *taken = traces->taken + first;
  size_t length = 1;
  while (length < n && taken[length] == taken[0] + length) length++;
  return length;
}

/* Chunks of a Zarr file are decompressed whole: the selected traces of one are picked from one reading. */
static moho_status pick_from_chunks(moho_traces *traces, size_t first, size_t n, float *scratch, float *out) {
  size_t ns = traces->info.n_samples, chunk = zarr_span(traces);
  const size_t *taken = traces->taken + first;
  for (size_t done = 0; done < n;) {
    size_t begin = taken[done], end = (begin / chunk + 1) * chunk, count = 1;
    while (done + count < n && taken[done + count] < end) count++;
    MOHO_TRY(moho_zarr_traces_read(traces->zarr, begin, taken[done + count - 1] - begin + 1, scratch));
    for (size_t i = 0; i < count; i++) memcpy(out + (done + i) * ns, scratch + (taken[done + i] - begin) * ns, ns * sizeof *out);
    done += count;
  }
  return MOHO_OK;
}

static moho_status read_runs(moho_traces *traces, size_t first, size_t n, uint8_t *scratch, float *out) {
  size_t ns = traces->info.n_samples;
  if (traces->zarr && !traces->taken) return moho_zarr_traces_read(traces->zarr, first, n, out);
  if (traces->zarr) return pick_from_chunks(traces, first, n, (float *)(void *)scratch, out);
  for (size_t done = 0, length; done < n; done += length) {
    length = run_length(traces, first + done, n - done);
    size_t begin = moho_traces_index_in_file(traces, first + done);
    MOHO_TRY(moho_segy_reader_read(traces->segy, begin, length, scratch, out + done * ns));
  }
  return MOHO_OK;
}

static moho_status read_piece(moho_traces *traces, size_t first, size_t n, uint8_t *scratch, float *out) {
  MOHO_TRY(read_runs(traces, first, n, scratch, out));
  for (size_t i = 0; i < n; i++) MOHO_TRY(check_trace(traces, first + i, out + i * traces->info.n_samples));
  return MOHO_OK;
}

/* What reading `piece` traces takes beside the room for them. */
static size_t scratch_bytes_of(const moho_traces *traces, size_t piece) {
  if (traces->segy) return piece * moho_segy_reader_trace_bytes(traces->segy);
  return traces->taken ? zarr_span(traces) * traces->info.n_samples * sizeof(float) : 0;
}

moho_status moho_traces_read(moho_traces *traces, size_t first, size_t n, float *out) {
  MOHO_TRY(check_range(traces, first, n));
  size_t piece = traces->segy ? SEGY_PIECE_BYTES / moho_segy_reader_trace_bytes(traces->segy) : zarr_piece(traces);
  if (piece > n) piece = n;
  if (piece < 1) piece = 1;
  size_t pieces = n / piece + (n % piece != 0);
  moho_error error = {0};
  size_t error_piece = SIZE_MAX; /* the first in the file is the one reported, whatever the threads did */
#pragma omp parallel if (pieces > 1)
  {
    uint8_t *scratch;
    moho_status status = moho_allocate(scratch_bytes_of(traces, piece), 1, "traces", &scratch);
#pragma omp for schedule(dynamic, 1)
    for (size_t p = 0; p < pieces; p++) {
      size_t begin = p * piece, here = n - begin < piece ? n - begin : piece;
      moho_status piece_status =
          status ? status : read_piece(traces, first + begin, here, scratch, out + begin * traces->info.n_samples);
      if (piece_status) {
#pragma omp critical(moho_traces_read_error)
        if (p < error_piece) error = moho_error_take(), error_piece = p;
      }
    }
    free(scratch);
  }
  return error_piece == SIZE_MAX ? MOHO_OK : moho_error_set(&error);
}

moho_status moho_traces_header(const moho_traces *traces, const char *name, size_t first, size_t n, double *out) {
  MOHO_TRY(check_range(traces, first, n));
  if (traces->zarr)
    return moho_fail_at((moho_place){.file = traces->path, .key = name}, "its geometry is all there is", MOHO_ERROR_NOT_AVAILABLE,
                        "%s is a Zarr file: it has no trace headers", traces->path);
  for (size_t done = 0, length; done < n; done += length) {
    length = run_length(traces, first + done, n - done);
    MOHO_TRY(moho_segy_reader_header(traces->segy, name, moho_traces_index_in_file(traces, first + done), length, out + done));
  }
  return MOHO_OK;
}
