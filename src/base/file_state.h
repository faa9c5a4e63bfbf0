/* file_state.h - how large a file or directory is, when it was last changed, and what room its disk has.
 */
#ifndef MOHO_BASE_FILE_STATE_H
#define MOHO_BASE_FILE_STATE_H

#include <stdint.h>

typedef struct moho_file_state {
  uint64_t bytes;     /* of a directory: of all files below it */
  int64_t changed_ns; /* since 1970; the latest of them. 0 and 0: there is no such file */
} moho_file_state;

moho_file_state moho_file_state_of(const char *path);

static inline int moho_file_state_equal(moho_file_state a, moho_file_state b) {
  return a.bytes == b.bytes && a.changed_ns == b.changed_ns;
}

/* Bytes that may still be written to the disk of an existing path; UINT64_MAX when not known. */
uint64_t moho_disk_free(const char *path);
/* For tests: every disk has so much room from now on; UINT64_MAX: what it has. */
void moho_disk_set_free(uint64_t bytes);

#endif
