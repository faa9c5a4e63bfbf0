/* zarr_convert.c - runs of numbers from an array's type and byte order to the type that the caller wants. */
#include "survey/zarr_convert.h"

#include <math.h>
#include <string.h>

typedef union element {
  float f4;
  double f8;
  int8_t i1;
  int16_t i2;
  int32_t i4;
  int64_t i8;
  uint8_t u1;
  uint16_t u2;
  uint32_t u4;
  unsigned char bytes[8];
} element;

typedef struct number {
  int is_float;
  double real;
  int64_t whole;
} number;

static int is_swapped(const moho_zarr_layout *layout) {
  int host_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  return moho_zarr_type_bytes(layout->type) > 1 && (layout->big_endian != 0) != host_big;
}

static void take_bytes(const unsigned char *from, size_t bytes, int swapped, unsigned char *to) {
  for (size_t i = 0; i < bytes; i++) to[i] = from[swapped ? bytes - 1 - i : i];
}

static number load(moho_zarr_type type, const unsigned char *from, int swapped) {
  element u;
  take_bytes(from, moho_zarr_type_bytes(type), swapped, u.bytes);
  switch (type) {
  case MOHO_ZARR_F4: return (number){.is_float = 1, .real = u.f4};
  case MOHO_ZARR_F8: return (number){.is_float = 1, .real = u.f8};
  case MOHO_ZARR_I1: return (number){.whole = u.i1};
  case MOHO_ZARR_I2: return (number){.whole = u.i2};
  case MOHO_ZARR_I4: return (number){.whole = u.i4};
  case MOHO_ZARR_I8: return (number){.whole = u.i8};
  case MOHO_ZARR_U1: return (number){.whole = u.u1};
  case MOHO_ZARR_U2: return (number){.whole = u.u2};
  case MOHO_ZARR_U4: return (number){.whole = u.u4};
  }
  return (number){0};
}

static int store_whole(int64_t value, moho_zarr_type as, void *to) {
  switch (as) {
  case MOHO_ZARR_I4: *(int32_t *)to = (int32_t)value; return value >= INT32_MIN && value <= INT32_MAX;
  case MOHO_ZARR_I8: *(int64_t *)to = value; return 1;
  case MOHO_ZARR_U1: *(uint8_t *)to = (uint8_t)value; return value >= 0 && value <= UINT8_MAX;
  default: return 0;
  }
}

static int store(number value, moho_zarr_type as, void *to) {
  double real = value.is_float ? value.real : (double)value.whole;
  if (as == MOHO_ZARR_F4) *(float *)to = (float)real;
  else if (as == MOHO_ZARR_F8) *(double *)to = real;
  else return !value.is_float && store_whole(value.whole, as, to);
  return 1;
}

int moho_zarr_convert(const moho_zarr_layout *layout, const void *from, size_t n, moho_zarr_type as, void *to) {
  int swapped = is_swapped(layout);
  size_t from_bytes = moho_zarr_type_bytes(layout->type), to_bytes = moho_zarr_type_bytes(as);
  if (layout->type == as && !swapped) {
    memcpy(to, from, n * to_bytes);
    return 1;
  }
  for (size_t i = 0; i < n; i++) {
    number value = load(layout->type, (const unsigned char *)from + i * from_bytes, swapped);
    if (!store(value, as, (unsigned char *)to + i * to_bytes)) return 0;
  }
  return 1;
}

/* Chunks without a file: the fill value in the array's own type and byte order, so that they convert as the others do. */
void moho_zarr_fill_chunk(const moho_zarr_layout *layout, void *chunk, size_t elements) {
  int swapped = is_swapped(layout);
  size_t bytes = moho_zarr_type_bytes(layout->type);
  double fill = layout->has_fill ? layout->fill : 0;
  element u = {0};
  int64_t whole = isfinite(fill) && fabs(fill) < 9e18 ? (int64_t)fill : 0;
  switch (layout->type) {
  case MOHO_ZARR_F4: u.f4 = (float)fill; break;
  case MOHO_ZARR_F8: u.f8 = fill; break;
  case MOHO_ZARR_I1: u.i1 = (int8_t)whole; break;
  case MOHO_ZARR_I2: u.i2 = (int16_t)whole; break;
  case MOHO_ZARR_I4: u.i4 = (int32_t)whole; break;
  case MOHO_ZARR_I8: u.i8 = whole; break;
  case MOHO_ZARR_U1: u.u1 = (uint8_t)whole; break;
  case MOHO_ZARR_U2: u.u2 = (uint16_t)whole; break;
  case MOHO_ZARR_U4: u.u4 = (uint32_t)whole; break;
  }
  unsigned char value[8];
  take_bytes(u.bytes, bytes, swapped, value);
  for (size_t i = 0; i < elements; i++) memcpy((unsigned char *)chunk + i * bytes, value, bytes);
}
