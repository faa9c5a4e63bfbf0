/* synth_options.c - a synthetic survey's options: presets, setting by key, help, and what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "survey/synth_plan.h"

/* ---- presets ---- */

static const struct {
  const char *name;
  double extent_m, offset_last_m;
  size_t n_samples;
} presets[] = {{"tiny", 500, 400, 501}, {"small", 1000, 800, 1001}, {"medium", 2000, 1600, 1501}, {"large", 4000, 3200, 2001}};
enum { PRESETS = sizeof presets / sizeof *presets };

static moho_synth_options empty_survey(void) {
  return (moho_synth_options){.midpoint_spacing_m = 25,
                              .offset_first_m = 200,
                              .offset_last_m = 200,
                              .offset_step_m = 200,
                              .n_azimuths = 1,
                              .dt_s = 0.002,
                              .n_samples = 1001,
                              .v0_mps = 2500,
                              .wavelet = MOHO_WAVELET_RICKER,
                              .peak_hz = 25,
                              .ormsby_hz = {5, 10, 50, 70},
                              .response = MOHO_RESPONSE_ELEMENT,
                              .two_d = -1,
                              .seed = 1};
}

moho_status moho_synth_options_preset(const char *preset, moho_synth_options *out) {
  moho_synth_options options = empty_survey();
  if (!preset) return *out = options, MOHO_OK;
  const char *names[PRESETS];
  size_t found = PRESETS;
  for (size_t i = 0; i < PRESETS; i++) {
    names[i] = presets[i].name;
    if (!strcmp(preset, presets[i].name)) found = i;
  }
  if (found == PRESETS) {
    const char *near = moho_nearest_name(preset, names, PRESETS);
    char hint[80];
    snprintf(hint, sizeof hint, "did you mean %s?", near);
    return moho_fail_at((moho_place){.key = "preset"}, near ? hint : "choose tiny, small, medium or large", MOHO_ERROR_NOT_FOUND,
                        "no preset \"%s\", expected tiny, small, medium or large", preset);
  }
  double extent = presets[found].extent_m;
  options.preset = presets[found].name;
  options.extent_inline_m = options.extent_crossline_m = extent;
  options.offset_last_m = presets[found].offset_last_m;
  options.n_samples = presets[found].n_samples;
  options.n_azimuths = 2;
  options.azimuths_deg[1] = 90;
  options.noise = 0.05;
  options.n_diffractors = 1;
  options.diffractors[0] = (moho_synth_diffractor){extent / 2, extent / 2, 800, 1};
  return *out = options, MOHO_OK;
}

/* ---- options by key ---- */

typedef enum {
  KIND_NUMBER,
  KIND_COUNT,
  KIND_SEED,
  KIND_WAVELET,
  KIND_RESPONSE,
  KIND_TWO_D,
  KIND_SPREADING,
  KIND_AZIMUTHS,
  KIND_ORMSBY,
  KIND_DIFFRACTORS,
  KIND_REFLECTORS
} option_kind;

typedef struct option_key {
  const char *name, *unit, *meaning;
  option_kind kind;
  size_t place;
} option_key;

