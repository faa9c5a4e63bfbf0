/* runs.h - the parts of a column that a trace contributes to, decided in double once per trace and column.
 *
 * docs/physics.md "Image, contribution, fold". Nearly always one run; more only where t falls with t0 (velocity rising
 * fast, far from the midpoint) and the record's ends cut the fold.
 */
#ifndef MOHO_MIGRATE_RUNS_H
#define MOHO_MIGRATE_RUNS_H

#include "migrate/column_table.h"

/* What of a trace no column changes. Lengths in metres, times in refined samples. */
typedef struct moho_trace_window {
  double half_offset2; /* h^2 */
  double low, high;    /* of t = t_s + t_r that count as inside the record (widened) */
  double least, most;  /* the same of what runs compare: of t, or of circles of sinh(c t) */
  double inverse_high; /* for guesses */
  int32_t first, end;  /* samples that the mutes by offset leave */
} moho_trace_window;

/* Of a record of n refined samples, the first at `shift`; all image samples. */
moho_trace_window moho_trace_window_of(const moho_travel_law *law, size_t n, double shift, double half_offset2);

/* A trace as a column sees it. */
typedef struct moho_run_query {
  const moho_trace_window *window;
  double distance;           /* |x - m| */
  double source2, receiver2; /* |x - s|^2, |x - r|^2 */
} moho_run_query;

typedef struct moho_interval {
  int32_t first, end;
} moho_interval;

/* Append the intervals to out [capacity >= n/2 + 1], return their number. *near: where the column's last interval
 * ended (any sample will do; it only makes the search short), updated. */
size_t moho_runs_find(const moho_column_table *table, const moho_travel_law *law, const moho_run_query *query, int32_t *near,
                      moho_interval *out);

#endif
