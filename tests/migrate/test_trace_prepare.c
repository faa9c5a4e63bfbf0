/* test_trace_prepare.c - prepared rows: mutes and their ramps, dead traces, layout, the trace integrated twice, threads. */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/reference_prepare.h"
#include "migrate/trace_mute.h"
#include "migrate/trace_prepare.h"

#define PI 3.14159265358979323846

/* A preparer with what it makes of some traces. */
typedef struct prepared {
  moho_prepared_layout layout;
  float *rows;
  uint8_t *live;
} prepared;

static prepared prepare(const moho_migration_options *options, const moho_geometry *geometry, const float *traces,
                        size_t n_samples, double dt, int k_max, int threads) {
  moho_trace_preparer *preparer;
  assert_ok(moho_trace_preparer_create(options, 0, n_samples, dt, k_max, &preparer));
  prepared out = {.layout = moho_trace_preparer_layout(preparer)};
  out.rows = aligned_alloc(64, geometry->n * out.layout.stride * sizeof(float));
  out.live = malloc(geometry->n);
  memset(out.rows, 0x7f, geometry->n * out.layout.stride * sizeof(float)); /* rows are written whole */
  assert_ok(moho_trace_prepare(preparer, geometry, traces, threads, out.rows, out.live));
  moho_trace_preparer_destroy(&preparer);
  assert_null(preparer);
  return out;
}

static void release(prepared *p) {
  free(p->rows), free(p->live);
}

static moho_migration_options unfiltered(void) {
  moho_migration_options options = moho_migration_options_default();
  options.rho_filter = MOHO_RHO_NONE;
  return options;
}

static double ramp(size_t j, size_t length) {
  return j >= length ? 1 : 0.5 * (1 - cos(PI * (double)(j + 1) / (double)(length + 1)));
}

static void header_mutes_ramp_up(void **state) {
  (void)state;
  enum { n = 200, edge = 51, length = 20 }; /* muted to 0.1 s at 2 ms: samples 0..50; ramp 40 ms */
  float trace[n];
  moho_geometry g;
  for (int j = 0; j < n; j++) trace[j] = 3;
  assert_ok(moho_geometry_create(1, &g));
  g.mute_start_s[0] = 0, g.mute_end_s[0] = 0.1f;
  moho_migration_options options = unfiltered();
  prepared p = prepare(&options, &g, trace, n, 0.002, 0, 1);
  const float *x = p.rows + p.layout.x0;
  for (int j = 0; j < edge; j++) assert_true(x[j] == 0);
  for (int j = edge; j < n; j++) assert_true(fabs(x[j] - 3 * ramp((size_t)(j - edge), length)) < 1e-6);
  release(&p);
  g.first_sample_s[0] = 0.06; /* the record begins later: samples 0..20 */
  p = prepare(&options, &g, trace, n, 0.002, 0, 1);
  x = p.rows + p.layout.x0;
  assert_true(x[20] == 0 && x[21] > 0 && fabs(x[21] - 3 * ramp(0, length)) < 1e-6);
  release(&p);
  moho_geometry_release(&g);
}

static void inner_mutes_ramp_on_both_sides(void **state) {
  (void)state;
  enum { n = 200, length = 10 }; /* 4 ms: the ramp is 10 samples either way */
  float trace[n];
  moho_geometry g;
  for (int j = 0; j < n; j++) trace[j] = 1;
  assert_ok(moho_geometry_create(1, &g));
  g.mute_start_s[0] = 0.4f, g.mute_end_s[0] = 0.6f; /* samples 100..150 */
  moho_migration_options options = unfiltered();
  prepared p = prepare(&options, &g, trace, n, 0.004, 0, 1);
  const float *x = p.rows + p.layout.x0;
  for (int j = 0; j < n; j++) {
    double expected = j < 100 ? ramp((size_t)(99 - j), length) : j <= 150 ? 0 : ramp((size_t)(j - 151), length);
    assert_true(fabs(x[j] - expected) < 1e-6);
  }
  assert_true(x[0] == 1 && x[n - 1] == 1);
  release(&p);
  moho_geometry_release(&g);
}

