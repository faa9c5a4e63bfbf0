/* test_mask.c - a migration of some samples only: inside the mask what the whole image holds, outside nothing.
 *
 * To rounding, not to the bit: vectors begin where a run begins, and the one that straddles a taper's end tapers all its samples;
 * kernels v2 and v3 go from ranges to chunks of 32 samples where the mask leaves some out, v3 from polynomials to exact times.
 * Kernels run on the device that MOHO_DEVICE names, else as C on the cpu.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

/* Ranges of many lengths, single samples, whole columns and empty ones; by column and seed. */
static uint8_t *some_samples(const moho_grid *grid, uint64_t seed) {
  size_t columns = grid->n_inline * grid->n_crossline, n = grid->n_time;
  uint8_t *mask = calloc(columns * n, 1);
  assert_non_null(mask);
  for (size_t c = 0; c < columns; c++) {
    if (c % 5 == 3) continue;
    if (c % 7 == 2) memset(mask + c * n, 1, n);
    for (size_t k = 0; k < n;) {
      size_t skip = (size_t)(60 * test_uniform(&seed)), length = 1 + (size_t)(40 * test_uniform(&seed) * test_uniform(&seed));
      for (k += skip; length && k < n; length--) mask[c * n + k++] = 1;
    }
  }
  return mask;
}

static const char *device_of(moho_migration_kernel kernel) {
  return kernel == MOHO_KERNEL_NATIVE ? "cpu?threads=2" : physics_device();
}

/* bound: of what a sample differs by, over the image's largest. @return samples inside the mask that have contributions. */
static size_t check_part(const char *what, const moho_image *part, const moho_image *whole, const uint8_t *mask, float bound) {
  float largest = 0;
  size_t masked = 0;
  for (size_t k = 0; k < image_size(whole); k++) largest = fmaxf(largest, fabsf(whole->stack[k]));
  for (size_t k = 0; k < image_size(whole); k++) {
    if (mask[k] && (!(fabsf(part->stack[k] - whole->stack[k]) <= bound * largest) || part->fold[k] != whole->fold[k]))
      fail_msg("%s, sample %zu: %g, fold %d, expected %g, fold %d", what, k, (double)part->stack[k], part->fold[k],
               (double)whole->stack[k], whole->fold[k]);
    if (!mask[k] && (part->stack[k] != 0 || part->fold[k] != 0))
      fail_msg("%s, sample %zu outside the mask: %g, fold %d", what, k, (double)part->stack[k], part->fold[k]);
    masked += mask[k] && whole->fold[k] > 0;
  }
  return masked;
}

/* On the cpu's own loops, or by a kernel: which counts the same traces, and gives the same bits however it is cut. */
static size_t check_scenario(size_t i, physics_case c, moho_migration_kernel kernel, float bound) {
  char what[60];
  uint8_t *mask = some_samples(&c.grid, i + 1);
  snprintf(what, sizeof what, "%s, scenario %zu", moho_migration_kernel_name(kernel), i);
  moho_image whole = migrate("cpu?threads=2", &c.grid, c.velocity, &c.options, &c.survey, 0);
  c.options.mask = mask, c.options.kernel = kernel;
  moho_image part = migrate(device_of(kernel), &c.grid, c.velocity, &c.options, &c.survey, 33);
  size_t masked = check_part(what, &part, &whole, mask, bound);
  if (kernel != MOHO_KERNEL_NATIVE && i % 4 < 2) {
    c.options.constants = "SLAB_SAMPLES=2500,LAUNCH_COLUMNS=16";
    moho_image cut = migrate(device_of(kernel), &c.grid, c.velocity, &c.options, &c.survey, 0);
    assert_memory_equal(cut.stack, part.stack, image_size(&part) * sizeof(float));
    assert_memory_equal(cut.fold, part.fold, image_size(&part) * sizeof(int32_t));
    moho_image_release(&cut);
  }
  free(mask);
  moho_image_release(&whole), moho_image_release(&part);
  case_release(&c);
  return masked;
}

