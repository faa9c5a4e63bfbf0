/* live_classes.h - how many offset classes add to an image sample: a stack of true amplitudes is their mean (docs/physics.md
 * "Image, contribution, fold").
 *
 * A class is live at a sample when the aperture there reaches its nearest midpoint, no mute takes its least offset away, and
 * its record holds the reflection from under the midpoint. That follows from geometry and velocity alone, so every device,
 * the reference and the adjoint divide by the same numbers.
 */
#ifndef MOHO_MIGRATE_LIVE_CLASSES_H
#define MOHO_MIGRATE_LIVE_CLASSES_H

#include "migrate/offset_class.h"
#include "migrate/travel_time.h"
#include "moho/migration.h"

typedef struct moho_live_classes {
  size_t n;       /* classes; 0: nothing is counted */
  float *nearest; /* [columns, n] from a column to the nearest midpoint, m; infinite beyond the largest aperture */
  double *offset_m, *begin_s, *end_s; /* [n] least offset, earliest and latest time of its records */
} moho_live_classes;

size_t moho_live_classes_bytes(size_t classes, size_t columns);

/* columns: [n_columns] flat indices in the grid; NULL: all of them. */
moho_status moho_live_classes_create(const moho_offset_classes *classes, const moho_geometry *geometry, const moho_grid *grid,
                                     const size_t *columns, size_t n_columns, const moho_migration_options *options,
                                     size_t n_samples, double dt_s, moho_live_classes *out);
void moho_live_classes_release(moho_live_classes *live);

/* count [law->n], at least 1, at the image times of a column whose travel times are `travel`. */
void moho_live_classes_count(const moho_live_classes *live, size_t column, const moho_migration_options *options,
                             const moho_travel_law *law, const moho_travel_column *travel, double *count);

#endif
