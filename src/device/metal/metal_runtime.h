/* metal_runtime.h - the Objective-C runtime and Metal, found when the program runs: libraries, calls, selectors, strings.
 *
 *   void *pool = moho_metal_pool_push();
 *   metal_id queue = METAL(new_queue, device, 64);     [device newCommandQueueWithMaxCommandBufferCount:64]
 *   moho_metal_pool_pop(pool);
 *
 * What a `new...` message gives belongs to the caller (moho_metal_release); everything else is autoreleased: it dies with the
 * pool unless retained. Any thread.
 */
#ifndef MOHO_DEVICE_METAL_RUNTIME_H
#define MOHO_DEVICE_METAL_RUNTIME_H

#include "base/fail.h"
#include "device/metal/metal_api.h"

typedef struct moho_metal_runtime {
#define METAL_DECLARE_FUNCTION(name, result, parameters) result(*name) parameters;
  MOHO_METAL_FUNCTIONS(METAL_DECLARE_FUNCTION)
#undef METAL_DECLARE_FUNCTION
  struct {
#define METAL_DECLARE_CALL(owner, need, name, selector, result, ...) \
  result (*name)(metal_id, metal_sel __VA_OPT__(, ) __VA_ARGS__);
    MOHO_METAL_TABLE(METAL_DECLARE_CALL)
#undef METAL_DECLARE_CALL
  } call; /* all are objc_msgSend */
  struct {
#define METAL_DECLARE_SELECTOR(owner, need, name, ...) metal_sel name;
    MOHO_METAL_TABLE(METAL_DECLARE_SELECTOR)
#undef METAL_DECLARE_SELECTOR
  } sel;
  metal_id string_class, process_class, options_class;
  bool has_math_mode, has_fast_math; /* of MTLCompileOptions: macOS 15; before */
  char double_path[200];             /* the library that stands for Metal; "" where it is Apple's own */
} moho_metal_runtime;

extern moho_metal_runtime moho_metal; /* valid after moho_metal_load() */

/* Send the message of a row of MOHO_METAL_TABLE. */
#define METAL(name, self, ...) (moho_metal.call.name((self), moho_metal.sel.name __VA_OPT__(, ) __VA_ARGS__))

/* Load the libraries and look at the known classes, once a process. NULL, or why it cannot be. */
const char *moho_metal_load(void);

typedef enum {
#define METAL_OWNER(owner, class, kind) METAL_OWNER_##owner,
  MOHO_METAL_OWNERS(METAL_OWNER)
#undef METAL_OWNER
} metal_owner;

/* Does this live object answer every REQUIRED selector of its owner? MOHO_ERROR_NOT_AVAILABLE names the first missing; nil too.
 */
moho_status moho_metal_expect(metal_owner owner, metal_id object);

void *moho_metal_pool_push(void);
void moho_metal_pool_pop(void *pool);
/* nil is fine; the second leaves nil. */
metal_id moho_metal_retain(metal_id object);
void moho_metal_release(metal_id *object);

/* An NSString of the pool; nil when text is not UTF-8. */
metal_id moho_metal_string(const char *text);
/* Copies the text, cut at a character of UTF-8; "" for nil. */
void moho_metal_text(metal_id string, char *out, size_t capacity);
/* domain, code and words of an NSError: "MTLLibraryErrorDomain 3: ..."; *code is 0 for nil. */
void moho_metal_error_text(metal_id error, metal_int *code, char *out, size_t capacity);

#endif
