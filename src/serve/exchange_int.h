/* A request and its answer, as handlers see them. Knows nothing of libmicrohttpd: http.c fills one
 * and sends what comes out. Private to `serve`.
 *
 * Life: made when the headers are in, freed when the answer is sent or the connection is gone.
 * Everything on `pool` lives as long. One thread at a time has an exchange: an event thread, or,
 * between oci_wait and oci_wake, whoever works for it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_EXCHANGE_INT_H
#define OC_SERVE_EXCHANGE_INT_H

#include "serve/desk_int.h"
#include "serve/secret_int.h"
#include "serve/serve.h"

typedef struct oci_exchange oci_exchange;
/* A part of answering: it ends with an answer in x, or waits (oci_wait), or fails. */
typedef oc_status (*oci_step)(oci_exchange *x, oc_error *err);

/* X(name, word) */
#define OCI_METHOD_MAP(X)                                                                          \
    X(OCI_GET, "GET")                                                                              \
    X(OCI_HEAD, "HEAD")                                                                            \
    X(OCI_POST, "POST")                                                                            \
    X(OCI_PATCH, "PATCH")                                                                          \
    X(OCI_DELETE, "DELETE")                                                                        \
    X(OCI_OPTIONS, "OPTIONS")
typedef enum oci_method {
#define OCI_METHOD_ENUM(name, word) name,
    OCI_METHOD_MAP(OCI_METHOD_ENUM)
#undef OCI_METHOD_ENUM
        OCI_METHODS
} oci_method;

/* What a route needs, and what a key gives. */
typedef enum oci_role { OCI_ANYONE, OCI_USER, OCI_EXPERT, OCI_ADMIN } oci_role;

/* What a route answers to. */
typedef struct oci_route {
    oci_method method;   /* GET routes answer HEAD as well */
    const char *pattern; /* "/v1/models/{}": {} stands for one segment */
    oci_step run;
    oci_role needs;
    /* (optional) Gets the body as it comes, before `run`; x->body stays empty. May refuse. */
    oc_status (*take)(oci_exchange *x, const char *data, size_t size, oc_error *err);
    /* It waits for a model: it counts against the quota of its key, and is refused before its body
     * where that one's queue is full. */
    bool queued;
} oci_route;

/* A part of a form: a file where it has a file name, else a text. */
typedef struct oci_part {
    const char *name, *filename, *type; /* filename, type: NULL where not given */
    oc_buf bytes;
} oci_part;

typedef struct oci_header {
    const char *name, *value;
} oci_header;

enum { OCI_PATH_ARGS = 2, OCI_HEADERS = 16 };

struct oci_exchange {
    oc_server *server;
    oc_pool *pool;
    void *connection;               /* http.c's */
    const oci_route *route;         /* NULL: refused before one was found */
    char id[OCI_TOKEN_BYTES];       /* 32 hexadecimal digits */
    const char *arg[OCI_PATH_ARGS]; /* what stood for {}, decoded */
    char address[64];               /* of the client, numeric; a trusted proxy's word counts */
    bool loopback;                  /* the connection comes from this machine */
    double began;                   /* oc_clock_seconds */
    oci_role role;                  /* of the client, from OCI_USER on; see access.c */
    const char *who;                /* name of the key; "local" with open_review; else "" */
    struct oci_holder *holder;      /* of the key, or NULL */

    const char *type; /* Content-Type of the body, or NULL */
    oc_buf body;      /* of a request that is no form */
    oci_part *parts;  /* of a form */
    size_t part_count, part_capacity;

    int status;              /* HTTP; 0 = no answer yet */
    const char *answer_type; /* static or on pool */
    oc_buf answer;
    oci_header headers[OCI_HEADERS];
    size_t header_count;

    void *work; /* a handler's own, from `run` to its last `then` */
    void (*free_work)(void *work);
    oci_step then; /* see oci_wait */
    struct {
        oci_task task;
        oci_step step, then;
    } aside; /* see oci_aside */
};

/* ---- asking (http.c) ---- */
const char *oci_query(const oci_exchange *x, const char *key);      /* decoded, or NULL */
const char *oci_header_in(const oci_exchange *x, const char *name); /* or NULL */
/* Of several headers of that name the last one: what a proxy adds stands behind what a client says.
 */
const char *oci_header_last(const oci_exchange *x, const char *name);
/* Is there one whose name begins so? */
bool oci_header_begins(const oci_exchange *x, const char *begin);
/* The first part of that name that is a text, or NULL; so that "name=a" in a form and in the query
 * mean the same, the query is asked first. */
const char *oci_field(const oci_exchange *x, const char *name);

/* ---- answering (answer.c) ---- */
/* Takes `value`, also when it fails; NULL is OC_ENOMEM. */
OC_MUST_CHECK oc_status oci_answer_json(oci_exchange *x, int status, json_t *value, oc_error *err);
/* Text of a type; `text` is copied. */
OC_MUST_CHECK oc_status oci_answer_text(oci_exchange *x, int status, const char *type,
                                        const char *text, size_t size, oc_error *err);
