/* migrate_native.c - which native functions this build has. */
#include "migrate/simd/migrate_native.h"

#include "migrate/angle_kernel.h"

const moho_native_kernel moho_migrate_native = {.name = "migrate",
                                                .by_simd = {
                                                    [MOHO_SIMD_SCALAR] = moho_migrate_scalar,
#if defined(__x86_64__)
                                                    [MOHO_SIMD_AVX2] = moho_migrate_avx2,
                                                    [MOHO_SIMD_AVX512] = moho_migrate_avx512,
#elif defined(__aarch64__)
                                                    [MOHO_SIMD_NEON] = moho_migrate_neon,
#endif
                                                }};

const moho_native_kernel moho_demigrate_native = {.name = "demigrate",
                                                  .by_simd = {
                                                      [MOHO_SIMD_SCALAR] = moho_demigrate_scalar,
#if defined(__x86_64__)
                                                      [MOHO_SIMD_AVX2] = moho_demigrate_avx2,
                                                      [MOHO_SIMD_AVX512] = moho_demigrate_avx512,
#elif defined(__aarch64__)
                                                      [MOHO_SIMD_NEON] = moho_demigrate_neon,
#endif
                                                  }};

const moho_native_kernel moho_angle_cut = {.name = "angle cut",
                                           .by_simd = {
                                               [MOHO_SIMD_SCALAR] = moho_angle_cut_scalar,
#if defined(__x86_64__)
                                               [MOHO_SIMD_AVX2] = moho_angle_cut_avx2,
                                               [MOHO_SIMD_AVX512] = moho_angle_cut_avx512,
#elif defined(__aarch64__)
                                               [MOHO_SIMD_NEON] = moho_angle_cut_neon,
#endif
                                           }};
