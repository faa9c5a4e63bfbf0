/* velocity_convert.c - moho velocity convert: read, turned, written, and read back. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "velocity_command.h"

static const char *const kinds[] = {"rms", "interval", "average"};

typedef struct conversion {
  const char *from_path, *to_path;
  moho_velocity_options reading, writing; /* writing: how the output is read again */
  moho_velocity_write_options write;
  moho_grid grid;
  moho_velocity_functions given, meant, made; /* as read; as they should be found again; as written */
  double at_knots, between;
} conversion;

static int settle(const velocity_arguments *a, conversion *c) {
  int from = a->from ? choose_word("from", a->from, "rms|interval|average") : MOHO_VELOCITY_RMS;
  int to = a->to ? choose_word("to", a->to, "rms|interval|average") : from;
  if (from < 0 || to < 0) return EXIT_USAGE;
  if (a->on_grid && !a->grid) return usage_error("velocity: --on-grid needs --grid image.zarr");
  if ((isfinite(a->first_s) || isfinite(a->last_s)) && !isfinite(a->step_s))
    return usage_error("velocity: --time-first and --time-last need --time-step");
  if (isfinite(a->step_s) && !(a->step_s > 0))
    return usage_error("velocity: --time-step is %g, expected seconds above 0", a->step_s);
  c->reading = moho_velocity_options_default();
  c->reading.kind = (moho_velocity_kind)from;
  c->reading.format = a->input_format;
  c->reading.columns = a->input_columns;
  if (a->input_columns && !a->input_format) c->reading.format = "columns";
  if (isfinite(a->min_mps)) c->reading.min_mps = a->min_mps;
  if (isfinite(a->max_mps)) c->reading.max_mps = a->max_mps;
  c->write = moho_velocity_write_options_default();
  c->write.format = a->format, c->write.columns = a->columns;
  c->writing = c->reading;
  c->writing.kind = (moho_velocity_kind)to;
  c->writing.columns = a->columns;
  c->writing.format = a->columns ? "columns" : NULL;
  return EXIT_GOOD;
}

/* The axis of --time-first, --time-step, --time-last: to the latest knot where the last is not given. */
static int find_axis(const velocity_arguments *a, const conversion *c, double *first_s, size_t *n) {
  double last = a->last_s;
  *first_s = isfinite(a->first_s) ? a->first_s : 0;
  for (size_t p = 0; !isfinite(a->last_s) && p < c->given.n; p++) last = fmax(last, c->given.time_s[c->given.start[p + 1] - 1]);
  double steps = ceil((last - *first_s) / a->step_s - 1e-6);
  if (!(*first_s >= 0) || !(steps >= 0) || steps > 1e6)
    return usage_error("velocity: times %g to %g s in steps of %g s: expected them to ascend from 0", *first_s, last, a->step_s);
  *n = (size_t)steps + 1;
  return EXIT_GOOD;
}

static moho_status put_on_grid(const conversion *c, const moho_grid *axis, moho_velocity_functions *out) {
  moho_velocity *velocity;
  moho_status status = moho_velocity_create_functions(&c->given, &c->reading, &velocity);
  if (status) return status;
  status = moho_velocity_functions_on_grid(velocity, axis, out);
  moho_velocity_destroy(&velocity);
  return status;
}

/* On the grid and on an even axis where that is asked for, then into the kind. */
static int turn(const velocity_arguments *a, conversion *c) {
  double first_s = 0;
  size_t n = 0;
  int even = isfinite(a->step_s);
  if (even && find_axis(a, c, &first_s, &n)) return EXIT_USAGE;
  moho_grid axis = c->grid;
  if (even) axis.first_s = first_s, axis.step_s = a->step_s, axis.n_time = n;
  if (a->on_grid && put_on_grid(c, &axis, &c->meant)) return print_error();
  const moho_velocity_functions *source = a->on_grid ? &c->meant : &c->given;
  moho_status status;
  if (even) status = moho_velocity_functions_sample(source, c->writing.kind, &c->writing, first_s, a->step_s, n, &c->made);
  else status = moho_velocity_functions_convert(source, c->writing.kind, &c->writing, &c->made);
  return status ? print_error() : EXIT_GOOD;
}

/* What was written, read as Moho will read it: it must be what was meant. */
static moho_status read_back(conversion *c) {
  moho_velocity_functions again;
  c->writing.grid = c->reading.grid;
  moho_status status = moho_velocity_functions_read(c->to_path, &c->writing, &again);
  if (status) return status;
  status = moho_velocity_functions_compare(c->meant.n ? &c->meant : &c->given, &again, &c->at_knots, &c->between);
  moho_velocity_functions_release(&again);
  return status;
}

static int print_report(const command_line *line, const conversion *c) {
  output_text text;
  size_t knots = c->made.start[c->made.n];
  int code = output_begin(&text);
  if (code) return code;
  if (line->json) {
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:{s:f, s:f}}", "input", c->from_path, "output", c->to_path,
                             "from", kinds[c->reading.kind], "to", kinds[c->writing.kind], "functions", (json_int_t)c->made.n,
                             "knots_read", (json_int_t)c->given.start[c->given.n], "knots_written", (json_int_t)knots,
                             "difference_of_v_rms_mps", "at_knots", c->at_knots, "between", c->between);
    if (root) json_dumpf(root, text.out, JSON_INDENT(2));
    fputc('\n', text.out);
    json_decref(root);
  } else {
    fprintf(text.out, "%s: %zu functions, %zu knots, %s velocities (from %s)\n", c->to_path, c->made.n, knots,
            kinds[c->writing.kind], kinds[c->reading.kind]);
    fprintf(text.out, "  read back: v_rms differs by at most %.3g m/s at the knots, %.3g m/s between\n", c->at_knots, c->between);
  }
  return output_finish(&text, line);
}

static int convert(const command_line *line, const velocity_arguments *a, conversion *c) {
  if (a->grid) {
    if (moho_grid_read_zarr(a->grid, &c->grid)) return print_error();
    c->reading.grid = &c->grid;
  }
  if (moho_velocity_functions_read(c->from_path, &c->reading, &c->given)) return print_error();
  int code = turn(a, c);
  if (code) return code;
  if (moho_velocity_functions_write(&c->made, c->to_path, &c->write) || read_back(c)) return print_error();
  return print_report(line, c);
}

int velocity_convert(const command_line *line, const velocity_arguments *a) {
  if (line->n_arguments != 3)
    return usage_error("velocity: moho velocity convert IN OUT, %zu files are named", line->n_arguments - 1);
  conversion c = {.from_path = line->arguments[1], .to_path = line->arguments[2]};
  int code = settle(a, &c);
  if (!code) code = convert(line, a, &c);
  moho_velocity_functions_release(&c.given);
  moho_velocity_functions_release(&c.meant);
  moho_velocity_functions_release(&c.made);
  moho_grid_release(&c.grid);
  return code;
}
