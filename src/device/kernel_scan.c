/* kernel_scan.c - walking through a kernel's text word by word, without compiling it. */
#include "device/kernel_scan.h"

#include <ctype.h>
#include <string.h>

int moho_scan_is_letter(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

const char *moho_scan_skip(const char *at) {
  for (;;) {
    at += strspn(at, " \t\r\n\f\v\\"); /* the backslash: a line that goes on */
    if (strncmp(at, "/*", 2) == 0) {
      const char *end = strstr(at + 2, "*/");
      at = end ? end + 2 : at + strlen(at);
    } else if (strncmp(at, "//", 2) == 0) {
      at += strcspn(at, "\n");
    } else {
      return at;
    }
  }
}

const char *moho_scan_word(const char *at, char *word, size_t capacity) {
  size_t n = 0;
  for (; moho_scan_is_letter(*at); at++)
    if (n + 1 < capacity) word[n++] = *at;
  word[n] = '\0';
  return at;
}

const char *moho_scan_directive(const char *line, const char *word) {
  line += strspn(line, " \t");
  if (*line != '#') return NULL;
  line++;
  line += strspn(line, " \t");
  size_t n = strlen(word);
  return strncmp(line, word, n) == 0 && !moho_scan_is_letter(line[n]) ? line + n + strspn(line + n, " \t") : NULL;
}

/* Behind the lines of a #define. */
static const char *macro_end(const char *at) {
  do at += strcspn(at, "\n") + 1;
  while (at[-1] && at[-2] == '\\' && *at);
  return at[-1] ? at : at - 1;
}

int moho_scan_kernel(const char **place, moho_scanned_kernel *out, int *by_macro) {
  char word[80];
  for (const char *at = moho_scan_skip(*place); *at; at = moho_scan_skip(at)) {
    if (moho_scan_directive(at, "define")) {
      const char *end = macro_end(at), *made = strstr(at, "KERNEL");
      if (made && made < end) *by_macro = 1;
      at = end;
      continue;
    }
    const char *end = moho_scan_word(at, word, sizeof word);
    at = end > at ? end : at + 1;
    out->uses_group = strcmp(word, "KERNEL_GROUP") == 0;
    if ((!out->uses_group && strcmp(word, "KERNEL")) || *moho_scan_skip(at) != '(') continue;
    at = moho_scan_word(moho_scan_skip(moho_scan_skip(at) + 1), out->name, sizeof out->name);
    if (!*out->name || *moho_scan_skip(at) != ',') continue;
    *place = out->parameters = moho_scan_skip(at) + 1;
    return 1;
  }
  return 0;
}
