/* A request on its way in: who sends it, whom it is for, and its body, within budgets.
 *
 * Forms are taken apart as they come by libmicrohttpd's post processor; what it gives in pieces is
 * put together here.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "serve/access_int.h"
#include "serve/http_int.h"

enum { MAX_PARTS = 64, MAX_TEXT = 64 << 10, PART_BUFFER = 32 << 10 };
static const uint64_t FORGIVEN = 1 << 20; /* bytes of a refused body beyond what is taken */

static atomic_ullong *held_by_all(const oci_exchange *x) {
    return &x->server->http->held;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

const char *oci_query(const oci_exchange *x, const char *key) {
    return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, key);
}

const char *oci_header_in(const oci_exchange *x, const char *name) {
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

typedef struct search {
    const char *name, *value;
} search;

static enum MHD_Result match(void *ctx, enum MHD_ValueKind kind, const char *key,
                             const char *value) {
    search *s = ctx;
    (void)kind;
    if (strcasecmp(key, s->name) == 0) s->value = value;
    return MHD_YES;
}

const char *oci_header_last(const oci_exchange *x, const char *name) {
    search s = {.name = name};
    (void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, match, &s);
    return s.value;
}

typedef struct prefix {
    const char *text;
    size_t size;
    bool found;
} prefix;

static enum MHD_Result match_prefix(void *ctx, enum MHD_ValueKind kind, const char *key,
                                    const char *value) {
    prefix *p = ctx;
    (void)kind;
    (void)value;
    if (strncasecmp(key, p->text, p->size) == 0) p->found = true;
    return MHD_YES;
}

bool oci_header_begins(const oci_exchange *x, const char *begin) {
    prefix p = {.text = begin, .size = strlen(begin)};
    (void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, match_prefix, &p);
    return p.found;
}

const char *oci_field(const oci_exchange *x, const char *name) {
    const char *value = oci_query(x, name);
    for (size_t i = 0; value == NULL && i < x->part_count; i++) {
        const oci_part *part = &x->parts[i];
        if (part->filename == NULL && strcmp(part->name, name) == 0)
            value = part->bytes.data != NULL ? part->bytes.data : "";
    }
    return value;
}

/* ---- a request comes in -----------------------------------------------------------------------
 */

static void tell_address(oci_exchange *x, struct MHD_Connection *c) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    if (address == NULL) return;
    socklen_t size =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    (void)getnameinfo(address, size, x->address, sizeof x->address, NULL, 0, NI_NUMERICHOST);
    x->loopback = oci_is_loopback(x->address);
}

static const char *const method_words[OCI_METHODS] = {
#define OCI_METHOD_WORD(name, word) word,
    OCI_METHOD_MAP(OCI_METHOD_WORD)
#undef OCI_METHOD_WORD
};

const char *oci_method_word(oci_method method) {
    return method_words[method];
}

static bool method_of(const char *word, oci_method *out) {
    for (int i = 0; i < OCI_METHODS; i++) {
        if (strcmp(method_words[i], word) != 0) continue;
        *out = (oci_method)i;
        return true;
    }
    return false;
}

uint64_t oci_request_length(const oci_exchange *x) {
    const char *text = oci_header_in(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t bytes = 0;
    return text != NULL && oc_parse_i64(text, 0, INT64_MAX, &bytes) ? (uint64_t)bytes : UINT64_MAX;
}

/* "GET, HEAD, OPTIONS" */
static void add_allow(oci_exchange *x, unsigned methods) {
    char text[64] = "";
    size_t at = 0;
    if (methods & (1u << OCI_GET)) methods |= 1u << OCI_HEAD;
    methods |= 1u << OCI_OPTIONS;
    for (int i = 0; i < OCI_METHODS; i++)
        if (methods & (1u << i))
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at > 0 ? ", " : "",
                                   method_words[i]);
    oci_answer_header(x, "Allow", text);
}

/* Clients that cannot say PATCH or DELETE say so in a header (tus 1.0.0, "Requests"). */
static const char *method_meant(const oci_exchange *x, const char *word, const char *path) {
    const char *other = oci_header_in(x, "X-HTTP-Method-Override");
    bool upload = strcmp(word, "POST") == 0 && oc_starts_with(path, "/v1/uploads");
    return upload && other != NULL ? other : word;
}

static void find_route(oci_exchange *x, const char *word, const char *path) {
    oci_method method = OCI_GET;
    unsigned methods = 0;
    bool understood = method_of(word, &method);
    x->route = oci_route_find(x, method, path, &methods);
    if (!understood) x->route = NULL;
    if (methods == 0) {
        (void)oci_refuse(x, 404, "there is nothing at %s; /openapi.json says what there is", path);
        return;
    }
    if (x->route == NULL || method == OCI_OPTIONS) add_allow(x, methods);
    if (x->route != NULL) {
        oci_access(x, method);
        return;
    }
    if (understood && method == OCI_OPTIONS)
        x->status = 204;
    else
        (void)oci_refuse(x, 405, "%s is not for %s", word, path);
}

