/* objc_double.c - the Objective-C runtime's part of the double: selectors, messages, reference counts, autorelease pools. */
#include "double.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void double_complain(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char words[2048];
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  fprintf(stderr, "metal double: %s\n", words);
  fflush(stderr);
  abort();
}

/* ---- objects ---- */

static atomic_long live_objects;

/* Dead objects wait here before their memory is given back: a late message meets the head's DEAD mark. */
enum { QUARANTINE = 1 << 14 };
static id quarantine[QUARANTINE];
static size_t quarantine_next;
static pthread_mutex_t quarantine_lock = PTHREAD_MUTEX_INITIALIZER;

DOUBLE_EXPORT long moho_metal_double_live_objects(void);
long moho_metal_double_live_objects(void) {
  /* A queue's thread drops its last command buffer a moment after it is done. */
  const struct timespec moment = {.tv_nsec = 1000000};
  for (int i = 0; i < 1000 && atomic_load(&live_objects); i++) nanosleep(&moment, NULL);
  return atomic_load(&live_objects);
}

id double_make(const double_class *isa) {
  id object = calloc(1, isa->bytes);
  if (!object) double_complain("out of memory");
  object->isa = isa;
  object->magic = DOUBLE_LIVE;
  atomic_init(&object->references, 1);
  atomic_fetch_add(&live_objects, 1);
  return object;
}

static bool is_class(id object) {
  return object->magic == DOUBLE_CLASS;
}

static void expect_object(id object, const char *where) {
  if (object->magic == DOUBLE_DEAD) double_complain("%s: the %s was freed before", where, object->isa->name);
  if (object->magic != DOUBLE_LIVE && !is_class(object)) double_complain("%s: %p is not an object", where, (void *)object);
}

void double_expect(id object, const double_class *isa, bool may_be_nil, const char *where) {
  if (!object && may_be_nil) return;
  if (!object) double_complain("%s: nil, expected a %s", where, isa->name);
  expect_object(object, where);
  if (is_class(object) || object->isa != isa)
    double_complain("%s: got a %s, expected a %s", where, is_class(object) ? "class" : object->isa->name, isa->name);
}

id double_retain(id object) {
  if (!object) return NULL;
  expect_object(object, "retain");
  if (!is_class(object)) atomic_fetch_add(&object->references, 1);
  return object;
}

void double_release(id object) {
  if (!object) return;
  expect_object(object, "release");
  if (is_class(object)) return;
  if (atomic_fetch_sub(&object->references, 1) != 1) return;
  if (object->isa->destroy) object->isa->destroy(object);
  object->magic = DOUBLE_DEAD;
  atomic_fetch_sub(&live_objects, 1);
  pthread_mutex_lock(&quarantine_lock);
  id oldest = quarantine[quarantine_next];
  quarantine[quarantine_next] = object;
  quarantine_next = (quarantine_next + 1) % QUARANTINE;
  pthread_mutex_unlock(&quarantine_lock);
  free(oldest);
}

/* ---- autorelease pools, a stack a thread ---- */

typedef struct autorelease_pool {
  struct autorelease_pool *below;
  id *members;
  size_t n, capacity;
} autorelease_pool;
static _Thread_local autorelease_pool *top_pool;

id double_autorelease(id object) {
  if (!object) return NULL;
  expect_object(object, "autorelease");
  autorelease_pool *pool = top_pool;
  if (!pool) double_complain("a %s is autoreleased with no pool in place: it would leak", object->isa->name);
  if (pool->n == pool->capacity) {
    pool->capacity = pool->capacity ? 2 * pool->capacity : 16;
    pool->members = realloc(pool->members, pool->capacity * sizeof(id));
    if (!pool->members) double_complain("out of memory");
  }
  pool->members[pool->n++] = object;
  return object;
}

DOUBLE_EXPORT void *objc_autoreleasePoolPush(void);
void *objc_autoreleasePoolPush(void) {
  autorelease_pool *made = calloc(1, sizeof *made);
  if (!made) double_complain("out of memory");
  made->below = top_pool;
  return top_pool = made;
}

static void drain_top(void) {
  autorelease_pool *pool = top_pool;
  while (pool->n) double_release(pool->members[--pool->n]);
  top_pool = pool->below;
  free(pool->members);
  free(pool);
}

DOUBLE_EXPORT void objc_autoreleasePoolPop(void *token);
void objc_autoreleasePoolPop(void *token) {
  const autorelease_pool *sought = top_pool;
  while (sought && sought != token) sought = sought->below;
  if (!sought) double_complain("objc_autoreleasePoolPop: %p is no pool of this thread", token);
  while (top_pool != token) drain_top();
  drain_top();
}

/* ---- selectors: interned ---- */

typedef struct double_selector {
  struct double_selector *next;
  char name[];
} double_selector;
static double_selector *selectors[512];
static pthread_mutex_t selector_lock = PTHREAD_MUTEX_INITIALIZER;

