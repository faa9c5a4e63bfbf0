/* bench_tensor_matmul.c - moho bench tensor, groups matmul (by the library and by our own kernels) and ternary (BitNet products).
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_tensor.h"
#include "command.h"

/* ---- the matrix library, called directly ---- */

typedef void (*sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                               int lda, const float *b, int ldb, float beta, float *c, int ldc);
enum { ROW_MAJOR = 101, AS_IT_IS = 111 };

typedef struct direct_product {
  sgemm_function sgemm;
  float *a, *b, *c;
  int n;
} direct_product;

static void run_direct(const void *user) {
  const direct_product *p = user;
  p->sgemm(ROW_MAJOR, AS_IT_IS, AS_IT_IS, p->n, p->n, p->n, 1, p->a, p->n, p->b, p->n, 0, p->c, p->n);
}

/* The one that the runtime has loaded, told the right processor and one thread; NULL: another than those, or none. */
static sgemm_function loaded_sgemm(void) {
  static const char *const names[] = {"libopenblas.so.0", "libopenblas.so",
                                      "/System/Library/Frameworks/Accelerate.framework/Accelerate", "libopenblas.0.dylib"};
  const char *named = getenv("MOHO_BLAS");
  sgemm_function sgemm = NULL;
  for (size_t i = 0; !sgemm && i < sizeof names / sizeof *names; i++) {
    void *library = dlopen(named && *named ? named : names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (library) *(void **)&sgemm = dlsym(library, "cblas_sgemm");
  }
  return sgemm;
}

/* Its own arrays: what our buffers' places have of good or bad counts. */
static int make_direct(size_t n, const float *values, direct_product *out) {
  float **const arrays[] = {&out->a, &out->b, &out->c};
  *out = (direct_product){.sgemm = loaded_sgemm(), .n = (int)n};
  for (int i = 0; i < 3; i++) {
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, n * n * sizeof(float))) return 0;
    *arrays[i] = memory;
    for (size_t k = 0; k < n * n; k++) (*arrays[i])[k] = values[i];
  }
  return out->sgemm != NULL;
}

static void free_direct(direct_product *p) {
  free(p->a), free(p->b), free(p->c);
}

/* ---- matmul ---- */

static moho_status run_prepared(void *user, moho_queue *queue) {
  return moho_prepared_run(user, queue);
}

static moho_status make_square(moho_device *device, moho_dtype dtype, size_t n, double value, moho_tensor *out) {
  moho_status status = moho_tensor_create(device, dtype, 2, (size_t[]){n, n}, out);
  return status ? status : moho_tensor_fill(NULL, out, value);
}

/* Square matrices and their product by the library and by ourselves; NULL where there is none of the kind. */
typedef struct square {
  moho_dtype dtype;
  size_t n;
  moho_tensor tensors[3];
  moho_prepared *library, *own;
} square;

static int prepare_product(const square *s, moho_matmul_method method, moho_prepared **out) {
  moho_matmul_options options = moho_matmul_options_default();
  options.method = method;
  if (!moho_matmul_prepare(&s->tensors[0], &s->tensors[1], &s->tensors[2], &options, out)) return EXIT_GOOD;
  if (moho_last_error()->code != MOHO_ERROR_NOT_AVAILABLE) return print_error();
  fprintf(stderr, "moho: bench: left out: %s\n", moho_last_error()->message);
  return EXIT_GOOD;
}

static int prepare_square(bench_tensor *b, moho_dtype dtype, size_t n, square *out) {
  static const double values[] = {0.5, 1.5, 2.5};
  *out = (square){.dtype = dtype, .n = n};
  for (int i = 0; i < 3; i++)
    if (make_square(b->device, dtype, n, values[i], &out->tensors[i])) return print_error();
  int code = prepare_product(out, MOHO_MATMUL_LIBRARY, &out->library);
  return code ? code : prepare_product(out, MOHO_MATMUL_OWN, &out->own);
}

