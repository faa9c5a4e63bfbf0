/* quality_image.c - an image measured: amplitudes, NaN, focusing, fold, spectrum; its pictures. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/image_zarr.h"
#include "survey/quality_image.h"
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

/* ---- pieces ---- */

/* Of one column; those of a piece are made by all threads and added in the order of columns, square by square, so that neither
 * the number of threads nor the size of pieces changes a bit. */
typedef struct column_figures {
  sums sum;
  int32_t largest_fold;
} column_figures;

typedef struct measuring {
  const moho_image_rows *rows;
  moho_image_quality *q;
  sums all;
  double varimax;
  size_t with_signal, done; /* columns */
  size_t spectra;           /* of columns, added so far */
  moho_spectrum_sums *spectrum;
  column_figures *figures; /* of a piece, room for figures_room */
  size_t figures_room;
  int32_t *fold; /* [columns] largest of each; NULL: none */
} measuring;

static column_figures measure_one(const float *stack, const int32_t *fold, size_t n) {
  column_figures f = {.sum = measure_column(stack, n)};
  for (size_t k = 0; fold && k < n; k++) f.largest_fold = fold[k] > f.largest_fold ? fold[k] : f.largest_fold;
  return f;
}

static void add_figures(measuring *m, const column_figures *f) {
  const sums *s = &f->sum;
  sums *a = &m->all;
  a->n += s->n, a->nan += s->nan, a->infinite += s->infinite, a->zero += s->zero;
  a->least = fmin(a->least, s->least), a->most = fmax(a->most, s->most);
  a->one += s->one, a->two += s->two, a->four += s->four, a->logarithm += s->logarithm;
  if (s->two > 0) m->varimax += (double)(s->n - s->nan - s->infinite) * s->four / (s->two * s->two), m->with_signal++;
  else m->q->empty_columns++;
}

/* Spectra are of columns spread evenly over the image, in the order in which they come. */
static void add_spectra(measuring *m, const float *stack, size_t n) {
  size_t nt = m->rows->grid->n_time, columns = m->q->n_columns, wanted = moho_smaller(columns, SPECTRA);
  for (; m->spectra < wanted; m->spectra++) {
    size_t column = (size_t)((double)m->spectra * (double)columns / (double)wanted);
    if (column >= m->done + n) return;
    moho_spectrum_add(m->spectrum, stack + (column - m->done) * nt);
  }
}

static moho_status make_figures(measuring *m, size_t n) {
  if (n <= m->figures_room) return MOHO_OK;
  free(m->figures), m->figures = NULL, m->figures_room = 0;
  MOHO_TRY(moho_allocate(n, sizeof *m->figures, "figures of the image", &m->figures));
  m->figures_room = n;
  return MOHO_OK;
}

static moho_status measure_piece(measuring *m, const moho_window *window) {
  size_t n = window->n_inline * window->n_crossline, nt = m->rows->grid->n_time;
  const float *stack;
  const int32_t *fold;
  MOHO_TRY(m->rows->read(m->rows->user, window, 0, &stack, &fold));
  MOHO_TRY(make_figures(m, n));
  if (fold && !m->fold) MOHO_TRY(moho_allocate(m->q->n_columns, sizeof *m->fold, "fold of columns", &m->fold));
#pragma omp parallel for schedule(static)
  for (size_t c = 0; c < n; c++) m->figures[c] = measure_one(stack + c * nt, fold ? fold + c * nt : NULL, nt);
  for (size_t c = 0; c < n; c++) {
    add_figures(m, &m->figures[c]);
    if (fold) m->fold[m->done + c] = m->figures[c].largest_fold;
  }
  add_spectra(m, stack, n);
  m->done += n;
  return MOHO_OK;
}

/* ---- together ---- */

