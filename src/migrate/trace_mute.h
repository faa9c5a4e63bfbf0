/* trace_mute.h - which samples of a recorded trace are kept, and how its mutes are tapered; which traces are dead.
 *
 * Header mutes (samples in [mute_start, mute_end], tolerance 1e-3 sample) are zeroed and the live samples beside them ramp
 * up by a cosine, always. When a rho filter follows (it would turn the jump into a spike), a trace that begins with at least
 * MOHO_MUTE_ZEROS zeros is taken as muted there and ramps up after them in the same way. The ramp is 40 ms, at least 10
 * samples: 1/2(1 - cos(pi*(j+1)/(L+1))), j = 0 .. L-1 from the first live sample.
 */
#ifndef MOHO_MIGRATE_TRACE_MUTE_H
#define MOHO_MIGRATE_TRACE_MUTE_H

#include "moho/traces.h"

enum { MOHO_MUTE_ZEROS = 3 };

/* L of the ramp, in samples. */
size_t moho_mute_ramp(double dt_s);

/* Factors of the samples of one trace into weights [n]. Returns 1 when the trace is live: no flag but MOHO_TRACE_BAD, and
 * some sample is not zero after the mutes. samples NULL: none is known, so the header alone decides (a trace yet to be
 * modelled). Decided in double, for the float path and the reference. */
int moho_trace_mute(const moho_geometry *geometry, size_t trace, const float *samples, size_t n, double dt_s, int filter_follows,
                    double *weights);

#endif
