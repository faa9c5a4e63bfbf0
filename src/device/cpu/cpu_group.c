/* cpu_group.c - the lanes of a group on one thread, taking turns where they meet.
 *
 * A lane runs until it comes to a barrier or a SIMD operation; then the next lane that can run does, straight from stack to
 * stack. Who comes last to a meeting releases the others and goes on. When nobody can run and not all have ended, lanes that
 * should meet do not: the launch fails with the lines where they are.
 */
#include "device/cpu/cpu_group.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/cpu/fibers.h"
#include "kernels/kern.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES ((size_t)256 << 10)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK_BYTES ((size_t)256 << 10)
#endif
#endif
#ifndef STACK_BYTES
#define STACK_BYTES ((size_t)64 << 10)
#endif
/* Stacks are not a power of two apart: their hot ends would share a few sets of the processor's caches. */
#define STACK_STRIDE (STACK_BYTES + 13 * 64)
#define CANARY_WORDS 8
#define CANARY 0x6b657270206e7552u

enum { SIMD = 32, SIMD_GROUPS = MOHO_CPU_MAX_LANES / SIMD };

typedef enum { RUNNING, AT_BARRIER, AT_SIMD, ENDED } whereabouts;

typedef struct crew_lane {
  kern_lane here; /* first: what the kernel is given */
  moho_crew *crew;
  moho_fiber fiber;
  whereabouts at;
  int line;
} crew_lane;

/* 32 lanes by linear index; the last may be fewer. A word stays until all have read it: they bring the next one after that, to
 * the other of two boards. */
typedef struct simd_group {
  uint32_t all, ready; /* lanes that it has; of them those that can run */
  uint32_t arrived;
  int line;
  uint32_t turn;
  kern_words boards[2];
} simd_group;

struct moho_crew {
  const moho_group_launch *launch;
  uint32_t capacity; /* lanes */
  uint32_t lanes;    /* of this launch */
  uint32_t n_simd;
  uint32_t at_barrier, ended;
  int barrier_line;
  moho_fiber thread;
  moho_error error;
  moho_status failed;
  void *stacks;
  size_t stacks_bytes, page;
  void *block; /* group memory */
  size_t block_bytes;
  simd_group simd[SIMD_GROUPS];
  crew_lane lanes_of[]; /* [capacity] */
};

/* ---- taking turns ---- */

static crew_lane *next_ready(moho_crew *crew, uint32_t lane) {
  uint32_t s = lane / SIMD, ready = crew->simd[s].ready, later = ready & ~((2u << lane % SIMD) - 1u);
  for (uint32_t k = 1; !ready && k < crew->n_simd; k++) {
    s = s + 1 == crew->n_simd ? 0 : s + 1;
    later = ready = crew->simd[s].ready;
  }
  if (!ready) return NULL;
  return &crew->lanes_of[s * SIMD + (uint32_t)__builtin_ctz(later ? later : ready)];
}

static const char *place_of(const crew_lane *lane, char text[64]) {
  const char *what = lane->at == AT_BARRIER ? "waits at the barrier" : "waits at the SIMD operation";
  if (lane->at == ENDED) snprintf(text, 64, "has ended");
  else snprintf(text, 64, "%s of line %d", what, lane->line);
  return text;
}

static moho_status meeting_failed(moho_crew *crew, const crew_lane *a, const crew_lane *b) {
  char place_a[64], place_b[64];
  return moho_fail_at(
      (moho_place){0},
      "all lanes of a group must come to the same BARRIER, all lanes of a SIMD group to the same SIMD operation: no "
      "return or branch that differs between lanes around them",
      MOHO_ERROR_DEVICE, "kernel %s: group (%u, %u): lane %u %s while lane %u %s", crew->launch->name, a->here.group[0],
      a->here.group[1], a->here.lane, place_of(a, place_a), b->here.lane, place_of(b, place_b));
}

