/* `ocellus data DATA`: what is in it, what is wrong with it, whether it will train well.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "command_int.h"
#include "data_check_int.h"
#include "progress_int.h"

static const char arguments[] = "DATA [--json]";

typedef struct data_flags {
    oc_dataset_options data;
    int threads;
    bool json;
} data_flags;

#define AT(member) offsetof(data_flags, member)

static const oci_option table[] = {
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "everything as one JSON object"},
    {"label-column", 0, OCI_TEXT, AT(data.label_column), "C", 0, 0, NULL,
     "of a list: number behind the path; of a CSV: name"},
    {"group-column", 0, OCI_TEXT, AT(data.group_column), "C", 0, 0, NULL, "of a CSV"},
    {"names", 0, OCI_PATH, AT(data.names), "FILE", 0, 0, NULL, "class names of a list"},
    {"threads", 't', OCI_INT, AT(threads), "T", 1, 4096, NULL, "default all"},
    {0}};

static oc_status print(const oci_survey *survey, const oci_term *term, bool json, oc_error *err) {
    if (json) return oci_print_json(oci_survey_json(survey), err);
    oc_buf text = {0};
    oci_survey_text(survey, term, &text);
    return oci_print(stdout, &text, err);
}

static oc_status run(oci_call *call, oc_error *err) {
    data_flags flags = {0};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 1, 1, arguments, err));
    oci_progress view = {.term = call->term};
    const oc_log log = {oci_progress_log, &view};
    const oc_scan_options scan = {.threads = flags.threads};
    flags.data.log = &log;
    oc_status status = OC_OK;
    oc_dataset *ds = NULL;
    oci_survey survey = {0};
    OC_GOTO(oc_dataset_open(&ds, call->args.argv[0], &flags.data, err));
    OC_GOTO(oc_dataset_scan(ds, &scan, err));
    OC_GOTO(oci_survey_run(&survey, ds, flags.threads, err));
    OC_GOTO(print(&survey, call->term, flags.json, err));
done:
    oci_survey_clear(&survey);
    oc_dataset_free(ds);
    return status;
}

const oci_command oci_cmd_data = {
    .name = "data",
    .summary = "look into a data set: what is in it, what is wrong, will it train",
    .arguments = arguments,
    .details =
        "Every file is opened. Files that cannot be used are listed with their reason, exact "
        "copies with what they are copies of; nothing is changed.",
    .examples = "  ocellus data photos\n"
                "  ocellus data observations.csv --json > findings.json\n",
    .options = table,
    .run = run};
