/* kernel_registry.c - the kernels that were compiled into this program, by name. Definitions stay where they are: only pointers
 * are kept, in the order of their registration. */
#include "device/kernel_registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "device/kernel_text.h"

static struct {
  pthread_mutex_t lock;
  const moho_kernel_definition **all;
  size_t count, capacity;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const moho_kernel_definition *find(const char *name) {
  for (size_t i = 0; i < registry.count; i++)
    if (strcmp(registry.all[i]->name, name) == 0) return registry.all[i];
  return NULL;
}

static moho_status add(const moho_kernel_definition *definition) {
  if (registry.count == registry.capacity) {
    size_t capacity = registry.capacity ? 2 * registry.capacity : 32;
    const moho_kernel_definition **all = realloc(registry.all, capacity * sizeof(const moho_kernel_definition *));
    if (!all) return moho_fail(MOHO_ERROR_MEMORY, "kernel %s: no memory to register it", definition->name);
    registry.all = all;
    registry.capacity = capacity;
  }
  registry.all[registry.count++] = definition;
  return MOHO_OK;
}

/* The cpu would find out only when lanes do not meet. A KERNEL may have it too, for SIMD operations. */
static moho_status check_text(const moho_kernel_definition *definition) {
  moho_kernel_facts facts;
  if (!definition->text) return MOHO_OK;
  MOHO_TRY(moho_kernel_text_find(definition->text, NULL, definition->name, &facts));
  if (!facts.uses_group || !definition->c || definition->uses_group) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "set uses_group = 1", MOHO_ERROR_ARGUMENT,
                      "moho_kernel_register: kernel %s is a KERNEL_GROUP in its text, got uses_group = 0", definition->name);
}

moho_status moho_kernel_register(const moho_kernel_definition *definition) {
  if (!definition || !definition->name || !*definition->name)
    return moho_fail(MOHO_ERROR_ARGUMENT, "moho_kernel_register: a definition with a name is needed");
  if (strlen(definition->name) >= sizeof((moho_kernel_report *)0)->name)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: the name is too long, expected at most %zu letters", definition->name,
                     sizeof((moho_kernel_report *)0)->name - 1);
  if (moho_registry_find(definition->name) == definition) return MOHO_OK;
  MOHO_TRY(check_text(definition));
  pthread_mutex_lock(&registry.lock);
  const moho_kernel_definition *known = find(definition->name);
  moho_status status = MOHO_OK;
  if (!known) status = add(definition);
  else if (known != definition)
    status = moho_fail_at((moho_place){0}, "give one of them another name", MOHO_ERROR_EXISTS,
                          "kernel %s: another definition is registered under this name", definition->name);
  pthread_mutex_unlock(&registry.lock);
  return status;
}

const moho_kernel_definition *moho_registry_find(const char *name) {
  pthread_mutex_lock(&registry.lock);
  const moho_kernel_definition *known = find(name);
  pthread_mutex_unlock(&registry.lock);
  return known;
}

static const char *nearest(const char *name) {
  pthread_mutex_lock(&registry.lock);
  const char **names = registry.count ? malloc(registry.count * sizeof *names) : NULL;
  for (size_t i = 0; names && i < registry.count; i++) names[i] = registry.all[i]->name;
  const char *found = names ? moho_nearest_name(name, names, registry.count) : NULL;
  pthread_mutex_unlock(&registry.lock);
  free(names);
  return found;
}

moho_status moho_registry_not_found(const char *name, const char *device) {
  const char *near = nearest(name);
  char hint[400];
  int n = near && strcmp(near, name) ? snprintf(hint, sizeof hint, "did you mean \"%s\"? ", near) : 0;
  snprintf(hint + n, sizeof hint - (size_t)n,
           "compile it in: #include \"kern.h\" and the text in a C file, then moho_kernel_register() a definition with "
           "c = KERN_C_FUNCTION(%.60s)",
           name);
  if (near && strcmp(near, name) == 0)
    return moho_fail_at((moho_place){0}, "compile this text in, or give it another name", MOHO_ERROR_NOT_FOUND,
                        "%s: the kernel %s that was compiled in has another text than the one given", device, name);
  return moho_fail_at((moho_place){0}, hint, MOHO_ERROR_NOT_FOUND, "%s: no kernel %.64s was compiled into this program", device,
                      name);
}
