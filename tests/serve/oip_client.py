"""A client of the Open Inference Protocol, Triton's own, against a running server: it gives what
`ocellus predict` gives. usage: oip_client.py OCELLUS MODEL PHOTO...
Exit code 77 where tritonclient is not installed (scripts/peers.sh).
SPDX-License-Identifier: BSD-2-Clause"""
import json
import subprocess
import sys

try:
    import numpy as np
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException
except ImportError as error:
    print('skipped:', error)
    sys.exit(77)

from server import Server, run

CLOSE = 2e-5  # a photo at another place of a batch is summed in another order


class Case:
    def __init__(self, server, binary, model, photos):
        self.client = triton.InferenceServerClient('127.0.0.1:%d' % server.port)
        self.name = server.json('GET', '/v1/models')[1]['models'][0]['name']
        self.meta = self.client.get_model_metadata(self.name)
        self.classes = server.json('GET', '/v1/models/' + self.name)[1]['classes']
        self.photos = [open(photo, 'rb').read() for photo in photos]
        said = subprocess.run([binary, 'predict', model, *photos, '--json', '--top', '5'],
                              stdout=subprocess.PIPE, check=True, text=True).stdout
        self.predicted = [json.loads(line)['top'] for line in said.splitlines()]

    def images(self, binary=True):
        tensor = triton.InferInput('image', [len(self.photos)], 'BYTES')
        tensor.set_data_from_numpy(np.array(self.photos, dtype=np.object_), binary_data=binary)
        return tensor

    def infer(self, tensor, outputs=None):
        return self.client.infer(self.name, [tensor], outputs=outputs)

    def check(self, probabilities):
        labels = [c['label'] for c in self.classes]
        assert probabilities.shape == (len(self.photos), len(labels)), probabilities.shape
        for row, top in zip(probabilities, self.predicted):
            for one in top:
                assert abs(row[labels.index(one['label'])] - one['p']) < CLOSE, (one, row.max())


def health_and_metadata_are_there(case):
    client, name = case.client, case.name
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(name) and client.is_model_ready(name, '1')
    assert 'binary_tensor_data' in client.get_server_metadata()['extensions']
    assert {i['name'] for i in case.meta['inputs']} == {'image', 'pixels'}
    assert case.meta['outputs'][0]['shape'] == [-1, len(case.classes)]


def photos_give_what_predict_gives(case):
    case.check(case.infer(case.images()).as_numpy('probabilities'))


def outputs_come_as_json_or_binary(case):
    for binary in (False, True):
        wanted = [triton.InferRequestedOutput('probabilities', binary_data=binary),
                  triton.InferRequestedOutput('label', binary_data=binary)]
        answer = case.infer(case.images(), wanted)
        case.check(answer.as_numpy('probabilities'))
        labels = answer.as_numpy('label')
        for label, top in zip(labels, case.predicted):
            text = label.decode() if isinstance(label, bytes) else label
            assert text == top[0]['label'], (text, top)


def classification_is_as_tritons(case):
    for binary in (False, True):
        wanted = [triton.InferRequestedOutput('probabilities', binary_data=binary, class_count=3)]
        rows = case.infer(case.images(), wanted).as_numpy('probabilities')
        assert rows.shape == (len(case.photos), 3), rows.shape
        for row, top in zip(rows, case.predicted):
            for text, one in zip(row, top):
                p, number, label = (text.decode() if isinstance(text, bytes) else text).split(':', 2)
                assert label == one['label'] and abs(float(p) - one['p']) < CLOSE, (text, one)
                assert case.classes[int(number)]['label'] == label


def more_than_a_batch_is_taken_in_several(case):
    tensor = triton.InferInput('image', [40, 1], 'BYTES')
    tensor.set_data_from_numpy(np.array([[case.photos[0]]] * 40, dtype=np.object_))
    rows = case.infer(tensor).as_numpy('probabilities')
    assert rows.shape[0] == 40 and np.abs(rows - rows[0]).max() < CLOSE


def pixels_are_taken_as_numbers_too(case):
    shape = [3] + case.meta['inputs'][1]['shape'][1:]
    pixels = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
    rows = []
    for binary in (True, False):
        tensor = triton.InferInput('pixels', shape, 'FP32')
        tensor.set_data_from_numpy(pixels, binary_data=binary)
        rows.append(case.infer(tensor).as_numpy('probabilities'))
    assert np.abs(rows[0].sum(axis=1) - 1).max() < 1e-4
    assert np.abs(rows[0] - rows[1]).max() < CLOSE


def refusals_reach_the_client_in_words(case):
    shape = case.meta['inputs'][1]['shape'][1:]
    bad = triton.InferInput('pixels', [1] + shape, 'FP32')
    bad.set_data_from_numpy(np.full([1] + shape, np.nan, dtype=np.float32))
    broken = triton.InferInput('image', [2], 'BYTES')
    broken.set_data_from_numpy(np.array([case.photos[0], b'no photo'], dtype=np.object_))
    for tensor, words in ((bad, 'no finite number'), (broken, 'image 1:')):
        try:
            case.infer(tensor)
        except InferenceServerException as error:
            assert words in error.message(), error
        else:
            raise AssertionError('not refused: ' + words)


if __name__ == '__main__':
    with Server(sys.argv[1], sys.argv[2], '--threads', '1') as one:
        code = run([health_and_metadata_are_there, photos_give_what_predict_gives,
                    outputs_come_as_json_or_binary, classification_is_as_tritons,
                    more_than_a_batch_is_taken_in_several, pixels_are_taken_as_numbers_too,
                    refusals_reach_the_client_in_words], Case(one, *sys.argv[1:3], sys.argv[3:]))
    sys.exit(code)
