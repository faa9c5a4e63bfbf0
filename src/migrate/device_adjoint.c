/* device_adjoint.c - batches of traces from an image by kernels on a device. */
#include "migrate/device_adjoint.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "kernels/demigrate_record.h"
#include "migrate/device_kernels.h"
#include "migrate/weight.h"

enum { SIMD_LANES = 32, LARGEST_GRID = 65535, TRACES_A_MULTIPROCESSOR = 4, MULTIPROCESSORS_UNKNOWN = 32, GROWTH = 4 };
/* Quanta of a contribution as large as the root mean square, and of the largest (add_far() in kernels/demigrate_tile.h). */
enum { MEAN_BITS = 24, LARGEST_BITS = 40 };
/* Group memory that a group takes at most, if the device has it: three groups of a large GPU's multiprocessor then run at once.
 */
#define MOST_GROUP_BYTES ((size_t)64 << 10)
enum { SHORTEST_WINDOW = 128, MOST_FINER_BITS = 12 };

/* ---- windows ---- */

/* The row in group memory, cut into as few windows as fit. */
static moho_status cut_windows(moho_device_adjoint *a, const moho_migration *m) {
  migrate_device_parameters *p = &a->parameters;
  size_t most = moho_smaller(m->report.group_memory, MOST_GROUP_BYTES), columns = a->r->plan.constants.columns;
  size_t places = m->layout.n_samples + 1, fits = places; /* u from the sample before the first on */
  while (fits >= SHORTEST_WINDOW && moho_demigrate_group_bytes(columns, fits, p->copies, p->k_max, p->antialias) > most)
    fits = fits / 8 * 7;
  if (fits < SHORTEST_WINDOW && fits < places)
    return moho_fail_at((moho_place){.key = "migration.antialias"}, "set execution.device to cpu, or migration.antialias to none",
                        MOHO_ERROR_NOT_AVAILABLE,
                        "antialias triangles of up to %u samples do not fit into the device's group memory of %zu bytes",
                        p->k_max, m->report.group_memory);
  p->n_windows = (unsigned)moho_pieces(places, fits);
  p->window = (unsigned)moho_pieces(places, p->n_windows);
  a->group_bytes = moho_demigrate_group_bytes(columns, p->window, p->copies, p->k_max, p->antialias);
  return MOHO_OK;
}

/* ---- ranges ---- */

static moho_status record_ranges(moho_device_adjoint *a, const moho_kernel *kernel, const moho_device_slab *slab,
                                 moho_buffer *ranges) {
  moho_device_run *r = a->r;
  size_t tile = r->plan.tile, entries = r->is_uniform ? tile : slab->n_entries;
  moho_binding buffers[] = {{slab->image, 0},
                            {r->constant.axis, 0},
                            {slab->table ? slab->table : r->constant.table, 0},
                            {r->constant.columns, 0},
                            {ranges, 0}};
  for (size_t first = 0, n; first < entries; first += n) {
    migrate_device_parameters parameters = a->parameters;
    n = moho_smaller(entries - first, LARGEST_GRID * tile);
    parameters.first_column = (unsigned)(slab->first_entry + first);
    MOHO_TRY(moho_queue_launch(r->queue, &(moho_launch){.kernel = kernel,
                                                        .buffers = buffers,
                                                        .n_buffers = sizeof buffers / sizeof *buffers,
                                                        .parameters = &parameters,
                                                        .parameter_bytes = sizeof parameters,
                                                        .groups = {parameters.n_ranges, (uint32_t)(n / tile)},
                                                        .lanes = (uint32_t)(SIMD_LANES * tile),
                                                        .group_memory = RECORD_WORDS * sizeof(float) * tile}));
  }
  return MOHO_OK;
}

