/* velocity_scan.h - a better velocity from image gathers: residual move-out, semblance, picks.
 *
 * A gather of half offsets h was migrated with v. A flat event that lies at t0 in it came from the data time 2*leg(h, t0; v).
 * With the velocity f*v it would have been imaged at T0 at every offset, where
 *
 *   2*leg(h, t0; v) = 2*leg(h, T0; f*v) = 2*leg(h/f, T0; v)             t0^2 = T0^2 + 4h^2 (1/(f*v)^2 - 1/v^2), v constant
 *
 * (the derivation, and what a dip changes: src/migrate/residual_moveout.h, docs/velocity.md). Along this curve the semblance is
 * summed for a range of factors f and times T0; a path of picks of limited slope is laid through its maxima, smoothed in time
 * and laterally by its own reliability, and f*v is the updated velocity.
 */
#ifndef MOHO_VELOCITY_SCAN_H
#define MOHO_VELOCITY_SCAN_H

#include "moho/migration.h"
#include "moho/velocity_functions.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_velocity_scan_options {
  moho_traveltime traveltime;                 /* law that the gathers were migrated with; straight */
  const moho_eta *eta;                        /* of the vti laws, else NULL; BORROW */
  double factor_min, factor_max, factor_step; /* of the velocity; 0.85, 1.15, 0.01 */
  double time_first_s, time_last_s;           /* of the picks; < 0: the gathers' own. 0, -1 */
  double time_step_s;                         /* between picks; 0.02 */
  double window_s;                            /* semblance window, its whole length; 0.06 */
  double offset_min_m, offset_max_m;          /* bins that take part, by their offset; 0, 1e6 */
  double stretch;                             /* a sample takes part while 2*leg(h, T0) <= (1 + stretch)*T0; 0.5 */
  int every_inline, every_crossline;          /* a function every so many nodes; 0: about 20 along an axis, 3 apart at least */
  int radius_inline, radius_crossline;        /* gathers of so many nodes to each side share a panel; 1 */
  double floor_db;                            /* below the strongest window of a panel: weaker ones count as noise; -40 */
  double least_semblance;                     /* weaker picks have no weight; 0.3 */
  double slope_per_s;                         /* largest change of the factor, per s; 0.3 */
  double outlier; /* picks farther than this many median distances from their lateral neighbours do not count; 0: all do. 6 */
  double smooth_time_s;                      /* standard deviations of the smoothing; 0.1 */
  double smooth_lateral_m;                   /* < 0: one distance between functions; -1 */
  double interval_min_mps, interval_max_mps; /* interval velocities of the result are kept within; 500, 9000 */
} moho_velocity_scan_options;

MOHO_API moho_velocity_scan_options moho_velocity_scan_options_default(void);
/** Set one option by its name, as the command line does: "window_s", "0.08". MOHO_ERROR_KEY names the nearest. */
MOHO_API moho_status moho_velocity_scan_options_set(moho_velocity_scan_options *options, const char *key, const char *value);
/** One line an option: "window_s  s  0.06  length of the semblance window"; NULL past the last. */
MOHO_API const char *moho_velocity_scan_option_help(size_t index);

/* Locations [inline, crossline], of which each has picks at n_time times first_s + k*step_s. */
typedef struct moho_velocity_scan_result {
  moho_velocity_functions updated; /* rms, at the locations, over the gathers' whole time axis */
  size_t n_inline, n_crossline, n_time;
  double first_s, step_s;
  size_t *inline_node, *crossline_node; /* of the locations */
  float *picked, *semblance, *weight;   /* [location, time] factor as picked, its semblance and weight in the smoothing */
  float *factor;                        /* [location, time] smoothed: what the velocity is multiplied by */
  char *report;                         /* JSON */
} moho_velocity_scan_result;

/**
 * @param image     image.zarr with offset gathers (job key gathers.kind: offset)
 * @param velocity  that the gathers were migrated with
 * @return MOHO_ERROR_FORMAT: no such gathers, or they are NMO-stretched again; MOHO_ERROR_NOT_FOUND: no pick is reliable;
 *         MOHO_ERROR_ARGUMENT names an option
 * Cost: factors x offsets x samples a gather, some ns each, on all cores; memory of a few inlines of gathers
 */
MOHO_API moho_status moho_velocity_scan(const char *image, const moho_velocity *velocity,
                                        const moho_velocity_scan_options *options, moho_progress_function progress, void *user,
                                        moho_velocity_scan_result *out);
MOHO_API void moho_velocity_scan_release(moho_velocity_scan_result *result);

/** Pictures of a location (indices into inline_node, crossline_node): PREFIX_semblance.png with the picks and the smoothed
 *  factor over it, PREFIX_before.png and PREFIX_after.png: its gather as it is and with the residual move-out taken out. */
MOHO_API moho_status moho_velocity_scan_draw(const char *image, const moho_velocity *velocity,
                                             const moho_velocity_scan_options *options, const moho_velocity_scan_result *result,
                                             size_t i, size_t j, const char *prefix);

#ifdef __cplusplus
}
#endif
#endif
