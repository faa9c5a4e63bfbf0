/* fail.h - recording the thread's last error.
 *
 *   return moho_fail(MOHO_ERROR_RANGE, "dt is %g s, expected 0.0001 to 0.1", dt);
 *   return moho_fail_at((moho_place){.file = path, .trace = 12}, "check bytes 117-118", MOHO_ERROR_FORMAT, "...", ...);
 */
#ifndef MOHO_BASE_FAIL_H
#define MOHO_BASE_FAIL_H

#include "moho/status.h"

/* Where an error is; zero members mean "does not apply" (byte: give has_byte). */
typedef struct moho_place {
  const char *file;
  int64_t trace; /* 1-based */
  int has_byte;
  int64_t byte;
  int line, column;
  const char *key;
} moho_place;

/* Set the last error and return its code. */
moho_status moho_fail(moho_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
moho_status moho_fail_at(moho_place place, const char *hint, moho_status code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A failure is never MOHO_OK: this lets compilers see that what follows a failed call is not reached, so they do not warn of
 * results that are set on success only. */
#define MOHO_FAILED(call)                             \
  ({                                                  \
    moho_status moho_failed_status = (call);          \
    if (!moho_failed_status) __builtin_unreachable(); \
    moho_failed_status;                               \
  })
#define moho_fail(...) MOHO_FAILED((moho_fail)(__VA_ARGS__))
#define moho_fail_at(...) MOHO_FAILED((moho_fail_at)(__VA_ARGS__))
/* Add to the last error where the callee could not know: only members that are still empty are filled. */
moho_status moho_fail_add_place(moho_place place, const char *hint);
/* Errors cross threads by value: take in the worker, set in the caller. */
moho_error moho_error_take(void);
moho_status moho_error_set(const moho_error *error);

#define MOHO_TRY(call)                           \
  do {                                           \
    moho_status moho_try_status = (call);        \
    if (moho_try_status) return moho_try_status; \
  } while (0)

#endif
