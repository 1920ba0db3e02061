"""Requests of the Open Inference Protocol by hand, good ones and hostile ones, against a running
server. usage: oip.py OCELLUS MODEL PHOTO
SPDX-License-Identifier: BSD-2-Clause"""
import base64
import json
import struct
import sys

from server import Server, run


class Case:
    def __init__(self, server, photo):
        self.server, self.photo = server, photo
        self.name = server.json('GET', '/v1/models')[1]['models'][0]['name']
        self.path = '/v2/models/%s/infer' % self.name
        meta = server.json('GET', '/v2/models/' + self.name)[1]
        self.shape = meta['inputs'][1]['shape'][1:]
        self.values = self.shape[0] * self.shape[1] * self.shape[2]

    def infer(self, request, binary=None, length=None):
        text = json.dumps(request).encode() if not isinstance(request, bytes) else request
        headers = {'Content-Type': 'application/json'}
        if binary is not None:
            headers = {'Content-Type': 'application/octet-stream',
                       'Inference-Header-Content-Length': str(len(text) if length is None
                                                              else length)}
        return self.server.json('POST', self.path, text + (binary or b''), headers)

    def refused(self, words, request, binary=None, length=None):
        status, answer = self.infer(request, binary, length)
        assert status == 400, (status, answer)
        assert answer['error'] == answer['detail'] and words in answer['detail'], answer

    def image(self, **change):
        data = [base64.b64encode(self.photo).decode()]
        return {'inputs': [{'name': 'image', 'datatype': 'BYTES', 'shape': [1], 'data': data,
                            **change}]}

    def pixels(self, **change):
        return {'inputs': [{'name': 'pixels', 'datatype': 'FP32', 'shape': [1] + self.shape,
                            'data': [0.5] * self.values, **change}]}

    def binary(self, name, shape, size, **change):
        kind = 'FP32' if name == 'pixels' else 'BYTES'
        return {'inputs': [{'name': name, 'datatype': kind, 'shape': shape,
                            'parameters': {'binary_data_size': size}, **change}]}


def json_alone_is_enough(case):
    status, answer = case.infer({'id': 'mine', **case.image()})
    assert status == 200, answer
    assert answer['id'] == 'mine' and answer['model_name'] == case.name
    output = answer['outputs'][0]
    assert output['datatype'] == 'FP32' and output['shape'] == [1, len(output['data'])]
    whole = case.server.json('POST', '/v1/identify', case.photo, {'Content-Type': 'image/jpeg'})[1]
    best = whole['results'][0]
    assert abs(output['data'][best['class']] - best['p']) < 1e-5


def nested_arrays_are_taken(case):
    c, h, w = case.shape
    flat = case.infer(case.pixels())[1]['outputs'][0]['data']
    nested = case.infer(case.pixels(data=[[[[0.5] * w] * h] * c]))[1]['outputs'][0]['data']
    assert flat == nested
    case.refused('not as its shape', case.pixels(data=[[[[0.5] * w] * h] * (c + 1)]))
    case.refused('not as its shape', case.pixels(data=[[[[[0.5]] * w] * h] * c]))
    case.refused('no finite number', case.pixels(data=[[[[0.5] * w] * h] * (c - 1) + [7]]))


def shapes_are_checked(case):
    for shape, words in (([1, 3, 1 << 31, 1 << 31], 'shape[2]'), ([1, 3, -8, 8], 'shape[2]'),
                         ([0] + case.shape, 'shape[0]'), ([1.5], 'shape[0]'), (['1'], 'shape[0]'),
                         ([], '0 dimensions'), ([1] * 5, '5 dimensions'),
                         ([1 << 62, 3, 8, 8], 'shape[0]'), ([257] + case.shape, 'at most 256'),
                         ([1] + case.shape[:2] + [case.shape[2] + 1], '"pixels" are'),
                         (case.shape, '"pixels" are'), ({'n': 1}, 'shape'), (None, 'shape'),
                         ([1, 3, 2147483647, 2147483647], '"pixels" are')):
        case.refused(words, case.pixels(shape=shape))
    case.refused('(n, 1)', case.image(shape=[1, 2]))
    case.refused('its shape asks for 2', case.image(shape=[2]))


def data_are_checked(case):
    case.refused('its shape asks for', case.pixels(data=[0.5] * (case.values - 1)))
    case.refused('more than the', case.pixels(data=[0.5] * (case.values + 1)))
    for value in ('0.5', None, True, {}, 1e39):
        case.refused('value 0 is no finite number', case.pixels(data=[value] * case.values))
    case.refused('expected an array', case.pixels(data='0.5'))
    case.refused('expected either', case.pixels(data=[], parameters={'binary_data_size': 0}))
    for text in ('%%%%', 'abc', 'ab=c', 'QR==', 7, None, ['YQ==', 'YQ==']):
        case.refused('data[0]: expected a photo', case.image(data=[text]))
    case.refused('send binary tensors', case.pixels(shape=[256] + case.shape))