#define AT(member) offsetof(moho_synth_options, member)
static const option_key keys[] = {
    {"origin_x_m", "m", "midpoint of the first corner, east", KIND_NUMBER, AT(origin_x_m)},
    {"origin_y_m", "m", "midpoint of the first corner, north", KIND_NUMBER, AT(origin_y_m)},
    {"azimuth_deg", "deg", "direction along an inline, clockwise from north", KIND_NUMBER, AT(azimuth_deg)},
    {"extent_inline_m", "m", "length of the midpoint lattice in the direction of growing inline number; 0: one line", KIND_NUMBER,
     AT(extent_inline_m)},
    {"extent_crossline_m", "m", "length of the midpoint lattice along an inline", KIND_NUMBER, AT(extent_crossline_m)},
    {"midpoint_spacing_m", "m", "between midpoints, both ways", KIND_NUMBER, AT(midpoint_spacing_m)},
    {"offset_first_m", "m", "smallest offset", KIND_NUMBER, AT(offset_first_m)},
    {"offset_last_m", "m", "largest offset", KIND_NUMBER, AT(offset_last_m)},
    {"offset_step_m", "m", "between offsets", KIND_NUMBER, AT(offset_step_m)},
    {"azimuths_deg", "deg", "azimuths from source to receiver, relative to azimuth_deg: 0,90 (at most 8)", KIND_AZIMUTHS, 0},
    {"dt_s", "s", "between samples", KIND_NUMBER, AT(dt_s)},
    {"first_sample_s", "s", "time of the first sample", KIND_NUMBER, AT(first_sample_s)},
    {"n_samples", "", "samples a trace", KIND_COUNT, AT(n_samples)},
    {"v0_mps", "m/s", "velocity at the surface", KIND_NUMBER, AT(v0_mps)},
    {"gradient_per_s", "1/s", "k of v(z) = v0 + k*z", KIND_NUMBER, AT(gradient_per_s)},
    {"eta", "", "VTI: times exact, amplitudes isotropic; without gradient, diffractors and flat reflectors", KIND_NUMBER,
     AT(eta)},
    {"wavelet", "", "ricker or ormsby", KIND_WAVELET, 0},
    {"peak_hz", "Hz", "peak frequency of the Ricker wavelet", KIND_NUMBER, AT(peak_hz)},
    {"ormsby_hz", "Hz", "corners of the Ormsby wavelet: 5,10,50,70", KIND_ORMSBY, 0},
    {"response", "", "of a diffractor: element (small piece of reflector) or diffractor (the plain wavelet)", KIND_RESPONSE, 0},
    {"two_d", "",
     "0: 3D; 1: a 2D line's half-derivative wavelet (diffractors are lines across it); auto: when the survey is a line",
     KIND_TWO_D, 0},
    {"spreading", "", "1: spherical spreading is in the data (raw); 0: corrected", KIND_SPREADING, 0},
    {"noise", "", "r.m.s. of normal noise, as a fraction of the largest noise-free amplitude", KIND_NUMBER, AT(noise)},
    {"seed", "", "of the noise, a whole number", KIND_SEED, 0},
    {"diffractors", "m", "x:y:depth[:amplitude], several with commas; none", KIND_DIFFRACTORS, 0},
    {"reflectors", "m, deg", "x0:y0:depth[:dip:azimuth[:reflectivity]], several with commas; none", KIND_REFLECTORS, 0}};
#undef AT
enum { KEYS = sizeof keys / sizeof *keys };

const char *moho_synth_option_help(size_t index) {
  static _Thread_local char line[240];
  if (index >= KEYS) return NULL;
  snprintf(line, sizeof line, "%-19s %-7s %s", keys[index].name, keys[index].unit, keys[index].meaning);
  return line;
}

/* Numbers parted by `separator` into values; *count of them, at most `capacity`. */
static moho_status parse_numbers(const char *key, const char *text, char separator, size_t capacity, double *values,
                                 size_t *count) {
  size_t n = 0;
  for (const char *from = text;; n++) {
    char part[64];
    const char *end = strchr(from, separator);
    size_t length = end ? (size_t)(end - from) : strlen(from);
    if (n == capacity)
      return moho_fail_at((moho_place){.key = key}, "leave the last ones away", MOHO_ERROR_RANGE,
                          "%s: \"%s\" holds more than %zu numbers", key, text, capacity);
    snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : sizeof part - 1), from);
    MOHO_TRY(moho_parse_double(part, key, &values[n]));
    if (!end) break;
    from = end + 1;
  }
  *count = n + 1;
  return MOHO_OK;
}

