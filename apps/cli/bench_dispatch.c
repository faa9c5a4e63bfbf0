/* bench_dispatch.c - moho bench tensor --dispatch: seconds of each group of operations by size on every device, and the sizes
 * from which on another device than the one where the operands lie is faster. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench_tensor.h"
#include "command.h"

typedef struct bench_dispatch {
  moho_device *devices[MOHO_DISPATCH_DEVICES];
  moho_device_report reports[MOHO_DISPATCH_DEVICES];
  int n;
  moho_dispatcher *dispatcher;
  FILE *out;
} bench_dispatch;

/* ---- devices ---- */

static int add(bench_dispatch *b, const char *uri) {
  if (b->n == MOHO_DISPATCH_DEVICES) return usage_error("bench: more than %d devices in --device", (int)MOHO_DISPATCH_DEVICES);
  if (moho_device_open(uri, &b->devices[b->n])) return print_error();
  if (moho_device_describe(b->devices[b->n], &b->reports[b->n])) return print_error();
  b->n++;
  return EXIT_GOOD;
}

static int add_named(bench_dispatch *b, const char *uris) {
  char item[64];
  int code = EXIT_GOOD;
  while (!code && (uris = next_item(uris, item))) code = add(b, item);
  return code;
}

/* Every one that this machine has. */
static int add_all(bench_dispatch *b) {
  enum { MOST = 32 };
  static moho_device_report found[MOST];
  size_t n;
  if (moho_device_list(found, MOST, &n)) return print_error();
  int code = EXIT_GOOD;
  for (size_t i = 0; !code && i < n && i < MOST && b->n < MOHO_DISPATCH_DEVICES; i++)
    if (found[i].available) code = add(b, found[i].uri);
  return code;
}

/* ---- words ---- */

static int is_product(moho_dispatch_group group) {
  return group == MOHO_DISPATCH_MATMUL || group == MOHO_DISPATCH_TERNARY;
}

static const char *size_text(moho_dispatch_group group, double size, char text[40]) {
  char count[32];
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  if (is_product(group)) {
    snprintf(text, 40, "m n k %s", count_text(size, count));
    return text;
  }
  for (; size >= 1024 && unit < 4; unit++) size /= 1024;
  snprintf(text, 40, "%.4g %s", size, units[unit]);
  return text;
}

static int print_group(const bench_dispatch *b, moho_dispatch_group group) {
  char text[40];
  double last = is_product(group) ? 1e11 : 1e9;
  fprintf(b->out, "%s\n", moho_dispatch_group_name(group));
  for (double size = 1e3; size <= last; size *= 10) {
    fprintf(b->out, "  %-16s", size_text(group, size, text));
    for (int i = 0; i < b->n; i++) {
      moho_dispatch_estimate e;
      if (moho_dispatcher_estimate(b->dispatcher, group, size, i, i, &e)) return print_error();
      fprintf(b->out, "  %12.2f us", 1e6 * e.alone_s);
      if (!b->reports[i].has_native) fprintf(b->out, " (%.2f among many)", 1e6 * e.among_many_s);
    }
    fprintf(b->out, "\n");
  }
  return EXIT_GOOD;
}

static int print_crossover(const bench_dispatch *b, moho_dispatch_group group, int device, int at) {
  double size;
  char text[40];
  if (moho_dispatcher_crossover(b->dispatcher, group, device, at, &size)) return print_error();
  if (isinf(size)) snprintf(text, sizeof text, "at no size");
  else if (size > 0) size_text(group, size, text);
  fprintf(b->out, "  operands on %s: %s is faster %s%s\n", b->reports[at].uri, b->reports[device].uri,
          isinf(size) ? ""
          : size > 0  ? "from "
                      : "",
          size > 0 ? text : "always");
  return EXIT_GOOD;
}

static int print_words(const bench_dispatch *b) {
  int code = EXIT_GOOD;
  fprintf(b->out, "a call alone, operands there, on");
  for (int i = 0; i < b->n; i++) fprintf(b->out, "%s %s (%s)", i ? "," : "", b->reports[i].uri, b->reports[i].name);
  fprintf(b->out, "\n");
  for (int g = 0; !code && g < MOHO_DISPATCH_GROUPS; g++) {
    code = print_group(b, (moho_dispatch_group)g);
    for (int at = 0; !code && at < b->n; at++)
      for (int i = 0; !code && i < b->n; i++)
        if (i != at) code = print_crossover(b, (moho_dispatch_group)g, i, at);
  }
  return code;
}

/* ---- JSON ---- */

/* size null: never faster. */
static int print_json(const bench_dispatch *b) {
  char *text = moho_dispatcher_figures(b->dispatcher);
  json_t *all = text ? json_loads(text, 0, NULL) : NULL, *list = json_array();
  free(text);
  for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++)
    for (int pair = 0; pair < b->n * b->n; pair++) {
      int at = pair / b->n, device = pair % b->n;
      double size;
      if (at == device) continue;
      if (moho_dispatcher_crossover(b->dispatcher, (moho_dispatch_group)g, device, at, &size)) return print_error();
      json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "group", moho_dispatch_group_name((moho_dispatch_group)g),
                                            "operands_on", b->reports[at].uri, "faster", b->reports[device].uri, "from_size",
                                            isinf(size) ? json_null() : json_real(size)));
    }
  json_object_set_new(all, "crossovers", list);
  json_dumpf(all, b->out, JSON_COMPACT | JSON_REAL_PRECISION(6));
  fprintf(b->out, "\n");
  json_decref(all);
  return EXIT_GOOD;
}

int bench_dispatch_run(const char *uris, int json, FILE *out) {
  bench_dispatch b = {.out = out};
  int code = uris ? add_named(&b, uris) : add_all(&b);
  if (!code && moho_dispatcher_create(b.devices, (size_t)b.n, NULL, &b.dispatcher)) code = print_error();
  if (!code && moho_dispatcher_measure(b.dispatcher, 1, progress_step, NULL)) code = print_error();
  progress_end();
  if (!code) code = json ? print_json(&b) : print_words(&b);
  moho_dispatcher_destroy(&b.dispatcher);
  for (int i = 0; i < b.n; i++) moho_device_close(&b.devices[i]);
  return code;
}
