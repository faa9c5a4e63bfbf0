/* device_text_baseline.c - migrate_baseline.k and migrate_pack.k as C, for the cpu. */
#include "kernels/kern.h"

#include "kernels/migrate_baseline.k"
#include "kernels/migrate_pack.k"
#include "migrate/device_kernels.h"

extern const char moho_text_migrate_baseline[], moho_text_migrate_pack[];

const moho_kernel_definition moho_definition_baseline = {.name = "migrate_baseline",
                                                         .text = moho_text_migrate_baseline,
                                                         .c = KERN_C_FUNCTION(migrate_baseline),
                                                         .max_lanes = KERN_MAX_LANES(migrate_baseline)};
const moho_kernel_definition moho_definition_pack = {.name = "migrate_pack",
                                                     .text = moho_text_migrate_pack,
                                                     .c = KERN_C_FUNCTION(migrate_pack),
                                                     .max_lanes = KERN_MAX_LANES(migrate_pack)};
