/* quality_image.c - an image measured: amplitudes, NaN, focusing, fold, spectrum; its pictures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

enum { SPECTRA = 1024 };

/* ---- one column ---- */

typedef struct sums {
  size_t n, nan, infinite, zero;
  double least, most, one, two, four, logarithm; /* sums of a, a^2, a^4, a^2 ln a^2 */
} sums;

static sums measure_column(const float *column, size_t n) {
  sums s = {.n = n, .least = INFINITY, .most = -INFINITY};
  for (size_t k = 0; k < n; k++) {
    double a = (double)column[k], square = a * a;
    if (isnan(a)) s.nan++;
    else if (isinf(a)) s.infinite++;
    else {
      s.least = fmin(s.least, a), s.most = fmax(s.most, a);
      s.one += a, s.two += square, s.four += square * square;
      if (square > 0) s.logarithm += square * log(square);
      else s.zero++;
    }
  }
  return s;
}

typedef struct row { /* of columns, summed in their order, so that the number of threads changes nothing */
  sums sum;
  double varimax;
  size_t with_signal, empty;
} row;

static row measure_row(const moho_image *image, size_t i) {
  size_t nt = image->grid.n_time, nx = image->grid.n_crossline;
  row r = {.sum = {.least = INFINITY, .most = -INFINITY}};
  for (size_t j = 0; j < nx; j++) {
    sums s = measure_column(image->stack + (i * nx + j) * nt, nt);
    r.sum.n += s.n, r.sum.nan += s.nan, r.sum.infinite += s.infinite, r.sum.zero += s.zero;
    r.sum.least = fmin(r.sum.least, s.least), r.sum.most = fmax(r.sum.most, s.most);
    r.sum.one += s.one, r.sum.two += s.two, r.sum.four += s.four, r.sum.logarithm += s.logarithm;
    if (s.two > 0) r.varimax += (double)(nt - s.nan - s.infinite) * s.four / (s.two * s.two), r.with_signal++;
    else r.empty++;
  }
  return r;
}

static moho_status measure_samples(const moho_image *image, moho_image_quality *q) {
  row *rows, all = {.sum = {.least = INFINITY, .most = -INFINITY}};
  size_t ni = image->grid.n_inline;
  MOHO_TRY(moho_allocate(ni, sizeof *rows, "figures of the image", &rows));
#pragma omp parallel for schedule(dynamic)
  for (size_t i = 0; i < ni; i++) rows[i] = measure_row(image, i);
  for (size_t i = 0; i < ni; i++) {
    const sums *s = &rows[i].sum;
    all.sum.n += s->n, all.sum.nan += s->nan, all.sum.infinite += s->infinite, all.sum.zero += s->zero;
    all.sum.least = fmin(all.sum.least, s->least), all.sum.most = fmax(all.sum.most, s->most);
    all.sum.one += s->one, all.sum.two += s->two, all.sum.four += s->four, all.sum.logarithm += s->logarithm;
    all.varimax += rows[i].varimax, all.with_signal += rows[i].with_signal, all.empty += rows[i].empty;
  }
  free(rows);
  const sums *s = &all.sum;
  double finite = (double)(s->n - s->nan - s->infinite);
  q->n = s->n, q->n_nan = s->nan, q->n_infinite = s->infinite, q->n_zero = s->zero, q->empty_columns = all.empty;
  q->n_columns = ni * image->grid.n_crossline;
  if (!(finite > 0)) return MOHO_OK;
  q->least = s->least, q->most = s->most, q->mean = s->one / finite, q->rms = sqrt(s->two / finite);
  if (!(s->two > 0)) return MOHO_OK;
  q->kurtosis = finite * s->four / (s->two * s->two);
  q->varimax = all.varimax / (double)all.with_signal;
  q->entropy = finite > 1 ? (log(s->two) - s->logarithm / s->two) / log(finite) : 0;
  return MOHO_OK;
}

/* ---- fold ---- */

