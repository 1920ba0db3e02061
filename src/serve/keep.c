/* An identification becomes an observation: photos without their metadata, the place blurred, the
 * first five names, and a token for whoever wants to take it back.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/keep_int.h"

#include <string.h>

#include "serve/identify_int.h"
#include "serve/kept_int.h"

enum { KEPT_RESULTS = 5 };

static const char *type_of(oc_image_format format) {
    switch (format) {
    case OC_FORMAT_JPEG:
        return "image/jpeg";
    case OC_FORMAT_PNG:
        return "image/png";
    case OC_FORMAT_WEBP:
        return "image/webp";
    default:
        return NULL;
    }
}

oc_status oci_keep_check(const oci_identification *d, oc_error *err) {
    for (size_t i = 0; d->wish.keep && i < d->count; i++)
        if (d->photos[i].status == OC_OK && type_of(d->photos[i].info.format) == NULL)
            return oc_fail(err, OC_EUNSUPPORTED,
                           "photo %zu: a %s file cannot be kept; send JPEG, PNG or WebP", i,
                           oc_image_format_name(d->photos[i].info.format));
    return OC_OK;
}

/* What an observation is made of, while it is put in. */
typedef struct material {
    oc_buf bytes[OCI_MAX_IMAGES], results, organs;
    oci_photo_bytes photos[OCI_MAX_IMAGES];
    size_t count;
} material;

static void clear(material *m) {
    for (size_t i = 0; i < OCI_MAX_IMAGES; i++) oc_buf_clear(&m->bytes[i]);
    oc_buf_clear(&m->results);
    oc_buf_clear(&m->organs);
}

static oc_status strip_photos(const oci_identification *d, material *m, oc_error *err) {
    for (size_t i = 0; i < d->count; i++) {
        const oci_photo *photo = &d->photos[i];
        if (photo->status != OC_OK) continue;
        oc_buf *bytes = &m->bytes[m->count];
        OC_TRY(oc_image_strip(photo->bytes.data, photo->bytes.size, bytes, err));
        m->photos[m->count++] =
            (oci_photo_bytes){type_of(photo->info.format), bytes->data, bytes->size};
    }
    return OC_OK;
}

static oc_status write_list(json_t *list, oc_buf *out, oc_error *err) {
    if (list == NULL) return oc_fail_nomem(err, 0, "an observation");
    oc_status status = oc_json_append_digits(out, list, OC_JSON_DECIMAL, err);
    json_decref(list);
    return status;
}

/* One a photo that is kept, "" where nothing was said; none where none was said at all. */
static json_t *organs_json(const oci_identification *d) {
    json_t *list = json_array();
    bool any = false;
    for (size_t i = 0; list != NULL && i < d->count; i++) {
        const oci_photo *photo = &d->photos[i];
        if (photo->status != OC_OK) continue;
        any = any || photo->organ != NULL;
        (void)json_array_append_new(list, oc_json_text(photo->organ != NULL ? photo->organ : ""));
    }
    if (!any && list != NULL) (void)json_array_clear(list);
    return list;
}

static oc_status gather(const oci_identification *d, const oc_ranked *best, int k, material *m,
                        oc_error *err) {
    OC_TRY(strip_photos(d, m, err));
    OC_TRY(write_list(oci_results_json(d->served->model, best, k), &m->results, err));
    return write_list(organs_json(d), &m->organs, err);
}

/* Of all that the user sent: what comes again under its key has the same. */
static oc_status digest_content(const oci_observation *o, oci_digest *out, oc_error *err) {
    const char *const words[] = {o->suggested, o->date, o->note, o->lang, o->organs};
    oc_status status = OC_OK;
    oc_buf all = {0};
    for (size_t i = 0; i < o->photo_count; i++) {
        oci_digest each;
        OC_GOTO(oci_digest_of(o->photos[i].bytes, o->photos[i].size, &each, err));
        oc_buf_append(&all, &each, sizeof each);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        oc_buf_printf(&all, "%zu:%s\n", i, words[i] != NULL ? words[i] : "");
    if (o->placed) oc_buf_printf(&all, "%.7f %.7f", o->lat, o->lon);
    OC_GOTO(oc_buf_status(&all, err));
    OC_GOTO(oci_digest_of(all.data, all.size, out, err));
done:
    oc_buf_clear(&all);
    return status;
}

/* Of a wish that is sent again, both are what they were; of another user's, they are not. */
static oc_status make_secrets(oci_identification *d, oci_digest *key, oci_observation *o,
                              oc_error *err) {
    oc_status status = OC_OK;
    oc_buf words = {0};
    if (d->wish.key != NULL) {
        oc_buf_printf(&words, "%s\n%s", d->x->who, d->wish.key);
        OC_GOTO(oc_buf_status(&words, err));
        OC_GOTO(oci_digest_of(words.data, words.size, key, err));
        OC_GOTO(oci_token_of(words.data, d->token, err));
        o->key = key;
    } else {
        OC_GOTO(oci_token_make(d->token, err));
    }
    status = oci_digest_of(d->token, strlen(d->token), &o->token, err);
done:
    oc_buf_clear(&words);
    return status;
}

static oc_status put(oci_identification *d, const oc_ranked *best, const material *m,
                     oc_error *err) {
    const oci_wish *w = &d->wish;
    const double blur = d->x->server->options.blur;
    oci_digest key;
    oci_observation o = {.id = d->x->id,
                         .model = d->served->name,
                         .results = m->results.data,
                         .top = d->served->model->classes.items[best->label].label,
                         .p = (double)best->p,
                         .suggested = w->suggested,
                         .date = w->date,
                         .note = w->note,
                         .lang = w->lang,
                         .organs = m->organs.data,
                         .lat = oci_blur(w->lat, blur),
                         .lon = oci_blur(w->lon, blur),
                         .placed = w->placed,
                         .unknown = d->unknown,
                         .photos = m->photos,
                         .photo_count = m->count};
    OC_TRY(make_secrets(d, &key, &o, err));
    OC_TRY(digest_content(&o, &o.content, err));
    OC_TRY(oci_kept_put(d->x->server->db, &o, d->kept_id, err));
    const bool repeated = strcmp(d->kept_id, o.id) != 0;
    oci_metrics_count(d->x->server->metrics, repeated ? OCI_COUNT_REPEATED : OCI_COUNT_KEPT, 1);
    return OC_OK;
}

static oc_status keep(oci_exchange *x, oc_error *err) {
    oci_identification *d = x->work;
    const size_t classes = d->served->model->classes.count;
    const int k = classes < KEPT_RESULTS ? (int)classes : KEPT_RESULTS;
    oc_ranked best[KEPT_RESULTS];
    material m = {0};
    oc_rank(d->fused, classes, k, best);
    oc_status status = gather(d, best, k, &m, err);
    if (status == OC_OK) status = put(d, best, &m, err);
    clear(&m);
    return status;
}

bool oci_keep_start(oci_identification *d, oci_step then) {
    if (d->wish.keep) oci_aside(d->x, d->x->server->scribe, keep, then);
    return d->wish.keep;
}
