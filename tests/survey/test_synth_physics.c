/* test_synth_physics.c - times, spreading and wavelets of synthetic surveys against rays shot numerically, a Kirchhoff sum
 * over small elements, and a plain Fourier transform. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "survey/synth_plan.h"
#include "test_support.h"

#define PI 3.14159265358979323846

static const double gradients[] = {-0.2, 0, 1e-9, 1e-6, 0.01, 0.6, 1.5};
enum { GRADIENTS = sizeof gradients / sizeof *gradients };

/* ---- legs ---- */

typedef struct ray {
  double x, z, px, pz;
} ray;

static ray ray_rate(ray at, double v0, double k) {
  double v = v0 + k * at.z;
  return (ray){v * v * at.px, v * v * at.pz, 0, -k / v};
}

static ray ray_plus(ray at, ray rate, double h) {
  return (ray){at.x + h * rate.x, at.z + h * rate.z, at.px + h * rate.px, at.pz + h * rate.pz};
}

/* Runge-Kutta 4 from the surface, at an angle from the vertical, for a time. */
static ray shoot(double v0, double k, double angle, double time) {
  int steps = 2000;
  double h = time / steps;
  ray at = {0, 0, sin(angle) / v0, cos(angle) / v0};
  for (int i = 0; i < steps; i++) {
    ray a = ray_rate(at, v0, k), b = ray_rate(ray_plus(at, a, h / 2), v0, k), c = ray_rate(ray_plus(at, b, h / 2), v0, k);
    ray d = ray_rate(ray_plus(at, c, h), v0, k);
    at = ray_plus(ray_plus(ray_plus(ray_plus(at, a, h / 6), b, h / 3), c, h / 3), d, h / 6);
  }
  return at;
}

static void legs_agree_with_rays_shot_numerically(void **state) {
  (void)state;
  for (size_t g = 0; g < GRADIENTS; g++)
    for (double angle = 0.02; angle < 1.5; angle += 0.1)
      for (double time = 0.1; time < 2; time += 0.45) {
        moho_medium medium = {1800, gradients[g]};
        ray end = shoot(1800, gradients[g], angle, time);
        if (end.z < 1) continue; /* turned and back at the surface */
        moho_leg leg = moho_leg_from_surface(medium, 100, 200, (moho_point){100 + 0.6 * end.x, 200 + 0.8 * end.x, end.z});
        assert_true(fabs(leg.time_s - time) < 1e-9);
        assert_true(fabs(leg.gradient[0] / 0.6 - end.px) < 1e-9 && fabs(leg.gradient[2] - end.pz) < 1e-9);
        /* ray tube: l^2 = dA/dOmega * v0/v, from two neighbouring rays */
        ray one = shoot(1800, gradients[g], angle - 1e-4, time), two = shoot(1800, gradients[g], angle + 1e-4, time);
        double v = 1800 + gradients[g] * end.z, across = hypot(two.x - one.x, two.z - one.z) / 2e-4;
        double spreading = sqrt(across * end.x / sin(angle) * 1800 / v);
        assert_true(fabs(leg.spreading_m / spreading - 1) < 1e-6);
      }
}

/* docs/physics.md: legs of V0 = 2000, k = 0.5, z = 1500. */
static void legs_are_those_of_the_physics_page(void **state) {
  (void)state;
  static const double distance[] = {0, 1000, 2000, 4000, 8000}, time[] = {.636907, .764051, 1.053772, 1.763865, 3.138551};
  for (int i = 0; i < 5; i++)
    assert_true(fabs(moho_leg_from_surface((moho_medium){2000, 0.5}, 0, 0, (moho_point){0, distance[i], 1500}).time_s - time[i]) <
                1e-6);
}

