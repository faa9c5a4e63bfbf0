/* earth.c - the modeller's earth: its text, the rock at a point, its velocities in time. */
#include "earth.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

void stop(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("modeller: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
  va_end(arguments);
  exit(1);
}

/* ---- reading ---- */

typedef struct reader {
  const char *path;
  int line;
  char word[32];
  double numbers[5];
  int n; /* of them */
} reader;

/* A word, then numbers up to the end of the line or a '#'. 0: nothing on it. */
static int split(reader *r, char *line) {
  char *at = line, *end;
  line[strcspn(line, "#\r\n")] = '\0';
  r->n = 0;
  at += strspn(at, " \t");
  size_t length = strcspn(at, " \t");
  if (!length) return 0;
  if (length >= sizeof r->word) stop("%s:%d: '%.20s...' is no word of a model", r->path, r->line, at);
  memcpy(r->word, at, length);
  r->word[length] = '\0';
  at += length + strspn(at + length, " \t");
  if (!strcmp(r->word, "direct")) {
    if (strcmp(at, "subtract") != 0 && strcmp(at, "keep") != 0)
      stop("%s:%d: direct: expected subtract or keep, got '%s'", r->path, r->line, at);
    r->numbers[r->n++] = at[0] == 's';
    return 1;
  }
  for (; *at; at = end + strspn(end, " \t")) {
    double value = strtod(at, &end);
    if (end == at || !isfinite(value)) stop("%s:%d: %s: expected a number, got '%s'", r->path, r->line, r->word, at);
    if (r->n == 5) stop("%s:%d: %s: too many numbers", r->path, r->line, r->word);
    r->numbers[r->n++] = value;
  }
  return 1;
}

static void expect(const reader *r, int least, int most) {
  if (r->n >= least && r->n <= most) return;
  if (least == most) stop("%s:%d: %s: expected %d numbers, got %d", r->path, r->line, r->word, least, r->n);
  stop("%s:%d: %s: expected %d to %d numbers, got %d", r->path, r->line, r->word, least, most, r->n);
}

static size_t whole(const reader *r, int index) {
  double value = r->numbers[index];
  if (!(value >= 1 && value <= 1e6 && value == floor(value)))
    stop("%s:%d: %s: expected a whole number of at least 1, got %g", r->path, r->line, r->word, value);
  return (size_t)value;
}

static double positive(const reader *r, int index) {
  if (!(r->numbers[index] > 0)) stop("%s:%d: %s: %g must be greater than 0", r->path, r->line, r->word, r->numbers[index]);
  return r->numbers[index];
}

static size_t another(const reader *r, size_t *n, size_t most) {
  if (*n == most) stop("%s:%d: more than %zu of %s", r->path, r->line, most, r->word);
  return (*n)++;
}

static void take(const reader *r, earth *e, survey *s) {
  const double *v = r->numbers;
  if (!strcmp(r->word, "size")) expect(r, 2, 2), e->width = positive(r, 0), e->depth = positive(r, 1);
  else if (!strcmp(r->word, "velocity")) expect(r, 2, 2), e->v0 = positive(r, 0), e->gradient = v[1];
  else if (!strcmp(r->word, "density")) expect(r, 1, 1), e->density = positive(r, 0);
  else if (!strcmp(r->word, "layer")) {
    expect(r, 3, 4);
    e->layers[another(r, &e->n_layers, MOST_LAYERS)] = (layer){v[0], v[1], positive(r, 2), r->n == 4 ? v[3] : 0};
  } else if (!strcmp(r->word, "fault")) {
    expect(r, 3, 3);
    if (!(v[1] > 0 && v[1] < 180)) stop("%s:%d: fault: a dip of %g degrees, expected 0 to 180", r->path, r->line, v[1]);
    e->faults[another(r, &e->n_faults, MOST_FAULTS)] = (fault){v[0], v[1], v[2]};
  } else if (!strcmp(r->word, "diffractor")) {
    expect(r, 4, 4);
    e->diffractors[another(r, &e->n_diffractors, MOST_DIFFRACTORS)] = (diffractor){v[0], v[1], positive(r, 2), positive(r, 3)};
  } else if (!strcmp(r->word, "shots")) {
    expect(r, 3, 3), s->shot_first = v[0], s->shot_step = v[1], s->n_shots = whole(r, 2);
  } else if (!strcmp(r->word, "receivers")) {
    expect(r, 3, 3), s->offset_first = v[0], s->offset_last = v[1], s->offset_step = positive(r, 2);
    if (v[1] < v[0]) stop("%s:%d: receivers: the last offset, %g, lies before the first, %g", r->path, r->line, v[1], v[0]);
  } else if (!strcmp(r->word, "record")) {
    expect(r, 2, 2), s->dt = positive(r, 0), s->n_samples = whole(r, 1);
  } else if (!strcmp(r->word, "wavelet")) expect(r, 1, 1), s->peak_hz = positive(r, 0);
  else if (!strcmp(r->word, "grid")) expect(r, 1, 1), s->spacing = positive(r, 0);
  else if (!strcmp(r->word, "direct")) s->subtract_direct = v[0] != 0;
  else
    stop("%s:%d: '%s' is none of size velocity density layer fault diffractor shots receivers record wavelet grid direct",
         r->path, r->line, r->word);
}

static void need(const char *path, const char *word, double value) {
  if (value == 0) stop("%s: %s is missing", path, word);
}

void earth_read(const char *path, earth *e, survey *s) {
  reader r = {.path = path};
  char line[256];
  FILE *file = fopen(path, "r");
  if (!file) stop("%s cannot be read", path);
  *e = (earth){0};
  *s = (survey){.subtract_direct = 1};
  while (r.line++, fgets(line, sizeof line, file)) {
    if (!strchr(line, '\n') && !feof(file)) stop("%s:%d: longer than %zu characters", path, r.line, sizeof line - 2);
    if (split(&r, line)) take(&r, e, s);
  }
  fclose(file);
  need(path, "size", e->width), need(path, "velocity", e->v0), need(path, "density", e->density);
  need(path, "shots", (double)s->n_shots), need(path, "receivers", s->offset_step), need(path, "record", s->dt);
  need(path, "wavelet", s->peak_hz), need(path, "grid", s->spacing);
  double last = s->shot_first + s->shot_step * (double)(s->n_shots - 1);
  if (fmin(s->shot_first, last) < 0 || fmax(s->shot_first, last) > e->width)
    stop("%s: shots from x = %g to %g m leave the model, 0 to %g m", path, s->shot_first, last, e->width);
  double slowest, fastest;
  earth_range(e, &slowest, &fastest);
  if (!(slowest > 0)) stop("%s: velocity falls to %g m/s within %g m of depth", path, slowest, e->depth);
}

/* ---- rock ---- */

rock earth_at(const earth *e, double x, double z) {
  double deeper = 0;
  x = fmin(fmax(x, 0), e->width), z = fmin(fmax(z, 0), e->depth);
  rock here = {e->v0 + e->gradient * z, e->density};
  for (size_t f = 0; f < e->n_faults; f++)
    if (x > e->faults[f].x + z / tan(e->faults[f].dip_deg * PI / 180)) deeper += e->faults[f].throw;
  for (size_t l = 0; l < e->n_layers; l++) {
    const layer *at = &e->layers[l];
    if (z < at->left + (at->right - at->left) * x / e->width + deeper) continue;
    here.density = at->density;
    here.velocity += at->step;
  }
  for (size_t d = 0; d < e->n_diffractors; d++) {
    const diffractor *at = &e->diffractors[d];
    if (hypot(x - at->x, z - at->z) <= at->radius) here.density = at->density;
  }
  return here;
}

earth earth_background(const earth *e) {
  earth smooth = *e;
  smooth.n_layers = smooth.n_faults = smooth.n_diffractors = 0;
  return smooth;
}

/* Steps may be negative: the most and the least that any run of layers adds. */
void earth_range(const earth *e, double *slowest, double *fastest) {
  double sum = 0, least = 0, most = 0, bottom = e->v0 + e->gradient * e->depth;
  for (size_t l = 0; l < e->n_layers; l++) {
    sum += e->layers[l].step;
    least = fmin(least, sum), most = fmax(most, sum);
  }
  *slowest = fmin(e->v0, bottom) + least;
  *fastest = fmax(e->v0, bottom) + most;
}

/* ---- velocity in time ---- */

/* v_rms^2 = (1/t) * integral of v^2 dt along the vertical, in steps of half a metre. */
static void write_function(const earth *e, FILE *file, double x, double latest_s) {
  const double dz = 0.5, every = 0.02;
  double t = 0, sum = 0, next = 0;
  for (double z = 0.5 * dz; next < latest_s + every; z += dz) {
    double v = earth_at(e, x, z).velocity, dt = 2 * dz / v;
    while (next < t + dt && next < latest_s + every) {
      double part = next - t, at = next;
      fprintf(file, "%.2f 0 %.1f %.4f\n", x, 1000 * next, at > 0 ? sqrt((sum + part * v * v) / at) : v);
      next += every;
    }
    t += dt, sum += dt * v * v;
  }
}

void earth_write_velocity(const earth *e, const char *path, double step, double latest_s) {
  FILE *file = fopen(path, "w");
  if (!file) stop("%s cannot be written", path);
  /* Without steps in velocity all functions are one. */
  double steps = 0;
  for (size_t l = 0; l < e->n_layers; l++) steps += fabs(e->layers[l].step);
  size_t n = steps > 0 ? (size_t)floor(e->width / step + 1e-6) : 0;
  for (size_t i = 0; i <= n; i++) write_function(e, file, (double)i * step, latest_s);
  if (fclose(file)) stop("%s: writing failed", path);
}
