/* measure.h - what the kernels of moho_device_measure() are given. */
#ifndef MOHO_KERNELS_MEASURE_H
#define MOHO_KERNELS_MEASURE_H

/* Chains of multiply-adds that a lane carries side by side: enough to keep a unit busy that takes several cycles for each. */
#define MEASURE_CHAINS 8

typedef struct measure_parameters {
  unsigned int rounds; /* x := a*x + b in each chain */
  float a, b;
  unsigned int simd; /* moho_simd of the cpu's native function; GPUs do not read it */
} measure_parameters;

#endif
