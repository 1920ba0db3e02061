/* The table of routes: what is found, and that openapi.json describes all of it and nothing else.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/embedded_int.h"
#include "serve/exchange_int.h"

static const char *const words[OCI_METHODS] = {"get", "head", "post", "patch", "delete", "options"};

/* "/v1/models/{model}" as the table has it: "/v1/models/{}". */
static void without_names(const char *path, char out[128]) {
    size_t n = 0;
    for (; *path != '\0' && n < 126; path++) {
        out[n++] = *path;
        if (*path != '{') continue;
        while (*path != '}') path++;
        out[n++] = '}';
    }
    out[n] = '\0';
}

static json_t *description(void) {
    json_t *api = NULL;
    oc_error err = {0};
    assert_string_equal(oci_embedded_api->path, "/openapi.json");
    check_ok(oc_json_parse((const char *)oci_embedded_api->bytes, oci_embedded_api->size,
                           "openapi.json", &api, &err),
             err);
    return api;
}

/* The methods that the file describes for a pattern, a bit each. */
static unsigned described(const json_t *paths, const char *pattern) {
    const char *path = NULL;
    json_t *item = NULL;
    char plain[128];
    unsigned methods = 0;
    json_object_foreach((json_t *)(uintptr_t)paths, path, item) {
        without_names(path, plain);
        if (strcmp(plain, pattern) != 0) continue;
        for (int m = 0; m < OCI_METHODS; m++)
            if (json_object_get(item, words[m]) != NULL) methods |= 1u << m;
    }
    return methods;
}

static void every_route_is_described(void **state) {
    (void)state;
    json_t *api = description();
    size_t count = 0;
    const oci_route *routes = oci_routes(&count);
    for (size_t i = 0; i < count; i++)
        if (!(described(json_object_get(api, "paths"), routes[i].pattern) &
              (1u << routes[i].method)))
            fail_msg("openapi.json lacks %s %s", words[routes[i].method], routes[i].pattern);
    json_decref(api);
}

static void nothing_else_is_described(void **state) {
    (void)state;
    json_t *api = description(), *item = NULL;
    const char *path = NULL;
    char plain[128];
    size_t count = 0;
    const oci_route *routes = oci_routes(&count);
    json_object_foreach(json_object_get(api, "paths"), path, item) {
        without_names(path, plain);
        unsigned there = 0;
        for (size_t i = 0; i < count; i++)
            if (strcmp(routes[i].pattern, plain) == 0) there |= 1u << routes[i].method;
        if (described(json_object_get(api, "paths"), plain) != there)
            fail_msg("openapi.json describes methods of %s that no route has", path);
    }
    json_decref(api);
}

static const oci_route *find(oci_exchange *x, oci_method method, const char *path,
                             unsigned *methods) {
    x->arg[0] = x->arg[1] = NULL;
    return oci_route_find(x, method, path, methods);
}

static void paths_are_found_with_their_segments(void **state) {
    (void)state;
    oci_exchange x = {0};
    unsigned methods = 0;
    assert_int_equal(oc_pool_new(&x.pool, NULL), OC_OK);
    assert_string_equal(find(&x, OCI_GET, "/v1/models/a.b/examples/7", &methods)->pattern,
                        "/v1/models/{}/examples/{}");
    assert_string_equal(x.arg[0], "a.b");
    assert_string_equal(x.arg[1], "7");
    assert_non_null(find(&x, OCI_HEAD, "/v1/models", &methods));
    assert_null(find(&x, OCI_POST, "/v1/models", &methods));
    assert_int_equal(methods, 1u << OCI_GET);
    assert_null(find(&x, OCI_GET, "/v1/uploads/x", &methods)); /* HEAD alone does not make a GET */
    assert_non_null(find(&x, OCI_HEAD, "/v1/uploads/x", &methods));
    static const char *const unknown[] = {
        "",    "v1/models",  "/v1/models/", "/v1//examples/", "/v1/models/a/b",
        "/v1", "/V1/models", "/healthz/"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_null(find(&x, OCI_GET, unknown[i], &methods));
        assert_int_equal(methods, 0);
    }
    oc_pool_free(x.pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(nothing_else_is_described),
        cmocka_unit_test(paths_are_found_with_their_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
