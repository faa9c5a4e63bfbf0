/* file_lock.h - one process at a time: a lock that the system takes back when its holder dies, however it dies.
 *
 * flock(2) on a file of its own, in which the holder's number stands. Two locks of one process exclude each other as well.
 */
#ifndef MOHO_BASE_FILE_LOCK_H
#define MOHO_BASE_FILE_LOCK_H

#include "base/fail.h"

typedef struct moho_file_lock moho_file_lock;

/* Makes the file where it is not there. *out is NULL when another holds the lock; then *holder (may be NULL) is its process
 * number, 0 when not known. MOHO_ERROR_IO: the file cannot be made, or its disk knows no locks. */
moho_status moho_file_lock_try(const char *path, moho_file_lock **out, long *holder);
/* Removes the file and lets go. NULL is fine. */
void moho_file_lock_release(moho_file_lock **lock);

#endif
