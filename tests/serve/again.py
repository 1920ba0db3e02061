"""A find whose answer was lost on the way and that is sent again is kept once, and its token is not
lost.
usage: again.py OCELLUS MODEL PHOTO...
SPDX-License-Identifier: BSD-2-Clause"""
import json
import os
import re
import socket
import sys
import tempfile
import threading
import time
import uuid

from server import Server, form, run


def find(photo, *more):
    return form([('images', 'a.jpg', photo), ('keep', None, b'1'), *more])


def keep(server, photo, key, *more):
    body, headers = find(photo, *more)
    return server.json('POST', '/v1/identify', body, {**headers, 'Idempotency-Key': key})


def count(server):
    return len(server.json('GET', '/v1/observations?limit=200')[1]['observations'])


def send_and_lose(server, photo, key):
    """the whole request; when it has been kept, the line is cut with the answer unread"""
    before = count(server)
    body, headers = find(photo)
    lines = ['POST /v1/identify HTTP/1.1', 'Host: localhost', 'Idempotency-Key: ' + key,
             'Content-Length: %d' % len(body)] + ['%s: %s' % each for each in headers.items()]
    with socket.create_connection(('127.0.0.1', server.port), 30) as line:
        line.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode() + body)
        until = time.monotonic() + 30
        while count(server) == before:
            assert time.monotonic() < until, 'it was not kept within 30 s'
            time.sleep(0.01)


def what_is_sent_again_is_kept_once(server, photos):
    before, key = count(server), str(uuid.uuid4())
    status, first = keep(server, photos[0], key)
    again = [keep(server, photos[0], key) for _ in range(3)]
    assert status == 200 and first['kept'], first
    for status, answer in again:
        assert status == 200 and answer['kept'], answer
        assert (answer['id'], answer['token']) == (first['id'], first['token']), answer
    assert count(server) == before + 1
    status, _, _ = server.ask('DELETE', '/v1/observations/' + first['id'],
                              headers={'X-Delete-Token': again[-1][1]['token']})
    assert status == 204 and count(server) == before


def an_answer_that_was_lost_is_given_again(server, photos):
    before, key = count(server), str(uuid.uuid4())
    send_and_lose(server, photos[0], key)
    status, answer = keep(server, photos[0], key)
    assert status == 200 and count(server) == before + 1, answer
    status, one = server.json('GET', '/v1/observations/' + answer['id'])
    assert status == 200, one


def what_is_sent_at_once_from_all_sides_is_kept_once(server, photos):
    before, key, answers = count(server), str(uuid.uuid4()), []
    threads = [threading.Thread(target=lambda: answers.append(keep(server, photos[0], key)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer['id'] for _, answer in answers}) == 1 and len(answers) == 8, answers
    assert count(server) == before + 1


def a_key_of_other_photos_is_refused(server, photos):
    before, key = count(server), str(uuid.uuid4())
    assert keep(server, photos[0], key)[0] == 200
    status, problem = keep(server, photos[1], key)
    assert status == 409 and 'other photos' in problem['detail'], problem
    assert count(server) == before + 1


def a_key_of_other_words_is_refused(server, photos):
    before, key = count(server), str(uuid.uuid4())
    assert keep(server, photos[0], key, ('note', None, b'by the brook'))[0] == 200
    for more in ([], [('note', None, b'on the hill')],
                 [('note', None, b'by the brook'), ('lat', None, b'48'), ('lon', None, b'11')]):
        status, problem = keep(server, photos[0], key, *more)
        assert status == 409, (more, problem)
    assert keep(server, photos[0], key, ('note', None, b'by the brook'))[0] == 200
    assert count(server) == before + 1


def what_was_taken_back_does_not_come_again(server, photos):
    before, key = count(server), str(uuid.uuid4())
    _, answer = keep(server, photos[0], key)
    server.ask('DELETE', '/v1/observations/' + answer['id'],
               headers={'X-Delete-Token': answer['token']})
    status, problem = keep(server, photos[0], key)
    assert status == 409 and 'taken back' in problem['detail'], problem
    assert count(server) == before


def a_key_that_is_not_needed_is_let_be(server, photos):
    status, answer = server.json('POST', '/v1/identify', photos[0],
                                 {'Content-Type': 'image/jpeg', 'Idempotency-Key': 'short'})
    assert status == 200 and not answer['kept'], answer


def a_key_that_others_may_guess_is_refused(server, photos):
    before = count(server)
    for key in ('1', 'short', 'x' * 256):
        status, problem = keep(server, photos[0], key)
        assert status == 400 and 'Idempotency-Key' in problem['detail'], problem
    assert count(server) == before


def counted(server, event):
    """what /metrics says of observations that were kept, repeated ..."""
    text = server.ask('GET', '/metrics')[2].decode()
    return int(re.search(r'^ocellus_observations_total{event="%s"} (\d+)$' % event, text,
                         re.MULTILINE).group(1))


def they_are_counted(server, photos):
    events, key = ('kept', 'repeated', 'removed', 'rejected'), str(uuid.uuid4())
    before = [counted(server, event) for event in events]
    for _ in range(3):
        status, answer = keep(server, photos[0], key)
        assert status == 200, answer
    path = '/v1/observations/' + answer['id']
    server.ask('POST', path + '/review', json.dumps({'verdict': 'reject'}),
               {'Content-Type': 'application/json'})
    server.ask('DELETE', path, headers={'X-Delete-Token': answer['token']})
    after = [counted(server, event) for event in events]
    assert [new - old for new, old in zip(after, before)] == [1, 2, 1, 1], (before, after)


def main(binary, model, *paths):
    photos = []
    for path in paths:
        with open(path, 'rb') as file:
            photos.append(file.read())
    with tempfile.TemporaryDirectory() as folder:
        with Server(binary, model, '--db', os.path.join(folder, 'finds.db'),
                    '--open-review') as server:
            return run([what_is_sent_again_is_kept_once, an_answer_that_was_lost_is_given_again,
                        what_is_sent_at_once_from_all_sides_is_kept_once,
                        a_key_of_other_photos_is_refused, a_key_of_other_words_is_refused,
                        what_was_taken_back_does_not_come_again,
                        a_key_that_is_not_needed_is_let_be,
                        a_key_that_others_may_guess_is_refused,
                        they_are_counted], server, photos)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
