/* test_image_file.c - an image that grows on disk window by window: file for file what is written whole from memory, readable all
 * the while, and none the worse for any stop. */
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/file_writer.h"
#include "moho/quality.h"
#include "survey/image_file.h"
#include "survey/image_rows.h"
#include "test_support.h"

static const char attributes[] = "{\"job\": {\"x\": 0.1}, \"software\": \"here\"}";

typedef struct fixture {
  moho_grid grid;
  moho_gather_bins bins;
  moho_image image; /* the whole */
} fixture;

static void make_fixture(int with_gathers, fixture *f) {
  static const double edges[] = {0, 100, 300, 1000};
  uint64_t seed = 5;
  *f = (fixture){.grid = moho_grid_default()};
  f->grid.n_inline = with_gathers ? 20 : 40, f->grid.n_crossline = with_gathers ? 37 : 70, f->grid.n_time = 60;
  f->grid.step_s = 0.004, f->grid.inline_spacing_m = 12.5, f->grid.crossline_spacing_m = 25, f->grid.origin_x_m = 1e5 / 3;
  assert_ok(moho_image_create(&f->grid, &f->image));
  size_t n = f->grid.n_inline * f->grid.n_crossline * f->grid.n_time;
  for (size_t s = 0; s < n; s++)
    f->image.stack[s] = (float)test_normal(&seed),
    f->image.fold[s] = s / f->grid.n_time % 7 ? (int32_t)(50 * test_uniform(&seed)) : 0;
  f->image.attributes = strdup(attributes);
  if (!with_gathers) return;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, 4, NULL, 0, &f->bins));
  assert_ok(moho_image_add_gathers(&f->image, &f->bins));
  for (size_t s = 0; s < 3 * n; s++)
    f->image.gathers[s] = (float)test_normal(&seed), f->image.gathers_fold[s] = (int32_t)(9 * test_uniform(&seed));
}

static void release_fixture(fixture *f) {
  moho_image_release(&f->image);
  moho_gather_bins_release(&f->bins);
}

/* A window's columns in arrays of their own. */
static moho_image cut(const fixture *f, const moho_window *w) {
  moho_image out;
  moho_grid grid;
  assert_ok(moho_grid_cut(&f->grid, w, &grid));
  assert_ok(moho_image_create(&grid, &out));
  if (f->bins.kind) assert_ok(moho_image_add_gathers(&out, &f->bins));
  size_t n = f->grid.n_time, row = 3 * n;
  for (size_t c = 0; c < w->n_inline * w->n_crossline; c++) {
    size_t from = (w->inline_first + c / w->n_crossline) * f->grid.n_crossline + w->crossline_first + c % w->n_crossline;
    memcpy(out.stack + c * n, f->image.stack + from * n, n * sizeof(float));
    memcpy(out.fold + c * n, f->image.fold + from * n, n * sizeof(int32_t));
    if (!f->bins.kind) continue;
    memcpy(out.gathers + c * row, f->image.gathers + from * row, row * sizeof(float));
    memcpy(out.gathers_fold + c * row, f->image.gathers_fold + from * row, row * sizeof(int32_t));
  }
  moho_grid_release(&grid);
  return out;
}

enum { MOST_WINDOWS = 12 };

/* One lattice cell a window, in the order of the grid. */
static size_t windows_of(const fixture *f, moho_window out[MOST_WINDOWS]) {
  size_t a, b, n = 0;
  moho_image_file_lattice(&f->grid, &f->bins, &a, &b);
  for (size_t i = 0; i < f->grid.n_inline; i += a)
    for (size_t j = 0; j < f->grid.n_crossline; j += b) {
      assert_true(n < MOST_WINDOWS);
      out[n++] = (moho_window){i, i + a < f->grid.n_inline ? a : f->grid.n_inline - i, j,
                               j + b < f->grid.n_crossline ? b : f->grid.n_crossline - j};
    }
  assert_true(n >= 4);
  return n;
}

static moho_status write_window(const fixture *f, moho_image_file *file, const moho_window *w, moho_image_mark *mark) {
  moho_image part = cut(f, w);
  moho_status status = moho_image_file_write(file, w, &part, mark);
  moho_image_release(&part);
  return status;
}

