/* selftest_kernels.h - what the kernels of moho selftest are given; shared by the host, selftest.k and selftest_words.k. */
#ifndef MOHO_CLI_SELFTEST_KERNELS_H
#define MOHO_CLI_SELFTEST_KERNELS_H

#define SELFTEST_WORDS 11 /* a lane */

typedef struct selftest_parameters {
  unsigned int n;
  float factor;
} selftest_parameters;

#endif
