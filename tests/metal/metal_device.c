/* metal_device.c - the double's MTLDevice, compile options, libraries, functions and pipelines. */
#include "double.h"
#include "msl.h"
#include "msl_watch.h"

#include <stdlib.h>
#include <string.h>

/* ---- MTLDevice: one, while anybody holds it ---- */

static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;
static double_device *the_device;

/* An M1's: 8 GB of memory, two thirds of it the working set. */
static const uint64_t working_set_bytes = 5726623061u, largest_buffer_bytes = DOUBLE_LARGEST_BUFFER;

static void device_destroy(id self) {
  pthread_mutex_lock(&device_lock);
  if (&the_device->head == self) the_device = NULL;
  pthread_mutex_unlock(&device_lock);
}

/* It may be on its way out in another thread. */
static bool retain_if_alive(id object) {
  int n = atomic_load(&object->references);
  while (n > 0)
    if (atomic_compare_exchange_weak(&object->references, &n, n + 1)) return true;
  return false;
}

DOUBLE_EXPORT id MTLCreateSystemDefaultDevice(void);
id MTLCreateSystemDefaultDevice(void) {
  if (double_fault_now(FAULT_no_device)) return NULL;
  pthread_mutex_lock(&device_lock);
  if (!the_device || !retain_if_alive(&the_device->head)) the_device = (double_device *)double_make(&double_class_device);
  id found = &the_device->head;
  pthread_mutex_unlock(&device_lock);
  return found;
}

DOUBLE_EXPORT id MTLCopyAllDevices(void);
id MTLCopyAllDevices(void) {
  id one = MTLCreateSystemDefaultDevice();
  id all = double_array(one ? 1 : 0, &one);
  double_release(one);
  return all;
}

/* Apple's page on its processors: 16 KB. To be asked of this library where the pages of the machine itself are others. */
DOUBLE_EXPORT int getpagesize(void);
int getpagesize(void) {
  return DOUBLE_PAGE;
}

static id device_name(id self, SEL op) {
  (void)self, (void)op;
  return double_autorelease(double_string("Metal test double"));
}
static bool device_true(id self, SEL op) {
  (void)self, (void)op;
  return true;
}
enum {
  FAMILY_APPLE_1 = 1001,
  FAMILY_APPLE_7 = 1007,
  FAMILY_MAC_2 = 2002,
  FAMILY_COMMON_1 = 3001,
  FAMILY_COMMON_3 = 3003,
  FAMILY_METAL_3 = 5001
};
static bool device_supports_family(id self, SEL op, NSInteger family) {
  (void)self, (void)op;
  if (double_fault_now(FAULT_old_family)) return false;
  return (family >= FAMILY_APPLE_1 && family <= FAMILY_APPLE_7) || family == FAMILY_MAC_2 ||
         (family >= FAMILY_COMMON_1 && family <= FAMILY_COMMON_3) || family == FAMILY_METAL_3;
}
static uint64_t device_working_set(id self, SEL op) {
  (void)self, (void)op;
  const char *asked = double_setting("MOHO_METAL_DOUBLE_WORKING_SET", "");
  return *asked ? strtoull(asked, NULL, 10) : working_set_bytes;
}
static NSUInteger device_largest_buffer(id self, SEL op) {
  (void)self, (void)op;
  return largest_buffer_bytes;
}
static NSUInteger device_allocated(id self, SEL op) {
  (void)op;
  return atomic_load(&((double_device *)self)->allocated);
}
static NSUInteger device_group_memory(id self, SEL op) {
  (void)self, (void)op;
  return DOUBLE_GROUP_MEMORY;
}

/* ---- MTLCompileOptions ---- */

enum { LANGUAGE_1_1 = (1 << 16) + 1, LANGUAGE_3_0 = 3 << 16 };

static id options_new(id self, SEL op) {
  (void)self, (void)op;
  double_options *made = (double_options *)double_make(&double_class_options);
  made->language_version = LANGUAGE_3_0;
  made->fast_math = made->fast_functions = true; /* Metal's defaults */
  return &made->head;
}
static void options_set_language(id self, SEL op, NSUInteger version) {
  if (version < LANGUAGE_1_1 || version > (4 << 16) || (version & 0xffffu) > 4)
    double_complain("%s %lu: no such version", op, version);
  ((double_options *)self)->language_version = version;
}
static void options_set_fast(id self, SEL op, bool fast) {
  (void)op;
  ((double_options *)self)->fast_math = ((double_options *)self)->fast_functions = fast;
}
enum { MATH_SAFE = 0, MATH_FAST = 2, FUNCTIONS_FAST = 0, FUNCTIONS_PRECISE = 1 };
static void options_set_math_mode(id self, SEL op, NSInteger mode) {
  if (mode < MATH_SAFE || mode > MATH_FAST) double_complain("%s %ld: no such mode", op, mode);
  ((double_options *)self)->fast_math = mode != MATH_SAFE;
}
static void options_set_functions(id self, SEL op, NSInteger functions) {
  if (functions < FUNCTIONS_FAST || functions > FUNCTIONS_PRECISE) double_complain("%s %ld: no such functions", op, functions);
  ((double_options *)self)->fast_functions = functions == FUNCTIONS_FAST;
}

