"""openapi.json against a running server: each operation answers at least once as it is described to
answer when all is well, and whatever schemathesis makes up is answered as described.
usage: openapi.py OCELLUS MODEL PHOTO...      Exit code 77 where schemathesis is not installed.
SPDX-License-Identifier: BSD-2-Clause"""
import base64
import json
import os
import struct
import subprocess
import sys

try:
    import requests
    import schemathesis
except ImportError as error:
    print('skipped:', error)
    sys.exit(77)

from server import Server, run

TUS = {'Tus-Resumable': '1.0.0'}
SECONDS = 25  # for schemathesis


class Case:
    def __init__(self, server, photos):
        self.base = 'http://127.0.0.1:%d' % server.port
        self.api = schemathesis.openapi.from_url(self.base + '/openapi.json')
        self.photos = [open(photo, 'rb').read() for photo in photos]
        self.answered = set()
        self.name = requests.get(self.base + '/v1/models', timeout=30).json()['models'][0]['name']

    def ask(self, method, path, status=200, described=None, **more):
        """The operation `described` (default: path) is asked at `path`, and its answer checked."""
        described = described or path.split('?')[0]
        answer = requests.request(method, self.base + path, timeout=30, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:500])
        self.api[described][method].validate_response(answer)
        if status < 400:
            self.answered.add((method, described))
        return answer

    def model(self, rest=''):
        return '/v1/models/' + self.name + rest, '/v1/models/{model}' + rest


def identify_is_as_described(case):
    photo = case.photos[0]
    raw = {'Content-Type': 'image/jpeg'}
    case.ask('POST', '/v1/identify', data=photo, headers=raw)
    case.ask('POST', '/v1/identify?top=1&explain=1', data=photo, headers=raw)
    files = [('images', ('a.jpg', photo)), ('images', ('b.txt', b'no photo')),
             ('organs', (None, 'leaf')), ('lang', (None, 'de'))]
    case.ask('POST', '/v1/identify', files=files)
    case.ask('POST', '/v1/identify?top=0', 400, data=photo, headers=raw)
    case.ask('POST', '/v1/identify?model=none', 404, data=photo, headers=raw)
    case.ask('POST', '/v1/identify?uploads=' + 32 * '0', 404, files=[('lang', (None, 'de'))])
    case.ask('POST', '/v1/identify', 415, data=b'x', headers={'Content-Type': 'text/plain'})
    for path in ('/identify', '/share'):
        case.ask('POST', path, files=files)
        case.ask('POST', path, 400, files=[('organs', (None, 'leaf'))])


def models_and_server_are_as_described(case):
    for path in ('/v1/config', '/v1/models', '/healthz', '/readyz', '/metrics', '/openapi.json'):
        case.ask('GET', path)
    classes = case.ask('GET', *case.model()[:1], described=case.model()[1]).json()['classes']
    case.ask('GET', '/v1/models/none', 404, '/v1/models/{model}')
    case.ask('GET', *case.model('/examples/99999')[:1], 404, '/v1/models/{model}/examples/{class}')
    for one in classes:
        if 'example' in one:
            case.ask('GET', one['example'], 200, '/v1/models/{model}/examples/{class}')


def uploads_are_as_described(case):
    photo, one = case.photos[0], '/v1/uploads/{upload}'
    case.ask('OPTIONS', '/v1/uploads', 204)
    length = {'Upload-Length': str(len(photo)), 'Upload-Metadata': 'filename YQ=='}
    path = case.ask('POST', '/v1/uploads', 201, headers={**TUS, **length}).headers['Location']
    piece = {**TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '0'}
    case.ask('OPTIONS', path, 204, one)
    case.ask('PATCH', path, 204, one, headers=piece, data=photo)
    case.ask('PATCH', path, 409, one, headers=piece, data=photo)
    case.ask('HEAD', path, 200, one, headers=TUS)
    case.ask('POST', '/v1/identify?uploads=' + path.split('/')[-1],
             headers={'Content-Type': 'application/x-www-form-urlencoded'})
    kept = case.ask('POST', '/v1/identify', files=[('keep', (None, '1')),
                                                   ('uploads', (None, path.split('/')[-1]))]).json()
    case.ask('GET', '/v1/observations/%s/photos/0' % kept['id'], 200,
             '/v1/observations/{observation}/photos/{photo}')
    case.ask('DELETE', path, 204, one, headers=TUS)
    case.ask('HEAD', path, 404, one, headers=TUS)
    case.ask('DELETE', path, 412, one)
    case.ask('POST', '/v1/uploads', 413, headers={**TUS, 'Upload-Length': str(1 << 50)})


