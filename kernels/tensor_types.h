/* tensor_types.h - elements of tensors in a kernel: loaded as a word that is a float or an int, stored rounded once.
 *
 * A buffer is bound as words. Elements of 16 bits are two to a word, of 8 bits four; lanes store them by themselves.
 */
#ifndef MOHO_KERNELS_TENSOR_TYPES_H
#define MOHO_KERNELS_TENSOR_TYPES_H

#include "tensor_map.h"

/* 1: computed as int, 0: as float. */
#define TENSOR_IS_INTEGER(type) ((type) >= TENSOR_I32)

DEVICE_FUNCTION float tensor_load_float(const GLOBAL uint *from, uint type, uint i) {
  if (type == TENSOR_F16) {
    uint word = from[i >> 1];
    return (i & 1u) ? HALF_HIGH(word) : HALF_LOW(word);
  }
  if (type == TENSOR_BF16) {
    uint word = from[i >> 1];
    return (i & 1u) ? BFLOAT_HIGH(word) : BFLOAT_LOW(word);
  }
  return AS_FLOAT(from[i]);
}

DEVICE_FUNCTION int tensor_load_int(const GLOBAL uint *from, uint type, uint i) {
  if (type == TENSOR_I32) return (int)from[i];
  uint byte = (from[i >> 2] >> (8u * (i & 3u))) & 0xffu;
  return type == TENSOR_I8 ? (int)(byte ^ 0x80u) - 128 : (int)byte;
}

DEVICE_FUNCTION void tensor_store_float(GLOBAL uint *to, uint type, uint i, float x) {
  if (type == TENSOR_F16) ((GLOBAL ushort *)to)[i] = (ushort)(HALF_PAIR(x, 0.0f) & 0xffffu);
  else if (type == TENSOR_BF16) ((GLOBAL ushort *)to)[i] = (ushort)(BFLOAT_PAIR(x, 0.0f) & 0xffffu);
  else to[i] = AS_UINT(x);
}

DEVICE_FUNCTION void tensor_store_int(GLOBAL uint *to, uint type, uint i, int x) {
  if (type == TENSOR_I32) to[i] = (uint)x;
  else ((GLOBAL uchar *)to)[i] = (uchar)((uint)x & 0xffu);
}
#endif
