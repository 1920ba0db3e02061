/* A server in this process under clients that behave and clients that do not.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/photos.h"
#include "../model/tiny.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "serve/serve.h"

enum { CLASSES = 5, MANY_CLASSES = 1000, CLIENTS = 4, REQUESTS = 25, ANSWER = 1 << 16 };

typedef struct fixture {
    char folder[OC_PATH_BYTES];
    oc_buf photo;
    oc_server *server;
    atomic_int loaded, gone; /* lines of the log */
} fixture;

static void note(void *ctx, oc_log_level level, const char *line) {
    fixture *f = ctx;
    (void)level;
    if (strstr(line, "loaded again") != NULL) (void)atomic_fetch_add(&f->loaded, 1);
    if (strstr(line, "is gone") != NULL) (void)atomic_fetch_add(&f->gone, 1);
}

/* The watcher gets there, or the test runs into its time limit. */
static void wait_for(atomic_int *count, int least) {
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    while (atomic_load(count) < least) (void)nanosleep(&pause, NULL);
}

static oc_serve_model model_of(const fixture *f) {
    return (oc_serve_model){.name = "tiny", .folder = f->folder};
}

static void save_model(const fixture *f, int classes) {
    oc_error err = {0};
    oc_model *model = tiny_model(classes);
    check_ok(oc_model_save(model, f->folder, &err), err);
    oc_model_free(model);
}

static fixture *set_up_with(int classes) {
    fixture *f = oc_calloc(1, sizeof *f);
    oc_error err = {0};
    assert_non_null(f);
    make_scratch(f->folder);
    save_model(f, classes);
    photo_bytes(&f->photo, 40, 30, 200, 20, 90);
    const oc_serve_model model = model_of(f);
    const oc_serve_options options = {.models = &model,
                                      .model_count = 1,
                                      .engine = "ref",
                                      .threads = 1,
                                      .max_body = 1 << 20,
                                      .patience = 2,
                                      .log = {note, f}};
    check_ok(oc_server_start(&f->server, &options, &err), err);
    return f;
}

static fixture *set_up(void) {
    return set_up_with(CLASSES);
}

static void tear_down(fixture *f) {
    oc_server_drain(f->server, 5);
    oc_server_free(f->server);
    oc_buf_clear(&f->photo);
    drop_scratch(f->folder);
    oc_free(f);
}

/* ---- a client ---- */

static int dial(const fixture *f) {
    const struct timeval wait = {.tv_sec = 10};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)oc_server_port(f->server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s >= 0);
    (void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal(connect(s, (struct sockaddr *)&to, sizeof to), 0);
    return s;
}

static void put(int s, const void *bytes, size_t size) {
    (void)!send(s, bytes, size,
                MSG_NOSIGNAL); /* a server that has closed is what some tests want */
}

/* All that comes until the connection is closed: how much. */
static size_t take_all(int s, char *text) {
    size_t have = 0;
    for (ssize_t got = 1; got > 0 && have<ANSWER - 1; have += got> 0 ? (size_t)got : 0)
        got = recv(s, text + have, ANSWER - 1 - have, 0);
    text[have] = '\0';
    (void)close(s);
    return have;
}

/* Its status, 0 where nothing came. */
static int answer(int s, char *text) {
    return take_all(s, text) > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static int ask(const fixture *f, const char *head, const void *body, size_t size, char *text) {
    int s = dial(f);
    put(s, head, strlen(head));
    put(s, body, size);
    return answer(s, text);
}

static int post_photo(const fixture *f, char *text) {
    char head[256];
    (void)snprintf(head, sizeof head,
                   "POST /v1/identify HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                   "Content-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
                   f->photo.size);
    return ask(f, head, f->photo.data, f->photo.size, text);
}

/* ---- the tests ---- */

typedef struct client {
    const fixture *f;
    int good;
} client;

static void *many_photos(void *ctx) {
    client *c = ctx;
    char *text = malloc(ANSWER);
    for (int i = 0; text != NULL && i < REQUESTS; i++)
        c->good += post_photo(c->f, text) == 200 && strstr(text, "\"results\"") != NULL;
    free(text);
    return NULL;
}

static void no_request_is_dropped_while_models_are_replaced(void **state) {
    fixture *f = set_up();
    client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    (void)state;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.f = f};
        assert_int_equal(pthread_create(&threads[i], NULL, many_photos, &clients[i]), 0);
    }
    for (int i = 1; i <= 3; i++) {
        save_model(f, CLASSES);
        oc_server_reload(f->server);
        wait_for(&f->loaded, i);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(clients[i].good, REQUESTS);
    }
    tear_down(f);
}

