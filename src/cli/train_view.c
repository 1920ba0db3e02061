/* Draws the progress of a training run: a bar with speed, loss, time left and where the time goes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train_view_int.h"

#include <math.h>
#include <string.h>

enum { BAR_CELLS = 10, NARROW_BAR_CELLS = 5, WIDE_COLUMNS = 130 };
static const double epoch_period = 1.0; /* seconds between lines; log.jsonl has every epoch */

void oci_train_shares(oc_buf *out, const oc_train_times *t, bool brief) {
    double sum = t->data + t->forward + t->backward + t->update;
    if (!(sum > 0)) return;
    oc_buf_printf(out,
                  brief ? "  data %.0f fwd %.0f bwd %.0f upd %.0f%%"
                        : "  data %.0f%% forward %.0f%% backward %.0f%% update %.0f%%",
                  100 * t->data / sum, 100 * t->forward / sum, 100 * t->backward / sum,
                  100 * t->update / sum);
}

/* On a terminal that is too narrow for the words. */
static bool is_narrow(const oci_progress *view) {
    return view->term->err_tty && view->term->width < WIDE_COLUMNS;
}

void oci_train_step(void *ctx, const oc_train_progress *p) {
    oci_progress *view = ctx;
    if (!oci_progress_due(view)) return;
    double share = p->steps ? (double)p->step / (double)p->steps : 0;
    bool narrow = is_narrow(view), tty = view->term->err_tty;
    char eta[24], rate[32];
    oc_buf line = {0};
    if (p->epochs) oc_buf_printf(&line, "%s%d/%d ", narrow ? "" : "epoch ", p->epoch, p->epochs);
    if (p->phase && strcmp(p->phase, "train") != 0) oc_buf_printf(&line, "%s ", p->phase);
    if (tty) oci_bar(&line, share, narrow ? NARROW_BAR_CELLS : BAR_CELLS, view->term->utf8);
    oc_buf_printf(&line, tty ? " %3.0f%%" : "%.0f%%", 100 * share);
    if (p->images_per_second > 0)
        oc_buf_printf(&line, "  %s%s", oci_format_rate(rate, p->images_per_second),
                      narrow ? "/s" : " images/s");
    if (isfinite(p->loss) && p->loss > 0)
        oc_buf_printf(&line, "  loss %.*f", narrow ? 3 : 4, p->loss);
    if (p->eta_seconds > 0)
        oc_buf_printf(&line, "  ETA %s", oc_format_seconds(eta, p->eta_seconds));
    oci_train_shares(&line, &p->times, narrow);
    oci_progress_show(view, &line);
}

/* Where the words do not fit, what the bar has shown already is left out. */
void oci_train_epoch(void *ctx, const oc_epoch_summary *s) {
    oci_progress *view = ctx;
    bool narrow = is_narrow(view);
    char spent[24], rate[32];
    oc_buf line = {0};
    if (oc_clock_seconds() < view->next_epoch && s->epoch < s->epochs) return;
    view->next_epoch = oc_clock_seconds() + epoch_period;
    oc_buf_printf(&line, "epoch %d/%d  loss %.4f", s->epoch, s->epochs, s->train_loss);
    if (!narrow) oc_buf_printf(&line, "  accuracy %.1f %%", 100 * s->train_accuracy);
    if (isfinite(s->val_accuracy))
        oc_buf_printf(&line, "  held out: loss %.4f  accuracy %.1f %%%s", s->val_loss,
                      100 * s->val_accuracy, s->best ? " (best)" : "");
    if (!narrow && s->images_per_second > 0)
        oc_buf_printf(&line, "  %s images/s", oci_format_rate(rate, s->images_per_second));
    oc_buf_printf(&line, "  %s", oc_format_seconds(spent, s->seconds));
    if (!narrow) oci_train_shares(&line, &s->times, false);
    if (!line.failed) oci_progress_say(view, s->best ? OCI_GREEN : OCI_PLAIN, "%s", line.data);
    oc_buf_clear(&line);
}
