/* leg_time_table.c - rows of squared leg times: where their nodes lie, and the rows of a column.
 *
 * Supporting functions, those that the velocity was given at, are traced once; between them squared times are interpolated with
 * the weights that the velocity is: for straight rays that is the bilinear 1/v^2 itself. Where there are too many of them to
 * keep (a cube), each column's own v_int is traced instead.
 */
#include "migrate/leg_time_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/column_table.h"
#include "migrate/ray_fan.h"
#include "survey/velocity_model.h"

/* Layers of the medium are at most this thick, two-way; it goes on below the image for the rays that turn there. */
static const double LAYER_S = 0.004, LATEST_S = 30;

/* Samples that rays and lines between rows may err by; the rest of MOHO_LEG_TIME_ERROR is for what lies between probes. */
static const double RAYS_SHARE = 0.0005, LINES_SHARE = 0.0022;

/* Where nodes are looked for: distances and times of a first tracing, and functions of many. */
enum { PROBE_DISTANCES = 1500, PROBE_TIMES = 96, PROBE_FUNCTIONS = 12, BUCKETS = 1024 };

/* Rows of supporting functions that are kept. */
#define FUNCTIONS_BYTES ((size_t)256 << 20)

/* ---- the medium ---- */

typedef struct medium {
  moho_ray_medium rays;
  double *t0_s, *v_mps;
  size_t *nodes;
} medium;

static void release_medium(medium *m) {
  free(m->t0_s), free(m->v_mps), free(m->nodes);
}

static double sample_time(const moho_leg_time_model *m, size_t i) {
  return m->first_s + (double)i * m->step_s;
}

/* Three axes of uniform layers: down to the first sample, the image (a step in equal layers), and below it. */
typedef struct axes {
  size_t above, a_step, below; /* layers */
  double above_s, layer_s, below_s, last_s;
} axes;

static size_t layers_of(double length_s) {
  return length_s > 0 ? (size_t)ceil(length_s / LAYER_S - 1e-9) : 0;
}

static axes axes_of(const moho_leg_time_model *m) {
  axes a = {.above = layers_of(m->first_s), .a_step = layers_of(m->step_s), .last_s = sample_time(m, m->n - 1)};
  double end = fmax(fmin(2 * a.last_s + 1, LATEST_S), a.last_s + LAYER_S);
  a.below = layers_of(end - a.last_s);
  a.above_s = a.above ? m->first_s / (double)a.above : 0;
  a.layer_s = m->step_s / (double)a.a_step;
  a.below_s = (end - a.last_s) / (double)a.below;
  return a;
}

/* v_int of function `function`, or at (x, y) where that is SIZE_MAX. */
typedef struct place_of_velocity {
  const moho_velocity *velocity;
  size_t function;
  double x_m, y_m;
} place_of_velocity;

static moho_status read_interval(const place_of_velocity *p, double first_s, double step_s, size_t n, double *v) {
  if (p->function == SIZE_MAX) return moho_velocity_interval(p->velocity, p->x_m, p->y_m, first_s, step_s, n, v);
  p->velocity->function_interval(p->velocity, p->function, first_s, step_s, n, v);
  return MOHO_OK;
}

/* Below the image a law may leave its range: the velocity stays at the end of it. */
static void read_below(const place_of_velocity *p, double first_s, double step_s, size_t n, double *v) {
  const moho_velocity *velocity = p->velocity;
  if (p->function == SIZE_MAX) velocity->interval(velocity, p->x_m, p->y_m, first_s, step_s, n, v, NULL);
  else velocity->function_interval(velocity, p->function, first_s, step_s, n, v);
  for (size_t k = 0; k < n; k++)
    v[k] = isnan(v[k]) ? v[k - 1] : fmin(fmax(v[k], velocity->min_mps), velocity->max_mps); /* v[-1] is the image's last */
}

static moho_status read_medium(const moho_leg_time_model *m, const place_of_velocity *p, medium *out) {
  axes a = axes_of(m);
  size_t image = (m->n - 1) * a.a_step, n = 1 + a.above + image + a.below;
  MOHO_TRY(moho_allocate(n, sizeof(double), "rays", &out->t0_s));
  MOHO_TRY(moho_allocate(n, sizeof(double), "rays", &out->v_mps));
  MOHO_TRY(moho_allocate(m->n, sizeof(size_t), "rays", &out->nodes));
  for (size_t k = 0; k < n; k++) {
    size_t past = k <= a.above ? 0 : k - a.above;
    out->t0_s[k] = k < a.above     ? (double)k * a.above_s
                   : past <= image ? m->first_s + (double)past * a.layer_s
                                   : a.last_s + (double)(past - image) * a.below_s;
  }
  for (size_t i = 0; i < m->n; i++) out->nodes[i] = a.above + i * a.a_step;
  MOHO_TRY(read_interval(p, 0, a.above_s, a.above, out->v_mps));
  MOHO_TRY(read_interval(p, m->first_s, a.layer_s, image + 1, out->v_mps + a.above));
  read_below(p, a.last_s + a.below_s, a.below_s, a.below, out->v_mps + a.above + image + 1);
  out->rays = (moho_ray_medium){.n = n, .t0_s = out->t0_s, .v_mps = out->v_mps, .n_samples = m->n, .nodes = out->nodes};
  return MOHO_OK;
}

