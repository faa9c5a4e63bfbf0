/* job_table.h - every key of the job file, once.
 *
 * One typed table: the parser, --help, docs/job.md, the effective job and `moho explain` are all made from it.
 * A row: id, path, type, unit, default (as YAML; NULL: none), words accepted, words that are recognised and belong to later
 * work (or, for a key that is whole of later work, what brings it), least and largest number, meaning.
 */
#ifndef MOHO_JOB_TABLE_H
#define MOHO_JOB_TABLE_H

#include <stddef.h>

#define MOHO_JOB_KEYS(X)                                                                                                        \
  X(INPUT, "input", SECTION, "", NULL, "", "", 0, 0, "the traces to be migrated, and how their headers are read")               \
  X(INPUT_TRACES, "input.traces", PATH, "", NULL, "", "", 0, 0, "trace file: SEG-Y (.sgy, .segy), SU (.su) or Zarr (.zarr)")    \
  X(INPUT_HEADERS, "input.headers", HEADERS, "", "standard", "standard|su", "", 0, 0,                                           \
    "where header values lie: a preset, or a map of name: byte or \"byte:type\" (1-based; i2 i4 u2 u4 f4 ibm4 f8)")             \
  X(INPUT_COORDINATE_SCALAR, "input.coordinate_scalar", WHOLE, "", "auto", "auto", "", -1000000, 1000000,                       \
    "replaces the scalar of bytes 71-72 (negative divides)")                                                                    \
  X(INPUT_UNITS, "input.units", WORD, "", "auto", "auto|m|ft", "", 0, 0, "unit of the file's lengths; auto: its binary header") \
  X(INPUT_FIRST_SAMPLE_S, "input.first_sample_s", NUMBER, "s", "auto", "auto", "", -100, 1000,                                  \
    "time of sample 0; auto: the delay recording time of each trace")                                                           \
  X(INPUT_GEOMETRY, "input.geometry", WORD, "", "auto", "auto|source_receiver|midpoint_offset", "", 0, 0,                       \
    "positions from source and receiver, or from CDP coordinates and offset")                                                   \
  X(INPUT_AMPLITUDE, "input.amplitude", WORD, "", "spreading_corrected", "spreading_corrected|raw", "", 0, 0,                   \
    "whether spherical spreading has been taken out of the data")                                                               \
  X(INPUT_NMO, "input.nmo", SECTION, "", "none", "none", "", 0, 0, "whether NMO was applied to the input: none, or with what")  \
  X(INPUT_NMO_APPLIED, "input.nmo.applied_with", PATH, "", NULL, "", "", 0, 0,                                                  \
    "table of the r.m.s. velocities that NMO was applied with: the move-out is put back")                                       \
  X(INPUT_RESAMPLE, "input.resample", WORD, "", "auto", "auto|none|2|4|8", "", 0, 0,                                            \
    "factor by which traces are refined before linear interpolation; auto: so that dt*f_max <= 0.1")                            \
  X(INPUT_BAD_SAMPLES, "input.bad_samples", WORD, "", "error", "error|zero", "", 0, 0,                                          \
    "NaN and Inf samples: an error naming the first, or set to zero and counted")                                               \
  X(INPUT_SELECT, "input.select", SECTION, "", NULL, "", "", 0, 0,                                                              \
    "which traces take part: those that hold all that is given here (docs/selection.md)")                                       \
  X(SELECT_OFFSET, "input.select.offset_m", RANGE, "m", NULL, "", "", -1e6, 1e6,                                                \
    "[least, most] distance of source and receiver")                                                                            \
  X(SELECT_AZIMUTH, "input.select.azimuth_deg", RANGES, "degrees", NULL, "", "", -360, 360,                                     \
    "sectors [[from, to], ...] of the direction from source to receiver, clockwise from north; [350, 10] goes through north")   \
  X(SELECT_AZIMUTH_FOLDED, "input.select.azimuth_folded", FLAG, "", "false", "", "", 0, 0,                                      \
    "true: directions 180 degrees apart are the same, sectors lie in 0 to 180")                                                 \
  X(SELECT_OVT, "input.select.ovt", SECTION, "", NULL, "", "", 0, 0, "a tile of offset vectors (from source to receiver)")      \
  X(SELECT_OVT_INLINE, "input.select.ovt.inline_m", RANGE, "m", NULL, "", "", -1e6, 1e6,                                        \
    "[least, most] of the vector along an inline, positive where crossline numbers grow")                                       \
  X(SELECT_OVT_CROSSLINE, "input.select.ovt.crossline_m", RANGE, "m", NULL, "", "", -1e6, 1e6,                                  \
    "[least, most] of the vector across the inlines, positive where inline numbers grow")                                       \
  X(SELECT_OVT_AZIMUTH, "input.select.ovt.inline_azimuth_deg", NUMBER, "degrees", "auto", "auto", "", -360, 360,                \
    "direction along an inline; auto: that of the grid, where the job gives corners or an origin")                              \
  X(SELECT_OVT_FOLDED, "input.select.ovt.folded", FLAG, "", "false", "", "", 0, 0,                                              \
    "true: a vector and its opposite are the same")                                                                             \
  X(SELECT_WHERE, "input.select.where", TEXT, "", NULL, "", "", 0, 0,                                                           \
    "a condition on trace headers: \"offset > 200 and cdp % 2 == 0\"")                                                          \
  X(INPUT_STATICS, "input.statics", SECTION, "", NULL, "", "", 0, 0,                                                            \
    "shifts of whole traces to the datum that the image begins at (docs/land.md)")                                              \
  X(STATICS_HEADER, "input.statics.header", WORD, "", "none", "none|source_receiver|total|undo_total", "", 0, 0,                \
    "of the headers: add source and receiver static (bytes 99-102), add the total (103-104), or take it away again")            \
  X(STATICS_ELEVATION, "input.statics.elevation", WORD, "", "none", "none|surface|floating_datum", "", 0, 0,                    \
    "shift to datum_m: from the elevations of source and receiver (bytes 41-48), or from their datum elevations (53-60)")       \
  X(STATICS_DEPTH, "input.statics.source_depth", WORD, "", "header", "header|uphole|none", "", 0, 0,                            \
    "a source of elevation surface lies its depth (bytes 49-52) lower, is lifted by its uphole time (95-96), or neither")       \
  X(STATICS_DATUM, "input.statics.datum_m", NUMBER, "m", NULL, "header", "", -12000, 9000,                                      \
    "elevation of the datum; header: that of source and receiver in bytes 53-60")                                               \
  X(STATICS_REPLACEMENT, "input.statics.replacement_mps", NUMBER, "m/s", NULL, "header", "", 100, 9000,                         \
    "velocity between surface and datum; header: the subweathering velocity in bytes 93-94")                                    \
  X(STATICS_LAG, "input.statics.lag", WORD, "", "none", "none|apply", "", 0, 0,                                                 \
    "apply: the record begins lag A + lag B (bytes 105-108) before the shot")                                                   \
  X(STATICS_SHIFT, "input.statics.shift_s", NUMBER, "s", "0", "", "", -100, 100, "one more shift, the same for all traces")     \
  X(VELOCITY, "velocity", SECTION, "", NULL, "", "", 0, 0,                                                                      \
    "migration velocity: exactly one of constant_mps, linear_t0, linear_z, table, cube")                                        \
  X(VELOCITY_TYPE, "velocity.type", WORD, "", NULL, "rms|interval|average", "", 0, 0,                                           \
    "what the numbers of a table or cube are (needed there)")                                                                   \
  X(VELOCITY_CONSTANT, "velocity.constant_mps", NUMBER, "m/s", NULL, "", "", 0, 1e6, "one velocity everywhere")                 \
  X(VELOCITY_LINEAR_T0, "velocity.linear_t0", SECTION, "", NULL, "", "", 0, 0, "v_rms(t0) = v0 + slope*t0")                     \
  X(VELOCITY_LINEAR_T0_V0, "velocity.linear_t0.v0_mps", NUMBER, "m/s", NULL, "", "", 0, 1e6, "v_rms at t0 = 0")                 \
  X(VELOCITY_LINEAR_T0_SLOPE, "velocity.linear_t0.slope_mps_per_s", NUMBER, "m/s per s", NULL, "", "", -1e5, 1e5,               \
    "growth of v_rms with two-way time")                                                                                        \
  X(VELOCITY_LINEAR_Z, "velocity.linear_z", SECTION, "", NULL, "", "", 0, 0, "v_int(z) = v0 + gradient*z")                      \
  X(VELOCITY_LINEAR_Z_V0, "velocity.linear_z.v0_mps", NUMBER, "m/s", NULL, "", "", 0, 1e6, "v_int at the surface")              \
  X(VELOCITY_LINEAR_Z_GRADIENT, "velocity.linear_z.gradient_per_s", NUMBER, "1/s", NULL, "", "", -100, 100,                     \
    "growth of v_int with depth")                                                                                               \
  X(VELOCITY_TABLE, "velocity.table", PATH, "", NULL, "", "", 0, 0, "text file of velocity functions (picks)")                  \
  X(VELOCITY_FORMAT, "velocity.format", WORD, "", "auto", "auto|opendtect|su|cdp_time_velocity|columns", "", 0, 0,              \
    "layout of the table; auto: recognised")                                                                                    \
  X(VELOCITY_COLUMNS, "velocity.columns", TEXT, "", NULL, "", "", 0, 0,                                                         \
    "for format columns: \"x,y,time_ms,velocity\" of x y inline crossline cdp time_s time_ms velocity velocity_fps")            \
  X(VELOCITY_CUBE, "velocity.cube", PATH, "", NULL, "", "", 0, 0, "SEG-Y or Zarr cube of velocities")                           \
  X(VELOCITY_MIN, "velocity.min_mps", NUMBER, "m/s", "500", "", "", 1, 1e6, "least velocity accepted of a table or cube")       \
  X(VELOCITY_MAX, "velocity.max_mps", NUMBER, "m/s", "9000", "", "", 1, 1e6, "largest velocity accepted of a table or cube")    \
  X(ETA, "eta", SECTION, "", NULL, "", "", 0, 0, "anisotropy of the vti laws: exactly one of constant, table, cube")            \
  X(ETA_TYPE, "eta.type", WORD, "", "effective", "effective|interval", "", 0, 0,                                                \
    "interval values are made effective with the velocity's v_int")                                                             \
  X(ETA_CONSTANT, "eta.constant", NUMBER, "", NULL, "", "", -0.2, 1, "one eta everywhere")                                      \
  X(ETA_TABLE, "eta.table", PATH, "", NULL, "", "", 0, 0, "text file of functions of eta; its heading names x, y, time, eta")   \
  X(ETA_COLUMNS, "eta.columns", TEXT, "", NULL, "", "", 0, 0, "columns of the table: \"x,y,time_s,eta\"")                       \
  X(ETA_CUBE, "eta.cube", PATH, "", NULL, "", "", 0, 0, "SEG-Y or Zarr cube of eta")                                            \
  X(GRID, "grid", SECTION, "", "auto", "auto", "", 0, 0,                                                                        \
    "where the image is computed: auto (from the midpoints), by corners, or by origin_m and azimuth")                           \
  X(GRID_CORNERS, "grid.corners", POINTS, "m", NULL, "", "", 2, 4,                                                              \
    "three or four corners [x, y]: (first inline, first crossline), (first, last), (last, last)[, (last, first)]; two: a line") \
  X(GRID_ORIGIN, "grid.origin_m", POINT, "m", NULL, "", "", 0, 0, "[x, y] of the first node")                                   \
  X(GRID_AZIMUTH, "grid.inline_azimuth_deg", NUMBER, "degrees", "0", "", "", -360, 360,                                         \
    "direction along an inline, in which the crossline number grows, clockwise from north")                                     \
  X(GRID_FLIP, "grid.flip", FLAG, "", "false", "", "", 0, 0,                                                                    \
    "true: the inline number grows 90 degrees counter-clockwise of the azimuth, in place of clockwise")                         \
  X(GRID_INLINE, "grid.inline", SECTION, "", NULL, "", "", 0, 0, "the inlines")                                                 \
  X(GRID_INLINE_FIRST, "grid.inline.first", WHOLE, "", "1", "", "", -2000000000, 2000000000, "number of the first inline")      \
  X(GRID_INLINE_STEP, "grid.inline.step", WHOLE, "", "1", "", "", -100000, 100000, "step of inline numbers")                    \
  X(GRID_INLINE_N, "grid.inline.n", WHOLE, "", NULL, "", "", 1, 1000000, "how many inlines")                                    \
  X(GRID_INLINE_SPACING, "grid.inline.spacing_m", NUMBER, "m", NULL, "", "", 0.01, 100000, "distance between inlines")          \
  X(GRID_CROSSLINE, "grid.crossline", SECTION, "", NULL, "", "", 0, 0, "the crosslines (the CDPs of a 2D line)")                \
  X(GRID_CROSSLINE_FIRST, "grid.crossline.first", WHOLE, "", "1", "", "", -2000000000, 2000000000,                              \
    "number of the first crossline")                                                                                            \
  X(GRID_CROSSLINE_STEP, "grid.crossline.step", WHOLE, "", "1", "", "", -100000, 100000, "step of crossline numbers")           \
  X(GRID_CROSSLINE_N, "grid.crossline.n", WHOLE, "", NULL, "", "", 1, 1000000, "how many crosslines")                           \
  X(GRID_CROSSLINE_SPACING, "grid.crossline.spacing_m", NUMBER, "m", NULL, "", "", 0.01, 100000, "distance between crosslines") \
  X(GRID_TIME, "grid.time", SECTION, "", NULL, "", "", 0, 0, "two-way time axis; what is left out comes from the traces")       \
  X(GRID_TIME_FIRST, "grid.time.first_s", NUMBER, "s", NULL, "", "", 0, 1000, "first image time")                               \
  X(GRID_TIME_STEP, "grid.time.step_s", NUMBER, "s", NULL, "", "", 1e-5, 1, "step of image times")                              \
  X(GRID_TIME_N, "grid.time.n", WHOLE, "", NULL, "", "", 1, 1000000, "how many image times")                                    \
  X(MIGRATION, "migration", SECTION, "", NULL, "", "", 0, 0, "how the image is computed")                                       \
  X(TRAVELTIME, "migration.traveltime", WORD, "", "straight", "straight|curved_linear|curved_rms|curved_ray|vti|vti_rational",  \
    "", 0, 0,                                                                                                                   \
    "law of the leg time: straight is the double square root, curved_linear exact for velocity.linear_z, curved_ray for any")   \
  X(APERTURE, "migration.aperture", SECTION, "", NULL, "", "", 0, 0, "how far from its midpoint a trace is spread")             \
  X(APERTURE_MAX, "migration.aperture.max_m", NUMBER, "m", "3000", "", "", 0.01, 1e6, "largest radius")                         \
  X(APERTURE_MIN, "migration.aperture.min_m", NUMBER, "m", "0", "", "", 0, 1e6, "least radius, at early times")                 \
  X(APERTURE_DIP, "migration.aperture.max_dip_deg", NUMBER, "degrees", "60", "", "", 0.01, 89,                                  \
    "steepest dip that is imaged: radius = v*t0/2*tan(dip)")                                                                    \
  X(APERTURE_TAPER, "migration.aperture.taper", NUMBER, "fraction", "0.1", "", "", 0, 1, "last fraction of the radius tapered") \
  X(APERTURE_RULE, "migration.aperture.rule", WORD, "", "straight", "straight|ray", "", 0, 0,                                   \
    "how the radius follows the dip: along a straight line, or along a ray in v(z), which is shorter")                          \
  X(INTERPOLATION, "migration.interpolation", WORD, "", "linear", "linear|cubic|sinc8", "", 0, 0,                               \
    "how traces are read between samples")                                                                                      \
  X(ANTIALIAS, "migration.antialias", WORD, "", "none", "none|triangle|filter_bank", "", 0, 0,                                  \
    "filter of steep operator branches")                                                                                        \
  X(ANTIALIAS_FACTOR, "migration.antialias_factor", NUMBER, "", "1", "", "", 0.01, 10, "strength of the antialias filter")      \
  X(ANTIALIAS_FILTERS, "migration.antialias_filters", WHOLE, "", "8", "", "", 2, 32,                                            \
    "filter_bank: copies of a trace, the unfiltered one among them")                                                            \
  X(WEIGHT, "migration.weight", WORD, "", "auto", "auto|none|spreading|obliquity|spreading_obliquity|true_amplitude", "", 0, 0, \
    "amplitude weight; auto: spreading_obliquity for corrected data, obliquity for raw")                                        \
  X(RHO_FILTER, "migration.rho_filter", WORD, "", "auto", "auto|none|2d|3d", "", 0, 0,                                          \
    "derivative filter; auto: 2d when the grid is one line, else 3d")                                                           \
  X(HIGH_CUT, "migration.high_cut_hz", NUMBER, "Hz", "none", "none", "", 0.1, 100000,                                           \
    "traces are low-passed, fading from 0.8 of this frequency to nothing at it, without change of phase")                       \
  X(STRETCH_MUTE, "migration.stretch_mute", NUMBER, "fraction", "none", "none", "", 0, 100,                                     \
    "s: samples stretched by more than 1+s are left out")                                                                       \
  X(MUTE, "migration.mute", SECTION, "", NULL, "", "", 0, 0, "image times that a trace of some offset does not add to")         \
  X(MUTE_OUTER, "migration.mute.outer", POINTS, "m", NULL, "", "", 1, 16,                                                       \
    "[[offset_m, time_s], ...]: a trace adds nothing above this line; constant beyond its ends")                                \
  X(MUTE_INNER, "migration.mute.inner", POINTS, "m", NULL, "", "", 1, 16,                                                       \
    "[[offset_m, time_s], ...]: a trace adds nothing below this line")                                                          \
  X(NORMALISE, "migration.normalise", WORD, "", "none", "none|fold", "", 0, 0, "divide the image by its fold, or not")          \
  X(ADAPTIVE, "migration.adaptive", SECTION, "", "off", "off|on", "", 0, 0,                                                     \
    "on: a coarse pass finds where there is anything, and only that is computed: for sparse data; kernel native")               \
  X(ADAPTIVE_COARSEN, "migration.adaptive.coarsen", WHOLE, "", "2", "", "", 2, 8,                                               \
    "the coarse pass computes every so-manieth column along each axis, and every second time")                                  \
  X(ADAPTIVE_ENERGY, "migration.adaptive.energy", NUMBER, "fraction", "0.99", "", "", 0.5, 1,                                   \
    "share of the coarse image's energy that its strongest cells, which are the mask, hold")                                    \
  X(ADAPTIVE_DILATE, "migration.adaptive.dilate", WHOLE, "cells", "2", "", "", 0, 16,                                           \
    "by how many cells the mask grows to all sides; a cell is a coarse column and 8 times")                                     \
  X(ITERATIONS, "migration.iterations", WHOLE, "", "0", "", "", 0, 10000,                                                       \
    "least-squares migration: the image whose demigration fits the traces best, in so many steps; 0: a plain migration")        \
  X(DAMPING, "migration.damping", NUMBER, "fraction", "0", "", "", 0, 1e6,                                                      \
    "of least-squares migration: how strongly large amplitudes are held back; 0.01 is a little, 1 much")                        \
  X(LEVELS, "migration.levels", WORDS, "", "[1]", "1|2|4", "", 0, 0,                                                            \
    "[4, 2, 1]: also images of 4 and 2 times the spacing and time step, low-passed to what they hold, the coarsest first")      \
  X(TIME_SAMPLING, "migration.time_sampling", SECTION, "", "uniform", "uniform|auto", "", 0, 0,                                 \
    "auto: late times, whose frequencies are low, are computed with a larger step and resampled to the uniform axis")           \
  X(TIME_SAMPLING_F_MAX, "migration.time_sampling.f_max_hz", POINTS, "Hz", NULL, "", "", 1, 16,                                 \
    "[[time_s, f_max_hz], ...]: the highest frequency at each image time, in place of the data's own spectrum")                 \
  X(GATHERS, "gathers", SECTION, "", NULL, "", "", 0, 0, "image gathers beside the stack")                                      \
  X(GATHERS_KIND, "gathers.kind", WORD, "", "none", "none|offset|ovt|angle", "", 0, 0,                                          \
    "what gathers are sorted by; ovt: offset-vector tiles")                                                                     \
  X(GATHERS_EDGES, "gathers.edges_m", NUMBERS, "m", NULL, "", "", -1e6, 1e6,                                                    \
    "edges of the offset bins [lo, hi): [0, 500, 1000], or {first: 0, last: 3000, step: 100}")                                  \
  X(GATHERS_SIGNED, "gathers.signed", FLAG, "", "false", "", "", 0, 0,                                                          \
    "offsets are negative where the receiver lies towards smaller crossline numbers")                                           \
  X(GATHERS_EDGES_INLINE, "gathers.edges_inline_m", NUMBERS, "m", NULL, "", "", -1e6, 1e6,                                      \
    "edges of tiles: of receiver - source along an inline")                                                                     \
  X(GATHERS_EDGES_CROSSLINE, "gathers.edges_crossline_m", NUMBERS, "m", NULL, "", "", -1e6, 1e6,                                \
    "edges of tiles: of receiver - source across inlines")                                                                      \
  X(GATHERS_EDGES_DEG, "gathers.edges_deg", NUMBERS, "degrees", NULL, "", "", 0, 180,                                           \
    "edges of the bins of the opening angle between the rays to source and receiver: twice the angle of incidence")             \
  X(GATHERS_INVERSE_NMO, "gathers.inverse_nmo", FLAG, "", "false", "", "", 0, 0,                                                \
    "gathers written with the move-out of the migration velocity put back")                                                     \
  X(GATHERS_MUTE, "gathers.outer_mute", NUMBERS, "", NULL, "", "", -1e6, 1e6,                                                   \
    "gathers muted above the line through [offset m, time s, offset m, time s, ...], after inverse_nmo")                        \
  X(OUTPUT, "output", SECTION, "", NULL, "", "", 0, 0, "what is written, and where")                                            \
  X(OUTPUT_DIRECTORY, "output.directory", PATH, "", "out", "", "", 0, 0, "directory of the results")                            \
  X(OUTPUT_FORMATS, "output.formats", WORDS, "", "[zarr, segy]", "zarr|segy", "", 0, 0, "image.zarr, stack.sgy")                \
  X(OUTPUT_PNG, "output.png", FLAG, "", "true", "", "", 0, 0, "pictures stack.png and fold.png")                                \
  X(OUTPUT_REPORT, "output.report", FLAG, "", "true", "", "", 0, 0,                                                             \
    "report.html: the run, its data and its image on one page, for people")                                                     \
  X(EXECUTION, "execution", SECTION, "", NULL, "", "", 0, 0, "on what machine, with how much of it")                            \
  X(DEVICE, "execution.device", TEXT, "", "auto", "", "", 0, 0,                                                                 \
    "auto (metal, cuda or cpu, the first there is), cpu, cpu?threads=8&simd=avx2, cuda, cuda:1, metal")                         \
  X(KERNEL, "execution.kernel", WORD, "", "auto", "auto|native|baseline|v1|v2|v3", "", 0, 0,                                    \
    "version of the kernel (docs/kernels.md); auto: native on the cpu, else v3, or v2 where it measures 15 % faster")           \
  X(STORAGE, "execution.storage", WORD, "", "float", "float|half", "", 0, 0,                                                    \
    "how a GPU keeps traces; half: less memory to read, relative error up to 1e-3, without antialias, v1 to v3")                \
  X(THREADS, "execution.threads", WHOLE, "", "auto", "auto", "", 1, 4096, "worker threads; auto: all cores")                    \
  X(MEMORY, "execution.memory_gb", NUMBER, "GB", "auto", "auto", "", 0.001, 1e6,                                                \
    "bound on memory, in 1e9 bytes; auto: 80 % of what is free")                                                                \
  X(DEVICE_MEMORY, "execution.device_memory_gb", NUMBER, "GB", "auto", "auto", "", 0.001, 1e6,                                  \
    "the same for a device with memory of its own; auto: 90 % of what is free there")                                           \
  X(TILE, "execution.tile", WHOLE, "columns", "auto", "auto", "", 1, 4096, "columns along a tile's side")                       \
  X(STORE, "execution.store", PATH, "", "auto", "auto", "", 0, 0,                                                               \
    "directory of the sorted traces of surveys larger than memory; auto: .moho-store beside the output directory")              \
  X(CHECKPOINT, "execution.checkpoint_s", NUMBER, "s", "60", "none", "", 0.001, 1e6,                                            \
    "a longer run goes in blocks of about so long, each saved when it is done; none: only memory makes blocks")                 \
  X(RESUME, "execution.resume", WORD, "", "auto", "auto|never", "", 0, 0,                                                       \
    "a run that was stopped in output.directory: auto goes on with it, never drops it and starts over")

