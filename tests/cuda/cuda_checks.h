/* cuda_checks.h - a small front for the tests of the CUDA backend: texts, commands, one submission at a time. */
#ifndef MOHO_TEST_CUDA_CHECKS_H
#define MOHO_TEST_CUDA_CHECKS_H

#include "cuda_texts.h"
#include "test_support.h"

typedef struct check_values {
  uint32_t n;
  float scale;
} check_values;

/* Kernels: add(a, b, c, values) c = a + scale * b; spin(y, values) takes n dependent steps; group(y) passes words through group
 * memory; wild(y) writes to a wrong address; nothing(). */
extern const char check_text[];

extern const moho_backend *const cuda; /* moho_backend_cuda */
extern void *check_device;             /* its state */
extern moho_device_report check_report;
int is_double(void); /* the tests' double of libcuda runs, which executes no kernel */

moho_block make_block(size_t bytes, moho_memory memory);
void drop_block(moho_block *block);
moho_pipeline make_pipeline(const char *name);

moho_command write_command(const moho_block *to, size_t offset, const void *host, size_t bytes);
moho_command read_command(const moho_block *from, size_t offset, void *host, size_t bytes);
moho_command copy_command(const moho_block *to, size_t to_offset, const moho_block *from, size_t from_offset, size_t bytes);
moho_command fill_command(const moho_block *to, size_t offset, size_t bytes, uint32_t word);
moho_command after_command(void *queue, uint64_t ticket);
/* Spans are kept in the command's own storage until the next 64 launches. */
moho_command launch_command(const moho_pipeline *pipeline, const char *name, const moho_block *const *blocks, uint32_t n_blocks,
                            const check_values *values, uint32_t groups, uint32_t lanes);

void submit(void *queue, uint64_t ticket, const moho_command *commands, size_t n, int timed);
/* Wait and collect. */
moho_outcome finish(void *queue, uint64_t ticket);
/* A queue of its own for these commands; they must go well. */
moho_outcome run(const moho_command *commands, size_t n, int timed);
#define RUN(...)                                                      \
  do {                                                                \
    const moho_command run_commands[] = {__VA_ARGS__};                \
    run(run_commands, sizeof run_commands / sizeof *run_commands, 0); \
  } while (0)

#endif