/* Every file of the one directory is in the other with the same bytes; how many there are. */
static size_t assert_same_files(const char *one, const char *other) {
  DIR *listing = opendir(one);
  size_t n = 0;
  assert_non_null(listing);
  for (struct dirent *entry; (entry = readdir(listing));) {
    char a[1000], b[1000], *ours, *theirs;
    size_t our_bytes, their_bytes;
    struct stat status;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    snprintf(a, sizeof a, "%s/%s", one, entry->d_name), snprintf(b, sizeof b, "%s/%s", other, entry->d_name);
    assert_int_equal(stat(a, &status), 0);
    if (S_ISDIR(status.st_mode)) {
      n += assert_same_files(a, b);
      continue;
    }
    assert_ok(moho_file_read_all(a, 1 << 26, &ours, &our_bytes));
    assert_ok(moho_file_read_all(b, 1 << 26, &theirs, &their_bytes));
    if (our_bytes != their_bytes || memcmp(ours, theirs, our_bytes) != 0) fail_msg("%s and %s differ", a, b);
    free(ours), free(theirs);
    n++;
  }
  closedir(listing);
  return n;
}

static void assert_same_trees(const char *one, const char *other) {
  assert_true(assert_same_files(one, other) > 10);
  assert_int_equal(assert_same_files(one, other), assert_same_files(other, one));
}

static void windows_in_any_order_make_the_files_of_the_whole(void **state) {
  (void)state;
  for (int with_gathers = 0; with_gathers < 2; with_gathers++) {
    fixture f;
    moho_window windows[MOST_WINDOWS];
    moho_image_file *file;
    make_fixture(with_gathers, &f);
    size_t n = windows_of(&f, windows);
    assert_ok(moho_image_write_zarr(&f.image, test_path("whole.zarr")));
    assert_ok(moho_image_file_create(test_path("grown.zarr"), &f.grid, &f.bins, attributes, &file));
    for (size_t k = 0; k < n; k++) {
      assert_ok(write_window(&f, file, &windows[(5 * k + 2) % n], NULL));
      if (k != n / 2) continue; /* closed and opened again in the middle */
      moho_image_file_close(&file);
      assert_ok(moho_image_file_open(test_path("grown.zarr"), &f.grid, &f.bins, &file));
    }
    assert_true(n % 5);
    assert_ok(moho_image_file_finish(file, attributes));
    assert_same_trees(test_path("whole.zarr"), test_path("grown.zarr"));
    moho_image_file_close(&file);
    release_fixture(&f);
  }
}

static void a_half_made_image_is_read(void **state) {
  (void)state;
  fixture f;
  moho_window windows[MOST_WINDOWS];
  moho_image_file *file;
  moho_image half;
  make_fixture(1, &f);
  windows_of(&f, windows);
  assert_ok(moho_image_file_create(test_path("half.zarr"), &f.grid, &f.bins, attributes, &file));
  assert_ok(write_window(&f, file, &windows[1], NULL));
  assert_ok(moho_image_read_zarr(test_path("half.zarr"), &half));
  assert_true(half.is_partial);
  size_t n = f.grid.n_time, there = 0;
  for (size_t c = 0; c < f.grid.n_inline * f.grid.n_crossline; c++) {
    size_t i = c / f.grid.n_crossline, j = c % f.grid.n_crossline;
    int is_there =
        i < windows[1].n_inline && j >= windows[1].crossline_first && j < windows[1].crossline_first + windows[1].n_crossline;
    there += (size_t)is_there;
    for (size_t k = 0; k < n; k++) {
      if (is_there) assert_memory_equal(&half.stack[c * n + k], &f.image.stack[c * n + k], 4);
      else assert_true(isnan(half.stack[c * n + k]));
      assert_int_equal(half.fold[c * n + k], is_there ? f.image.fold[c * n + k] : 0);
    }
  }
  assert_int_equal(there, windows[1].n_inline * windows[1].n_crossline);
  float gather[3 * 60];
  int32_t fold[3 * 60];
  assert_ok(moho_image_read_gather(test_path("half.zarr"), &half, 0, 0, gather, fold));
  assert_true(isnan(gather[0]) && isnan(gather[179]) && fold[0] == 0 && fold[179] == 0);
  moho_image_release(&half);
  moho_image_file_close(&file);
  release_fixture(&f);
}