/* One of the words in `words` ("a|b|c"), as its index. */
static moho_status parse_word(const char *key, const char *text, const char *const *words, size_t n_words, int *index) {
  for (size_t i = 0; i < n_words; i++)
    if (!strcmp(text, words[i])) return *index = (int)i, MOHO_OK;
  char list[80] = "";
  for (size_t i = 0; i < n_words; i++) {
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", i ? (i + 1 == n_words ? " or " : ", ") : "", words[i]);
  }
  return moho_fail_at((moho_place){.key = key}, NULL, MOHO_ERROR_ARGUMENT, "%s: got \"%s\", expected %s", key, text, list);
}

/* Items parted by commas, each `least` to `most` numbers parted by colons, into items[item][most]; missing ones stay. */
static moho_status parse_items(const char *key, const char *text, size_t least, size_t most, size_t capacity, double (*items)[6],
                               size_t *count) {
  *count = 0;
  if (!*text || !strcmp(text, "none")) return MOHO_OK;
  for (const char *from = text; from; (*count)++) {
    char item[200];
    size_t given = 0, length = strcspn(from, ",");
    if (*count == capacity)
      return moho_fail_at((moho_place){.key = key}, "leave some away", MOHO_ERROR_RANGE, "%s: more than %zu are given", key,
                          capacity);
    snprintf(item, sizeof item, "%.*s", (int)(length < sizeof item ? length : sizeof item - 1), from);
    MOHO_TRY(parse_numbers(key, item, ':', most, items[*count], &given));
    if (given < least)
      return moho_fail_at((moho_place){.key = key}, "see --help for the order of the numbers", MOHO_ERROR_FORMAT,
                          "%s: \"%s\" holds %zu numbers, expected %zu to %zu parted by colons", key, item, given, least, most);
    from = from[length] ? from + length + 1 : NULL;
  }
  return MOHO_OK;
}

static moho_status set_diffractors(moho_synth_options *options, const char *text) {
  double items[64][6];
  size_t count = 0;
  for (size_t i = 0; i < 64; i++) items[i][3] = 1;
  MOHO_TRY(parse_items("diffractors", text, 3, 4, 64, items, &count));
  options->n_diffractors = count;
  for (size_t i = 0; i < count; i++)
    options->diffractors[i] = (moho_synth_diffractor){items[i][0], items[i][1], items[i][2], items[i][3]};
  return MOHO_OK;
}

static moho_status set_reflectors(moho_synth_options *options, const char *text) {
  double items[16][6];
  size_t count = 0;
  for (size_t i = 0; i < 16; i++) items[i][3] = items[i][4] = 0, items[i][5] = 1;
  MOHO_TRY(parse_items("reflectors", text, 3, 6, 16, items, &count));
  options->n_reflectors = count;
  for (size_t i = 0; i < count; i++)
    options->reflectors[i] = (moho_synth_reflector){items[i][0], items[i][1], items[i][2], items[i][3], items[i][4], items[i][5]};
  return MOHO_OK;
}

static moho_status set_number(moho_synth_options *options, const option_key *key, const char *text) {
  int64_t whole;
  if (key->kind == KIND_NUMBER) return moho_parse_double(text, key->name, (double *)(void *)((char *)options + key->place));
  MOHO_TRY(moho_parse_int(text, key->name, &whole));
  if (whole < 0)
    return moho_fail_at((moho_place){.key = key->name}, NULL, MOHO_ERROR_RANGE, "%s: got %s, expected 0 or more", key->name,
                        text);
  if (key->kind == KIND_SEED) options->seed = (uint64_t)whole;
  else *(size_t *)(void *)((char *)options + key->place) = (size_t)whole;
  return MOHO_OK;
}

static moho_status set_list(moho_synth_options *options, const option_key *key, const char *text) {
  double values[8];
  size_t count = 0;
  if (key->kind == KIND_AZIMUTHS) {
    MOHO_TRY(parse_numbers(key->name, text, ',', 8, values, &count));
    memcpy(options->azimuths_deg, values, count * sizeof *values);
    options->n_azimuths = count;
    return MOHO_OK;
  }
  MOHO_TRY(parse_numbers(key->name, text, ',', 4, values, &count));
  if (count != 4)
    return moho_fail_at((moho_place){.key = key->name}, NULL, MOHO_ERROR_FORMAT,
                        "ormsby_hz: got %zu frequencies, expected four: 5,10,50,70", count);
  memcpy(options->ormsby_hz, values, sizeof options->ormsby_hz);
  return MOHO_OK;
}

