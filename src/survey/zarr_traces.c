/* zarr_traces.c - reading trace files that are Zarr groups. */
#include "survey/zarr_traces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "survey/zarr_store.h"
#include "survey/zarr_traces_headers.h"

struct moho_zarr_traces {
  char *path;
  moho_zarr_array *samples;
  size_t n_traces, n_samples;
  double dt_s;
};

static moho_status read_dt(const char *path, double *dt_s) {
  json_t *attributes;
  MOHO_TRY(moho_zarr_group_read_attributes(path, &attributes));
  const json_t *value = json_object_get(attributes, "dt_s");
  *dt_s = json_number_value(value);
  int good = json_is_number(value) && *dt_s > 0 && *dt_s <= 10;
  json_decref(attributes);
  if (good) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path, .key = "dt_s"}, "set the group attribute dt_s to the sample interval in seconds",
                      MOHO_ERROR_FORMAT, "%s: the attribute dt_s is missing or not a number above 0 and at most 10 s", path);
}

static moho_status open_traces(const char *path, moho_zarr_traces *traces) {
  MOHO_TRY(read_dt(path, &traces->dt_s));
  moho_status status = moho_zarr_array_open(path, "traces", &traces->samples);
  if (status) return moho_fail_add_place((moho_place){.file = path}, "a trace file holds the array traces [trace, time]");
  const moho_zarr_layout *layout = moho_zarr_array_get_layout(traces->samples);
  if (layout->n_axes != 2)
    return moho_fail_at((moho_place){.file = path}, "traces has the axes [trace, time]", MOHO_ERROR_FORMAT,
                        "%s: the array \"traces\" has %zu axes, expected 2", path, layout->n_axes);
  traces->n_traces = layout->shape[0];
  traces->n_samples = layout->shape[1];
  return MOHO_OK;
}

moho_status moho_zarr_traces_open(const char *path, moho_zarr_traces **out) {
  *out = NULL;
  moho_zarr_traces *traces = calloc(1, sizeof *traces);
  if (traces) traces->path = strdup(path);
  if (!traces || !traces->path) {
    moho_zarr_traces_close(&traces);
    return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  }
  moho_status status = open_traces(path, traces);
  if (status) moho_zarr_traces_close(&traces);
  *out = traces;
  return status;
}

void moho_zarr_traces_close(moho_zarr_traces **traces) {
  if (!*traces) return;
  moho_zarr_array_close(&(*traces)->samples);
  free((*traces)->path);
  free(*traces);
  *traces = NULL;
}

void moho_zarr_traces_shape(const moho_zarr_traces *traces, size_t *n_traces, size_t *n_samples, double *dt_s) {
  *n_traces = traces->n_traces;
  *n_samples = traces->n_samples;
  *dt_s = traces->dt_s;
}

size_t moho_zarr_traces_chunk(const moho_zarr_traces *traces) {
  return moho_zarr_array_get_layout(traces->samples)->chunk[0];
}

static moho_status read_header(const moho_zarr_traces *traces, const moho_zarr_header *header, void *out) {
  moho_zarr_array *array;
  const size_t first = 0;
  if (!header->required && !moho_zarr_group_has(traces->path, header->name)) return MOHO_OK;
  MOHO_TRY(moho_zarr_array_open(traces->path, header->name, &array));
  const moho_zarr_layout *layout = moho_zarr_array_get_layout(array);
  moho_status status;
  if (layout->n_axes != 1 || layout->shape[0] != traces->n_traces)
    status = moho_fail_at((moho_place){.file = traces->path}, "every header has one value a trace", MOHO_ERROR_FORMAT,
                          "%s: the array \"%s\" has %zu axes and %zu values, there are %zu traces", traces->path, header->name,
                          layout->n_axes, layout->shape[0], traces->n_traces);
  else status = moho_zarr_array_read(array, &first, &traces->n_traces, header->type, out);
  moho_zarr_array_close(&array);
  return status;
}

moho_status moho_zarr_traces_geometry(moho_zarr_traces *traces, moho_geometry *out) {
  MOHO_TRY(moho_geometry_create(traces->n_traces, out));
  moho_status status = MOHO_OK;
  for (size_t h = 0; !status && h < MOHO_ZARR_HEADERS; h++)
    status = read_header(traces, &moho_zarr_headers[h], moho_zarr_header_values(out, h));
  if (status) moho_geometry_release(out);
  return status;
}

moho_status moho_zarr_traces_read(moho_zarr_traces *traces, size_t first, size_t n, float *out) {
  const size_t low[2] = {first, 0}, count[2] = {n, traces->n_samples};
  return moho_zarr_array_read(traces->samples, low, count, MOHO_ZARR_F4, out);
}
