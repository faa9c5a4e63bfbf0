/* synth_travel_time.c - exact times and amplitudes of diffractions and reflections in v(z) = v0 + k*z; exact times in VTI.
 *
 * Rays in a constant gradient are circles (geodesics of hyperbolic space): between (0, 0) and (d, z)
 *   cosh(k*t) = 1 + k^2*(d^2+z^2)/(2*v0*v(z)),   so   t = (2/k)*asinh(k*w/2),   w^2 = (d^2+z^2)/(v0*v(z)),
 * which is w = sqrt(d^2+z^2)/v0 at k = 0 without loss on the way (the usual acosh form loses everything there), and the
 * geometrical spreading of a leg at constant density is sqrt(v0*v(z))*sinh(k*t)/k (r at k = 0).
 *
 * Amplitudes are those of Kirchhoff's scattering integral, for which a plane records R*g(t-L/v)/(4*pi*L):
 *   u = integral over the surface of R*(cos_s + cos_r)/v * g'(t - t_s - t_r) / ((4*pi)^2 * l_s * l_r) dS
 */
#include <math.h>

#include "survey/synth_plan.h"

#define PI 3.14159265358979323846

/* sinh(x)/x */
static double sinhc(double x) {
  return fabs(x) < 1e-4 ? 1 + x * x / 6 : sinh(x) / x;
}

static double velocity_at(moho_medium medium, double z) {
  return medium.v0_mps + medium.gradient_per_s * z;
}

double moho_medium_vertical_time(moho_medium medium, double z) {
  double k = medium.gradient_per_s, kz = k * z / medium.v0_mps;
  return fabs(kz) < 1e-12 ? z / medium.v0_mps : log1p(kz) / k;
}

double moho_medium_rms(moho_medium medium, double z) {
  double kt = medium.gradient_per_s * moho_medium_vertical_time(medium, z);
  return medium.v0_mps * (fabs(kt) < 1e-12 ? 1 : sqrt(expm1(2 * kt) / (2 * kt)));
}

moho_leg moho_leg_from_surface(moho_medium medium, double surface_x, double surface_y, moho_point lower) {
  double k = medium.gradient_per_s, v0 = medium.v0_mps, v = velocity_at(medium, lower.z);
  double offset[3] = {lower.x - surface_x, lower.y - surface_y, lower.z};
  double vv = v0 * v, square = (offset[0] * offset[0] + offset[1] * offset[1] + offset[2] * offset[2]) / vv; /* w^2 */
  double w = sqrt(square), bend = 1 + 0.25 * k * k * square;
  double by_square = 0.5 / (w * sqrt(bend));                                                 /* dt/d(w^2) */
  double by_square2 = -0.25 * (1 + 0.5 * k * k * square) / (square * w * bend * sqrt(bend)); /* its derivative */
  double q[3], qq[3][3] = {{2 / vv, 0, 0}, {0, 2 / vv, 0}, {0, 0, 0}}; /* derivatives of w^2 by the lower point */
  q[0] = 2 * offset[0] / vv, q[1] = 2 * offset[1] / vv, q[2] = 2 * offset[2] / vv - square * k / v;
  qq[0][2] = qq[2][0] = -q[0] * k / v, qq[1][2] = qq[2][1] = -q[1] * k / v;
  qq[2][2] = 2 / vv - 2 * offset[2] * k / (vv * v) - q[2] * k / v + square * k * k / (v * v);
  moho_leg leg = {.time_s = fabs(k * w) < 1e-9 ? w : 2 / k * asinh(0.5 * k * w)};
  for (int i = 0; i < 3; i++) {
    leg.gradient[i] = by_square * q[i];
    for (int j = 0; j < 3; j++) leg.hessian[i][j] = by_square * qq[i][j] + by_square2 * q[i] * q[j];
  }
  leg.spreading_m = sqrt(vv) * leg.time_s * sinhc(k * leg.time_s);
  return leg;
}

/* Acoustic VTI (Alkhalifah 1998), v the vertical and the NMO velocity, by halving the slowness p: g = p_z v,
 *   g^2 = 1 - q/(1 - 2 eta q),  q = (p v)^2,   d = z p v/(g (1 - 2 eta q)^2),   t = z g/v + p d */
static double vti_leg_time(double v, double eta, double d, double z) {
  double low = 0, high = 1 / (v * sqrt(1 + 2 * eta)), time = z / v;
  for (int round = 0; round < 100; round++) {
    double p = (low + high) / 2, q = p * p * v * v, h = 1 - 2 * eta * q, g = sqrt(fmax(1 - q / h, 0));
    double reach = z * p * v / (g * h * h);
    time = z / v * g + p * d; /* stationary in p: at the ray itself the time along it */
    if (reach > d) high = p;
    else low = p;
  }
  return time;
}

/* Factor that takes spherical spreading out: 4*pi*v*t, v the r.m.s. velocity at the event's vertical time. */
static double spreading_factor(const moho_synth_options *o, double z, double time_s) {
  moho_medium medium = {o->v0_mps, o->gradient_per_s};
  return o->spreading ? 1 : 4 * PI * moho_medium_rms(medium, z) * time_s;
}