static void derivatives_of_legs_are_those_of_the_time(void **state) {
  (void)state;
  for (size_t g = 0; g < GRADIENTS; g++) {
    moho_medium medium = {2000, gradients[g]};
    double at[3] = {700, -300, 900}, h = 0.01;
    moho_leg leg = moho_leg_from_surface(medium, 50, 20, (moho_point){at[0], at[1], at[2]});
    for (int i = 0; i < 3; i++) {
      double up[3] = {at[0], at[1], at[2]}, down[3] = {at[0], at[1], at[2]};
      up[i] += h, down[i] -= h;
      moho_leg a = moho_leg_from_surface(medium, 50, 20, (moho_point){up[0], up[1], up[2]});
      moho_leg b = moho_leg_from_surface(medium, 50, 20, (moho_point){down[0], down[1], down[2]});
      assert_true(fabs((a.time_s - b.time_s) / (2 * h) - leg.gradient[i]) < 1e-10);
      for (int j = 0; j < 3; j++) assert_true(fabs((a.gradient[j] - b.gradient[j]) / (2 * h) - leg.hessian[i][j]) < 1e-12);
    }
  }
}

static void vertical_time_and_rms_agree_with_sums(void **state) {
  (void)state;
  for (size_t g = 0; g < GRADIENTS; g++) {
    moho_medium medium = {2000, gradients[g]};
    double time = 0, square = 0, dz = 0.1;
    for (int i = 0; i < 15000; i++) {
      double v = 2000 + gradients[g] * (i + 0.5) * dz;
      time += dz / v, square += dz * v;
    }
    assert_true(fabs(moho_medium_vertical_time(medium, 1500) - time) < 1e-8);
    assert_true(fabs(moho_medium_rms(medium, 1500) - sqrt(square / time)) < 1e-4);
  }
}

/* ---- reflections ---- */

static double textbook_leg(double v0, double k, double d2, double z) {
  return acosh(1 + k * k * (d2 + z * z) / (2 * v0 * (v0 + k * z))) / k;
}

/* The least time over the plane, by ever finer searches around the best point so far. */
static double least_time(const moho_synth_options *o, const moho_synth_reflector *r, moho_shot shot) {
  double x = 0, y = 0, best = INFINITY, tangent = tan(r->dip_deg * PI / 180);
  for (double reach = 4000; reach > 1e-3; reach *= 0.6) {
    double x0 = x, y0 = y;
    for (int i = -8; i <= 8; i++)
      for (int j = -8; j <= 8; j++) {
        double px = x0 + i * reach / 8, py = y0 + j * reach / 8;
        double z = r->depth_m +
                   ((px - r->x0_m) * sin(r->azimuth_deg * PI / 180) + (py - r->y0_m) * cos(r->azimuth_deg * PI / 180)) * tangent;
        if (z <= 0) continue;
        double s2 = (px - shot.source_x) * (px - shot.source_x) + (py - shot.source_y) * (py - shot.source_y);
        double r2 = (px - shot.receiver_x) * (px - shot.receiver_x) + (py - shot.receiver_y) * (py - shot.receiver_y);
        double t = textbook_leg(o->v0_mps, o->gradient_per_s, s2, z) + textbook_leg(o->v0_mps, o->gradient_per_s, r2, z);
        if (t < best) best = t, x = px, y = py;
      }
  }
  return best;
}

static void reflections_take_the_least_time(void **state) {
  (void)state;
  moho_synth_options o;
  assert_ok(moho_synth_options_preset(NULL, &o));
  for (int dip = 0; dip <= 45; dip += 15)
    for (int azimuth = 0; azimuth < 360; azimuth += 72)
      for (int offset = 0; offset < 3000; offset += 700) {
        moho_synth_reflector r = {100, 200, 2500, dip, azimuth, 1};
        moho_shot shot = {-0.5 * offset, 300, 0.5 * offset, 100};
        int found;
        o.gradient_per_s = 0.6;
        moho_arrival exact = moho_reflector_arrival(&o, &r, shot, &found);
        assert_true(found && exact.amplitude > 0);
        assert_true(fabs(exact.time_s - least_time(&o, &r, shot)) < 1e-9);
        /* a vanishing gradient: the path by search and by the source's image are one */
        o.gradient_per_s = 0;
        moho_arrival image = moho_reflector_arrival(&o, &r, shot, &found);
        o.gradient_per_s = 1e-8;
        moho_arrival nearly = moho_reflector_arrival(&o, &r, shot, &found);
        assert_true(found && fabs(nearly.time_s - image.time_s) < 1e-7 && fabs(nearly.amplitude / image.amplitude - 1) < 1e-6);
      }
}

