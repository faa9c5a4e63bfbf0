/* backend_support.h - the Metal backend driven directly, on the double: what its tests share. */
#ifndef MOHO_TEST_METAL_BACKEND_SUPPORT_H
#define MOHO_TEST_METAL_BACKEND_SUPPORT_H

#include "device/backend.h"
#include "test_support.h"

extern const moho_backend *const metal;

typedef struct bench {
  void *device, *queue;
  moho_device_report report;
  moho_pipeline add; /* to[i] += parameters.by, i < parameters.n */
  uint64_t tickets;
  long objects; /* Objective-C objects before it was opened */
} bench;

typedef struct add_parameters {
  uint32_t n, by;
} add_parameters;

/* Opens device and queue, compiles `add`; closing checks that its Objective-C objects are gone. */
bench bench_open(void);
void bench_close(bench *b);

moho_block block_of(bench *b, size_t bytes);
void block_free(bench *b, moho_block *block);

/* Commands. */
moho_command put_add(const bench *b, const moho_span *block, const add_parameters *parameters);
moho_command put_write(const moho_block *to, size_t offset, const void *from, size_t bytes);
moho_command put_read(const moho_block *from, size_t offset, void *to, size_t bytes);
moho_command put_copy(const moho_block *to, size_t to_offset, const moho_block *from, size_t from_offset, size_t bytes);
moho_command put_fill(const moho_block *to, size_t offset, size_t bytes, uint32_t word);
moho_command put_after(void *queue, uint64_t ticket);

uint64_t submit(bench *b, const moho_command *commands, size_t n); /* not timed; must be taken */
moho_outcome finish(bench *b, uint64_t ticket);                    /* wait for ever, collect */
moho_outcome run(bench *b, const moho_command *commands, size_t n);

/* Asks the double for a fault: nth 0 always, n the n-th time from now, -1 off. */
void fault(const char *name, long nth);
long live_objects(void);

#endif
