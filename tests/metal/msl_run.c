/* msl_run.c - a launch on the cpu: groups one after another on a few threads, the lanes of a group as fibers.
 *
 * Lanes stop at barriers and SIMD operations. All lanes of a group must meet at one barrier, all lanes of a SIMD group (32, by
 * linear index) at one SIMD operation; whatever else is a hang or rubbish on a GPU, and a complaint here. The order in which
 * groups and lanes take turns is a schedule: MOHO_METAL_DOUBLE_SCHEDULE=0 forward, 1 backward, else shuffled by that seed;
 * even ones run a SIMD group as far as it goes, odd ones step from one to the next. MOHO_METAL_DOUBLE_THREADS: 1, 2 ...
 * Denormals count as zero, as they may on a GPU.
 */
#include "double.h"
#include "msl.h"
#include "msl_watch.h"

#include "device/cpu/fibers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK = 64 * 1024, FENCE = 16 * 1024 };

typedef enum { READY, AT_BARRIER, AT_SIMD, FINISHED } lane_state;

typedef struct group_lane {
  moho_fiber fiber;
  lane_state state;
  unsigned line;  /* of the text, where it stopped */
  unsigned word;  /* brought to a SIMD operation */
  unsigned flags; /* of its barrier */
  bool is_begun;
  msl_position position;
} group_lane;

/* One thread's group at work. */
typedef struct group_runner {
  const msl_dispatch *dispatch;
  unsigned n_lanes, schedule, turn;
  bool is_watched;
  group_lane *lanes; /* [DOUBLE_LANES] */
  group_lane *now;
  moho_fiber home;
  unsigned words[DOUBLE_LANES / MSL_SIMD][MSL_SIMD], there[DOUBLE_LANES / MSL_SIMD]; /* last SIMD operation's */
  unsigned char *block;                                                              /* group memory */
  void *group_memory[MSL_ARGUMENTS];
  struct group_runner *next; /* of the idle ones */
} group_runner;

static _Thread_local group_runner *here;

/* Not inlined: after a switch of stacks the thread may be asked anew. */
__attribute__((noinline)) static group_runner *runner_here(void) {
  return here;
}

/* ---- what a lane asks for ---- */

static void stop(lane_state state, unsigned line, unsigned flags) {
  group_runner *runner = runner_here();
  group_lane *lane = runner->now;
  lane->flags = flags;
  lane->state = state;
  lane->line = line;
  moho_fiber_switch(&lane->fiber, &runner->home);
}

static void lane_barrier(unsigned flags, unsigned line) {
  stop(AT_BARRIER, line, flags);
}

static void lane_simd_barrier(unsigned flags, unsigned line) {
  stop(AT_SIMD, line, flags);
}

static unsigned lane_exchange(unsigned word, unsigned *words, unsigned line) {
  group_lane *lane = runner_here()->now;
  lane->word = word;
  stop(AT_SIMD, line, 0);
  const group_runner *runner = runner_here();
  unsigned group = lane->position.lane / MSL_SIMD;
  memcpy(words, runner->words[group], sizeof runner->words[group]);
  return runner->there[group];
}

static unsigned lane_in_simd(void) {
  return runner_here()->now->position.lane % MSL_SIMD;
}

static void lane_access(const void *address, unsigned bytes, int how) {
  const group_runner *runner = runner_here();
  if (!runner->is_watched) return;
  msl_watch_access(&runner->now->position, runner->now->fiber.stack, STACK, address, bytes, how);
}

const msl_services msl_services_of_runner = {lane_barrier, lane_simd_barrier, lane_exchange, lane_in_simd, lane_access};

/* ---- turns ---- */

/* The i-th of n in this schedule: a permutation that changes with `turn`. */
static unsigned ordered(unsigned schedule, unsigned turn, unsigned i, unsigned n) {
  if (schedule == 0) return i;
  if (schedule == 1) return n - 1 - i;
  unsigned mix = (schedule * 2654435761u) ^ (turn * 40503u), step = mix % n | 1u;
  for (;; step += 2) { /* a step without a common divisor */
    unsigned a = step, b = n;
    while (b) {
      unsigned rest = a % b;
      a = b, b = rest;
    }
    if (a == 1) break;
  }
  return (unsigned)(((uint64_t)i * step + (mix >> 16)) % n);
}

static void lane_main(void *argument) {
  group_runner *runner = runner_here();
  group_lane *lane = argument;
  runner->dispatch->kernel->entry(runner->dispatch->buffers, runner->group_memory, &lane->position);
  stop(FINISHED, 0, 0);
  double_complain("a lane goes on after its end");
}