typedef enum {
  MOHO_JOB_SECTION, /* a map of the keys below it; with words: also one of these */
  MOHO_JOB_NUMBER,  /* or one of its words */
  MOHO_JOB_WHOLE,   /* or one of its words */
  MOHO_JOB_WORD,
  MOHO_JOB_WORDS, /* a list of words */
  MOHO_JOB_FLAG,
  MOHO_JOB_PATH, /* relative to the job file */
  MOHO_JOB_TEXT,
  MOHO_JOB_POINT,   /* [x, y] */
  MOHO_JOB_POINTS,  /* [[x, y], ...], min to max of them */
  MOHO_JOB_RANGE,   /* [least, most], both from min to max */
  MOHO_JOB_RANGES,  /* [[from, to], ...] */
  MOHO_JOB_NUMBERS, /* [0, 500, 1000], or {first, last, step} */
  MOHO_JOB_HEADERS, /* a map of header names, or one of its words */
  MOHO_JOB_LATER    /* recognised, not yet available */
} moho_job_type;

/* 1 when min and max bound its numbers. */
static inline int moho_job_has_limits(moho_job_type type) {
  return type == MOHO_JOB_NUMBER || type == MOHO_JOB_WHOLE || type == MOHO_JOB_RANGE || type == MOHO_JOB_RANGES;
}

