/* runtime_prelude.h - what the pieces of code in docs/runtime.md take as given. */
#include <stdio.h>
#include <stdlib.h>

#include <moho/moho.h>

#include "example.h"

static moho_device *device;
static moho_device_report report;
static moho_buffer *buffer, *staging, *wrapped;
static moho_kernel *kernel;
static moho_queue *queue, *other;
static moho_launch launch;
static moho_ticket ticket;
static moho_done_function function;
static void *user;
static const char *text;
static float *data;
static size_t n;
