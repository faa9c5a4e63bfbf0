/* migration.h - Kirchhoff prestack time migration of traces into an image.
 *
 *   I(x,t0) = (1/N) sum_k w_k(x,t0) * T(|x-m|) * D_k(t_s + t_r)                              docs/physics.md "Image"
 *
 * Use: create for a grid, a velocity and a survey's geometry; add traces in ascending order, in batches of any size;
 * finish into an image. Traces given are as recorded; preparation (mute taper, rho filter, refinement, antialias
 * integration) happens inside. Any tile, batch and thread count gives bitwise the same image on the cpu.
 *
 * How it is computed is the `kernel` of the options: a pair of kernel text and plan. `native` are the cpu's own loops; the
 * others run from one text on every device:
 *
 *   baseline   a lane an image sample; every batch allocated, uploaded, migrated and freed before the next: the yardstick
 *   v1         the same text; memory kept, data that do not change uploaded once, the next batch prepared and uploaded
 *              while one runs, no copies where memory is unified
 *   v2         v1's plan; traces staged a group, several samples and columns a lane, packed pairs of values
 *   v3         v2 in one persistent launch that takes its work from a queue, leg times interpolated along t0
 *
 * docs/kernels.md tells what each brings. A migration may be used by one thread at a time; several migrations may run at once
 * on one device.
 */
#ifndef MOHO_MIGRATION_H
#define MOHO_MIGRATION_H

#include "moho/device.h"
#include "moho/image.h"
#include "moho/velocity.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Leg times (docs/physics.md "Travel-time laws"). curved_linear needs a velocity given as linear_z, both vti laws need eta;
 * curved_rms, curved_ray and interval eta need v_int. */
typedef enum {
  MOHO_TRAVELTIME_STRAIGHT,
  MOHO_TRAVELTIME_CURVED_LINEAR, /* circles of v = V0 + k z, exact */
  MOHO_TRAVELTIME_CURVED_RMS,    /* shifted hyperbola (Castle 1994) */
  MOHO_TRAVELTIME_CURVED_RAY,    /* exact rays in v_int, by tables */
  MOHO_TRAVELTIME_VTI,           /* Fomel 2004 */
  MOHO_TRAVELTIME_VTI_RATIONAL   /* Alkhalifah & Tsvankin 1995 */
} moho_traveltime;
/* How the aperture follows the dip: v t1 tan(dip), or as far as a ray of that dip comes up in v(z). */
typedef enum { MOHO_APERTURE_STRAIGHT, MOHO_APERTURE_RAY } moho_aperture_rule;
typedef enum { MOHO_INTERPOLATION_LINEAR, MOHO_INTERPOLATION_CUBIC, MOHO_INTERPOLATION_SINC8 } moho_interpolation;
typedef enum { MOHO_ANTIALIAS_NONE, MOHO_ANTIALIAS_TRIANGLE, MOHO_ANTIALIAS_FILTER_BANK } moho_antialias;
typedef enum {
  MOHO_WEIGHT_AUTO,
  MOHO_WEIGHT_NONE,
  MOHO_WEIGHT_SPREADING,
  MOHO_WEIGHT_OBLIQUITY,
  MOHO_WEIGHT_SPREADING_OBLIQUITY,
  MOHO_WEIGHT_TRUE_AMPLITUDE /* in 3D, or 2.5D where the rho filter is the 2D one */
} moho_weight;
typedef enum { MOHO_AMPLITUDE_SPREADING_CORRECTED, MOHO_AMPLITUDE_RAW } moho_amplitude;
typedef enum { MOHO_RHO_AUTO, MOHO_RHO_NONE, MOHO_RHO_2D, MOHO_RHO_3D } moho_rho;
typedef enum { MOHO_NORMALISE_NONE, MOHO_NORMALISE_FOLD } moho_normalise;

typedef enum {
  MOHO_KERNEL_AUTO, /* native where the device has native functions, else v3, or v2 where it measures > 15 % faster */
  MOHO_KERNEL_NATIVE,
  MOHO_KERNEL_BASELINE,
  MOHO_KERNEL_V1,
  MOHO_KERNEL_V2,
  MOHO_KERNEL_V3
} moho_migration_kernel;
/* How a device keeps the prepared traces: half is storage only, arithmetic is in float. */
typedef enum { MOHO_STORAGE_FLOAT, MOHO_STORAGE_HALF } moho_storage;

enum { MOHO_MUTE_POINTS = 16, MOHO_FILTERS_MAX = 32 };
/* A piecewise linear line t0(|offset|), constant beyond its ends. n = 0: no mute. */
typedef struct moho_mute_line {
  size_t n;
  double offset_m[MOHO_MUTE_POINTS]; /* ascending */
  double time_s[MOHO_MUTE_POINTS];
} moho_mute_line;

