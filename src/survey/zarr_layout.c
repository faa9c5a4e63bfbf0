/* zarr_layout.c - .zarray metadata: parsed with suspicion, written as the Zarr v2 specification says. */
#include "survey/zarr_layout.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"

enum { MOHO_HOST_BIG_ENDIAN = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };
#define JSON_FILE_LIMIT ((size_t)256 << 20)

static const struct {
  char kind;
  char digit;
  moho_zarr_type type;
  size_t bytes;
} types[] = {{'f', '4', MOHO_ZARR_F4, 4}, {'f', '8', MOHO_ZARR_F8, 8}, {'i', '1', MOHO_ZARR_I1, 1}, {'i', '2', MOHO_ZARR_I2, 2},
             {'i', '4', MOHO_ZARR_I4, 4}, {'i', '8', MOHO_ZARR_I8, 8}, {'u', '1', MOHO_ZARR_U1, 1}, {'u', '2', MOHO_ZARR_U2, 2},
             {'u', '4', MOHO_ZARR_U4, 4}, {'b', '1', MOHO_ZARR_U1, 1}};
enum { N_TYPES = sizeof types / sizeof *types };

size_t moho_zarr_type_bytes(moho_zarr_type type) {
  for (size_t i = 0; i < N_TYPES; i++)
    if (types[i].type == type) return types[i].bytes;
  return 0;
}

moho_status moho_zarr_join(const char *path, const char *name, const char *rest, char **out) {
  if (asprintf(out, "%s/%s%s%s", path, name, rest ? "/" : "", rest ? rest : "") >= 0) return MOHO_OK;
  *out = NULL;
  return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
}

moho_status moho_zarr_read_json(const char *file, json_t **out) {
  char *text;
  size_t bytes;
  json_error_t error;
  *out = NULL;
  MOHO_TRY(moho_file_read_all(file, JSON_FILE_LIMIT, &text, &bytes));
  *out = json_loadb(text, bytes, 0, &error);
  free(text);
  if (!*out)
    return moho_fail_at((moho_place){.file = file, .line = error.line, .column = error.column},
                        "the file must hold one JSON object; write or copy the group again", MOHO_ERROR_FORMAT,
                        "%s is not JSON: line %d, column %d: %s", file, error.line, error.column, error.text);
  if (json_is_object(*out)) return MOHO_OK;
  json_decref(*out), *out = NULL;
  return moho_fail_at((moho_place){.file = file}, NULL, MOHO_ERROR_FORMAT, "%s holds JSON that is no object { ... }", file);
}

static moho_status parse_type(const json_t *dtype, const char *file, moho_zarr_layout *out) {
  const char *text = json_string_value(dtype);
  if (text && strlen(text) == 3 && strchr("<>|=", text[0]))
    for (size_t i = 0; i < N_TYPES; i++)
      if (types[i].kind == text[1] && types[i].digit == text[2]) {
        out->type = types[i].type;
        out->big_endian = text[0] == '>' || (text[0] == '=' && MOHO_HOST_BIG_ENDIAN);
        return MOHO_OK;
      }
  return moho_fail_at((moho_place){.file = file}, "convert the array to float32 or int32", MOHO_ERROR_FORMAT,
                      "%s: dtype is %s, expected one like \"<f4\", \"<f8\", \"<i4\", \"<i8\", \"<i2\" or \"|u1\"", file,
                      text ? text : "not a string");
}

static moho_status parse_sizes(const json_t *sizes, const char *key, const char *file, size_t *n_axes, size_t *out) {
  size_t n = json_array_size(sizes), product = 1;
  if (!json_is_array(sizes) || n < 1 || n > MOHO_ZARR_AXES)
    return moho_fail_at((moho_place){.file = file}, NULL, MOHO_ERROR_FORMAT, "%s: %s is no list of 1 to %d whole numbers", file,
                        key, (int)MOHO_ZARR_AXES);
  for (size_t a = 0; a < n; a++) {
    const json_t *size = json_array_get(sizes, a);
    if (!json_is_integer(size) || json_integer_value(size) < 1)
      return moho_fail_at((moho_place){.file = file}, NULL, MOHO_ERROR_FORMAT,
                          "%s: %s of axis %zu is not a whole number of at least 1", file, key, a);
    out[a] = (size_t)json_integer_value(size);
    if (moho_multiply(product, out[a], key, &product) || product > SIZE_MAX / 16)
      return moho_fail_at((moho_place){.file = file}, "the metadata is damaged: no such array can exist", MOHO_ERROR_FORMAT,
                          "%s: the product of %s is more than this machine can count", file, key);
  }
  *n_axes = n;
  return MOHO_OK;
}

