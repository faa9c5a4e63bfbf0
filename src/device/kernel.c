/* kernel.c - kernels: a name looked up in a text or among what was compiled in, compiled once, and the sizes of its groups. */
#include "moho/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/device_core.h"
#include "device/kernel_cache.h"
#include "device/kernel_memo.h"
#include "device/kernel_registry.h"
#include "device/kernel_text.h"

/* Lanes of a group unless the kernel allows fewer: enough for every device to hide memory behind, few enough for many groups. */
enum { PREFERRED_LANES = 256, SIMD_LANES = 32 };

/* ---- making ---- */

static moho_status check_options(const moho_kernel_options *options) {
  if (!options || !options->name || !*options->name)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel: no name, expected that of a KERNEL function");
  if (strlen(options->name) >= sizeof((moho_kernel *)0)->name)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %.70s...: the name is too long, expected at most %zu letters", options->name,
                     sizeof((moho_kernel *)0)->name - 1);
  if (options->n_constants && !options->constants)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: %zu constants at NULL", options->name, options->n_constants);
  return MOHO_OK;
}

/* The text to compile, and what was compiled into the program for it: only where that is the same text. */
static moho_status find_sources(const moho_device *device, const moho_kernel_options *options, const char **text,
                                const moho_kernel_definition **definition) {
  *definition = moho_registry_find(options->name);
  *text = options->text;
  if (!*text) {
    if (!*definition) return moho_registry_not_found(options->name, device->report.kind);
    *text = (*definition)->text;
  } else if (*definition && (*definition)->text && strcmp((*definition)->text, *text)) {
    *definition = NULL;
  }
  return MOHO_OK;
}

/* A native function without a text: its name stands for it. */
static void key_of_name(const char *name, char key[65]) {
  snprintf(key, 65, "%s", name);
}

static moho_status make_unit(moho_device *device, const moho_kernel_options *options, moho_unit *unit, char **text,
                             moho_kernel *kernel) {
  const char *source;
  const moho_kernel_definition *definition;
  moho_kernel_facts facts = {0};
  *text = NULL;
  MOHO_TRY(find_sources(device, options, &source, &definition));
  *unit = (moho_unit){.name = options->name, .definition = definition};
  if (source) {
    MOHO_TRY(moho_kernel_text_find(source, options->file, options->name, &facts));
    MOHO_TRY(moho_kernel_text_make(options, source, text, unit->key));
    unit->text = *text;
  } else {
    key_of_name(options->name, unit->key);
  }
  moho_signature_read(source, options->name, &kernel->signature);
  kernel->uses_group = facts.uses_group;
  return MOHO_OK;
}

/* The compiled-in kernel whose text is asked for, NULL: another text. */
static const moho_kernel_definition *compiled_in(const moho_kernel_options *options) {
  const moho_kernel_definition *definition = options->text ? NULL : moho_registry_find(options->name);
  return definition && definition->text ? definition : NULL;
}

/* Nothing to read and nothing to compile. */
static int find_ready(moho_device *device, const moho_kernel_options *options, moho_kernel *kernel) {
  const moho_kernel_definition *definition = compiled_in(options);
  moho_kernel_memo memo;
  if (!definition || !moho_kernel_recall(definition, options, &memo)) return 0;
  kernel->pipeline = moho_kernel_cache_find(device, memo.key);
  kernel->signature = memo.signature, kernel->uses_group = memo.uses_group;
  return kernel->pipeline != NULL;
}

static moho_status make_ready(moho_device *device, const moho_kernel_options *options, moho_kernel *kernel) {
  moho_unit unit;
  char *text;
  moho_status status = make_unit(device, options, &unit, &text, kernel);
  if (!status) status = moho_kernel_cache_get(device, &unit, &kernel->pipeline, &kernel->compile_seconds);
  free(text);
  const moho_kernel_definition *definition = status ? NULL : compiled_in(options);
  if (definition) {
    moho_kernel_memo memo = {.uses_group = kernel->uses_group, .signature = kernel->signature};
    memcpy(memo.key, unit.key, sizeof memo.key);
    moho_kernel_remember(definition, options, &memo);
  }
  return status;
}

static moho_status fill_kernel(moho_device *device, const moho_kernel_options *options, moho_kernel *kernel) {
  snprintf(kernel->name, sizeof kernel->name, "%s", options->name);
  if (!find_ready(device, options, kernel)) MOHO_TRY(make_ready(device, options, kernel));
  int hit = kernel->compile_seconds <= 0;
  snprintf(kernel->origin, sizeof kernel->origin, "%s", hit ? "cache" : kernel->pipeline->origin);
  if (strcmp(kernel->origin, "compiled")) kernel->compile_seconds = 0;
  return MOHO_OK;
}

moho_status moho_kernel_create(moho_device *device, const moho_kernel_options *options, moho_kernel **out) {
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "kernel: nowhere to put it, got NULL");
  *out = NULL;
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  MOHO_TRY(check_options(options));
  moho_kernel *kernel;
  MOHO_TRY(moho_handle_new(MOHO_KIND_KERNEL, sizeof *kernel, device, &kernel));
  moho_status status = fill_kernel(device, options, kernel);
  if (status) {
    moho_handle_kill(kernel, MOHO_KIND_KERNEL);
    moho_kernel_dismantle(kernel);
    return status;
  }
  *out = kernel;
  return MOHO_OK;
}

