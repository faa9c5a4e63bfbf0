/* progress_bar.c - long work shown: a bar with rate and ETA on a terminal, or JSON lines; stopped by SIGINT and SIGTERM. */
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

typedef enum { SHOW_NOTHING, SHOW_BAR, SHOW_JSON } show;

static show showing = SHOW_NOTHING;
static atomic_int interrupted; /* without locks: a handler may touch it */
static char shown_stage[64];
static double shown_at = -1; /* seconds of the stage when last shown */
static int bar_is_open;

int progress_choose(const char *mode) {
  const show automatic = isatty(STDERR_FILENO) ? SHOW_BAR : SHOW_NOTHING;
  const show modes[] = {automatic, SHOW_BAR, SHOW_JSON, SHOW_NOTHING};
  int chosen = mode ? choose_word("progress", mode, "auto|bar|json|none") : 0;
  if (chosen < 0) return EXIT_USAGE;
  showing = modes[chosen];
  return EXIT_GOOD;
}

/* The second signal, of either kind, ends the program at once. */
static void on_signal(int number) {
  if (!atomic_exchange(&interrupted, 1)) return;
  signal(number, SIG_DFL);
  raise(number);
}

void progress_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int progress_is_interrupted(void) {
  return interrupted;
}

void progress_end(void) {
  if (bar_is_open) fputc('\n', stderr);
  bar_is_open = 0;
}

static void show_bar(const moho_progress *p) {
  enum { WIDTH = 30 };
  char bar[WIDTH + 1], rate[32], left[32] = "";
  double fraction = p->total > 0 ? fmin(p->done / p->total, 1) : 0, speed = p->seconds > 0 ? p->done / p->seconds : 0;
  int filled = (int)(fraction * WIDTH);
  for (int i = 0; i < WIDTH; i++) bar[i] = i < filled ? '#' : '.';
  bar[WIDTH] = '\0';
  if (p->total > 0 && speed > 0) seconds_text((p->total - p->done) / speed, left);
  fprintf(stderr, "\r%-16.16s [%s] %3.0f %%  %s %s/s%s%s   ", p->stage, bar, 100 * fraction, count_text(speed, rate), p->unit,
          left[0] ? "  ETA " : "", left);
  bar_is_open = 1;
}

static void show_json(const moho_progress *p) {
  fprintf(stderr, "{\"stage\": \"%s\", \"unit\": \"%s\", \"done\": %.15g, \"total\": %.15g, \"seconds\": %.3f}\n", p->stage,
          p->unit, p->done, p->total, p->seconds);
}

int progress_step(void *user, const moho_progress *p) {
  (void)user;
  int fresh = strcmp(shown_stage, p->stage) != 0;
  int ended = p->total > 0 && p->done >= p->total;
  double pause = showing == SHOW_JSON ? 0.5 : 0.1;
  if (showing != SHOW_NOTHING && (fresh || ended || p->seconds < shown_at || p->seconds >= shown_at + pause)) {
    if (fresh) progress_end();
    snprintf(shown_stage, sizeof shown_stage, "%s", p->stage);
    shown_at = p->seconds;
    if (showing == SHOW_BAR) show_bar(p);
    else show_json(p);
    fflush(stderr);
  }
  return interrupted;
}
