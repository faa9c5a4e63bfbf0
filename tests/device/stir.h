/* stir.h - what stir.k and the tests of queues share. */
#ifndef MOHO_TEST_STIR_H
#define MOHO_TEST_STIR_H

typedef struct stir_parameters {
  unsigned int n, rounds;
  float factor, add;
} stir_parameters;

#endif
