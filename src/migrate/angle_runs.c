/* angle_runs.c - a run of samples cut where the opening angle passes from one bin to the next. */
#include "migrate/angle_runs.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { WIDEST_VECTOR = 16 };

/* ---- columns ---- */

static size_t node_count(size_t n) {
  return (n - 1) / MOHO_ANGLE_STEP + 2;
}

static size_t padded(size_t n) {
  return moho_round_up(n + MOHO_ANGLE_PAD, WIDEST_VECTOR);
}

static size_t table_bytes(const moho_travel_law *law) {
  if (law->kind != MOHO_TRAVELTIME_STRAIGHT) return 0;
  return (3 * padded(law->n) + 6 * padded(node_count(law->n))) * sizeof(float);
}

moho_status moho_angle_column_create(const moho_travel_law *law, moho_angle_column *out) {
  *out = (moho_angle_column){.n = padded(law->n), .nodes = padded(node_count(law->n))};
  moho_status status = moho_allocate(law->n, sizeof *out->v_dt, "opening angles", &out->v_dt);
  if (!status && table_bytes(law)) status = moho_allocate(table_bytes(law), 1, "opening angles", &out->tables);
  if (status) moho_angle_column_release(out);
  return status;
}

void moho_angle_column_release(moho_angle_column *column) {
  free(column->v_dt), free(column->tables);
  *column = (moho_angle_column){0};
}

size_t moho_angle_column_bytes(const moho_travel_law *law) {
  return sizeof(moho_angle_column) + law->n * sizeof(double) + table_bytes(law);
}

/* Base, s2 and steepness of one sample after the other, `step` apart; on past the last. */
static void fill_terms(const moho_travel_law *law, const moho_travel_column *legs, const double *v_dt, size_t step, size_t count,
                       float *out) {
  for (size_t k = 0; k < count; k++) {
    size_t i = k * step < law->n ? k * step : law->n - 1;
    double sine = v_dt[i] * legs->terms[i].s2; /* times d/t */
    out[k] = (float)legs->terms[i].base;
    out[count + k] = (float)legs->terms[i].s2;
    out[2 * count + k] = (float)(sine * sine);
  }
}

typedef struct sample_shape {
  double depth, g; /* ln(t1^2/s2), (v_int/v_rms)^2 */
} sample_shape;

static sample_shape shape_of(const moho_travel_column *legs, const double *v_dt, size_t i) {
  const moho_leg_terms *m = &legs->terms[i];
  return (sample_shape){log(m->base / m->s2), v_dt[i] * v_dt[i] * m->s2};
}

/* Of the samples between nodes k and k + 1, both included: how their angle may bend and change (angle_kernel.h). */
static void fill_gap(const moho_travel_law *law, const moho_travel_column *legs, const double *v_dt, size_t k, size_t count,
                     float *out) {
  size_t first = moho_smaller(k * MOHO_ANGLE_STEP, law->n - 1), last = moho_smaller(first + MOHO_ANGLE_STEP, law->n - 1);
  sample_shape from = shape_of(legs, v_dt, first), to = shape_of(legs, v_dt, last);
  double least = INFINITY, most = 0, bend = to.depth - from.depth;
  for (size_t i = first; i <= last; i++) {
    sample_shape here = shape_of(legs, v_dt, i);
    least = fmin(least, here.g), most = fmax(most, here.g);
    if (!(here.depth >= fmin(from.depth, to.depth) && here.depth <= fmax(from.depth, to.depth))) bend = 1e6;
  }
  out[k] = (float)((1 + 1e-6) / 8 * bend * bend);
  out[count + k] = (float)(log(most / least) * (1 + 1e-6) + 1e-12);
  out[2 * count + k] = (float)(fmax(fmax(most, 1 / least) - 1, 0) * (1 + 1e-6));
}

moho_status moho_angle_column_fill(const moho_travel_law *law, const moho_travel_column *legs, double x_m, double y_m,
                                   moho_angle_column *column) {
  MOHO_TRY(moho_opening_velocity(law, x_m, y_m, column->v_dt));
  if (!column->tables) return MOHO_OK;
  float *nodes = column->tables + 3 * column->n;
  fill_terms(law, legs, column->v_dt, 1, column->n, column->tables);
  fill_terms(law, legs, column->v_dt, MOHO_ANGLE_STEP, column->nodes, nodes);
  for (size_t k = 0; k < column->nodes; k++) fill_gap(law, legs, column->v_dt, k, column->nodes, nodes + 3 * column->nodes);
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

/* Every sample in double. */
static size_t find_exactly(const pair_legs *legs, int32_t first, int32_t end, moho_angle_run *out, size_t count) {
  for (int32_t i = first; i < end; i++) count = append(out, count, i, i + 1, exact_bin(legs, i));
  return count;
}

size_t moho_angle_runs_find(const moho_angle_query *q, moho_interval interval, moho_angle_run *out) {
  pair_legs legs = {q, moho_leg_of(q->law, q->source2), moho_leg_of(q->law, q->receiver2)};
  const moho_angle_column *column = q->column;
  if (interval.first >= interval.end) return 0;
  if (!column->tables) return find_exactly(&legs, interval.first, interval.end, out, 0);
  moho_angle_parts parts = {.runs = out};
  void *buffers[MOHO_ANGLE_BUFFERS] = {[MOHO_ANGLE_LIMITS] = q->angles->limits_f, [MOHO_ANGLE_PARTS] = &parts};
  for (size_t k = 0; k < 3; k++) buffers[MOHO_ANGLE_BASE + k] = column->tables + k * column->n;
  for (size_t k = 0; k < 6; k++) buffers[MOHO_ANGLE_NODE_BASE + k] = column->tables + 3 * column->n + k * column->nodes;
  moho_angle_parameters p = {.first = interval.first,
                             .end = interval.end,
                             .n_limits = (int32_t)q->angles->n + 1,
                             .source2 = (float)q->source2,
                             .receiver2 = (float)q->receiver2,
                             .cosine = (float)q->pair.cosine};
  q->cut(buffers, &p);
  if (!parts.unknown) return (size_t)parts.n;
  size_t count = 0; /* in place: what is known of a run is read before it is written over */
  for (int32_t k = 0; k < parts.n; k++) {
    moho_angle_run part = out[k];
    count = part.bin == MOHO_ANGLE_UNKNOWN ? find_exactly(&legs, part.first, part.end, out, count)
                                           : append(out, count, part.first, part.end, part.bin);
  }
  return count;
}
