/* migrate_scalar.c - the migration loop and its adjoint for scalar. */
#include "migrate/simd/migrate_native.h"

#include "migrate/simd/lanes_scalar.h"
#include "migrate/simd/migrate_lanes.h"
/* its adjoint */
#include "migrate/simd/demigrate_lanes.h"
/* opening angles */
#include "migrate/simd/angle_lanes.h"
