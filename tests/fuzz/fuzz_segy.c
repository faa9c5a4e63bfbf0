/* fuzz_segy.c - any bytes as a trace file: opened and read, or an error with words; never a crash, whatever the headers claim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "moho/traces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES_READ_AT_MOST = 1 << 20 };

static void require(int condition) {
  if (!condition) abort();
}

static int stop_never(void *user, const moho_progress *progress) {
  (void)user;
  require(progress->done <= progress->total);
  return 0;
}

static char path[64];

static void remove_file(void) {
  unlink(path);
}

/* One file, used again for every input. */
static const char *write_input(const uint8_t *data, size_t size) {
  static FILE *file;
  if (!file) {
    snprintf(path, sizeof path, "/tmp/moho-fuzz-segy-XXXXXX");
    int descriptor = mkstemp(path);
    file = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    require(file != NULL && atexit(remove_file) == 0);
  }
  require(fseek(file, 0, SEEK_SET) == 0 && ftruncate(fileno(file), 0) == 0);
  require(fwrite(data, 1, size, file) == size && fflush(file) == 0);
  return path;
}

static void read_traces(moho_traces *traces) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  require(info->n_traces > 0 && info->n_samples >= 2 && info->dt_s > 0 && strlen(info->input_hash) == 64);
  for (size_t i = 0; i < info->n_anomalies; i++) require(info->anomalies[i].name && info->anomalies[i].text[0]);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  for (size_t i = 0; i < g->n; i++) {
    double sum = g->source_x[i] + g->source_y[i] + g->receiver_x[i] + g->receiver_y[i] + g->first_sample_s[i];
    require(sum - sum == 0 && moho_geometry_offset(g, i) < 1e13);
  }
  double header;
  require(moho_traces_header(traces, "fldr", info->n_traces - 1, 1, &header) == MOHO_OK);
  size_t n = info->n_traces < SAMPLES_READ_AT_MOST / info->n_samples ? info->n_traces : SAMPLES_READ_AT_MOST / info->n_samples;
  float *samples = n ? malloc(n * info->n_samples * sizeof *samples) : NULL;
  if (!samples) return;
  require(moho_traces_read(traces, info->n_traces - n, n, samples) == MOHO_OK);
  for (size_t i = 0; i < n * info->n_samples; i++) require(samples[i] - samples[i] == 0); /* finite: bad ones are set to zero */
  free(samples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *input = write_input(data, size);
  const moho_statics statics = {.header = MOHO_STATICS_SOURCE_RECEIVER,
                                .elevation = MOHO_STATICS_SURFACE,
                                .datum_from_header = size % 2 == 0,
                                .replacement_from_header = size % 3 == 0,
                                .replacement_mps = 2000,
                                .lag = 1};
  const double sectors[1][2] = {{300, 120}};
  moho_selection select = moho_selection_default();
  select.where = "fldr % 2 == 0 or (ep != 0 and cdp / ep > 1) or offset_m > 100 and selev < 1e9";
  select.azimuth_deg = sectors, select.n_azimuths = size % 5 == 0;
  for (int scaled = 0; scaled < 4; scaled++) {
    moho_traces_options options = moho_traces_options_default();
    moho_traces *traces = NULL;
    options.bad_samples = MOHO_BAD_SAMPLES_ZERO;
    options.progress = stop_never;
    options.headers =
        scaled % 2 ? "source_x=73:f4,receiver_x=81:ibm4,cdp_x=181:f8,azimuth=225:f4,source_elevation=45:f4,lag_a=105:f8" : NULL;
    if (scaled >= 2) options.select = &select, options.statics = &statics;
    moho_status status = moho_traces_open(input, &options, &traces);
    require((status == MOHO_OK) == (traces != NULL));
    if (status) require(moho_last_error()->code == status && moho_last_error()->message[0]);
    else read_traces(traces);
    moho_traces_close(&traces);
  }
  return 0;
}
