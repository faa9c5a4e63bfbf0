/* scenarios.h - what every instruction set, backend and kernel is compared on with the double reference (what must hold, 10).
 *
 * Every value of every option at least once, every pair of (interpolation, antialias, weight), on data below 80 Hz at 2 ms.
 */
#ifndef MOHO_PHYSICS_SCENARIOS_H
#define MOHO_PHYSICS_SCENARIOS_H

#include "physics_support.h"

enum { SCENARIO_NS = 251, SCENARIO_TRACES = 96, SCENARIOS = 16, LAW_SCENARIOS = 36 };
#define SCENARIO_DT 0.002

typedef enum { V_CONSTANT, V_LINEAR_T0, V_LINEAR_Z, V_TABLE } velocity_case;
typedef enum { AT_RANDOM, ON_LATTICE } placing;

typedef struct scenario {
  moho_interpolation interpolation;
  moho_antialias antialias;
  moho_weight weight;
  velocity_case velocity;
  placing placing;
  int is_line;
  double azimuth_deg;
  moho_amplitude amplitude;
  moho_rho rho;
  moho_normalise normalise;
  double stretch_mute;                         /* 0: none */
  double high_cut_hz;                          /* 0: none */
  double taper;                                /* 0: none */
  double step_s;                               /* of the image; 0: the traces' */
  int refine;                                  /* 0: 1 */
  double min_m, max_dip_deg, antialias_factor; /* 0: the default */
  int is_delayed, is_muted;
  moho_traveltime law;
  double eta;                      /* 0: none */
  int has_ray_aperture, has_mutes; /* migration.aperture.rule ray; inner and outer mutes by offset */
} scenario;

extern const scenario scenarios[SCENARIOS];

/* Every law with every weight, antialias and interpolation, and every pair of these; the four true amplitudes, apertures along
 * rays, mutes by offset. number < LAW_SCENARIOS */
scenario law_scenario(size_t number);

/* A scenario ready to run, or any other case built alike. */
typedef struct physics_case {
  moho_grid grid;
  survey survey;
  moho_velocity *velocity;
  moho_eta *eta; /* or NULL */
  moho_migration_options options;
  double bound;     /* of the relative L2 */
  double *expected; /* the reference's image [columns, n_time] */
  int32_t *fold;    /* and fold */
} physics_case;

/* With the reference run. */
physics_case case_of_scenario(const scenario *c);
/* Errors grow with the sample number: traces as long as surveys have them. */
physics_case case_of_length(size_t n_samples);
void case_release(physics_case *c);

/* 1 when the image agrees with the reference: relative L2 within `bound`, at most `differing` samples of the fold otherwise.
 * `what` and `number` name the case in what is printed when not. */
int case_agrees(const char *what, size_t number, const physics_case *c, const moho_image *image, double bound, size_t differing);

#endif
