/* program_run.c - moho program run: bind what was given by name, launch, print what was written and what went wrong. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "program_command.h"

enum { SHOWN = 32 }; /* elements of a buffer, as text for people */

typedef struct program_job {
  const command_line *line;
  moho_program *program;
  moho_program_report report;
  program_values buffers[MOHO_PROGRAM_BUFFERS], scalars[MOHO_PROGRAM_SCALARS];
  uint32_t groups[3], lanes[3];
  char device_name[200];
  moho_program_fault fault;
} program_job;

/* ---- what was given ---- */

static int describe_parameters(program_job *job) {
  if (moho_program_describe(job->program, &job->report)) return print_error();
  for (size_t i = 0; i < job->report.buffers; i++)
    if (moho_program_buffer(job->program, i, &job->buffers[i].parameter)) return print_error();
  for (size_t i = 0; i < job->report.scalars; i++)
    if (moho_program_scalar(job->program, i, &job->scalars[i].parameter)) return print_error();
  return EXIT_GOOD;
}

static program_values *find_values(program_values *list, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i].parameter.name, name) == 0) return &list[i];
  return NULL;
}

static int unknown_name(const program_job *job, const char *name) {
  const char *names[MOHO_PROGRAM_BUFFERS + MOHO_PROGRAM_SCALARS];
  size_t n = 0;
  for (size_t i = 0; i < job->report.buffers; i++) names[n++] = job->buffers[i].parameter.name;
  for (size_t i = 0; i < job->report.scalars; i++) names[n++] = job->scalars[i].parameter.name;
  usage_error("program %s has no buffer or scalar \"%s\"", job->report.name, name);
  print_suggestion(name, names, n);
  return EXIT_USAGE;
}

static int read_assignment(program_job *job, const char *text) {
  char name[160];
  const char *value;
  if (!split_assignment(text, name, &value)) return usage_error("program: \"%s\", expected NAME=VALUE", text);
  program_values *buffer = find_values(job->buffers, job->report.buffers, name);
  program_values *scalar = find_values(job->scalars, job->report.scalars, name);
  if (!buffer && !scalar) return unknown_name(job, name);
  if ((buffer ? buffer : scalar)->is_given) return usage_error("program: %s is given twice", name);
  return buffer ? program_read_buffer(buffer, value) : program_read_scalar(scalar, value);
}

static int check_given(const program_values *list, size_t n, const char *example) {
  for (size_t i = 0; i < n; i++)
    if (!list[i].is_given)
      return usage_error("program: %s (%s) is not given, expected %s=%s", list[i].parameter.name,
                         moho_program_type_name(list[i].parameter.type), list[i].parameter.name, example);
  return EXIT_GOOD;
}

/* "4" or "4,2,1"; NULL leaves zeros. */
static int read_sizes(const char *option, const char *text, uint32_t sizes[3]) {
  char item[64], *end;
  size_t n = 0;
  for (const char *rest = text; (rest = next_item(rest, item)) != NULL;) {
    unsigned long size = strtoul(item, &end, 10);
    if (*end || end == item || *item == '-' || !size || size > UINT32_MAX || n == 3)
      return usage_error("program: --%s is \"%s\", expected one to three numbers, as 4 or 4,2,1", option, text);
    sizes[n++] = (uint32_t)size;
  }
  return EXIT_GOOD;
}

/* Two buffers do not go to one file. */
static int check_files(const program_job *job) {
  for (size_t i = 0; i < job->report.buffers; i++)
    for (size_t k = 0; k < i; k++)
      if (job->buffers[i].file && job->buffers[k].file && !strcmp(job->buffers[i].file, job->buffers[k].file))
        return usage_error("program: %s and %s both go to \"%s\"", job->buffers[k].parameter.name, job->buffers[i].parameter.name,
                           job->buffers[i].file);
  return EXIT_GOOD;
}

