/* trace_prepare.c - from recorded traces to what the loops read: mutes tapered, rho-filtered, refined, integrated twice
 * or low-passed. */
#include "migrate/trace_prepare.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/fft.h"
#include "migrate/migration_options.h"
#include "migrate/refine.h"
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
  float *filtered; /* [length + 2] with a filter bank: the spectrum that all copies come from */
  double *exact, *integrated;
} workspace;

struct moho_trace_preparer {
  moho_prepared_layout layout;
  moho_migration_options options;
  const moho_offset_classes *classes; /* NULL: no factors */
  moho_rho rho;
  int refine;
  size_t n_input;
  double dt_input_s;
  size_t length;   /* of the transforms; 0: none are needed */
  float *response; /* [length/2 + 1] complex, scaled by 1/length */
  float *low_pass; /* [bank.n - 1, length/2 + 1] of copies 1 and on */
  size_t margin;   /* of the integrated trace beyond either end */
  workspace *workspaces;
  int n_workspaces;
};

static int has_bank(const moho_migration_options *options, int k_max) {
  return k_max > 0 && options->antialias == MOHO_ANTIALIAS_FILTER_BANK;
}

/* Row: pad, trace, pad, rounded up to 16 floats; then the integrated trace with its margins, or the other copies of a bank, each
 * with a pad after it. */
moho_prepared_layout moho_prepared_layout_make(const moho_migration_options *options, size_t n_input, double dt_input_s,
                                               int k_max) {
  int refine = options->refine;
  moho_prepared_layout l = {.n_samples = moho_refined_samples(n_input, refine), .dt_s = dt_input_s / refine, .k_max = k_max};
  l.x0 = MOHO_ROW_PAD;
  l.stride = moho_round_up(l.x0 + l.n_samples + MOHO_ROW_PAD, 16);
  if (k_max <= 0) return l;
  if (has_bank(options, k_max)) {
    l.bank = moho_filter_bank_make(options->antialias_filters, refine, k_max);
    l.bank_stride = moho_round_up(l.n_samples + MOHO_ROW_PAD, 16);
    l.stride += (size_t)(l.bank.n - 1) * l.bank_stride;
    return l;
  }
  l.c0 = moho_round_up(l.stride + moho_prepared_margin(k_max), 16);
  l.stride = moho_round_up(l.c0 + l.n_samples + moho_prepared_margin(k_max), 16);
  return l;
}

/* fill_workspace() below; a plan of kissfft for a real transform of n samples takes 10 n bytes and a little. */
size_t moho_trace_workspace_bytes(const moho_migration_options *options, size_t n_input, int k_max) {
  size_t refine = (size_t)options->refine, length = moho_filter_length(n_input), refined = length * refine;
  size_t transforms = 10 * (length + refined) + (2 * refined + 2) * sizeof(float), bytes = n_input * sizeof(double) + transforms;
  if (has_bank(options, k_max)) return bytes + (length + 2) * sizeof(float);
  if (k_max <= 0) return bytes;
  return bytes + (2 * moho_refined_samples(n_input, options->refine) + 2 * moho_prepared_margin(k_max)) * sizeof(double);
}

static void release_workspace(workspace *w) {
  moho_fft_destroy(&w->forward);
  moho_fft_destroy(&w->inverse);
  free(w->weights), free(w->time), free(w->spectrum), free(w->filtered), free(w->exact), free(w->integrated);
  *w = (workspace){0};
}

static moho_status fill_workspace(const moho_trace_preparer *p, workspace *w) {
  static const char what[] = "trace preparation";
  size_t refined = p->length * (size_t)p->refine;
  MOHO_TRY(moho_allocate(p->n_input, sizeof *w->weights, what, &w->weights));
  if (p->length) {
    MOHO_TRY(moho_fft_create(p->length, 0, &w->forward));
    MOHO_TRY(moho_fft_create(refined, 1, &w->inverse));
    MOHO_TRY(moho_allocate(refined, sizeof *w->time, what, &w->time));
    MOHO_TRY(moho_allocate(refined + 2, sizeof *w->spectrum, what, &w->spectrum));
    if (p->layout.bank.n) MOHO_TRY(moho_allocate(p->length + 2, sizeof *w->filtered, what, &w->filtered));
  }
  if (p->layout.c0) {
    MOHO_TRY(moho_allocate(p->layout.n_samples, sizeof *w->exact, what, &w->exact));
    MOHO_TRY(moho_allocate(p->layout.n_samples + 2 * p->margin, sizeof *w->integrated, what, &w->integrated));
  }
  return MOHO_OK;
}

