/* reference_adjoint.c - the adjoint of reference.c: from an image to the traces that its migration would have used.
 *
 * Each trace is tested against every column and sample by itself, as in the migration, with the same contributions.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/aperture.h"
#include "migrate/migration_setup.h"
#include "migrate/reference_internal.h"

/* What all traces share: per column its samples and how far it reaches. */
typedef struct demigration_columns {
  reference_sample *samples; /* [column, time] */
  double *reach;             /* [column] m */
  const double *image;       /* [column, time] */
  const int32_t *fold;       /* [column, time] that the image is divided by; or NULL */
} demigration_columns;

static void add_column(const moho_reference *r, size_t c, const demigration_columns *all, const reference_trace *trace,
                       double *row) {
  const reference_column *column = &r->columns[c];
  if (moho_reference_distance(column, trace) > all->reach[c]) return;
  for (size_t k = c * r->n_time; k < (c + 1) * r->n_time; k++) {
    reference_contribution part;
    if (!moho_reference_contribute(r, c, trace, &all->samples[k], &part)) continue;
    double value = part.factor * all->image[k];
    if (all->fold && all->fold[k] > 1) value /= all->fold[k];
    for (int tap = 0; tap < part.n; tap++) row[part.at[tap]] += part.h[tap] * value;
  }
}

/* Each trace is one thread's. A thread without memory tells. */
static moho_status demigrate_traces(const moho_reference *r, const demigration_columns *all, const moho_geometry *geometry,
                                    const float *like, double *traces) {
  const moho_reference_preparer *p = &r->preparer;
  int out_of_memory = 0;
#pragma omp parallel reduction(| : out_of_memory)
  {
    double *row = NULL;
    if (moho_allocate(p->stride, sizeof *row, "reference trace", &row)) out_of_memory = 1;
#pragma omp for schedule(dynamic)
    for (long k = 0; k < (long)geometry->n; k++) {
      size_t i = (size_t)k;
      if (!row) continue;
      memset(row, 0, p->stride * sizeof *row);
      reference_trace trace = moho_reference_trace(r, geometry, i);
      for (size_t c = 0; c < r->n_columns && moho_geometry_is_live(geometry, i); c++) add_column(r, c, all, &trace, row);
      moho_reference_prepare_adjoint(p, geometry, i, like ? like + i * p->n_input : NULL, row, traces + i * p->n_input);
    }
    free(row);
  }
  return out_of_memory ? moho_fail(MOHO_ERROR_MEMORY, "reference: out of memory for a trace of %zu samples", p->n_samples)
                       : MOHO_OK;
}

moho_status moho_reference_demigrate(moho_reference *r, const double *image, const int32_t *fold, const moho_geometry *geometry,
                                     const float *like, double *traces) {
  MOHO_TRY(moho_migration_check_geometry(geometry, 0, r->preparer.dt_s));
  int divides = r->options.normalise == MOHO_NORMALISE_FOLD;
  if (divides && !fold)
    return moho_fail_at((moho_place){.key = "migration.normalise"}, "give the fold that the migration found", MOHO_ERROR_ARGUMENT,
                        "the adjoint of a migration divided by its fold needs that fold");
  demigration_columns all = {.image = image, .fold = divides ? fold : NULL};
  moho_status status = moho_allocate(r->n_columns * r->n_time, sizeof *all.samples, "reference columns", &all.samples);
  if (!status) status = moho_allocate(r->n_columns, sizeof *all.reach, "reference columns", &all.reach);
  for (size_t c = 0; !status && c < r->n_columns; c++)
    all.reach[c] = moho_aperture_widened(moho_reference_describe_column(r, c, all.samples + c * r->n_time));
  if (!status) status = demigrate_traces(r, &all, geometry, like, traces);
  free(all.samples), free(all.reach);
  return status;
}
