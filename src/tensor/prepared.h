/* prepared.h - a planned operation: launches in order, each of which runs now on the cpu or is recorded on a queue.
 *
 * A plan adds steps; parameters are copied. Temporary buffers live as long as it. A kernel is compiled when it is first recorded:
 * what runs now on the cpu calls its native function alone.
 */
#ifndef MOHO_TENSOR_PREPARED_H
#define MOHO_TENSOR_PREPARED_H

#include "base/fail.h"
#include "device/device_internal.h"
#include "moho/tensor.h"

enum { MOHO_STEP_BINDINGS = 8, MOHO_STEP_CONSTANTS = 8 };

typedef struct moho_step {
  const moho_kernel_definition *definition; /* with a native function; registered when it is first recorded */
  moho_constant constants[MOHO_STEP_CONSTANTS];
  size_t n_constants;
  moho_binding bindings[MOHO_STEP_BINDINGS];
  size_t n_bindings;
  const void *parameters;
  size_t parameter_bytes;
  /* The grid: `items` lanes where not 0, in groups of the kernel's choice; else `groups` of `lanes`. */
  size_t items;
  uint32_t groups[2], lanes;
  size_t group_memory;
} moho_step;

moho_status moho_prepared_create(moho_device *device, moho_prepared **out);
/* Copied, with its parameters. */
moho_status moho_prepared_add(moho_prepared *prepared, const moho_step *step);
/* Memory of the device that lives as long as the plan; do not destroy it. */
moho_status moho_prepared_temporary(moho_prepared *prepared, size_t bytes, moho_buffer **out);
/* A word that kernels MARK; when it is not 0 after a run, the run's error is `code` with `words`. One a plan. */
moho_status moho_prepared_fault_word(moho_prepared *prepared, moho_status code, const char *words, moho_buffer **out);

moho_device *moho_prepared_device(const moho_prepared *prepared);

/* Where a tensor begins: a binding at a multiple of 16 bytes, and the element of it in *first. */
moho_binding moho_tensor_binding(const moho_tensor *tensor, uint32_t *first);
/* The device of its buffer (alive: MOHO_ERROR_HANDLE). */
moho_status moho_tensor_device(const moho_tensor *tensor, moho_device **out);

#endif