/* A flat reflector's spreading in v(z): L^2 = (x/p)*(dx/dp)*cos^2/v0^2, x(p) = 2*(cos_0 - cos_z)/(k*p) (rays are circles). */
static double offset_of(double p, double v0, double k, double z) {
  double s0 = p * v0, sz = p * (v0 + k * z);
  return 2 * (sqrt(1 - s0 * s0) - sqrt(1 - sz * sz)) / (k * p);
}

static void flat_reflections_spread_as_their_ray_tube(void **state) {
  (void)state;
  moho_synth_options o;
  assert_ok(moho_synth_options_preset(NULL, &o));
  double v0 = 1800, k = 0.6, z = 2000;
  moho_synth_reflector r = {0, 0, z, 0, 0, 0.3};
  o.v0_mps = v0, o.gradient_per_s = k, o.spreading = 1;
  for (double p = 2e-5; p < 3e-4; p += 4e-5) {
    double x = offset_of(p, v0, k, z), slope = (offset_of(p + 1e-9, v0, k, z) - offset_of(p - 1e-9, v0, k, z)) / 2e-9;
    double length = sqrt(x / p * slope * (1 - p * p * v0 * v0)) / v0;
    int found;
    moho_arrival a = moho_reflector_arrival(&o, &r, (moho_shot){-x / 2, 0, x / 2, 0}, &found);
    assert_true(found && fabs(a.amplitude * 4 * PI * length / 0.3 - 1) < 1e-5);
  }
}

static void nothing_is_recorded_beyond_an_outcrop(void **state) {
  (void)state;
  moho_synth_options o;
  assert_ok(moho_synth_options_preset(NULL, &o));
  moho_synth_reflector r = {0, 0, 500, 30, 0, 1}; /* at the surface at y = -866 */
  int found;
  for (int i = 0; i < 2; i++) {
    o.gradient_per_s = 0.5 * i;
    assert_true(moho_reflector_arrival(&o, &r, (moho_shot){0, -900, 0, -700}, &found).amplitude == 0 && found);
    assert_true(moho_reflector_arrival(&o, &r, (moho_shot){0, -860, 0, -700}, &found).amplitude > 0 && found);
  }
}

/* ---- amplitudes in traces ---- */

static double ricker(double hz, double t) {
  double a = PI * hz * t;
  return (1 - 2 * a * a) * exp(-a * a);
}

static moho_synth_options one_trace(double offset, int spreading) {
  moho_synth_options o;
  assert_ok(moho_synth_options_preset(NULL, &o));
  o.offset_first_m = o.offset_last_m = offset, o.spreading = spreading, o.two_d = 0;
  return o;
}

/* R*g(t-L/v)/(4*pi*L) raw, R*g(t-L/v) corrected, at every sample; a dipping one by geometry done by hand. */
static void reflections_are_the_formula_at_every_sample(void **state) {
  (void)state;
  for (int dip = 0; dip <= 30; dip += 30)
    for (int spreading = 0; spreading < 2; spreading++) {
      moho_synth_options o = one_trace(600, spreading);
      o.n_reflectors = 1, o.reflectors[0] = (moho_synth_reflector){0, 0, 1000, dip, 0, -0.2}; /* down dip along the offset */
      float samples[1001];
      assert_ok(moho_synth_generate(&o, 0, 1, NULL, samples));
      double h = 1000 * cos(dip * PI / 180), length = 2 * sqrt(h * h + 300 * 300 * pow(cos(dip * PI / 180), 2));
      for (int j = 0; j < 1001; j++) {
        double expected = -0.2 * ricker(25, j * 0.002 - length / 2500) / (spreading ? 4 * PI * length : 1);
        assert_true(fabs((double)samples[j] - expected) < 1e-6 * 0.2 / (spreading ? 4 * PI * length : 1));
      }
    }
}

/* Small elements summed over a plane are the reflector (in 2D, strips summed along the line): wavelet, time and amplitude, up to
 * the integral's next term, of the order of a wavelength over the path: 1.5 %. */
