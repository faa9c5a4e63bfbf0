/* job.h - a migration job: read from YAML, changed key by key, explained, run. The keys: docs/job.md. */
#ifndef MOHO_JOB_H
#define MOHO_JOB_H

#include "moho/least_squares.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_job moho_job;

/** Read a job file. Errors name file, line, column, key and the nearest valid key. Relative paths in it are relative to it. */
MOHO_API moho_status moho_job_read(const char *path, moho_job **out);
/** The same from text; name is used in errors. */
MOHO_API moho_status moho_job_parse(const char *text, size_t length, const char *name, moho_job **out);
MOHO_API void moho_job_destroy(moho_job **job);
/** Override a key by its path, the value in YAML: "migration.aperture.max_m", "3000"; a section is replaced as a whole.
 *  Relative paths are then relative to the working directory. After an error the job is as before. */
MOHO_API moho_status moho_job_set(moho_job *job, const char *key, const char *value);

/** The table of all keys for --help and docs: text with a line a key (path, type, unit, default, meaning). BORROW. */
MOHO_API const char *moho_job_keys_help(void);
/** docs/job.md, made from the same table. BORROW. */
MOHO_API const char *moho_job_keys_markdown(void);

/** Refuses what cannot be: needed keys that are missing, keys that exclude each other. Explain and run do it first. */
MOHO_API moho_status moho_job_check(const moho_job *job);

/** The effective job as JSON: {"migration": {"aperture": {"max_m": {"value": 3000, "unit": "m", "given": false}}}}.
 *  *text is malloc'ed: free() it. */
MOHO_API moho_status moho_job_effective(const moho_job *job, char **text);

/** The effective job and the plan, as text for people or JSON: every value, unit, default or given; memory, tiles,
 *  contributions, time expected. Opens the input. *text is malloc'ed: free() it. */
MOHO_API moho_status moho_job_explain(const moho_job *job, int json, char **text);

/** The velocity that a job names, on a grid (which turns numbers into positions). Nothing else of the job need be given. */
MOHO_API moho_status moho_job_velocity(const moho_job *job, const moho_grid *grid, moho_velocity **out);

/** The travel-time law that a job names, and its eta (NULL where the law has none): as moho_job_velocity(). */
MOHO_API moho_status moho_job_travel_time(const moho_job *job, const moho_grid *grid, moho_traveltime *law, moho_eta **eta);

/** The traces that a job names, those that it selects, shifted as it says: as moho_traces_open(). Besides input and, for its
 * axes, grid nothing of the job need be given. */
MOHO_API moho_status moho_job_traces(const moho_job *job, moho_progress_function progress, void *user, moho_traces **out);

/** The grid that a job names, or one estimated from the midpoints; its times, where the job leaves them out, from the records.
 *  Nothing else of the job need be given. Release it. @return MOHO_ERROR_KEY, MOHO_ERROR_RANGE as moho_job_check() */
MOHO_API moho_status moho_job_grid(const moho_job *job, const moho_geometry *geometry, size_t n_samples, double dt_s,
                                   moho_grid *out);

/**
 * What a job's keys say of a migration, for traces that are in memory: those below migration and gathers, input.amplitude,
 * input.resample, and execution.kernel, storage, tile and memory_gb. The rest of the job is not looked at.
 *
 * @param options  eta is NULL (moho_job_travel_time() makes it); refine is 0 where input.resample is auto: put the factor that
 *                 the data need there (moho_migration_refine_factor())
 * @param bins     of the gathers, to be released; options->gathers points here, NULL without. NULL: gathers are refused
 * @param least_squares  iterations 0: a plain migration. NULL: iterations are refused
 * @return MOHO_ERROR_KEY, MOHO_ERROR_RANGE as moho_job_check(); MOHO_ERROR_NOT_AVAILABLE naming a key that only a whole run
 *         can do: migration.levels, adaptive, time_sampling, gathers.inverse_nmo, ...
 */
MOHO_API moho_status moho_job_migration_options(const moho_job *job, moho_migration_options *options, moho_gather_bins *bins,
                                                moho_least_squares_options *least_squares);

/** The keys below velocity, eta and migration that were given in the job that made an image.zarr, as a job. */
MOHO_API moho_status moho_job_read_image(const char *path, moho_job **out);

typedef struct moho_job_run_options {
  int overwrite;       /* 1: earlier results in the output directory may be replaced (only Moho's own files, at the very end) */
  moho_device *device; /* BORROW: the run takes this one, open already, whatever execution.device says; NULL: that is opened */
  moho_progress_function progress;
  void *user;
} moho_job_run_options;

/** Run it. Writes the outputs of docs/job.md into output.directory: image.zarr, stack.sgy, stack.png, fold.png, report.json.
 *  *report (may be NULL) gets the text of report.json, malloc'ed. Nothing partial stays under a final name. */
MOHO_API moho_status moho_job_run(const moho_job *job, const moho_job_run_options *options, char **report);

typedef struct moho_job_demigrate_options {
  const char *image;   /* image.zarr to read; NULL: that of output.directory */
  const char *output;  /* trace file to write: .sgy, .segy, .su, .zarr */
  int mutes_from_data; /* 1: zeros of the input mute and kill its traces, as in a migration; 0: headers alone */
  moho_progress_function progress;
  void *user;
} moho_job_demigrate_options;

/** Demigrate an image: traces at the places of the job's input traces, by the exact adjoint of what moho_job_run() would do to
 *  them. *report (may be NULL) gets figures as JSON, malloc'ed. The file appears at the very end. */
MOHO_API moho_status moho_job_demigrate(const moho_job *job, const moho_job_demigrate_options *options, char **report);

/** Write a small text file (a report, a list of figures) the way all of Moho's output is written: under a temporary name that is
 *  renamed in the end. MOHO_ERROR_IO names the file and the system's reason. */
MOHO_API moho_status moho_write_text(const char *path, const char *text);
/** The same of bytes. */
MOHO_API moho_status moho_write_bytes(const char *path, const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
