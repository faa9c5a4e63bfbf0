/* raw_read.h - exact reads at 64-bit positions, and numbers out of raw bytes in either byte order.
 */
#ifndef MOHO_SURVEY_RAW_READ_H
#define MOHO_SURVEY_RAW_READ_H

#include <string.h>

#include "base/fail.h"

/* Reads exactly `bytes` at `offset`; thread safe. A file that ends before is MOHO_ERROR_FORMAT, a disk that fails MOHO_ERROR_IO.
 */
moho_status moho_raw_read(int file, const char *path, uint64_t offset, void *to, size_t bytes);

static inline uint16_t moho_raw_u2(const uint8_t *p, int little) {
  return little ? (uint16_t)(p[1] << 8 | p[0]) : (uint16_t)(p[0] << 8 | p[1]);
}

static inline int16_t moho_raw_i2(const uint8_t *p, int little) {
  return (int16_t)moho_raw_u2(p, little);
}

static inline uint32_t moho_raw_u4(const uint8_t *p, int little) {
  uint32_t high = moho_raw_u2(p + (little ? 2 : 0), little), low = moho_raw_u2(p + (little ? 0 : 2), little);
  return high << 16 | low;
}

static inline int32_t moho_raw_i4(const uint8_t *p, int little) {
  return (int32_t)moho_raw_u4(p, little);
}

static inline uint64_t moho_raw_u8(const uint8_t *p, int little) {
  uint64_t high = moho_raw_u4(p + (little ? 4 : 0), little), low = moho_raw_u4(p + (little ? 0 : 4), little);
  return high << 32 | low;
}

static inline double moho_raw_f4(const uint8_t *p, int little) {
  uint32_t bits = moho_raw_u4(p, little);
  float value;
  memcpy(&value, &bits, 4);
  return (double)value;
}

static inline double moho_raw_f8(const uint8_t *p, int little) {
  uint64_t bits = moho_raw_u8(p, little);
  double value;
  memcpy(&value, &bits, 8);
  return value;
}

/* IBM System/360 short float: sign, excess-64 power of 16, 24-bit fraction. Exact in double, unnormalised numbers too. */
static inline double moho_ibm_to_double(uint32_t bits) {
  uint64_t power = 4 * (uint64_t)(bits >> 24 & 0x7f) + (1023 - 256 - 24); /* of 2, biased: 743 .. 1251, always normal */
  uint64_t scale_bits = power << 52;
  double scale;
  memcpy(&scale, &scale_bits, 8);
  double magnitude = (double)(int32_t)(bits & 0xffffff) * scale;
  return bits >> 31 ? -magnitude : magnitude;
}

#endif
