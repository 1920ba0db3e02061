/* Finding a network by what people call it: case and separators do not count, other catalogues'
 * names for the same net are known, and a slip gets a suggestion.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "zoo/zoo_int.h"

/* timm's, Caffe's and the papers' names where they differ by more than separators. */
static const struct {
    const char *alias, *name;
} ALIASES[] = {{"inception_v1", "googlenet"},
               {"googlenet_v1", "googlenet"},
               {"inception_v2", "bn_inception"},
               {"googlenet_v2", "bn_inception"},
               {"inception_bn", "bn_inception"},
               {"vgg_cnn_s", "vgg_s"},
               {"cnn_s", "vgg_s"},
               {"alexnet_bvlc", "bvlc_alexnet"},
               {"caffe_alexnet", "bvlc_alexnet"},
               {"squeezenet_v1.0", "squeezenet1_0"},
               {"squeezenet_v1.1", "squeezenet1_1"},
               {"mobilenet_v1_1.0", "mobilenet_v1"},
               {"mobilenet_v1_025", "mobilenet_v1_0.25"},
               {"mobilenet_v1_050", "mobilenet_v1_0.5"},
               {"mobilenet_v1_075", "mobilenet_v1_0.75"},
               {"mobilenet_v1_100", "mobilenet_v1"},
               {"mobilenet_v2_1.0", "mobilenet_v2"},
               {"mobilenet_v2_035", "mobilenet_v2_0.35"},
               {"mobilenet_v2_050", "mobilenet_v2_0.5"},
               {"mobilenet_v2_075", "mobilenet_v2_0.75"},
               {"mobilenet_v2_100", "mobilenet_v2"},
               {"mobilenet_v2_140", "mobilenet_v2_1.4"}};
enum { ALIAS_COUNT = sizeof ALIASES / sizeof *ALIASES, WORD_BYTES = 64, MOST_NETS = 64 };

/* Letters in lower case and digits alone; what is too long is cut and found nowhere. */
static const char *fold(char out[WORD_BYTES], const char *name) {
    size_t used = 0;
    for (; *name != '\0' && used + 1 < WORD_BYTES; name++) {
        if (isalnum((unsigned char)*name)) out[used++] = (char)tolower((unsigned char)*name);
    }
    out[used] = '\0';
    return out;
}

/* "resnet" of "resnet50" and "vgg" of "vgg_s": the letters that it begins with. */
static const char *stem_of(char out[WORD_BYTES], const char *name) {
    size_t used = 0;
    for (; isalpha((unsigned char)*name) && used + 1 < WORD_BYTES; name++) {
        out[used++] = (char)tolower((unsigned char)*name);
    }
    out[used] = '\0';
    return out;
}

/* All names that are known, folded, and what each leads to. */
typedef struct name_list {
    char word[MOST_NETS][WORD_BYTES], stem[MOST_NETS][WORD_BYTES];
    const char *words[MOST_NETS], *stems[MOST_NETS]; /* the same */
    const char *target[MOST_NETS];
    size_t nets, count; /* nets first, then aliases */
} name_list;

static void list_add(name_list *x, const char *word, const char *target) {
    OC_PROMISE(x->count < MOST_NETS);
    x->words[x->count] = fold(x->word[x->count], word);
    x->stems[x->count] = stem_of(x->stem[x->count], word);
    x->target[x->count++] = target;
}

static void list_fill(name_list *x) {
    const oc_arch *all = oc_zoo_all(&x->nets);
    x->count = 0;
    for (size_t i = 0; i < x->nets; i++) list_add(x, all[i].name, all[i].name);
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        const char *target = ALIASES[i].name;
        for (size_t k = 0; k < x->nets; k++) { /* so that equal targets are equal pointers */
            if (strcmp(all[k].name, target) == 0) target = all[k].name;
        }
        list_add(x, ALIASES[i].alias, target);
    }
}

/* What the known word within `slips` edits of `word` leads to, or NULL. */
static const char *nearest(const name_list *x, const char *word, size_t slips) {
    const char *near = oc_suggest_within(word, x->words, x->count, slips);
    for (size_t i = 0; near != NULL && i < x->count; i++) {
        if (x->words[i] == near) return x->target[i];
    }
    return NULL;
}

/* stem NULL: of any family. */
static bool is_of(const name_list *x, size_t i, const char *stem) {
    return stem == NULL || strcmp(x->stems[i], stem) == 0;
}

static bool is_told(const name_list *x, size_t i, const char *stem) {
    for (size_t k = 0; k < i; k++) {
        if (is_of(x, k, stem) && x->target[k] == x->target[i]) return true;
    }
    return false;
}

/* "resnet18, resnet34, ...": what names that begin with `stem` lead to. */
static void list_family(const name_list *x, const char *stem, oc_buf *out) {
    for (size_t i = 0; i < x->count; i++) {
        if (!is_of(x, i, stem) || is_told(x, i, stem)) continue;
        oc_buf_printf(out, "%s%s", out->size > 0 ? ", " : "", x->target[i]);
    }
}

static bool is_stem(const name_list *x, const char *stem) {
    for (size_t i = 0; i < x->count; i++) {
        if (strcmp(x->stems[i], stem) == 0) return true;
    }
    return false;
}

/* The family that a name seems to mean: its own, or where it is letters alone the nearest. */
static const char *family_of(const name_list *x, const char *name, char storage[WORD_BYTES]) {
    const char *stem = stem_of(storage, name);
    if (is_stem(x, stem)) return stem;
    return strlen(stem) == strlen(name) ? oc_suggest(stem, x->stems, x->count) : NULL;
}

/* A family by its name: its members. Else one slip in a whole name, then the members of a family,
 * then more slips, then all. */
static void advise(const name_list *x, const char *name, oc_buf *out) {
    char word[WORD_BYTES], own[WORD_BYTES];
    oc_buf list = {0};
    const char *family = family_of(x, name, own);
    fold(word, name);
    bool is_family = family != NULL && strcmp(word, family) == 0;
    const char *one = is_family ? NULL : nearest(x, word, 1);
    if (one == NULL && family == NULL) one = nearest(x, word, 1 + strlen(word) / 4);
    if (one == NULL) list_family(x, family, &list);
    const char *told = one != NULL ? one : list.data;
    bool several = one == NULL && !list.failed && strchr(list.data, ',') != NULL;
    if (list.failed)
        out->failed = true;
    else if (several)
        oc_buf_printf(out, family != NULL ? ": did you mean one of %s?" : ": known are %s", told);
    else
        oc_buf_printf(out, ": did you mean '%s'?", told);
    oc_buf_clear(&list);
}

static oc_status fail_unknown(const name_list *x, const char *name, oc_error *err) {
    oc_buf advice = {0};
    advise(x, name, &advice);
    oc_status status = oc_buf_status(&advice, err);
    if (status == OC_OK) {
        status = oc_fail(err, OC_ENOTFOUND, "there is no network '%s'%s", name, advice.data);
    }
    oc_buf_clear(&advice);
    return status;
}

oc_status oc_zoo_find(const char *name, const oc_arch **out, oc_error *err) {
    char word[WORD_BYTES];
    size_t count;
    const oc_arch *all = oc_zoo_all(&count);
    name_list x;
    *out = NULL;
    list_fill(&x);
    const char *target = nearest(&x, fold(word, name), 0);
    for (size_t i = 0; target != NULL && i < count; i++) {
        if (all[i].name == target) *out = &all[i];
    }
    return *out != NULL ? OC_OK : fail_unknown(&x, name, err);
}