/* ---- diffractors ---- */

/* Sum of the legs' cosines to the vertical at the diffractor, where a horizontal element scatters. */
static double cosines(const moho_leg *s, const moho_leg *r, double v) {
  return fmax(0, v * (s->gradient[2] + r->gradient[2]));
}

/* A diffractor of amplitude 1 is a horizontal element of reflectivity 1, one wavelength square in 3D, one wavelength wide
 * and endless across the line in 2D; as a plain scatterer it has the same strength at the dominant frequency, straight down. */
moho_arrival moho_diffractor_arrival(const moho_synth_options *o, int two_d, const moho_synth_diffractor *d, moho_shot shot) {
  moho_medium medium = {o->v0_mps, o->gradient_per_s};
  moho_point point = {d->x_m, d->y_m, d->z_m};
  moho_leg s = moho_leg_from_surface(medium, shot.source_x, shot.source_y, point);
  moho_leg r = moho_leg_from_surface(medium, shot.receiver_x, shot.receiver_y, point);
  double v = velocity_at(medium, d->z_m), wavelength = v / moho_wavelet_dominant_hz(o);
  double time = s.time_s + r.time_s, legs = s.spreading_m * r.spreading_m, amplitude;
  if (o->eta != 0)
    time = vti_leg_time(o->v0_mps, o->eta, hypot(d->x_m - shot.source_x, d->y_m - shot.source_y), d->z_m) +
           vti_leg_time(o->v0_mps, o->eta, hypot(d->x_m - shot.receiver_x, d->y_m - shot.receiver_y), d->z_m);
  if (o->response == MOHO_RESPONSE_DIFFRACTOR) {
    amplitude = wavelength / (4 * PI * legs);
  } else if (two_d) {
    /* stationary phase across the line: the curvature of the time there */
    double across_x = cos(o->azimuth_deg * (PI / 180)), across_y = -sin(o->azimuth_deg * (PI / 180));
    double curvature = 0, along[2] = {across_x, across_y};
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++) curvature += along[i] * along[j] * (s.hessian[i][j] + r.hessian[i][j]);
    amplitude = wavelength * cosines(&s, &r, v) / (v * 16 * PI * PI * legs) * sqrt(2 * PI / fmax(curvature, 1e-30));
  } else {
    amplitude = wavelength * wavelength * cosines(&s, &r, v) / (v * 16 * PI * PI * legs);
  }
  return (moho_arrival){time, d->amplitude * amplitude * spreading_factor(o, d->z_m, time)};
}

/* ---- reflectors ---- */

/* A plane: point p0, in-plane unit vectors e1 (down dip) and e2 (strike), unit normal n pointing down. */
typedef struct plane {
  double p0[3], e1[3], e2[3], normal[3];
} plane;

