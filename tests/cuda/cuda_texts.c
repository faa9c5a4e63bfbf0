/* cuda_texts.c - kern.h put into a kernel's text. */
#include "cuda_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

extern const char moho_text_cuda_test_kern[];

char *kernel_text_whole(const char *defines, const char *text) {
  static const char include[] = "#include \"kern.h\"";
  const char *at = strstr(text, include);
  int line = 1;
  char *whole = NULL;
  if (!at) return asprintf(&whole, "%s%s", defines, text) < 0 ? NULL : whole;
  /* Lines are those of the file that the last #line before the include names. */
  char file[200] = "text";
  for (const char *p = text; p < at; p++) {
    if (*p == '\n') line++;
    if ((p == text || p[-1] == '\n') && sscanf(p, "#line %d \"%199[^\"]\"", &line, file) == 2) line--;
  }
  int n = asprintf(&whole, "%s%.*s\n%s\n#line %d \"%s\"%s", defines, (int)(at - text), text, moho_text_cuda_test_kern, line + 1,
                   file, at + strlen(include));
  return n < 0 ? NULL : whole;
}

moho_unit kernel_unit(const char *name, const char *defines, const char *text) {
  moho_unit unit = {.name = name, .text = kernel_text_whole(defines, text)};
  uint8_t digest[32];
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, name, strlen(name) + 1);
  moho_sha256_add(&hash, unit.text, strlen(unit.text));
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, unit.key);
  return unit;
}

void kernel_unit_free(moho_unit *unit) {
  free((char *)(uintptr_t)unit->text);
  unit->text = NULL;
}
