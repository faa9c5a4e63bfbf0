/* command_info.c - moho info: what a trace, velocity or image file holds. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "info_image.h"
#include "info_traces.h"

static char *headers, *units, *geometry, *scalar, *velocity_type, *columns, *format, *where, *pictures, *samples, *grid_image;
static double mean_mps, dip_deg, aperture_m;

static const struct poptOption options[] = {
    {"headers", '\0', POPT_ARG_STRING, &headers, 0, "read header values from other bytes: source_x=73,cdp=21:i4, or standard, su",
     "MAP"},
    {"units", '\0', POPT_ARG_STRING, &units, 0, "unit of the file's lengths", "auto|m|ft"},
    {"geometry", '\0', POPT_ARG_STRING, &geometry, 0, "where positions come from", "auto|source_receiver|midpoint_offset"},
    {"coordinate-scalar", '\0', POPT_ARG_STRING, &scalar, 0, "replaces bytes 71-72", "N"},
    {"where", '\0', POPT_ARG_STRING, &where, 0,
     "only traces whose headers hold this: offset > 200 and cdp % 2 == 0 (docs/selection.md)", "CONDITION"},
    {"velocity", '\0', POPT_ARG_STRING, &velocity_type, 0, "FILE is a velocity table or cube of this type",
     "rms|interval|average"},
    {"format", '\0', POPT_ARG_STRING, &format, 0, "layout of a velocity table", "opendtect|su|cdp_time_velocity|columns"},
    {"columns", '\0', POPT_ARG_STRING, &columns, 0, "columns of a velocity table: x,y,time_ms,velocity", "LIST"},
    {"pictures", '\0', POPT_ARG_STRING, &pictures, 0, "draw maps, histograms, spectrum, ... as PNG into DIR", "DIR"},
    {"samples", '\0', POPT_ARG_STRING, &samples, 0, "traces whose samples are looked at (2048, spread over the file)",
     "N|all|none"},
    {"mean-mps", '\0', POPT_ARG_DOUBLE, &mean_mps, 0, "velocity for aliasing and reach (2000)", "V"},
    {"dip-deg", '\0', POPT_ARG_DOUBLE, &dip_deg, 0, "steepest dip to be imaged (45)", "D"},
    {"aperture-m", '\0', POPT_ARG_DOUBLE, &aperture_m, 0, "aperture (half of the survey)", "A"},
    {"grid", '\0', POPT_ARG_STRING, &grid_image, 0, "hold the file against the grid of this image.zarr", "IMAGE"},
    POPT_TABLEEND};

/* ---- what kind of file ---- */

static int exists_in(const char *path, const char *name) {
  char full[1200];
  struct stat status;
  snprintf(full, sizeof full, "%.1000s/%s", path, name);
  return stat(full, &status) == 0;
}

static int ends_with(const char *path, const char *ending) {
  size_t length = strlen(path), end = strlen(ending);
  return length >= end && strcmp(path + length - end, ending) == 0;
}

static int is_text_name(const char *path) {
  static const char *const endings[] = {".txt", ".dat", ".vel", ".csv", ".par", ".asc"};
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    if (ends_with(path, endings[i])) return 1;
  return 0;
}

/* ---- traces ---- */

static int traces_options(moho_traces_options *o) {
  static moho_selection select;
  int chosen;
  *o = moho_traces_options_default();
  if (headers) o->headers = headers;
  if (units) {
    if ((chosen = choose_word("units", units, "auto|m|ft")) < 0) return EXIT_USAGE;
    o->units = (moho_units)chosen;
  }
  if (geometry) {
    if ((chosen = choose_word("geometry", geometry, "auto|source_receiver|midpoint_offset")) < 0) return EXIT_USAGE;
    o->geometry = (moho_geometry_source)chosen;
  }
  if (scalar) {
    char *end;
    long value = strtol(scalar, &end, 10);
    if (*end || end == scalar || value == 0 || labs(value) > 1000000)
      return usage_error("--coordinate-scalar is \"%s\", expected a whole number such as -100 (divides by 100)", scalar);
    o->coordinate_scalar_given = 1;
    o->coordinate_scalar = (int)value;
  }
  if (where) {
    select = moho_selection_default();
    select.where = where;
    o->select = &select;
  }
  o->progress = progress_step;
  return EXIT_GOOD;
}

/* The grid of --grid; *given: whether there is one. */
static int given_grid(moho_grid *grid, int *given) {
  *grid = moho_grid_default();
  *given = grid_image != NULL;
  return grid_image && moho_grid_read_zarr(grid_image, grid) ? print_error() : EXIT_GOOD;
}