static moho_status parse_shape(const json_t *metadata, const char *file, moho_zarr_layout *out) {
  size_t chunk_axes;
  MOHO_TRY(parse_sizes(json_object_get(metadata, "shape"), "shape", file, &out->n_axes, out->shape));
  MOHO_TRY(parse_sizes(json_object_get(metadata, "chunks"), "chunks", file, &chunk_axes, out->chunk));
  if (chunk_axes != out->n_axes)
    return moho_fail_at((moho_place){.file = file}, NULL, MOHO_ERROR_FORMAT, "%s: shape has %zu axes, chunks has %zu", file,
                        out->n_axes, chunk_axes);
  if (moho_zarr_chunk_elements(out) > (size_t)(INT_MAX - 64) / moho_zarr_type_bytes(out->type))
    return moho_fail_at((moho_place){.file = file}, "rewrite the array with chunks of some MiB", MOHO_ERROR_FORMAT,
                        "%s: a chunk has %zu elements, more than the 2 GiB that Zarr's codecs take", file,
                        moho_zarr_chunk_elements(out));
  return MOHO_OK;
}

static moho_status parse_codec(const json_t *metadata, const char *file, moho_zarr_layout *out) {
  const json_t *compressor = json_object_get(metadata, "compressor"), *filters = json_object_get(metadata, "filters");
  const char *id = json_string_value(json_object_get(compressor, "id"));
  if (filters && !json_is_null(filters) && json_array_size(filters) > 0)
    return moho_fail_at((moho_place){.file = file}, "rewrite the array without filters (filters=None)", MOHO_ERROR_FORMAT,
                        "%s: the array has filters, which are not read", file);
  if (!compressor || json_is_null(compressor)) out->codec = MOHO_ZARR_RAW;
  else if (id && strcmp(id, "blosc") == 0) out->codec = MOHO_ZARR_BLOSC;
  else if (id && (strcmp(id, "zlib") == 0 || strcmp(id, "gzip") == 0)) out->codec = MOHO_ZARR_ZLIB;
  else
    return moho_fail_at((moho_place){.file = file}, "rewrite the array with compressor Blosc, Zlib, GZip or None",
                        MOHO_ERROR_FORMAT, "%s: compressor is \"%s\", expected blosc, zlib, gzip or null", file,
                        id ? id : "not an object with an id");
  return MOHO_OK;
}

static moho_status parse_fill(const json_t *fill, const char *file, moho_zarr_layout *out) {
  const char *text = json_string_value(fill);
  int is_float = out->type == MOHO_ZARR_F4 || out->type == MOHO_ZARR_F8;
  out->has_fill = 1;
  if (!fill || json_is_null(fill)) out->has_fill = 0;
  else if (json_is_boolean(fill)) out->fill = json_is_true(fill);
  else if (json_is_integer(fill) || (is_float && json_is_real(fill))) out->fill = json_number_value(fill);
  else if (is_float && text && strcmp(text, "NaN") == 0) out->fill = NAN;
  else if (is_float && text && strcmp(text, "Infinity") == 0) out->fill = INFINITY;
  else if (is_float && text && strcmp(text, "-Infinity") == 0) out->fill = -INFINITY;
  else
    return moho_fail_at((moho_place){.file = file}, NULL, MOHO_ERROR_FORMAT,
                        "%s: fill_value is neither null nor a number of the array's type%s", file,
                        is_float ? " nor \"NaN\"" : "");
  return MOHO_OK;
}

static moho_status parse_order(const json_t *metadata, const char *file, moho_zarr_layout *out) {
  const char *order = json_string_value(json_object_get(metadata, "order"));
  const json_t *separator = json_object_get(metadata, "dimension_separator");
  const char *text = separator ? json_string_value(separator) : ".";
  if (!order || (strcmp(order, "C") != 0 && !(strcmp(order, "F") == 0 && out->n_axes == 1)))
    return moho_fail_at((moho_place){.file = file}, "rewrite the array with order=\"C\"", MOHO_ERROR_FORMAT,
                        "%s: order is \"%s\", expected \"C\" (last axis fastest)", file, order ? order : "missing");
  if (!text || (strcmp(text, ".") != 0 && strcmp(text, "/") != 0))
    return moho_fail_at((moho_place){.file = file}, NULL, MOHO_ERROR_FORMAT, "%s: dimension_separator is neither \".\" nor \"/\"",
                        file);
  out->separator = text[0];
  return MOHO_OK;
}

