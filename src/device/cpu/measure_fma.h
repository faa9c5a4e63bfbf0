/* measure_fma.h - multiply-adds of the processor's own units, for moho_device_measure(). */
#ifndef MOHO_DEVICE_MEASURE_FMA_H
#define MOHO_DEVICE_MEASURE_FMA_H

#include "moho/kernel.h"

/* The same results, to the bit, as kernel measure_fma. */
void moho_measure_fma_native(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);

#endif