void moho_kernel_dismantle(moho_kernel *kernel) {
  if (!moho_handle_release(kernel)) return;
  if (kernel->pipeline) moho_kernel_cache_put(kernel->handle.device, kernel->pipeline);
  moho_handle_free(kernel, MOHO_KIND_KERNEL);
}

moho_status moho_kernel_destroy(moho_kernel **pointer) {
  if (!pointer || !*pointer) return MOHO_OK;
  moho_kernel *kernel = *pointer;
  *pointer = NULL;
  MOHO_TRY(moho_handle_check_alive(kernel, MOHO_KIND_KERNEL));
  MOHO_TRY(moho_handle_kill(kernel, MOHO_KIND_KERNEL));
  moho_kernel_dismantle(kernel);
  return MOHO_OK;
}

/* ---- asking ---- */

static uint32_t lanes_limit(const moho_kernel *kernel) {
  int limit = kernel->handle.device->report.max_lanes;
  if (kernel->pipeline->max_lanes < limit) limit = kernel->pipeline->max_lanes;
  return limit < 1 ? 1 : (uint32_t)limit;
}

uint32_t moho_kernel_lanes_limit(const moho_kernel *kernel) {
  return lanes_limit(kernel);
}

/* Whole SIMD groups where the kernel allows one. */
uint32_t moho_kernel_preferred_lanes(const moho_kernel *kernel) {
  uint32_t lanes = lanes_limit(kernel);
  if (lanes > PREFERRED_LANES) lanes = PREFERRED_LANES;
  return lanes >= SIMD_LANES ? lanes / SIMD_LANES * SIMD_LANES : lanes;
}

moho_status moho_kernel_describe(const moho_kernel *kernel, moho_kernel_report *out) {
  MOHO_TRY(moho_handle_check(kernel, MOHO_KIND_KERNEL));
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "kernel: nowhere to put the report, got NULL");
  const moho_pipeline *pipeline = kernel->pipeline;
  *out = (moho_kernel_report){.max_lanes = (int)lanes_limit(kernel),
                              .simd_width = pipeline->simd_width,
                              .group_memory = pipeline->group_memory,
                              .registers = pipeline->registers,
                              .spilled_bytes = pipeline->spilled_bytes,
                              .compile_seconds = kernel->compile_seconds};
  memcpy(out->name, kernel->name, sizeof out->name);
  memcpy(out->origin, kernel->origin, sizeof out->origin);
  return MOHO_OK;
}

static moho_status groups_for(const moho_kernel *kernel, size_t items, uint32_t lanes, uint32_t *groups) {
  if (!items || items > INT32_MAX)
    return moho_fail_at((moho_place){0}, "cut longer work into several launches", MOHO_ERROR_RANGE,
                        "kernel %s: groups for %zu items, expected 1 to %d: indices stay below 2^31", kernel->name, items,
                        INT32_MAX);
  *groups = (uint32_t)((items + lanes - 1) / lanes);
  return MOHO_OK;
}

moho_status moho_kernel_group_1d(const moho_kernel *kernel, size_t items, uint32_t *lanes, uint32_t *groups) {
  MOHO_TRY(moho_handle_check(kernel, MOHO_KIND_KERNEL));
  if (!lanes || !groups) return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: nowhere to put lanes and groups", kernel->name);
  uint32_t n = moho_kernel_preferred_lanes(kernel);
  MOHO_TRY(groups_for(kernel, items, n, groups));
  *lanes = n;
  return MOHO_OK;
}

/* Rows of 32 lanes, so that a SIMD group lies along the first axis; narrower where there are fewer items, then as many rows as
 * there are items for, in whole SIMD groups. */
static void shape_of_group(uint32_t total, const size_t items[2], uint32_t lanes[2]) {
  uint32_t x = SIMD_LANES;
  while (x > 1 && (x > total || x / 2 >= items[0])) x /= 2;
  uint32_t y = total / x, rows = SIMD_LANES / x;
  size_t needed = (items[1] + rows - 1) / rows * rows;
  lanes[0] = x;
  lanes[1] = needed < y ? (uint32_t)needed : y;
}

moho_status moho_kernel_group_2d(const moho_kernel *kernel, const size_t items[2], uint32_t lanes[2], uint32_t groups[2]) {
  MOHO_TRY(moho_handle_check(kernel, MOHO_KIND_KERNEL));
  if (!items || !lanes || !groups)
    return moho_fail(MOHO_ERROR_ARGUMENT, "kernel %s: nowhere to put lanes and groups", kernel->name);
  uint32_t n[2], m[2];
  if (items[0] && items[1] && items[0] <= INT32_MAX && items[1] <= INT32_MAX)
    shape_of_group(moho_kernel_preferred_lanes(kernel), items, n);
  else n[0] = n[1] = 1;
  for (int axis = 0; axis < 2; axis++) MOHO_TRY(groups_for(kernel, items[axis], n[axis], &m[axis]));
  for (int axis = 0; axis < 2; axis++) lanes[axis] = n[axis], groups[axis] = m[axis];
  return MOHO_OK;
}
