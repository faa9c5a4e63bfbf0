/* tensor_support.h - what the tests of tensors share: numbers of every dtype, views of every pattern, the device under test.
 *
 * Random numbers are fresh each run; the seed is printed, MOHO_TEST_SEED repeats one.
 */
#ifndef MOHO_TEST_TENSOR_SUPPORT_H
#define MOHO_TEST_TENSOR_SUPPORT_H

#include "moho/tensor.h"
#include "test_support.h"

extern moho_device *test_device;
extern moho_queue *test_queue; /* of it */
/* Of a cmocka group: opens MOHO_DEVICE (the cpu where it is not set), seeds test_random, and closes it. */
int test_tensor_begin(void **state);
int test_tensor_end(void **state);
extern uint64_t test_random;
int test_on_cpu(void);
/* Apple's GPUs may put 0 in the place of denormal numbers. */
int test_may_flush(void);
/* The call now (on NULL), or by a queue and waited for. */
moho_status test_run(moho_queue *on, const moho_tensor_call *call);

/* ---- numbers ---- */

/* Element i of an array of a dtype, and the nearest of x there (ties to even; integers saturate). */
double test_get(moho_dtype dtype, const void *data, size_t i);
void test_put(moho_dtype dtype, void *data, size_t i, double x);
/* x rounded to the dtype. */
double test_round(moho_dtype dtype, double x);
/* One unit in the last place of the dtype at x. */
double test_ulp(moho_dtype dtype, double x);
int test_is_integer(moho_dtype dtype);

/* ---- operands ---- */

typedef enum {
  TEST_CONTIGUOUS, /* [n] */
  TEST_OFFSET,     /* [n], from an odd element on */
  TEST_STEPS,      /* [n], every second element */
  TEST_TRANSPOSED, /* [3, n], columns of an [n, 3] */
  TEST_INNER,      /* [2, n, 2], the middle of a [2, n, 4] */
  TEST_REPEATED,   /* [3, n]: one row, by stride 0; an output is contiguous */
  TEST_PATTERNS
} test_pattern;
const char *test_pattern_name(test_pattern pattern);

/* A view in a base tensor, with the base's contents on the host. */
typedef struct test_operand {
  moho_tensor base, view;
  void *host;
  size_t n_base;
} test_operand;

/* Filled with draw()'s numbers; the view has the pattern's shape. */
typedef double (*test_draw)(moho_dtype dtype);
test_operand test_operand_make(moho_dtype dtype, test_pattern pattern, size_t n, int is_output, test_draw draw);
void test_operand_free(test_operand *operand);
/* Where element `linear` (last axis fastest) of a view lies in its base. */
size_t test_place(const moho_tensor *view, size_t linear);
double test_at(const test_operand *operand, size_t linear);
/* Reads the base again into `now` (freed by the caller); fails when an element outside the view changed. */
void *test_read_outside_unchanged(const test_operand *operand);

/* Ordinary numbers with signs, some exact zeros and large ones; fit the dtype. */
double test_draw_any(moho_dtype dtype);

#endif
