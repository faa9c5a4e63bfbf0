/* ray_fan.c - a fan of rays through a velocity of depth, marched node by node: down, and up from where they turn. */
#include "migrate/ray_fan.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* Rays by their angle at the surface, and by where they turn. */
enum { RAYS_BY_ANGLE = 160, RAYS_TURNING = 2000 };

/* A ray on its way down: time, and distance over p (finite for the vertical ray, and p*reach is the distance). */
typedef struct ray {
  double p, time, reach;
  double turn_time, turn_reach; /* down to where it turns; NAN: never */
} ray;

typedef struct fan {
  const moho_ray_medium *medium;
  size_t n;
  ray *rays;    /* [n] p ascending */
  size_t alive; /* the first of them, of small p, have not turned yet */
} fan;

/* asinh(x)/x */
static double arc(double x) {
  double x2 = x * x;
  return x2 < 1e-3 ? 1 - x2 * (1.0 / 6 - x2 * (3.0 / 40 - x2 * (15.0 / 336))) : asinh(x) / x;
}

/* The layer below node k: its thickness and gradient. Vertical time: log(v2/v1)/g. */
typedef struct layer {
  double v1, v2, thickness, gradient;
} layer;

static layer layer_below(const moho_ray_medium *m, size_t k) {
  layer l = {.v1 = m->v_mps[k], .v2 = m->v_mps[k + 1]};
  double ratio = (l.v2 - l.v1) / l.v1, one_way = (m->t0_s[k + 1] - m->t0_s[k]) / 2;
  l.thickness = one_way * l.v1 * (fabs(ratio) < 1e-9 ? 1 + ratio / 2 : ratio / log1p(ratio));
  l.gradient = (l.v2 - l.v1) / l.thickness;
  return l;
}

/* Through the layer, an arc: cosh(g T) = 1 + g^2 (X^2 + Z^2)/(2 v1 v2). */
static void pass(ray *r, const layer *l) {
  double c1 = sqrt(1 - r->p * r->p * l->v1 * l->v1), c2 = sqrt(fmax(0, 1 - r->p * r->p * l->v2 * l->v2));
  double reach = (l->v1 + l->v2) * l->thickness / (c1 + c2), x = r->p * reach;
  double w = sqrt((x * x + l->thickness * l->thickness) / (l->v1 * l->v2));
  r->reach += reach;
  r->time += w * arc(l->gradient * w / 2);
}

/* Within the layer it turns, where v = 1/p. */
static void turn(ray *r, const layer *l) {
  double c1 = sqrt(1 - r->p * r->p * l->v1 * l->v1);
  r->turn_reach = r->reach + c1 / (r->p * r->p * l->gradient);
  r->turn_time = r->time + atanh(c1) / l->gradient;
}

static void step(fan *f, size_t node) {
  layer l = layer_below(f->medium, node);
  while (f->alive && f->rays[f->alive - 1].p * l.v2 >= 1) turn(&f->rays[--f->alive], &l);
  for (size_t k = 0; k < f->alive; k++) pass(&f->rays[k], &l);
}

static int ascending(const void *a, const void *b) {
  double p = ((const ray *)a)->p, q = ((const ray *)b)->p;
  return (p > q) - (p < q);
}

/* Angles at the surface, closer together towards the horizontal; and where the velocity grows, rays that turn at speeds a small
 * step apart: between the last ray that passes a depth and its coming up again T^2 is a cubic over a distance that goes with the
 * root of that step, so the error goes with its square (0.015 samples of 2 ms for 1.5 %). */
static moho_status make_rays(fan *f, double tolerance_s) {
  const moho_ray_medium *m = f->medium;
  double fastest = m->v_mps[0], step = 0.015 * sqrt(tolerance_s / 60e-6);
  for (size_t k = 1; k < m->n; k++) fastest = fmax(fastest, m->v_mps[k]);
  double range = log(fastest / m->v_mps[0]);
  size_t turning = range / step < RAYS_TURNING ? (size_t)ceil(range / step) : RAYS_TURNING;
  f->n = RAYS_BY_ANGLE + turning;
  MOHO_TRY(moho_allocate(f->n, sizeof *f->rays, "rays", &f->rays));
  for (size_t k = 0; k < RAYS_BY_ANGLE; k++) {
    double rest = 1 - (double)k / RAYS_BY_ANGLE, angle = (1 - rest * sqrt(rest)) * (3.14159265358979323846 / 2);
    f->rays[k].p = sin(angle) / m->v_mps[0];
  }
  for (size_t k = 0; k < turning; k++)
    f->rays[RAYS_BY_ANGLE + k].p = exp(-range * ((double)k + 0.5) / (double)turning) / m->v_mps[0];
  qsort(f->rays, f->n, sizeof *f->rays, ascending);
  for (size_t k = 0; k < f->n; k++) f->rays[k].turn_time = f->rays[k].turn_reach = NAN;
  return MOHO_OK;
}

