/* filter_bank.h - the low-passed copies of a trace that antialias filter_bank reads (Gray 1992; docs/physics.md).
 *
 * Copy 0 is the trace itself, for half-widths T up to the input's interval. The cut-offs of the others fall geometrically, to
 * that of the widest T: copy j is for T_j = T_0 2^(j/per_octave), its cut-off f_j = 1/(2 T_j), which a raised cosine passes
 * at one half: 1 below f_j (1 - 1/4), 0 above f_j (1 + 1/4). Zero phase. Between two T_j their copies are blended.
 */
#ifndef MOHO_MIGRATE_FILTER_BANK_H
#define MOHO_MIGRATE_FILTER_BANK_H

#include <stddef.h>

#define MOHO_FILTER_ROLL_OFF 0.25

typedef struct moho_filter_bank {
  int n;            /* copies; 0: no bank */
  double narrowest; /* T_0 in refined samples */
  double per_octave, last;
} moho_filter_bank;

/* k_max: the widest T, in refined samples. */
moho_filter_bank moho_filter_bank_make(int n, int refine, int k_max);

/* Response of copy j at `cycles` a refined sample. */
double moho_filter_bank_response(const moho_filter_bank *bank, int j, double cycles);

/* filter_bank_place() of kernels/physics.h for a half-width in refined samples. */
double moho_filter_bank_place(const moho_filter_bank *bank, double half_width);

#endif
