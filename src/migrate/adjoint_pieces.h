/* adjoint_pieces.h - a demigration whose image is larger than memory: on the cpu's own loops, slab by slab of the image.
 *
 * For every batch of traces the slabs within their aperture are asked for, one after the other; the sums of a batch stay in
 * memory until it has met them all. So the traces are bitwise those of the image in memory, whatever the batches. The image is
 * read once a batch, less what lies out of reach: batches are as large as memory allows.
 */
#ifndef MOHO_MIGRATE_ADJOINT_PIECES_H
#define MOHO_MIGRATE_ADJOINT_PIECES_H

#include "moho/demigration.h"

/* The window's [inline, crossline, time] of the image, and of its fold, which may be asked for as NULL: BORROW until the next
 * call. Windows are of some thousand columns at most. */
typedef moho_status (*moho_piece_reader)(void *user, const moho_window *window, const float **image, const int32_t **fold);

/* As moho_demigration_create(); the image comes from `read`. memory_bytes: for all that the demigration holds and, of every trace
 * of a batch, caller_trace_bytes of the caller's.
 * @return besides MOHO_ERROR_NOT_AVAILABLE (no native kernel, a mask), MOHO_ERROR_TOO_LARGE (says how much is needed) */
moho_status moho_demigration_create_pieces(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                           const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                           double dt_s, size_t memory_bytes, size_t caller_trace_bytes, moho_piece_reader read,
                                           void *user, moho_demigration **out);

#endif
