/* metal_backend.c - the Metal backend as the front sees it. */
#include "device/metal/metal_queue.h"

const moho_backend moho_backend_metal = {
    .name = "metal",
    .count = moho_metal_count,
    .open = moho_metal_open,
    .close = moho_metal_close,
    .refresh = moho_metal_refresh,
    .allocate = moho_metal_allocate,
    .wrap = moho_metal_wrap,
    .release = moho_metal_free_block,
    .compile = moho_metal_compile,
    .release_pipeline = moho_metal_free_pipeline,
    .queue_create = moho_metal_queue_create,
    .queue_destroy = moho_metal_queue_destroy,
    .submit = moho_metal_submit,
    .wait = moho_metal_wait,
    .collect = moho_metal_collect,
};
