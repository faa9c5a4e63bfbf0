/* test_double_strict.c - the double notices what it is there to notice: each misuse, in a process of its own, aborts with words.
 */
#include "test_support.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void *id;
typedef unsigned long NSUInteger;
typedef struct {
  NSUInteger width, height, depth;
} MTLSize;

id objc_getClass(const char *name);
const char *sel_registerName(const char *name);
void objc_msgSend(void);
void *objc_autoreleasePoolPush(void);
void objc_autoreleasePoolPop(void *pool);
id MTLCreateSystemDefaultDevice(void);
long moho_metal_double_live_objects(void);

/* gcc refuses a call of objc_msgSend itself under another type. */
static void (*volatile send)(void) = objc_msgSend;

/* SEND(self, "selector:", result, (types), arguments...) */
#define SEND(self, selector, result, types, ...) \
  ((result(*)(id, const char *SPREAD types))send)(self, sel_registerName(selector), ##__VA_ARGS__)
#define SPREAD(...) , ##__VA_ARGS__

static void release(id object) {
  SEND(object, "release", void, ());
}

/* ---- what the cases begin with ---- */

typedef struct bench {
  void *pool;
  id device, queue, commands, encoder, pipeline, buffer;
} bench;

static id compile(id device, const char *text) {
  id source = SEND(objc_getClass("NSString"), "stringWithUTF8String:", id, (const char *), text), error = NULL;
  id library = SEND(device, "newLibraryWithSource:options:error:", id, (id, id, id *), source, NULL, &error);
  if (!library) {
    id words = SEND(error, "localizedDescription", id, ());
    fprintf(stderr, "refused: %s\n", SEND(words, "UTF8String", const char *, ()));
    abort();
  }
  return library;
}

static id pipeline_of(id device, const char *text) {
  id library = compile(device, text);
  id name = SEND(objc_getClass("NSString"), "stringWithUTF8String:", id, (const char *), "k");
  id function = SEND(library, "newFunctionWithName:", id, (id), name);
  id pipeline = SEND(device, "newComputePipelineStateWithFunction:error:", id, (id, id *), function, NULL);
  release(function);
  release(library);
  return pipeline;
}

#define HEAD "#include <metal_stdlib>\nusing namespace metal;\n[[max_total_threads_per_threadgroup(256)]] kernel void k("
#define LANE "uint i [[thread_index_in_threadgroup]], uint3 g [[threadgroup_position_in_grid]]"
#define ADD HEAD "device uint *a [[buffer(0)]], constant uint *p [[buffer(1)]], " LANE ") { a[i + 64u * g.x] += *p; }\n"
#define GROUP(body) HEAD "device uint *a [[buffer(0)]], threadgroup uint *t [[threadgroup(0)]], " LANE ") { " body " }\n"

enum { WORDS = 128 };

static bench begin(const char *text) {
  bench b = {.pool = objc_autoreleasePoolPush(), .device = MTLCreateSystemDefaultDevice()};
  b.queue = SEND(b.device, "newCommandQueueWithMaxCommandBufferCount:", id, (NSUInteger), 64ul);
  b.buffer = SEND(b.device, "newBufferWithLength:options:", id, (NSUInteger, NSUInteger), WORDS * 4ul, 0ul);
  memset(SEND(b.buffer, "contents", void *, ()), 0, WORDS * 4);
  b.pipeline = pipeline_of(b.device, text);
  b.commands = SEND(b.queue, "commandBuffer", id, ());
  b.encoder = SEND(b.commands, "computeCommandEncoder", id, ());
  SEND(b.encoder, "setComputePipelineState:", void, (id), b.pipeline);
  SEND(b.encoder, "setBuffer:offset:atIndex:", void, (id, NSUInteger, NSUInteger), b.buffer, 0ul, 0ul);
  const unsigned three = 3;
  SEND(b.encoder, "setBytes:length:atIndex:", void, (const void *, NSUInteger, NSUInteger), &three, 4ul, 1ul);
  return b;
}

static void dispatch(const bench *b, NSUInteger groups, NSUInteger lanes) {
  SEND(b->encoder, "dispatchThreadgroups:threadsPerThreadgroup:", void, (MTLSize, MTLSize), (MTLSize){groups, 1, 1},
       (MTLSize){lanes, 1, 1});
}

static void end(bench *b) {
  SEND(b->encoder, "endEncoding", void, ());
  SEND(b->commands, "commit", void, ());
  SEND(b->commands, "waitUntilCompleted", void, ());
  assert_int_equal(SEND(b->commands, "status", NSUInteger, ()), 4);
}

static void leave(bench *b) {
  release(b->pipeline);
  release(b->buffer);
  release(b->queue);
  release(b->device);
  objc_autoreleasePoolPop(b->pool);
}

static void run_group(const char *text, NSUInteger lanes) {
  bench b = begin(text);
  SEND(b.encoder, "setThreadgroupMemoryLength:atIndex:", void, (NSUInteger, NSUInteger), 1024ul, 0ul);
  dispatch(&b, 2, lanes);
  end(&b);
  leave(&b);
}

/* ---- what is right passes, and leaves nothing ---- */

static void adds(void **state) {
  (void)state;
  bench b = begin(ADD);
  dispatch(&b, 2, 64);
  end(&b);
  const unsigned *words = SEND(b.buffer, "contents", unsigned *, ());
  for (int i = 0; i < WORDS; i++) assert_int_equal(words[i], 3);
  assert_true(SEND(b.commands, "GPUEndTime", double, ()) >= SEND(b.commands, "GPUStartTime", double, ()));
  leave(&b);
  assert_int_equal(moho_metal_double_live_objects(), 0);
}

/* Sums of a group by way of barriers and of SIMD groups, under several schedules. */
static const char sums[] =
    GROUP("t[i] = i; threadgroup_barrier(mem_flags::mem_threadgroup); uint n = t[63u - i];\n"
          "for (uint m = 1u; m < 32u; m *= 2u) n += simd_shuffle_xor(n, (ushort)m);\n"
          "threadgroup_barrier(mem_flags::mem_threadgroup); t[i] = n; threadgroup_barrier(mem_flags::mem_threadgroup);\n"
          "a[i + 64u * g.x] = t[0] + t[32] + 100000u * popcount((uint)(simd_vote::vote_t)simd_ballot(i % 3u == 0u));");

static void sums_under_schedules(void **state) {
  (void)state;
  static const char *const schedules[] = {"0", "1", "2", "3", "12", "77"};
  for (size_t k = 0; k < sizeof schedules / sizeof *schedules; k++) {
    setenv("MOHO_METAL_DOUBLE_SCHEDULE", schedules[k], 1);
    bench b = begin(sums);
    SEND(b.encoder, "setThreadgroupMemoryLength:atIndex:", void, (NSUInteger, NSUInteger), 256ul, 0ul);
    dispatch(&b, 2, 64);
    end(&b);
    const unsigned *words = SEND(b.buffer, "contents", unsigned *, ());
    for (unsigned i = 0; i < WORDS; i++) assert_int_equal(words[i], 64 * 63 / 2 + 100000 * (i % 64 < 32 ? 11 : 11));
    leave(&b);
  }
  unsetenv("MOHO_METAL_DOUBLE_SCHEDULE");
}

/* ---- what is wrong ---- */

static void late_message(void) {
  bench b = begin(ADD);
  release(b.buffer);
  SEND(b.encoder, "endEncoding", void, ());
  objc_autoreleasePoolPop(b.pool); /* the command buffer goes, and the buffer with it */
  SEND(b.buffer, "length", NSUInteger, ());
}
static void no_pool(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "endEncoding", void, ());
  objc_autoreleasePoolPop(b.pool);
  SEND(b.queue, "commandBuffer", id, ());
}
static void unknown_selector(void) {
  SEND(MTLCreateSystemDefaultDevice(), "newBuffer", id, ());
}
static void two_encoders(void) {
  bench b = begin(ADD);
  SEND(b.commands, "blitCommandEncoder", id, ());
}
static void open_at_commit(void) {
  bench b = begin(ADD);
  SEND(b.commands, "commit", void, ());
}
static void after_end(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "endEncoding", void, ());
  dispatch(&b, 1, 32);
}
static void encoder_dropped(void) {
  bench b = begin(ADD);
  objc_autoreleasePoolPop(b.pool);
}
static void committed_twice(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "endEncoding", void, ());
  SEND(b.commands, "commit", void, ());
  SEND(b.commands, "commit", void, ());
}
static void index_31(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "setBuffer:offset:atIndex:", void, (id, NSUInteger, NSUInteger), b.buffer, 0ul, 31ul);
}
static void too_many_bytes(void) {
  bench b = begin(ADD);
  static const char bytes[4100];
  SEND(b.encoder, "setBytes:length:atIndex:", void, (const void *, NSUInteger, NSUInteger), bytes, 4100ul, 2ul);
}
static void odd_group_memory(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "setThreadgroupMemoryLength:atIndex:", void, (NSUInteger, NSUInteger), 100ul, 0ul);
}
static void much_group_memory(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "setThreadgroupMemoryLength:atIndex:", void, (NSUInteger, NSUInteger), 32768ul, 0ul);
  SEND(b.encoder, "setThreadgroupMemoryLength:atIndex:", void, (NSUInteger, NSUInteger), 16ul, 1ul);
  dispatch(&b, 1, 32);
}
static void no_group_memory(void) {
  bench b = begin(GROUP("a[i] = t[i];"));
  dispatch(&b, 1, 32);
}
static void grid_of_zero(void) {
  bench b = begin(ADD);
  dispatch(&b, 0, 32);
}
static void too_many_lanes(void) {
  bench b = begin(ADD);
  dispatch(&b, 1, 257);
}
static void unbound(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "setBuffer:offset:atIndex:", void, (id, NSUInteger, NSUInteger), NULL, 0ul, 0ul);
  dispatch(&b, 1, 32);
}
static void short_parameters(void) {
  bench b = begin(HEAD "device uint *a [[buffer(0)]], constant uint4 *p [[buffer(1)]], " LANE ") { a[i] = p->x; }\n");
  dispatch(&b, 1, 32);
}
static void wrong_page(void) {
  bench b = begin(ADD);
  char *memory = aligned_alloc(16384, 32768);
  SEND(b.device, "newBufferWithBytesNoCopy:length:options:deallocator:", id, (void *, NSUInteger, NSUInteger, void *),
       memory + 4096, 16384ul, 0ul, NULL);
}
static void odd_blit(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "endEncoding", void, ());
  id blit = SEND(b.commands, "blitCommandEncoder", id, ());
  SEND(blit, "copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:", void, (id, NSUInteger, id, NSUInteger, NSUInteger),
       b.buffer, 0ul, b.buffer, 66ul, 4ul);
}
static void sixty_five(void) {
  bench b = begin(ADD);
  for (int i = 0; i < 64; i++) SEND(b.queue, "commandBuffer", id, ());
}
static void wrong_class(void) {
  bench b = begin(ADD);
  SEND(b.encoder, "setComputePipelineState:", void, (id), b.buffer);
}
static void event_backwards(void) {
  id event = SEND(MTLCreateSystemDefaultDevice(), "newSharedEvent", id, ());
  SEND(event, "setSignaledValue:", void, (uint64_t), (uint64_t)5);
  SEND(event, "setSignaledValue:", void, (uint64_t), (uint64_t)4);
}
static void divergent_barrier(void) {
  run_group(GROUP("t[i] = i; if (i < 40u) threadgroup_barrier(mem_flags::mem_threadgroup); a[i] = t[i];"), 64);
}
static void two_barriers(void) {
  run_group(GROUP("if (i < 40u) threadgroup_barrier(mem_flags::mem_threadgroup);\n"
                  "else threadgroup_barrier(mem_flags::mem_threadgroup); a[i] = i;"),
            64);
}
static void divergent_simd(void) {
  run_group(GROUP("if (i % 2u) a[i] = simd_shuffle_xor(i, (ushort)1);"), 64);
}

