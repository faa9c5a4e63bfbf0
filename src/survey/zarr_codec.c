/* zarr_codec.c - compressing and decompressing Zarr chunks: blosc with any inner codec, zlib and gzip, none. */
#include <blosc.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "survey/zarr_layout.h"

static const char *const cut_hint = "the chunk file is damaged or was cut short: write or copy the group again";

moho_zarr_codec moho_zarr_codec_for_writing(void) {
  return blosc_compname_to_compcode(BLOSC_ZSTD_COMPNAME) >= 0 ? MOHO_ZARR_BLOSC : MOHO_ZARR_ZLIB;
}

static moho_status encode_blosc(size_t type_bytes, const void *chunk, size_t bytes, void *out, size_t capacity,
                                size_t *out_bytes) {
  int written = blosc_compress_ctx(MOHO_ZARR_BLOSC_LEVEL, BLOSC_SHUFFLE, type_bytes, bytes, chunk, out, capacity,
                                   BLOSC_ZSTD_COMPNAME, 0, 1);
  if (written <= 0)
    return moho_fail(MOHO_ERROR_INTERNAL, "blosc could not compress a chunk of %zu bytes (code %d)", bytes, written);
  *out_bytes = (size_t)written;
  return MOHO_OK;
}

static moho_status encode_zlib(const void *chunk, size_t bytes, void *out, size_t capacity, size_t *out_bytes) {
  uLongf written = capacity;
  int code = compress2(out, &written, chunk, bytes, MOHO_ZARR_ZLIB_LEVEL);
  if (code != Z_OK) return moho_fail(MOHO_ERROR_INTERNAL, "zlib could not compress a chunk of %zu bytes (code %d)", bytes, code);
  *out_bytes = written;
  return MOHO_OK;
}

moho_status moho_zarr_encode(moho_zarr_codec codec, size_t type_bytes, const void *chunk, size_t bytes, void **out,
                             size_t *out_bytes) {
  size_t capacity = codec == MOHO_ZARR_BLOSC  ? bytes + BLOSC_MAX_OVERHEAD
                    : codec == MOHO_ZARR_ZLIB ? compressBound(bytes)
                                              : bytes;
  *out = malloc(capacity ? capacity : 1);
  if (!*out) return moho_fail(MOHO_ERROR_MEMORY, "compressed chunk: %zu bytes could not be allocated", capacity);
  moho_status status = MOHO_OK;
  if (codec == MOHO_ZARR_BLOSC) status = encode_blosc(type_bytes, chunk, bytes, *out, capacity, out_bytes);
  else if (codec == MOHO_ZARR_ZLIB) status = encode_zlib(chunk, bytes, *out, capacity, out_bytes);
  else memcpy(*out, chunk, bytes), *out_bytes = bytes;
  if (status) free(*out), *out = NULL;
  return status;
}

static moho_status wrong_size(const char *file, size_t got, size_t expected) {
  return moho_fail_at((moho_place){.file = file}, cut_hint, MOHO_ERROR_FORMAT,
                      "%s: the chunk holds %zu bytes of samples, its array needs %zu", file, got, expected);
}

static moho_status decode_blosc(const void *from, size_t from_bytes, void *chunk, size_t bytes, const char *file) {
  size_t held = 0;
  if (from_bytes < BLOSC_MIN_HEADER_LENGTH || blosc_cbuffer_validate(from, from_bytes, &held) < 0)
    return moho_fail_at((moho_place){.file = file}, cut_hint, MOHO_ERROR_FORMAT,
                        "%s: %zu bytes that are no whole blosc chunk, though the array says it is compressed by blosc", file,
                        from_bytes);
  if (held != bytes) return wrong_size(file, held, bytes);
  int read = blosc_decompress_ctx(from, chunk, bytes, 1);
  if (read < 0 || (size_t)read != bytes)
    return moho_fail_at((moho_place){.file = file}, cut_hint, MOHO_ERROR_FORMAT,
                        "%s: blosc cannot decompress the chunk (code %d, inner codec \"%s\")", file, read,
                        blosc_cbuffer_complib(from) ? blosc_cbuffer_complib(from) : "unknown");
  return MOHO_OK;
}

/* 15 + 32: the zlib and the gzip wrapping are told apart by their first bytes. */
static moho_status decode_zlib(const void *from, size_t from_bytes, void *chunk, size_t bytes, const char *file) {
  z_stream stream = {
      .next_in = (Bytef *)(uintptr_t)from, .avail_in = (uInt)from_bytes, .next_out = chunk, .avail_out = (uInt)bytes};
  if (from_bytes > UINT_MAX || bytes > UINT_MAX) return wrong_size(file, from_bytes, bytes);
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return moho_fail(MOHO_ERROR_MEMORY, "%s: zlib could not start", file);
  int code = inflate(&stream, Z_FINISH);
  size_t held = stream.total_out;
  inflateEnd(&stream);
  if (code == Z_STREAM_END) return held == bytes ? MOHO_OK : wrong_size(file, held, bytes);
  if (code == Z_BUF_ERROR && held == bytes) return wrong_size(file, bytes + 1, bytes);
  return moho_fail_at((moho_place){.file = file}, cut_hint, MOHO_ERROR_FORMAT,
                      "%s: zlib cannot decompress the chunk (code %d after %zu of %zu bytes)", file, code, held, bytes);
}

moho_status moho_zarr_decode(moho_zarr_codec codec, const void *from, size_t from_bytes, void *chunk, size_t bytes,
                             const char *file) {
  if (codec == MOHO_ZARR_BLOSC) return decode_blosc(from, from_bytes, chunk, bytes, file);
  if (codec == MOHO_ZARR_ZLIB) return decode_zlib(from, from_bytes, chunk, bytes, file);
  if (from_bytes != bytes) return wrong_size(file, from_bytes, bytes);
  memcpy(chunk, from, bytes);
  return MOHO_OK;
}