static size_t ask_for_classes(const fixture *f, const char *header, char *text, char **body) {
    char head[256];
    (void)snprintf(head, sizeof head,
                   "GET /v1/models/tiny HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n",
                   header);
    int s = dial(f);
    put(s, head, strlen(head));
    size_t size = take_all(s, text);
    *body = strstr(text, "\r\n\r\n");
    assert_non_null(*body);
    *body += 4;
    return size - (size_t)(*body - text);
}

static void many_classes_come_packed_to_who_takes_that(void **state) {
    fixture *f = set_up_with(MANY_CLASSES);
    char *text = malloc(ANSWER), *packed = malloc(ANSWER), *body = NULL, *small = NULL;
    static char again[ANSWER];
    (void)state;
    assert_true(text != NULL && packed != NULL);
    size_t whole = ask_for_classes(f, "", text, &body);
    assert_null(strstr(text, "Content-Encoding"));
    size_t size = ask_for_classes(f, "Accept-Encoding: br, gzip\r\n", packed, &small);
    assert_non_null(strstr(packed, "Content-Encoding: gzip"));
    assert_true(size < whole / 4);
    z_stream z = {.next_in = (Bytef *)small,
                  .avail_in = (uInt)size,
                  .next_out = (Bytef *)again,
                  .avail_out = sizeof again};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, whole);
    assert_memory_equal(again, body, whole);
    (void)inflateEnd(&z);
    free(packed);
    free(text);
    tear_down(f);
}

static void a_folder_that_vanishes_leaves_its_model_served(void **state) {
    fixture *f = set_up();
    char text[ANSWER];
    (void)state;
    drop_scratch(f->folder);
    oc_server_reload(f->server);
    wait_for(&f->gone, 1);
    for (int i = 0; i < 5; i++) assert_int_equal(post_photo(f, text), 200);
    assert_int_equal(mkdir(f->folder, 0700), 0);
    tear_down(f);
}

/* What is sent, and the statuses that may come back (0: the connection is closed). */
typedef struct bad {
    const char *what, *bytes;
    int status;
} bad;

#define HEAD "Host: h\r\nConnection: close\r\n"
#define FORM                                                                                       \
    "POST /v1/identify HTTP/1.1\r\n" HEAD "Content-Type: multipart/form-data; boundary=bb\r\n"

static const bad bads[] = {
    {"no route", "GET /nothing HTTP/1.1\r\n" HEAD "\r\n", 404},
    {"traversal", "GET /../../etc/passwd HTTP/1.1\r\n" HEAD "\r\n", 404},
    {"encoded traversal", "GET /assets/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" HEAD "\r\n", 404},
    {"NUL", "GET /v1/models/a%00b HTTP/1.1\r\n" HEAD "\r\n", 404},
    {"method", "DELETE /v1/identify HTTP/1.1\r\n" HEAD "\r\n", 405},
    {"no body", "POST /v1/identify HTTP/1.1\r\n" HEAD "Content-Length: 0\r\n\r\n", 415},
    {"wrong type",
     "POST /v1/identify HTTP/1.1\r\n" HEAD "Content-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
     415},
    {"not an image",
     "POST /v1/identify HTTP/1.1\r\n" HEAD
     "Content-Type: image/png\r\nContent-Length: 6\r\n\r\n<html>",
     422},
    {"too large",
     "POST /v1/identify HTTP/1.1\r\n" HEAD
     "Content-Type: image/jpeg\r\nContent-Length: 99999999999\r\n\r\n",
     413},
    {"negative length", "POST /v1/identify HTTP/1.1\r\n" HEAD "Content-Length: -5\r\n\r\n", 400},
    {"no closing boundary",
     FORM "Content-Length: 67\r\n\r\n--bb\r\nContent-Disposition: form-data; name=\"images\"; "
          "filename=\"a\"\r\n",
     422},
    {"no boundary",
     "POST /v1/identify HTTP/1.1\r\n" HEAD
     "Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\nhi",
     400},
    {"top of letters",
     "POST /v1/identify?top=many HTTP/1.1\r\n" HEAD
     "Content-Type: image/jpeg\r\nContent-Length: 1\r\n\r\nx",
     400},
    {"unknown model",
     "POST /v1/identify?model=%3Cb%3E HTTP/1.1\r\n" HEAD
     "Content-Type: image/jpeg\r\nContent-Length: 1\r\n\r\nx",
     404},
    {"no HTTP", "\x16\x03\x01 hello\r\n\r\n", 400},
};

static void bad_requests_get_an_honest_status(void **state) {
    fixture *f = set_up();
    char text[ANSWER];
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        int status = ask(f, bads[i].bytes, "", 0, text);
        if (status != bads[i].status)
            fail_msg("%s: %d instead of %d: %s", bads[i].what, status, bads[i].status, text);
    }
    assert_int_equal(post_photo(f, text), 200);
    tear_down(f);
}

