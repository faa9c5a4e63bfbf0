/* test_adjoint_pieces.c - a demigration that reads its image piece by piece makes bitwise the traces of the image in memory, in
 * batches of any size, and reads no piece that no trace reaches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/adjoint_pieces.h"
#include "migrate/adjoint_slabs.h"
#include "scenarios.h"

/* ---- slabs ---- */

static void slabs_cover_the_image_once(void **state) {
  (void)state;
  static const size_t sides[][2] = {{1, 1}, {1, 5000}, {5000, 1}, {37, 290}, {21, 21}, {100, 9}, {33, 8000}, {3, 700}};
  for (size_t k = 0; k < sizeof sides / sizeof *sides; k++)
    for (size_t most = 1; most <= 32; most += most < 4 ? 1 : 7) {
      size_t ni = sides[k][0], nj = sides[k][1];
      const moho_window whole = {5, ni, 7, nj};
      moho_tile_plan plan = moho_tile_plan_make(&whole, 8, 1);
      moho_adjoint_slabs slabs = moho_adjoint_slabs_make(&plan, most);
      uint8_t *seen = calloc(ni * nj, 1);
      assert_non_null(seen);
      assert_true(slabs.down * slabs.across <= most);
      for (size_t s = 0; s < slabs.n; s++) {
        moho_adjoint_slab slab = moho_adjoint_slabs_slab(&slabs, &plan, s);
        moho_window w = moho_adjoint_slab_window(&slab, &plan, &whole);
        size_t columns = 0;
        assert_true(slab.n_inline * slab.n_crossline <= most && slab.n_inline > 0 && slab.n_crossline > 0);
        for (size_t t = 0; t < slab.n_inline * slab.n_crossline; t++) {
          moho_tile tile = moho_adjoint_slab_tile(&slab, &plan, &whole, t);
          columns += tile.n_inline * tile.n_crossline;
          for (size_t i = tile.first_inline; i < tile.first_inline + tile.n_inline; i++)
            for (size_t j = tile.first_crossline; j < tile.first_crossline + tile.n_crossline; j++) {
              assert_true(i + 5 >= w.inline_first && i + 5 < w.inline_first + w.n_inline);
              assert_true(j + 7 >= w.crossline_first && j + 7 < w.crossline_first + w.n_crossline);
              assert_int_equal(seen[i * nj + j]++, 0);
            }
        }
        assert_int_equal(columns, w.n_inline * w.n_crossline);
      }
      assert_null(memchr(seen, 0, ni * nj));
      free(seen);
    }
}

/* ---- traces ---- */

typedef struct pieces {
  const moho_grid *grid;
  const float *image;
  const int32_t *fold;
  float *piece;
  int32_t *piece_fold;
  size_t calls;
} pieces;

static moho_status read_piece(void *user, const moho_window *w, const float **image, const int32_t **fold) {
  pieces *p = user;
  size_t nt = p->grid->n_time;
  p->calls++;
  assert_true(w->n_inline * w->n_crossline <= 32 * 64);
  p->piece = realloc(p->piece, w->n_inline * w->n_crossline * nt * sizeof *p->piece);
  p->piece_fold = realloc(p->piece_fold, w->n_inline * w->n_crossline * nt * sizeof *p->piece_fold);
  for (size_t i = 0; i < w->n_inline; i++) {
    size_t from = ((w->inline_first + i) * p->grid->n_crossline + w->crossline_first) * nt, n = w->n_crossline * nt;
    memcpy(p->piece + i * n, p->image + from, n * sizeof *p->piece);
    memcpy(p->piece_fold + i * n, p->fold + from, n * sizeof *p->piece_fold);
  }
  *image = p->piece;
  if (fold) *fold = p->piece_fold;
  return MOHO_OK;
}

