/* device_text_demigrate_ranges.c - demigrate_ranges.k as C, for the cpu. */
#include "kernels/kern.h"

#include "kernels/demigrate_ranges.k"
#include "migrate/device_kernels.h"

extern const char moho_text_demigrate_ranges[];

const moho_kernel_definition moho_definition_demigrate_ranges = {.name = "demigrate_ranges",
                                                                 .text = moho_text_demigrate_ranges,
                                                                 .c = KERN_C_FUNCTION(demigrate_ranges),
                                                                 .max_lanes = KERN_MAX_LANES(demigrate_ranges),
                                                                 .uses_group = 1};

_Static_assert(RECORD_NODES == BOUND_WORDS && RECORD_SMOOTH == RECORD_NODES + NODE_WORDS * NODES && RECORD_USED <= RECORD_WORDS,
               "a record holds bounds and nodes");
