/* metal_runtime.c - the libraries by full path (they live in the system's shared cache: there is no file to stat), symbols,
 * selectors, and the check that classes and objects answer what metal_api.h says. */
#include "device/metal/metal_runtime.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

moho_metal_runtime moho_metal;

static char load_reason[200]; /* "" after a good load */

/* Foundation and CoreGraphics have nothing that is called: MTLCreateSystemDefaultDevice gives nil in a command without
 * CoreGraphics, and strings and errors are Foundation's. */
static const char *const apple_libraries[] = {
    "/usr/lib/libobjc.A.dylib",
    "/System/Library/Frameworks/Foundation.framework/Foundation",
    "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics",
    "/System/Library/Frameworks/Metal.framework/Metal",
    "/usr/lib/libSystem.B.dylib", /* getpagesize */
};
enum { N_LIBRARIES = sizeof apple_libraries / sizeof *apple_libraries };

/* The libraries stay for the life of the process: their objects may outlive every device of ours. */
static int open_libraries(void **libraries) {
  const char *named = getenv("MOHO_METAL_LIBRARY");
  if (named && *named) {
    snprintf(moho_metal.double_path, sizeof moho_metal.double_path, "%s", named);
    if ((libraries[0] = dlopen(named, RTLD_NOW | RTLD_LOCAL))) return 1;
    const char *words = dlerror();
    snprintf(load_reason, sizeof load_reason, "MOHO_METAL_LIBRARY: %s", words ? words : named);
    return 0;
  }
#if defined(__APPLE__) && !defined(__aarch64__)
  snprintf(load_reason, sizeof load_reason, "Moho's Metal backend is for Apple silicon");
  return 0;
#endif
  for (int i = 0; i < N_LIBRARIES; i++)
    if (!(libraries[i] = dlopen(apple_libraries[i], RTLD_LAZY | RTLD_LOCAL))) {
      snprintf(load_reason, sizeof load_reason, "needs macOS 13 or later on Apple silicon (%s not found)", apple_libraries[i]);
      return 0;
    }
  return N_LIBRARIES;
}

static void *find_symbol(void *const *libraries, int n, const char *name) {
  for (int i = 0; i < n; i++) {
    void *symbol = dlsym(libraries[i], name);
    if (symbol) return symbol;
  }
  if (!*load_reason) snprintf(load_reason, sizeof load_reason, "the Objective-C runtime and Metal here have no %s", name);
  return NULL;
}

static void find_functions(void *const *libraries, int n) {
#define FIND_FUNCTION(name, result, parameters) moho_metal.name = (result(*) parameters)find_symbol(libraries, n, #name);
  MOHO_METAL_FUNCTIONS(FIND_FUNCTION)
#undef FIND_FUNCTION
}

static void make_calls(void) {
#define MAKE_CALL(owner, need, name, selector, result, ...)                                                  \
  moho_metal.call.name = (result(*)(metal_id, metal_sel __VA_OPT__(, ) __VA_ARGS__))moho_metal.objc_msgSend; \
  moho_metal.sel.name = moho_metal.sel_registerName(selector);
  MOHO_METAL_TABLE(MAKE_CALL)
#undef MAKE_CALL
}

typedef enum { CLASS, INSTANCES, OBJECT } owner_kind;
typedef enum { OPTIONAL, REQUIRED } row_need;

enum { METAL_OWNER_object = -1 }; /* NSObject's own rows: nothing could be asked without them */

static const struct {
  const char *class;
  owner_kind kind;
} owners[] = {
#define OWNER(owner, class, kind) {class, kind},
    MOHO_METAL_OWNERS(OWNER)
#undef OWNER
};

static const struct {
  int owner;
  row_need need;
  const char *selector;
} rows[] = {
#define ROW(owner, need, name, selector, ...) {METAL_OWNER_##owner, need, selector},
    MOHO_METAL_TABLE(ROW)
#undef ROW
};

static bool answers(owner_kind kind, metal_id object, const char *selector) {
  metal_sel sel = moho_metal.sel_registerName(selector);
  return kind == INSTANCES ? METAL(instances_respond, object, sel) : METAL(responds, object, sel);
}

