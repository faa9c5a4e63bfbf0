/* disk_calls.h - the system calls that change the disk, and the one place where tests make them go wrong.
 *
 * MOHO_TEST_WRITE_FAULT=WHAT@N, or moho_disk_set_fault(), acts at the N-th of these calls that the process makes (from 1):
 *   EIO@N, ENOSPC@N   the call fails with this error; a write after half of its bytes
 *   SHORT@N           a write takes half of its bytes and says so (which is no error: the rest must follow)
 *   KILL@N            the process dies (SIGKILL) before the call
 *   TORN@N            ... in the middle of it: a write has half of its bytes, a renamed file is cut to half of its own, as after
 *                     a loss of power on a disk that did not keep what it said was synced
 *   POWER@N           the power goes before the call: what was not synced is lost (see below)
 *   WAIT@N            the call takes two seconds longer; calls of other threads go on
 * SHORT waits for the next write where the N-th call is none. ENOSPC:N and EIO:N fail once N bytes have been written.
 *
 * What POSIX leaves open at a loss of power, and POWER does: bytes written since the last fsync of their file may be gone (the
 * file is emptied, an appended line is cut off); a name given by rename since the last fsync of its directory may be the old
 * one again. What fsync has returned for is not lost, so the order is always: data, fsync, rename, fsync of the directory, and
 * only then a line that says so.
 */
#ifndef MOHO_BASE_DISK_CALLS_H
#define MOHO_BASE_DISK_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As write(2), pwrite(2), fsync(2), rename(2): -1 and errno. `path` is the file's name, for POWER alone. */
ssize_t moho_disk_write(int file, const char *path, const void *data, size_t bytes);
ssize_t moho_disk_write_at(int file, const char *path, const void *data, size_t bytes, uint64_t offset);
int moho_disk_sync(int file, const char *path);
int moho_disk_rename(const char *from, const char *to);
/* fsync of a directory: the names in it are then as they are. File systems that cannot do this (EINVAL) are taken to keep
 * names by themselves. */
int moho_disk_sync_directory(const char *path);

/* For tests: WHAT@N or WHAT:N as above, counted from now on; NULL: no fault. */
void moho_disk_set_fault(const char *text);
/* Calls made since the last moho_disk_set_fault(). */
uint64_t moho_disk_calls(void);

#endif
