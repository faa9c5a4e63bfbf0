/* quantize.c - the scale that holds a tensor's numbers in 8 bits, and what is lost with it; the work is other operations'. */
#include <math.h>

#include "base/fail.h"
#include "moho/tensor.h"
#include "tensor/tensor_inside.h"
#include "tensor/prepared.h"

/* ---- scale and zero ---- */

static moho_status reduce_to(moho_operation operation, const moho_tensor *x, double *out) {
  moho_device *device;
  moho_tensor one, wide;
  float value = 0;
  MOHO_TRY(moho_tensor_device(x, &device));
  MOHO_TRY(moho_tensor_create(device, x->dtype, 0, NULL, &one));
  moho_status status = moho_tensor_reduce(NULL, operation, x, MOHO_ALL_AXES, &one);
  if (!status) status = moho_tensor_create(device, MOHO_DTYPE_F32, 0, NULL, &wide);
  if (!status) {
    status = moho_tensor_unary(NULL, MOHO_OPERATION_CONVERT, &one, &wide);
    if (!status) status = moho_tensor_read(&wide, &value);
    moho_error error = moho_error_take();
    moho_tensor_destroy(&wide);
    if (status) moho_error_set(&error);
  }
  moho_error error = moho_error_take();
  moho_tensor_destroy(&one);
  *out = (double)value;
  return status ? moho_error_set(&error) : MOHO_OK;
}

static moho_status check_range(const moho_tensor *x, double *low, double *high) {
  *low = *high = 0;
  if (!moho_tensor_elements(x)) return MOHO_OK;
  MOHO_TRY(reduce_to(MOHO_OPERATION_REDUCE_MIN, x, low));
  MOHO_TRY(reduce_to(MOHO_OPERATION_REDUCE_MAX, x, high));
  if (isfinite(*low) && isfinite(*high)) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "quantization: operand x lies between %g and %g, expected finite numbers", *low, *high);
}

moho_status moho_tensor_quantization(const moho_tensor *x, moho_dtype to, moho_quantize_kind kind, moho_quantization *out) {
  double low, high;
  if (!x || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "quantization: %s, got NULL", x ? "nowhere to put it" : "no tensor");
  int is_affine = kind == MOHO_QUANTIZE_AFFINE;
  if (!is_affine && kind != MOHO_QUANTIZE_SYMMETRIC)
    return moho_fail(MOHO_ERROR_ARGUMENT, "quantization: unknown kind %d, expected symmetric or affine", (int)kind);
  if (to != MOHO_DTYPE_I8 && !(is_affine && to == MOHO_DTYPE_U8))
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "quantization: to %s, expected i8%s", moho_dtype_name(to),
                     is_affine ? " or u8" : " where it is symmetric");
  MOHO_TRY(check_range(x, &low, &high));
  double least = to == MOHO_DTYPE_I8 ? -128 : 0, size = fmax(-low, high);
  *out = (moho_quantization){.scale = size > 0 ? size / 127 : 1};
  if (!is_affine) return MOHO_OK;
  low = fmin(low, 0);
  high = fmax(high, 0);
  out->scale = high > low ? (high - low) / 255 : 1;
  out->zero = (int)(nearbyint(-low / out->scale) + least);
  return MOHO_OK;
}

/* ---- there and back ---- */

static moho_status check_scale(const char *what, moho_quantization how) {
  if (how.scale > 0 && isfinite(how.scale)) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%s: scale %g, expected a finite number above 0", what, how.scale);
}

moho_status moho_tensor_quantize(moho_queue *queue, const moho_tensor *x, moho_quantization how, moho_tensor *out) {
  MOHO_TRY(check_scale("quantize", how));
  return moho_tensor_run(
      queue,
      &(moho_tensor_call){.operation = MOHO_OPERATION_QUANTIZE, .inputs = {x}, .output = out, .scalars = {how.scale, how.zero}});
}

moho_status moho_tensor_dequantize(moho_queue *queue, const moho_tensor *q, moho_quantization how, moho_tensor *out) {
  MOHO_TRY(check_scale("dequantize", how));
  return moho_tensor_run(
      queue, &(moho_tensor_call){
                 .operation = MOHO_OPERATION_DEQUANTIZE, .inputs = {q}, .output = out, .scalars = {how.scale, how.zero}});
}

/* ---- what is lost ---- */

/* error := x - (q - zero) scale, square := its squares, then those of x. */
static moho_status measure(const moho_tensor *x, const moho_tensor *q, moho_quantization how, moho_tensor *error,
                           moho_tensor *square, moho_quantization_error *out) {
  double mean_square, signal;
  MOHO_TRY(moho_tensor_dequantize(NULL, q, how, error));
  MOHO_TRY(moho_tensor_binary(NULL, MOHO_OPERATION_SUB, x, error, error));
  MOHO_TRY(moho_tensor_binary(NULL, MOHO_OPERATION_MUL, error, error, square));
  MOHO_TRY(reduce_to(MOHO_OPERATION_MEAN, square, &mean_square));
  MOHO_TRY(moho_tensor_unary(NULL, MOHO_OPERATION_ABS, error, error));
  MOHO_TRY(reduce_to(MOHO_OPERATION_REDUCE_MAX, error, &out->largest));
  MOHO_TRY(reduce_to(MOHO_OPERATION_MEAN, error, &out->mean));
  MOHO_TRY(moho_tensor_binary(NULL, MOHO_OPERATION_MUL, x, x, square));
  MOHO_TRY(reduce_to(MOHO_OPERATION_MEAN, square, &signal));
  out->rms = sqrt(mean_square);
  out->signal_to_noise_db = mean_square > 0 ? 10 * log10(signal / mean_square) : (double)INFINITY;
  return MOHO_OK;
}

moho_status moho_tensor_quantization_error(const moho_tensor *x, const moho_tensor *q, moho_quantization how,
                                           moho_quantization_error *out) {
  moho_device *device;
  moho_tensor error, square;
  if (!x || !q || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "quantization error: x, q and out are needed, got NULL");
  if (x->dtype != MOHO_DTYPE_F32)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "quantization error: operand x is %s, expected f32", moho_dtype_name(x->dtype));
  *out = (moho_quantization_error){.signal_to_noise_db = (double)INFINITY};
  if (!moho_tensor_elements(x)) return MOHO_OK;
  MOHO_TRY(moho_tensor_device(x, &device));
  MOHO_TRY(moho_tensor_create(device, MOHO_DTYPE_F32, x->rank, x->shape, &error));
  moho_status status = moho_tensor_create(device, MOHO_DTYPE_F32, x->rank, x->shape, &square);
  if (!status) {
    status = measure(x, q, how, &error, &square, out);
    moho_error words = moho_error_take();
    moho_tensor_destroy(&square);
    if (status) moho_error_set(&words);
  }
  moho_error words = moho_error_take();
  moho_tensor_destroy(&error);
  return status ? moho_error_set(&words) : MOHO_OK;
}
