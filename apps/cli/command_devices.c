/* command_devices.c - moho devices: what can compute here, what it has, how fast it is, and why others cannot. */
#include <jansson.h>
#include <stdlib.h>

#include "command.h"

enum { MAX_DEVICES = 64 };

static int wants_rates;

static const struct poptOption options[] = {{"measure", '\0', POPT_ARG_NONE, &wants_rates, 0,
                                             "measure copy, upload, download, arithmetic and launch of each device", NULL},
                                            POPT_TABLEEND};

typedef struct device_entry {
  moho_device_report report;
  moho_device_rates rates;
  int is_measured;
} device_entry;

/* ---- JSON ---- */

static json_int_t whole(size_t number) {
  return (json_int_t)number;
}

static json_t *device_json(const device_entry *e) {
  const moho_device_report *d = &e->report;
  json_t *names =
      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "uri", d->uri, "kind", d->kind, "name", d->name, "architecture",
                d->architecture, "simd", d->simd, "driver", d->driver, "available", d->available, "reason", d->reason);
  json_t *figures = json_pack(
      "{s:i, s:b, s:b, s:b, s:i, s:i, s:I, s:i, s:f, s:{s:b, s:b, s:b, s:b}}", "threads", d->threads, "unified_memory",
      d->unified_memory, "zero_copy", d->zero_copy, "has_native", d->has_native, "simd_width", d->simd_width, "max_lanes",
      d->max_lanes, "group_memory_bytes", whole(d->group_memory), "multiprocessors", d->multiprocessors, "launch_seconds",
      d->launch_seconds, "types", "double", d->has_double, "half", d->has_half, "bfloat", d->has_bfloat, "int64", d->has_int64);
  json_t *memory = json_pack("{s:I, s:I, s:I, s:I, s:I}", "wrap_alignment", whole(d->wrap_alignment), "memory_bytes",
                             whole(d->memory_bytes), "memory_free_bytes", whole(d->memory_free_bytes), "working_set_bytes",
                             whole(d->working_set_bytes), "largest_buffer_bytes", whole(d->largest_buffer));
  json_object_update_new(names, figures);
  json_object_update_new(names, memory);
  if (e->is_measured)
    json_object_set_new(names, "rates",
                        json_pack("{s:f, s:f, s:f, s:f, s:f}", "copy_bytes_per_s", e->rates.copy_bytes_per_s,
                                  "upload_bytes_per_s", e->rates.upload_bytes_per_s, "download_bytes_per_s",
                                  e->rates.download_bytes_per_s, "fma_per_s", e->rates.fma_per_s, "launch_s", e->rates.launch_s));
  return names;
}

static void print_json(FILE *out, const device_entry *devices, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++) json_array_append_new(list, device_json(&devices[i]));
  json_dumpf(list, out, JSON_INDENT(2));
  fprintf(out, "\n");
  json_decref(list);
}

/* ---- text ---- */

static const char *yes(int condition) {
  return condition ? "yes" : "no";
}

static void print_rates(FILE *out, const moho_device_rates *r) {
  fprintf(out,
          "         measured   copy %.4g GB/s, upload %.4g GB/s, download %.4g GB/s, %.3g T multiply-adds/s, launch %.3g us\n",
          r->copy_bytes_per_s / 1e9, r->upload_bytes_per_s / 1e9, r->download_bytes_per_s / 1e9, r->fma_per_s / 1e12,
          1e6 * r->launch_s);
}