def binary_tensors_are_checked(case):
    size = 4 * case.values
    good = struct.pack('<%df' % case.values, *[0.5] * case.values)
    request = case.binary('pixels', [1] + case.shape, size)
    assert case.infer(request, good)[0] == 200
    case.refused('announced', request, good[:-4])
    case.refused('announced', request, good + b'more')
    case.refused('asks for', case.binary('pixels', [1] + case.shape, size - 1), good[:-1])
    case.refused('asks for', case.binary('pixels', [200] + case.shape, size), good)
    case.refused('no finite', request, struct.pack('<f', float('nan')) + good[4:])
    case.refused('no finite', request, good[:-4] + struct.pack('<f', float('-inf')))
    for bad in (-1, 1.5, '4', 1 << 62):
        case.refused('bytes', case.binary('pixels', [1] + case.shape, bad), good)
    photo = struct.pack('<I', len(case.photo)) + case.photo
    assert case.infer(case.binary('image', [1], len(photo)), photo)[0] == 200
    assert case.infer(case.binary('image', [2], 2 * len(photo)), 2 * photo)[0] == 200
    case.refused('end before image 1', case.binary('image', [2], len(photo)), photo)
    case.refused('behind its last', case.binary('image', [1], 2 * len(photo)), 2 * photo)
    huge = b'\xff\xff\xff\xff' + case.photo
    case.refused('has 4294967295 bytes', case.binary('image', [1], len(huge)), huge)
    for length in ('-1', 'x', '99999999999999999999', len(photo) + 10_000):
        case.refused('Content-Length', case.binary('image', [1], len(photo)), photo, length)
    case.refused('JSON', case.binary('image', [1], len(photo)), photo, 10)
    case.refused('shared memory', case.image(parameters={'shared_memory_region': 'x'}))


def requests_are_checked(case):
    for text in (b'', b'{', b'[]', b'null', b'{"inputs":[]}', b'{"inputs":[7]}', b'{"inputs":7}',
                 b'{"inputs":[{},{}]}', b'\xff\xfe', b'[' * 100_000, b'{"inputs":{}}'):
        case.refused('', text)
    case.refused('send binary', b'{"inputs":[' + b'0,' * 3_000_000 + b'0]}')
    case.refused('inputs: 2', {'inputs': 2 * case.image()['inputs']})
    case.refused('expected "pixels"', case.image(name='<b>pixels'))
    case.refused('datatype', case.image(datatype='UINT8'))
    case.refused('datatype', case.pixels(datatype='FP64'))
    for output, words in (({'name': 'x'}, 'outputs[0].name'), ({}, '"name"'), (7, 'outputs[0]'),
                          ({'name': 'probabilities', 'parameters': {'classification': -1}},
                           'classification'),
                          ({'name': 'label', 'parameters': {'classification': 1}},
                           'classification'),
                          ({'name': 'label', 'parameters': {'binary_data': 1}}, 'binary_data')):
        case.refused(words, {**case.image(), 'outputs': [output]})
    case.refused('outputs: 5', {**case.image(), 'outputs': 5 * [{'name': 'label'}]})
    case.refused('"id"', {**case.image(), 'id': 7})


def a_model_that_is_not_there_is_named(case):
    for path in ('/v2/models/none', '/v2/models/none/ready', '/v2/models/%s/versions/2' % case.name,
                 '/v2/models/%s/versions/2/ready' % case.name):
        status, answer = case.server.json('GET', path)
        assert status == 404 and answer['error'], answer
    for name in (case.name, case.name + '/versions/1'):
        assert case.server.ask('GET', '/v2/models/' + name)[0] == 200
        assert case.server.ask('GET', '/v2/models/' + name + '/ready')[0] == 200
    status, _, _ = case.server.ask('POST', '/v2/models/%s/versions/1/infer' % case.name,
                                   json.dumps(case.image()))
    assert status == 200


def compressed_bodies_are_refused(case):
    status, answer = case.server.json('POST', case.path, b'x', {'Content-Encoding': 'gzip'})
    assert status == 415 and 'gzip' in answer['error'], answer


def classes_beyond_all_are_all(case):
    wanted = {'name': 'probabilities', 'parameters': {'classification': 1 << 40}}
    status, answer = case.infer({**case.image(), 'outputs': [wanted]})
    classes = case.server.json('GET', '/v2/models/' + case.name)[1]['outputs'][0]['shape'][1]
    assert status == 200 and answer['outputs'][0]['shape'] == [1, classes], answer


def what_is_long_is_read_and_written_as_well(case):
    one = case.infer(case.image())[1]['outputs'][0]['data']
    photo = base64.b64encode(case.photo).decode()
    status, answer = case.infer(case.image(shape=[200], data=[photo] * 200))
    assert status == 200, answer
    many = answer['outputs'][0]
    assert many['shape'] == [200, len(one)] and len(many['data']) == 200 * len(one) > 500
    assert all(abs(many['data'][i] - one[i % len(one)]) < 1e-5 for i in range(200 * len(one)))
    values = [0.5] * (10 * case.values)
    status, answer = case.infer(case.pixels(shape=[10] + case.shape, data=values))
    assert status == 200 and len(answer['outputs'][0]['data']) == 10 * len(one), answer
    values[-1] = 'no number'
    case.refused('no finite number', case.pixels(shape=[10] + case.shape, data=values))


if __name__ == '__main__':
    with open(sys.argv[3], 'rb') as file:
        jpeg = file.read()
    with Server(sys.argv[1], sys.argv[2], '--threads', '1') as one:
        code = run([json_alone_is_enough, nested_arrays_are_taken, shapes_are_checked,
                    data_are_checked, binary_tensors_are_checked, requests_are_checked,
                    a_model_that_is_not_there_is_named, compressed_bodies_are_refused,
                    classes_beyond_all_are_all, what_is_long_is_read_and_written_as_well],
                   Case(one, jpeg))
    sys.exit(code)
