/* reference_internal.h - the double reference as its files see it: columns, traces, samples, and one contribution.
 *
 * reference.c migrates and reference_adjoint.c demigrates. What a pair (trace, image sample) adds is written once, in
 * reference_contribution.c, as numbers that both use: a factor, and taps of the prepared row.
 *
 *   forward   image[sample] += factor * sum_k h[k] row[at[k]]
 *   adjoint   row[at[k]]    += factor * h[k] * image[sample]
 */
#ifndef MOHO_MIGRATE_REFERENCE_INTERNAL_H
#define MOHO_MIGRATE_REFERENCE_INTERNAL_H

#include "migrate/offset_class.h"
#include "migrate/opening_angle.h"
#include "migrate/offset_mute.h"
#include "migrate/reference_prepare.h"
#include "migrate/sinc_table.h"
#include "migrate/travel_time.h"
#include "moho/migration.h"

/* The most that one value reads: sinc8 takes 8, a triangle 8, two low-passed copies under sinc8 16. */
enum { MOHO_REFERENCE_TAPS = 16 };

typedef struct reference_column {
  double x, y;
  double along[2], across[2]; /* axes of the slope */
} reference_column;

struct moho_reference {
  moho_migration_options options;
  int is_line, t_part;
  double first_s, step_s;
  size_t n_time, n_columns;
  reference_column *columns;
  moho_travel_law law;
  moho_travel_column *travel; /* [n_travel] of each column; one for all where velocity and eta depend on t0 only */
  size_t n_travel;
  double *v0;                  /* [column] at the surface, m/s */
  moho_grid axes;              /* directions only: tells signed offsets and tiles */
  moho_gather_bins bins;       /* options.gathers points here */
  size_t n_bins;               /* 1 without gathers */
  moho_opening_angles angles;  /* of gathers by angle */
  double *v_dt;                /* [n_travel, time] v_int * dt, for them; or NULL */
  double *image;               /* [column, bin, time] */
  int32_t *fold;               /* [column, bin, time] */
  moho_offset_classes classes; /* with antialias or true amplitudes only */
  double *live;                /* [column, time] classes that are live, for true amplitudes without gathers of them; or NULL */
  moho_reference_preparer preparer;
  double (*sinc)[MOHO_SINC_TAPS]; /* with sinc8 only */
};

/* A trace and where it was shot; times in refined samples. */
typedef struct reference_trace {
  double source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y;
  double half_offset2;
  double first_sample; /* t_first */
  double spacing;      /* factor * spacing of its offset class, m */
  double area;         /* weight.h, trace factor */
  moho_mute_window window;
  long bin;          /* of the gathers; -1: outside all */
  const double *row; /* prepared; NULL: not live (or not read, by the adjoint) */
} reference_trace;

/* One image sample of a column as the formulas want it, times in refined samples. */
typedef struct reference_sample {
  size_t i;
  double t0_s;
  double weight; /* of the column */
  double radius; /* running maximum of A(t0), m */
} reference_sample;

/* What one trace adds to one image sample: factor * sum h[k] row[at[k]]. */
typedef struct reference_contribution {
  double factor; /* weight and taper */
  size_t bin;    /* of the gathers */
  int n;
  ptrdiff_t at[MOHO_REFERENCE_TAPS];
  double h[MOHO_REFERENCE_TAPS];
} reference_contribution;

/* Columns, velocities, offset classes and the like of trace i of a geometry. */
reference_trace moho_reference_trace(const moho_reference *r, const moho_geometry *geometry, size_t i);
/* samples [n_time]; returns the column's largest radius. */
double moho_reference_describe_column(const moho_reference *r, size_t column, reference_sample *samples);
/* What the column's leg times follow from. */
static inline const moho_travel_column *moho_reference_travel(const moho_reference *r, size_t column) {
  return &r->travel[r->n_travel > 1 ? column : 0];
}
/* Distance on the ground between a column and a trace's midpoint. */
double moho_reference_distance(const reference_column *column, const reference_trace *trace);

/* Returns 1, or 0 when the sample lies outside of aperture, mute or record, or of all bins. */
int moho_reference_contribute(const moho_reference *r, size_t column, const reference_trace *trace,
                              const reference_sample *sample, reference_contribution *out);

#endif
