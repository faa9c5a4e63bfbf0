/* constants.c - values of each type as the bits that registers hold, zero-extended to 64. */
#include <string.h>

#include "base/small_float.h"
#include "program/program_core.h"

double moho_real_of_bits(int type, uint64_t bits) {
  double value;
  if (type == MOHO_PROGRAM_F16) return (double)moho_f16_to_float((uint16_t)bits);
  if (type == MOHO_PROGRAM_BF16) return (double)moho_bf16_to_float((uint16_t)bits);
  if (type == MOHO_PROGRAM_F32) return (double)moho_float_of_bits((uint32_t)bits);
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint64_t moho_real_bits(int type, double value) {
  uint64_t bits;
  if (type == MOHO_PROGRAM_F16) return moho_double_to_f16(value);
  if (type == MOHO_PROGRAM_BF16) return moho_double_to_bf16(value);
  if (type == MOHO_PROGRAM_F32) return moho_bits_of_float((float)value);
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

moho_status moho_integer_bits(int type, int64_t value, uint64_t *bits) {
  unsigned width = 8 * (unsigned)moho_program_type_bytes((moho_program_type)type);
  uint64_t all = width == 64 ? ~0ull : (1ull << width) - 1;
  int64_t most =
      moho_type_is_signed(type) || width == 64 ? (int64_t)(all >> (width == 64 || moho_type_is_signed(type))) : (int64_t)all;
  int64_t least = moho_type_is_signed(type) ? -most - 1 : 0;
  if (type != MOHO_PROGRAM_U64 && (value < least || value > most))
    return moho_fail(MOHO_ERROR_RANGE, "%lld is no %s, expected %lld to %lld", (long long)value, moho_type_words[type],
                     (long long)least, (long long)most);
  *bits = (uint64_t)value & all;
  return MOHO_OK;
}