moho_status moho_zarr_layout_parse(const json_t *metadata, const char *file, moho_zarr_layout *out) {
  *out = (moho_zarr_layout){.separator = '.'};
  const json_t *format = json_object_get(metadata, "zarr_format");
  if (!json_is_integer(format) || json_integer_value(format) != 2)
    return moho_fail_at((moho_place){.file = file}, "write the group with zarr_format=2", MOHO_ERROR_FORMAT,
                        "%s: zarr_format is not 2", file);
  MOHO_TRY(parse_type(json_object_get(metadata, "dtype"), file, out));
  MOHO_TRY(parse_shape(metadata, file, out));
  MOHO_TRY(parse_codec(metadata, file, out));
  MOHO_TRY(parse_fill(json_object_get(metadata, "fill_value"), file, out));
  return parse_order(metadata, file, out);
}

static json_t *sizes_to_json(const size_t *sizes, size_t n) {
  json_t *list = json_array();
  for (size_t a = 0; a < n; a++) json_array_append_new(list, json_integer((json_int_t)sizes[a]));
  return list;
}

static json_t *fill_to_json(const moho_zarr_layout *layout) {
  int is_float = layout->type == MOHO_ZARR_F4 || layout->type == MOHO_ZARR_F8;
  if (!layout->has_fill) return json_null();
  if (isnan(layout->fill)) return json_string("NaN");
  if (isinf(layout->fill)) return json_string(layout->fill > 0 ? "Infinity" : "-Infinity");
  return is_float ? json_real(layout->fill) : json_integer((json_int_t)layout->fill);
}

json_t *moho_zarr_layout_to_json(const moho_zarr_layout *layout) {
  char dtype[4] = "";
  for (size_t i = N_TYPES; i-- > 0;)
    if (types[i].type == layout->type && types[i].kind != 'b') dtype[1] = types[i].kind, dtype[2] = types[i].digit;
  dtype[0] = moho_zarr_type_bytes(layout->type) == 1 ? '|' : MOHO_HOST_BIG_ENDIAN ? '>' : '<';
  json_t *compressor = layout->codec == MOHO_ZARR_BLOSC ? json_pack("{s:s, s:s, s:i, s:i, s:i}", "id", "blosc", "cname", "zstd",
                                                                    "clevel", MOHO_ZARR_BLOSC_LEVEL, "shuffle", 1, "blocksize", 0)
                                                        : json_pack("{s:s, s:i}", "id", "zlib", "level", MOHO_ZARR_ZLIB_LEVEL);
  return json_pack("{s:i, s:o, s:o, s:s, s:o, s:o, s:s, s:n, s:s}", "zarr_format", 2, "shape",
                   sizes_to_json(layout->shape, layout->n_axes), "chunks", sizes_to_json(layout->chunk, layout->n_axes), "dtype",
                   dtype, "compressor", compressor, "fill_value", fill_to_json(layout), "order", "C", "filters",
                   "dimension_separator", ".");
}

size_t moho_zarr_chunk_elements(const moho_zarr_layout *layout) {
  size_t elements = 1;
  for (size_t a = 0; a < layout->n_axes; a++) elements *= layout->chunk[a];
  return elements;
}

size_t moho_zarr_chunk_count(const moho_zarr_layout *layout, size_t axis) {
  return (layout->shape[axis] - 1) / layout->chunk[axis] + 1;
}

void moho_zarr_chunk_index(const moho_zarr_layout *layout, size_t n, size_t index[MOHO_ZARR_AXES]) {
  for (size_t a = layout->n_axes; a-- > 0; n /= moho_zarr_chunk_count(layout, a)) index[a] = n % moho_zarr_chunk_count(layout, a);
}

void moho_zarr_chunk_name(const moho_zarr_layout *layout, const size_t index[MOHO_ZARR_AXES], char name[96]) {
  int length = 0;
  for (size_t a = 0; a < layout->n_axes; a++) {
    if (a) name[length++] = layout->separator;
    length += snprintf(name + length, (size_t)(96 - length), "%zu", index[a]);
  }
}
