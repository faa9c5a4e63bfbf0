/* file_append.c - a file that only grows. */
#include "base/file_append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/file_writer.h"

struct moho_file_append {
  int file;
  uint64_t bytes;
  char *path;
};

static moho_status append_failure(const char *path, const char *verb, int error_number) {
  return moho_fail_at((moho_place){.file = path},
                      error_number == ENOSPC ? "free some space, then go on with the same command" : "check the disk",
                      MOHO_ERROR_IO, "%s: %s failed: %s", path, verb, strerror(error_number));
}

static moho_status sync_name(const char *path) {
  char *directory = strdup(path), *slash = directory ? strrchr(directory, '/') : NULL;
  if (!directory) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (slash) *slash = '\0';
  moho_status status = moho_directory_sync(slash ? directory : ".");
  free(directory);
  return status;
}

static moho_status open_file(moho_file_append *f, uint64_t keep) {
  f->file = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (f->file < 0) return append_failure(f->path, "opening", errno);
  if (ftruncate(f->file, (off_t)keep) || lseek(f->file, (off_t)keep, SEEK_SET) < 0)
    return append_failure(f->path, "cutting", errno);
  f->bytes = keep;
  if (moho_disk_sync(f->file, f->path)) return append_failure(f->path, "syncing", errno);
  return sync_name(f->path);
}

moho_status moho_file_append_open(const char *path, uint64_t keep, moho_file_append **out) {
  *out = NULL;
  moho_file_append *f = calloc(1, sizeof *f);
  if (f) f->file = -1, f->path = strdup(path);
  moho_status status = f && f->path ? open_file(f, keep) : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (status) moho_file_append_close(&f);
  *out = f;
  return status;
}

moho_status moho_file_append_write(moho_file_append *f, const void *data, size_t bytes) {
  const char *from = data;
  size_t left = bytes;
  const char *verb = "writing";
  while (left) {
    ssize_t written = moho_disk_write(f->file, f->path, from, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    from += written, left -= (size_t)written;
  }
  if (!left && moho_disk_sync(f->file, f->path) == 0) {
    f->bytes += bytes;
    return MOHO_OK;
  }
  if (!left) verb = "syncing";
  moho_status status = append_failure(f->path, verb, errno);
  if (ftruncate(f->file, (off_t)f->bytes) == 0) lseek(f->file, (off_t)f->bytes, SEEK_SET);
  return status;
}

void moho_file_append_close(moho_file_append **file) {
  moho_file_append *f = *file;
  if (!f) return;
  if (f->file >= 0) close(f->file);
  free(f->path), free(f);
  *file = NULL;
}
