/* constants.c - values of each type as the bits that registers hold, zero-extended to 64. */
#include <math.h>
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

static moho_status whole_bits(int type, moho_program_value value, uint64_t *bits) {
  if (moho_type_is_signed(type)) return moho_integer_bits(type, value.i, bits);
  uint64_t most = UINT64_MAX >> (64 - 8 * moho_program_type_bytes((moho_program_type)type));
  *bits = value.u;
  if (value.u <= most) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%llu is no %s, expected 0 to %llu", (unsigned long long)value.u, moho_type_words[type],
                   (unsigned long long)most);
}

moho_status moho_program_value_bits(moho_program_type type, moho_program_value value, uint64_t *bits) {
  if ((unsigned)type >= MOHO_PROGRAM_TYPES || !bits) return moho_fail(MOHO_ERROR_ARGUMENT, "type %d, or bits is NULL", (int)type);
  if (!moho_type_is_real((int)type)) return whole_bits((int)type, value, bits);
  *bits = moho_real_bits((int)type, value.f);
  if (!isfinite(value.f) || isfinite(moho_real_of_bits((int)type, *bits))) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%g is too large for %s", value.f, moho_type_words[type]);
}

moho_program_value moho_program_value_of(moho_program_type type, uint64_t bits) {
  moho_program_value value = {.u = bits};
  if ((unsigned)type >= MOHO_PROGRAM_TYPES) return value;
  unsigned unused = 64 - 8 * (unsigned)moho_program_type_bytes(type);
  if (moho_type_is_real((int)type)) value.f = moho_real_of_bits((int)type, bits);
  else if (moho_type_is_signed((int)type)) value.i = (int64_t)(bits << unused) >> unused;
  return value;
}
