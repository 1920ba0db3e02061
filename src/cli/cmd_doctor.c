/* `ocellus doctor`: what was built in, what this machine can do, where time would go.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "command_int.h"
#include "doctor_int.h"
#include "engine/engine.h"
#include "zoo/zoo.h"

static const char arguments[] = "[--quick] [--json]";

typedef struct doctor_flags {
    bool quick, json;
} doctor_flags;

#define AT(member) offsetof(doctor_flags, member)

static const oci_option table[] = {
    {"quick", 'q', OCI_FLAG, AT(quick), NULL, 0, 0, NULL, "measure nothing"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "as one JSON object"},
    {0}};

enum { MAX_ADVICE = 8, ADVICE_BYTES = 256 };
static const uint64_t little_memory = (uint64_t)2 << 30;

typedef struct findings {
    oci_machine machine;
    oci_speed speed;
    bool measured;
    char advice[MAX_ADVICE][ADVICE_BYTES];
    size_t count;
} findings;

static void advise(findings *f, const char *format, ...) OC_PRINTF(2, 3);

static void advise(findings *f, const char *format, ...) {
    if (f->count == MAX_ADVICE) return;
    va_list args;
    va_start(args, format);
    vsnprintf(f->advice[f->count++], ADVICE_BYTES, format, args);
    va_end(args);
}

static void advise_machine(findings *f) {
    const oci_machine *m = &f->machine;
    char bytes[16];
    if (strcmp(oc_engine_names()[0], "ref") == 0)
        advise(f,
               "only the slow reference engine is built in: install libdnnl-dev and build again");
    if (!m->wide)
        advise(f, "no AVX2 or NEON: the maths runs several times slower than on a newer CPU");
    if (m->cores < m->cores_online)
        advise(f, "this process may use %d of %d cores (affinity or a container's limit)", m->cores,
               m->cores_online);
    int64_t threads = 0;
    if (m->omp_threads && oc_parse_i64(m->omp_threads, 1, m->cores - 1, &threads))
        advise(f, "OMP_NUM_THREADS=%s leaves %d of %d cores idle: unset it, or give --threads",
               m->omp_threads, m->cores - (int)threads, m->cores);
    if (m->memory_free && m->memory_free < little_memory)
        advise(f, "only %s of memory are free: use a smaller --batch",
               oc_format_bytes(bytes, m->memory_free));
}

static void advise_speed(findings *f) {
    const oci_speed *s = &f->speed;
    double photos = s->render_per_core * f->machine.cores;
    if (s->train_per_second <= 0) return;
    double share = s->train_per_second / photos;
    if (share > 0.5)
        advise(f,
               "reading photos (%.0f a second on all cores) takes a large part of the time beside "
               "training (%.0f a second): shrink the files to about the training size first",
               photos, s->train_per_second);
    else
        advise(
            f,
            "the maths is the limit (%.0f photos a second, of which %.0f %% go backward); reading "
            "photos takes about %.0f %% of a core's time",
            s->train_per_second, 100 * s->backward / (s->forward + s->backward + s->update),
            100 * s->train_per_second / s->render_per_core);
    advise(f, "1,000 photos take about %.0f s an epoch with " OCI_DOCTOR_ARCH " at %d x %d",
           1000 / s->train_per_second + 1000 / photos, OCI_DOCTOR_SIZE, OCI_DOCTOR_SIZE);
}

static oc_status text_built_in(oc_buf *out, oc_error *err) {
    size_t count = 0;
    const oc_arch *zoo = oc_zoo_all(&count);
    oc_buf_printf(out, "ocellus %s\nparts:     %s\n", OC_VERSION, OC_PARTS);
    for (const char *const *name = oc_engine_names(); *name; name++) {
        oc_buf_printf(out, "engine:    %-8s ", *name);
        OC_TRY(oc_engine_describe(*name, out, err));
        oc_buf_puts(out, "\n");
    }
    oc_buf_puts(out, "networks: ");
    for (size_t i = 0; i < count; i++) oc_buf_printf(out, " %s", zoo[i].name);
    oc_buf_puts(out, "\nimages:    JPEG PNG WebP\n");
    return OC_OK;
}

static void text_machine(const oci_machine *m, oc_buf *out) {
    char total[16], left[16];
    oc_buf_printf(out, "processor: %s, %d of %d cores\n           %s\n",
                  m->cpu[0] ? m->cpu : "unknown", m->cores, m->cores_online,
                  m->features[0] ? m->features : "features unknown");
    if (m->memory)
        oc_buf_printf(out, "memory:    %s, %s free\n", oc_format_bytes(total, m->memory),
                      oc_format_bytes(left, m->memory_free));
}

static void text_speed(const oci_speed *s, oc_buf *out) {
    oc_buf_printf(out,
                  "measured:  multiply-adds %.0f GFLOP/s, copying memory %.1f GB/s,\n"
                  "           3x3 convolutions %.0f GFLOP/s (%.0f %% of the peak),\n"
                  "           JPEG 640 x 480 to a varied 224 x 224: %.0f a second and core\n",
                  s->peak.fma_gflops, s->peak.memory_gbps, s->conv_gflops,
                  100 * s->conv_gflops / s->peak.fma_gflops, s->render_per_core);
    if (s->train_per_second > 0)
        oc_buf_printf(out,
                      "           training " OCI_DOCTOR_ARCH
                      " at %d, batch %d: %.1f a second (forward %.0f ms, backward %.0f ms, update "
                      "%.0f ms)\n",
                      OCI_DOCTOR_SIZE, OCI_DOCTOR_BATCH, s->train_per_second, 1e3 * s->forward,
                      1e3 * s->backward, 1e3 * s->update);
}

static oc_status print_text(const findings *f, oc_error *err) {
    oc_buf out = {0};
    oc_status status = text_built_in(&out, err);
    if (status != OC_OK) {
        oc_buf_clear(&out);
        return status;
    }
    text_machine(&f->machine, &out);
    if (f->measured) text_speed(&f->speed, &out);
    oc_buf_puts(&out, "\n");
    for (size_t i = 0; i < f->count; i++) oc_buf_printf(&out, "- %s\n", f->advice[i]);
    if (f->count == 0) oc_buf_puts(&out, "- nothing to complain about\n");
    return oci_print(stdout, &out, err);
}

static json_t *engines_json(void) {
    json_t *array = json_array();
    int bad = 0;
    for (const char *const *name = oc_engine_names(); *name; name++) {
        oc_buf words = {0};
        bad |= oc_engine_describe(*name, &words, NULL) != OC_OK;
        bad |= json_array_append_new(array, json_pack("{s:s,s:s}", "name", *name, "description",
                                                      words.data ? words.data : ""));
        oc_buf_clear(&words);
    }
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

static json_t *speed_json(const oci_speed *s) {
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "fma_gflops", s->peak.fma_gflops,
                     "memory_gb_per_second", s->peak.memory_gbps, "conv_gflops", s->conv_gflops,
                     "render_per_second_and_core", s->render_per_core, "train_images_per_second",
                     s->train_per_second, "forward_seconds", s->forward, "backward_seconds",
                     s->backward, "update_seconds", s->update);
}

static json_t *advice_json(const findings *f) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < f->count; i++)
        bad |= json_array_append_new(array, json_string(f->advice[i]));
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

static oc_status print_json(const findings *f, oc_error *err) {
    const oci_machine *m = &f->machine;
    json_t *o = json_pack("{s:s,s:s,s:o,s:{s:s,s:s,s:i,s:i,s:I,s:I},s:o}", "version", OC_VERSION,
                          "parts", OC_PARTS, "engines", engines_json(), "machine", "cpu", m->cpu,
                          "features", m->features, "cores", m->cores, "cores_online",
                          m->cores_online, "memory", (json_int_t)m->memory, "memory_free",
                          (json_int_t)m->memory_free, "advice", advice_json(f));
    if (f->measured && json_object_set_new(o, "speed", speed_json(&f->speed)) != 0) {
        json_decref(o);
        o = NULL;
    }
    return oci_print_json(o, err);
}

static oc_status run(oci_call *call, oc_error *err) {
    doctor_flags flags = {0};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 0, 0, arguments, err));
    findings f = {.measured = !flags.quick};
    oci_machine_look(&f.machine);
    advise_machine(&f);
    if (f.measured) {
        fputs("measuring for a few seconds ...\n", stderr);
        OC_TRY(oci_speed_measure(&f.speed, err));
        advise_speed(&f);
    }
    return flags.json ? print_json(&f, err) : print_text(&f, err);
}

const oci_command oci_cmd_doctor = {
    .name = "doctor",
    .summary = "what was built in, what this machine can do, where time would go",
    .arguments = arguments,
    .options = table,
    .run = run};
