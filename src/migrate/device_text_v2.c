/* device_text_v2.c - migrate_v2.k as C, for the cpu. */
#include "kernels/kern.h"

#include "kernels/migrate_v2.k"
#include "migrate/device_kernels.h"

extern const char moho_text_migrate_v2[];

const moho_kernel_definition moho_definition_v2 = {.name = "migrate_v2",
                                                   .text = moho_text_migrate_v2,
                                                   .c = KERN_C_FUNCTION(migrate_v2),
                                                   .max_lanes = KERN_MAX_LANES(migrate_v2),
                                                   .uses_group = 1};

_Static_assert(COLUMNS == MOHO_DEFAULT_COLUMNS && CHUNKS == MOHO_DEFAULT_CHUNKS && TOGETHER == MOHO_DEFAULT_TOGETHER,
               "the host's defaults are the text's");

/* The text's own formula with the arguments in the places of its constants. */
#undef COLUMNS
#undef CHUNKS
#undef TOGETHER
#undef HAS_ANGLES
#define COLUMNS columns
#define CHUNKS chunks
#define TOGETHER together
#define HAS_ANGLES has_angles
size_t moho_tile_group_bytes(size_t columns, size_t chunks, size_t together, int has_angles) {
  (void)chunks; /* none of the text's group memory grows with it today */
  return (4 * (TILE_WORDS) + 15) / 16 * 16;
}
