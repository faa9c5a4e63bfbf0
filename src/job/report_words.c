/* report_words.c - the words of the page: verdict, figures, what was done, warnings, details. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "job/report_html.h"

/* UTF-8 as it is; control characters, which HTML does not know, become spaces. */
void moho_html_text(FILE *out, const char *text) {
  for (; *text; text++) {
    switch (*text) {
    case '&': fputs("&amp;", out); break;
    case '<': fputs("&lt;", out); break;
    case '>': fputs("&gt;", out); break;
    case '"': fputs("&quot;", out); break;
    default: fputc((unsigned char)*text < 32 && *text != '\n' ? ' ' : *text, out);
    }
  }
}

/* ---- values of the report ---- */

/* "traces.used"; NULL where there is none. */
static const json_t *find(const json_t *root, const char *path) {
  char name[64];
  while (root && *path) {
    size_t length = strcspn(path, ".");
    snprintf(name, sizeof name, "%.*s", (int)length, path);
    root = json_object_get(root, name);
    path += length + (path[length] == '.');
  }
  return root;
}

static double number(const json_t *root, const char *path) {
  return json_number_value(find(root, path));
}

static const char *text(const json_t *root, const char *path) {
  const char *value = json_string_value(find(root, path));
  return value ? value : "";
}

static const char *last_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* "12,345,678" */
static const char *whole(double value, char out[40]) {
  char digits[32];
  size_t n = (size_t)snprintf(digits, sizeof digits, "%.0f", value), k = 0;
  for (size_t i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0 && digits[i - 1] != '-') out[k++] = ',';
    out[k++] = digits[i];
  }
  out[k] = '\0';
  return out;
}

static const char *duration(double seconds, char out[40]) {
  if (seconds < 60) snprintf(out, 40, "%.3g s", seconds);
  else if (seconds < 3600) snprintf(out, 40, "%d min %02d s", (int)(seconds / 60), (int)fmod(seconds, 60));
  else snprintf(out, 40, "%d h %02d min", (int)(seconds / 3600), (int)(fmod(seconds, 3600) / 60));
  return out;
}

/* ---- verdict ---- */

static size_t findings_of(const json_t *report, const char *path) {
  return json_array_size(find(report, path));
}

static size_t count_warnings(const json_t *report) {
  return findings_of(report, "warnings") + findings_of(report, "quality.survey.findings") +
         findings_of(report, "quality.velocity.findings") + findings_of(report, "quality.image.findings");
}

/* What makes an image unusable, or nearly; NULL: nothing. */
static const char *what_is_bad(const json_t *report) {
  const json_t *image = find(report, "quality.image");
  double live = number(report, "traces.total") - number(report, "traces.dead") - number(report, "traces.not_seismic") -
                number(report, "traces.no_position");
  if (number(image, "nan") + number(image, "infinite") > 0) return "The image holds values that are no numbers.";
  if (image && number(image, "rms") == 0 && number(image, "samples") > 0) return "The image is empty.";
  if (live > 0 && number(report, "traces.used") < 0.5 * live) return "Less than half of the live traces were used.";
  return NULL;
}

static void write_verdict(FILE *out, const json_t *report) {
  const char *bad = what_is_bad(report);
  size_t warnings = count_warnings(report);
  if (bad) fprintf(out, "<p class=\"verdict bad\"><b>Not good.</b> %s See the warnings below.</p>\n", bad);
  else if (warnings)
    fprintf(out, "<p class=\"verdict look\"><b>Finished, with %zu %s to look at</b> before the image is relied on.</p>\n",
            warnings, warnings == 1 ? "point" : "points");
  else fputs("<p class=\"verdict good\"><b>Good.</b> The run finished and nothing suspicious was found.</p>\n", out);
}

/* ---- figures ---- */

static void write_card(FILE *out, const char *value, const char *words) {
  fputs("<div class=\"card\"><b>", out);
  moho_html_text(out, value);
  fputs("</b><span>", out);
  moho_html_text(out, words);
  fputs("</span></div>\n", out);
}

static int is_line(const json_t *report) {
  return json_is_true(find(report, "grid.is_line"));
}

