/* device_support.h - the device under test: MOHO_DEVICE, the cpu where it is not set. */
#ifndef MOHO_TEST_DEVICE_SUPPORT_H
#define MOHO_TEST_DEVICE_SUPPORT_H

#include "moho/buffer.h"
#include "test_support.h"

/* options: "", or "?check=1". Fails the test when the device does not open. */
moho_device *test_device_open(const char *options);
/* Fails the test when objects were left. */
void test_device_close(moho_device **device);

moho_metrics test_metrics_of(moho_device *device);

#endif
