/* kernel_memo.h - what reading a compiled-in kernel's text gave, for the next who asks for it with the same constants.
 *
 * Reading, flattening and hashing a text takes a millisecond, looking it up here some hundred nanoseconds: that is what a kernel
 * costs that is made anew for every call (moho_tensor_run() without a prepared call). Definitions stay where they are for ever,
 * so their addresses stand for their texts. Bounded; shared by all devices and threads.
 */
#ifndef MOHO_DEVICE_KERNEL_MEMO_H
#define MOHO_DEVICE_KERNEL_MEMO_H

#include "device/check_mode.h"
#include "moho/kernel.h"

typedef struct moho_kernel_memo {
  char key[65]; /* of the unit */
  int uses_group;
  moho_signature signature;
} moho_kernel_memo;

/* 1: it was there. Of the options only the constants count. */
int moho_kernel_recall(const moho_kernel_definition *definition, const moho_kernel_options *options, moho_kernel_memo *out);
/* Constants whose words are longer than some hundred letters together are not remembered. */
void moho_kernel_remember(const moho_kernel_definition *definition, const moho_kernel_options *options,
                          const moho_kernel_memo *memo);

#endif