static moho_status make_ranges(moho_device_adjoint *a) {
  moho_device_run *r = a->r;
  const moho_kernel_version *version = r->choice.candidates[0];
  moho_kernel *kernel = NULL;
  moho_ticket ticket;
  MOHO_TRY(moho_device_adjoint_kernel_create(r->m->device, version, "demigrate_ranges", &a->parameters, &r->plan, &kernel));
  moho_status status = moho_allocate(r->n_slabs, sizeof(moho_buffer *), "ranges", &a->ranges);
  for (size_t s = 0; !status && s < (r->is_uniform ? 1 : r->n_slabs); s++) {
    size_t bytes = (r->is_uniform ? 1 : r->slabs[s].n_rows) * a->parameters.n_ranges * RECORD_WORDS * sizeof(float);
    status = moho_device_buffer(r, bytes, MOHO_MEMORY_DEVICE, "the tables do not fit: use a smaller grid", &a->ranges[s]);
    if (!status) status = moho_buffer_fill(a->ranges[s], 0, bytes, 0);
    if (!status) status = record_ranges(a, kernel, &r->slabs[s], a->ranges[s]);
  }
  if (!status) status = moho_queue_submit(r->queue, &ticket);
  if (!status) status = moho_queue_wait(r->queue, ticket, -1);
  moho_kernel_destroy(&kernel);
  return status;
}

/* ---- create ---- */

static moho_status allocate_batch(moho_device_adjoint *a, size_t capacity, size_t stride) {
  static const char hint[] = "a batch does not fit: use a smaller grid, or fewer traces a batch", what[] = "sums of traces";
  size_t row = stride * sizeof(uint32_t);
  MOHO_TRY(moho_device_buffer(a->r, capacity * sizeof(migrate_trace), MOHO_MEMORY_DEVICE, hint, &a->traces));
  MOHO_TRY(moho_device_buffer(a->r, capacity * row, MOHO_MEMORY_DEVICE, hint, &a->low));
  MOHO_TRY(moho_device_buffer(a->r, capacity * row, MOHO_MEMORY_DEVICE, hint, &a->high));
  MOHO_TRY(moho_device_buffer(a->r, capacity * 2 * sizeof(uint32_t), MOHO_MEMORY_DEVICE, hint, &a->counts));
  MOHO_TRY(moho_allocate(capacity, sizeof *a->places, what, &a->places));
  MOHO_TRY(moho_allocate(capacity, row, what, &a->host_low));
  MOHO_TRY(moho_allocate(capacity, row, what, &a->host_high));
  MOHO_TRY(moho_allocate(capacity * 2, sizeof *a->counted, what, &a->counted));
  return moho_allocate(capacity, 1, what, &a->live);
}

/* A rounding of a tap on the trace integrated twice comes back k^2 times as large. */
static int finer_bits(unsigned k_max) {
  int bits = 0;
  while (bits < MOST_FINER_BITS && (1u << bits) < k_max * k_max) bits++;
  return bits;
}

static moho_status create(moho_demigration *d, const moho_geometry *geometry) {
  moho_device_adjoint *a;
  moho_migration *m = d->m;
  MOHO_TRY(moho_allocate(1, sizeof *a, "demigration", &a));
  d->device = a, a->r = m->run;
  a->parameters = a->r->parameters;
  a->parameters.n_ranges = (unsigned)moho_pieces(m->axis.n, SIMD_LANES * a->r->plan.constants.chunks);
  a->parameters.range_stride = a->r->is_uniform ? 0 : a->parameters.n_ranges;
  a->parameters.copies = m->layout.bank.n ? (unsigned)m->layout.bank.n : 1;
  for (size_t i = 0; i < geometry->n; i++)
    if (moho_geometry_is_live(geometry, i)) a->latest_start = fmax(a->latest_start, geometry->first_sample_s[i] / m->layout.dt_s);
  a->parameters.finer = (float)(1 << finer_bits(a->parameters.k_max));
  d->capacity = m->capacity;
  MOHO_TRY(cut_windows(a, m));
  double begin = moho_seconds();
  MOHO_TRY(moho_device_adjoint_kernel_create(m->device, a->r->choice.candidates[0], a->r->choice.candidates[0]->adjoint,
                                             &a->parameters, &a->r->plan, &a->kernel));
  d->counts.compile_seconds = moho_seconds() - begin;
  MOHO_TRY(make_ranges(a));
  d->counts.memory_bytes = m->counts.memory_bytes + m->counts.device_bytes;
  return allocate_batch(a, d->capacity, m->layout.stride);
}

