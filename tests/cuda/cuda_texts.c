/* cuda_texts.c - kernels' texts as units for the backend. */
#include "cuda_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/kernel_text.h"
#include "test_support.h"

int kernel_name_next(const char **at, char name[64]) {
  for (const char *line = *at; line && *line; line = strchr(line, '\n'), line += line != NULL) {
    if (sscanf(line, "KERNEL(%63[a-z0-9_],", name) != 1 && sscanf(line, "KERNEL_GROUP(%63[a-z0-9_],", name) != 1) continue;
    *at = line + 1;
    return 1;
  }
  return 0;
}

moho_unit kernel_unit(const char *name, const moho_constant *constants, size_t n_constants, const char *text) {
  moho_unit unit = {.name = name};
  const moho_kernel_options options = {.name = name, .constants = constants, .n_constants = n_constants};
  char *whole;
  assert_ok(moho_kernel_text_make(&options, text, &whole, unit.key));
  unit.text = whole;
  return unit;
}

void kernel_unit_free(moho_unit *unit) {
  free((char *)(uintptr_t)unit->text);
  unit->text = NULL;
}
