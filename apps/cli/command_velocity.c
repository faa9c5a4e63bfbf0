/* command_velocity.c - moho velocity: which of its works is meant. */
#include <math.h>
#include <string.h>

#include "velocity_command.h"

static velocity_arguments given = {.first_s = NAN, .step_s = NAN, .last_s = NAN, .min_mps = NAN, .max_mps = NAN};

static const struct poptOption options[] = {
    {"from", '\0', POPT_ARG_STRING, &given.from, 0, "convert: what the velocities read are [rms]", "rms|interval|average"},
    {"to", '\0', POPT_ARG_STRING, &given.to, 0, "convert: what is written [as read]", "rms|interval|average"},
    {"format", '\0', POPT_ARG_STRING, &given.format, 0,
     "of the output: opendtect, su, cdp_time_velocity, columns, segy, zarr [by the end of its name]", "F"},
    {"columns", '\0', POPT_ARG_STRING, &given.columns, 0, "of the output, as x,y,time_ms,velocity", "C,..."},
    {"input-format", '\0', POPT_ARG_STRING, &given.input_format, 0, "of the input's text [recognised]", "F"},
    {"input-columns", '\0', POPT_ARG_STRING, &given.input_columns, 0, "of the input, as x,y,time_ms,velocity", "C,..."},
    {"grid", '\0', POPT_ARG_STRING, &given.grid, 0, "image whose grid turns numbers into positions and back", "image.zarr"},
    {"on-grid", '\0', POPT_ARG_NONE, &given.on_grid, 0, "convert: a function at every node of --grid", NULL},
    {"time-step", '\0', POPT_ARG_DOUBLE, &given.step_s, 0, "convert: an even time axis, as cubes need, in seconds", "S"},
    {"time-first", '\0', POPT_ARG_DOUBLE, &given.first_s, 0, "convert: begin of the even axis, seconds [0]", "S"},
    {"time-last", '\0', POPT_ARG_DOUBLE, &given.last_s, 0, "convert: end of the even axis, seconds [the latest knot]", "S"},
    {"min-mps", '\0', POPT_ARG_DOUBLE, &given.min_mps, 0, "lowest velocity accepted, m/s [500]", "V"},
    {"max-mps", '\0', POPT_ARG_DOUBLE, &given.max_mps, 0, "highest velocity accepted, m/s [9000]", "V"},
    {"pictures", '\0', POPT_ARG_STRING, &given.pictures, 0, "scan: draw semblance with picks, gathers before and after, as PNG",
     "DIRECTORY"},
    {"at", '\0', POPT_ARG_STRING, &given.at, 0, "scan: where to draw them [in the middle]", "INLINE:CROSSLINE,..."},
    {"report", '\0', POPT_ARG_STRING, &given.report, 0, "scan: write the JSON report to FILE", "FILE"},
    POPT_TABLEEND};

static int run(const command_line *line) {
  static const char *const works[] = {"convert", "scan"};
  if (line->n_arguments < 1) return usage_error("velocity: what? moho velocity convert, moho velocity scan");
  if (strcmp(line->arguments[0], "convert") == 0) return velocity_convert(line, &given);
  if (strcmp(line->arguments[0], "scan") == 0) return velocity_scan(line, &given);
  usage_error("velocity: unknown work \"%s\"", line->arguments[0]);
  print_suggestion(line->arguments[0], works, sizeof works / sizeof *works);
  return EXIT_USAGE;
}

const command command_velocity = {
    .name = "velocity",
    .synopsis = "velocity scan IMAGE.zarr [KEY=VALUE ...] --output FILE | velocity convert IN OUT",
    .summary = "find a better velocity from image gathers; convert velocity files",
    .teaching = "convert reads velocities in any format that Moho reads (text by OpendTect's or its\n"
                "own headings, SU's lists, cdp time velocity, declared columns; SEG-Y and Zarr cubes)\n"
                "and writes them as another format, another kind, or both. rms to interval is Dix's\n"
                "formula; a pick that makes v_int^2 negative is named. The output is read back, and\n"
                "how far its v_rms is from the input's is told.\n"
                "\n"
                "    moho velocity convert picks.txt interval.txt --from rms --to interval\n"
                "    moho velocity convert picks.txt cube.sgy --grid out/image.zarr --on-grid --time-step 0.02\n"
                "    moho velocity convert cube.zarr picks.par --grid out/image.zarr\n"
                "    moho velocity convert picks.txt other.txt --columns inline,crossline,time_ms,velocity --grid out/image.zarr",
    .options = options,
    .output_help = "scan: the velocity to write; convert: write the summary to FILE",
    .is_long = 1,
    .run = run};
