/* `ocellus synth OUT`: a made-up flower data set, for trying and testing.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "command_int.h"
#include "data/data.h"

static const char arguments[] =
    "OUT --classes N --per-class M [--size S] [--seed K] [--spoil F] [--pool P]";

typedef struct synth_flags {
    oc_synth_options synth;
    bool force;
} synth_flags;

#define AT(member) offsetof(synth_flags, member)

static const oci_option table[] = {
    {"classes", 'c', OCI_INT, AT(synth.classes), "N", 1, 1000000, NULL,
     "kinds of flower (default 8)"},
    {"per-class", 'n', OCI_INT, AT(synth.per_class), "M", 1, 1000000, NULL,
     "pictures of each (default 60)"},
    {"size", 's', OCI_INT, AT(synth.size), "S", 16, 2048, NULL, "side in pixels (default 128)"},
    {"seed", 0, OCI_U64, AT(synth.seed), "K", 0, 9e15, NULL, "the same seed, the same pictures"},
    {"spoil", 0, OCI_REAL, AT(synth.spoil), "F", 0, 1, NULL,
     "share of files that are corrupt, truncated, mislabelled, duplicated or blurred; "
     "OUT/spoiled.csv says which"},
    {"pool", 0, OCI_INT, AT(synth.pool), "P", 1, 1000000, NULL,
     "for very many classes: draw only P pictures, of which all files are other names; "
     "OUT/train.txt gives their labels"},
    {"threads", 't', OCI_INT, AT(synth.threads), "T", 1, 4096, NULL, "default all"},
    {"force", 'f', OCI_FLAG, AT(force), NULL, 0, 0, NULL, "write into a folder that is not empty"},
    {0}};

static oc_status expect_empty(const char *folder, oc_error *err) {
    if (!oc_path_is_dir(folder)) return OC_OK;
    oc_path_list names = {0};
    OC_TRY(oc_path_list_dir(folder, true, &names, err));
    size_t count = names.count;
    oc_path_list_free(&names);
    if (count == 0) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "%s holds %zu files or folders already: name a new folder, or add --force to "
                   "write among them",
                   folder, count);
}

static oc_status run(oci_call *call, oc_error *err) {
    synth_flags flags = {.synth = {.classes = 8, .per_class = 60, .size = 128}};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 1, 1, arguments, err));
    const char *out = call->args.argv[0];
    if (!flags.force) OC_TRY(expect_empty(out, err));
    OC_TRY(oc_synth(out, &flags.synth, err));
    if (flags.synth.pool > 0)
        fprintf(stderr,
                "%s: %d pictures under %lld names, in %d classes that nobody can tell apart\n", out,
                flags.synth.pool, (long long)flags.synth.classes * flags.synth.per_class,
                flags.synth.classes);
    else
        fprintf(stderr, "%s: %d pictures of %d made-up flowers, %d x %d pixels%s\n", out,
                flags.synth.classes * flags.synth.per_class, flags.synth.classes, flags.synth.size,
                flags.synth.size,
                flags.synth.spoil > 0 ? "; spoiled.csv lists the spoiled ones" : "");
    return OC_OK;
}

const oci_command oci_cmd_synth = {
    .name = "synth",
    .summary = "draw a made-up flower data set, for trying and testing",
    .arguments = arguments,
    .details =
        "Petals, colours, backgrounds, scale and noise are drawn from the seed. Classes share "
        "colours, so that a classifier has to look at shapes.",
    .examples = "  ocellus synth flowers --classes 8 --per-class 60\n"
                "  ocellus synth dirty --classes 5 --per-class 40 --spoil 0.1\n"
                "  ocellus synth many --classes 294000 --per-class 2 --pool 200 --size 32\n",
    .options = table,
    .run = run};