static void write_cards(FILE *out, const json_t *report) {
  char value[100], a[40], b[40];
  fputs("<div class=\"cards\">\n", out);
  snprintf(a, sizeof a, "of %s traces used", whole(number(report, "traces.total"), b));
  write_card(out, whole(number(report, "traces.used"), value), a);
  if (is_line(report)) whole(number(report, "grid.inline.n") * number(report, "grid.crossline.n"), value);
  else snprintf(value, sizeof value, "%.0f \xc3\x97 %.0f", number(report, "grid.inline.n"), number(report, "grid.crossline.n"));
  snprintf(a, sizeof a, "columns of %.0f times", number(report, "grid.time.n"));
  write_card(out, value, a);
  if (find(report, "quality.survey.fold")) {
    snprintf(value, sizeof value, "%.0f", number(report, "quality.survey.fold.median"));
    write_card(out, value, "median fold");
  }
  if (number(report, "quality.survey.samples.spectrum.high_hz") > 0) {
    snprintf(value, sizeof value, "%.0f\xe2\x80\x93%.0f Hz", number(report, "quality.survey.samples.spectrum.low_hz"),
             number(report, "quality.survey.samples.spectrum.high_hz"));
    write_card(out, value, "usable frequencies");
  }
  write_card(out, duration(number(report, "seconds.total"), value), "from start to end");
  fputs("</div>\n", out);
}

/* ---- what was done ---- */

static const char *speed_of_work(const json_t *report, char out[100]) {
  double rate = number(report, "contributions_per_s");
  char count[40];
  if (rate > 0) snprintf(out, 100, "%s million sums a second", whole(rate / 1e6, count));
  else snprintf(out, 100, "its speed was not measured");
  return out;
}

static void write_story(FILE *out, const json_t *report) {
  char a[100], b[40], c[40];
  fputs("<h2>What was done</h2>\n<p>The survey <b>", out);
  moho_html_text(out, last_name(text(report, "input.traces")));
  fprintf(
      out,
      "</b> (%s traces of %.4g s) was turned into an image of the ground by prestack Kirchhoff time migration: every recorded "
      "sample is laid back to all the places in the ground that it may come from, and where many agree, an image appears. ",
      whole(number(report, "input.n_traces"), b), (number(report, "input.n_samples") - 1) * number(report, "input.dt_s"));
  fputs("The velocity of the ground was taken as: ", out);
  moho_html_text(out, text(report, "settled.velocity"));
  double ni = number(report, "grid.inline.n"), nx = number(report, "grid.crossline.n"),
         di = number(report, "grid.inline.spacing_m"), dx = number(report, "grid.crossline.spacing_m");
  if (is_line(report)) fprintf(out, ". The image is a line of %s columns, %.4g m apart", whole(ni * nx, b), nx > 1 ? dx : di);
  else fprintf(out, ". The image covers %.0f by %.0f columns, %.4g m by %.4g m apart", ni, nx, di, dx);
  fprintf(out, ", down to %.4g s.</p>\n",
          number(report, "grid.time.first_s") + (number(report, "grid.time.n") - 1) * number(report, "grid.time.step_s"));
  fputs("<p>It ran on ", out);
  moho_html_text(out, text(report, "device.name"));
  fprintf(out, " in %s, adding up %s contributions (%s).</p>\n", duration(number(report, "seconds.total"), c),
          whole(number(report, "contributions"), b), speed_of_work(report, a));
}

/* ---- warnings ---- */

static void write_findings(FILE *out, const json_t *findings) {
  for (size_t i = 0; i < json_array_size(findings); i++) {
    const json_t *f = json_array_get(findings, i);
    fputs("<li>", out);
    moho_html_text(out, json_is_string(f) ? json_string_value(f) : text(f, "text"));
    if (*text(f, "advice")) {
      fputs("<small>What to do: ", out);
      moho_html_text(out, text(f, "advice"));
      fputs("</small>", out);
    }
    fputs("</li>\n", out);
  }
}

static void write_warnings(FILE *out, const json_t *report) {
  static const struct {
    const char *path, *title;
  } parts[] = {{"warnings", "The job"},
               {"quality.survey.findings", "The data"},
               {"quality.velocity.findings", "The velocity"},
               {"quality.image.findings", "The image"}};
  fputs("<h2>Warnings</h2>\n", out);
  if (!count_warnings(report)) fputs("<p>None.</p>\n", out);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const json_t *list = find(report, parts[i].path);
    if (!json_array_size(list)) continue;
    fprintf(out, "<h3>%s</h3>\n<ul>\n", parts[i].title);
    write_findings(out, list);
    fputs("</ul>\n", out);
  }
  if (*text(report, "quality.problem")) {
    fputs("<p>Not all could be looked at: ", out);
    moho_html_text(out, text(report, "quality.problem"));
    fputs("</p>\n", out);
  }
}

