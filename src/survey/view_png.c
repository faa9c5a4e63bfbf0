/* view_png.c - a canvas as a PNG file, by libpng through the one writer of files. */
#include <png.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "survey/view_canvas.h"

/* What libpng's callbacks need; its errors come back by longjmp. */
typedef struct png_output {
  moho_file_writer *file;
  moho_status status;
  char message[120];
} png_output;

static void write_bytes(png_structp png, png_bytep data, png_size_t bytes) {
  png_output *output = png_get_io_ptr(png);
  output->status = moho_file_writer_write(output->file, data, bytes);
  if (output->status) png_error(png, "writing failed");
}

static void flush_nothing(png_structp png) {
  (void)png;
}

static void keep_error(png_structp png, png_const_charp message) {
  png_output *output = png_get_error_ptr(png);
  snprintf(output->message, sizeof output->message, "%s", message);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp message) {
  (void)png, (void)message;
}

static void set_text(png_structp png, png_infop info, const char *title) {
  png_text text[2] = {
      {.compression = PNG_TEXT_COMPRESSION_NONE, .key = (png_charp) "Software", .text = (png_charp) "Moho"},
      {.compression = PNG_ITXT_COMPRESSION_NONE, .key = (png_charp) "Title", .text = (png_charp)(uintptr_t)title}};
  png_set_text(png, info, text, title ? 2 : 1);
}

/* Everything that may longjmp; no local changes between setjmp and its return. */
static int encode(png_structp png, png_infop info, const moho_canvas *canvas, const char *title) {
  if (setjmp(png_jmpbuf(png))) return 0;
  png_set_IHDR(png, info, (png_uint_32)canvas->width, (png_uint_32)canvas->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
  set_text(png, info, title);
  png_write_info(png, info);
  for (int y = 0; y < canvas->height; y++) png_write_row(png, canvas->rgb + 3 * (size_t)y * (size_t)canvas->width);
  png_write_end(png, info);
  return 1;
}

static moho_status write_with_libpng(const moho_canvas *canvas, const char *path, const char *title, png_output *output) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, output, keep_error, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (info) png_set_write_fn(png, output, write_bytes, flush_nothing);
  int written = info && encode(png, info, canvas, title);
  png_destroy_write_struct(&png, &info);
  if (written) return MOHO_OK;
  if (output->status) return output->status;
  return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_INTERNAL, "%s: libpng failed: %s", path,
                      output->message[0] ? output->message : "out of memory");
}

moho_status moho_canvas_write_png(const moho_canvas *canvas, const char *path, const char *title) {
  png_output output = {0};
  MOHO_TRY(moho_file_writer_open(path, &output.file));
  moho_status status = write_with_libpng(canvas, path, title, &output);
  if (!status) return moho_file_writer_commit(&output.file);
  moho_file_writer_discard(&output.file);
  return status;
}