DOUBLE_EXPORT SEL sel_registerName(const char *name);
SEL sel_registerName(const char *name) {
  unsigned hash = 5381;
  for (const char *c = name; *c; c++) hash = hash * 33u + (unsigned char)*c;
  double_selector **bucket = &selectors[hash % 512];
  pthread_mutex_lock(&selector_lock);
  double_selector *found = *bucket;
  while (found && strcmp(found->name, name)) found = found->next;
  if (!found) {
    size_t bytes = strlen(name) + 1;
    found = malloc(sizeof *found + bytes);
    if (!found) double_complain("out of memory");
    memcpy(found->name, name, bytes);
    found->next = *bucket;
    *bucket = found;
  }
  pthread_mutex_unlock(&selector_lock);
  return found->name;
}

DOUBLE_EXPORT const char *sel_getName(SEL selector);
const char *sel_getName(SEL selector) {
  return selector;
}

static bool is_registered(SEL sought) {
  return sought && sel_registerName(sought) == sought;
}

/* ---- classes and messages ---- */

const double_method *double_find(const double_method *methods, const char *selector) {
  for (; methods && methods->selector; methods++)
    if (!strcmp(methods->selector, selector)) return methods;
  return NULL;
}

/* Some machines lack newer methods: faults hide them. */
static bool is_hidden(const char *selector) {
  bool is_newer = !strcmp(selector, "setMathMode:") || !strcmp(selector, "setMathFloatingPointFunctions:");
  return is_newer && double_fault_now(FAULT_no_math_mode);
}

static const double_method *find_method(const double_class *isa, bool of_class, const char *selector) {
  for (; isa; isa = isa->super) {
    const double_method *method = double_find(of_class ? isa->class_methods : isa->methods, selector);
    if (method) return is_hidden(selector) ? NULL : method;
  }
  return NULL;
}

static void *nil_method(void) {
  return NULL;
}

/* What objc_msgSend jumps to. */
double_function double_lookup(id self, SEL selector);
double_function double_lookup(id self, SEL selector) {
  if (!self) return (double_function)nil_method;
  expect_object(self, selector);
  bool of_class = is_class(self);
  const double_class *isa = of_class ? (const double_class *)self : self->isa;
  const double_method *method = find_method(isa, of_class, selector);
  if (!method) double_complain("%c[%s %s]: unrecognized selector", of_class ? '+' : '-', isa->name, selector);
  return method->function;
}

/* The message: keep all argument registers, find the function, go there as if it had been called. */
DOUBLE_EXPORT void objc_msgSend(void);
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl objc_msgSend\n"
        ".type objc_msgSend, @function\n"
        "objc_msgSend:\n"
        "  pushq %rbp\n"
        "  movq %rsp, %rbp\n"
        "  subq $192, %rsp\n"
        "  movq %rdi, -8(%rbp)\n  movq %rsi, -16(%rbp)\n  movq %rdx, -24(%rbp)\n"
        "  movq %rcx, -32(%rbp)\n  movq %r8, -40(%rbp)\n  movq %r9, -48(%rbp)\n"
        "  movups %xmm0, -64(%rbp)\n  movups %xmm1, -80(%rbp)\n  movups %xmm2, -96(%rbp)\n  movups %xmm3, -112(%rbp)\n"
        "  movups %xmm4, -128(%rbp)\n  movups %xmm5, -144(%rbp)\n  movups %xmm6, -160(%rbp)\n  movups %xmm7, -176(%rbp)\n"
        "  call double_lookup@PLT\n"
        "  movq %rax, %r11\n"
        "  movq -8(%rbp), %rdi\n  movq -16(%rbp), %rsi\n  movq -24(%rbp), %rdx\n"
        "  movq -32(%rbp), %rcx\n  movq -40(%rbp), %r8\n  movq -48(%rbp), %r9\n"
        "  movups -64(%rbp), %xmm0\n  movups -80(%rbp), %xmm1\n  movups -96(%rbp), %xmm2\n  movups -112(%rbp), %xmm3\n"
        "  movups -128(%rbp), %xmm4\n  movups -144(%rbp), %xmm5\n  movups -160(%rbp), %xmm6\n  movups -176(%rbp), %xmm7\n"
        "  leave\n"
        "  pxor %xmm15, %xmm15\n"
        "  jmp *%r11\n"
        ".size objc_msgSend, .-objc_msgSend\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl objc_msgSend\n"
        ".type objc_msgSend, %function\n"
        "objc_msgSend:\n"
        "  stp x29, x30, [sp, #-224]!\n"
        "  mov x29, sp\n"
        "  stp x0, x1, [sp, #16]\n  stp x2, x3, [sp, #32]\n  stp x4, x5, [sp, #48]\n  stp x6, x7, [sp, #64]\n"
        "  str x8, [sp, #80]\n"
        "  stp q0, q1, [sp, #96]\n  stp q2, q3, [sp, #128]\n  stp q4, q5, [sp, #160]\n  stp q6, q7, [sp, #192]\n"
        "  bl double_lookup\n"
        "  mov x16, x0\n"
        "  ldp x0, x1, [sp, #16]\n  ldp x2, x3, [sp, #32]\n  ldp x4, x5, [sp, #48]\n  ldp x6, x7, [sp, #64]\n"
        "  ldr x8, [sp, #80]\n"
        "  ldp q0, q1, [sp, #96]\n  ldp q2, q3, [sp, #128]\n  ldp q4, q5, [sp, #160]\n  ldp q6, q7, [sp, #192]\n"
        "  ldp x29, x30, [sp], #224\n"
        "  br x16\n"
        ".size objc_msgSend, .-objc_msgSend\n");