static void what_happens_to_a_chunk_is_seen(void **state) {
  (void)state;
  fixture f;
  moho_window windows[MOST_WINDOWS];
  moho_image_mark marks[MOST_WINDOWS];
  moho_image_file *file;
  char *data;
  size_t bytes;
  int is_whole;
  make_fixture(0, &f);
  size_t n = windows_of(&f, windows);
  assert_ok(moho_image_file_create(test_path("seen.zarr"), &f.grid, NULL, attributes, &file));
  for (size_t k = 0; k < n; k++) assert_ok(write_window(&f, file, &windows[k], &marks[k]));
  const char *chunk = test_path("seen.zarr/fold/0.1.0");
  assert_ok(moho_file_read_all(chunk, 1 << 26, &data, &bytes));
  for (int change = 0; change < 4; change++) {
    if (change == 0) assert_int_equal(unlink(chunk), 0);
    if (change == 1) assert_ok(moho_file_write_all(chunk, data, bytes / 2));
    if (change == 2) data[bytes / 3] ^= 4, assert_ok(moho_file_write_all(chunk, data, bytes)), data[bytes / 3] ^= 4;
    if (change == 3) assert_ok(moho_file_write_all(chunk, data, bytes));
    for (size_t k = 0; k < n; k++) {
      assert_ok(moho_image_file_check(file, &windows[k], &marks[k], &is_whole));
      assert_int_equal(is_whole, k != 1 || change == 3);
    }
  }
  free(data);
  moho_image_file_close(&file);
  moho_grid other = f.grid;
  other.n_time++;
  assert_fails(moho_image_file_open(test_path("seen.zarr"), &other, NULL, &file), MOHO_ERROR_FORMAT, "is not laid out as");
  assert_null(file);
  release_fixture(&f);
}

static void windows_between_chunks_are_refused(void **state) {
  (void)state;
  fixture f;
  moho_image_file *file;
  make_fixture(0, &f);
  assert_ok(moho_image_file_create(test_path("between.zarr"), &f.grid, NULL, NULL, &file));
  const moho_window bad[] = {{0, 32, 1, 31}, {0, 31, 0, 32}, {8, 32, 0, 70}};
  for (int k = 0; k < 3; k++) assert_fails(write_window(&f, file, &bad[k], NULL), MOHO_ERROR_INTERNAL, "are no whole chunks");
  const moho_window outside = {32, 9, 0, 70};
  moho_image part = {.stack = f.image.stack, .fold = f.image.fold};
  assert_int_equal(moho_image_file_write(file, &outside, &part, NULL), MOHO_ERROR_RANGE);
  moho_image_file_close(&file);
  release_fixture(&f);
}

static void segy_in_pieces_is_segy_from_memory(void **state) {
  (void)state;
  for (int with_gathers = 0; with_gathers < 2; with_gathers++) {
    fixture f;
    moho_window windows[MOST_WINDOWS];
    moho_image_file *file;
    char *whole, *pieces;
    size_t whole_bytes, pieces_bytes;
    make_fixture(with_gathers, &f);
    size_t n = windows_of(&f, windows);
    assert_ok(moho_image_file_create(test_path("rows.zarr"), &f.grid, &f.bins, NULL, &file));
    for (size_t k = 0; k < n; k++) assert_ok(write_window(&f, file, &windows[k], NULL));
    for (int gathers = 0; gathers <= with_gathers; gathers++) {
      assert_ok(gathers ? moho_image_write_gathers_segy(&f.image, test_path("whole.sgy"), "C 1")
                        : moho_image_write_segy(&f.image, test_path("whole.sgy"), "C 1"));
      assert_ok(moho_file_read_all(test_path("whole.sgy"), 1 << 28, &whole, &whole_bytes));
      /* A column at a time, some columns of an inline, an inline, several, all. */
      static const size_t memory[] = {1, 20000, 100000, 1000000, (size_t)1 << 40};
      for (int m = 0; m < 5; m++) {
        moho_image_rows rows;
        assert_ok(moho_image_file_open_rows(file, memory[m], &rows));
        assert_ok(gathers ? moho_image_rows_write_gathers_segy(&rows, test_path("pieces.sgy"), "C 1")
                          : moho_image_rows_write_segy(&rows, test_path("pieces.sgy"), "C 1"));
        moho_image_rows_close(&rows);
        assert_ok(moho_file_read_all(test_path("pieces.sgy"), 1 << 28, &pieces, &pieces_bytes));
        assert_int_equal(pieces_bytes, whole_bytes);
        assert_memory_equal(pieces, whole, whole_bytes);
        free(pieces);
      }
      free(whole);
    }
    moho_image_file_close(&file);
    release_fixture(&f);
  }
}

/* ---- figures ---- */

static void assert_same_figures(const moho_image_quality *a, const moho_image_quality *b) {
  char *one, *other;
  assert_ok(moho_image_quality_json(a, &one));
  assert_ok(moho_image_quality_json(b, &other));
  assert_string_equal(one, other); /* doubles with all their digits */
  free(one), free(other);
}

