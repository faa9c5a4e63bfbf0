/* test_fibers.c - stacks that take turns, and the lanes of a group on them: who must meet does, who cannot is told where. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kern.h"
#include "device/cpu/cpu_group.h"
#include "device/cpu/fibers.h"
#include "test_support.h"

/* ---- bare fibers ---- */

enum { FIBERS = 5, TURNS = 1000 };

typedef struct walker {
  moho_fiber fiber, *back;
  double value;
  int id, turns;
  int is_aligned;
} walker;

/* Doubles live in registers that a switch must keep. */
static void walk(void *argument) {
  walker *me = argument;
  double a = me->id, b = 1, c = 0.5;
  char local[64] __attribute__((aligned(16)));
  for (;;) {
    memset(local, me->id, sizeof local);
    moho_fiber_switch(&me->fiber, me->back);
    a = a * 1.0000001 + b * c;
    me->turns++;
    me->value = a;
    me->is_aligned = (uintptr_t)local % 16 == 0 && local[63] == me->id;
  }
}

static void fibers_keep_their_registers(void **state) {
  (void)state;
  enum { BYTES = 256 << 10 };
  static walker walkers[FIBERS];
  moho_fiber here = moho_fiber_of_thread();
  char *stacks = malloc((size_t)FIBERS * BYTES);
  assert_non_null(stacks);
  for (int i = 0; i < FIBERS; i++) {
    walkers[i] = (walker){.id = i + 1, .back = &here};
    assert_true(moho_fiber_prepare(&walkers[i].fiber, stacks + (size_t)i * BYTES, BYTES, walk, &walkers[i]));
  }
  double mine = 3;
  for (int turn = 0; turn <= TURNS; turn++) {
    mine = mine * 0.999 + 1;
    for (int i = 0; i < FIBERS; i++) moho_fiber_switch(&here, &walkers[i].fiber);
  }
  double expected = 3;
  for (int turn = 0; turn <= TURNS; turn++) expected = expected * 0.999 + 1;
  assert_true(mine == expected);
  for (int i = 0; i < FIBERS; i++) {
    double a = i + 1;
    for (int turn = 0; turn < TURNS; turn++) a = a * 1.0000001 + 0.5;
    assert_int_equal(walkers[i].turns, TURNS);
    assert_true(walkers[i].value == a);
    assert_true(walkers[i].is_aligned);
    moho_fiber_forget(&walkers[i].fiber);
  }
  free(stacks);
}

/* ---- groups ---- */

typedef struct group_parameters {
  uint kind, at;
} group_parameters;

/* Every lane adds what its neighbour on the right had in the round before. */
KERNEL_GROUP(ring, 1024, INOUT(0, uint, out), PARAM(1, group_parameters, p)) {
  LOCAL uint *shared = GROUP_MEMORY(uint);
  uint mine = LANE + 100u * GROUP_X;
  for (uint round = 0; round < p->at; round++) {
    shared[LANE] = mine;
    BARRIER();
    mine += shared[LANE + 1u == LANES ? 0u : LANE + 1u];
    BARRIER();
  }
  out[GROUP_X * LANES + LANE] = mine;
}

/* SIMD groups run on their own: some do more operations than others between barriers; the last may be a part of one. */
KERNEL_GROUP(uneven, 1024, INOUT(0, uint, out), PARAM(1, group_parameters, p)) {
  LOCAL uint *shared = GROUP_MEMORY(uint);
  uint sum = 0;
  for (uint k = 0; k <= SIMD_GROUP + p->kind; k++)
    sum += POPCOUNT(SIMD_BALLOT((LANE + k) % 3u == 0u)) + SIMD_SHUFFLE(LANE + k, 1u);
  shared[LANE] = sum;
  BARRIER();
  out[GROUP_X * LANES + LANE] = shared[LANES - 1u - LANE];
}

/* What lanes must not do. Lane p->at differs from the others. */
KERNEL_GROUP(apart, 1024, INOUT(0, uint, out), PARAM(1, group_parameters, p)) {
  uint odd = LANE == p->at ? 1u : 0u;
  if (p->kind == 1u && odd) return;
  if (p->kind == 2u && odd) {
    BARRIER();
    return;
  }
  if (p->kind == 3u && !odd) out[0] = SIMD_BALLOT(1);
  if (p->kind == 4u) {
    if (odd) out[0] = SIMD_BALLOT(1);
    else out[1] = SIMD_SHUFFLE(LANE, 0u);
  }
  if (p->kind == 5u && !odd) {
    BARRIER();
    return;
  }
  BARRIER();
  out[2u + LANE] = LANE;
}

