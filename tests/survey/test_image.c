/* test_image.c - images as Zarr: the same image comes back, bit for bit; a failed write leaves nothing behind. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "moho/image.h"
#include "survey/zarr_store.h"
#include "test_support.h"

static moho_grid small_grid(void) {
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 431250.1, grid.origin_y_m = 6500000.3, grid.inline_azimuth_deg = 12.5, grid.flip = 1;
  grid.inline_first = -3, grid.inline_step = 5, grid.crossline_first = 1000, grid.crossline_step = -2;
  grid.n_inline = 6, grid.n_crossline = 9, grid.n_time = 1100;
  grid.inline_spacing_m = 18.75, grid.crossline_spacing_m = 6.25, grid.first_s = 0.1, grid.step_s = 1.0 / 3000;
  return grid;
}

static void make_image(const moho_grid *grid, moho_image *image) {
  uint64_t seed = 11;
  assert_ok(moho_image_create(grid, image));
  size_t n = grid->n_inline * grid->n_crossline * grid->n_time;
  for (size_t s = 0; s < n; s++) {
    assert_true(image->stack[s] == 0 && image->fold[s] == 0);
    image->stack[s] = (float)test_normal(&seed), image->fold[s] = (int32_t)(1e9 * test_uniform(&seed));
  }
  image->stack[1] = NAN, image->stack[2] = -INFINITY, image->stack[3] = -0.0f;
}

static void assert_same_grid(const moho_grid *a, const moho_grid *b) {
  assert_true(a->origin_x_m == b->origin_x_m && a->origin_y_m == b->origin_y_m && a->inline_azimuth_deg == b->inline_azimuth_deg);
  assert_true(a->flip == b->flip && a->inline_first == b->inline_first && a->inline_step == b->inline_step);
  assert_true(a->crossline_first == b->crossline_first && a->crossline_step == b->crossline_step);
  assert_true(a->n_inline == b->n_inline && a->n_crossline == b->n_crossline && a->n_time == b->n_time);
  assert_true(a->inline_spacing_m == b->inline_spacing_m && a->crossline_spacing_m == b->crossline_spacing_m);
  assert_true(a->first_s == b->first_s && a->step_s == b->step_s && !a->line_x_m == !b->line_x_m);
}

static void an_image_comes_back_bit_for_bit(void **state) {
  (void)state;
  moho_grid grid = small_grid();
  moho_image image, back;
  make_image(&grid, &image);
  image.attributes = strdup("{\"job\": {\"x\": 0.1, \"list\": [1, null, \"\\u00b5\"]}, \"input_hash\": \"ab12\"}");
  assert_ok(moho_image_write_zarr(&image, test_path("image.zarr")));
  assert_ok(moho_image_read_zarr(test_path("image.zarr"), &back));
  size_t n = grid.n_inline * grid.n_crossline * grid.n_time;
  assert_same_grid(&image.grid, &back.grid);
  assert_memory_equal(image.stack, back.stack, n * sizeof(float));
  assert_memory_equal(image.fold, back.fold, n * sizeof(int32_t));
  json_t *ours = json_loads(image.attributes, 0, NULL), *theirs = json_loads(back.attributes, 0, NULL);
  assert_true(json_equal(ours, theirs));
  json_decref(ours);
  json_decref(theirs);
  moho_image_release(&back);
  free(image.fold), image.fold = NULL; /* and again over it, without fold and attributes */
  free(image.attributes), image.attributes = NULL;
  assert_ok(moho_image_write_zarr(&image, test_path("image.zarr")));
  assert_ok(moho_image_read_zarr(test_path("image.zarr"), &back));
  assert_null(back.fold);
  assert_null(back.attributes);
  moho_image_release(&back);
  moho_image_release(&image);
  assert_null(image.stack);
}