static void check_sum_of_elements(double gradient, int two_d, double tolerance) {
  moho_synth_options o = one_trace(600, 1);
  o.gradient_per_s = gradient, o.v0_mps = 2000;
  moho_wavelet_table element, plain;
  assert_ok(moho_wavelet_table_create(&o, two_d ? MOHO_SHAPE_HALF_DERIVATIVE : MOHO_SHAPE_DERIVATIVE, &element));
  assert_ok(moho_wavelet_table_create(&o, MOHO_SHAPE_PLAIN, &plain));
  double depth = 1600, step = 10, reach = 2500, wavelength = (2000 + gradient * depth) / 25;
  moho_shot shot = {0, -300, 0, 300};
  enum { N = 901 };
  float sum[N] = {0}, reflection[N] = {0};
  for (double y = -reach; y <= reach; y += step)
    for (double x = two_d ? 0 : -reach; x <= (two_d ? 0 : reach); x += step) {
      moho_synth_diffractor d = {x, y, depth, two_d ? step / wavelength : step * step / (wavelength * wavelength)};
      moho_arrival a = moho_diffractor_arrival(&o, two_d, &d, shot);
      moho_wavelet_add(&element, a.time_s, a.amplitude, 0, 0.002, N, sum);
    }
  int found;
  moho_synth_reflector r = {0, 0, depth, 0, 0, 1};
  moho_arrival a = moho_reflector_arrival(&o, &r, shot, &found);
  moho_wavelet_add(&plain, a.time_s, a.amplitude, 0, 0.002, N, reflection);
  double difference = 0, norm = 0;
  for (int j = 0; j < N; j++) {
    difference += ((double)sum[j] - reflection[j]) * ((double)sum[j] - reflection[j]);
    norm += (double)reflection[j] * reflection[j];
  }
  if (!(sqrt(difference / norm) < tolerance)) print_error("gradient %g two_d %d: %g\n", gradient, two_d, sqrt(difference / norm));
  assert_true(sqrt(difference / norm) < tolerance);
  moho_wavelet_table_release(&element), moho_wavelet_table_release(&plain);
}

static void elements_add_up_to_a_reflector(void **state) {
  (void)state;
  check_sum_of_elements(0, 0, 0.015);
  check_sum_of_elements(0.6, 0, 0.015);
  check_sum_of_elements(0, 1, 0.015);
  check_sum_of_elements(0.6, 1, 0.015);
}

static void corrected_data_are_raw_times_4_pi_v_t(void **state) {
  (void)state;
  for (size_t g = 0; g < GRADIENTS; g++) {
    moho_synth_options raw = one_trace(400, 1), corrected = one_trace(400, 0);
    raw.gradient_per_s = corrected.gradient_per_s = gradients[g];
    moho_synth_diffractor d = {0, 100, 900, 1};
    moho_shot shot = {0, -200, 0, 200};
    moho_arrival a = moho_diffractor_arrival(&raw, 0, &d, shot), b = moho_diffractor_arrival(&corrected, 0, &d, shot);
    assert_true(a.time_s == b.time_s);
    assert_true(fabs(b.amplitude / a.amplitude / (4 * PI * moho_medium_rms((moho_medium){2500, gradients[g]}, 900) * a.time_s) -
                     1) < 1e-12);
  }
}

/* ---- wavelets against a plain Fourier transform ---- */

enum { SPECTRUM = 4096 };

/* out = the wavelet g of exact samples at time_s, its spectrum multiplied by (i*omega)^power, u(t) = sum U e^{+i omega t}. */
static void filtered_ricker(double hz, double dt, double time_s, double power, double *out) {
  double complex *spectrum = malloc(SPECTRUM * sizeof *spectrum), *turn = malloc(SPECTRUM * sizeof *turn);
  for (int i = 0; i < SPECTRUM; i++) turn[i] = cexp(2 * PI * I * i / SPECTRUM);
  for (int f = 0; f < SPECTRUM / 2; f++) {
    double omega = 2 * PI * f / (SPECTRUM * dt);
    spectrum[f] = 0;
    for (int j = 0; j < SPECTRUM; j++) {
      double g = ricker(hz, j * dt - time_s);
      if (g != 0) spectrum[f] += g * conj(turn[(size_t)j * (size_t)f % SPECTRUM]);
    }
    spectrum[f] *= f ? cpow(I * omega, power) : 0;
  }
  for (int j = 0; j < SPECTRUM; j++) {
    out[j] = 0;
    for (int f = 1; f < SPECTRUM / 2; f++) out[j] += 2 * creal(spectrum[f] * turn[(size_t)j * (size_t)f % SPECTRUM]) / SPECTRUM;
  }
  free(spectrum), free(turn);
}

