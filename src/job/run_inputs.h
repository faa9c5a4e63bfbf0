/* run_inputs.h - what a job needs before it can run: the device, the traces, the grid, the velocity, the options. */
#ifndef MOHO_JOB_RUN_INPUTS_H
#define MOHO_JOB_RUN_INPUTS_H

#include "job/job.h"
#include "moho/migration.h"

/* How well the events of sampled gathers line up: as they are, and along the velocity's move-out (moveout_check.h). */
typedef struct moho_moveout_check {
  size_t gathers;           /* that could be looked at; 0: nothing is known */
  double flat, moved, fold; /* semblances; mean traces in a stack */
} moho_moveout_check;

/* What any run holds: the program's own and its libraries', headers, heaps of threads; positions of a trace, and more for a
 * while, when they are sorted into offset classes. */
#define MOHO_PROGRAM_BYTES ((size_t)16 << 20)
enum { MOHO_GEOMETRY_BYTES = 72, MOHO_CLASS_BYTES = 48 };

typedef struct moho_run_inputs {
  moho_device *device;
  int device_is_given; /* and stays open */
  moho_device_report device_report;
  moho_traces *traces;
  const moho_traces_info *info;  /* BORROW from traces */
  const moho_geometry *geometry; /* BORROW from traces */
  moho_grid grid;
  char grid_note[400]; /* how an automatic grid was found; "" otherwise */
  moho_velocity *velocity;
  moho_velocity *nmo_velocity;    /* that the traces were corrected with; NULL: they were not */
  moho_moveout_check moveout;     /* of the traces as they are migrated */
  moho_eta *eta;                  /* NULL: none */
  moho_gather_bins bins;          /* kind none: no gathers; options.gathers points here */
  size_t *traces_of_bin;          /* [bins] live traces; NULL where a trace has no bin of its own */
  moho_migration_options options; /* refine settled; memory_bytes: what the migration itself may take */
  double f_max_hz;                /* of the data, from a sample of traces */
  int refine_needed;              /* what interpolation would ask for */
  int statics_chosen;             /* the job says something of statics */
  size_t n_live;                  /* traces that take part */
  double open_seconds;            /* that all this took */
  moho_migration_plan plan;
  size_t memory_allowed, memory_needed; /* the whole run: program, positions, migration, image, reading */
} moho_run_inputs;

/* Opens everything; on failure all is closed again. Errors point at the key of the job that is at fault. device (BORROW until
 * inputs are closed): instead of execution.device's; NULL: that is opened. */
moho_status moho_run_inputs_open(const moho_job *job, moho_device *device, moho_progress_function progress, void *user,
                                 moho_run_inputs *out);
/* The same on the grid of an image that is there, with which a grid that the job gives must agree. */
moho_status moho_run_inputs_open_on(const moho_job *job, const moho_grid *grid, moho_progress_function progress, void *user,
                                    moho_run_inputs *out);
void moho_run_inputs_close(moho_run_inputs *inputs);

/* Traces [first, first + n) as they are migrated: read, and move-out that was taken off put back. Threads may call it at once. */
moho_status moho_run_inputs_read(const moho_run_inputs *inputs, size_t first, size_t n, float *out);

/* Live traces whose midpoint lies farther than the aperture from every node, from a sample of at most 100 000 (10 000 on a
 * crooked line), scaled up. */
size_t moho_run_inputs_outside(const moho_run_inputs *inputs);

/* How a table or cube of the job is read. */
moho_velocity_options moho_run_inputs_velocity_options(const moho_job *job, const moho_grid *grid);
/* The velocity that the job's keys name; one is given (moho_job_check). */
moho_status moho_run_inputs_velocity(const moho_job *job, const moho_grid *grid, moho_velocity **out);

/* The law and its eta, if any. */
moho_status moho_run_inputs_travel_time(const moho_job *job, const moho_grid *grid, moho_traveltime *law, moho_eta **eta);

/* What the keys below migration and execution, and input.amplitude, say: without eta, gathers and refine. */
moho_migration_options moho_run_inputs_options(const moho_job *job);
/* The bins of the gathers; kind none where there are none. */
moho_status moho_run_inputs_bins(const moho_job *job, moho_gather_bins *out);

#endif
