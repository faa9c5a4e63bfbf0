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

/* Words of a block: four of them fit the first cache. */
enum { BLOCK = 1024 };
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

static void gather(const map_work *w, int operand, uint32_t begin, size_t n, moho_word *to) {
  runs r = runs_from(w->p, operand, begin);
  size_t first, stride = r.stride[0];
  for (size_t done = 0; done < n;) {
    size_t count = next_run(&r, n - done, &first);
    w->loops->load[w->p->type[operand]](to + done, w->buffers[operand], first, stride, count);
    done += count;
  }
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

static void run_block(const map_work *w, uint32_t begin, size_t n, moho_word (*own)[BLOCK]) {
  const tensor_map_parameters *p = w->p;
  const moho_word *in[3];
  for (int k = 0; k < 3; k++) {
    in[k] = is_constant(p, k) ? own[k] : direct(w, k, begin);
    if (in[k]) continue;
    gather(w, k, begin, n, own[k]);
    in[k] = own[k];
  }
  moho_word *out = (moho_word *)(uintptr_t)direct(w, TENSOR_OUT, begin);
  int lands = out && !p->is_streamed && !changes_kind(p);
  moho_word *result = lands ? out : own[3];
  if (p->operation == TENSOR_DIV && p->is_integer) mark_zeros(w, in[1], n);
  if (w->function) w->function(result, in[0], in[1], in[2], n, number(p, 0), number(p, 1));
  else if (!lands && out && !changes_kind(p)) result = (moho_word *)(uintptr_t)in[0];
  else if (result != in[0]) memcpy(result, in[0], n * sizeof *result);
  if (lands) return;
  if (changes_kind(p)) convert(w, result, n);
  if (out && p->is_streamed && (uintptr_t)out % 64 == 0) w->loops->stream(out, result, n * sizeof *out);
  else scatter(w, begin, n, result);
}

static void run_share(const map_work *w, uint32_t begin, uint32_t end) {
  moho_word own[4][BLOCK];
  for (int k = 0; k < 3; k++)
    if (is_constant(w->p, k)) spread(w, k, own[k]);
  for (uint32_t at = begin; at < end;) {
    uint32_t n = (uint32_t)moho_smaller(BLOCK, end - at);
    run_block(w, at, n, own);
    at += n;
  }
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
