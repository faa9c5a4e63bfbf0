/* program_support.h - what tests of programs share: a program from text, a launch of it on the reference, and values told apart
 * from the library's own arithmetic: integers in 128 bits, floats in long double, f16 and bf16 by search among all their values.
 */
#ifndef MOHO_PROGRAM_TEST_SUPPORT_H
#define MOHO_PROGRAM_TEST_SUPPORT_H

#include "moho/program.h"
#include "test_support.h"

__extension__ typedef __int128 wide;

extern const char *const type_words[MOHO_PROGRAM_TYPES];

/* Assemble; the test fails where it does not. */
moho_program *program_of(const char *text);
/* The text does not assemble: code, words of the message, line (0: any) and a word of the hint (NULL: any). */
void assert_refused(const char *text, int code, const char *words, int line, const char *hint);

/* Run on the reference; buffers in order. Returns the fault. */
moho_program_fault run_program(const moho_program *program, const moho_program_memory *buffers, const moho_program_value *scalars,
                               uint32_t groups, uint32_t lanes);

/* ---- values ---- */

int is_real(int type);
int is_signed(int type);
unsigned bits_in(int type);
/* Integers' bits as a number, and a number's lowest bits. */
wide whole_value(int type, uint64_t bits);
uint64_t whole_bits(int type, wide value);
/* Floats' bits as a number; the nearest value of the type to a double (ties to even). f16, bf16 take it as a float first. */
double real_value(int type, uint64_t bits);
uint64_t nearest_bits(int type, double value);
/* The nearest value of the type to the number itself. */
uint64_t nearest_exact(int type, long double value);
/* Any NaN equals any NaN. */
int same_value(int type, uint64_t a, uint64_t b);
/* Bits of a type: its special values first, then random ones. */
uint64_t example(int type, size_t i, uint64_t *random);
/* An element of a host buffer. */
uint64_t element_of(const void *data, int type, size_t i);
void set_element(void *data, int type, size_t i, uint64_t bits);

#endif
