/* kernel_text.h - the text that a compiler is given: constants, kern.h, the kernel's own lines under their own numbers. */
#ifndef MOHO_DEVICE_KERNEL_TEXT_H
#define MOHO_DEVICE_KERNEL_TEXT_H

#include "moho/kernel.h"

/* What can be told of a kernel without compiling it. */
typedef struct moho_kernel_facts {
  int known;      /* the text was there and has a KERNEL of that name */
  int uses_group; /* KERNEL_GROUP */
} moho_kernel_facts;

/* MOHO_ERROR_NOT_FOUND: the text has no KERNEL of that name (nearest name, and which there are). A text that makes its kernels
 * by macros of its own cannot be read: then `known` is 0 and the compiler will tell. */
moho_status moho_kernel_text_find(const char *text, const char *file, const char *name, moho_kernel_facts *out);

/* The whole text, to be freed, and its key: the SHA-256 of name and text. MOHO_ERROR_ARGUMENT: a constant is not an identifier,
 * given twice, not finite or, as an integer, not a whole number of 32 bits. MOHO_ERROR_COMPILE: the text includes something but
 * kern.h. */
moho_status moho_kernel_text_make(const moho_kernel_options *options, const char *text, char **out, char key[65]);

#endif
