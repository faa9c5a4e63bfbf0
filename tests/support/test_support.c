/* test_support.c - what tests share. */
#include "test_support.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"

static char directory[256];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static void remove_directory(void) {
  nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_directory(void) {
  if (!directory[0]) {
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/moho-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory)) abort();
    atexit(remove_directory);
  }
  return directory;
}

const char *test_path(const char *name) {
  static char paths[8][512];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", test_directory(), name);
  return path;
}

/* splitmix64 */
double test_uniform(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double test_normal(uint64_t *state) {
  double u = 1.0 - test_uniform(state), v = test_uniform(state);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

double test_relative_l2(const float *a, const double *b, size_t n) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < n; i++) {
    difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return sqrt(difference / (norm > 0 ? norm : 1));
}

static void print_last_error(void) {
  const moho_error *error = moho_last_error();
  print_error("  last error: %s: %s\n  hint: %s\n  file %s trace %lld key %s line %d\n", moho_status_name(error->code),
              error->message, error->hint, error->file, (long long)error->trace, error->key, error->line);
}

void test_assert_ok(int status, const char *what, const char *file, int line) {
  if (status == 0) return;
  print_error("%s returned %s\n", what, moho_status_name(status));
  print_last_error();
  _fail(file, line);
}

void test_assert_fails(int status, int code, const char *words, const char *what, const char *file, int line) {
  if (status == code && strstr(moho_last_error()->message, words)) return;
  print_error("%s returned %s, expected %s with \"%s\"\n", what, moho_status_name(status), moho_status_name(code), words);
  print_last_error();
  _fail(file, line);
}