/* ---- rows ---- */

typedef struct row_writer {
  const moho_leg_time_model *model;
  float *rows;
} row_writer;

static void write_rows(void *to, size_t sample, const double *t2) {
  const row_writer *w = to;
  double per_sample2 = 1 / (w->model->dt_s * w->model->dt_s);
  for (size_t j = 0; j < w->model->n_nodes; j++)
    w->rows[j * w->model->row_stride + sample] = (float)fmax(t2[j] * per_sample2, 1e-12);
}

static moho_status trace_rows(const moho_leg_time_model *m, const place_of_velocity *p, float *rows) {
  medium ground = {0};
  row_writer writer = {m, rows};
  moho_status status = read_medium(m, p, &ground);
  if (!status) status = moho_ray_fan_times(&ground.rays, RAYS_SHARE * m->dt_s, m->n_nodes, m->node_d2, write_rows, &writer);
  release_medium(&ground);
  for (size_t j = 0; !status && j < m->n_nodes; j++) /* the loops read past the end */
    for (size_t i = m->n; i < m->row_stride; i++) rows[j * m->row_stride + i] = rows[j * m->row_stride + m->n - 1];
  return status;
}

size_t moho_leg_time_rows_bytes(const moho_leg_time_model *m) {
  return m->n_nodes * m->row_stride * sizeof(float);
}

moho_status moho_leg_time_rows_fill(const moho_leg_time_model *m, double x_m, double y_m, float *rows) {
  size_t count = m->n_nodes * m->row_stride;
  if (m->shared) {
    memcpy(rows, m->shared, count * sizeof *rows);
    return MOHO_OK;
  }
  if (!m->functions) return trace_rows(m, &(place_of_velocity){m->velocity, SIZE_MAX, x_m, y_m}, rows);
  moho_weights w = m->velocity->support(m->velocity, x_m, y_m);
  memset(rows, 0, count * sizeof *rows);
  for (size_t f = 0; f < w.n; f++) {
    const float *from = m->functions + w.index[f] * count;
    float weight = (float)w.weight[f];
    for (size_t k = 0; k < count; k++) rows[k] += weight * from[k];
  }
  return MOHO_OK;
}

/* ---- nodes ---- */

/* Squared leg times of a probe: a few times and functions at many distances, in samples^2. */
typedef struct probe {
  const moho_leg_time_model *model;
  double *d2, *t2; /* [PROBE_DISTANCES], [rows, PROBE_DISTANCES] */
  size_t n_rows, stride;
} probe;

static void write_probe(void *to, size_t sample, const double *t2) {
  probe *p = to;
  if (sample % p->stride && sample + 1 != p->model->n) return;
  double *row = p->t2 + p->n_rows++ * PROBE_DISTANCES, per_sample2 = 1 / (p->model->dt_s * p->model->dt_s);
  for (size_t j = 0; j < PROBE_DISTANCES; j++) row[j] = t2[j] * per_sample2;
}

static moho_status run_probe(const moho_leg_time_model *m, size_t functions, probe *p) {
  for (size_t k = 0; k < functions; k++) {
    medium ground = {0};
    size_t function = m->velocity->n_functions > 1 ? k * m->velocity->n_functions / functions : SIZE_MAX;
    moho_status status = read_medium(m, &(place_of_velocity){m->velocity, function, 0, 0}, &ground);
    if (!status) status = moho_ray_fan_times(&ground.rays, RAYS_SHARE * m->dt_s, PROBE_DISTANCES, p->d2, write_probe, p);
    release_medium(&ground);
    if (status) return status;
  }
  return MOHO_OK;
}

/* Does a line from distance a to b keep every leg between within the bound? */
static int is_straight(const probe *p, size_t a, size_t b, double bound) {
  double width = p->d2[b] - p->d2[a];
  for (size_t r = 0; r < p->n_rows; r++) {
    const double *t2 = p->t2 + r * PROBE_DISTANCES;
    for (size_t j = a + 1; j < b; j++) {
      double line = t2[a] + (p->d2[j] - p->d2[a]) / width * (t2[b] - t2[a]);
      if (fabs(sqrt(line) - sqrt(t2[j])) > bound) return 0;
    }
  }
  return 1;
}

/* The farthest next node, by doubling and halving. */
static size_t next_node(const probe *p, size_t a, double bound) {
  size_t good = a + 1, step = 1;
  while (a + 2 * step < PROBE_DISTANCES && is_straight(p, a, a + 2 * step, bound)) step *= 2, good = a + step;
  for (; step > 0; step /= 2)
    if (good + step < PROBE_DISTANCES && is_straight(p, a, good + step, bound)) good += step;
  return good;
}