/* ---- what is wrong in a text ---- */

static void pointer_without_space(void) {
  begin("#include <metal_stdlib>\nusing namespace metal;\nstatic inline uint first(uint *p) { return p[0]; }\n"
        "kernel void k(device uint *a [[buffer(0)]], " LANE ") { a[i] = first(a); }\n");
}
static void mixed_spaces(void) {
  begin(GROUP("device uint *p = t; a[i] = p[i];"));
}
static void struct_copied(void) {
  begin("#include <metal_stdlib>\nusing namespace metal;\nstruct pair { uint a, b; };\n"
        "kernel void k(device pair *a [[buffer(0)]], " LANE ") { pair p = a[i]; a[i].a = p.b; }\n");
}
static void word_restrict(void) {
  begin(HEAD "const device uint *restrict b [[buffer(2)]], device uint *a [[buffer(0)]], " LANE ") { a[i] = b[i]; }\n");
}
static void const_written(void) {
  begin(HEAD "const device uint *a [[buffer(0)]], " LANE ") { a[i] = i; }\n");
}
static void double_arithmetic(void) {
  begin(HEAD "device float *a [[buffer(0)]], " LANE ") { a[i] = a[i] * 0.1; }\n");
}
static void index_taken(void) {
  begin(HEAD "device uint *a [[buffer(0)]], device uint *b [[buffer(0)]], " LANE ") { a[i] = b[i]; }\n");
}
static void index_out_of_bounds(void) {
  begin(HEAD "device uint *a [[buffer(31)]], " LANE ") { a[i] = i; }\n");
}
static void parameter_without_attribute(void) {
  begin(HEAD "device uint *a, " LANE ") { a[i] = i; }\n");
}
static void unknown_attribute(void) {
  begin(HEAD "device uint *a [[bufer(0)]], " LANE ") { a[i] = i; }\n");
}
static void mixed_positions(void) {
  begin(HEAD "device uint *a [[buffer(0)]], uint2 n [[threads_per_threadgroup]], " LANE ") { a[i] = n.x; }\n");
}
static void unknown_function(void) {
  begin(HEAD "device float *a [[buffer(0)]], " LANE ") { a[i] = expm1(a[i]); }\n");
}

