/* cuda_disk_cache.c - compiled kernels kept between runs. */
#include "device/cuda/cuda_disk_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/file_writer.h"
#include "base/sha256.h"

#define SUFFIX ".cuda"

/* At the beginning of each file. */
typedef struct header {
  char magic[16];
  uint8_t digest[32]; /* of key and image */
  char key[64];
} header;

static const char magic[16] = "moho-cuda-1\n";

static int path_of(const char *key, char *path, size_t capacity) {
  char folder[1100];
  return moho_cache_folder(folder, sizeof folder) && snprintf(path, capacity, "%s/%.64s" SUFFIX, folder, key) < (int)capacity;
}

/* ---- one file ---- */

static header header_of(const char *key, const char *data, size_t bytes) {
  header made = {{0}, {0}, {0}};
  memcpy(made.magic, magic, sizeof magic);
  memcpy(made.key, key, sizeof made.key);
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, made.key, sizeof made.key);
  moho_sha256_add(&hash, data, bytes);
  moho_sha256_end(&hash, made.digest);
  return made;
}

int moho_disk_cache_load(const char *key, char **data, size_t *bytes) {
  char path[1200], *file;
  size_t size;
  *data = NULL, *bytes = 0;
  if (strlen(key) != 64 || !path_of(key, path, sizeof path)) return 0;
  const moho_error before = *moho_last_error();
  if (moho_file_read_all(path, MOHO_DISK_CACHE_BYTES, &file, &size)) return moho_error_set(&before), 0;
  header expected;
  int good = size > sizeof expected;
  if (good) {
    expected = header_of(key, file + sizeof expected, size - sizeof expected);
    good = memcmp(file, &expected, sizeof expected) == 0;
  }
  if (!good) return free(file), 0;
  *bytes = size - sizeof expected;
  *data = memmove(file, file + sizeof expected, *bytes);
  utimensat(AT_FDCWD, path, NULL, 0); /* used now: it goes last */
  return 1;
}

/* ---- what goes ---- */

typedef struct entry {
  char path[1400];
  time_t used;
  size_t bytes;
} entry;

static int older_first(const void *a, const void *b) {
  const entry *x = a, *y = b;
  return x->used < y->used ? -1 : x->used > y->used;
}

/* Files of ours; those that a killed process left unfinished an hour ago are removed at once. */
static size_t list_entries(const char *folder, entry **list) {
  size_t n = 0, capacity = 0;
  DIR *directory = opendir(folder);
  *list = NULL;
  if (!directory) return 0;
  for (struct dirent *item; (item = readdir(directory));) {
    struct stat status;
    entry found;
    const char *suffix = strstr(item->d_name, SUFFIX);
    if (!suffix) continue;
    if (snprintf(found.path, sizeof found.path, "%s/%s", folder, item->d_name) >= (int)sizeof found.path) continue;
    if (lstat(found.path, &status) || !S_ISREG(status.st_mode)) continue;
    if (strncmp(suffix, SUFFIX ".partial-", sizeof SUFFIX + 8) == 0 && status.st_mtime < time(NULL) - 3600) unlink(found.path);
    if (strcmp(suffix, SUFFIX)) continue;
    if (n == capacity) {
      entry *more = realloc(*list, (capacity = 2 * capacity + 64) * sizeof **list);
      if (!more) break;
      *list = more;
    }
    found.used = status.st_mtime, found.bytes = (size_t)status.st_size;
    (*list)[n++] = found;
  }
  closedir(directory);
  return n;
}

static void trim(const char *folder) {
  entry *list;
  size_t n = list_entries(folder, &list), bytes = 0;
  for (size_t i = 0; i < n; i++) bytes += list[i].bytes;
  if (n) qsort(list, n, sizeof *list, older_first);
  for (size_t i = 0; i < n && (n - i > MOHO_DISK_CACHE_FILES || bytes > MOHO_DISK_CACHE_BYTES); i++) {
    bytes -= list[i].bytes;
    unlink(list[i].path);
  }
  free(list);
}

static int write_file(const char *path, const header *head, const char *data, size_t bytes) {
  moho_file_writer *writer;
  if (moho_file_writer_open(path, &writer)) return 0;
  if (!moho_file_writer_write(writer, head, sizeof *head) && !moho_file_writer_write(writer, data, bytes))
    return moho_file_writer_commit(&writer) == MOHO_OK;
  moho_file_writer_discard(&writer);
  return 0;
}

int moho_disk_cache_store(const char *key, const char *data, size_t bytes) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* temporary names are one a process and file */
  char path[1200], folder[1100];
  if (strlen(key) != 64 || bytes > MOHO_DISK_CACHE_BYTES || !path_of(key, path, sizeof path) ||
      !moho_cache_folder(folder, sizeof folder))
    return 0;
  const moho_error before = *moho_last_error();
  header head = header_of(key, data, bytes);
  pthread_mutex_lock(&lock);
  int stored = write_file(path, &head, data, bytes);
  if (stored) trim(folder);
  pthread_mutex_unlock(&lock);
  if (!stored) moho_error_set(&before);
  return stored;
}
