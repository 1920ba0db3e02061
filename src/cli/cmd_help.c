/* `ocellus help [COMMAND]`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "command_int.h"

static const char arguments[] = "[COMMAND]";

static oc_status run(oci_call *call, oc_error *err) {
    OC_TRY(oci_options_parse(&call->args, NULL, err));
    OC_TRY(oci_args_expect(&call->args, 0, 1, arguments, err));
    oc_buf text = {0};
    if (call->args.count == 0) {
        oci_help_all(&text, call->term);
        return oci_print(stdout, &text, err);
    }
    const oci_command *command = oci_command_find(call->args.argv[0]);
    if (!command) return oci_command_unknown(call->args.argv[0], err);
    oci_help_one(&text, command, call->term);
    return oci_print(stdout, &text, err);
}

const oci_command oci_cmd_help = {
    .name = "help", .summary = "what a command does and takes", .arguments = arguments, .run = run};
