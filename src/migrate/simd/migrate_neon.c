/* migrate_neon.c - the migration loop and its adjoint for neon. */
#include "migrate/simd/migrate_native.h"

#if defined(__aarch64__)

#include "migrate/simd/lanes_neon.h"
#include "migrate/simd/migrate_lanes.h"
/* its adjoint */
#include "migrate/simd/demigrate_lanes.h"
/* opening angles */
#include "migrate/simd/angle_lanes.h"
#endif
