/* double.h - what the parts of the test double of the Objective-C runtime and of Metal share: objects, classes, complaints.
 *
 * The double stands for libobjc, Foundation and Metal in one shared library (MOHO_METAL_LIBRARY names it) on Linux. It is
 * strict: where the real one would misbehave, hang or only complain under a debug layer, it prints the words and aborts.
 * Selectors, types and values are those of Apple's public documentation and of metal-cpp (Apache-2.0,
 * developer.apple.com/metal/cpp): facts, not code.
 */
#ifndef MOHO_METAL_DOUBLE_H
#define MOHO_METAL_DOUBLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOUBLE_EXPORT __attribute__((visibility("default")))

typedef unsigned long NSUInteger;
typedef long NSInteger;
typedef const char *SEL; /* interned: equal names are equal pointers */
typedef struct MTLSize {
  NSUInteger width, height, depth;
} MTLSize;
typedef struct NSRange {
  NSUInteger location, length;
} NSRange;

typedef void (*double_function)(void);

/* One method: name, type encoding as the Objective-C runtime writes it ("Q@:" takes nothing, gives an NSUInteger), function. */
typedef struct double_method {
  const char *selector, *types;
  double_function function;
} double_method;

#define METHOD(selector, types, function) \
  { selector, types, (double_function)(function) }

typedef struct double_class double_class;

/* The head of every object. A dead one keeps its head for a long time, so that a late message is certain to be noticed. */
typedef struct double_object {
  const double_class *isa;
  uint32_t magic;
  atomic_int references;
} double_object;

typedef double_object *id;

struct double_class {
  double_object head;
  const char *name;
  const double_class *super;
  const double_method *methods, *class_methods; /* ended by a NULL selector */
  size_t bytes;
  void (*destroy)(id self); /* gives back what the object holds */
};

enum { DOUBLE_LIVE = 0x4c495645, DOUBLE_DEAD = 0x44454144, DOUBLE_CLASS = 0x434c4153 };
#define CLASS_HEAD \
  { NULL, DOUBLE_CLASS, 0 }

/* Print what was done wrong, and abort. */
__attribute__((noreturn, format(printf, 1, 2))) void double_complain(const char *format, ...);

/* ---- objects (objc_double.c) ---- */
extern const double_class double_class_object;
id double_make(const double_class *isa); /* references 1, the rest zero; never NULL */
id double_retain(id object);
void double_release(id object);
id double_autorelease(id object);
/* Complain unless it is a live object of the class; `where` names the message. NULL passes where `may_be_nil`. */
void double_expect(id object, const double_class *isa, bool may_be_nil, const char *where);
const double_method *double_find(const double_method *methods, const char *selector);
const double_class *const *double_classes(void); /* all, NULL last (classes.c) */

/* ---- Foundation (foundation_double.c) ---- */
extern const double_class double_class_string, double_class_error, double_class_array, double_class_process;
id double_string(const char *text); /* references 1 */
const char *double_string_text(id string);
id double_error(const char *domain, NSInteger code, const char *words); /* references 1 */
id double_array(size_t n, id *const members);                           /* references 1; members retained */

/* ---- faults on request (faults.c) ---- */
#define DOUBLE_FAULTS(X) \
  X(no_device)           \
  X(old_family)          \
  X(no_math_mode)        \
  X(nil_buffer)          \
  X(no_copy_nil)         \
  X(no_copy_zero)        \
  X(nil_queue)           \
  X(nil_event)           \
  X(nil_command_buffer)  \
  X(nil_encoder)         \
  X(nil_function)        \
  X(nil_pipeline)        \
  X(compile_error)       \
  X(compile_warning)     \
  X(simd_width_16)       \
  X(simd_width_64)       \
  X(few_lanes)           \
  X(command_failed)      \
  X(command_timeout)     \
  X(page_fault)          \
  X(access_revoked)      \
  X(out_of_memory)       \
  X(device_removed)      \
  X(never_signals)       \
  X(fails_but_signals)   \
  X(never_ends)          \
  X(slow)
#define DOUBLE_FAULT_ENUM(name) FAULT_##name,
typedef enum { DOUBLE_FAULTS(DOUBLE_FAULT_ENUM) FAULT_COUNT } double_fault;
bool double_fault_now(double_fault which);                           /* counts one time */
void double_fault_for_ever(double_fault which);                      /* until a test turns it off */
const char *double_setting(const char *name, const char *otherwise); /* of the environment */

/* ---- Metal ---- */
extern const double_class double_class_device, double_class_options, double_class_library, double_class_metal_function,
    double_class_pipeline, double_class_buffer, double_class_event, double_class_queue, double_class_command_buffer,
    double_class_compute_encoder, double_class_blit_encoder;

typedef struct double_buffer {
  double_object head;
  id device;
  unsigned char *contents;
  size_t bytes;
  NSUInteger options;
  bool is_borrowed;
} double_buffer;

typedef struct double_device {
  double_object head;
  atomic_ulong allocated;
} double_device;

typedef struct double_event {
  double_object head;
  uint64_t value;
} double_event;
id double_event_create(void);
void double_event_signal(double_event *event, uint64_t value);
bool double_event_wait(double_event *event, uint64_t value, double seconds); /* false: not in time */

/* Methods of the device that live beside their objects. */
id double_buffer_create(id self, SEL op, NSUInteger bytes, NSUInteger options);
id double_buffer_wrap(id self, SEL op, void *contents, NSUInteger bytes, NSUInteger options, void *deallocator);

struct msl_kernel;
typedef struct double_pipeline {
  double_object head;
  id function;
  const struct msl_kernel *kernel;
  NSUInteger max_lanes, simd_width;
} double_pipeline;

typedef struct double_options {
  double_object head;
  NSUInteger language_version;
  bool fast_math, fast_functions;
} double_options;

id double_queue_create(id device, NSUInteger limit);

enum { DOUBLE_PAGE = 16384, DOUBLE_SET_BYTES = 4096, DOUBLE_GROUP_MEMORY = 32768, DOUBLE_LANES = 1024 };
#define DOUBLE_LARGEST_BUFFER 4294967296u

#endif
