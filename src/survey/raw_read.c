/* raw_read.c - exact reads at 64-bit positions. */
#include "survey/raw_read.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

moho_status moho_raw_read(int file, const char *path, uint64_t offset, void *to, size_t bytes) {
  char *into = to;
  while (bytes) {
    ssize_t got = pread(file, into, bytes < (1u << 30) ? bytes : (1u << 30), (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = (int64_t)offset},
                          "check the disk and the file's permissions", MOHO_ERROR_IO, "%s: reading at byte %llu failed: %s", path,
                          (unsigned long long)offset, strerror(errno));
    if (got == 0)
      return moho_fail_at((moho_place){.file = path, .has_byte = 1, .byte = (int64_t)offset},
                          "the file became shorter while it was read: open it again", MOHO_ERROR_FORMAT,
                          "%s: ends at byte %llu, expected %zu more", path, (unsigned long long)offset, bytes);
    into += got;
    offset += (uint64_t)got;
    bytes -= (size_t)got;
  }
  return MOHO_OK;
}
