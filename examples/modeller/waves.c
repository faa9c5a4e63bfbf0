/* waves.c - finite differences of acoustic waves; see waves.h. */
#include "waves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

enum { HALO = 4, STRIP = 24 };

/* Rows are compiled for wider vectors too where the compiler can choose between them at run time. */
#if defined(__x86_64__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

static const double taps[4] = {1225.0 / 1024, -245.0 / 3072, 49.0 / 5120, -5.0 / 7168};

/* ---- what the grid can carry ---- */

/* The wavenumber that differences see, over the true one, at a fraction of the sampling wavenumber (kh = 2 pi h / wavelength). */
static double seen(double kh) {
  double sum = 0;
  for (int n = 0; n < 4; n++) sum += 2 * taps[n] * sin((n + 0.5) * kh);
  return sum / kh;
}

double waves_step(const earth *e, const survey *s) {
  double slowest, fastest, sum = 0;
  earth_range(e, &slowest, &fastest);
  for (int n = 0; n < 4; n++) sum += fabs(taps[n]);
  /* Two and a half times the peak a Ricker wavelet has fallen to 3 % of its spectrum. */
  double highest = 2.5 * s->peak_hz, wavelength = slowest / highest, error = 1 - seen(2 * PI * s->spacing / wavelength);
  if (s->spacing > wavelength / 2 || fabs(error) > 0.003)
    stop("grid %g m is too coarse: %g Hz at %g m/s is %.3g m long and would run %.2g %% slow; use at most %.3g m", s->spacing,
         highest, slowest, wavelength, 100 * error, wavelength / 4);
  return 0.9 * s->spacing / (fastest * sqrt(2) * sum);
}

/* ---- medium ---- */

static float *floats(size_t n) {
  float *array = calloc(n, sizeof *array);
  if (!array) stop("out of memory: %zu numbers", n);
  return array;
}

/* Averages over a cell around a point, so that boundaries between nodes count where they are: mean density, mean compressibility.
 */
static rock cell(const earth *e, double x, double z, double h) {
  enum { SIDE = 6 };
  double density = 0, compressibility = 0;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      rock r = earth_at(e, x + ((i + 0.5) / SIDE - 0.5) * h, z + ((j + 0.5) / SIDE - 0.5) * h);
      density += r.density;
      compressibility += 1 / (r.density * r.velocity * r.velocity);
    }
  density /= SIDE * SIDE, compressibility /= SIDE * SIDE;
  return (rock){sqrt(1 / (compressibility * density)), density};
}

/* Damping grows with the square of the depth in the strip, so that what comes back has lost 1e-6; its shift keeps grazing and
 * slow waves from coming back. */
static void fill_strip(medium *m, double fastest, double peak_hz) {
  double length = STRIP * m->h, strongest = 3 * fastest * log(1e6) / (2 * length);
  for (int k = 0; k < STRIP; k++)
    for (int half = 0; half < 2; half++) {
      double depth = (k + (half ? 0.5 : 1)) / STRIP, damping = strongest * depth * depth, shift = PI * peak_hz * (1 - depth);
      double decay = exp(-(damping + shift) * m->dt), gain = damping / (damping + shift + 1e-30) * (decay - 1);
      (half ? m->decay_half : m->decay)[k] = (float)decay;
      (half ? m->gain_half : m->gain)[k] = (float)gain;
    }
}

