/* device_uri.c - "cpu?threads=8&simd=avx2" taken apart. */
#include "device/device_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "device/cpu/cpu_features.h"

static const char *const backends[] = {"auto", "cpu", "cuda", "metal"};
static const char *const keys[] = {"threads", "simd"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static moho_status unknown(const char *what, const char *got, const char *const *names, size_t count) {
  const char *nearest = moho_nearest_name(got, names, count);
  char list[120] = "";
  for (size_t i = 0; i < count; i++) snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  char hint[160];
  snprintf(hint, sizeof hint, nearest ? "did you mean \"%s\"?" : "see `moho devices`", nearest);
  return moho_fail_at((moho_place){.key = "device"}, hint, MOHO_ERROR_ARGUMENT, "device: unknown %s \"%s\", expected one of: %s",
                      what, got, list);
}

static int index_of(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(name, names[i]) == 0) return (int)i;
  return -1;
}

static moho_status parse_simd(const char *value, int *simd) {
  const char *names[MOHO_SIMD_COUNT];
  for (moho_simd s = MOHO_SIMD_SCALAR; s < MOHO_SIMD_COUNT; s++) names[s] = moho_simd_name(s);
  *simd = index_of(value, names, COUNT(names));
  return *simd < 0 ? unknown("simd", value, names, COUNT(names)) : MOHO_OK;
}

static moho_status parse_option(char *option, moho_device_uri *out) {
  char *equals = strchr(option, '=');
  if (!equals)
    return moho_fail_at((moho_place){.key = "device"}, "write it as cpu?threads=4", MOHO_ERROR_ARGUMENT,
                        "device: \"%s\" has no value, expected key=value", option);
  *equals = '\0';
  if (strcmp(option, "simd") == 0) return parse_simd(equals + 1, &out->simd);
  if (strcmp(option, "threads")) return unknown("option", option, keys, COUNT(keys));
  int64_t threads;
  MOHO_TRY(moho_parse_int(equals + 1, "device: threads", &threads));
  if (threads < 1 || threads > 4096)
    return moho_fail(MOHO_ERROR_ARGUMENT, "device: threads is %lld, expected 1 to 4096", (long long)threads);
  out->threads = (int)threads;
  return MOHO_OK;
}

moho_status moho_device_uri_parse(const char *text, moho_device_uri *out) {
  char copy[128];
  *out = (moho_device_uri){.simd = -1};
  if (strlen(text) >= sizeof copy)
    return moho_fail(MOHO_ERROR_ARGUMENT, "device: \"%.40s...\" is too long for a device name", text);
  strcpy(copy, text);
  char *rest = strchr(copy, '?');
  if (rest) *rest++ = '\0';
  char *ordinal = strchr(copy, ':');
  if (ordinal) *ordinal = '\0';
  if (index_of(copy, backends, COUNT(backends)) < 0) return unknown("backend", copy, backends, COUNT(backends));
  if (ordinal && strcmp(copy, "cuda") && strcmp(copy, "metal"))
    return moho_fail(MOHO_ERROR_ARGUMENT, "device: \"%s\" takes no number, got \":%s\"", copy, ordinal + 1);
  snprintf(out->backend, sizeof out->backend, "%.15s", copy);
  for (char *next; rest && *rest; rest = next) {
    next = strchr(rest, '&');
    if (next) *next++ = '\0';
    MOHO_TRY(parse_option(rest, out));
  }
  return MOHO_OK;
}
