/* device_kernels.c - the kernels of the migration made known to the runtime, and compiled with a migration's constants. */
#include "migrate/device_kernels.h"

#include <string.h>

#include "base/fail.h"

moho_status moho_device_kernels_register(void) {
  MOHO_TRY(moho_kernel_register(&moho_definition_baseline));
  MOHO_TRY(moho_kernel_register(&moho_definition_pack));
  MOHO_TRY(moho_kernel_register(&moho_definition_v2));
  MOHO_TRY(moho_kernel_register(&moho_definition_v3));
  MOHO_TRY(moho_kernel_register(&moho_definition_demigrate_ranges));
  return moho_kernel_register(&moho_definition_demigrate_v3);
}

enum { OWN_CONSTANTS = 11 };

/* 1 when the option `constants` gives this one. */
static int is_given(const moho_device_constants *given, const char *name) {
  for (size_t i = 0; i < given->n; i++)
    if (strcmp(given->names[i], name) == 0) return 1;
  return 0;
}

/* What the text is told: the options, what suits the version, and over both what was given. */
static size_t list_constants(const moho_kernel_version *version, const migrate_device_parameters *p, const moho_device_plan *plan,
                             moho_constant out[OWN_CONSTANTS + MOHO_DEVICE_CONSTANTS]) {
  const moho_device_constants *given = &plan->constants;
  int has_triangle = p->antialias == MOHO_ANTIALIAS_TRIANGLE;
  int groups = p->n_limits    ? version->plan.groups_with_angles
               : has_triangle ? version->plan.groups_with_triangle
                              : version->plan.groups_a_multiprocessor;
  const moho_constant own[OWN_CONSTANTS] = {{"INTERPOLATION", p->interpolation, 0},
                                            {"ANTIALIAS", p->antialias, 0},
                                            {"WEIGHT_POWER", p->weight_power, 0},
                                            {"HAS_MUTE", p->has_mute, 0},
                                            {"LAW", p->law, 0},
                                            {"HAS_WINDOW", p->has_window, 0},
                                            {"STORAGE", p->storage, 0},
                                            {"NO_SHIFT", plan->begins_at_zero, 0},
                                            {"HAS_ANGLES", p->n_limits != 0, 0},
                                            {"HAS_MASK", p->mask_stride != 0, 0},
                                            {"KERN_BLOCKS_PER_SM", groups, 0}};
  size_t n = 0, n_own = groups ? OWN_CONSTANTS : OWN_CONSTANTS - 1;
  for (size_t i = 0; i < n_own; i++)
    if (!is_given(given, own[i].name)) out[n++] = own[i];
  for (size_t i = 0; i < given->n; i++) out[n++] = (moho_constant){given->names[i], given->values[i], 0};
  return n;
}

static moho_status refuse_constants(const moho_device_constants *given, const char *function) {
  return moho_fail_at((moho_place){.key = "constants"}, "leave them out on this device", MOHO_ERROR_NOT_AVAILABLE,
                      "constants (%s=%g): this device runs kernel %s as it was compiled into the program", given->names[0],
                      given->values[0], function);
}

moho_status moho_device_adjoint_kernel_create(moho_device *device, const moho_kernel_version *version, const char *function,
                                              const migrate_device_parameters *p, const moho_device_plan *plan,
                                              moho_kernel **out) {
  moho_constant constants[OWN_CONSTANTS + MOHO_DEVICE_CONSTANTS];
  size_t n = list_constants(version, p, plan, constants);
  MOHO_TRY(moho_kernel_create(device, &(moho_kernel_options){.name = function, .constants = constants, .n_constants = n}, out));
  moho_kernel_report report;
  moho_status status = moho_kernel_describe(*out, &report);
  if (!status && plan->constants.changes_text && (strcmp(report.origin, "c") == 0 || strcmp(report.origin, "native") == 0))
    status = refuse_constants(&plan->constants, function);
  if (status) moho_kernel_destroy(out);
  return status;
}

moho_status moho_device_kernel_create(moho_device *device, const moho_kernel_version *version, const migrate_device_parameters *p,
                                      const moho_device_plan *plan, moho_kernel **out) {
  if (!version) return moho_kernel_create(device, &(moho_kernel_options){.name = "migrate_pack"}, out);
  return moho_device_adjoint_kernel_create(device, version, version->function, p, plan, out);
}
