/* tensor.h - arrays of numbers on a device, and operations on them.
 *
 *   moho_tensor a, b, c;                                       three views of device memory
 *   moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){n, m}, data, MOHO_HOST_COPY, &a); ...
 *   moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &a, &b, &c);  c[i] = a[i] + b[i], done on return; with a queue: recorded there
 *
 * A moho_tensor is a plain struct: a buffer, where in it, a dtype, a shape (last axis fastest) and strides in elements. Copies of
 * it are views; the one that was created owns the buffer, and moho_tensor_destroy() of that one ends all of them. Reshape, slice,
 * transpose and broadcast make views and move nothing.
 *
 * An operation runs on the device that its tensors are on. One table (moho_tensor_supports() reads it) says what an operation
 * takes; shapes and dtypes are checked before anything runs, and an error names operation, operand, expected and actual. The
 * output may be the very view of an input ("in place") where the table says so; any other overlap is refused.
 * f16 and bf16 are computed in f32 and rounded once. Integers wrap; a division by zero gives 0 and MOHO_ERROR_RANGE: from the
 * call where queue is NULL, from moho_tensor_fault() of a prepared call where a queue ran it. Element counts beyond 2^32 are
 * fine. docs/tensor.md has the meaning and accuracy of every operation.
 *
 * Thread safety: a tensor is data; calls on different tensors may run in parallel, a prepared call runs in one thread at a time.
 */
#ifndef MOHO_TENSOR_H
#define MOHO_TENSOR_H

#include "moho/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MOHO_TENSOR_RANK = 8 };

/* name, word, bits of an element */
#define MOHO_DTYPE_TABLE(X)      \
  X(MOHO_DTYPE_F32, "f32", 32)   \
  X(MOHO_DTYPE_F16, "f16", 16)   \
  X(MOHO_DTYPE_BF16, "bf16", 16) \
  X(MOHO_DTYPE_I32, "i32", 32)   \
  X(MOHO_DTYPE_I8, "i8", 8)      \
  X(MOHO_DTYPE_U8, "u8", 8)      \
  X(MOHO_DTYPE_TERNARY, "ternary", 2) /* -1, 0, 1: 4 a byte, code q + 1, first in the lowest bits */

typedef enum {
#define MOHO_DTYPE_ENUM(name, word, bits) name,
  MOHO_DTYPE_TABLE(MOHO_DTYPE_ENUM)
#undef MOHO_DTYPE_ENUM
      MOHO_DTYPE_COUNT
} moho_dtype;

typedef struct moho_tensor {
  moho_buffer *buffer;
  size_t offset; /* elements, from the buffer's beginning */
  moho_dtype dtype;
  int rank;                         /* 0: one number */
  size_t shape[MOHO_TENSOR_RANK];   /* of the first `rank` axes */
  int64_t stride[MOHO_TENSOR_RANK]; /* elements, >= 0; 0: broadcast */
  int owns;                         /* destroying it destroys the buffer */
} moho_tensor;

typedef enum {
  MOHO_HOST_COPY,  /* the data are copied before the call returns */
  MOHO_HOST_BORROW /* without a copy: moho_buffer_wrap()'s rules, the memory must stay */
} moho_host_memory;

/* ---- making ---- */

/** Fresh memory, contents undefined, contiguous. @param shape [rank], an axis may have 0. @return MOHO_ERROR_ARGUMENT (rank,
 *  dtype), MOHO_ERROR_RANGE (too many elements), MOHO_ERROR_MEMORY. */
MOHO_API moho_status moho_tensor_create(moho_device *device, moho_dtype dtype, int rank, const size_t *shape, moho_tensor *out);
/** The host's contiguous array. BORROW: address and length as moho_buffer_wrap() wants them, where the device can, else refused.
 */
MOHO_API moho_status moho_tensor_from_host(moho_device *device, moho_dtype dtype, int rank, const size_t *shape, void *data,
                                           moho_host_memory how, moho_tensor *out);
/** A view of part of a buffer. @param offset elements  @param stride [rank] elements; NULL: contiguous.
 *  @return MOHO_ERROR_RANGE when it passes the buffer's end. */
MOHO_API moho_status moho_tensor_view(moho_buffer *buffer, size_t offset, moho_dtype dtype, int rank, const size_t *shape,
                                      const int64_t *stride, moho_tensor *out);
/** Of the owner: ends the buffer (its memory lives until the device is done). Of a view: nothing. Leaves all zero; NULL is fine.
 */
MOHO_API moho_status moho_tensor_destroy(moho_tensor *tensor);