static const double_method options_methods[] = {METHOD("setLanguageVersion:", "v@:Q", options_set_language),
                                                METHOD("setFastMathEnabled:", "v@:B", options_set_fast),
                                                METHOD("setMathMode:", "v@:q", options_set_math_mode),
                                                METHOD("setMathFloatingPointFunctions:", "v@:q", options_set_functions),
                                                {NULL, NULL, NULL}};
static const double_method options_class_methods[] = {
    METHOD("new", "@@:", options_new), METHOD("alloc", "@@:", options_new), {NULL, NULL, NULL}};
const double_class double_class_options = {.head = CLASS_HEAD,
                                           .name = "MTLCompileOptions",
                                           .super = &double_class_object,
                                           .methods = options_methods,
                                           .class_methods = options_class_methods,
                                           .bytes = sizeof(double_options)};

/* ---- MTLLibrary, MTLFunction ---- */

typedef struct library {
  double_object head;
  const msl_library *compiled;
} library;
typedef struct function {
  double_object head;
  const msl_kernel *kernel;
  bool is_watched;
} function;

enum { LIBRARY_COMPILE_FAILURE = 3, LIBRARY_COMPILE_WARNING = 4 };

static void give_error(id *out, const char *domain, NSInteger code, const char *words) {
  if (out) *out = double_autorelease(double_error(domain, code, words));
}

static id device_new_library(id self, SEL op, id source, id options, id *error) {
  (void)self;
  double_expect(source, &double_class_string, false, op);
  double_expect(options, &double_class_options, true, op);
  static const double_options defaults = {.language_version = LANGUAGE_3_0, .fast_math = true, .fast_functions = true};
  const double_options *chosen = options ? (const double_options *)options : &defaults;
  if (double_fault_now(FAULT_compile_error)) {
    give_error(error, "MTLLibraryErrorDomain", LIBRARY_COMPILE_FAILURE, "program_source:7:3: error: compile error on request");
    return NULL;
  }
  msl_options wanted = {.metal_version =
                            (unsigned)((chosen->language_version >> 16) * 100 + (chosen->language_version & 0xffffu) * 10),
                        .fast_math = chosen->fast_math,
                        .fast_functions = chosen->fast_functions,
                        .watched = msl_watch_wanted()};
  char *words;
  const msl_library *compiled = msl_compile(double_string_text(source), &wanted, &words);
  if (!compiled) {
    give_error(error, "MTLLibraryErrorDomain", LIBRARY_COMPILE_FAILURE, words);
    free(words);
    return NULL;
  }
  if (double_fault_now(FAULT_compile_warning)) /* Metal gives a library and an error then */
    give_error(error, "MTLLibraryErrorDomain", LIBRARY_COMPILE_WARNING, "program_source:7:3: warning: warning on request");
  library *made = (library *)double_make(&double_class_library);
  made->compiled = compiled;
  return &made->head;
}

static id library_function(id self, SEL op, id name) {
  double_expect(name, &double_class_string, false, op);
  if (double_fault_now(FAULT_nil_function)) return NULL;
  for (const msl_kernel *kernel = ((library *)self)->compiled->kernels; kernel->name; kernel++)
    if (!strcmp(kernel->name, double_string_text(name))) {
      function *made = (function *)double_make(&double_class_metal_function);
      made->kernel = kernel;
      return &made->head;
    }
  return NULL;
}

static id library_names(id self, SEL op) {
  (void)op;
  id names[256];
  size_t n = 0;
  for (const msl_kernel *kernel = ((library *)self)->compiled->kernels; kernel->name && n < 256; kernel++)
    names[n++] = double_string(kernel->name);
  id all = double_autorelease(double_array(n, names));
  while (n) double_release(names[--n]);
  return all;
}

static const double_method library_methods[] = {
    METHOD("newFunctionWithName:", "@@:@", library_function), METHOD("functionNames", "@@:", library_names), {NULL, NULL, NULL}};
const double_class double_class_library = {.head = CLASS_HEAD,
                                           .name = "MTLLibrary",
                                           .super = &double_class_object,
                                           .methods = library_methods,
                                           .bytes = sizeof(library)};

