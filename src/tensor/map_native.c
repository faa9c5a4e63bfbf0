/* map_native.c - element-wise operations on the cpu: blocks of words are gathered, computed and stored, on all threads.
 *
 * What lies contiguous as words already is not copied: a flat operation on floats is one pass over its operands.
 */
#include <string.h>

#include "base/memory.h"
#include "kernels/kern.h"
#include "kernels/tensor_map.h"
#include "kernels/tensor_math.h"
#include "tensor/native.h"
#include "tensor/simd/tensor_native.h"

/* Words of a block: four of them fit the first cache. Past the caches its bytes in memory are so few that computing one block
 * overlaps with asking for the next. */
enum { BLOCK = 1024, PAST_BYTES = 2048 };
/* Below this a second thread costs more than it brings. */
#define WORTH_A_THREAD 65536u

typedef struct map_work {
  const tensor_map_parameters *p;
  const moho_tensor_loops *loops;
  void *const *buffers;
  moho_block_function function; /* NULL: words stay as they are */
} map_work;

static moho_word number(const tensor_map_parameters *p, int which) {
  return p->is_integer ? (moho_word){.i = p->integer[which]} : (moho_word){.f = p->scalar[which]};
}

/* [TENSOR_F32 ...] */
static const uint8_t type_bytes[] = {4, 2, 2, 4, 1, 1};

static int is_word(uint32_t type) {
  return type == TENSOR_F32 || type == TENSOR_I32;
}

/* ---- operands ---- */

/* Where elements `begin` ... of an operand lie, as runs along the fastest axis. */
typedef struct runs {
  const tensor_map_parameters *p;
  const uint32_t *stride; /* [axis] */
  uint32_t place[TENSOR_RANK];
  size_t at; /* element of the binding, of place[0] = 0 */
} runs;

static runs runs_from(const tensor_map_parameters *p, int operand, uint32_t begin) {
  runs r = {.p = p, .stride = p->stride + operand * TENSOR_RANK, .at = p->first[operand]};
  for (uint32_t axis = 0; axis < p->rank; axis++) {
    r.place[axis] = begin % p->shape[axis];
    begin /= p->shape[axis];
    if (axis) r.at += (size_t)r.place[axis] * r.stride[axis];
  }
  return r;
}

/* The next at most n elements along the fastest axis: their count, the first in *first. */
static size_t next_run(runs *r, size_t n, size_t *first) {
  size_t left = r->p->shape[0] - r->place[0], count = moho_smaller(left, n);
  *first = r->at + (size_t)r->place[0] * r->stride[0];
  r->place[0] += (uint32_t)count;
  if (count < left) return count;
  r->place[0] = 0;
  for (uint32_t axis = 1; axis < r->p->rank; axis++) {
    r->at += r->stride[axis];
    if (++r->place[axis] < r->p->shape[axis]) break;
    r->at -= (size_t)r->place[axis] * r->stride[axis];
    r->place[axis] = 0;
  }
  return count;
}

static void gather_runs(const map_work *w, int operand, uint32_t begin, size_t n, moho_word *to) {
  runs r = runs_from(w->p, operand, begin);
  size_t first, stride = r.stride[0];
  for (size_t done = 0; done < n;) {
    size_t count = next_run(&r, n - done, &first);
    w->loops->load[w->p->type[operand]](to + done, w->buffers[operand], first, stride, count);
    done += count;
  }
}

static void gather(const map_work *w, int operand, uint32_t begin, size_t n, moho_word *to) {
  const tensor_map_parameters *p = w->p;
  if (p->is_flat) w->loops->load[p->type[operand]](to, w->buffers[operand], (size_t)p->first[operand] + begin, 1, n);
  else gather_runs(w, operand, begin, n, to);
  if (!w->p->is_integer && w->p->type[operand] >= TENSOR_I32) w->loops->ints_to_floats(to, n, 0);
}

static void scatter(const map_work *w, uint32_t begin, size_t n, const moho_word *from) {
  runs r = runs_from(w->p, TENSOR_OUT, begin);
  size_t first, stride = r.stride[0];
  for (size_t done = 0; done < n;) {
    size_t count = next_run(&r, n - done, &first);
    w->loops->store[w->p->type[TENSOR_OUT]](w->buffers[TENSOR_OUT], first, stride, from + done, count);
    done += count;
  }
}