static void destroy(moho_demigration *d) {
  moho_device_adjoint *a = d->device;
  if (!a) return;
  for (size_t s = 0; a->ranges && s < a->r->n_slabs; s++) moho_buffer_destroy(&a->ranges[s]);
  moho_buffer_destroy(&a->traces), moho_buffer_destroy(&a->low), moho_buffer_destroy(&a->high), moho_buffer_destroy(&a->counts);
  moho_kernel_destroy(&a->kernel);
  free(a->ranges), free(a->places), free(a->host_low), free(a->host_high), free(a->counted), free(a->live);
  free(a);
  d->device = NULL;
}

/* ---- the image ---- */

/* The largest t-part that a contribution of sample i can have: legs last at least t1 and one input sample, t at most until the
 * record's end. */
static double largest_t_part(const moho_device_adjoint *a, const moho_migration *m, size_t i) {
  double shortest = m->options.refine, t1 = m->axis.t1_first + (double)i * m->axis.t1_step, leg = fmax(t1, shortest);
  double latest = (double)m->layout.n_samples + fmax(a->latest_start, 0) + shortest;
  switch (m->t_part) {
  case MOHO_T_PART_TRUE_3D: return 2 / (leg * leg);
  case MOHO_T_PART_TRUE_3D_RAW: return 2 * latest / (leg * leg);
  case MOHO_T_PART_TRUE_2D: return 2 / (leg * sqrt(leg));
  case MOHO_T_PART_TRUE_2D_RAW: return 2 * latest / (leg * sqrt(leg));
  default: return pow(fmax(2 * t1, shortest), -0.5 * m->t_part);
  }
}

/* Of an image: largest value, largest contribution and its mean square over those that are not zero. */
typedef struct image_bounds {
  double value, contribution, squares, n;
} image_bounds;

typedef struct image_pass {
  moho_demigration *d;
  const float *image;
  const int32_t *fold;
  const double *t_part; /* [time] */
} image_pass;

static image_bounds bounds_of(const float *column, const double *t_part, size_t n) {
  image_bounds b = {0};
  for (size_t i = 0; i < n; i++) {
    double value = fabs((double)column[i]), contribution = value * t_part[i];
    b.value = fmax(b.value, value), b.contribution = fmax(b.contribution, contribution);
    b.squares += contribution * contribution, b.n += value > 0;
  }
  return b;
}

/* Rows [first, first + n) of the run's columns, weighted: to out [n, stride], times 2 to -exponent; or only bounds [n] of them.
 */
static moho_status weigh_rows(const image_pass *pass, size_t first, size_t n, int exponent, float *out, image_bounds *bounds) {
  const moho_migration *m = pass->d->m;
  const uint32_t *flat = pass->d->device->r->flat;
  moho_status status = MOHO_OK;
  moho_error error = {0};
#pragma omp parallel for num_threads(m->threads) schedule(static)
  for (size_t k = 0; k < n; k++) {
    size_t thread = (size_t)omp_get_thread_num();
    float *column = out ? out + k * m->axis.stride : pass->d->column + thread * m->axis.stride;
    moho_status own =
        moho_demigration_column(m, flat[first + k], pass->image, pass->fold, pass->d->weights + thread * m->axis.n, column);
    if (own) {
#pragma omp critical(moho_migration_error)
      if (!status) status = own, error = moho_error_take();
      continue;
    }
    if (bounds) bounds[k] = bounds_of(column, pass->t_part, m->axis.n);
    for (size_t i = 0; out && i < m->axis.n; i++) column[i] = ldexpf(column[i], -exponent);
  }
  return status ? moho_error_set(&error) : MOHO_OK;
}

