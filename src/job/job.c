/* job.c - a job made: from a file or text, with the defaults of the table below what is given. */
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"

int moho_job_is(const moho_job *job, moho_job_id id, const char *word) {
  return job->values[id].is_word && job->values[id].text && strcmp(job->values[id].text, word) == 0;
}

int moho_job_word(const moho_job *job, moho_job_id id) {
  const char *text = moho_job_text(job, id), *word = moho_job_keys[id].words;
  for (int index = 0; text && *word; index++) {
    size_t length = strcspn(word, "|");
    if (strlen(text) == length && strncmp(word, text, length) == 0) return index;
    word += length + (word[length] == '|');
  }
  return -1;
}

int moho_job_given_below(const moho_job *job, moho_job_id section) {
  const char *path = moho_job_keys[section].path;
  size_t length = strlen(path);
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++)
    if (job->values[id].given && moho_job_keys[id].type != MOHO_JOB_SECTION &&
        strncmp(moho_job_keys[id].path, path, length) == 0 && moho_job_keys[id].path[length] == '.')
      return 1;
  return 0;
}

moho_place moho_job_place(const moho_job *job, moho_job_id id) {
  const moho_job_value *value = &job->values[id];
  return (moho_place){.file = value->given && !value->line ? NULL : job->name,
                      .line = value->line,
                      .column = value->column,
                      .key = moho_job_keys[id].path};
}

const char *moho_job_where(const moho_job *job, moho_job_id id, char buffer[400]) {
  const moho_job_value *value = &job->values[id];
  if (value->line) snprintf(buffer, 400, "%s:%d:%d: %s", job->name, value->line, value->column, moho_job_keys[id].path);
  else snprintf(buffer, 400, "%s", moho_job_keys[id].path);
  return buffer;
}

void moho_job_destroy(moho_job **job_pointer) {
  moho_job *job = *job_pointer;
  if (!job) return;
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) moho_job_value_clear(&job->values[id]);
  free(job->name);
  free(job->directory);
  free(job);
  *job_pointer = NULL;
}

static moho_status set_default(moho_job *job, moho_job_id id) {
  moho_job_value_clear(&job->values[id]);
  const char *fallback = moho_job_keys[id].fallback;
  if (!fallback) return MOHO_OK;
  moho_yaml_node *node;
  MOHO_TRY(moho_yaml_parse(fallback, strlen(fallback), "default", &node));
  moho_status status = moho_job_value_read("", job->directory, id, node, &job->values[id]);
  job->values[id].given = 0;
  moho_yaml_destroy(&node);
  return status;
}

/* The folder of the job file; "" when its name has none. */
static char *directory_of(const char *name) {
  const char *slash = strrchr(name, '/');
  if (!slash) return strdup("");
  return strndup(name, slash == name ? 1 : (size_t)(slash - name));
}

static moho_status create_with_defaults(const char *name, moho_job **out) {
  moho_job *job = calloc(1, sizeof *job);
  if (job) job->name = strdup(name), job->directory = directory_of(name);
  moho_status status = job && job->name && job->directory ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", name);
  for (int id = 0; !status && id < MOHO_JOB_KEY_COUNT; id++) status = set_default(job, (moho_job_id)id);
  if (status) moho_job_destroy(&job);
  *out = job;
  return status;
}

/* name: of the file the key stands in, "" on the command line. */
static moho_status unknown_key(const char *name, const char *path, const char *parent, const moho_yaml_node *node) {
  const char *nearest = moho_job_nearest_key(parent, moho_job_last_name(path));
  char hint[300];
  moho_place place = {.file = name, .key = path};
  if (name[0]) place.line = node->key_line, place.column = node->key_column;
  const char *last = moho_job_last_name(path);
  if (last[0] && !last[strspn(last, "0123456789")]) /* {max_m: 3,000} is max_m: 3 and a key 000 */
    snprintf(hint, sizeof hint, "write 3000, not 3,000: digits are not grouped");
  else if (nearest) snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
  else snprintf(hint, sizeof hint, "the keys are listed by moho migrate --keys and in docs/job.md");
  if (name[0])
    return moho_fail_at(place, hint, MOHO_ERROR_KEY, "%s:%d:%d: unknown key \"%.100s\"", name, place.line, place.column, path);
  return moho_fail_at(place, hint, MOHO_ERROR_KEY, "unknown key \"%.100s\"", path);
}

/* "eta.constant" on the command line: what is below a key of later work comes with it. */
static moho_status later_key(const char *path, const moho_job_key *above) {
  char hint[300];
  snprintf(hint, sizeof hint, "leave it out: it comes with \"%s\"", above->later);
  return moho_fail_at((moho_place){.key = path}, hint, MOHO_ERROR_NOT_AVAILABLE, "%.100s is not yet available", path);
}

static moho_status apply_map(moho_job *job, const char *name, const char *parent, const moho_yaml_node *map);

/* directory: what relative paths in the value are relative to. */
static moho_status apply_node(moho_job *job, const char *name, moho_job_id id, const moho_yaml_node *node) {
  const moho_job_key *key = &moho_job_keys[id];
  MOHO_TRY(moho_job_value_read(name, name[0] ? job->directory : "", id, node, &job->values[id]));
  if (key->type != MOHO_JOB_SECTION || node->kind != MOHO_YAML_MAP) return MOHO_OK;
  return apply_map(job, name, key->path, node);
}

