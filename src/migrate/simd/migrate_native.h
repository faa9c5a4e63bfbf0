/* migrate_native.h - the native cpu functions of kernel "migrate" and its adjoint, one an instruction set. */
#ifndef MOHO_MIGRATE_NATIVE_H
#define MOHO_MIGRATE_NATIVE_H

#include "device/device_internal.h"

void moho_migrate_scalar(void *const *buffers, const void *parameters);
void moho_migrate_neon(void *const *buffers, const void *parameters);
void moho_migrate_avx2(void *const *buffers, const void *parameters);
void moho_migrate_avx512(void *const *buffers, const void *parameters);

void moho_demigrate_scalar(void *const *buffers, const void *parameters);
void moho_demigrate_neon(void *const *buffers, const void *parameters);
void moho_demigrate_avx2(void *const *buffers, const void *parameters);
void moho_demigrate_avx512(void *const *buffers, const void *parameters);

void moho_angle_cut_scalar(void *const *buffers, const void *parameters);
void moho_angle_cut_neon(void *const *buffers, const void *parameters);
void moho_angle_cut_avx2(void *const *buffers, const void *parameters);
void moho_angle_cut_avx512(void *const *buffers, const void *parameters);

extern const moho_native_kernel moho_migrate_native, moho_demigrate_native;

#endif
