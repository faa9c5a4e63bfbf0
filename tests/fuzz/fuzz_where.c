/* fuzz_where.c - any bytes as a condition on trace headers: parsed or refused with words; what is parsed gives the same trace by
 * trace as over blocks.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "survey/trace_select.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N = 37 };

static void require(int condition) {
  if (!condition) abort();
}

/* Small whole numbers, zero among them, or doubles; NaN among them. */
static void fill(size_t name, int is_whole, int64_t *values) {
  uint64_t seed = name * 0x9e3779b97f4a7c15u + 1;
  for (size_t i = 0; i < N; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    int64_t whole = (int64_t)(seed >> 56) - 128;
    double real = i == 11 ? (double)NAN : (double)whole / 4;
    if (is_whole) values[i] = i % 7 == 3 ? INT32_MIN : whole;
    else memcpy(&values[i], &real, sizeof real);
  }
}

static void evaluate(moho_where *where) {
  size_t count = moho_where_count(where), failed = N, failed_at = N;
  moho_where_type types[MOHO_WHERE_NAMES];
  moho_where_column columns[MOHO_WHERE_NAMES];
  int64_t *values = malloc((count + 1) * N * sizeof *values);
  for (size_t k = 0; k < count; k++) {
    types[k] = (moho_where_type){strlen(moho_where_name(where, k)) % 3 != 0, INT32_MIN, INT32_MAX};
    fill(k, types[k].is_whole, values + k * N);
    columns[k].whole = values + k * N;
  }
  if (moho_where_bind(where, types) == MOHO_OK) {
    uint8_t together[N], alone[N];
    void *scratch = malloc(moho_where_scratch_bytes(where));
    moho_status status = moho_where_evaluate(where, scratch, columns, N, together, &failed);
    for (size_t i = 0; i < N && failed_at == N; i++) {
      moho_where_column here[MOHO_WHERE_NAMES];
      size_t first;
      for (size_t k = 0; k < count; k++) here[k].whole = columns[k].whole + i;
      if (moho_where_evaluate(where, scratch, here, 1, &alone[i], &first)) failed_at = i;
    }
    require(failed_at == (status ? failed : N));
    require(status || memcmp(together, alone, N) == 0);
    free(scratch);
  }
  free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 4000) return 0;
  char *text = malloc(size + 1);
  memcpy(text, data, size);
  text[size] = '\0';
  moho_where *where = NULL;
  moho_status status = moho_where_parse(text, &moho_trace_vocabulary, &where);
  require((status == MOHO_OK) == (where != NULL));
  if (status) require(moho_last_error()->code == status && moho_last_error()->message[0]);
  else evaluate(where);
  moho_where_destroy(&where);
  free(text);
  return 0;
}
