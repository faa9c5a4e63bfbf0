/* test_report_page.c - the verdict of the page on images that no run of a test can be made to produce. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "job/report_html.h"

/* A report with what the verdict looks at; image: the members of quality.image, findings: of it. */
static char *page(const char *image, int used, const char *findings) {
  char text[600], *html;
  snprintf(text, sizeof text,
           "{\"traces\": {\"total\": 100, \"used\": %d, \"dead\": 10, \"not_seismic\": 0, \"no_position\": 0}, \"warnings\": [],"
           " \"quality\": {\"image\": {\"samples\": 1000, %s, \"findings\": [%s]}}}",
           used, image, findings);
  json_t *report = json_loads(text, 0, NULL);
  assert_non_null(report);
  assert_ok(moho_report_html(report, NULL, 0, &html));
  json_decref(report);
  return html;
}

static void expect(const char *image, int used, const char *findings, const char *words, int is_bad) {
  char *html = page(image, used, findings);
  assert_non_null(strstr(html, words));
  assert_int_equal(strstr(html, "<p class=\"verdict bad\">") != NULL, is_bad);
  free(html);
}

static void the_verdict_is_what_the_image_is(void **state) {
  (void)state;
  static const char good[] = "\"nan\": 0, \"infinite\": 0, \"rms\": 0.1",
                    finding[] = "{\"name\": \"nyquist\", \"text\": \"it is so\", \"advice\": \"do this\"}";
  expect(good, 90, "", "<b>Good.</b>", 0);
  expect(good, 90, finding, "<b>Finished, with 1 point to look at</b>", 0);
  expect(good, 45, "", "<b>Good.</b>", 0); /* half of the 90 live ones */
  expect(good, 44, "", "<b>Not good.</b> Less than half of the live traces were used.", 1);
  expect("\"nan\": 1, \"infinite\": 0, \"rms\": 0.1", 90, finding, "<b>Not good.</b> The image holds values that are no numbers.",
         1);
  expect("\"nan\": 0, \"infinite\": 2, \"rms\": 0.1", 90, "", "<b>Not good.</b> The image holds values that are no numbers.", 1);
  expect("\"nan\": 0, \"infinite\": 0, \"rms\": 0", 90, "", "<b>Not good.</b> The image is empty.", 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_verdict_is_what_the_image_is)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