/* The first REQUIRED selector that is not answered; NULL: none. */
static const char *first_missing(int owner, metal_id object) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].owner == owner && rows[i].need == REQUIRED && !answers(owners[owner].kind, object, rows[i].selector))
      return rows[i].selector;
  return NULL;
}

static void check_classes(void) {
  for (int owner = 0; owner < (int)(sizeof owners / sizeof *owners); owner++) {
    if (owners[owner].kind == OBJECT) continue;
    metal_id class = moho_metal.objc_getClass(owners[owner].class);
    if (!class) {
      snprintf(load_reason, sizeof load_reason, "this system has no class %s", owners[owner].class);
      return;
    }
    const char *missing = first_missing(owner, class);
    if (missing) {
      snprintf(load_reason, sizeof load_reason, "class %s of this system does not answer %s", owners[owner].class, missing);
      return;
    }
  }
}

static void load(void) {
  void *libraries[N_LIBRARIES];
  int n = open_libraries(libraries);
  if (*load_reason) return;
  find_functions(libraries, n);
  if (*load_reason) return;
  make_calls();
  void *pool = moho_metal_pool_push();
  check_classes();
  moho_metal.string_class = moho_metal.objc_getClass("NSString");
  moho_metal.process_class = moho_metal.objc_getClass("NSProcessInfo");
  moho_metal.options_class = moho_metal.objc_getClass("MTLCompileOptions");
  if (!*load_reason) {
    moho_metal.has_math_mode = answers(INSTANCES, moho_metal.options_class, "setMathMode:") &&
                               answers(INSTANCES, moho_metal.options_class, "setMathFloatingPointFunctions:");
    moho_metal.has_fast_math = answers(INSTANCES, moho_metal.options_class, "setFastMathEnabled:");
    if (!moho_metal.has_math_mode && !moho_metal.has_fast_math)
      snprintf(load_reason, sizeof load_reason, "MTLCompileOptions of this system has no way to ask for exact arithmetic");
  }
  moho_metal_pool_pop(pool);
}

const char *moho_metal_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return *load_reason ? load_reason : NULL;
}

moho_status moho_metal_expect(metal_owner owner, metal_id object) {
  static const char *const names[] = {
#define NAME(owner, class, kind) #owner,
      MOHO_METAL_OWNERS(NAME)
#undef NAME
  };
  if (!object) return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: the device gave no %s", names[owner]);
  const char *missing = first_missing((int)owner, object);
  if (missing)
    return moho_fail_at((moho_place){0}, "macOS 13 or later is needed", MOHO_ERROR_NOT_AVAILABLE,
                        "metal: the %s object of this system does not answer %s", names[owner], missing);
  return MOHO_OK;
}

void *moho_metal_pool_push(void) {
  return moho_metal.objc_autoreleasePoolPush();
}

void moho_metal_pool_pop(void *pool) {
  moho_metal.objc_autoreleasePoolPop(pool);
}

metal_id moho_metal_retain(metal_id object) {
  return METAL(retain, object);
}

void moho_metal_release(metal_id *object) {
  if (*object) METAL(release, *object);
  *object = NULL;
}

metal_id moho_metal_string(const char *text) {
  return METAL(string_make, moho_metal.string_class, text);
}

void moho_metal_text(metal_id string, char *out, size_t capacity) {
  const char *text = string ? METAL(string_text, string) : NULL;
  size_t n = text ? strlen(text) : 0;
  if (n >= capacity) { /* not within a character */
    n = capacity - 1;
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
  }
  if (n) memcpy(out, text, n);
  out[n] = 0;
}

void moho_metal_error_text(metal_id error, metal_int *code, char *out, size_t capacity) {
  *code = error ? METAL(error_code, error) : 0;
  if (!error) {
    snprintf(out, capacity, "no words given");
    return;
  }
  char domain[80];
  moho_metal_text(METAL(error_domain, error), domain, sizeof domain);
  int n = snprintf(out, capacity, "%s %ld: ", domain, *code);
  if (n > 0 && (size_t)n < capacity) moho_metal_text(METAL(error_words, error), out + n, capacity - (size_t)n);
}