/* What was not said: 64 lanes, and groups enough for the longest buffer. */
static void fill_sizes(program_job *job) {
  size_t longest = 1;
  for (size_t i = 0; i < job->report.buffers; i++)
    if (job->buffers[i].length > longest) longest = job->buffers[i].length;
  if (!job->lanes[0]) job->lanes[0] = 64;
  for (unsigned k = 1; k < 3; k++) {
    if (!job->lanes[k]) job->lanes[k] = 1;
    if (!job->groups[k]) job->groups[k] = 1;
  }
  if (!job->groups[0]) job->groups[0] = (uint32_t)((longest + job->lanes[0] - 1) / job->lanes[0]);
}

/* ---- on the reference ---- */

static void take_scalars(const program_job *job, moho_program_value scalars[MOHO_PROGRAM_SCALARS]) {
  for (size_t i = 0; i < job->report.scalars; i++) scalars[i] = job->scalars[i].value;
}

static int run_on_reference(program_job *job) {
  moho_program_memory buffers[MOHO_PROGRAM_BUFFERS];
  moho_program_value scalars[MOHO_PROGRAM_SCALARS];
  for (size_t i = 0; i < job->report.buffers; i++)
    buffers[i] = (moho_program_memory){job->buffers[i].data, job->buffers[i].length};
  take_scalars(job, scalars);
  moho_program_reference_launch launch = {
      .buffers = buffers, .n_buffers = job->report.buffers, .scalars = scalars, .n_scalars = job->report.scalars};
  memcpy(launch.groups, job->groups, sizeof launch.groups);
  memcpy(launch.lanes, job->lanes, sizeof launch.lanes);
  snprintf(job->device_name, sizeof job->device_name, "reference");
  return moho_program_run_reference(job->program, &launch, &job->fault) ? print_error() : EXIT_GOOD;
}

/* ---- on a device ---- */

typedef struct device_run {
  moho_device *device;
  moho_queue *queue;
  moho_program_executable *executable;
  moho_program_run *run;
  moho_buffer *buffers[MOHO_PROGRAM_BUFFERS];
} device_run;

static size_t bytes_of(const program_values *buffer) {
  return buffer->length * moho_program_type_bytes(buffer->parameter.type);
}

static moho_status upload(const program_job *job, device_run *on, moho_program_binding *bindings) {
  for (size_t i = 0; i < job->report.buffers; i++) {
    size_t bytes = bytes_of(&job->buffers[i]);
    moho_status status = moho_buffer_create(on->device, bytes ? bytes : 16, MOHO_MEMORY_DEVICE, &on->buffers[i]);
    if (!status && bytes) status = moho_buffer_write(on->buffers[i], 0, job->buffers[i].data, bytes);
    if (status) return status;
    bindings[i] = (moho_program_binding){on->buffers[i], 0, job->buffers[i].length};
  }
  return MOHO_OK;
}

static moho_status launch(program_job *job, device_run *on, const moho_program_binding *bindings) {
  moho_program_value scalars[MOHO_PROGRAM_SCALARS];
  moho_ticket ticket;
  take_scalars(job, scalars);
  moho_program_launch_options options = {
      .buffers = bindings, .n_buffers = job->report.buffers, .scalars = scalars, .n_scalars = job->report.scalars};
  memcpy(options.groups, job->groups, sizeof options.groups);
  memcpy(options.lanes, job->lanes, sizeof options.lanes);
  moho_status status = moho_program_launch(on->executable, on->queue, &options, &on->run);
  if (!status) status = moho_queue_submit(on->queue, &ticket);
  return status ? status : moho_program_wait(&on->run, -1, &job->fault);
}

static moho_status download(program_job *job, const device_run *on) {
  for (size_t i = 0; i < job->report.buffers; i++)
    if (job->buffers[i].parameter.access != MOHO_PROGRAM_IN && job->buffers[i].length) {
      moho_status status = moho_buffer_read(on->buffers[i], 0, job->buffers[i].data, bytes_of(&job->buffers[i]));
      if (status) return status;
    }
  return MOHO_OK;
}