static void derivatives_are_those_of_the_spectrum(void **state) {
  (void)state;
  static const struct {
    moho_wavelet_shape shape;
    double power, tolerance;
  } cases[] = {{MOHO_SHAPE_PLAIN, 0, 1e-6}, {MOHO_SHAPE_DERIVATIVE, 1, 1e-6}, {MOHO_SHAPE_HALF_DERIVATIVE, 0.5, 5e-6}};
  moho_synth_options o = one_trace(0, 0);
  double *expected = malloc(SPECTRUM * sizeof *expected), time = 1.23456;
  for (int c = 0; c < 3; c++) {
    moho_wavelet_table table;
    float *samples = calloc(SPECTRUM, sizeof *samples);
    assert_ok(moho_wavelet_table_create(&o, cases[c].shape, &table));
    moho_wavelet_add(&table, time, 1, 0, o.dt_s, SPECTRUM, samples);
    filtered_ricker(25, o.dt_s, time, cases[c].power, expected);
    double peak = 0, worst = 0;
    for (int j = 0; j < SPECTRUM; j++) peak = fmax(peak, fabs(expected[j]));
    /* the periodic transform's mean is 0; the half-derivative's slow tail wraps round: look at the first 3 s */
    for (int j = 0; j < 1500; j++) worst = fmax(worst, fabs((double)samples[j] - expected[j]));
    if (worst >= cases[c].tolerance * peak) print_error("shape %d: %g of the peak\n", c, worst / peak);
    assert_true(worst < cases[c].tolerance * peak && fabs(table.peak / peak - 1) < 0.03);
    moho_wavelet_table_release(&table), free(samples);
  }
  free(expected);
}

/* Ormsby: flat between the inner corners, nothing outside the outer ones, zero phase, 1 at its middle. */
static void ormsby_has_its_trapezoid(void **state) {
  (void)state;
  moho_synth_options o = one_trace(0, 0);
  o.wavelet = MOHO_WAVELET_ORMSBY;
  enum { N = 2001 };
  static float samples[N];
  moho_wavelet_table table;
  assert_ok(moho_wavelet_table_create(&o, MOHO_SHAPE_PLAIN, &table));
  moho_wavelet_add(&table, 2.0, 1, 0, o.dt_s, N, samples);
  assert_true(fabs((double)samples[1000] - 1) < 1e-5);
  for (int j = 1; j < 1000; j++) assert_true(fabs((double)samples[1000 + j] - (double)samples[1000 - j]) < 1e-6);
  for (int f = 0; f <= 120; f++) {
    double complex sum = 0;
    for (int j = 0; j < N; j++) sum += (double)samples[j] * cexp(-2 * PI * I * f * (j - 1000) * o.dt_s) * o.dt_s;
    double trapezoid = f <= 5 || f >= 70 ? 0 : f < 10 ? (f - 5) / 5.0 : f <= 50 ? 1 : (70 - f) / 20.0;
    /* spectrum of a trapezoid of unit height has the peak f4+f3-f2-f1 = 105 in time (both signs of frequency) */
    assert_true(fabs(creal(sum) * 105 - trapezoid) < 0.05 && fabs(cimag(sum)) * 105 < 1e-4);
  }
  moho_wavelet_table_release(&table);
  /* its half-derivative twice is its derivative: compare spectra, |H|^2 */
  moho_wavelet_table half;
  static float halves[N];
  assert_ok(moho_wavelet_table_create(&o, MOHO_SHAPE_HALF_DERIVATIVE, &half));
  moho_wavelet_add(&half, 2.0, 1, 0, o.dt_s, N, halves);
  for (int f = 12; f <= 48; f += 4) {
    double complex plain = 0, filtered = 0;
    for (int j = 0; j < N; j++) {
      double complex turn = cexp(-2 * PI * I * f * (j - 1000) * o.dt_s);
      plain += (double)samples[j] * turn, filtered += (double)halves[j] * turn;
    }
    assert_true(cabs(filtered / plain / csqrt(I * 2 * PI * f) - 1) < 1e-3);
  }
  moho_wavelet_table_release(&half);
}

