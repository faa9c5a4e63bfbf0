/* dispatcher.c - a dispatcher's life, its names, and the counts. */
#include "tensor/dispatcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/handle.h"

static const char *const group_names[MOHO_DISPATCH_GROUPS] = {
#define MOHO_GROUP_NAME(name, word) [name] = word,
    MOHO_DISPATCH_GROUP_TABLE(MOHO_GROUP_NAME)
#undef MOHO_GROUP_NAME
};
static const char *const strategy_names[MOHO_STRATEGY_COUNT] = {
#define MOHO_STRATEGY_NAME(name, word) [name] = word,
    MOHO_STRATEGY_TABLE(MOHO_STRATEGY_NAME)
#undef MOHO_STRATEGY_NAME
};

const char *moho_dispatch_group_name(moho_dispatch_group group) {
  return (unsigned)group < MOHO_DISPATCH_GROUPS ? group_names[group] : "unknown group";
}

const char *moho_strategy_name(moho_strategy strategy) {
  return (unsigned)strategy < MOHO_STRATEGY_COUNT ? strategy_names[strategy] : "unknown strategy";
}

moho_status moho_strategy_find(const char *word, moho_strategy *out) {
  for (int i = 0; word && i < MOHO_STRATEGY_COUNT; i++)
    if (!strcmp(word, strategy_names[i])) {
      *out = (moho_strategy)i;
      return MOHO_OK;
    }
  const char *near = word ? moho_nearest_name(word, strategy_names, MOHO_STRATEGY_COUNT) : NULL;
  char hint[100] = "priority, latency, throughput, memory, custom, forced";
  if (near) snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
  return moho_fail_at((moho_place){0}, hint, MOHO_ERROR_NOT_FOUND, "dispatch: no strategy \"%.60s\"", word ? word : "");
}

/* ---- made and ended ---- */

moho_dispatcher_options moho_dispatcher_options_default(void) {
  return (moho_dispatcher_options){.strategy = MOHO_STRATEGY_LATENCY, .may_move = 1, .measure_seconds = 0.1};
}

static moho_status check_index(const char *what, int index, int n) {
  if (index >= 0 && index < n) return MOHO_OK;
  return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %s is device %d, expected 0 to %d", what, index, n - 1);
}

static moho_status check_orders(const moho_dispatcher_options *options, int n) {
  for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++) {
    unsigned named = 0;
    if (options->n_order[g] < 0 || options->n_order[g] > n)
      return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: the order of %s names %d devices, expected 0 to %d", group_names[g],
                       options->n_order[g], n);
    for (int i = 0; i < options->n_order[g]; i++) {
      MOHO_TRY(check_index("an order's entry", options->order[g][i], n));
      if (named >> options->order[g][i] & 1u)
        return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: the order of %s names device %d twice", group_names[g],
                         options->order[g][i]);
      named |= 1u << options->order[g][i];
    }
  }
  return MOHO_OK;
}

static moho_status check_options(const moho_dispatcher_options *options, int n) {
  if ((unsigned)options->strategy >= MOHO_STRATEGY_COUNT)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: strategy %d, expected 0 to %d", (int)options->strategy,
                     MOHO_STRATEGY_COUNT - 1);
  if (!(options->measure_seconds > 0))
    return moho_fail_at((moho_place){0}, "begin with moho_dispatcher_options_default()", MOHO_ERROR_ARGUMENT,
                        "dispatch: measure_seconds is %g, expected more than 0", options->measure_seconds);
  if (options->strategy == MOHO_STRATEGY_FORCED) MOHO_TRY(check_index("the forced one", options->forced, n));
  return check_orders(options, n);
}

static moho_status add_device(moho_dispatcher *dispatcher, moho_device *device) {
  dispatch_device *added = &dispatcher->devices[dispatcher->n];
  for (int i = 0; i < dispatcher->n; i++)
    if (dispatcher->devices[i].device == device)
      return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: device %d is device %d again", dispatcher->n, i);
  MOHO_TRY(moho_device_describe(device, &added->report));
  added->device = device;
  dispatcher->n++;
  return MOHO_OK;
}

moho_status moho_dispatcher_create(moho_device *const *devices, size_t n, const moho_dispatcher_options *options,
                                   moho_dispatcher **out) {
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: nowhere to put the dispatcher, got NULL");
  *out = NULL;
  if (!devices || n < 1 || n > MOHO_DISPATCH_DEVICES)
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %zu devices, expected 1 to %d", devices ? n : 0, (int)MOHO_DISPATCH_DEVICES);
  const moho_dispatcher_options own = options ? *options : moho_dispatcher_options_default();
  MOHO_TRY(check_options(&own, (int)n));
  moho_dispatcher *made;
  MOHO_TRY(moho_allocate(1, sizeof *made, "a dispatcher", &made));
  made->options = own;
  pthread_mutex_init(&made->lock, NULL);
  moho_status status = MOHO_OK;
  for (size_t i = 0; !status && i < n; i++) status = add_device(made, devices[i]);
  if (status) moho_dispatcher_destroy(&made);
  *out = made;
  return status;
}

void moho_dispatcher_destroy(moho_dispatcher **dispatcher) {
  if (!dispatcher || !*dispatcher) return;
  pthread_mutex_destroy(&(*dispatcher)->lock);
  free(*dispatcher);
  *dispatcher = NULL;
}

moho_status dispatch_check(const moho_dispatcher *dispatcher) {
  return dispatcher ? MOHO_OK : moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: no dispatcher, got NULL");
}

/* ---- counts ---- */

moho_status moho_dispatcher_counts(moho_dispatcher *dispatcher, int device, moho_dispatch_counts *out) {
  MOHO_TRY(dispatch_check(dispatcher));
  MOHO_TRY(check_index("the one asked for", device, dispatcher->n));
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: nowhere to put the counts, got NULL");
  pthread_mutex_lock(&dispatcher->lock);
  *out = dispatcher->devices[device].counts;
  pthread_mutex_unlock(&dispatcher->lock);
  return MOHO_OK;
}
