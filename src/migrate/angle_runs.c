/* angle_runs.c - a run of samples cut where the opening angle passes from one bin to the next. */
#include "migrate/angle_runs.h"

#include <stdlib.h>

#include "base/memory.h"

enum { WIDEST_VECTOR = 16 };

/* ---- columns ---- */

static int is_straight(const moho_travel_law *law) {
  return law->kind == MOHO_TRAVELTIME_STRAIGHT;
}

moho_status moho_angle_column_create(const moho_travel_law *law, moho_angle_column *out) {
  *out = (moho_angle_column){0};
  moho_status status = moho_allocate(law->n, sizeof *out->v_dt, "opening angles", &out->v_dt);
  if (!status && is_straight(law)) {
    size_t padded = moho_round_up(law->n + MOHO_ANGLE_BLOCK, WIDEST_VECTOR);
    status = moho_allocate(3 * padded, sizeof *out->base, "opening angles", &out->base);
    if (!status) out->s2 = out->base + padded, out->steepness = out->base + 2 * padded;
  }
  if (status) moho_angle_column_release(out);
  return status;
}

void moho_angle_column_release(moho_angle_column *column) {
  free(column->v_dt), free(column->base);
  *column = (moho_angle_column){0};
}

size_t moho_angle_column_bytes(const moho_travel_law *law) {
  return sizeof(moho_angle_column) + law->n * sizeof(double) +
         (is_straight(law) ? 3 * (law->n + 2 * MOHO_ANGLE_BLOCK) * sizeof(float) : 0);
}

moho_status moho_angle_column_fill(const moho_travel_law *law, const moho_travel_column *legs, double x_m, double y_m,
                                   moho_angle_column *column) {
  MOHO_TRY(moho_opening_velocity(law, x_m, y_m, column->v_dt));
  for (size_t k = 0; column->base && k < law->n + MOHO_ANGLE_BLOCK; k++) {
    size_t i = k < law->n ? k : law->n - 1;
    double sine = column->v_dt[i] * legs->terms[i].s2; /* times d/t */
    column->base[k] = (float)legs->terms[i].base;
    column->s2[k] = (float)legs->terms[i].s2;
    column->steepness[k] = (float)(sine * sine);
  }
  return MOHO_OK;
}

/* ---- samples ---- */

typedef struct pair_legs {
  const moho_angle_query *query;
  moho_leg source, receiver;
} pair_legs;

static long exact_bin(const pair_legs *legs, int32_t i) {
  const moho_angle_query *q = legs->query;
  double t_s = moho_leg_time(q->law, q->legs, &legs->source, (size_t)i),
         t_r = moho_leg_time(q->law, q->legs, &legs->receiver, (size_t)i);
  return moho_opening_bin(q->angles, moho_opening_cosine(q->law, q->legs, q->column->v_dt, &q->pair, &legs->source,
                                                         &legs->receiver, (size_t)i, t_s, t_r));
}

/* [first, end) to the runs found so far. */
static size_t append(moho_angle_run *out, size_t count, int32_t first, int32_t end, long bin) {
  if (bin < 0) return count;
  if (count && out[count - 1].end == first && out[count - 1].bin == bin) {
    out[count - 1].end = end;
    return count;
  }
  out[count] = (moho_angle_run){first, end, (int32_t)bin};
  return count + 1;
}

/* Of so many edges at or above the cosine: with none or all of them outside. */
static long bin_of(const moho_opening_angles *angles, int32_t edges) {
  return edges == 0 || edges > (int32_t)angles->n ? -1 : edges - 1;
}

/* Samples [begin, n) of a block, one like the other taken together. */
static size_t cut_block(const pair_legs *legs, const moho_angle_block *block, int32_t first, int32_t begin, int32_t n,
                        moho_angle_run *out, size_t count) {
  const moho_opening_angles *angles = legs->query->angles;
  for (int32_t i = begin, next; i < n; i = next) {
    next = i + 1;
    if (block->is_doubtful[i]) {
      count = append(out, count, first + i, first + next, exact_bin(legs, first + i));
      continue;
    }
    while (next < n && block->of_sample[next] == block->of_sample[i] && !block->is_doubtful[next]) next++;
    count = append(out, count, first + i, first + next, bin_of(angles, block->of_sample[i]));
  }
  return count;
}

size_t moho_angle_runs_find(const moho_angle_query *q, moho_interval interval, moho_angle_run *out) {
  pair_legs legs = {q, moho_leg_of(q->law, q->source2), moho_leg_of(q->law, q->receiver2)};
  size_t count = 0;
  if (!q->column->base) {
    for (int32_t i = interval.first; i < interval.end; i++) count = append(out, count, i, i + 1, exact_bin(&legs, i));
    return count;
  }
  moho_angle_block block;
  void *buffers[] = {q->column->base, q->column->s2, q->column->steepness, q->angles->limits_f, &block};
  for (int32_t first = interval.first / WIDEST_VECTOR * WIDEST_VECTOR; first < interval.end; first += MOHO_ANGLE_BLOCK) {
    int32_t left = interval.end - first, n = left < MOHO_ANGLE_BLOCK ? left : MOHO_ANGLE_BLOCK;
    int32_t begin = first < interval.first ? interval.first - first : 0;
    moho_angle_parameters p = {.first = first,
                               .n = n,
                               .n_limits = (int32_t)q->angles->n + 1,
                               .source2 = (float)q->source2,
                               .receiver2 = (float)q->receiver2,
                               .cosine = (float)q->pair.cosine};
    q->bins_of_block(buffers, &p);
    if (block.is_whole) count = append(out, count, first + begin, first + n, bin_of(q->angles, block.edges));
    else count = cut_block(&legs, &block, first, begin, n, out, count);
  }
  return count;
}
