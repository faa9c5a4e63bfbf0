/* test_moveout.c - NMO-corrected traces get their move-out back: against plain formulas, there and back, and where it cannot be
 * known.
 */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>

#include "moho/migration.h"

#define PI 3.14159265358979323846
static const double DT = 0.002, V0 = 1800, GROWTH = 600; /* v = V0 + GROWTH*t0 */
enum { NS = 1001 };

static double ricker(double hz, double t) {
  double a = PI * hz * t;
  return (1 - 2 * a * a) * exp(-a * a);
}

/* Events every 150 ms, as recorded. */
static double recorded(double t) {
  double sum = 0;
  for (int k = 0; k < 14; k++) sum += (k % 2 ? -0.7 : 1) * ricker(30, t - 0.05 - 0.15 * k);
  return sum;
}

static double moved_time(double t0, double offset, double v0, double growth) {
  return hypot(t0, offset / (v0 + growth * t0));
}

/* One trace of an offset, its midpoint anywhere. */
static moho_geometry one_trace(double offset, double first_s) {
  moho_geometry g;
  assert_ok(moho_geometry_create(1, &g));
  g.source_x[0] = 4e5 + 10, g.source_y[0] = 6e6, g.receiver_x[0] = 4e5 + 10 + 0.6 * offset, g.receiver_y[0] = 6e6 - 0.8 * offset;
  g.first_sample_s[0] = first_s;
  return g;
}

static void corrected_traces_get_their_moveout_back(void **state) {
  (void)state;
  static const double offsets[] = {0, 300, 1000, 2000, 3000}, begins[] = {0, -0.1, 0.4};
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(V0, GROWTH, &velocity));
  for (size_t b = 0; b < 3; b++)
    for (size_t i = 0; i < 5; i++) {
      float trace[NS];
      double worst = 0, first = begins[b];
      moho_geometry g = one_trace(offsets[i], first);
      for (int k = 0; k < NS; k++) {
        double t0 = first + k * DT;
        trace[k] = (float)(t0 < 0 ? 0 : recorded(moved_time(t0, offsets[i], V0, GROWTH)));
      }
      assert_ok(moho_traces_inverse_nmo(velocity, &g, trace, NS, DT, 1));
      double least = 1e9, deepest = 0; /* t falls a little before it grows: v does grow */
      for (double t0 = fmax(first, 0); t0 < 1; t0 += DT) {
        double t = moved_time(t0, offsets[i], V0, GROWTH);
        if (t < least) least = t, deepest = t0;
      }
      for (int k = 0; k < NS; k++) {
        double t = first + k * DT;
        if (t < least - 1e-9) assert_true(trace[k] == 0);
        /* Taps that reach beyond the corrected trace's ends read zeros: 8 samples of t0, in the stretched part few of t. */
        double before = moved_time(deepest + 8 * DT, offsets[i], V0, GROWTH);
        if (t >= before && k < NS - 8) worst = fmax(worst, fabs(trace[k] - recorded(t)));
      }
      if (worst > 2e-3) print_error("offset %g from %g s: worst %g\n", offsets[i], first, worst);
      assert_true(worst <= 2e-3);
      moho_geometry_release(&g);
    }
  moho_velocity_destroy(&velocity);
}

/* Recorded, corrected, put back: the same but for what the correction lost at either end. */
static void there_and_back(void **state) {
  (void)state;
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(V0, GROWTH, &velocity));
  for (int threads = 1; threads <= 2; threads++)
    for (double offset = 200; offset <= 2200; offset += 500) {
      float trace[NS], corrected[NS];
      double worst = 0, flattened = 0;
      moho_geometry g = one_trace(offset, 0);
      for (int k = 0; k < NS; k++) trace[k] = corrected[k] = (float)recorded(k * DT);
      assert_ok(moho_traces_nmo(velocity, &g, corrected, NS, DT, threads));
      for (int k = 0; k < NS; k++) {
        double t = moved_time(k * DT, offset, V0, GROWTH);
        if (t < (NS - 8) * DT) flattened = fmax(flattened, fabs(corrected[k] - recorded(t)));
      }
      assert_true(flattened < 2e-3);
      assert_ok(moho_traces_inverse_nmo(velocity, &g, corrected, NS, DT, threads));
      double least = moved_time(8 * DT, offset, V0, GROWTH);
      for (int k = 0; k < NS - 8; k++)
        if (k * DT >= least) worst = fmax(worst, fabs(corrected[k] - trace[k]));
      assert_true(worst < 4e-3);
      moho_geometry_release(&g);
    }
  moho_velocity_destroy(&velocity);
}

/* v = 1500 + 2500*t0 at 2500 m: t falls from 1.667 s at t0 = 0 to its least, then grows. */
static void folded_times_give_the_deepest(void **state) {
  (void)state;
  double offset = 2500, least = 1e9, deepest = 0;
  float trace[NS];
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(1500, 2500, &velocity));
  for (int k = 0; k < NS; k++) {
    double t = moved_time(k * DT, offset, 1500, 2500);
    if (t < least) least = t, deepest = k * DT;
    trace[k] = (float)recorded(t);
  }
  assert_true(least < 1.5 && deepest > 0.2);
  for (int k = 0; k * DT < deepest; k++) trace[k] = 1000; /* must not be read: these t0 lie above the deepest */
  moho_geometry g = one_trace(offset, 0);
  assert_ok(moho_traces_inverse_nmo(velocity, &g, trace, NS, DT, 0));
  for (int k = 0; k < NS - 8; k++) {
    double t = k * DT;
    if (t < least - DT) assert_true(trace[k] == 0);
    if (t > moved_time(deepest + 8 * DT, offset, 1500, 2500)) assert_true(fabs(trace[k] - recorded(t)) < 2e-3);
  }
  moho_geometry_release(&g);
  moho_velocity_destroy(&velocity);
}

static void dead_traces_stay(void **state) {
  (void)state;
  float trace[2][NS];
  moho_velocity *velocity;
  moho_geometry g;
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  assert_ok(moho_geometry_create(2, &g));
  for (int k = 0; k < NS; k++) trace[0][k] = trace[1][k] = (float)k;
  g.receiver_x[0] = g.receiver_x[1] = 1500;
  g.flags[1] = MOHO_TRACE_NO_POSITION;
  assert_ok(moho_traces_inverse_nmo(velocity, &g, trace[0], NS, DT, 0));
  assert_true(trace[0][100] == 0 && trace[1][100] == 100);
  assert_fails(moho_traces_inverse_nmo(velocity, &g, trace[0], 0, DT, 0), MOHO_ERROR_RANGE, "0 samples");
  moho_geometry_release(&g);
  moho_velocity_destroy(&velocity);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(corrected_traces_get_their_moveout_back), cmocka_unit_test(there_and_back),
                                     cmocka_unit_test(folded_times_give_the_deepest), cmocka_unit_test(dead_traces_stay)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
