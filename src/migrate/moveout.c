/* moveout.c - move-out put back into traces, and taken off. */
#include "migrate/moveout.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

moho_status moho_moveout_create(size_t n, double first_s, double step_s, moho_moveout *out) {
  static const char what[] = "move-out";
  *out = (moho_moveout){.n = n, .first_s = first_s, .step_s = step_s};
  moho_status status = moho_allocate(n, sizeof *out->t, what, &out->t);
  if (!status) status = moho_allocate(n, sizeof *out->place, what, &out->place);
  if (!status) status = moho_allocate(n + 2 * MOHO_SINC_TAPS, sizeof *out->from, what, &out->from);
  if (!status) status = moho_allocate(MOHO_SINC_ROWS, sizeof *out->sinc, what, &out->sinc);
  if (status) moho_moveout_release(out);
  else moho_sinc_table_double(out->sinc);
  return status;
}

void moho_moveout_release(moho_moveout *m) {
  free(m->t), free(m->place), free(m->from), free(m->sinc);
  *m = (moho_moveout){0};
}

static double time_of(const moho_moveout *m, size_t k) {
  return m->first_s + (double)k * m->step_s;
}

/* t of every t0; times before zero have no move-out of their own. */
static void fill_times(moho_moveout *m, const double *v, double offset) {
  for (size_t k = 0; k < m->n; k++) m->t[k] = hypot(fmax(time_of(m, k), 0), offset / v[k]);
}

/* Fractional sample of t0 whose time lies in [t[k], t[k + 1]]. */
static double place_between(const moho_moveout *m, size_t k, double time) {
  double early = fmax(time_of(m, k), 0), late = time_of(m, k + 1);
  double share = (time * time - m->t[k] * m->t[k]) / (m->t[k + 1] * m->t[k + 1] - m->t[k] * m->t[k]);
  double t0 = sqrt(fmax(early * early + share * (late * late - early * early), 0));
  return fmin(fmax((t0 - m->first_s) / m->step_s, (double)k), (double)(k + 1));
}

void moho_moveout_find(moho_moveout *m, const double *v_mps, double offset_m) {
  size_t n = m->n, first = n - 1;
  fill_times(m, v_mps, offset_m);
  while (first > 0 && m->t[first - 1] < m->t[first]) first--;
  size_t k = first;
  for (size_t j = 0; j < n; j++) {
    double time = time_of(m, j);
    while (k + 1 < n && m->t[k + 1] < time) k++;
    if (!(time >= m->t[first] - 1e-9 && time <= m->t[n - 1] + 1e-9)) m->place[j] = -1;
    else m->place[j] = k + 1 < n ? place_between(m, k, time) : (double)(n - 1);
  }
}

void moho_moveout_find_forward(moho_moveout *m, const double *v_mps, double offset_m) {
  fill_times(m, v_mps, offset_m);
  for (size_t k = 0; k < m->n; k++) {
    double place = (m->t[k] - m->first_s) / m->step_s;
    m->place[k] = time_of(m, k) >= 0 && place <= (double)(m->n - 1) ? place : -1;
  }
}

static float read_sinc(const double (*sinc)[MOHO_SINC_TAPS], const float *from, double place) {
  double i = floor(place), position = (place - i) * MOHO_SINC_FRACTIONS;
  double row = fmin(floor(position), MOHO_SINC_FRACTIONS - 1), sum = 0;
  const double *before = sinc[(size_t)row], *after = sinc[(size_t)row + 1];
  const float *x = from + MOHO_SINC_TAPS + (size_t)i - 3;
  for (int k = 0; k < MOHO_SINC_TAPS; k++) sum += (before[k] + (position - row) * (after[k] - before[k])) * (double)x[k];
  return (float)sum;
}

void moho_moveout_move(moho_moveout *m, float *trace) {
  memcpy(m->from + MOHO_SINC_TAPS, trace, m->n * sizeof *trace);
  for (size_t j = 0; j < m->n; j++)
    trace[j] = m->place[j] < 0 ? 0 : read_sinc((const double(*)[MOHO_SINC_TAPS])m->sinc, m->from, m->place[j]);
}

/* ---- the traces of a survey ---- */

typedef void find_places(moho_moveout *m, const double *v_mps, double offset_m);

static moho_status move_trace(find_places *find, const moho_velocity *velocity, const moho_geometry *g, size_t i, double *v,
                              moho_moveout *m, float *trace) {
  double x = 0.5 * (g->source_x[i] + g->receiver_x[i]), y = 0.5 * (g->source_y[i] + g->receiver_y[i]);
  m->first_s = g->first_sample_s[i];
  size_t before =
      m->first_s < 0 ? (size_t)fmin(ceil(-m->first_s / m->step_s - 1e-6), (double)m->n) : 0; /* samples before time 0 */
  if (before < m->n)
    MOHO_TRY(moho_velocity_rms(velocity, x, y, m->first_s + (double)before * m->step_s, m->step_s, m->n - before, v + before));
  for (size_t k = before; k-- > 0;) v[k] = before < m->n ? v[before] : 1;
  find(m, v, moho_geometry_offset(g, i));
  moho_moveout_move(m, trace);
  return MOHO_OK;
}

static moho_status move_traces(find_places *find, const moho_velocity *velocity, const moho_geometry *geometry, float *traces,
                               size_t n_samples, double dt_s, int threads) {
  if (n_samples < 1 || !(dt_s > 0))
    return moho_fail(MOHO_ERROR_RANGE, "traces of %zu samples %g s apart, expected at least 1 sample and an interval above 0",
                     n_samples, dt_s);
  moho_status status = MOHO_OK;
  moho_error error = {0};
#pragma omp parallel num_threads(threads > 0 ? threads : omp_get_max_threads())
  {
    moho_moveout m = {0};
    double *v = NULL;
    moho_status own = moho_moveout_create(n_samples, 0, dt_s, &m);
    if (!own) own = moho_allocate(n_samples, sizeof *v, "move-out", &v);
#pragma omp for schedule(static)
    for (size_t i = 0; i < geometry->n; i++)
      if (!own && moho_geometry_is_live(geometry, i))
        own = move_trace(find, velocity, geometry, i, v, &m, traces + i * n_samples);
    if (own) {
#pragma omp critical(moho_moveout_error)
      if (!status) status = own, error = moho_error_take();
    }
    moho_moveout_release(&m);
    free(v);
  }
  return status ? moho_error_set(&error) : MOHO_OK;
}

moho_status moho_traces_inverse_nmo(const moho_velocity *velocity, const moho_geometry *geometry, float *traces, size_t n_samples,
                                    double dt_s, int threads) {
  return move_traces(moho_moveout_find, velocity, geometry, traces, n_samples, dt_s, threads);
}

moho_status moho_traces_nmo(const moho_velocity *velocity, const moho_geometry *geometry, float *traces, size_t n_samples,
                            double dt_s, int threads) {
  return move_traces(moho_moveout_find_forward, velocity, geometry, traces, n_samples, dt_s, threads);
}
