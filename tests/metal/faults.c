/* faults.c - what shall go wrong: from the environment (MOHO_METAL_DOUBLE_FAULT=name[:n[+]],name...) or asked by a test.
 *
 * A fault happens always (n = 0), or only at the n-th occasion from when it was asked for, or (n+) from that one on.
 */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_NAME(name) #name,
static const char *const fault_names[FAULT_COUNT] = {DOUBLE_FAULTS(FAULT_NAME)};
enum { OFF = -1, ALWAYS = 0 };
static long fault_at[FAULT_COUNT];
static bool fault_lasts[FAULT_COUNT];
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fault_once = PTHREAD_ONCE_INIT;

const char *double_setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

static void set_fault(const char *name, size_t length, long nth, bool lasts) {
  for (int i = 0; i < FAULT_COUNT; i++)
    if (strlen(fault_names[i]) == length && !strncmp(fault_names[i], name, length)) {
      fault_at[i] = nth;
      fault_lasts[i] = lasts;
      return;
    }
  double_complain("no fault is called '%.*s'", (int)length, name);
}

static void read_environment(void) {
  for (int i = 0; i < FAULT_COUNT; i++) fault_at[i] = OFF;
  for (const char *at = double_setting("MOHO_METAL_DOUBLE_FAULT", ""); *at;) {
    size_t length = strcspn(at, ":,");
    char *end = (char *)at + length;
    long nth = *end == ':' ? strtol(end + 1, &end, 10) : ALWAYS;
    set_fault(at, length, nth, *end == '+');
    at += strcspn(at, ",");
    at += *at == ',';
  }
}

DOUBLE_EXPORT void moho_metal_double_fault(const char *name, long nth);
void moho_metal_double_fault(const char *name, long nth) {
  pthread_once(&fault_once, read_environment);
  pthread_mutex_lock(&fault_lock);
  set_fault(name, strlen(name), nth, false);
  pthread_mutex_unlock(&fault_lock);
}

bool double_fault_now(double_fault which) {
  pthread_once(&fault_once, read_environment);
  pthread_mutex_lock(&fault_lock);
  long at = fault_at[which];
  bool now = at == ALWAYS || at == 1;
  if (at > 0) fault_at[which] = at > 1 ? at - 1 : fault_lasts[which] ? ALWAYS : OFF;
  pthread_mutex_unlock(&fault_lock);
  return now;
}

void double_fault_for_ever(double_fault which) {
  pthread_mutex_lock(&fault_lock);
  fault_at[which] = ALWAYS;
  pthread_mutex_unlock(&fault_lock);
}
