/* tensor_matmul.c - matrix products: two small matrices, then a layer y = relu(x W' + bias), W transposed by a view.
 *
 *   tensor_matmul [DEVICE]
 */
#include <math.h>

#include <moho/matmul.h>

#include "example.h"

enum { M = 4, N = 3, K = 5 };

/* [[1, 2, 3], [4, 5, 6]] . [[7, 8], [9, 10], [11, 12]] */
static int small_product(moho_device *device) {
  float a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12}, product[4];
  moho_tensor x, y, z;
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){2, 3}, a, MOHO_HOST_COPY, &x));
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){3, 2}, b, MOHO_HOST_COPY, &y));
  check(moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){2, 2}, &z));
  check(moho_matmul(NULL, &x, &y, &z, NULL));
  check(moho_tensor_read(&z, product));
  printf("[[%g, %g], [%g, %g]]\n", (double)product[0], (double)product[1], (double)product[2], (double)product[3]);
  check(moho_tensor_destroy(&x));
  check(moho_tensor_destroy(&y));
  check(moho_tensor_destroy(&z));
  return product[0] == 58 && product[1] == 64 && product[2] == 139 && product[3] == 154;
}

/* A layer's weights lie [outputs, inputs]: the product wants them transposed, which is a view. */
static int layer(moho_device *device) {
  float x[M * K], w[N * K], bias[N] = {0.5f, -1, 2}, y[M * N];
  for (int i = 0; i < M * K; i++) x[i] = (float)(i % 7) - 3;
  for (int i = 0; i < N * K; i++) w[i] = (float)(i % 5) - 2;
  moho_tensor in, weights, transposed, bias_row, out;
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){M, K}, x, MOHO_HOST_COPY, &in));
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){N, K}, w, MOHO_HOST_COPY, &weights));
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 1, (size_t[]){N}, bias, MOHO_HOST_COPY, &bias_row));
  check(moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){M, N}, &out));
  check(moho_tensor_transpose(&weights, 0, 1, &transposed));
  moho_matmul_options options = moho_matmul_options_default();
  options.bias = &bias_row;
  options.activation = MOHO_OPERATION_RELU;
  check(moho_matmul(NULL, &in, &transposed, &out, &options));
  check(moho_tensor_read(&out, y));
  int good = 1;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      float sum = bias[j];
      for (int k = 0; k < K; k++) sum += x[i * K + k] * w[j * K + k];
      good &= y[i * N + j] == fmaxf(sum, 0); /* small whole numbers: exact in any order */
    }
  printf("relu(x W' + bias): %s\n", good ? "as by hand" : "WRONG");
  check(moho_tensor_destroy(&in));
  check(moho_tensor_destroy(&weights));
  check(moho_tensor_destroy(&bias_row));
  check(moho_tensor_destroy(&out));
  return good;
}

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);
  const char *why, *library = moho_matmul_library(device, &why);
  printf("computed by %s%s\n", library ? library : "our own kernels: ", library ? "" : why);
  int good = small_product(device) & layer(device);
  check(moho_device_close(&device));
  return !good;
}
