/* cuda_double.c - the driver's double: contexts, memory, modules, streams and events. */
#include "cuda_double.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/timer.h"

enum { OBJECTS = 8192, GROUP_MEMORY = 227 << 10, PLAIN_GROUP_MEMORY = 48 << 10 };
static const size_t memory_bytes = (size_t)1 << 30;
static const moho_cu_pointer device_bit = (moho_cu_pointer)1 << 60; /* device addresses are none that a host could follow */

typedef enum { FREE, DEVICE_MEMORY, PINNED, REGISTERED, STREAM, EVENT, MODULE, FUNCTION, KINDS } object_kind;
static const char *const kind_names[] = {"",       "device memory", "pinned memory", "registered memory",
                                         "stream", "event",         "module",        "function"};

typedef struct object {
  object_kind kind;
  unsigned char *memory;
  size_t bytes;
  int flags, recorded, group_memory;
  double busy_until; /* of a stream; of an event: when it happens */
  char *text;        /* of a module */
  struct object *module;
  double_kernel kernel;
} object;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static object objects[OBJECTS];
static size_t used_bytes;
static int retained, current_everywhere, broken_rules, fail_nth, calls, started;
static moho_cu_result fail_result, dead; /* what killed the context */
static _Thread_local moho_cu_context stack[16];
static _Thread_local int depth;
static char context_place;
#define CONTEXT ((moho_cu_context)(void *)&context_place)

static void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void broken(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "double of libcuda: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  broken_rules++;
}

/* ---- faults ---- */

int double_fails(moho_cu_result *result) {
  calls++;
  if (!fail_nth || calls != fail_nth) return 0;
  *result = fail_result;
  return 1;
}

void moho_cuda_double_fail(int nth, moho_cu_result result) {
  calls = 0, fail_nth = nth, fail_result = result;
}

int moho_cuda_double_calls(void) {
  return calls;
}

/* Begins a function that needs a context and may fail: 0, or what it returns at once. The lock is held afterwards. */
static moho_cu_result enter(const char *function) {
  moho_cu_result result;
  pthread_mutex_lock(&lock);
  if (!depth || stack[depth - 1] != CONTEXT) {
    broken("%s without a current context", function);
    return MOHO_CU_INVALID_CONTEXT;
  }
  if (double_fails(&result)) {
    /* What kills a context kills it for all that follows. */
    if (result == MOHO_CU_ILLEGAL_ADDRESS || result == MOHO_CU_CONTEXT_IS_DESTROYED) dead = result;
    return result;
  }
  return dead;
}

static moho_cu_result leave(moho_cu_result result) {
  pthread_mutex_unlock(&lock);
  return result;
}

#define ENTER()                               \
  do {                                        \
    moho_cu_result entered = enter(__func__); \
    if (entered) return leave(entered);       \
  } while (0)

/* Giving back is possible also where the context is dead. */
static void enter_to_give_back(const char *function) {
  pthread_mutex_lock(&lock);
  if (!depth || stack[depth - 1] != CONTEXT) broken("%s without a current context", function);
}

/* ---- objects ---- */

static object *make(object_kind kind) {
  for (object *o = objects; o < objects + OBJECTS; o++)
    if (o->kind == FREE) {
      *o = (object){.kind = kind};
      return o;
    }
  broken("more than %d objects", OBJECTS);
  abort();
}

static object *alive(const void *handle, object_kind kind, const char *function) {
  const object *o = handle;
  if (o >= objects && o < objects + OBJECTS && o->kind == kind) return &objects[o - objects];
  broken("%s: not a live %s", function, kind_names[kind]);
  return NULL;
}

static void drop(object *o) {
  if (o->kind == DEVICE_MEMORY) used_bytes -= o->bytes;
  if (o->kind == DEVICE_MEMORY || o->kind == PINNED) free(o->memory);
  free(o->text);
  *o = (object){0};
}

static moho_cu_result give_back(const void *handle, object_kind kind, const char *function) {
  enter_to_give_back(function);
  object *o = alive(handle, kind, function);
  if (o) {
    for (object *f = objects; f < objects + OBJECTS && kind == MODULE; f++)
      if (f->kind == FUNCTION && f->module == o) f->kind = FREE;
    drop(o);
  }
  return leave(dead ? dead : o ? MOHO_CU_OK : MOHO_CU_INVALID_HANDLE);
}