/* ---- views: nothing moves ---- */

/** The same elements in the same order. @return MOHO_ERROR_SHAPE (other count), MOHO_ERROR_NOT_AVAILABLE (strides do not allow it
 *  without a copy). */
MOHO_API moho_status moho_tensor_reshape(const moho_tensor *tensor, int rank, const size_t *shape, moho_tensor *out);
/** Elements begin, begin + step ... below end of an axis. @return MOHO_ERROR_RANGE */
MOHO_API moho_status moho_tensor_slice(const moho_tensor *tensor, int axis, size_t begin, size_t end, size_t step,
                                       moho_tensor *out);
/** Two axes change places. */
MOHO_API moho_status moho_tensor_transpose(const moho_tensor *tensor, int axis, int other, moho_tensor *out);
/** Axes of 1, and those missing in front, are repeated by stride 0. @return MOHO_ERROR_SHAPE */
MOHO_API moho_status moho_tensor_broadcast(const moho_tensor *tensor, int rank, const size_t *shape, moho_tensor *out);

/* ---- asking ---- */

MOHO_API size_t moho_tensor_elements(const moho_tensor *tensor); /* the product of the shape; 1 of rank 0 */
MOHO_API size_t moho_tensor_bytes(const moho_tensor *tensor);    /* of its elements, packed */
MOHO_API int moho_tensor_is_contiguous(const moho_tensor *tensor);
MOHO_API const char *moho_dtype_name(moho_dtype dtype);
MOHO_API size_t moho_dtype_bits(moho_dtype dtype);

/* ---- to and from the host: these wait ---- */

/** Contiguous host data of the tensor's shape and dtype; f16 and bf16 as uint16_t, ternary packed (the tensor contiguous). */
MOHO_API moho_status moho_tensor_write(const moho_tensor *tensor, const void *from);
MOHO_API moho_status moho_tensor_read(const moho_tensor *tensor, void *to);

/* ---- operations ---- */

