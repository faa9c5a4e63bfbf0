/* command_program.c - moho program: check, assemble, disassemble and run portable programs. */
#include <stdlib.h>
#include <string.h>

#include "program_command.h"

static program_arguments given;

static const struct poptOption options[] = {
    {"device", '\0', POPT_ARG_STRING, &given.device, 0, "run, check: where [auto]; reference: lane by lane on the host",
     "reference|auto|cpu|cuda|metal|URI"},
    {"groups", '\0', POPT_ARG_STRING, &given.groups, 0, "run: groups, as 4 or 4,2,1 [enough for the longest buffer]",
     "X[,Y[,Z]]"},
    {"lanes", '\0', POPT_ARG_STRING, &given.lanes, 0, "run: lanes of a group [64]", "X[,Y[,Z]]"},
    POPT_TABLEEND};

/* ---- check ---- */

static void print_parameters(FILE *out, const moho_program *program, const moho_program_report *report) {
  static const char *const accesses[] = {"", "in", "out", "inout"};
  moho_program_parameter parameter;
  for (size_t i = 0; i < report->buffers; i++)
    if (!moho_program_buffer(program, i, &parameter))
      fprintf(out, "  buffer %s %s %s\n", accesses[parameter.access], moho_program_type_name(parameter.type), parameter.name);
  for (size_t i = 0; i < report->scalars; i++)
    if (!moho_program_scalar(program, i, &parameter))
      fprintf(out, "  scalar %s %s\n", moho_program_type_name(parameter.type), parameter.name);
}

static void print_report(FILE *out, const moho_program *program, const moho_program_report *r) {
  fprintf(out, "program %s: good\n", r->name);
  print_parameters(out, program, r);
  fprintf(out, "  %zu instructions, %zu with calls inlined; %zu registers, %zu predicates\n", r->instructions,
          r->instructions_whole, r->registers, r->predicates);
  if (r->uses_group)
    fprintf(out, "  lanes of a group work together: %zu bytes of group memory and %zu a lane, %zu bytes of pools\n",
            r->group_bytes, r->group_bytes_per_lane, r->pool_bytes);
  fprintf(out, "  hash %s\n", r->hash);
}

static void print_report_json(FILE *out, const moho_program_report *r) {
  fprintf(out,
          "{\"program\": \"%s\", \"instructions\": %zu, \"instructions_whole\": %zu, \"registers\": %zu, \"predicates\": %zu, "
          "\"buffers\": %zu, \"scalars\": %zu, \"uses_group\": %s, \"group_bytes\": %zu, \"group_bytes_per_lane\": %zu, "
          "\"pool_bytes\": %zu, \"hash\": \"%s\"}\n",
          r->name, r->instructions, r->instructions_whole, r->registers, r->predicates, r->buffers, r->scalars,
          r->uses_group ? "true" : "false", r->group_bytes, r->group_bytes_per_lane, r->pool_bytes, r->hash);
}

/* A named device must be able to run it as well. */
static int check_device(const moho_program *program) {
  moho_device *device;
  if (!given.device || strcmp(given.device, "reference") == 0) return EXIT_GOOD;
  if (moho_device_open(given.device, &device)) return print_error();
  int code = moho_program_supports(program, device) ? print_error() : EXIT_GOOD;
  moho_device_close(&device);
  return code;
}

static int check(const command_line *line, const moho_program *program) {
  moho_program_report report;
  output_text output;
  int code = check_device(program);
  if (code) return code;
  if (moho_program_describe(program, &report)) return print_error();
  if (output_begin(&output)) return EXIT_FAILED;
  if (line->json) print_report_json(output.out, &report);
  else print_report(output.out, program, &report);
  return output_finish(&output, line);
}

/* ---- assemble, disassemble ---- */

static int assemble(const command_line *line, const moho_program *program) {
  if (!line->output) return usage_error("program assemble: --output FILE names the binary form");
  return moho_program_save(program, line->output) ? print_error() : EXIT_GOOD;
}

static int disassemble(const command_line *line, const moho_program *program) {
  char *text;
  if (moho_program_disassemble(program, &text)) return print_error();
  int code = output_give(text, line);
  free(text);
  return code;
}

static int with_program(const command_line *line, int (*work)(const command_line *line, const moho_program *program)) {
  moho_program *program;
  if (line->n_arguments > 2) return usage_error("program %s: too much: \"%s\"", line->arguments[0], line->arguments[2]);
  if (moho_program_load(line->arguments[1], &program)) return print_error();
  int code = work(line, program);
  moho_program_destroy(&program);
  return code;
}

static int run(const command_line *line) {
  static const char *const works[] = {"run", "check", "assemble", "disassemble"};
  const char *work = line->n_arguments ? line->arguments[0] : NULL;
  if (!work) return usage_error("program: what? moho program run, check, assemble or disassemble");
  size_t k = 0;
  while (k < 4 && strcmp(work, works[k]) != 0) k++;
  if (k == 4) {
    usage_error("program: unknown work \"%s\"", work);
    print_suggestion(work, works, 4);
    return EXIT_USAGE;
  }
  if (line->n_arguments < 2) return usage_error("program %s: which file?", work);
  switch (k) {
  case 0: return program_run(line, &given);
  case 1: return with_program(line, check);
  case 2: return with_program(line, assemble);
  default: return with_program(line, disassemble);
  }
}

const command command_program = {
    .name = "program",
    .synopsis = "program run|check|assemble|disassemble FILE [NAME=VALUE ...]",
    .summary = "run portable programs: a small instruction set, on every device alike",
    .teaching = "A program's text (docs/program.md) or its binary form is read; check tells what it is, and\n"
                "whether --device can run it; assemble writes the binary form, disassemble the text. run\n"
                "binds each buffer and scalar by name and prints what was written:\n"
                "\n"
                "    x=1,2.5,-3      values               x=1000*0     a thousand zeros\n"
                "    x=0..9          whole numbers        x=@x.f32     raw elements of a file\n"
                "    y=1000*0@y.f32  after the run raw elements of y into y.f32; y=@in.f32@out.f32: of both\n"
                "\n"
                "A fault (division by zero, an element out of range, `while` beyond its maximum) changes\n"
                "what it must and no more; the lowest lane's is told, and the exit code is 1.\n"
                "\n"
                "    moho program check examples/program/saxpy.mp\n"
                "    moho program run examples/program/saxpy.mp a=2 x=1,2,3 y=10,20,30\n"
                "    moho program assemble saxpy.mp --output saxpy.mpb",
    .options = options,
    .output_help = "run, check, disassemble: write the text to FILE; assemble: the binary form",
    .run = run};