/* ---- watched ---- */

static void watched(const char *text) {
  setenv("MOHO_METAL_DOUBLE_WATCH", "1", 1);
  run_group(text, 64);
}
static void overrun(void) {
  watched(GROUP("a[i + 65u * g.x] = t == 0 ? 1u : 2u;"));
}
static void group_overrun(void) {
  watched(GROUP("t[i + 193u] = 1u; a[i] = i;"));
}
static void race_in_group(void) {
  watched(GROUP("t[i] = i; threadgroup_barrier(mem_flags::mem_threadgroup); t[i] = t[63u - i]; a[i + 64u * g.x] = t[i];"));
}
static void race_of_groups(void) {
  watched(GROUP("a[i] = g.x; t[i] = i;"));
}
static void race_by_wrong_barrier(void) {
  watched(
      GROUP("uint o = 64u * g.x; a[o + i] = i; threadgroup_barrier(mem_flags::mem_threadgroup); a[o + i] = i + a[o + 63u - i];"));
}
static void fresh_group_memory(void) {
  watched(GROUP("if (i < 32u) t[i] = i; threadgroup_barrier(mem_flags::mem_threadgroup); a[i + 64u * g.x] = t[i];"));
}
static void misaligned(void) {
  watched(GROUP("a[64u * g.x + i] = *(device uint *)((device uchar *)a + 256u * g.x + 4u * i + 2u); t[i] = i;"));
}

