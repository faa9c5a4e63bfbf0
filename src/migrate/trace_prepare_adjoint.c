/* trace_prepare_adjoint.c - the transpose of trace_prepare.c, step by step in reverse order. */
#include "migrate/trace_prepare_adjoint.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/fft.h"
#include "migrate/migration_options.h"
#include "migrate/rho_filter.h"
#include "migrate/trace_integrate.h"
#include "migrate/trace_mute.h"
#include "migrate/weight.h"

/* Scratch of one worker thread. */
typedef struct workspace {
  moho_fft *forward, *inverse;
  double *weights; /* [n_input] of the mutes */
  float *time;     /* [refine*length] */
  float *spectrum; /* [refine*length + 2] */
  double *sum;     /* [length + 2] of the copies' spectra */
} workspace;

struct moho_trace_unpreparer {
  moho_prepared_layout layout;
  moho_rho rho;
  int refine;
  size_t n_input, length; /* length of the transforms of a trace not refined; 0: none are needed */
  double dt_input_s;
  double (*response)[2]; /* [length/2 + 1] */
  const moho_migration_options *options;
  const moho_offset_classes *classes; /* of true amplitudes; NULL: traces are not weighed */
  workspace *workspaces;
  int n_workspaces;
};

static void release_workspace(workspace *w) {
  moho_fft_destroy(&w->forward);
  moho_fft_destroy(&w->inverse);
  free(w->weights), free(w->time), free(w->spectrum), free(w->sum);
  *w = (workspace){0};
}

static moho_status fill_workspace(const moho_trace_unpreparer *p, workspace *w) {
  static const char what[] = "transposed trace preparation";
  size_t refined = p->length * (size_t)p->refine;
  MOHO_TRY(moho_allocate(p->n_input, sizeof *w->weights, what, &w->weights));
  if (!p->length) return MOHO_OK;
  MOHO_TRY(moho_fft_create(refined, 0, &w->forward));
  MOHO_TRY(moho_fft_create(p->length, 1, &w->inverse));
  MOHO_TRY(moho_allocate(refined, sizeof *w->time, what, &w->time));
  MOHO_TRY(moho_allocate(refined + 2, sizeof *w->spectrum, what, &w->spectrum));
  return moho_allocate(p->length + 2, sizeof *w->sum, what, &w->sum);
}

/* At least `count` workspaces; they stay for the next call. */
static moho_status provide_workspaces(moho_trace_unpreparer *p, int count) {
  if (count <= p->n_workspaces) return MOHO_OK;
  workspace *all;
  MOHO_TRY(moho_allocate((size_t)count, sizeof *all, "transposed trace preparation", &all));
  if (p->n_workspaces) memcpy(all, p->workspaces, (size_t)p->n_workspaces * sizeof *all);
  free(p->workspaces);
  p->workspaces = all;
  while (p->n_workspaces < count) {
    moho_status status = fill_workspace(p, &all[p->n_workspaces]);
    if (status) {
      release_workspace(&all[p->n_workspaces]);
      return status;
    }
    p->n_workspaces++;
  }
  return MOHO_OK;
}

moho_status moho_trace_unpreparer_create(const moho_migration_options *options, int is_line, size_t n_samples, double dt_s,
                                         int k_max, const moho_offset_classes *classes, moho_trace_unpreparer **out) {
  moho_trace_unpreparer *p;
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *p, "transposed trace preparation", &p));
  p->rho = moho_rho_resolve(options->rho_filter, is_line);
  p->refine = options->refine;
  p->n_input = n_samples;
  p->dt_input_s = dt_s;
  p->options = options, p->classes = classes;
  p->layout = moho_prepared_layout_make(options, n_samples, dt_s, k_max);
  p->length =
      !moho_trace_is_filtered(p->options, p->rho) && p->refine == 1 && !p->layout.bank.n ? 0 : moho_filter_length(n_samples);
  moho_status status = moho_allocate(p->length / 2 + 1, sizeof *p->response, "rho filter", &p->response);
  if (!status && p->length) moho_rho_response(p->rho, p->length, dt_s, p->response);
  if (!status && p->length) moho_high_cut_apply(options->high_cut_hz, p->length, dt_s, p->response);
  if (!status) status = provide_workspaces(p, 1);
  if (status) moho_trace_unpreparer_destroy(&p);
  *out = p;
  return status;
}

void moho_trace_unpreparer_destroy(moho_trace_unpreparer **unpreparer) {
  moho_trace_unpreparer *p = *unpreparer;
  if (!p) return;
  for (int i = 0; i < p->n_workspaces; i++) release_workspace(&p->workspaces[i]);
  free(p->workspaces), free(p->response), free(p);
  *unpreparer = NULL;
}

