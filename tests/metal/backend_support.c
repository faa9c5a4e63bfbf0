/* backend_support.c - see backend_support.h. */
#include "backend_support.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const moho_backend *const metal = &moho_backend_metal;

static void *double_symbol(const char *name) {
  void *library = dlopen(getenv("MOHO_METAL_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  assert_non_null(library);
  void *symbol = dlsym(library, name);
  assert_non_null(symbol);
  return symbol;
}

void fault(const char *name, long nth) {
  ((void (*)(const char *, long))double_symbol("moho_metal_double_fault"))(name, nth);
}

long live_objects(void) {
  return ((long (*)(void))double_symbol("moho_metal_double_live_objects"))();
}

static const char add_text[] = "#include <metal_stdlib>\n"
                               "using namespace metal;\n"
                               "struct add_parameters { uint n, by; };\n"
                               "[[max_total_threads_per_threadgroup(64)]] kernel void add(\n"
                               "    device uint *to [[buffer(0)]], constant add_parameters *p [[buffer(1)]],\n"
                               "    uint lane [[thread_index_in_threadgroup]], uint3 lanes [[threads_per_threadgroup]],\n"
                               "    uint3 group [[threadgroup_position_in_grid]]) {\n"
                               "  uint i = group.x * lanes.x + lane;\n"
                               "  if (i < p->n) to[i] += p->by;\n"
                               "}\n";

bench bench_open(void) {
  bench b = {.objects = live_objects()};
  assert_ok(metal->open(&(moho_device_uri){.backend = "metal", .ordinal = -1}, &b.device, &b.report));
  assert_ok(metal->queue_create(b.device, &b.queue));
  assert_ok(metal->compile(b.device, &(moho_unit){.name = "add", .text = add_text}, &b.add));
  return b;
}

void bench_close(bench *b) {
  metal->release_pipeline(b->device, &b->add);
  metal->queue_destroy(b->queue);
  metal->close(b->device);
  assert_int_equal(live_objects(), b->objects);
}

moho_block block_of(bench *b, size_t bytes) {
  moho_block block;
  assert_ok(metal->allocate(b->device, bytes, MOHO_MEMORY_DEVICE, &block));
  return block;
}

void block_free(bench *b, moho_block *block) {
  metal->release(b->device, block);
}

moho_command put_add(const bench *b, const moho_span *block, const add_parameters *parameters) {
  return (moho_command){.kind = MOHO_COMMAND_LAUNCH,
                        .name = "add",
                        .pipeline = &b->add,
                        .buffers = block,
                        .n_buffers = 1,
                        .groups = {(parameters->n + 63) / 64, 1},
                        .lanes = 64,
                        .parameters = parameters,
                        .parameter_bytes = sizeof *parameters};
}

moho_command put_write(const moho_block *to, size_t offset, const void *from, size_t bytes) {
  return (moho_command){.kind = MOHO_COMMAND_WRITE, .to = {to, offset, bytes}, .host = (void *)(uintptr_t)from, .bytes = bytes};
}

moho_command put_read(const moho_block *from, size_t offset, void *to, size_t bytes) {
  return (moho_command){.kind = MOHO_COMMAND_READ, .from = {from, offset, bytes}, .host = to, .bytes = bytes};
}

moho_command put_copy(const moho_block *to, size_t to_offset, const moho_block *from, size_t from_offset, size_t bytes) {
  return (moho_command){
      .kind = MOHO_COMMAND_COPY, .to = {to, to_offset, bytes}, .from = {from, from_offset, bytes}, .bytes = bytes};
}

moho_command put_fill(const moho_block *to, size_t offset, size_t bytes, uint32_t word) {
  return (moho_command){.kind = MOHO_COMMAND_FILL, .to = {to, offset, bytes}, .bytes = bytes, .word = word};
}

moho_command put_after(void *queue, uint64_t ticket) {
  return (moho_command){.kind = MOHO_COMMAND_AFTER, .other_queue = queue, .other_ticket = ticket};
}

uint64_t submit(bench *b, const moho_command *commands, size_t n) {
  assert_ok(metal->submit(b->queue, &(moho_submission){.ticket = ++b->tickets, .commands = commands, .n_commands = n}));
  return b->tickets;
}

moho_outcome finish(bench *b, uint64_t ticket) {
  moho_outcome outcome;
  assert_ok(metal->wait(b->queue, ticket, -1));
  metal->collect(b->queue, ticket, &outcome);
  return outcome;
}

moho_outcome run(bench *b, const moho_command *commands, size_t n) {
  return finish(b, submit(b, commands, n));
}
