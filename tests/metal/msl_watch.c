/* msl_watch.c - bounds, alignment, races and fresh group memory, for one launch at a time on one thread.
 *
 * Each byte that a lane touches has a cell: who wrote last, who read last. Two accesses of different lanes, one a write,
 * not both atomic, are a race unless a barrier that orders this kind of memory lies between; nothing orders two groups. Two
 * writes of the same value are let pass.
 */
#include "double.h"
#include "msl_watch.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct access_touch {
  uint32_t group;                                /* linear index + 1; 0: nobody */
  uint32_t lane : 12, is_atomic : 1, since : 19; /* since: barriers passed by then */
  uint32_t simd_since;
} access_touch;
typedef struct access_cell {
  access_touch write, read;
} access_cell;

enum { PAGE = 4096, CELL = 1, CELLS = PAGE / CELL, BUCKETS = 4096 };
typedef struct page {
  struct page *next;
  uintptr_t number;
  access_cell cells[CELLS];
} page;

static struct {
  const msl_dispatch *dispatch;
  void *const *group_memory;
  unsigned barriers[2], simd_barriers[2][DOUBLE_LANES / MSL_SIMD]; /* [0] device, [1] group memory */
  page *pages[BUCKETS], *last;
  /* A write over another lane's, to be judged when it has happened. */
  unsigned char before[16], *pending;
  unsigned pending_bytes;
  char words[512];
} watch;

bool msl_watch_wanted(void) {
  return atoi(double_setting("MOHO_METAL_DOUBLE_WATCH", "0")) != 0;
}

static void judge_pending(void) {
  if (watch.pending && memcmp(watch.pending, watch.before, watch.pending_bytes)) double_complain("%s", watch.words);
  watch.pending = NULL;
}

void msl_watch_begin(const msl_dispatch *dispatch) {
  watch.dispatch = dispatch;
}

void msl_watch_end(void) {
  judge_pending();
  for (size_t i = 0; i < BUCKETS; i++)
    for (page *next, *at = watch.pages[i]; at; at = next) {
      next = at->next;
      free(at);
    }
  memset(&watch, 0, sizeof watch);
}

static page *page_of(uintptr_t address) {
  uintptr_t number = address / PAGE;
  if (watch.last && watch.last->number == number) return watch.last;
  page **bucket = &watch.pages[number % BUCKETS];
  for (page *at = *bucket; at; at = at->next)
    if (at->number == number) return watch.last = at;
  page *made = calloc(1, sizeof *made);
  if (!made) double_complain("out of memory");
  made->number = number;
  made->next = *bucket;
  return watch.last = *bucket = made;
}

static access_cell *cell_of(uintptr_t address) {
  return &page_of(address)->cells[address % PAGE / CELL];
}

void msl_watch_group(void *const *group_memory) {
  judge_pending();
  watch.group_memory = group_memory;
  memset(watch.barriers, 0, sizeof watch.barriers);
  memset(watch.simd_barriers, 0, sizeof watch.simd_barriers);
  for (unsigned i = 0; i < MSL_ARGUMENTS; i++)
    for (size_t at = 0; at < watch.dispatch->group_bytes[i]; at += CELL)
      *cell_of((uintptr_t)group_memory[i] + at) = (access_cell){0};
}

void msl_watch_barrier(unsigned flags) {
  judge_pending();
  if (flags & MSL_FLAG_DEVICE) watch.barriers[0]++;
  if (flags & MSL_FLAG_GROUP) watch.barriers[1]++;
}

void msl_watch_simd_barrier(unsigned simd_group, unsigned flags) {
  judge_pending();
  if (flags & MSL_FLAG_DEVICE) watch.simd_barriers[0][simd_group]++;
  if (flags & MSL_FLAG_GROUP) watch.simd_barriers[1][simd_group]++;
}

/* ---- whose memory ---- */

typedef struct access_place {
  bool is_group;
  unsigned index;
  uintptr_t base;
  size_t bytes;
} access_place;

static bool holds(uintptr_t base, size_t total, uintptr_t at, unsigned bytes) {
  return at >= base && at - base <= total && bytes <= total - (at - base);
}

/* The bound memory that holds it whole; else the nearest one, and false. */
static bool find_place(uintptr_t at, unsigned bytes, access_place *found) {
  const msl_dispatch *d = watch.dispatch;
  size_t nearest = SIZE_MAX;
  *found = (access_place){.bytes = 0};
  for (unsigned i = 0; i < 2 * MSL_ARGUMENTS; i++) {
    bool is_group = i >= MSL_ARGUMENTS;
    unsigned index = i % MSL_ARGUMENTS;
    access_place here = {is_group, index, (uintptr_t)(is_group ? watch.group_memory[index] : d->buffers[index]),
                         is_group ? d->group_bytes[index] : d->buffer_bytes[index]};
    if (!here.base) continue;
    if (holds(here.base, here.bytes, at, bytes)) {
      *found = here;
      return true;
    }
    size_t distance = at < here.base ? here.base - at : at - here.base;
    if (distance < nearest) nearest = distance, *found = here;
  }
  return false;
}

