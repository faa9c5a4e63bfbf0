/* test_measure.c - what a device does a second: plausible, refused where it would mislead; the processor's own multiply-adds
 * give what the text gives. */
#include <stdlib.h>
#include <string.h>

#include "device/cpu/cpu_features.h"
#include "device/cpu/measure_fma.h"
#include "device_support.h"
#include "kernels/kern.h"
#include "kernels/measure.k"

static void native_is_the_text(void **state) {
  (void)state;
  enum { GROUPS = 3, LANES_OF_GROUP = 41 }; /* no multiple of any vector */
  for (moho_simd simd = MOHO_SIMD_SCALAR; simd < MOHO_SIMD_COUNT; simd++) {
    if (!moho_cpu_has_simd(simd)) continue;
    float expected[GROUPS * LANES_OF_GROUP + 1] = {0}, got[GROUPS * LANES_OF_GROUP + 1] = {0};
    measure_parameters p = {57, 0.999f, 0.37f, (uint32_t)simd};
    for (uint32_t group = 0; group < GROUPS; group++)
      for (uint32_t lane = 0; lane < LANES_OF_GROUP; lane++) {
        kern_lane here = {.lane = lane, .lanes = LANES_OF_GROUP, .group = {group, 0}, .groups = {GROUPS, 1}};
        measure_fma_as_c((void *[]){expected}, &p, &here);
        measure_nothing_as_c((void *[]){expected}, &p, &here);
      }
    moho_measure_fma_native((void *[]){got}, &p, (uint32_t[]){GROUPS, 1}, LANES_OF_GROUP);
    assert_memory_equal(expected, got, sizeof got);
    assert_true(got[0] != 0 && got[GROUPS * LANES_OF_GROUP] == 0);
  }
}

static void rates(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_device_rates r;
  moho_metrics metrics;
  assert_ok(moho_device_measure(device, &r));
  print_message("copy %.1f GB/s, upload %.1f, download %.1f, %.1f G multiply-adds/s, launch %.1f us\n", 1e-9 * r.copy_bytes_per_s,
                1e-9 * r.upload_bytes_per_s, 1e-9 * r.download_bytes_per_s, 1e-9 * r.fma_per_s, 1e6 * r.launch_s);
  assert_true(r.copy_bytes_per_s > 1e7 && r.copy_bytes_per_s < 1e14);
  assert_true(r.upload_bytes_per_s > 1e7 && r.upload_bytes_per_s < 1e14);
  assert_true(r.download_bytes_per_s > 1e7 && r.download_bytes_per_s < 1e14);
  assert_true(r.fma_per_s > 1e6 && r.fma_per_s < 1e15);
  assert_true(r.launch_s > 0 && r.launch_s < 1);
  assert_ok(moho_device_metrics_get(device, &metrics));
  assert_int_equal(metrics.pool.active_count, 0); /* nothing is left */
  assert_fails(moho_device_measure(device, NULL), MOHO_ERROR_ARGUMENT, "NULL");
  test_device_close(&device);
  device = test_device_open("?check=1");
  memset(&r, 1, sizeof r);
  moho_device_rates before = r;
  assert_fails(moho_device_measure(device, &r), MOHO_ERROR_ARGUMENT, "the checking mode that is measured");
  assert_memory_equal(&r, &before, sizeof r);
  test_device_close(&device);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(native_is_the_text), cmocka_unit_test(rates)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
