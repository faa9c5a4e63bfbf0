/* traces_writer.c - writing traces: the file's ending says which kind. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "survey/segy_writer.h"
#include "survey/zarr_traces.h"

struct moho_traces_writer {
  moho_segy_writer *segy;
  moho_zarr_traces_writer *zarr; /* one of the two */
};

static int ends_with(const char *path, const char *ending) {
  size_t n = strlen(path), m = strlen(ending);
  while (n && path[n - 1] == '/') n--;
  return n > m && strncasecmp(path + n - m, ending, m) == 0;
}

moho_status moho_traces_writer_create(const char *path, size_t n_traces, size_t n_samples, double dt_s, const char *description,
                                      moho_traces_writer **out) {
  moho_traces_writer *writer;
  moho_segy_writer_options options = {
      .su = ends_with(path, ".su"), .n_traces = n_traces, .n_samples = n_samples, .dt_s = dt_s, .description = description};
  int zarr = ends_with(path, ".zarr");
  *out = NULL;
  if (!zarr && !options.su && !ends_with(path, ".sgy") && !ends_with(path, ".segy"))
    return moho_fail_at((moho_place){.file = path}, "name it .sgy, .segy, .su or .zarr", MOHO_ERROR_ARGUMENT,
                        "%s: its ending tells no kind of trace file", path);
  MOHO_TRY(moho_allocate(1, sizeof *writer, "trace file", &writer));
  moho_status status = zarr ? moho_zarr_traces_writer_create(path, n_traces, n_samples, dt_s, description, &writer->zarr)
                            : moho_segy_writer_create(path, &options, &writer->segy);
  if (status) moho_traces_writer_discard(&writer);
  *out = writer;
  return status;
}

moho_status moho_traces_writer_append(moho_traces_writer *writer, const moho_geometry *geometry, const float *traces) {
  return writer->zarr ? moho_zarr_traces_writer_append(writer->zarr, geometry, traces)
                      : moho_segy_writer_append(writer->segy, geometry, traces);
}

moho_status moho_traces_writer_finish(moho_traces_writer **writer) {
  moho_status status =
      (*writer)->zarr ? moho_zarr_traces_writer_finish(&(*writer)->zarr) : moho_segy_writer_finish(&(*writer)->segy);
  moho_traces_writer_discard(writer);
  return status;
}

void moho_traces_writer_discard(moho_traces_writer **writer) {
  if (!*writer) return;
  moho_segy_writer_discard(&(*writer)->segy);
  moho_zarr_traces_writer_discard(&(*writer)->zarr);
  free(*writer);
  *writer = NULL;
}