static void run_lane(group_runner *runner, group_lane *lane) {
  if (!lane->is_begun) {
    unsigned char *stack = lane->fiber.stack;
    if (!moho_fiber_prepare(&lane->fiber, stack, STACK, lane_main, lane)) double_complain("out of memory");
    lane->is_begun = true;
  }
  lane->state = READY;
  runner->now = lane;
  moho_fiber_switch(&runner->home, &lane->fiber);
  if (lane->state == FINISHED) {
    void *stack = lane->fiber.stack;
    moho_fiber_forget(&lane->fiber);
    lane->fiber.stack = stack;
  }
}

__attribute__((noreturn)) static void complain_divergent(const group_runner *runner, const char *what, unsigned first,
                                                         unsigned n) {
  static const char *const places[] = {"runs", "waits at a barrier", "waits at a SIMD operation", "has finished"};
  const group_lane *one = &runner->lanes[first], *other = one;
  for (unsigned i = first; i < first + n; i++)
    if (runner->lanes[i].state != one->state || runner->lanes[i].line != one->line) other = &runner->lanes[i];
  double_complain("kernel '%s', group (%u, %u): %s: lane %u %s (line %u), lane %u %s (line %u)", runner->dispatch->kernel->name,
                  one->position.group[0], one->position.group[1], what, one->position.lane, places[one->state], one->line,
                  other->position.lane, places[other->state], other->line);
}

/* All lanes of the SIMD group stand at the same operation: hand the words round. */
static bool join_simd(group_runner *runner, unsigned group) {
  unsigned first = group * MSL_SIMD, n = runner->n_lanes - first < MSL_SIMD ? runner->n_lanes - first : MSL_SIMD, at = 0;
  for (unsigned i = 0; i < n; i++) at += runner->lanes[first + i].state == AT_SIMD;
  if (at < n) return false;
  for (unsigned i = 0; i < n; i++) {
    if (runner->lanes[first + i].line != runner->lanes[first].line)
      complain_divergent(runner, "lanes of a SIMD group are at different SIMD operations", first, n);
    runner->words[group][i] = runner->lanes[first + i].word;
    runner->lanes[first + i].state = READY;
  }
  if (runner->is_watched) msl_watch_simd_barrier(group, runner->lanes[first].flags);
  runner->there[group] = n == MSL_SIMD ? ~0u : (1u << n) - 1u;
  return true;
}

/* Lets the SIMD group's lanes run until they stop. */
static bool step_simd(group_runner *runner, unsigned group) {
  unsigned first = group * MSL_SIMD, n = runner->n_lanes - first < MSL_SIMD ? runner->n_lanes - first : MSL_SIMD;
  bool moved = false;
  runner->turn++;
  for (unsigned i = 0; i < n; i++) {
    group_lane *lane = &runner->lanes[first + ordered(runner->schedule, runner->turn, i, n)];
    if (lane->state != READY) continue;
    run_lane(runner, lane);
    moved = true;
  }
  return join_simd(runner, group) || moved;
}

/* All lanes stand at the same barrier: open it. */
static bool join_barrier(group_runner *runner) {
  for (unsigned i = 0; i < runner->n_lanes; i++)
    if (runner->lanes[i].state != AT_BARRIER || runner->lanes[i].line != runner->lanes[0].line) return false;
  for (unsigned i = 0; i < runner->n_lanes; i++) runner->lanes[i].state = READY;
  if (runner->is_watched) msl_watch_barrier(runner->lanes[0].flags);
  return true;
}

static unsigned count_finished(const group_runner *runner) {
  unsigned n = 0;
  for (unsigned i = 0; i < runner->n_lanes; i++) n += runner->lanes[i].state == FINISHED;
  return n;
}

static void place_lanes(group_runner *runner, const unsigned group[3]) {
  const msl_dispatch *d = runner->dispatch;
  for (unsigned i = 0; i < runner->n_lanes; i++) {
    group_lane *lane = &runner->lanes[i];
    lane->state = READY;
    lane->line = 0;
    lane->is_begun = false;
    lane->position =
        (msl_position){.lane = i, .local = {i % d->lanes[0], i / d->lanes[0] % d->lanes[1], i / (d->lanes[0] * d->lanes[1])}};
    memcpy(lane->position.lanes, d->lanes, sizeof d->lanes);
    memcpy(lane->position.group, group, sizeof d->groups);
    memcpy(lane->position.groups, d->groups, sizeof d->groups);
  }
}

static void run_group(group_runner *runner, const unsigned group[3]) {
  place_lanes(runner, group);
  size_t block = 0;
  for (unsigned i = 0; i < MSL_ARGUMENTS; i++) {
    runner->group_memory[i] = runner->dispatch->group_bytes[i] ? runner->block + block : NULL;
    block += runner->dispatch->group_bytes[i];
  }
  if (runner->is_watched) msl_watch_group(runner->group_memory);
  memset(runner->block, 0xc5, block); /* group memory begins as rubbish */
  unsigned n_simd = (runner->n_lanes + MSL_SIMD - 1) / MSL_SIMD;
  for (unsigned pass = 0; count_finished(runner) < runner->n_lanes; pass++) {
    bool moved = false;
    for (unsigned i = 0; i < n_simd; i++) {
      unsigned simd = ordered(runner->schedule, pass, i, n_simd);
      while (step_simd(runner, simd)) {
        moved = true;
        if (runner->schedule % 2) break;
      }
    }
    if (!moved && !join_barrier(runner))
      complain_divergent(runner, "its lanes do not meet at one barrier or SIMD operation", 0, runner->n_lanes);
  }
}

