/* migrate_scalar.c - the migration loop for scalar. */
#include "migrate/simd/migrate_native.h"

#include "migrate/simd/lanes_scalar.h"
#include "migrate/simd/migrate_lanes.h"
