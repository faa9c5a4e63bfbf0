/* file_writer.c - the one way anything is written. */
#include "base/file_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/memory.h"

struct moho_file_writer {
  int file;
  char *path, *temporary;
};

void moho_file_writer_set_fault(int error_number, int64_t bytes) {
  char text[40];
  snprintf(text, sizeof text, "%s:%lld", error_number == ENOSPC ? "ENOSPC" : "EIO", (long long)bytes);
  moho_disk_set_fault(bytes < 0 ? NULL : text);
}

/* ---- files ---- */

static moho_status io_failure(const char *path, const char *verb, int error_number) {
  const char *hint = error_number == ENOSPC ? "free some space or write to another disk" : "check the path and its permissions";
  return moho_fail_at((moho_place){.file = path}, hint, MOHO_ERROR_IO, "%s: %s failed: %s", path, verb, strerror(error_number));
}

/* <path>.partial-<pid>, malloc; NULL when out of memory. */
static char *temporary_name(const char *path) {
  char *name = NULL;
  if (asprintf(&name, "%s.partial-%ld", path, (long)getpid()) < 0) return NULL;
  return name;
}

/* A rename would put a file in place of a device, pipe or directory; of a link, in place of the link and not of its file. */
static moho_status final_name(const char *path, char **name) {
  struct stat there;
  *name = NULL;
  int exists = stat(path, &there) == 0;
  if (exists && !S_ISREG(there.st_mode))
    return moho_fail_at((moho_place){.file = path}, "name a file, a new one or one that may be replaced", MOHO_ERROR_ARGUMENT,
                        "%s is a %s, expected an ordinary file to write", path,
                        S_ISDIR(there.st_mode) ? "directory" : "device or pipe");
  if (exists) *name = realpath(path, NULL);
  if (!*name) *name = strdup(path);
  return *name ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
}

moho_status moho_file_writer_open(const char *path, moho_file_writer **out) {
  char *name;
  *out = NULL;
  MOHO_TRY(final_name(path, &name));
  moho_file_writer *writer = calloc(1, sizeof *writer);
  if (writer) writer->file = -1, writer->temporary = temporary_name(name), writer->path = name;
  else free(name);
  if (!writer || !writer->path || !writer->temporary) {
    moho_file_writer_discard(&writer);
    return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  }
  writer->file = open(writer->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (writer->file < 0) {
    int error_number = errno;
    free(writer->temporary), writer->temporary = NULL;
    moho_file_writer_discard(&writer);
    return io_failure(path, "creating", error_number);
  }
  *out = writer;
  return MOHO_OK;
}

/* One call may take less than all (a signal, a quota): the rest follows. Calls of at most 1 GiB: some systems refuse larger. */
static moho_status write_all(const moho_file_writer *writer, const char *from, size_t bytes, int has_offset, uint64_t offset) {
  const size_t most = (size_t)1 << 30;
  while (bytes) {
    size_t n = moho_smaller(bytes, most);
    ssize_t written = has_offset ? moho_disk_write_at(writer->file, writer->temporary, from, n, offset)
                                 : moho_disk_write(writer->file, writer->temporary, from, n);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_failure(writer->path, "writing", written < 0 ? errno : ENOSPC);
    from += written;
    offset += (uint64_t)written;
    bytes -= (size_t)written;
  }
  return MOHO_OK;
}

moho_status moho_file_writer_write(moho_file_writer *writer, const void *data, size_t bytes) {
  return write_all(writer, data, bytes, 0, 0);
}

moho_status moho_file_writer_write_at(moho_file_writer *writer, uint64_t offset, const void *data, size_t bytes) {
  return write_all(writer, data, bytes, 1, offset);
}

moho_status moho_file_writer_commit(moho_file_writer **writer_pointer) {
  moho_file_writer *writer = *writer_pointer;
  moho_status status = MOHO_OK;
  /* The data must be on disk before the name says that they are: fsync, then rename. Until the directory is synced too the
   * name may go back to what it was before, never to a half-written file: whoever builds on the name syncs the directory. */
  if (moho_disk_sync(writer->file, writer->temporary)) status = io_failure(writer->path, "syncing", errno);
  if (close(writer->file) && !status) status = io_failure(writer->path, "closing", errno);
  writer->file = -1;
  if (!status && moho_disk_rename(writer->temporary, writer->path))
    status = io_failure(writer->path, "renaming to its final name", errno);
  if (!status) free(writer->temporary), writer->temporary = NULL;
  moho_file_writer_discard(writer_pointer);
  return status;
}

void moho_file_writer_discard(moho_file_writer **writer_pointer) {
  moho_file_writer *writer = *writer_pointer;
  if (!writer) return;
  if (writer->file >= 0) close(writer->file);
  if (writer->temporary) unlink(writer->temporary);
  free(writer->temporary);
  free(writer->path);
  free(writer);
  *writer_pointer = NULL;
}

moho_status moho_file_write_all(const char *path, const void *data, size_t bytes) {
  moho_file_writer *writer;
  MOHO_TRY(moho_file_writer_open(path, &writer));
  moho_status status = moho_file_writer_write(writer, data, bytes);
  if (!status) return moho_file_writer_commit(&writer);
  moho_file_writer_discard(&writer);
  return status;
}

static moho_status read_open_file(FILE *file, const char *path, size_t limit, char **data, size_t *bytes) {
  struct stat status;
  if (fstat(fileno(file), &status)) return io_failure(path, "reading", errno);
  if (S_ISDIR(status.st_mode))
    return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_FORMAT, "%s is a directory, expected a file", path);
  if ((uint64_t)status.st_size > limit)
    return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_TOO_LARGE, "%s holds %lld bytes, expected at most %zu", path,
                        (long long)status.st_size, limit);
  size_t size = (size_t)status.st_size;
  char *text = malloc(size + 1);
  if (!text) return moho_fail(MOHO_ERROR_MEMORY, "%s: %zu bytes could not be allocated", path, size);
  size_t got = fread(text, 1, size, file);
  if (ferror(file)) {
    free(text);
    return io_failure(path, "reading", errno);
  }
  text[got] = '\0';
  *data = text;
  *bytes = got;
  return MOHO_OK;
}