typedef struct moho_job_key {
  const char *path;
  moho_job_type type;
  const char *unit, *fallback, *words, *later;
  double min, max;
  const char *help;
} moho_job_key;

typedef enum {
#define MOHO_JOB_ID(id, path, type, unit, fallback, words, later, min, max, help) MOHO_KEY_##id,
  MOHO_JOB_KEYS(MOHO_JOB_ID)
#undef MOHO_JOB_ID
      MOHO_JOB_KEY_COUNT
} moho_job_id;

extern const moho_job_key moho_job_keys[MOHO_JOB_KEY_COUNT];

/* The row of "section.key"; -1 when there is none. */
int moho_job_find(const char *path);
/* The part after the last dot. */
const char *moho_job_last_name(const char *path);
/* 1 when `path` lies directly below the section `parent` ("" is the top). */
int moho_job_is_child(const char *parent, const char *path);
/* The valid key nearest to an unknown one: a sibling, else the same or a similar name elsewhere; NULL. */
const char *moho_job_nearest_key(const char *parent, const char *name);

/* 1 when `word` is one of "a|b|c". */
int moho_words_have(const char *words, const char *word);
/* The word of "a|b|c" nearest to `given`, in buffer; NULL when none is near. */
const char *moho_words_nearest(const char *words, const char *given, char buffer[64]);
/* "a, b or c". */
const char *moho_words_text(const char *words, char buffer[200]);

/* "number in m, or auto", for messages and docs. */
const char *moho_job_type_text(const moho_job_key *key, char buffer[300]);

#endif
