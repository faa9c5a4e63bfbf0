/* device_kernels.h - the kernels of the migration as the runtime knows them: texts, C functions, constants.
 *
 * The texts are compiled as C in device_text_*.c, one a file: what a text defines for itself stays there.
 */
#ifndef MOHO_MIGRATE_DEVICE_KERNELS_H
#define MOHO_MIGRATE_DEVICE_KERNELS_H

#include "kernels/migrate_device.h"
#include "migrate/device_plan.h"

/* COLUMNS, CHUNKS and TOGETHER of migrate_tile_shape.h where nothing else is asked for. */
enum { MOHO_DEFAULT_COLUMNS = 8, MOHO_DEFAULT_CHUNKS = 4, MOHO_DEFAULT_TOGETHER = 4 };

extern const moho_kernel_definition moho_definition_baseline, moho_definition_pack, moho_definition_v2, moho_definition_v3,
    moho_definition_demigrate_ranges, moho_definition_demigrate_v3;

/* Bytes of group memory that a group takes with such COLUMNS, CHUNKS and TOGETHER, with bins by opening angle or without. */
size_t moho_tile_group_bytes(size_t columns, size_t chunks, size_t together, int has_angles);

/* The same of demigrate_v3, for a window of a row and as many copies of it (migrate_device.h). */
size_t moho_demigrate_group_bytes(size_t columns, size_t window, size_t copies, size_t k_max, unsigned antialias);

/* Make them known; any number of times, from any thread. */
moho_status moho_device_kernels_register(void);

/* The kernel of a version with the migration's options as constants; version NULL: the packing. @return also
 * MOHO_ERROR_NOT_AVAILABLE when constants were given for the text and the device runs what was compiled into the program. */
moho_status moho_device_kernel_create(moho_device *device, const moho_kernel_version *version,
                                      const migrate_device_parameters *parameters, const moho_device_plan *plan,
                                      moho_kernel **out);
/* One of the version's adjoint by name, with the same constants. */
moho_status moho_device_adjoint_kernel_create(moho_device *device, const moho_kernel_version *version, const char *function,
                                              const migrate_device_parameters *parameters, const moho_device_plan *plan,
                                              moho_kernel **out);

#endif