/* Arrays of a lane, of which it has a few KiB. */
KERNEL_GROUP(deep, 64, INOUT(0, uint, out), PARAM(1, group_parameters, p)) {
  volatile uint array[1024];
  for (uint i = 0; i < 1024u; i++) array[i] = i + p->at;
  BARRIER();
  out[LANE] = array[1023];
}

static moho_group_launch launch_of(const char *name, moho_c_function function, void *const *buffers, const group_parameters *p,
                                   uint32_t lanes) {
  return (moho_group_launch){.name = name,
                             .function = function,
                             .buffers = buffers,
                             .parameters = p,
                             .groups = {3, 1},
                             .lanes = lanes,
                             .group_memory = (lanes * 4 + 15) / 16 * 16};
}

static void lanes_meet(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1, 2, 31, 32, 33, 64, 100, 256, 500, 1024};
  moho_crew *crew;
  assert_ok(moho_crew_create(1024, &crew));
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    uint32_t lanes = sizes[s], *out = calloc(3 * lanes, 4), now[1024], next[1024];
    void *buffers[] = {out};
    group_parameters p = {.at = 9};
    moho_group_launch launch = launch_of("ring", KERN_C_FUNCTION(ring), buffers, &p, lanes);
    assert_ok(moho_crew_begin(crew, &launch));
    for (uint32_t g = 0; g < 3; g++) assert_ok(moho_crew_run(crew, g, 0));
    assert_ok(moho_crew_end(crew));
    for (uint32_t g = 0; g < 3; g++) {
      for (uint32_t i = 0; i < lanes; i++) now[i] = i + 100 * g;
      for (int round = 0; round < 9; round++) {
        for (uint32_t i = 0; i < lanes; i++) next[i] = now[i] + now[(i + 1) % lanes];
        memcpy(now, next, sizeof now);
      }
      assert_memory_equal(out + g * lanes, now, lanes * 4);
    }
    free(out);
  }
  moho_crew_destroy(crew);
}

static void simd_groups_are_independent(void **state) {
  (void)state;
  static const uint32_t sizes[] = {5, 32, 64, 70, 256, 300};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    uint32_t lanes = sizes[s], *out = calloc(3 * lanes, 4);
    void *buffers[] = {out};
    group_parameters p = {.kind = 2};
    moho_group_launch launch = launch_of("uneven", KERN_C_FUNCTION(uneven), buffers, &p, lanes);
    moho_crew *crew;
    assert_ok(moho_crew_create(lanes, &crew));
    assert_ok(moho_crew_begin(crew, &launch));
    assert_ok(moho_crew_run(crew, 1, 0));
    assert_ok(moho_crew_end(crew));
    for (uint32_t i = 0; i < lanes; i++) {
      uint32_t lane = lanes - 1 - i, base = lane / 32 * 32, end = base + 32 < lanes ? base + 32 : lanes, sum = 0;
      for (uint32_t k = 0; k <= lane / 32 + 2; k++) {
        for (uint32_t j = base; j < end; j++) sum += (j + k) % 3 == 0;
        sum += (end > base + 1 ? base + 1 : lane) + k;
      }
      assert_int_equal(out[lanes + i], sum);
    }
    moho_crew_destroy(crew);
    free(out);
  }
}

static void lanes_that_do_not_meet(void **state) {
  (void)state;
  static const struct {
    uint kind, at;
    const char *words;
  } cases[] = {
      {1, 7, "lane 7 has ended while lane 0 waits at the barrier of line"},
      {1, 0, "lane 0 has ended while lane 1 waits at the barrier of line"},
      {2, 40, "lane 40 waits at the barrier of line"},
      {3, 33, "lane 32 waits at the SIMD operation of line"},
      {4, 5, "lane 5 waits at the SIMD operation of line"},
      {5, 63, "lane 63 waits at the barrier of line"},
  };
  uint32_t out[80];
  void *buffers[] = {out};
  moho_crew *crew;
  assert_ok(moho_crew_create(64, &crew));
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
    for (int again = 0; again < 2; again++) { /* a crew that failed works again */
      group_parameters p = {cases[c].kind, cases[c].at}, good = {0, 0};
      moho_group_launch launch = launch_of("apart", KERN_C_FUNCTION(apart), buffers, &p, 64);
      assert_ok(moho_crew_begin(crew, &launch));
      assert_fails(moho_crew_run(crew, 2, 0), MOHO_ERROR_DEVICE, "kernel apart: group (2, 0): lane");
      assert_fails(moho_crew_run(crew, 2, 0), MOHO_ERROR_DEVICE, cases[c].words);
      memset(out, 0, sizeof out);
      launch = launch_of("apart", KERN_C_FUNCTION(apart), buffers, &good, 64);
      assert_ok(moho_crew_begin(crew, &launch));
      assert_ok(moho_crew_run(crew, 1, 0));
      assert_ok(moho_crew_end(crew));
      for (uint32_t i = 0; i < 64; i++) assert_int_equal(out[2 + i], i);
    }
  moho_crew_destroy(crew);
}