static void print_device(FILE *out, const device_entry *e) {
  const moho_device_report *d = &e->report;
  char total[32], available[32], working[32], largest[32], group[32];
  fprintf(out, "%-8s %s\n         address    %s\n", d->kind, d->name, d->uri);
  fprintf(out, "         is         %s%s%s%s%s, %d threads on the host", d->architecture, d->simd[0] ? ", " : "", d->simd,
          d->driver[0] ? ", " : "", d->driver, d->threads);
  if (d->multiprocessors && !d->has_native) fprintf(out, ", %d multiprocessors", d->multiprocessors);
  fprintf(out, "\n         memory     %s free of %s%s; working set %s, largest buffer %s\n",
          bytes_text((double)d->memory_free_bytes, available), bytes_text((double)d->memory_bytes, total),
          d->unified_memory ? ", shared with the host" : "", bytes_text((double)d->working_set_bytes, working),
          bytes_text((double)d->largest_buffer, largest));
  fprintf(out, "         groups     %d lanes, SIMD width %d, group memory %s\n", d->max_lanes, d->simd_width,
          bytes_text((double)d->group_memory, group));
  fprintf(out, "         types      double %s, half %s, bfloat %s, int64 %s\n", yes(d->has_double), yes(d->has_half),
          yes(d->has_bfloat), yes(d->has_int64));
  if (d->zero_copy) fprintf(out, "         zero copy  yes, at multiples of %zu bytes\n", d->wrap_alignment);
  else fprintf(out, "         zero copy  no\n");
  if (e->is_measured) print_rates(out, &e->rates);
  if (d->reason[0]) fprintf(out, "         note       %s\n", d->reason);
}

static void print_text(FILE *out, const device_entry *devices, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (devices[i].report.available) print_device(out, &devices[i]);
    else fprintf(out, "%-8s unavailable: %s\n", devices[i].report.kind, devices[i].report.reason);
  }
}

/* ---- the command ---- */

static moho_status measure(device_entry *devices, size_t count) {
  for (size_t i = 0; i < count; i++) {
    moho_device *device;
    if (!devices[i].report.available) continue;
    moho_status status = moho_device_open(devices[i].report.uri, &device);
    if (!status) status = moho_device_measure(device, &devices[i].rates);
    if (!status) status = moho_device_close(&device);
    if (status) return status;
    devices[i].is_measured = 1;
  }
  return MOHO_OK;
}

static int list_devices(device_entry *devices, size_t *count) {
  moho_device_report *reports = calloc(MAX_DEVICES, sizeof *reports);
  if (!reports) return EXIT_FAILED;
  moho_status status = moho_device_list(reports, MAX_DEVICES, count);
  if (*count > MAX_DEVICES) *count = MAX_DEVICES;
  for (size_t i = 0; !status && i < *count; i++) devices[i].report = reports[i];
  free(reports);
  if (!status && wants_rates) status = measure(devices, *count);
  return status ? print_error() : EXIT_GOOD;
}

static int run(const command_line *line) {
  if (line->n_arguments) return usage_error("devices: \"%s\" is too much, it takes no arguments", line->arguments[0]);
  device_entry *devices = calloc(MAX_DEVICES, sizeof *devices);
  size_t count = 0;
  output_text text;
  int code = devices ? list_devices(devices, &count) : EXIT_FAILED;
  if (!code) code = output_begin(&text);
  if (!code) {
    if (line->json) print_json(text.out, devices, count);
    else print_text(text.out, devices, count);
    code = output_finish(&text, line);
  }
  free(devices);
  return code;
}

const command command_devices = {.name = "devices",
                                 .synopsis = "devices [--measure]",
                                 .summary = "list the devices of this machine, and why others are unavailable",
                                 .teaching = "Lists what can compute here: kind, name, address, driver, memory, what its\n"
                                             "groups of lanes are like, the types it has. An address is what\n"
                                             "execution.device and --device take. --measure adds rates, about a second a\n"
                                             "device.\n"
                                             "\n"
                                             "    moho devices --measure\n"
                                             "    moho migrate job.yaml \"execution.device=cpu?threads=4&simd=avx2\"\n"
                                             "    moho migrate job.yaml execution.device=cuda:0 execution.kernel=v2",
                                 .options = options,
                                 .output_help = "write the list to FILE",
                                 .run = run};
