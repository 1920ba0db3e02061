"""Resumable uploads against a running server. usage: uploads.py OCELLUS MODEL PHOTO
SPDX-License-Identifier: BSD-2-Clause"""
import base64
import socket
import sys
import time

from server import Server, form, run

TUS = {'Tus-Resumable': '1.0.0'}
PIECE = {**TUS, 'Content-Type': 'application/offset+octet-stream'}


def create(server, size, name='a leaf.jpg'):
    metadata = 'filetype aW1hZ2UvanBlZw==,filename ' + base64.b64encode(name.encode()).decode()
    status, headers, _ = server.ask('POST', '/v1/uploads', None, {
        **TUS, 'Upload-Length': str(size), 'Upload-Metadata': metadata})
    assert status == 201, status
    assert headers['Tus-Resumable'] == '1.0.0' and 'GMT' in headers['Upload-Expires']
    return headers['Location']


def offset_of(server, path):
    status, headers, _ = server.ask('HEAD', path, None, TUS)
    assert status == 200, status
    assert headers['Cache-Control'] == 'no-store'
    return int(headers['Upload-Offset'])


def send(server, path, offset, content):
    return server.ask('PATCH', path, content, {**PIECE, 'Upload-Offset': str(offset)})


def upload(server, photo, piece, name='a leaf.jpg'):
    path = create(server, len(photo), name)
    for at in range(0, len(photo), piece):
        status, headers, content = send(server, path, at, photo[at:at + piece])
        assert status == 204, content
        assert int(headers['Upload-Offset']) == min(at + piece, len(photo))
    return path


def pieces_of_any_size_make_the_photo(server, photo):
    _, whole = server.json('POST', '/v1/identify', photo, {'Content-Type': 'image/jpeg'})
    for piece in (7919, 200_000, len(photo)):
        path = upload(server, photo, piece)
        body, headers = form([('uploads', None, path.split('/')[-1].encode())])
        status, answer = server.json('POST', '/v1/identify', body, headers)
        assert status == 200, answer
        assert answer['results'] == whole['results']
        assert answer['images'][0]['filename'] == 'a leaf.jpg', answer['images'][0]


def a_broken_piece_has_served_as_far_as_it_came(server, photo):
    path = create(server, len(photo))
    head = ('PATCH %s HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n'
            'Content-Type: application/offset+octet-stream\r\nContent-Length: %d\r\n\r\n'
            % (path, len(photo)))
    connection = socket.create_connection(('127.0.0.1', server.port))
    connection.sendall(head.encode() + photo[:20_000])
    for _ in range(500):  # seen while the connection is still open ...
        if offset_of(server, path) == 20_000:
            break
        time.sleep(0.01)
    assert offset_of(server, path) == 20_000
    connection.close()
    assert offset_of(server, path) == 20_000  # ... and when it is gone
    status, _, content = send(server, path, 20_000, photo[20_000:])
    assert status == 204, content
    status, answer = server.json('POST', '/v1/identify?uploads=' + path.split('/')[-1], b'',
                                 {'Content-Type': 'application/x-www-form-urlencoded'})
    assert status == 200, answer


def several_are_named_with_commas_or_one_by_one(server, photo):
    ids = [upload(server, photo, 100_000).split('/')[-1].encode() for _ in range(3)]
    body, headers = form([('uploads', None, ids[0] + b', ' + ids[1]), ('uploads', None, ids[2]),
                          ('images', 'here.jpg', photo)])
    status, answer = server.json('POST', '/v1/identify', body, headers)
    assert status == 200, answer
    assert [i.get('filename') for i in answer['images']] == ['here.jpg'] + 3 * ['a leaf.jpg']
    body, headers = form([('uploads', None, b','.join(2 * ids))])
    status, answer = server.json('POST', '/v1/identify', body, headers)
    assert status == 400 and 'more than 5' in answer['detail'], answer


def an_offset_elsewhere_is_a_conflict_and_changes_nothing(server, photo):
    path = create(server, 100)
    assert send(server, path, 0, photo[:40])[0] == 204
    for offset in (0, 39, 41, 100):
        status, headers, content = send(server, path, offset, photo[:10])
        assert status == 409 and b'the upload is at 40' in content, content
        assert headers['Tus-Resumable'] == '1.0.0'
    status, _, content = send(server, path, 40, photo[:61])
    assert status == 413 and b'announced' in content, content
    assert offset_of(server, path) == 40
    assert send(server, path, 40, b'')[0] == 204  # a piece may be empty


def what_is_half_here_is_not_identified(server, photo):
    path = create(server, len(photo))
    assert send(server, path, 0, photo[:100])[0] == 204
    body, headers = form([('uploads', None, path.split('/')[-1].encode())])
    status, answer = server.json('POST', '/v1/identify', body, headers)
    assert status == 409 and 'of %d bytes' % len(photo) in answer['detail'], answer


def one_that_is_given_up_is_unknown(server, photo):
    path = upload(server, photo, 100_000)
    assert server.ask('DELETE', path, None, TUS)[0] == 204
    assert server.ask('HEAD', path, None, TUS)[0] == 404
    assert server.ask('DELETE', path, None, TUS)[0] == 404
    assert send(server, path, 0, b'x')[0] == 404
    body, headers = form([('uploads', None, path.split('/')[-1].encode())])
    status, answer = server.json('POST', '/v1/identify', body, headers)
    assert status == 404 and answer['code'] == 'OC_ENOTFOUND', answer


