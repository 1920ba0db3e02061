"""Forms that come in pieces: wherever the line cuts them, they mean the same.
usage: forms.py OCELLUS MODEL PHOTO
SPDX-License-Identifier: BSD-2-Clause"""
import json
import os
import socket
import sys
import tempfile

from server import Server, form, run


def send_cut(server, head, body, at):
    """the answer's JSON to a body that comes in two pieces, cut at a byte"""
    with socket.create_connection(('127.0.0.1', server.port), 30) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(head + body[:at])
        line.settimeout(0.01)  # long enough for the first piece to be read alone
        try:
            line.recv(1)
        except TimeoutError:
            pass
        line.settimeout(30)
        line.sendall(body[at:])
        answer = b''.join(iter(lambda: line.recv(65536), b''))
    return json.loads(answer.split(b'\r\n\r\n', 1)[1])


def head_of(headers, length):
    lines = ['POST /v1/identify HTTP/1.1', 'Host: localhost', 'Connection: close']
    lines += ['%s: %s' % each for each in headers.items()] + ['Content-Length: %d' % length]
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


def fields_survive_every_cut(server, photo):
    body, headers = form([('images', 'a.jpg', photo), ('note', None, b'n'), ('keep', None, b'1')])
    head = head_of(headers, len(body))
    first = body.rindex(b'name="note"')
    for at in range(first, len(body) + 1):
        answer = send_cut(server, head, body, at)
        assert answer.get('kept') is True, 'cut after %r: %s' % (body[at - 12:at], answer)
        _, one = server.json('GET', '/v1/observations/' + answer['id'])
        assert one['note'] == 'n', 'cut after %r: %s' % (body[at - 12:at], one['note'])


def a_photo_survives_a_cut_around_its_first_bytes(server, photo):
    body, headers = form([('keep', None, b'0'), ('images', 'a.jpg', photo)])
    head = head_of(headers, len(body))
    first = body.index(photo)
    for at in range(first - 8, first + 8):
        answer = send_cut(server, head, body, at)
        assert len(answer['images']) == 1 and 'results' in answer['images'][0], answer


def an_empty_field_is_no_field_of_the_next(server, photo):
    parts = [('note', None, b''), ('label', None, b'rose'), ('keep', None, b'1')]
    body, headers = form(parts + [('images', 'a.jpg', photo)])
    status, answer = server.json('POST', '/v1/identify', body, headers)
    assert status == 200 and answer['kept'], answer
    _, one = server.json('GET', '/v1/observations/' + answer['id'])
    assert (one['note'], one['suggested']) == (None, 'rose'), one


def main(binary, model, path):
    with open(path, 'rb') as file:
        photo = file.read()
    with tempfile.TemporaryDirectory() as folder:
        with Server(binary, model, '--db', os.path.join(folder, 'finds.db')) as server:
            return run([fields_survive_every_cut, a_photo_survives_a_cut_around_its_first_bytes,
                        an_empty_field_is_no_field_of_the_next], server, photo)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:4]))