static void mute_weights(const float *trace, size_t n, int filter_follows, double *weights) {
  moho_geometry g;
  assert_ok(moho_geometry_create(1, &g));
  assert_int_equal(moho_trace_mute(&g, 0, trace, n, 0.002, filter_follows, weights), 1);
  moho_geometry_release(&g);
}

static void leading_zeros_ramp_before_a_filter(void **state) {
  (void)state;
  enum { n = 100 };
  float trace[n] = {0};
  double w[n];
  for (int j = 30; j < n; j++) trace[j] = 1;
  mute_weights(trace, n, 1, w);
  assert_true(w[29] == 0 && w[30] > 0 && fabs(w[30] - ramp(0, 20)) < 1e-12 && w[49] < 1 && w[50] == 1);
  mute_weights(trace, n, 0, w); /* a spike without a filter must survive */
  for (int j = 0; j < n; j++) assert_true(w[j] == 1);
  for (int j = 2; j < n; j++) trace[j] = 1;
  mute_weights(trace, n, 1, w); /* two zeros are a chance */
  for (int j = 0; j < n; j++) assert_true(w[j] == 1);
}

static void mute_keeps_a_filter_from_spiking(void **state) {
  (void)state;
  enum { n = 400 };
  float trace[n] = {0};
  moho_geometry g;
  assert_ok(moho_geometry_create(1, &g));
  for (int j = 100; j < n; j++) trace[j] = (float)(1 + 0.1 * sin(2 * PI * 25 * j * 0.002) * (j < 350)) * (j < 380);
  moho_migration_options options = moho_migration_options_default();
  prepared p = prepare(&options, &g, trace, n, 0.002, 0, 1);
  const float *x = p.rows + p.layout.x0;
  double spike = 0;
  for (int j = 80; j < 140; j++) spike = fmax(spike, fabs(x[j]));
  assert_true(spike < 80); /* a step of 1 over a ramp of 40 ms: pi/2/0.04 = 39; over one sample it would be 500 */
  release(&p);
  moho_geometry_release(&g);
}

static void dead_traces_give_zero_rows(void **state) {
  (void)state;
  enum { n = 64, traces = 7 };
  float samples[traces][n] = {{0}};
  moho_geometry g;
  assert_ok(moho_geometry_create(traces, &g));
  for (int i = 0; i < traces; i++)
    for (int j = 0; j < n; j++) samples[i][j] = i == 1 ? 0 : 1;
  g.flags[0] = MOHO_TRACE_DEAD;
  g.flags[2] = MOHO_TRACE_NOT_SEISMIC;
  g.flags[3] = MOHO_TRACE_NO_POSITION;
  g.flags[4] = MOHO_TRACE_BAD;
  g.mute_end_s[5] = 10; /* all of it */
  moho_migration_options options = moho_migration_options_default();
  prepared p = prepare(&options, &g, samples[0], n, 0.002, 5, 1);
  const int expected[traces] = {0, 0, 0, 0, 1, 0, 1};
  for (size_t i = 0; i < traces; i++) {
    assert_int_equal(p.live[i], expected[i]);
    for (size_t k = 0; !p.live[i] && k < p.layout.stride; k++) assert_true(p.rows[i * p.layout.stride + k] == 0);
  }
  release(&p);
  moho_geometry_release(&g);
}

static void fill_packets(float *samples, size_t traces, size_t n, double constant) {
  for (size_t i = 0; i < traces; i++)
    for (size_t j = 0; j < n; j++) {
      double t = (double)j * 0.002, centre = 0.1 + 0.05 * (double)(i % 17);
      samples[i * n + j] = (float)(exp(-0.5 * pow((t - centre) / 0.02, 2)) * cos(2 * PI * 30 * t) + constant);
    }
}

