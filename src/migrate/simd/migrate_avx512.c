/* migrate_avx512.c - the migration loop and its adjoint for avx512. */
#include "migrate/simd/migrate_native.h"

#if defined(__x86_64__)

#include "migrate/simd/lanes_avx512.h"
#include "migrate/simd/migrate_lanes.h"
/* its adjoint */
#include "migrate/simd/demigrate_lanes.h"
/* opening angles */
#include "migrate/simd/angle_lanes.h"
#endif