static void figures_in_pieces_are_figures_from_memory(void **state) {
  (void)state;
  static const size_t memory[] = {0, 1, 20000, 100000, 1000000, (size_t)1 << 40};
  fixture f;
  moho_window windows[MOST_WINDOWS];
  moho_image_file *file;
  moho_image_quality whole, pieces;
  make_fixture(0, &f);
  size_t n = windows_of(&f, windows);
  f.image.stack[77] = NAN, f.image.stack[9000] = INFINITY;
  assert_ok(moho_image_measure(&f.image, &whole));
  assert_int_equal(whole.n_nan, 1);
  assert_int_equal(whole.n_infinite, 1);
  assert_true(whole.spectrum.traces == 1024 && whole.fold_most > 40);
  assert_ok(moho_image_file_create(test_path("figures.zarr"), &f.grid, NULL, NULL, &file));
  for (size_t k = 0; k < n - 1; k++) assert_ok(write_window(&f, file, &windows[k], NULL));
  assert_ok(moho_image_measure_zarr(test_path("figures.zarr"), 20000, &pieces));
  assert_int_equal(pieces.n_nan, 1 + windows[n - 1].n_inline * windows[n - 1].n_crossline * f.grid.n_time); /* not there yet */
  assert_ok(write_window(&f, file, &windows[n - 1], NULL));
  for (size_t m = 0; m < sizeof memory / sizeof *memory; m++) {
    assert_ok(moho_image_measure_zarr(test_path("figures.zarr"), memory[m], &pieces));
    assert_same_figures(&whole, &pieces);
  }
  moho_image_file_close(&file);
  release_fixture(&f);
}

/* ---- stops ---- */

static void child(const fixture *f, const moho_window *window, const char *fault) {
  moho_image_file *file;
  moho_status status = moho_image_file_open(test_path("stops.zarr"), &f->grid, &f->bins, &file);
  moho_disk_set_fault(fault);
  if (!status) status = write_window(f, file, window, NULL);
  _exit(status ? 1 : 0);
}

static void a_stop_harms_no_other_window(void **state) {
  (void)state;
  static const char *const words[] = {"KILL", "POWER", "TORN", "EIO"};
  fixture f;
  moho_window windows[MOST_WINDOWS];
  moho_image_mark first;
  moho_image_file *file;
  moho_image half;
  int stops = 0, is_whole;
  make_fixture(0, &f);
  size_t n = windows_of(&f, windows);
  assert_ok(moho_image_write_zarr(&f.image, test_path("unstopped.zarr")));
  assert_ok(moho_image_file_create(test_path("stops.zarr"), &f.grid, NULL, attributes, &file));
  assert_ok(write_window(&f, file, &windows[0], &first));
  moho_image_file_close(&file);
  for (int w = 0; w < 4; w++)
    for (int call = 1; call < 12; call++) {
      char fault[20];
      int status;
      snprintf(fault, sizeof fault, "%s@%d", words[w], call);
      pid_t process = fork();
      assert_true(process >= 0);
      if (process == 0) child(&f, &windows[1], fault);
      assert_int_equal(waitpid(process, &status, 0), process);
      stops += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
      assert_ok(moho_image_file_open(test_path("stops.zarr"), &f.grid, NULL, &file));
      assert_ok(moho_image_file_check(file, &windows[0], &first, &is_whole));
      assert_true(is_whole);
      /* A torn rename leaves half a chunk under its name (a disk that lies): it must not be read as something. */
      if (w != 2) {
        assert_ok(moho_image_read_zarr(test_path("stops.zarr"), &half));
        moho_image_release(&half);
      }
      moho_image_file_close(&file);
    }
  assert_int_equal(stops, 4 * 8); /* two chunks: write, sync, rename each; two directories */
  assert_ok(moho_image_file_open(test_path("stops.zarr"), &f.grid, NULL, &file));
  for (size_t k = 1; k < n; k++) assert_ok(write_window(&f, file, &windows[k], NULL));
  assert_ok(moho_image_file_finish(file, attributes));
  moho_image_file_close(&file);
  assert_same_trees(test_path("unstopped.zarr"), test_path("stops.zarr"));
  release_fixture(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(windows_in_any_order_make_the_files_of_the_whole),
                                     cmocka_unit_test(a_half_made_image_is_read),
                                     cmocka_unit_test(what_happens_to_a_chunk_is_seen),
                                     cmocka_unit_test(windows_between_chunks_are_refused),
                                     cmocka_unit_test(segy_in_pieces_is_segy_from_memory),
                                     cmocka_unit_test(figures_in_pieces_are_figures_from_memory),
                                     cmocka_unit_test(a_stop_harms_no_other_window)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
