/* Raw bytes to a running server, over a pair of sockets: whatever comes in, it answers or closes,
 * its answers begin as HTTP does, and it is there for the next.
 *
 * The server is made once; its model is a made-up one of a few weights. What one input leaves
 * behind (an upload, an observation) the next may meet. SPDX-License-Identifier: BSD-2-Clause */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/http_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { CLASSES = 3, SIDE = 8, WAIT_MS = 10000 };

static oc_server *server;
static char folder[] = "/tmp/ocellus-fuzz-XXXXXX"; /* its model and observations */

/* ---- the model ---- */

static oc_model *make_model(void) {
    static const char *const labels[CLASSES] = {"rose", "<b>lily</b>", "moss"};
    oc_build b = {0};
    oc_model *model = NULL;
    OC_PROMISE(oc_graph_new(&b.graph, NULL) == OC_OK);
    int x = oc_build_input(&b, 3, SIDE, SIDE);
    x = oc_build_conv(&b, x, "body", 4, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_global_pool(&b, x, "pool");
    (void)oc_build_dense(&b, x, "head", CLASSES, OC_INIT_XAVIER);
    OC_PROMISE(b.status == OC_OK && oc_model_new(&model, NULL) == OC_OK);
    model->graph = b.graph;
    model->recipe = oc_recipe_default(SIDE, SIDE);
    model->classes.items = oc_calloc(CLASSES, sizeof *model->classes.items);
    model->classes.count = CLASSES;
    for (int i = 0; i < CLASSES; i++) model->classes.items[i].label = oc_strdup(labels[i]);
    OC_PROMISE(oc_tensors_new(&model->weights, NULL) == OC_OK);
    OC_PROMISE(oc_graph_init(model->graph, 7, model->weights, NULL) == OC_OK);
    return model;
}

static void finish(void) {
    oc_server_free(server);
    (void)oc_path_remove_tree(folder, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    char model_folder[64], db[64];
    const oc_serve_model served = {.name = "tiny", .folder = model_folder};
    const oc_serve_options options = {.models = &served,
                                      .model_count = 1,
                                      .engine = "ref",
                                      .threads = 1,
                                      .db = db,
                                      .origins = "https://example.org",
                                      .patience = 2,
                                      .max_body = 1 << 20,
                                      .max_uploads = 1 << 22,
                                      .max_pixels = 1 << 16};
    oc_error err = {0};
    (void)argc;
    (void)argv;
    OC_PROMISE(mkdtemp(folder) != NULL);
    (void)snprintf(model_folder, sizeof model_folder, "%s/tiny", folder);
    (void)snprintf(db, sizeof db, "%s/db", folder);
    oc_model *model = make_model();
    OC_PROMISE(oc_model_save(model, model_folder, &err) == OC_OK);
    oc_model_free(model);
    OC_PROMISE(oc_server_start(&server, &options, &err) == OC_OK);
    OC_PROMISE(atexit(finish) == 0);
    return 0;
}

/* ---- a connection ---- */

/* Until the server has read all, or closed: libmicrohttpd's epoll may miss an end that arrives
 * together with the bytes before it, and then waits for its timeout. */
static void wait_until_read(int socket) {
    const struct timespec pause = {.tv_nsec = 20 * 1000};
    double until = oc_clock_seconds() + WAIT_MS / 1000.0;
    for (int left = 1; ioctl(socket, SIOCOUTQ, &left) == 0 && left > 0;) {
        OC_PROMISE(oc_clock_seconds() < until); /* else it is stuck */
        (void)nanosleep(&pause, NULL);
    }
}

/* Does the server answer others? */
static bool is_alive(void) {
    static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    char answer[16];
    int pair[2];
    OC_PROMISE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    OC_PROMISE(oci_http_adopt(server->http, pair[1]) == OC_OK);
    struct pollfd ready = {.fd = pair[0], .events = POLLIN};
    bool alive = send(pair[0], ask, sizeof ask - 1, MSG_NOSIGNAL) == sizeof ask - 1 &&
                 poll(&ready, 1, WAIT_MS) == 1 && recv(pair[0], answer, 12, 0) == 12 &&
                 memcmp(answer + 9, "200", 3) == 0;
    (void)close(pair[0]);
    return alive;
}

/* Everything that comes back until the server closes. A connection may wait until its client leaves
 * (the library again, once in some ten thousand under load); the server may not. */
static void read_answers(int socket) {
    char bytes[4096];
    bool first = true;
    for (;;) {
        struct pollfd ready = {.fd = socket, .events = POLLIN};
        if (poll(&ready, 1, WAIT_MS) != 1) {
            OC_PROMISE(is_alive());
            return;
        }
        ssize_t size = recv(socket, bytes, sizeof bytes, 0);
        if (size <= 0) return;
        if (first) OC_PROMISE(size >= 5 && memcmp(bytes, "HTTP/", 5) == 0);
        first = false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int pair[2];
    OC_PROMISE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    OC_PROMISE(oci_http_adopt(server->http, pair[1]) == OC_OK);
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(pair[0], data + sent, size - sent, MSG_NOSIGNAL);
        if (n <= 0) break; /* it has closed */
        sent += (size_t)n;
    }
    wait_until_read(pair[0]);
    (void)shutdown(pair[0], SHUT_WR);
    read_answers(pair[0]);
    (void)close(pair[0]);
    return 0;
}
