/* cuda_disk_cache.h - compiled kernels kept between runs: $XDG_CACHE_HOME/moho, else ~/.cache/moho; MOHO_CACHE=off: nowhere.
 *
 * The folder is ours alone (made 0700; one that belongs to somebody else or that others may write to is not used). A file is
 * named after its key and holds the key, the image, and a hash of both: what is damaged or foreign is ignored and rewritten.
 * At most MOHO_DISK_CACHE_FILES and MOHO_DISK_CACHE_BYTES are kept; those not used for longest go.
 * The cache only saves time: what fails here is never an error.
 */
#ifndef MOHO_CUDA_DISK_CACHE_H
#define MOHO_CUDA_DISK_CACHE_H

#include <stddef.h>

enum { MOHO_DISK_CACHE_FILES = 256, MOHO_DISK_CACHE_BYTES = 128 << 20 };

/* 1: found, *data (malloc) and *bytes are set. key: 64 hexadecimal digits. */
int moho_disk_cache_load(const char *key, char **data, size_t *bytes);
/* 1: stored. */
int moho_disk_cache_store(const char *key, const char *data, size_t bytes);

#endif
