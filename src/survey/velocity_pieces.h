/* velocity_pieces.h - a velocity function between its knots: the part of a function that one formula holds for. */
#ifndef MOHO_SURVEY_VELOCITY_PIECES_H
#define MOHO_SURVEY_VELOCITY_PIECES_H

#include <math.h>

#include "survey/velocity_profiles.h"

/* The knots of one function. */
typedef struct moho_knots {
  size_t n;
  const double *t, *v, *integral;
  const float *cube;
} moho_knots;

static inline moho_knots moho_knots_of(const moho_profiles *p, size_t profile) {
  size_t first = p->start ? p->start[profile] : profile * p->n_shared;
  return (moho_knots){.n = p->start ? p->start[profile + 1] - first : p->n_shared,
                      .t = p->start ? p->time_s + first : p->time_s,
                      .v = p->v_mps ? p->v_mps + first : NULL,
                      .cube = p->cube_mps ? p->cube_mps + first : NULL,
                      .integral = p->integral ? p->integral + first : NULL};
}

static inline double moho_knot_value(const moho_knots *f, size_t k) {
  return f->cube ? (double)f->cube[k] : f->v[k];
}

/* v at time a and its slope, valid from time a on. */
typedef struct moho_piece {
  double a, v, slope;
} moho_piece;

/* Piece k of n + 1: before the first knot, between knots k - 1 and k, after the last. Of r.m.s. velocities the given velocity,
 * of interval and average ones v_int. */
static inline moho_piece moho_piece_of(const moho_knots *f, size_t k, moho_velocity_kind kind) {
  if (k == 0) return (moho_piece){0, moho_knot_value(f, 0), 0};
  double t = f->t[k - 1], v = moho_knot_value(f, k - 1);
  if (k == f->n) return (moho_piece){t, v, 0};
  double slope = (moho_knot_value(f, k) - v) / (f->t[k] - t);
  /* v_avg = b + slope*t gives v_int = d(t*v_avg)/dt = b + 2*slope*t */
  if (kind == MOHO_VELOCITY_AVERAGE) return (moho_piece){t, v + slope * t, 2 * slope};
  return (moho_piece){t, v, slope};
}

/* v_int^2 between r.m.s. knots k - 1 and k (Dix 1955, backward); negative where the picks cannot be r.m.s. velocities. */
static inline double moho_dix_squared(const moho_knots *f, size_t k) {
  double before = moho_knot_value(f, k - 1), v = moho_knot_value(f, k);
  return (v * v * f->t[k] - before * before * f->t[k - 1]) / (f->t[k] - f->t[k - 1]);
}

/* v_int on piece k whatever was given: of r.m.s. velocities constant between picks. */
static inline moho_piece moho_interval_piece_of(const moho_knots *f, size_t k, moho_velocity_kind kind) {
  moho_piece piece = moho_piece_of(f, k, kind);
  if (kind != MOHO_VELOCITY_RMS || k == 0 || k == f->n) return piece;
  return (moho_piece){piece.a, sqrt(fmax(moho_dix_squared(f, k), 0)), 0};
}

/* Integral of (v + slope*s)^2 over s from 0 to s. */
static inline double moho_piece_square(const moho_piece *p, double s) {
  return s * (p->v * p->v + s * (p->v * p->slope + s * (p->slope * p->slope / 3)));
}

/* Integral of (v + slope*s)^4. */
static inline double moho_piece_fourth(const moho_piece *p, double s) {
  double v = p->v, b = p->slope * s;
  return s * (v * v * v * v + b * (2 * v * v * v + b * (2 * v * v + b * (v + b / 5))));
}

/* Number of knots at or before time t: the piece that t is in. */
static inline size_t moho_piece_at(const moho_knots *f, double t) {
  size_t low = 0, high = f->n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (f->t[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

#endif