/* Back to the thread for good; the fibers are prepared anew before the next group. */
static void give_up(crew_lane *lane, const crew_lane *a, const crew_lane *b) {
  moho_crew *crew = lane->crew;
  crew->failed = meeting_failed(crew, a, b);
  moho_fiber_switch(&lane->fiber, &crew->thread);
}

/* Nobody can run: somebody waits for a lane that ended or waits elsewhere. */
static void give_up_stuck(crew_lane *lane) {
  moho_crew *crew = lane->crew;
  const crew_lane *waiting = NULL, *other = NULL;
  for (uint32_t i = 0; i < crew->lanes && !waiting; i++)
    if (crew->lanes_of[i].at != ENDED) waiting = &crew->lanes_of[i];
  uint32_t first = 0, end = crew->lanes; /* who waits at a SIMD operation waits for its own 32 */
  if (waiting->at == AT_SIMD) first = waiting->here.lane / SIMD * SIMD, end = MIN(first + SIMD, crew->lanes);
  for (uint32_t i = first; i < end && !other; i++)
    if (crew->lanes_of[i].at != waiting->at) other = &crew->lanes_of[i];
  give_up(lane, other, waiting);
}

static void let_others_run(crew_lane *lane) {
  crew_lane *next = next_ready(lane->crew, lane->here.lane);
  if (next) moho_fiber_switch(&lane->fiber, &next->fiber);
  else give_up_stuck(lane);
}

/* Who came first to a meeting, at another line than `lane`. */
static void give_up_elsewhere(crew_lane *lane, whereabouts at, int line) {
  moho_crew *crew = lane->crew;
  for (uint32_t i = 0; i < crew->lanes; i++)
    if (crew->lanes_of[i].at == at && crew->lanes_of[i].line == line) give_up(lane, lane, &crew->lanes_of[i]);
}

static void wait_at_barrier(kern_lane *here, int line) {
  crew_lane *lane = (crew_lane *)here;
  moho_crew *crew = lane->crew;
  lane->at = AT_BARRIER;
  lane->line = line;
  if (crew->at_barrier++ == 0) crew->barrier_line = line;
  if (line != crew->barrier_line) give_up_elsewhere(lane, AT_BARRIER, crew->barrier_line);
  if (crew->at_barrier == crew->lanes) {
    crew->at_barrier = 0;
    for (uint32_t s = 0; s < crew->n_simd; s++) crew->simd[s].ready = crew->simd[s].all;
  } else {
    crew->simd[here->lane / SIMD].ready &= ~(1u << here->lane % SIMD);
    let_others_run(lane);
  }
  lane->at = RUNNING;
}

static const kern_words *exchange_words(kern_lane *here, uint32_t word, int line) {
  crew_lane *lane = (crew_lane *)here;
  moho_crew *crew = lane->crew;
  simd_group *simd = &crew->simd[here->lane / SIMD];
  kern_words *board = &simd->boards[simd->turn & 1u];
  uint32_t bit = 1u << here->lane % SIMD;
  lane->at = AT_SIMD;
  lane->line = line;
  if (simd->arrived == 0) {
    simd->line = line;
    board->bits = 0;
  }
  if (line != simd->line) give_up_elsewhere(lane, AT_SIMD, simd->line);
  board->words[here->lane % SIMD] = word;
  if (word) board->bits |= bit;
  simd->arrived |= bit;
  if (simd->arrived == simd->all) {
    simd->arrived = 0;
    simd->turn++;
    simd->ready = simd->all;
  } else {
    simd->ready &= ~bit;
    let_others_run(lane);
  }
  lane->at = RUNNING;
  return board;
}

/* A fiber's life: the lane's part of one group after another. */
static void lane_main(void *argument) {
  crew_lane *lane = argument;
  moho_crew *crew = lane->crew;
  for (;;) {
    const moho_group_launch *launch = crew->launch;
    lane->at = RUNNING;
    launch->function(launch->buffers, launch->parameters, &lane->here);
    lane->at = ENDED;
    crew->simd[lane->here.lane / SIMD].ready &= ~(1u << lane->here.lane % SIMD);
    if (++crew->ended == crew->lanes) moho_fiber_switch(&lane->fiber, &crew->thread);
    else let_others_run(lane);
  }
}