def keep(case, index):
    files = [('images', ('a.jpg', case.photos[index % len(case.photos)])), ('keep', (None, '1')),
             ('lat', (None, '48.1')), ('lon', (None, '11.5')), ('date', (None, '2026-05-31')),
             ('note', (None, '<b>at the brook</b>')), ('organs', (None, 'flower'))]
    key = {'Idempotency-Key': 'a key of the test, %d' % index}
    answer = case.ask('POST', '/v1/identify', files=files, headers=key).json()
    assert answer['kept'] and answer['token']
    return '/v1/observations/' + answer['id'], answer['token']


def observations_are_as_described(case):
    one = '/v1/observations/{observation}'
    kept = [keep(case, i) for i in range(3)]
    page = case.ask('GET', '/v1/observations?limit=2&status=pending').json()
    assert len(page['observations']) == 2 and page['next']
    case.ask('GET', '/v1/observations?after=' + page['next'])
    case.ask('GET', '/v1/review?limit=1')
    case.ask('GET', '/v1/observations?limit=0', 400)
    path, token = kept[0]
    photo = case.ask('GET', path, 200, one).json()['photos'][0]
    case.ask('GET', photo, 200, one + '/photos/{photo}')
    case.ask('GET', path + '/photos/7', 404, one + '/photos/{photo}')
    verdicts = ({'verdict': 'confirm', 'seen': 'pending'},
                {'verdict': 'correct', 'label': 'rose', 'note': 'petals'}, {'verdict': 'reject'})
    for (where, _), verdict in zip(kept, verdicts):
        case.ask('POST', where + '/review', 200, one + '/review', json=verdict)
    case.ask('POST', path + '/review', 409, one + '/review', json=verdicts[0])
    case.ask('POST', path + '/review', 400, one + '/review', json={'verdict': 'perhaps'})
    case.ask('DELETE', path, 204, one, headers={'X-Delete-Token': token})
    case.ask('GET', path, 404, one)


def open_inference_is_as_described(case):
    for path in ('/v2', '/v2/health/live', '/v2/health/ready'):
        case.ask('GET', path)
    tensor = {'name': 'image', 'datatype': 'BYTES', 'shape': [1]}
    request = {'inputs': [{**tensor, 'data': [base64.b64encode(case.photos[0]).decode()]}]}
    binary = struct.pack('<I', len(case.photos[0])) + case.photos[0]
    text = json.dumps({'inputs': [{**tensor, 'parameters': {'binary_data_size': len(binary)}}],
                       'parameters': {'binary_data_output': True}}).encode()
    for version, name in (('', ''), ('/versions/1', '/versions/{version}')):
        path, described = '/v2/models/' + case.name + version, '/v2/models/{model}' + name
        case.ask('GET', path, 200, described)
        case.ask('GET', path + '/ready', 200, described + '/ready')
        case.ask('POST', path + '/infer', 200, described + '/infer', json=request)
        case.ask('POST', path + '/infer', 200, described + '/infer', data=text + binary, headers={
            'Content-Type': 'application/octet-stream',
            'Inference-Header-Content-Length': str(len(text))})
        case.ask('POST', path + '/infer', 400, described + '/infer', json={})
    case.ask('GET', '/v2/models/none', 404, '/v2/models/{model}')


def every_operation_has_answered_well(case):
    described = {(method.upper(), path) for path, item in case.api.raw_schema['paths'].items()
                 for method in item if method != 'parameters'}
    left = described - case.answered
    left.discard(('GET', '/v1/models/{model}/examples/{class}'))  # where the model has none
    assert not left, left


def what_schemathesis_makes_up_is_answered_as_described(case):
    command = [os.path.join(os.path.dirname(sys.executable), 'schemathesis'), 'run',
               case.base + '/openapi.json', '--max-time', str(SECONDS), '--seed', '7',
               '--phases', 'coverage,fuzzing', '--no-color', '--continue-on-failure',
               '--exclude-operation-id', 'sendPiece',  # it cannot make bodies of that type
               '--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,'
               'response_schema_conformance,response_headers_conformance,unsupported_method']
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert said.returncode == 0, said.stdout[-4000:]
    print([line.strip() for line in said.stdout.splitlines() if ' generated, ' in line])


if __name__ == '__main__':
    database = os.path.join(os.getcwd(), 'openapi-test.db')
    with Server(sys.argv[1], sys.argv[2], '--threads', '1', '--db', database,
                '--open-review') as one:
        code = run([identify_is_as_described, models_and_server_are_as_described,
                    uploads_are_as_described, observations_are_as_described,
                    open_inference_is_as_described, every_operation_has_answered_well,
                    what_schemathesis_makes_up_is_answered_as_described], Case(one, sys.argv[3:]))
    sys.exit(code)