static void inside_it_is_the_image(void **state) {
  (void)state;
  size_t masked = 0;
  for (size_t i = 0; i < SCENARIOS; i++) masked += check_scenario(i, case_of_scenario(&scenarios[i]), MOHO_KERNEL_NATIVE, 2e-6F);
  assert_true(masked > 1000);
}

static void inside_it_is_the_image_by_kernels(void **state) {
  (void)state;
  size_t masked = 0;
  for (size_t i = 0; i < SCENARIOS; i += 3) {
    int is_v3 = i % 2 == 1;
    masked += check_scenario(i, case_of_scenario(&scenarios[i]), is_v3 ? MOHO_KERNEL_V3 : MOHO_KERNEL_V2, is_v3 ? 1e-3F : 2e-4F);
  }
  for (size_t i = 0; i < LAW_SCENARIOS; i += 7) { /* every law, mutes by offset, stretch mutes */
    scenario s = law_scenario(i);
    masked += check_scenario(i, case_of_scenario(&s), MOHO_KERNEL_V3, 2e-3F);
  }
  assert_true(masked > 1000);
}

static moho_migration_counts count(const physics_case *c, const moho_migration_options *options, const char *uri) {
  moho_device *device;
  moho_migration *migration;
  assert_ok(moho_device_open(uri, &device));
  assert_ok(moho_migration_create(device, &c->grid, c->velocity, options, &c->survey.geometry, c->survey.n_samples,
                                  c->survey.dt_s, &migration));
  assert_ok(moho_migration_add(migration, &c->survey.geometry, c->survey.samples, NULL, NULL));
  moho_image image;
  assert_ok(moho_image_create(&c->grid, &image));
  assert_ok(moho_migration_finish(migration, &image));
  moho_migration_counts counts = moho_migration_get_counts(migration);
  moho_image_release(&image);
  moho_migration_destroy(&migration);
  moho_device_close(&device);
  return counts;
}

/* Two samples of one column: few traces reach them. */
static void counts_by_kernels_are_of_the_masked_samples(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[2]);
  uint8_t *mask = calloc(c.grid.n_inline * c.grid.n_crossline * c.grid.n_time, 1);
  assert_non_null(mask);
  mask[2 * c.grid.n_time + 40] = mask[2 * c.grid.n_time + 100] = 1;
  c.options.mask = mask;
  moho_migration_counts native = count(&c, &c.options, "cpu");
  print_message("two samples: %zu traces used, %zu outside\n", (size_t)native.traces_used, (size_t)native.traces_outside);
  assert_true(native.traces_used > 0 && native.traces_outside > 0);
  for (moho_migration_kernel k = MOHO_KERNEL_V2; k <= MOHO_KERNEL_V3; k++) {
    c.options.kernel = k;
    moho_migration_counts counts = count(&c, &c.options, device_of(k));
    assert_int_equal(counts.contributions, native.contributions);
    assert_int_equal(counts.traces_used, native.traces_used);
    assert_int_equal(counts.traces_outside, native.traces_outside);
  }
  free(mask);
  case_release(&c);
}

static void kernels_without_it_refuse(void **state) {
  (void)state;
  const uint8_t one = 1;
  moho_device *device;
  moho_migration_options options = moho_migration_options_default();
  options.mask = &one;
  options.kernel = MOHO_KERNEL_V1;
  assert_ok(moho_device_open("cpu", &device));
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "mask of samples");
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "kernels that can are: native, v2, v3");
  options.kernel = MOHO_KERNEL_AUTO;
  assert_ok(moho_migration_supports(device, &options));
  moho_device_close(&device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inside_it_is_the_image), cmocka_unit_test(inside_it_is_the_image_by_kernels),
      cmocka_unit_test(counts_by_kernels_are_of_the_masked_samples), cmocka_unit_test(kernels_without_it_refuse)};
  if (getenv("MOHO_DEVICE")) cmocka_set_test_filter("*kernels*"); /* the rest concerns no device */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
