/* device.h - the machine that computes: named by a URI, opened, asked.
 *
 * URIs: "auto", "cpu", "cpu?threads=8&simd=avx2" (simd: scalar, avx2, avx512, neon), "cuda", "cuda:1", "metal"; "?check=1"
 * (joined with & after other options) turns the checking mode on: fresh memory poisoned, ends guarded, outputs scanned for
 * NaN after each launch. The environment variable MOHO_DEVICE replaces "auto". A named backend never falls back silently;
 * "auto" takes the first of metal, cuda, cpu that opens and says in the report what it chose and why.
 *
 * The four objects of the runtime are device, buffer (buffer.h), kernel (kernel.h) and queue (queue.h); docs/runtime.md is
 * their book. Thread safety: a device may be used by several threads at once. After fork() the child's calls on the parent's
 * objects fail with MOHO_ERROR_DEVICE; a lost device answers every call with MOHO_ERROR_LOST (closing and destroying work).
 */
#ifndef MOHO_DEVICE_H
#define MOHO_DEVICE_H

#include "moho/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_device moho_device;

typedef struct moho_device_report {
  char uri[96];          /* that opens it again: "cpu?threads=2&simd=avx512", "cuda:0" */
  char kind[16];         /* "cpu", "cuda", "metal" */
  char name[128];        /* "Intel(R) Xeon(R) Processor @ 2.80GHz", "NVIDIA H200"; a test double says so here */
  char architecture[32]; /* "x86_64", "sm_90", "apple8" */
  char simd[16];         /* cpu: instruction set in use: "avx512"; else "" */
  char driver[64];       /* "CUDA 13.0, NVRTC 13.0", "Metal 3.0", "" on the cpu */
  char reason[200];      /* why it is unavailable, or why "auto" chose it */
  int available;         /* 1 when it can be opened */
  int threads;           /* worker threads on the host */
  int unified_memory;    /* host and device share one memory */
  int zero_copy;         /* host memory can be wrapped without a copy (moho_buffer_wrap) */
  int has_native;        /* registered native functions run here (the cpu) */
  int simd_width;        /* lanes of a SIMD group as kernels see it: 32 */
  int max_lanes;         /* lanes of a group, at most */
  size_t group_memory;   /* bytes of group memory, at most */
  int multiprocessors;   /* cuda: SMs; metal: 0, not told; cpu: threads */
  int has_double, has_half, has_bfloat, has_int64;
  size_t wrap_alignment; /* bytes: address and length for moho_buffer_wrap() */
  size_t memory_bytes;   /* of the device (of the machine on the cpu and where memory is unified) */
  size_t memory_free_bytes;
  size_t working_set_bytes; /* more than this at once is slow or refused */
  size_t largest_buffer;    /* bytes */
  double launch_seconds;    /* a launch should last at most this (macOS kills long ones); 0: not told */
} moho_device_report;

/** Open a device. @return MOHO_OK; MOHO_ERROR_ARGUMENT (bad URI; the message suggests the nearest name);
 *  MOHO_ERROR_NOT_AVAILABLE (this machine or this build has it not; with the reason). */
MOHO_API moho_status moho_device_open(const char *uri, moho_device **out);

/** Close it; NULL is fine; leaves NULL. Waits for what runs. Objects of the device that still live become stale: using them
 *  is MOHO_ERROR_HANDLE. @return MOHO_OK; MOHO_ERROR_HANDLE when buffers, kernels or queues were left (their number and the
 *  first one's size are in the message; the device is closed all the same, its memory given back). */
MOHO_API moho_status moho_device_close(moho_device **device);

MOHO_API moho_status moho_device_describe(const moho_device *device, moho_device_report *out);

/** All devices of this machine and every backend that cannot be used, with its reason. Fills at most `capacity` reports,
 *  stores the number there are in *count. */
MOHO_API moho_status moho_device_list(moho_device_report *reports, size_t capacity, size_t *count);

/* ---- figures ---- */

typedef struct moho_pool_figures {
  size_t active_bytes, peak_bytes, cached_bytes; /* handed out; their largest sum; kept for reuse */
  size_t active_count, cached_count;
  size_t limit_bytes, limit_count; /* of what is kept */
  uint64_t hits, misses, evictions;
  double fragmentation; /* (bytes of blocks handed out - bytes asked for) / bytes of blocks handed out */
} moho_pool_figures;

/* Since the device was opened or moho_device_metrics_reset(). Seconds are wall time on the host, kernel_seconds the device's own.
 */
typedef struct moho_metrics {
  uint64_t launches, submissions, failures;
  double kernel_seconds;                                    /* counted only while metrics are on */
  double wait_seconds;                                      /* the host waited */
  uint64_t bytes_to_device, bytes_to_host, bytes_on_device; /* uploads, downloads, copies and fills */
  double transfer_seconds;                                  /* counted only while metrics are on */
  uint64_t allocations;                                     /* asked of the system or driver: pool misses */
  double allocation_seconds;
  uint64_t cache_hits, cache_disk_hits, cache_misses; /* compiled kernels */
  double compile_seconds;
  moho_pool_figures pool;
} moho_metrics;

/** Timing of launches and transfers costs events on the device: off at first, counters are always kept. */
MOHO_API moho_status moho_device_metrics_enable(moho_device *device, int on);
MOHO_API moho_status moho_device_metrics_get(moho_device *device, moho_metrics *out);
MOHO_API moho_status moho_device_metrics_reset(moho_device *device);
/** A snapshot as one JSON object; to be freed by the caller. NULL: out of memory. */
MOHO_API char *moho_metrics_json(const moho_metrics *metrics);

/* Measured when asked, never constants; takes about a second. */
typedef struct moho_device_rates {
  double copy_bytes_per_s;     /* device memory, read and written bytes counted */
  double upload_bytes_per_s;   /* from MOHO_MEMORY_HOST */
  double download_bytes_per_s; /* to MOHO_MEMORY_HOST */
  double fma_per_s;            /* float multiply-adds */
  double launch_s;             /* an empty launch: record, submit, wait */
} moho_device_rates;
MOHO_API moho_status moho_device_measure(moho_device *device, moho_device_rates *out);

/* ---- the pool ---- */

/** What is kept for reuse, at most; 0, 0 keeps nothing. Default: 256 MiB and 64 blocks. A larger block is given back at once. */
MOHO_API moho_status moho_device_pool_limit(moho_device *device, size_t bytes, size_t count);
/** Give back everything that is kept. */
MOHO_API moho_status moho_device_pool_trim(moho_device *device);

#ifdef __cplusplus
}
#endif
#endif