static moho_status run_there(program_job *job, device_run *on, const char *uri) {
  moho_program_binding bindings[MOHO_PROGRAM_BUFFERS];
  moho_device_report report;
  moho_status status = moho_device_open(uri, &on->device);
  if (!status) status = moho_device_describe(on->device, &report);
  if (status) return status;
  snprintf(job->device_name, sizeof job->device_name, "%s", report.uri);
  status = moho_program_prepare(job->program, on->device, &on->executable);
  if (!status) status = moho_queue_create(on->device, &on->queue);
  if (!status) status = upload(job, on, bindings);
  if (!status) status = launch(job, on, bindings);
  return status ? status : download(job, on);
}

static int run_on_device(program_job *job, const char *uri) {
  device_run on = {.device = NULL};
  int code = run_there(job, &on, uri) ? print_error() : EXIT_GOOD;
  if (on.queue) moho_queue_destroy(&on.queue);
  for (size_t i = 0; i < job->report.buffers; i++) moho_buffer_destroy(&on.buffers[i]);
  moho_program_executable_destroy(&on.executable);
  if (on.device && moho_device_close(&on.device) && !code) code = print_error();
  return code;
}

/* ---- what came of it ---- */

static const char *fault_words(moho_program_operation kind) {
  switch (kind) {
  case MOHO_PROGRAM_DIV: return "an integer was divided by zero, which gave 0";
  case MOHO_PROGRAM_WHILE: return "it would go on beyond its maximum, and was stopped";
  case MOHO_PROGRAM_LOAD:
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_LOAD_POOL: return "an element out of range was read, which gave 0";
  default: return "an element out of range was written, which did nothing";
  }
}

static void print_json_text(FILE *out, const char *text) {
  json_t *string = json_stringn_nocheck(text, strlen(text));
  json_dumpf(string, out, JSON_ENCODE_ANY);
  json_decref(string);
}

static void print_array(FILE *out, const program_values *buffer) {
  char text[48];
  fprintf(out, "[");
  for (size_t i = 0; i < buffer->length; i++) {
    program_element_text(buffer, i, text);
    int is_word = text[strspn(text, "-")] == 'n' || text[strspn(text, "-")] == 'i'; /* JSON has no nan and inf */
    fprintf(out, is_word ? "%s\"%s\"" : "%s%s", i ? ", " : "", text);
  }
  fprintf(out, "]");
}

/* Buffers that went to files of their own. */
static void print_files_json(FILE *out, const program_job *job) {
  int n = 0;
  for (size_t i = 0; i < job->report.buffers; i++) {
    const program_values *buffer = &job->buffers[i];
    if (!buffer->file) continue;
    fprintf(out, "%s\n    \"%s\": {\"file\": ", n++ ? "," : ",\n  \"files\": {", buffer->parameter.name);
    print_json_text(out, buffer->file);
    fprintf(out, ", \"type\": \"%s\", \"elements\": %zu}", moho_program_type_name(buffer->parameter.type), buffer->length);
  }
  if (n) fprintf(out, "\n  }");
}

static void print_json(FILE *out, const program_job *job) {
  fprintf(out, "{\n  \"program\": \"%s\",\n  \"device\": \"%s\",\n", job->report.name, job->device_name);
  fprintf(out, "  \"groups\": [%u, %u, %u],\n  \"lanes\": [%u, %u, %u],\n", job->groups[0], job->groups[1], job->groups[2],
          job->lanes[0], job->lanes[1], job->lanes[2]);
  if (job->fault.happened) {
    char text[200];
    int text_line = 0;
    moho_program_instruction(job->program, job->fault.instruction, text, sizeof text, &text_line);
    fprintf(out, "  \"fault\": {\"id\": %llu, \"instruction\": %zu, \"text\": \"%s\", \"line\": %d},\n",
            (unsigned long long)job->fault.id, job->fault.instruction, text, text_line);
  } else {
    fprintf(out, "  \"fault\": null,\n");
  }
  fprintf(out, "  \"buffers\": {");
  int n = 0;
  for (size_t i = 0; i < job->report.buffers; i++) {
    if (job->buffers[i].parameter.access == MOHO_PROGRAM_IN || job->buffers[i].file) continue;
    fprintf(out, "%s\n    \"%s\": ", n++ ? "," : "", job->buffers[i].parameter.name);
    print_array(out, &job->buffers[i]);
  }
  fprintf(out, "%s}", n ? "\n  " : "");
  print_files_json(out, job);
  fprintf(out, "\n}\n");
}