/* ---- threads ---- */

static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static group_runner *idle_runners;

static group_runner *make_runner(void) {
  group_runner *made = calloc(1, sizeof *made);
  if (made) made->lanes = calloc(DOUBLE_LANES, sizeof *made->lanes);
  if (!made || !made->lanes || posix_memalign((void **)&made->block, 256, DOUBLE_GROUP_MEMORY)) double_complain("out of memory");
  size_t bytes = (size_t)DOUBLE_LANES * (STACK + FENCE);
  unsigned char *stacks = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stacks == MAP_FAILED) double_complain("no memory for stacks: %s", strerror(errno));
  for (unsigned i = 0; i < DOUBLE_LANES; i++) {
    if (mprotect(stacks + i * (size_t)(STACK + FENCE), FENCE, PROT_NONE)) double_complain("mprotect: %s", strerror(errno));
    made->lanes[i].fiber.stack = stacks + i * (size_t)(STACK + FENCE) + FENCE;
  }
  return made;
}

static group_runner *take_runner(void) {
  pthread_mutex_lock(&idle_lock);
  group_runner *found = idle_runners;
  if (found) idle_runners = found->next;
  pthread_mutex_unlock(&idle_lock);
  return found ? found : make_runner();
}

static void give_runner(group_runner *runner) {
  pthread_mutex_lock(&idle_lock);
  runner->next = idle_runners;
  idle_runners = runner;
  pthread_mutex_unlock(&idle_lock);
}

typedef struct group_launch {
  const msl_dispatch *dispatch;
  unsigned schedule, n_groups;
  bool is_watched;
  atomic_uint next;
} group_launch;

static unsigned flush_denormals(void) {
#if defined(__x86_64__)
  unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | 0x8040u);
  return before;
#else
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" ::"r"(before | 1u << 24));
  return (unsigned)before;
#endif
}

static void restore_denormals(unsigned before) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(before);
#else
  __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)before));
#endif
}

static void *run_groups(void *argument) {
  group_launch *launch = argument;
  const msl_dispatch *d = launch->dispatch;
  group_runner *runner = take_runner();
  runner->dispatch = d;
  runner->schedule = launch->schedule;
  runner->is_watched = launch->is_watched;
  runner->n_lanes = d->lanes[0] * d->lanes[1] * d->lanes[2];
  runner->home = moho_fiber_of_thread();
  here = runner;
  unsigned before = flush_denormals();
  for (unsigned i; (i = atomic_fetch_add(&launch->next, 1)) < launch->n_groups;) {
    unsigned at = ordered(launch->schedule, 0, i, launch->n_groups);
    const unsigned group[3] = {at % d->groups[0], at / d->groups[0] % d->groups[1], at / (d->groups[0] * d->groups[1])};
    run_group(runner, group);
  }
  restore_denormals(before);
  here = NULL;
  give_runner(runner);
  return NULL;
}

static unsigned number_setting(const char *name, unsigned otherwise) {
  const char *text = double_setting(name, "");
  return *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void run_launch(const msl_dispatch *dispatch, bool is_watched) {
  group_launch launch = {.dispatch = dispatch,
                         .is_watched = is_watched,
                         .schedule = number_setting("MOHO_METAL_DOUBLE_SCHEDULE", 0),
                         .n_groups = dispatch->groups[0] * dispatch->groups[1] * dispatch->groups[2]};
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  unsigned threads = number_setting("MOHO_METAL_DOUBLE_THREADS", cpus < 1 ? 1 : cpus > 4 ? 4 : (unsigned)cpus);
  if (launch.is_watched || !threads) threads = 1;
  if (threads > launch.n_groups) threads = launch.n_groups;
  pthread_t helpers[64];
  unsigned n_helpers = 0;
  for (; n_helpers + 1 < threads && n_helpers < 64; n_helpers++)
    if (pthread_create(&helpers[n_helpers], NULL, run_groups, &launch)) break;
  run_groups(&launch);
  for (unsigned i = 0; i < n_helpers; i++) pthread_join(helpers[i], NULL);
}

void msl_run(const msl_dispatch *dispatch) {
  static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
  if (!msl_watch_wanted()) {
    run_launch(dispatch, false);
    return;
  }
  pthread_mutex_lock(&watch_lock);
  msl_watch_begin(dispatch);
  run_launch(dispatch, true);
  msl_watch_end();
  pthread_mutex_unlock(&watch_lock);
}
