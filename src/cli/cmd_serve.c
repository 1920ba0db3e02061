/* `ocellus serve MODEL...`: models behind HTTP, until told to stop.
 *
 * Signals are waited for, not caught: they are blocked in every thread, and this one asks for the
 * next. SIGHUP loads the models again, SIGINT and SIGTERM answer what has come in and end.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_int.h"
#include "notify_int.h"
#include "serve/serve.h"

static const char arguments[] = "MODEL|NAME=MODEL ... [--listen ADDRESS:PORT]";

enum { DEFAULT_PORT = 8080, MAX_MODELS = 64 };

typedef struct serve_flags {
    const char *listen, *tls_cert, *tls_key, *origins, *engine;
    int threads, workers, batch, queue, connections, max_megabytes, max_megapixels,
        memory_megabytes, upload_megabytes;
    double latency_ms, patience, drain, blur;
    const char *db, *keys, *limit;
    int retain;
    bool trust_proxy, open_review;
} serve_flags;

#define AT(member) offsetof(serve_flags, member)

static const oci_option table[] = {
    {"listen", 'l', OCI_TEXT, AT(listen), "ADDRESS:PORT", 0, 0, NULL,
     "where to listen, or PORT alone (default 127.0.0.1:8080; 0.0.0.0:8080 for all of IPv4, "
     "[::]:8080 for IPv6)"},
    {"tls-cert", 0, OCI_PATH, AT(tls_cert), "FILE", 0, 0, NULL, "certificate chain, PEM: HTTPS"},
    {"tls-key", 0, OCI_PATH, AT(tls_key), "FILE", 0, 0, NULL, "its key, PEM"},
    {"origins", 0, OCI_TEXT, AT(origins), "LIST", 0, 0, NULL,
     "web pages of other sites that may call (CORS): origins with commas between, or *"},
    {"workers", 'w', OCI_INT, AT(workers), "N", 1, 256, NULL,
     "batches of a model at once; the threads are shared out among them (default: as many as "
     "threads, up to 4)"},
    {"threads", 't', OCI_INT, AT(threads), "T", 1, 4096, NULL, "default all"},
    {"batch", 'b', OCI_INT, AT(batch), "B", 5, 4096, NULL, "photos in a batch at most (default 8)"},
    {"latency", 0, OCI_REAL, AT(latency_ms), "MS", 1, 60000, NULL,
     "milliseconds that a batch may take: bounds it under load (default 250)"},
    {"queue", 0, OCI_INT, AT(queue), "N", 5, 1000000, NULL,
     "photos of a model that may wait before others are turned away (default 8 batches)"},
    {"connections", 0, OCI_INT, AT(connections), "N", 1, 100000, NULL, "at once (default 1000)"},
    {"max-body", 0, OCI_INT, AT(max_megabytes), "MB", 1, 2000, NULL,
     "megabytes of a request (default 32)"},
    {"max-pixels", 0, OCI_INT, AT(max_megapixels), "MP", 1, 200, NULL,
     "megapixels of a photo (default 50)"},
    {"max-memory", 0, OCI_INT, AT(memory_megabytes), "MB", 1, 1000000, NULL,
     "megabytes of requests in flight, all together (default 256)"},
    {"max-uploads", 0, OCI_INT, AT(upload_megabytes), "MB", 1, 1000000, NULL,
     "megabytes of resumable uploads, all together (default 128)"},
    {"patience", 0, OCI_REAL, AT(patience), "S", 1, 3600, NULL,
     "seconds for a request to arrive whole (default 60)"},
    {"drain", 0, OCI_REAL, AT(drain), "S", 0, 3600, NULL,
     "seconds to answer what has come in when stopping (default 30)"},
    {"db", 0, OCI_PATH, AT(db), "FILE", 0, 0, NULL,
     "keep what users wish to keep: an SQLite file, made where it is not there"},
    {"blur", 0, OCI_REAL, AT(blur), "DEGREES", 0, 10, NULL,
     "places are rounded to so many degrees before they are kept (default 0.01, about a "
     "kilometre; 0: as they come)"},
    {"retain", 0, OCI_INT, AT(retain), "DAYS", 1, 36500, NULL,
     "what no expert has confirmed is removed after so long (default never)"},
    {"keys", 0, OCI_PATH, AT(keys), "FILE", 0, 0, NULL,
     "who may come in: lines of KEY NAME user|expert|admin [PER_DAY]; SIGHUP reads it again"},
    {"limit", 0, OCI_TEXT, AT(limit), "PER_MINUTE[:BURST]", 0, 0, NULL,
     "requests of one address, and how many of them at once (default no limit)"},
    {"trust-proxy", 0, OCI_FLAG, AT(trust_proxy), NULL, 0, 0, NULL,
     "clients come through a proxy of yours: their address is the last of X-Forwarded-For"},
    {"open-review", 0, OCI_FLAG, AT(open_review), NULL, 0, 0, NULL,
     "without --keys: who comes from this machine itself may review; not behind a proxy"},
    {"engine", 0, OCI_TEXT, AT(engine), "E", 0, 0, NULL, "onednn or ref (default: the best)"},
    {0}};

/* ---- words ------------------------------------------------------------------------------------
 */

/* One call of fprintf a line: lines of several threads do not mix. */
static void say(void *ctx, oc_log_level level, const char *line) {
    (void)ctx;
    (void)fprintf(stderr, "%s%s\n", level == OC_LOG_WARN ? "warning: " : "", line);
}

/* ---- options ----------------------------------------------------------------------------------
 */

