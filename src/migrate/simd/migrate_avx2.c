/* migrate_avx2.c - the migration loop and its adjoint for avx2. */
#include "migrate/simd/migrate_native.h"

#if defined(__x86_64__)

#include "migrate/simd/lanes_avx2.h"
#include "migrate/simd/migrate_lanes.h"
/* its adjoint */
#include "migrate/simd/demigrate_lanes.h"
/* opening angles */
#include "migrate/simd/angle_lanes.h"
#endif
