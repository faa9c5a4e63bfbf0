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