/* name, word; what each takes: docs/tensor.md and moho_operation_describe(). x, a, b, c: inputs; s, t: scalars of the call. */
#define MOHO_OPERATION_TABLE(X)                                                                                                  \
  X(MOHO_OPERATION_ADD, "add") /* a + b */                                                                                       \
  X(MOHO_OPERATION_SUB, "sub")                                                                                                   \
  X(MOHO_OPERATION_MUL, "mul")                                                                                                   \
  X(MOHO_OPERATION_DIV, "div")                                                                                                   \
  X(MOHO_OPERATION_MIN, "min") /* minimumNumber: a NaN loses */                                                                  \
  X(MOHO_OPERATION_MAX, "max")                                                                                                   \
  X(MOHO_OPERATION_FMA, "fma") /* a * b + c, rounded once in f32 */                                                              \
  X(MOHO_OPERATION_COPY, "copy")                                                                                                 \
  X(MOHO_OPERATION_CONVERT, "convert") /* to the output's dtype */                                                               \
  X(MOHO_OPERATION_FILL, "fill")       /* s */                                                                                   \
  X(MOHO_OPERATION_ABS, "abs")                                                                                                   \
  X(MOHO_OPERATION_NEG, "neg")                                                                                                   \
  X(MOHO_OPERATION_SQRT, "sqrt")                                                                                                 \
  X(MOHO_OPERATION_EXP, "exp")                                                                                                   \
  X(MOHO_OPERATION_LOG, "log")                                                                                                   \
  X(MOHO_OPERATION_CLIP, "clip")             /* min(max(x, s), t); NaN stays */                                                  \
  X(MOHO_OPERATION_RELU, "relu")             /* relu(NaN) = NaN */                                                               \
  X(MOHO_OPERATION_LEAKY_RELU, "leaky_relu") /* x > 0 ? x : s x */                                                               \
  X(MOHO_OPERATION_SIGMOID, "sigmoid")                                                                                           \
  X(MOHO_OPERATION_TANH, "tanh")                                                                                                 \
  X(MOHO_OPERATION_SILU, "silu")           /* x sigmoid(x) */                                                                    \
  X(MOHO_OPERATION_GELU_TANH, "gelu_tanh") /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */                                   \
  X(MOHO_OPERATION_GELU_ERF, "gelu_erf")   /* x/2 (1 + erf(x / sqrt 2)) */                                                       \
  /* backward: inputs x and dy, output dx = f'(x) dy */                                                                          \
  X(MOHO_OPERATION_RELU_BACKWARD, "relu_backward")                                                                               \
  X(MOHO_OPERATION_LEAKY_RELU_BACKWARD, "leaky_relu_backward")                                                                   \
  X(MOHO_OPERATION_SIGMOID_BACKWARD, "sigmoid_backward")                                                                         \
  X(MOHO_OPERATION_TANH_BACKWARD, "tanh_backward")                                                                               \
  X(MOHO_OPERATION_SILU_BACKWARD, "silu_backward")                                                                               \
  X(MOHO_OPERATION_GELU_TANH_BACKWARD, "gelu_tanh_backward")                                                                     \
  X(MOHO_OPERATION_GELU_ERF_BACKWARD, "gelu_erf_backward")                                                                       \
  X(MOHO_OPERATION_SQUARED_ERROR, "squared_error")               /* losses: (x - y)^2; x, y */                                   \
  X(MOHO_OPERATION_BINARY_CROSS_ENTROPY, "binary_cross_entropy") /* p, y: -(y log p + (1 - y) log(1 - p)), logarithms of >= s */ \
  X(MOHO_OPERATION_QUANTIZE, "quantize")                         /* to i8 or u8: clamp(round_half_even(x / s) + t) */            \
  X(MOHO_OPERATION_DEQUANTIZE, "dequantize")                     /* (q - t) s */                                                 \
  /* over an axis, or all; in one fixed tree (docs/tensor.md): the same bits on every device and with any number of threads */   \
  X(MOHO_OPERATION_SUM, "sum") /* of nothing 0 */                                                                                \
  X(MOHO_OPERATION_MEAN, "mean")                                                                                                 \
  X(MOHO_OPERATION_PROD, "prod")             /* of nothing 1 */                                                                  \
  X(MOHO_OPERATION_REDUCE_MIN, "reduce_min") /* a NaN is the result; of nothing an error */                                      \
  X(MOHO_OPERATION_REDUCE_MAX, "reduce_max")                                                                                     \
  X(MOHO_OPERATION_ARGMAX, "argmax") /* i32: the first of the largest, or the first NaN */                                       \
  /* along an axis, row by row; s: epsilon */                                                                                    \
  X(MOHO_OPERATION_SOFTMAX, "softmax")         /* the largest subtracted; a row of -infinity gives 0 */                          \
  X(MOHO_OPERATION_LOG_SOFTMAX, "log_softmax") /* a row of -infinity stays */                                                    \
  X(MOHO_OPERATION_LAYER_NORM, "layer_norm") /* (x - mean) / sqrt(variance + s) gamma + beta; x, gamma or NULL, beta or NULL */  \
  X(MOHO_OPERATION_RMS_NORM, "rms_norm")     /* x / sqrt(mean of x^2 + s) gamma; x, gamma or NULL */                             \
  X(MOHO_OPERATION_CROSS_ENTROPY, "cross_entropy") /* x, classes (i32): -log softmax(x)[class], at most -log s */

typedef enum {
#define MOHO_OPERATION_ENUM(name, word) name,
  MOHO_OPERATION_TABLE(MOHO_OPERATION_ENUM)
#undef MOHO_OPERATION_ENUM
      MOHO_OPERATION_COUNT
} moho_operation;

enum { MOHO_CALL_INPUTS = 3, MOHO_CALL_SCALARS = 4, MOHO_ALL_AXES = -1 };

/* What is made of a loss' terms. */
typedef enum { MOHO_LOSS_MEAN, MOHO_LOSS_SUM, MOHO_LOSS_NONE } moho_loss;

/* One operation on its operands. */
typedef struct moho_tensor_call {
  moho_operation operation;
  const moho_tensor *inputs[MOHO_CALL_INPUTS]; /* in the table's order; of two-input arithmetic one may be NULL: scalars[0] */
  const moho_tensor *output;
  double scalars[MOHO_CALL_SCALARS]; /* s, t ... */
  int axis;                          /* of operations along an axis; MOHO_ALL_AXES: all elements (reductions) */
  moho_loss loss;                    /* of losses: the output is one element, or with MOHO_LOSS_NONE has the terms' shape */
} moho_tensor_call;

MOHO_API const char *moho_operation_name(moho_operation operation);
/** Of a word as "gelu_erf"; MOHO_ERROR_NOT_FOUND with the nearest one. */
MOHO_API moho_status moho_operation_find(const char *word, moho_operation *out);
/** MOHO_OK: the operation takes inputs of `input` and an output of `output` on this device (the same table dispatches);
 *  MOHO_ERROR_NOT_AVAILABLE with operation, operand, expected and actual. */