/* Where the queue is full there is no need to take the photos in. */
static void judge_queue(oci_exchange *x) {
    oci_models *models = x->server->models;
    const char *name = x->arg[0] != NULL ? x->arg[0] : oci_query(x, "model");
    if (name == NULL && oci_models_count(models) > 1) return; /* a form may name it further on */
    oci_served *s = oci_models_take(models, name);
    double retry = 0;
    if (s == NULL) return; /* told by the handler */
    if (oci_queue_is_full(s->queue, &retry)) {
        (void)oci_refuse(x, 503, "too many photos wait already: try again a little later");
        oci_retry_after(x, retry);
    }
    oci_models_give(models, s);
}

/* All that can be said before the body is here. */
static void judge_headers(oci_exchange *x, const char *method, const char *path) {
    const oc_serve_options *o = &x->server->options;
    uint64_t bytes = oci_request_length(x);
    find_route(x, method_meant(x, method, path), path);
    if (x->status != 0) return;
    if (bytes != UINT64_MAX && bytes > o->max_body) {
        (void)oci_refuse(x, 413, "the request has %llu bytes, at most %llu are taken",
                         (unsigned long long)bytes, (unsigned long long)o->max_body);
    } else if (bytes != UINT64_MAX && x->route->take == NULL &&
               bytes + atomic_load(held_by_all(x)) > o->max_memory) {
        (void)oci_refuse(x, 503, "too many requests at once: try again a little later");
        oci_retry_after(x, 1);
    } else if (x->route->queued) {
        judge_queue(x);
    }
    if (x->status == 0) oci_access_charge(x);
}

/* ---- its body ---------------------------------------------------------------------------------
 */

static oc_status hold(oci_request *r, size_t size, oc_error *err) {
    const oc_serve_options *o = &r->x.server->options;
    unsigned long long held = atomic_fetch_add(held_by_all(&r->x), size) + size;
    r->held += size;
    if (r->held > o->max_body)
        return oc_fail(err, OC_ELIMIT, "the request has more than the %llu bytes that are taken",
                       (unsigned long long)o->max_body);
    if (held > o->max_memory)
        return oc_fail(err, OC_ENOMEM, "too many requests at once: try again a little later");
    return OC_OK;
}

static char *keep(oci_exchange *x, const char *text) {
    return text != NULL ? oc_pool_strdup(x->pool, text) : NULL;
}

static oc_status add_part(oci_exchange *x, const char *name, const char *filename, const char *type,
                          oc_error *err) {
    if (x->part_count == MAX_PARTS)
        return oc_fail(err, OC_ELIMIT, "the form has more than %d parts", MAX_PARTS);
    OC_TRY(oc_grow(&x->parts, &x->part_capacity, x->part_count + 1, sizeof *x->parts, err));
    oci_part *part = &x->parts[x->part_count];
    *part = (oci_part){.name = keep(x, name), .filename = keep(x, filename), .type = keep(x, type)};
    if (part->name == NULL || (filename != NULL && part->filename == NULL))
        return oc_fail_nomem(err, 0, "a part of a form");
    x->part_count++;
    return OC_OK;
}

static bool same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Where what came ends within what may yet be the boundary, libmicrohttpd says "no bytes, at 0",
 * and says 0 again when the first bytes are sure. So a part that is still empty goes on. */
static bool begins_part(const oci_exchange *x, const char *name, const char *filename,
                        uint64_t offset, size_t size) {
    if (offset > 0) return false;
    if (x->part_count == 0 || size == 0) return true;
    const oci_part *last = &x->parts[x->part_count - 1];
    return last->bytes.size > 0 || !same(last->name, name) || !same(last->filename, filename);
}

static oc_status take_part(oci_request *r, const char *name, const char *filename, const char *type,
                           const char *data, uint64_t offset, size_t size, oc_error *err) {
    oci_exchange *x = &r->x;
    if (begins_part(x, name, filename, offset, size))
        OC_TRY(add_part(x, name, filename, type, err));
    if (x->part_count == 0) return oc_fail(err, OC_EFORMAT, "the form begins within a part");
    oci_part *part = &x->parts[x->part_count - 1];
    if (part->filename == NULL && part->bytes.size + size > MAX_TEXT)
        return oc_fail(err, OC_ELIMIT, "the field \"%.100s\" has more than %d bytes", part->name,
                       MAX_TEXT);
    oc_buf_append(&part->bytes, data, size);
    return oc_buf_status(&part->bytes, err);
}