static void rows_are_laid_out_as_told(void **state) {
  (void)state;
  enum { n = 333, traces = 3 };
  float *samples = malloc(traces * n * sizeof *samples);
  moho_geometry g;
  assert_ok(moho_geometry_create(traces, &g));
  fill_packets(samples, traces, n, 0);
  for (int refine = 1; refine <= 4; refine *= 2)
    for (int k_max = 0; k_max <= 40; k_max += 20) {
      moho_migration_options options = moho_migration_options_default();
      options.refine = refine;
      prepared p = prepare(&options, &g, samples, n, 0.002, k_max, 1);
      moho_prepared_layout l = p.layout;
      assert_int_equal(l.n_samples, (n - 1) * refine + 1);
      assert_int_equal(l.stride % 16, 0);
      assert_int_equal(l.k_max, k_max);
      assert_true(l.x0 >= MOHO_ROW_PAD);
      size_t x_end = l.x0 + l.n_samples + MOHO_ROW_PAD;
      if (k_max == 0) {
        assert_int_equal(l.c0, 0);
        assert_true(x_end <= l.stride);
      } else {
        assert_true(l.c0 >= x_end + (size_t)k_max + 1 + MOHO_ROW_PAD);
        assert_true(l.c0 + l.n_samples + (size_t)k_max + 1 + MOHO_ROW_PAD < l.stride);
      }
      for (size_t i = 0; i < traces; i++) {
        const float *row = p.rows + i * l.stride;
        double energy = 0;
        for (size_t k = 0; k < l.stride; k++) assert_true(isfinite(row[k]));
        for (size_t k = 0; k < l.n_samples; k++) energy += fabs(row[l.x0 + k]);
        assert_true(energy > 1);
        for (size_t k = 1; k <= MOHO_ROW_PAD; k++) assert_true(row[l.x0 - k] == 0 && row[l.x0 + l.n_samples - 1 + k] == 0);
      }
      release(&p);
    }
  free(samples);
  moho_geometry_release(&g);
}

/* Largest |c[i-1] - 2c[i] + c[i+1] + x[i]| from k_max+1 before the trace to k_max+1 past it, over the largest |x|. */
static double second_difference_error(const prepared *p, size_t trace) {
  const float *row = p->rows + trace * p->layout.stride, *c = row + p->layout.c0, *x = row + p->layout.x0;
  long n = (long)p->layout.n_samples, k_max = p->layout.k_max;
  double worst = 0, largest = 0;
  for (long i = -k_max - 1; i <= n + k_max + 1; i++) {
    double here = i < 0 || i >= n ? 0 : x[i];
    worst = fmax(worst, fabs((double)c[i - 1] - 2 * (double)c[i] + (double)c[i + 1] + here));
    largest = fmax(largest, fabs(here));
  }
  return worst / largest;
}

static void second_difference_is_the_trace(void **state) {
  (void)state;
  enum { n = 1001, traces = 4 };
  float *samples = malloc(traces * n * sizeof *samples);
  moho_geometry g;
  assert_ok(moho_geometry_create(traces, &g));
  fill_packets(samples, traces, n, 0);
  moho_migration_options options = moho_migration_options_default();
  prepared p = prepare(&options, &g, samples, n, 0.002, 30, 1);
  for (size_t i = 0; i < traces; i++) assert_true(second_difference_error(&p, i) < 1e-5);
  release(&p);
  free(samples);
  moho_geometry_release(&g);
}

