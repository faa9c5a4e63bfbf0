/* bench_tiles.c - what a work item of migrate_v3's queue costs when nothing reaches it: one persistent launch over 1000 tiles of
 * columns that 256 traces lie too far from, less the same over one tile. */
#include <moho/kernels/migrate_device.h>
#include <stdlib.h>

#include "bench_case.h"

enum { GROUPS_A_MULTIPROCESSOR = 3 };
enum { TILES = 1000, COLUMNS = 8, N = TILES * COLUMNS, TIMES = 32, TRACES = 256, GROUP_BYTES = 32 << 10, MOST_RUNS = 101 };
static const float FAR_M = 1e6F;
static const double LONG_SECONDS = 0.05; /* of the text as C on the processor: a few runs tell enough */

/* What every launch reads. */
typedef struct tile_inputs {
  migrate_trace traces[TRACES];
  migrate_sample axis[TIMES];
  migrate_slowness table[TIMES];
  migrate_column columns[N];
  float rows[256]; /* of samples: never read */
} tile_inputs;

typedef struct tiles {
  moho_kernel *kernel;
  moho_queue *queue;
  moho_buffer *traces, *axis, *table, *columns, *rows, *image, *fold, *used, *work;
  uint32_t groups;
} tiles;

/* ---- inputs ---- */

/* Columns 25 m apart, 1000 m of aperture at 2500 m/s and 2 ms; traces 1000 km away. */
static void fill(tile_inputs *in) {
  for (int i = 0; i < TRACES; i++)
    in->traces[i] = (migrate_trace){.source_x = FAR_M, .receiver_x = FAR_M, .scale = 1, .spacing = 25, .live = 1};
  for (int k = 0; k < TIMES; k++) {
    in->axis[k] = (migrate_sample){.t1sq = 0.25F * (float)(k * k)};
    in->table[k] = (migrate_slowness){.s2 = 0.04F, .radius2 = 1e6F};
  }
  for (int c = 0; c < N; c++)
    in->columns[c] = (migrate_column){
        .x = 25.0F * (float)(c % 100), .y = 25.0F * (float)(c / 100), .along_x = 1, .across_y = 1, .row = (unsigned)c};
}

static moho_status upload(moho_device *device, const void *data, size_t bytes, moho_buffer **out) {
  moho_status status = moho_buffer_create(device, bytes, MOHO_MEMORY_DEVICE, out);
  return status ? status : moho_buffer_write(*out, 0, data, bytes);
}

static moho_status make_buffers(moho_device *device, tiles *t) {
  tile_inputs *in = calloc(1, sizeof *in);
  size_t image_bytes = (size_t)N * TIMES * sizeof(float);
  if (!in) return MOHO_ERROR_MEMORY;
  fill(in);
  moho_status status = upload(device, in->traces, sizeof in->traces, &t->traces);
  if (!status) status = upload(device, in->axis, sizeof in->axis, &t->axis);
  if (!status) status = upload(device, in->table, sizeof in->table, &t->table);
  if (!status) status = upload(device, in->columns, sizeof in->columns, &t->columns);
  if (!status) status = upload(device, in->rows, sizeof in->rows, &t->rows);
  free(in);
  moho_buffer **const outputs[] = {&t->image, &t->fold, &t->used, &t->work};
  const size_t bytes[] = {image_bytes, image_bytes, TRACES * sizeof(uint32_t), 16};
  for (int i = 0; !status && i < 4; i++) {
    status = moho_buffer_create(device, bytes[i], MOHO_MEMORY_DEVICE, outputs[i]);
    if (!status) status = moho_buffer_fill(*outputs[i], 0, bytes[i], 0);
  }
  return status;
}

static void release(tiles *t) {
  moho_buffer **const all[] = {&t->traces, &t->axis, &t->table, &t->columns, &t->rows, &t->image, &t->fold, &t->used, &t->work};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) moho_buffer_destroy(all[i]);
  moho_kernel_destroy(&t->kernel);
}

/* As src/migrate launches it without weights and antialias. The runtime knows the kernel once a migration has been made with it.
 */
