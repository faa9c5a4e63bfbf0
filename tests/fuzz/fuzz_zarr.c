/* fuzz_zarr.c - any bytes as .zarray metadata and a chunk: numbers or an error with words, never a crash.
 *
 * The input is JSON up to the first NUL; what follows is the chunk. The JSON is also tried as the grid of an image.
 */
#include <stdlib.h>
#include <string.h>

#include "survey/grid_json.h"
#include "survey/zarr_convert.h"
#include "survey/zarr_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHUNK_AT_MOST = 1 << 20 };

static void require(int condition) {
  if (!condition) abort();
}

static void require_words(moho_status status) {
  require(moho_last_error()->code == status && moho_last_error()->message[0]);
}

static void read_chunk(const moho_zarr_layout *layout, const uint8_t *packed, size_t packed_bytes) {
  static const moho_zarr_type wanted[] = {MOHO_ZARR_F4, MOHO_ZARR_F8, MOHO_ZARR_I4, MOHO_ZARR_U1};
  size_t elements = moho_zarr_chunk_elements(layout), bytes = elements * moho_zarr_type_bytes(layout->type);
  if (bytes > CHUNK_AT_MOST) return;
  void *chunk = malloc(bytes), *numbers = malloc(elements * 8);
  if (chunk && numbers) {
    moho_zarr_fill_chunk(layout, chunk, elements);
    moho_status status = moho_zarr_decode(layout->codec, packed, packed_bytes, chunk, bytes, "fuzz");
    if (status) require_words(status);
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) moho_zarr_convert(layout, chunk, elements, wanted[w], numbers);
  }
  free(chunk);
  free(numbers);
}

static void read_layout(const json_t *json, const uint8_t *packed, size_t packed_bytes) {
  moho_zarr_layout layout;
  moho_status status = moho_zarr_layout_parse(json, "fuzz", &layout);
  if (status) {
    require_words(status);
    return;
  }
  char name[96];
  size_t index[MOHO_ZARR_AXES] = {0}, chunks = 1;
  for (size_t a = 0; a < layout.n_axes; a++) chunks *= moho_zarr_chunk_count(&layout, a);
  moho_zarr_chunk_index(&layout, chunks - 1, index);
  moho_zarr_chunk_name(&layout, index, name);
  for (size_t a = 0; a < layout.n_axes; a++) require(index[a] == moho_zarr_chunk_count(&layout, a) - 1);
  read_chunk(&layout, packed, packed_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *end = size ? memchr(data, 0, size) : NULL;
  size_t text = end ? (size_t)(end - data) : size, rest = end ? size - text - 1 : 0;
  json_t *json = json_loadb((const char *)data, text, 0, NULL);
  if (json_is_object(json)) {
    moho_grid grid;
    read_layout(json, end ? end + 1 : data, rest);
    moho_status status = moho_grid_from_json(json, "fuzz", &grid);
    if (status) require_words(status);
    else moho_grid_release(&grid);
  }
  json_decref(json);
  return 0;
}
