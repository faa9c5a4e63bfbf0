/* command_synth.c - moho synth: a synthetic survey with exact travel times. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static char *preset;

static const struct poptOption options[] = {
    {"preset", '\0', POPT_ARG_STRING, &preset, 0, "a ready survey to start from", "tiny|small|medium|large"}, POPT_TABLEEND};

static int set_options(const command_line *line, moho_synth_options *synth) {
  if (moho_synth_options_preset(preset, synth)) {
    print_error();
    return EXIT_USAGE;
  }
  for (size_t i = 0; i < line->n_arguments; i++) {
    char key[160];
    const char *value;
    if (!split_assignment(line->arguments[i], key, &value))
      return usage_error("synth: \"%s\" is not key=value, as offset_last_m=2000", line->arguments[i]);
    if (moho_synth_options_set(synth, key, value)) {
      print_error();
      return EXIT_USAGE;
    }
  }
  return EXIT_GOOD;
}

static void print_keys(FILE *out) {
  const char *help;
  for (size_t i = 0; (help = moho_synth_option_help(i)); i++) fprintf(out, "  %s\n", help);
}

static int print_written(const command_line *line, const moho_synth_options *synth, const char *path) {
  double traces = (double)moho_synth_trace_count(synth);
  if (!line->json) {
    printf("%s: %.0f traces of %zu samples, %g s apart\n", path, traces, synth->n_samples, synth->dt_s);
  } else {
    json_t *root = json_pack("{s:s, s:I, s:I, s:f}", "output", path, "traces", (json_int_t)traces, "samples",
                             (json_int_t)synth->n_samples, "dt_s", synth->dt_s);
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
  }
  return fflush(stdout) ? EXIT_FAILED : EXIT_GOOD;
}

static int run(const command_line *line) {
  if (line->n_arguments == 1 && strcmp(line->arguments[0], "keys") == 0) {
    print_keys(stdout);
    return EXIT_GOOD;
  }
  if (!preset && !line->n_arguments) return usage_error("synth: which survey? Give --preset small, or key=value");
  moho_synth_options synth;
  int code = set_options(line, &synth);
  if (code) return code;
  char name[80];
  snprintf(name, sizeof name, "%.60s.sgy", preset ? preset : "survey");
  const char *path = line->output ? line->output : name;
  if (moho_synth_write(&synth, path, progress_step, NULL)) return print_error();
  progress_end();
  return print_written(line, &synth, path);
}

const command command_synth = {.name = "synth",
                               .synopsis = "synth --preset P [--output FILE.sgy] [KEY=VALUE ...]",
                               .summary = "make a synthetic survey with exact travel times",
                               .teaching = "Writes a survey of point diffractors and reflectors in a constant or v0 + k*z\n"
                                           "medium: SEG-Y (.sgy), SU (.su) or Zarr (.zarr). Presets: tiny 500 m, small\n"
                                           "1000 m, medium 2000 m, large 4000 m (0.8 million traces); 25 m midpoints,\n"
                                           "azimuths 0 and 90, 2 ms, 2500 m/s, a diffractor in the middle at depth 800 m,\n"
                                           "a 25 Hz Ricker wavelet, 5 % noise. Any key changes them; moho synth keys lists\n"
                                           "them.\n"
                                           "\n"
                                           "    moho synth --preset small\n"
                                           "    moho synth --preset tiny --output dipping.sgy noise=0 \\\n"
                                           "        diffractors=none reflectors=250:250:600:20:90:1\n"
                                           "    moho synth --preset small --output line.sgy extent_inline_m=0 \\\n"
                                           "        azimuths_deg=0 midpoint_spacing_m=12.5 peak_hz=40",
                               .options = options,
                               .output_help = "the file to write: .sgy, .segy, .su or .zarr [PRESET.sgy]",
                               .is_long = 1,
                               .run = run};
