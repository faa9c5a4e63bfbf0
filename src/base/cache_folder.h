/* cache_folder.h - where what only saves time is kept between runs: $XDG_CACHE_HOME/moho, else ~/.cache/moho; MOHO_CACHE=off:
 * nowhere. Made 0700 where it is not there; one that belongs to somebody else, or that others may write to, is not used. */
#ifndef MOHO_BASE_CACHE_FOLDER_H
#define MOHO_BASE_CACHE_FOLDER_H

#include <stddef.h>

/* 1: `folder` names the cache, which is there and ours. */
int moho_cache_folder(char *folder, size_t capacity);

#endif