/* ---- VTI ---- */

/* Acoustic VTI phase velocity, delta = 0 and so eta = epsilon (Tsvankin 1996, f = 1). */
static double phase_velocity(double v, double eta, double angle) {
  double s2 = sin(angle) * sin(angle), c2 = cos(angle) * cos(angle), a = (1 + 2 * eta) * s2 + c2;
  return v * sqrt(0.5 * (a + sqrt(a * a - 8 * eta * s2 * c2)));
}

/* Source and receiver where the rays of two phase angles come up: their group velocities give distance and time. */
static void vti_times_are_those_of_group_velocities(void **state) {
  (void)state;
  static const double etas[] = {-0.15, 0.2, 0.7};
  const double v = 2100, z = 900, h = 1e-5;
  for (int e = 0; e < 3; e++)
    for (double first = 0.05; first < 1.4; first += 0.3)
      for (double second = 0.1; second < 1.4; second += 0.4) {
        double distance[2], time = 0;
        for (int leg = 0; leg < 2; leg++) {
          double angle = leg ? second : first, speed = phase_velocity(v, etas[e], angle);
          double growth = (phase_velocity(v, etas[e], angle + h) - phase_velocity(v, etas[e], angle - h)) / (2 * h);
          double across = speed * sin(angle) + growth * cos(angle), down = speed * cos(angle) - growth * sin(angle);
          distance[leg] = z * across / down;
          time += z / down;
        }
        moho_synth_options options;
        assert_ok(moho_synth_options_preset(NULL, &options));
        options.v0_mps = v, options.eta = etas[e];
        moho_synth_diffractor diffractor = {100, 200, z, 1};
        moho_shot shot = {100 + 0.6 * distance[0], 200 + 0.8 * distance[0], 100, 200 - distance[1]};
        assert_true(fabs(moho_diffractor_arrival(&options, 0, &diffractor, shot).time_s - time) < 1e-8);
        moho_synth_reflector flat = {0, 0, z, 0, 0, 1};
        moho_shot apart = {0, -distance[0], 0, distance[0]};
        int found;
        shot = (moho_shot){100 + distance[0], 200, 100, 200 + distance[0]};
        double twice = moho_diffractor_arrival(&options, 0, &diffractor, shot).time_s;
        assert_true(fabs(moho_reflector_arrival(&options, &flat, apart, &found).time_s - twice) < 1e-12 && found);
      }
  moho_synth_options options;
  assert_ok(moho_synth_options_preset("tiny", &options));
  options.eta = 0.1, options.gradient_per_s = 0.5;
  assert_fails(moho_synth_check(&options), MOHO_ERROR_NOT_AVAILABLE, "constant velocity");
  options.gradient_per_s = 0, options.n_reflectors = 1;
  options.reflectors[0] = (moho_synth_reflector){0, 0, 500, 10, 0, 1};
  assert_fails(moho_synth_check(&options), MOHO_ERROR_NOT_AVAILABLE, "dips 10 degrees");
  options.eta = 1.5;
  assert_fails(moho_synth_check(&options), MOHO_ERROR_RANGE, "eta is 1.5");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(legs_agree_with_rays_shot_numerically),
      cmocka_unit_test(legs_are_those_of_the_physics_page),
      cmocka_unit_test(derivatives_of_legs_are_those_of_the_time),
      cmocka_unit_test(vertical_time_and_rms_agree_with_sums),
      cmocka_unit_test(reflections_take_the_least_time),
      cmocka_unit_test(flat_reflections_spread_as_their_ray_tube),
      cmocka_unit_test(nothing_is_recorded_beyond_an_outcrop),
      cmocka_unit_test(reflections_are_the_formula_at_every_sample),
      cmocka_unit_test(elements_add_up_to_a_reflector),
      cmocka_unit_test(corrected_data_are_raw_times_4_pi_v_t),
      cmocka_unit_test(vti_times_are_those_of_group_velocities),
      cmocka_unit_test(derivatives_are_those_of_the_spectrum),
      cmocka_unit_test(ormsby_has_its_trapezoid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
