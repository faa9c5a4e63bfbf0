/* offset_mute.c - the mutes by offset and image time. */
#include "migrate/offset_mute.h"

#include <math.h>

static double time_of_line(const moho_mute_line *line, double offset_m) {
  if (offset_m <= line->offset_m[0]) return line->time_s[0];
  for (size_t i = 1; i < line->n; i++) {
    double past = offset_m - line->offset_m[i - 1], length = line->offset_m[i] - line->offset_m[i - 1];
    if (past <= length) return line->time_s[i - 1] + past / length * (line->time_s[i] - line->time_s[i - 1]);
  }
  return line->time_s[line->n - 1];
}

moho_mute_window moho_mute_window_of(const moho_migration_options *options, double offset_m) {
  moho_mute_window window = {-INFINITY, INFINITY};
  if (options->outer_mute.n) window.earliest_s = time_of_line(&options->outer_mute, offset_m) * (1 - 4e-6);
  if (options->inner_mute.n) window.latest_s = time_of_line(&options->inner_mute, offset_m) * (1 + 4e-6);
  return window;
}

/* First i in [0, n] whose time is at least `limit`, or beyond it. Decided by the sum that a sample's time is. */
static int32_t first_at(double first_s, double step_s, int32_t n, double limit, int beyond) {
  double guess = floor((limit - first_s) / step_s) - 1;
  int32_t i = !(guess > 0) ? 0 : guess < n ? (int32_t)guess : n;
  while (i < n && (beyond ? first_s + (double)i * step_s <= limit : first_s + (double)i * step_s < limit)) i++;
  return i;
}

void moho_mute_samples(const moho_mute_window *window, double first_s, double step_s, int32_t n, int32_t *first, int32_t *end) {
  *first = first_at(first_s, step_s, n, window->earliest_s, 0);
  *end = first_at(first_s, step_s, n, window->latest_s, 1);
  if (*end < *first) *end = *first;
}
