/* file_lock.c - locks by flock(2). */
#include "base/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct moho_file_lock {
  int file;
  char *path;
};

static moho_status lock_failure(const char *path, const char *verb, int error_number) {
  return moho_fail_at((moho_place){.file = path}, "check the path and its permissions; some network disks know no locks",
                      MOHO_ERROR_IO, "%s: %s failed: %s", path, verb, strerror(error_number));
}

static long read_holder(int file) {
  char text[32] = "";
  ssize_t got = pread(file, text, sizeof text - 1, 0);
  return got > 0 ? atol(text) : 0;
}

/* The holder removes the file before it lets go: a lock on a file that has no name any more keeps nobody out. */
static int still_named(int file, const char *path) {
  struct stat held, named;
  return fstat(file, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

static moho_status write_holder(int file, const char *path) {
  char text[32];
  int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
  if (ftruncate(file, 0) || pwrite(file, text, (size_t)length, 0) != length) return lock_failure(path, "writing", errno);
  return MOHO_OK;
}

/* *file < 0: another holds it. */
static moho_status take(const char *path, int *file, long *holder) {
  for (;;) {
    *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*file < 0) return lock_failure(path, "creating", errno);
    if (flock(*file, LOCK_EX | LOCK_NB)) {
      int error_number = errno;
      if (error_number == EINTR) {
        close(*file);
        continue;
      }
      if (holder) *holder = read_holder(*file);
      close(*file), *file = -1;
      return error_number == EWOULDBLOCK ? MOHO_OK : lock_failure(path, "locking", error_number);
    }
    if (still_named(*file, path)) return MOHO_OK;
    close(*file);
  }
}

moho_status moho_file_lock_try(const char *path, moho_file_lock **out, long *holder) {
  int file;
  *out = NULL;
  if (holder) *holder = 0;
  MOHO_TRY(take(path, &file, holder));
  if (file < 0) return MOHO_OK;
  moho_status status = write_holder(file, path);
  moho_file_lock *lock = status ? NULL : malloc(sizeof *lock);
  if (lock) *lock = (moho_file_lock){file, strdup(path)};
  if (lock && lock->path) {
    *out = lock;
    return MOHO_OK;
  }
  free(lock);
  close(file);
  return status ? status : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
}

void moho_file_lock_release(moho_file_lock **lock) {
  if (!*lock) return;
  unlink((*lock)->path);
  close((*lock)->file);
  free((*lock)->path);
  free(*lock);
  *lock = NULL;
}