void moho_report_summary(FILE *out, const json_t *report) {
  fputs("<h1>Migration report</h1>\n<p class=\"sub\">", out);
  moho_html_text(out, last_name(text(report, "input.traces")));
  fputs(" \xe2\x80\x94 finished ", out);
  moho_html_text(out, text(report, "finished"));
  fputs("</p>\n", out);
  write_verdict(out, report);
  write_cards(out, report);
  write_story(out, report);
  write_warnings(out, report);
}

/* ---- details ---- */

static void write_row(FILE *out, const char *name, const char *value) {
  fputs("<tr><th>", out);
  moho_html_text(out, name);
  fputs("</th><td>", out);
  moho_html_text(out, value);
  fputs("</td></tr>\n", out);
}

static void write_time(FILE *out, const json_t *report, const char *path, const char *name) {
  char value[40];
  if (find(report, path)) write_row(out, name, duration(number(report, path), value));
}

static void write_image_figures(FILE *out, const json_t *report) {
  const json_t *image = find(report, "quality.image");
  char value[120];
  if (!image) return;
  snprintf(value, sizeof value, "%.4g to %.4g, r.m.s. %.4g", number(image, "least"), number(image, "most"), number(image, "rms"));
  write_row(out, "Amplitudes of the image", value);
  snprintf(value, sizeof value, "kurtosis %.4g, varimax %.4g, entropy %.4g", number(image, "focusing.kurtosis"),
           number(image, "focusing.varimax"), number(image, "focusing.entropy"));
  write_row(out, "Focusing", value);
}

/* Keys of the job that were given, "migration.aperture.max_m 3000". */
static void write_given(FILE *out, const json_t *job, const char *path) {
  const char *name;
  json_t *value;
  char full[200];
  json_object_foreach((json_t *)(uintptr_t)job, name, value) {
    snprintf(full, sizeof full, "%s%s%s", path, *path ? "." : "", name);
    const json_t *given = json_object_get(value, "given");
    if (!given) {
      if (json_is_object(value)) write_given(out, value, full);
      continue;
    }
    if (!json_is_true(given)) continue;
    char *words = json_dumps(json_object_get(value, "value"), JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    fputs("<tr><th><code>", out);
    moho_html_text(out, full);
    fputs("</code></th><td><code>", out);
    moho_html_text(out, words ? words : "");
    fputs("</code></td></tr>\n", out);
    free(words);
  }
}

void moho_report_details(FILE *out, const json_t *report) {
  char value[200], bytes[32];
  fputs("<h2>How long it took</h2>\n<table>\n", out);
  write_time(out, report, "seconds.open", "Opening data and plan");
  write_time(out, report, "seconds.create", "Preparing");
  write_time(out, report, "seconds.migrate", "Reading and migrating");
  write_time(out, report, "seconds.kernel", "of it computing");
  write_time(out, report, "seconds.write", "Writing results");
  write_time(out, report, "seconds.total", "All");
  fputs("</table>\n<h2>Details</h2>\n<table>\n", out);
  write_row(out, "Data", text(report, "input.traces"));
  write_row(out, "Format", text(report, "input.format"));
  write_row(out, "Fingerprint of the data", text(report, "input.hash"));
  write_row(out, "Job file", text(report, "job_file"));
  write_row(out, "Results in", text(report, "directory"));
  snprintf(value, sizeof value, "%s, %s", text(report, "device.name"), text(report, "device.uri"));
  write_row(out, "Computed on", value);
  write_row(out, "Largest memory", moho_bytes_text(number(report, "memory.peak_bytes"), bytes));
  write_image_figures(out, report);
  snprintf(value, sizeof value, "%s %s", text(report, "software.name"), text(report, "software.version"));
  write_row(out, "Software", value);
  fputs("</table>\n<h2>Settings that were given</h2>\n<table>\n", out);
  write_given(out, find(report, "job"), "");
  fputs("</table>\n<footer>All figures are in report.json beside this page; docs/quality.md defines every measure and warning."
        "</footer>\n",
        out);
}
