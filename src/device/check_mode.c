/* check_mode.c - "?check=1": fresh memory poisoned, ends guarded, results scanned. */
#include "device/check_mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/device_core.h"

enum { PIECE_BYTES = 1 << 20 };

size_t moho_check_padded(size_t bytes) {
  return MOHO_GUARD_BYTES + moho_round_up(bytes, 4) + MOHO_GUARD_BYTES;
}

moho_status moho_check_poison(moho_buffer *buffer) {
  moho_span all = {.block = buffer->block, .offset = 0, .bytes = moho_check_padded(buffer->bytes)};
  return moho_block_fill(buffer->handle.device, all, MOHO_UNWRITTEN);
}

/* Bytes of a block as the host sees them: in place, or read into `scratch`. */
static moho_status look(moho_device *device, moho_span span, void *scratch, const void **out) {
  *out = span.block->host ? (const char *)span.block->host + span.offset : scratch;
  if (span.block->host) return MOHO_OK;
  moho_command command = {.kind = MOHO_COMMAND_READ, .name = "check", .from = span, .host = scratch, .bytes = span.bytes};
  return moho_device_transfer(device, &command, 1);
}

/* ---- guards ---- */

typedef struct damage {
  size_t first, count; /* bytes of the guard that changed */
} damage;

/* Bytes first..first+n of a block that holds MOHO_UNWRITTEN everywhere. */
static damage compare_guard(const unsigned char *bytes, size_t n, size_t phase) {
  const uint32_t word = MOHO_UNWRITTEN;
  const unsigned char *pattern = (const unsigned char *)&word;
  damage found = {0, 0};
  for (size_t i = 0; i < n; i++)
    if (bytes[i] != pattern[(phase + i) % 4] && !found.count++) found.first = i;
  return found;
}

static moho_status damaged(const moho_buffer *buffer, const char *who, int before, damage found) {
  char text[64], where[80];
  if (before) snprintf(where, sizeof where, "%zu bytes before its beginning", MOHO_GUARD_BYTES - found.first);
  else snprintf(where, sizeof where, "byte %zu", buffer->bytes + found.first);
  return moho_fail_at((moho_place){0}, "an index is out of range; the grid may be larger than the data", MOHO_ERROR_DEVICE,
                      "check: %s wrote %s %s: %zu bytes changed, the first at %s", who, before ? "before" : "past the end of",
                      moho_buffer_text(buffer, text), found.count, where);
}

/* Bytes of the block from `offset` on; a damaged guard is mended, so that it is reported once. */
static moho_status check_guard(moho_buffer *buffer, const char *who, size_t offset, size_t n, int before) {
  moho_device *device = buffer->handle.device;
  unsigned char scratch[MOHO_GUARD_BYTES + 4];
  const void *bytes;
  MOHO_TRY(look(device, (moho_span){.block = buffer->block, .offset = offset, .bytes = n}, scratch, &bytes));
  damage found = compare_guard(bytes, n, offset % 4);
  if (!found.count) return MOHO_OK;
  moho_status status = damaged(buffer, who, before, found);
  moho_error error = moho_error_take();
  size_t aligned = moho_round_up(offset, 4);
  moho_block_fill(device, (moho_span){.block = buffer->block, .offset = aligned, .bytes = (offset + n - aligned) / 4 * 4},
                  MOHO_UNWRITTEN);
  moho_error_set(&error);
  return status;
}

moho_status moho_check_guards(moho_buffer *buffer, const char *who) {
  if (!buffer->owned || !buffer->start) return MOHO_OK;
  size_t end = buffer->start + buffer->bytes;
  MOHO_TRY(check_guard(buffer, who, 0, MOHO_GUARD_BYTES, 1));
  return check_guard(buffer, who, end, moho_check_padded(buffer->bytes) - end, 0);
}

/* ---- NaN ---- */

typedef struct nan_finding {
  size_t count, first; /* first: index of the float, from the buffer's beginning */
  uint32_t word;       /* there */
} nan_finding;

static void scan_piece(const uint32_t *words, size_t n, size_t index, nan_finding *found) {
  for (size_t i = 0; i < n; i++) {
    if ((words[i] & 0x7fffffffu) <= 0x7f800000u || words[i] == MOHO_UNWRITTEN) continue;
    if (!found->count++) found->first = index + i, found->word = words[i];
  }
}

static moho_status scan_buffer(moho_buffer *buffer, size_t offset, void *scratch, nan_finding *found) {
  for (size_t at = offset, end = buffer->bytes / 4 * 4; at < end;) {
    size_t n = end - at < PIECE_BYTES ? end - at : PIECE_BYTES;
    const void *words;
    MOHO_TRY(look(buffer->handle.device, moho_buffer_span(buffer, at, n), scratch, &words));
    scan_piece(words, n / 4, at / 4, found);
    at += n;
  }
  return MOHO_OK;
}

static moho_status nan_left(const char *kernel, const moho_buffer *buffer, size_t index, const char *name, nan_finding found) {
  char text[64];
  int from_unwritten = (found.word & 0x7fffffffu) == (MOHO_UNWRITTEN | 0x00400000u);
  return moho_fail_at((moho_place){0},
                      from_unwritten ? "memory was read that nothing was written to: fill or write the kernel's inputs first"
                                     : "0/0, inf - inf, or memory read that nothing was written to",
                      MOHO_ERROR_DEVICE,
                      "check: kernel %s left NaN in %s, binding %zu (%s): %zu of %zu floats, the first at %zu%s", kernel,
                      moho_buffer_text(buffer, text), index, name, found.count, buffer->bytes / 4, found.first,
                      from_unwritten ? ", made from memory that was never written" : "");
}

static moho_status check_nan(const char *kernel, const moho_signature *signature, const moho_binding *buffers, size_t n_buffers) {
  void *scratch = malloc(PIECE_BYTES);
  moho_status status = scratch ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "check: no memory for looking at results");
  for (size_t i = 0; i < n_buffers && i < signature->n_buffers && !status; i++) {
    nan_finding found = {0, 0, 0};
    if (signature->kinds[i] != MOHO_BINDING_INOUT_FLOAT) continue;
    status = scan_buffer(buffers[i].buffer, buffers[i].offset, scratch, &found);
    if (!status && found.count) status = nan_left(kernel, buffers[i].buffer, i, signature->names[i], found);
  }
  free(scratch);
  return status;
}

moho_status moho_check_after_launch(const char *kernel, const moho_signature *signature, const moho_binding *buffers,
                                    size_t n_buffers) {
  char who[160];
  for (size_t i = 0; i < n_buffers; i++) {
    const char *name = i < signature->n_buffers ? signature->names[i] : "";
    snprintf(who, sizeof who, *name ? "kernel %s, binding %zu (%s)," : "kernel %s, binding %zu,", kernel, i, name);
    MOHO_TRY(moho_check_guards(buffers[i].buffer, who));
  }
  return check_nan(kernel, signature, buffers, n_buffers);
}