static moho_status set_word(moho_synth_options *options, const option_key *key, const char *text) {
  static const char *const wavelets[] = {"ricker", "ormsby"}, *const responses[] = {"element", "diffractor"};
  static const char *const switches[] = {"0", "1", "auto"};
  int index = 0;
  switch (key->kind) {
  case KIND_WAVELET:
    MOHO_TRY(parse_word(key->name, text, wavelets, 2, &index));
    options->wavelet = index ? MOHO_WAVELET_ORMSBY : MOHO_WAVELET_RICKER;
    break;
  case KIND_RESPONSE:
    MOHO_TRY(parse_word(key->name, text, responses, 2, &index));
    options->response = index ? MOHO_RESPONSE_DIFFRACTOR : MOHO_RESPONSE_ELEMENT;
    break;
  case KIND_TWO_D:
    MOHO_TRY(parse_word(key->name, text, switches, 3, &index));
    options->two_d = index == 2 ? -1 : index;
    break;
  default: MOHO_TRY(parse_word(key->name, text, switches, 2, &index)); options->spreading = index;
  }
  return MOHO_OK;
}

static moho_status set_by_kind(moho_synth_options *options, const option_key *key, const char *value) {
  switch (key->kind) {
  case KIND_NUMBER:
  case KIND_COUNT:
  case KIND_SEED: return set_number(options, key, value);
  case KIND_AZIMUTHS:
  case KIND_ORMSBY: return set_list(options, key, value);
  case KIND_DIFFRACTORS: return set_diffractors(options, value);
  case KIND_REFLECTORS: return set_reflectors(options, value);
  default: return set_word(options, key, value);
  }
}

moho_status moho_synth_options_set(moho_synth_options *options, const char *key, const char *value) {
  const char *names[KEYS];
  for (size_t i = 0; i < KEYS; i++) {
    names[i] = keys[i].name;
    if (strcmp(key, keys[i].name)) continue;
    moho_status status = set_by_kind(options, &keys[i], value);
    return status ? moho_fail_add_place((moho_place){.key = keys[i].name}, keys[i].meaning) : MOHO_OK;
  }
  const char *near = moho_nearest_name(key, names, KEYS);
  char hint[100];
  snprintf(hint, sizeof hint, "did you mean %s?", near);
  return moho_fail_at((moho_place){.key = key}, near ? hint : "moho synth --help lists the options", MOHO_ERROR_KEY,
                      "no option \"%s\" of a synthetic survey", key);
}

/* ---- what is refused ---- */

static moho_status check_number(const char *key, double value, double least, double most) {
  if (value >= least && value <= most) return MOHO_OK; /* NaN is neither */
  return moho_fail_at((moho_place){.key = key}, NULL, MOHO_ERROR_RANGE, "%s is %g, expected %g to %g", key, value, least, most);
}

moho_status moho_synth_nodes(const char *key, double length_m, double step_m, size_t *nodes) {
  double steps = round(length_m / step_m);
  if (!(steps < 1e9))
    return moho_fail_at((moho_place){.key = key}, NULL, MOHO_ERROR_RANGE, "%s: %g m is more than 1e9 steps of %g m", key,
                        length_m, step_m);
  if (fabs(length_m - steps * step_m) > 1e-3 * step_m) {
    double below = floor(length_m / step_m) * step_m;
    char hint[120];
    snprintf(hint, sizeof hint, "take %g or %g m, or another step", below, below + step_m);
    return moho_fail_at((moho_place){.key = key}, hint, MOHO_ERROR_RANGE, "%s: %g m is not a whole number of steps of %g m", key,
                        length_m, step_m);
  }
  *nodes = (size_t)steps + 1;
  return MOHO_OK;
}