typedef struct moho_migration_options {
  moho_traveltime traveltime;
  const moho_eta *eta; /* BORROW, outlives the migration like the velocity; vti laws only, else NULL */
  moho_aperture_rule aperture_rule;
  double aperture_max_m, aperture_min_m, aperture_max_dip_deg; /* 3000, 0, 60 */
  double aperture_taper;                                       /* fraction of the radius, 0..1: 0.1; 0 = none */
  moho_interpolation interpolation;
  moho_antialias antialias;
  double antialias_factor; /* 1 */
  int antialias_filters;   /* filter_bank: copies of a trace, the unfiltered one among them, 2 .. MOHO_FILTERS_MAX: 8 */
  moho_weight weight;      /* auto: from `amplitude` */
  moho_amplitude amplitude;
  moho_rho rho_filter;                   /* auto: 2D when the grid is one line, else 3D */
  int zeros_are_data;                    /* 1: the zeros that a trace begins with are no mute and one of zeros is not dead:
                                          * headers alone decide, and the image is linear in the traces. 0 */
  double high_cut_hz;                    /* traces fade from 0.8 of it to nothing at it, zero phase; 0: none */
  double stretch_mute;                   /* s: outside when 2*leg(h,t0) > (1+s)*t0; < 0: none */
  moho_mute_line outer_mute, inner_mute; /* outside when t0 < outer(|offset|), when t0 > inner(|offset|) */
  moho_normalise normalise;
  const moho_gather_bins *gathers; /* image gathers in these bins, the stack then is made of them; NULL: none. Read at creation */
  int refine;                      /* traces refined by this factor before interpolation: 1, 2, 4, 8 */
  moho_window window;  /* columns of the grid to compute, the image is as large as that; both counts 0: all. Its bits are those
                        * that the whole grid's image holds there: native always, kernels for the same batches and, of v2 and v3,
                        * where its edges lie on their tiles (multiples of 4 nodes, of a line 8) */
  const uint8_t *mask; /* [inline, crossline, time] of the window, 1: samples to compute, others stay 0; NULL: all. Native; read
                        * at creation */
  int tile_columns;    /* native: columns along a tile's side; 0: chosen */
  size_t memory_bytes; /* bound on image, tables and batches together on the host; 0: 80 % of what is free */
  size_t device_memory_bytes;   /* the same for a device with memory of its own; 0: 90 % of what is free there */
  moho_migration_kernel kernel; /* auto */
  moho_storage storage;         /* float; half: v1, v2, v3 without antialias */
  const char *constants;        /* for tuning, "COLUMNS_X=4,CHUNKS=4": constants of the kernel's text, and of the plan
                                 * BATCH_TRACES, PIECE_TRACES, LAUNCH_TRACES, LAUNCH_COLUMNS, SLAB_SAMPLES; NULL: the
                                 * defaults. Read at creation */
} moho_migration_options;

MOHO_API moho_migration_options moho_migration_options_default(void);

typedef struct moho_migration moho_migration;

typedef struct moho_migration_counts {
  uint64_t traces_added, traces_used, traces_outside, traces_dead; /* used: >= 1 contribution; outside: live, none */
  uint64_t traces_unbinned; /* live, outside all bins of the gathers: neither used nor outside */
  uint64_t contributions;
  double kernel_seconds;     /* native: in the loops over tiles (intervals included), wall; else of the launches, by the device */
  double prepare_seconds;    /* rho filter and the like, wall */
  double transfer_seconds;   /* to and from the device, by the device; what overlaps launches is counted too */
  double allocation_seconds; /* of buffers, wall */
  double compile_seconds;    /* of kernels, wall: a device's compiles while the first batches are prepared */
  size_t memory_bytes;       /* held now on the host */
  size_t device_bytes;       /* held now on a device with memory of its own */
  uint64_t launches;
  const char *kernel;      /* "native", "v2" ...; with auto on a device "auto" until the first batch was measured */
  char kernel_reason[160]; /* "v3: 1.31 times as fast as v2 on 512 traces"; "" when named */
} moho_migration_counts;

/* What a migration will take; contributions are estimated from a sample of the traces. */
typedef struct moho_migration_plan {
  size_t memory_bytes, image_bytes, batch_traces;
  size_t gather_bins;     /* 0: no gathers */
  size_t gathers_bytes;   /* of the finished gathers and their fold */
  size_t unbinned_traces; /* live, outside all bins of offset or tile */
  size_t device_bytes;    /* of it on a device with memory of its own: not in memory_bytes */
  const char *kernel;     /* that will run: "native", "v2" ...; "auto": v2 or v3, measured with the first batch */
  size_t tiles, tile_columns;
  double contributions;
  size_t offset_classes;
  double class_spacing_min_m, class_spacing_max_m;
  /* Of windows of the grid with the smallest batch: about fixed + columns * column bytes, of the host, of a device with memory of
   * its own; each trace more of a batch takes batch_trace_bytes. */
  size_t window_fixed_bytes, window_column_bytes, batch_trace_bytes;
  size_t window_fixed_device_bytes, window_column_device_bytes, batch_trace_device_bytes;
  size_t device_allowed_bytes; /* that a migration may take there */
  double grid_alias_hz;        /* v/(4*dx*sin(max_dip)), smallest v: above it the image grid itself aliases */
} moho_migration_plan;

