/* migration_options.h - the options of a migration: checked, and `auto` settled. */
#ifndef MOHO_MIGRATE_MIGRATION_OPTIONS_H
#define MOHO_MIGRATE_MIGRATION_OPTIONS_H

#include "moho/migration.h"

/* MOHO_ERROR_RANGE or MOHO_ERROR_ARGUMENT naming the option by its key in a job file, its value and what was expected. */
moho_status moho_migration_options_check(const moho_migration_options *options);

/* The weight that is meant: auto is spreading_obliquity for spreading-corrected data, obliquity for raw data. */
moho_weight moho_weight_resolve(moho_weight weight, moho_amplitude amplitude);
/* The rho filter that is meant: auto is 2D on a line, else 3D. */
moho_rho moho_rho_resolve(moho_rho rho, int is_line);

static inline int moho_weight_has_spreading(moho_weight weight) {
  return weight == MOHO_WEIGHT_SPREADING || weight == MOHO_WEIGHT_SPREADING_OBLIQUITY;
}

static inline int moho_weight_has_obliquity(moho_weight weight) {
  return weight == MOHO_WEIGHT_OBLIQUITY || weight == MOHO_WEIGHT_SPREADING_OBLIQUITY;
}

#endif
