/* angle_runs.c - a run of samples cut where the opening angle passes from one bin to the next. */
#include "migrate/angle_runs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Distances that are looked at, each so much of the next; how much larger K may be between them than at them. Where rays of this
 * sine already rise less steeply than before the piece ends. */
enum { DISTANCES = 16 };
static const double DISTANCE_RATIO = 0.75, K_BETWEEN = 1.25, STEEP_SINE = 0.35, LARGEST_SINE = 0.99;

/* The K of a column's reaches, and of leg-time tables, whose slopes are in steps. */
static const double smooth_k[MOHO_ANGLE_REACHES] = {1e-5, 0.02, 0.08, 0.25}, table_k[MOHO_ANGLE_REACHES] = {0.1, 0.15, 0.2, 0.25};

static const double *k_of(const moho_travel_law *law) {
  return law->leg_times ? table_k : smooth_k;
}

/* ---- columns ---- */

static size_t column_floats(const moho_travel_law *law) {
  return moho_time_axis_table(law->n) + MOHO_ANGLE_DEPTHS + 2;
}

moho_status moho_angle_column_create(const moho_travel_law *law, moho_angle_column *out) {
  *out = (moho_angle_column){0};
  moho_status status = moho_allocate(law->n, sizeof *out->v_dt, "opening angles", &out->v_dt);
  if (!status) status = moho_allocate(law->n, sizeof *out->falls, "opening angles", &out->falls);
  if (!status) status = moho_allocate(column_floats(law), sizeof *out->v_dt_f, "opening angles", &out->v_dt_f);
  if (status) moho_angle_column_release(out);
  else out->depth = out->v_dt_f + moho_time_axis_table(law->n);
  return status;
}

void moho_angle_column_release(moho_angle_column *column) {
  free(column->v_dt), free(column->falls), free(column->v_dt_f);
  *column = (moho_angle_column){0};
}

size_t moho_angle_column_bytes(const moho_travel_law *law) {
  return sizeof(moho_angle_column) + law->n * (sizeof(double) + sizeof(moho_angle_fall)) + column_floats(law) * sizeof(float);
}

/* Z^2 of rays from the distances, shortest first; how many, those that are not too flat. */
typedef struct ray_depths {
  double z2[DISTANCES];
  int n, steep; /* steep: how many are steeper than STEEP_SINE */
} ray_depths;

static ray_depths depths_at(const moho_travel_law *law, const moho_travel_column *legs, const double *v_dt,
                            const double *distance, const moho_leg *rays, size_t i) {
  ray_depths out = {.n = 0};
  for (int k = 0; k < DISTANCES; k++) {
    double t = moho_leg_time(law, legs, &rays[k], i),
           sine = fabs(v_dt[i] * moho_leg_slope(law, legs, &rays[k], i, distance[k], t));
    if (!(sine > 0 && sine < LARGEST_SINE)) break;
    out.z2[k] = rays[k].d2 * (1 / (sine * sine) - 1);
    out.n = k + 1;
    if (sine < STEEP_SINE) out.steep = k + 1;
  }
  return out;
}

/* Growth of ln Z, near enough, from one sample to the next. */
static double growth_of(const ray_depths *now, const ray_depths *next, int k) {
  return (next->z2[k] - now->z2[k]) / (next->z2[k] + now->z2[k]);
}

/* How many of the distances, from the shortest on, fall as angle_runs.h wants it with each K. */
static void count_falling(const ray_depths *now, const ray_depths *next, const double *k_allowed, int *counts) {
  const int n = now->n < next->n ? now->n : next->n;
  const double most = 1 / DISTANCE_RATIO, per_step = -log(DISTANCE_RATIO) / K_BETWEEN;
  double before = 0;
  for (int reach = 0; reach < MOHO_ANGLE_REACHES; reach++) counts[reach] = n;
  for (int d = 0; d < n; d++) {
    const double growth = growth_of(now, next, d), k = before > 0 ? (1 - growth / before) / per_step : 0;
    const int grows = growth > 0 && (d == 0 || now->z2[d] <= now->z2[d - 1] * most);
    for (int reach = 0; reach < MOHO_ANGLE_REACHES; reach++)
      if (counts[reach] > d && !(grows && k <= k_allowed[reach])) counts[reach] = d;
    if (!grows) break;
    before = growth;
  }
}

