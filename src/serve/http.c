/* libmicrohttpd on one side, exchanges on the other: the only room in the house that knows it.
 *
 * A few event threads (epoll) read requests and send answers; a request that waits for a model is
 * suspended, so that no thread waits with it. What a client may take from us is bounded: bytes of a
 * body, bytes of all bodies together, and the time until a request is here, however slowly it
 * drips (deadlines.c).
 *
 * A request that is refused is read to its end where that is short, so that the client gets to see
 * the answer, and its connection can go on.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/access_int.h"
#include "serve/http_int.h"

enum { EVENT_THREADS = 2, CONNECTION_BYTES = 48 << 10 };
static const uint64_t SHORT_ENOUGH = 1 << 20; /* of a refused body, to be read and forgotten */
static const double SEND_FACTOR = 10;         /* patience with a client that reads slowly */

static oci_http *http_of(const oci_exchange *x) {
    return x->server->http;
}

/* ---- deadlines --------------------------------------------------------------------------------
 */

static void set_deadline(oci_http *h, struct MHD_Connection *c, double seconds, bool receiving) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL) oci_deadline_set(h->deadlines, info->socket_context, seconds, receiving);
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    oci_http *h = ctx;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        oci_deadline_remove(h->deadlines, *context);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL)
        *context = oci_deadline_add(h->deadlines, info->connect_fd, h->server->options.patience);
}

/* ---- its answer -------------------------------------------------------------------------------
 */

/* Begin, or go on. The answer is there afterwards, unless x->then says that it waits. */
static void run(oci_request *r) {
    oci_exchange *x = &r->x;
    oc_error error = {0};
    oci_step step = x->then;
    x->then = NULL;
    if (!r->ran) {
        r->ran = true;
        oci_request_end_body(r);
        step = x->route->run;
    }
    if (r->failed != OC_OK)
        oci_answer_error(x, &r->error);
    else if (step(x, &error) != OC_OK)
        oci_answer_error(x, &error);
}

void oci_wait(oci_exchange *x, oci_step then) {
    x->then = then;
    (void)atomic_fetch_add(&http_of(x)->at_work, 1);
    MHD_suspend_connection(x->connection);
}

void oci_wake(oci_exchange *x) {
    oci_http *h = http_of(x); /* x may be gone once it is resumed */
    MHD_resume_connection(x->connection);
    (void)atomic_fetch_sub(&h->at_work, 1);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value) {
    (void)MHD_add_response_header(response, name, value);
}

static void free_answer(void *bytes) {
    oc_free(bytes);
}

static enum MHD_Result send_answer(oci_request *r) {
    char nothing[1] = ""; /* libmicrohttpd copies none of it */
    oci_exchange *x = &r->x;
    oci_http *h = http_of(x);
    struct MHD_Response *response =
        x->answer.size > 0 ? MHD_create_response_from_buffer_with_free_callback(
                                 x->answer.size, x->answer.data, free_answer)
                           : MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    if (x->answer.size > 0) x->answer = (oc_buf){0}; /* the response frees it */
    if (x->answer_type != NULL) add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, x->answer_type);
    add_header(response, "X-Request-Id", x->id);
    add_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < x->header_count; i++)
        add_header(response, x->headers[i].name, x->headers[i].value);
    oci_cors_headers(x, response);
    if (atomic_load(&x->server->draining))
        add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result sent = MHD_queue_response(x->connection, (unsigned)x->status, response);
    MHD_destroy_response(response);
    set_deadline(h, x->connection, SEND_FACTOR * x->server->options.patience, false);
    oci_metrics_request(
        x->server->metrics, x->route != NULL ? oci_method_word(x->route->method) : "none",
        x->route != NULL ? x->route->pattern : "none", x->status, oc_clock_seconds() - x->began);
    return sent;
}

/* libmicrohttpd must not be stopped while a connection is suspended, nor be given one to suspend
 * while it stops: once `closing` is set and nobody is at work, neither happens. */
static bool run_unless_closing(oci_request *r) {
    oci_http *h = http_of(&r->x);
    (void)atomic_fetch_add(&h->at_work, 1);
    bool open = !atomic_load(&h->closing);
    if (open) run(r);
    (void)atomic_fetch_sub(&h->at_work, 1);
    return open;
}

/* Called when the headers are in, for each piece of the body, when the body is in, and once more
 * when a suspended request is woken. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state) {
    oci_request *r = *state;
    (void)version;
    if (r == NULL) {
        *state = r = oci_request_new(ctx, c, method, url);
        if (r == NULL) return MHD_NO;
        set_deadline(http_of(&r->x), c, r->x.server->options.patience, true);
        uint64_t bytes = oci_request_length(&r->x);
        bool coming = bytes == UINT64_MAX ? false : bytes > SHORT_ENOUGH;
        return r->refused && coming ? send_answer(r) : MHD_YES;
    }
    if (*size > 0) {
        bool go_on = oci_request_take(r, data, *size);
        *size = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    if (!r->refused) {
        if (!r->ran)
            set_deadline(http_of(&r->x), c, SEND_FACTOR * r->x.server->options.patience, false);
        if (!run_unless_closing(r)) return MHD_NO;
    }
    return r->x.then != NULL ? MHD_YES : send_answer(r);
}

static void end(void *ctx, struct MHD_Connection *c, void **state,
                enum MHD_RequestTerminationCode why) {
    oc_server *server = ctx;
    (void)why;
    oci_request_free(*state);
    *state = NULL;
    set_deadline(server->http, c, server->options.patience, false);
}

/* ---- life -------------------------------------------------------------------------------------
 */

