/* kernel_registry.h - the kernels that were compiled into this program, by name. */
#ifndef MOHO_DEVICE_KERNEL_REGISTRY_H
#define MOHO_DEVICE_KERNEL_REGISTRY_H

#include "moho/kernel.h"

/* NULL: none of this name. */
const moho_kernel_definition *moho_registry_find(const char *name);
/* MOHO_ERROR_NOT_FOUND with the nearest name and how a kernel is compiled in; `device` is who asks: "cpu". */
moho_status moho_registry_not_found(const char *name, const char *device);

#endif
