/* command_devices.c - moho devices: what can compute here, and why not. */
#include <jansson.h>
#include <stdlib.h>

#include "command.h"

enum { MAX_DEVICES = 64 };

static json_t *device_json(const moho_device_report *d) {
  return json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:I, s:I, s:s}", "uri", d->uri, "kind", d->kind, "name", d->name, "simd",
                   d->simd, "available", d->available, "threads", d->threads, "memory_bytes", (json_int_t)d->memory_bytes,
                   "memory_free_bytes", (json_int_t)d->memory_free_bytes, "reason", d->reason);
}

static void print_json(FILE *out, const moho_device_report *devices, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++) json_array_append_new(list, device_json(&devices[i]));
  json_dumpf(list, out, JSON_INDENT(2));
  fprintf(out, "\n");
  json_decref(list);
}

static void print_text(FILE *out, const moho_device_report *devices, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const moho_device_report *d = &devices[i];
    char memory[32], available[32];
    if (d->available)
      fprintf(out, "%-8s %s\n         %s, %d threads, %s of %s memory free\n", d->kind, d->name, d->uri, d->threads,
              bytes_text((double)d->memory_free_bytes, available), bytes_text((double)d->memory_bytes, memory));
    else fprintf(out, "%-8s unavailable: %s\n", d->kind, d->reason);
  }
}

static int run(const command_line *line) {
  if (line->n_arguments) return usage_error("devices: \"%s\" is too much, it takes no arguments", line->arguments[0]);
  moho_device_report devices[MAX_DEVICES];
  size_t count;
  if (moho_device_list(devices, MAX_DEVICES, &count)) return print_error();
  if (count > MAX_DEVICES) count = MAX_DEVICES;
  output_text text;
  int code = output_begin(&text);
  if (code) return code;
  if (line->json) print_json(text.out, devices, count);
  else print_text(text.out, devices, count);
  return output_finish(&text, line);
}

const command command_devices = {.name = "devices",
                                 .synopsis = "devices",
                                 .summary = "list the devices of this machine, and why others are unavailable",
                                 .teaching = "Lists what can compute here: kind, name, address, threads, memory. An address\n"
                                             "is what execution.device and --device take:\n"
                                             "\n"
                                             "    moho devices\n"
                                             "    moho migrate job.yaml \"execution.device=cpu?threads=4&simd=avx2\"",
                                 .options = NULL,
                                 .output_help = "write the list to FILE",
                                 .run = run};
