/* directory_check.c - whether files can be written into a directory that may have to be made first, without touching it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_writer.h"

static moho_status failure(const char *path, const char *part, int error_number) {
  return strcmp(path, part) == 0
             ? moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_IO, "%s: %s", path, strerror(error_number))
             : moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_IO, "%s cannot be made: %s: %s", path, part,
                            strerror(error_number));
}

/* Cuts the last name off; "." or "/" at last. */
static void cut_name(char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') length--;
  while (length && path[length - 1] != '/') length--;
  while (length > 1 && path[length - 1] == '/') length--;
  if (!length) path[length++] = '.';
  path[length] = '\0';
}

moho_status moho_directory_check(const char *path) {
  struct stat status;
  char *part = strdup(path);
  if (!part || !*part) {
    free(part);
    return moho_fail(part ? MOHO_ERROR_ARGUMENT : MOHO_ERROR_MEMORY, "\"%s\" names no directory", path);
  }
  while (stat(part, &status) && (errno == ENOENT || errno == ENOTDIR) && strcmp(part, ".") != 0) cut_name(part);
  int error_number = stat(part, &status) ? errno : !S_ISDIR(status.st_mode) ? ENOTDIR : access(part, W_OK | X_OK) ? errno : 0;
  moho_status result = error_number ? failure(path, part, error_number) : MOHO_OK;
  free(part);
  return result;
}
