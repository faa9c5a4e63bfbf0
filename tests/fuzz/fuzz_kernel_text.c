/* fuzz_kernel_text.c - any bytes as a kernel's text: found or refused, read or refused; the caller's lines keep their numbers,
 * and what is told of a kernel's parameters lies within bounds.
 *
 * The first line is the kernel's name and, behind a blank, a constant's.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "device/check_mode.h"
#include "device/kernel_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += *text == '\n' || !text[1];
  return n;
}

/* Behind the last #line that names the text, as many lines as the caller's. */
static void check_made(const char *whole, const char *text) {
  static const char mark[] = "#line 1 \"fuzz.k\"\n";
  const char *own = strstr(whole, mark);
  if (!own || count_lines(own + sizeof mark - 1) != count_lines(text)) abort();
}

static void check_signature(const char *text, const char *name, const moho_kernel_facts *facts) {
  moho_signature signature;
  moho_signature_read(text, name, &signature);
  if (signature.n_buffers > MOHO_LAUNCH_BUFFERS || signature.known != facts->known) abort();
  for (size_t i = 0; i < MOHO_LAUNCH_BUFFERS; i++)
    if (!memchr(signature.names[i], 0, sizeof signature.names[i])) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 20000) return 0;
  char *copy = malloc(size + 1), *whole = NULL, key[65];
  if (!copy) return 0;
  memcpy(copy, data, size);
  copy[size] = '\0';
  char *text = copy + strcspn(copy, "\n"), *blank;
  if (*text) *text++ = '\0';
  if ((blank = strchr(copy, ' '))) *blank++ = '\0';
  if (*copy && strlen(copy) < 64) { /* what moho_kernel_create() lets through */
    moho_constant constant = {blank ? blank : "N", 3, 0};
    moho_kernel_options options = {.name = copy, .text = text, .file = "fuzz.k", .constants = &constant, .n_constants = 1};
    moho_kernel_facts facts = {0, 0};
    moho_kernel_text_find(text, "fuzz.k", copy, &facts);
    check_signature(text, copy, &facts);
    if (moho_kernel_text_make(&options, text, &whole, key) == MOHO_OK) check_made(whole, text);
  }
  free(whole);
  free(copy);
  return 0;
}