static enum MHD_Result on_part(void *ctx, enum MHD_ValueKind kind, const char *name,
                               const char *filename, const char *type, const char *encoding,
                               const char *data, uint64_t offset, size_t size) {
    oci_request *r = ctx;
    (void)kind;
    (void)encoding;
    if (r->failed == OC_OK)
        r->failed =
            take_part(r, name != NULL ? name : "", filename, type, data, offset, size, &r->error);
    return r->failed == OC_OK ? MHD_YES : MHD_NO;
}

static oc_status take_body(oci_request *r, const char *data, size_t size, oc_error *err) {
    OC_TRY(hold(r, size, err));
    if (r->form == NULL) {
        oc_buf_append(&r->x.body, data, size);
        return oc_buf_status(&r->x.body, err);
    }
    if (MHD_post_process(r->form, data, size) == MHD_YES && r->failed == OC_OK) return OC_OK;
    if (r->failed != OC_OK) return r->failed; /* and r->error is told */
    return oc_fail(
        err, OC_EFORMAT,
        "the body is no form, though its Content-Type says so: send what is none with its "
        "own type (curl: -H 'Content-Type: image/jpeg' or application/json)");
}

bool oci_request_take(oci_request *r, const char *data, size_t size) {
    r->received += size;
    if (r->refused || r->failed != OC_OK)
        return r->received <= FORGIVEN + r->x.server->options.max_body;
    r->failed = r->x.route->take != NULL ? r->x.route->take(&r->x, data, size, &r->error)
                                         : take_body(r, data, size, &r->error);
    r->refused = r->x.status != 0;
    return true;
}

void oci_request_end_body(oci_request *r) {
    struct MHD_PostProcessor *form = r->form;
    r->form = NULL;
    if (form == NULL || MHD_destroy_post_processor(form) == MHD_YES || r->failed != OC_OK) return;
    r->failed = oc_fail(&r->error, OC_EFORMAT,
                        "the form ends within a part: its closing boundary is missing, or the body "
                        "is no form (curl: -H 'Content-Type: image/jpeg' or application/json)");
}

/* ---- life ---- */

static bool is_form(const char *type) {
    static const char multipart[] = "multipart/form-data",
                      url[] = "application/x-www-form-urlencoded";
    return type != NULL && (strncasecmp(type, multipart, sizeof multipart - 1) == 0 ||
                            strncasecmp(type, url, sizeof url - 1) == 0);
}

static void begin_form(oci_request *r, struct MHD_Connection *c) {
    r->form = MHD_create_post_processor(c, PART_BUFFER, on_part, r);
    if (r->form != NULL) return;
    r->failed = oc_fail(
        &r->error, OC_EUSAGE,
        "the Content-Type \"%.100s\": a form needs a boundary of two letters or more", r->x.type);
}

oci_request *oci_request_new(oc_server *server, struct MHD_Connection *c, const char *method,
                             const char *path) {
    oci_request *r = oc_calloc(1, sizeof *r);
    if (r == NULL || oc_pool_new(&r->x.pool, NULL) != OC_OK ||
        oci_token_make(r->x.id, NULL) != OC_OK) {
        if (r != NULL) oc_pool_free(r->x.pool);
        oc_free(r);
        return NULL;
    }
    oci_exchange *x = &r->x;
    x->server = server;
    x->connection = c;
    x->began = oc_clock_seconds();
    tell_address(x, c);
    x->type = oci_header_in(x, MHD_HTTP_HEADER_CONTENT_TYPE);
    oci_metrics_in_flight(server->metrics, 1);
    judge_headers(x, method, path);
    r->refused = x->status != 0;
    if (!r->refused && x->route->take == NULL && is_form(x->type)) begin_form(r, c);
    return r;
}

void oci_request_free(oci_request *r) {
    if (r == NULL) return;
    oci_exchange *x = &r->x;
    if (r->form != NULL) (void)MHD_destroy_post_processor(r->form);
    oci_metrics_count(x->server->metrics, OCI_COUNT_RECEIVED, r->received);
    if (x->work != NULL && x->free_work != NULL) x->free_work(x->work);
    for (size_t i = 0; i < x->part_count; i++) oc_buf_clear(&x->parts[i].bytes);
    oc_free(x->parts);
    oc_buf_clear(&x->body);
    oc_buf_clear(&x->answer);
    oc_pool_free(x->pool);
    (void)atomic_fetch_sub(held_by_all(x), r->held);
    oci_metrics_in_flight(x->server->metrics, -1);
    oc_free(r);
}
