/* device.h - the machine that computes: named by a URI, opened, asked.
 *
 * URIs: "auto", "cpu", "cpu?threads=8&simd=avx2" (simd: scalar, avx2, avx512, neon). The environment variable MOHO_DEVICE
 * replaces "auto". A named backend never falls back silently; "auto" says in moho_device_report() what it chose and why.
 * Thread safety: a device may be used by several threads at once.
 */
#ifndef MOHO_DEVICE_H
#define MOHO_DEVICE_H

#include "moho/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_device moho_device;

typedef struct moho_device_report {
  char uri[96];        /* that opens it again: "cpu?threads=2&simd=avx512" */
  char kind[16];       /* "cpu" */
  char name[128];      /* "Intel(R) Xeon(R) Processor @ 2.80GHz" */
  char simd[16];       /* instruction set in use: "avx512" */
  char reason[160];    /* why it is unavailable, or why "auto" chose it */
  int available;       /* 1 when it can be opened */
  int threads;         /* worker threads */
  size_t memory_bytes; /* of the machine */
  size_t memory_free_bytes;
} moho_device_report;

/** Open a device. @return MOHO_OK; MOHO_ERROR_ARGUMENT (bad URI; the message suggests the nearest name);
 *  MOHO_ERROR_NOT_AVAILABLE (this machine or this build has it not; with the reason). */
MOHO_API moho_status moho_device_open(const char *uri, moho_device **out);

/** Close it; NULL is fine; leaves NULL. */
MOHO_API void moho_device_close(moho_device **device);

MOHO_API moho_status moho_device_describe(const moho_device *device, moho_device_report *out);

/** All devices of this machine and every backend that cannot be used, with its reason. Fills at most `capacity` reports,
 *  stores the number there are in *count. */
MOHO_API moho_status moho_device_list(moho_device_report *reports, size_t capacity, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
