/* operation_table.h - the one table of operations: names, operands, dtypes, what may be in place, and which file plans them.
 *
 * moho_tensor_supports(), the checks and the dispatch all read it: what it does not list is refused by name.
 */
#ifndef MOHO_TENSOR_OPERATION_TABLE_H
#define MOHO_TENSOR_OPERATION_TABLE_H

#include "moho/tensor.h"
#include "tensor/prepared.h"

/* Sets of dtypes. */
#define MOHO_SET(dtype) (1u << (dtype))
#define MOHO_FLOATS (MOHO_SET(MOHO_DTYPE_F32) | MOHO_SET(MOHO_DTYPE_F16) | MOHO_SET(MOHO_DTYPE_BF16))
#define MOHO_INTEGERS (MOHO_SET(MOHO_DTYPE_I32) | MOHO_SET(MOHO_DTYPE_I8) | MOHO_SET(MOHO_DTYPE_U8))
#define MOHO_BYTES (MOHO_SET(MOHO_DTYPE_I8) | MOHO_SET(MOHO_DTYPE_U8))
#define MOHO_NUMBERS (MOHO_FLOATS | MOHO_SET(MOHO_DTYPE_I32))

typedef enum {
  MOHO_OUTPUT_SAME, /* as the inputs */
  MOHO_OUTPUT_ANY   /* of `outputs` */
} moho_output_rule;

typedef struct moho_operation_entry {
  const char *name;
  const char *operands[MOHO_CALL_INPUTS]; /* NULL after the last input */
  unsigned inputs;                        /* dtypes; all inputs have one */
  unsigned second;                        /* where not 0: dtypes of the second input, which goes its own way */
  unsigned optional;                      /* bits of inputs that may be NULL */
  moho_output_rule output;
  unsigned outputs;     /* dtypes, of MOHO_OUTPUT_ANY */
  int number_may_stand; /* one of two inputs may be NULL: scalars[0] */
  int in_place;         /* the output may be an input's very view */
  moho_status (*plan)(const struct moho_operation_entry *entry, const moho_tensor_call *call, moho_prepared *out);
} moho_operation_entry;

/* NULL: no operation of this number. */
const moho_operation_entry *moho_operation_entry_of(moho_operation operation);

/* operation_check.c: the call against its entry: operands there, on one device, dtypes, shapes (broadcast to the output's), no
 * overlap but in place. *device: where it runs. */
moho_status moho_operation_check(const moho_tensor_call *call, const moho_operation_entry **entry, moho_device **device);
/* One operand of `what`: there, on *device (NULL: the first, it becomes its), of one of the dtypes. */
moho_status moho_operand_check(const char *what, const char *operand, const moho_tensor *tensor, unsigned dtypes,
                               moho_device **device);

#endif
