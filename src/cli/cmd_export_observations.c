/* `ocellus export-observations DB OUT`: what experts have said of users' photos, as training data.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "command_int.h"
#include "serve/serve.h"

static const char arguments[] = "DB OUT [--status confirmed,corrected]";

typedef struct export_flags {
    const char *status;
    bool json;
} export_flags;

#define AT(member) offsetof(export_flags, member)

static const oci_option table[] = {
    {"status", 's', OCI_TEXT, AT(status), "LIST", 0, 0, NULL,
     "which: confirmed, corrected, or both with a comma between (default both)"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the result as one JSON object"},
    {0}};

static oc_status read_status(const char *list, oc_export_options *out, oc_error *err) {
    static const char *const words[] = {"confirmed", "corrected"};
    bool *const flags[] = {&out->confirmed, &out->corrected};
    for (const char *at = list; at != NULL;) {
        size_t size = strcspn(at, ",");
        bool known = false;
        for (size_t i = 0; i < 2; i++) {
            if (size != strlen(words[i]) || strncmp(at, words[i], size) != 0) continue;
            known = *flags[i] = true;
        }
        if (!known)
            return oc_fail(err, OC_EUSAGE,
                           "--status %s: confirmed, corrected, or both with a comma between; "
                           "others have no label that an expert stands for",
                           list);
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return OC_OK;
}

static oc_status tell(const oc_export_options *o, const oc_exported *count, bool json,
                      oc_error *err) {
    oc_buf out = {0};
    if (json)
        return oci_print_json(json_pack("{s:o, s:I, s:I}", "out", oc_json_text(o->folder),
                                        "observations", (json_int_t)count->observations, "photos",
                                        (json_int_t)count->photos),
                              err);
    oci_put_plain(&out, o->folder);
    oc_buf_printf(&out, ": %zu photos of %zu observations\n", count->photos, count->observations);
    if (count->photos > 0) {
        oc_buf_puts(&out, "next:  ocellus train ");
        oci_put_plain(&out, o->folder);
        oc_buf_puts(&out, "/observations.csv -o MODEL\n");
    }
    return oci_print(stdout, &out, err);
}

static oc_status run(oci_call *call, oc_error *err) {
    export_flags flags = {.status = "confirmed,corrected"};
    oc_exported count;
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 2, 2, arguments, err));
    oc_export_options options = {.db = call->args.argv[0], .folder = call->args.argv[1]};
    OC_TRY(read_status(flags.status, &options, err));
    OC_TRY(oc_export_observations(&options, &count, err));
    return tell(&options, &count, flags.json, err);
}

const oci_command oci_cmd_export_observations = {
    .name = "export-observations",
    .summary = "users' photos that experts have named, as training data",
    .arguments = arguments,
    .details =
        "DB is the file of `ocellus serve --db`; it may be in use. OUT gets a folder of photos a "
        "label and observations.csv, in which the photos of one observation are one group, so that "
        "a split keeps them together.",
    .examples = "  ocellus export-observations observations.db reviewed\n"
                "  ocellus train reviewed/observations.csv -o model --from model\n",
    .options = table,
    .run = run};
