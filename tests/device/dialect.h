/* dialect.h - what dialect.k and its test share. */
#ifndef MOHO_TEST_DIALECT_H
#define MOHO_TEST_DIALECT_H

#define DIALECT_WORDS 16

typedef struct dialect_parameters {
  unsigned int n, rounds;
  float limit;
} dialect_parameters;

#endif