/* ---- stacks ---- */

static unsigned char *stack_of(const moho_crew *crew, uint32_t lane) {
  return (unsigned char *)crew->stacks + crew->page + lane * STACK_STRIDE;
}

static void set_canary(moho_crew *crew, uint32_t lane) {
  uint64_t *words = (uint64_t *)(void *)stack_of(crew, lane);
  for (int i = 0; i < CANARY_WORDS; i++) words[i] = CANARY;
}

static int canary_is_whole(const moho_crew *crew, uint32_t lane) {
  const uint64_t *words = (const uint64_t *)(const void *)stack_of(crew, lane);
  for (int i = 0; i < CANARY_WORDS; i++)
    if (words[i] != CANARY) return 0;
  return 1;
}

static moho_status prepare_lane(moho_crew *crew, uint32_t i) {
  crew_lane *lane = &crew->lanes_of[i];
  moho_fiber_forget(&lane->fiber);
  lane->crew = crew;
  size_t kept = CANARY_WORDS * sizeof(uint64_t);
  set_canary(crew, i);
  if (!moho_fiber_prepare(&lane->fiber, stack_of(crew, i) + kept, STACK_BYTES - kept, lane_main, lane))
    return moho_fail(MOHO_ERROR_MEMORY, "cpu: no memory for the lanes of a group");
  return MOHO_OK;
}

