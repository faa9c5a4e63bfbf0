/* sinc_table.h - the weights of the 8-tap interpolator `sinc8`, for both paths.
 *
 * Between samples i and i+1, at fraction f, the value is sum_j h_j(f) y[i-3+j], j = 0..7. Row r of the table holds h_j at
 * f = r/1024, r = 0..1024 (the last row is there for blending): a sinc under a Kaiser window of half-width 4, each row scaled
 * to sum 1. h_j(f) = h_{7-j}(1-f) exactly. Rows are blended linearly in f.
 */
#ifndef MOHO_MIGRATE_SINC_TABLE_H
#define MOHO_MIGRATE_SINC_TABLE_H

enum { MOHO_SINC_TAPS = 8, MOHO_SINC_FRACTIONS = 1024, MOHO_SINC_ROWS = MOHO_SINC_FRACTIONS + 1 };

void moho_sinc_table_double(double table[MOHO_SINC_ROWS][MOHO_SINC_TAPS]);
void moho_sinc_table_float(float table[MOHO_SINC_ROWS][MOHO_SINC_TAPS]);

#endif
