/* cpu_features.h - what the processor of this machine can run. */
#ifndef MOHO_DEVICE_CPU_FEATURES_H
#define MOHO_DEVICE_CPU_FEATURES_H

#include "device/device_internal.h"

/* The widest instruction set that Moho has loops for and this processor and system run. */
moho_simd moho_cpu_best_simd(void);
int moho_cpu_has_simd(moho_simd simd);
/* Sums of products of bytes: AVX-512 VNNI, or NEON's dot products. */
int moho_cpu_has_dot_products(void);
const char *moho_simd_name(moho_simd simd);
/* "Intel(R) Xeon(R) Processor @ 2.80GHz", or the architecture's name. */
void moho_cpu_name(char *name, size_t capacity);
/* Processors this process may use: affinity and cpusets are respected on Linux, quotas of processor time are not. */
int moho_cpu_count(void);

#endif
