/* bench_tensor_elementwise.c - element-wise operations, reductions, softmax and norms beside a copy, on the cpu beside STREAM's
 * loops; small ones beside a plain loop, softmax and gelu beside loops of the C library's functions. */
#include <math.h>
#include <string.h>

#include "bench_tensor.h"
#include "command.h"

/* ---- large ---- */

typedef struct prepared_case {
  moho_prepared *prepared;
} prepared_case;

static moho_status run_prepared(void *user, moho_queue *queue) {
  return moho_prepared_run(((prepared_case *)user)->prepared, queue);
}

/* A stream as a rival. */
typedef struct stream_run {
  const bench_stream *stream;
  bench_stream_kind kind;
} stream_run;

static void run_stream(const void *user) {
  const stream_run *run = user;
  (void)bench_stream_run(run->stream, run->kind);
}

/* What only moves numbers is asked to be as fast as they can be moved; what computes is told beside it. */
static const double asked_of_movers = 0.85;

static int time_call(bench_tensor *b, const char *group, const char *name, const moho_tensor_call *call, double bytes,
                     bench_stream_kind kind, double asked) {
  prepared_case p;
  const stream_run stream = {&b->stream, kind};
  const bench_rival rival = {.name = bench_stream_name(kind),
                             .run = run_stream,
                             .user = &stream,
                             .bytes = bench_stream_bytes(&b->stream, kind),
                             .asked = asked};
  if (moho_tensor_prepare(call, &p.prepared)) return print_error();
  int code = bench_tensor_time(
      b,
      &(bench_tensor_case){
          .group = group, .name = name, .bytes = bytes, .run = run_prepared, .user = &p, .rival = b->stream.n ? &rival : NULL});
  moho_prepared_destroy(&p.prepared);
  return code;
}

/* Three tensors of n elements of a dtype, filled. */
typedef struct operands {
  moho_tensor a, b, out;
} operands;

static moho_status make(bench_tensor *b, moho_dtype dtype, size_t n, operands *o) {
  moho_status status = moho_tensor_create(b->device, dtype, 1, &n, &o->a);
  if (!status) status = moho_tensor_create(b->device, dtype, 1, &n, &o->b);
  if (!status) status = moho_tensor_create(b->device, dtype, 1, &n, &o->out);
  if (!status) status = moho_tensor_fill(NULL, &o->a, 0.5);
  if (!status) status = moho_tensor_fill(NULL, &o->b, 0.25);
  return status ? status : moho_tensor_fill(NULL, &o->out, 0);
}

static void release(operands *o) {
  moho_tensor_destroy(&o->a);
  moho_tensor_destroy(&o->b);
  moho_tensor_destroy(&o->out);
}

static int time_elementwise(bench_tensor *b, moho_dtype dtype, size_t n) {
  static const struct {
    moho_operation operation;
    int inputs, computes;
  } cases[] = {{MOHO_OPERATION_COPY, 1, 0},
               {MOHO_OPERATION_ADD, 2, 0},
               {MOHO_OPERATION_MUL, 2, 0},
               {MOHO_OPERATION_RELU, 1, 0},
               {MOHO_OPERATION_EXP, 1, 1},
               {MOHO_OPERATION_SIGMOID, 1, 1},
               {MOHO_OPERATION_TANH, 1, 1},
               {MOHO_OPERATION_GELU_TANH, 1, 1},
               {MOHO_OPERATION_GELU_ERF, 1, 1},
               {MOHO_OPERATION_LOG, 1, 1},
               {MOHO_OPERATION_GELU_ERF_BACKWARD, 2, 1}};
  operands o = {0};
  int code = make(b, dtype, n, &o) ? print_error() : EXIT_GOOD;
  size_t some = dtype == MOHO_DTYPE_F32 ? sizeof cases / sizeof *cases : 4;
  for (size_t i = 0; !code && i < some; i++) {
    char name[60];
    snprintf(name, sizeof name, "%s %s", moho_operation_name(cases[i].operation), moho_dtype_name(dtype));
    moho_tensor_call call = {
        .operation = cases[i].operation, .inputs = {&o.a, cases[i].inputs > 1 ? &o.b : NULL}, .output = &o.out};
    code = time_call(b, "element-wise", name, &call, (double)(cases[i].inputs + 1) * (double)moho_tensor_bytes(&o.a),
                     cases[i].inputs > 1 ? BENCH_STREAM_ADD : BENCH_STREAM_COPY, cases[i].computes ? 0 : asked_of_movers);
  }
  release(&o);
  return code;
}

