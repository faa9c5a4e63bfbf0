/* file_writer.h - the one way anything is written: to a temporary name beside the final one, synced, then renamed.
 *
 * Nothing ever appears half-written under its final name. Tests make it fail: disk_calls.h.
 * Every failure is MOHO_ERROR_IO naming the file and the system's reason ("No space left on device").
 */
#ifndef MOHO_BASE_FILE_WRITER_H
#define MOHO_BASE_FILE_WRITER_H

#include "base/fail.h"

typedef struct moho_file_writer moho_file_writer;

/* Opens <path>.partial-<pid>; existing `path` is replaced at commit. */
moho_status moho_file_writer_open(const char *path, moho_file_writer **out);
moho_status moho_file_writer_write(moho_file_writer *writer, const void *data, size_t bytes);
/* Overwrite earlier bytes (headers that are known last). */
moho_status moho_file_writer_write_at(moho_file_writer *writer, uint64_t offset, const void *data, size_t bytes);
/* fsync, close, rename; the writer is destroyed, and on failure the temporary file is removed. */
moho_status moho_file_writer_commit(moho_file_writer **writer);
/* Close and remove the temporary file. NULL is fine. */
void moho_file_writer_discard(moho_file_writer **writer);

/* A whole small file at once. */
moho_status moho_file_write_all(const char *path, const void *data, size_t bytes);
/* A whole file into memory (NUL added after its end); MOHO_ERROR_TOO_LARGE over `limit` bytes. */
moho_status moho_file_read_all(const char *path, size_t limit, char **data, size_t *bytes);

/* A directory written like a file: make a temporary directory beside `path`, fill it, commit renames it to `path`
 * (replacing an older one) or discard removes it with all it holds. `temporary` receives the name (malloc). */
moho_status moho_directory_begin(const char *path, char **temporary);
moho_status moho_directory_commit(const char *path, char **temporary);
void moho_directory_discard(char **temporary);
/* Could it be made, or is it there, and may files be written into it? Nothing is touched. MOHO_ERROR_IO: which part is no
 * directory, or may not be written. */
moho_status moho_directory_check(const char *path);
/* mkdir -p. */
moho_status moho_directory_make(const char *path);
/* When it returns, the names in the directory outlive a loss of power. */
moho_status moho_directory_sync(const char *path);
/* Removes what bears the mark of a writer that was killed, "<name>.partial-<pid>" or "<name>.old-<pid>", of any pid: only where
 * the caller is known to be the only writer. Sub-directories are not entered. */
void moho_directory_sweep(const char *path);

/* A disk that is full (ENOSPC) or fails (EIO) once `bytes` more have been written; bytes < 0: one that does not. For tests. */
void moho_file_writer_set_fault(int error_number, int64_t bytes);

#endif