static void conclude_samples(const measuring *m) {
  const sums *s = &m->all;
  moho_image_quality *q = m->q;
  double finite = (double)(s->n - s->nan - s->infinite);
  q->n = s->n, q->n_nan = s->nan, q->n_infinite = s->infinite, q->n_zero = s->zero;
  if (!(finite > 0)) return;
  q->least = s->least, q->most = s->most, q->mean = s->one / finite, q->rms = sqrt(s->two / finite);
  if (!(s->two > 0)) return;
  q->kurtosis = finite * s->four / (s->two * s->two);
  q->varimax = m->varimax / (double)m->with_signal;
  q->entropy = finite > 1 ? (log(s->two) - s->logarithm / s->two) / log(finite) : 0;
}

static int compare_folds(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void conclude_fold(const measuring *m) {
  moho_image_quality *q = m->q;
  if (!m->fold) return;
  qsort(m->fold, q->n_columns, sizeof *m->fold, compare_folds);
  q->has_fold = 1;
  q->fold_least = (size_t)m->fold[0], q->fold_median = (size_t)m->fold[q->n_columns / 2];
  q->fold_most = (size_t)m->fold[q->n_columns - 1];
}

/* A square of columns, as large as a chunk of the image's file, which is then decoded once: at once, or, where memory holds less,
 * some of its inlines after the other; from memory one by one. */
static moho_status measure_square(measuring *m, const moho_window *square) {
  size_t inline_bytes = square->n_crossline * m->rows->grid->n_time * 8, most = m->rows->memory_bytes / inline_bytes;
  if (most < 1 || m->rows->memory_bytes == SIZE_MAX) most = 1;
  for (size_t i = 0; i < square->n_inline; i += most) {
    moho_window window = *square;
    window.inline_first += i, window.n_inline = moho_smaller(most, square->n_inline - i);
    MOHO_TRY(measure_piece(m, &window));
  }
  return MOHO_OK;
}

static moho_status measure_squares(measuring *m) {
  const moho_grid *grid = m->rows->grid;
  size_t along, across;
  moho_image_zarr_sides(grid, NULL, &along, &across);
  MOHO_TRY(moho_spectrum_begin(grid->n_time, grid->step_s, &m->spectrum));
  for (size_t i = 0; i < grid->n_inline; i += along)
    for (size_t j = 0; j < grid->n_crossline; j += across)
      MOHO_TRY(measure_square(m, &(moho_window){.inline_first = i,
                                                .n_inline = moho_smaller(along, grid->n_inline - i),
                                                .crossline_first = j,
                                                .n_crossline = moho_smaller(across, grid->n_crossline - j)}));
  return MOHO_OK;
}

static void warn(const moho_grid *grid, moho_image_quality *q) {
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
                      0.5 / grid->step_s, -20 * log10(q->spectrum.floor));
}

moho_status moho_image_rows_measure(const moho_image_rows *rows, moho_image_quality *out) {
  measuring m = {.rows = rows, .q = out, .all = {.least = INFINITY, .most = -INFINITY}};
  *out = (moho_image_quality){.n_columns = rows->grid->n_inline * rows->grid->n_crossline};
  moho_status status = measure_squares(&m);
  if (!status) conclude_samples(&m), conclude_fold(&m);
  moho_spectrum_end(&m.spectrum, status ? NULL : &out->spectrum);
  if (!status) warn(rows->grid, out);
  free(m.figures), free(m.fold);
  return status;
}

moho_status moho_image_measure(const moho_image *image, moho_image_quality *out) {
  moho_image_rows rows = moho_image_rows_of(image);
  return moho_image_rows_measure(&rows, out);
}

moho_status moho_image_measure_zarr(const char *path, size_t memory_bytes, moho_image_quality *out) {
  moho_image image;
  moho_image_rows rows;
  MOHO_TRY(moho_image_describe_zarr(path, &image));
  moho_status status = moho_image_rows_open(path, &image, memory_bytes, &rows);
  if (!status) status = moho_image_rows_measure(&rows, out);
  moho_image_rows_close(&rows);
  moho_image_release(&image);
  return status;
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