/* A sample whose next is known. */
static moho_angle_fall fall_of(const ray_depths *now, const ray_depths *next, const double *k_allowed, const moho_leg *rays,
                               const moho_angle_fall *after, size_t i) {
  enum { LAST = MOHO_ANGLE_REACHES - 1 };
  const int all = now->n < next->n ? now->n : next->n;
  int counts[MOHO_ANGLE_REACHES];
  count_falling(now, next, k_allowed, counts);
  const int jumps = counts[LAST] < now->steep && counts[LAST] < all; /* the angle is only followed up to here */
  moho_angle_fall fall = {.depth2 = now->n ? now->z2[0] : 0, .piece_end = jumps ? (int32_t)i + 1 : after->piece_end};
  for (int reach = 0; reach < MOHO_ANGLE_REACHES; reach++) {
    int n = counts[reach];
    if (n && n < all) n--; /* between the last that does and the first that does not */
    fall.reach2[reach] = jumps ? now->n ? rays[now->n - 1].d2 : 0 : fmin(after->reach2[reach], n ? rays[n - 1].d2 : 0);
  }
  for (int d = 1; d < now->n && rays[d].d2 <= fall.reach2[LAST]; d++)
    fall.fall = fmax(fall.fall, (now->z2[0] - now->z2[d]) / rays[d].d2 * (1 + 1e-6));
  return fall;
}

/* The last sample of a column: nothing follows. */
static moho_angle_fall last_fall(const ray_depths *now, const moho_leg *rays, size_t n) {
  moho_angle_fall fall = {.depth2 = now->n ? now->z2[0] : 0, .piece_end = (int32_t)n};
  for (int reach = 0; reach < MOHO_ANGLE_REACHES; reach++) fall.reach2[reach] = now->n ? rays[now->n - 1].d2 : 0;
  return fall;
}

static void fill_falls(const moho_travel_law *law, const moho_travel_column *legs, moho_angle_column *column) {
  moho_leg rays[DISTANCES];
  double distance[DISTANCES];
  for (int k = DISTANCES; k-- > 0;) {
    distance[k] = k + 1 < DISTANCES ? distance[k + 1] * DISTANCE_RATIO : law->longest_m;
    rays[k] = moho_leg_of(law, distance[k] * distance[k]);
  }
  ray_depths next = {.n = 0};
  for (size_t i = law->n; i-- > 0;) {
    ray_depths now = depths_at(law, legs, column->v_dt, distance, rays, i);
    if (i + 1 == law->n) column->falls[i] = last_fall(&now, rays, law->n);
    else column->falls[i] = fall_of(&now, &next, k_of(law), rays, &column->falls[i + 1], i);
    next = now;
  }
}

/* Guesses only: where depth2 does not grow the first sample that is as deep. */
static void fill_depths(const moho_travel_law *law, moho_angle_column *column) {
  double deepest = sqrt(fmax(column->falls[law->n - 1].depth2, 1)), before = 0;
  size_t i = 0;
  column->depths_per_m = MOHO_ANGLE_DEPTHS / deepest;
  for (int k = 0; k < MOHO_ANGLE_DEPTHS + 2; k++) {
    double z = k / column->depths_per_m, here = 0;
    for (; i < law->n && (here = sqrt(column->falls[i].depth2)) < z; i++) before = here;
    column->depth[k] = (float)(i == 0 || i == law->n || !(here > before) ? (double)i : (double)i - (here - z) / (here - before));
  }
}

