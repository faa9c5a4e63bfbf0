/* msl_rewrite.c - a preprocessed Metal text made into C++ that clang compiles for the cpu.
 *
 * Reads the text as words: finds `kernel void name(...)`, takes each parameter's [[attribute]] and checks it, blanks all
 * attributes (C++ knows them not), and appends for each kernel an entry with one plain signature (msl_entry.h). What Apple's
 * compiler would refuse about attributes is an error with the text's own file and line, as the compiler would word it.
 */
#include "double.h"
#include "msl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rewriting {
  char *text; /* being changed: same length */
  char *at;
  char file[256];
  unsigned line;
  char *out; /* what is appended */
  size_t n_out, out_capacity;
  unsigned n_kernels;
  char words[512];         /* not empty: an error */
  char pending_lanes[128]; /* an expression */
  bool is_pending;         /* an attribute stands before what may be a kernel */
} rewriting;

static void append(rewriting *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(rewriting *r, const char *format, ...) {
  char piece[1024];
  va_list arguments;
  va_start(arguments, format);
  size_t n = (size_t)vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  if (n >= sizeof piece) double_complain("msl_rewrite: a piece of %zu bytes", n);
  if (r->n_out + n + 1 > r->out_capacity) {
    r->out_capacity = 2 * (r->n_out + n + 1);
    r->out = realloc(r->out, r->out_capacity);
    if (!r->out) double_complain("out of memory");
  }
  memcpy(r->out + r->n_out, piece, n + 1);
  r->n_out += n;
}

static void refuse(rewriting *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void refuse(rewriting *r, const char *format, ...) {
  if (r->words[0]) return; /* the first one counts */
  int n = snprintf(r->words, sizeof r->words, "%s:%u:1: error: ", r->file, r->line);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(r->words + n, sizeof r->words - (size_t)n, format, arguments);
  va_end(arguments);
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

/* '# 12 "file" 2' */
static void read_marker(rewriting *r) {
  char *end;
  r->line = (unsigned)strtoul(r->at + 1, &end, 10);
  const char *quote = strchr(end, '"'), *newline = strchr(r->at, '\n');
  if (quote && (!newline || quote < newline)) {
    size_t n = strcspn(quote + 1, "\"");
    if (n >= sizeof r->file) n = sizeof r->file - 1;
    memcpy(r->file, quote + 1, n);
    r->file[n] = 0;
  }
  r->at = newline ? (char *)(uintptr_t)newline + 1 : r->at + strlen(r->at);
}

/* One step over what is neither a word nor an attribute. */
static void step(rewriting *r) {
  if (*r->at == '\n') {
    r->line++, r->at++;
    while (*r->at == ' ') r->at++;
    if (*r->at == '#' && r->at[1] == ' ' && isdigit((unsigned char)r->at[2])) read_marker(r);
    return;
  }
  if (*r->at == '"' || *r->at == '\'') {
    char quote = *r->at++;
    while (*r->at && *r->at != quote) r->at += *r->at == '\\' && r->at[1] ? 2 : 1;
  }
  if (*r->at) r->at++;
}

static void skip_space(rewriting *r) {
  while (isspace((unsigned char)*r->at)) step(r);
}

static size_t word_length(const char *at) {
  size_t n = 0;
  while (is_word(at[n])) n++;
  return n;
}

static bool word_is(const char *at, const char *word) {
  size_t n = strlen(word);
  return word_length(at) == n && !strncmp(at, word, n);
}

/* ---- [[name]] and [[name(number)]] ---- */

typedef struct attribute {
  char name[64], expression[128]; /* what stands in its parentheses */
  bool has_number;
  unsigned number;
} attribute;

static bool at_attribute(const rewriting *r) {
  return r->at[0] == '[' && r->at[1] == '[';
}

/* Reads it and blanks it. */
static attribute take_attribute(rewriting *r) {
  attribute found = {.name = ""};
  char *begin = r->at, *end = strstr(r->at, "]]");
  if (!end) {
    refuse(r, "an attribute does not end");
    r->at += 2;
    return found;
  }
  r->at += 2;
  while (isspace((unsigned char)*r->at)) r->at++;
  size_t n = word_length(r->at);
  if (n && n < sizeof found.name) memcpy(found.name, r->at, n);
  r->at += n;
  while (isspace((unsigned char)*r->at)) r->at++;
  char *last = end;
  while (last > r->at && isspace((unsigned char)last[-1])) last--;
  size_t inside = last > r->at + 2 && *r->at == '(' && last[-1] == ')' ? (size_t)(last - r->at) - 2 : 0;
  if (r->at != last && (!inside || inside >= sizeof found.expression)) refuse(r, "attribute '%s' is not understood", found.name);
  else memcpy(found.expression, r->at + 1, inside);
  char *after;
  found.number = (unsigned)strtoul(found.expression, &after, 0);
  found.has_number = inside && (!*after || !strcmp(after, "u"));
  for (char *c = begin; c < end + 2; c++)
    if (*c != '\n') *c = ' ';
  r->at = end + 2;
  return found;
}

/* ---- a kernel's parameters ---- */

/* Positions: attribute and what is handed over; whether it is a vector of the grid's three. */
static const struct {
  const char *name, *value;
} positions[] = {{"thread_index_in_threadgroup", "p->lane"},           {"thread_position_in_threadgroup", "msl_words{p->local}"},
                 {"threads_per_threadgroup", "msl_words{p->lanes}"},   {"threadgroup_position_in_grid", "msl_words{p->group}"},
                 {"threadgroups_per_grid", "msl_words{p->groups}"},    {"thread_index_in_simdgroup", "(p->lane & 31u)"},
                 {"simdgroup_index_in_threadgroup", "(p->lane >> 5)"}, {"threads_per_simdgroup", "32u"}};

typedef struct parameters {
  char arguments[4096], call[4096];
  unsigned n_arguments, n_parameters;
  uint32_t buffers, groups; /* indices taken */
  unsigned vector_width;    /* of the position vectors: all alike */
} parameters;

static void add_text(rewriting *r, char *to, size_t capacity, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void add_text(rewriting *r, char *to, size_t capacity, const char *format, ...) {
  size_t n = strlen(to);
  va_list arguments;
  va_start(arguments, format);
  if ((size_t)vsnprintf(to + n, capacity - n, format, arguments) >= capacity - n) refuse(r, "too many parameters");
  va_end(arguments);
}

/* A pointer bound by index: its space and whether it is const. */
static void add_pointer(rewriting *r, parameters *p, const char *kernel, const char *declared, const attribute *a) {
  bool is_group = !strcmp(a->name, "threadgroup"), is_const = false;
  char space = 0;
  for (const char *c = declared; *c && *c != '*';) {
    if (word_is(c, "device")) space = 'd';
    if (word_is(c, "constant")) space = 'c', is_const = true;
    if (word_is(c, "threadgroup")) space = 't';
    if (word_is(c, "const")) is_const = true;
    c += is_word(*c) ? word_length(c) : 1;
  }
  uint32_t *taken = is_group ? &p->groups : &p->buffers;
  if (!strchr(declared, '*')) refuse(r, "parameter '%s' of kernel '%s' has '%s' and is no pointer", declared, kernel, a->name);
  if (!space) refuse(r, "parameter '%s' of kernel '%s': a pointer must name its address space", declared, kernel);
  if (is_group != (space == 't'))
    refuse(r, "parameter '%s' of kernel '%s': '%s' does not fit the address space", declared, kernel, a->name);
  if (!a->has_number || a->number >= MSL_ARGUMENTS) {
    refuse(r, "'%s' attribute parameter is out of bounds: must be between 0 and 30", a->name);
    return;
  }
  if (*taken >> a->number & 1u) refuse(r, "cannot reserve '%s' resource location at index %u: taken", a->name, a->number);
  *taken |= 1u << a->number;
  add_text(r, p->arguments, sizeof p->arguments, "  {'%c', %d, %u, msl_bytes<%u>(%s), msl_alignment<%u>(%s)},\n", space, is_const,
           a->number, p->n_parameters, kernel, p->n_parameters, kernel);
  add_text(r, p->call, sizeof p->call, "%smsl_pointer{%s[%u]}", p->n_parameters ? ", " : "",
           is_group ? "group_memory" : "buffers", a->number);
  p->n_arguments++;
}

static void add_position(rewriting *r, parameters *p, const char *kernel, const char *declared, const attribute *a) {
  for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
    if (strcmp(positions[i].name, a->name)) continue;
    bool is_vector = strstr(positions[i].value, "msl_words") != NULL;
    unsigned width = word_is(declared, "uint3") || word_is(declared, "ushort3")   ? 3
                     : word_is(declared, "uint2") || word_is(declared, "ushort2") ? 2
                     : word_is(declared, "uint") || word_is(declared, "ushort")   ? 1
                                                                                  : 0;
    if (!width || (!is_vector && width != 1)) refuse(r, "invalid type for '%s' in kernel '%s': '%s'", a->name, kernel, declared);
    if (is_vector && p->vector_width && p->vector_width != width)
      refuse(r, "kernel '%s': all position attributes must have types of as many components", kernel);
    if (is_vector) p->vector_width = width;
    add_text(r, p->call, sizeof p->call, "%s%s", p->n_parameters ? ", " : "", positions[i].value);
    return;
  }
  refuse(r, "unknown attribute '%s' of a parameter of kernel '%s'", a->name, kernel);
}

/* From after '(' or ',' to the ',' or ')' that ends it: a declaration and its attribute. */
static void take_parameter(rewriting *r, parameters *p, const char *kernel) {
  char declared[512] = "";
  size_t n = 0;
  int depth = 0;
  attribute found = {.name = ""};
  unsigned attributes = 0;
  skip_space(r);
  while (*r->at && (depth || (*r->at != ',' && *r->at != ')'))) {
    if (at_attribute(r)) {
      found = take_attribute(r);
      attributes++;
      continue;
    }
    depth += (*r->at == '(') - (*r->at == ')');
    if (n + 1 < sizeof declared) declared[n++] = *r->at == '\n' ? ' ' : *r->at;
    step(r);
  }
  while (n && declared[n - 1] == ' ') n--;
  declared[n] = 0;
  if (attributes != 1) {
    refuse(r, "parameter '%s' of kernel '%s' has %u attributes, expected one", declared, kernel, attributes);
    return;
  }
  if (!strcmp(found.name, "buffer") || !strcmp(found.name, "threadgroup")) add_pointer(r, p, kernel, declared, &found);
  else add_position(r, p, kernel, declared, &found);
  p->n_parameters++;
}

/* At the word `kernel`. */
static void take_kernel(rewriting *r) {
  parameters p = {.n_arguments = 0};
  char name[128] = "";
  r->at += strlen("kernel");
  skip_space(r);
  if (!word_is(r->at, "void")) {
    refuse(r, "a kernel gives nothing back: expected 'kernel void'");
    return;
  }
  r->at += strlen("void");
  skip_space(r);
  size_t n = word_length(r->at);
  if (!n || n >= sizeof name) {
    refuse(r, "a kernel has no name, or one that is too long");
    return;
  }
  memcpy(name, r->at, n);
  r->at += n;
  skip_space(r);
  if (*r->at != '(') {
    refuse(r, "kernel '%s' has no parameters", name);
    return;
  }
  r->is_pending = false;
  do {
    r->at++;
    take_parameter(r, &p, name);
  } while (*r->at == ',' && !r->words[0]);
  unsigned k = r->n_kernels++;
  append(r, "static const msl_argument msl_arguments_%u[] = {\n", k);
  for (const char *line = p.arguments; *line;) { /* in pieces that append() takes */
    int length = (int)strcspn(line, "\n") + 1;
    append(r, "%.*s", length, line);
    line += length;
  }
  append(r, "  {0, 0, 0, 0, 0}};\n");
  append(r,
         "__attribute__((no_sanitize(\"thread\"))) static void msl_entry_%u(void *const *buffers,\n"
         "    void *const *group_memory, const msl_position *p) {\n",
         k);
  append(r, "  (void)buffers, (void)group_memory, (void)p;\n  %s(\n", name);
  for (const char *piece = p.call; *piece;) {
    int length = (int)strcspn(piece, ",");
    append(r, "    %.*s%s\n", length, piece, piece[length] ? "," : "");
    piece += length + (piece[length] == ',');
  }
  append(r, "  );\n}\n");
  const char *lanes = r->pending_lanes[0] ? r->pending_lanes : "0";
  append(r, "static_assert((%s) >= 0 && (%s) <= %d, \"max_total_threads_per_threadgroup takes 1 to %d\");\n", lanes, lanes,
         DOUBLE_LANES, DOUBLE_LANES);
  append(r, "#define MSL_KERNEL_%u {\"%s\", %s, %u, msl_arguments_%u, msl_entry_%u},\n", k, name, lanes, p.n_arguments, k, k);
  r->pending_lanes[0] = 0;
}

static void take_word(rewriting *r) {
  if (word_is(r->at, "kernel")) {
    take_kernel(r);
    return;
  }
  size_t n = word_length(r->at);
  if (r->is_pending) refuse(r, "max_total_threads_per_threadgroup stands before '%.*s', not before a kernel", (int)n, r->at);
  r->at += n;
}

static void take_free_attribute(rewriting *r) {
  attribute found = take_attribute(r);
  if (strcmp(found.name, "max_total_threads_per_threadgroup")) {
    refuse(r, "attribute '%s' is not known in this place", found.name);
    return;
  }
  if (!found.expression[0] || (found.has_number && !found.number)) refuse(r, "max_total_threads_per_threadgroup takes a number");
  memcpy(r->pending_lanes, found.expression, sizeof r->pending_lanes);
  r->is_pending = true;
}

char *msl_rewrite(const char *preprocessed, char **words) {
  rewriting r = {.text = strdup(preprocessed), .line = 1, .file = "program_source"};
  if (!r.text) double_complain("out of memory");
  *words = NULL;
  append(&r, "\n# 1 \"<entries of the kernels>\"\n");
  r.at = r.text;
  if (*r.at == '#') read_marker(&r);
  while (*r.at && !r.words[0]) {
    if (at_attribute(&r)) take_free_attribute(&r);
    else if (is_word(*r.at)) take_word(&r);
    else step(&r);
  }
  append(&r, "extern \"C\" {\nextern const msl_kernel msl_kernels[];\nconst msl_kernel msl_kernels[] = {\n");
  for (unsigned k = 0; k < r.n_kernels; k++) append(&r, "MSL_KERNEL_%u\n", k);
  append(&r, "{0, 0, 0, 0, 0}};\nconst msl_services *msl_runner;\n}\n");
  size_t n = strlen(r.text);
  char *made = r.words[0] ? NULL : malloc(n + r.n_out + 1);
  if (made) memcpy(made, r.text, n), memcpy(made + n, r.out, r.n_out + 1);
  else if (!(*words = strdup(r.words))) double_complain("out of memory");
  free(r.text);
  free(r.out);
  return made;
}