/* application/problem+json (RFC 9457). Replaces any answer there is; never fails: without memory
 * the answer is empty. code is oc_status_name or a word of HTTP's. */
void oci_answer_problem(oci_exchange *x, int status, const char *code, const char *detail);
/* The same for an error of ours: the status of oc_status_http. */
void oci_answer_error(oci_exchange *x, const oc_error *error);
/* A refusal that has no oc_status: `return oci_refuse(x, 429, "...")`; always OC_OK. */
oc_status oci_refuse(oci_exchange *x, int status, const char *format, ...) OC_PRINTF(3, 4);
/* name static, value copied; dropped when there are OCI_HEADERS of them or no memory. */
void oci_answer_header(oci_exchange *x, const char *name, const char *value);
void oci_retry_after(oci_exchange *x, double seconds);
/* Pack a long answer where the client takes gzip, else leave it as it is (pack.c). */
void oci_answer_pack(oci_exchange *x);
bool oci_takes_gzip(const oci_exchange *x);
/* What browsers are told of a page of ours (page.c). */
void oci_page_headers(oci_exchange *x);
/* {"type", "title", "status", "detail", "code"}; NULL without memory. */
json_t *oci_problem_json(int status, const char *code, const char *detail);

/* ---- waiting (http.c) ---- */
/* An exchange goes from step to step:
 *
 *     headers, body --> run --+--> x->status is set: the answer is sent
 *                      ^      |
 *                 then |      +--> oci_wait(x, then): another thread has x ...
 *                      |                                                  |
 *                      +------------------------------ ... until oci_wake(x)
 *
 * A step that fails is answered with its error. */

/* Before the exchange is handed to another thread: its request waits, and no thread with it, until
 * oci_wake is called; then an event thread goes on with `then`. */
void oci_wait(oci_exchange *x, oci_step then);
/* By that thread, when it is done with the exchange, which is no longer its own from here on. */
void oci_wake(oci_exchange *x);
/* Wait while a desk's thread takes `step`, which does not wait itself; then go on with `then`, or,
 * where x has an answer by then, send it (aside.c). */
void oci_aside(oci_exchange *x, oci_desk *desk, oci_step step, oci_step then);

/* ---- routes (routes.c) ---- */
/* Fills x->arg. *methods has a bit (1u << oci_method) for each that the path answers to: NULL and
 * none of them means that there is no such path. */
const oci_route *oci_route_find(oci_exchange *x, oci_method method, const char *path,
                                unsigned *methods);
/* All of the table. */
const oci_route *oci_routes(size_t *count);
const char *oci_method_word(oci_method method); /* "GET" (request.c) */

oc_status oci_run_health(oci_exchange *x, oc_error *err);
oc_status oci_run_ready(oci_exchange *x, oc_error *err);
oc_status oci_run_metrics(oci_exchange *x, oc_error *err);
oc_status oci_run_models(oci_exchange *x, oc_error *err);
oc_status oci_run_model(oci_exchange *x, oc_error *err);
oc_status oci_run_example(oci_exchange *x, oc_error *err);
oc_status oci_run_config(oci_exchange *x, oc_error *err);
oc_status oci_run_identify(oci_exchange *x, oc_error *err);
oc_status oci_run_page(oci_exchange *x, oc_error *err);
oc_status oci_run_openapi(oci_exchange *x, oc_error *err);
oc_status oci_run_names(oci_exchange *x, oc_error *err);
oc_status oci_run_oip(oci_exchange *x, oc_error *err);
oc_status oci_run_oip_live(oci_exchange *x, oc_error *err);
oc_status oci_run_oip_ready(oci_exchange *x, oc_error *err);
oc_status oci_run_oip_model(oci_exchange *x, oc_error *err);
oc_status oci_run_oip_model_ready(oci_exchange *x, oc_error *err);
oc_status oci_run_oip_infer(oci_exchange *x, oc_error *err);
oc_status oci_run_upload_options(oci_exchange *x, oc_error *err);
oc_status oci_run_upload_create(oci_exchange *x, oc_error *err);
oc_status oci_run_upload_state(oci_exchange *x, oc_error *err);
oc_status oci_take_upload_piece(oci_exchange *x, const char *data, size_t size, oc_error *err);
oc_status oci_run_upload_piece(oci_exchange *x, oc_error *err);
oc_status oci_run_upload_drop(oci_exchange *x, oc_error *err);
oc_status oci_run_observations(oci_exchange *x, oc_error *err);
oc_status oci_run_observation(oci_exchange *x, oc_error *err);
oc_status oci_run_observation_photo(oci_exchange *x, oc_error *err);
oc_status oci_run_observation_delete(oci_exchange *x, oc_error *err);
oc_status oci_run_review_queue(oci_exchange *x, oc_error *err);
oc_status oci_run_review(oci_exchange *x, oc_error *err);

#endif