/* Straight rays through constant velocity: sine^2 = d^2/(z^2 + d^2) at every distance, z linear in t0. */
static void fill_depth_steps(const moho_travel_law *law, const moho_travel_column *legs, moho_angle_column *column) {
  column->first_depth = column->depth_step = 0;
  if (law->kind != MOHO_TRAVELTIME_STRAIGHT || law->n < 2) return;
  const double first = law->first_s / 2 * column->v_dt[0] / law->dt_s, step = law->step_s / 2 * column->v_dt[0] / law->dt_s;
  for (size_t i = 0; i < law->n; i++) { /* base is held above 0 */
    const double v_dt = column->v_dt[i], s2 = legs->terms[i].s2, expected = first + (double)i * step;
    if (fabs(v_dt * v_dt * s2 - 1) > 1e-9) return;
    if (expected > 0 && fabs(sqrt(legs->terms[i].base) / (v_dt * s2) - expected) > 1e-9 * expected) return;
  }
  column->first_depth = first, column->depth_step = step;
}

moho_status moho_angle_column_fill(const moho_travel_law *law, const moho_travel_column *legs, double x_m, double y_m,
                                   moho_angle_column *column) {
  MOHO_TRY(moho_opening_velocity(law, x_m, y_m, column->v_dt));
  for (size_t i = 0; i < moho_time_axis_table(law->n); i++) column->v_dt_f[i] = (float)column->v_dt[i < law->n ? i : law->n - 1];
  fill_falls(law, legs, column);
  fill_depths(law, column);
  fill_depth_steps(law, legs, column);
  return MOHO_OK;
}

/* ---- jobs ---- */

enum { SHORTEST_SEARCH = 32 }; /* samples: fewer are sooner looked at one by one */

size_t moho_angle_jobs_most(size_t n) {
  return 2 * (n / SHORTEST_SEARCH) + 1;
}

/* First sample of [i, end) from which on the angle falls (angle_runs.h). */
static int32_t falls_from(const moho_travel_law *law, const moho_angle_query *q, int32_t i, int32_t end) {
  const double longest2 = fmax(q->source2, q->receiver2), across = q->pair.cosine * q->pair.source * q->pair.receiver;
  const double *k = k_of(law);
  for (; i < end; i += 4) {
    const moho_angle_fall *f = &q->column->falls[i];
    const double depth2 = f->depth2 - f->fall * longest2;
    int reach = 0;
    while (reach < MOHO_ANGLE_REACHES && f->reach2[reach] < longest2) reach++;
    if (reach < MOHO_ANGLE_REACHES && depth2 > 0 && across + 2.2 * k[reach] * (depth2 + longest2) <= depth2) return i;
  }
  return end;
}

static moho_angle_leg leg_of_job(const moho_travel_law *law, const moho_angle_query *q, double d, double d2) {
  moho_angle_leg out = {.d = (float)d, .d2 = (float)d2};
  if (!law->leg_times) return out;
  moho_leg_place place = moho_leg_time_place(law->leg_times, d2);
  const size_t table = moho_time_axis_table(law->n);
  out.node_fraction = (float)place.fraction;
  out.node_inverse = (float)law->leg_times->inverse_step[place.node];
  out.rows = q->loops->rows + (q->loop_column * law->leg_times->n_nodes + place.node) * table;
  return out;
}

static const float *of_column(const float *tables, const moho_travel_law *law, const moho_angle_query *q) {
  return tables ? tables + q->loop_column * moho_time_axis_table(law->n) : NULL;
}