/* What antialias wants: the trace under a triangle, against the sum in double; float differences at k = 8 lose 64 times less. */
static void triangles_survive_a_constant(void **state) {
  (void)state;
  enum { n = 1001, k = 8 };
  float samples[n];
  moho_geometry g;
  assert_ok(moho_geometry_create(1, &g));
  for (int with_constant = 0; with_constant <= 1; with_constant++) {
    fill_packets(samples, 1, n, with_constant ? 0.5 : 0);
    moho_migration_options options = unfiltered();
    prepared p = prepare(&options, &g, samples, n, 0.002, 30, 1);
    const float *c = p.rows + p.layout.c0;
    double worst = 0;
    for (long i = 0; i < n; i++) {
      double exact = 0, got = (2.0 * (double)c[i] - (double)c[i - k] - (double)c[i + k]) / (k * k);
      for (long m = -k + 1; m < k; m++)
        if (i + m >= 0 && i + m < n) exact += (double)(k - labs(m)) / (k * k) * (double)samples[i + m];
      worst = fmax(worst, fabs(got - exact));
    }
    assert_true(worst < (with_constant ? 1e-4 : 1e-6));
    release(&p);
  }
  moho_geometry_release(&g);
}

/* Each copy of a filter bank, padded by zeros, is the reference's; with the areas of true amplitudes all are scaled. */
static void banks_hold_the_reference_s_copies(void **state) {
  (void)state;
  enum { n = 201, traces = 3, k_max = 24 };
  float *samples = malloc(traces * n * sizeof *samples);
  double muted[n];
  moho_geometry g;
  assert_ok(moho_geometry_create(traces, &g));
  fill_packets(samples, traces, n, 0);
  for (int refine = 1; refine <= 2; refine++)
    for (int with_rho = 0; with_rho <= 1; with_rho++) {
      moho_migration_options options = with_rho ? moho_migration_options_default() : unfiltered();
      options.refine = refine, options.antialias = MOHO_ANTIALIAS_FILTER_BANK, options.antialias_filters = 5;
      prepared p = prepare(&options, &g, samples, n, 0.002, k_max * refine, 2);
      moho_reference_preparer reference;
      assert_ok(moho_reference_preparer_create(&options, 0, n, 0.002, k_max * refine, &reference));
      double *row = malloc(reference.stride * sizeof *row);
      const moho_prepared_layout *l = &p.layout;
      assert_int_equal(l->bank.n, 5);
      assert_true(l->c0 == 0 && l->bank_stride % 16 == 0 && l->stride % 16 == 0);
      assert_true(l->x0 + 4 * l->bank_stride + l->n_samples + MOHO_ROW_PAD <= l->stride);
      for (size_t i = 0; i < traces; i++) {
        assert_true(moho_reference_prepare(&reference, &g, i, samples + i * n, muted, row));
        for (int j = 0; j < 5; j++) {
          const float *copy = p.rows + i * l->stride + l->x0 + (size_t)j * l->bank_stride;
          const double *expected = row + moho_reference_copy_at(&reference, j);
          double largest = 0, worst = 0;
          for (size_t k = 0; k < l->n_samples; k++)
            largest = fmax(largest, fabs(expected[k])), worst = fmax(worst, fabs(copy[k] - expected[k]));
          assert_true(worst < 2e-6 * largest);
          for (size_t k = 1; k <= MOHO_ROW_PAD; k++) assert_true(copy[-(long)k] == 0 && copy[l->n_samples - 1 + k] == 0);
        }
      }
      free(row);
      moho_reference_preparer_release(&reference);
      release(&p);
    }
  free(samples);
  moho_geometry_release(&g);
}

