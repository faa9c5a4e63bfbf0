/* kernel_text.c - the text that a compiler is given: constants, kern.h, the kernel's own lines under their own numbers. */
#include "device/kernel_text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/sha256.h"
#include "device/kernel_scan.h"

extern const char moho_text_kern[]; /* kernels/kern.h */

/* ---- reading ---- */

/* What a line begins in: comments of several lines are the only thing that outlives one. */
static int comment_after(const char *line, size_t length, int in_comment) {
  for (size_t i = 0; i < length; i++) {
    if (in_comment) {
      if (line[i] == '*' && i + 1 < length && line[i + 1] == '/') in_comment = 0, i++;
    } else if (line[i] == '/' && i + 1 < length && line[i + 1] == '*') {
      in_comment = 1, i++;
    } else if (line[i] == '/' && i + 1 < length && line[i + 1] == '/') {
      break;
    } else if (line[i] == '"') {
      for (i++; i < length && line[i] != '"'; i++) i += line[i] == '\\';
    }
  }
  return in_comment;
}

enum { NAMES = 64 };

typedef struct found_names {
  moho_scanned_kernel kernels[NAMES];
  size_t n; /* as many as there is room for */
} found_names;

static moho_status refuse_name(const found_names *found, const char *file, const char *name) {
  const char *names[NAMES], *nearest = NULL;
  char list[300] = "none", hint[120];
  size_t used = 0;
  for (size_t i = 0; i < found->n; i++) names[i] = found->kernels[i].name;
  for (size_t i = 0; i < found->n && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
  if (found->n) nearest = moho_nearest_name(name, names, found->n);
  snprintf(hint, sizeof hint, nearest ? "did you mean \"%s\"?" : "write KERNEL(%.60s, lanes, ...)", nearest ? nearest : name);
  return moho_fail_at((moho_place){.file = file}, hint, MOHO_ERROR_NOT_FOUND, "no kernel %.64s in the text, it has: %s", name,
                      list);
}

moho_status moho_kernel_text_find(const char *text, const char *file, const char *name, moho_kernel_facts *out) {
  moho_scanned_kernel kernel;
  int by_macro = 0;
  *out = (moho_kernel_facts){0};
  found_names *found = calloc(1, sizeof *found);
  if (!found) return moho_fail(MOHO_ERROR_MEMORY, "kernel %s: out of memory", name);
  while (!out->known && moho_scan_kernel(&text, &kernel, &by_macro)) {
    if (strcmp(kernel.name, name) == 0) *out = (moho_kernel_facts){.known = 1, .uses_group = kernel.uses_group};
    if (found->n < NAMES) found->kernels[found->n++] = kernel;
  }
  moho_status status = out->known || by_macro ? MOHO_OK : refuse_name(found, file, name);
  free(found);
  return status;
}

/* ---- writing ---- */

typedef struct writer {
  char *text;
  size_t n, capacity;
  int failed;
} writer;

static void append(writer *out, const char *bytes, size_t n) {
  if (out->n + n + 1 > out->capacity) {
    size_t capacity = 2 * (out->n + n + 1);
    char *text = realloc(out->text, capacity);
    if (!text) {
      out->failed = 1;
      return;
    }
    out->text = text;
    out->capacity = capacity;
  }
  memcpy(out->text + out->n, bytes, n);
  out->n += n;
  out->text[out->n] = '\0';
}

static void append_text(writer *out, const char *text) {
  append(out, text, strlen(text));
}

static int is_identifier(const char *name) {
  if (!name || !*name || isdigit((unsigned char)*name)) return 0;
  while (moho_scan_is_letter(*name)) name++;
  return !*name;
}

/* "(-5)", "4000000000u", "0.5f": negative numbers in brackets, since a constant may follow a minus. */
static moho_status constant_text(const char *kernel, const moho_constant *constant, char text[48]) {
  double value = constant->value;
  if (!is_identifier(constant->name))
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: constant \"%s\" is not a name that can be #defined", kernel,
                     constant->name ? constant->name : "");
  if (constant->is_float) {
    float single = (float)value;
    if (!isfinite(single))
      return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: constant %s is %g, expected a number that a float can hold", kernel,
                       constant->name, value);
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", (double)single);
    snprintf(text, 48, "(%s%sf)", digits, strpbrk(digits, ".e") ? "" : ".0");
    return MOHO_OK;
  }
  if (!(value >= -2147483648.0 && value <= 4294967295.0) || value != floor(value))
    return moho_fail_at((moho_place){0}, "set is_float for numbers with a fraction", MOHO_ERROR_ARGUMENT,
                        "kernel %s: constant %s is %.17g, expected a whole number from -2147483648 to 4294967295", kernel,
                        constant->name, value);
  if (value == -2147483648.0) snprintf(text, 48, "(-2147483647 - 1)");
  else snprintf(text, 48, value > 2147483647.0 ? "%.0fu" : value < 0 ? "(%.0f)" : "%.0f", value);
  return MOHO_OK;
}

