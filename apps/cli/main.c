/* main.c - moho: which command is meant. */
#include <string.h>

#include "command.h"
#include "man_page.h"

enum { N_COMMANDS = 11 };

const command *const all_commands[N_COMMANDS] = {&command_synth,    &command_migrate, &command_demigrate, &command_explain,
                                                 &command_info,     &command_view,    &command_velocity,  &command_devices,
                                                 &command_selftest, &command_bench,   &command_program};
const size_t n_commands = N_COMMANDS;

/* Commands of later work: recognised and refused. */
static const char *const later_commands[] = {"serve"};
enum { N_LATER = sizeof later_commands / sizeof *later_commands };

static void print_help(FILE *out) {
  fprintf(out, "moho %s - Kirchhoff prestack time migration: SEG-Y in, a migrated image out\n\nusage: moho COMMAND [...]\n\n",
          moho_version());
  for (size_t i = 0; i < n_commands; i++) fprintf(out, "  %-10s %s\n", all_commands[i]->name, all_commands[i]->summary);
  fprintf(out, "\nmoho COMMAND --help teaches a command. To begin:\n\n"
               "    moho synth --preset small --output survey.sgy\n"
               "    moho info survey.sgy\n"
               "    moho migrate job.yaml          # job.yaml: see moho migrate --help\n"
               "    moho view out/image.zarr --inline 1 --output section.png\n");
}

static const command *find_command(const char *name) {
  for (size_t i = 0; i < n_commands; i++)
    if (strcmp(all_commands[i]->name, name) == 0) return all_commands[i];
  return NULL;
}

static int unknown_command(const char *name) {
  const char *names[64];
  size_t count = 0;
  for (size_t i = 0; i < N_LATER; i++)
    if (strcmp(later_commands[i], name) == 0) {
      fprintf(stderr, "moho: the command %s is not yet available\n  hint:  moho help lists what there is\n", name);
      return EXIT_FAILED;
    }
  for (size_t i = 0; i < n_commands; i++) names[count++] = all_commands[i]->name;
  names[count++] = "help";
  usage_error("unknown command \"%s\"", name);
  print_suggestion(name, names, count);
  fprintf(stderr, "  see:   moho help\n");
  return EXIT_USAGE;
}

static int help(int argc, const char **argv) {
  if (argc < 3) {
    print_help(stdout);
    return EXIT_GOOD;
  }
  const char *topic = argv[2];
  if (strcmp(topic, "job") == 0) return fputs(moho_job_keys_help(), stdout) < 0;
  if (strcmp(topic, "--job-markdown") == 0) return fputs(moho_job_keys_markdown(), stdout) < 0;
  if (strcmp(topic, "--man") == 0) {
    print_man_page(stdout);
    return EXIT_GOOD;
  }
  const command *c = find_command(topic);
  if (!c) return unknown_command(topic);
  command_print_help(c, stdout);
  return EXIT_GOOD;
}

int main(int argc, char **argv) {
  const char **arguments = (const char **)argv;
  if (argc < 2) {
    print_help(stderr);
    return EXIT_USAGE;
  }
  const char *name = arguments[1];
  if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return help(argc, arguments);
  if (strcmp(name, "--version") == 0) {
    printf("moho %s\n", moho_version());
    return EXIT_GOOD;
  }
  const command *c = find_command(name);
  return c ? command_run(c, argc - 1, arguments + 1) : unknown_command(name);
}