static void print_buffers(FILE *out, const program_job *job) {
  char text[48];
  for (size_t i = 0; i < job->report.buffers; i++) {
    const program_values *buffer = &job->buffers[i];
    if (buffer->parameter.access == MOHO_PROGRAM_IN) continue;
    if (buffer->file) {
      fprintf(out, "%s: %zu elements (%s) in %s\n", buffer->parameter.name, buffer->length,
              moho_program_type_name(buffer->parameter.type), buffer->file);
      continue;
    }
    size_t shown = buffer->length < SHOWN || job->line->output ? buffer->length : SHOWN;
    fprintf(out, "%s =", buffer->parameter.name);
    for (size_t k = 0; k < shown; k++) fprintf(out, " %s", program_element_text(buffer, k, text));
    if (shown < buffer->length) fprintf(out, " ... (%zu elements; --output or --json gives all)", buffer->length);
    fprintf(out, "\n");
  }
}

static int print_fault(const program_job *job) {
  char text[200];
  int text_line = 0;
  if (!job->fault.happened) return EXIT_GOOD;
  moho_program_instruction(job->program, job->fault.instruction, text, sizeof text, &text_line);
  fprintf(stderr, "moho: program %s: lane %llu, instruction %zu (%s): %s\n", job->report.name, (unsigned long long)job->fault.id,
          job->fault.instruction, text, fault_words(job->fault.kind));
  if (text_line) fprintf(stderr, "  where: %s, line %d\n", job->line->arguments[1], text_line);
  return EXIT_FAILED;
}

static int print_results(const program_job *job) {
  output_text output;
  for (size_t i = 0; i < job->report.buffers; i++)
    if (job->buffers[i].file && program_write_buffer(&job->buffers[i])) return EXIT_FAILED;
  if (output_begin(&output)) return EXIT_FAILED;
  if (job->line->json) print_json(output.out, job);
  else print_buffers(output.out, job);
  int code = output_finish(&output, job->line);
  int fault = print_fault(job);
  return code ? code : fault;
}

static int run_job(program_job *job, const program_arguments *given) {
  int code = describe_parameters(job);
  for (size_t i = 2; i < job->line->n_arguments && !code; i++) code = read_assignment(job, job->line->arguments[i]);
  if (!code) code = check_given(job->buffers, job->report.buffers, "1,2,3 or 1000*0 or 0..9 or @FILE");
  if (!code) code = check_given(job->scalars, job->report.scalars, "1");
  if (!code) code = check_files(job);
  if (!code) code = read_sizes("groups", given->groups, job->groups);
  if (!code) code = read_sizes("lanes", given->lanes, job->lanes);
  if (code) return code;
  fill_sizes(job);
  const char *device = given->device ? given->device : "auto";
  code = strcmp(device, "reference") == 0 ? run_on_reference(job) : run_on_device(job, device);
  return code ? code : print_results(job);
}

int program_run(const command_line *line, const program_arguments *given) {
  program_job *job = calloc(1, sizeof *job);
  if (!job) return fprintf(stderr, "moho: out of memory\n"), EXIT_FAILED;
  job->line = line;
  int code = moho_program_load(line->arguments[1], &job->program) ? print_error() : run_job(job, given);
  for (size_t i = 0; i < MOHO_PROGRAM_BUFFERS; i++) free(job->buffers[i].data);
  moho_program_destroy(&job->program);
  free(job);
  return code;
}