/* All but the samples. */
static moho_angle_job job_of(const moho_travel_law *law, const moho_angle_query *q) {
  const double sum2 = q->source2 + q->receiver2, product2 = q->source2 * q->receiver2, c = q->pair.cosine;
  return (moho_angle_job){.apart = (float)fmax(2 * (1 - c), 0),
                          .offset2 = (float)(sum2 - 2 * c * q->pair.source * q->pair.receiver),
                          .sum2 = (float)sum2,
                          .product2 = (float)product2,
                          .cross2 = (float)(product2 * (1 - c * c)),
                          .across = (float)(c * q->pair.source * q->pair.receiver),
                          .depths_per_m = (float)q->column->depths_per_m,
                          .first_depth = (float)q->column->first_depth,
                          .depth_step = (float)q->column->depth_step,
                          .source = leg_of_job(law, q, q->pair.source, q->source2),
                          .receiver = leg_of_job(law, q, q->pair.receiver, q->receiver2),
                          .base = of_column(q->loops->base, law, q),
                          .s2 = of_column(q->loops->s2, law, q),
                          .a = of_column(q->loops->a, law, q),
                          .b = of_column(q->loops->b, law, q),
                          .v_dt = q->column->v_dt_f,
                          .depth = q->column->depth};
}

size_t moho_angle_jobs_make(const moho_angle_search *search, const moho_angle_query *q, moho_interval interval, int32_t *found,
                            moho_angle_job *jobs) {
  const moho_angle_job job = job_of(search->law, q);
  size_t n = 0;
  int32_t waiting = interval.first;
  for (int32_t at = waiting, end; at < interval.end; at = end) {
    end = q->column->falls[at].piece_end < interval.end ? q->column->falls[at].piece_end : interval.end;
    int32_t falling = falls_from(search->law, q, at, end);
    if (end - falling < SHORTEST_SEARCH) continue;
    if (waiting < falling) jobs[n] = job, jobs[n].first = waiting, jobs[n++].end = falling;
    jobs[n] = job, jobs[n].first = falling, jobs[n].end = end, jobs[n].falls = 1;
    jobs[n].found = found + n * search->angles->edge_stride;
    n++;
    waiting = end;
  }
  if (waiting < interval.end) jobs[n] = job, jobs[n].first = waiting, jobs[n++].end = interval.end;
  return n;
}

/* Of a chord, times A B: of straight rays counted in simd/angle_lanes.h, of the longer formulas three times as much. */
static float error_of(moho_traveltime kind) {
  return kind == MOHO_TRAVELTIME_STRAIGHT || kind == MOHO_TRAVELTIME_CURVED_RMS ? 1.2e-6f : 4e-6f;
}

static void do_jobs(const moho_angle_search *search, moho_angle_job *jobs, size_t n, int32_t falls) {
  void *buffers[MOHO_ANGLE_BUFFERS] = {[MOHO_ANGLE_JOBS] = jobs, [MOHO_ANGLE_EDGES] = search->angles->edges};
  moho_angle_parameters parameters = {.n_jobs = (int32_t)n,
                                      .falls = falls,
                                      .n_limits = (int32_t)search->angles->n + 1,
                                      .edge_stride = (int32_t)search->angles->edge_stride,
                                      .traveltime = (int32_t)search->law->kind,
                                      .row_stride = (int32_t)moho_time_axis_table(search->law->n),
                                      .c2 = (float)search->law->c2,
                                      .error = error_of(search->law->kind)};
  search->cut(buffers, &parameters);
}

void moho_angle_jobs_search(const moho_angle_search *search, moho_angle_job *jobs, size_t n) {
  do_jobs(search, jobs, n, 1);
}

/* ---- samples in double ---- */

typedef struct pair_legs {
  const moho_angle_search *search;
  const moho_angle_query *query;
  moho_leg source, receiver;
} pair_legs;

static double exact_cosine(const pair_legs *p, int32_t i) {
  const moho_travel_law *law = p->search->law;
  const moho_angle_query *q = p->query;
  double t_s = moho_leg_time(law, q->legs, &p->source, (size_t)i), t_r = moho_leg_time(law, q->legs, &p->receiver, (size_t)i);
  return moho_opening_cosine(law, q->legs, q->column->v_dt, &q->pair, &p->source, &p->receiver, (size_t)i, t_s, t_r);
}

