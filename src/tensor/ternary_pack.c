/* ternary_pack.c - values -1, 0, 1 into bytes and back, in three layouts; each way loses nothing. */
#include "moho/ternary.h"

#include <string.h>

#include "base/memory.h"
#include "tensor/ternary_kernel.h"

enum { ONE_BYTE_OF_ZEROS = 1 + 4 + 16 + 64, BASE3_BYTES = 243 };

static size_t values_a_byte(moho_ternary_layout layout) {
  return layout == MOHO_TERNARY_BASE3 ? 5 : 4;
}

moho_status moho_ternary_packed_bytes(moho_ternary_layout layout, size_t n, size_t k, size_t *bytes) {
  if (layout > MOHO_TERNARY_LANES) return moho_fail(MOHO_ERROR_ARGUMENT, "ternary layout %d, expected 0 to 2", (int)layout);
  size_t columns = moho_pieces(k, values_a_byte(layout));
  if (layout != MOHO_TERNARY_LANES) return moho_multiply(n, columns, "packed ternary weights", bytes);
  MOHO_TRY(moho_multiply(columns, TERNARY_STEP_BYTES, "packed ternary weights", &columns));
  return moho_multiply(moho_pieces(n, TERNARY_OUTPUTS), columns, "packed ternary weights", bytes);
}

/* Enough bytes, and where there are values, arrays. */
static moho_status check_packed(moho_ternary_layout layout, size_t n, size_t k, size_t bytes, int is_null) {
  size_t needed;
  MOHO_TRY(moho_ternary_packed_bytes(layout, n, k, &needed));
  if (bytes < needed)
    return moho_fail(MOHO_ERROR_RANGE, "packed ternary weights [%zu, %zu]: %zu bytes, expected at least %zu", n, k, bytes,
                     needed);
  if (is_null && needed) return moho_fail(MOHO_ERROR_ARGUMENT, "packed ternary weights: an array is NULL");
  return MOHO_OK;
}

/* ---- rows of bytes ---- */

static void pack_row_2bit(const int8_t *q, size_t k, uint8_t *out) {
  for (size_t i = 0; i < k; i += 4) {
    unsigned byte = ONE_BYTE_OF_ZEROS;
    for (size_t j = 0; j < 4 && i + j < k; j++) byte += (unsigned)q[i + j] << (2 * j);
    out[i / 4] = (uint8_t)byte;
  }
}

static void pack_row_base3(const int8_t *q, size_t k, uint8_t *out) {
  for (size_t i = 0; i < k; i += 5) {
    unsigned byte = 0;
    for (size_t j = 5; j-- > 0;) byte = 3 * byte + (unsigned)(1 + (i + j < k ? q[i + j] : 0));
    out[i / 5] = (uint8_t)byte;
  }
}

/* What padding holds is looked at too: a byte that packing never makes is damage. The first bad byte, or `bytes`. */
static size_t unpack_row(moho_ternary_layout layout, const uint8_t *row, size_t bytes, size_t k, int8_t *q) {
  size_t per = values_a_byte(layout);
  for (size_t i = 0; i < bytes; i++) {
    unsigned byte = row[i];
    if (layout == MOHO_TERNARY_BASE3 && byte >= BASE3_BYTES) return i;
    for (size_t j = 0; j < per; j++) {
      unsigned code = layout == MOHO_TERNARY_BASE3 ? byte % 3 : byte & 3;
      byte = layout == MOHO_TERNARY_BASE3 ? byte / 3 : byte >> 2;
      int is_padding = i * per + j >= k;
      if (code == 3 || (is_padding && code != 1)) return i;
      if (!is_padding) q[i * per + j] = (int8_t)((int)code - 1);
    }
  }
  return bytes;
}

/* ---- lanes ---- */

static void pack_lanes(const int8_t *q, size_t n, size_t k, uint8_t *out) {
  size_t steps = moho_pieces(k, 4), blocks = moho_pieces(n, TERNARY_OUTPUTS);
  memset(out, ONE_BYTE_OF_ZEROS, blocks * steps * TERNARY_STEP_BYTES);
  for (size_t o = 0; o < n; o++) {
    uint8_t *block = out + o / TERNARY_OUTPUTS * steps * TERNARY_STEP_BYTES;
    size_t t = o % TERNARY_OUTPUTS / 16, first = o % 16 * 4;
    for (size_t i = 0; i < k; i++) {
      uint8_t *byte = block + i / 4 * TERNARY_STEP_BYTES + first + i % 4;
      *byte = (uint8_t)(*byte + ((unsigned)q[o * k + i] << (2 * t)));
    }
  }
}

static moho_status unpack_lanes(const uint8_t *packed, size_t n, size_t k, int8_t *q) {
  size_t steps = moho_pieces(k, 4), blocks = moho_pieces(n, TERNARY_OUTPUTS);
  for (size_t at = 0; at < blocks * steps * TERNARY_STEP_BYTES; at++)
    for (size_t t = 0; t < 4; t++) {
      size_t j = at % TERNARY_STEP_BYTES, step = at / TERNARY_STEP_BYTES;
      size_t o = step / steps * TERNARY_OUTPUTS + 16 * t + j / 4, i = step % steps * 4 + j % 4;
      unsigned code = packed[at] >> (2 * t) & 3u;
      int is_padding = o >= n || i >= k;
      if (code == 3 || (is_padding && code != 1))
        return moho_fail(MOHO_ERROR_FORMAT, "packed ternary weights: byte %zu is %u, which packing never makes", at,
                         (unsigned)packed[at]);
      if (!is_padding) q[o * k + i] = (int8_t)((int)code - 1);
    }
  return MOHO_OK;
}

/* ---- */

moho_status moho_ternary_pack(moho_ternary_layout layout, const int8_t *q, size_t n, size_t k, void *packed, size_t bytes) {
  MOHO_TRY(check_packed(layout, n, k, bytes, !q || !packed));
  for (size_t i = 0; i < n * k; i++)
    if (q[i] < -1 || q[i] > 1)
      return moho_fail(MOHO_ERROR_RANGE, "ternary value of output %zu, input %zu is %d, expected -1, 0 or 1", i / k, i % k, q[i]);
  if (layout == MOHO_TERNARY_LANES) {
    if (n && k) pack_lanes(q, n, k, packed);
    return MOHO_OK;
  }
  size_t row = moho_pieces(k, values_a_byte(layout));
  for (size_t o = 0; o < n; o++)
    (layout == MOHO_TERNARY_2BIT ? pack_row_2bit : pack_row_base3)(q + o * k, k, (uint8_t *)packed + o * row);
  return MOHO_OK;
}

moho_status moho_ternary_unpack(moho_ternary_layout layout, const void *packed, size_t bytes, size_t n, size_t k, int8_t *q) {
  MOHO_TRY(check_packed(layout, n, k, bytes, !q || !packed));
  if (layout == MOHO_TERNARY_LANES) return n && k ? unpack_lanes(packed, n, k, q) : MOHO_OK;
  size_t row = moho_pieces(k, values_a_byte(layout));
  for (size_t o = 0; o < n; o++) {
    const uint8_t *from = (const uint8_t *)packed + o * row;
    size_t bad = unpack_row(layout, from, row, k, q + o * k);
    if (bad < row)
      return moho_fail(MOHO_ERROR_FORMAT, "packed ternary weights: byte %zu of row %zu is %u, which packing never makes", bad, o,
                       (unsigned)from[bad]);
  }
  return MOHO_OK;
}