static void every_chunk_of_the_fold_is_written(void **state) {
  (void)state;
  moho_grid grid = small_grid();
  moho_image image;
  assert_ok(moho_image_create(&grid, &image)); /* zero everywhere */
  assert_ok(moho_image_write_zarr(&image, test_path("zero.zarr")));
  moho_zarr_array *array;
  assert_ok(moho_zarr_array_open(test_path("zero.zarr"), "fold", &array));
  const moho_zarr_layout *layout = moho_zarr_array_get_layout(array);
  assert_false(layout->has_fill);
  size_t chunks = 0, expected = 1;
  for (size_t a = 0; a < 3; a++) expected *= (layout->shape[a] + layout->chunk[a] - 1) / layout->chunk[a];
  char path[700];
  snprintf(path, sizeof path, "%s/fold", test_path("zero.zarr"));
  DIR *directory = opendir(path);
  assert_non_null(directory);
  for (struct dirent *entry; (entry = readdir(directory));) chunks += entry->d_name[0] != '.';
  closedir(directory);
  assert_true(expected > 1);
  assert_int_equal(chunks, expected);
  moho_zarr_array_close(&array);
  moho_image_release(&image);
}

static void a_crooked_line_keeps_its_positions(void **state) {
  (void)state;
  moho_grid grid = moho_grid_default();
  moho_image image, back;
  double x[5] = {0, 10, 20, 29, 37}, y[5] = {0, 0, 1, 5, 11};
  grid.n_crossline = 5, grid.n_time = 3, grid.step_s = 0.004, grid.crossline_spacing_m = 10;
  grid.line_x_m = x, grid.line_y_m = y;
  assert_ok(moho_image_create(&grid, &image));
  assert_ok(moho_image_write_zarr(&image, test_path("line.zarr")));
  assert_ok(moho_image_read_zarr(test_path("line.zarr"), &back));
  assert_same_grid(&image.grid, &back.grid);
  assert_memory_equal(back.grid.line_x_m, x, sizeof x);
  assert_memory_equal(back.grid.line_y_m, y, sizeof y);
  moho_image_release(&back);
  /* Without our attribute: from cdp_x and cdp_y. */
  char attributes[700];
  snprintf(attributes, sizeof attributes, "%s/.zattrs", test_path("line.zarr"));
  assert_ok(moho_file_write_all(attributes, "{}", 2));
  assert_ok(moho_image_read_zarr(test_path("line.zarr"), &back));
  assert_memory_equal(back.grid.line_x_m, x, sizeof x);
  moho_image_release(&back);
  moho_image_release(&image);
}

static void groups_that_are_no_image_are_refused(void **state) {
  (void)state;
  moho_grid grid = small_grid();
  moho_image image, back;
  char attributes[700], gone[700], away[700];
  make_image(&grid, &image);
  assert_fails(moho_image_read_zarr(test_path("absent.zarr"), &back), MOHO_ERROR_NOT_FOUND, "no such file");
  assert_ok(moho_image_write_zarr(&image, test_path("bad.zarr")));
  snprintf(attributes, sizeof attributes, "%s/.zattrs", test_path("bad.zarr"));
  assert_ok(moho_file_write_all(attributes, "{\"grid\": {\"n_time\": 3}}", 23));
  assert_fails(moho_image_read_zarr(test_path("bad.zarr"), &back), MOHO_ERROR_FORMAT, "attribute grid.origin_x_m");
  assert_null(back.stack);
  assert_ok(moho_file_write_all(attributes, "{\"grid\": ", 9));
  assert_fails(moho_image_read_zarr(test_path("bad.zarr"), &back), MOHO_ERROR_FORMAT, "is not JSON");
  assert_ok(moho_file_write_all(attributes, "{}", 2));
  snprintf(gone, sizeof gone, "%s/cdp_x", test_path("bad.zarr"));
  snprintf(away, sizeof away, "%s/away", test_path("bad.zarr"));
  assert_int_equal(rename(gone, away), 0);
  assert_fails(moho_image_read_zarr(test_path("bad.zarr"), &back), MOHO_ERROR_FORMAT, "say where the columns are");
  assert_non_null(strstr(moho_last_error()->hint, "cdp_x"));
  snprintf(gone, sizeof gone, "%s/stack", test_path("bad.zarr"));
  snprintf(away, sizeof away, "%s/stock", test_path("bad.zarr"));
  assert_int_equal(rename(gone, away), 0);
  assert_fails(moho_image_read_zarr(test_path("bad.zarr"), &back), MOHO_ERROR_NOT_FOUND, "no array \"stack\"");
  image.attributes = strdup("{\"grid\": 1}");
  assert_fails(moho_image_write_zarr(&image, test_path("bad.zarr")), MOHO_ERROR_ARGUMENT, "\"grid\"");
  free(image.attributes), image.attributes = strdup("not JSON");
  assert_fails(moho_image_write_zarr(&image, test_path("bad.zarr")), MOHO_ERROR_ARGUMENT, "JSON object");
  moho_image_release(&image);
}