/* "8080", "127.0.0.1:8080", "[::1]:8080". */
static oc_status read_listen(const char *text, char address[64], int *port, oc_error *err) {
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    int64_t number = 0;
    size_t size = colon != NULL ? (size_t)(colon - text) : 0;
    const char *from = text;
    *port = DEFAULT_PORT;
    (void)snprintf(address, 64, "127.0.0.1");
    if (text == NULL) return OC_OK;
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        from++;
        size -= 2;
    }
    if (size >= 64 || !oc_parse_i64(colon != NULL ? colon + 1 : text, 0, 65535, &number))
        return oc_fail(err, OC_EUSAGE, "--listen %.100s: an address and a port, as 0.0.0.0:8080",
                       text);
    *port = (int)number;
    if (size > 0) (void)snprintf(address, 64, "%.*s", (int)size, from);
    return OC_OK;
}

/* A model's name: what stands before '=', else the last part of the folder's path. */
static oc_status name_model(const char *argument, char name[128], oc_serve_model *out,
                            oc_error *err) {
    const char *equals = strchr(argument, '=');
    char path[OC_PATH_BYTES];
    if (equals != NULL && memchr(argument, '/', (size_t)(equals - argument)) == NULL) {
        (void)snprintf(name, 128, "%.*s", (int)(equals - argument), argument);
        out->folder = equals + 1;
    } else {
        OC_TRY(oc_path_join(path, "", argument, err));
        for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = '\0';
        const char *base = oc_path_base(path);
        bool named = strcmp(base, ".") != 0 && strcmp(base, "..") != 0 && *base != '\0';
        (void)snprintf(name, 128, "%s", named ? base : "model");
        out->folder = argument;
    }
    out->name = name;
    return OC_OK;
}

static oc_serve_options options_of(const serve_flags *f) {
    return (oc_serve_options){.tls_cert = f->tls_cert,
                              .tls_key = f->tls_key,
                              .origins = f->origins,
                              .engine = f->engine,
                              .threads = f->threads,
                              .workers = f->workers,
                              .batch = f->batch,
                              .queue = f->queue,
                              .latency = f->latency_ms / 1000,
                              .max_body = (uint64_t)f->max_megabytes << 20,
                              .max_pixels = (uint64_t)f->max_megapixels * 1000 * 1000,
                              .max_memory = (uint64_t)f->memory_megabytes << 20,
                              .max_uploads = (uint64_t)f->upload_megabytes << 20,
                              .connections = f->connections,
                              .patience = f->patience,
                              .db = f->db,
                              .blur = f->blur,
                              .retain_days = f->retain,
                              .keys = f->keys,
                              .trust_proxy = f->trust_proxy,
                              .open_review = f->open_review,
                              .log = {.write = say}};
}

static oc_status read_limit(const char *text, oc_serve_options *options, oc_error *err) {
    if (text == NULL || oc_limit_parse(text, &options->per_minute, &options->burst)) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "--limit %.100s: requests per minute, as 60, or 60:20 for at most "
                   "20 of them at once",
                   text);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static void block_signals(sigset_t *set) {
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* By a handler, for process 1 of a container is spared what a signal does by default. */
static void end_at_once(int number) {
    _exit(128 + number);
}

static void serve_until_told(oc_server *server, const sigset_t *set, double drain) {
    int number = 0;
    oci_notify("READY=1");
    while (sigwait(set, &number) == 0 && number == SIGHUP) oc_server_reload(server);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, end_at_once);
    (void)signal(SIGTERM, end_at_once);
    (void)pthread_sigmask(SIG_UNBLOCK, set, NULL); /* a second one ends at once */
    oci_notify("STOPPING=1");
    say(NULL, OC_LOG_INFO, "stopping: what has come in is answered");
    oc_server_drain(server, drain);
}

static oc_status run(oci_call *call, oc_error *err) {
    serve_flags flags = {.drain = 30, .blur = 0.01};
    oc_serve_model models[MAX_MODELS];
    char names[MAX_MODELS][128], address[64];
    oc_server *server = NULL;
    sigset_t set;
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 1, MAX_MODELS, arguments, err));
    oc_serve_options options = options_of(&flags);
    OC_TRY(read_listen(flags.listen, address, &options.port, err));
    OC_TRY(read_limit(flags.limit, &options, err));
    for (int i = 0; i < call->args.count; i++)
        OC_TRY(name_model(call->args.argv[i], names[i], &models[i], err));
    options.models = models;
    options.model_count = (size_t)call->args.count;
    options.address = address;
    oc_heap_settle();
    block_signals(&set);
    OC_TRY(oc_server_start(&server, &options, err));
    bool six = strchr(address, ':') != NULL;
    (void)fprintf(stderr, "listening on http%s://%s%s%s:%d/\n", flags.tls_cert ? "s" : "",
                  six ? "[" : "", address, six ? "]" : "", oc_server_port(server));
    serve_until_told(server, &set, flags.drain);
    oc_server_free(server);
    return OC_OK;
}

const oci_command oci_cmd_serve = {
    .name = "serve",
    .summary = "a web page and an API that name photos",
    .arguments = arguments,
    .details = "The first model is the one that answers unless another is asked for. A model that "
               "is trained again, or SIGHUP, is loaded without dropping a request.",
    .examples = "  ocellus serve model\n"
                "  ocellus serve flowers=runs/7 trees --listen 0.0.0.0:8080\n"
                "  curl -F images=@photo.jpg http://localhost:8080/v1/identify\n",
    .options = table,
    .run = run};
