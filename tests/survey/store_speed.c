/* store_speed.c - seconds and bytes a second of a trace store, beside a copy of the same file: store_speed FILE DIRECTORY [MIB]
 *
 * Prints one line a stage: opening (headers), a copy of the file (read, written, synced), building, the whole store through one
 * cursor, the same through windows. Not a test: what it prints is for docs/large-surveys.md.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file_state.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "base/timer.h"
#include "survey/trace_store.h"

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, moho_last_error()->message);
  exit(1);
}

static void tell(const char *what, double seconds, double bytes) {
  printf("%-28s %8.2f s  %8.0f MB/s  peak %6.0f MB\n", what, seconds, bytes / seconds / 1e6,
         (double)moho_process_memory_peak() / 1e6);
  fflush(stdout);
}

static void copy_file(const char *path, const char *to) {
  enum { PIECE = 1 << 20 };
  char *buffer = malloc(PIECE);
  int file = open(path, O_RDONLY);
  moho_file_writer *writer;
  if (!buffer || file < 0 || moho_file_writer_open(to, &writer)) fail("copy");
  for (ssize_t n; (n = read(file, buffer, PIECE)) > 0;)
    if (moho_file_writer_write(writer, buffer, (size_t)n)) fail("copy");
  if (moho_file_writer_commit(&writer)) fail("copy");
  close(file);
  free(buffer);
  unlink(to);
}

static size_t read_region(const moho_trace_store *store, const moho_trace_region *region) {
  moho_trace_cursor *cursor;
  moho_trace_batch batch;
  size_t n = 0;
  if (moho_trace_cursor_create(store, region, 8192, &cursor)) fail("cursor");
  do {
    if (moho_trace_cursor_next(cursor, &batch)) fail("cursor");
    n += batch.n;
  } while (batch.n);
  moho_trace_cursor_destroy(&cursor);
  return n;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  double begin = moho_seconds(), file_bytes = (double)moho_file_state_of(argv[1]).bytes;
  moho_traces *traces;
  if (moho_traces_open(argv[1], NULL, &traces)) fail("open");
  size_t ns = moho_traces_get_info(traces)->n_samples;
  printf("%zu traces of %zu samples\n", moho_traces_get_info(traces)->n_traces, ns);
  tell("reading headers", moho_seconds() - begin, file_bytes);
  if (moho_directory_make(argv[2])) fail("place");
  if (argc > 4) {
    char to[1024];
    snprintf(to, sizeof to, "%s/copy", argv[2]);
    begin = moho_seconds();
    copy_file(argv[1], to);
    tell("copy of the file", moho_seconds() - begin, file_bytes);
  }
  moho_trace_store_options options = moho_trace_store_options_default();
  moho_trace_store *store;
  options.directory = argv[2];
  options.memory_bytes = argc > 3 ? (size_t)atol(argv[3]) << 20 : 0;
  begin = moho_seconds();
  if (moho_trace_store_open(&(moho_trace_source){.traces = traces}, &options, &store)) fail("store");
  const moho_trace_store_info *info = moho_trace_store_get_info(store);
  tell(info->reused ? "store, reused" : "store, built", moho_seconds() - begin, file_bytes);
  printf("%zu cells of %g m\n", info->n_cells, info->cell_m);
  moho_grid grid;
  char report[400];
  if (moho_grid_estimate(moho_traces_get_geometry(traces), info->dt_s, ns, &grid, report)) fail("grid");
  begin = moho_seconds();
  size_t n = read_region(store, NULL);
  tell("all of it", moho_seconds() - begin, (double)n * (double)ns * 4);
  size_t ni = (grid.n_inline + 3) / 4, nx = (grid.n_crossline + 3) / 4;
  begin = moho_seconds();
  n = 0;
  for (size_t i = 0; i < grid.n_inline; i += ni)
    for (size_t j = 0; j < grid.n_crossline; j += nx) {
      moho_window window = {i, moho_smaller(ni, grid.n_inline - i), j, moho_smaller(nx, grid.n_crossline - j)};
      n += read_region(store, &(moho_trace_region){&grid, window, 300});
    }
  tell("4 x 4 windows, margin 300 m", moho_seconds() - begin, (double)n * (double)ns * 4);
  printf("%zu traces for the windows\n", n);
  moho_grid_release(&grid);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  return 0;
}
