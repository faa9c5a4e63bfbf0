/* cuda_checks.c - commands for the tests of the CUDA backend. */
#include "cuda_checks.h"

#include <stdio.h>
#include <string.h>

const char check_text[] = "#line 1 \"check.k\"\n"
                          "#include \"kern.h\"\n"
                          "typedef struct { uint n; float scale; } check_values;\n"
                          "KERNEL(add, 256, IN(0, float, a), IN(1, float, b), INOUT(2, float, c), PARAM(3, check_values, p)) {\n"
                          "  uint i = (GROUP_Y * GROUPS_X + GROUP_X) * LANES + LANE;\n"
                          "  if (i < p->n) c[i] = FMA(p->scale, b[i], a[i]);\n"
                          "}\n"
                          "KERNEL(spin, 64, INOUT(0, float, y), PARAM(1, check_values, p)) {\n"
                          "  float x = y[LANE];\n"
                          "  for (uint i = 0; i < p->n; i++) x = FMA(x, p->scale, 1.0f);\n"
                          "  y[LANE] = x;\n"
                          "}\n"
                          "KERNEL_GROUP(group, 128, INOUT(0, uint, y), PARAM(1, check_values, p)) {\n"
                          "  LOCAL uint *words = GROUP_MEMORY(uint);\n"
                          "  for (uint i = LANE; i < p->n; i += LANES) words[p->n - 1u - i] = i;\n"
                          "  BARRIER();\n"
                          "  for (uint i = LANE; i < p->n; i += LANES) y[i] = words[i];\n"
                          "}\n"
                          "KERNEL(wild, 64, INOUT(0, float, y), PARAM(1, check_values, p)) {\n"
                          "  y[((size_t)p->n << 34) + LANE] = 1.0f;\n"
                          "}\n"
                          "KERNEL(nothing, 64, INOUT(0, float, y)) { if (LANES == 0u) y[0] = 0.0f; }\n";

extern const moho_backend moho_backend_cuda;
const moho_backend *const cuda = &moho_backend_cuda;
void *check_device;
moho_device_report check_report;

int is_double(void) {
  return strstr(check_report.name, "test double") != NULL;
}

moho_block make_block(size_t bytes, moho_memory memory) {
  moho_block block;
  assert_ok(cuda->allocate(check_device, bytes, memory, &block));
  assert_int_equal(block.bytes, bytes);
  assert_true((block.host != NULL) == (memory == MOHO_MEMORY_HOST));
  return block;
}

void drop_block(moho_block *block) {
  cuda->release(check_device, block);
  assert_int_equal(block->address, 0);
}

moho_pipeline make_pipeline(const char *name) {
  moho_pipeline pipeline;
  moho_unit unit = kernel_unit(name, NULL, 0, check_text);
  assert_ok(cuda->compile(check_device, &unit, &pipeline));
  kernel_unit_free(&unit);
  return pipeline;
}

moho_command write_command(const moho_block *to, size_t offset, const void *host, size_t bytes) {
  return (moho_command){.kind = MOHO_COMMAND_WRITE, .to = {to, offset, bytes}, .host = (void *)(uintptr_t)host, .bytes = bytes};
}

moho_command read_command(const moho_block *from, size_t offset, void *host, size_t bytes) {
  return (moho_command){.kind = MOHO_COMMAND_READ, .from = {from, offset, bytes}, .host = host, .bytes = bytes};
}

moho_command copy_command(const moho_block *to, size_t to_offset, const moho_block *from, size_t from_offset, size_t bytes) {
  return (moho_command){
      .kind = MOHO_COMMAND_COPY, .to = {to, to_offset, bytes}, .from = {from, from_offset, bytes}, .bytes = bytes};
}

moho_command fill_command(const moho_block *to, size_t offset, size_t bytes, uint32_t word) {
  return (moho_command){.kind = MOHO_COMMAND_FILL, .to = {to, offset, bytes}, .bytes = bytes, .word = word};
}

moho_command after_command(void *queue, uint64_t ticket) {
  return (moho_command){.kind = MOHO_COMMAND_AFTER, .other_queue = queue, .other_ticket = ticket};
}

moho_command launch_command(const moho_pipeline *pipeline, const char *name, const moho_block *const *blocks, uint32_t n_blocks,
                            const check_values *values, uint32_t groups, uint32_t lanes) {
  static _Thread_local moho_span spans[64][MOHO_LAUNCH_BUFFERS];
  static _Thread_local unsigned next;
  moho_span *mine = spans[next++ % 64];
  for (uint32_t i = 0; i < n_blocks; i++) mine[i] = (moho_span){blocks[i], 0, blocks[i]->bytes};
  return (moho_command){.kind = MOHO_COMMAND_LAUNCH,
                        .name = name,
                        .pipeline = pipeline,
                        .buffers = mine,
                        .n_buffers = n_blocks,
                        .groups = {groups, 0},
                        .lanes = lanes,
                        .parameters = values,
                        .parameter_bytes = values ? sizeof *values : 0};
}

void submit(void *queue, uint64_t ticket, const moho_command *commands, size_t n, int timed) {
  const moho_submission submission = {.ticket = ticket, .commands = commands, .n_commands = n, .timed = timed};
  assert_ok(cuda->submit(queue, &submission));
}

moho_outcome finish(void *queue, uint64_t ticket) {
  moho_outcome outcome;
  assert_int_equal(cuda->wait(queue, ticket, 60), MOHO_OK);
  cuda->collect(queue, ticket, &outcome);
  return outcome;
}

moho_outcome run(const moho_command *commands, size_t n, int timed) {
  void *queue;
  assert_ok(cuda->queue_create(check_device, &queue));
  submit(queue, 1, commands, n, timed);
  moho_outcome outcome = finish(queue, 1);
  if (outcome.status) moho_error_set(&outcome.error);
  assert_ok(outcome.status);
  cuda->queue_destroy(queue);
  return outcome;
}
