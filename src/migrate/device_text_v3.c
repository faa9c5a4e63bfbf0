/* device_text_v3.c - migrate_v3.k as C, for the cpu. */
#include "kernels/kern.h"

#include "kernels/migrate_v3.k"
#include "migrate/device_kernels.h"

extern const char moho_text_migrate_v3[];

const moho_kernel_definition moho_definition_v3 = {.name = "migrate_v3",
                                                   .text = moho_text_migrate_v3,
                                                   .c = KERN_C_FUNCTION(migrate_v3),
                                                   .max_lanes = KERN_MAX_LANES(migrate_v3),
                                                   .uses_group = 1};
