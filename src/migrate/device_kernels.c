/* device_kernels.c - the kernels of the migration made known to the runtime, and compiled with a migration's constants. */
#include "migrate/device_kernels.h"

#include <string.h>

#include "base/fail.h"

moho_status moho_device_kernels_register(void) {
  MOHO_TRY(moho_kernel_register(&moho_definition_baseline));
  MOHO_TRY(moho_kernel_register(&moho_definition_pack));
  MOHO_TRY(moho_kernel_register(&moho_definition_v2));
  return moho_kernel_register(&moho_definition_v3);
}

moho_status moho_device_kernel_create(moho_device *device, const char *function, const migrate_device_parameters *p,
                                      const moho_device_constants *given, moho_kernel **out) {
  moho_constant constants[5 + MOHO_DEVICE_CONSTANTS] = {{"INTERPOLATION", p->interpolation, 0},
                                                        {"ANTIALIAS", p->antialias, 0},
                                                        {"WEIGHT_POWER", p->weight_power, 0},
                                                        {"HAS_MUTE", p->has_mute, 0},
                                                        {"STORAGE", p->storage, 0}};
  size_t n = 5;
  for (size_t i = 0; i < given->n; i++) constants[n++] = (moho_constant){given->names[i], given->values[i], 0};
  MOHO_TRY(moho_kernel_create(device, &(moho_kernel_options){.name = function, .constants = constants, .n_constants = n}, out));
  moho_kernel_report report;
  moho_status status = moho_kernel_describe(*out, &report);
  if (!status && given->changes_text && (strcmp(report.origin, "c") == 0 || strcmp(report.origin, "native") == 0))
    status = moho_fail_at((moho_place){.key = "execution.constants"}, "leave them out on this device", MOHO_ERROR_NOT_AVAILABLE,
                          "constants (%s=%g): this device runs kernel %s as it was compiled into the program", given->names[0],
                          given->values[0], function);
  if (status) moho_kernel_destroy(out);
  return status;
}
