/* block_writer.c - the thread that writes one block. */
#include "job/block_writer.h"

#include "base/timer.h"

static void *write_block(void *argument) {
  moho_block_writer *w = argument;
  double begin = moho_seconds();
  w->status = moho_run_saved_put(w->saved, w->block, &w->image, w->counts);
  if (w->status) {
    w->error = moho_error_take();
    __atomic_store_n(&w->has_failed, 1, __ATOMIC_RELEASE);
  }
  w->seconds = moho_seconds() - begin;
  return NULL;
}

void moho_block_writer_start(moho_block_writer *w, moho_run_saved *saved, size_t block, moho_image *image, json_t *counts) {
  *w = (moho_block_writer){.saved = saved, .block = block, .image = *image, .counts = counts, .is_running = 1};
  *image = (moho_image){0};
  w->has_thread = pthread_create(&w->thread, NULL, write_block, w) == 0;
  if (!w->has_thread) write_block(w); /* no thread to be had: here and now */
}

moho_status moho_block_writer_finish(moho_block_writer *w, double *seconds) {
  if (!w->is_running) return MOHO_OK;
  if (w->has_thread) pthread_join(w->thread, NULL);
  w->is_running = 0;
  moho_image_release(&w->image);
  json_decref(w->counts);
  *seconds += w->seconds;
  return w->status ? moho_error_set(&w->error) : MOHO_OK;
}

int moho_block_writer_has_failed(const moho_block_writer *w) {
  return w->is_running && __atomic_load_n(&w->has_failed, __ATOMIC_ACQUIRE);
}