/* The case on a grid of several slabs, over the same area. */
static void refine_grid(moho_grid *g) {
  size_t ni = g->n_inline, nj = g->n_crossline;
  if (g->line_x_m) return;
  g->n_inline = ni > 1 ? 19 : 1, g->n_crossline = ni > 1 ? 266 : 2500;
  g->inline_spacing_m *= ni > 1 ? (double)(ni - 1) / 18 : 1;
  g->crossline_spacing_m *= (double)(nj - 1) / (double)(g->n_crossline - 1);
}

static void demigrate_whole(moho_device *device, const physics_case *c, const float *image, const int32_t *fold, float *traces) {
  const survey *s = &c->survey;
  moho_demigration *d;
  assert_ok(moho_demigration_create(device, &c->grid, c->velocity, &c->options, &s->geometry, s->n_samples, s->dt_s, &d));
  assert_ok(moho_demigration_set_image(d, image, fold));
  assert_ok(moho_demigration_run(d, &s->geometry, s->samples, traces, NULL, NULL));
  moho_demigration_destroy(&d);
}

/* @return traces a batch */
static size_t demigrate_pieces(moho_device *device, const physics_case *c, pieces *p, size_t memory_bytes, float *traces) {
  const survey *s = &c->survey;
  moho_demigration *d;
  assert_ok(moho_demigration_create_pieces(device, &c->grid, c->velocity, &c->options, &s->geometry, s->n_samples, s->dt_s,
                                           memory_bytes, (size_t)1250000, read_piece, p, &d));
  size_t batch = moho_demigration_batch_traces(d);
  assert_true(moho_demigration_get_counts(d).memory_bytes <= memory_bytes);
  for (size_t first = 0; first < s->n; first += batch) {
    moho_geometry slice = moho_geometry_slice(&s->geometry, first, s->n - first < batch ? s->n - first : batch);
    assert_ok(moho_demigration_run(d, &slice, s->samples + first * s->n_samples, traces + first * s->n_samples, NULL, NULL));
  }
  moho_demigration_destroy(&d);
  return batch;
}

static size_t check(const scenario *chosen, uint64_t seed, size_t *least) {
  physics_case c = case_of_scenario(chosen);
  moho_device *device;
  refine_grid(&c.grid);
  size_t cells = c.grid.n_inline * c.grid.n_crossline * c.grid.n_time, samples = c.survey.n * c.survey.n_samples, smallest = 1000;
  float *image = malloc(cells * sizeof *image), *one = malloc(samples * sizeof *one), *other = malloc(samples * sizeof *other);
  int32_t *fold = malloc(cells * sizeof *fold);
  assert_true(image && one && other && fold);
  for (size_t i = 0; i < cells; i++)
    image[i] = (float)(2 * test_uniform(&seed) - 1), fold[i] = (int32_t)(20 * test_uniform(&seed));
  pieces p = {.grid = &c.grid, .image = image, .fold = fold};
  assert_ok(moho_device_open("cpu?threads=2", &device));
  demigrate_whole(device, &c, image, fold, one);
  double squares = 0;
  for (size_t i = 0; i < samples; i++) squares += (double)one[i] * one[i];
  assert_true(squares > 0);
  for (size_t memory = (size_t)180 << 20; memory <= (size_t)1 << 30; memory <<= 2) {
    memset(other, 0, samples * sizeof *other);
    size_t batch = demigrate_pieces(device, &c, &p, memory, other);
    smallest = batch < smallest ? batch : smallest;
    assert_true(memory < (size_t)1 << 29 ? batch >= 64 : batch == c.survey.n);
    assert_memory_equal(one, other, samples * sizeof *one);
  }
  moho_device_close(&device);
  free(image), free(one), free(other), free(fold), free(p.piece), free(p.piece_fold);
  case_release(&c);
  *least = smallest < *least ? smallest : *least;
  return p.calls;
}