/**
 * @param velocity  is read until the migration is finished: it must outlive it (grid and options are copied)
 * @param geometry  of the whole survey (read now, not kept): offset classes and their spacing come from it
 * @param n_samples, dt_s  of the traces that will be added
 * @return MOHO_OK; MOHO_ERROR_ARGUMENT, MOHO_ERROR_RANGE (option or velocity: names it); MOHO_ERROR_TOO_LARGE (with sizes);
 *         MOHO_ERROR_MEMORY
 */
MOHO_API moho_status moho_migration_create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                           const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                           double dt_s, moho_migration **out);
/** Plan without allocating anything large; same arguments and errors (TOO_LARGE is not raised: read memory_bytes). */
MOHO_API moho_status moho_migration_make_plan(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                              const moho_migration_options *options, const moho_geometry *geometry,
                                              size_t n_samples, double dt_s, moho_migration_plan *out);
/* Contributions of a whole image. */
typedef struct moho_contribution_count {
  double contributions;
  int is_exact;   /* those that a run will report, but for traces that turn out to hold nothing; 0: estimated */
  size_t columns; /* of the grid that were looked at, with every trace about them */
} moho_contribution_count;

/**
 * Count by the intervals that a migration finds, without touching samples. Gathers by opening angle leave out what lies in none
 * of their bins, which is not looked at: then this is at most.
 * @param most_pairs  of a trace and a column that are worth looking at (tens of millions a second and core); beyond, a sample of
 *                    columns spread evenly over the grid tells, each by the traces about it: within 2 %, mostly
 * Same arguments and errors as moho_migration_make_plan().
 */
MOHO_API moho_status moho_migration_count_contributions(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                                        const moho_migration_options *options, const moho_geometry *geometry,
                                                        size_t n_samples, double dt_s, double most_pairs,
                                                        moho_contribution_count *out);
/** Add the next traces [geometry->n, n_samples]; ascending trace number from call to call. progress may be NULL.
 *  On a device it returns when the traces are taken, not when they are migrated: what fails there is returned by the next
 *  add or by finish. After an error or interruption the migration can only be destroyed. */
MOHO_API moho_status moho_migration_add(moho_migration *migration, const moho_geometry *geometry, const float *traces,
                                        moho_progress_function progress, void *user);
/** Wait, with progress, until all traces added are migrated; finish does so without. @return what failed on the device;
 *  MOHO_ERROR_INTERRUPTED. */
MOHO_API moho_status moho_migration_wait(moho_migration *migration, moho_progress_function progress, void *user);
/** Weights that do not depend on the trace, normalisation, fold -> image (made by moho_image_create on the same grid). With
 *  gathers the stack is the sum of the bins (normalised by the sum of their folds), or the mean of the live ones for true
 *  amplitudes; an image with moho_image_add_gathers() for the same bins gets them too. */
MOHO_API moho_status moho_migration_finish(moho_migration *migration, moho_image *image);
/** On a device contributions, traces used and seconds are complete after moho_migration_finish(). */
MOHO_API moho_migration_counts moho_migration_get_counts(const moho_migration *migration);
MOHO_API void moho_migration_destroy(moho_migration **migration);

/** "auto", "native", "baseline", "v1", "v2", "v3"; NULL for a number that is none. */
MOHO_API const char *moho_migration_kernel_name(moho_migration_kernel kernel);
/** Can options->kernel do these options on the device? The table that answers is the one that moho_migration_create() takes
 *  the kernel from. @return MOHO_OK; MOHO_ERROR_NOT_AVAILABLE naming the option and the kernels that can. */
MOHO_API moho_status moho_migration_supports(const moho_device *device, const moho_migration_options *options);

/** Traces that one add call should bring for good speed within the memory bound. */
MOHO_API size_t moho_migration_batch_traces(const moho_migration *migration);

/**
 * Begin again, at another window of the grid: sums and counts are zero then. What follows from grid, velocity and the whole
 * survey (classes, laws, the kernel that was found the fastest) stays, so that an image of many windows costs it once.
 * @param geometry  of the whole survey, as at creation
 * @return MOHO_ERROR_RANGE (window), MOHO_ERROR_ARGUMENT (with a mask, which is of one window): as before; MOHO_ERROR_TOO_LARGE,
 *         MOHO_ERROR_MEMORY: it can only be destroyed
 */
