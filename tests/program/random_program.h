/* random_program.h - programs that are valid whatever the seed, and data for them: for comparing executions.
 *
 * Lanes never race: each writes its own element of what it writes, and reads others' only behind a barrier. Where they may fault,
 * divisions by zero, indices out of range and whiles that do not end are frequent.
 */
#ifndef MOHO_TEST_RANDOM_PROGRAM_H
#define MOHO_TEST_RANDOM_PROGRAM_H

#include "program/program_core.h"

typedef struct random_program_options {
  uint64_t seed;
  int has_double; /* f64 may appear */
  int has_group;  /* group arrays, pools, barriers, group reductions */
  int has_loops;
  int may_fault;  /* integer division, loads anywhere, whiles */
  int statements; /* about so many */
} random_program_options;

/* A program whose buffers are one IN of each type it has registers of, then one INOUT of each, then two scalars (u32, f32). */
moho_status random_program_build(const random_program_options *options, moho_program **out);

/* Elements as such programs like to meet them: small numbers, ends of ranges, infinities, NaN. */
void random_elements(uint64_t *state, moho_program_type type, void *data, size_t n);
/* The same bits, or both NaN. */
int same_element(moho_program_type type, const void *a, const void *b, size_t i);

/* What a launch of a program needs on the host. */
typedef struct program_data {
  void *data[MOHO_PROGRAM_BUFFERS];
  size_t length[MOHO_PROGRAM_BUFFERS], bytes[MOHO_PROGRAM_BUFFERS];
  moho_program_value scalars[2];
  uint32_t groups[3], lanes[3];
} program_data;
/* Shape and data by the seed; buffers have an element for each lane and four more; where it may fault, now and then fewer. */
void program_data_make(const moho_program *program, uint64_t seed, int may_fault, program_data *out);
void program_data_copy(const moho_program *program, const program_data *from, program_data *out);
void program_data_free(program_data *data);
/* Fails the test, naming buffer and element, where they are not the same. */
void assert_same_data(const moho_program *program, const program_data *expected, const program_data *got, const char *what);
void assert_same_fault(const moho_program_fault *expected, const moho_program_fault *got, const char *what);

/* Run on a device through its queue. `given` is not changed, `out` becomes what the buffers hold then. */
void program_run_on(moho_device *device, const moho_program *program, const program_data *given, program_data *out,
                    moho_program_fault *fault);

#endif