#else
#error "objc_msgSend is not written for this processor"
#endif

/* ---- the runtime's C functions ---- */

DOUBLE_EXPORT id objc_getClass(const char *name);
id objc_getClass(const char *name) {
  for (const double_class *const *isa = double_classes(); *isa; isa++)
    if (!strcmp((*isa)->name, name)) return (id)*isa;
  return NULL;
}

DOUBLE_EXPORT const double_class *object_getClass(id object);
const double_class *object_getClass(id object) {
  if (!object) return NULL;
  expect_object(object, "object_getClass");
  if (is_class(object)) double_complain("object_getClass of a class: the double has no metaclasses, use class_getClassMethod");
  return object->isa;
}

DOUBLE_EXPORT const char *class_getName(const double_class *isa);
const char *class_getName(const double_class *isa) {
  return isa ? isa->name : "nil";
}

static const double_method *ask(const double_class *isa, bool of_class, SEL selector) {
  if (!isa) return NULL;
  if (!is_registered(selector)) double_complain("a selector that sel_registerName did not give");
  return find_method(isa, of_class, selector);
}

DOUBLE_EXPORT const double_method *class_getInstanceMethod(const double_class *isa, SEL selector);
const double_method *class_getInstanceMethod(const double_class *isa, SEL selector) {
  return ask(isa, false, selector);
}

DOUBLE_EXPORT const double_method *class_getClassMethod(const double_class *isa, SEL selector);
const double_method *class_getClassMethod(const double_class *isa, SEL selector) {
  return ask(isa, true, selector);
}

DOUBLE_EXPORT signed char class_respondsToSelector(const double_class *isa, SEL selector);
signed char class_respondsToSelector(const double_class *isa, SEL selector) {
  return ask(isa, false, selector) != NULL;
}

DOUBLE_EXPORT const char *method_getTypeEncoding(const double_method *method);
const char *method_getTypeEncoding(const double_method *method) {
  return method ? method->types : NULL;
}

DOUBLE_EXPORT id objc_retain(id object);
id objc_retain(id object) {
  return double_retain(object);
}
DOUBLE_EXPORT void objc_release(id object);
void objc_release(id object) {
  double_release(object);
}
DOUBLE_EXPORT id objc_autorelease(id object);
id objc_autorelease(id object) {
  return double_autorelease(object);
}

/* ---- NSObject ---- */

static id object_self(id self, SEL op) {
  (void)op;
  return self;
}
static id object_retain(id self, SEL op) {
  (void)op;
  return double_retain(self);
}
static void object_release(id self, SEL op) {
  (void)op;
  double_release(self);
}
static id object_autorelease(id self, SEL op) {
  (void)op;
  return double_autorelease(self);
}
static NSUInteger object_references(id self, SEL op) {
  (void)op;
  return (NSUInteger)atomic_load(&self->references);
}
static bool object_responds(id self, SEL op, SEL selector) {
  (void)op;
  return ask(self->isa, false, selector) != NULL;
}
static bool class_responds(id self, SEL op, SEL selector) {
  (void)op;
  return ask((const double_class *)self, true, selector) != NULL;
}
static bool class_instances_respond(id self, SEL op, SEL selector) {
  (void)op;
  return ask((const double_class *)self, false, selector) != NULL;
}

static const double_method object_methods[] = {METHOD("init", "@@:", object_self),
                                               METHOD("self", "@@:", object_self),
                                               METHOD("retain", "@@:", object_retain),
                                               METHOD("release", "v@:", object_release),
                                               METHOD("autorelease", "@@:", object_autorelease),
                                               METHOD("retainCount", "Q@:", object_references),
                                               METHOD("respondsToSelector:", "B@::", object_responds),
                                               {NULL, NULL, NULL}};
static const double_method object_class_methods[] = {METHOD("respondsToSelector:", "B@::", class_responds),
                                                     METHOD("instancesRespondToSelector:", "B@::", class_instances_respond),
                                                     {NULL, NULL, NULL}};
const double_class double_class_object = {.head = CLASS_HEAD,
                                          .name = "NSObject",
                                          .methods = object_methods,
                                          .class_methods = object_class_methods,
                                          .bytes = sizeof(double_object)};