moho_status moho_crew_create(uint32_t lanes, moho_crew **out) {
  *out = NULL;
  moho_crew *crew;
  MOHO_TRY(moho_allocate(1, sizeof *crew + lanes * sizeof(crew_lane), "lanes of a group", &crew));
  crew->capacity = lanes;
  crew->page = (size_t)sysconf(_SC_PAGESIZE);
  crew->stacks_bytes = crew->page + lanes * STACK_STRIDE;
  crew->stacks = mmap(NULL, crew->stacks_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (crew->stacks == MAP_FAILED) {
    free(crew);
    return moho_fail(MOHO_ERROR_MEMORY, "cpu: no memory for the stacks of %u lanes (%zu bytes)", lanes, lanes * STACK_STRIDE);
  }
  /* A guard page below them all; between them canaries: a page each would be more maps than a system allows a process. */
  mprotect(crew->stacks, crew->page, PROT_NONE);
  *out = crew;
  moho_status status = MOHO_OK;
  for (uint32_t i = 0; i < lanes && !status; i++) status = prepare_lane(crew, i);
  if (status) {
    moho_crew_destroy(crew);
    *out = NULL;
  }
  return status;
}

void moho_crew_destroy(moho_crew *crew) {
  if (!crew) return;
  for (uint32_t i = 0; i < crew->capacity; i++) moho_fiber_forget(&crew->lanes_of[i].fiber);
  munmap(crew->stacks, crew->stacks_bytes);
  free(crew->block);
  free(crew);
}

uint32_t moho_crew_lanes(const moho_crew *crew) {
  return crew->capacity;
}

/* ---- a launch ---- */

moho_status moho_crew_begin(moho_crew *crew, const moho_group_launch *launch) {
  if (crew->block_bytes != launch->group_memory) { /* exactly as long as asked for: sanitizers see overruns */
    free(crew->block);
    crew->block = NULL;
    crew->block_bytes = 0;
    MOHO_TRY(moho_allocate(launch->group_memory, 1, "group memory", &crew->block));
    crew->block_bytes = launch->group_memory;
  }
  crew->launch = launch;
  crew->lanes = launch->lanes;
  crew->n_simd = (launch->lanes + SIMD - 1) / SIMD;
  crew->thread = moho_fiber_of_thread();
  for (uint32_t s = 0; s < crew->n_simd; s++) {
    uint32_t n = MIN(launch->lanes - s * SIMD, (uint32_t)SIMD);
    crew->simd[s] = (simd_group){.all = n == SIMD ? 0xffffffffu : (1u << n) - 1u};
    crew->simd[s].boards[0].count = crew->simd[s].boards[1].count = n;
  }
  for (uint32_t i = 0; i < launch->lanes; i++)
    crew->lanes_of[i].here = (kern_lane){.lane = i,
                                         .lanes = launch->lanes,
                                         .groups = {launch->groups[0], launch->groups[1]},
                                         .block = crew->block,
                                         .barrier = wait_at_barrier,
                                         .exchange = exchange_words};
  return MOHO_OK;
}

moho_status moho_crew_run(moho_crew *crew, uint32_t x, uint32_t y) {
  for (uint32_t i = 0; i < crew->lanes; i++) {
    crew->lanes_of[i].here.group[0] = x;
    crew->lanes_of[i].here.group[1] = y;
  }
  for (uint32_t s = 0; s < crew->n_simd; s++) {
    crew->simd[s].ready = crew->simd[s].all;
    crew->simd[s].arrived = 0;
  }
  if (crew->block_bytes) memset(crew->block, 0xff, crew->block_bytes); /* undefined on every device: NaN here */
  crew->at_barrier = crew->ended = 0;
  crew->failed = MOHO_OK;
  moho_fiber_switch(&crew->thread, &crew->lanes_of[0].fiber);
  if (!crew->failed) return MOHO_OK;
  crew->error = *moho_last_error();
  for (uint32_t i = 0; i < crew->lanes; i++) MOHO_TRY(prepare_lane(crew, i));
  return moho_error_set(&crew->error);
}

moho_status moho_crew_end(moho_crew *crew) {
  for (uint32_t i = 0; i < crew->lanes; i++)
    if (!canary_is_whole(crew, i)) {
      for (uint32_t k = 0; k < crew->lanes; k++) MOHO_TRY(prepare_lane(crew, k));
      return moho_fail_at((moho_place){0}, "keep a lane's arrays small: on GPUs they would be spilled", MOHO_ERROR_DEVICE,
                          "kernel %s: a lane needs more than the %zu bytes of stack it has", crew->launch->name, STACK_BYTES);
    }
  return MOHO_OK;
}

/* ---- lanes that never meet ---- */

typedef struct plain_lane {
  kern_lane here;
  const char *name;
  jmp_buf out;
  int line;
} plain_lane;

static void no_barrier(kern_lane *here, int line) {
  plain_lane *lane = (plain_lane *)here;
  lane->line = line;
  _longjmp(lane->out, 1);
}

static const kern_words *no_exchange(kern_lane *here, uint32_t word, int line) {
  (void)word;
  no_barrier(here, line);
  return NULL;
}

moho_status moho_group_run_plain(const moho_group_launch *launch, uint32_t x, uint32_t y) {
  if (launch->group_memory)
    return moho_fail_at((moho_place){0}, "set uses_group in its moho_kernel_definition", MOHO_ERROR_DEVICE,
                        "kernel %s: %zu bytes of group memory, but it is registered as one whose lanes share none", launch->name,
                        launch->group_memory);
  plain_lane lane = {.here = {.lanes = launch->lanes,
                              .group = {x, y},
                              .groups = {launch->groups[0], launch->groups[1]},
                              .barrier = no_barrier,
                              .exchange = no_exchange}};
  if (_setjmp(lane.out))
    return moho_fail_at((moho_place){0}, "set uses_group in its moho_kernel_definition", MOHO_ERROR_DEVICE,
                        "kernel %s: lanes meet at line %d, but it is registered as one whose lanes never do", launch->name,
                        lane.line);
  for (uint32_t i = 0; i < launch->lanes; i++) {
    lane.here.lane = i;
    launch->function(launch->buffers, launch->parameters, &lane.here);
  }
  return MOHO_OK;
}
