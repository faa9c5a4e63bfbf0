/* kernel_choice.c - which kernel of the migration runs: the table of versions, and `auto`. */
#include "migrate/kernel_choice.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"

#define BIT(e) (1u << (e))
#define EVERY(last) ((BIT(last) << 1) - 1)
#define EVERY_INTERPOLATION EVERY(MOHO_INTERPOLATION_SINC8)
#define FLOAT_ONLY BIT(MOHO_STORAGE_FLOAT)
#define FLOAT_OR_HALF EVERY(MOHO_STORAGE_HALF)
/* What the plain text does: straight rays, weights that are powers of t, no filter bank. And what all others do. */
#define PLAIN_OPTIONS \
  BIT(MOHO_TRAVELTIME_STRAIGHT), EVERY_INTERPOLATION, EVERY(MOHO_ANTIALIAS_TRIANGLE), EVERY(MOHO_WEIGHT_SPREADING_OBLIQUITY)
#define ALL_OPTIONS \
  EVERY(MOHO_TRAVELTIME_VTI_RATIONAL), EVERY_INTERPOLATION, EVERY(MOHO_ANTIALIAS_FILTER_BANK), EVERY(MOHO_WEIGHT_TRUE_AMPLITUDE)
static const moho_kernel_version versions[] = {
    {MOHO_KERNEL_NATIVE, &moho_native_method, NULL, {0}, ALL_OPTIONS, FLOAT_ONLY, 1, 1, 1, "demigrate"},
    {MOHO_KERNEL_BASELINE, &moho_device_method, "migrate_baseline", {0}, PLAIN_OPTIONS, FLOAT_ONLY, 0, 0, 0, NULL},
    {MOHO_KERNEL_V1, &moho_device_method, "migrate_baseline", {.is_kept = 1}, PLAIN_OPTIONS, FLOAT_OR_HALF, 0, 0, 0, NULL},
    {MOHO_KERNEL_V2,
     &moho_device_method,
     "migrate_v2",
     {.is_kept = 1,
      .is_packed = 1,
      .is_tiled = 1,
      .groups_a_multiprocessor = 3,
      .groups_with_triangle = 4,
      .groups_with_angles = 2},
     ALL_OPTIONS,
     FLOAT_OR_HALF,
     1,
     1,
     1,
     NULL},
    {MOHO_KERNEL_V3,
     &moho_device_method,
     "migrate_v3",
     {.is_kept = 1,
      .is_packed = 1,
      .is_tiled = 1,
      .is_persistent = 1,
      .reads_lines = 1,
      .groups_a_multiprocessor = 3,
      .groups_with_triangle = 3,
      .groups_with_angles = 2},
     ALL_OPTIONS,
     FLOAT_OR_HALF,
     1,
     1,
     1,
     "demigrate_v3"},
};
enum { VERSIONS = sizeof versions / sizeof *versions };

static const char *const names[] = {"auto", "native", "baseline", "v1", "v2", "v3"};

const char *moho_migration_kernel_name(moho_migration_kernel kernel) {
  return (unsigned)kernel < sizeof names / sizeof *names ? names[kernel] : NULL;
}

static int has_angles(const moho_migration_options *o) {
  return o->gathers && o->gathers->kind == MOHO_GATHERS_ANGLE;
}

/* The first option that the version lacks, with its value; NULL: it can do them all. */
static const char *lacks(const moho_kernel_version *v, const moho_device_report *report, const moho_migration_options *o) {
  static const char *const traveltimes[] = {"migration.traveltime straight",   "migration.traveltime curved_linear",
                                            "migration.traveltime curved_rms", "migration.traveltime curved_ray",
                                            "migration.traveltime vti",        "migration.traveltime vti_rational"};
  static const char *const interpolations[] = {"migration.interpolation linear", "migration.interpolation cubic",
                                               "migration.interpolation sinc8"};
  static const char *const antialiases[] = {"migration.antialias none", "migration.antialias triangle",
                                            "migration.antialias filter_bank"};
  if (!v->function && !report->has_native) return "devices without native functions";
  if (v->plan.is_tiled && report->simd_width != 32) return "devices without operations on SIMD groups of 32 lanes";
  if (!(v->traveltimes & BIT(o->traveltime))) return traveltimes[o->traveltime];
  if (!(v->interpolations & BIT(o->interpolation))) return interpolations[o->interpolation];
  if (!(v->antialiases & BIT(o->antialias))) return antialiases[o->antialias];
  if (!(v->weights & BIT(o->weight))) return "migration.weight true_amplitude";
  if ((o->outer_mute.n || o->inner_mute.n) && !v->mutes_by_offset) return "migration.mute";
  if (!(v->storages & BIT(o->storage))) return "storage half";
  if (has_angles(o) && !v->bins_by_angle) return "gathers by angle";
  if (o->mask && !v->masks) return "a mask of samples (migration.adaptive)";
  /* Half has 11 bits: enough for samples, not for second differences of a trace integrated twice. */
  if (o->storage == MOHO_STORAGE_HALF && o->antialias != MOHO_ANTIALIAS_NONE) return "storage half with migration.antialias";
  return NULL;
}