static void start(fan *f) {
  for (size_t k = 0; k < f->n; k++) f->rays[k].time = f->rays[k].reach = 0;
  f->alive = f->n;
}

/* ---- times between rays ---- */

/* A ray at a depth, as a point of T^2 over X^2 with its slope. */
typedef struct point {
  double x, f, slope;
} point;

typedef struct times {
  size_t n;
  const double *d2;
  double *t2;
} times;

static size_t first_not_below(const times *t, double x) {
  size_t low = 0, high = t->n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (t->d2[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void put(times *t, size_t j, double f) {
  if (f < t->t2[j]) t->t2[j] = f;
}

/* The cubic between two rays, whichever is farther. */
static void join(times *t, point a, point b) {
  if (a.x > b.x) {
    point swap = a;
    a = b, b = swap;
  }
  double width = b.x - a.x;
  if (!(width > 0)) return;
  for (size_t j = first_not_below(t, a.x); j < t->n && t->d2[j] <= b.x; j++) {
    double u = (t->d2[j] - a.x) / width, u2 = u * u, u3 = u2 * u;
    put(t, j,
        a.f * (2 * u3 - 3 * u2 + 1) + b.f * (3 * u2 - 2 * u3) + width * (a.slope * (u3 - 2 * u2 + u) + b.slope * (u3 - u2)));
  }
}

static point point_of(const ray *r, int up, double v0) {
  double time = up ? 2 * r->turn_time - r->time : r->time, reach = up ? 2 * r->turn_reach - r->reach : r->reach;
  double x = r->p * reach;
  return (point){x * x, time * time, reach > 0 ? time / reach : 1 / (v0 * v0)};
}

static void times_at_node(const fan *f, times *t) {
  double v0 = f->medium->v_mps[0];
  for (size_t j = 0; j < t->n; j++) t->t2[j] = INFINITY;
  point last = point_of(&f->rays[0], 0, v0);
  for (size_t k = 1; k < f->alive; k++) {
    point next = point_of(&f->rays[k], 0, v0);
    join(t, last, next);
    last = next;
  }
  for (size_t j = first_not_below(t, last.x); j < t->n; j++) put(t, j, last.f + (t->d2[j] - last.x) * last.slope);
  size_t k = f->alive;
  for (; k-- > 0 && !isnan(f->rays[k].turn_time);) {
    point next = point_of(&f->rays[k], 1, v0);
    join(t, last, next);
    last = next;
  }
  if (++k == f->alive) return;
  double distance = sqrt(last.x), time = sqrt(last.f); /* along the deepest ray that turned */
  for (size_t j = first_not_below(t, last.x); j < t->n; j++) {
    double later = time + f->rays[k].p * (sqrt(t->d2[j]) - distance);
    put(t, j, later * later);
  }
}

static void march(fan *f, times *t, moho_ray_row_function row, void *to) {
  const moho_ray_medium *m = f->medium;
  start(f);
  for (size_t node = 0; node + 1 < m->n; node++) step(f, node);
  start(f); /* again, now that it is known where they turn */
  for (size_t node = 0, sample = 0; sample < m->n_samples; node++) {
    for (; sample < m->n_samples && m->nodes[sample] == node; sample++) {
      times_at_node(f, t);
      row(to, sample, t->t2);
    }
    if (node + 1 < m->n) step(f, node);
  }
}

moho_status moho_ray_fan_times(const moho_ray_medium *medium, double tolerance_s, size_t n_d, const double *d2,
                               moho_ray_row_function row, void *to) {
  fan f = {.medium = medium};
  times t = {.n = n_d, .d2 = d2};
  moho_status status = make_rays(&f, tolerance_s);
  if (!status) status = moho_allocate(n_d, sizeof *t.t2, "rays", &t.t2);
  if (!status) march(&f, &t, row, to);
  free(f.rays), free(t.t2);
  return status;
}
