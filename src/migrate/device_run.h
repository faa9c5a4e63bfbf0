/* device_run.h - a migration that runs by kernels on a device, as the files device_*.c share it.
 *
 * Batches pass through slots: the caller's thread prepares traces, sends them to a slot's memory and hands it over; a thread of
 * the run compiles the kernels, then launches, cut so that each lasts its time, at most two submissions ahead of the device,
 * and gives slots back. So the next batch is prepared and uploaded while one is migrated, and a stop takes effect within two
 * launches. A plan that keeps nothing (baseline) does the same in the caller's thread, one batch after another.
 */
#ifndef MOHO_MIGRATE_DEVICE_RUN_H
#define MOHO_MIGRATE_DEVICE_RUN_H

#include <pthread.h>

#include "migrate/device_tables.h"
#include "moho/queue.h"

/* Tiles of columns whose sums lie in one buffer. */
typedef struct moho_device_slab {
  size_t first_entry, n_entries; /* of the order */
  size_t first_row, n_rows;      /* of real columns */
  moho_buffer *image, *fold;     /* [bins, n_rows, image_stride] */
  moho_buffer *table;            /* [n_rows, n_time]; NULL: one for all */
  moho_buffer *v_dt;             /* by opening angle: [n_rows, n_time]; NULL: one for all */
  moho_buffer *mask;             /* [n_rows, mask_stride]; NULL: no mask */
} moho_device_slab;

/* What launches read besides traces. */
typedef struct moho_device_constant_data {
  moho_buffer *axis, *columns, *sinc, *table; /* table: of all columns, or NULL */
  moho_buffer *limits, *v_dt;                 /* by opening angle; v_dt: of all columns, or NULL */
} moho_device_constant_data;

typedef enum { MOHO_SLOT_FREE, MOHO_SLOT_HANDED_OVER, MOHO_SLOT_LAUNCHING } moho_slot_state;

typedef struct moho_device_slot {
  moho_buffer *data; /* what kernels read: rows, at traces_offset the traces, at sorted_offset with gathers the same by bin */
  moho_buffer *used; /* uint [capacity], written by kernels */
  float *rows;       /* host view while the slot is filled, unless that goes through pieces */
  migrate_trace *traces;
  uint8_t *live;                      /* [capacity] 0: dead, MOHO_PLACE_UNBINNED: live, outside all bins of the gathers */
  int32_t *bins;                      /* [capacity] with gathers: of each trace */
  migrate_trace *places;              /* [capacity] with gathers, where the host does not keep `traces`: the same */
  size_t *first_of_bin;               /* [bins] with gathers: of the sorted traces, a multiple of MOHO_SORTED_STEP */
  size_t *end_of_bin;                 /* [bins] */
  size_t n_sorted;                    /* with the gaps between bins; without gathers n */
  size_t n;                           /* traces filled in */
  size_t first;                       /* traces that were filled in before them, since creation */
  moho_ticket first_upload, uploaded; /* of the upload queue: tickets between them brought the traces */
  moho_slot_state state;
} moho_device_slot;

/* Pinned memory between the host and a device with memory of its own. */
typedef struct moho_device_piece {
  moho_buffer *buffer; /* rows, at piece_traces_offset the traces */
  float *rows;         /* host view while it is filled */
  migrate_trace *traces;
  size_t n;             /* traces filled in */
  moho_ticket uploaded; /* what it held before */
} moho_device_piece;

/* A submission that the device may still be busy with. */
typedef struct moho_device_flight {
  moho_ticket ticket;
  double submitted, share; /* when; of a batch's columns times its traces */
  double work;             /* traces times columns; 0: not a launch to learn from */
  moho_device_slot *slot;  /* done with this; NULL: not yet */
} moho_device_flight;

enum { MOHO_DEVICE_AHEAD = 2 };

typedef struct moho_device_run {
  moho_migration *m;
  moho_device_plan plan;
  moho_kernel_choice choice;
  int is_uniform;
  double contributions_expected; /* a trace, for progress */
  uint32_t *flat;                /* [rows] the window's number of a row */
  migrate_column *columns;       /* [entries] */
  migrate_slowness *table;       /* host's copy: uniform, or where nothing is kept; else NULL */
  migrate_device_parameters parameters;
  moho_kernel *kernels[MOHO_MOST_CANDIDATES], *pack;
  moho_queue *queue, *upload;
  moho_device_slab *slabs;
  size_t n_slabs;
  moho_device_constant_data constant;
  moho_buffer *packed, *work;
  moho_device_slot slots[MOHO_DEVICE_SLOTS];
  moho_device_piece pieces[MOHO_DEVICE_PIECES];
  const moho_reporter *reporter; /* of the add that launches itself; NULL where the run has its thread */
  int filling, is_open;          /* slot that add() fills, or will when the device is done with it; it has been opened */
  int piece;                     /* that add() fills */
  size_t n_filled;               /* traces, in all slots so far */
  uint32_t *used_host;           /* [capacity] */

  /* The launching side: the run's thread, or add() where nothing is kept. */
  int settled; /* choice.candidates[chosen] was measured, or is the only one */
  int chosen;
  moho_device_flight flights[MOHO_DEVICE_AHEAD + 1];
  int n_flights;
  double rate;         /* traces times columns a second; 0: not known yet */
  double last_done;    /* when the last flight was seen to be done */
  size_t last_columns; /* of the last launch */
  size_t *live_ranges; /* with a mask: [tiles + 1] ranges with samples to compute in all tiles before; or NULL */

  /* Shared, under lock. */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  int has_thread, is_stopped;
  moho_status status; /* the first failure, with its error */
  moho_error error;
  double traces_done; /* migrated, in whole and parts */
  moho_migration_counts counts;
} moho_device_run;