static void free_square(square *s) {
  moho_prepared_destroy(&s->library);
  moho_prepared_destroy(&s->own);
  for (int i = 0; i < 3; i++) moho_tensor_destroy(&s->tensors[i]);
}

static int time_product(bench_tensor *b, const square *s, moho_prepared *prepared, const char *word, const bench_rival *rival) {
  char name[64];
  double side = (double)s->n, bits = (double)moho_dtype_bits(s->dtype);
  if (!prepared) return EXIT_GOOD;
  snprintf(name, sizeof name, "matmul %s %zu by %s", moho_dtype_name(s->dtype), s->n, word);
  return bench_tensor_time(b, &(bench_tensor_case){.group = "matmul",
                                                   .name = name,
                                                   .bytes = 3 * bits / 8 * side * side,
                                                   .operations = 2 * side * side * side,
                                                   .run = run_prepared,
                                                   .user = prepared,
                                                   .rival = rival,
                                                   .repeats = s->n < 512 ? 10 : 1});
}

/* On the cpu each beside the library called directly, within 3 % of it by the runtime; on a GPU our own kernels beside the
 * library, turn by turn. */
static int time_size(bench_tensor *b, moho_dtype dtype, size_t n) {
  static const float values[] = {0.5f, 1.5f, 2.5f};
  direct_product direct = {0};
  square s;
  int code = prepare_square(b, dtype, n, &s);
  int is_beside = !code && b->report.has_native && s.library && make_direct(n, values, &direct);
  bench_rival beside = {.name = "the library called directly", .run = run_direct, .user = &direct, .asked = 0.97};
  const bench_rival library = {
      .name = "the library", .prepared = s.library, .asked = dtype == MOHO_DTYPE_F32 && n >= 4096 ? 0.4 : 0};
  if (!code) code = time_product(b, &s, s.library, "the library", is_beside ? &beside : NULL);
  beside.asked = 0;
  const bench_rival *rival = is_beside ? &beside : !b->report.has_native && s.library ? &library : NULL;
  if (!code) code = time_product(b, &s, s.own, "our kernels", rival);
  free_direct(&direct);
  free_square(&s);
  return code;
}

/* ---- ternary, on plain arrays: a core ---- */

typedef struct plain_product {
  moho_ternary_weights weights;
  moho_ternary_run run;
  int8_t *xq;
  int32_t *out;
  size_t m, k_stride;
} plain_product;

static moho_status run_plain(void *user, moho_queue *queue) {
  (void)queue;
  const plain_product *p = user;
  return moho_ternary_multiply(&p->weights, p->xq, p->m, p->k_stride, p->out, &p->run);
}

static int time_plain(bench_tensor *b, plain_product *p, size_t bytes) {
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++) {
    char name[64];
    if (!strcmp(*simd, "scalar")) continue; /* seconds */
    p->run = (moho_ternary_run){.simd = *simd, .threads = 1};
    snprintf(name, sizeof name, "m %zu, n = k = %zu, %s, a core", p->m, p->weights.n, *simd);
    int code =
        bench_tensor_time(b, &(bench_tensor_case){.group = "ternary",
                                                  .name = name,
                                                  .bytes = (double)bytes,
                                                  .operations = 2.0 * (double)p->m * (double)p->weights.n * (double)p->weights.k,
                                                  .run = run_plain,
                                                  .user = p});
    if (code) return code;
  }
  return EXIT_GOOD;
}

/* Codes 0, 1, 2, 1 in each byte: time does not depend on them. */
enum { SOME_CODES = 0x64 };

static int time_on_arrays(bench_tensor *b, size_t m, size_t n) {
  size_t bytes, stride = n + 64;
  if (moho_ternary_packed_bytes(MOHO_TERNARY_LANES, n, n, &bytes)) return print_error();
  void *lanes = malloc(bytes);
  plain_product p = {.weights = {.n = n, .k = n, .lanes = lanes},
                     .xq = calloc(m, stride),
                     .out = malloc(m * n * sizeof(int32_t)),
                     .m = m,
                     .k_stride = stride};
  int code = EXIT_FAILED;
  if (lanes && p.xq && p.out) {
    memset(lanes, SOME_CODES, bytes);
    code = time_plain(b, &p, bytes);
  } else {
    fprintf(stderr, "moho: bench: out of memory\n");
  }
  free(lanes), free(p.xq), free(p.out);
  return code;
}