enum { PEM_BYTES = 1 << 20, LEAST_SHARE = 16 };

static oc_status read_tls(oci_http *h, const oc_serve_options *o, oc_error *err) {
    size_t size = 0;
    if (o->tls_cert == NULL) return OC_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return oc_fail(err, OC_EENV, "this libmicrohttpd has no TLS");
    OC_TRY(oc_file_read(o->tls_cert, PEM_BYTES, &h->cert, &size, err));
    return oc_file_read(o->tls_key, PEM_BYTES, &h->key, &size, err);
}

static oc_status socket_address(const oc_serve_options *o, struct sockaddr_storage *out,
                                oc_error *err) {
    char port[16];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    (void)snprintf(port, sizeof port, "%d", o->port);
    if (getaddrinfo(o->address, port, &hints, &found) != 0)
        return oc_fail(err, OC_EUSAGE,
                       "\"%.100s\" is no address to listen on: take a number such as 127.0.0.1, "
                       "0.0.0.0 or ::",
                       o->address);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return OC_OK;
}

/* Connections of one address; 0: as many as of all. Behind a proxy all have its address, and who
 * listens to this machine alone has nobody to fear. */
static unsigned share_of_one(const oc_serve_options *o) {
    const unsigned quarter = (unsigned)o->connections / 4;
    if (o->trust_proxy || oci_is_loopback(o->address)) return 0;
    return quarter > LEAST_SHARE ? quarter : LEAST_SHARE;
}

static oc_status listen_on(oci_http *h, const oc_serve_options *o, oc_error *err) {
    struct sockaddr_storage address = {0};
    struct MHD_OptionItem tls[3] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    OC_TRY(socket_address(o, &address, err));
    if (address.ss_family == AF_INET6) flags |= MHD_USE_IPv6;
    if (h->cert != NULL) {
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, h->cert};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, h->key};
        tls[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    /* no LISTENING_ADDRESS_REUSE: it would let a second server share the port in silence */
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, h->server, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&address, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)EVENT_THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        share_of_one(o), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->patience, MHD_OPTION_NOTIFY_COMPLETED, end,
        h->server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    if (h->daemon != NULL) return OC_OK;
    return oc_fail(err, OC_EENV,
                   "nothing can listen on %s port %d: another program may have it (try another "
                   "--listen), ports below 1024 need rights%s",
                   o->address, o->port,
                   h->cert != NULL ? ", or the certificate and key do not fit" : "");
}

oc_status oci_http_new(oci_http **out, oc_server *server, oc_error *err) {
    oc_status status = OC_OK;
    oci_http *h = oc_calloc(1, sizeof *h);
    *out = NULL;
    if (h == NULL) return oc_fail_nomem(err, sizeof *h, "the HTTP side");
    h->server = server;
    atomic_init(&h->held, 0);
    atomic_init(&h->at_work, 0);
    atomic_init(&h->closing, false);
    server->http = *out = h; /* requests may come in before the next line has returned */
    OC_GOTO(oci_deadlines_new(&h->deadlines, err));
    OC_GOTO(read_tls(h, &server->options, err));
    OC_GOTO(listen_on(h, &server->options, err));
done:
    if (status != OC_OK) {
        oci_http_free(h);
        server->http = *out = NULL;
    }
    return status;
}

oc_status oci_http_adopt(oci_http *h, int socket) {
    const struct sockaddr_in here = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (MHD_add_connection(h->daemon, socket, (const struct sockaddr *)&here, sizeof here) ==
        MHD_YES)
        return OC_OK;
    return oc_fail_errno(NULL, OC_EENV, errno, "a socket");
}

int oci_http_port(const oci_http *h) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}

bool oci_http_is_closing(const oci_http *h) {
    return atomic_load(&h->closing);
}

void oci_http_quiesce(oci_http *h) {
    if (h->quiet) return;
    h->quiet = true;
    int listener = MHD_quiesce_daemon(h->daemon);
    if (listener >= 0) (void)close(listener); /* who comes now is told so at once */
}

/* Whoever waits is woken before the daemon stops: workers always get there, desks leave undone what
 * they have not begun. */
static void wait_for_work(oci_http *h) {
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    atomic_store(&h->closing, true);
    while (atomic_load(&h->at_work) > 0) (void)nanosleep(&pause, NULL);
}

void oci_http_free(oci_http *h) {
    if (h == NULL) return;
    if (h->daemon != NULL) {
        oci_http_quiesce(h);
        wait_for_work(h);
        MHD_stop_daemon(h->daemon);
    }
    oci_deadlines_free(h->deadlines);
    oc_free(h->cert);
    oc_free(h->key);
    oc_free(h);
}