/* At least `count` workspaces; they stay for the next call. */
static moho_status provide_workspaces(moho_trace_preparer *p, int count) {
  if (count <= p->n_workspaces) return MOHO_OK;
  workspace *all;
  MOHO_TRY(moho_allocate((size_t)count, sizeof *all, "trace preparation", &all));
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

static moho_status make_response(moho_trace_preparer *p) {
  double(*exact)[2];
  size_t bins = p->length / 2 + 1;
  MOHO_TRY(moho_allocate(bins, sizeof *exact, "rho filter", &exact));
  moho_status status = moho_allocate(2 * bins, sizeof *p->response, "rho filter", &p->response);
  if (!status) {
    moho_rho_response(p->rho, p->length, p->dt_input_s, exact);
    moho_high_cut_apply(p->options.high_cut_hz, p->length, p->dt_input_s, exact);
    for (size_t i = 0; i < 2 * bins; i++) p->response[i] = (float)(exact[i / 2][i % 2] / (double)p->length);
  }
  free(exact);
  return status;
}

static moho_status make_low_passes(moho_trace_preparer *p) {
  const moho_filter_bank *bank = &p->layout.bank;
  size_t bins = p->length / 2 + 1;
  if (!bank->n) return MOHO_OK;
  MOHO_TRY(moho_allocate((size_t)(bank->n - 1) * bins, sizeof *p->low_pass, "filter bank", &p->low_pass));
  for (int j = 1; j < bank->n; j++)
    for (size_t k = 0; k < bins; k++)
      p->low_pass[(size_t)(j - 1) * bins + k] =
          (float)moho_filter_bank_response(bank, j, (double)k / (double)(p->length * (size_t)p->refine));
  return MOHO_OK;
}

moho_status moho_trace_preparer_create(const moho_migration_options *options, int is_line, size_t n_samples, double dt_s,
                                       int k_max, moho_trace_preparer **out) {
  *out = NULL;
  if (n_samples < 1 || n_samples > (size_t)1 << 26)
    return moho_fail(MOHO_ERROR_RANGE, "traces have %zu samples, expected 1 to %zu", n_samples, (size_t)1 << 26);
  if (!(dt_s > 0)) return moho_fail(MOHO_ERROR_RANGE, "sample interval is %g s, expected above 0", dt_s);
  moho_trace_preparer *p;
  MOHO_TRY(moho_allocate(1, sizeof *p, "trace preparation", &p));
  p->options = *options;
  p->rho = moho_rho_resolve(options->rho_filter, is_line);
  p->refine = options->refine;
  p->n_input = n_samples;
  p->dt_input_s = dt_s;
  p->layout = moho_prepared_layout_make(options, n_samples, dt_s, k_max);
  int as_recorded = !moho_trace_is_filtered(&p->options, p->rho) && p->refine == 1 && !p->layout.bank.n;
  p->length = as_recorded ? 0 : moho_filter_length(n_samples);
  p->margin = moho_prepared_margin(k_max);
  moho_status status = p->length ? make_response(p) : MOHO_OK;
  if (!status) status = make_low_passes(p);
  if (!status) status = provide_workspaces(p, 1);
  if (status) moho_trace_preparer_destroy(&p);
  *out = p;
  return status;
}

void moho_trace_preparer_weigh(moho_trace_preparer *p, const moho_offset_classes *classes) {
  p->classes = classes;
}

void moho_trace_preparer_destroy(moho_trace_preparer **preparer) {
  moho_trace_preparer *p = *preparer;
  if (!p) return;
  for (int i = 0; i < p->n_workspaces; i++) release_workspace(&p->workspaces[i]);
  free(p->workspaces), free(p->response), free(p->low_pass), free(p);
  *preparer = NULL;
}

moho_prepared_layout moho_trace_preparer_layout(const moho_trace_preparer *preparer) {
  return preparer->layout;
}

/* w->time, muted, through the filter into w->spectrum. */
static void filter(const moho_trace_preparer *p, workspace *w) {
  moho_fft_forward(w->forward, w->time, w->spectrum);
  for (size_t k = 0; k <= p->length / 2; k++) {
    float re = w->spectrum[2 * k], im = w->spectrum[2 * k + 1], h_re = p->response[2 * k], h_im = p->response[2 * k + 1];
    w->spectrum[2 * k] = re * h_re - im * h_im;
    w->spectrum[2 * k + 1] = re * h_im + im * h_re;
  }
}

/* w->spectrum onto the finer samples, at row. */
static void refine_into(const moho_trace_preparer *p, workspace *w, float *row) {
  moho_refine_spectrum(w->spectrum, p->length, p->refine);
  moho_fft_inverse(w->inverse, w->spectrum, w->time);
  memcpy(row, w->time, p->layout.n_samples * sizeof *row);
}

static void low_pass_into(const moho_trace_preparer *p, workspace *w, float *row) {
  const moho_prepared_layout *l = &p->layout;
  size_t bins = p->length / 2 + 1;
  memcpy(w->filtered, w->spectrum, 2 * bins * sizeof *w->filtered);
  refine_into(p, w, row + l->x0);
  for (int j = 1; j < l->bank.n; j++) {
    const float *pass = p->low_pass + (size_t)(j - 1) * bins;
    for (size_t i = 0; i < 2 * bins; i++) w->spectrum[i] = pass[i / 2] * w->filtered[i];
    refine_into(p, w, row + l->x0 + (size_t)j * l->bank_stride);
  }
}

static void integrate_row(const moho_trace_preparer *p, workspace *w, float *row) {
  const moho_prepared_layout *l = &p->layout;
  for (size_t j = 0; j < l->n_samples; j++) w->exact[j] = row[l->x0 + j];
  moho_trace_integrate(w->exact, l->n_samples, p->margin, w->integrated);
  float *c = row + l->c0 - p->margin;
  for (size_t j = 0; j < l->n_samples + 2 * p->margin; j++) c[j] = (float)w->integrated[j];
}

static void prepare_one(const moho_trace_preparer *p, workspace *w, const moho_geometry *geometry, size_t trace,
                        const float *samples, float *row, uint8_t *live) {
  const moho_prepared_layout *l = &p->layout;
  memset(row, 0, l->stride * sizeof *row);
  *live = (uint8_t)moho_trace_mute(geometry, trace, p->options.zeros_are_data ? NULL : samples, p->n_input, p->dt_input_s,
                                   moho_trace_is_filtered(&p->options, p->rho), w->weights);
  if (!*live) return;
  float *muted = p->length ? w->time : row + l->x0;
  double factor = p->classes ? moho_weight_of_trace(&p->options, p->classes, geometry, trace) : 1;
  for (size_t j = 0; j < p->n_input; j++) muted[j] = (float)(factor * w->weights[j] * (double)samples[j]);
  if (p->length) {
    memset(w->time + p->n_input, 0, (p->length - p->n_input) * sizeof *w->time);
    filter(p, w);
    if (l->bank.n) low_pass_into(p, w, row);
    else refine_into(p, w, row + l->x0);
  }
  if (l->c0) integrate_row(p, w, row);
}

moho_status moho_trace_prepare(moho_trace_preparer *p, const moho_geometry *geometry, const float *traces, int threads,
                               float *rows, uint8_t *live) {
  if (threads < 1) threads = 1;
  MOHO_TRY(provide_workspaces(p, threads));
  long n = (long)geometry->n;
#pragma omp parallel num_threads(threads)
  {
    workspace *w = &p->workspaces[omp_get_thread_num()];
#pragma omp for schedule(static)
    for (long i = 0; i < n; i++)
      prepare_one(p, w, geometry, (size_t)i, traces + (size_t)i * p->n_input, rows + (size_t)i * p->layout.stride, live + i);
  }
  return MOHO_OK;
}
