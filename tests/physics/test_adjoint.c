/* test_adjoint.c - what must hold, 6: demigration is the exact adjoint of migration, for every option and pair of options.
 *
 *   |<L m, d> - <m, L* d>| <= bound * |L m| |d|      d: a survey's traces, m: noise, L*: the migration
 *
 * in double with the reference, whose image of the survey each scenario brings. Dead, muted and delayed traces are among them.
 */
#include <math.h>
#include <stdlib.h>

#include "scenarios.h"

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* What the dot product test finds for traces L m [n] of a model m against the survey of the case, whose image is L* d. */
static double mismatch(const double *modelled, const float *recorded, size_t n, const double *model, const double *migrated,
                       size_t cells) {
  double forward = 0, recorded2 = 0;
  for (size_t i = 0; i < n; i++) forward += modelled[i] * recorded[i], recorded2 += (double)recorded[i] * recorded[i];
  assert_true(dot(modelled, modelled, n) > 0 && recorded2 > 0);
  return fabs(forward - dot(model, migrated, cells)) / (sqrt(dot(modelled, modelled, n)) * sqrt(recorded2));
}

static double *noise(size_t n, uint64_t seed) {
  double *x = malloc(n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) x[i] = 2 * test_uniform(&seed) - 1;
  return x;
}

static double *demigrate_reference(const physics_case *c, const double *model) {
  const survey *s = &c->survey;
  double *traces = malloc(s->n * s->n_samples * sizeof *traces);
  moho_reference *reference;
  assert_non_null(traces);
  assert_ok(moho_reference_create(&c->grid, c->velocity, &c->options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
  assert_ok(moho_reference_demigrate(reference, model, c->fold, &s->geometry, s->samples, traces));
  moho_reference_destroy(&reference);
  return traces;
}

static void the_reference_is_exact(void **state) {
  (void)state;
  size_t failures = 0;
  double worst = 0;
  for (size_t i = 0; i < SCENARIOS; i++) {
    physics_case c = case_of_scenario(&scenarios[i]);
    size_t cells = c.grid.n_inline * c.grid.n_crossline * c.grid.n_time;
    double *model = noise(cells, i + 1), *traces = demigrate_reference(&c, model);
    double error = mismatch(traces, c.survey.samples, c.survey.n * c.survey.n_samples, model, c.expected, cells);
    if (!(error <= 1e-13)) print_error("scenario %zu: the reference's dot product test gives %.3g\n", i, error), failures++;
    worst = fmax(worst, error);
    free(model), free(traces);
    case_release(&c);
  }
  print_message("the reference: at most %.2g\n", worst);
  assert_int_equal(failures, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_reference_is_exact)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
