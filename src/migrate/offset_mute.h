/* offset_mute.h - the mutes by offset and image time: piecewise linear lines t0(|offset|) (docs/physics.md "Aperture, taper,
 * mutes"). They depend on the trace alone: what is left of a column is a window of t0, the same in all columns.
 */
#ifndef MOHO_MIGRATE_OFFSET_MUTE_H
#define MOHO_MIGRATE_OFFSET_MUTE_H

#include "moho/migration.h"

/* Image times that a trace may add to, ends widened as all edges are; infinite where there is no mute. */
typedef struct moho_mute_window {
  double earliest_s, latest_s;
} moho_mute_window;

moho_mute_window moho_mute_window_of(const moho_migration_options *options, double offset_m);

/* The same as samples [first, end) of an image axis of n. */
void moho_mute_samples(const moho_mute_window *window, double first_s, double step_s, int32_t n, int32_t *first, int32_t *end);

static inline int moho_is_in_mute_window(const moho_mute_window *window, double t0_s) {
  return t0_s >= window->earliest_s && t0_s <= window->latest_s;
}

#endif
