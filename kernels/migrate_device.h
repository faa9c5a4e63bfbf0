/* migrate_device.h - what the migration's device kernels are given. Shared by the host (src/migrate) and the texts.
 *
 * Members are 4 bytes. A value that decides about the fold is split, high + low, the two floats nearest to the host's double.
 * Positions are relative to the grid's origin in metres, times in (refined) trace samples, s2 = 1/(v*dt)^2.
 * Buffers of migrate_baseline, migrate_v2, migrate_v3:
 *   0 rows     prepared traces [rows, row_stride]: floats (STORAGE_VALUES), float or half pairs (value, next - value), or lines:
 *              float pairs (value - i * slope, slope), slope = next - value, i counted from x0: value at u = first + u * slope
 *   1 traces   migrate_trace [n]; in ascending input number
 *   2 axis     migrate_sample [n_time]: what all columns share; behind it migrate_node [law_nodes]
 *   3 table    migrate_slowness [tables, n_time]: one table (table_stride 0) or one an image column; of other laws than straight
 *              [tables, n_time, law_entries]: the sample's slowness, its migrate_terms in the next three entries, then for
 *              curved_ray its squared leg times at p->law_nodes distances
 *   4 columns  migrate_column [n_columns]: neighbours in space lie together, in tiles; row 0xffffffff: padding
 *   5 sinc     [1025, 8]
 *   6 image    float [image columns, image_stride], accumulated
 *   7 fold     int32 [image columns, image_stride], accumulated
 *   8 used     uint [n]: 1 written where a trace has a contribution
 *   9 work     uint [..]: v3: next item of the work queue, 0 before a launch
 *  10 PARAM    migrate_device_parameters (baseline)
 * of v2 and v3 instead
 *  10 limits   migrate_split [n_limits]: cosines of the edges of bins by opening angle, descending; image and fold then have
 *              bin_stride samples a bin
 *  11 v_dt     migrate_split [tables, n_time]: v_int * dt of the table's samples, for bins by opening angle
 *  12 mask     uint [image columns, mask_stride]: bit i of word k: sample 32 k + i is computed
 *  13 PARAM    migrate_device_parameters
 */
#ifndef MOHO_KERNELS_MIGRATE_DEVICE_H
#define MOHO_KERNELS_MIGRATE_DEVICE_H

#define STORAGE_VALUES 0
#define STORAGE_PAIRS 1
#define STORAGE_HALF_PAIRS 2
#define STORAGE_LINES 3 /* linear interpolation of the trace itself only: nothing else reads values */

typedef struct migrate_trace {
  float source_x, source_x_low, source_y, source_y_low;
  float receiver_x, receiver_x_low, receiver_y, receiver_y_low;
  float shift, shift_low;               /* time of the row's first sample */
  float half_offset2, half_offset2_low; /* m^2 */
  float spacing;                        /* antialias: factor * spacing of the trace's offset class, m */
  float scale;                          /* half pairs hold value / scale; else 1 */
  unsigned int row;                     /* of `rows`, from 0 in each resident batch */
  unsigned int live;                    /* 0: skip */
  unsigned int first, end;              /* image samples that the mutes by offset leave */
} migrate_trace;

typedef struct migrate_sample {
  float t1sq, t1sq_low; /* squared vertical leg time */
  float mute, mute_low; /* h2*s2 beyond this is muted: (((1+s)(1+4e-6))^2 - 1)*t1^2 */
} migrate_sample;

typedef struct migrate_slowness {
  float s2, s2_low;
  float radius2, radius2_low; /* square of the widened running maximum of A(t0) */
} migrate_slowness;

/* physics.h's leg terms besides s2, and what follows from them. */
typedef struct migrate_terms {
  float base, base_low, a, a_low, b, b_low;
  float mute2, mute2_low; /* squared half-offsets beyond this are muted */
  float grows2;           /* legs of a smaller squared length grow with t0 from here on */
  float unused[3];
} migrate_terms;
#define MIGRATE_LAW_ENTRIES 4u /* of a sample, without leg times */

/* curved_ray: a node of squared distance, and 1/(to the next one). */
typedef struct migrate_node {
  float d2, d2_low, inverse_step, inverse_low;
} migrate_node;

/* A double, for what only bins by opening angle need. */
typedef struct migrate_split {
  float value, low;
} migrate_split;

typedef struct migrate_column {
  float x, x_low, y, y_low;
  float along_x, along_y, across_x, across_y; /* axes of the antialias slope; across 0 on a line */
  unsigned int row;                           /* of image, fold and table */
  unsigned int unused[3];
} migrate_column;

typedef struct migrate_device_parameters {
  unsigned int n_traces, n_columns, n_time;
  unsigned int image_stride, table_stride; /* in samples, in entries; table_stride 0: one table for all */
  unsigned int row_stride, x0, c0;         /* in samples of a row, as moho_prepared_layout */
  unsigned int n_samples, k_max;
  float low; /* u = t - shift inside the record: low <= u <= high */
  float high, high_low;
  float taper_inv_fraction, taper_begin; /* 1/f; 1-f; f = 0: begin 2 (no sample tapers) */
  float shortest_time;                   /* one input dt, for weights */
  float leg_bound;                       /* v3: legs shorter than this (samples) are evaluated exactly */
  unsigned int first_column;             /* of `columns`, for launches of a part */
  unsigned int n_items;                  /* v3: items of the work queue */
  /* Compile-time constants on GPUs, read from here where the text is compiled as C. */
  unsigned int interpolation, antialias, weight_power, has_mute, storage;
  unsigned int law, law_entries, law_nodes;
  float law_c2, law_c2_low; /* curved_linear: (k dt/2)^2 */
  unsigned int has_window;  /* a trace's first and end matter */
  unsigned int zero;        /* 0: see FAR_ROW in kern.h */
  /* Filter bank: samples between copies, 1/T_0, filter_bank_place()'s per_octave and last. */
  unsigned int bank_stride;
  float bank_inverse, bank_per_octave, bank_last;
  unsigned int n_limits;    /* bins by opening angle are between so many edges; 0: no such bins */
  unsigned int bin_stride;  /* samples of image and fold from bin to bin */
  unsigned int v_dt_stride; /* entries; 0: one row for all */
  unsigned int mask_stride; /* words, a multiple of 4; 0: all samples are computed */
  /* The adjoint, demigrate_tile.h. */
  unsigned int first_trace;            /* of `traces`, for launches of a part */
  unsigned int n_ranges, range_stride; /* of a column; records from one column to the next, 0: one column's serve all */
  unsigned int window, n_windows;      /* places of the trace's time in group memory at once; how many such */
  unsigned int copies;                 /* of a filter bank; else 1 */
  float finer;                         /* on the trace integrated twice so many quanta make one of the trace */
} migrate_device_parameters;

/* migrate_pack: float rows -> pairs or lines. Buffers 0 values [rows, row_stride], 1 traces, 2 packed (uint words), 3 PARAM. */
typedef struct migrate_pack_parameters {
  unsigned int n_rows, row_stride, x0, storage;
  unsigned int n_traces;
} migrate_pack_parameters;

#endif