static void ten_thousand_parts_are_refused(void **state) {
    static const char part[] = "--bb\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n";
    fixture *f = set_up();
    char text[ANSWER], head[512];
    oc_buf body = {0};
    (void)state;
    for (int i = 0; i < 10000; i++) oc_buf_puts(&body, part);
    oc_buf_puts(&body, "--bb--\r\n");
    assert_int_equal(oc_buf_status(&body, NULL), OC_OK);
    (void)snprintf(head, sizeof head, FORM "Content-Length: %zu\r\n\r\n", body.size);
    assert_int_equal(ask(f, head, body.data, body.size, text), 413);
    assert_non_null(strstr(text, "64 parts"));
    oc_buf_clear(&body);
    tear_down(f);
}

static void clients_that_drip_are_cut_off(void **state) {
    static const char begin[] = "POST /v1/identify HTTP/1.1\r\nHost: h\r\n"
                                "Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n";
    fixture *f = set_up();
    const struct timespec pause = {.tv_nsec = 250 * 1000 * 1000};
    double began = oc_clock_seconds();
    int s[2] = {dial(f), dial(f)}; /* one drips its headers, one its body */
    bool open[2] = {true, true};
    (void)state;
    put(s[1], begin, sizeof begin - 1);
    while ((open[0] || open[1]) && oc_clock_seconds() - began < 15) {
        for (int i = 0; i < 2; i++) {
            char byte;
            if (!open[i]) continue;
            put(s[i], "G", 1);
            open[i] = recv(s[i], &byte, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
        }
        (void)nanosleep(&pause, NULL);
    }
    assert_false(open[0] || open[1]);
    (void)close(s[0]);
    (void)close(s[1]);
    tear_down(f);
}

static void *drain(void *ctx) {
    oc_server_drain(((fixture *)ctx)->server, 10);
    return NULL;
}

/* Is the port given up? */
static bool refuses(const fixture *f) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)oc_server_port(f->server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    bool refused = connect(s, (struct sockaddr *)&to, sizeof to) != 0;
    (void)close(s);
    return refused;
}

static void a_server_that_stops_answers_what_came_in(void **state) {
    fixture *f = set_up();
    char head[256], text[ANSWER];
    pthread_t thread;
    int s = dial(f);
    (void)state;
    (void)snprintf(head, sizeof head,
                   "POST /v1/identify HTTP/1.1\r\nHost: h\r\nContent-Type: image/jpeg\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   f->photo.size);
    put(s, head, strlen(head));
    put(s, f->photo.data, f->photo.size / 2);
    do assert_int_equal(ask(f, "GET /metrics HTTP/1.1\r\n" HEAD "\r\n", "", 0, text), 200);
    while (strstr(text, "in_flight 2\n") == NULL); /* that one, and this */
    assert_int_equal(pthread_create(&thread, NULL, drain, f), 0);
    while (!refuses(f)) {
    }
    put(s, f->photo.data + f->photo.size / 2, f->photo.size - f->photo.size / 2);
    assert_int_equal(answer(s, text), 200);
    assert_non_null(strstr(text, "\"results\""));
    assert_int_equal(pthread_join(thread, NULL), 0);
    tear_down(f);
}

static void options_that_contradict_are_refused(void **state) {
    oc_server *server = NULL;
    oc_error err = {0};
    const oc_serve_model twice[] = {{"a", "/nowhere"}, {"a", "/nowhere"}},
                         odd = {"a/b", "/nowhere"};
    (void)state;
    const oc_serve_options none = {0}, half = {.models = twice, .model_count = 1, .tls_cert = "x"},
                           name = {.models = &odd, .model_count = 1},
                           gone = {.models = twice, .model_count = 2};
    check_fails(oc_server_start(&server, &none, &err), err, OC_EUSAGE, "no model");
    check_fails(oc_server_start(&server, &half, &err), err, OC_EUSAGE, "certificate and a key");
    check_fails(oc_server_start(&server, &name, &err), err, OC_EUSAGE, "a/b");
    check_fails(oc_server_start(&server, &gone, &err), err, OC_ENOTFOUND, "/nowhere");
    assert_null(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_request_is_dropped_while_models_are_replaced),
        cmocka_unit_test(many_classes_come_packed_to_who_takes_that),
        cmocka_unit_test(a_folder_that_vanishes_leaves_its_model_served),
        cmocka_unit_test(bad_requests_get_an_honest_status),
        cmocka_unit_test(ten_thousand_parts_are_refused),
        cmocka_unit_test(clients_that_drip_are_cut_off),
        cmocka_unit_test(a_server_that_stops_answers_what_came_in),
        cmocka_unit_test(options_that_contradict_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
