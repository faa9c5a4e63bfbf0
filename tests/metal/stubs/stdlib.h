/* stdlib.h - of macOS, as far as src/device/metal needs it to be checked without an SDK (scripts/check_metal.sh). */
#ifndef MOHO_STUB_STDLIB_H
#define MOHO_STUB_STDLIB_H
#include <stddef.h>
void free(void *memory);
char *getenv(const char *name);
#endif
