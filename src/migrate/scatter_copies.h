/* scatter_copies.h - how the adjoint's loops and their host lay a row out, so that no sample waits for the one before.
 *
 * Neighbouring image samples add to the same or the next place of a trace. Were there one row, each would wait for the sum of
 * the one before to leave the processor's store buffer; with COPIES of it sample i adds to copy i % COPIES. In floats:
 *
 *   [MOHO_ROW_COPIES][lane_stride]       the trace as prepared
 *   [MOHO_SUM_COPIES][sums_stride]       in double: the trace integrated twice (triangle antialias only)
 */
#ifndef MOHO_MIGRATE_SCATTER_COPIES_H
#define MOHO_MIGRATE_SCATTER_COPIES_H

enum { MOHO_ROW_COPIES = 8, MOHO_SUM_COPIES = 4 };

#endif