medium medium_create(const earth *e, double spacing, double dt, double peak_hz) {
  medium m = {.h = spacing, .dt = dt};
  size_t edge = STRIP + HALO;
  m.nx = (size_t)ceil(e->width / spacing - 1e-6) + 1 + 2 * edge;
  m.nz = (size_t)ceil(e->depth / spacing - 1e-6) + 1 + 2 * edge;
  m.stiffness = floats(m.nx * m.nz), m.ease_x = floats(m.nx * m.nz), m.ease_z = floats(m.nx * m.nz);
  m.decay = floats(STRIP), m.gain = floats(STRIP), m.decay_half = floats(STRIP), m.gain_half = floats(STRIP);
  double slowest, fastest;
  earth_range(e, &slowest, &fastest);
  fill_strip(&m, fastest, peak_hz);
#pragma omp parallel for schedule(dynamic, 8)
  for (size_t j = 0; j < m.nz; j++)
    for (size_t i = 0; i < m.nx; i++) {
      double x = ((double)i - (double)edge) * spacing, z = ((double)j - (double)edge) * spacing;
      rock here = cell(e, x, z, spacing);
      m.stiffness[j * m.nx + i] = (float)(dt * here.density * here.velocity * here.velocity / spacing);
      m.ease_x[j * m.nx + i] = (float)(dt / (cell(e, x + 0.5 * spacing, z, spacing).density * spacing));
      m.ease_z[j * m.nx + i] = (float)(dt / (cell(e, x, z + 0.5 * spacing, spacing).density * spacing));
    }
  return m;
}

void medium_release(medium *m) {
  free(m->stiffness), free(m->ease_x), free(m->ease_z);
  free(m->decay), free(m->gain), free(m->decay_half), free(m->gain_half);
  *m = (medium){0};
}

/* ---- a step ---- */

typedef struct fields {
  float *p, *vx, *vz;                         /* [nz, nx] */
  float *left_p, *right_p, *left_v, *right_v; /* [nz, STRIP] memory of the absorbing strips, from the inner edge on */
  float *top_p, *bottom_p, *top_v, *bottom_v; /* [STRIP, nx] */
  float *across, *down;                       /* [nx] differences of a row */
} fields;

/* out[i] = sum of taps * (f[i + n*stride] - f[i - (n+1)*stride]): the slope half a node before i, times h. */
WIDE static void differences(const float *restrict f, ptrdiff_t stride, size_t first, size_t last, float *restrict out) {
  const float a = (float)taps[0], b = (float)taps[1], c = (float)taps[2], d = (float)taps[3];
  const ptrdiff_t end = (ptrdiff_t)last; /* signed: places before f are in the field too */
  for (ptrdiff_t i = (ptrdiff_t)first; i < end; i++)
    out[i] = a * (f[i] - f[i - stride]) + b * (f[i + stride] - f[i - 2 * stride]) + c * (f[i + 2 * stride] - f[i - 3 * stride]) +
             d * (f[i + 3 * stride] - f[i - 4 * stride]);
}

WIDE static void absorb_row(float decay, float gain, size_t first, size_t end, float *restrict memory, float *restrict slope) {
  for (size_t i = first; i < end; i++) {
    memory[i] = decay * memory[i] + gain * slope[i];
    slope[i] += memory[i];
  }
}

WIDE static void subtract_both(const float *restrict scale, const float *restrict a, const float *restrict b, size_t first,
                               size_t end, float *restrict to) {
  for (size_t i = first; i < end; i++) to[i] -= scale[i] * (a[i] + b[i]);
}

WIDE static void subtract_one(const float *restrict scale, const float *restrict a, size_t first, size_t end,
                              float *restrict to) {
  for (size_t i = first; i < end; i++) to[i] -= scale[i] * a[i];
}

/* The strips at either end of a row; `left`, `right`: where they begin. */
static void absorb_ends(const float *decay, const float *gain, size_t left, size_t right, float *memory_left, float *memory_right,
                        float *slope) {
  for (size_t k = 0; k < STRIP; k++) {
    memory_left[k] = decay[k] * memory_left[k] + gain[k] * slope[left - k];
    slope[left - k] += memory_left[k];
    memory_right[k] = decay[k] * memory_right[k] + gain[k] * slope[right + k];
    slope[right + k] += memory_right[k];
  }
}

