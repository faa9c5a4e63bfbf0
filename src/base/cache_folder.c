/* cache_folder.c - the folder of what only saves time. */
#include "base/cache_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_safe(const char *folder) {
  struct stat status;
  return stat(folder, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         !(status.st_mode & (S_IWGRP | S_IWOTH));
}

int moho_cache_folder(char *folder, size_t capacity) {
  const char *choice = getenv("MOHO_CACHE"), *given = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  char base[1024];
  if (choice && strcmp(choice, "off") == 0) return 0;
  int n = -1;
  /* The XDG base directory specification: paths that are not absolute are ignored. */
  if (given && given[0] == '/') n = snprintf(base, sizeof base, "%s", given);
  else if (home && home[0] == '/') n = snprintf(base, sizeof base, "%s/.cache", home);
  if (n < 0 || n >= (int)sizeof base || snprintf(folder, capacity, "%s/moho", base) >= (int)capacity) return 0;
  mkdir(base, 0700);
  mkdir(folder, 0700);
  return is_safe(folder);
}
