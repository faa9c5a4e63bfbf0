/* program_values.c - values of a program's scalars and buffers from words of the command line, and back to words.
 *
 *   1,2.5,-3      values            1000*0      a thousand zeros         0..9     whole numbers from 0 to 9        @x.f32   raw
 * elements of a file, least byte first
 *
 * and of a buffer that the program writes, at the end: @y.f32, the file that its elements go to.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program_command.h"

enum { ELEMENTS_MOST = 1 << 28 };

static int is_real(moho_program_type type) {
  return type >= MOHO_PROGRAM_F16;
}

static int is_signed(moho_program_type type) {
  return type <= MOHO_PROGRAM_I64;
}

static int wrong_value(const program_values *to, const char *text) {
  return usage_error("program: %s: \"%s\" is no %s", to->parameter.name, text, moho_program_type_name(to->parameter.type));
}

/* One number of the parameter's type; the whole text is it. */
static int read_value(const program_values *to, const char *text, moho_program_value *value, uint64_t *bits) {
  char *end = NULL;
  errno = 0;
  if (is_real(to->parameter.type)) value->f = strtod(text, &end);
  else if (is_signed(to->parameter.type)) value->i = strtoll(text, &end, 0);
  else value->u = strtoull(text, &end, 0);
  int is_out = errno == ERANGE && !(is_real(to->parameter.type) && fabs(value->f) < 1);
  if (end == text || *end || is_out || (*text == '-' && !is_real(to->parameter.type) && !is_signed(to->parameter.type)))
    return wrong_value(to, text);
  if (!moho_program_value_bits(to->parameter.type, *value, bits)) return EXIT_GOOD;
  return usage_error("program: %s: %s", to->parameter.name, moho_last_error()->message);
}

int program_read_scalar(program_values *scalar, const char *text) {
  uint64_t bits;
  scalar->is_given = 1;
  return read_value(scalar, text, &scalar->value, &bits);
}

/* ---- buffers ---- */

static int make_room(program_values *to, size_t elements) {
  size_t bytes = moho_program_type_bytes(to->parameter.type);
  if (elements > ELEMENTS_MOST - to->length)
    return usage_error("program: %s: more than %d elements", to->parameter.name, ELEMENTS_MOST);
  void *data = realloc(to->data, (to->length + elements + 1) * bytes);
  if (!data) {
    fprintf(stderr, "moho: out of memory\n");
    return EXIT_FAILED;
  }
  to->data = data;
  return EXIT_GOOD;
}

/* Elements are as the host has them: least byte first. */
static void add_element(program_values *to, uint64_t bits) {
  size_t bytes = moho_program_type_bytes(to->parameter.type);
  uint8_t *at = (uint8_t *)to->data + to->length++ * bytes;
  for (size_t k = 0; k < bytes; k++) at[k] = (uint8_t)(bits >> 8 * k);
}

static int add_repeated(program_values *to, const char *count_text, const char *value_text) {
  char *end;
  moho_program_value value;
  uint64_t bits;
  errno = 0;
  unsigned long long count = strtoull(count_text, &end, 10);
  if (*end != '*' || end == count_text || errno || *count_text == '-') return wrong_value(to, count_text);
  int code = read_value(to, value_text, &value, &bits);
  if (!code) code = make_room(to, count > ELEMENTS_MOST ? ELEMENTS_MOST : (size_t)count);
  for (unsigned long long k = 0; !code && k < count; k++) add_element(to, bits);
  return code;
}

static int add_range(program_values *to, const char *text) {
  char *end;
  long long first = strtoll(text, &end, 10), last;
  if (end == text || strncmp(end, "..", 2) != 0) return wrong_value(to, text);
  const char *last_text = end + 2;
  last = strtoll(last_text, &end, 10);
  if (end == last_text || *end || last < first || last - first >= ELEMENTS_MOST) return wrong_value(to, text);
  int code = make_room(to, (size_t)(last - first + 1));
  for (long long v = first; !code && v <= last; v++) {
    char number[32];
    moho_program_value value;
    uint64_t bits;
    snprintf(number, sizeof number, "%lld", v);
    code = read_value(to, number, &value, &bits);
    if (!code) add_element(to, bits);
  }
  return code;
}

