/* tensor_tree.h - two partial results as one: floats and ints as words, NaN first. */
#ifndef MOHO_KERNELS_TENSOR_TREE_H
#define MOHO_KERNELS_TENSOR_TREE_H

#include "tensor_reduce.h"

/* A NaN that is met stays; of two the second. */
DEVICE_FUNCTION float tensor_join(uint operation, float a, float b) {
  if (operation == TENSOR_SUM) return a + b;
  if (operation == TENSOR_PROD) return a * b;
  if (operation == TENSOR_LEAST) return (b < a || b != b) ? b : a;
  return (b > a || b != b) ? b : a;
}

DEVICE_FUNCTION int tensor_join_int(uint operation, int a, int b) {
  if (operation == TENSOR_SUM) return (int)((uint)a + (uint)b);
  if (operation == TENSOR_PROD) return (int)((uint)a * (uint)b);
  if (operation == TENSOR_LEAST) return b < a ? b : a;
  return b > a ? b : a;
}

DEVICE_FUNCTION float tensor_identity(uint operation) {
  if (operation == TENSOR_SUM) return 0.0f;
  if (operation == TENSOR_PROD) return 1.0f;
  return AS_FLOAT(operation == TENSOR_LEAST ? 0x7f800000u : 0xff800000u);
}

DEVICE_FUNCTION int tensor_identity_int(uint operation) {
  if (operation == TENSOR_SUM) return 0;
  if (operation == TENSOR_PROD) return 1;
  return operation == TENSOR_LEAST ? 0x7fffffff : (int)0x80000000u;
}

/* Of (value, place) pairs, 1 where the second is the one to keep: the first NaN, else the largest, of equals the first. */
DEVICE_FUNCTION int tensor_second_wins(float a, uint at_a, float b, uint at_b) {
  int a_nan = a != a, b_nan = b != b;
  if (a_nan || b_nan) return b_nan && (!a_nan || at_b < at_a);
  return b > a || (b == a && at_b < at_a);
}

DEVICE_FUNCTION int tensor_second_wins_int(int a, uint at_a, int b, uint at_b) {
  return b > a || (b == a && at_b < at_a);
}
#endif
