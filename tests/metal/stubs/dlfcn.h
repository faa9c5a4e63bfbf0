/* dlfcn.h - of macOS, as far as src/device/metal needs it to be checked without an SDK (scripts/check_metal.sh). */
#ifndef MOHO_STUB_DLFCN_H
#define MOHO_STUB_DLFCN_H
#define RTLD_LAZY 0x1
#define RTLD_NOW 0x2
#define RTLD_LOCAL 0x4
void *dlopen(const char *path, int mode);
void *dlsym(void *handle, const char *symbol);
char *dlerror(void);
#endif
