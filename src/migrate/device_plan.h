/* device_plan.h - a migration by kernels on a device: how the image is cut, how large batches are, what memory it takes.
 *
 * Columns lie in the order in which kernels want them: tiles of neighbours, padded to whole tiles. A slab is a run of tiles
 * whose image a 31-bit index and one buffer can hold; nearly always there is one.
 */
#ifndef MOHO_MIGRATE_DEVICE_PLAN_H
#define MOHO_MIGRATE_DEVICE_PLAN_H

#include "migrate/kernel_choice.h"
#include "migrate/trace_prepare.h"
#include "moho/kernel.h"

enum { MOHO_DEVICE_CONSTANTS = 16, MOHO_DEVICE_SLOTS = 2, MOHO_DEVICE_PIECES = 2 };
/* Bins begin so many traces apart: what kernels are bound begins at multiples of 16 bytes. */
enum { MOHO_SORTED_STEP = 4 };
/* Tables that differ from column to column are made and uploaded in pieces of about this much. */
#define MOHO_TABLE_CHUNK_BYTES ((size_t)64 << 20)
/* What goes to a device with memory of its own, and comes back, passes through MOHO_DEVICE_PIECES pinned pieces of this much. A
 * driver takes about 0.25 ms to pin a MiB: these cost 8 ms, two whole batches would cost 64. */
#define MOHO_PIECE_BYTES ((size_t)16 << 20)

/* The option `constants`, "COLUMNS=8,BATCH_TRACES=4096": what the plan takes itself, and what goes before the text. */
typedef struct moho_device_constants {
  size_t batch_traces, piece_traces, launch_traces, launch_columns, slab_samples, groups; /* 0: not given */
  size_t columns, columns_x, chunks, together; /* of a tile; along a line; samples a lane; items */
  int changes_text;                            /* the text gets something that was given */
  size_t n;
  char names[MOHO_DEVICE_CONSTANTS][32];
  double values[MOHO_DEVICE_CONSTANTS];
} moho_device_constants;

/* @return MOHO_ERROR_ARGUMENT naming the part that is not NAME=whole number. text may be NULL. */
moho_status moho_device_constants_parse(const char *text, moho_device_constants *out);

typedef struct moho_device_plan {
  moho_device_constants constants;
  int is_unified;                            /* host and device share their memory: what is prepared is not copied */
  int begins_at_zero;                        /* every live trace: kernels need not look at its shift */
  int is_adjoint;                            /* a demigration: slabs without fold, no slots, no pieces */
  int is_kept, is_packed;                    /* moho_kernel_plan of the candidates */
  size_t tile_along, tile_across;            /* nodes of a tile along and across inlines */
  size_t tile;                               /* columns of a tile */
  size_t tiles_along, tiles_across, entries; /* entries: columns with the padding */
  size_t slab_entries;                       /* of a slab, at most; whole tiles */
  size_t bins;                               /* of the gathers; 1: none. A slab holds its image once a bin */
  size_t trace_bins;                         /* that traces are sorted by; 1: none, or kernels sort samples by their angle */
  int has_angles, has_mask;                  /* gathers by opening angle; a mask of samples */
  size_t mask_stride;                        /* words of the mask a column */
  size_t image_stride, n_time;               /* samples */
  size_t table_entries;                      /* of a sample in the table of slowness */
  size_t slots;                              /* batches at once */
  size_t row_floats;                         /* of a prepared trace */
  size_t packed_bytes;                       /* of a packed row; 0: rows are read as they are */
  size_t traces_offset;                      /* bytes, of the traces in a slot */
  size_t sorted_offset;                      /* bytes, of the same sorted by bin; without gathers the same place */
  size_t sorted_traces;                      /* capacity, with the gaps between bins */
  size_t piece_bytes, piece_traces;          /* of a pinned piece; 0: host and device share their memory */
  size_t piece_traces_offset;                /* bytes, of the traces in a piece */
  size_t launch_traces, launch_columns;      /* of a launch, at most */
  double launch_seconds;                     /* that a launch should last at most */
} moho_device_plan;

typedef struct moho_migration_setup moho_migration_setup;
typedef struct moho_migration_size_query moho_migration_size_query;

/* The method's sizes: s->device, capacity, bytes, device_bytes. */
moho_status moho_device_plan_size(moho_migration_setup *s, const moho_migration_size_query *query);

/* A column's place in the window for every entry of the order: flat [entries]; MOHO_PADDING where there is none. */
#define MOHO_PADDING 0xffffffffu
void moho_device_order(const moho_device_plan *plan, const moho_window *window, uint32_t *flat);

#endif