static int compare_folds(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static moho_status measure_fold(const moho_image *image, moho_image_quality *q) {
  size_t nt = image->grid.n_time;
  int32_t *largest;
  if (!image->fold) return MOHO_OK;
  MOHO_TRY(moho_allocate(q->n_columns, sizeof *largest, "fold", &largest));
  for (size_t c = 0; c < q->n_columns; c++)
    for (size_t k = 0; k < nt; k++) largest[c] = image->fold[c * nt + k] > largest[c] ? image->fold[c * nt + k] : largest[c];
  qsort(largest, q->n_columns, sizeof *largest, compare_folds);
  q->has_fold = 1;
  q->fold_least = (size_t)largest[0], q->fold_median = (size_t)largest[q->n_columns / 2];
  q->fold_most = (size_t)largest[q->n_columns - 1];
  free(largest);
  return MOHO_OK;
}

/* ---- spectrum, findings ---- */

static moho_status measure_spectrum(const moho_image *image, moho_image_quality *q) {
  size_t nt = image->grid.n_time, n = moho_smaller(q->n_columns, SPECTRA);
  float *columns;
  MOHO_TRY(moho_allocate(n * nt, sizeof *columns, "columns for the spectrum", &columns));
  for (size_t k = 0; k < n; k++)
    memcpy(columns + k * nt, image->stack + (size_t)((double)k * (double)q->n_columns / (double)n) * nt, nt * sizeof *columns);
  moho_status status = moho_spectrum_measure(columns, n, nt, image->grid.step_s, &q->spectrum);
  free(columns);
  return status;
}

static void warn(const moho_image *image, moho_image_quality *q) {
  if (q->n_nan + q->n_infinite)
    moho_findings_add(&q->findings, "not_finite", (double)(q->n_nan + q->n_infinite), 0,
                      "an unfinished image has NaN where nothing is yet; otherwise look for NaN in the traces or the velocity",
                      "%zu samples are NaN and %zu infinite, of %zu", q->n_nan, q->n_infinite, q->n);
  if (!(q->rms > 0))
    moho_findings_add(&q->findings, "empty", 0, 0, "check the grid's place and times against the traces: moho info, moho explain",
                      "the image holds nothing but zeros");
  else if (q->empty_columns * 20 > q->n_columns)
    moho_findings_add(&q->findings, "empty_columns", (double)q->empty_columns, (double)q->n_columns / 20,
                      "no trace reaches them: a smaller grid would do, or the aperture is narrow", "%zu of %zu columns are empty",
                      q->empty_columns, q->n_columns);
  if (q->spectrum.floor > 0.3 && q->rms > 0)
    moho_findings_add(&q->findings, "nyquist", q->spectrum.floor, 0.3,
                      "image with a finer grid.time.step_s, or cut high frequencies (migration.high_cut_hz)",
                      "the image's spectrum does not fall off: at the end, %.0f Hz, it is only %.1f dB below its largest",
                      0.5 / image->grid.step_s, -20 * log10(q->spectrum.floor));
}

moho_status moho_image_measure(const moho_image *image, moho_image_quality *out) {
  *out = (moho_image_quality){0};
  MOHO_TRY(measure_samples(image, out));
  MOHO_TRY(measure_fold(image, out));
  MOHO_TRY(measure_spectrum(image, out));
  warn(image, out);
  return MOHO_OK;
}

moho_status moho_image_quality_json(const moho_image_quality *q, char **text) {
  json_t *fold = q->has_fold ? json_pack("{s:I, s:I, s:I}", "least", (json_int_t)q->fold_least, "median",
                                         (json_int_t)q->fold_median, "most", (json_int_t)q->fold_most)
                             : json_null();
  json_t *root = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:{s:f, s:f, s:f}, s:o, s:o, s:o}", "samples",
                           (json_int_t)q->n, "nan", (json_int_t)q->n_nan, "infinite", (json_int_t)q->n_infinite, "zero",
                           (json_int_t)q->n_zero, "columns", (json_int_t)q->n_columns, "empty_columns",
                           (json_int_t)q->empty_columns, "least", q->least, "most", q->most, "mean", q->mean, "rms", q->rms,
                           "focusing", "kurtosis", q->kurtosis, "varimax", q->varimax, "entropy", q->entropy, "column_fold", fold,
                           "spectrum", moho_spectrum_json(&q->spectrum), "findings", moho_findings_json(&q->findings));
  return moho_quality_text(root, text);
}
