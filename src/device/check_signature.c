/* check_signature.c - the parameters of a kernel, read from its text for the checking mode. */
#include <stdlib.h>
#include <string.h>

#include "device/check_mode.h"
#include "device/kernel_scan.h"

/* The word behind blanks and comments; returns the place behind those that follow it. */
static const char *read_word(const char *at, char *word, size_t capacity) {
  return moho_scan_skip(moho_scan_word(moho_scan_skip(at), word, capacity));
}

/* After "KERNEL(name," or "KERNEL_GROUP(name,"; NULL: the text has no such kernel. */
static const char *find_kernel(const char *text, const char *name) {
  moho_scanned_kernel kernel;
  int by_macro;
  while (moho_scan_kernel(&text, &kernel, &by_macro))
    if (strcmp(kernel.name, name) == 0) return kernel.parameters;
  return NULL;
}

/* "float", "float2" and "float4" are what a NaN can be in. */
static int is_float(const char *type) {
  return strcmp(type, "float") == 0 || strcmp(type, "float2") == 0 || strcmp(type, "float4") == 0;
}

/* "(0, float, a)" after IN or INOUT, "(0, a)" after INOUT_ATOMIC. */
static void read_binding(const char *at, const char *word, moho_signature *out) {
  char index_text[16], type[48] = "uint", name[32];
  int is_atomic = strcmp(word, "INOUT_ATOMIC") == 0, is_in = strcmp(word, "IN") == 0;
  at = read_word(at + 1, index_text, sizeof index_text);
  if (!is_atomic && *at == ',') at = read_word(at + 1, type, sizeof type);
  if (*at == ',') read_word(at + 1, name, sizeof name);
  else return;
  size_t index = strtoul(index_text, NULL, 10);
  if (index >= MOHO_LAUNCH_BUFFERS) return;
  out->kinds[index] = is_in ? MOHO_BINDING_IN : is_float(type) ? MOHO_BINDING_INOUT_FLOAT : MOHO_BINDING_INOUT;
  memcpy(out->names[index], name, sizeof name);
  if (index + 1 > out->n_buffers) out->n_buffers = index + 1;
}

void moho_signature_read(const char *text, const char *name, moho_signature *out) {
  char word[80];
  *out = (moho_signature){0};
  const char *at = text ? find_kernel(text, name) : NULL;
  if (!at) return;
  out->known = 1;
  for (int depth = 1; *(at = moho_scan_skip(at)) && depth > 0;) {
    if (!moho_scan_is_letter(*at)) {
      depth += (*at == '(') - (*at == ')');
      at++;
      continue;
    }
    at = read_word(at, word, sizeof word);
    if (depth != 1 || *at != '(') continue;
    if (strcmp(word, "PARAM") == 0) out->has_parameters = 1;
    else if (strcmp(word, "IN") == 0 || strcmp(word, "INOUT") == 0 || strcmp(word, "INOUT_ATOMIC") == 0)
      read_binding(at, word, out);
  }
}
