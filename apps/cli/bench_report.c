/* bench_report.c - the cases of a bench as a table for people: Markdown or HTML. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_case.h"
#include "command.h"

enum { CELLS = 11 };

static const char *const titles[CELLS] = {
    "dataset",  "kernel",     "options",      "contributions", "kernel s (least .. most, runs)",
    "T/s",      "transfer s", "allocation s", "wall s",        "times baseline: kernel, wall",
    "reference"};

static double number(const json_t *root, const char *first, const char *second) {
  const json_t *value = json_object_get(root, first);
  return json_number_value(second ? json_object_get(value, second) : value);
}

static const char *word(const json_t *root, const char *first, const char *second) {
  const json_t *value = json_object_get(root, first);
  const char *text = json_string_value(second ? json_object_get(value, second) : value);
  return text ? text : "";
}

static void fill_options(const json_t *c, char cell[160]) {
  const char *storage = word(c, "options", "storage"), *constants = word(c, "options", "constants");
  const char *law = word(c, "options", "traveltime"), *velocity = word(c, "options", "velocity");
  snprintf(cell, 160, "%s%s%s%s%s, weight %s, antialias %s%s%s%s%.40s", law, law[0] ? ", " : "", velocity,
           velocity[0] ? ", " : "", word(c, "options", "interpolation"), word(c, "options", "weight"),
           word(c, "options", "antialias"), storage[0] ? ", storage " : "", storage, constants[0] ? ", " : "", constants);
}

static void fill_check(const json_t *c, char cell[160]) {
  const json_t *check = json_object_get(c, "check");
  if (!json_is_object(check)) {
    snprintf(cell, 160, "not compared");
    return;
  }
  snprintf(cell, 160, "%s%.1e <= %.1e, fold %s, %.0f columns",
           json_is_true(json_object_get(check, "passed")) ? "" : "FAILED: ", number(check, "relative_l2", NULL),
           number(check, "tolerance", NULL), number(check, "fold_differs", NULL) > 0 ? "differs" : "identical",
           number(check, "columns", NULL));
}

static void fill_cells(const json_t *c, char cells[CELLS][160]) {
  const char *kernel = word(c, "kernel", NULL), *used = word(c, "kernel_used", NULL);
  const json_t *speedup = json_object_get(c, "speedup_over_baseline");
  snprintf(cells[0], 160, "%s", word(c, "dataset", NULL));
  snprintf(cells[1], 160, strcmp(kernel, used) == 0 ? "%s" : "%s: %s", kernel, used);
  fill_options(c, cells[2]);
  snprintf(cells[3], 160, "%.4g", number(c, "contributions", NULL));
  snprintf(cells[4], 160, "%.4g (%.4g .. %.4g, %.0f)", number(c, "seconds", "median"), number(c, "seconds", "min"),
           number(c, "seconds", "max"), number(c, "runs", NULL));
  snprintf(cells[5], 160, "%.3g", number(c, "contributions_per_s", NULL) / 1e12);
  snprintf(cells[6], 160, "%.3g", number(c, "transfer_seconds", NULL));
  snprintf(cells[7], 160, "%.3g", number(c, "allocation_seconds", NULL));
  snprintf(cells[8], 160, "%.4g", number(c, "wall_seconds", NULL));
  if (speedup) snprintf(cells[9], 160, "%.2f, %.2f", number(speedup, "kernel", NULL), number(speedup, "wall", NULL));
  else snprintf(cells[9], 160, "-");
  fill_check(c, cells[10]);
}

/* ---- Markdown, HTML ---- */

typedef struct report {
  FILE *out;
  int is_html;
  size_t n_cells;
  char *text;
  size_t size;
} report;

static void print_escaped(FILE *out, const char *text) {
  for (; *text; text++) {
    if (*text == '&') fputs("&amp;", out);
    else if (*text == '<') fputs("&lt;", out);
    else if (*text == '>') fputs("&gt;", out);
    else fputc(*text, out);
  }
}