/*
 * z[j] = sum_i y[i] g[i - refine*j] = 1/N sum over k = -N/2 .. N/2 of conj(H[k]) Y[k] e^{2 pi i kj/N}, Y the refined trace's
 * transform: the bins of the trace not refined are its first, the others are dropped. The two ends share one bin, which holds
 * their sum: the inverse transform takes its real part once, and that is what both halves make. Of a filter bank each copy
 * comes with its own low pass in H, and the copies' spectra are added.
 */
static void add_copy(const moho_trace_unpreparer *p, workspace *w, const double *row, int copy) {
  size_t bins = p->length / 2 + 1, n = p->layout.n_samples;
  memset(w->time, 0, p->length * (size_t)p->refine * sizeof *w->time);
  for (size_t j = 0; j < n; j++) w->time[j] = (float)row[p->layout.x0 + (size_t)copy * p->layout.bank_stride + j];
  moho_fft_forward(w->forward, w->time, w->spectrum);
  for (size_t k = 0; k < bins; k++) {
    double re = w->spectrum[2 * k], im = w->spectrum[2 * k + 1], scale = 1 / (double)p->length;
    if (copy) scale *= moho_filter_bank_response(&p->layout.bank, copy, (double)k / (double)(p->length * (size_t)p->refine));
    w->sum[2 * k] += scale * (re * p->response[k][0] + im * p->response[k][1]);
    w->sum[2 * k + 1] += scale * (im * p->response[k][0] - re * p->response[k][1]);
  }
}

/* The trace, its samples as recorded, into w->time. */
static void coarsen_and_filter(const moho_trace_unpreparer *p, workspace *w, const double *row) {
  size_t numbers = p->length + 2;
  memset(w->sum, 0, numbers * sizeof *w->sum);
  for (int copy = 0; copy < (p->layout.bank.n ? p->layout.bank.n : 1); copy++) add_copy(p, w, row, copy);
  for (size_t i = 0; i < numbers; i++) w->spectrum[i] = (float)w->sum[i];
  moho_fft_inverse(w->inverse, w->spectrum, w->time);
}

static void integrate_adjoint(const moho_prepared_layout *l, double *row) {
  size_t margin = moho_prepared_margin(l->k_max);
  moho_trace_integrate_adjoint(row + l->c0 - margin, l->n_samples, margin, row + l->x0);
}

/* What lies beyond the trace's ends was read as zero: it is dropped. */
static void unprepare_one(const moho_trace_unpreparer *p, workspace *w, const moho_geometry *geometry, size_t trace,
                          const float *like, double *row, float *samples) {
  const moho_prepared_layout *l = &p->layout;
  if (!moho_trace_mute(geometry, trace, like, p->n_input, p->dt_input_s, moho_trace_is_filtered(p->options, p->rho),
                       w->weights)) {
    memset(samples, 0, p->n_input * sizeof *samples);
    return;
  }
  if (l->c0) integrate_adjoint(l, row);
  if (p->length) coarsen_and_filter(p, w, row);
  double factor = p->classes ? moho_weight_of_trace(p->options, p->classes, geometry, trace) : 1;
  for (size_t j = 0; j < p->n_input; j++)
    samples[j] = (float)(factor * w->weights[j] * (p->length ? (double)w->time[j] : row[l->x0 + j]));
}

static const float *sample_of(const moho_trace_unpreparer *p, const float *like, long trace) {
  return like && !p->options->zeros_are_data ? like + (size_t)trace * p->n_input : NULL;
}

moho_status moho_trace_unprepare_live(moho_trace_unpreparer *p, const moho_geometry *geometry, const float *like, int threads,
                                      uint8_t *live) {
  MOHO_TRY(provide_workspaces(p, threads));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long i = 0; i < (long)geometry->n; i++)
    live[i] = (uint8_t)moho_trace_mute(geometry, (size_t)i, sample_of(p, like, i), p->n_input, p->dt_input_s,
                                       moho_trace_is_filtered(p->options, p->rho), p->workspaces[omp_get_thread_num()].weights);
  return MOHO_OK;
}

moho_status moho_trace_unprepare(moho_trace_unpreparer *p, const moho_geometry *geometry, const float *like, int threads,
                                 double *rows, float *traces) {
  MOHO_TRY(provide_workspaces(p, threads));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (long i = 0; i < (long)geometry->n; i++)
    unprepare_one(p, &p->workspaces[omp_get_thread_num()], geometry, (size_t)i, sample_of(p, like, i),
                  rows + (size_t)i * p->layout.stride, traces + (size_t)i * p->n_input);
  return MOHO_OK;
}