/* x as [rows, n / rows]; an operation along `axis` whose output has its shape, or that without the axis. */
static int time_rows(bench_tensor *b, const operands *o, const char *group, moho_operation operation, size_t columns, int axis,
                     int keeps_shape) {
  moho_tensor x, y;
  size_t shape[2] = {b->elements / columns, columns}, kept = axis ? shape[0] : shape[1];
  char name[80];
  if (moho_tensor_view(o->a.buffer, 0, MOHO_DTYPE_F32, 2, shape, NULL, &x)) return print_error();
  moho_status status =
      moho_tensor_view(o->out.buffer, 0, MOHO_DTYPE_F32, keeps_shape ? 2 : 1, keeps_shape ? shape : &kept, NULL, &y);
  if (status) return print_error();
  snprintf(name, sizeof name, "%s f32 [%zu, %zu] along %d", moho_operation_name(operation), shape[0], shape[1], axis);
  moho_tensor_call call = {.operation = operation, .inputs = {&x}, .output = &y, .axis = axis, .scalars = {1e-5}};
  return time_call(b, group, name, &call, (double)moho_tensor_bytes(&x) + (double)moho_tensor_bytes(&y),
                   keeps_shape ? BENCH_STREAM_COPY : BENCH_STREAM_READ, keeps_shape ? 0 : asked_of_movers);
}

static int time_reductions(bench_tensor *b) {
  operands o = {0};
  moho_tensor one;
  int code = make(b, MOHO_DTYPE_F32, b->elements, &o) ? print_error() : EXIT_GOOD;
  if (!code && moho_tensor_view(o.out.buffer, 0, MOHO_DTYPE_F32, 0, NULL, NULL, &one)) code = print_error();
  static const moho_operation all[] = {MOHO_OPERATION_SUM, MOHO_OPERATION_REDUCE_MAX};
  for (size_t i = 0; !code && i < 2; i++) {
    char name[60];
    snprintf(name, sizeof name, "%s f32", moho_operation_name(all[i]));
    moho_tensor_call call = {.operation = all[i], .inputs = {&o.a}, .output = &one, .axis = MOHO_ALL_AXES};
    code = time_call(b, "reductions", name, &call, (double)moho_tensor_bytes(&o.a), BENCH_STREAM_READ, asked_of_movers);
  }
  if (!code) code = time_rows(b, &o, "reductions", MOHO_OPERATION_SUM, 4096, 1, 0);
  if (!code) code = time_rows(b, &o, "reductions", MOHO_OPERATION_SUM, 4096, 0, 0);
  static const size_t columns[] = {1024, 1000, 4096, 8192};
  for (size_t i = 0; !code && i < sizeof columns / sizeof *columns; i++)
    code = time_rows(b, &o, "rows", MOHO_OPERATION_SOFTMAX, columns[i], 1, 1);
  if (!code) code = time_rows(b, &o, "rows", MOHO_OPERATION_LAYER_NORM, 1024, 1, 1);
  release(&o);
  return code;
}

int bench_tensor_elementwise(bench_tensor *b) {
  int code = time_elementwise(b, MOHO_DTYPE_F32, b->elements);
  if (!code) code = time_elementwise(b, MOHO_DTYPE_F16, b->elements);
  if (!code) code = time_elementwise(b, MOHO_DTYPE_BF16, b->elements);
  return code ? code : time_reductions(b);
}

