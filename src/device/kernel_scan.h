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

#endif
