/* file_state.c - sizes and times of change. */
#include "base/file_state.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static _Thread_local moho_file_state sum; /* nftw hands nothing through */

static int64_t changed_ns(const struct stat *status) {
#ifdef __APPLE__
  return (int64_t)status->st_mtimespec.tv_sec * 1000000000 + status->st_mtimespec.tv_nsec;
#else
  return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
#endif
}

static int add_file(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)path, (void)walk;
  if (type != FTW_F) return 0;
  sum.bytes += (uint64_t)status->st_size;
  if (changed_ns(status) > sum.changed_ns) sum.changed_ns = changed_ns(status);
  return 0;
}

moho_file_state moho_file_state_of(const char *path) {
  sum = (moho_file_state){0};
  nftw(path, add_file, 16, 0);
  return sum;
}

static _Atomic uint64_t pretended = UINT64_MAX;

void moho_disk_set_free(uint64_t bytes) {
  pretended = bytes;
}

uint64_t moho_disk_free(const char *path) {
  struct statvfs disk;
  if (pretended != UINT64_MAX) return pretended;
  if (statvfs(path, &disk)) return UINT64_MAX;
  return (uint64_t)disk.f_bavail * (uint64_t)disk.f_frsize;
}
