/* traces.c - trace files of any kind behind one face: opened by content, read in parallel, bad samples found. */
#include "moho/traces.h"

#include <ftw.h>
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

static _Thread_local uint64_t tree_bytes; /* nftw hands nothing through */

static int add_file_size(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)path, (void)walk;
  if (type == FTW_F) tree_bytes += (uint64_t)status->st_size;
  return 0;
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
  tree_bytes = 0;
  nftw(traces->path, add_file_size, 16, FTW_PHYS);
  info->file_bytes = tree_bytes;
  hash_geometry(info, &traces->geometry);
  for (size_t i = 0; options->first_sample_given && i < traces->geometry.n; i++)
    traces->geometry.first_sample_s[i] = options->first_sample_s;
  return MOHO_OK;
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
  moho_status status = traces->path ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!status && is_directory(path)) status = open_zarr(traces, options);
  else if (!status)
    status = moho_segy_reader_open(traces->path, options, &traces->anomalies, &traces->info, &traces->geometry, &traces->segy);
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
  free(*traces);
  *traces = NULL;
}

const moho_traces_info *moho_traces_get_info(const moho_traces *traces) {
  return &traces->info;
}

const moho_geometry *moho_traces_get_geometry(const moho_traces *traces) {
  return &traces->geometry;
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
  pthread_mutex_lock(&traces->lock);
  if (!*entry) {
    *entry = moho_anomalies_add(&traces->anomalies, name, 0, trace, "%s", text);
    traces->info.n_anomalies = traces->anomalies.n;
  }
  (*entry)->count++;
  if (trace < (*entry)->first_trace) (*entry)->first_trace = trace;
  pthread_mutex_unlock(&traces->lock);
}

static moho_status bad_sample(const moho_traces *traces, size_t trace, size_t sample, float value) {
  char words[64];
  if (isfinite(value)) snprintf(words, sizeof words, "%g, expected at most 1e30", (double)value);
  else snprintf(words, sizeof words, "%s", isnan(value) ? "NaN" : "infinite");
  return moho_fail_at((moho_place){.file = traces->path, .trace = (int64_t)trace + 1},
                      isfinite(value)
                          ? "is the sample format (bytes 3225-3226) right? Else mend the data, or set bad_samples: zero"
                          : "mend the data, or set bad_samples: zero",
                      MOHO_ERROR_FORMAT, "%s: trace %zu, sample %zu is %s", traces->path, trace + 1, sample + 1, words);
}

static moho_status check_trace(moho_traces *traces, size_t trace, float *samples) {
  size_t n = traces->info.n_samples;
  moho_sample_check check = moho_sample_check_run(samples, n);
  if (check.all_zero && !(__atomic_load_n(&traces->geometry.flags[trace], __ATOMIC_RELAXED) & MOHO_TRACE_DEAD))
    flag_trace(traces, trace, MOHO_TRACE_DEAD, &traces->zero, "zero_traces", "all samples are zero: dead traces, left out");
  if (check.first_bad == SIZE_MAX) return MOHO_OK;
  int live = (__atomic_load_n(&traces->geometry.flags[trace], __ATOMIC_RELAXED) & ~(unsigned)MOHO_TRACE_BAD) == 0;
  if (live && traces->bad_samples == MOHO_BAD_SAMPLES_ERROR)
    return bad_sample(traces, trace, check.first_bad, samples[check.first_bad]);
  for (size_t i = check.first_bad; i < n; i++)
    if (moho_sample_check_run(samples + i, 1).first_bad == 0) samples[i] = 0;
  flag_trace(traces, trace, MOHO_TRACE_BAD, &traces->bad, "bad_samples", "samples are NaN, infinite or beyond 1e30: set to zero");
  return MOHO_OK;
}

static moho_status read_piece(moho_traces *traces, size_t first, size_t n, uint8_t *scratch, float *out) {
  if (traces->zarr) MOHO_TRY(moho_zarr_traces_read(traces->zarr, first, n, out));
  else MOHO_TRY(moho_segy_reader_read(traces->segy, first, n, scratch, out));
  for (size_t i = 0; i < n; i++) MOHO_TRY(check_trace(traces, first + i, out + i * traces->info.n_samples));
  return MOHO_OK;
}

moho_status moho_traces_read(moho_traces *traces, size_t first, size_t n, float *out) {
  MOHO_TRY(check_range(traces, first, n));
  size_t scratch_bytes = traces->segy ? moho_segy_reader_trace_bytes(traces->segy) : 0;
  size_t piece = traces->segy ? SEGY_PIECE_BYTES / scratch_bytes : ZARR_PIECE_BYTES / (traces->info.n_samples * sizeof(float));
  if (piece > n) piece = n;
  if (piece < 1) piece = 1;
  size_t pieces = n / piece + (n % piece != 0);
  moho_error error = {0};
  size_t error_piece = SIZE_MAX; /* the first in the file is the one reported, whatever the threads did */
#pragma omp parallel if (pieces > 1)
  {
    uint8_t *scratch;
    moho_status status = moho_allocate(piece, scratch_bytes, "traces", &scratch);
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
  return moho_segy_reader_header(traces->segy, name, first, n, out);
}