static const moho_kernel_version *version_of(moho_migration_kernel kernel) {
  for (int i = 0; i < VERSIONS; i++)
    if (versions[i].kernel == kernel) return &versions[i];
  return NULL;
}

static moho_status refuse(const moho_device_report *report, const moho_migration_options *o, const char *missing) {
  char able[80] = "";
  const char *hint = "name one of those that can, or leave it auto";
  for (int i = 0; i < VERSIONS; i++)
    if (!lacks(&versions[i], report, o))
      snprintf(able + strlen(able), sizeof able - strlen(able), "%s%s", *able ? ", " : "", names[versions[i].kernel]);
  if (!*able) hint = o->storage == MOHO_STORAGE_HALF ? "set execution.storage to float" : "choose another device";
  return moho_fail_at((moho_place){.key = "execution.kernel"}, hint, MOHO_ERROR_NOT_AVAILABLE,
                      "kernel %s does not do %s; on device %s kernels that can are: %s", names[o->kernel], missing, report->kind,
                      *able ? able : "none");
}

/* auto: native, else v2 against v3, else the next best. */
static moho_status choose_auto(const moho_device_report *report, const moho_migration_options *o, moho_kernel_choice *out) {
  static const moho_migration_kernel order[] = {MOHO_KERNEL_NATIVE, MOHO_KERNEL_V3, MOHO_KERNEL_V2, MOHO_KERNEL_V1,
                                                MOHO_KERNEL_BASELINE};
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    const moho_kernel_version *v = version_of(order[i]);
    if (!v || lacks(v, report, o)) continue;
    /* A trial says nothing of a mask, whose tiles differ, nor of angles, which take sums of all bins. */
    int is_tried = out->n == 1 && out->candidates[0]->kernel == MOHO_KERNEL_V3 && v->kernel == MOHO_KERNEL_V2;
    if (!out->n || (is_tried && !o->mask && !has_angles(o))) out->candidates[out->n++] = v;
  }
  if (!out->n) return refuse(report, o, lacks(version_of(MOHO_KERNEL_V3), report, o));
  const char *name = names[out->candidates[0]->kernel];
  if (out->n > 1) return MOHO_OK;
  if (!out->candidates[0]->function) snprintf(out->reason, sizeof out->reason, "native: this device has native functions");
  else snprintf(out->reason, sizeof out->reason, "%s: the fastest that does these options", name);
  return MOHO_OK;
}

moho_status moho_kernel_choose(const moho_device_report *report, const moho_migration_options *o, moho_kernel_choice *out) {
  *out = (moho_kernel_choice){0};
  if (o->kernel == MOHO_KERNEL_AUTO) return choose_auto(report, o, out);
  const moho_kernel_version *v = version_of(o->kernel);
  const char *missing = lacks(v, report, o);
  if (missing) return refuse(report, o, missing);
  out->candidates[out->n++] = v;
  return MOHO_OK;
}

moho_status moho_kernel_choose_adjoint(const moho_device_report *report, const moho_migration_options *o,
                                       moho_kernel_choice *out) {
  MOHO_TRY(moho_kernel_choose(report, o, out));
  for (int i = 0; i < out->n; i++) {
    const moho_kernel_version *v = out->candidates[i];
    if (!v->adjoint) continue;
    out->candidates[0] = v, out->n = 1;
    return MOHO_OK;
  }
  return moho_fail_at((moho_place){.key = "execution.kernel"}, "leave execution.kernel auto", MOHO_ERROR_NOT_AVAILABLE,
                      "kernel %s does not demigrate, expected native (on the cpu) or v3", names[out->candidates[0]->kernel]);
}

const char *moho_kernel_choice_name(const moho_kernel_choice *choice) {
  return names[choice->n == 1 ? choice->candidates[0]->kernel : MOHO_KERNEL_AUTO];
}