static void step_pressure(const medium *m, fields *f) {
  size_t nx = m->nx, last = m->nx - HALO, edge = STRIP + HALO, far_x = m->nx - 1 - edge, far_z = m->nz - 1 - edge;
  for (size_t j = HALO; j < m->nz - HALO; j++) {
    differences(f->vx + j * nx, 1, HALO, last, f->across);
    differences(f->vz + j * nx, (ptrdiff_t)nx, HALO, last, f->down);
    absorb_ends(m->decay, m->gain, edge - 1, far_x + 1, f->left_p + j * STRIP, f->right_p + j * STRIP, f->across);
    if (j < edge) {
      size_t k = edge - 1 - j;
      absorb_row(m->decay[k], m->gain[k], HALO, last, f->top_p + k * nx, f->down);
    } else if (j > far_z) {
      size_t k = j - far_z - 1;
      absorb_row(m->decay[k], m->gain[k], HALO, last, f->bottom_p + k * nx, f->down);
    }
    subtract_both(m->stiffness + j * nx, f->across, f->down, HALO, last, f->p + j * nx);
  }
}

/* vx[i] lies between nodes i and i+1: slopes are taken at i+1, half a node before it. */
static void step_velocity(const medium *m, fields *f) {
  size_t nx = m->nx, last = m->nx - HALO, edge = STRIP + HALO, far_x = m->nx - 1 - edge, far_z = m->nz - 1 - edge;
  for (size_t j = HALO; j < m->nz - HALO; j++) {
    differences(f->p + j * nx + 1, 1, HALO, last, f->across);
    differences(f->p + (j + 1) * nx, (ptrdiff_t)nx, HALO, last, f->down);
    absorb_ends(m->decay_half, m->gain_half, edge - 1, far_x, f->left_v + j * STRIP, f->right_v + j * STRIP, f->across);
    if (j < edge) {
      size_t k = edge - 1 - j;
      absorb_row(m->decay_half[k], m->gain_half[k], HALO, last, f->top_v + k * nx, f->down);
    } else if (j >= far_z && j < far_z + STRIP) {
      size_t k = j - far_z;
      absorb_row(m->decay_half[k], m->gain_half[k], HALO, last, f->bottom_v + k * nx, f->down);
    }
    subtract_one(m->ease_x + j * nx, f->across, HALO, last, f->vx + j * nx);
    subtract_one(m->ease_z + j * nx, f->down, HALO, last, f->vz + j * nx);
  }
}

/* ---- a shot ---- */

static fields fields_create(const medium *m) {
  size_t n = m->nx * m->nz, side = m->nz * STRIP, flat = m->nx * STRIP;
  return (fields){.p = floats(n),
                  .vx = floats(n),
                  .vz = floats(n),
                  .left_p = floats(side),
                  .right_p = floats(side),
                  .left_v = floats(side),
                  .right_v = floats(side),
                  .top_p = floats(flat),
                  .bottom_p = floats(flat),
                  .top_v = floats(flat),
                  .bottom_v = floats(flat),
                  .across = floats(m->nx),
                  .down = floats(m->nx)};
}

static void fields_release(fields *f) {
  float *all[] = {f->p,     f->vx,       f->vz,    f->left_p,   f->right_p, f->left_v, f->right_v,
                  f->top_p, f->bottom_p, f->top_v, f->bottom_v, f->across,  f->down};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k]);
}

static size_t node_of(const medium *m, double x) {
  return (size_t)llround(x / m->h) + STRIP + HALO + (STRIP + HALO) * m->nx;
}

void waves_shoot(const medium *m, double shot_x, const double *receiver_x, size_t n, const double *source, size_t n_steps,
                 float *record) {
  fields f = fields_create(m);
  size_t node = node_of(m, shot_x);
  for (size_t k = 0; k < n_steps; k++) {
    step_velocity(m, &f);
    step_pressure(m, &f);
    f.p[node] += (float)(source[k] * (double)m->stiffness[node] / m->h);
    for (size_t r = 0; r < n; r++) record[k * n + r] = f.p[node_of(m, receiver_x[r])];
  }
  fields_release(&f);
}