static int exponent_of(double x) {
  int exponent = 0;
  frexp(x, &exponent);
  return exponent;
}

/* Columns in order: the same quantum whatever the threads. */
static void choose_quantum(moho_device_adjoint *a, const image_bounds *columns, size_t n) {
  image_bounds all = {0};
  for (size_t k = 0; k < n; k++) {
    all.value = fmax(all.value, columns[k].value), all.contribution = fmax(all.contribution, columns[k].contribution);
    all.squares += columns[k].squares, all.n += columns[k].n;
  }
  int mean = exponent_of(sqrt(all.squares / fmax(all.n, 1))) - MEAN_BITS;
  int largest = exponent_of(all.contribution) - LARGEST_BITS;
  a->image_exponent = exponent_of(all.value);
  a->quantum_exponent = (mean > largest ? mean : largest) - a->image_exponent;
}

static moho_status upload_image(const image_pass *pass) {
  moho_device_adjoint *a = pass->d->device;
  size_t stride = pass->d->m->axis.stride, row = stride * sizeof(float), chunk_rows = MOHO_TABLE_CHUNK_BYTES / row + 1;
  float *chunk;
  MOHO_TRY(moho_allocate(moho_smaller(chunk_rows, pass->d->m->n_columns) * stride, sizeof *chunk, "image", &chunk));
  moho_status status = MOHO_OK;
  for (size_t s = 0; !status && s < a->r->n_slabs; s++) {
    const moho_device_slab *slab = &a->r->slabs[s];
    for (size_t first = 0, n; !status && first < slab->n_rows; first += n) {
      n = moho_smaller(chunk_rows, slab->n_rows - first);
      status = weigh_rows(pass, slab->first_row + first, n, a->image_exponent, chunk, NULL);
      if (!status) status = moho_buffer_write(slab->image, first * row, chunk, n * row);
    }
  }
  free(chunk);
  return status;
}

static moho_status set_image(moho_demigration *d, const float *image, const int32_t *fold) {
  const moho_migration *m = d->m;
  image_bounds *columns = NULL;
  double *t_part;
  MOHO_TRY(moho_allocate(m->axis.n, sizeof *t_part, "weights", &t_part));
  for (size_t i = 0; i < m->axis.n; i++) t_part[i] = largest_t_part(d->device, m, i);
  image_pass pass = {.d = d, .image = image, .fold = fold, .t_part = t_part};
  moho_status status = moho_allocate(m->n_columns, sizeof *columns, "weights", &columns);
  if (!status) status = weigh_rows(&pass, 0, m->n_columns, 0, NULL, columns);
  if (!status) {
    choose_quantum(d->device, columns, m->n_columns);
    status = upload_image(&pass);
  }
  free(t_part), free(columns);
  return status;
}

/* ---- a batch ---- */

static moho_status place_traces(moho_demigration *d, const moho_geometry *geometry) {
  moho_device_adjoint *a = d->device;
  float scale = ldexpf(1, -a->quantum_exponent);
  for (size_t i = 0; i < geometry->n; i++) {
    double start = geometry->first_sample_s[i] / d->m->layout.dt_s;
    if (a->live[i] && (start > a->latest_start || (a->r->plan.begins_at_zero && start != 0)))
      return moho_fail_at((moho_place){.trace = (int64_t)(d->counts.traces + i + 1)},
                          "create the demigration with the geometry of all traces that will be asked for", MOHO_ERROR_ARGUMENT,
                          "a trace begins at %g s; by the survey's geometry all begin at %g s or before",
                          geometry->first_sample_s[i], a->latest_start * d->m->layout.dt_s);
  }
  moho_device_fill_traces(d->m, geometry, a->live, NULL, 0, a->places);
  for (size_t i = 0; i < geometry->n; i++) a->places[i].scale = scale;
  double begin = moho_seconds();
  moho_status status = moho_buffer_write(a->traces, 0, a->places, geometry->n * sizeof *a->places);
  d->counts.transfer_seconds += moho_seconds() - begin;
  return status;
}

