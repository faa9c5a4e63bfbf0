/* moveout.h - where a trace of some offset holds at time t what belongs to zero-offset time t0: t^2 = t0^2 + x^2/v(t0)^2.
 *
 * Where v grows so fast that t falls as t0 grows, one t belongs to several t0: the deepest is taken, and nothing is known above
 * the least t. Traces are read between samples by the 8-tap sinc.
 */
#ifndef MOHO_MIGRATE_MOVEOUT_H
#define MOHO_MIGRATE_MOVEOUT_H

#include "migrate/sinc_table.h"
#include "moho/migration.h"

/* Times of one axis, and scratch of one thread. */
typedef struct moho_moveout {
  size_t n;
  double first_s, step_s;
  double *t, *place;              /* [n] */
  float *from;                    /* [n + 2 taps], zeros at both ends */
  double (*sinc)[MOHO_SINC_TAPS]; /* of moho_sinc_table_double() */
} moho_moveout;

moho_status moho_moveout_create(size_t n, double first_s, double step_s, moho_moveout *out);
void moho_moveout_release(moho_moveout *m);

/* m->place[j]: fractional sample of the t0 whose time is sample j's, for offset x and v [n]; -1 where there is none. Exact at
 * constant velocity. */
void moho_moveout_find(moho_moveout *m, const double *v_mps, double offset_m);
/* m->place[k]: fractional sample of the time of the t0 that is sample k's; -1 beyond the last. */
void moho_moveout_find_forward(moho_moveout *m, const double *v_mps, double offset_m);
/* trace [n] read at the places; 0 where there is none. */
void moho_moveout_move(moho_moveout *m, float *trace);

#endif
