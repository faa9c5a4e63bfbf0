/* operation_table.c - the table itself, and what is asked of it by name. */
#include "tensor/operation_table.h"

#include <stdio.h>
#include <string.h>

#include "tensor/elementwise.h"
#include "tensor/losses.h"
#include "tensor/reduce.h"
#include "tensor/rows.h"

#define UNARY \
  { "x" }
#define BINARY \
  { "a", "b" }
#define BACKWARD \
  { "x", "dy" }
#define ARITHMETIC(word)                                                                              \
  {                                                                                                   \
    .name = (word), .operands = BINARY, .inputs = MOHO_NUMBERS, .number_may_stand = 1, .in_place = 1, \
    .plan = moho_plan_elementwise                                                                     \
  }
#define ONE(word, set) \
  { .name = (word), .operands = UNARY, .inputs = (set), .in_place = 1, .plan = moho_plan_elementwise }
#define REDUCTION(word, set) \
  { .name = (word), .operands = UNARY, .inputs = (set), .plan = moho_plan_reduce }
#define LOSS(word, target) \
  { .name = (word), .operands = {"x", target}, .inputs = MOHO_FLOATS, .plan = moho_plan_loss }
#define GRADIENT(word) \
  { .name = (word), .operands = BACKWARD, .inputs = MOHO_FLOATS, .in_place = 1, .plan = moho_plan_elementwise }

