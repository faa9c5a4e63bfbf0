/* handle.h - the opaque pointers of the runtime: headers that stay mapped for ever, so that a pointer to a destroyed object is
 * told from a live one without touching freed memory.
 *
 * Every public object begins with a moho_handle. Destroying marks the header dead; a dead header is given to a new object only
 * after MOHO_HANDLE_REST others of its kind were destroyed too, and never where its device was opened with check=1 (then late
 * use is certain to be noticed). A generation counts the lives of a header, for references kept inside.
 *
 * References: an object begins with one, which its public pointer holds; work in flight holds others. Who lets the last one go
 * takes the object apart and gives the header back with moho_handle_free().
 */
#ifndef MOHO_DEVICE_HANDLE_H
#define MOHO_DEVICE_HANDLE_H

#include "base/fail.h"
#include "moho/device.h"

typedef enum { MOHO_KIND_DEVICE, MOHO_KIND_BUFFER, MOHO_KIND_KERNEL, MOHO_KIND_QUEUE, MOHO_KIND_COUNT } moho_kind;

enum { MOHO_HANDLE_REST = 1024 };

/* The first member of moho_device, moho_buffer, moho_kernel and moho_queue. */
typedef struct moho_handle {
  uint32_t state;            /* atomic: the magic of its kind while alive */
  uint32_t references;       /* atomic */
  uint32_t generation;       /* lives of this header */
  uint32_t process;          /* fork generation in which it was made */
  moho_device *device;       /* whose it is; a device: itself */
  struct moho_handle *older; /* the device's list of objects of this kind, newest first; or the resting headers */
  struct moho_handle *newer;
} moho_handle;

/* A header of `size` bytes, zeroed, alive, with one reference, in its device's list (device NULL: it is one itself). */
moho_status moho_handle_new(moho_kind kind, size_t size, moho_device *device, void *out);

/* MOHO_OK; MOHO_ERROR_ARGUMENT (NULL), MOHO_ERROR_HANDLE (not a live object of the kind), MOHO_ERROR_DEVICE (inherited by fork),
 * MOHO_ERROR_LOST (with the device's words). Every public function begins with it. */
moho_status moho_handle_check(const void *object, moho_kind kind);
/* The same, but an object of a lost device passes: for destroying. */
moho_status moho_handle_check_alive(const void *object, moho_kind kind);
/* Alive -> dead. Only one caller gets MOHO_OK, others MOHO_ERROR_HANDLE. The reference of the public pointer is now the
 * caller's to release. */
moho_status moho_handle_kill(void *object, moho_kind kind);

int moho_handle_is_alive(const void *object, moho_kind kind);

void moho_handle_retain(const void *object);
/* 1: that was the last one; take the object apart and free the header. */
int moho_handle_release(const void *object);
/* Out of its device's list, and to rest. Nothing of the object but its handle is read afterwards. */
void moho_handle_free(void *object, moho_kind kind);

/* Grows by one in the child of each fork(). */
uint32_t moho_process_generation(void);

#endif