/* What a slab brings along: tables of its columns, their classes, its fold; a line; one table for all. */
static int divides_by_fold(const scenario *s) {
  return s->normalise == MOHO_NORMALISE_FOLD && !s->is_line;
}
static int is_line(const scenario *s) {
  return s->is_line;
}
static int has_classes(const scenario *s) {
  return s->weight == MOHO_WEIGHT_TRUE_AMPLITUDE && s->velocity == V_TABLE && !s->is_line;
}
static int is_uniform(const scenario *s) {
  return s->velocity == V_LINEAR_Z && !s->is_line;
}

static void pieces_give_the_same_bits(void **state) {
  int (*const kinds[])(const scenario *) = {divides_by_fold, is_line, has_classes, is_uniform};
  (void)state;
  size_t calls = 0, least = 1000;
  for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
    scenario chosen = {0};
    size_t i = 0;
    for (; i < SCENARIOS + LAW_SCENARIOS; i++) {
      chosen = i < SCENARIOS ? scenarios[i] : law_scenario(i - SCENARIOS);
      if (kinds[kind](&chosen)) break;
    }
    assert_true(i < SCENARIOS + LAW_SCENARIOS);
    calls += check(&chosen, kind + 1, &least);
  }
  assert_true(least < SCENARIO_TRACES); /* some went in two batches */
  assert_true(calls > 30);
}

static void what_is_out_of_reach_is_not_read(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  moho_device *device;
  refine_grid(&c.grid);
  size_t cells = c.grid.n_inline * c.grid.n_crossline * c.grid.n_time, samples = c.survey.n * c.survey.n_samples;
  float *image = calloc(cells, sizeof *image), *traces = malloc(samples * sizeof *traces);
  int32_t *fold = calloc(cells, sizeof *fold);
  assert_true(image && traces && fold);
  assert_ok(moho_device_open("cpu?threads=2", &device));
  pieces all = {.grid = &c.grid, .image = image, .fold = fold}, few = all, none = all;
  demigrate_pieces(device, &c, &all, (size_t)1 << 30, traces);
  c.options.aperture_max_m = 20;
  for (size_t i = 1; i < c.survey.n; i++) c.survey.geometry.flags[i] |= MOHO_TRACE_DEAD;
  demigrate_pieces(device, &c, &few, (size_t)1 << 30, traces);
  c.survey.geometry.flags[0] |= MOHO_TRACE_DEAD;
  demigrate_pieces(device, &c, &none, (size_t)1 << 30, traces);
  assert_true(all.calls >= 5 && few.calls >= 1 && few.calls < all.calls / 2);
  assert_int_equal(none.calls, 0);
  moho_device_close(&device);
  free(image), free(fold), free(traces), free(all.piece), free(all.piece_fold), free(few.piece), free(few.piece_fold);
  case_release(&c);
}

static void too_little_memory_is_refused(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  const survey *s = &c.survey;
  moho_device *device;
  moho_demigration *d;
  pieces p = {.grid = &c.grid};
  assert_ok(moho_device_open("cpu?threads=2", &device));
  assert_int_equal(moho_demigration_create_pieces(device, &c.grid, c.velocity, &c.options, &s->geometry, s->n_samples, s->dt_s,
                                                  100000, 0, read_piece, &p, &d),
                   MOHO_ERROR_TOO_LARGE);
  assert_null(d);
  c.options.kernel = MOHO_KERNEL_V3;
  assert_fails(moho_demigration_create_pieces(device, &c.grid, c.velocity, &c.options, &s->geometry, s->n_samples, s->dt_s,
                                              (size_t)1 << 30, 0, read_piece, &p, &d),
               MOHO_ERROR_NOT_AVAILABLE, "by the processor's own loops alone");
  moho_device_close(&device);
  case_release(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(slabs_cover_the_image_once), cmocka_unit_test(pieces_give_the_same_bits),
                                     cmocka_unit_test(what_is_out_of_reach_is_not_read),
                                     cmocka_unit_test(too_little_memory_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