static int quality_options(moho_survey_quality_options *o) {
  *o = moho_survey_quality_options_default();
  if (samples) {
    char *end;
    unsigned long long n = strtoull(samples, &end, 10);
    if (strcmp(samples, "all") == 0) o->sampled_traces = SIZE_MAX;
    else if (strcmp(samples, "none") == 0) o->sampled_traces = 0;
    else if (*end || end == samples || *samples == '-' || n == 0)
      return usage_error("--samples is \"%s\", expected a number of traces, all or none", samples);
    else o->sampled_traces = (size_t)n;
  }
  if (mean_mps < 0 || dip_deg < 0 || dip_deg > 90 || aperture_m < 0)
    return usage_error("--mean-mps %g, --dip-deg %g, --aperture-m %g: expected more than 0, the dip at most 90", mean_mps,
                       dip_deg, aperture_m);
  if (mean_mps > 0) o->velocity_mps = mean_mps;
  if (dip_deg > 0) o->dip_deg = dip_deg;
  o->aperture_m = aperture_m;
  return EXIT_GOOD;
}

static int print_traces(const command_line *line, const char *path, moho_traces *traces, const moho_survey_quality_options *o) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  traces_summary summary;
  moho_survey_quality quality;
  output_text text;
  traces_summarise(moho_traces_get_geometry(traces), &summary); /* before reading samples adds flags */
  if (moho_survey_measure(traces, o, &quality)) return print_error();
  int failed = 0, code = pictures && moho_survey_quality_draw(&quality, pictures) ? print_error() : output_begin(&text);
  if (!code) {
    if (line->json) failed = traces_print_json(text.out, path, info, &summary, &quality);
    else traces_print_text(text.out, path, info, &summary, &quality);
    code = output_finish(&text, line);
  }
  if (failed) fprintf(stderr, "moho: out of memory\n");
  moho_survey_quality_release(&quality);
  return failed ? EXIT_FAILED : code;
}

static int info_of_traces(const command_line *line, const char *path) {
  moho_traces_options o;
  moho_survey_quality_options quality;
  moho_traces *traces;
  moho_grid grid;
  int given, code = traces_options(&o);
  if (!code) code = quality_options(&quality);
  if (!code) code = given_grid(&grid, &given);
  if (code) return code;
  if (given) quality.grid = &grid;
  o.bad_samples = MOHO_BAD_SAMPLES_ZERO; /* they are counted */
  if (moho_traces_open(path, &o, &traces)) {
    moho_grid_release(&grid);
    return print_error();
  }
  progress_end();
  code = print_traces(line, path, traces, &quality);
  moho_traces_close(&traces);
  moho_grid_release(&grid);
  return code;
}

static int run(const command_line *line) {
  if (line->n_arguments != 1) return usage_error("info: name one file, %zu are given", line->n_arguments);
  const char *path = line->arguments[0];
  int is_binary = ends_with(path, ".sgy") || ends_with(path, ".segy") || ends_with(path, ".zarr") || exists_in(path, ".zgroup");
  velocity_info velocity = {velocity_type, columns, format, pictures, grid_image};
  if (velocity_type || columns || format) return info_of_velocity(line, path, &velocity, is_binary);
  if (exists_in(path, "stack/.zarray")) return info_of_image(line, path, pictures);
  if (exists_in(path, "velocity/.zarray")) return info_of_velocity(line, path, &velocity, 1);
  if (is_text_name(path)) return info_of_velocity(line, path, &velocity, 0);
  return info_of_traces(line, path);
}

const command command_info = {
    .name = "info",
    .synopsis = "info FILE",
    .summary = "show what a trace, velocity or image file holds",
    .teaching = "Traces (SEG-Y, SU, Zarr): format, coordinate ranges in metres, offsets,\n"
                "azimuths, fold, record, elevations and statics, odd headers and what was\n"
                "decided about them; duplicates, dead and spiky traces, the spectrum, and\n"
                "warnings with advice (docs/quality.md); a grid to copy into a job. Images (image.zarr): axes, corners,\n"
                "amplitudes, focusing, where it came from. Velocities (.txt tables; with --velocity any\n"
                "table or cube): functions, range, inversions, jumps.\n"
                "\n"
                "    moho info line.sgy\n"
                "    moho info line.sgy --pictures maps --mean-mps 2500 --dip-deg 60\n"
                "    moho info line.sgy --headers source_x=181,source_y=185 --json\n"
                "    moho info picks.txt --velocity rms --columns x,y,time_ms,velocity",
    .options = options,
    .output_help = "write it to FILE",
    .is_long = 1,
    .run = run};
