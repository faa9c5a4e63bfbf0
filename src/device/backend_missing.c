/* backend_missing.c - backends that this version does not have: they say so. */
#include <stdio.h>

#include "device/backend.h"

static size_t count_none(char *reason, size_t capacity) {
  snprintf(reason, capacity, "this version of Moho was built without it");
  return 0;
}

const moho_backend moho_backend_metal = {.name = "metal", .count = count_none};