static size_t entries(const char *path) {
  size_t n = 0;
  DIR *directory = opendir(path);
  assert_non_null(directory);
  while (readdir(directory)) n++;
  closedir(directory);
  return n;
}

static void a_failed_write_leaves_nothing_behind(void **state) {
  (void)state;
  moho_grid grid = small_grid();
  moho_image image, back;
  char inside[700], nowhere[700];
  make_image(&grid, &image);
  const char *directory = test_path("faults");
  assert_ok(moho_directory_make(directory));
  snprintf(inside, sizeof inside, "%s/image.zarr", directory);
  size_t empty = entries(directory);
  int failures = 0;
  moho_status status = MOHO_ERROR_IO;
  for (int64_t bytes = 0; status; bytes = bytes * 3 / 2 + 100) {
    moho_file_writer_set_fault(ENOSPC, bytes);
    status = moho_image_write_zarr(&image, inside);
    moho_file_writer_set_fault(0, -1);
    if (!status) break;
    failures++;
    assert_int_equal(status, MOHO_ERROR_IO);
    assert_non_null(strstr(moho_last_error()->message, "No space left"));
    assert_non_null(strstr(moho_last_error()->message, "image.zarr: "));
    assert_null(strstr(moho_last_error()->message, "partial"));
    assert_non_null(strstr(moho_last_error()->hint, "free some space"));
    assert_int_equal(entries(directory), empty);
  }
  assert_true(failures > 5);
  assert_int_equal(entries(directory), empty + 1);
  /* An older image survives a failed replacement. */
  moho_file_writer_set_fault(EIO, 3000);
  assert_fails(moho_image_write_zarr(&image, inside), MOHO_ERROR_IO, "Input/output error");
  moho_file_writer_set_fault(0, -1);
  assert_int_equal(entries(directory), empty + 1);
  assert_ok(moho_image_read_zarr(inside, &back));
  moho_image_release(&back);
  snprintf(nowhere, sizeof nowhere, "%s/no/such/directory/image.zarr", directory);
  assert_fails(moho_image_write_zarr(&image, nowhere), MOHO_ERROR_IO, "creating failed");
  moho_image_release(&image);
}

static void a_grid_that_cannot_be_is_refused(void **state) {
  (void)state;
  moho_grid grid = small_grid();
  moho_image image;
  grid.n_inline = 0;
  assert_int_equal(moho_image_create(&grid, &image) > 0, 1);
  assert_null(image.stack);
  grid = small_grid();
  grid.n_inline = grid.n_crossline = grid.n_time = (size_t)1 << 30;
  assert_int_equal(moho_image_create(&grid, &image) != 0, 1);
  assert_null(image.stack);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_image_comes_back_bit_for_bit),      cmocka_unit_test(every_chunk_of_the_fold_is_written),
      cmocka_unit_test(a_crooked_line_keeps_its_positions),   cmocka_unit_test(groups_that_are_no_image_are_refused),
      cmocka_unit_test(a_failed_write_leaves_nothing_behind), cmocka_unit_test(a_grid_that_cannot_be_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
