/* The face of the ground floor: errors, memory, text, paths, JSON, randomness, threads, clock, log.
 * It knows nothing of images or networks. Other rooms include this file only.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_H
#define OC_BASE_H

#include "base/clock.h"
#include "base/compat.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/thread.h"

#endif