static moho_status apply_map(moho_job *job, const char *name, const char *parent, const moho_yaml_node *map) {
  for (const moho_yaml_node *child = map->first; child; child = child->next) {
    char path[160];
    snprintf(path, sizeof path, "%s%s%.80s", parent, parent[0] ? "." : "", child->key);
    int id = moho_job_find(path);
    if (id < 0 || strchr(child->key, '.')) return unknown_key(name, path, parent, child);
    MOHO_TRY(apply_node(job, name, (moho_job_id)id, child));
  }
  return MOHO_OK;
}

MOHO_API moho_status moho_job_parse(const char *text, size_t length, const char *name, moho_job **out) {
  *out = NULL;
  moho_yaml_node *root = NULL;
  moho_job *job = NULL;
  if (!name || !name[0]) name = "job";
  MOHO_TRY(moho_yaml_parse(text, length, name, &root));
  moho_status status = MOHO_OK;
  if (root->kind != MOHO_YAML_MAP && !(root->kind == MOHO_YAML_SCALAR && !root->quoted && !root->text[0]))
    status = moho_fail_at((moho_place){.file = name, .line = root->line, .column = root->column},
                          "begin with \"input: {traces: line.sgy}\"; docs/job.md lists the keys", MOHO_ERROR_FORMAT,
                          "%s:%d:%d: a job is a map of keys, got %s", name, root->line, root->column,
                          root->kind == MOHO_YAML_LIST ? "a list" : "plain text");
  if (!status) status = create_with_defaults(name, &job);
  if (!status) status = apply_map(job, name, "", root);
  moho_yaml_destroy(&root);
  if (status) moho_job_destroy(&job);
  *out = job;
  return status;
}

MOHO_API moho_status moho_job_read(const char *path, moho_job **out) {
  char *text;
  size_t length;
  *out = NULL;
  MOHO_TRY(moho_file_read_all(path, 1u << 20, &text, &length));
  moho_status status = moho_job_parse(text, length, path, out);
  free(text);
  return status;
}

/* ---- overriding ---- */

/* A section replaced as a whole forgets its keys. */
static moho_status forget_below(moho_job *job, moho_job_id section) {
  const char *path = moho_job_keys[section].path;
  size_t length = strlen(path);
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++)
    if (strncmp(moho_job_keys[id].path, path, length) == 0 && moho_job_keys[id].path[length] == '.')
      MOHO_TRY(set_default(job, (moho_job_id)id));
  return MOHO_OK;
}

static moho_status copy_value(const moho_job_value *from, moho_job_value *to) {
  *to = *from;
  to->text = from->text ? strdup(from->text) : NULL;
  to->list = from->list ? malloc(from->n_list * sizeof *to->list) : NULL;
  if ((from->text && !to->text) || (from->list && !to->list)) return moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
  if (from->list) memcpy(to->list, from->list, from->n_list * sizeof *to->list);
  return MOHO_OK;
}

static void swap_values(moho_job *a, moho_job *b) {
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) {
    moho_job_value kept = a->values[id];
    a->values[id] = b->values[id];
    b->values[id] = kept;
  }
}

/* A section may have to be forgotten before its new keys are read; a copy keeps the job whole when they are wrong. */
static moho_status set_in_copy(moho_job *job, moho_job_id id, const moho_yaml_node *node) {
  moho_job *copy;
  MOHO_TRY(create_with_defaults(job->name, &copy));
  moho_status status = MOHO_OK;
  for (int each = 0; !status && each < MOHO_JOB_KEY_COUNT; each++) {
    moho_job_value_clear(&copy->values[each]);
    status = copy_value(&job->values[each], &copy->values[each]);
  }
  if (!status && moho_job_keys[id].type == MOHO_JOB_SECTION) status = forget_below(copy, id);
  if (!status) status = apply_node(copy, "", id, node);
  if (!status) swap_values(job, copy);
  moho_job_destroy(&copy);
  return status;
}

/* "grid.time.n=500" on "grid: auto" keeps the grid automatic; the word itself may stay. */
MOHO_API moho_status moho_job_set(moho_job *job, const char *path, const char *value) {
  int id = moho_job_find(path);
  if (id < 0) {
    char parent[160];
    const char *dot = strrchr(path, '.');
    snprintf(parent, sizeof parent, "%.*s", dot ? (int)(dot - path) : 0, path);
    int above = dot ? moho_job_find(parent) : -1;
    if (above >= 0 && moho_job_keys[above].type == MOHO_JOB_LATER) return later_key(path, &moho_job_keys[above]);
    if (above < 0) parent[0] = '\0';
    return unknown_key("", path, parent, NULL);
  }
  moho_yaml_node *node;
  moho_status status = moho_yaml_parse(value, strlen(value), "command line", &node);
  if (status) return moho_fail_add_place((moho_place){.key = path}, NULL);
  status = set_in_copy(job, (moho_job_id)id, node);
  moho_yaml_destroy(&node);
  return status;
}

int moho_job_word_index(const moho_job *job, moho_job_id id, const char *words) {
  const char *text = moho_job_text(job, id);
  int index = 0;
  for (const char *word = words; *word; index++) {
    size_t length = strcspn(word, "|");
    if (strlen(text) == length && strncmp(word, text, length) == 0) return index;
    word += length + (word[length] == '|');
  }
  return 0;
}
