/* trace_integrate.c - a trace integrated twice, for the triangle antialias, and the transpose of that. */
#include "migrate/trace_integrate.h"

/* Least squares over m values at i - (m-1)/2: the abscissas sum to zero and their squares to m(m^2-1)/12. */
static void remove_line(double *c, size_t m) {
  double centre = 0.5 * (double)(m - 1), mean = 0, moment = 0;
  for (size_t i = 0; i < m; i++) mean += c[i];
  mean /= (double)m;
  for (size_t i = 0; i < m; i++) moment += (c[i] - mean) * ((double)i - centre);
  double slope = m > 1 ? moment / ((double)m * ((double)m * (double)m - 1) / 12) : 0;
  for (size_t i = 0; i < m; i++) c[i] -= mean + slope * ((double)i - centre);
}

void moho_trace_integrate(const double *x, size_t n, size_t margin, double *c) {
  size_t m = n + 2 * margin;
  double sum = 0;
  for (size_t i = 0; i < m; i++) { /* causal */
    if (i >= margin && i < margin + n) sum += x[i - margin];
    c[i] = sum;
  }
  for (size_t i = m; i-- > 1;) c[i - 1] += c[i]; /* anticausal */
  remove_line(c, m);
}

/* The transposes in reverse order: the line's removal is its own, a causal sum's is the anticausal one. */
void moho_trace_integrate_adjoint(double *c, size_t n, size_t margin, double *x) {
  size_t m = n + 2 * margin;
  remove_line(c, m);
  for (size_t i = 1; i < m; i++) c[i] += c[i - 1];
  for (size_t i = m; i-- > 1;) c[i - 1] += c[i];
  for (size_t j = 0; j < n; j++) x[j] += c[margin + j];
}
