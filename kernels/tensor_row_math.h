/* tensor_row_math.h - what is added up of a row, and what becomes of its elements: once for all devices. */
#ifndef MOHO_KERNELS_TENSOR_ROW_MATH_H
#define MOHO_KERNELS_TENSOR_ROW_MATH_H

#include "elementary.h"
#include "tensor_rows.h"

#define TENSOR_TERM_ITSELF 0u
#define TENSOR_TERM_EXP 1u    /* exp(x - a), x <= a */
#define TENSOR_TERM_SQUARE 2u /* (x - a)^2 */

DEVICE_FUNCTION float tensor_term(uint what, float x, float a) {
  if (what == TENSOR_TERM_EXP) return elementary_exp_below(x - a);
  if (what == TENSOR_TERM_SQUARE) return (x - a) * (x - a);
  return x;
}

/* The most of a row as softmax subtracts it: a row of -infinity has no weight at all, its softmax is 0. */
DEVICE_FUNCTION float tensor_row_shift(float most) {
  return most == AS_FLOAT(0xff800000u) ? 0.0f : most;
}

/* e: exp(x - shift); what it is multiplied by, of the sum of all. */
DEVICE_FUNCTION float tensor_share_of(float sum) {
  return sum == 0.0f ? 0.0f : 1.0f / sum;
}

DEVICE_FUNCTION float tensor_normalized(float x, float mean, float scale, float gamma, float beta) {
  return FMA((x - mean) * scale, gamma, beta);
}

DEVICE_FUNCTION float tensor_inverse_root(float mean_square, float epsilon) {
  return 1.0f / SQRT(mean_square + epsilon);
}

/* -log softmax of the class, at most -log epsilon. */
DEVICE_FUNCTION float tensor_row_loss(float x, float shift, float log_sum, float epsilon) {
  float loss = log_sum - (x - shift), most = -elementary_log(epsilon);
  return loss > most ? most : loss;
}
#endif