static moho_status record_launch(moho_device_adjoint *a, size_t s, size_t first, size_t n) {
  moho_device_run *r = a->r;
  const moho_device_slab *slab = &r->slabs[s];
  moho_binding buffers[] = {{slab->image, 0},
                            {a->traces, 0},
                            {r->constant.axis, 0},
                            {slab->table ? slab->table : r->constant.table, 0},
                            {r->constant.columns, 0},
                            {r->constant.sinc, 0},
                            {a->ranges[r->is_uniform ? 0 : s], 0},
                            {a->low, 0},
                            {a->high, 0},
                            {a->counts, 0}};
  migrate_device_parameters parameters = a->parameters;
  parameters.first_trace = (unsigned)first, parameters.n_traces = (unsigned)n;
  parameters.first_column = (unsigned)slab->first_entry, parameters.n_columns = (unsigned)slab->n_entries;
  return moho_queue_launch(r->queue, &(moho_launch){.kernel = a->kernel,
                                                    .buffers = buffers,
                                                    .n_buffers = sizeof buffers / sizeof *buffers,
                                                    .parameters = &parameters,
                                                    .parameter_bytes = sizeof parameters,
                                                    .groups = {(uint32_t)n, parameters.n_windows},
                                                    .lanes = (uint32_t)(SIMD_LANES * r->plan.constants.columns),
                                                    .group_memory = a->group_bytes});
}

/* Traces of the next launch: as many as the last one's rate does in half the time that a launch should last. */
static size_t next_traces(const moho_device_adjoint *a) {
  size_t multiprocessors =
      a->r->m->report.multiprocessors > 0 ? (size_t)a->r->m->report.multiprocessors : MULTIPROCESSORS_UNKNOWN;
  if (a->r->plan.constants.launch_traces) return a->r->plan.constants.launch_traces;
  if (!(a->rate > 0)) return TRACES_A_MULTIPROCESSOR * multiprocessors;
  double wanted = 0.5 * a->r->plan.launch_seconds * a->rate, most = (double)(GROWTH * a->last_traces);
  double n = fmin(fmin(wanted, most), LARGEST_GRID);
  return n > 1 ? (size_t)n : 1;
}

static uint64_t contributions_of(const moho_device_adjoint *a, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += (uint64_t)a->counted[2 * i] | (uint64_t)a->counted[2 * i + 1] << 32;
  return sum;
}

/* One launch after another, each waited for: between them one may stop. */
static moho_status launch_batch(moho_demigration *d, size_t traces, const moho_reporter *reporter) {
  moho_device_adjoint *a = d->device;
  double expected = a->r->contributions_expected * (double)traces / (double)a->r->n_slabs;
  for (size_t s = 0; s < a->r->n_slabs; s++)
    for (size_t first = 0, n; first < traces; first += n) {
      moho_ticket ticket;
      n = moho_smaller(next_traces(a), traces - first);
      double begin = moho_seconds(), share = (double)s + (double)first / (double)traces;
      MOHO_TRY(record_launch(a, s, first, n));
      MOHO_TRY(moho_queue_submit(a->r->queue, &ticket));
      MOHO_TRY(moho_queue_wait(a->r->queue, ticket, -1));
      a->rate = (double)n / fmax(moho_seconds() - begin, 1e-6), a->last_traces = n;
      if (moho_reporter_stops(reporter, (double)d->counts.contributions + share * expected))
        return moho_fail(MOHO_ERROR_INTERRUPTED, "the demigration was interrupted");
    }
  return MOHO_OK;
}

