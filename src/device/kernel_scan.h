/* kernel_scan.h - walking through a kernel's text word by word, without compiling it. */
#ifndef MOHO_DEVICE_KERNEL_SCAN_H
#define MOHO_DEVICE_KERNEL_SCAN_H

#include <stddef.h>

/* Part of a name. */
int moho_scan_is_letter(char c);
/* The next place at or after `at` that is neither blank nor comment. */
const char *moho_scan_skip(const char *at);
/* Copies the word that begins at `at` (cut to capacity; "": none begins there) and returns its end. */
const char *moho_scan_word(const char *at, char *word, size_t capacity);
/* Behind "#  word" and blanks where a line is that directive, or NULL. */
const char *moho_scan_directive(const char *line, const char *word);

typedef struct moho_scanned_kernel {
  char name[80];          /* cut */
  int uses_group;         /* KERNEL_GROUP */
  const char *parameters; /* behind "KERNEL(name," */
} moho_scanned_kernel;

/* The next KERNEL(name, ...) or KERNEL_GROUP(name, ...) at or after *at, which moves behind it; 0: there is none. Macros' lines
 * are passed over; *by_macro is set to 1 where one of them may make kernels. */
int moho_scan_kernel(const char **at, moho_scanned_kernel *out, int *by_macro);

#endif