/* First sample of a job, where the angle falls, whose angle is below edge k: steps double away from the guess, then halve. */
static int32_t exact_edge(const pair_legs *p, const moho_angle_job *job, size_t k, int32_t guess) {
  int32_t first = job->first, end = job->end, i = guess < first ? first : guess >= end ? end - 1 : guess;
  for (int32_t step = 1; first < end; step *= 2) {
    if (exact_cosine(p, i) > p->search->angles->limits[k]) end = i, i -= step;
    else first = i + 1, i += step;
    if (i < first || i >= end) i = first + (end - first) / 2;
  }
  return first;
}

static void settle(const pair_legs *p, moho_angle_job *job) {
  for (size_t k = 0; job->open && k <= p->search->angles->n; k++)
    if (job->found[k] < 0) job->found[k] = exact_edge(p, job, k, -1 - job->found[k]);
  job->open = 0;
}

static pair_legs legs_of(const moho_angle_search *search, const moho_angle_query *query) {
  return (pair_legs){search, query, moho_leg_of(search->law, query->source2), moho_leg_of(search->law, query->receiver2)};
}

void moho_angle_edges_settle(const moho_angle_search *search, const moho_angle_query *query, moho_angle_job *job) {
  if (!job->open) return;
  const pair_legs p = legs_of(search, query);
  settle(&p, job);
}

/* ---- runs ---- */

/* Runs found so far. */
typedef struct run_list {
  moho_angle_run *runs;
  size_t n;
} run_list;

static void append(run_list *list, int32_t first, int32_t end, long bin) {
  moho_angle_run *last = list->runs + list->n - 1;
  if (bin < 0) return;
  if (list->n && last->end == first && last->bin == bin) last->end = end;
  else list->runs[list->n++] = (moho_angle_run){first, end, (int32_t)bin};
}

/* Runs that were written behind the list, now n in all: the first may go on with the last before it. */
static void join(run_list *list, size_t n) {
  moho_angle_run *last = list->runs + list->n - 1;
  if (list->n && n > list->n && last->end == last[1].first && last->bin == last[1].bin) {
    last->end = last[1].end;
    memmove(last + 1, last + 2, (n - list->n - 1) * sizeof *last);
    n--;
  }
  list->n = n;
}

/* Where the angle may do what it wants. */
static void append_samples(const pair_legs *p, moho_angle_job *job, int32_t *scratch, run_list *list) {
  const moho_opening_angles *angles = p->search->angles;
  job->found = scratch;
  do_jobs(p->search, job, 1, 0);
  for (int32_t i = job->first; i < job->end; i++) {
    int32_t count = scratch[i - job->first];
    long bin = count >= MOHO_ANGLE_OPEN   ? moho_opening_bin(angles, exact_cosine(p, i))
               : count <= (long)angles->n ? count - 1
                                          : -1;
    append(list, i, i + 1, bin);
  }
}

/* Where it falls: bins follow each other downwards. */
static void append_edges(const pair_legs *p, moho_angle_job *job, run_list *list) {
  const size_t n = p->search->angles->n;
  const int32_t *edges = job->found;
  settle(p, job);
  moho_angle_run *next = list->runs + list->n;
  for (size_t k = n; k > 0; k--) { /* written in any case, kept where it is not empty: no branch to mispredict */
    *next = (moho_angle_run){edges[k], edges[k - 1], (int32_t)k - 1};
    next += edges[k] < edges[k - 1];
  }
  join(list, (size_t)(next - list->runs));
}

size_t moho_angle_runs_of(const moho_angle_search *search, const moho_angle_query *query, moho_angle_job *jobs, size_t n,
                          int32_t *scratch, moho_angle_run *out) {
  const pair_legs p = legs_of(search, query);
  run_list list = {out, 0};
  for (size_t k = 0; k < n; k++) {
    if (jobs[k].falls) append_edges(&p, &jobs[k], &list);
    else append_samples(&p, &jobs[k], scratch, &list);
  }
  return list.n;
}