MOHO_API moho_status moho_tensor_supports(const moho_device *device, moho_operation operation, moho_dtype input,
                                          moho_dtype output);
/** Check a call and change nothing. */
MOHO_API moho_status moho_tensor_check(const moho_tensor_call *call);

/** Run it. @param queue NULL: now, done on return; else recorded there.
 *  @return MOHO_OK; MOHO_ERROR_SHAPE, MOHO_ERROR_ARGUMENT (dtypes, overlap, devices), MOHO_ERROR_NOT_AVAILABLE. */
MOHO_API moho_status moho_tensor_run(moho_queue *queue, const moho_tensor_call *call);

/* The calls that are needed most. */
MOHO_API moho_status moho_tensor_unary(moho_queue *queue, moho_operation operation, const moho_tensor *x, moho_tensor *out);
MOHO_API moho_status moho_tensor_binary(moho_queue *queue, moho_operation operation, const moho_tensor *a, const moho_tensor *b,
                                        moho_tensor *out);
/** a (operation) s, as add, mul, leaky_relu. */
MOHO_API moho_status moho_tensor_scalar(moho_queue *queue, moho_operation operation, const moho_tensor *a, double s,
                                        moho_tensor *out);
MOHO_API moho_status moho_tensor_fill(moho_queue *queue, moho_tensor *out, double value);

/** Along an axis, or MOHO_ALL_AXES. `out` has the shape of x without the axis, or with 1 there. */
MOHO_API moho_status moho_tensor_reduce(moho_queue *queue, moho_operation operation, const moho_tensor *x, int axis,
                                        moho_tensor *out);

/** softmax, log_softmax along an axis. */
MOHO_API moho_status moho_tensor_softmax(moho_queue *queue, moho_operation operation, const moho_tensor *x, int axis,
                                         moho_tensor *out);
/** layer_norm, rms_norm along an axis; gamma, beta: [axis] of x's dtype, or NULL. */
MOHO_API moho_status moho_tensor_norm(moho_queue *queue, moho_operation operation, const moho_tensor *x, int axis,
                                      const moho_tensor *gamma, const moho_tensor *beta, double epsilon, moho_tensor *out);

/* ---- integers of 8 bits for floats ---- */

/* x is about (q - zero) scale. */
typedef struct moho_quantization {
  double scale;
  int zero;
} moho_quantization;
typedef enum { MOHO_QUANTIZE_SYMMETRIC, MOHO_QUANTIZE_AFFINE } moho_quantize_kind;
typedef struct moho_quantization_error {
  double largest, mean, rms; /* of |x - (q - zero) scale| */
  double signal_to_noise_db; /* 10 log10 (sum x^2 / sum error^2); infinity where there is no error */
} moho_quantization_error;

/** Scale and zero that hold all of x (floats): symmetric (i8: -127 .. 127, zero 0), or affine over the range of x and 0 (i8, u8).
 *  Waits. @return MOHO_ERROR_RANGE where x holds a NaN or an infinity. */
MOHO_API moho_status moho_tensor_quantization(const moho_tensor *x, moho_dtype to, moho_quantize_kind kind,
                                              moho_quantization *out);
MOHO_API moho_status moho_tensor_quantize(moho_queue *queue, const moho_tensor *x, moho_quantization how, moho_tensor *out);
MOHO_API moho_status moho_tensor_dequantize(moho_queue *queue, const moho_tensor *q, moho_quantization how, moho_tensor *out);
/** What is lost: x (f32) against q. Waits; takes memory for two tensors like x. */
MOHO_API moho_status moho_tensor_quantization_error(const moho_tensor *x, const moho_tensor *q, moho_quantization how,
                                                    moho_quantization_error *out);

/* ---- prepared: checked and planned once, run often ---- */

typedef struct moho_prepared moho_prepared;

/** The tensors' buffers must live as long as it; their contents may change. */
MOHO_API moho_status moho_tensor_prepare(const moho_tensor_call *call, moho_prepared **out);
/** @param queue NULL: now (on the cpu by the caller's thread, without a queue); else recorded there. */
MOHO_API moho_status moho_prepared_run(moho_prepared *prepared, moho_queue *queue);
/** What the last run on a queue met, once its ticket was waited for: MOHO_ERROR_RANGE for an integer division by zero. */
MOHO_API moho_status moho_tensor_fault(moho_prepared *prepared);
/** NULL is fine; leaves NULL. Work that was recorded goes on. */
MOHO_API moho_status moho_prepared_destroy(moho_prepared **prepared);

#ifdef __cplusplus
}
#endif
#endif