moho_status moho_file_read_all(const char *path, size_t limit, char **data, size_t *bytes) {
  *data = NULL, *bytes = 0;
  FILE *file = fopen(path, "rb");
  if (!file) {
    if (errno == ENOENT)
      return moho_fail_at((moho_place){.file = path}, "check the path", MOHO_ERROR_NOT_FOUND, "%s: no such file", path);
    return io_failure(path, "opening", errno);
  }
  moho_status status = read_open_file(file, path, limit, data, bytes);
  fclose(file);
  return status;
}

/* ---- directories ---- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static void remove_tree(const char *path) {
  nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

moho_status moho_directory_begin(const char *path, char **temporary) {
  *temporary = temporary_name(path);
  if (!*temporary) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  remove_tree(*temporary);
  if (mkdir(*temporary, 0777) == 0) return MOHO_OK;
  moho_status status = io_failure(path, "creating", errno);
  free(*temporary), *temporary = NULL;
  return status;
}

/* An older directory steps aside first: rename cannot replace one that is not empty. */
moho_status moho_directory_commit(const char *path, char **temporary) {
  char *old = NULL;
  moho_status status = MOHO_OK;
  if (asprintf(&old, "%s.old-%ld", path, (long)getpid()) < 0) {
    moho_directory_discard(temporary);
    return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  }
  remove_tree(old); /* of a process of the same number that was killed between the two renames */
  int had_old = moho_disk_rename(path, old) == 0;
  if (moho_disk_rename(*temporary, path)) {
    status = io_failure(path, "renaming to its final name", errno);
    if (had_old && moho_disk_rename(old, path) == 0) had_old = 0;
    moho_directory_discard(temporary);
  } else {
    free(*temporary), *temporary = NULL;
  }
  if (had_old && !status) remove_tree(old);
  free(old);
  return status;
}

void moho_directory_discard(char **temporary) {
  if (!*temporary) return;
  remove_tree(*temporary);
  free(*temporary);
  *temporary = NULL;
}

/* "image.zarr.partial-123": what a writer leaves that is killed. */
static int is_left_over(const char *name) {
  static const char *const marks[] = {".partial-", ".old-"};
  for (int i = 0; i < 2; i++) {
    const char *mark = strstr(name, marks[i]);
    if (!mark) continue;
    const char *digits = mark + strlen(marks[i]);
    if (*digits && !digits[strspn(digits, "0123456789")]) return 1;
  }
  return 0;
}

void moho_directory_sweep(const char *path) {
  DIR *listing = opendir(path);
  struct dirent *entry;
  while (listing && (entry = readdir(listing))) {
    char *name = NULL;
    if (!is_left_over(entry->d_name) || asprintf(&name, "%s/%s", path, entry->d_name) < 0) continue;
    remove_tree(name);
    free(name);
  }
  if (listing) closedir(listing);
}

moho_status moho_directory_sync(const char *path) {
  return moho_disk_sync_directory(path) ? io_failure(path, "syncing the directory", errno) : MOHO_OK;
}

moho_status moho_directory_make(const char *path) {
  char *part = strdup(path);
  if (!part) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  int failed = 0;
  for (char *slash = part; !failed && *slash; slash++)
    if (*slash == '/' && slash > part) {
      *slash = '\0';
      failed = mkdir(part, 0777) && errno != EEXIST;
      *slash = '/';
    }
  failed = mkdir(part, 0777) && errno != EEXIST;
  int error_number = errno;
  struct stat status;
  free(part);
  if (failed) return io_failure(path, "creating the directory", error_number);
  if (stat(path, &status) || !S_ISDIR(status.st_mode)) return io_failure(path, "creating the directory", ENOTDIR);
  return MOHO_OK;
}
