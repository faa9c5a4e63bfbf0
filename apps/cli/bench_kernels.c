/* bench_kernels.c - bench_memory.k as C, for the cpu, and its kernels made known to the runtime. */
#include <moho/kernels/kern.h>

#include "bench_memory.k"

#include "bench_case.h"

extern const char moho_text_bench_memory[];

static const moho_kernel_definition empty = {.name = "bench_empty",
                                             .text = moho_text_bench_memory,
                                             .c = KERN_C_FUNCTION(bench_empty),
                                             .max_lanes = KERN_MAX_LANES(bench_empty)};
static const moho_kernel_definition read_table = {.name = "bench_read_table",
                                                  .text = moho_text_bench_memory,
                                                  .c = KERN_C_FUNCTION(bench_read_table),
                                                  .max_lanes = KERN_MAX_LANES(bench_read_table)};

moho_status bench_register_kernels(void) {
  moho_status status = moho_kernel_register(&empty);
  return status ? status : moho_kernel_register(&read_table);
}
