/* segy_samples.c - raw bytes of traces into float.
 *
 * libsegyio swaps and converts all formats but IBM float: its conversion (1.8.3) takes unnormalised IBM numbers wrongly
 * (0x41000001 becomes 0.5 instead of 9.5e-7), and those are legal and do occur.
 */
#include "survey/segy_samples.h"

#include <segyio/segy.h>

#include "survey/raw_read.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "samples are converted for little-endian machines"
#endif

static void ibm_to_float(const uint8_t *from, size_t n, int little, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, from + 4 * i, 4);
    if (!little) bits = __builtin_bswap32(bits);
    out[i] = (float)moho_ibm_to_double(bits);
  }
}

/* Big-endian bytes become the machine's in place; little-endian ones are it already. */
static void to_machine_order(const moho_segy_layout *layout, uint8_t *bytes, size_t n) {
  if (!layout->little_endian) segy_to_native(layout->format, (long long)n, bytes);
}

static void convert(const moho_segy_layout *layout, uint8_t *from, float *out) {
  size_t n = layout->n_samples;
  if (layout->format == 1) {
    ibm_to_float(from, n, layout->little_endian, out);
    return;
  }
  to_machine_order(layout, from, n);
  if (layout->format == 5) memcpy(out, from, n * sizeof *out);
  for (size_t i = 0; layout->format == 2 && i < n; i++) {
    int32_t value;
    memcpy(&value, from + 4 * i, 4);
    out[i] = (float)value;
  }
  for (size_t i = 0; layout->format == 3 && i < n; i++) {
    int16_t value;
    memcpy(&value, from + 2 * i, 2);
    out[i] = (float)value;
  }
  for (size_t i = 0; layout->format == 8 && i < n; i++) out[i] = (float)(int8_t)from[i];
}

moho_status moho_segy_samples_read(int file, const char *path, const moho_segy_layout *layout, size_t first, size_t n,
                                   uint8_t *scratch, float *out) {
  MOHO_TRY(
      moho_raw_read(file, path, layout->first_trace + (uint64_t)first * layout->trace_bytes, scratch, n * layout->trace_bytes));
  for (size_t i = 0; i < n; i++)
    convert(layout, scratch + i * layout->trace_bytes + layout->header_bytes, out + i * layout->n_samples);
  return MOHO_OK;
}

moho_sample_check moho_sample_check_run(const float *samples, size_t n) {
  /* From 2^100 on (1.3e30): sums overflow, and no instrument says so; IBM numbers read as IEEE do. NaN and Inf lie above. */
  const uint32_t exponent = 0x7f800000, unreasonable = 0x71800000;
  uint32_t any = 0, largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, samples + i, 4);
    any |= bits & 0x7fffffff;
    largest = (bits & exponent) > largest ? bits & exponent : largest;
  }
  moho_sample_check check = {.all_zero = any == 0, .first_bad = SIZE_MAX};
  for (size_t i = 0; largest >= unreasonable && i < n; i++) {
    uint32_t bits;
    memcpy(&bits, samples + i, 4);
    if ((bits & exponent) < unreasonable) continue;
    check.first_bad = i;
    break;
  }
  return check;
}
