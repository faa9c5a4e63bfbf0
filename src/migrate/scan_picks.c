/* scan_picks.c - the best path through a panel, and the smoothing of all paths. */
#include "migrate/scan_picks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- one panel ---- */

/* The best sum of semblance that ends at (time, factor), and the factor before it. Of equal sums the one nearest to the middle
 * of the range, then to the factor before, counts: nothing is picked from silence. */
static void best_paths(const moho_semblance_axes *a, const float *panel, size_t reach, double *score, int32_t *from) {
  size_t n = a->n_factors;
  for (size_t f = 0; f < n; f++) score[f] = (double)panel[f * a->n_times];
  for (size_t k = 1; k < a->n_times; k++)
    for (size_t f = 0; f < n; f++) {
      size_t low = f > reach ? f - reach : 0, high = f + reach < n ? f + reach : n - 1, best = f;
      const double *before = score + (k - 1) * n;
      for (size_t g = low; g <= high; g++) {
        double change = fabs((double)g - (double)f), best_change = fabs((double)best - (double)f);
        double gain = (before[g] - 1e-6 * change) - (before[best] - 1e-6 * best_change);
        if (gain > 0) best = g;
      }
      double change = fabs((double)best - (double)f);
      score[k * n + f] = before[best] - 1e-6 * change + (double)panel[f * a->n_times + k];
      from[k * n + f] = (int32_t)best;
    }
}

/* Refined by a parabola; sharpness: the drop over a step of the factor to either side. */
static void refine(const moho_semblance_axes *a, const float *panel, size_t f, size_t k, double least, float *picked,
                   float *semblance, float *weight, size_t *at_limit) {
  double here = (double)panel[f * a->n_times + k], shift = 0, sharpness = 0;
  int at_end = f == 0 || f + 1 == a->n_factors;
  if (!at_end) {
    double before = (double)panel[(f - 1) * a->n_times + k], after = (double)panel[(f + 1) * a->n_times + k];
    double bend = 2 * here - before - after;
    if (bend > 0) shift = fmin(fmax(0.5 * (after - before) / bend, -1), 1), sharpness = bend;
  }
  picked[k] = (float)(a->factor_first + ((double)f + shift) * a->factor_step);
  semblance[k] = (float)here;
  weight[k] = (float)(here > least ? (here - least) * sharpness : 0);
  *at_limit += at_end && here > least;
}

static double power_at(const moho_semblance_axes *a, const int32_t *path, const float *power, size_t k) {
  return (double)power[(size_t)path[k] * a->n_times + k];
}

/* A pick's power over the greatest along the path within so many picks. */
static double share_of_power(const moho_semblance_axes *a, const int32_t *path, const float *power, size_t k, size_t reach) {
  double here = power_at(a, path, power, k), most = here;
  for (size_t m = k > reach ? k - reach : 0; m < a->n_times && m <= k + reach; m++)
    most = fmax(most, power_at(a, path, power, m));
  return most > 0 ? here / most : 0;
}

static void weigh_by_power(const moho_semblance_axes *a, const int32_t *path, const float *power, size_t wide, float *weight) {
  size_t window = 2 * a->half_window / a->every + 1;
  for (size_t k = 0; k < a->n_times; k++) {
    double centred = share_of_power(a, path, power, k, window), strong = share_of_power(a, path, power, k, wide);
    weight[k] = (float)(sqrt((double)weight[k]) * strong * centred * centred);
  }
}

moho_status moho_scan_pick(const moho_semblance_axes *a, const float *panel, const float *power,
                           const moho_scan_pick_limits *limits, float *picked, float *semblance, float *weight,
                           size_t *at_limit) {
  size_t n = a->n_factors, cells = n * a->n_times,
         reach = (size_t)fmin(ceil(limits->slope * (double)a->every / a->factor_step), (double)n);
  double *score = NULL;
  int32_t *from = NULL, *path = NULL;
  moho_status status = moho_allocate(cells, sizeof *score, "picks", &score);
  if (!status) status = moho_allocate(cells, sizeof *from, "picks", &from);
  if (!status) status = moho_allocate(a->n_times, sizeof *path, "picks", &path);
  *at_limit = 0;
  if (!status) {
    best_paths(a, panel, reach, score, from);
    size_t f = n / 2, last = a->n_times - 1;
    for (size_t g = 0; g < n; g++)
      if (score[last * n + g] > score[last * n + f]) f = g;
    for (size_t k = a->n_times; k-- > 0;) {
      refine(a, panel, f, k, limits->least, picked, semblance, weight, at_limit);
      path[k] = (int32_t)f;
      f = (size_t)from[k * n + f];
    }
    weigh_by_power(a, path, power, limits->wide, weight);
  }
  free(score), free(from), free(path);
  return status;
}

/* ---- smoothing ---- */

