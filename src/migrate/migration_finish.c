/* migration_finish.c - from sums to an image: the part of the weight that no trace changes, normalisation, the fold, the stack of
 * the gathers' bins. */
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/migration_internal.h"
#include "migrate/weight.h"

/* Scratch of one thread, each [n]. */
typedef struct finish_scratch {
  double *weight, *sum;
  int32_t *fold, *total, *live;
} finish_scratch;

/* Where all columns have the same travel times they are kept; else they are made once more. */
static moho_status count_classes(const moho_migration *m, size_t column, double x, double y, double *count) {
  moho_travel_column own = {0};
  const moho_travel_column *travel = m->law.is_uniform ? &m->live_travel : &own;
  moho_status status = MOHO_OK;
  if (travel == &own) status = moho_travel_column_create(&m->law, &own);
  if (travel == &own && !status) status = moho_travel_column_fill(&m->law, x, y, &own);
  if (!status) moho_live_classes_count(&m->live, column, &m->options, &m->law, travel, count);
  moho_travel_column_release(&own);
  return status;
}

moho_status moho_migration_column_weights(const moho_migration *m, size_t column, double *weight) {
  size_t n = m->axis.n;
  double x, y, v0, *count = NULL;
  for (size_t i = 0; i < n; i++) weight[i] = 1;
  if (!m->t_part) return MOHO_OK;
  moho_migration_node(m, column, &x, &y);
  MOHO_TRY(moho_velocity_rms(m->velocity, x, y, m->axis.first_s, m->axis.step_s, n, weight));
  MOHO_TRY(moho_velocity_rms(m->velocity, x, y, 0, m->axis.step_s, 1, &v0));
  if (m->live.n) {
    MOHO_TRY(moho_allocate(n, sizeof *count, "live classes", &count));
    moho_status status = count_classes(m, column, x, y, count);
    if (status) {
      free(count);
      return status;
    }
  }
  for (size_t i = 0; i < n; i++) {
    double t0_s = m->axis.first_s + (double)i * m->axis.step_s;
    weight[i] = moho_weight_of_column(&m->options, m->is_line, m->layout.dt_s, t0_s, weight[i], v0);
    if (count) weight[i] /= count[i];
  }
  free(count);
  return MOHO_OK;
}

static double divided_by_fold(const moho_migration *m, double value, int32_t fold) {
  return m->options.normalise == MOHO_NORMALISE_FOLD && fold > 1 ? value / fold : value;
}

/* One bin of a column: into the gathers, and onto the stack's sums. */
static void finish_bin(const moho_migration *m, size_t row, const float *from, const finish_scratch *s, moho_image *image) {
  size_t n = m->axis.n;
  for (size_t i = 0; i < n; i++) {
    double value = s->weight[i] * (double)from[i];
    if (image->gathers) {
      image->gathers[row * n + i] = (float)divided_by_fold(m, value, s->fold[i]);
      image->gathers_fold[row * n + i] = s->fold[i];
    }
    s->sum[i] += value;
    s->total[i] += s->fold[i];
    s->live[i] += s->fold[i] > 0;
  }
}

static moho_status finish_column(const moho_migration *m, const moho_unfinished *columns, size_t k, const finish_scratch *s,
                                 moho_image *image, uint64_t *contributions) {
  size_t n = m->axis.n, c = 0;
  for (size_t bin = 0; bin < m->n_bins; bin++) {
    const float *from;
    c = columns->read(m, columns->from, k, bin, &from, s->fold);
    if (!bin) {
      MOHO_TRY(moho_migration_column_weights(m, c, s->weight));
      for (size_t i = 0; i < n; i++) s->sum[i] = 0, s->total[i] = 0, s->live[i] = 0;
    }
    finish_bin(m, c * m->n_bins + bin, from, s, image);
  }
  for (size_t i = 0; i < n; i++) {
    double sum = moho_weight_counts_bins(&m->options) && s->live[i] ? s->sum[i] / s->live[i] : s->sum[i];
    image->stack[c * n + i] = (float)divided_by_fold(m, sum, s->total[i]);
    if (image->fold) image->fold[c * n + i] = s->total[i];
    *contributions += (uint64_t)s->total[i];
  }
  return MOHO_OK;
}

moho_status moho_migration_finish_columns(const moho_migration *m, const moho_unfinished *columns, moho_image *image,
                                          uint64_t *contributions) {
  size_t n = m->axis.n, threads = (size_t)m->threads;
  double *reals = NULL;
  int32_t *counts = NULL;
  moho_status status = moho_allocate(threads * 2 * n, sizeof *reals, "a column's sums", &reals);
  if (!status) status = moho_allocate(threads * 3 * n, sizeof *counts, "a column's fold", &counts);
  moho_error error = {0};
  uint64_t sum = 0;
  if (!status) {
#pragma omp parallel for num_threads(m->threads) schedule(static) reduction(+ : sum)
    for (size_t k = 0; k < columns->n; k++) {
      size_t thread = (size_t)omp_get_thread_num();
      int32_t *own = counts + thread * 3 * n;
      finish_scratch scratch = {reals + thread * 2 * n, reals + (thread * 2 + 1) * n, own, own + n, own + 2 * n};
      moho_status column_status = finish_column(m, columns, k, &scratch, image, &sum);
      if (column_status) {
#pragma omp critical(moho_migration_error)
        if (!status) status = column_status, error = moho_error_take();
      }
    }
    if (status) status = moho_error_set(&error);
  }
  *contributions += sum;
  free(reals), free(counts);
  return status;
}