static moho_status make_kernel(moho_device *device, moho_kernel **out) {
  moho_constant constants[] = {{"INTERPOLATION", 0, 0}, {"ANTIALIAS", 0, 0},
                               {"WEIGHT_POWER", 0, 0},  {"HAS_MUTE", 0, 0},
                               {"COLUMNS", COLUMNS, 0}, {"STORAGE", STORAGE_LINES, 0},
                               {"NO_SHIFT", 1, 0},      {"KERN_BLOCKS_PER_SM", GROUPS_A_MULTIPROCESSOR, 0},
                               {"HAS_ANGLES", 0, 0},    {"HAS_MASK", 0, 0}};
  moho_migration_options options = moho_migration_options_default();
  bench_survey survey = {0};
  bench_reference none = {0};
  moho_migration *migration = NULL;
  options.kernel = MOHO_KERNEL_V3;
  moho_status status = moho_migration_supports(device, &options);
  if (!status) status = bench_survey_use("tiny", "constant", &survey, &none);
  if (!status)
    status = moho_migration_create(device, &survey.grid, survey.velocity, &options, &survey.geometry, survey.options.n_samples,
                                   survey.options.dt_s, &migration);
  moho_migration_destroy(&migration);
  bench_survey_release(&survey);
  return status ? status
                : moho_kernel_create(device,
                                     &(moho_kernel_options){.name = "migrate_v3",
                                                            .constants = constants,
                                                            .n_constants = sizeof constants / sizeof *constants},
                                     out);
}

/* ---- the clock ---- */

static moho_status launch(const tiles *t, uint32_t n_tiles) {
  const moho_binding buffers[] = {{t->rows, 0}, {t->traces, 0}, {t->axis, 0}, {t->table, 0}, {t->columns, 0},
                                  {t->rows, 0}, {t->image, 0},  {t->fold, 0}, {t->used, 0},  {t->work, 0},
                                  {t->rows, 0}, {t->rows, 0},   {t->rows, 0}};
  migrate_device_parameters p = {.n_traces = TRACES,
                                 .n_columns = n_tiles * COLUMNS,
                                 .n_time = TIMES,
                                 .image_stride = TIMES,
                                 .row_stride = TIMES,
                                 .n_samples = TIMES,
                                 .high = TIMES - 1,
                                 .taper_begin = 2,
                                 .shortest_time = 1,
                                 .leg_bound = 1e30F,
                                 .n_items = n_tiles,
                                 .storage = STORAGE_LINES};
  moho_ticket ticket;
  moho_status status = moho_queue_fill(t->queue, t->work, 0, 16, 0);
  if (!status)
    status = moho_queue_launch(t->queue, &(moho_launch){.kernel = t->kernel,
                                                        .buffers = buffers,
                                                        .n_buffers = sizeof buffers / sizeof *buffers,
                                                        .parameters = &p,
                                                        .parameter_bytes = sizeof p,
                                                        .groups = {t->groups < n_tiles ? t->groups : n_tiles, 1},
                                                        .lanes = 32 * COLUMNS,
                                                        .group_memory = GROUP_BYTES});
  if (!status) status = moho_queue_submit(t->queue, &ticket);
  return status ? status : moho_queue_wait(t->queue, ticket, -1);
}

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static moho_status median_of(const tiles *t, uint32_t n_tiles, int runs, double *median) {
  double seconds[MOST_RUNS], first = bench_seconds();
  moho_status status = launch(t, n_tiles); /* warm */
  if (bench_seconds() - first > LONG_SECONDS) runs = 3;
  for (int i = 0; !status && i < runs; i++) {
    double begin = bench_seconds();
    status = launch(t, n_tiles);
    seconds[i] = bench_seconds() - begin;
  }
  if (status) return status;
  qsort(seconds, (size_t)runs, sizeof *seconds, compare_seconds);
  *median = seconds[runs / 2];
  return MOHO_OK;
}

/* Nothing may have been written: no trace reaches a tile. */
static moho_status check_nothing_was_used(const tiles *t) {
  uint32_t used[TRACES];
  moho_status status = moho_buffer_read(t->used, 0, used, sizeof used);
  for (int i = 0; !status && i < TRACES; i++)
    if (used[i]) {
      fprintf(stderr, "moho: bench: the empty tiles of kernel v3 are not empty: trace %d was used\n", i);
      return MOHO_ERROR_RANGE;
    }
  return status;
}

moho_status bench_time_tiles(moho_device *device, moho_queue *queue, int runs, double *seconds) {
  tiles t = {.queue = queue};
  moho_device_report report;
  double one = 0, many = 0;
  moho_status status = moho_device_describe(device, &report);
  t.groups = (uint32_t)(report.multiprocessors > 0 ? 2 * GROUPS_A_MULTIPROCESSOR * report.multiprocessors : 16);
  if (!status) status = make_kernel(device, &t.kernel);
  if (!status) status = make_buffers(device, &t);
  if (!status) status = median_of(&t, TILES, runs < MOST_RUNS ? runs : MOST_RUNS, &many);
  if (!status) status = median_of(&t, 1, runs < MOST_RUNS ? runs : MOST_RUNS, &one);
  if (!status) status = check_nothing_was_used(&t);
  *seconds = many - one;
  release(&t);
  return status;
}