/* Along one axis of [outer, n, inner], by a Gaussian cut at four standard deviations; what lies outside counts nothing. */
static moho_status smooth_axis(double *values, size_t outer, size_t n, size_t inner, double sigma) {
  size_t reach = (size_t)fmin(ceil(4 * sigma), (double)(n - 1));
  double *row, *kernel;
  if (n < 2 || !(sigma > 0)) return MOHO_OK;
  MOHO_TRY(moho_allocate(n, sizeof *row, "smoothing", &row));
  moho_status status = moho_allocate(reach + 1, sizeof *kernel, "smoothing", &kernel);
  for (size_t r = 0; !status && r <= reach; r++) kernel[r] = exp(-0.5 * (double)(r * r) / (sigma * sigma));
  for (size_t o = 0; !status && o < outer; o++)
    for (size_t i = 0; i < inner; i++) {
      double *at = values + o * n * inner + i;
      for (size_t k = 0; k < n; k++) {
        double sum = 0;
        for (size_t m = k > reach ? k - reach : 0; m < n && m <= k + reach; m++)
          sum += kernel[m > k ? m - k : k - m] * at[m * inner];
        row[k] = sum;
      }
      for (size_t k = 0; k < n; k++) at[k * inner] = row[k];
    }
  if (!status) free(kernel);
  free(row);
  return status;
}

static moho_status smooth_volume(double *values, const size_t shape[3], const double sigma[3], double scale) {
  size_t ni = shape[0], nx = shape[1], nt = shape[2];
  MOHO_TRY(smooth_axis(values, ni * nx, nt, 1, scale * sigma[2]));
  MOHO_TRY(smooth_axis(values, ni, nx, nt, scale * sigma[1]));
  return smooth_axis(values, 1, ni, nx * nt, scale * sigma[0]);
}

/* Every axis must have been crossed by the widest Gaussian, also those that are not smoothed otherwise. */
static size_t count_levels(const size_t shape[3], const double sigma[3]) {
  double longest = 1;
  for (int a = 0; a < 3; a++) longest = fmax(longest, (double)shape[a] / fmax(sigma[a], 0.5));
  return (size_t)ceil(log2(longest)) + 1;
}

moho_status moho_scan_smooth(const size_t shape[3], const double sigma[3], const float *picked, const float *weight,
                             float *smooth) {
  size_t n = shape[0] * shape[1] * shape[2], levels = count_levels(shape, sigma);
  double *sum = NULL, *total = NULL, *sum_level = NULL, *total_level = NULL, share = 1, any = 0;
  moho_status status = moho_allocate(n, sizeof *sum, "smoothing", &sum);
  if (!status) status = moho_allocate(n, sizeof *total, "smoothing", &total);
  if (!status) status = moho_allocate(n, sizeof *sum_level, "smoothing", &sum_level);
  if (!status) status = moho_allocate(n, sizeof *total_level, "smoothing", &total_level);
  for (size_t level = 0; !status && level < levels; level++, share /= 100) {
    double scale = level ? pow(2, (double)level) : 1, wide[3];
    for (int a = 0; a < 3; a++) wide[a] = level ? fmax(sigma[a], 0.5) : sigma[a];
    for (size_t k = 0; k < n; k++) {
      total_level[k] = (double)weight[k], sum_level[k] = (double)weight[k] * (double)picked[k];
      any += (double)weight[k];
    }
    status = smooth_volume(sum_level, shape, wide, scale);
    if (!status) status = smooth_volume(total_level, shape, wide, scale);
    for (size_t k = 0; !status && k < n; k++) sum[k] += share * sum_level[k], total[k] += share * total_level[k];
  }
  if (!status && !(any > 0))
    status = moho_fail_at((moho_place){0},
                          "look at the semblance panels (--pictures); widen the range of factors, or lower least_semblance",
                          MOHO_ERROR_NOT_FOUND, "no pick is reliable: no semblance maximum within the range is above the least");
  for (size_t k = 0; !status && k < n; k++) smooth[k] = (float)(total[k] > 0 ? sum[k] / total[k] : 1);
  free(sum), free(total), free(sum_level), free(total_level);
  return status;
}

/* ---- outliers ---- */

typedef struct distance {
  float value, weight;
} distance;

static int by_distance(const void *a, const void *b) {
  const distance *p = a, *q = b;
  return (p->value > q->value) - (p->value < q->value);
}

/* Half of the weight lies nearer. Less than a tenth of a per cent is no distance. */
static float median_distance(distance *all, size_t n) {
  double total = 0, sum = 0;
  qsort(all, n, sizeof *all, by_distance);
  for (size_t k = 0; k < n; k++) total += (double)all[k].weight;
  size_t k = 0;
  while (k + 1 < n && (sum += (double)all[k].weight) < total / 2) k++;
  return n ? fmaxf(all[k].value, 1e-3f) : 1e-3f;
}

moho_status moho_scan_drop_outliers(size_t n, double most, const float *picked, const float *smooth, float *weight,
                                    size_t *lost) {
  distance *all;
  size_t counted = 0;
  MOHO_TRY(moho_allocate(n, sizeof *all, "picks", &all));
  for (size_t k = 0; k < n; k++)
    if (weight[k] > 0) all[counted++] = (distance){fabsf(picked[k] - smooth[k]), weight[k]};
  float limit = (float)most * median_distance(all, counted);
  *lost = 0;
  for (size_t k = 0; k < n; k++)
    if (weight[k] > 0 && fabsf(picked[k] - smooth[k]) > limit) weight[k] = 0, ++*lost;
  free(all);
  return MOHO_OK;
}
