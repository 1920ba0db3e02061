/* Numbers for people while a run goes on: where the time went, and how fast it is now.
 *
 * The rate is taken over a window of 2.5 to 5 seconds: two marks, the older of which is the start
 * of the window, move on every 2.5 seconds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/train_int.h"

static const double WINDOW_SECONDS = 2.5;

void oci_meter_init(oci_meter *m, const oc_train_observer *observer) {
    double now = oc_clock_seconds();
    *m = (oci_meter){.observer = observer, .started = now, .epoch_started = now};
    m->mark_time[0] = m->mark_time[1] = now;
}

void oci_meter_start_epoch(oci_meter *m) {
    m->epoch_times = m->times;
    m->epoch_images = m->images;
    m->epoch_started = oc_clock_seconds();
    m->mark_time[0] = m->mark_time[1] = m->epoch_started;
    m->mark_images[0] = m->mark_images[1] = m->images;
}

double oci_meter_lap(double *mark) {
    double now = oc_clock_seconds();
    double passed = now - *mark;
    *mark = now;
    return passed;
}

void oci_meter_count(oci_meter *m, uint64_t images) {
    m->images += images;
    double now = oc_clock_seconds();
    if (now - m->mark_time[1] < WINDOW_SECONDS) return;
    m->mark_time[0] = m->mark_time[1];
    m->mark_images[0] = m->mark_images[1];
    m->mark_time[1] = now;
    m->mark_images[1] = m->images;
}

double oci_meter_rate(const oci_meter *m) {
    double seconds = oc_clock_seconds() - m->mark_time[0];
    return seconds > 0 ? (double)(m->images - m->mark_images[0]) / seconds : 0;
}

/* now - then, with `other` what `seconds` leaves over. */
static oc_train_times difference(const oc_train_times *now, const oc_train_times *then,
                                 double seconds) {
    oc_train_times d = {.data = now->data - then->data,
                        .forward = now->forward - then->forward,
                        .backward = now->backward - then->backward,
                        .update = now->update - then->update,
                        .validation = now->validation - then->validation};
    double left = seconds - d.data - d.forward - d.backward - d.update - d.validation;
    d.other = left > 0 ? left : 0;
    return d;
}

oc_train_times oci_meter_times(const oci_meter *m) {
    oc_train_times zero = {0};
    return difference(&m->times, &zero, oc_clock_seconds() - m->started);
}

oc_train_times oci_meter_epoch_times(const oci_meter *m) {
    return difference(&m->times, &m->epoch_times, oc_clock_seconds() - m->epoch_started);
}

void oci_meter_start_phase(oci_meter *m) {
    m->phase_started = oc_clock_seconds();
}

void oci_meter_phase(const oci_meter *m, const char *phase, size_t step, size_t steps) {
    if (m->observer->step == NULL) return;
    double seconds = oc_clock_seconds() - m->phase_started;
    double rate = seconds > 0 ? (double)step / seconds : 0;
    oc_train_progress p = {.step = step,
                           .steps = steps,
                           .images_per_second = rate,
                           .eta_seconds = rate > 0 ? (double)(steps - step) / rate : 0,
                           .times = oci_meter_times(m),
                           .phase = phase};
    m->observer->step(m->observer->ctx, &p);
}
