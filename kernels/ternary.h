/* ternary.h - what the kernels of ternary weights are given (moho/ternary.h has the formulas and the packing "lanes"). */
#ifndef MOHO_KERNELS_TERNARY_H
#define MOHO_KERNELS_TERNARY_H

#define TERNARY_LANES 256u
#define TERNARY_PITCH 65u /* of 64 outputs' sums in group memory */
/* Sums of 64 quarters of SIMD groups, then of four. */
#define TERNARY_GROUP_WORDS (64u * TERNARY_PITCH + 256u)

/* ternary_tiles: two panels of 16 words and 4 of room for each row, and a word a lane. */
#define TERNARY_TILES_WORDS(tiles, slices) (2u * (slices)*8u * (tiles)*20u + TERNARY_LANES)

#define TERNARY_SCALE_TENSOR 0u
#define TERNARY_SCALE_ROW 1u
#define TERNARY_SCALE_GROUP 2u

typedef struct ternary_parameters {
  unsigned int m, n, k;
  unsigned int words;                   /* of a row of quantised activations, padded with 0 */
  unsigned int steps;                   /* of 4 inputs in a row of weights */
  unsigned int scaling, length, pieces; /* inputs that share a scale, and how many such pieces a row has */
  unsigned int x_first, x_row, gain_first, y_first, y_row, bias_first;
  unsigned int rms_norm, has_gain, has_bias;
  unsigned int integers; /* y is the integer part */
  float epsilon;
  unsigned int rows;          /* of activations that a group of ternary_linear takes at once */
  unsigned int simd, threads; /* of the cpu's native functions */
} ternary_parameters;

#endif