/* ---- device_memory.c ---- */

/* Everything that stays for the whole run. */
moho_status moho_device_allocate(moho_device_run *r);
/* Pinned pieces, unless they are there. */
moho_status moho_device_allocate_pieces(moho_device_run *r);
/* Constant data: created and uploaded; uploaded at once, or where nothing is kept with each batch. */
moho_status moho_device_load_constants(moho_device_run *r);
void moho_device_drop_constants(moho_device_run *r);
void moho_device_release(moho_device_run *r);
/* A buffer, its wall seconds added to the run's allocation seconds. */
moho_status moho_device_buffer(moho_device_run *r, size_t bytes, moho_memory memory, const char *what, moho_buffer **out);

/* ---- device_batch.c: the launching side ---- */

/* Record and submit what a batch needs; the slot is given back when the device is done with it. */
moho_status moho_device_run_batch(moho_device_run *r, moho_device_slot *slot);
/* Wait for the oldest submission. */
moho_status moho_device_retire(moho_device_run *r);
/* A part of a batch: traces [first, first + n) of a slot, columns [first_entry, first_entry + n_entries) of the order. */
typedef struct moho_device_part {
  const moho_device_slot *slot;
  size_t first_trace, n_traces, first_entry, n_entries;
  moho_buffer *columns, *image, *fold, *table; /* whose rows the columns name */
  size_t image_offset, table_offset;           /* bytes; image_offset: of the bin, of the fold too */
  const moho_device_slab *slab;                /* bins by opening angle, mask; NULL: none of them */
} moho_device_part;
moho_status moho_device_record_launch(moho_device_run *r, int candidate, const moho_device_part *part);

/* ---- device_samples.c ---- */

/* What is told of single samples, where bins by opening angle or a mask are asked for. */
moho_status moho_device_load_samples(moho_device_run *r);
void moho_device_drop_samples(moho_device_run *r);

/* ---- device_trial.c ---- */

/* Which candidate is faster on this batch: r->chosen, the reason into r->counts. Image and fold are not touched. */
moho_status moho_device_try_candidates(moho_device_run *r, const moho_device_slot *slot);
/* The candidate to take by what each needed: the first, unless the second is clearly faster; and why, in words. */
int moho_device_choose_candidate(const char *const names[MOHO_MOST_CANDIDATES], const double seconds[MOHO_MOST_CANDIDATES],
                                 size_t n_traces, char reason[160]);

/* ---- device_run.c ---- */

/* The launching side is done with the slot: its traces are counted and it may be filled again. */
void moho_device_slot_done(moho_device_run *r, moho_device_slot *slot);
/* What the launching side adds to the counts; share: traces times all columns. */
typedef struct moho_device_progress {
  uint64_t launches;
  double share, transfer_seconds, allocation_seconds, compile_seconds;
} moho_device_progress;
void moho_device_advance(moho_device_run *r, const moho_device_progress *progress);
/* Between launches: the caller, or a failure, wants no more of them. */
int moho_device_is_stopped(moho_device_run *r);
/* Until `slot` (NULL: every slot) is free, or the run has failed, or the caller wants it to stop. */
moho_status moho_device_wait(moho_device_run *r, const moho_device_slot *slot, const moho_reporter *reporter);
/* Tell the caller how far it is: MOHO_ERROR_INTERRUPTED, and no more launches, when it wants no more. */
moho_status moho_device_report_progress(moho_device_run *r, const moho_reporter *reporter);
moho_status moho_device_interrupted(void);

/* ---- device_feed.c, device_finish.c: methods of moho_device_method ---- */

/* The slot's traces by bin, ascending within each: to [plan.sorted_traces]; and where each bin lies. */
void moho_device_sort_traces(const moho_device_run *r, moho_device_slot *slot, const migrate_trace *from, migrate_trace *to);

moho_status moho_device_add(moho_migration *m, const moho_geometry *geometry, const float *traces, const moho_reporter *reporter);
/* What was added is handed over, and waited for. */
moho_status moho_device_flush(moho_migration *m, const moho_reporter *reporter);
moho_status moho_device_finish(moho_migration *m, moho_image *image);
void moho_device_count(const moho_migration *m, moho_migration_counts *counts);

#endif