static void print_row(const report *r, const char *tag, const char *const *cells) {
  if (r->is_html) fprintf(r->out, "<tr>");
  for (size_t i = 0; i < r->n_cells; i++) {
    if (r->is_html) {
      fprintf(r->out, "<%s>", tag);
      print_escaped(r->out, cells[i]);
      fprintf(r->out, "</%s>", tag);
    } else {
      fprintf(r->out, "| %s ", cells[i]);
    }
  }
  fprintf(r->out, r->is_html ? "</tr>\n" : "|\n");
}

/* The words above the table, and its first row. */
static void print_head(const report *r, const char *words, const char *const *row) {
  if (r->is_html) {
    fprintf(r->out, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>moho bench</title>\n<style>body{font:14px sans-serif}"
                    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 8px;text-align:left}</style>\n<p>");
    print_escaped(r->out, words);
    fprintf(r->out, "</p>\n<table>\n");
  } else {
    fprintf(r->out, "%s\n\n", words);
  }
  print_row(r, "th", row);
  for (size_t i = 0; !r->is_html && i < r->n_cells; i++) fprintf(r->out, i + 1 < r->n_cells ? "|---" : "|---|\n");
}

static int report_begin(const char *path, size_t n_cells, report *r) {
  size_t length = strlen(path);
  *r = (report){.n_cells = n_cells, .is_html = length > 5 && strcmp(path + length - 5, ".html") == 0};
  r->out = open_memstream(&r->text, &r->size);
  if (!r->out) fprintf(stderr, "moho: bench: out of memory\n");
  return r->out ? EXIT_GOOD : EXIT_FAILED;
}

static int report_end(const char *path, report *r) {
  if (r->is_html) fprintf(r->out, "</table>\n");
  int code = fclose(r->out) || moho_write_text(path, r->text) ? print_error() : EXIT_GOOD;
  free(r->text);
  return code;
}

/* ---- bench migrate ---- */

int bench_write_report(const char *path, const json_t *cases) {
  report r;
  char words[600];
  const json_t *first = json_array_get(cases, 0);
  size_t index;
  json_t *each;
  if (!first) return EXIT_GOOD;
  if (report_begin(path, CELLS, &r)) return EXIT_FAILED;
  snprintf(words, sizeof words, "%s %s %s, %s; Moho %s, %s; medians", word(first, "device", "uri"), word(first, "device", "name"),
           word(first, "device", "simd"), word(first, "device", "driver"), word(first, "version", NULL),
           word(first, "compiler", NULL));
  print_head(&r, words, titles);
  json_array_foreach(cases, index, each) {
    char cells[CELLS][160];
    const char *row[CELLS];
    fill_cells(each, cells);
    for (int i = 0; i < CELLS; i++) row[i] = cells[i];
    print_row(&r, "td", row);
  }
  return report_end(path, &r);
}

/* ---- bench memory ---- */

int bench_write_memory_report(const char *path, const json_t *memory) {
  enum { COLUMNS = 4 };
  static const char *const head[COLUMNS] = {"figure", "microseconds", "GB/s", "what is timed"};
  report r;
  char words[600];
  size_t index;
  json_t *each;
  if (report_begin(path, COLUMNS, &r)) return EXIT_FAILED;
  snprintf(words, sizeof words, "%s %s, %s; Moho %s; medians of %.0f, copies of %.0f MiB", word(memory, "device", "uri"),
           word(memory, "device", "name"), word(memory, "device", "driver"), word(memory, "version", NULL),
           number(memory, "runs", NULL), number(memory, "bytes", NULL) / (1 << 20));
  print_head(&r, words, head);
  json_array_foreach(json_object_get(memory, "figures"), index, each) {
    char seconds[32] = "-", rate[32] = "", what[400];
    const char *reason = word(each, "reason", NULL);
    if (!reason[0]) snprintf(seconds, sizeof seconds, "%.4g", 1e6 * number(each, "seconds", NULL));
    if (number(each, "bytes_per_s", NULL) > 0) snprintf(rate, sizeof rate, "%.4g", number(each, "bytes_per_s", NULL) / 1e9);
    snprintf(what, sizeof what, "%.150s%s%.200s", word(each, "words", NULL), reason[0] ? ": " : "", reason);
    print_row(&r, "td", (const char *const[COLUMNS]){word(each, "name", NULL), seconds, rate, what});
  }
  return report_end(path, &r);
}
