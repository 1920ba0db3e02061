/* Reads what Linux tells about CPU and memory.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_int.h"

static const char *const interesting[] = {
    "sse4_2",      "avx",      "avx2",     "fma",   "f16c",    "avx512f", "avx_vnni", "avx512_vnni",
    "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "asimddp", "bf16",    "sve"};

enum { LINE_BYTES = 8192 };

/* Whether `word` stands in the space-separated list. */
static bool listed(const char *list, const char *word) {
    size_t size = strlen(word);
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
        if ((at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0')) return true;
    return false;
}

static void note_features(oci_machine *m, const char *flags) {
    for (size_t i = 0; i < sizeof interesting / sizeof interesting[0]; i++) {
        if (!listed(flags, interesting[i])) continue;
        size_t used = strlen(m->features);
        snprintf(m->features + used, sizeof m->features - used, "%s%s", used ? " " : "",
                 interesting[i]);
    }
    m->wide = (listed(flags, "avx2") && listed(flags, "fma")) || listed(flags, "asimd");
}

static void read_cpu(oci_machine *m) {
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[LINE_BYTES];
    while (file && fgets(line, sizeof line, file) && !(m->cpu[0] && m->features[0])) {
        char *value = strchr(line, ':');
        if (!value) continue;
        value = oc_trim(value + 1);
        if (oc_starts_with(line, "model name") && !m->cpu[0])
            snprintf(m->cpu, sizeof m->cpu, "%s", value);
        if ((oc_starts_with(line, "flags") || oc_starts_with(line, "Features")) && !m->features[0])
            note_features(m, value);
    }
    if (file) fclose(file);
}

static void read_memory(oci_machine *m) {
    FILE *file = fopen("/proc/meminfo", "re");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        unsigned long long kib = 0;
        if (sscanf(line, "MemTotal: %llu kB", &kib) == 1) m->memory = kib * 1024;
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) m->memory_free = kib * 1024;
    }
    if (file) fclose(file);
}

void oci_machine_look(oci_machine *out) {
    *out = (oci_machine){.cores = oc_cpu_count(), .omp_threads = getenv("OMP_NUM_THREADS")};
    out->cores_online = (int)sysconf(_SC_NPROCESSORS_ONLN);
    read_cpu(out);
    read_memory(out);
}
