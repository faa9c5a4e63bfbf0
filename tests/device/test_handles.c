/* test_handles.c - double destroy and late use are told; headers are used again late, or never; fork; many threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device_support.h"
#include "far_backend.h"

static void late_use(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_buffer *buffer, *copy;
  moho_buffer_report report;
  uint32_t word = 0;
  void *view;
  assert_ok(moho_buffer_create(device, 64, MOHO_MEMORY_HOST, &buffer));
  copy = buffer;
  assert_ok(moho_buffer_destroy(&buffer));
  assert_null(buffer);
  assert_ok(moho_buffer_destroy(&buffer)); /* NULL is fine */
  assert_fails(moho_buffer_write(copy, 0, &word, 4), MOHO_ERROR_HANDLE, "buffer: not a live object");
  assert_fails(moho_buffer_read(copy, 0, &word, 4), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_buffer_fill(copy, 0, 4, 0), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_buffer_copy(copy, 0, copy, 0, 4), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_buffer_map(copy, MOHO_MAP_READ, &view), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_buffer_unmap(copy), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_buffer_describe(copy, &report), MOHO_ERROR_HANDLE, "not a live object");
  assert_int_equal(moho_buffer_bytes(copy), 0);
  assert_fails(moho_buffer_destroy(&copy), MOHO_ERROR_HANDLE, "not a live object");
  assert_null(copy);
  assert_fails(moho_buffer_write(NULL, 0, &word, 4), MOHO_ERROR_ARGUMENT, "buffer: got NULL");
  assert_fails(moho_buffer_fill((moho_buffer *)(void *)device, 0, 4, 0), MOHO_ERROR_HANDLE, "buffer: not a live object");
  test_device_close(&device);
}

/* Creates and destroys until `wanted` comes again; how many it took, `most` + 1 where it did not. */
static size_t lives_until(moho_device *device, const moho_buffer *wanted, size_t most) {
  for (size_t i = 0; i < most; i++) {
    moho_buffer *buffer;
    assert_ok(moho_buffer_create(device, 64, MOHO_MEMORY_HOST, &buffer));
    int same = buffer == wanted;
    assert_ok(moho_buffer_destroy(&buffer));
    if (same) return i;
  }
  return most + 1;
}

/* A stale pointer is told for sure during the next MOHO_HANDLE_REST destructions, under check=1 for ever. */
static void headers_rest(void **state) {
  (void)state;
  moho_device *device = test_device_open(""), *checked = test_device_open("?check=1");
  moho_buffer *stale, *copy;
  assert_ok(moho_buffer_create(device, 64, MOHO_MEMORY_HOST, &stale));
  copy = stale;
  uint32_t generation = stale->handle.generation;
  assert_ok(moho_buffer_destroy(&stale));
  assert_in_range(lives_until(device, copy, 4 * MOHO_HANDLE_REST), MOHO_HANDLE_REST, 2 * MOHO_HANDLE_REST + 64);
  assert_int_equal(copy->handle.generation, generation + 1);

  assert_ok(moho_buffer_create(checked, 64, MOHO_MEMORY_HOST, &stale));
  copy = stale;
  assert_ok(moho_buffer_destroy(&stale));
  assert_int_equal(lives_until(checked, copy, 4 * MOHO_HANDLE_REST), 4 * MOHO_HANDLE_REST + 1);
  assert_fails(moho_buffer_destroy(&copy), MOHO_ERROR_HANDLE, "not a live object");
  test_device_close(&device);
  test_device_close(&checked);
}

/* Memory of a destroyed buffer stays until who holds it lets go. */
static void held_memory(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(0);
  moho_buffer *buffer, *held;
  moho_metrics metrics;
  assert_ok(moho_buffer_create(device, 1000, MOHO_MEMORY_DEVICE, &buffer));
  held = buffer;
  moho_buffer_retain(held);
  assert_ok(moho_buffer_destroy(&buffer));
  assert_ok(moho_device_metrics_get(device, &metrics));
  assert_int_equal(metrics.pool.active_count, 1);
  assert_fails(moho_buffer_fill(held, 0, 4, 0), MOHO_ERROR_HANDLE, "not a live object");
  moho_buffer_release(held);
  assert_ok(moho_device_metrics_get(device, &metrics));
  assert_int_equal(metrics.pool.active_count, 0);
  assert_int_equal(metrics.pool.cached_count, 1);
  assert_ok(moho_device_close(&device));
  assert_int_equal(far.held, 0);
}