static void big_frames(void **state) {
  (void)state;
  uint32_t out[64];
  void *buffers[] = {out};
  group_parameters p = {.at = 17};
  moho_group_launch launch = launch_of("deep", KERN_C_FUNCTION(deep), buffers, &p, 64);
  moho_crew *crew;
  assert_ok(moho_crew_create(64, &crew));
  assert_ok(moho_crew_begin(crew, &launch));
  assert_ok(moho_crew_run(crew, 0, 0));
  assert_ok(moho_crew_end(crew));
  for (int i = 0; i < 64; i++) assert_int_equal(out[i], 1023 + 17);
  moho_crew_destroy(crew);
}

static void plain_lanes_may_not_meet(void **state) {
  (void)state;
  uint32_t out[1100] = {0};
  void *buffers[] = {out};
  group_parameters p = {.at = 2};
  moho_group_launch launch = launch_of("ring", KERN_C_FUNCTION(ring), buffers, &p, 8);
  assert_fails(moho_group_run_plain(&launch, 0, 0), MOHO_ERROR_DEVICE, "kernel ring");
  launch.group_memory = 0;
  launch = launch_of("apart", KERN_C_FUNCTION(apart), buffers, &p, 8);
  launch.group_memory = 0;
  assert_fails(moho_group_run_plain(&launch, 0, 0), MOHO_ERROR_DEVICE, "lanes meet at line");
}

/* ---- crews go from thread to thread ---- */

static void *use_crew(void *argument) {
  moho_crew *crew = argument;
  uint32_t out[3 * 96];
  void *buffers[] = {out};
  group_parameters p = {.at = 40};
  moho_group_launch launch = launch_of("ring", KERN_C_FUNCTION(ring), buffers, &p, 96);
  int good = moho_crew_begin(crew, &launch) == MOHO_OK;
  for (uint32_t g = 0; g < 3 && good; g++) good = moho_crew_run(crew, g, 0) == MOHO_OK;
  return moho_crew_end(crew) == MOHO_OK && good ? crew : NULL;
}

static void crews_change_threads(void **state) {
  (void)state;
  moho_crew *crew;
  assert_ok(moho_crew_create(128, &crew));
  for (int i = 0; i < 6; i++) {
    pthread_t thread;
    void *result = i % 2 ? use_crew(crew) : NULL;
    if (i % 2 == 0) {
      assert_int_equal(pthread_create(&thread, NULL, use_crew, crew), 0);
      pthread_join(thread, &result);
    }
    assert_ptr_equal(result, crew);
  }
  moho_crew_destroy(crew);
}

/* Not a test of a bound: the figure that says what barriers cost here. */
static void cost_of_meeting(void **state) {
  (void)state;
  enum { LANES_HERE = 256, ROUNDS = 400 };
  uint32_t out[3 * LANES_HERE];
  void *buffers[] = {out};
  group_parameters p = {.at = ROUNDS};
  moho_group_launch launch = launch_of("ring", KERN_C_FUNCTION(ring), buffers, &p, LANES_HERE);
  moho_crew *crew;
  struct timespec begin, end;
  assert_ok(moho_crew_create(LANES_HERE, &crew));
  assert_ok(moho_crew_begin(crew, &launch));
  clock_gettime(CLOCK_MONOTONIC, &begin);
  assert_ok(moho_crew_run(crew, 0, 0));
  clock_gettime(CLOCK_MONOTONIC, &end);
  moho_crew_destroy(crew);
  double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
  print_message("a barrier costs a lane %.1f ns (%d lanes, %d barriers)\n", seconds / (2.0 * ROUNDS * LANES_HERE) * 1e9,
                LANES_HERE, 2 * ROUNDS);
  assert_true(seconds < 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fibers_keep_their_registers),
      cmocka_unit_test(lanes_meet),
      cmocka_unit_test(simd_groups_are_independent),
      cmocka_unit_test(lanes_that_do_not_meet),
      cmocka_unit_test(big_frames),
      cmocka_unit_test(plain_lanes_may_not_meet),
      cmocka_unit_test(crews_change_threads),
      cmocka_unit_test(cost_of_meeting),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
