/* kernel_choice.h - the kernels of the migration: a name is a pair of text and plan; which options each can do.
 *
 * One table answers moho_migration_supports(), makes the errors and is what moho_migration_create() takes method, text and
 * plan from.
 */
#ifndef MOHO_MIGRATE_KERNEL_CHOICE_H
#define MOHO_MIGRATE_KERNEL_CHOICE_H

#include "moho/migration.h"

typedef struct moho_migration_method moho_migration_method;

extern const moho_migration_method moho_native_method, moho_device_method;

/* How a device kernel is fed and launched. */
typedef struct moho_kernel_plan {
  int is_kept;                 /* memory and constant data stay between batches, which are prepared and uploaded while one runs */
  int is_packed;               /* reads pairs (value, next - value): migrate_pack first */
  int is_persistent;           /* groups take items from a work queue */
  int reads_lines;             /* STORAGE_LINES where only linear interpolation of the trace is asked for */
  int groups_a_multiprocessor; /* that registers are kept free for; 0: as the compiler likes */
  int groups_with_triangle;    /* the same with the antialias */
  int groups_with_angles;      /* the same with bins by opening angle */
  int is_tiled;                /* a group works on a tile of COLUMNS columns, 32 lanes each; else a lane an image sample */
} moho_kernel_plan;

typedef struct moho_kernel_version {
  moho_migration_kernel kernel;
  const moho_migration_method *method;
  const char *function; /* KERNEL in its text; NULL: native */
  moho_kernel_plan plan;
  unsigned traveltimes, interpolations, antialiases, weights; /* bit e: value e of the option's enum */
  unsigned storages;
  int mutes_by_offset;      /* outer_mute, inner_mute */
  int bins_by_angle, masks; /* gathers by opening angle; options.mask */
  const char *adjoint;      /* KERNEL of its demigration, or name of the native function; NULL: it has none */
} moho_kernel_version;

enum { MOHO_MOST_CANDIDATES = 2 };

typedef struct moho_kernel_choice {
  const moho_kernel_version *candidates[MOHO_MOST_CANDIDATES]; /* more than one: the first batch is measured with each */
  int n;
  char reason[160];
} moho_kernel_choice;

/* The one kernel of them that demigrates. @return MOHO_ERROR_NOT_AVAILABLE naming kernel or device. */
moho_status moho_kernel_choose_adjoint(const moho_device_report *report, const moho_migration_options *options,
                                       moho_kernel_choice *out);

/* "v2", or "auto" while it is open. */
const char *moho_kernel_choice_name(const moho_kernel_choice *choice);
/* What options->kernel means on a device. @return MOHO_ERROR_NOT_AVAILABLE naming the option and the kernels that can. */
moho_status moho_kernel_choose(const moho_device_report *report, const moho_migration_options *options, moho_kernel_choice *out);

#endif
