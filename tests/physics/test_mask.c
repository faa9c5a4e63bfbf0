/* test_mask.c - a migration of some samples only: inside the mask what the whole image holds, outside nothing.
 *
 * To rounding, not to the bit: vectors begin where a run begins, and the one that straddles a taper's end tapers all its samples.
 */
#include <math.h>
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

static void inside_it_is_the_image(void **state) {
  (void)state;
  size_t masked = 0;
  for (size_t i = 0; i < SCENARIOS; i++) {
    physics_case c = case_of_scenario(&scenarios[i]);
    uint8_t *mask = some_samples(&c.grid, i + 1);
    moho_image whole = migrate("cpu", &c.grid, c.velocity, &c.options, &c.survey, 0);
    c.options.mask = mask;
    moho_image part = migrate("cpu", &c.grid, c.velocity, &c.options, &c.survey, 33);
    float largest = 0;
    for (size_t k = 0; k < image_size(&whole); k++) largest = fmaxf(largest, fabsf(whole.stack[k]));
    for (size_t k = 0; k < image_size(&whole); k++) {
      if (mask[k] && (!(fabsf(part.stack[k] - whole.stack[k]) <= 2e-6F * largest) || part.fold[k] != whole.fold[k]))
        fail_msg("scenario %zu, sample %zu: %g, fold %d, expected %g, fold %d", i, k, (double)part.stack[k], part.fold[k],
                 (double)whole.stack[k], whole.fold[k]);
      if (!mask[k] && (part.stack[k] != 0 || part.fold[k] != 0))
        fail_msg("scenario %zu, sample %zu outside the mask: %g, fold %d", i, k, (double)part.stack[k], part.fold[k]);
      masked += mask[k] && whole.fold[k] > 0;
    }
    free(mask);
    moho_image_release(&whole);
    moho_image_release(&part);
    case_release(&c);
  }
  assert_true(masked > 1000);
}

static void kernels_without_it_refuse(void **state) {
  (void)state;
  const uint8_t one = 1;
  moho_device *device;
  moho_migration_options options = moho_migration_options_default();
  options.mask = &one;
  options.kernel = MOHO_KERNEL_V2;
  assert_ok(moho_device_open("cpu", &device));
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "mask of samples");
  options.kernel = MOHO_KERNEL_AUTO;
  assert_ok(moho_migration_supports(device, &options));
  moho_device_close(&device);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(inside_it_is_the_image), cmocka_unit_test(kernels_without_it_refuse)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