static moho_status check_acquisition(const moho_synth_options *o) {
  MOHO_TRY(check_number("origin_x_m", o->origin_x_m, -1e9, 1e9));
  MOHO_TRY(check_number("origin_y_m", o->origin_y_m, -1e9, 1e9));
  MOHO_TRY(check_number("azimuth_deg", o->azimuth_deg, -360, 360));
  MOHO_TRY(check_number("extent_inline_m", o->extent_inline_m, 0, 1e7));
  MOHO_TRY(check_number("extent_crossline_m", o->extent_crossline_m, 0, 1e7));
  MOHO_TRY(check_number("midpoint_spacing_m", o->midpoint_spacing_m, 1e-3, 1e6));
  MOHO_TRY(check_number("offset_first_m", o->offset_first_m, 0, 1e6));
  MOHO_TRY(check_number("offset_last_m", o->offset_last_m, o->offset_first_m, 1e6));
  MOHO_TRY(check_number("offset_step_m", o->offset_step_m, 1e-3, 1e6));
  if (o->n_azimuths < 1 || o->n_azimuths > 8)
    return moho_fail_at((moho_place){.key = "azimuths_deg"}, "several surveys can hold more", MOHO_ERROR_RANGE,
                        "%zu azimuths, expected 1 to 8", o->n_azimuths);
  for (size_t i = 0; i < o->n_azimuths; i++) MOHO_TRY(check_number("azimuths_deg", o->azimuths_deg[i], -360, 360));
  MOHO_TRY(check_number("dt_s", o->dt_s, 1e-5, 0.1));
  MOHO_TRY(check_number("first_sample_s", o->first_sample_s, -100, 100));
  MOHO_TRY(check_number("n_samples", (double)o->n_samples, 1, 1e6));
  MOHO_TRY(check_number("noise", o->noise, 0, 1e6));
  MOHO_TRY(check_number("two_d", o->two_d, -1, 1));
  return check_number("spreading", o->spreading, 0, 1);
}

static moho_status check_wavelet(const moho_synth_options *o) {
  double nyquist = 0.5 / o->dt_s;
  const double *f = o->ormsby_hz;
  if (o->response != MOHO_RESPONSE_ELEMENT && o->response != MOHO_RESPONSE_DIFFRACTOR)
    return moho_fail_at((moho_place){.key = "response"}, NULL, MOHO_ERROR_ARGUMENT,
                        "response %d is unknown, expected element or diffractor", (int)o->response);
  if (o->wavelet == MOHO_WAVELET_RICKER) {
    if (o->peak_hz >= 1 && o->peak_hz < nyquist) return MOHO_OK;
    return moho_fail_at((moho_place){.key = "peak_hz"}, "lower the frequency or dt_s", MOHO_ERROR_RANGE,
                        "peak_hz is %g, expected 1 to below the Nyquist frequency %g Hz", o->peak_hz, nyquist);
  }
  if (o->wavelet != MOHO_WAVELET_ORMSBY)
    return moho_fail_at((moho_place){.key = "wavelet"}, NULL, MOHO_ERROR_ARGUMENT,
                        "wavelet %d is unknown, expected ricker or ormsby", (int)o->wavelet);
  if (f[0] >= 0 && f[1] - f[0] >= 0.5 && f[2] > f[1] && f[3] - f[2] >= 0.5 && f[3] <= nyquist) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "ormsby_hz"}, "ramps at least 0.5 Hz wide, as 5,10,50,70", MOHO_ERROR_RANGE,
                      "ormsby_hz is %g,%g,%g,%g, expected four growing frequencies from 0 to the Nyquist frequency %g Hz", f[0],
                      f[1], f[2], f[3], nyquist);
}

