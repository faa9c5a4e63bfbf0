/* segy_build.c - small SEG-Y and SU files built byte by byte. */
#include "segy_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t sample_bytes(int format) {
  return format == 3 ? 2 : format == 8 ? 1 : 4;
}

static size_t header_start(const segy_recipe *r) {
  return r->su ? 0 : 3600 + 3200 * (size_t)r->extended;
}

static void put(uint8_t *to, size_t size, int64_t value, int little) {
  for (size_t i = 0; i < size; i++) to[i] = (uint8_t)((uint64_t)value >> (8 * (little ? i : size - 1 - i)));
}

float segy_sample_of(size_t trace, size_t sample) {
  return (float)((int)((trace * 7 + sample * 3) % 201) - 100);
}

/* Small whole numbers only: sign, power of 16, fraction. */
static uint32_t ibm_of(float value) {
  uint32_t size = (uint32_t)(value < 0 ? -value : value), sign = value < 0 ? 0x80000000u : 0;
  if (!size) return 0;
  return size < 16 ? sign | 0x41000000u | size << 20 : sign | 0x42000000u | size << 16;
}

static void put_sample(uint8_t *to, int format, float value, int little) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  if (format == 1) put(to, 4, ibm_of(value), little);
  else if (format == 5) put(to, 4, bits, little);
  else put(to, sample_bytes(format), (int64_t)value, little);
}

void segy_set_binary(segy_bytes *file, int byte, size_t size, int64_t value) {
  put(file->data + byte - 1, size, value, file->recipe.little);
}

uint8_t *segy_trace(segy_bytes *file, size_t trace) {
  const segy_recipe *r = &file->recipe;
  return file->data + header_start(r) + trace * (240 + r->ns * sample_bytes(r->format));
}

void segy_set(segy_bytes *file, size_t trace, int byte, size_t size, int64_t value) {
  put(segy_trace(file, trace) + byte - 1, size, value, file->recipe.little);
}

void segy_set_all(segy_bytes *file, int byte, size_t size, int64_t value) {
  for (size_t k = 0; k < file->recipe.n_traces; k++) segy_set(file, k, byte, size, value);
}

static void fill_file_headers(segy_bytes *file) {
  static const uint8_t words[] = {0xc3, 0x40, 0xf1, 0x40, 0xc1, 0x40, 0xa3, 0x85, 0xa2, 0xa3}; /* "C 1 A test" in EBCDIC */
  const segy_recipe *r = &file->recipe;
  memset(file->data, r->text ? ' ' : 0x40, 3200);
  if (r->text) memcpy(file->data, r->text, strlen(r->text));
  else memcpy(file->data, words, sizeof words);
  segy_set_binary(file, 3217, 2, r->dt_us);
  segy_set_binary(file, 3221, 2, r->ns);
  segy_set_binary(file, 3225, 2, r->format);
  segy_set_binary(file, 3255, 2, 1);
  file->data[3500] = (uint8_t)r->revision;
  if (r->revision) segy_set_binary(file, 3505, 2, r->extended);
  for (int i = 0; i < r->extended; i++) memset(file->data + 3600 + 3200 * (size_t)i, 0x40, 3200);
}

static void fill_trace(segy_bytes *file, size_t k) {
  const segy_recipe *r = &file->recipe;
  int64_t x = 1000 + 10 * (int64_t)k;
  const struct {
    int byte;
    size_t size;
    int64_t value;
  } fields[] = {{1, 4, (int64_t)k + 1},
                {5, 4, (int64_t)k + 1},
                {9, 4, 7},
                {13, 4, (int64_t)k + 1},
                {21, 4, 100 + (int64_t)k},
                {29, 2, 1},
                {37, 4, 100},
                {69, 2, 1},
                {71, 2, 1},
                {73, 4, x},
                {77, 4, 500},
                {81, 4, x + 100},
                {85, 4, 500},
                {89, 2, 1},
                {115, 2, r->ns},
                {117, 2, r->dt_us}};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) segy_set(file, k, fields[i].byte, fields[i].size, fields[i].value);
  for (size_t j = 0; j < r->ns; j++)
    put_sample(segy_trace(file, k) + 240 + j * sample_bytes(r->format), r->format, segy_sample_of(k, j), r->little);
}

segy_bytes segy_build(segy_recipe recipe) {
  if (!recipe.format) recipe.format = 5;
  segy_bytes file = {.recipe = recipe};
  file.n = header_start(&recipe) + recipe.n_traces * (240 + recipe.ns * sample_bytes(recipe.format));
  file.data = calloc(file.n ? file.n : 1, 1);
  if (!file.data) abort();
  if (!recipe.su) fill_file_headers(&file);
  for (size_t k = 0; k < recipe.n_traces; k++) fill_trace(&file, k);
  return file;
}

void segy_free(segy_bytes *file) {
  free(file->data);
  file->data = NULL;
}

const char *segy_save_part(const segy_bytes *file, const char *name, size_t n) {
  const char *path = test_path(name);
  FILE *to = fopen(path, "wb");
  if (!to || fwrite(file->data, 1, n, to) != n || fclose(to)) abort();
  return path;
}

const char *segy_save(const segy_bytes *file, const char *name) {
  return segy_save_part(file, name, file->n);
}

moho_traces *segy_open_with(const segy_bytes *file, const char *name, const moho_traces_options *options) {
  moho_traces *traces;
  assert_ok(moho_traces_open(segy_save(file, name), options, &traces));
  return traces;
}

moho_traces *segy_open(const segy_bytes *file, const char *name) {
  return segy_open_with(file, name, NULL);
}

const moho_anomaly *segy_anomaly(const moho_traces *traces, const char *name) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  for (size_t i = 0; i < info->n_anomalies; i++)
    if (strcmp(info->anomalies[i].name, name) == 0) return &info->anomalies[i];
  return NULL;
}

void segy_assert_anomaly(const moho_traces *traces, const char *name, size_t count, size_t first, const char *words) {
  const moho_anomaly *found = segy_anomaly(traces, name);
  if (!found) fail_msg("no anomaly %s", name);
  if (!strstr(found->text, words)) fail_msg("anomaly %s says \"%s\", expected \"%s\"", name, found->text, words);
  assert_int_equal(found->count, count);
  assert_int_equal(found->first_trace, first);
}

void segy_assert_samples(moho_traces *traces) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  float *samples = malloc(info->n_traces * info->n_samples * sizeof *samples);
  if (!samples) abort();
  assert_ok(moho_traces_read(traces, 0, info->n_traces, samples));
  for (size_t k = 0; k < info->n_traces; k++)
    for (size_t j = 0; j < info->n_samples; j++)
      if (samples[k * info->n_samples + j] != segy_sample_of(k, j))
        fail_msg("trace %zu sample %zu is %g, expected %g", k, j, (double)samples[k * info->n_samples + j],
                 (double)segy_sample_of(k, j));
  free(samples);
}