/* And these pass when watched: ordered by barriers that fit, one value from all, atomics. */
static void watched_well(void **state) {
  (void)state;
  setenv("MOHO_METAL_DOUBLE_WATCH", "1", 1);
  run_group(sums, 64);
  run_group(GROUP("uint o = 64u * g.x; a[o + i] = i; threadgroup_barrier(mem_flags::mem_device);\n"
                  "uint x = a[o + 63u - i]; threadgroup_barrier(mem_flags::mem_device); a[o + i] = x; t[i] = i;"),
            64);
  run_group(GROUP("a[5] = 7u; t[0] = 3u;"), 64);
  run_group(HEAD "device atomic_uint *a [[buffer(0)]], threadgroup uint *t [[threadgroup(0)]], " LANE
                 ") { t[i] = i + g.x; atomic_fetch_add_explicit(a, 1u, memory_order_relaxed); }\n",
            64);
  unsetenv("MOHO_METAL_DOUBLE_WATCH");
  assert_int_equal(moho_metal_double_live_objects(), 0);
}

static const struct {
  const char *name;
  void (*misuse)(void);
  const char *words;
} cases[] = {
    {"late message", late_message, "was freed before"},
    {"no pool", no_pool, "with no pool in place"},
    {"unknown selector", unknown_selector, "unrecognized selector"},
    {"two encoders", two_encoders, "an encoder is still open"},
    {"open at commit", open_at_commit, "an encoder is still open"},
    {"after end", after_end, "after endEncoding"},
    {"encoder dropped", encoder_dropped, "goes without endEncoding"},
    {"committed twice", committed_twice, "is committed"},
    {"index 31", index_31, "index 31, expected 0 to 30"},
    {"too many bytes", too_many_bytes, "at most 4096"},
    {"odd group memory", odd_group_memory, "no multiple of 16"},
    {"much group memory", much_group_memory, "at most 32768"},
    {"no group memory", no_group_memory, "threadgroup(0) was not set"},
    {"grid of zero", grid_of_zero, "a grid of 0 x 1 x 1"},
    {"too many lanes", too_many_lanes, "its limit is 256"},
    {"unbound", unbound, "nothing is bound at buffer(0)"},
    {"short parameters", short_parameters, "4 bytes at buffer(1), its type has 16"},
    {"wrong page", wrong_page, "not on a 16 KB page"},
    {"odd blit", odd_blit, "multiples of 4 on macOS"},
    {"65 command buffers", sixty_five, "would block for ever"},
    {"wrong class", wrong_class, "got a MTLBuffer, expected a MTLComputePipelineState"},
    {"event backwards", event_backwards, "goes back from 5 to 4"},
    {"divergent barrier", divergent_barrier, "do not meet at one barrier"},
    {"two barriers", two_barriers, "do not meet at one barrier"},
    {"divergent SIMD operation", divergent_simd, "do not meet at one barrier or SIMD operation"},
    {"pointer without space", pointer_without_space, "refused: program_source:4:"},
    {"mixed spaces", mixed_spaces, "'threadgroup uint *'"},
    {"struct copied", struct_copied, "refused: program_source:4:"},
    {"restrict", word_restrict, "refused: program_source:3:"},
    {"const written", const_written, "read-only variable is not assignable"},
    {"double arithmetic", double_arithmetic, "to 'double'"},
    {"index taken", index_taken, "index 0: taken"},
    {"index out of bounds", index_out_of_bounds, "must be between 0 and 30"},
    {"parameter without attribute", parameter_without_attribute, "has 0 attributes"},
    {"unknown attribute", unknown_attribute, "unknown attribute 'bufer'"},
    {"mixed positions", mixed_positions, "as many components"},
    {"unknown function", unknown_function, "'expm1'"},
    {"overrun", overrun, "outside of what is bound"},
    {"group memory overrun", group_overrun, "threadgroup(0) + 1024 of 1024: outside"},
    {"race in a group", race_in_group, "a race, lane"},
    {"race of groups", race_of_groups, "wrote another value"},
    {"race by the wrong barrier", race_by_wrong_barrier, "a race, lane"},
    {"fresh group memory", fresh_group_memory, "no lane of the group has written it"},
    {"misaligned", misaligned, "is not aligned"},
};

static void misuses_abort(void **state) {
  (void)state;
  int bad = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
      signal(SIGABRT, SIG_DFL);
      dup2(ends[1], STDERR_FILENO);
      cases[i].misuse();
      _exit(0);
    }
    close(ends[1]);
    char words[4096];
    size_t n = 0;
    for (ssize_t got; n < sizeof words - 1 && (got = read(ends[0], words + n, sizeof words - 1 - n)) > 0;) n += (size_t)got;
    words[n] = 0;
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(words, cases[i].words)) continue;
    print_error("%s: expected an abort with '%s', got status %x and: %s\n", cases[i].name, cases[i].words, (unsigned)status,
                words);
    bad++;
  }
  assert_int_equal(bad, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(misuses_abort), /* first: it forks, while there are no threads */
                                     cmocka_unit_test(adds), cmocka_unit_test(sums_under_schedules),
                                     cmocka_unit_test(watched_well)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