/* ---- ternary, layers on a device ---- */

static moho_status make_layer(moho_device *device, size_t n, moho_bitnet_weights *out) {
  size_t bytes, one = 1;
  *out = (moho_bitnet_weights){.n = n, .k = n};
  moho_status status = moho_ternary_packed_bytes(MOHO_TERNARY_LANES, n, n, &bytes);
  if (!status) status = moho_tensor_create(device, MOHO_DTYPE_U8, 1, &bytes, &out->lanes);
  if (!status) status = moho_tensor_fill(NULL, &out->lanes, SOME_CODES);
  if (!status) status = moho_tensor_create(device, MOHO_DTYPE_F32, 1, &one, &out->scales);
  return status ? status : moho_tensor_fill(NULL, &out->scales, 1);
}

static moho_status prepare_layer(moho_device *device, const moho_bitnet_weights *weights, size_t m, moho_tensor tensors[2],
                                 moho_prepared **out) {
  moho_status status = moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){m, weights->k}, &tensors[0]);
  if (!status) status = moho_tensor_fill(NULL, &tensors[0], 0.25);
  if (!status) status = moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){m, weights->n}, &tensors[1]);
  return status ? status : moho_bitnet_prepare(weights, &tensors[0], &tensors[1], NULL, out);
}

static int time_layer(bench_tensor *b, const moho_bitnet_weights *weights, size_t m) {
  char name[64];
  moho_tensor tensors[2] = {{0}};
  moho_prepared *prepared = NULL;
  double n = (double)weights->n, packed = (double)moho_tensor_bytes(&weights->lanes);
  int code = prepare_layer(b->device, weights, m, tensors, &prepared) ? print_error() : EXIT_GOOD;
  snprintf(name, sizeof name, "BitLinear m %zu, n = k = %zu", m, weights->n);
  if (!code)
    code = bench_tensor_time(b, &(bench_tensor_case){.group = "ternary",
                                                     .name = name,
                                                     .bytes = packed + 8 * (double)m * n,
                                                     .operations = 2 * (double)m * n * n,
                                                     .run = run_prepared,
                                                     .user = prepared});
  moho_prepared_destroy(&prepared);
  for (int i = 0; i < 2; i++) moho_tensor_destroy(&tensors[i]);
  return code;
}

static int time_layers(bench_tensor *b, size_t n) {
  static const size_t rows[] = {1, 4, 16, 64, 256};
  moho_bitnet_weights weights = {0};
  int code = make_layer(b->device, n, &weights) ? print_error() : EXIT_GOOD;
  for (size_t i = 0; !code && i < sizeof rows / sizeof *rows; i++) code = time_layer(b, &weights, rows[i]);
  moho_bitnet_weights_destroy(&weights);
  return code;
}

/* ---- */

int bench_tensor_matmul(bench_tensor *b) {
  int is_cpu = b->report.has_native;
  static const size_t small[] = {256, 512, 1024, 2048}, large[] = {1024, 4096};
  const size_t *sizes = is_cpu ? small : large;
  int code = EXIT_GOOD;
  for (size_t i = 0; !code && i < (is_cpu ? 4 : 2); i++) code = time_size(b, MOHO_DTYPE_F32, sizes[i]);
  for (moho_dtype dtype = MOHO_DTYPE_F16; !code && !is_cpu && dtype <= MOHO_DTYPE_BF16; dtype++) code = time_size(b, dtype, 4096);
  if (!code && is_cpu) code = time_on_arrays(b, 256, 4096);
  if (!code && is_cpu) code = time_on_arrays(b, 64, 4096);
  if (!code && is_cpu) code = time_on_arrays(b, 1, 8192);
  return code ? code : time_layers(b, is_cpu ? 4096 : 32768);
}
