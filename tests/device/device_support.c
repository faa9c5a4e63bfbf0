/* device_support.c - the device under test. */
#include "device_support.h"

#include <stdio.h>
#include <stdlib.h>

moho_device *test_device_open(const char *options) {
  moho_device *device;
  char uri[128];
  setenv("MOHO_DEVICE", "cpu", 0);
  snprintf(uri, sizeof uri, "auto%s", options);
  assert_ok(moho_device_open(uri, &device));
  return device;
}

void test_device_close(moho_device **device) {
  assert_ok(moho_device_close(device));
  assert_null(*device);
}

moho_metrics test_metrics_of(moho_device *device) {
  moho_metrics metrics;
  assert_ok(moho_device_metrics_get(device, &metrics));
  return metrics;
}
