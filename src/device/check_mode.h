/* check_mode.h - "?check=1": what is wrong on the device is noticed where it happens.
 *
 *   - fresh memory is filled with MOHO_UNWRITTEN, a signalling NaN: arithmetic turns it into a quiet NaN, so that a result that
 *     was computed from unwritten memory is told from memory that was merely not written;
 *   - each buffer lies between two guards of MOHO_GUARD_BYTES, which are looked at after each launch and when it is destroyed;
 *   - each launch runs alone, and its INOUT float buffers are scanned for NaN afterwards;
 *   - headers of destroyed objects are never used again.
 * Findings are MOHO_ERROR_DEVICE, as in
 *   "check: kernel add, binding 2 (c), wrote past the end of buffer 3 (4.0 KiB): 4 bytes changed, the first at byte 4096"
 *   "check: kernel add left NaN in buffer 3 (4.0 KiB), binding 2 (c): 12 of 1024 floats, the first at 17"
 *   "check: something wrote before buffer 3 (4.0 KiB): 4 bytes changed, the first at 4 bytes before its beginning"
 * the last when it is found by destroying the buffer, and with "the host, while it was mapped," by moho_buffer_unmap().
 */
#ifndef MOHO_DEVICE_CHECK_MODE_H
#define MOHO_DEVICE_CHECK_MODE_H

#include "moho/kernel.h"
#include "moho/queue.h"

#define MOHO_UNWRITTEN 0x7fa0deadu
#define MOHO_GUARD_BYTES ((size_t)256)

/* What a kernel's text says of its parameters: KERNEL(name, lanes, IN(0, float, a), INOUT(1, float, b), PARAM(...)). */
typedef enum { MOHO_BINDING_UNKNOWN, MOHO_BINDING_IN, MOHO_BINDING_INOUT, MOHO_BINDING_INOUT_FLOAT } moho_binding_kind;

typedef struct moho_signature {
  size_t n_buffers; /* 0 and known 0: the kernel was not found in the text (compiled in without one) */
  int known, has_parameters;
  moho_binding_kind kinds[MOHO_LAUNCH_BUFFERS];
  char names[MOHO_LAUNCH_BUFFERS][32];
} moho_signature;

/* Read the parameters of kernel `name` from its text; text NULL or without the kernel: known = 0. Comments are skipped. */
void moho_signature_read(const char *text, const char *name, moho_signature *out);

/* After a launch ran alone (submitted, waited for and collected): guards of all its buffers, NaN in INOUT float ones from the
 * binding's offset on. The finding is to become the ticket's error. */
moho_status moho_check_after_launch(const char *kernel, const moho_signature *signature, const moho_binding *buffers,
                                    size_t n_buffers);

/* ---- for buffer.c ---- */

/* Bytes of the block of a buffer of `bytes`: guard, the buffer, guard. */
size_t moho_check_padded(size_t bytes);
/* Buffer and guards := MOHO_UNWRITTEN. */
moho_status moho_check_poison(moho_buffer *buffer);
/* MOHO_ERROR_DEVICE when a guard changed; `who` did it: "kernel add, binding 2 (c),". */
moho_status moho_check_guards(moho_buffer *buffer, const char *who);

#endif
