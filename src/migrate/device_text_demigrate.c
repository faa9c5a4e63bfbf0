/* device_text_demigrate.c - demigrate_v3.k as C, for the cpu. */
#include "kernels/kern.h"

#include "kernels/demigrate_v3.k"
#include "migrate/device_kernels.h"

extern const char moho_text_demigrate_v3[];

const moho_kernel_definition moho_definition_demigrate_v3 = {.name = "demigrate_v3",
                                                             .text = moho_text_demigrate_v3,
                                                             .c = KERN_C_FUNCTION(demigrate_v3),
                                                             .max_lanes = KERN_MAX_LANES(demigrate_v3),
                                                             .uses_group = 1};

/* The text's own formula with the argument in the place of its constant. */
#undef COLUMNS
#define COLUMNS columns
size_t moho_demigrate_group_bytes(size_t columns, size_t window, size_t copies, size_t k_max, unsigned antialias) {
  migrate_device_parameters shape = {
      .window = (unsigned)window, .copies = (unsigned)copies, .k_max = (unsigned)k_max, .antialias = antialias};
  return (4 * (DEMIGRATE_ROW_AT + row_words(&shape)) + 15) / 16 * 16;
}