void moho_cuda_double_revive(void) {
  for (object *o = objects; o < objects + OBJECTS; o++) drop(o);
  dead = MOHO_CU_OK;
}

int moho_cuda_double_verdict(void) {
  pthread_mutex_lock(&lock);
  size_t left[KINDS] = {0};
  for (object *o = objects; o < objects + OBJECTS && dead != MOHO_CU_CONTEXT_IS_DESTROYED; o++) left[o->kind]++;
  for (int kind = DEVICE_MEMORY; kind < KINDS; kind++)
    if (left[kind]) broken("%zu of %s left over", left[kind], kind_names[kind]);
  if (retained) broken("the primary context was retained %d times more than released", retained);
  if (current_everywhere) broken("contexts were made current %d times more than put back", current_everywhere);
  int verdict = broken_rules;
  pthread_mutex_unlock(&lock);
  return verdict;
}

/* For programs that do not ask: MOHO_CUDA_DOUBLE_STRICT=1 makes them fail at their end. */
__attribute__((destructor)) static void judge_at_the_end(void) {
  if (getenv("MOHO_CUDA_DOUBLE_STRICT") && moho_cuda_double_verdict()) _exit(3);
}

/* ---- the driver and its device ---- */

static int from_environment(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text ? atoi(text) : otherwise;
}

moho_cu_result cuInit(unsigned int flags) {
  if (flags) broken("cuInit: flags are to be 0");
  started = 1;
  return from_environment("MOHO_CUDA_DOUBLE_DEVICES", 1) ? MOHO_CU_OK : MOHO_CU_NO_DEVICE;
}

moho_cu_result cuDriverGetVersion(int *version) {
  *version = from_environment("MOHO_CUDA_DOUBLE_VERSION", 13000);
  return MOHO_CU_OK;
}

moho_cu_result cuGetErrorName(moho_cu_result result, const char **name) {
  *name = NULL;
#define NAME(ours, theirs, number) \
  if (result == (number)) *name = #theirs;
  MOHO_CU_RESULT_TABLE(NAME)
#undef NAME
  return *name ? MOHO_CU_OK : MOHO_CU_INVALID_VALUE;
}

moho_cu_result cuGetErrorString(moho_cu_result result, const char **text) {
  *text = "said the double";
  return result == 12345 ? MOHO_CU_INVALID_VALUE : MOHO_CU_OK;
}

moho_cu_result cuDeviceGetCount(int *count) {
  *count = from_environment("MOHO_CUDA_DOUBLE_DEVICES", 1);
  return MOHO_CU_OK;
}

moho_cu_result cuDeviceGet(moho_cu_device *device, int ordinal) {
  if (!started) broken("cuDeviceGet before cuInit");
  *device = ordinal;
  return ordinal == 0 ? MOHO_CU_OK : MOHO_CU_INVALID_DEVICE;
}

moho_cu_result cuDeviceGetName(char *name, int capacity, moho_cu_device device) {
  (void)device;
  snprintf(name, (size_t)capacity, "CUDA test double");
  return MOHO_CU_OK;
}

moho_cu_result cuDeviceTotalMem_v2(size_t *bytes, moho_cu_device device) {
  (void)device;
  *bytes = memory_bytes;
  return MOHO_CU_OK;
}

moho_cu_result cuDeviceGetAttribute(int *value, unsigned int attribute, moho_cu_device device) {
  (void)device;
  switch (attribute) {
  case MOHO_CU_ATTRIBUTE_LANES: *value = 1024; break;
  case MOHO_CU_ATTRIBUTE_GROUPS_Y: *value = 65535; break;
  case MOHO_CU_ATTRIBUTE_GROUP_MEMORY: *value = PLAIN_GROUP_MEMORY; break;
  case MOHO_CU_ATTRIBUTE_GROUP_MEMORY_OPTIN: *value = GROUP_MEMORY; break;
  case MOHO_CU_ATTRIBUTE_WARP: *value = 32; break;
  case MOHO_CU_ATTRIBUTE_MULTIPROCESSORS: *value = 8; break;
  case MOHO_CU_ATTRIBUTE_INTEGRATED: *value = 0; break;
  case MOHO_CU_ATTRIBUTE_UNIFIED_ADDRESSES:
  case MOHO_CU_ATTRIBUTE_HOST_REGISTER: *value = 1; break;
  case MOHO_CU_ATTRIBUTE_MAJOR: *value = 9; break;
  case MOHO_CU_ATTRIBUTE_MINOR: *value = 0; break;
  default: broken("device attribute %u is not known here", attribute); return MOHO_CU_INVALID_VALUE;
  }
  return MOHO_CU_OK;
}

