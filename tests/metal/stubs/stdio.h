/* stdio.h - of macOS, as far as src/device/metal needs it to be checked without an SDK (scripts/check_metal.sh). */
#ifndef MOHO_STUB_STDIO_H
#define MOHO_STUB_STDIO_H
#include <stddef.h>
int snprintf(char *restrict out, size_t capacity, const char *restrict format, ...) __attribute__((format(printf, 3, 4)));
#endif
