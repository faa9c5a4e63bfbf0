/* bench_stream.h - what memory gives to plain loops on the same threads: the yardstick of operations that only move numbers. */
#ifndef MOHO_CLI_BENCH_STREAM_H
#define MOHO_CLI_BENCH_STREAM_H

#include <stddef.h>

typedef enum {
  BENCH_STREAM_COPY,  /* c = a */
  BENCH_STREAM_ADD,   /* c = a + b */
  BENCH_STREAM_TRIAD, /* c = a + s b */
  BENCH_STREAM_READ,  /* the sum of a */
  BENCH_STREAMS
} bench_stream_kind;

typedef struct bench_stream {
  float *a, *b, *c; /* [n], each a multiple of 64 bytes in memory */
  size_t n;         /* a multiple of 4096 */
  int threads;
} bench_stream;

/* 0 when memory is short. */
int bench_stream_make(bench_stream *stream, size_t n, int threads);
void bench_stream_free(bench_stream *stream);

const char *bench_stream_name(bench_stream_kind kind);
/* Each array that it touches counted once. */
double bench_stream_bytes(const bench_stream *stream, bench_stream_kind kind);
/* Once over the arrays. Stores go past the caches where the processor can do that: a store that first reads its line would lose
 * a third of the bandwidth. Returns the sum of what was read, so that reading is not for nothing. */
float bench_stream_run(const bench_stream *stream, bench_stream_kind kind);

#endif
