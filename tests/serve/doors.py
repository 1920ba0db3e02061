"""Who is taken for somebody at the server's own machine, and how much of it one address may have.
usage: doors.py OCELLUS MODEL PHOTO
SPDX-License-Identifier: BSD-2-Clause"""
import os
import socket
import sys
import tempfile

from server import Server, run

FROM_ELSEWHERE = (
    {'X-Forwarded-For': '192.0.2.1'}, {'X-Forwarded-For': '127.0.0.1'}, {'X-Forwarded-Host': 'a'},
    {'x-forwarded-proto': 'https'}, {'X-Real-IP': '127.0.0.1'}, {'Forwarded': 'for=127.0.0.1'},
    {'Via': '1.1 proxy'}, {'Host': 'rebound.example'}, {'Host': 'localhost.example'},
    {'Host': '127.0.0.1.example'})


def status_of(server, headers=None):
    return server.ask('GET', '/v1/review', None, headers)[0]


def serving(setting, *more, **how):
    binary, model, folder = setting
    return Server(binary, model, '--threads', '1', '--db', os.path.join(folder, 'finds.db'), *more,
                  **how)


def nobody_reviews_unasked(setting):
    with serving(setting) as server:
        for headers in ({}, {'Host': 'localhost'}) + FROM_ELSEWHERE:
            status, answer = server.json('GET', '/v1/review', None, headers)
            assert status == 403 and '--keys' in answer['detail'], (headers, answer)
            assert '--open-review' in answer['detail'], answer


def behind_a_proxy_nobody_is_local(setting):
    with serving(setting, '--trust-proxy') as server:
        for headers in ({},) + FROM_ELSEWHERE + ({'X-Forwarded-For': '::1'},):
            assert status_of(server, headers) == 403, headers


def who_sits_here_may_review_where_that_is_open(setting):
    for listen in ('127.0.0.1', '0.0.0.0'):
        with serving(setting, '--open-review', listen=listen) as server:
            here = 'localhost:%d' % server.port
            for headers in ({}, {'Host': here}, {'Host': '[::1]'}, {'Host': 'LOCALHOST'}):
                assert status_of(server, headers) == 200, headers
            for headers in FROM_ELSEWHERE:
                assert status_of(server, headers) == 403, headers
            assert b' 403 ' in server.raw(b'GET /v1/review HTTP/1.0\r\n\r\n').split(b'\r\n')[0]


def pages_of_other_sites_are_not_local(setting):
    with serving(setting, '--open-review', '--origins', '*') as server:
        here = 'localhost:%d' % server.port
        for origin, wanted in (('http://' + here, 200), ('https://' + here, 403), ('null', 403),
                               ('http://localhost', 403), ('http://localhost:1', 403),
                               ('http://127.0.0.1:%d' % server.port, 403), ('', 403),
                               ('https://evil.example', 403), (here, 403)):
            assert status_of(server, {'Host': here, 'Origin': origin}) == wanted, origin
        asked = server.ask('DELETE', '/v1/observations/0', None,
                           {'Host': here, 'Origin': 'https://evil.example'})
        assert asked[0] == 403, asked
        assert server.ask('GET', '/v1/models', None, {'Origin': 'https://evil.example'})[0] == 200


def answered(server, count):
    """of so many connections of one address, open side by side"""
    line = b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    every = [socket.create_connection(('127.0.0.1', server.port), 30) for _ in range(count)]
    good = 0
    for one in every:
        try:
            one.sendall(line)
            good += one.recv(65536).startswith(b'HTTP/1.1 200')
        except OSError:
            pass
    for one in every:
        one.close()
    return good


def one_address_has_a_share_of_the_connections(setting):
    for more, listen, wanted in (((), '0.0.0.0', 20), (('--trust-proxy',), '0.0.0.0', 30),
                                 ((), '127.0.0.1', 30)):
        with serving(setting, '--connections', '80', *more, listen=listen) as server:
            assert answered(server, 30) == wanted, (more, listen)
    with serving(setting, '--connections', '40', listen='0.0.0.0') as server:
        assert answered(server, 30) == 16


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as made:
        code = run([nobody_reviews_unasked, behind_a_proxy_nobody_is_local,
                    who_sits_here_may_review_where_that_is_open,
                    pages_of_other_sites_are_not_local,
                    one_address_has_a_share_of_the_connections], (*sys.argv[1:3], made))
    sys.exit(code)