static id function_name(id self, SEL op) {
  (void)op;
  return double_autorelease(double_string(((function *)self)->kernel->name));
}
static const double_method function_methods[] = {METHOD("name", "@@:", function_name), {NULL, NULL, NULL}};
const double_class double_class_metal_function = {.head = CLASS_HEAD,
                                                  .name = "MTLFunction",
                                                  .super = &double_class_object,
                                                  .methods = function_methods,
                                                  .bytes = sizeof(function)};

/* ---- MTLComputePipelineState ---- */

static id device_new_pipeline(id self, SEL op, id asked, id *error) {
  (void)self;
  double_expect(asked, &double_class_metal_function, false, op);
  if (double_fault_now(FAULT_nil_pipeline)) {
    give_error(error, "AGXMetalDouble", 3, "pipeline refused on request");
    return NULL;
  }
  double_pipeline *made = (double_pipeline *)double_make(&double_class_pipeline);
  made->function = double_retain(asked);
  made->kernel = ((function *)asked)->kernel;
  made->max_lanes = made->kernel->max_lanes ? made->kernel->max_lanes : DOUBLE_LANES;
  if (double_fault_now(FAULT_few_lanes) && made->max_lanes > 64) made->max_lanes = 64; /* as a kernel of many registers */
  made->simd_width = double_fault_now(FAULT_simd_width_16) ? 16 : double_fault_now(FAULT_simd_width_64) ? 64 : MSL_SIMD;
  return &made->head;
}

static void pipeline_destroy(id self) {
  double_release(((double_pipeline *)self)->function);
}
static NSUInteger pipeline_max_lanes(id self, SEL op) {
  (void)op;
  return ((double_pipeline *)self)->max_lanes;
}
static NSUInteger pipeline_simd_width(id self, SEL op) {
  (void)op;
  return ((double_pipeline *)self)->simd_width;
}
static NSUInteger pipeline_static_memory(id self, SEL op) {
  (void)self, (void)op;
  return 0;
}

static const double_method pipeline_methods[] = {METHOD("maxTotalThreadsPerThreadgroup", "Q@:", pipeline_max_lanes),
                                                 METHOD("threadExecutionWidth", "Q@:", pipeline_simd_width),
                                                 METHOD("staticThreadgroupMemoryLength", "Q@:", pipeline_static_memory),
                                                 {NULL, NULL, NULL}};
const double_class double_class_pipeline = {.head = CLASS_HEAD,
                                            .name = "MTLComputePipelineState",
                                            .super = &double_class_object,
                                            .methods = pipeline_methods,
                                            .bytes = sizeof(double_pipeline),
                                            .destroy = pipeline_destroy};

/* ---- the rest of the device's methods ---- */

static id device_new_event(id self, SEL op) {
  (void)self, (void)op;
  return double_fault_now(FAULT_nil_event) ? NULL : double_event_create();
}
enum { DEFAULT_COMMAND_BUFFERS = 64 };
static id device_new_queue(id self, SEL op) {
  (void)op;
  return double_fault_now(FAULT_nil_queue) ? NULL : double_queue_create(self, DEFAULT_COMMAND_BUFFERS);
}
static id device_new_queue_of(id self, SEL op, NSUInteger limit) {
  if (!limit) double_complain("-[MTLDevice %s] 0", op);
  return double_fault_now(FAULT_nil_queue) ? NULL : double_queue_create(self, limit);
}

static const double_method device_methods[] = {
    METHOD("name", "@@:", device_name),
    METHOD("hasUnifiedMemory", "B@:", device_true),
    METHOD("supportsFamily:", "B@:q", device_supports_family),
    METHOD("recommendedMaxWorkingSetSize", "Q@:", device_working_set),
    METHOD("maxBufferLength", "Q@:", device_largest_buffer),
    METHOD("currentAllocatedSize", "Q@:", device_allocated),
    METHOD("maxThreadgroupMemoryLength", "Q@:", device_group_memory),
    METHOD("newBufferWithLength:options:", "@@:QQ", double_buffer_create),
    METHOD("newBufferWithBytesNoCopy:length:options:deallocator:", "@@:^vQQ^v", double_buffer_wrap), /* ^v: a block, always nil */
    METHOD("newSharedEvent", "@@:", device_new_event),
    METHOD("newCommandQueue", "@@:", device_new_queue),
    METHOD("newCommandQueueWithMaxCommandBufferCount:", "@@:Q", device_new_queue_of),
    METHOD("newLibraryWithSource:options:error:", "@@:@@^@", device_new_library),
    METHOD("newComputePipelineStateWithFunction:error:", "@@:@^@", device_new_pipeline),
    {NULL, NULL, NULL}};
const double_class double_class_device = {.head = CLASS_HEAD,
                                          .name = "MTLDoubleDevice",
                                          .super = &double_class_object,
                                          .methods = device_methods,
                                          .bytes = sizeof(double_device),
                                          .destroy = device_destroy};