/* ---- the context ---- */

moho_cu_result cuDevicePrimaryCtxRetain(moho_cu_context *context, moho_cu_device device) {
  moho_cu_result result;
  (void)device;
  pthread_mutex_lock(&lock);
  if (double_fails(&result)) return leave(result);
  retained++;
  *context = CONTEXT;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuDevicePrimaryCtxRelease_v2(moho_cu_device device) {
  (void)device;
  pthread_mutex_lock(&lock);
  if (--retained < 0) broken("the primary context was released once too often");
  return leave(MOHO_CU_OK);
}

moho_cu_result cuCtxPushCurrent_v2(moho_cu_context context) {
  pthread_mutex_lock(&lock);
  if (dead == MOHO_CU_CONTEXT_IS_DESTROYED) return leave(dead);
  if (!retained || context != CONTEXT) broken("a context is made current that is not retained");
  if (depth == 16) broken("contexts are made current and never put back");
  else stack[depth++] = context;
  current_everywhere++;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuCtxPopCurrent_v2(moho_cu_context *context) {
  pthread_mutex_lock(&lock);
  if (!depth) broken("a context is put back that was not current");
  else *context = stack[--depth];
  current_everywhere--;
  return leave(MOHO_CU_OK);
}

/* ---- memory ---- */

moho_cu_result cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes) {
  ENTER();
  *free_bytes = memory_bytes - used_bytes, *total_bytes = memory_bytes;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuMemAlloc_v2(moho_cu_pointer *address, size_t bytes) {
  ENTER();
  if (!bytes) return leave(MOHO_CU_INVALID_VALUE);
  if (bytes > memory_bytes - used_bytes) return leave(MOHO_CU_OUT_OF_MEMORY);
  object *o = make(DEVICE_MEMORY);
  o->memory = malloc(bytes), o->bytes = bytes;
  if (!o->memory) abort();
  used_bytes += bytes;
  *address = (moho_cu_pointer)(uintptr_t)o->memory | device_bit;
  return leave(MOHO_CU_OK);
}

static object *memory_at(const void *memory, object_kind kind) {
  for (object *o = objects; o < objects + OBJECTS; o++)
    if (o->kind == kind && o->memory == memory) return o;
  return NULL;
}

static moho_cu_result give_memory_back(void *memory, object_kind kind, const char *function) {
  enter_to_give_back(function);
  object *o = memory_at(memory, kind);
  if (!o) broken("%s: not live %s", function, kind_names[kind]);
  else drop(o);
  return leave(dead);
}

moho_cu_result cuMemFree_v2(moho_cu_pointer address) {
  return give_memory_back((void *)(uintptr_t)(address & ~device_bit), DEVICE_MEMORY, __func__);
}

moho_cu_result cuMemHostAlloc(void **host, size_t bytes, unsigned int flags) {
  ENTER();
  if (flags & ~7u || !bytes) return leave(MOHO_CU_INVALID_VALUE);
  object *o = make(PINNED);
  o->memory = malloc(bytes), o->bytes = bytes;
  if (!o->memory) abort();
  *host = o->memory;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuMemFreeHost(void *host) {
  return give_memory_back(host, PINNED, __func__);
}

moho_cu_result cuMemHostRegister_v2(void *host, size_t bytes, unsigned int flags) {
  ENTER();
  if (flags & ~15u || !bytes) return leave(MOHO_CU_INVALID_VALUE);
  for (object *o = objects; o < objects + OBJECTS; o++)
    if ((o->kind == PINNED || o->kind == REGISTERED) && o->memory < (unsigned char *)host + bytes &&
        (unsigned char *)host < o->memory + o->bytes)
      return leave(MOHO_CU_HOST_MEMORY_ALREADY_REGISTERED);
  object *o = make(REGISTERED);
  o->memory = host, o->bytes = bytes;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuMemHostUnregister(void *host) {
  return give_memory_back(host, REGISTERED, __func__);
}

moho_cu_result cuMemHostGetDevicePointer_v2(moho_cu_pointer *address, void *host, unsigned int flags) {
  ENTER();
  if (flags) broken("cuMemHostGetDevicePointer: flags are to be 0");
  if (!memory_at(host, PINNED) && !memory_at(host, REGISTERED)) return leave(MOHO_CU_INVALID_VALUE);
  *address = (moho_cu_pointer)(uintptr_t)host;
  return leave(MOHO_CU_OK);
}

/* The bytes at a device address, which may be that of pinned memory; `anything`: of the host's plain memory too. */
static unsigned char *reach(moho_cu_pointer address, size_t bytes, int anything, const char *function) {
  int on_device = (address & device_bit) != 0;
  unsigned char *p = (unsigned char *)(uintptr_t)(address & ~device_bit);
  for (object *o = objects; o < objects + OBJECTS; o++) {
    int fits = on_device ? o->kind == DEVICE_MEMORY : o->kind == PINNED || o->kind == REGISTERED;
    if (fits && p >= o->memory && p < o->memory + o->bytes) {
      if (bytes > (size_t)(o->memory + o->bytes - p)) broken("%s: %zu bytes pass the end of memory", function, bytes);
      else return p;
      return NULL;
    }
  }
  if (anything && !on_device) return p;
  broken("%s: %llx is no address of live memory", function, address);
  return NULL;
}

static moho_cu_result move(moho_cu_pointer to, moho_cu_pointer from, size_t bytes, int host_to, int host_from,
                           moho_cu_stream handle, const char *function) {
  object *stream = alive(handle, STREAM, function);
  unsigned char *a = reach(to, bytes, host_to, function), *b = reach(from, bytes, host_from, function);
  if (!stream || !a || !b) return MOHO_CU_INVALID_VALUE;
  memmove(a, b, bytes);
  double now = moho_seconds();
  if (stream->busy_until < now) stream->busy_until = now;
  stream->busy_until += 1e-6 + 1e-11 * (double)bytes;
  return MOHO_CU_OK;
}

static moho_cu_pointer host(const void *p) {
  return (moho_cu_pointer)(uintptr_t)p;
}

moho_cu_result cuPointerGetAttribute(void *value, unsigned int attribute, moho_cu_pointer address) {
  ENTER();
  const unsigned char *p = (const unsigned char *)(uintptr_t)(address & ~device_bit);
  for (object *o = objects; o < objects + OBJECTS; o++) {
    int ours = o->kind == DEVICE_MEMORY && (address & device_bit), pinned = o->kind == PINNED && !(address & device_bit);
    if ((!ours && !pinned) || p < o->memory || p >= o->memory + o->bytes) continue;
    if (attribute == MOHO_CU_POINTER_MEMORY_TYPE) *(unsigned int *)value = ours ? MOHO_CU_MEMORY_DEVICE : 1;
    else if (attribute == MOHO_CU_POINTER_ORDINAL) *(int *)value = 0;
    else broken("an unknown attribute %u of an address", attribute);
    return leave(MOHO_CU_OK);
  }
  return leave(MOHO_CU_INVALID_VALUE);
}

moho_cu_result cuMemcpyAsync(moho_cu_pointer to, moho_cu_pointer from, size_t bytes, moho_cu_stream stream) {
  ENTER();
  return leave(move(to, from, bytes, 1, 1, stream, __func__));
}

moho_cu_result cuMemcpyHtoDAsync_v2(moho_cu_pointer to, const void *from, size_t bytes, moho_cu_stream stream) {
  ENTER();
  return leave(move(to, host(from), bytes, 0, 1, stream, __func__));
}

moho_cu_result cuMemcpyDtoHAsync_v2(void *to, moho_cu_pointer from, size_t bytes, moho_cu_stream stream) {
  ENTER();
  return leave(move(host(to), from, bytes, 1, 0, stream, __func__));
}

moho_cu_result cuMemcpyDtoDAsync_v2(moho_cu_pointer to, moho_cu_pointer from, size_t bytes, moho_cu_stream stream) {
  ENTER();
  return leave(move(to, from, bytes, 0, 0, stream, __func__));
}

moho_cu_result cuMemsetD32Async(moho_cu_pointer to, unsigned int word, size_t words, moho_cu_stream handle) {
  ENTER();
  object *stream = alive(handle, STREAM, __func__);
  unsigned char *p = reach(to, 4 * words, 0, __func__);
  if (!stream || !p || (uintptr_t)p % 4) return leave(MOHO_CU_INVALID_VALUE);
  for (size_t i = 0; i < words; i++) memcpy(p + 4 * i, &word, 4);
  return leave(MOHO_CU_OK);
}

/* ---- kernels ---- */

moho_cu_result cuModuleLoadDataEx(moho_cu_module *module, const void *image, unsigned int n_options, unsigned int *options,
                                  void **values) {
  ENTER();
  if (n_options != 2 || options[0] != MOHO_CU_JIT_LOG || options[1] != MOHO_CU_JIT_LOG_BYTES || !values[0])
    broken("cuModuleLoadDataEx: other options than a log");
  if (strncmp(image, CUDA_DOUBLE_MAGIC, strlen(CUDA_DOUBLE_MAGIC))) return leave(MOHO_CU_INVALID_IMAGE);
  object *o = make(MODULE);
  o->text = strdup((const char *)image + strlen(CUDA_DOUBLE_MAGIC));
  *module = (moho_cu_module)(void *)o;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuModuleUnload(moho_cu_module module) {
  return give_back(module, MODULE, __func__);
}

moho_cu_result cuModuleGetFunction(moho_cu_function *function, moho_cu_module handle, const char *name) {
  double_kernel kernel;
  ENTER();
  object *module = alive(handle, MODULE, __func__);
  if (!module) return leave(MOHO_CU_INVALID_HANDLE);
  if (!double_kernel_read(module->text, name, &kernel)) return leave(MOHO_CU_NOT_FOUND);
  object *o = make(FUNCTION);
  o->module = module, o->kernel = kernel, o->group_memory = PLAIN_GROUP_MEMORY;
  *function = (moho_cu_function)(void *)o;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuFuncGetAttribute(int *value, unsigned int attribute, moho_cu_function function) {
  ENTER();
  object *o = alive(function, FUNCTION, __func__);
  if (!o) return leave(MOHO_CU_INVALID_HANDLE);
  *value = attribute == MOHO_CU_FUNCTION_LANES ? o->kernel.lanes : attribute == MOHO_CU_FUNCTION_REGISTERS ? 32 : 0;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuFuncSetAttribute(moho_cu_function function, unsigned int attribute, int value) {
  ENTER();
  object *o = alive(function, FUNCTION, __func__);
  if (!o || attribute != MOHO_CU_FUNCTION_DYNAMIC_GROUP_MEMORY || value > GROUP_MEMORY) return leave(MOHO_CU_INVALID_VALUE);
  o->group_memory = value;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuFuncGetParamInfo(moho_cu_function function, size_t index, size_t *offset, size_t *bytes) {
  ENTER();
  object *o = alive(function, FUNCTION, __func__);
  if (!o || index >= (size_t)o->kernel.n_parameters) return leave(MOHO_CU_INVALID_VALUE);
  int is_struct = o->kernel.parameter_bytes && index + 1 == (size_t)o->kernel.n_parameters;
  *offset = 8 * index, *bytes = is_struct ? o->kernel.parameter_bytes : 8;
  return leave(MOHO_CU_OK);
}

/* Every buffer's address is that of live memory; the struct is read to its end (for the sanitizers). The seconds it takes. */
static double run_kernel(const object *function, void **parameters) {
  const double_kernel *kernel = &function->kernel;
  uint32_t words[1024] = {0};
  int n_buffers = kernel->n_parameters - (kernel->parameter_bytes > 0);
  for (int i = 0; i < n_buffers; i++) {
    moho_cu_pointer address;
    memcpy(&address, parameters[i], sizeof address);
    reach(address, 1, 0, "cuLaunchKernel");
  }
  if (kernel->parameter_bytes) memcpy(words, parameters[n_buffers], kernel->parameter_bytes);
  if (strcmp(kernel->name, "wild") == 0) dead = MOHO_CU_ILLEGAL_ADDRESS;
  return strcmp(kernel->name, "spin") == 0 ? 2.5e-9 * words[0] : 1e-6;
}

moho_cu_result cuLaunchKernel(moho_cu_function handle, unsigned int groups_x, unsigned int groups_y, unsigned int groups_z,
                              unsigned int lanes_x, unsigned int lanes_y, unsigned int lanes_z, unsigned int group_memory,
                              moho_cu_stream stream_handle, void **parameters, void **extra) {
  ENTER();
  object *function = alive(handle, FUNCTION, __func__), *stream = alive(stream_handle, STREAM, __func__);
  if (!function || !stream || extra) return leave(MOHO_CU_INVALID_HANDLE);
  if (!groups_x || !groups_y || groups_z != 1 || groups_y > 65535 || !lanes_x || lanes_y != 1 || lanes_z != 1 ||
      (int)lanes_x > function->kernel.lanes || (int)group_memory > function->group_memory)
    return leave(MOHO_CU_INVALID_VALUE);
  double now = moho_seconds();
  if (stream->busy_until < now) stream->busy_until = now;
  stream->busy_until += run_kernel(function, parameters);
  return leave(MOHO_CU_OK);
}

/* ---- streams and events ---- */

moho_cu_result cuStreamCreate(moho_cu_stream *stream, unsigned int flags) {
  ENTER();
  if (flags != MOHO_CU_STREAM_NOT_BLOCKING) broken("a stream that waits for the default one");
  *stream = (moho_cu_stream)(void *)make(STREAM);
  return leave(MOHO_CU_OK);
}

moho_cu_result cuStreamDestroy_v2(moho_cu_stream stream) {
  return give_back(stream, STREAM, __func__);
}

moho_cu_result cuStreamSynchronize(moho_cu_stream handle) {
  ENTER();
  if ((uintptr_t)handle == 1) return leave(MOHO_CU_OK); /* CU_STREAM_LEGACY: nothing is handed to it here */
  object *stream = alive(handle, STREAM, __func__);
  return leave(stream ? MOHO_CU_OK : MOHO_CU_INVALID_HANDLE);
}

moho_cu_result cuStreamWaitEvent(moho_cu_stream stream_handle, moho_cu_event event_handle, unsigned int flags) {
  ENTER();
  object *stream = alive(stream_handle, STREAM, __func__), *event = alive(event_handle, EVENT, __func__);
  if (!stream || !event || flags) return leave(MOHO_CU_INVALID_HANDLE);
  if (!event->recorded) broken("a stream waits for an event that was never recorded");
  if (stream->busy_until < event->busy_until) stream->busy_until = event->busy_until;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuEventCreate(moho_cu_event *event, unsigned int flags) {
  ENTER();
  object *o = make(EVENT);
  o->flags = (int)flags;
  *event = (moho_cu_event)(void *)o;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuEventDestroy_v2(moho_cu_event event) {
  return give_back(event, EVENT, __func__);
}

moho_cu_result cuEventRecord(moho_cu_event event_handle, moho_cu_stream stream_handle) {
  ENTER();
  object *stream = alive(stream_handle, STREAM, __func__), *event = alive(event_handle, EVENT, __func__);
  if (!stream || !event) return leave(MOHO_CU_INVALID_HANDLE);
  double now = moho_seconds();
  event->busy_until = stream->busy_until > now ? stream->busy_until : now;
  event->recorded = 1;
  return leave(MOHO_CU_OK);
}

moho_cu_result cuEventQuery(moho_cu_event handle) {
  ENTER();
  object *event = alive(handle, EVENT, __func__);
  if (!event) return leave(MOHO_CU_INVALID_HANDLE);
  if (!event->recorded) broken("an event is asked for that was never recorded");
  return leave(event->busy_until > moho_seconds() ? MOHO_CU_NOT_READY : MOHO_CU_OK);
}

moho_cu_result cuEventElapsedTime(float *milliseconds, moho_cu_event begin_handle, moho_cu_event end_handle) {
  ENTER();
  object *begin = alive(begin_handle, EVENT, __func__), *end = alive(end_handle, EVENT, __func__);
  if (!begin || !end || !begin->recorded || !end->recorded || begin->flags || end->flags) {
    broken("the time between events that do not tell it");
    return leave(MOHO_CU_INVALID_HANDLE);
  }
  if (end->busy_until > moho_seconds()) return leave(MOHO_CU_NOT_READY);
  *milliseconds = (float)(1e3 * (end->busy_until - begin->busy_until));
  return leave(MOHO_CU_OK);
}
