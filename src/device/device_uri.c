/* device_uri.c - "cpu?threads=8&simd=avx2" taken apart. */
#include "device/device_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "device/cpu/cpu_features.h"

static const char *const backends[] = {"auto", "cpu", "cuda", "metal"};
static const char *const keys[] = {"check", "threads", "simd"};

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

static moho_status parse_number(const char *value, const char *what, int least, int most, int *out) {
  int64_t number;
  MOHO_TRY(moho_parse_int(value, what, &number));
  if (number < least || number > most)
    return moho_fail_at((moho_place){.key = "device"}, NULL, MOHO_ERROR_ARGUMENT, "%s is %lld, expected %d to %d", what,
                        (long long)number, least, most);
  *out = (int)number;
  return MOHO_OK;
}

static moho_status parse_option(char *option, moho_device_uri *out) {
  char *equals = strchr(option, '=');
  if (!equals)
    return moho_fail_at((moho_place){.key = "device"}, "write it as cpu?threads=4", MOHO_ERROR_ARGUMENT,
                        "device: \"%s\" has no value, expected key=value", option);
  *equals = '\0';
  const char *value = equals + 1;
  if (strcmp(option, "threads") == 0) return parse_number(value, "device: threads", 1, 4096, &out->threads);
  if (strcmp(option, "check") == 0) return parse_number(value, "device: check", 0, 1, &out->check);
  if (strcmp(option, "simd")) return unknown("option", option, keys, COUNT(keys));
  if (strcmp(out->backend, "cpu") && strcmp(out->backend, "auto"))
    return moho_fail_at((moho_place){.key = "device"}, "leave simd out: it chooses the processor's own loops",
                        MOHO_ERROR_ARGUMENT, "device: %s takes no simd, got \"%s\"", out->backend, value);
  return parse_simd(value, &out->simd);
}

static moho_status parse_ordinal(const char *ordinal, moho_device_uri *out) {
  if (strcmp(out->backend, "cuda") && strcmp(out->backend, "metal"))
    return moho_fail_at((moho_place){.key = "device"}, "there is one: leave the number out", MOHO_ERROR_ARGUMENT,
                        "device: \"%s\" takes no number, got \":%s\"", out->backend, ordinal);
  return parse_number(ordinal, "device: the number after the colon", 0, 4095, &out->ordinal);
}

moho_status moho_device_uri_parse(const char *text, moho_device_uri *out) {
  char copy[128];
  *out = (moho_device_uri){.ordinal = -1, .simd = -1};
  if (strlen(text) >= sizeof copy)
    return moho_fail(MOHO_ERROR_ARGUMENT, "device: \"%.40s...\" is too long for a device name", text);
  strcpy(copy, text);
  char *rest = strchr(copy, '?');
  if (rest) *rest++ = '\0';
  char *ordinal = strchr(copy, ':');
  if (ordinal) *ordinal = '\0';
  if (index_of(copy, backends, COUNT(backends)) < 0) return unknown("backend", copy, backends, COUNT(backends));
  snprintf(out->backend, sizeof out->backend, "%.15s", copy);
  if (ordinal) MOHO_TRY(parse_ordinal(ordinal + 1, out));
  for (char *next; rest && *rest; rest = next) {
    next = strchr(rest, '&');
    if (next) *next++ = '\0';
    MOHO_TRY(parse_option(rest, out));
  }
  return MOHO_OK;
}
