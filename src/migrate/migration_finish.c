/* migration_finish.c - from sums to an image: the part of the weight that no trace changes, normalisation, the fold. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/migration_internal.h"
#include "migrate/migration_options.h"

/* c(x, t0). Loops weigh by t in samples, so dt^-p is made good here. */
static double column_weight(const moho_migration *m, double t0_s, double v_mps) {
  moho_weight weight = moho_weight_resolve(m->options.weight, m->options.amplitude);
  double c = pow(m->layout.dt_s, -0.5 * m->weight_power);
  if (moho_weight_has_spreading(weight)) c /= m->is_line ? sqrt(v_mps) : v_mps;
  if (moho_weight_has_obliquity(weight)) c *= t0_s;
  return c;
}

/* v, fold: scratch [n]. */
static moho_status finish_column(const moho_migration *m, const moho_unfinished *columns, size_t k, double *v, int32_t *fold,
                                 moho_image *image, uint64_t *contributions) {
  size_t n = m->axis.n;
  double x, y;
  const float *from;
  size_t c = columns->read(m, columns->from, k, &from, fold);
  if (m->weight_power) {
    moho_grid_node(&m->grid, c / m->grid.n_crossline, c % m->grid.n_crossline, &x, &y);
    MOHO_TRY(moho_velocity_rms(m->velocity, x, y, m->axis.first_s, m->axis.step_s, n, v));
  }
  for (size_t i = 0; i < n; i++) {
    double scale = m->weight_power ? column_weight(m, m->axis.first_s + (double)i * m->axis.step_s, v[i]) : 1;
    if (m->options.normalise == MOHO_NORMALISE_FOLD && fold[i] > 1) scale /= fold[i];
    image->stack[c * n + i] = (float)(scale * (double)from[i]);
    if (image->fold) image->fold[c * n + i] = fold[i];
    *contributions += (uint64_t)fold[i];
  }
  return MOHO_OK;
}

moho_status moho_migration_finish_columns(const moho_migration *m, const moho_unfinished *columns, moho_image *image,
                                          uint64_t *contributions) {
  size_t n = m->axis.n, threads = (size_t)m->threads;
  double *v = NULL;
  int32_t *fold = NULL;
  moho_status status = moho_allocate(threads * n, sizeof *v, "velocity", &v);
  if (!status) status = moho_allocate(threads * n, sizeof *fold, "fold", &fold);
  moho_error error = {0};
  uint64_t sum = 0;
  if (!status) {
#pragma omp parallel for num_threads(m->threads) schedule(static) reduction(+ : sum)
    for (size_t k = 0; k < columns->n; k++) {
      size_t thread = (size_t)omp_get_thread_num();
      moho_status column_status = finish_column(m, columns, k, v + thread * n, fold + thread * n, image, &sum);
      if (column_status) {
#pragma omp critical(moho_migration_error)
        if (!status) status = column_status, error = moho_error_take();
      }
    }
    if (status) status = moho_error_set(&error);
  }
  *contributions += sum;
  free(v), free(fold);
  return status;
}
