/* kernel_memo.c - what was read of kernels' texts. */
#include "device/kernel_memo.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PLACES = 64, WORDS = 400 };

typedef struct place {
  const moho_kernel_definition *definition;
  uint64_t used; /* when last */
  char constants[WORDS];
  moho_kernel_memo memo;
} place;

static struct {
  pthread_mutex_t lock;
  place places[PLACES];
  uint64_t clock;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* "NAME=bits of the value[f];" each, in their order. @return 0: they are too long */
static int words_of(const moho_kernel_options *options, char words[WORDS]) {
  size_t at = 0;
  words[0] = 0;
  for (size_t i = 0; i < options->n_constants; i++) {
    const moho_constant *c = &options->constants[i];
    uint64_t bits;
    if (!c->name) return 0;
    memcpy(&bits, &c->value, sizeof bits);
    int n = snprintf(words + at, WORDS - at, "%s=%llx%s;", c->name, (unsigned long long)bits, c->is_float ? "f" : "");
    if (n < 0 || (size_t)n >= WORDS - at) return 0;
    at += (size_t)n;
  }
  return 1;
}

static place *find(const moho_kernel_definition *definition, const char *words) {
  for (place *p = known.places; p < known.places + PLACES; p++)
    if (p->definition == definition && strcmp(p->constants, words) == 0) return p;
  return NULL;
}

/* Empty, or unused for longest. */
static place *to_fill(void) {
  place *oldest = known.places;
  for (place *p = known.places; p < known.places + PLACES; p++)
    if (p->used < oldest->used) oldest = p;
  return oldest;
}

int moho_kernel_recall(const moho_kernel_definition *definition, const moho_kernel_options *options, moho_kernel_memo *out) {
  char words[WORDS];
  if (!words_of(options, words)) return 0;
  pthread_mutex_lock(&known.lock);
  place *found = find(definition, words);
  if (found) *out = found->memo, found->used = ++known.clock;
  pthread_mutex_unlock(&known.lock);
  return found != NULL;
}

void moho_kernel_remember(const moho_kernel_definition *definition, const moho_kernel_options *options,
                          const moho_kernel_memo *memo) {
  char words[WORDS];
  if (!words_of(options, words)) return;
  pthread_mutex_lock(&known.lock);
  place *to = find(definition, words);
  if (!to) to = to_fill();
  to->definition = definition, to->memo = *memo, to->used = ++known.clock;
  memcpy(to->constants, words, sizeof words);
  pthread_mutex_unlock(&known.lock);
}