static moho_status choose_nodes(moho_leg_time_model *m, const probe *p) {
  MOHO_TRY(moho_allocate(PROBE_DISTANCES, sizeof(double), "leg times", &m->node_d2));
  for (size_t at = 0;;) {
    m->node_d2[m->n_nodes++] = p->d2[at];
    if (at + 1 >= PROBE_DISTANCES) break;
    at = next_node(p, at, LINES_SHARE);
  }
  MOHO_TRY(moho_allocate(m->n_nodes, sizeof(double), "leg times", &m->inverse_step));
  for (size_t j = 0; j + 1 < m->n_nodes; j++) m->inverse_step[j] = 1 / (m->node_d2[j + 1] - m->node_d2[j]);
  MOHO_TRY(moho_allocate(BUCKETS + 1, sizeof(int32_t), "leg times", &m->bucket));
  m->n_buckets = BUCKETS, m->buckets_per_m = BUCKETS / m->longest_m;
  for (size_t b = 0, node = 0; b <= BUCKETS; b++) {
    double d = (double)b / m->buckets_per_m * (1 - 1e-9);
    while (node + 2 < m->n_nodes && m->node_d2[node + 1] <= d * d) node++;
    m->bucket[b] = (int32_t)node;
  }
  return MOHO_OK;
}

static moho_status find_nodes(moho_leg_time_model *m) {
  size_t functions = m->velocity->n_functions > 1 ? m->velocity->n_functions : 1;
  if (functions > PROBE_FUNCTIONS) functions = PROBE_FUNCTIONS;
  size_t times = PROBE_TIMES / functions > 12 ? PROBE_TIMES / functions : 12;
  probe p = {.model = m, .stride = (m->n + times - 1) / times};
  moho_status status = moho_allocate(PROBE_DISTANCES, sizeof *p.d2, "leg times", &p.d2);
  if (!status) status = moho_allocate((times + 2) * functions * PROBE_DISTANCES, sizeof *p.t2, "leg times", &p.t2);
  for (size_t j = 0; !status && j < PROBE_DISTANCES; j++) { /* closer together near zero */
    double u = (double)j / (PROBE_DISTANCES - 1), d = m->longest_m * u * sqrt(u);
    p.d2[j] = d * d;
  }
  if (!status) status = run_probe(m, functions, &p);
  if (!status) status = choose_nodes(m, &p);
  free(p.d2), free(p.t2);
  return status;
}

/* ---- the model ---- */

/* Each function is one thread's; the first error is brought to the caller. */
static moho_status trace_functions(moho_leg_time_model *m) {
  size_t count = m->n_nodes * m->row_stride;
  moho_status first = MOHO_OK;
  moho_error error = {0};
  m->n_functions = m->velocity->n_functions;
  MOHO_TRY(moho_allocate(m->n_functions * count, sizeof *m->functions, "leg times", &m->functions));
#pragma omp parallel for schedule(dynamic)
  for (long f = 0; f < (long)m->n_functions; f++) {
    moho_status status = trace_rows(m, &(place_of_velocity){m->velocity, (size_t)f, 0, 0}, m->functions + (size_t)f * count);
    if (!status) continue;
#pragma omp critical(moho_leg_time_error)
    if (!first) first = status, error = moho_error_take();
  }
  return first ? moho_error_set(&error) : MOHO_OK;
}

static moho_status build(moho_leg_time_model *m) {
  MOHO_TRY(moho_velocity_check_interval(m->velocity));
  MOHO_TRY(find_nodes(m));
  size_t count = m->n_nodes * m->row_stride;
  if (moho_velocity_is_uniform(m->velocity)) {
    MOHO_TRY(moho_allocate(count, sizeof *m->shared, "leg times", &m->shared));
    return trace_rows(m, &(place_of_velocity){m->velocity, SIZE_MAX, 0, 0}, m->shared);
  }
  if (m->velocity->n_functions > FUNCTIONS_BYTES / (count * sizeof(float))) return MOHO_OK; /* every column by itself */
  return trace_functions(m);
}

moho_status moho_leg_time_model_create(const moho_velocity *velocity, double first_s, double step_s, size_t n, double dt_s,
                                       double longest_m, moho_leg_time_model **out) {
  moho_leg_time_model *m;
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *m, "leg times", &m));
  m->velocity = velocity, m->n = n, m->row_stride = moho_time_axis_table(n);
  m->first_s = first_s, m->step_s = step_s, m->dt_s = dt_s, m->longest_m = longest_m;
  moho_status status = build(m);
  if (status) moho_leg_time_model_destroy(&m);
  *out = m;
  return status;
}

void moho_leg_time_model_destroy(moho_leg_time_model **model) {
  moho_leg_time_model *m = *model;
  if (!m) return;
  free(m->node_d2), free(m->inverse_step), free(m->bucket), free(m->functions), free(m->shared);
  free(m);
  *model = NULL;
}