/* In the child: everything inherited is refused with clear words, a device of its own works. 0: as it should be. */
static int child(moho_device *inherited, moho_buffer *buffer) {
  moho_device_report report;
  uint32_t word;
  moho_buffer *fresh;
  if (moho_device_describe(inherited, &report) != MOHO_ERROR_DEVICE) return 1;
  if (!strstr(moho_last_error()->message, "inherited by fork()")) return 2;
  if (moho_buffer_read(buffer, 0, &word, 4) != MOHO_ERROR_DEVICE) return 3;
  if (moho_buffer_create(inherited, 4, MOHO_MEMORY_HOST, &fresh) != MOHO_ERROR_DEVICE || fresh) return 4;
  if (moho_buffer_destroy(&buffer) != MOHO_ERROR_DEVICE || buffer) return 5;
  if (moho_device_close(&inherited) != MOHO_ERROR_DEVICE || inherited) return 6;
  moho_device *own;
  if (moho_device_open("cpu?threads=1", &own)) return 7;
  if (moho_buffer_create(own, 4096, MOHO_MEMORY_DEVICE, &fresh)) return 8;
  if (moho_buffer_fill(fresh, 0, 4096, 9) || moho_buffer_read(fresh, 8, &word, 4) || word != 9) return 9;
  if (moho_buffer_destroy(&fresh) || moho_device_close(&own)) return 10;
  return 0;
}

static void after_fork(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_buffer *buffer;
  uint32_t word = 5;
  assert_ok(moho_buffer_create(device, 64, MOHO_MEMORY_DEVICE, &buffer));
  assert_ok(moho_buffer_write(buffer, 0, &word, 4));
  pid_t pid = fork();
  if (pid == 0) _exit(child(device, buffer));
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  word = 0; /* the parent goes on */
  assert_ok(moho_buffer_read(buffer, 0, &word, 4));
  assert_int_equal(word, 5);
  assert_ok(moho_buffer_destroy(&buffer));
  test_device_close(&device);
}

enum { THREADS = 4, ROUNDS = 400 };

/* Nobody else's buffer is ever seen: each thread finds its own number in its own buffer. */
static void *churn(void *argument) {
  moho_device *device = *(moho_device **)argument;
  uint32_t mine = (uint32_t)(uintptr_t)pthread_self(), found;
  uintptr_t wrong = 0;
  for (size_t i = 0; i < ROUNDS; i++) {
    moho_buffer *buffer;
    size_t bytes = 64 + 64 * (i % 50);
    if (moho_buffer_create(device, bytes, i % 2 ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE, &buffer)) return (void *)1;
    wrong += moho_buffer_fill(buffer, 0, bytes, mine) != MOHO_OK;
    wrong += moho_buffer_read(buffer, bytes - 4, &found, 4) != MOHO_OK || found != mine;
    wrong += moho_buffer_destroy(&buffer) != MOHO_OK;
  }
  return (void *)wrong;
}

static void many_threads(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  pthread_t threads[THREADS];
  moho_metrics metrics;
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, churn, &device), 0);
  for (int i = 0; i < THREADS; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    assert_null(wrong);
  }
  assert_ok(moho_device_metrics_get(device, &metrics));
  assert_int_equal(metrics.pool.active_bytes, 0);
  assert_int_equal(metrics.pool.hits + metrics.pool.misses, THREADS * ROUNDS);
  test_device_close(&device);
}

/* Of several threads that destroy one buffer through copies of its pointer, one does it and the others are told. */
static void *destroy_once(void *argument) {
  moho_buffer *copy = *(moho_buffer **)argument;
  return (void *)(uintptr_t)(moho_buffer_destroy(&copy) == MOHO_OK);
}

static void one_destroys(void **state) {
  (void)state;
  moho_device *device = test_device_open("?check=1");
  for (int round = 0; round < 50; round++) {
    moho_buffer *buffer;
    pthread_t threads[THREADS];
    uintptr_t done = 0;
    assert_ok(moho_buffer_create(device, 64, MOHO_MEMORY_DEVICE, &buffer));
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, destroy_once, &buffer), 0);
    for (int i = 0; i < THREADS; i++) {
      void *did;
      pthread_join(threads[i], &did);
      done += (uintptr_t)did;
    }
    assert_int_equal(done, 1);
  }
  test_device_close(&device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(late_use),   cmocka_unit_test(headers_rest), cmocka_unit_test(held_memory),
      cmocka_unit_test(after_fork), cmocka_unit_test(many_threads), cmocka_unit_test(one_destroys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
