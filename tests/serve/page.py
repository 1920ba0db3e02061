"""The page as a running server gives it, and its form without scripts.
usage: page.py OCELLUS MODEL PHOTO
SPDX-License-Identifier: BSD-2-Clause"""
import gzip
import html
import json
import os
import re
import sys
import urllib.parse

from server import Server, form, run

DIST = os.path.join(os.path.dirname(__file__), '..', '..', 'web', 'dist')


def files():
    for folder, _, names in os.walk(DIST):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as file:
                yield '/' + os.path.relpath(path, DIST), file.read()


def every_file_is_there_byte_for_byte(server, photo):
    for path, content in files():
        status, headers, plain = server.ask('GET', path)
        assert (status, plain) == (200, content), path
        assert 'Content-Encoding' not in headers
        status, headers, packed = server.ask('GET', path, None, {'Accept-Encoding': 'br, gzip'})
        if headers['Content-Encoding'] == 'gzip':
            assert headers['Vary'] == 'Accept-Encoding' and gzip.decompress(packed) == content, path
        _, headers, none = server.ask('GET', path, None, {'Accept-Encoding': 'gzip;q=0'})
        assert none == content, path


def a_file_is_kept_or_asked_for_again(server, photo):
    for path, _ in files():
        _, headers, _ = server.ask('GET', path)
        hashed = path.startswith('/assets/')
        assert ('immutable' in headers['Cache-Control']) == hashed, path
        again, headers, content = server.ask('GET', path, None, {'If-None-Match': headers['ETag']})
        assert (again, content) == (304, b''), path
        assert server.ask('GET', path, None, {'If-None-Match': '"other"'})[0] == 200


def a_browser_is_told_to_be_careful(server, photo):
    _, headers, content = server.ask('GET', '/')
    assert headers['Content-Type'] == 'text/html; charset=utf-8'
    assert headers['X-Content-Type-Options'] == 'nosniff'
    policy = headers['Content-Security-Policy']
    assert "default-src 'self'" in policy and 'unsafe' not in policy, policy
    assert not re.search(rb'<script(?![^>]*src=)|\son[a-z]+=|style="', content)


def other_paths_are_not_there(server, photo):
    for path in ('/nowhere', '/assets/', '/assets', '/../README.md', '/assets/../index.html',
                 '/%2e%2e/etc/passwd', '/assets/%00', '/index.html/', '//index.html'):
        assert server.ask('GET', path)[0] == 404, path
    assert server.ask('POST', '/')[0] == 405
    assert server.ask('HEAD', '/')[2] == b''


def the_form_gives_names_without_scripts(server, photo):
    for path in ('/identify', '/share'):
        body, headers = form([('images', 'a.jpg', photo), ('images', '<b>&.jpg', b'no photo')])
        status, headers, content = server.ask('POST', path, body, headers)
        text = content.decode()
        assert status == 200 and headers['Content-Type'] == 'text/html; charset=utf-8'
        whole = server.json('POST', '/v1/identify', photo, {'Content-Type': 'image/jpeg'})[1]
        rows = len(whole['results']) - (0 if whole['unknown'] else 1)
        assert 'Photo 2: ' in text and text.count('<li>') == rows
        for one in whole['results']:
            assert html.escape(one.get('name', one['label'])) in text, one
        assert "default-src 'self'" in headers['Content-Security-Policy']


def refusals_are_told_to_a_person(server, photo):
    body, headers = form([('images', 'a.jpg', b'no photo')])
    wanted, problem = server.json('POST', '/v1/identify', body, headers)
    status, _, content = server.ask('POST', '/identify', body, headers)
    assert status == wanted and b'No answer' in content
    assert html.escape(problem['detail']) in content.decode(), problem
    body, headers = form([('images', 'a.jpg', photo), ('model', None, b'<script>alert(1)</script>')])
    status, headers, content = server.ask('POST', '/identify', body, headers)
    assert status == 404 and b'&lt;script&gt;' in content and b'<script>' not in content
    status, _, content = server.ask('POST', '/identify', b'', {'Content-Type': 'text/plain'})
    assert status == 415 and b'No answer' in content


def the_form_speaks_the_language_of_the_visitor(server, photo):
    body, headers = form([('images', 'a.jpg', photo), ('images', 'b.jpg', b'no photo')])
    for wanted, tag, words in (('de-CH, en;q=0.5', 'lang="de" dir="ltr"', 'Foto 2: '),
                               ('ar', 'lang="ar" dir="rtl"', 'الصورة 2: '),
                               ('tlh', 'lang="en" dir="ltr"', 'Photo 2: ')):
        asked = dict(headers, **{'Accept-Language': wanted})
        status, _, content = server.ask('POST', '/identify', body, asked)
        assert status == 200 and tag in content.decode() and words in content.decode(), wanted
    body, headers = form([('images', 'a.jpg', b'no photo'), ('lang', None, b'pl')])
    headers['Accept-Language'] = 'de'
    content = server.ask('POST', '/identify', body, headers)[2].decode()
    assert '<html lang="pl"' in content and 'Brak odpowiedzi' in content, content


def what_the_form_cannot_keep_it_refuses(server, photo):
    for path in ('/identify', '/share', '/identify?keep=1'):
        parts = [('images', 'a.jpg', photo)] + ([] if '?' in path else [('keep', None, b'1')])
        status, headers, content = server.ask('POST', path, *form(parts))
        assert status == 400 and b'keeps nothing' in content, content
        assert headers['Content-Type'] == 'text/html; charset=utf-8'
    for blank in (b'', b'0'):
        body, headers = form([('images', 'a.jpg', photo), ('keep', None, blank)])
        assert server.ask('POST', '/identify', body, headers)[0] == 200, blank


def a_picture_is_of_the_class_that_is_meant(server, photo):
    name = server.json('GET', '/v1/models')[1]['models'][0]['name']
    first = server.json('GET', '/v1/models/' + name)[1]['classes'][0]
    status, headers, picture = server.ask('GET', first['example'])
    assert status == 200 and headers['Cache-Control'] == 'no-cache'
    path = first['example'] + '?label='
    status, headers, same = server.ask('GET', path + urllib.parse.quote(first['label']))
    assert status == 200 and same == picture and 'max-age' in headers['Cache-Control']
    status, _, content = server.ask('GET', path + 'another')
    assert status == 404 and b'trained anew' in content, content


def the_description_of_the_api_is_there(server, photo):
    status, headers, content = server.ask('GET', '/openapi.json')
    assert status == 200 and headers['Content-Type'] == 'application/json'
    assert json.loads(content)['openapi'].startswith('3.1')


if __name__ == '__main__':
    if not os.path.isdir(DIST):
        print('skipped: no web/dist')
        sys.exit(77)
    with open(sys.argv[3], 'rb') as file:
        jpeg = file.read()
    with Server(sys.argv[1], sys.argv[2], '--threads', '1') as one:
        code = run([every_file_is_there_byte_for_byte, a_file_is_kept_or_asked_for_again,
                    a_browser_is_told_to_be_careful, other_paths_are_not_there,
                    the_form_gives_names_without_scripts, refusals_are_told_to_a_person,
                    the_form_speaks_the_language_of_the_visitor,
                    what_the_form_cannot_keep_it_refuses,
                    a_picture_is_of_the_class_that_is_meant,
                    the_description_of_the_api_is_there], one, jpeg)
    sys.exit(code)
