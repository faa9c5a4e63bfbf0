/* kernel_cache.h - compiled kernels of a device, kept for the next who asks for the same text, name and constants.
 *
 * Bounded: of those that no kernel uses the least recently used go first; one in use is never dropped.
 */
#ifndef MOHO_DEVICE_KERNEL_CACHE_H
#define MOHO_DEVICE_KERNEL_CACHE_H

#include "device/device_core.h"

enum { MOHO_KERNEL_CACHE_LIMIT = 64 };

/* The pipeline of a unit, compiled when it is not there; compile_seconds 0: it was. To be given back with _put. */
moho_status moho_kernel_cache_get(moho_device *device, const moho_unit *unit, moho_pipeline **out, double *compile_seconds);
/* The same, only where it is there: NULL. */
moho_pipeline *moho_kernel_cache_find(moho_device *device, const char *key);
void moho_kernel_cache_put(moho_device *device, moho_pipeline *pipeline);

#endif