/* ---- small, and the C library's functions, on the cpu ---- */

enum { SMALL = 10000, REPEATS = 1000 };

typedef struct plain_run {
  void (*loop)(float *restrict out, const float *restrict a, const float *restrict b, size_t n);
  float *out, *a, *b;
} plain_run;

static void run_plain(const void *user) {
  const plain_run *run = user;
  run->loop(run->out, run->a, run->b, SMALL);
}

__attribute__((noinline)) static void plain_add(float *restrict out, const float *restrict a, const float *restrict b, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

__attribute__((noinline)) static void plain_gelu(float *restrict out, const float *restrict a, const float *restrict b,
                                                 size_t n) {
  (void)b;
  for (size_t i = 0; i < n; i++) out[i] = 0.5f * a[i] * (1 + tanhf(0.797884561f * (a[i] + 0.044715f * a[i] * a[i] * a[i])));
}

__attribute__((noinline)) static void plain_softmax(float *restrict out, const float *restrict a, const float *restrict b,
                                                    size_t n) {
  (void)b;
  float most = a[0], sum = 0;
  for (size_t i = 1; i < n; i++) most = fmaxf(most, a[i]);
  for (size_t i = 0; i < n; i++) sum += out[i] = expf(a[i] - most);
  for (size_t i = 0; i < n; i++) out[i] /= sum;
}

/* One call of ours beside one loop. */
typedef struct small_case {
  const char *name;
  moho_tensor_call call;
  bench_rival rival;
  int repeats;
} small_case;

static int time_small(bench_tensor *b, const small_case *c, const float *x) {
  prepared_case p;
  if (moho_tensor_write(c->call.inputs[0], x) || moho_tensor_prepare(&c->call, &p.prepared)) return print_error();
  int code = bench_tensor_time(b, &(bench_tensor_case){.group = "10 000 floats in cache, prepared, beside a plain loop",
                                                       .name = c->name,
                                                       .run = run_prepared,
                                                       .user = &p,
                                                       .rival = &c->rival,
                                                       .repeats = c->repeats});
  moho_prepared_destroy(&p.prepared);
  return code;
}

int bench_tensor_small(bench_tensor *b) {
  static float x[SMALL], y[SMALL], z[SMALL];
  operands o = {0};
  if (!b->report.has_native) return EXIT_GOOD;
  for (int i = 0; i < SMALL; i++) x[i] = (float)(i % 100) * 0.03f - 1.5f, y[i] = 0.25f;
  const plain_run add = {plain_add, z, x, y}, gelu = {plain_gelu, z, x, y}, softmax = {plain_softmax, z, x, y};
  const small_case cases[] = {
      {"add f32",
       {.operation = MOHO_OPERATION_ADD, .inputs = {&o.a, &o.b}, .output = &o.out},
       {.name = "a plain loop", .run = run_plain, .user = &add, .asked = 1, .allowance_s = 0.15e-6},
       REPEATS},
      {"gelu_tanh f32",
       {.operation = MOHO_OPERATION_GELU_TANH, .inputs = {&o.a}, .output = &o.out},
       {.name = "a loop of tanhf", .run = run_plain, .user = &gelu, .asked = 4},
       REPEATS / 20},
      {"softmax f32",
       {.operation = MOHO_OPERATION_SOFTMAX, .inputs = {&o.a}, .output = &o.out, .axis = 0},
       {.name = "a loop of expf", .run = run_plain, .user = &softmax, .asked = 4},
       REPEATS / 20},
  };
  int code = make(b, MOHO_DTYPE_F32, SMALL, &o) ? print_error() : EXIT_GOOD;
  for (size_t i = 0; !code && i < sizeof cases / sizeof *cases; i++) code = time_small(b, &cases[i], x);
  release(&o);
  return code;
}