static int is_constant(const tensor_map_parameters *p, int operand) {
  if (p->type[operand] == TENSOR_NUMBER) return 1;
  return p->is_flat && p->stride[operand * TENSOR_RANK] == 0;
}

/* An operand that is one number for all, as a block. */
static void spread(const map_work *w, int operand, moho_word *to) {
  moho_word x = number(w->p, 0);
  if (w->p->type[operand] != TENSOR_NUMBER)
    w->loops->load[w->p->type[operand]](&x, w->buffers[operand], w->p->first[operand], 0, 1);
  if (!w->p->is_integer && w->p->type[operand] >= TENSOR_I32 && w->p->type[operand] != TENSOR_NUMBER)
    w->loops->ints_to_floats(&x, 1, 0);
  for (size_t k = 0; k < BLOCK; k++) to[k] = x;
}

/* ---- blocks ---- */

/* Words of the output's kind. */
static void convert(const map_work *w, moho_word *x, size_t n) {
  uint32_t type = w->p->type[TENSOR_OUT];
  int low = type == TENSOR_I32 ? INT32_MIN : type == TENSOR_I8 ? -128 : 0;
  int high = type == TENSOR_I32 ? INT32_MAX : type == TENSOR_I8 ? 127 : 255;
  if (w->p->is_integer && type < TENSOR_I32) w->loops->ints_to_floats(x, n, type != TENSOR_F32);
  else if (w->p->is_integer && type > TENSOR_I32) w->loops->clamp_ints(x, n, low, high);
  else if (!w->p->is_integer && type >= TENSOR_I32) w->loops->floats_to_ints(x, n, low, high);
}

static int changes_kind(const tensor_map_parameters *p) {
  return p->is_integer ? p->type[TENSOR_OUT] != TENSOR_I32 : p->type[TENSOR_OUT] >= TENSOR_I32;
}

static void mark_zeros(const map_work *w, const moho_word *b, size_t n) {
  int met = 0;
  for (size_t k = 0; k < n; k++) met |= b[k].i == 0;
  if (met) __atomic_store_n((uint32_t *)w->buffers[4], 1u, __ATOMIC_RELAXED);
}

static const moho_word *direct(const map_work *w, int operand, uint32_t begin) {
  const tensor_map_parameters *p = w->p;
  if (!p->is_flat || !is_word(p->type[operand]) || p->stride[operand * TENSOR_RANK] != 1) return NULL;
  return (const moho_word *)w->buffers[operand] + p->first[operand] + begin;
}

/* The function that a block's words go through; where it stores past the caches by itself, *is_past is set. */
static moho_block_function function_of(const map_work *w, const moho_word *out, int *is_past) {
  const tensor_map_parameters *p = w->p;
  moho_block_function past = p->is_integer || changes_kind(p) ? NULL : w->loops->past_float[p->operation];
  *is_past = past && out && p->is_streamed && (uintptr_t)out % 64 == 0;
  return *is_past ? past : w->function;
}

/* Result words go to the output: past the caches where they are of the output's width and lie well, else by conversion. */
static void put(const map_work *w, uint32_t begin, size_t n, const moho_word *result) {
  const tensor_map_parameters *p = w->p;
  moho_word packed[BLOCK];
  size_t width = type_bytes[p->type[TENSOR_OUT]];
  char *to = (char *)w->buffers[TENSOR_OUT] + ((size_t)p->first[TENSOR_OUT] + begin) * width;
  if (!p->is_streamed || !p->is_flat || (uintptr_t)to % 64) {
    scatter(w, begin, n, result);
    return;
  }
  if (!is_word(p->type[TENSOR_OUT])) w->loops->store[p->type[TENSOR_OUT]](packed, 0, 1, result, n), result = packed;
  w->loops->stream(to, result, n * width);
}