static int add_item(program_values *to, const char *item) {
  const char *star = strchr(item, '*');
  moho_program_value value;
  uint64_t bits;
  if (star) return add_repeated(to, item, star + 1);
  if (strstr(item, "..")) return add_range(to, item);
  int code = read_value(to, item, &value, &bits);
  if (!code) code = make_room(to, 1);
  if (!code) add_element(to, bits);
  return code;
}

static int read_failed(FILE *in, const char *path, const char *words) {
  fprintf(stderr, "moho: %s: %s\n", path, words);
  if (in) fclose(in);
  return EXIT_FAILED;
}

static int add_file(program_values *to, const char *path) {
  size_t bytes = moho_program_type_bytes(to->parameter.type);
  FILE *in = fopen(path, "rb");
  if (!in) return read_failed(in, path, strerror(errno));
  if (fseek(in, 0, SEEK_END) || ftell(in) < 0) return read_failed(in, path, strerror(errno));
  size_t length = (size_t)ftell(in);
  rewind(in);
  if (length % bytes) return read_failed(in, path, "its length is not a whole number of elements");
  int code = make_room(to, length / bytes);
  if (!code && fread(to->data, 1, length, in) != length) return read_failed(in, path, "reading failed");
  fclose(in);
  if (!code) to->length = length / bytes;
  return code;
}

static int add_items(program_values *buffer, const char *text) {
  char item[64];
  int code = EXIT_GOOD;
  while (!code && (text = next_item(text, item)) != NULL) code = add_item(buffer, item);
  return code;
}

/* The last @ of a buffer that is written begins the file that it goes to, unless the text begins with it. */
int program_read_buffer(program_values *buffer, const char *text) {
  const char *last = strrchr(text, '@');
  int is_written = buffer->parameter.access != MOHO_PROGRAM_IN;
  buffer->is_given = 1;
  if (!last || (last != text && *text == '@' && !is_written))
    return *text == '@' ? add_file(buffer, text + 1) : add_items(buffer, text);
  if (last == text) return add_file(buffer, text + 1);
  if (!is_written)
    return usage_error("program: %s is only read, so that nothing goes to \"%s\"", buffer->parameter.name, last + 1);
  if (!last[1]) return usage_error("program: %s: the name of a file is missing after @", buffer->parameter.name);
  char *values = strndup(text, (size_t)(last - text));
  if (!values) return fprintf(stderr, "moho: out of memory\n"), EXIT_FAILED;
  int code = *values == '@' ? add_file(buffer, values + 1) : add_items(buffer, values);
  free(values);
  buffer->file = last + 1;
  return code;
}

int program_write_buffer(const program_values *buffer) {
  size_t bytes = buffer->length * moho_program_type_bytes(buffer->parameter.type);
  return moho_write_bytes(buffer->file, buffer->data, bytes) ? print_error() : EXIT_GOOD;
}

/* ---- words ---- */

static uint64_t element_bits(const program_values *buffer, size_t i) {
  size_t bytes = moho_program_type_bytes(buffer->parameter.type);
  const uint8_t *at = (const uint8_t *)buffer->data + i * bytes;
  uint64_t bits = 0;
  for (size_t k = 0; k < bytes; k++) bits |= (uint64_t)at[k] << 8 * k;
  return bits;
}

const char *program_element_text(const program_values *buffer, size_t i, char text[48]) {
  static const int digits[] = {5, 4, 9, 17}; /* that tell the values of f16, bf16, f32, f64 apart */
  moho_program_type type = buffer->parameter.type;
  moho_program_value value = moho_program_value_of(type, element_bits(buffer, i));
  if (is_signed(type)) snprintf(text, 48, "%" PRId64, value.i);
  else if (!is_real(type)) snprintf(text, 48, "%" PRIu64, value.u);
  else if (isnan(value.f)) snprintf(text, 48, "nan");
  else snprintf(text, 48, "%.*g", digits[type - MOHO_PROGRAM_F16], value.f);
  return text;
}
