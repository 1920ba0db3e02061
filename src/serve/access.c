/* The door. Without keys everybody may identify and nobody judges, unless the server was told that
 * who comes from this machine may (--open-review); with keys each request to the API brings one.
 *
 * "From this machine" is a connection from a loopback address to a host of that name, with no trace
 * of a proxy and from no page of another site: neither a reverse proxy beside the server nor a page
 * in a browser on this machine, by CORS or by DNS rebinding, makes a stranger an expert. A proxy
 * that leaves no trace at all cannot be told from a visitor; therefore the option. What a header
 * says may take this right away and never gives it.
 *
 * What costs something counts against the limit of an address: POST, DELETE, and keys that are
 * wrong. What is identified counts against the quota of a key.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/access_int.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "serve/keys_int.h"
#include "serve/limits_int.h"
#include "serve/server_int.h"

/* ---- the address ------------------------------------------------------------------------------
 */

bool oci_is_loopback(const char *address) {
    static const uint8_t mapped[13] = {[10] = 0xFF, 0xFF, 127}, one[16] = {[15] = 1};
    uint8_t bytes[16];
    if (inet_pton(AF_INET, address, bytes) == 1) return bytes[0] == 127;
    if (inet_pton(AF_INET6, address, bytes) != 1) return false;
    return memcmp(bytes, one, sizeof one) == 0 || memcmp(bytes, mapped, sizeof mapped) == 0;
}

static bool is_address(const char *text) {
    uint8_t bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* The last address of X-Forwarded-For is the one that our own proxy has seen; those before it are
 * what the client says. */
static void look_behind_proxy(oci_exchange *x) {
    const char *list = oci_header_last(x, "X-Forwarded-For");
    if (list == NULL || !x->server->options.trust_proxy) return;
    const char *comma = strrchr(list, ',');
    const char *last = comma != NULL ? comma + 1 : list;
    char address[sizeof x->address];
    (void)snprintf(address, sizeof address, "%s", last + strspn(last, " \t"));
    address[strcspn(address, " \t")] = '\0';
    if (is_address(address)) memcpy(x->address, address, sizeof address);
}

/* ---- is it somebody at this machine? ----------------------------------------------------------
 */

static bool passed_on(const oci_exchange *x) {
    return oci_header_begins(x, "X-Forwarded-") || oci_header_in(x, "X-Real-IP") != NULL ||
           oci_header_in(x, "Forwarded") != NULL || oci_header_in(x, "Via") != NULL;
}

/* Is the Host that was asked for a name of this machine alone? */
static bool host_is_local(const char *host) {
    if (oc_starts_with(host, "[::1]")) return host[5] == '\0' || host[5] == ':';
    size_t size = strcspn(host, ":");
    if (size == 9 && strncasecmp(host, "localhost", 9) == 0) return true;
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)(size < 63 ? size : 63), host);
    return oci_is_loopback(name);
}

/* A browser says which page sends a request: is it one of ours? */
static bool origin_is_ours(const oci_exchange *x, const char *host) {
    const char *origin = oci_header_in(x, "Origin");
    const char *scheme = x->server->options.tls_cert != NULL ? "https://" : "http://";
    return origin == NULL ||
           (oc_starts_with(origin, scheme) && strcasecmp(origin + strlen(scheme), host) == 0);
}

static bool is_local(const oci_exchange *x) {
    const oc_serve_options *o = &x->server->options;
    const char *host = oci_header_in(x, "Host");
    if (!o->open_review || o->trust_proxy || !x->loopback || passed_on(x)) return false;
    return host != NULL && host_is_local(host) && origin_is_ours(x, host);
}

/* ---- the key ----------------------------------------------------------------------------------
 */

static const char *key_given(const oci_exchange *x) {
    const char *header = oci_header_in(x, "Authorization");
    if (header != NULL && strncasecmp(header, "Bearer ", 7) == 0)
        return header + 7 + strspn(header + 7, " ");
    header = oci_header_in(x, "X-API-Key");
    return header != NULL ? header : oci_query(x, "api-key");
}

/* ---- refusals ---------------------------------------------------------------------------------
 */

static bool take_token(oci_exchange *x) {
    oci_limits *limits = x->server->limits;
    double retry = 0;
    if (limits == NULL || oci_limits_take(limits, x->address, oc_clock_seconds(), &retry))
        return true;
    (void)oci_refuse(x, 429, "too many requests from %s: try again in %.0f s", x->address,
                     retry > 1 ? retry : 1.0);
    oci_retry_after(x, retry);
    return false;
}

static void refuse_key(oci_exchange *x, bool given, bool counted) {
    if (given && !counted && !take_token(x)) return;
    (void)oci_refuse(x, 401,
                     given ? "the key is not one of this server"
                           : "a key is needed: send it as Authorization: Bearer KEY");
    oci_answer_header(x, "WWW-Authenticate",
                      given ? "Bearer realm=\"ocellus\", error=\"invalid_token\""
                            : "Bearer realm=\"ocellus\"");
}

static void judge_key(oci_exchange *x, oci_role needed, bool counted) {
    const char *key = key_given(x);
    oci_holder holder = {0};
    if (key == NULL || !oci_keys_find(x->server->keys, key, &holder)) {
        refuse_key(x, key != NULL, counted);
        return;
    }
    x->holder = oc_pool_alloc(x->pool, sizeof holder);
    if (x->holder == NULL) {
        (void)oci_refuse(x, 503, "out of memory: try again a little later");
        return;
    }
    *x->holder = holder;
    x->who = x->holder->name;
    x->role = holder.role;
    if (holder.role < needed)
        (void)oci_refuse(x, 403, "this needs %s key; %s has another",
                         needed == OCI_ADMIN ? "an admin's" : "an expert's", holder.name);
}

void oci_access_charge(oci_exchange *x) {
    double retry = 0;
    if (x->holder == NULL || !x->route->queued ||
        oci_keys_charge(x->server->keys, x->holder, oc_clock_wall(), &retry))
        return;
    (void)oci_refuse(x, 429, "the quota of %s for today is used up", x->who);
    oci_retry_after(x, retry);
}

void oci_access(oci_exchange *x, oci_method method) {
    const oci_role needed = x->route->needs;
    const bool costs = needed != OCI_ANYONE && (method == OCI_POST || method == OCI_DELETE);
    look_behind_proxy(x);
    x->who = "";
    if (method == OCI_OPTIONS || (costs && !take_token(x))) return;
    if (needed == OCI_ANYONE) return;
    if (x->server->keys != NULL) {
        judge_key(x, needed, costs);
        return;
    }
    bool local = is_local(x);
    x->role = local ? OCI_EXPERT : OCI_USER;
    if (local) x->who = "local";
    if (x->role >= needed) return;
    (void)oci_refuse(x, 403,
                     x->server->options.open_review
                         ? "for experts: from the server's own machine alone, through no "
                           "proxy and from no page of another site"
                         : "for experts: start the server with --keys FILE, or with "
                           "--open-review for who sits at its own machine");
}