static plane plane_of(const moho_synth_reflector *r) {
  double dip = r->dip_deg * (PI / 180), azimuth = r->azimuth_deg * (PI / 180);
  double sd = sin(dip), cd = cos(dip), sa = sin(azimuth), ca = cos(azimuth);
  return (plane){{r->x0_m, r->y0_m, r->depth_m}, {cd * sa, cd * ca, sd}, {ca, -sa, 0}, {-sd * sa, -sd * ca, cd}};
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Height of a surface point above the plane, along its normal; <= 0: the plane crops out before it. */
static double height_above(const plane *p, double x, double y) {
  double to_plane[3] = {p->p0[0] - x, p->p0[1] - y, p->p0[2]};
  return dot(to_plane, p->normal);
}

static moho_point point_on(const plane *p, const double at[2]) {
  return (moho_point){p->p0[0] + at[0] * p->e1[0] + at[1] * p->e2[0], p->p0[1] + at[0] * p->e1[1] + at[1] * p->e2[1],
                      p->p0[2] + at[0] * p->e1[2]};
}

/* In-plane coordinates where a constant-velocity reflection would be: between the feet of source and receiver. */
static void mirror_point(const plane *p, moho_shot shot, double height_s, double height_r, double at[2]) {
  double share = height_s / (height_s + height_r);
  double x = shot.source_x + share * (shot.receiver_x - shot.source_x) - p->p0[0];
  double y = shot.source_y + share * (shot.receiver_y - shot.source_y) - p->p0[1];
  double from_p0[3] = {x, y, -p->p0[2]};
  at[0] = dot(from_p0, p->e1), at[1] = dot(from_p0, p->e2);
}

/* Two-way time over a point of the plane, with derivatives along e1 and e2. */
typedef struct path {
  double time_s, gradient[2], hessian[2][2];
  moho_leg s, r;
  double depth_m;
} path;

static path path_over(moho_medium medium, const plane *p, moho_shot shot, const double at[2]) {
  moho_point point = point_on(p, at);
  path over = {.time_s = INFINITY, .depth_m = point.z};
  if (point.z <= 0 || velocity_at(medium, point.z) <= 0) return over;
  over.s = moho_leg_from_surface(medium, shot.source_x, shot.source_y, point);
  over.r = moho_leg_from_surface(medium, shot.receiver_x, shot.receiver_y, point);
  over.time_s = over.s.time_s + over.r.time_s;
  const double *axes[2] = {p->e1, p->e2};
  for (int a = 0; a < 2; a++)
    for (int i = 0; i < 3; i++) {
      over.gradient[a] += axes[a][i] * (over.s.gradient[i] + over.r.gradient[i]);
      for (int b = 0; b < 2; b++)
        for (int j = 0; j < 3; j++) over.hessian[a][b] += axes[a][i] * axes[b][j] * (over.s.hessian[i][j] + over.r.hessian[i][j]);
    }
  return over;
}

static double determinant(const path *over) {
  return over->hessian[0][0] * over->hessian[1][1] - over->hessian[0][1] * over->hessian[1][0];
}

/* Newton's step to the least time; downhill where the time is not convex. */
static void step_towards_least(const path *over, double step[2]) {
  double det = determinant(over);
  if (det > 0 && over->hessian[0][0] > 0) {
    step[0] = -(over->hessian[1][1] * over->gradient[0] - over->hessian[0][1] * over->gradient[1]) / det;
    step[1] = -(over->hessian[0][0] * over->gradient[1] - over->hessian[1][0] * over->gradient[0]) / det;
  } else {
    double scale = 0.1 * over->depth_m / hypot(over->gradient[0], over->gradient[1]);
    step[0] = -scale * over->gradient[0], step[1] = -scale * over->gradient[1];
  }
}

/* The path of least time (Fermat). The time's error is the square of the last step, below 1e-12 s. */
static int find_reflection(moho_medium medium, const plane *p, moho_shot shot, double at[2], path *out) {
  path here = path_over(medium, p, shot, at);
  for (int round = 0; round < 100 && isfinite(here.time_s); round++) {
    double step[2], next_at[2];
    step_towards_least(&here, step);
    if (hypot(step[0], step[1]) < 1e-5) return *out = here, 1;
    path next = {.time_s = INFINITY};
    for (int halving = 0; halving < 40 && !(next.time_s <= here.time_s + 1e-13); halving++) {
      next_at[0] = at[0] + step[0], next_at[1] = at[1] + step[1];
      next = path_over(medium, p, shot, next_at);
      step[0] *= 0.5, step[1] *= 0.5;
    }
    if (!(next.time_s <= here.time_s + 1e-13)) return 0;
    at[0] = next_at[0], at[1] = next_at[1], here = next;
  }
  return 0;
}

/* Kirchhoff's integral at the stationary point: u = R*g/(4*pi*L), 1/L = cos/(v*l_s*l_r*sqrt(det)), det of the time's second
 * derivatives in the plane, cos half the sum of the legs' cosines to the normal (2r at constant velocity and no offset). */
static double reflection_spreading(moho_medium medium, const plane *p, const path *over) {
  double v = velocity_at(medium, over->depth_m), slowness[3];
  for (int i = 0; i < 3; i++) slowness[i] = over->s.gradient[i] + over->r.gradient[i];
  double cosine = 0.5 * v * dot(slowness, p->normal), det = determinant(over);
  return cosine > 0 && det > 0 ? v * over->s.spreading_m * over->r.spreading_m * sqrt(det) / cosine : INFINITY;
}

moho_arrival moho_reflector_arrival(const moho_synth_options *o, const moho_synth_reflector *reflector, moho_shot shot,
                                    int *found) {
  moho_medium medium = {o->v0_mps, o->gradient_per_s};
  plane p = plane_of(reflector);
  double height_s = height_above(&p, shot.source_x, shot.source_y), height_r = height_above(&p, shot.receiver_x, shot.receiver_y);
  *found = 1;
  if (height_s <= 0 || height_r <= 0) return (moho_arrival){0};
  if (medium.gradient_per_s == 0) { /* from the image of the source in the plane */
    double apart = hypot(shot.source_x - shot.receiver_x, shot.source_y - shot.receiver_y);
    double length = sqrt(apart * apart + 4 * height_s * height_r), time = length / medium.v0_mps;
    if (o->eta != 0) time = 2 * vti_leg_time(o->v0_mps, o->eta, apart / 2, reflector->depth_m);
    return (moho_arrival){time, reflector->reflectivity / (4 * PI * length) * spreading_factor(o, 0, time)};
  }
  double at[2];
  path over;
  mirror_point(&p, shot, height_s, height_r, at);
  *found = find_reflection(medium, &p, shot, at, &over);
  if (!*found) return (moho_arrival){0};
  double amplitude = reflector->reflectivity / (4 * PI * reflection_spreading(medium, &p, &over));
  return (moho_arrival){over.time_s, amplitude * spreading_factor(o, over.depth_m, over.time_s)};
}
