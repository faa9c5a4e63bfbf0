/* synth.h - synthetic surveys with exact travel times: diffractors and reflectors in a constant or v0 + k*z medium.
 *
 * docs/physics.md "Rho filter" says what `element` and `diffractor` wavelets are. source = midpoint - half offset,
 * receiver = midpoint + half offset; the wavelet is evaluated at the exact time.
 *
 * Order of the traces: planes of one azimuth and one offset, azimuth slowest, then offset; in a plane the inline, then the
 * crossline fastest. Amplitudes: a reflector records R*g(t-L/v)/(4*pi*L), or multiplied by 4*pi*v_rms*t where spreading is
 * corrected; a diffractor of amplitude 1 is a horizontal element of reflectivity 1, one wavelength square (2D: one wavelength
 * wide), so that elements side by side add up to a reflector (tests/survey/test_synth_physics.c).
 */
#ifndef MOHO_SYNTH_H
#define MOHO_SYNTH_H

#include "moho/grid.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { MOHO_WAVELET_RICKER, MOHO_WAVELET_ORMSBY } moho_wavelet;
typedef enum { MOHO_RESPONSE_ELEMENT, MOHO_RESPONSE_DIFFRACTOR } moho_response;

typedef struct moho_synth_diffractor {
  double x_m, y_m, z_m, amplitude;
} moho_synth_diffractor;
/* plane z = depth + (x - x0)*tan(dip)*sin(azimuth) + (y - y0)*tan(dip)*cos(azimuth): azimuth = down-dip direction, from north */
typedef struct moho_synth_reflector {
  double x0_m, y0_m, depth_m, dip_deg, azimuth_deg, reflectivity;
} moho_synth_reflector;

typedef struct moho_synth_options {
  const char *preset;                         /* informative: "tiny" */
  double origin_x_m, origin_y_m;              /* midpoint of the first corner */
  double azimuth_deg;                         /* the survey's inline azimuth (grid.h); 0: inlines run north */
  double extent_inline_m, extent_crossline_m; /* of the midpoint lattice; 0 = a line */
  double midpoint_spacing_m;
  double offset_first_m, offset_last_m, offset_step_m;
  size_t n_azimuths; /* source-receiver azimuths: 0 and 90 for the presets (relative to azimuth_deg) */
  double azimuths_deg[8];
  double dt_s, first_sample_s;
  size_t n_samples;
  double v0_mps, gradient_per_s; /* v(z) = v0 + k*z */
  double eta;                    /* VTI where not 0: v0 the vertical and NMO velocity, no gradient; times exact (acoustic VTI),
                                  * amplitudes isotropic; diffractors and flat reflectors */
  moho_wavelet wavelet;
  double peak_hz; /* Ricker */
  double ormsby_hz[4];
  moho_response response;
  int two_d;     /* 1: half-derivative wavelet and 2.5D spreading; -1: when a line */
  int spreading; /* 1: spherical spreading in the data (raw); 0: corrected */
  double noise;  /* r.m.s. of white noise as a fraction of the largest noise-free amplitude */
  uint64_t seed;
  size_t n_diffractors;
  moho_synth_diffractor diffractors[64];
  size_t n_reflectors;
  moho_synth_reflector reflectors[16];
} moho_synth_options;

/** preset: "tiny", "small", "medium", "large" (design: sizes in the table) or NULL for an empty survey to fill in.
 *  MOHO_ERROR_NOT_FOUND names the nearest preset. */
MOHO_API moho_status moho_synth_options_preset(const char *preset, moho_synth_options *out);

/** Set one option by its name, as the command line does: "offset_last_m=2000", "diffractors=500:500:800:1,200:300:400:0.5". */
MOHO_API moho_status moho_synth_options_set(moho_synth_options *options, const char *key, const char *value);

/** One line a settable key: "name  unit  meaning" for --help; NULL past the last. */
MOHO_API const char *moho_synth_option_help(size_t index);

MOHO_API size_t moho_synth_trace_count(const moho_synth_options *options);

/** The image grid of the bench: the survey's midpoint lattice and time axis. */
MOHO_API moho_status moho_synth_grid(const moho_synth_options *options, moho_grid *out);

/**
 * Traces [first, first+n) of the survey: geometry (made by moho_geometry_create(n)) and samples [n, n_samples].
 * Any slicing gives the same bits (noise is seeded per trace). Either output may be NULL.
 */
MOHO_API moho_status moho_synth_generate(const moho_synth_options *options, size_t first, size_t n, moho_geometry *geometry,
                                         float *samples);

/** Generate and write a whole survey in bounded memory (.sgy, .su, .zarr). */
MOHO_API moho_status moho_synth_write(const moho_synth_options *options, const char *path, moho_progress_function progress,
                                      void *user);

#ifdef __cplusplus
}
#endif
#endif
