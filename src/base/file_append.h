/* file_append.h - a file that only grows, and whose every piece is on the disk when the call that wrote it returns.
 */
#ifndef MOHO_BASE_FILE_APPEND_H
#define MOHO_BASE_FILE_APPEND_H

#include "base/fail.h"

typedef struct moho_file_append moho_file_append;

/* Made where it is missing (and its name synced), else cut to its first `keep` bytes. */
moho_status moho_file_append_open(const char *path, uint64_t keep, moho_file_append **out);
/* All of it and synced, or (MOHO_ERROR_IO) the file is cut to what it was; where even that fails, a torn end stays. */
moho_status moho_file_append_write(moho_file_append *file, const void *data, size_t bytes);
void moho_file_append_close(moho_file_append **file);

#endif