static const moho_operation_entry table[MOHO_OPERATION_COUNT] = {
    [MOHO_OPERATION_ADD] = ARITHMETIC("add"),
    [MOHO_OPERATION_SUB] = ARITHMETIC("sub"),
    [MOHO_OPERATION_MUL] = ARITHMETIC("mul"),
    [MOHO_OPERATION_DIV] = ARITHMETIC("div"),
    [MOHO_OPERATION_MIN] = ARITHMETIC("min"),
    [MOHO_OPERATION_MAX] = ARITHMETIC("max"),
    [MOHO_OPERATION_FMA] =
        {.name = "fma", .operands = {"a", "b", "c"}, .inputs = MOHO_NUMBERS, .in_place = 1, .plan = moho_plan_elementwise},
    [MOHO_OPERATION_COPY] = ONE("copy", MOHO_FLOATS | MOHO_INTEGERS),
    [MOHO_OPERATION_CONVERT] = {.name = "convert",
                                .operands = UNARY,
                                .inputs = MOHO_FLOATS | MOHO_INTEGERS,
                                .output = MOHO_OUTPUT_ANY,
                                .outputs = MOHO_FLOATS | MOHO_INTEGERS,
                                .in_place = 1,
                                .plan = moho_plan_elementwise},
    [MOHO_OPERATION_FILL] = {.name = "fill",
                             .output = MOHO_OUTPUT_ANY,
                             .outputs = MOHO_FLOATS | MOHO_INTEGERS,
                             .plan = moho_plan_elementwise},
    [MOHO_OPERATION_ABS] = ONE("abs", MOHO_NUMBERS),
    [MOHO_OPERATION_NEG] = ONE("neg", MOHO_NUMBERS),
    [MOHO_OPERATION_SQRT] = ONE("sqrt", MOHO_FLOATS),
    [MOHO_OPERATION_EXP] = ONE("exp", MOHO_FLOATS),
    [MOHO_OPERATION_LOG] = ONE("log", MOHO_FLOATS),
    [MOHO_OPERATION_CLIP] = ONE("clip", MOHO_NUMBERS),
    [MOHO_OPERATION_RELU] = ONE("relu", MOHO_NUMBERS),
    [MOHO_OPERATION_LEAKY_RELU] = ONE("leaky_relu", MOHO_FLOATS),
    [MOHO_OPERATION_SIGMOID] = ONE("sigmoid", MOHO_FLOATS),
    [MOHO_OPERATION_TANH] = ONE("tanh", MOHO_FLOATS),
    [MOHO_OPERATION_SILU] = ONE("silu", MOHO_FLOATS),
    [MOHO_OPERATION_GELU_TANH] = ONE("gelu_tanh", MOHO_FLOATS),
    [MOHO_OPERATION_GELU_ERF] = ONE("gelu_erf", MOHO_FLOATS),
    [MOHO_OPERATION_RELU_BACKWARD] = GRADIENT("relu_backward"),
    [MOHO_OPERATION_LEAKY_RELU_BACKWARD] = GRADIENT("leaky_relu_backward"),
    [MOHO_OPERATION_SIGMOID_BACKWARD] = GRADIENT("sigmoid_backward"),
    [MOHO_OPERATION_TANH_BACKWARD] = GRADIENT("tanh_backward"),
    [MOHO_OPERATION_SILU_BACKWARD] = GRADIENT("silu_backward"),
    [MOHO_OPERATION_GELU_TANH_BACKWARD] = GRADIENT("gelu_tanh_backward"),
    [MOHO_OPERATION_GELU_ERF_BACKWARD] = GRADIENT("gelu_erf_backward"),
    [MOHO_OPERATION_SUM] = REDUCTION("sum", MOHO_NUMBERS),
    [MOHO_OPERATION_MEAN] = REDUCTION("mean", MOHO_FLOATS),
    [MOHO_OPERATION_PROD] = REDUCTION("prod", MOHO_NUMBERS),
    [MOHO_OPERATION_REDUCE_MIN] = REDUCTION("reduce_min", MOHO_NUMBERS),
    [MOHO_OPERATION_REDUCE_MAX] = REDUCTION("reduce_max", MOHO_NUMBERS),
    [MOHO_OPERATION_ARGMAX] = {.name = "argmax",
                               .operands = UNARY,
                               .inputs = MOHO_NUMBERS,
                               .output = MOHO_OUTPUT_ANY,
                               .outputs = MOHO_SET(MOHO_DTYPE_I32),
                               .plan = moho_plan_reduce},
    [MOHO_OPERATION_SQUARED_ERROR] = LOSS("squared_error", "y"),
    [MOHO_OPERATION_BINARY_CROSS_ENTROPY] = LOSS("binary_cross_entropy", "y"),
    [MOHO_OPERATION_CROSS_ENTROPY] = {.name = "cross_entropy",
                                      .operands = {"x", "classes"},
                                      .inputs = MOHO_FLOATS,
                                      .second = MOHO_SET(MOHO_DTYPE_I32),
                                      .plan = moho_plan_loss},
    [MOHO_OPERATION_QUANTIZE] = {.name = "quantize",
                                 .operands = UNARY,
                                 .inputs = MOHO_FLOATS,
                                 .output = MOHO_OUTPUT_ANY,
                                 .outputs = MOHO_BYTES,
                                 .plan = moho_plan_elementwise},
    [MOHO_OPERATION_DEQUANTIZE] = {.name = "dequantize",
                                   .operands = {"q"},
                                   .inputs = MOHO_BYTES,
                                   .output = MOHO_OUTPUT_ANY,
                                   .outputs = MOHO_FLOATS,
                                   .plan = moho_plan_elementwise},
    [MOHO_OPERATION_SOFTMAX] =
        {.name = "softmax", .operands = UNARY, .inputs = MOHO_FLOATS, .in_place = 1, .plan = moho_plan_rows},
    [MOHO_OPERATION_LOG_SOFTMAX] =
        {.name = "log_softmax", .operands = UNARY, .inputs = MOHO_FLOATS, .in_place = 1, .plan = moho_plan_rows},
    [MOHO_OPERATION_LAYER_NORM] = {.name = "layer_norm",
                                   .operands = {"x", "gamma", "beta"},
                                   .inputs = MOHO_FLOATS,
                                   .optional = 6,
                                   .in_place = 1,
                                   .plan = moho_plan_rows},
    [MOHO_OPERATION_RMS_NORM] = {.name = "rms_norm",
                                 .operands = {"x", "gamma"},
                                 .inputs = MOHO_FLOATS,
                                 .optional = 2,
                                 .in_place = 1,
                                 .plan = moho_plan_rows},
};

static const char *const names[MOHO_OPERATION_COUNT] = {
#define MOHO_OPERATION_NAME(operation, word) [operation] = word,
    MOHO_OPERATION_TABLE(MOHO_OPERATION_NAME)
#undef MOHO_OPERATION_NAME
};

const moho_operation_entry *moho_operation_entry_of(moho_operation operation) {
  return (unsigned)operation < MOHO_OPERATION_COUNT && table[operation].plan ? &table[operation] : NULL;
}

const char *moho_operation_name(moho_operation operation) {
  return (unsigned)operation < MOHO_OPERATION_COUNT ? names[operation] : "unknown operation";
}

moho_status moho_operation_find(const char *word, moho_operation *out) {
  for (int i = 0; word && i < MOHO_OPERATION_COUNT; i++)
    if (strcmp(names[i], word) == 0) {
      *out = (moho_operation)i;
      return MOHO_OK;
    }
  const char *near = word ? moho_nearest_name(word, names, MOHO_OPERATION_COUNT) : NULL;
  char hint[100] = "";
  if (near) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
  return moho_fail_at((moho_place){0}, hint, MOHO_ERROR_NOT_FOUND, "no tensor operation \"%.60s\"", word ? word : "");
}