/* The sums of the batch's traces, from quanta. */
static void take_sums(moho_demigration *d, size_t traces) {
  const moho_device_adjoint *a = d->device;
  const moho_prepared_layout *l = &d->m->layout;
  size_t integrated = l->c0 ? l->c0 - moho_prepared_margin(l->k_max) : l->stride;
  double quantum = ldexp(1, a->image_exponent + a->quantum_exponent), finer = quantum / (double)a->parameters.finer;
#pragma omp parallel for num_threads(d->m->threads) schedule(static)
  for (size_t i = 0; i < traces; i++)
    for (size_t j = 0; j < l->stride; j++) {
      size_t at = i * l->stride + j;
      int64_t sum = (int64_t)(int32_t)a->host_high[at] * ((int64_t)1 << 32) + (int32_t)a->host_low[at];
      d->sums[at] = (double)sum * (j < integrated ? quantum : finer);
    }
}

static moho_status fetch(moho_demigration *d, size_t traces) {
  moho_device_adjoint *a = d->device;
  size_t bytes = traces * d->m->layout.stride * sizeof(uint32_t);
  double begin = moho_seconds();
  MOHO_TRY(moho_buffer_read(a->low, 0, a->host_low, bytes));
  MOHO_TRY(moho_buffer_read(a->high, 0, a->host_high, bytes));
  MOHO_TRY(moho_buffer_read(a->counts, 0, a->counted, traces * 2 * sizeof *a->counted));
  d->counts.transfer_seconds += moho_seconds() - begin;
  take_sums(d, traces);
  return MOHO_OK;
}

static moho_status clear(moho_device_adjoint *a, size_t traces, size_t stride) {
  size_t bytes = traces * stride * sizeof(uint32_t);
  MOHO_TRY(moho_queue_fill(a->r->queue, a->low, 0, bytes, 0));
  MOHO_TRY(moho_queue_fill(a->r->queue, a->high, 0, bytes, 0));
  return moho_queue_fill(a->r->queue, a->counts, 0, traces * 2 * sizeof *a->counted, 0);
}

static void count_batch(moho_demigration *d, const moho_geometry *geometry) {
  moho_device_adjoint *a = d->device;
  double kernel = 0, transfer = 0;
  if (!moho_queue_seconds(a->r->queue, &kernel, &transfer)) {
    d->counts.kernel_seconds += kernel - a->kernel_seconds;
    a->kernel_seconds = kernel;
  }
  d->counts.contributions += contributions_of(a, geometry->n);
  d->counts.traces += geometry->n;
  for (size_t i = 0; i < geometry->n; i++) {
    d->counts.traces_live += a->live[i];
    d->counts.traces_reached += (a->counted[2 * i] | a->counted[2 * i + 1]) != 0;
  }
}

static moho_status run(moho_demigration *d, const moho_geometry *geometry, const float *like, float *traces,
                       const moho_reporter *reporter) {
  moho_device_adjoint *a = d->device;
  moho_migration *m = d->m;
  double begin = moho_seconds(), transfers = d->counts.transfer_seconds;
  MOHO_TRY(moho_trace_unprepare_live(d->unpreparer, geometry, like, m->threads, a->live));
  MOHO_TRY(place_traces(d, geometry));
  MOHO_TRY(clear(a, geometry->n, m->layout.stride));
  double prepared = moho_seconds();
  moho_status status = launch_batch(d, geometry->n, reporter);
  if (status) {
    moho_queue_discard(a->r->queue);
    return status;
  }
  double launched = moho_seconds();
  MOHO_TRY(fetch(d, geometry->n));
  MOHO_TRY(moho_trace_unprepare(d->unpreparer, geometry, like, m->threads, d->sums, traces));
  d->counts.prepare_seconds += prepared - begin + moho_seconds() - launched - (d->counts.transfer_seconds - transfers);
  count_batch(d, geometry);
  return MOHO_OK;
}

const moho_adjoint_method moho_device_adjoint_method = {.create = create, .set_image = set_image, .run = run, .destroy = destroy};