static void describe(char *words, size_t capacity, const msl_position *lane, const access_place *place, uintptr_t at,
                     unsigned bytes, int how) {
  static const char *const verbs[] = {"reads", "writes", "adds to"};
  snprintf(words, capacity, "kernel '%s', group (%u, %u), lane %u %s %u bytes at %s(%u) + %lld of %zu",
           watch.dispatch->kernel->name, lane->group[0], lane->group[1], lane->lane, verbs[how], bytes,
           place->is_group ? "threadgroup" : "buffer", place->index, (long long)(at - place->base), place->bytes);
}

/* ---- races ---- */

static uint32_t group_number(const msl_position *lane) {
  return 1u + lane->group[0] + lane->groups[0] * (lane->group[1] + lane->groups[1] * lane->group[2]);
}

/* Did the touch happen before now, as this lane may know? */
static bool is_ordered(const access_touch *touch, const msl_position *lane, bool is_group) {
  if (!touch->group) return true;
  if (touch->group != group_number(lane)) return false;
  if (touch->lane == lane->lane || touch->since != (watch.barriers[is_group] & 0x7ffffu)) return true;
  unsigned simd = lane->lane / MSL_SIMD;
  return touch->lane / MSL_SIMD == simd && touch->simd_since != watch.simd_barriers[is_group][simd];
}

static void complain_race(const char *words, const access_touch *other, const char *verb) {
  unsigned group = other->group - 1, wide = watch.dispatch->groups[0];
  double_complain("%s: a race, lane %u of group (%u, %u) %s it with no barrier between", words, other->lane, group % wide,
                  group / wide, verb);
}

static void check_race(const msl_position *lane, const access_place *place, uintptr_t at, unsigned bytes, int how) {
  char words[300];
  access_touch now = {.group = group_number(lane),
                      .lane = lane->lane & 0xfffu,
                      .is_atomic = how == MSL_ATOMIC,
                      .since = watch.barriers[place->is_group] & 0x7ffffu,
                      .simd_since = watch.simd_barriers[place->is_group][lane->lane / MSL_SIMD]};
  for (uintptr_t byte = at / CELL * CELL; byte < at + bytes; byte += CELL) {
    access_cell *cell = cell_of(byte);
    bool both_atomic = how == MSL_ATOMIC && cell->write.is_atomic;
    if (!is_ordered(&cell->write, lane, place->is_group) && !both_atomic) {
      describe(words, sizeof words, lane, place, at, bytes, how);
      if (how != MSL_WRITE || bytes > sizeof watch.before) complain_race(words, &cell->write, "writes");
      snprintf(watch.words, sizeof watch.words, "%s: a race, lane %u of group %u wrote another value with no barrier between",
               words, cell->write.lane, cell->write.group - 1);
      memcpy(watch.before, (const void *)at, bytes);
      watch.pending = (unsigned char *)at;
      watch.pending_bytes = bytes;
    }
    if (how != MSL_READ && !is_ordered(&cell->read, lane, place->is_group)) {
      describe(words, sizeof words, lane, place, at, bytes, how);
      complain_race(words, &cell->read, "reads");
    }
    if (how == MSL_READ && place->is_group && !cell->write.group) {
      describe(words, sizeof words, lane, place, at, bytes, how);
      double_complain("%s: no lane of the group has written it", words);
    }
    if (how == MSL_READ) cell->read = now;
    else cell->write = now;
  }
}

void msl_watch_access(const msl_position *lane, const void *stack, size_t stack_bytes, const void *address, unsigned bytes,
                      int how) {
  uintptr_t at = (uintptr_t)address;
  bool must_align = !(how & MSL_UNALIGNED);
  how &= ~MSL_UNALIGNED;
  if (holds((uintptr_t)stack, stack_bytes, at, bytes)) return;
  judge_pending();
  access_place place;
  if (!find_place(at, bytes, &place)) {
    Dl_info info;
    if (how == MSL_READ && dladdr(address, &info)) return; /* the compiler's own tables */
    char words[300];
    describe(words, sizeof words, lane, &place, at, bytes, how);
    double_complain("%s: outside of what is bound", words);
  }
  if (must_align && at % bytes) {
    char words[300];
    describe(words, sizeof words, lane, &place, at, bytes, how);
    double_complain("%s: is not aligned to its size", words);
  }
  check_race(lane, &place, at, bytes, how);
}
