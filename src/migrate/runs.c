/* runs.c - the parts of a column that a trace contributes to. */
#include "migrate/runs.h"

#include <math.h>

static double place_in_record(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query,
                              int32_t i) {
  double t1sq = axis->t1sq[i], s2 = table->s2[i];
  return sqrt(t1sq + query->source2 * s2) + sqrt(t1sq + query->receiver2 * s2) - query->shift;
}

/* First i in [low, n) for which limits[i] >= value; limits non-decreasing. */
static int32_t lower_bound(const double *limits, int32_t low, int32_t n, double value) {
  int32_t high = n;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (limits[middle] >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* First i in [low, n) whose place is beyond `limit` (at or beyond it, with at_least); places grow from low on. Steps double
 * away from the guess; once that would leave what is still open, halves. */
static int32_t first_beyond(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query, int32_t low,
                            int32_t n, double limit, int at_least, int32_t guess) {
  int32_t high = n, step = 1, i = guess < low ? low : guess >= n ? n - 1 : guess;
  while (low < high) {
    double place = place_in_record(table, axis, query, i);
    if (at_least ? place >= limit : place > limit) high = i, i -= step;
    else low = i + 1, i += step;
    step *= 2;
    if (i < low || i >= high) i = low + (high - low) / 2;
  }
  return low;
}

/* Where t leaves the record if the slowness were everywhere that of sample `near`: from t_s + t_r = T and
 * t_s^2 - t_r^2 = (d_s^2 - d_r^2) s2 follow t_s and so t1. Exact for a constant velocity, a good guess for others. */
static double guess_end(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query, int32_t near) {
  double s2 = table->s2[near < (int32_t)axis->n ? near : (int32_t)axis->n - 1], total = query->high + query->shift;
  double source_time = (total + (query->source2 - query->receiver2) * s2 / total) / 2;
  double t1sq = source_time * source_time - query->source2 * s2;
  return (sqrt(t1sq > 0 ? t1sq : 0) - axis->t1_first) / axis->t1_step + 1;
}

/* First sample past the record's end in [low, n), n where none is. */
static int32_t find_end(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query, int32_t low,
                        int32_t near) {
  int32_t n = (int32_t)axis->n;
  double guess = guess_end(table, axis, query, near);
  int32_t end = !(guess < n) ? n : guess > low + 1 ? (int32_t)guess : low + 1;
  if ((end == n || place_in_record(table, axis, query, end) > query->high) &&
      place_in_record(table, axis, query, end - 1) <= query->high)
    return end;
  return first_beyond(table, axis, query, low, n, query->high, 0, end);
}

static size_t append(moho_interval *out, size_t count, int32_t first, int32_t end) {
  if (first >= end) return count;
  if (count && out[count - 1].end == first) {
    out[count - 1].end = end;
    return count;
  }
  out[count] = (moho_interval){first, end};
  return count + 1;
}

static int is_muted(const moho_column_table *table, const moho_run_query *query, int32_t i) {
  return table->h2_limit && query->half_offset2 > table->h2_limit[i];
}

/* [low, high) sample by sample, whole blocks at once where bounds on t show them inside. */
static size_t scan(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query, int32_t low,
                   int32_t high, int test_mute, moho_interval *out, size_t count) {
  for (int32_t i = low; i < high;) {
    int32_t block = i / MOHO_TABLE_BLOCK, end = (block + 1) * MOHO_TABLE_BLOCK;
    if (end > high) end = high;
    double slowest = table->block_s2_max[block], fastest = table->block_s2_min[block], late = axis->t1sq[end - 1],
           early = axis->t1sq[i];
    double latest = sqrt(late + query->source2 * slowest) + sqrt(late + query->receiver2 * slowest) - query->shift;
    double earliest = sqrt(early + query->source2 * fastest) + sqrt(early + query->receiver2 * fastest) - query->shift;
    if (!test_mute && earliest >= query->low && latest <= query->high) {
      count = append(out, count, i, end);
    } else if (earliest <= query->high && latest >= query->low) {
      for (int32_t j = i; j < end; j++) {
        double place = place_in_record(table, axis, query, j);
        if (place >= query->low && place <= query->high && !(test_mute && is_muted(table, query, j)))
          count = append(out, count, j, j + 1);
      }
    }
    i = end;
  }
  return count;
}

size_t moho_runs_find(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query, int32_t *near,
                      moho_interval *out) {
  int32_t n = (int32_t)axis->n, first = moho_column_first_within(table, n, query->distance);
  if (first >= n) return 0;
  if (table->h2_limit) {
    if (!table->h2_limit_grows) return scan(table, axis, query, first, n, 1, out, 0);
    if (is_muted(table, query, first)) first = lower_bound(table->h2_limit, first, n, query->half_offset2);
    if (first >= n) return 0;
  }
  /* From `growing` on both legs grow with t0, so the record cuts at one place at either end. */
  double leg2 = fmax(query->source2, query->receiver2);
  int32_t growing = table->leg2_limit[first] >= leg2 ? first : lower_bound(table->leg2_limit, first, n, leg2);
  size_t count = growing > first ? scan(table, axis, query, first, growing, 0, out, 0) : 0;
  if (growing >= n) return count;
  int32_t begin = growing, end;
  if (query->shift > 0 && place_in_record(table, axis, query, begin) < query->low)
    begin = first_beyond(table, axis, query, growing, n, query->low, 1, growing);
  end = *near = find_end(table, axis, query, growing, *near);
  return append(out, count, begin, end);
}
