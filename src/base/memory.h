/* memory.h - checked allocation: sizes are size_t, products cannot overflow, arrays are 64-byte aligned. */
#ifndef MOHO_BASE_MEMORY_H
#define MOHO_BASE_MEMORY_H

#include "base/fail.h"

/* Zeroed, 64-byte aligned array of count*size bytes into *out (a void** of any pointer type); free with free().
 * what: names it in the error. MOHO_ERROR_MEMORY gives the size. */
moho_status moho_allocate(size_t count, size_t size, const char *what, void *out);

/* Large arrays begin at a large page, and ask for such pages where the system leaves that to the program (Linux): fewer look-ups
 * of addresses. The alignment of an array of `bytes` that is to have at least `alignment`; the asking, a hint. */
size_t moho_large_alignment(size_t bytes, size_t alignment);
void moho_advise_large_pages(void *memory, size_t bytes);

/* a*b, or MOHO_ERROR_RANGE. */
moho_status moho_multiply(size_t a, size_t b, const char *what, size_t *out);

/* The next multiple; the sum must not overflow. */
static inline size_t moho_round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/* How many pieces of this size make n, the last one cut. */
static inline size_t moho_pieces(size_t n, size_t size) {
  return n / size + (n % size != 0);
}

static inline size_t moho_smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* From now on large arrays go back to the system when they are freed. glibc otherwise keeps up to 32 MiB of each in its heaps,
 * where later small ones hold them fast: a process that bounds its memory grows to several times of what it holds. Elsewhere
 * nothing. */
void moho_give_back_freed(void);

/* "1.5 GiB" for people; returns buffer. */
const char *moho_bytes_text(double bytes, char buffer[32]);

/* Bytes of the machine's memory, and of it what is free for use (Linux: MemAvailable, cgroup limits respected). */
size_t moho_machine_memory(void);
size_t moho_machine_memory_free(void);
/* The most bytes that this process ever held at once (resident); 0 when not known. */
size_t moho_process_memory_peak(void);

#endif
