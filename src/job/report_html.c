/* report_html.c - the page: its frame and style, and its pictures as base64. */
#include "job/report_html.h"

#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"

enum { MOST_PICTURE_BYTES = 64 << 20 };

static const char style[] =
    "body{font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:#20222a;background:#f4f5f7;margin:0}"
    "main{max-width:1080px;margin:0 auto;padding:24px}"
    "h1{font-size:28px;margin:0 0 4px}h2{font-size:20px;margin:32px 0 8px}"
    ".sub{color:#5c616a;margin:0 0 16px}"
    ".verdict{border-radius:8px;padding:14px 18px;margin:16px 0;font-size:18px}"
    ".good{background:#e2f2e4;border-left:6px solid #2f8a3c}"
    ".look{background:#fff3d6;border-left:6px solid #d39a14}"
    ".bad{background:#fde4df;border-left:6px solid #c2402a}"
    ".cards{display:flex;flex-wrap:wrap;gap:12px;margin:16px 0}"
    ".card{background:#fff;border-radius:8px;padding:12px 18px;flex:1 1 150px}"
    ".card b{display:block;font-size:24px}.card span{color:#5c616a}"
    "table{border-collapse:collapse;background:#fff;border-radius:8px;width:100%}"
    "td,th{text-align:left;padding:6px 14px;border-bottom:1px solid #e6e8ec;vertical-align:top}"
    "li{margin:0 0 10px}li small{display:block;color:#5c616a;font-size:14px}"
    "figure{background:#fff;border-radius:8px;padding:14px;margin:16px 0}"
    "figure img{max-width:100%;height:auto;display:block;margin:0 auto}"
    "figcaption{color:#5c616a;margin-top:8px;text-align:center}"
    "code{font:14px/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}"
    "footer{color:#5c616a;margin:32px 0}"
    "@media print{body{background:#fff}figure,.card,table{border:1px solid #ddd}}";

static void write_base64(FILE *out, const unsigned char *data, size_t n) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < n; i += 3) {
    unsigned word = (unsigned)data[i] << 16;
    if (i + 1 < n) word |= (unsigned)data[i + 1] << 8;
    if (i + 2 < n) word |= data[i + 2];
    fputc(digits[word >> 18], out), fputc(digits[(word >> 12) & 63], out);
    fputc(i + 1 < n ? digits[(word >> 6) & 63] : '=', out), fputc(i + 2 < n ? digits[word & 63] : '=', out);
  }
}

/* A run without pictures (output.png: false) has a page without them. */
static moho_status write_picture(FILE *out, const moho_report_picture *picture) {
  char *data;
  size_t bytes;
  moho_status status = moho_file_read_all(picture->path, MOST_PICTURE_BYTES, &data, &bytes);
  if (status == MOHO_ERROR_NOT_FOUND) {
    moho_error_take();
    return MOHO_OK;
  }
  if (status) return status;
  fputs("<figure><img alt=\"", out);
  moho_html_text(out, picture->caption);
  fputs("\" src=\"data:image/png;base64,", out);
  write_base64(out, (const unsigned char *)data, bytes);
  fputs("\">\n<figcaption>", out);
  moho_html_text(out, picture->caption);
  fputs("</figcaption></figure>\n", out);
  free(data);
  return MOHO_OK;
}

moho_status moho_report_html(const json_t *report, const moho_report_picture *pictures, size_t n, char **html) {
  size_t size = 0;
  *html = NULL;
  FILE *out = open_memstream(html, &size);
  if (!out) return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  const char *directory = json_string_value(json_object_get(report, "directory"));
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Migration report: ",
        out);
  moho_html_text(out, directory ? directory : "");
  fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", style);
  moho_report_summary(out, report);
  fputs("<h2>Pictures</h2>\n", out);
  moho_status status = MOHO_OK;
  for (size_t i = 0; i < n && !status; i++) status = write_picture(out, &pictures[i]);
  moho_report_details(out, report);
  fputs("</main>\n</body>\n</html>\n", out);
  int failed = ferror(out) != 0;
  if (fclose(out)) failed = 1;
  if (!status && failed) status = moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  if (status) free(*html), *html = NULL;
  return status;
}
