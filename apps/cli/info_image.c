/* info_image.c - moho info of an image: axes, amplitudes, focusing, where it came from. */
#include "info_image.h"

#include <jansson.h>
#include <stdlib.h>

#include "info_traces.h"

static void print_bins(FILE *out, const moho_gather_bins *b) {
  size_t bins = moho_gather_bins_count(b), last = b->n_edges - 1;
  if (!bins) return;
  if (b->kind == MOHO_GATHERS_OVT)
    fprintf(out, "  gathers    %zu tiles: along inlines %zu from %g to %g m, across %zu from %g to %g m\n", bins, last,
            b->edges[0], b->edges[last], b->n_across_edges - 1, b->across_edges[0], b->across_edges[b->n_across_edges - 1]);
  else
    fprintf(out, "  gathers    %zu bins of %s%s from %g to %g %s\n", bins, b->is_signed ? "signed " : "",
            moho_gathers_name(b->kind), b->edges[0], b->edges[last], b->kind == MOHO_GATHERS_ANGLE ? "degrees" : "m");
}

static json_t *bins_json(const moho_gather_bins *b) {
  size_t bins = moho_gather_bins_count(b);
  if (!bins) return json_null();
  json_t *middles = json_array();
  for (size_t k = 0; k < bins; k++) {
    double along, across;
    moho_gather_bin_vector(b, k, &along, &across);
    json_array_append_new(middles, b->kind == MOHO_GATHERS_OVT ? json_pack("[f, f]", along, across) : json_real(along));
  }
  return json_pack("{s:s, s:b, s:I, s:o}", "kind", moho_gathers_name(b->kind), "signed", b->is_signed, "n_bins", (json_int_t)bins,
                   "middles", middles);
}

static json_t *quality_json(const moho_image_quality *q) {
  char *text = NULL;
  json_t *quality = moho_image_quality_json(q, &text) ? json_null() : json_loads(text, 0, NULL);
  free(text);
  return quality ? quality : json_null();
}

static void print_image_json(FILE *out, const char *path, const moho_image *image, const moho_image_quality *f) {
  const moho_grid *g = &image->grid;
  json_t *attributes = image->attributes ? json_loads(image->attributes, 0, NULL) : NULL;
  json_t *root = json_pack(
      "{s:s, s:s, s:b, s:[f, f], s:f, s:b, s:{s:i, s:i, s:I, s:f}, s:{s:i, s:i, s:I, s:f}, s:{s:f, s:f, s:I},"
      " s:{s:f, s:f, s:f, s:I}, s:i, s:o, s:o, s:o}",
      "kind", "image", "file", path, "complete", !image->is_partial, "origin_m", g->origin_x_m, g->origin_y_m,
      "inline_azimuth_deg", g->inline_azimuth_deg, "flip", g->flip, "inline", "first", (int)g->inline_first, "step",
      (int)g->inline_step, "n", (json_int_t)g->n_inline, "spacing_m", g->inline_spacing_m, "crossline", "first",
      (int)g->crossline_first, "step", (int)g->crossline_step, "n", (json_int_t)g->n_crossline, "spacing_m",
      g->crossline_spacing_m, "time", "first_s", g->first_s, "step_s", g->step_s, "n", (json_int_t)g->n_time, "stack", "least",
      f->least, "most", f->most, "rms", f->rms, "nan", (json_int_t)f->n_nan, "fold_most", (int)f->fold_most, "attributes",
      attributes ? attributes : json_null(), "gathers", bins_json(&image->bins), "quality", quality_json(f));
  json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  fprintf(out, "\n");
  json_decref(root);
}

/* Where the image came from: what a few of its attributes say. */
static void print_origin(FILE *out, const moho_image *image) {
  json_t *root = image->attributes ? json_loads(image->attributes, 0, NULL) : NULL;
  const char *version = json_string_value(json_object_get(json_object_get(root, "software"), "version"));
  json_t *input = json_object_get(root, "input"), *settled = json_object_get(root, "settled");
  const char *traces = json_string_value(json_object_get(input, "traces")),
             *hash = json_string_value(json_object_get(input, "hash"));
  const char *velocity = json_string_value(json_object_get(settled, "velocity"));
  if (version) fprintf(out, "  made by    Moho %s\n", version);
  if (traces) fprintf(out, "  from       %s%s%.16s\n", traces, hash ? ", hash " : "", hash ? hash : "");
  if (velocity) fprintf(out, "  velocity   %s\n", velocity);
  json_decref(root);
}

static void print_image_text(FILE *out, const char *path, const moho_image *image, const moho_image_quality *f) {
  const moho_grid *g = &image->grid;
  double x[4], y[4];
  moho_grid_corners(g, x, y);
  fprintf(out, "%s: image of %zu inlines x %zu crosslines x %zu times\n", path, g->n_inline, g->n_crossline, g->n_time);
  if (image->is_partial) fprintf(out, "  HALF-MADE  its run has not ended: NaN, and fold 0, where nothing is yet\n");
  fprintf(out, "  inline     %d .. %d, %g m apart\n", (int)g->inline_first,
          (int)g->inline_first + (int)(g->n_inline - 1) * (int)g->inline_step, g->inline_spacing_m);
  fprintf(out, "  crossline  %d .. %d, %g m apart, azimuth %g degrees%s\n", (int)g->crossline_first,
          (int)g->crossline_first + (int)(g->n_crossline - 1) * (int)g->crossline_step, g->crossline_spacing_m,
          g->inline_azimuth_deg, g->line_x_m ? ", a crooked line" : "");
  fprintf(out, "  time       %g .. %g s, %g s apart\n", g->first_s, g->first_s + (double)(g->n_time - 1) * g->step_s, g->step_s);
  int ends = moho_grid_is_line(g) ? 2 : 4;
  fprintf(out, "  %s   ", ends == 2 ? "ends   " : "corners");
  for (int k = 0; k < ends; k++) fprintf(out, " (%.2f, %.2f)", x[k], y[k]);
  fprintf(out, " m\n");
  fprintf(out, "  stack      %.4g .. %.4g, r.m.s. %.4g%s\n", f->least, f->most, f->rms, f->n_nan ? ", with NaN" : "");
  if (f->has_fold)
    fprintf(out, "  fold       up to %d; of columns %zu .. %zu, median %zu\n", (int)f->fold_most, f->fold_least, f->fold_most,
            f->fold_median);
  spectrum_print(out, &f->spectrum);
  fprintf(out, "  focusing   kurtosis %.4g, varimax %.4g, entropy %.4g (docs/quality.md)\n", f->kurtosis, f->varimax, f->entropy);
  print_bins(out, &image->bins);
  print_origin(out, image);
  findings_print(out, &f->findings);
}

static int print_image(const command_line *line, const char *path, const char *pictures, const moho_image *image) {
  moho_image_quality quality;
  output_text text;
  if (moho_image_measure_zarr(path, 0, &quality) || (pictures && moho_image_quality_draw_zarr(path, 0, &quality, pictures)))
    return print_error();
  int code = output_begin(&text);
  if (code) return code;
  if (line->json) print_image_json(text.out, path, image, &quality);
  else print_image_text(text.out, path, image, &quality);
  return output_finish(&text, line);
}

int info_of_image(const command_line *line, const char *path, const char *pictures) {
  moho_image image;
  if (moho_image_describe_zarr(path, &image)) return print_error();
  int code = print_image(line, path, pictures, &image);
  moho_image_release(&image);
  return code;
}
