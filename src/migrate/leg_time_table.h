/* leg_time_table.h - squared leg times in rows: a row a node of squared distance, along t0 (floats; t0 fastest).
 *
 * A squared leg time is nearly linear in the squared distance d2, so a leg, whose d2 is one number in a column, is read between
 * two neighbouring rows,
 *   t^2 = rows[node][i] + fraction * (rows[node + 1][i] - rows[node][i]),   slope dt/dd = d * growth/t,
 * by contiguous loads and one root. Nodes are as wide apart as an error of 0.003 samples a leg allows; all columns of a model
 * share them. The double reference reads the same rows, so that what is inside is decided alike everywhere.
 */
#ifndef MOHO_MIGRATE_LEG_TIME_TABLE_H
#define MOHO_MIGRATE_LEG_TIME_TABLE_H

#include "moho/migration.h"

/* The bound on what a row-to-row line adds to a leg, in refined samples. */
#define MOHO_LEG_TIME_ERROR 0.003

typedef struct moho_leg_time_model {
  size_t n_nodes, row_stride; /* row_stride: floats between rows, the loops' table length */
  double *node_d2;            /* [n_nodes] ascending, the first 0 */
  double *inverse_step;       /* [n_nodes] 1/(d2 to the next node) */
  int32_t *bucket;            /* [n_buckets + 1] first guess of the node by distance */
  size_t n_buckets;
  double buckets_per_m;
  /* where the rows come from */
  const moho_velocity *velocity;
  size_t n;
  double first_s, step_s, dt_s, longest_m;
  float *functions; /* [n_functions, n_nodes, row_stride] of the supporting functions; NULL: every column is traced itself */
  size_t n_functions;
  float *shared; /* the one column's rows where the velocity depends on t0 only */
} moho_leg_time_model;

/* A squared distance between nodes `node` and node + 1. */
typedef struct moho_leg_place {
  size_t node;
  double fraction;
} moho_leg_place;

/* Exact rays in v_int down to image samples first_s + i*step_s, i < n; dt_s: refined trace interval. */
moho_status moho_leg_time_model_create(const moho_velocity *velocity, double first_s, double step_s, size_t n, double dt_s,
                                       double longest_m, moho_leg_time_model **out);
void moho_leg_time_model_destroy(moho_leg_time_model **model);
/* Of one column's rows. */
size_t moho_leg_time_rows_bytes(const moho_leg_time_model *model);
/* The rows at a place, [n_nodes, row_stride], into fresh memory of the caller. */
moho_status moho_leg_time_rows_fill(const moho_leg_time_model *model, double x_m, double y_m, float *rows);

static inline moho_leg_place moho_leg_time_place(const moho_leg_time_model *m, double d2) {
  double d = __builtin_sqrt(d2) * m->buckets_per_m;
  size_t node = (size_t)m->bucket[d < (double)m->n_buckets ? (size_t)d : m->n_buckets];
  while (node + 2 < m->n_nodes && m->node_d2[node + 1] <= d2) node++;
  return (moho_leg_place){node, (d2 - m->node_d2[node]) * m->inverse_step[node]};
}

/* t^2 at image sample i; beyond the last node the last line goes on. */
static inline double moho_leg_time_squared(const moho_leg_time_model *m, const float *rows, moho_leg_place place, size_t i) {
  double near = (double)rows[place.node * m->row_stride + i], far = (double)rows[(place.node + 1) * m->row_stride + i];
  return near + place.fraction * (far - near);
}

/* d(t^2)/d(d2), samples^2/m^2. */
static inline double moho_leg_time_growth(const moho_leg_time_model *m, const float *rows, moho_leg_place place, size_t i) {
  double near = (double)rows[place.node * m->row_stride + i], far = (double)rows[(place.node + 1) * m->row_stride + i];
  return (far - near) * m->inverse_step[place.node];
}

#endif