static void true_amplitudes_scale_rows(void **state) {
  (void)state;
  enum { n = 101, traces = 6 };
  float *samples = malloc(traces * n * sizeof *samples), row[512], plain[512];
  uint8_t live;
  moho_geometry g;
  assert_ok(moho_geometry_create(traces, &g));
  fill_packets(samples, traces, n, 0);
  double spacing[2] = {3, 20};
  size_t counts[2] = {5, 1};
  moho_class_places places[2] = {{.n = 5, .usual = 1}, {.n = 1, .usual = 1}};
  moho_offset_classes classes = {.first_m = 0, .width_m = 500, .n = 2, .spacing_m = spacing, .traces = counts, .places = places};
  g.receiver_y[0] = 700; /* the second class */
  for (int is_line = 0; is_line <= 1; is_line++)
    for (size_t i = 0; i < 2; i++) {
      moho_migration_options options = unfiltered();
      options.weight = MOHO_WEIGHT_TRUE_AMPLITUDE, classes.is_line = is_line;
      moho_trace_preparer *preparer;
      moho_geometry one = moho_geometry_slice(&g, i, 1);
      assert_ok(moho_trace_preparer_create(&options, is_line, n, 0.002, 0, &preparer));
      assert_ok(moho_trace_prepare(preparer, &one, samples + i * n, 1, plain, &live));
      moho_trace_preparer_weigh(preparer, &classes);
      assert_ok(moho_trace_prepare(preparer, &one, samples + i * n, 1, row, &live));
      double side = i == 0 ? 20 : 3, factor = is_line ? side : side * side;
      for (size_t k = 0; k < 101; k++) {
        float expected = (float)factor * plain[MOHO_ROW_PAD + k];
        assert_true(fabsf(row[MOHO_ROW_PAD + k] - expected) <= 1e-6f * fabsf(expected));
      }
      moho_trace_preparer_destroy(&preparer);
    }
  free(samples);
  moho_geometry_release(&g);
}

static void threads_do_not_matter(void **state) {
  (void)state;
  enum { n = 256, traces = 101 };
  float *samples = malloc(traces * n * sizeof *samples);
  moho_geometry g;
  assert_ok(moho_geometry_create(traces, &g));
  fill_packets(samples, traces, n, 0);
  g.flags[50] = MOHO_TRACE_DEAD;
  moho_migration_options options = moho_migration_options_default();
  options.refine = 2;
  /* the largest team first, in this test before all others: clang's OpenMP runtime loses memory when a team grows, which the leak
   * checker would report */
  prepared first = prepare(&options, &g, samples, n, 0.002, 12, 7);
  for (int threads = 2; threads >= 1; threads--) {
    prepared other = prepare(&options, &g, samples, n, 0.002, 12, threads);
    assert_memory_equal(first.rows, other.rows, traces * first.layout.stride * sizeof(float));
    assert_memory_equal(first.live, other.live, traces);
    release(&other);
  }
  release(&first);
  free(samples);
  moho_geometry_release(&g);
}

static void absurd_traces_are_refused(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  moho_trace_preparer *preparer;
  assert_fails(moho_trace_preparer_create(&options, 0, 0, 0.002, 0, &preparer), MOHO_ERROR_RANGE, "0 samples");
  assert_null(preparer);
  assert_fails(moho_trace_preparer_create(&options, 0, 100, 0, 0, &preparer), MOHO_ERROR_RANGE, "sample interval is 0");
  assert_fails(moho_trace_preparer_create(&options, 0, 100, (double)NAN, 0, &preparer), MOHO_ERROR_RANGE, "sample interval");
  moho_trace_preparer_destroy(&preparer);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(threads_do_not_matter),
                                     cmocka_unit_test(header_mutes_ramp_up),
                                     cmocka_unit_test(inner_mutes_ramp_on_both_sides),
                                     cmocka_unit_test(leading_zeros_ramp_before_a_filter),
                                     cmocka_unit_test(mute_keeps_a_filter_from_spiking),
                                     cmocka_unit_test(dead_traces_give_zero_rows),
                                     cmocka_unit_test(rows_are_laid_out_as_told),
                                     cmocka_unit_test(second_difference_is_the_trace),
                                     cmocka_unit_test(triangles_survive_a_constant),
                                     cmocka_unit_test(banks_hold_the_reference_s_copies),
                                     cmocka_unit_test(true_amplitudes_scale_rows),
                                     cmocka_unit_test(absurd_traces_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