static void run_block(const map_work *w, uint32_t begin, size_t n, moho_word (*own)[BLOCK]) {
  const tensor_map_parameters *p = w->p;
  const moho_word *in[3];
  for (int k = 0; k < 3; k++) {
    in[k] = is_constant(p, k) ? own[k] : direct(w, k, begin);
    if (in[k]) continue;
    gather(w, k, begin, n, own[k]);
    in[k] = own[k];
  }
  int is_past;
  moho_word *out = (moho_word *)(uintptr_t)direct(w, TENSOR_OUT, begin);
  moho_block_function function = function_of(w, out, &is_past);
  int lands = is_past || (out && !p->is_streamed && !changes_kind(p));
  moho_word *result = lands ? out : own[3];
  if (p->operation == TENSOR_DIV && p->is_integer) mark_zeros(w, in[1], n);
  if (function) function(result, in[0], in[1], in[2], n, number(p, 0), number(p, 1));
  else if (!lands && !changes_kind(p)) result = (moho_word *)(uintptr_t)in[0];
  else if (result != in[0]) memcpy(result, in[0], n * sizeof *result);
  if (lands) return;
  if (changes_kind(p)) convert(w, result, n);
  put(w, begin, n, result);
}

/* Sixteen bits a number, all alike, in and out: 1 when the block was computed so. */
static int run_halves(const map_work *w, uint32_t begin, size_t n, moho_word (*own)[BLOCK]) {
  const tensor_map_parameters *p = w->p;
  uint32_t type = p->type[TENSOR_OUT];
  if ((type != TENSOR_F16 && type != TENSOR_BF16) || n % MOHO_HALF_CHUNK) return 0;
  const uint16_t *half[3];
  const moho_word *const words[] = {own[0], own[1], own[2]};
  uint16_t *out = (uint16_t *)w->buffers[TENSOR_OUT] + p->first[TENSOR_OUT] + begin;
  for (int k = 0; k < 3; k++) {
    half[k] = is_constant(p, k) ? NULL : (const uint16_t *)w->buffers[k] + p->first[k] + begin;
    if (half[k] && p->type[k] != type) return 0;
  }
  if ((uintptr_t)out % 64 || (!w->function && (p->operation != TENSOR_COPY || !half[0]))) return 0;
  moho_half_function past = w->loops->past_half[type - TENSOR_F16];
  if (w->function) past(out, half, words, n, w->function, number(p, 0), number(p, 1));
  else w->loops->stream(out, half[0], n * sizeof *out);
  return 1;
}

/* Asks for the next block's lines while this one is computed. */
static void fetch(const map_work *w, uint32_t begin, uint32_t most, uint32_t end) {
  const tensor_map_parameters *p = w->p;
  size_t n = moho_smaller(most, end - begin);
  for (int k = 0; k < 3; k++) {
    if (is_constant(p, k)) continue;
    size_t width = type_bytes[p->type[k]];
    moho_fetch((const char *)w->buffers[k] + ((size_t)p->first[k] + begin) * width, n * width);
  }
}

static void run_share(const map_work *w, uint32_t begin, uint32_t end) {
  moho_word own[4][BLOCK];
  int goes_past = w->p->is_streamed && w->p->is_flat;
  uint32_t most = goes_past ? (uint32_t)moho_smaller(BLOCK, PAST_BYTES / type_bytes[w->p->type[TENSOR_OUT]]) : BLOCK;
  for (int k = 0; k < 3; k++)
    if (is_constant(w->p, k)) spread(w, k, own[k]);
  for (uint32_t at = begin; at < end;) {
    uint32_t n = (uint32_t)moho_smaller(most, end - at);
    if (!goes_past || !run_halves(w, at, n, own)) {
      if (goes_past) fetch(w, at + n, most, end);
      run_block(w, at, n, own);
    }
    at += n;
  }
  if (w->p->is_streamed) w->loops->end_stream();
}

void moho_native_map(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  (void)groups, (void)lanes;
  const tensor_map_parameters *p = parameters;
  const moho_tensor_loops *loops = moho_tensor_loops_of(p->simd);
  map_work w = {.p = p,
                .loops = loops,
                .buffers = buffers,
                .function = p->is_integer ? loops->of_int[p->operation] : loops->of_float[p->operation]};
  uint32_t most = p->n / WORTH_A_THREAD, threads = (uint32_t)moho_smaller(p->threads, most ? most : 1);
  if (threads <= 1) {
    run_share(&w, 0, p->n);
    return;
  }
  uint32_t share = (uint32_t)moho_round_up(moho_pieces(p->n, threads), BLOCK);
#pragma omp parallel for num_threads((int)threads) schedule(static)
  for (uint32_t t = 0; t < threads; t++)
    if ((uint64_t)t * share < p->n) run_share(&w, t * share, (uint32_t)moho_smaller(p->n, ((size_t)t + 1) * share));
}
