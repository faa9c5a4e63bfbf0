/* memory.c - checked allocation and the machine's memory. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <sys/resource.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach/mach.h>
#include <sys/sysctl.h>
#endif

#define LARGE_PAGE ((size_t)2 << 20)
#define LARGE_ARRAY (2 * LARGE_PAGE)

moho_status moho_multiply(size_t a, size_t b, const char *what, size_t *out) {
  if (__builtin_mul_overflow(a, b, out))
    return moho_fail(MOHO_ERROR_RANGE, "%s: %zu x %zu is more than this machine can count", what, a, b);
  return MOHO_OK;
}

size_t moho_large_alignment(size_t bytes, size_t alignment) {
  return bytes >= LARGE_ARRAY && alignment < LARGE_PAGE ? LARGE_PAGE : alignment;
}

void moho_advise_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= LARGE_ARRAY) madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

moho_status moho_allocate(size_t count, size_t size, const char *what, void *out) {
  size_t bytes;
  *(void **)out = NULL;
  MOHO_TRY(moho_multiply(count, size, what, &bytes));
  if (bytes > SIZE_MAX - LARGE_PAGE)
    return moho_fail(MOHO_ERROR_RANGE, "%s: %zu bytes are more than this machine can count", what, bytes);
  size_t alignment = moho_large_alignment(bytes, 64), rounded = (bytes + alignment - 1) / alignment * alignment;
  void *memory = aligned_alloc(alignment, rounded ? rounded : 64);
  char text[32];
  if (!memory) return moho_fail(MOHO_ERROR_MEMORY, "%s: %s could not be allocated", what, moho_bytes_text((double)bytes, text));
  moho_advise_large_pages(memory, rounded);
  memset(memory, 0, rounded ? rounded : 64);
  *(void **)out = memory;
  return MOHO_OK;
}

const char *moho_bytes_text(double bytes, char buffer[32]) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < sizeof units / sizeof *units) bytes /= 1024, unit++;
  snprintf(buffer, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return buffer;
}

#ifdef __APPLE__
size_t moho_machine_memory(void) {
  uint64_t bytes = 0;
  size_t size = sizeof bytes;
  return sysctlbyname("hw.memsize", &bytes, &size, NULL, 0) ? 0 : (size_t)bytes;
}

size_t moho_machine_memory_free(void) {
  vm_statistics64_data_t statistics;
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&statistics, &count) != KERN_SUCCESS)
    return moho_machine_memory() / 2;
  return ((size_t)statistics.free_count + statistics.inactive_count) * (size_t)sysconf(_SC_PAGESIZE);
}
#else
size_t moho_machine_memory(void) {
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
}

/* The number after `name` at the beginning of a line, or SIZE_MAX ("max", no such line, no such file). */
static size_t number_in_file(const char *path, const char *name) {
  char line[128];
  unsigned long long value;
  size_t found = SIZE_MAX, length = strlen(name);
  FILE *file = fopen(path, "r");
  while (file && found == SIZE_MAX && fgets(line, sizeof line, file))
    if (!strncmp(line, name, length) && sscanf(line + length, "%llu", &value) == 1) found = (size_t)value;
  if (file) fclose(file);
  return found;
}

/* What a cgroup (version 2) leaves. Files read before count as used there, but their pages give way when memory is asked for. */
static size_t left_by_cgroup(void) {
  size_t limit = number_in_file("/sys/fs/cgroup/memory.max", ""), used = number_in_file("/sys/fs/cgroup/memory.current", ""),
         cached = number_in_file("/sys/fs/cgroup/memory.stat", "inactive_file ");
  if (limit == SIZE_MAX || used == SIZE_MAX) return SIZE_MAX;
  if (cached != SIZE_MAX) used = used > cached ? used - cached : 0;
  return limit > used ? limit - used : 0;
}

size_t moho_machine_memory_free(void) {
  size_t kib = number_in_file("/proc/meminfo", "MemAvailable:"), left = left_by_cgroup();
  size_t available = kib == SIZE_MAX ? moho_machine_memory() / 2 : kib * 1024;
  return left < available ? left : available;
}
#endif

size_t moho_process_memory_peak(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage)) return 0;
#ifdef __APPLE__
  return (size_t)usage.ru_maxrss;
#else
  return (size_t)usage.ru_maxrss * 1024;
#endif
}

/* ---- the heap ---- */

void moho_give_back_freed(void) {
#ifdef __GLIBC__
  enum { LARGE = 512 << 10 };
  mallopt(M_MMAP_THRESHOLD, LARGE);
  mallopt(M_TRIM_THRESHOLD, LARGE);
#endif
}
