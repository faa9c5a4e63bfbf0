/* trace_integrate.h - a trace integrated twice, for the triangle antialias.
 *
 * c[i-1] - 2c[i] + c[i+1] = -x[i], x zero beyond its ends, so that (-c[i-k] + 2c[i] - c[i+k])/k^2 is x under a triangle of
 * half-width k (docs/physics.md "triangle"; Claerbout 1992, Lumley et al. 1994). Its best-fitting line over
 * [-margin, n+margin) is removed: a line drops out of the second difference, and what is left fits a float.
 */
#ifndef MOHO_MIGRATE_TRACE_INTEGRATE_H
#define MOHO_MIGRATE_TRACE_INTEGRATE_H

#include <stddef.h>

/* c has 2*margin + n values; c[0] is at sample -margin. */
void moho_trace_integrate(const double *x, size_t n, size_t margin, double *c);
/* Its transpose: x[j] += what c [2*margin + n] is mapped to; c is overwritten. */
void moho_trace_integrate_adjoint(double *c, size_t n, size_t margin, double *x);

#endif