static moho_status append_constants(writer *out, const moho_kernel_options *options) {
  for (size_t i = 0; i < options->n_constants; i++) {
    char value[48];
    MOHO_TRY(constant_text(options->name, &options->constants[i], value));
    for (size_t k = 0; k < i; k++)
      if (strcmp(options->constants[k].name, options->constants[i].name) == 0)
        return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: constant %s is given twice", options->name, options->constants[i].name);
    append_text(out, "#define ");
    append_text(out, options->constants[i].name);
    append_text(out, " ");
    append_text(out, value);
    append_text(out, "\n");
  }
  return MOHO_OK;
}

/* A #line for the caller's text; quotes and backslashes would end the name. */
static void append_file_name(writer *out, const char *file) {
  append_text(out, "#line 1 \"");
  for (; *file; file++) append(out, strchr("\"\\\n", *file) ? "_" : file, 1);
  append_text(out, "\"\n");
}

/* The lines as they are, but for #include "kern.h", whose place stays empty: kern.h is there already. */
static moho_status append_lines(writer *out, const char *text, const char *file, const char *kernel) {
  int number = 1, in_comment = 0;
  for (const char *line = text; *line; number++) {
    size_t length = strcspn(line, "\n");
    const char *included = in_comment ? NULL : moho_scan_directive(line, "include");
    if (included && strncmp(included, "\"kern.h\"", 8))
      return moho_fail_at(
          (moho_place){.file = file, .line = number},
          "put the file's lines here; texts of files are flattened by moho_embed_kernels() when a program is built",
          MOHO_ERROR_COMPILE, "kernel %s: a text includes only \"kern.h\", got #include %.*s", kernel,
          (int)strcspn(included, "\n"), included);
    if (!included) append(out, line, length);
    in_comment = comment_after(line, length, in_comment);
    append_text(out, "\n");
    line += length + (line[length] == '\n');
  }
  return MOHO_OK;
}

static void make_key(const char *name, const char *text, char key[65]) {
  uint8_t digest[32];
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, name, strlen(name) + 1);
  moho_sha256_add(&hash, text, strlen(text));
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, key);
}

moho_status moho_kernel_text_make(const moho_kernel_options *options, const char *text, char **out, char key[65]) {
  writer whole = {0};
  const char *file = options->file ? options->file : "kernel text";
  *out = NULL;
  moho_status status = append_constants(&whole, options);
  append_text(&whole, moho_text_kern);
  append_file_name(&whole, file);
  if (!status) status = append_lines(&whole, text, file, options->name);
  if (!status && whole.failed) status = moho_fail(MOHO_ERROR_MEMORY, "kernel %s: no memory for its text", options->name);
  if (status) {
    free(whole.text);
    return status;
  }
  make_key(options->name, whole.text, key);
  *out = whole.text;
  return MOHO_OK;
}
