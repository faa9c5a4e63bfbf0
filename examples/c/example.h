/* example.h - what the examples share: the device named on the command line, and what to do when a call fails.
 *
 * Every call returns a moho_status; 0 is good. The examples stop at the first that is not, and print what the library has to say
 * about it: what went wrong, where, and how to mend it.
 */
#ifndef MOHO_EXAMPLE_H
#define MOHO_EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>

#include <moho/device.h>

static inline void check(moho_status status) {
  if (status == MOHO_OK) return;
  const moho_error *error = moho_last_error();
  fprintf(stderr, "%s: %s%s%s\n", moho_status_name(status), error->message, error->hint[0] ? "\n  " : "", error->hint);
  exit(1);
}

/* "cpu", "cuda:0", "metal?check=1" ...; without an argument "auto", which MOHO_DEVICE replaces. */
static inline moho_device *open_device(int argc, char **argv) {
  moho_device *device;
  moho_device_report report;
  check(moho_device_open(argc > 1 ? argv[1] : "auto", &device));
  check(moho_device_describe(device, &report));
  printf("%s, %s%s%s%s\n", report.name, report.uri, report.reason[0] ? " (" : "", report.reason, report.reason[0] ? ")" : "");
  return device;
}

#endif