MOHO_API moho_status moho_migration_move(moho_migration *migration, const moho_window *window, const moho_geometry *geometry);

/** Tell which traces are used: used[i] becomes 1 where the i-th trace that is added from now on (0, 1, ...) contributes. The
 * array (BORROW) is complete after finish and must be as long as what is added; it ends with finish or a move. */
MOHO_API void moho_migration_watch_used(moho_migration *migration, uint8_t *used);

/** Refinement that interpolation needs for data like these [n, n_samples]: linear asks dt*f_max <= 0.1, others none.
 *  f_max: the highest frequency whose amplitude is above a tenth of the spectrum's peak. */
MOHO_API int moho_migration_refine_factor(moho_interpolation interpolation, const float *traces, size_t n, size_t n_samples,
                                          double dt_s, double *f_max_hz);

/** Put the move-out of a velocity back into an image's gathers, t^2 = t0^2 + h^2/v^2, h the middle of the bin: so they look like
 *  gathers that were never corrected. The stack stays. @return MOHO_ERROR_ARGUMENT (no gathers, or gathers by angle) */
MOHO_API moho_status moho_image_inverse_nmo(moho_image *image, const moho_velocity *velocity);
/** The same of an image of a window of a grid: velocities where the whole grid has its nodes, to the bit. */
MOHO_API moho_status moho_image_inverse_nmo_window(moho_image *image, const moho_grid *grid, const moho_window *window,
                                                   const moho_velocity *velocity);
/** Mute gathers above the line through the points (offset, time), constant beyond its ends, tapered over 8 samples below it.
 *  @return MOHO_ERROR_RANGE (offsets that do not ascend from 0), MOHO_ERROR_ARGUMENT (no gathers, or gathers by angle) */
MOHO_API moho_status moho_image_mute_gathers(moho_image *image, const double *offset_m, const double *time_s, size_t n);

/**
 * Put the move-out back that traces were corrected for, in place: out(t) = in(t0), t^2 = t0^2 + x^2/v(t0)^2, x = |s - r|, v at
 * the midpoint. Zero where no t0 has such a t: above the first arrival, and where v grows so fast that t falls with t0.
 * @param traces [geometry->n, n_samples]; dead ones stay as they are
 * @param threads 0: all
 * @return MOHO_ERROR_RANGE (the velocity's); MOHO_ERROR_MEMORY
 * Accuracy: sinc8, 0.2 % up to a quarter of the sampling frequency (tests/migrate/test_moveout.c)
 */
MOHO_API moho_status moho_traces_inverse_nmo(const moho_velocity *velocity, const moho_geometry *geometry, float *traces,
                                             size_t n_samples, double dt_s, int threads);
/** The correction itself: out(t0) = in(t). */
MOHO_API moho_status moho_traces_nmo(const moho_velocity *velocity, const moho_geometry *geometry, float *traces,
                                     size_t n_samples, double dt_s, int threads);

/* ---- the reference: double precision, plain and slow; other code is compared with it ---- */

typedef struct moho_reference moho_reference;

/** columns: [n_columns] flat indices inline*n_crossline + crossline; NULL: all columns. */
MOHO_API moho_status moho_reference_create(const moho_grid *grid, const moho_velocity *velocity,
                                           const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                           double dt_s, const size_t *columns, size_t n_columns, moho_reference **out);
MOHO_API moho_status moho_reference_add(moho_reference *reference, const moho_geometry *geometry, const float *traces);
/** image [n_columns, n_time], fold [n_columns, n_time]. */
MOHO_API moho_status moho_reference_finish(moho_reference *reference, double *image, int32_t *fold);
/** The adjoint of add and finish together, exact to rounding: image [n_columns, n_time] into traces [geometry->n, n_samples].
 *  like [geometry->n, n_samples]: recorded traces, whose zeros mute and kill a trace as in add; NULL: by headers alone.
 *  fold [n_columns, n_time]: what finish divides by; NULL without normalisation. */
MOHO_API moho_status moho_reference_demigrate(moho_reference *reference, const double *image, const int32_t *fold,
                                              const moho_geometry *geometry, const float *like, double *traces);
/** With options.gathers: gathers [n_columns, bins, n_time] and their fold; finish gives the stack of the bins.
 *  @return MOHO_ERROR_ARGUMENT without gathers */
MOHO_API moho_status moho_reference_gathers(moho_reference *reference, double *gathers, int32_t *fold);
MOHO_API void moho_reference_destroy(moho_reference **reference);

#ifdef __cplusplus
}
#endif
#endif
