/* Reads one JSON value a line from standard input and prints the member at a dotted path of each
 * ("top.0.label"): strings bare, other values as JSON. Exit code 1 when a line is not valid JSON,
 * lacks the member, or there is no line. For the command-line tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *step(const json_t *value, const char *key) {
    if (json_is_array(value)) return json_array_get(value, strtoul(key, NULL, 10));
    return json_object_get(value, key);
}

static const json_t *find(const json_t *value, const char *path) {
    char copy[256], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key && value; key = strtok_r(NULL, ".", &rest))
        value = step(value, key);
    return value;
}

static int show(const json_t *value) {
    if (!value) return 1;
    if (json_is_string(value)) return puts(json_string_value(value)) < 0;
    int bad = json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    return putchar('\n') == EOF || bad;
}

int main(int argc, char **argv) {
    static char line[1 << 22];
    int lines = 0;
    if (argc != 2) return 1;
    for (; fgets(line, sizeof line, stdin); lines++) {
        json_t *root = json_loads(line, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        int bad = !root || show(find(root, argv[1]));
        json_decref(root);
        if (bad) return 1;
    }
    return lines == 0;
}
