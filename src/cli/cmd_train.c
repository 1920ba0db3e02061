/* `ocellus train DATA -o MODEL`: from a folder of photos to a model folder.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "command_int.h"
#include "stop_int.h"
#include "train_solver_int.h"
#include "train_view_int.h"

static const char arguments[] = "DATA -o MODEL [--from WEIGHTS] [options]";
static const char solver_arguments[] = "--solver SOLVER -o MODEL [options]";

/* A path that a shell takes as one word. */
static const char *quote(const char *path) {
    return strpbrk(path, " \t'\"\\$&|;<>()*?") ? "'" : "";
}

static void say_next(oci_progress *view, const oci_train_flags *f, const oc_train_result *r) {
    const char *q = quote(f->train.out), *d = quote(f->train.data);
    char spent[24], rate[32];
    oci_progress_say(view, OCI_BOLD, "%s holds the model (%s, %s images/s)", f->train.out,
                     oc_format_seconds(spent, r->seconds),
                     oci_format_rate(rate, r->images_per_second));
    if (r->val_images && isfinite(r->best_accuracy))
        oci_progress_say(view, OCI_PLAIN, "best epoch %d: %.1f %% of %zu held-out photos right",
                         r->best_epoch, 100 * r->best_accuracy, r->val_images);
    bool listed = f->solver != NULL; /* its lists need their root */
    if (!listed)
        oci_progress_say(view, OCI_DIM, "next:  ocellus eval %s%s%s %s%s%s --report report.html", q,
                         f->train.out, q, d, f->train.data, d);
    oci_progress_say(view, OCI_DIM, "%s  ocellus predict %s%s%s PHOTO", listed ? "next:" : "     ",
                     q, f->train.out, q);
}

static void say_stopped(oci_progress *view, const oci_train_flags *f, const oc_train_result *r) {
    if (r->steps_done == 0) {
        oci_progress_say(view, OCI_YELLOW,
                         "stopped before the first step: nothing is saved, the same command begins "
                         "again");
        return;
    }
    oci_progress_say(view, OCI_YELLOW,
                     "stopped after %d epochs; the same command with --resume goes on from there",
                     r->epochs_done);
    if (r->epochs_done > 0)
        oci_progress_say(view, OCI_PLAIN, "%s holds the best model so far", f->train.out);
}

static oc_status train(oci_train_flags *flags, oci_progress *view, const oc_log *log,
                       oc_error *err) {
    const volatile sig_atomic_t *stop = oci_stop_install();
    const oc_train_observer observer = {oci_train_step, oci_train_epoch, log, stop, view};
    flags->train.dataset.log = log;
    oc_train_result result = {0};
    oc_status status = oc_train(&flags->train, &observer, &result, err);
    oci_progress_wipe(view);
    if (status != OC_OK) return status;
    if (flags->json) OC_TRY(oci_print_json(oc_train_result_json(&result), err));
    if (!result.stopped) {
        say_next(view, flags, &result);
        return OC_OK;
    }
    say_stopped(view, flags, &result);
    if (*stop) return oc_fail(err, OC_ECANCELLED, "training was stopped by a signal");
    return OC_OK;
}

static oc_status expect_data(oci_call *call, oci_train_flags *flags, oc_error *err) {
    if (flags->solver != NULL) return oci_args_expect(&call->args, 0, 0, solver_arguments, err);
    OC_TRY(oci_args_expect(&call->args, 1, 1, arguments, err));
    flags->train.data = call->args.argv[0];
    return OC_OK;
}

static oc_status run(oci_call *call, oc_error *err) {
    oci_train_flags flags;
    oc_caffe_solver *solver = NULL;
    oci_progress view = {.term = call->term};
    const oc_log log = {oci_progress_log, &view};
    oc_status status = OC_OK;
    OC_GOTO(oci_train_parse(&call->args, &flags, &solver, &log, err));
    OC_GOTO(expect_data(call, &flags, err));
    OC_GOTO(oci_train_flags_finish(&flags, err));
    flags.train.command = call->line;
    status = train(&flags, &view, &log, err);
done:
    oc_caffe_solver_free(solver);
    return status;
}

const oci_command oci_cmd_train = {
    .name = "train",
    .summary = "train a classifier on labelled photos",
    .arguments = arguments,
    .details =
        "DATA is a folder with a folder of photos per class (or with train/ val/ test/ of those), "
        "a "
        "text list (path label), or a CSV with a header (path,label[,split,group]). Where it "
        "brings "
        "no validation part, a share of each class is held out by seed.\n"
        "MODEL becomes a folder with everything that is needed to use, judge and continue the "
        "network: the best epoch on the held-out photos. Ctrl-C saves and stops; --resume goes on "
        "as if nothing had happened.",
    .examples = "  ocellus train photos -o model --from mobilenet_v2.safetensors --tune head\n"
                "  ocellus train photos -o model --arch squeezenet1_1 --epochs 40\n"
                "  ocellus train photos -o model --stop-after 1200 --resume\n"
                "  ocellus train --solver solver.prototxt --weights bvlc.caffemodel -o model\n",
    .options = oci_train_table,
    .run = run};