def the_method_may_stand_in_a_header(server, photo):
    path = create(server, 10)
    status, headers, _ = server.ask('POST', path, photo[:10], {
        **PIECE, 'Upload-Offset': '0', 'X-HTTP-Method-Override': 'PATCH'})
    assert status == 204 and headers['Upload-Offset'] == '10', status
    status, _, _ = server.ask('POST', path, None, {**TUS, 'X-HTTP-Method-Override': 'DELETE'})
    assert status == 204, status


def options_say_what_is_spoken(server, photo):
    for path in ('/v1/uploads', create(server, 1)):
        status, headers, content = server.ask('OPTIONS', path)
        assert (status, content) == (204, b'')
        assert headers['Tus-Version'] == '1.0.0' and int(headers['Tus-Max-Size']) > 0
        assert headers['Tus-Extension'] == 'creation,expiration,termination'
        assert 'OPTIONS' in headers['Allow']
    status, headers, _ = server.ask('OPTIONS', '/v1/models')
    assert status == 204 and headers['Allow'] == 'GET, HEAD, OPTIONS', headers['Allow']
    status, headers, _ = server.ask('DELETE', '/v1/models')
    assert status == 405 and headers['Allow'] == 'GET, HEAD, OPTIONS', headers['Allow']
    assert server.ask('OPTIONS', '/nowhere')[0] == 404


def pages_of_sites_that_may_call_are_let_in(server, photo):
    asked = {'Access-Control-Request-Method': 'PATCH'}
    for path in ('/v1/uploads', '/v1/uploads/0', '/v1/identify', '/v2/models/m/infer'):
        status, headers, _ = server.ask('OPTIONS', path, None,
                                        {**asked, 'Origin': 'https://example.org'})
        assert status == 204, status
        assert headers['Access-Control-Allow-Origin'] == 'https://example.org'
        for name in ('Upload-Offset', 'Tus-Resumable', 'Authorization'):
            assert name in headers['Access-Control-Allow-Headers']
        _, headers, _ = server.ask('OPTIONS', path, None, {**asked, 'Origin': 'https://evil.org'})
        assert 'Access-Control-Allow-Origin' not in headers
    _, headers, _ = server.ask('HEAD', create(server, 9), None,
                               {**TUS, 'Origin': 'https://example.org'})
    assert 'Upload-Offset' in headers['Access-Control-Expose-Headers']


def bad_requests_are_refused(server, photo):
    for headers, wanted in (({}, 412), ({'Tus-Resumable': '0.2.2'}, 412), (TUS, 400),
                            ({**TUS, 'Upload-Length': '-1'}, 400),
                            ({**TUS, 'Upload-Length': '+1'}, 400),
                            ({**TUS, 'Upload-Length': '99999999999999999999'}, 400),
                            ({**TUS, 'Upload-Length': '9223372036854775807'}, 413),
                            ({**TUS, 'Upload-Length': '1', 'Upload-Metadata': 'a' * 5000}, 400)):
        status, answer = server.json('POST', '/v1/uploads', None, headers)
        assert status == wanted, (headers, answer)
    path = create(server, 10)
    for headers, wanted in (({**TUS, 'Upload-Offset': '0'}, 415), (PIECE, 400),
                            ({**PIECE, 'Upload-Offset': 'NaN'}, 400),
                            ({'Upload-Offset': '0'}, 412)):
        status, answer = server.json('PATCH', path, b'x', headers)
        assert status == wanted, (headers, answer)
    assert offset_of(server, path) == 0
    assert server.ask('HEAD', '/v1/uploads/../../etc/passwd', None, TUS)[0] == 404


def memory_is_bounded(server, photo):
    megabyte = 1 << 20
    made = [create(server, megabyte) for _ in range(4)]
    status, headers, _ = server.ask('POST', '/v1/uploads', None,
                                    {**TUS, 'Upload-Length': str(8 * megabyte)})
    assert status == 503 and headers['Retry-After'], status
    for path in made:
        assert server.ask('DELETE', path, None, TUS)[0] == 204
    assert server.ask('DELETE', create(server, 8 * megabyte - 2000), None, TUS)[0] == 204


if __name__ == '__main__':
    with open(sys.argv[3], 'rb') as file:
        jpeg = file.read()
    with Server(sys.argv[1], sys.argv[2], '--threads', '1', '--max-uploads', '8',
                '--origins', 'https://example.org') as one:
        code = run([memory_is_bounded, pieces_of_any_size_make_the_photo,
                    a_broken_piece_has_served_as_far_as_it_came,
                    several_are_named_with_commas_or_one_by_one,
                    an_offset_elsewhere_is_a_conflict_and_changes_nothing,
                    what_is_half_here_is_not_identified, one_that_is_given_up_is_unknown,
                    the_method_may_stand_in_a_header, options_say_what_is_spoken,
                    pages_of_sites_that_may_call_are_let_in, bad_requests_are_refused], one, jpeg)
    sys.exit(code)
