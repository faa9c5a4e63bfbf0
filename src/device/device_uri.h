/* device_uri.h - "cpu?threads=8&simd=avx2", "cuda:1?check=1" taken apart. */
#ifndef MOHO_DEVICE_URI_H
#define MOHO_DEVICE_URI_H

#include "device/device_internal.h"

typedef struct moho_device_uri {
  char backend[16]; /* "auto", "cpu", "cuda", "metal" */
  int ordinal;      /* -1: not given */
  int threads;      /* 0: not given */
  int simd;         /* moho_simd, -1: not given */
  int check;        /* 1: the checking mode */
} moho_device_uri;

/* MOHO_ERROR_ARGUMENT: unknown backend, key or value; the nearest one is suggested. */
moho_status moho_device_uri_parse(const char *text, moho_device_uri *out);

#endif
