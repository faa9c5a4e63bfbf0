/* status.h - how Moho reports errors, and how long work reports progress.
 *
 * Every fallible function returns a moho_status:
 *   0    good;
 *   > 0  the caller's mistake (an argument, a file's content, a key of the job): nothing was changed;
 *   < 0  the system or the device failed (memory, disk, GPU), or the work was interrupted.
 * The last error of a thread is a record with the place and the remedy. The library never prints, aborts or exits.
 */
#ifndef MOHO_STATUS_H
#define MOHO_STATUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define MOHO_API
#else
#define MOHO_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int moho_status;

/* name, value, text for people */
#define MOHO_STATUS_TABLE(X)                                       \
  X(MOHO_OK, 0, "no error")                                        \
  X(MOHO_ERROR_ARGUMENT, 1, "wrong argument")                      \
  X(MOHO_ERROR_SHAPE, 2, "shapes do not agree")                    \
  X(MOHO_ERROR_RANGE, 3, "value out of range")                     \
  X(MOHO_ERROR_FORMAT, 4, "file content is not what it should be") \
  X(MOHO_ERROR_KEY, 5, "unknown or wrong key")                     \
  X(MOHO_ERROR_NOT_FOUND, 6, "not found")                          \
  X(MOHO_ERROR_EXISTS, 7, "exists already")                        \
  X(MOHO_ERROR_NOT_AVAILABLE, 8, "not yet available")              \
  X(MOHO_ERROR_TOO_LARGE, 9, "larger than the memory allowed")     \
  X(MOHO_ERROR_HANDLE, 10, "not a live object")                    \
  X(MOHO_ERROR_TIMEOUT, 11, "not done in the time given")          \
  X(MOHO_ERROR_COMPILE, 12, "the kernel's text does not compile")  \
  X(MOHO_ERROR_MEMORY, -1, "out of memory")                        \
  X(MOHO_ERROR_IO, -2, "reading or writing failed")                \
  X(MOHO_ERROR_DEVICE, -3, "the device failed")                    \
  X(MOHO_ERROR_INTERRUPTED, -4, "interrupted")                     \
  X(MOHO_ERROR_INTERNAL, -5, "a fault of Moho's own")              \
  X(MOHO_ERROR_LOST, -6, "the device is lost")

enum {
#define MOHO_STATUS_ENUM(name, value, text) name = (value),
  MOHO_STATUS_TABLE(MOHO_STATUS_ENUM)
#undef MOHO_STATUS_ENUM
};

/* The last error of the calling thread. Strings are empty and numbers -1 where they do not apply. */
typedef struct moho_error {
  moho_status code;
  char message[600]; /* what, where, got, expected */
  char hint[400];    /* how to mend it */
  char file[300];    /* the file it is about */
  int64_t trace;     /* 1-based trace number */
  int64_t byte;      /* 0-based byte offset in the file */
  int line, column;  /* 1-based place in a text file */
  char key[120];     /* key of the job file, as migration.aperture.max_m */
} moho_error;

/** The thread's last error; never NULL; code MOHO_OK where there was none. Valid until the thread's next Moho call. */
MOHO_API const moho_error *moho_last_error(void);

/** "MOHO_ERROR_RANGE" for MOHO_ERROR_RANGE; "unknown status" for a number that is none. */
MOHO_API const char *moho_status_name(moho_status status);

/** A few words for people: "value out of range". */
MOHO_API const char *moho_status_text(moho_status status);

/** The name among `names` that is nearest to `given` by edit distance (letters of either case are the same), NULL when none is
 *  near: for "did you mean". */
MOHO_API const char *moho_nearest_name(const char *given, const char *const *names, size_t count);

/** "0.1.0". */
MOHO_API const char *moho_version(void);

/* A step of long work. done and total count `unit`s; total 0 = not known. */
typedef struct moho_progress {
  const char *stage; /* "reading headers", "migrating", "writing" */
  const char *unit;  /* "traces", "bytes", "contributions" */
  double done, total;
  double seconds; /* since the stage began */
} moho_progress;

/** Called now and then from the thread that runs the work; return 0 to go on, else the work stops with
 *  MOHO_ERROR_INTERRUPTED and leaves nothing partial under a final name. */
typedef int (*moho_progress_function)(void *user, const moho_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