/* v > 0 where events are. A plane reaches its greatest depth somewhere at the lattice's edge; half an offset is added. */
static moho_status check_velocity_at(const moho_synth_options *o, const char *key, double z_m) {
  double v = o->v0_mps + o->gradient_per_s * z_m;
  if (v >= 1) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "gradient_per_s"}, "a gradient nearer to 0, or shallower events", MOHO_ERROR_RANGE,
                      "the velocity is %g m/s at depth %g m (%s), expected more than 0", v, z_m, key);
}

static moho_status check_diffractor(const moho_synth_options *o, const moho_synth_diffractor *d) {
  MOHO_TRY(check_number("diffractors: x", d->x_m, -1e9, 1e9));
  MOHO_TRY(check_number("diffractors: y", d->y_m, -1e9, 1e9));
  MOHO_TRY(check_number("diffractors: depth", d->z_m, 1e-3, 1e6));
  MOHO_TRY(check_number("diffractors: amplitude", d->amplitude, -1e9, 1e9));
  return check_velocity_at(o, "diffractors", d->z_m);
}

static moho_status check_reflector(const moho_synth_options *o, const moho_synth_reflector *r) {
  MOHO_TRY(check_number("reflectors: x0", r->x0_m, -1e9, 1e9));
  MOHO_TRY(check_number("reflectors: y0", r->y0_m, -1e9, 1e9));
  MOHO_TRY(check_number("reflectors: depth", r->depth_m, 1e-3, 1e6));
  MOHO_TRY(check_number("reflectors: dip", r->dip_deg, 0, 85));
  MOHO_TRY(check_number("reflectors: azimuth", r->azimuth_deg, -360, 360));
  MOHO_TRY(check_number("reflectors: reflectivity", r->reflectivity, -1e9, 1e9));
  if (o->eta != 0 && r->dip_deg != 0)
    return moho_fail_at((moho_place){.key = "reflectors"}, "a dip of 0, or no eta", MOHO_ERROR_NOT_AVAILABLE,
                        "a reflector dips %g degrees and eta is %g; VTI reflectors are flat", r->dip_deg, o->eta);
  double reach = hypot(o->extent_inline_m, o->extent_crossline_m) + hypot(o->origin_x_m - r->x0_m, o->origin_y_m - r->y0_m) +
                 o->offset_last_m / 2;
  double deepest = r->depth_m + (r->dip_deg > 0 ? reach * tan(r->dip_deg * (3.14159265358979323846 / 180)) : 0);
  return o->gradient_per_s < 0 ? check_velocity_at(o, "reflectors", deepest) : MOHO_OK;
}

moho_status moho_synth_check(const moho_synth_options *o) {
  MOHO_TRY(check_acquisition(o));
  MOHO_TRY(check_number("v0_mps", o->v0_mps, 1, 1e5));
  MOHO_TRY(check_number("gradient_per_s", o->gradient_per_s, -100, 100));
  MOHO_TRY(check_number("eta", o->eta, -0.2, 1));
  if (o->eta != 0 && o->gradient_per_s != 0)
    return moho_fail_at((moho_place){.key = "eta"}, "leave gradient_per_s out", MOHO_ERROR_NOT_AVAILABLE,
                        "eta is %g and gradient_per_s %g; exact VTI times are those of a constant velocity", o->eta,
                        o->gradient_per_s);
  MOHO_TRY(check_wavelet(o));
  if (o->n_diffractors > 64)
    return moho_fail_at((moho_place){.key = "diffractors"}, NULL, MOHO_ERROR_RANGE, "%zu diffractors, expected at most 64",
                        o->n_diffractors);
  if (o->n_reflectors > 16)
    return moho_fail_at((moho_place){.key = "reflectors"}, NULL, MOHO_ERROR_RANGE, "%zu reflectors, expected at most 16",
                        o->n_reflectors);
  for (size_t i = 0; i < o->n_diffractors; i++) MOHO_TRY(check_diffractor(o, &o->diffractors[i]));
  for (size_t i = 0; i < o->n_reflectors; i++) MOHO_TRY(check_reflector(o, &o->reflectors[i]));
  return MOHO_OK;
}
