/* moho.h - all of Moho's public interface. Each header stands alone; this one includes them all. */
#ifndef MOHO_MOHO_H
#define MOHO_MOHO_H

#include "moho/bitnet.h"
#include "moho/buffer.h"
#include "moho/demigration.h"
#include "moho/device.h"
#include "moho/dispatch.h"
#include "moho/gathers.h"
#include "moho/grid.h"
#include "moho/image.h"
#include "moho/job.h"
#include "moho/kernel.h"
#include "moho/least_squares.h"
#include "moho/matmul.h"
#include "moho/migration.h"
#include "moho/program.h"
#include "moho/quality.h"
#include "moho/queue.h"
#include "moho/status.h"
#include "moho/synth.h"
#include "moho/tensor.h"
#include "moho/ternary.h"
#include "moho/traces.h"
#include "moho/velocity.h"
#include "moho/velocity_functions.h"
#include "moho/velocity_scan.h"
#include "moho/view.h"

#endif
